//! Timers as points on clocks of 32 bits, for a connection that has few: that takes the least code and memory.

use super::{ALL, COUNT, Timer};
use crate::tcp::clock::{Moment, TICK_SHIFT};
use crate::time::Instant;

/// When each timer is due: in microseconds those of the protocol, which run for a minute at most, and in ticks, rounded
/// up, that of the user.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    due: [Option<Moment>; COUNT],
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self { due: [None; COUNT] }
    }

    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        debug_assert_ne!(at, Instant::FAR_FUTURE);
        let Scale { shift, .. } = scale(timer);
        let up = (1 << shift) - 1;
        self.due[timer as usize] = Some(Moment::new(((at.as_micros() + up) >> shift) as u32));
    }

    /// Sets the timer unless it runs already.
    pub(crate) fn ensure(&mut self, timer: Timer, at: impl FnOnce() -> Instant) {
        if !self.is_set(timer) {
            self.set(timer, at());
        }
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.due[timer as usize] = None;
    }

    #[inline(never)]
    pub(crate) fn stop_all(&mut self) {
        *self = Self::new();
    }

    /// None runs, and those that come are for `now` or later.
    pub(crate) fn start_at(&mut self, now: Instant) {
        debug_assert_eq!(self.next(now), Instant::FAR_FUTURE);
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.due[timer as usize].is_some()
    }

    /// The earliest, [`Instant::FAR_FUTURE`] when none runs; `now` if it was due before.
    pub(crate) fn next(&self, now: Instant) -> Instant {
        let due = ALL.iter().map(|&timer| self.due(timer, now));
        due.fold(Instant::FAR_FUTURE, Instant::min)
    }

    /// Stops and returns a timer that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let is_due = |&&timer: &&Timer| self.due(timer, now) <= now;
        let &timer = ALL.iter().find(is_due)?;
        self.stop(timer);
        Some(timer)
    }

    /// When a timer is due, [`Instant::FAR_FUTURE`] if it does not run; `now` if it was due before. What lies further
    /// ahead than any timer runs was due before the clock came around.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn due(&self, timer: Timer, now: Instant) -> Instant {
        let Some(at) = self.due[timer as usize] else {
            return Instant::FAR_FUTURE;
        };
        let Scale { shift, longest } = scale(timer);
        let clock = now.as_micros() >> shift;
        let left = at.ahead_of(clock as u32);
        if left == 0 || left > longest {
            return now;
        }
        Instant::from_micros((clock + u64::from(left)) << shift)
    }
}

/// What a timer counts in, and how far ahead it may be.
struct Scale {
    /// From microseconds.
    shift: u32,
    longest: u32,
}

/// The timeouts of the protocol take a minute at most, what users ask for half of what a [`Millis`] could be.
///
/// [`Millis`]: crate::tcp::options::Millis
fn scale(timer: Timer) -> Scale {
    match timer {
        Timer::Retransmit | Timer::DelayedAck => Scale {
            shift: 0,
            longest: 1 << 26,
        },
        #[cfg(feature = "tcp-keep-alive")]
        Timer::KeepAlive => COARSE,
        Timer::User => COARSE,
    }
}

const COARSE: Scale = Scale {
    shift: TICK_SHIFT,
    longest: u32::MAX / 2,
};

#[cfg(test)]
mod plain_tests {
    use super::*;
    use crate::time::Duration;

    /// The clock of microseconds comes around every 71 minutes and 35 seconds.
    #[test]
    fn what_was_due_before_the_clock_came_around_is_late_by_a_minute_at_most() {
        let then = Instant::from_secs(5_000);
        for asleep in 0..3 * 3_600 {
            let mut timers = Timers::new();
            timers.set(Timer::Retransmit, then);
            let now = then + Duration::from_secs(asleep);
            assert!(timers.next(now).since(now) < Duration::from_secs(68));
            assert_eq!(timers.take_due(timers.next(now)), Some(Timer::Retransmit));
        }
    }
}
