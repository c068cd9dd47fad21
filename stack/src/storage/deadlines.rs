//! When each slot wants to be called: a binary heap of slot numbers, ordered by deadline.
//!
//! Lazy on purpose: an entry moves only when its deadline becomes *earlier*. A deadline that was put off
//! leaves its entry where it is; it fires, its owner finds that there is nothing to do yet and schedules
//! anew. A busy connection puts off its retransmission with every acknowledgment and so touches the heap
//! once per timeout instead of once per packet.

use super::list::{Index, Node};
use crate::time::Instant;

/// The heap. Positions are kept in the nodes, so that a slot's entry is found without searching.
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
    pub(crate) fn next<const L: usize>(&self, nodes: &[Node<L>]) -> Option<Instant> {
        let &first = self.heap[..self.len].first()?;
        Some(nodes[usize::from(first)].deadline)
    }

    /// Makes sure that `index` is called at `at` or earlier.
    pub(crate) fn schedule<const L: usize>(
        &mut self,
        nodes: &mut [Node<L>],
        index: Index,
        at: Instant,
    ) {
        let node = &mut nodes[usize::from(index)];
        let position = position_of(node);
        if at == Instant::FAR_FUTURE || position.is_some() && at >= node.deadline {
            return;
        }
        node.deadline = at;
        let position = position.unwrap_or_else(|| {
            let end = self.len;
            self.len += 1;
            self.heap[end] = index;
            end
        });
        self.sift_up(nodes, position);
    }

    /// Takes out a slot whose deadline has come.
    pub(crate) fn pop_due<const L: usize>(
        &mut self,
        nodes: &mut [Node<L>],
        now: Instant,
    ) -> Option<Index> {
        let &first = self.heap[..self.len].first()?;
        if nodes[usize::from(first)].deadline > now {
            return None;
        }
        self.remove(nodes, first);
        Some(first)
    }

    /// Takes out `index`, if it is in.
    pub(crate) fn remove<const L: usize>(&mut self, nodes: &mut [Node<L>], index: Index) {
        let node = &mut nodes[usize::from(index)];
        let Some(position) = position_of(node) else {
            return;
        };
        node.heap = 0;
        self.len -= 1;
        if position == self.len {
            return;
        }
        let last = self.heap[self.len];
        self.place(nodes, position, last);
        self.sift_up(nodes, position);
        if let Some(position) = position_of(&nodes[usize::from(last)]) {
            self.sift_down(nodes, position);
        }
    }

    fn sift_up<const L: usize>(&mut self, nodes: &mut [Node<L>], mut position: usize) {
        let index = self.heap[position];
        let deadline = nodes[usize::from(index)].deadline;
        while position > 0 {
            let parent = (position - 1) / 2;
            let above = self.heap[parent];
            if nodes[usize::from(above)].deadline <= deadline {
                break;
            }
            self.place(nodes, position, above);
            position = parent;
        }
        self.place(nodes, position, index);
    }

    fn sift_down<const L: usize>(&mut self, nodes: &mut [Node<L>], mut position: usize) {
        let index = self.heap[position];
        let deadline = nodes[usize::from(index)].deadline;
        loop {
            let left = 2 * position + 1;
            if left >= self.len {
                break;
            }
            let due = |at: usize| nodes[usize::from(self.heap[at])].deadline;
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
            self.place(nodes, position, below);
            position = child;
        }
        self.place(nodes, position, index);
    }

    fn place<const L: usize>(&mut self, nodes: &mut [Node<L>], position: usize, index: Index) {
        self.heap[position] = index;
        // A heap is at most as long as the table of slots, whose numbers fit an `Index`.
        nodes[usize::from(index)].heap = position as Index + 1;
    }
}

/// Where in the heap a slot is.
fn position_of<const L: usize>(node: &Node<L>) -> Option<usize> {
    usize::from(node.heap).checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn a_later_deadline_leaves_the_entry_where_it_is() {
        let mut nodes = [Node::<1>::new(); 2];
        let mut memory = [0; 2];
        let mut deadlines = Deadlines::new(&mut memory);
        deadlines.schedule(&mut nodes, 0, Instant::from_secs(1));
        deadlines.schedule(&mut nodes, 0, Instant::from_secs(5));
        assert_eq!(deadlines.next(&nodes), Some(Instant::from_secs(1)));
        deadlines.schedule(&mut nodes, 0, Instant::FAR_FUTURE);
        assert_eq!(
            deadlines.pop_due(&mut nodes, Instant::from_secs(1)),
            Some(0)
        );
        assert_eq!(deadlines.next(&nodes), None);
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_a_sorted_list(ops in proptest::collection::vec((0u8..4, 0u16..16, 0u64..50), 0..300)) {
            let mut nodes = vec![Node::<1>::new(); 16];
            let mut memory = vec![0; 16];
            let mut deadlines = Deadlines::new(&mut memory);
            let mut model: Vec<Option<u64>> = vec![None; 16];
            for (op, index, at) in ops {
                match op {
                    0 | 1 => {
                        deadlines.schedule(&mut nodes, index, Instant::from_micros(at));
                        let entry = &mut model[usize::from(index)];
                        *entry = Some(entry.map_or(at, |old| old.min(at)));
                    }
                    2 => {
                        deadlines.remove(&mut nodes, index);
                        model[usize::from(index)] = None;
                    }
                    _ => {
                        let popped = deadlines.pop_due(&mut nodes, Instant::from_micros(at));
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
                assert_eq!(deadlines.next(&nodes), earliest);
            }
        }
    }
}
