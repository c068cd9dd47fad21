//! Lists through the slots themselves, for a few of them: what is in [`super::list`] with many, in a quarter of the memory.
//!
//! A *lane* is one [`Link`] for each slot; a slot is in at most one list of a lane at a time. A link knows the slot
//! behind, and no list knows its end: who appends or takes out walks there, past less than a dozen slots. Linking twice
//! is a no-op, so callers need not remember whether a socket is already ready, waiting or queued.

/// The number of a slot.
pub(crate) type Index = u16;

/// The slot behind by its number plus one, or itself at the end of a list.
///
/// All zeros in no list, as are empty lists, so that tables of them cost no flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link(u8);

impl Link {
    /// In no list.
    pub(crate) const NONE: Self = Self(0);

    /// Of a table of up to 254 places.
    const fn to(index: Index) -> Self {
        Self(index as u8 + 1)
    }

    fn index(self) -> Option<Index> {
        self.0.checked_sub(1).map(Index::from)
    }

    pub(crate) fn is_linked(self) -> bool {
        self != Self::NONE
    }
}

/// The front of a list; the rest is in the links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct List {
    head: Link,
}

impl List {
    pub(crate) const fn new() -> Self {
        Self { head: Link::NONE }
    }

    /// The most slots a table may have: what costs as much to look through as to hash a key.
    pub(crate) const MAX_SLOTS: usize = 64;

    pub(crate) fn is_empty(self) -> bool {
        self.head == Link::NONE
    }

    pub(crate) fn front(self) -> Option<Index> {
        self.head.index()
    }

    /// The slot behind `index`.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn next(lane: &[Link], index: Index) -> Option<Index> {
        let next = lane.get(usize::from(index))?.index()?;
        (next != index).then_some(next)
    }

    /// Appends `index`; false if it is in a list of the lane already, which changes nothing.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn push_back(&mut self, lane: &mut [Link], index: Index) -> bool {
        let this = Link::to(index);
        match lane.get_mut(usize::from(index)) {
            Some(link) if !link.is_linked() => *link = this,
            _ => return false,
        }
        match self.last(lane) {
            Some(last) => *last = this,
            None => self.head = this,
        }
        true
    }

    /// Takes out the front.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn pop_front(&mut self, lane: &mut [Link]) -> Option<Index> {
        let index = self.front()?;
        self.remove(lane, index);
        Some(index)
    }

    /// Takes `index` out. It must be in this list or in none of its lane; in none is a no-op.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn remove(&mut self, lane: &mut [Link], index: Index) {
        let this = Link::to(index);
        let Some(link) = lane.get_mut(usize::from(index)) else {
            return;
        };
        let behind = core::mem::replace(link, Link::NONE);
        let is_last = behind == this;
        if self.head == this {
            self.head = if is_last { Link::NONE } else { behind };
            return;
        }
        // No other link of the lane leads here than that of the slot before.
        let before = (0..).zip(lane).find(|(_, link)| **link == this);
        if let Some((before, link)) = before {
            *link = if is_last { Link::to(before) } else { behind };
        }
    }

    /// The link of the last slot.
    fn last(self, lane: &mut [Link]) -> Option<&mut Link> {
        let mut last = self.front()?;
        while let Some(next) = Self::next(lane, last) {
            last = next;
        }
        lane.get_mut(usize::from(last))
    }
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[path = "../list/tests.rs"]
mod tests;
