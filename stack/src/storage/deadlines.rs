//! When each slot wants to be called: a binary heap of slot numbers, ordered by deadline.
//!
//! Lazy on purpose: an entry moves only when its deadline becomes *earlier*. A deadline that was put off
//! leaves its entry where it is; it fires, its owner finds that there is nothing to do yet and schedules
//! anew. A busy connection puts off its retransmission with every acknowledgment and so touches the heap
//! once per timeout instead of once per packet.

use super::list::Index;
use crate::time::Instant;

/// A slot's entry in the heap.
///
/// All zeros where there is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    at: Instant,
    /// Position in the heap, from 1; 0 when it has none.
    position: Index,
}

impl Due {
    pub(crate) const NEVER: Self = Self {
        at: Instant::ZERO,
        position: 0,
    };

    fn position(&self) -> Option<usize> {
        usize::from(self.position).checked_sub(1)
    }
}

/// The heap. Positions are kept with the slots, so that a slot's entry is found without searching.
#[derive(Debug)]
pub(crate) struct Deadlines<'d> {
    heap: &'d mut [Index],
    len: usize,
}

impl<'d> Deadlines<'d> {
    /// An empty heap in memory for as many entries as there are slots.
    pub(crate) fn new(heap: &'d mut [Index]) -> Self {
        Self { heap, len: 0 }
    }

    /// The earliest time at which a slot wants to be called.
    pub(crate) fn next(&self, slots: &[Due]) -> Option<Instant> {
        let &first = self.heap[..self.len].first()?;
        Some(slots[usize::from(first)].at)
    }

    /// Makes sure that `index` is called at `at` or earlier.
    pub(crate) fn schedule(
        &mut self,
        slots: &mut [Due],
        index: Index,
        at: Instant,
    ) {
        let due = &mut slots[usize::from(index)];
        let position = due.position();
        if at == Instant::FAR_FUTURE || position.is_some() && at >= due.at {
            return;
        }
        due.at = at;
        let position = position.unwrap_or_else(|| {
            let end = self.len;
            self.len += 1;
            self.heap[end] = index;
            end
        });
        self.sift_up(slots, position);
    }

    /// Takes out a slot whose deadline has come.
    pub(crate) fn pop_due(
        &mut self,
        slots: &mut [Due],
        now: Instant,
    ) -> Option<Index> {
        let &first = self.heap[..self.len].first()?;
        if slots[usize::from(first)].at > now {
            return None;
        }
        self.remove(slots, first);
        Some(first)
    }

    /// Takes out `index`, if it is in.
    pub(crate) fn remove(&mut self, slots: &mut [Due], index: Index) {
        let due = &mut slots[usize::from(index)];
        let Some(position) = due.position() else {
            return;
        };
        due.position = 0;
        self.len -= 1;
        if position == self.len {
            return;
        }
        let last = self.heap[self.len];
        self.place(slots, position, last);
        self.sift_up(slots, position);
        if let Some(position) = slots[usize::from(last)].position() {
            self.sift_down(slots, position);
        }
    }

    fn sift_up(&mut self, slots: &mut [Due], mut position: usize) {
        let index = self.heap[position];
        let deadline = slots[usize::from(index)].at;
        while position > 0 {
            let parent = (position - 1) / 2;
            let above = self.heap[parent];
            if slots[usize::from(above)].at <= deadline {
                break;
            }
            self.place(slots, position, above);
            position = parent;
        }
        self.place(slots, position, index);
    }

    fn sift_down(&mut self, slots: &mut [Due], mut position: usize) {
        let index = self.heap[position];
        let deadline = slots[usize::from(index)].at;
        loop {
            let left = 2 * position + 1;
            if left >= self.len {
                break;
            }
            let due = |position: usize| slots[usize::from(self.heap[position])].at;
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
            self.place(slots, position, below);
            position = child;
        }
        self.place(slots, position, index);
    }

    fn place(&mut self, slots: &mut [Due], position: usize, index: Index) {
        self.heap[position] = index;
        // A heap is at most as long as the table of slots, whose numbers fit an `Index`.
        slots[usize::from(index)].position = position as Index + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn a_later_deadline_leaves_the_entry_where_it_is() {
        let mut slots = [Due::NEVER; 2];
        let mut memory = [0; 2];
        let mut deadlines = Deadlines::new(&mut memory);
        deadlines.schedule(&mut slots, 0, Instant::from_secs(1));
        deadlines.schedule(&mut slots, 0, Instant::from_secs(5));
        assert_eq!(deadlines.next(&slots), Some(Instant::from_secs(1)));
        deadlines.schedule(&mut slots, 0, Instant::FAR_FUTURE);
        assert_eq!(
            deadlines.pop_due(&mut slots, Instant::from_secs(1)),
            Some(0)
        );
        assert_eq!(deadlines.next(&slots), None);
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_a_sorted_list(ops in proptest::collection::vec((0u8..4, 0u16..16, 0u64..50), 0..300)) {
            let mut slots = vec![Due::NEVER; 16];
            let mut memory = vec![0; 16];
            let mut deadlines = Deadlines::new(&mut memory);
            let mut model: Vec<Option<u64>> = vec![None; 16];
            for (op, index, at) in ops {
                match op {
                    0 | 1 => {
                        deadlines.schedule(&mut slots, index, Instant::from_micros(at));
                        let entry = &mut model[usize::from(index)];
                        *entry = Some(entry.map_or(at, |old| old.min(at)));
                    }
                    2 => {
                        deadlines.remove(&mut slots, index);
                        model[usize::from(index)] = None;
                    }
                    _ => {
                        let popped = deadlines.pop_due(&mut slots, Instant::from_micros(at));
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
                assert_eq!(deadlines.next(&slots), earliest);
            }
        }
    }
}
