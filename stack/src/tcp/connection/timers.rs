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

/// When each timer is due.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    /// In microseconds, [`STOPPED`] if it does not run. Not aligned, so that there are no gaps around them.
    due: [U64; COUNT],
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self {
            due: [STOPPED; COUNT],
        }
    }

    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.due[timer as usize] = at.as_micros().into();
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

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.due[timer as usize] != STOPPED
    }

    /// The earliest, [`Instant::FAR_FUTURE`] when none runs.
    pub(crate) fn next(&self) -> Instant {
        let mut earliest = STOPPED.get();
        for due in &self.due {
            earliest = earliest.min(due.get());
        }
        Instant::from_micros(earliest)
    }

    /// When a timer is due, [`Instant::FAR_FUTURE`] if it does not run.
    #[cfg(any(test, feature = "tcp-rack"))]
    pub(crate) fn due(&self, timer: Timer) -> Instant {
        Instant::from_micros(self.due[timer as usize].get())
    }

    /// Stops and returns a timer that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let now = now.as_micros();
        let mut all = ALL.iter().zip(&mut self.due);
        let (&timer, due) = all.find(|(_, due)| due.get() <= now)?;
        *due = STOPPED;
        Some(timer)
    }
}

/// [`Instant::FAR_FUTURE`].
const STOPPED: U64 = U64::new(Instant::FAR_FUTURE.as_micros());

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
        assert_eq!(timers.next(), now + Duration::from_secs(30));
    }

    #[test]
    fn a_timer_for_the_far_future_is_none() {
        let mut timers = Timers::new();
        timers.set(Timer::User, Instant::FAR_FUTURE);
        assert!(!timers.is_set(Timer::User));
        assert_eq!(timers.take_due(Instant::from_secs(1_000_000_000)), None);
    }

    #[test]
    fn one_timer_after_the_other_is_taken() {
        let mut timers = Timers::new();
        let now = Instant::from_secs(5_000);
        timers.set(Timer::Retransmit, now + Duration::from_secs(60));
        timers.set(Timer::DelayedAck, now);
        timers.set(Timer::User, Instant::from_secs(4_999));
        assert_eq!(timers.next(), Instant::from_secs(4_999));
        assert_eq!(timers.due(Timer::DelayedAck), now);
        assert_eq!(timers.take_due(now), Some(Timer::DelayedAck));
        assert_eq!(timers.take_due(now), Some(Timer::User));
        assert_eq!(timers.take_due(now), None);
        assert_eq!(timers.next(), now + Duration::from_secs(60));
    }

    #[test]
    fn a_timer_that_runs_stays_as_it_is_when_one_is_wanted() {
        let mut timers = Timers::new();
        let (soon, later) = (Instant::from_secs(1), Instant::from_secs(2));
        timers.ensure(Timer::Retransmit, || later);
        timers.ensure(Timer::Retransmit, || soon);
        assert_eq!(timers.due(Timer::Retransmit), later);
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
}
