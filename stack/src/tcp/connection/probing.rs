//! Losses that no acknowledgment shows: segments that may only be late (RFC 8985, section 6.3), and a tail that
//! nothing came after (section 7). Two timers look for them before the retransmission timer does.

use super::Connection;
use super::due::Special;
use super::loss::{LINEAR_TIMEOUTS, Progress};
use super::plan::{SegmentPlan, Span};
use super::timers::Timer;
use crate::stats::Tally;
use crate::tcp::clock::micros;
use crate::tcp::recovery::Phase;
use crate::time::{Duration, Instant};

impl Connection<'_> {
    /// Looks for losses again in `span` microseconds, if some segments may be late.
    pub(super) fn look_again(&mut self, now: Instant, span: Option<u32>) {
        match span {
            Some(span) => {
                let at = now + Duration::from_micros(u64::from(span));
                self.timers.set(Timer::Reorder, at);
            }
            None => self.timers.stop(Timer::Reorder),
        }
    }

    /// What was late is lost by now.
    pub(super) fn on_reordering_timeout(&mut self, now: Instant) {
        let (flight, pipe) = (self.snd.flight(), self.pipe());
        let lost = self.detect(now);
        #[cfg(feature = "tcp-plpmtud")]
        let lost = self.without_probe_loss(now, lost);
        let progress = Progress {
            flight,
            pipe,
            lost,
            ..Progress::default()
        };
        self.adjust_window(now, &progress);
    }

    /// When the peer's silence means that something is lost, if none of the acknowledgments that are on
    /// their way comes in before.
    pub(super) fn schedule_loss_probe(&mut self, now: Instant) {
        let Some(wait) = self.probe_timeout() else {
            self.timers.stop(Timer::LossProbe);
            return;
        };
        let rto = self
            .timers
            .due(Timer::Retransmit, now)
            .min(now + self.rtt.rto());
        if now + wait < rto {
            self.timers.set(Timer::LossProbe, now + wait);
        } else if self.congestion.is_limiting() {
            // RFC 8985, section 7.2: "the PTO is set to the RTO expiration". A probe costs less than a
            // timeout, after which the window starts from one segment.
            self.timers.set(Timer::LossProbe, rto);
        } else {
            self.timers.stop(Timer::LossProbe);
        }
    }

    /// How long an answer may take, where silence is to be noticed before the retransmission timer does.
    fn probe_timeout(&self) -> Option<Duration> {
        if !self.sack.is_on() || self.snd.flight() == 0 {
            return None;
        }
        if self.recovery.phase() != Phase::Open {
            return self.repair_timeout();
        }
        // With segments reported out of order the reordering timer runs.
        if self.recovery.probe.is_out() || self.snd.scoreboard.sacked() > 0 {
            return None;
        }
        self.tail_timeout()
    }

    /// RFC 8985, section 7.2: PTO.
    fn tail_timeout(&self) -> Option<Duration> {
        let pto = self.rtt.srtt()?.saturating_mul(2) + PROBE_GRANULARITY;
        if self.snd.flight() <= u32::from(self.mss) {
            return Some(pto + PEER_ACK_DELAY);
        }
        Some(pto)
    }

    /// How long the answer to a retransmission may take.
    ///
    /// RFC 8985 has no probes during recovery: RACK finds a lost retransmission by what is sent after it.
    /// But with a full window nothing is, and the retransmission timer would end every such recovery. So one
    /// silence is taken for a loss here as well, and each that follows without an answer must last for twice
    /// as long, as with the probes of RFC 9002, section 6.2.1. What comes to the timeout is the timer's.
    fn repair_timeout(&self) -> Option<Duration> {
        let linear = match self.congestion.is_limiting() {
            // Nothing came since the timer expired: its doubling is what unloads a congested path.
            true if self.retries > 0 => return None,
            true => 0,
            false => LINEAR_TIMEOUTS,
        };
        let srtt = self.rtt.srtt()?;
        let quarter = Duration::from_micros(srtt.as_micros() / 4);
        let margin = self.rtt.rttvar().saturating_mul(4).max(quarter);
        let mut wait = srtt + margin.max(PROBE_GRANULARITY);
        let silences = self.recovery.probe.silences();
        // A peer with a gap acknowledges at once (RFC 5681, section 4.2), and one that gets the same once more.
        if self.snd.scoreboard.sacked() == 0 && silences == 0 {
            wait = wait + PEER_ACK_DELAY;
        }
        let doublings = silences.saturating_sub(linear).min(MAX_DOUBLINGS);
        let wait = wait.saturating_mul(1 << doublings);
        (wait < self.rtt.rto()).then_some(wait)
    }

    /// The peer was silent for too long.
    pub(super) fn on_loss_probe_timeout(&mut self, now: Instant) {
        if self.recovery.phase() == Phase::Open {
            self.due.set(Special::LossProbe);
            self.timers.set(Timer::Retransmit, now + self.rtt.rto());
            return;
        }
        let Some(wait) = self.repair_timeout() else {
            return;
        };
        self.timers.set(Timer::Retransmit, now + self.rtt.rto());
        // Whatever answers should have come for by now is lost. One segment goes out whatever the rate, and
        // its answer makes room for the others.
        let (now, wait) = (micros(now), wait.as_micros() as u32);
        self.snd
            .board()
            .lose(|sent| now.wrapping_sub(sent.at) >= wait);
        self.recovery.probe.on_silence();
        if let Some(prr) = self.congestion.prr_mut() {
            prr.force(u32::from(self.mss));
        }
    }

    /// A probe for the tail (RFC 8985, section 7.3): new data if there is some and the peer takes it,
    /// else the last segment once more.
    #[inline(never)]
    pub(super) fn plan_loss_probe(&mut self, now: Instant) -> Option<SegmentPlan> {
        if !self.due.take(Special::LossProbe)
            || !self.sends_data()
            || self.recovery.phase() != Phase::Open
            || self.snd.flight() == 0
        {
            return None;
        }
        let start = self.snd.nxt;
        let unsent = self.snd.bytes_from(start);
        let len = unsent.min(self.snd.window_left()).min(u32::from(self.mss));
        let plan = if len > 0 {
            let fin = len == unsent && self.snd.fin_at(start + len);
            self.send(now, Span { len, fin })
        } else {
            let hole = self.snd.board().last()?;
            self.send_again(now, hole)
        };
        self.tally |= Tally::TAIL_PROBE;
        self.recovery.probe.on_sent(self.snd.max(), len == 0);
        self.timers.stop(Timer::LossProbe);
        self.timers.set(Timer::Retransmit, now + self.rtt.rto());
        Some(plan)
    }

    /// Silence means nothing any more, or is not waited for.
    pub(super) fn stop_loss_probe(&mut self) {
        self.timers.stop(Timer::LossProbe);
    }

    /// Nothing that is in flight can be found to be lost by these timers.
    pub(super) fn stop_loss_timers(&mut self) {
        self.timers.stop(Timer::Reorder);
        self.timers.stop(Timer::LossProbe);
    }
}

/// From a millisecond to more than a minute.
const MAX_DOUBLINGS: u8 = 17;

/// How long a peer may hold back the acknowledgment of a single segment, as far as probes wait for it.
const PEER_ACK_DELAY: Duration = Duration::from_millis(50);

/// So that the timers of hosts, which are not finer, do not make every pause look like a loss.
const PROBE_GRANULARITY: Duration = Duration::from_millis(2);

#[cfg(test)]
mod tests;
