//! Timers counted from a common point in time, for a connection that has many.

use zerocopy::native_endian::U64;

use super::{ALL, COUNT, Timer};
use crate::time::Instant;

/// When each timer is due, in four bytes each: counted from `base`, in microseconds those of the protocol,
/// which run for a minute at most, and in milliseconds, rounded up, those of the user.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    /// In microseconds. Not aligned, so that there is no gap behind it.
    base: U64,
    due: [u32; COUNT],
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self {
            base: U64::ZERO,
            due: [STOPPED; COUNT],
        }
    }

    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        let span = at.as_micros().wrapping_sub(self.base.get());
        if (timer as usize) < FIRST_COARSE && span < u64::from(STOPPED) {
            self.due[timer as usize] = span as u32;
        } else {
            self.set_far(timer as usize, at);
        }
    }

    /// Sets one that is coarse, or too far off for the base as it is.
    #[inline(never)]
    fn set_far(&mut self, index: usize, at: Instant) {
        if at == Instant::FAR_FUTURE {
            self.due[index] = STOPPED;
            return;
        }
        let at = at.as_micros();
        let base = self.base.get();
        if at < base || at - base >= u64::from(STOPPED) * unit(index) {
            self.move_base(index, at);
        }
        self.due[index] = self.offset(index, at);
    }

    /// Sets the timer unless it runs already.
    pub(crate) fn ensure(&mut self, timer: Timer, at: impl FnOnce() -> Instant) {
        if !self.is_set(timer) {
            self.set(timer, at());
        }
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.due[timer as usize] = STOPPED;
    }

    #[inline(never)]
    pub(crate) fn stop_all(&mut self) {
        self.due = [STOPPED; COUNT];
    }

    /// None runs, and those that come are for `now` or later.
    pub(crate) fn start_at(&mut self, now: Instant) {
        debug_assert_eq!(self.next(now), Instant::FAR_FUTURE);
        self.base = now.as_micros().into();
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.due[timer as usize] != STOPPED
    }

    /// The earliest, [`Instant::FAR_FUTURE`] when none runs.
    #[inline]
    pub(crate) fn next(&self, _now: Instant) -> Instant {
        self.earliest()
    }

    fn earliest(&self) -> Instant {
        let (fine, coarse) = self.due.split_at(FIRST_COARSE);
        let earliest = |due: &[u32]| due.iter().fold(STOPPED, |earliest, &due| earliest.min(due));
        let (fine, coarse) = (earliest(fine), earliest(coarse));
        if fine == STOPPED && coarse == STOPPED {
            return Instant::FAR_FUTURE;
        }
        let fine = if fine == STOPPED {
            u64::MAX
        } else {
            u64::from(fine)
        };
        Instant::from_micros(self.base.get() + fine.min(u64::from(coarse) * COARSE))
    }

    /// When a timer is due, [`Instant::FAR_FUTURE`] if it does not run.
    #[inline]
    pub(crate) fn due(&self, timer: Timer, _now: Instant) -> Instant {
        if !self.is_set(timer) {
            return Instant::FAR_FUTURE;
        }
        Instant::from_micros(self.at(timer as usize))
    }

    /// Stops and returns a timer that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let now = now.as_micros();
        let &timer = ALL
            .iter()
            .find(|&&t| self.is_set(t) && self.at(t as usize) <= now)?;
        self.stop(timer);
        Some(timer)
    }

    /// Makes `at` and everything that is due representable. What is overdue for longer than a timer can run, as when
    /// the machine was asleep, is overdue for so long. Nothing that is still to come is overtaken: the longest that a
    /// user may ask for is half of what can be said (see [`Millis`](crate::tcp::options::Millis)).
    fn move_base(&mut self, index: usize, at: u64) {
        let earliest = at.min(self.earliest().as_micros());
        let longest = u64::from(STOPPED - 1) * unit(index);
        let old = self.clone();
        let base = earliest.saturating_sub(HEADROOM);
        self.base = base.max(at.saturating_sub(longest)).into();
        for index in 0..COUNT {
            if old.due[index] != STOPPED {
                self.due[index] = self.offset(index, old.at(index));
            }
        }
    }

    fn at(&self, index: usize) -> u64 {
        self.base.get() + u64::from(self.due[index]) * unit(index)
    }

    fn offset(&self, index: usize, at: u64) -> u32 {
        let span = at.saturating_sub(self.base.get());
        let units = span.div_ceil(unit(index));
        u32::try_from(units).unwrap_or(STOPPED).min(STOPPED - 1)
    }
}

