//! Which timers run, and what happens when one is due.

use super::due::Special;
use super::loss::LINEAR_TIMEOUTS;
use super::marks::Mark;
use super::timers::Timer;
use super::{Connection, FIN_WAIT_2_TIMEOUT};
use crate::stats::Tally;
use crate::tcp::State;
use crate::time::Instant;

impl Connection<'_> {
    /// The clock reached [`Self::next_deadline`], or passed it.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn on_timeout(&mut self, now: Instant) {
        #[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
        let late = now.since(self.timers.due(Timer::Pacing, now));
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Retransmit => self.on_silence(now),
                #[cfg(feature = "tcp-rack")]
                Timer::Reorder => self.on_reordering_timeout(now),
                #[cfg(feature = "tcp-rack")]
                Timer::LossProbe => self.on_loss_probe_timeout(now),
                Timer::DelayedAck => self.due.ack = true,
                #[cfg(feature = "tcp-keep-alive")]
                Timer::KeepAlive => self.on_keep_alive_timeout(now),
                Timer::User if self.state == State::FinWait2 => self.end(None),
                Timer::User => self.give_up(),
                // What was waiting goes when the connection is asked next.
                #[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
                Timer::Pacing => self.on_pacing_timeout(late),
            }
        }
        self.arm_timers(now);
    }

    /// Nothing was acknowledged for a timeout: RFC 6298, sections 5.4 to 5.7, and RFC 9293, section 3.8.3: give up after
    /// R2. With nothing in flight the window stays closed: RFC 9293, section 3.8.6.1: probe it, "and increase
    /// exponentially the interval between probes".
    fn on_silence(&mut self, now: Instant) {
        self.retries = self.retries.saturating_add(1);
        let opening = matches!(self.state, State::SynSent | State::SynReceived);
        let persists = self.snd.flight() == 0;
        let linear = match opening || persists || self.congestion.is_limiting() {
            true => 0,
            // Nobody else is on the link, and nothing is gained by leaving it alone.
            false => LINEAR_TIMEOUTS,
        };
        let limit = match opening {
            true => SYN_RETRIES,
            false => DATA_RETRIES + linear,
        };
        if self.retries > limit {
            self.give_up();
            return;
        }
        if self.retries > linear {
            self.rtt.back_off();
        }
        if persists {
            self.tally |= Tally::WINDOW_PROBE;
            self.due.set(Special::Probe);
            return;
        }
        self.tally |= Tally::TIMEOUT;
        self.rtt.on_syn_again();
        if opening {
            self.due.set(Special::Syn);
            return;
        }
        self.lose_everything();
        #[cfg(feature = "tcp-plpmtud")]
        self.suspect_black_hole(now, self.retries.saturating_sub(linear));
        #[cfg(not(feature = "tcp-plpmtud"))]
        let _ = now;
    }

    /// Whether so much went without an answer that the way to the peer is to be looked into: RFC 9293, section 3.8.3 (b).
    #[cfg(feature = "medium-ethernet")]
    pub(crate) fn doubts_path(&self) -> bool {
        self.retries >= DOUBTFUL_RETRIES
    }

    /// Sets and stops the timers that follow from where the connection stands. Called at the end of
    /// everything that may change that, so that no path can forget one: data in flight always has a
    /// retransmission timer, data that cannot be sent always a persist timer.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn arm_timers(&mut self, now: Instant) {
        if self.state.is_over() {
            return;
        }
        let in_flight = self.snd.flight() > 0;
        let opening = !self.state.is_synchronized();
        let waiting = !opening && self.snd.has_unsent();
        let rto = || now + self.rtt.rto();
        if in_flight || waiting {
            self.timers.ensure(Timer::Retransmit, rto);
        } else {
            self.timers.stop(Timer::Retransmit);
        }
        if !in_flight {
            self.stop_loss_timers();
        }
        self.arm_patience(in_flight || waiting || opening, now);
    }

    /// Nothing can be sent for now, for want of a link or a neighbor. Who does not wait for ever does not wait for those
    /// either.
    pub(crate) fn on_held_back(&mut self, now: Instant) {
        if self.state.is_over() {
            return;
        }
        let opening = !self.state.is_synchronized();
        let has_work = self.snd.flight() > 0 || self.snd.has_unsent();
        self.arm_patience(has_work || opening, now);
    }

    /// Sets and stops the timers of those who wait for the peer. `outstanding`: an answer is.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn arm_patience(&mut self, outstanding: bool, now: Instant) {
        let patience = match self.options.user_timeout {
            Some(timeout) if outstanding => Some(timeout.into()),
            _ if self.marks.has(Mark::Detached) && self.state == State::FinWait2 => {
                Some(FIN_WAIT_2_TIMEOUT)
            }
            _ => None,
        };
        match patience {
            Some(patience) => self.timers.ensure(Timer::User, || now + patience),
            None => self.timers.stop(Timer::User),
        }
        if self.state.is_synchronized() {
            self.arm_keep_alive(now);
        }
    }
}

/// R1 (RFC 9293, section 3.8.3, SHLD-10).
#[cfg(feature = "medium-ethernet")]
const DOUBTFUL_RETRIES: u8 = 3;

/// RFC 9293, section 3.8.3, MUST-23: R2 for a SYN corresponds to at least 3 minutes. From one second
/// on: 1 + 2 + 4 + ... + 60 + 60 = 243 s. The same where the peer does not complete a simultaneous open.
const SYN_RETRIES: u8 = 8;

/// As Linux. R2 for data is at least 100 s (SHLD-11): from 200 ms on it is about 8 minutes, with the
/// timeout capped at 60 s.
const DATA_RETRIES: u8 = 15;

#[cfg(test)]
mod tests;
