//! What is so or not about a connection, in one byte.

/// A bit for each [`Mark`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks(u8);

/// What may be so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    /// The handle is gone: nobody reads what still arrives.
    Detached = 1,
    /// The user changed something that timers depend on.
    Touched = 2,
    /// Accepted on this socket, and its user does not know of it yet.
    Unclaimed = 4,
}

impl Marks {
    #[inline]
    pub(super) fn has(self, mark: Mark) -> bool {
        self.0 & mark as u8 != 0
    }

    #[inline]
    pub(super) fn put(&mut self, mark: Mark, is_so: bool) {
        if is_so {
            self.0 |= mark as u8;
        } else {
            self.0 &= !(mark as u8);
        }
    }
}
