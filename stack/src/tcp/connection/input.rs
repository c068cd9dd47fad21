//! A segment arrives: RFC 9293, section 3.10.7, in its order.

use super::Connection;
use super::due::Special;
use super::marks::Mark;
use super::timers::Timer;
use crate::events::Events;
use crate::stats::Discard;
use crate::tcp::challenge::may_challenge;
use crate::tcp::receiver::{MOST_LATER, Stored};
use crate::tcp::sack::Sack;
use crate::tcp::sender::WindowUpdate;
use crate::tcp::timestamps::LastAck;
use crate::tcp::{ConnectionError, State};
use crate::time::Instant;
use crate::wire::{SeqNum, TcpFlags, TcpHeader, TcpSegment};

/// What became of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// It was taken, though perhaps not all of its text.
    Accepted,
    /// It went no further.
    Discarded(Discard),
    /// It went no further, and a reset says so.
    Refused(Discard),
}

/// A check either lets the segment pass or says why it does not.
type Check = Result<(), Unfit>;

/// What becomes of a segment that goes no further.
#[derive(Clone, Copy, Debug)]
enum Unfit {
    /// All that it had to say was taken.
    Spent,
    Discarded(Discard),
    Refused(Discard),
}

impl From<Unfit> for Disposition {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Spent => Self::Accepted,
            Unfit::Discarded(reason) => Self::Discarded(reason),
            Unfit::Refused(reason) => Self::Refused(reason),
        }
    }
}