fn unit(index: usize) -> u64 {
    if index < FIRST_COARSE { 1 } else { COARSE }
}

const STOPPED: u32 = u32::MAX;

#[cfg(feature = "tcp-keep-alive")]
const FIRST_COARSE: usize = Timer::KeepAlive as usize;
#[cfg(not(feature = "tcp-keep-alive"))]
const FIRST_COARSE: usize = Timer::User as usize;

/// In microseconds.
const COARSE: u64 = 1_000;

/// So that timers which are set next, for times before the earliest, do not move the base again.
const HEADROOM: u64 = 1_000_000;

#[cfg(test)]
mod table_tests {
    use super::*;
    use crate::tcp::options::Millis;
    use crate::time::Duration;

    #[test]
    fn each_timer_is_due_when_it_was_set_for_or_within_the_millisecond() {
        for &timer in ALL {
            for span in [0, 1, 999, 7_000, 59_999_999, u64::from(u32::MAX)] {
                let mut timers = Timers::new();
                let at = Instant::from_micros(span);
                timers.set(timer, at);
                let late = timers.due(timer, at).as_micros().checked_sub(span);
                assert!(late.is_some_and(|late| late < 1_000), "{timer:?} {at:?}");
            }
        }
    }

    #[test]
    fn a_timer_for_the_far_future_is_none() {
        let mut timers = Timers::new();
        timers.set(Timer::User, Instant::FAR_FUTURE);
        assert!(!timers.is_set(Timer::User));
    }

    /// The longest that a user may ask for, beside a timer of the protocol.
    #[test]
    fn a_timer_of_weeks_does_not_hold_up_one_of_the_protocol() {
        let now = Instant::from_secs(1_000);
        let soon = now + Duration::from_micros(7);
        let far = now + Duration::from(Millis::from(Duration::from_secs(60 * 24 * 3600)));
        for &user in USERS {
            for order in [
                [(user, far), (Timer::DelayedAck, soon)],
                [(Timer::DelayedAck, soon), (user, far)],
            ] {
                let mut timers = Timers::new();
                for (timer, at) in order {
                    timers.set(timer, at);
                }
                assert_eq!(timers.next(now), soon, "{order:?}");
                assert_eq!(timers.take_due(soon), Some(Timer::DelayedAck));
                assert_eq!(timers.due(user, now), far);
            }
        }
    }

    /// A machine wakes up that slept for longer than milliseconds of 32 bits can say. Whoever sets a user's timer anew
    /// before it has seen to all that is due would else find it due again, for ever.
    #[test]
    fn a_timer_that_is_set_beside_one_overdue_for_months_is_not_due_itself() {
        let then = Instant::from_secs(1_000);
        let now = then + Duration::from_secs(100 * 24 * 3600);
        for &user in USERS {
            let mut timers = Timers::new();
            timers.set(Timer::Retransmit, then);
            let later = now + Duration::from_secs(1);
            timers.set(user, later);
            assert_eq!(timers.due(user, now), later);
            assert_eq!(timers.take_due(now), Some(Timer::Retransmit));
            assert_eq!(timers.take_due(now), None);
        }
    }

    /// The timers that may run for longer than the protocol's.
    const USERS: &[Timer] = &[
        #[cfg(feature = "tcp-keep-alive")]
        Timer::KeepAlive,
        Timer::User,
    ];
}
