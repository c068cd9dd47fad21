//! What is so or not about a connection: in one byte each, which takes less code than bits of one.

/// Which of [`Mark`] are so.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks([bool; 3]);

/// What may be so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    /// The handle is gone: nobody reads what still arrives.
    Detached,
    /// The user changed something that timers depend on.
    Touched,
    /// Accepted on this socket, and its user does not know of it yet.
    Unclaimed,
}

impl Marks {
    #[inline(always)]
    pub(super) fn has(&self, mark: Mark) -> bool {
        self.0[mark as usize]
    }

    #[inline(always)]
    pub(super) fn put(&mut self, mark: Mark, is_so: bool) {
        self.0[mark as usize] = is_so;
    }
}