impl Connection<'_> {
    /// A segment for this connection arrived, its checksum verified.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn on_segment(&mut self, segment: &TcpSegment<'_>, now: Instant) -> Disposition {
        let checked = match self.state {
            State::Closed | State::Listen => {
                return Disposition::Discarded(Discard::NoSocket);
            }
            // Remembered by now, or about to be.
            State::TimeWait => return Disposition::Discarded(Discard::DuplicateSegment),
            State::SynSent => self.in_syn_sent(segment, now),
            _ => self.in_any_other_state(segment, now),
        };
        if !self.state.is_over() {
            self.keep_alive.on_sign_of_life(now);
            self.arm_timers(now);
        }
        match checked {
            Ok(()) => Disposition::Accepted,
            Err(unfit) => unfit.into(),
        }
    }

    /// With the peer's FIN everything is said but that it arrived. There is nothing to wait for that could
    /// carry the acknowledgment along, so it is the answer; if it gets lost, the record of the connection
    /// answers when the FIN comes again. Where connections are few it waits for its turn, which takes less code.
    #[inline]
    pub(crate) fn take_last_acknowledgment(&mut self, now: Instant) -> Option<TcpHeader> {
        if !cfg!(feature = "many-sockets") || !self.due.ack {
            return None;
        }
        let record = self.time_wait()?;
        self.due.ack = false;
        Some(record.acknowledgment(now))
    }

    /// RFC 9293, section 3.10.7.3.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn in_syn_sent(&mut self, segment: &TcpSegment<'_>, now: Instant) -> Check {
        let header = &segment.header;
        let acked = header.flags.contains(TcpFlags::ACK);
        if acked && (header.ack.at_or_before(self.snd.una) || header.ack.after(self.snd.max())) {
            return Err(if header.flags.contains(TcpFlags::RST) {
                Unfit::Discarded(Discard::BadAck)
            } else {
                Unfit::Refused(Discard::BadAck)
            });
        }
        if header.flags.contains(TcpFlags::RST) {
            if !acked {
                return Err(Unfit::Discarded(Discard::InexactReset));
            }
            self.end(Some(ConnectionError::Refused));
            return Ok(());
        }
        if !header.flags.contains(TcpFlags::SYN) {
            return Err(Unfit::Discarded(Discard::MissingAck));
        }
        self.learn_from_syn(now, header);
        // Not shifted in a segment with SYN (RFC 7323, section 2.2).
        self.snd.set_window(WindowUpdate {
            seq: header.seq,
            ack: if acked { header.ack } else { self.snd.una },
            window: u32::from(header.window),
        });
        if !acked {
            // Simultaneous open: both sides sent a SYN (RFC 9293, section 3.5, figure 8).
            self.state = State::SynReceived;
            self.due.set(Special::Syn);
            self.events |= Events::STATE;
            return Ok(());
        }
        if self.retries > 0 {
            self.on_repeated_handshake();
        }
        self.on_acknowledgment(segment, now, false);
        self.repeat_syn_data();
        self.establish();
        self.due.ack = true;
        self.take_text_and_fin(segment, now, header.seq + 1)
    }

    /// What the peer's SYN says about its sequence numbers and abilities.
    fn learn_from_syn(&mut self, now: Instant, header: &TcpHeader) {
        self.rcv.open(header.seq);
        self.rcv.advertise_on_syn();
        self.last_ack_sent = LastAck::of(self.rcv.nxt);
        self.timestamps.on_syn(now, header);
        let options = &header.options;
        let sack = Sack::permitted_by(options);
        self.negotiate(options.mss, options.window_scale, sack);
        #[cfg(feature = "tcp-ecn")]
        self.ecn.negotiate(header);
    }

    #[inline(never)]
    fn establish(&mut self) {
        self.state = State::Established;
        self.soft_error = None;
        // A SYN that was to be sent, again or in answer to the peer's, has arrived by now. What is left of
        // it is the acknowledgment.
        self.due.ack |= self.due.take(Special::Syn);
        self.events |= Events::STATE;
        self.events |= Events::WRITABLE;
        // What the path takes may have become less since the peer's SYN came.
        if cfg!(feature = "path-mtu") {
            self.refit();
        }
        if self.snd.closed {
            self.start_close(State::FinWait1);
        }
    }

    /// RFC 9293, section 3.10.7.4.
    fn in_any_other_state(&mut self, segment: &TcpSegment<'_>, now: Instant) -> Check {
        let header = &segment.header;
        self.check_timestamp(now, header)?;
        self.check_sequence(now, segment)?;
        self.check_reset(now, header)?;
        self.check_syn(now, header)?;
        self.check_ack(now, header)?;
        self.timestamps.note(now, header, self.last_ack_sent);
        self.process_ack(segment, now);
        if self.state.is_over() {
            return Ok(());
        }
        let syn = u32::from(header.flags.contains(TcpFlags::SYN));
        self.take_text_and_fin(segment, now, header.seq + syn)
    }

    /// Whether the timestamp is none of an older segment (RFC 7323, section 5.3).
    fn check_timestamp(&mut self, now: Instant, header: &TcpHeader) -> Check {
        let Err(bad) = self.timestamps.check(now, header) else {
            return Ok(());
        };
        if bad.is_old() {
            self.acknowledge_unacceptable(now);
        }
        Err(Unfit::Discarded(bad.into()))
    }

    /// First, check sequence number.
    fn check_sequence(&mut self, now: Instant, segment: &TcpSegment<'_>) -> Check {
        let header = &segment.header;
        let len = segment.segment_len();
        if self.rcv.accepts(header.seq, len) || self.completes_simultaneous_open(header) {
            return Ok(());
        }
        if header.flags.contains(TcpFlags::RST) {
            return Err(Unfit::Discarded(Discard::OutOfWindow));
        }
        // A SYN is nothing to be repeated here, but a sign of a peer that started over, or of an attacker:
        // its answers are limited in rate (RFC 5961, section 7).
        let repeated = len > 0
            && !header.flags.contains(TcpFlags::SYN)
            && (header.seq + len).at_or_before(self.rcv.nxt);
        if repeated {
            // The peer missed an acknowledgment. It is waiting: answer at once, with the timestamp of this
            // segment. That of the one whose acknowledgment got lost would have the peer, which has
            // doubled its timeout by now, take that time for a round trip.
            let age = self.rcv.nxt.distance_from(header.seq) as usize;
            if age <= self.rcv.ring.capacity() && self.acknowledges_plausibly(header) {
                self.timestamps.note(now, header, self.last_ack_sent);
            }
            self.rcv.on_duplicate(header.seq, len);
            self.due.ack = true;
            return Err(Unfit::Discarded(Discard::DuplicateSegment));
        }
        self.acknowledge_unacceptable(now);
        Err(Unfit::Discarded(Discard::OutOfWindow))
    }

    /// Second, check the RST bit (RFC 5961, section 3.2): only the exact number ends a connection.
    fn check_reset(&mut self, now: Instant, header: &TcpHeader) -> Check {
        if !header.flags.contains(TcpFlags::RST) {
            return Ok(());
        }
        if header.seq != self.rcv.nxt {
            self.acknowledge_unacceptable(now);
            return Err(Unfit::Discarded(Discard::InexactReset));
        }
        match self.state {
            State::SynReceived => self.end(Some(ConnectionError::Refused)),
            // Both sides are done and the peer knows: nothing was lost.
            State::Closing | State::LastAck => self.end(None),
            _ => self.end(Some(ConnectionError::Reset)),
        }
        Err(Unfit::Spent)
    }

    /// Fourth, check the SYN bit (RFC 5961, section 4.2): "irrespective of the sequence number, TCP MUST
    /// send an ACK".
    fn check_syn(&mut self, now: Instant, header: &TcpHeader) -> Check {
        if !header.flags.contains(TcpFlags::SYN) {
            return Ok(());
        }
        if self.completes_simultaneous_open(header) {
            return Ok(());
        }
        self.acknowledge_unacceptable(now);
        Err(Unfit::Discarded(Discard::UnexpectedSyn))
    }

    /// In a simultaneous open the peer repeats its SYN to acknowledge ours (RFC 9293, section 3.5,
    /// figure 8). Its number lies before the window, yet its acknowledgment must count.
    fn completes_simultaneous_open(&self, header: &TcpHeader) -> bool {
        self.state == State::SynReceived
            && header.flags.contains(TcpFlags::SYN | TcpFlags::ACK)
            && !header.flags.contains(TcpFlags::RST)
            && header.seq + 1 == self.rcv.nxt
    }

    /// Fifth, check the ACK field, with the range of RFC 5961, section 5.2.
    fn check_ack(&mut self, now: Instant, header: &TcpHeader) -> Check {
        if !header.flags.contains(TcpFlags::ACK) {
            return Err(Unfit::Discarded(Discard::MissingAck));
        }
        if self.state == State::SynReceived {
            if header.ack.at_or_before(self.snd.una) || header.ack.after(self.snd.max()) {
                return Err(Unfit::Refused(Discard::BadAck));
            }
            self.establish();
            return Ok(());
        }
        if !self.acknowledges_plausibly(header) {
            self.acknowledge_unacceptable(now);
            return Err(Unfit::Discarded(Discard::BadAck));
        }
        Ok(())
    }

    /// RFC 5961, section 5.2: "((SND.UNA - MAX.SND.WND) <= SEG.ACK <= SND.NXT)". Whoever guesses a
    /// sequence number has to guess this as well.
    fn acknowledges_plausibly(&self, header: &TcpHeader) -> bool {
        let oldest = self.snd.una - self.snd.max_wnd;
        header.flags.contains(TcpFlags::ACK)
            && header.ack.at_or_after(oldest)
            && header.ack.at_or_before(self.snd.max())
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn process_ack(&mut self, segment: &TcpSegment<'_>, now: Instant) {
        let header = &segment.header;
        // Not shifted in a segment with SYN (RFC 7323, section 2.2), as that of a simultaneous open is.
        let shift = match header.flags.contains(TcpFlags::SYN) {
            true => 0,
            false => self.snd.shift,
        };
        let update = WindowUpdate {
            seq: header.seq,
            ack: header.ack,
            window: u32::from(header.window) << shift,
        };
        // RFC 5681, section 2: the five conditions of a duplicate acknowledgment.
        let duplicate = header.ack == self.snd.una
            && self.snd.flight() > 0
            && segment.segment_len() == 0
            && update.window == self.snd.wnd;
        let stalls = header.ack == self.snd.una && (self.snd.wnd == 0 || self.snd.flight() == 0);
        if stalls && !self.marks.has(Mark::Detached) {
            // RFC 9293, section 3.8.6.1, MUST-37: a peer that keeps acknowledging keeps the connection,
            // however long its window stays closed. But not one without a handle: nobody is left to lose
            // patience with the peer, which could hold the buffers for ever (RFC 6429, section 4).
            self.retries = 0;
        }
        let persists = self.snd.flight() == 0 && self.timers.is_set(Timer::Retransmit);
        if header.ack.at_or_after(self.snd.una) {
            #[cfg(feature = "tcp-ecn")]
            self.on_congestion_echo(header);
            self.on_acknowledgment(segment, now, duplicate);
            if self.snd.update_window(update) {
                if persists {
                    self.timers.stop(Timer::Retransmit);
                    self.rtt.forget_backoff();
                }
                self.due.take(Special::Probe);
            }
        }
        if self.snd.fin_acked() {
            self.on_fin_acked();
        }
    }

    fn on_fin_acked(&mut self) {
        match self.state {
            State::FinWait1 => {
                self.state = State::FinWait2;
                self.events |= Events::STATE;
            }
            State::Closing => self.enter_time_wait(),
            State::LastAck => self.end(None),
            _ => {}
        }
    }

    /// Seventh, process the segment text, and eighth, check the FIN bit. `seq` is the number of the
    /// first byte of text. Urgent data is data like any other (RFC 6093, section 4).
    fn take_text_and_fin(&mut self, segment: &TcpSegment<'_>, now: Instant, seq: SeqNum) -> Check {
        let fin = segment.header.flags.contains(TcpFlags::FIN);
        if segment.payload.is_empty() && !fin {
            return Ok(());
        }
        if !self.state.can_receive() {
            // "This should not occur since a FIN has been received [...] Ignore the segment text."
            self.due.ack = true;
            return if segment.payload.is_empty() {
                Ok(())
            } else {
                Err(Unfit::Discarded(Discard::DataAfterFin))
            };
        }
        if self.marks.has(Mark::Detached)
            && (seq + segment.payload.len() as u32).after(self.rcv.nxt)
        {
            // RFC 1122, section 4.2.2.13: "its TCP SHOULD send a RST to show that data was lost".
            self.end_with_reset(ConnectionError::Aborted);
            return Err(Unfit::Discarded(Discard::DataAfterClose));
        }
        #[cfg(feature = "tcp-ecn")]
        self.on_congestion_mark(segment.header.flags, segment.congestion_experienced);
        let stored = self.take_text(now, seq, segment.payload);
        let end = seq + segment.payload.len() as u32;
        let whole = stored != Some(Stored::NoRoom);
        if fin {
            self.due.ack = true;
            if whole && self.fits(end) {
                self.rcv.note_fin(end);
            }
        }
        if self.rcv.reach_fin() {
            self.on_fin();
        }
        match stored {
            Some(Stored::NoRoom) => Err(Unfit::Discarded(Discard::NoRoomForData)),
            Some(Stored::Duplicate) if !fin => Err(Unfit::Discarded(Discard::DuplicateSegment)),
            _ => Ok(()),
        }
    }

    /// Whether a FIN at `end` lies within what was taken: text that was cut off at the window's edge
    /// takes its FIN with it.
    fn fits(&self, end: SeqNum) -> bool {
        end.at_or_before(self.rcv.nxt + self.rcv.window())
    }

    fn take_text(&mut self, now: Instant, seq: SeqNum, text: &[u8]) -> Option<Stored> {
        if text.is_empty() {
            return None;
        }
        let stored = self.rcv.store(seq, text);
        match stored {
            Stored::InOrder { bytes, filled } => {
                self.events |= Events::READABLE;
                // What came before it was next then, and is acknowledged with it.
                self.due.duplicates = 0;
                let unacknowledged = u32::from(self.rcv.unacknowledged) + bytes;
                self.rcv.unacknowledged = unacknowledged.min(u16::MAX.into()) as u16;
                // As Linux: what is more than one segment is acknowledged at once.
                let at_once =
                    filled || self.rcv.quick_acks > 0 || unacknowledged > u32::from(self.mss);
                self.rcv.quick_acks = self.rcv.quick_acks.saturating_sub(1);
                match self.options.ack_delay {
                    Some(delay) if !at_once => {
                        self.timers.ensure(Timer::DelayedAck, || now + delay.into())
                    }
                    _ => self.due.ack = true,
                }
            }
            // RFC 5681, section 4.2: "a TCP receiver SHOULD send an immediate duplicate ACK when an
            // out-of-order segment arrives".
            Stored::Ahead | Stored::Duplicate | Stored::NoRoom => {
                if self.due.ack && self.due.duplicates < self.most_duplicates(stored) {
                    self.due.duplicates += 1;
                }
                self.due.ack = true;
            }
        }
        Some(stored)
    }

    /// How often an acknowledgment is repeated when many segments arrived together that are out of order.
    /// A peer without selective acknowledgments counts them. Any other is told as much as possible of what
    /// arrived, even if one of them is lost.
    fn most_duplicates(&self, stored: Stored) -> u8 {
        match stored {
            _ if !self.sack.is_on() => u8::MAX,
            Stored::Ahead => MOST_LATER,
            _ => 0,
        }
    }

    /// The peer's FIN is next in order.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn on_fin(&mut self) {
        self.due.ack = true;
        self.events |= Events::READABLE;
        self.events |= Events::STATE;
        match self.state {
            State::SynReceived | State::Established => self.state = State::CloseWait,
            State::FinWait1 => self.state = State::Closing,
            State::FinWait2 => self.enter_time_wait(),
            _ => {}
        }
    }

    /// "If an incoming segment is not acceptable, an acknowledgment should be sent in reply", at most
    /// once in a while.
    #[inline(never)]
    fn acknowledge_unacceptable(&mut self, now: Instant) {
        self.due.ack |= may_challenge(&mut self.last_challenge, now);
    }
}

#[cfg(test)]
mod tests;
