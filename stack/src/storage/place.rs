//! A place for something in a table that starts out empty.

/// An `Option` that is all zeros when there is nothing, so that an empty table costs no flash.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(super) enum Place<T> {
    Vacant,
    Taken(T),
}

impl<T> Place<T> {
    pub(super) fn is_vacant(&self) -> bool {
        matches!(self, Self::Vacant)
    }

    /// What is put here.
    #[inline]
    pub(super) fn fill(&mut self, make: impl FnOnce() -> T) -> Option<&mut T> {
        *self = Self::Taken(make());
        self.get_mut()
    }

    pub(super) fn get(&self) -> Option<&T> {
        match self {
            Self::Vacant => None,
            Self::Taken(thing) => Some(thing),
        }
    }

    pub(super) fn get_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Vacant => None,
            Self::Taken(thing) => Some(thing),
        }
    }
}
