//! How a connection ends: CLOSE and ABORT calls (RFC 9293, sections 3.10.4 and 3.10.5), and what the network
//! reports.

use super::Connection;
use super::due::{Due, Special};
use super::marks::Mark;
use crate::events::Events;
use crate::tcp::time_wait::TimeWait;
use crate::tcp::{ConnectionError, State};
use crate::time::Instant;
use crate::wire::SeqNum;

impl Connection<'_> {
    /// CLOSE call (RFC 9293, section 3.10.4): nothing more will be written. What was written is still
    /// sent, and what the peer sends can still be read.
    pub(crate) fn close(&mut self) {
        match self.state {
            State::Listen | State::SynSent => self.end(None),
            State::SynReceived => self.snd.closed = true,
            State::Established => self.start_close(State::FinWait1),
            State::CloseWait => self.start_close(State::LastAck),
            _ => {}
        }
    }

    /// Nobody waits for that: it is the user's own doing.
    pub(super) fn start_close(&mut self, state: State) {
        self.snd.closed = true;
        self.state = state;
    }

    /// The handle is gone: closes, and from now on nobody reads.
    pub(crate) fn detach(&mut self) {
        self.marks.put(Mark::Detached, true);
        self.marks.put(Mark::Touched, true);
        self.close();
    }

    /// Whether there is nothing left to do for a connection without a handle.
    pub(crate) fn is_done(&self) -> bool {
        let over = self.state.is_over() && self.state != State::Listen;
        over && !self.due.is_set(Special::Reset) && !self.due.ack
    }

    /// Whether the handle is gone.
    pub(crate) fn is_detached(&self) -> bool {
        self.marks.has(Mark::Detached)
    }

    /// ABORT call (RFC 9293, section 3.10.5).
    pub(crate) fn abort(&mut self) {
        self.end_with_reset(ConnectionError::Aborted);
    }

    /// Ends the connection and tells the peer, if it knows of it.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn end_with_reset(&mut self, error: ConnectionError) {
        let known = self.state.is_synchronized() || self.state == State::SynReceived;
        // A peer that has acknowledged our FIN and sent its own has nothing to be told.
        let known = known && !matches!(self.state, State::Closing | State::LastAck);
        self.end(Some(error));
        // One that is due already stays due, when an abort is repeated.
        if known {
            self.due.set(Special::Reset);
        }
    }

    /// Ends the connection without a word to the peer. What was received can still be read.
    #[inline(never)]
    pub(crate) fn end(&mut self, error: Option<ConnectionError>) {
        if self.state.is_over() && self.state != State::Listen {
            return;
        }
        self.state = State::Closed;
        self.error = error;
        self.snd.ring.clear();
        self.timers.stop_all();
        self.due = Due::default();
        self.events = Events::ALL;
    }

    /// Both sides are done (RFC 9293, section 3.6): all that is left to know. Complete once the last
    /// acknowledgment is out, see [`Self::is_done`].
    pub(crate) fn time_wait(&self) -> Option<TimeWait> {
        (self.state == State::TimeWait).then(|| TimeWait {
            tuple: self.tuple,
            snd_nxt: self.snd.max(),
            rcv_nxt: self.rcv.nxt,
            window: self.rcv.window_field(),
            timestamps: self.timestamps,
        })
    }

    pub(super) fn enter_time_wait(&mut self) {
        self.state = State::TimeWait;
        self.timers.stop_all();
        self.due = Due {
            ack: self.due.ack,
            ..Due::default()
        };
        self.events = Events::ALL;
    }

    /// An ICMP error came back for a segment with number `seq`.
    ///
    /// RFC 5927, section 4: it counts only if the number is one that is in flight. `hard`: it says that
    /// there will never be an answer; that ends a connection which is not up yet (RFC 5461, section 4.1)
    /// and is remembered otherwise (RFC 1122, section 4.2.3.9).
    #[cfg(feature = "icmp-errors")]
    pub(crate) fn on_icmp_error(
        &mut self,
        seq: SeqNum,
        error: ConnectionError,
        hard: bool,
    ) -> bool {
        let in_flight = self.snd.una.at_or_before(seq) && seq.before(self.snd.max());
        if self.state.is_over() || !in_flight {
            return false;
        }
        if hard && self.state == State::SynSent {
            self.end(Some(error));
        } else {
            self.soft_error = Some(match error {
                ConnectionError::Refused => ConnectionError::Unreachable,
                other => other,
            });
        }
        true
    }

    /// The next hop does not answer. The end of a connection that is not up yet; any other waits for it
    /// to come back.
    pub(crate) fn on_unreachable(&mut self, now: Instant) {
        // In a simultaneous open the peer's SYN may come in before ours went out: no timer runs for it.
        let unheard = self.state == State::SynReceived && self.snd.flight() == 0;
        if self.state == State::SynSent || unheard {
            self.end(Some(ConnectionError::Unreachable));
            return;
        }
        self.soft_error = Some(ConnectionError::Unreachable);
        // Nothing can be sent now; what is due by itself is tried again by the timers.
        self.due = Due::default();
        if self.state.is_over() {
            self.events |= Events::STATE;
        }
        self.arm_timers(now);
    }
}

#[cfg(test)]
mod tests;
