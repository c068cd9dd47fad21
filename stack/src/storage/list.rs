//! Doubly linked lists through the slots themselves.
//!
//! Each slot has a [`Node`] with one link per *lane*; a slot is in at most one list of a lane at a time.
//! Push, remove and pop are O(1), and linking twice is a no-op, so callers need not remember whether a
//! socket is already ready, waiting or queued.

use crate::time::Instant;

/// The number of a slot.
pub(crate) type Index = u16;

/// What a slot needs to be in one list per lane and in the table of deadlines.
///
/// All zeros where there is nothing, as are empty lists, so that tables of them cost no flash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node<const LANES: usize> {
    links: [Link; LANES],
    /// Position in the heap of [`super::Deadlines`], from 1; 0 when it has none.
    pub(super) heap: Index,
    /// Counts the uses of the slot, so that an old key does not open a new socket.
    pub(crate) generation: u16,
    /// When the entry in the heap is due.
    pub(super) deadline: Instant,
}

/// The slots before and behind, or itself at the ends of a list.
#[derive(Clone, Copy, Debug)]
struct Link {
    prev: Place,
    next: Place,
}

/// A slot by its number plus one, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place(u16);

impl Place {
    const NONE: Self = Self(0);

    const fn of(index: Index) -> Self {
        Self(index + 1)
    }

    fn index(self) -> Option<Index> {
        self.0.checked_sub(1)
    }
}

impl Link {
    /// In no list.
    const NONE: Self = Self {
        prev: Place::NONE,
        next: Place::NONE,
    };
}

impl<const LANES: usize> Node<LANES> {
    /// A slot in no list.
    pub(crate) const fn new() -> Self {
        Self {
            links: [Link::NONE; LANES],
            heap: 0,
            generation: 0,
            deadline: Instant::ZERO,
        }
    }

    /// Whether the slot is in some list of that lane.
    pub(crate) fn is_linked(&self, lane: usize) -> bool {
        self.links[lane].next != Place::NONE
    }
}

/// The two ends of a list; the rest is in the nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List {
    head: Place,
    tail: Place,
}

impl List {
    pub(crate) const fn new() -> Self {
        Self {
            head: Place::NONE,
            tail: Place::NONE,
        }
    }

    /// The most slots a table may have.
    pub(crate) const MAX_SLOTS: usize = Index::MAX as usize;

    pub(crate) fn is_empty(self) -> bool {
        self.head == Place::NONE
    }

    pub(crate) fn front(self) -> Option<Index> {
        self.head.index()
    }

    /// The slot behind `index`.
    pub(crate) fn next<const L: usize>(
        nodes: &[Node<L>],
        lane: usize,
        index: Index,
    ) -> Option<Index> {
        let next = nodes[usize::from(index)].links[lane].next;
        debug_assert_ne!(next, Place::NONE);
        if next == Place::of(index) {
            return None;
        }
        next.index()
    }

    /// Appends `index`; false if it is in a list of this lane already, which changes nothing.
    pub(crate) fn push_back<const L: usize>(
        &mut self,
        nodes: &mut [Node<L>],
        lane: usize,
        index: Index,
    ) -> bool {
        let this = Place::of(index);
        let link = &mut nodes[usize::from(index)].links[lane];
        if link.next != Place::NONE {
            return false;
        }
        *link = Link {
            prev: this,
            next: this,
        };
        match self.tail.index() {
            None => self.head = this,
            Some(tail) => {
                link.prev = self.tail;
                nodes[usize::from(tail)].links[lane].next = this;
            }
        }
        self.tail = this;
        true
    }

    /// Takes out the front.
    pub(crate) fn pop_front<const L: usize>(
        &mut self,
        nodes: &mut [Node<L>],
        lane: usize,
    ) -> Option<Index> {
        let index = self.front()?;
        let link = &mut nodes[usize::from(index)].links[lane];
        let next = core::mem::replace(link, Link::NONE).next;
        match next.index() {
            Some(behind) if behind != index => {
                self.head = next;
                nodes[usize::from(behind)].links[lane].prev = next;
            }
            _ => *self = Self::new(),
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
        let this = Place::of(index);
        let Link { prev, next } = nodes[usize::from(index)].links[lane];
        let (Some(before), Some(behind)) = (prev.index(), next.index()) else {
            return;
        };
        let (first, last) = (prev == this, next == this);
        debug_assert!(
            !first || self.head == this,
            "removed from a list it is not in"
        );
        debug_assert!(
            !last || self.tail == this,
            "removed from a list it is not in"
        );
        if first {
            self.head = if last { Place::NONE } else { next };
        }
        if last {
            self.tail = if first { Place::NONE } else { prev };
        }
        // Where it was at an end, its neighbor is at that end now and points to itself.
        nodes[usize::from(before)].links[lane].next = if last { prev } else { next };
        nodes[usize::from(behind)].links[lane].prev = if first { next } else { prev };
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
