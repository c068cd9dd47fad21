//! The timers of one connection.

use zerocopy::native_endian::U64;

use crate::time::Instant;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Segments that others overtook are lost unless they come in by now (RFC 8985, section 6.3).
    #[cfg(feature = "tcp-rack")]
    Reorder,
    /// The tail of what was sent may be lost (RFC 8985, section 7.3), or of what was sent again. Before the
    /// retransmission timer where both are due: it puts that off.
    #[cfg(feature = "tcp-rack")]
    LossProbe,
    /// Data is unacknowledged (RFC 6298), or a SYN or FIN is. With nothing in flight: data waits for a window
    /// that the peer may have forgotten to open (RFC 9293, section 3.8.6.1), or for enough of it to be worth
    /// a segment (section 3.8.6.2.1).
    Retransmit,
    /// Received data waits for its acknowledgment (RFC 9293, section 3.8.6.3).
    DelayedAck,
    /// The next segments may leave.
    #[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
    Pacing,
    /// The peer has been silent (RFC 9293, section 3.8.4).
    #[cfg(feature = "tcp-keep-alive")]
    KeepAlive,
    /// The user's patience ends (RFC 9293, section 3.9.1). In FIN-WAIT-2, where nothing is left to be patient
    /// with: the peer never ends its side (not in the RFC, in every implementation).
    User,
}

const COUNT: usize = ALL.len();
const ALL: &[Timer] = &[
    #[cfg(feature = "tcp-rack")]
    Timer::Reorder,
    #[cfg(feature = "tcp-rack")]
    Timer::LossProbe,
    Timer::Retransmit,
    Timer::DelayedAck,
    #[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
    Timer::Pacing,
    #[cfg(feature = "tcp-keep-alive")]
    Timer::KeepAlive,
    Timer::User,
];

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
        debug_assert_eq!(self.next(), Instant::FAR_FUTURE);
        self.base = now.as_micros().into();
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.due[timer as usize] != STOPPED
    }

    /// The earliest, [`Instant::FAR_FUTURE`] when none runs.
    pub(crate) fn next(&self) -> Instant {
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
    pub(crate) fn due(&self, timer: Timer) -> Instant {
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
    /// the machine was asleep, is overdue for so long.
    fn move_base(&mut self, index: usize, at: u64) {
        let earliest = at.min(self.next().as_micros());
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
mod tests {
    use super::*;
    use crate::time::Duration;

    #[test]
    fn the_earliest_is_next_and_the_first_to_be_taken() {
        let mut timers = Timers::new();
        let now = Instant::from_secs(1_000_000);
        assert_eq!(timers.next(), Instant::FAR_FUTURE);
        timers.set(Timer::User, now + Duration::from_secs(30));
        timers.set(Timer::Retransmit, now + Duration::from_micros(200_001));
        assert_eq!(timers.next(), now + Duration::from_micros(200_001));
        assert_eq!(timers.take_due(now + Duration::from_micros(200_000)), None);
        assert_eq!(
            timers.take_due(now + Duration::from_micros(200_001)),
            Some(Timer::Retransmit)
        );
        // In whole milliseconds.
        let late = timers.next().since(now + Duration::from_secs(30));
        assert!(late < Duration::from_millis(1), "{late:?}");
    }

    #[test]
    fn a_timer_for_the_far_future_is_none() {
        let mut timers = Timers::new();
        timers.set(Timer::User, Instant::FAR_FUTURE);
        assert!(!timers.is_set(Timer::User));
    }

    #[test]
    fn long_and_short_timers_live_together_for_days() {
        let mut timers = Timers::new();
        let start = Instant::from_micros(77_777);
        let patience = start + Duration::from_secs(20 * 24 * 3600);
        timers.set(Timer::User, patience);
        let mut now = start;
        while now + Duration::from_secs(60) < patience {
            timers.set(Timer::DelayedAck, now + Duration::from_micros(7));
            timers.set(Timer::Retransmit, now + Duration::from_secs(60));
            assert_eq!(timers.next(), now + Duration::from_micros(7));
            assert_eq!(timers.take_due(timers.next()), Some(Timer::DelayedAck));
            assert_eq!(timers.next(), now + Duration::from_secs(60));
            timers.stop(Timer::Retransmit);
            now += Duration::from_secs(1_801);
        }
        let late = timers.next().since(patience).as_micros();
        assert!(late <= 480 * COARSE, "{late}");
    }

    /// A machine that slept for hours wakes up: what was due then is due now, and no timer that is set now is.
    #[test]
    fn a_timer_that_is_set_beside_one_long_overdue_is_not_due_itself() {
        let mut timers = Timers::new();
        let then = Instant::from_secs(5_000);
        timers.set(Timer::Retransmit, then);
        timers.set(Timer::User, then + Duration::from_secs(60));
        let now = then + Duration::from_secs(3 * 3_600);
        let later = now + Duration::from_micros(1_234);
        timers.set(Timer::DelayedAck, later);
        assert_eq!(timers.due(Timer::DelayedAck), later);
        assert_eq!(timers.take_due(now), Some(Timer::Retransmit));
        assert_eq!(timers.take_due(now), Some(Timer::User));
        assert_eq!(timers.take_due(now), None);
        assert_eq!(timers.take_due(later), Some(Timer::DelayedAck));
    }

    #[test]
    fn an_earlier_time_than_any_before_can_be_set() {
        let mut timers = Timers::new();
        let now = Instant::from_secs(5_000);
        timers.set(Timer::Retransmit, now + Duration::from_secs(60));
        #[cfg(feature = "tcp-keep-alive")]
        timers.set(Timer::KeepAlive, now + Duration::from_secs(7_200));
        timers.set(Timer::DelayedAck, now);
        timers.set(Timer::User, Instant::from_secs(4_999));
        assert_eq!(timers.next(), Instant::from_secs(4_999));
        assert_eq!(timers.take_due(now), Some(Timer::DelayedAck));
        assert_eq!(timers.take_due(now), Some(Timer::User));
        assert_eq!(timers.next(), now + Duration::from_secs(60));
    }

    #[test]
    fn nothing_is_due_once_all_are_stopped() {
        let mut timers = Timers::new();
        timers.set(Timer::Retransmit, Instant::from_secs(1));
        timers.set(Timer::User, Instant::from_secs(2));
        timers.stop_all();
        assert_eq!(timers.next(), Instant::FAR_FUTURE);
        assert_eq!(timers.take_due(Instant::from_secs(3)), None);
    }

    /// Sixty days in milliseconds are more than 32 bits hold.
    #[test]
    fn a_timer_too_far_off_to_be_said_runs_out_early_and_is_not_lost() {
        let mut timers = Timers::new();
        let now = Instant::from_secs(1_000);
        timers.set(Timer::User, now + Duration::from_secs(60 * 24 * 3600));
        timers.set(Timer::DelayedAck, now + Duration::from_micros(7));
        assert_eq!(timers.take_due(timers.next()), Some(Timer::DelayedAck));
        assert!(timers.is_set(Timer::User));
        let early = timers.due(Timer::User).since(now);
        assert!(early > Duration::from_secs(49 * 24 * 3600), "{early:?}");
    }
}
