//! When slots want to be called, for a few of them: when the first one does. Then all are, and say when they want to be
//! called again.
//!
//! Lazy on purpose, as with many slots: a call that comes early finds that there is nothing to do yet and schedules
//! anew.

use super::list::Index;
use crate::time::Instant;

/// The memory that deadlines of `N` slots need: none.
pub(crate) struct DeadlineMemory<const N: usize>;

impl<const N: usize> DeadlineMemory<N> {
    pub(crate) const fn new() -> Self {
        Self
    }
}

/// The earliest deadline of all.
#[derive(Debug)]
pub(crate) struct Deadlines<'d> {
    /// [`Instant::FAR_FUTURE`] if there is none.
    next: Instant,
    slots: Index,
    /// The slots below are yet to be called, as a deadline has come.
    uncalled: Index,
    memory: core::marker::PhantomData<&'d ()>,
}

impl<'d> Deadlines<'d> {
    pub(crate) fn new<const N: usize>(_: &'d mut DeadlineMemory<N>) -> Self {
        Self {
            next: Instant::FAR_FUTURE,
            slots: N as Index,
            uncalled: 0,
            memory: core::marker::PhantomData,
        }
    }

    /// The earliest time at which a slot wants to be called, [`Instant::FAR_FUTURE`] if none does.
    #[inline]
    pub(crate) fn next(&self) -> Instant {
        match self.uncalled {
            0 => self.next,
            // At once.
            _ => Instant::ZERO,
        }
    }

    /// Makes sure that `index` is called at `at` or earlier.
    #[inline]
    pub(crate) fn schedule(&mut self, _: Index, at: Instant) {
        self.next = self.next.min(at);
    }

    /// A slot to be called: one after the other, once a deadline has come.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Index> {
        if self.uncalled == 0 {
            if self.next > now || self.next == Instant::FAR_FUTURE {
                return None;
            }
            self.next = Instant::FAR_FUTURE;
            self.uncalled = self.slots;
        }
        self.uncalled -= 1;
        Some(self.uncalled)
    }

    /// A slot is free, and finds that there is nothing to do.
    #[inline]
    pub(crate) fn remove(&mut self, _: Index) {}
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    fn all_due(deadlines: &mut Deadlines<'_>, now: u64) -> Vec<Index> {
        let now = Instant::from_secs(now);
        core::iter::from_fn(|| deadlines.pop_due(now)).collect()
    }

    #[test]
    fn all_are_called_when_the_first_deadline_has_come() {
        let mut memory = DeadlineMemory::<3>::new();
        let mut deadlines = Deadlines::new(&mut memory);
        assert_eq!(deadlines.next(), Instant::FAR_FUTURE);
        assert_eq!(all_due(&mut deadlines, 1), []);
        deadlines.schedule(1, Instant::from_secs(7));
        deadlines.schedule(2, Instant::from_secs(5));
        deadlines.schedule(2, Instant::FAR_FUTURE);
        assert_eq!(deadlines.next(), Instant::from_secs(5));
        assert_eq!(all_due(&mut deadlines, 4), []);
        assert_eq!(all_due(&mut deadlines, 5), [2, 1, 0]);
        assert_eq!(deadlines.next(), Instant::FAR_FUTURE);
    }

    #[test]
    fn those_who_are_yet_to_be_called_are_due_at_once_and_what_they_ask_for_is_kept() {
        let mut memory = DeadlineMemory::<3>::new();
        let mut deadlines = Deadlines::new(&mut memory);
        let now = Instant::from_secs(5);
        deadlines.schedule(0, now);
        assert_eq!(deadlines.pop_due(now), Some(2));
        deadlines.schedule(2, Instant::from_secs(9));
        assert_eq!(deadlines.next(), Instant::ZERO);
        assert_eq!(all_due(&mut deadlines, 5), [1, 0]);
        assert_eq!(deadlines.next(), Instant::from_secs(9));
    }
}
