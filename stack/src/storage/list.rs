//! Doubly linked lists through the slots themselves.
//!
//! A *lane* is one [`Link`] for each slot; a slot is in at most one list of a lane at a time.
//! Push, remove and pop are O(1), and linking twice is a no-op, so callers need not remember whether a
//! socket is already ready, waiting or queued.

/// The number of a slot.
pub(crate) type Index = u16;

/// The slots before and behind, or itself at the ends of a list.
///
/// All zeros in no list, as are empty lists, so that tables of them cost no flash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Link {
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
    pub(crate) const NONE: Self = Self {
        prev: Place::NONE,
        next: Place::NONE,
    };

    pub(crate) fn is_linked(self) -> bool {
        self.next != Place::NONE
    }
}

/// The two ends of a list; the rest is in the links.
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
    pub(crate) fn next(lane: &[Link], index: Index) -> Option<Index> {
        let next = lane[usize::from(index)].next;
        debug_assert_ne!(next, Place::NONE);
        if next == Place::of(index) {
            return None;
        }
        next.index()
    }

    /// Appends `index`; false if it is in a list of the lane already, which changes nothing.
    #[inline]
    pub(crate) fn push_back(&mut self, lane: &mut [Link], index: Index) -> bool {
        if lane[usize::from(index)].is_linked() {
            return false;
        }
        self.append(lane, index);
        true
    }

    fn append(&mut self, lane: &mut [Link], index: Index) {
        let this = Place::of(index);
        let link = &mut lane[usize::from(index)];
        *link = Link {
            prev: this,
            next: this,
        };
        match self.tail.index() {
            None => self.head = this,
            Some(tail) => {
                link.prev = self.tail;
                lane[usize::from(tail)].next = this;
            }
        }
        self.tail = this;
    }

    /// Whether `index` is in a list, and nothing else is in that.
    #[cfg(feature = "socket-udp")]
    #[inline]
    pub(crate) fn is_alone(lane: &[Link], index: Index) -> bool {
        let this = Place::of(index);
        let link = lane.get(usize::from(index));
        link.is_some_and(|link| link.prev == this && link.next == this)
    }

    /// Takes out the front.
    pub(crate) fn pop_front(&mut self, lane: &mut [Link]) -> Option<Index> {
        let index = self.front()?;
        let link = &mut lane[usize::from(index)];
        let next = core::mem::replace(link, Link::NONE).next;
        match next.index() {
            Some(behind) if behind != index => {
                self.head = next;
                lane[usize::from(behind)].prev = next;
            }
            _ => *self = Self::new(),
        }
        Some(index)
    }

    /// Takes `index` out. It must be in this list or in none of its lane; in none is a no-op.
    pub(crate) fn remove(&mut self, lane: &mut [Link], index: Index) {
        let this = Place::of(index);
        let Link { prev, next } = lane[usize::from(index)];
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
        lane[usize::from(before)].next = if last { prev } else { next };
        lane[usize::from(behind)].prev = if first { next } else { prev };
        lane[usize::from(index)] = Link::NONE;
    }
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;
