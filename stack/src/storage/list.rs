//! Doubly linked lists through the slots themselves.
//!
//! Each slot has a [`Node`] with one link per *lane*; a slot is in at most one list of a lane at a time.
//! Push, remove and pop are O(1), and linking twice is a no-op, so callers need not remember whether a
//! socket is already ready, waiting or queued.

use crate::time::Instant;

/// The number of a slot.
pub(crate) type Index = u16;

/// No slot: the end of a list.
pub(crate) const NIL: Index = Index::MAX;

/// In [`Link::next`]: not in any list of this lane.
const UNLINKED: Index = Index::MAX - 1;

/// What a slot needs to be in one list per lane and in the table of deadlines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<const LANES: usize> {
    links: [Link; LANES],
    /// Position in the heap of [`super::Deadlines`], [`NIL`] when it has none.
    pub(super) heap: Index,
    /// Counts the uses of the slot, so that an old key does not open a new socket.
    pub(crate) generation: u16,
    /// When the entry in the heap is due.
    pub(super) deadline: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    prev: Index,
    next: Index,
}

impl Link {
    /// In no list.
    const NONE: Self = Self {
        prev: UNLINKED,
        next: UNLINKED,
    };
}

impl<const LANES: usize> Node<LANES> {
    /// A slot in no list.
    pub(crate) const fn new() -> Self {
        Self {
            links: [Link::NONE; LANES],
            heap: NIL,
            generation: 0,
            deadline: Instant::FAR_FUTURE,
        }
    }

    /// Whether the slot is in some list of that lane.
    pub(crate) fn is_linked(&self, lane: usize) -> bool {
        self.links[lane].next != UNLINKED
    }
}

/// The two ends of a list; the rest is in the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List {
    head: Index,
    tail: Index,
}

impl List {
    pub(crate) const fn new() -> Self {
        Self {
            head: NIL,
            tail: NIL,
        }
    }

    /// The most slots a table may have: the two highest numbers have a meaning of their own.
    pub(crate) const MAX_SLOTS: usize = UNLINKED as usize;

    pub(crate) fn is_empty(self) -> bool {
        self.head == NIL
    }

    pub(crate) fn front(self) -> Option<Index> {
        (self.head != NIL).then_some(self.head)
    }

    /// The slot behind `index`.
    pub(crate) fn next<const L: usize>(
        nodes: &[Node<L>],
        lane: usize,
        index: Index,
    ) -> Option<Index> {
        let next = nodes[usize::from(index)].links[lane].next;
        debug_assert_ne!(next, UNLINKED);
        (next < UNLINKED).then_some(next)
    }

    /// Appends `index`; false if it is in a list of this lane already, which changes nothing.
    pub(crate) fn push_back<const L: usize>(
        &mut self,
        nodes: &mut [Node<L>],
        lane: usize,
        index: Index,
    ) -> bool {
        if nodes[usize::from(index)].is_linked(lane) {
            return false;
        }
        nodes[usize::from(index)].links[lane] = Link {
            prev: self.tail,
            next: NIL,
        };
        match self.tail {
            NIL => self.head = index,
            tail => nodes[usize::from(tail)].links[lane].next = index,
        }
        self.tail = index;
        true
    }

    pub(crate) fn pop_front<const L: usize>(
        &mut self,
        nodes: &mut [Node<L>],
        lane: usize,
    ) -> Option<Index> {
        let index = self.front()?;
        let link = &mut nodes[usize::from(index)].links[lane];
        let next = core::mem::replace(link, Link::NONE).next;
        self.head = next;
        match next {
            NIL => self.tail = NIL,
            next => nodes[usize::from(next)].links[lane].prev = NIL,
        }
        Some(index)
    }

    /// Takes `index` out. It must be in this list or in none of its lane; in none is a no-op.
    pub(crate) fn remove<const L: usize>(
        &mut self,
        nodes: &mut [Node<L>],
        lane: usize,
        index: Index,
    ) {
        let link = nodes[usize::from(index)].links[lane];
        if link.next == UNLINKED {
            return;
        }
        match link.prev {
            NIL => {
                debug_assert_eq!(self.head, index, "removed from a list it is not in");
                self.head = link.next;
            }
            prev => nodes[usize::from(prev)].links[lane].next = link.next,
        }
        match link.next {
            NIL => {
                debug_assert_eq!(self.tail, index, "removed from a list it is not in");
                self.tail = link.prev;
            }
            next => nodes[usize::from(next)].links[lane].prev = link.prev,
        }
        nodes[usize::from(index)].links[lane] = Link::NONE;
    }
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::vec::Vec;

    fn contents(list: List, nodes: &[Node<2>], lane: usize) -> Vec<Index> {
        core::iter::successors(list.front(), |&i| List::next(nodes, lane, i)).collect()
    }

    #[test]
    fn linking_twice_changes_nothing() {
        let mut nodes = [Node::<2>::new(); 3];
        let mut list = List::new();
        assert!(list.push_back(&mut nodes, 0, 1));
        assert!(list.push_back(&mut nodes, 0, 2));
        assert!(!list.push_back(&mut nodes, 0, 1));
        assert_eq!(contents(list, &nodes, 0), [1, 2]);
    }

    #[test]
    fn lanes_are_independent() {
        let mut nodes = [Node::<2>::new(); 3];
        let (mut a, mut b) = (List::new(), List::new());
        a.push_back(&mut nodes, 0, 0);
        b.push_back(&mut nodes, 1, 0);
        a.remove(&mut nodes, 0, 0);
        assert!(a.is_empty());
        assert_eq!(contents(b, &nodes, 1), [0]);
    }

    proptest::proptest! {
        #[test]
        fn behaves_like_a_queue_without_duplicates(ops in proptest::collection::vec((0u8..3, 0u16..8), 0..200)) {
            let mut nodes = [Node::<2>::new(); 8];
            let mut list = List::new();
            let mut model = VecDeque::new();
            for (op, index) in ops {
                match op {
                    0 => {
                        let fresh = !model.contains(&index);
                        if fresh { model.push_back(index); }
                        assert_eq!(list.push_back(&mut nodes, 1, index), fresh);
                    }
                    1 => {
                        model.retain(|&i| i != index);
                        list.remove(&mut nodes, 1, index);
                    }
                    _ => assert_eq!(list.pop_front(&mut nodes, 1), model.pop_front()),
                }
                assert_eq!(contents(list, &nodes, 1), model.iter().copied().collect::<Vec<_>>());
            }
        }
    }
}
