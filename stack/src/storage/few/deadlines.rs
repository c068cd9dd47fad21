//! When each slot wants to be called, for a few slots: a table that is looked through.
//!
//! Lazy on purpose, as with many slots: a deadline moves only when it becomes *earlier*. One that was put off fires, and
//! its owner finds that there is nothing to do yet and schedules anew.

use super::list::Index;
use crate::time::Instant;

/// The table's memory, for `N` slots.
pub(crate) struct DeadlineMemory<const N: usize> {
    at: [Instant; N],
}

impl<const N: usize> DeadlineMemory<N> {
    /// All zeros, so that it costs no flash.
    pub(crate) const fn new() -> Self {
        Self {
            at: [Instant::ZERO; N],
        }
    }
}

/// Of each slot when it is due, [`Instant::FAR_FUTURE`] if it is not.
#[derive(Debug)]
pub(crate) struct Deadlines<'d> {
    at: &'d mut [Instant],
}

impl<'d> Deadlines<'d> {
    pub(crate) fn new<const N: usize>(memory: &'d mut DeadlineMemory<N>) -> Self {
        memory.at.fill(Instant::FAR_FUTURE);
        Self { at: &mut memory.at }
    }

    /// The earliest time at which a slot wants to be called, [`Instant::FAR_FUTURE`] if none does.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn next(&self) -> Instant {
        (self.at.iter()).fold(Instant::FAR_FUTURE, |next, &at| next.min(at))
    }

    /// Makes sure that `index` is called at `at` or earlier.
    pub(crate) fn schedule(&mut self, index: Index, at: Instant) {
        if let Some(due) = self.at.get_mut(usize::from(index)) {
            *due = at.min(*due);
        }
    }

    /// Takes out a slot whose deadline has come, the one before the others.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<Index> {
        let next = self.next();
        if next > now || next == Instant::FAR_FUTURE {
            return None;
        }
        let index = self.at.iter().position(|&at| at == next)? as Index;
        self.remove(index);
        Some(index)
    }

    /// Takes out `index`, if it is in.
    pub(crate) fn remove(&mut self, index: Index) {
        if let Some(due) = self.at.get_mut(usize::from(index)) {
            *due = Instant::FAR_FUTURE;
        }
    }
}

#[cfg(test)]
#[path = "../deadlines/tests.rs"]
mod tests;
