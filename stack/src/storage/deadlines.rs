//! When each slot wants to be called: a binary heap of slot numbers, ordered by deadline.
//!
//! Lazy on purpose: an entry moves only when its deadline becomes *earlier*. A deadline that was put off
//! leaves its entry where it is; it fires, its owner finds that there is nothing to do yet and schedules
//! anew. A busy connection puts off its retransmission with every acknowledgment and so touches the heap
//! once per timeout instead of once per packet.

use super::list::Index;
use crate::time::Instant;

/// The heap. Positions are kept for each slot, so that its entry is found without searching.
#[derive(Debug)]
pub(crate) struct Deadlines<'d> {
    heap: &'d mut [Index],
    len: usize,
    /// Of each slot: when its entry is due; [`Instant::FAR_FUTURE`] when it has none.
    at: &'d mut [Instant],
    /// Of each slot: its position in the heap, from 1; 0 when it has none.
    positions: &'d mut [Index],
}

impl<'d> Deadlines<'d> {
    /// An empty heap in memory for as many entries as there are slots, the positions zero.
    pub(crate) fn new(
        heap: &'d mut [Index],
        at: &'d mut [Instant],
        positions: &'d mut [Index],
    ) -> Self {
        at.fill(Instant::FAR_FUTURE);
        Self {
            heap,
            len: 0,
            at,
            positions,
        }
    }

    /// The earliest time at which a slot wants to be called, [`Instant::FAR_FUTURE`] if none does.
    pub(crate) fn next(&self) -> Instant {
        self.due(0)
    }

    /// Makes sure that `index` is called at `at` or earlier.
    #[inline]
    pub(crate) fn schedule(&mut self, index: Index, at: Instant) {
        match self.at.get_mut(usize::from(index)) {
            Some(known) if at < *known => *known = at,
            _ => return,
        }
        let position = self.position(index).unwrap_or_else(|| {
            self.len += 1;
            self.len - 1
        });
        self.sift_up(position, index);
    }

    /// Takes out a slot whose deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Index> {
        if self.due(0) > now {
            return None;
        }
        let first = self.entry(0)?;
        self.remove(first);
        Some(first)
    }

    /// Takes out `index`, if it is in.
    pub(crate) fn remove(&mut self, index: Index) {
        let Some(position) = self.position(index) else {
            return;
        };
        let Some(last) = self.entry(self.len - 1) else {
            return;
        };
        self.len -= 1;
        if position < self.len {
            let position = self.sift_up(position, last);
            self.sift_down(position, last);
        }
        if let Some(position) = self.positions.get_mut(usize::from(index)) {
            *position = 0;
        }
        if let Some(at) = self.at.get_mut(usize::from(index)) {
            *at = Instant::FAR_FUTURE;
        }
    }

    /// Puts `index` at `position`, or as far above as it belongs: where that is.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn sift_up(&mut self, mut position: usize, index: Index) -> usize {
        let deadline = self.at(index);
        while position > 0 {
            let parent = (position - 1) / 2;
            match self.entry(parent) {
                Some(above) if self.at(above) > deadline => self.place(position, above),
                _ => break,
            }
            position = parent;
        }
        self.place(position, index);
        position
    }

    /// Puts `index` at `position`, or as far below as it belongs.
    fn sift_down(&mut self, mut position: usize, index: Index) {
        let deadline = self.at(index);
        loop {
            let left = 2 * position + 1;
            let right = left + 1;
            let child = if self.due(right) < self.due(left) {
                right
            } else {
                left
            };
            match self.entry(child) {
                Some(below) if self.at(below) < deadline => self.place(position, below),
                _ => break,
            }
            position = child;
        }
        self.place(position, index);
    }

    fn place(&mut self, position: usize, index: Index) {
        let entry = self.heap.get_mut(position);
        let place = self.positions.get_mut(usize::from(index));
        if let (Some(entry), Some(place)) = (entry, place) {
            *entry = index;
            // A heap is at most as long as the table of slots, whose numbers fit an `Index`.
            *place = position as Index + 1;
        }
    }

    /// The slot at a position, if the heap is so long.
    fn entry(&self, position: usize) -> Option<Index> {
        self.heap.get(..self.len)?.get(position).copied()
    }

    /// When the slot at a position is due: never beyond the end.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn due(&self, position: usize) -> Instant {
        self.entry(position)
            .map_or(Instant::FAR_FUTURE, |index| self.at(index))
    }

    fn at(&self, index: Index) -> Instant {
        let at = self.at.get(usize::from(index));
        at.copied().unwrap_or(Instant::FAR_FUTURE)
    }

    /// Where in the heap a slot is.
    fn position(&self, index: Index) -> Option<usize> {
        let &position = self.positions.get(usize::from(index))?;
        usize::from(position).checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn a_later_deadline_leaves_the_entry_where_it_is() {
        let (mut heap, mut at, mut positions) = ([0; 2], [Instant::ZERO; 2], [0; 2]);
        let mut deadlines = Deadlines::new(&mut heap, &mut at, &mut positions);
        deadlines.schedule(0, Instant::from_secs(1));
        deadlines.schedule(0, Instant::from_secs(5));
        assert_eq!(deadlines.next(), Instant::from_secs(1));
        deadlines.schedule(0, Instant::FAR_FUTURE);
        assert_eq!(deadlines.pop_due(Instant::from_secs(1)), Some(0));
        assert_eq!(deadlines.next(), Instant::FAR_FUTURE);
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_a_sorted_list(ops in proptest::collection::vec((0u8..4, 0u16..16, 0u64..50), 0..300)) {
            let (mut heap, mut at, mut positions) = ([0; 16], [Instant::ZERO; 16], [0; 16]);
            let mut deadlines = Deadlines::new(&mut heap, &mut at, &mut positions);
            let mut model: Vec<Option<u64>> = vec![None; 16];
            for (op, index, at) in ops {
                match op {
                    0 | 1 => {
                        deadlines.schedule(index, Instant::from_micros(at));
                        let entry = &mut model[usize::from(index)];
                        *entry = Some(entry.map_or(at, |old| old.min(at)));
                    }
                    2 => {
                        deadlines.remove(index);
                        model[usize::from(index)] = None;
                    }
                    _ => {
                        let popped = deadlines.pop_due(Instant::from_micros(at));
                        let earliest = model.iter().flatten().min().copied();
                        match popped {
                            Some(i) => {
                                assert_eq!(model[usize::from(i)].take(), earliest);
                                assert!(earliest.unwrap() <= at);
                            }
                            None => assert!(earliest.is_none_or(|e| e > at)),
                        }
                    }
                }
                let earliest = model.iter().flatten().min().map_or(Instant::FAR_FUTURE, |&at| Instant::from_micros(at));
                assert_eq!(deadlines.next(), earliest);
            }
        }
    }
}
