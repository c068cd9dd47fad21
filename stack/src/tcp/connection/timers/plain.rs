//! Timers as points in time, for a connection that has few: that takes the least code.

use super::{ALL, COUNT, Timer};
use crate::time::Instant;

/// When each timer is due, [`Instant::FAR_FUTURE`] if it does not run.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    due: [Words; COUNT],
}

/// A point in time in two words: aligned as one, so that there is no gap before it in a connection.
#[derive(Clone, Copy, Debug)]
struct Words {
    high: u32,
    low: u32,
}

impl Words {
    const fn of(at: Instant) -> Self {
        Self {
            high: (at.as_micros() >> 32) as u32,
            low: at.as_micros() as u32,
        }
    }

    fn instant(self) -> Instant {
        Instant::from_micros(u64::from(self.high) << 32 | u64::from(self.low))
    }
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self {
            due: [Words::of(Instant::FAR_FUTURE); COUNT],
        }
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.due[timer as usize] = Words::of(at);
    }

    /// Sets the timer unless it runs already.
    pub(crate) fn ensure(&mut self, timer: Timer, at: impl FnOnce() -> Instant) {
        if !self.is_set(timer) {
            self.set(timer, at());
        }
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn stop(&mut self, timer: Timer) {
        self.set(timer, Instant::FAR_FUTURE);
    }

    #[inline(never)]
    pub(crate) fn stop_all(&mut self) {
        *self = Self::new();
    }

    /// None runs, and those that come are for `now` or later.
    pub(crate) fn start_at(&mut self, _now: Instant) {
        debug_assert_eq!(self.next(), Instant::FAR_FUTURE);
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.due(timer) != Instant::FAR_FUTURE
    }

    /// The earliest, [`Instant::FAR_FUTURE`] when none runs.
    pub(crate) fn next(&self) -> Instant {
        (self.due.iter()).fold(Instant::FAR_FUTURE, |next, due| next.min(due.instant()))
    }

    /// When a timer is due, [`Instant::FAR_FUTURE`] if it does not run.
    pub(crate) fn due(&self, timer: Timer) -> Instant {
        self.due[timer as usize].instant()
    }

    /// Stops and returns a timer that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let is_due = |&&timer: &&Timer| self.is_set(timer) && self.due(timer) <= now;
        let &timer = ALL.iter().find(is_due)?;
        self.stop(timer);
        Some(timer)
    }
}
