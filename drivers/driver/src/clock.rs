//! Where a runner, a virtual link or a traffic shaper gets its time from.

use core::task::Waker;

use crate::Instant;

/// A monotonic clock with an alarm.
///
/// It is polled rather than awaited, so that its user needs neither pinning nor an allocation.
pub trait Clock {
    /// The time now. Never goes backwards.
    fn now(&self) -> Instant;

    /// Wakes `waker` at `at` or soon after; at once when `at` has passed.
    ///
    /// A later call with the same waker may replace the earlier one only by an earlier time; waking
    /// more often than asked is allowed, forgetting the earliest time asked for is not.
    fn wake_at(&self, at: Instant, waker: &Waker);
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Instant {
        C::now(self)
    }

    fn wake_at(&self, at: Instant, waker: &Waker) {
        C::wake_at(self, at, waker);
    }
}
