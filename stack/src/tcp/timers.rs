//! The timers of one connection.

use crate::time::Instant;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Segments that others overtook are lost unless they come in by now (RFC 8985, section 6.3).
    Reorder,
    /// The tail of what was sent may be lost (RFC 8985, section 7.3), or of what was sent again. Before the
    /// retransmission timer where both are due: it puts that off.
    LossProbe,
    /// Data is unacknowledged (RFC 6298), or a SYN or FIN is. With nothing in flight: data waits for a window
    /// that the peer may have forgotten to open (RFC 9293, section 3.8.6.1), or for enough of it to be worth
    /// a segment (section 3.8.6.2.1).
    Retransmit,
    /// Received data waits for its acknowledgment (RFC 9293, section 3.8.6.3).
    DelayedAck,
    /// The peer has been silent (RFC 9293, section 3.8.4).
    KeepAlive,
    /// The user's patience ends (RFC 9293, section 3.9.1). In FIN-WAIT-2, where nothing is left to be patient
    /// with: the peer never ends its side (not in the RFC, in every implementation).
    User,
}

const COUNT: usize = 6;
const ALL: [Timer; COUNT] = [
    Timer::Reorder,
    Timer::LossProbe,
    Timer::Retransmit,
    Timer::DelayedAck,
    Timer::KeepAlive,
    Timer::User,
];

/// When each timer is due.
#[derive(Clone, Debug)]
pub(crate) struct Timers {
    due: [Instant; COUNT],
}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self {
            due: [Instant::FAR_FUTURE; COUNT],
        }
    }

    pub(crate) fn set(&mut self, timer: Timer, at: Instant) {
        self.due[timer as usize] = at;
    }

    /// Sets the timer unless it runs already.
    pub(crate) fn ensure(&mut self, timer: Timer, at: impl FnOnce() -> Instant) {
        if !self.is_set(timer) {
            self.set(timer, at());
        }
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.due[timer as usize] = Instant::FAR_FUTURE;
    }

    pub(crate) fn stop_all(&mut self) {
        *self = Self::new();
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.due[timer as usize] != Instant::FAR_FUTURE
    }

    /// The earliest, [`Instant::FAR_FUTURE`] when none runs.
    pub(crate) fn next(&self) -> Instant {
        let mut next = Instant::FAR_FUTURE;
        for &due in &self.due {
            next = next.min(due);
        }
        next
    }

    /// When a timer is due, [`Instant::FAR_FUTURE`] if it does not run.
    pub(crate) fn due(&self, timer: Timer) -> Instant {
        self.due[timer as usize]
    }

    /// Stops and returns a timer that is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        let timer = ALL
            .into_iter()
            .find(|&t| self.is_set(t) && self.due[t as usize] <= now)?;
        self.stop(timer);
        Some(timer)
    }
}
