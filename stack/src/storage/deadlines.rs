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
    /// Of each slot: when its entry is due.
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
        Self {
            heap,
            len: 0,
            at,
            positions,
        }
    }

    /// The earliest time at which a slot wants to be called.
    pub(crate) fn next(&self) -> Option<Instant> {
        let &first = self.heap[..self.len].first()?;
        Some(self.at(first))
    }

    /// Makes sure that `index` is called at `at` or earlier.
    pub(crate) fn schedule(&mut self, index: Index, at: Instant) {
        let position = self.position(index);
        if at == Instant::FAR_FUTURE || position.is_some() && at >= self.at(index) {
            return;
        }
        self.at[usize::from(index)] = at;
        let position = position.unwrap_or_else(|| {
            let end = self.len;
            self.len += 1;
            self.heap[end] = index;
            end
        });
        self.sift_up(position);
    }

    /// Takes out a slot whose deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Index> {
        let &first = self.heap[..self.len].first()?;
        if self.at(first) > now {
            return None;
        }
        self.remove(first);
        Some(first)
    }

    /// Takes out `index`, if it is in.
    pub(crate) fn remove(&mut self, index: Index) {
        let Some(position) = self.position(index) else {
            return;
        };
        self.positions[usize::from(index)] = 0;
        self.len -= 1;
        if position == self.len {
            return;
        }
        let last = self.heap[self.len];
        self.place(position, last);
        self.sift_up(position);
        if let Some(position) = self.position(last) {
            self.sift_down(position);
        }
    }

    fn sift_up(&mut self, mut position: usize) {
        let index = self.heap[position];
        let deadline = self.at(index);
        while position > 0 {
            let parent = (position - 1) / 2;
            let above = self.heap[parent];
            if self.at(above) <= deadline {
                break;
            }
            self.place(position, above);
            position = parent;
        }
        self.place(position, index);
    }

    fn sift_down(&mut self, mut position: usize) {
        let index = self.heap[position];
        let deadline = self.at(index);
        loop {
            let left = 2 * position + 1;
            if left >= self.len {
                break;
            }
            let due = |position: usize| self.at(self.heap[position]);
            let right = left + 1;
            let child = if right < self.len && due(right) < due(left) {
                right
            } else {
                left
            };
            if deadline <= due(child) {
                break;
            }
            let below = self.heap[child];
            self.place(position, below);
            position = child;
        }
        self.place(position, index);
    }

    fn place(&mut self, position: usize, index: Index) {
        self.heap[position] = index;
        // A heap is at most as long as the table of slots, whose numbers fit an `Index`.
        self.positions[usize::from(index)] = position as Index + 1;
    }

    fn at(&self, index: Index) -> Instant {
        self.at[usize::from(index)]
    }

    /// Where in the heap a slot is.
    fn position(&self, index: Index) -> Option<usize> {
        usize::from(self.positions[usize::from(index)]).checked_sub(1)
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
        assert_eq!(deadlines.next(), Some(Instant::from_secs(1)));
        deadlines.schedule(0, Instant::FAR_FUTURE);
        assert_eq!(deadlines.pop_due(Instant::from_secs(1)), Some(0));
        assert_eq!(deadlines.next(), None);
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
                let earliest = model.iter().flatten().min().map(|&at| Instant::from_micros(at));
                assert_eq!(deadlines.next(), earliest);
            }
        }
    }
}
