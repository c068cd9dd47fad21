//! Keep-alives (RFC 9293, section 3.8.4): a peer that has been silent is asked whether it is still there. Without the
//! feature `tcp-keep-alive`, `no_keep_alive.rs` is in its place.

use zerocopy::native_endian::U32;

use super::Connection;
use super::due::Special;
use super::plan::SegmentPlan;
use super::timers::Timer;
use crate::tcp::clock::{since_ticks, ticks};
use crate::tcp::options::Millis;
use crate::time::{Duration, Instant};
use crate::wire::TcpFlags;

/// What is known of the peer. What the user wants is among the options.
#[derive(Clone, Copy, Debug)]
pub(super) struct KeepAlive {
    /// When a segment last arrived, in [`ticks`]. Not aligned, so that there is no gap behind it.
    last_received: U32,
    /// Probes in a row without an answer.
    probes: u8,
}

impl KeepAlive {
    pub(super) const fn new() -> Self {
        Self {
            last_received: U32::ZERO,
            probes: 0,
        }
    }

    /// The peer showed that it is there.
    pub(super) fn on_sign_of_life(&mut self, now: Instant) {
        self.last_received = ticks(now).into();
        self.probes = 0;
    }

    /// For how long there was none.
    fn silence(self, now: Instant) -> Duration {
        since_ticks(now, self.last_received.get())
    }
}

impl Connection<'_> {
    /// Sets the time after which a silent peer is probed.
    pub(crate) fn set_keep_alive(&mut self, interval: Option<Duration>) {
        self.options.keep_alive = interval.map(Millis::from);
        self.timers.stop(Timer::KeepAlive);
        self.touch();
    }

    /// Sets how many probes may stay unanswered.
    pub(crate) fn set_keep_alive_probes(&mut self, probes: u8) {
        self.options.keep_alive_probes = probes;
    }

    /// Runs late on purpose: what arrives only notes the time, so that the timer is not touched by every
    /// segment, and how long the peer was silent is found out here.
    pub(super) fn on_keep_alive_timeout(&mut self, now: Instant) {
        let Some(interval) = self.keep_alive_interval() else {
            return;
        };
        let probes = self.keep_alive.probes;
        if self.keep_alive.silence(now) < interval && probes == 0 {
            return;
        }
        // RFC 9293, section 3.8.4: "only be sent when no sent data is outstanding (MUST-26)". Data asks the
        // same question, and the retransmission and persist timers ask it again.
        if !self.snd.all_acked() {
            self.timers.set(Timer::KeepAlive, now + interval);
            return;
        }
        if probes >= self.options.keep_alive_probes {
            self.give_up();
            return;
        }
        self.keep_alive.probes += 1;
        self.due.set(Special::KeepAlive);
    }

    /// Makes sure that the timer runs while it matters whether the peer is there.
    pub(super) fn arm_keep_alive(&mut self, now: Instant) {
        if let Some(interval) = self.keep_alive_interval() {
            let peer = self.keep_alive;
            self.timers.ensure(Timer::KeepAlive, || {
                let silent = match peer.probes {
                    0 => peer.silence(now),
                    _ => Duration::ZERO,
                };
                now + interval.saturating_sub(silent)
            });
        }
    }

    /// RFC 9293, section 3.8.4: a number that the peer has acknowledged makes it answer.
    #[inline(never)]
    pub(super) fn plan_keep_alive(&mut self) -> Option<SegmentPlan> {
        if !self.due.take(Special::KeepAlive) || !self.state.is_synchronized() {
            return None;
        }
        Some(self.plan(self.snd.una - 1, TcpFlags::ACK))
    }

    /// How long the peer may be silent, while that matters.
    fn keep_alive_interval(&self) -> Option<Duration> {
        if !self.state.is_synchronized() {
            return None;
        }
        self.options.keep_alive.map(Duration::from)
    }
}
