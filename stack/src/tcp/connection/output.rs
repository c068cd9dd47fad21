//! The next segment to send, if there is one.
//!
//! The order is: what ends the connection, what opens it, what repairs it, what moves it on, and an
//! acknowledgment by itself only if nothing carries it along. An acknowledgment that is due to a gap goes
//! alone and first, because only without data does it count as a duplicate (RFC 5681, section 2).

use super::Connection;
use super::due::Special;
use super::marks::Mark;
use super::path_mtu::PathMss;
use super::plan::{Kind, SegmentPlan, Span};
use super::timers::Timer;
use crate::events::Events;
use crate::tcp::clock::micros;
use crate::tcp::clock::{TICK, ticks};
use crate::tcp::recovery::{Hole, Phase};
use crate::tcp::timestamps::LastAck;
use crate::tcp::{ConnectionError, FourTuple, State};
use crate::time::Instant;
use crate::wire::{ChecksumMode, SackBlocks, SeqNum, TcpFlags, TcpHeader, TcpOptions, tcp};

impl Connection<'_> {
    /// Whether [`Self::poll_segment`] might have something. Errs on the side of yes.
    pub(crate) fn wants_to_send(&self) -> bool {
        // What was set before there is a connection takes effect when it opens.
        let touched = self.marks.has(Mark::Touched) && !self.state.is_over();
        if self.due.ack || self.due.special != 0 || touched {
            return true;
        }
        let pending = self.snd.has_unsent() || self.snd.scoreboard.lost() > 0;
        pending
            && self.sends_data()
            && !self.is_held_by_pacing()
            && (self.may_retransmit() || self.next_span().is_some())
    }

    /// The next segment. The caller sends it along `path`: from here on it counts as sent.
    #[inline(always)]
    pub(crate) fn poll_segment(&mut self, now: Instant, path: PathMss) -> Option<SegmentPlan> {
        self.on_path(path);
        let path_mss = path.announced;
        if self.due.is_set(Special::Reset) {
            return self.plan_reset();
        }
        if self.due.is_set(Special::Syn) {
            return self.plan_syn(now, path_mss);
        }
        let plan = self.plan_next(now, path_mss);
        if plan.is_some_and(|plan| plan.has_data()) {
            self.last_sent = ticks(now);
        }
        self.marks.put(Mark::Touched, false);
        self.arm_timers(now);
        plan
    }

    // Not a chain of `or_else`: that moves each plan several times, in pieces that the processor has to
    // put together again.
    #[inline(always)]
    fn plan_next(&mut self, now: Instant, path_mss: u16) -> Option<SegmentPlan> {
        let reports = self.rcv.has_gaps() || self.sack.is_on() && self.rcv.has_sack_blocks();
        if self.due.ack && reports {
            return self.plan_ack(now, path_mss);
        }
        if self.snd.scoreboard.lost() > 0
            && let Some(plan) = self.plan_retransmission(now)
        {
            return Some(plan);
        }
        #[cfg(feature = "tcp-plpmtud")]
        if let Some(probe) = self.next_path_probe(now) {
            return Some(self.send(now, probe));
        }
        if let Some(span) = self.next_data(now) {
            return Some(self.send(now, span));
        }
        if self.due.special != 0 {
            if let Some(plan) = self.plan_loss_probe(now) {
                return Some(plan);
            }
            if let Some(plan) = self.plan_probe(now) {
                return Some(plan);
            }
            if let Some(plan) = self.plan_keep_alive() {
                return Some(plan);
            }
        }
        self.plan_ack(now, path_mss)
    }

    /// Writes down a segment that was planned right before.
    pub(crate) fn emit(&self, now: Instant, plan: &SegmentPlan, buf: &mut [u8]) {
        let FourTuple { local, remote } = &self.tuple;
        let payload = self.payload(plan);
        // Apart from the others: of a header whose options the compiler knows little is left. But that takes room.
        if cfg!(target_pointer_width = "64") && plan.kind == Kind::Usual {
            let header = self.usual_header(now, plan);
            return header.emit(buf, local.addr, remote.addr, payload, ChecksumMode::Full);
        }
        let header = self.header(now, plan);
        let sack = self.sack_blocks(plan.kind);
        let mode = ChecksumMode::Full;
        header.emit_with_sack(&sack, buf, local.addr, remote.addr, payload, mode);
    }

    /// What goes behind the header of a segment.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn sack_blocks(&self, kind: Kind) -> SackBlocks {
        match kind {
            Kind::Report { later } => self.rcv.sack_blocks(later),
            Kind::Usual | Kind::Syn => SackBlocks::EMPTY,
        }
    }

    /// The header of a segment that was planned right before, without the blocks of a report.
    #[inline(always)]
    pub(crate) fn header(&self, now: Instant, plan: &SegmentPlan) -> TcpHeader {
        let mut header = self.usual_header(now, plan);
        if plan.kind == Kind::Syn {
            header.options = self.syn_options(now, plan.mss);
        }
        header
    }

    #[inline(always)]
    fn usual_header(&self, now: Instant, plan: &SegmentPlan) -> TcpHeader {
        let mut header = TcpHeader {
            src_port: self.tuple.local.port,
            dst_port: self.tuple.remote.port,
            seq: plan.seq,
            ack: SeqNum::new(0),
            flags: plan.flags,
            window: plan.window,
            urgent: 0,
            options: self.usual_options(now),
        };
        if plan.flags.contains(TcpFlags::ACK) {
            header.ack = self.rcv.nxt;
        }
        header
    }

    /// The payload of a planned segment, in at most two pieces.
    #[inline(always)]
    pub(crate) fn payload(&self, plan: &SegmentPlan) -> (&[u8], &[u8]) {
        match plan.len {
            0 => (&[], &[]),
            len => self.snd.payload(plan.seq, len as usize),
        }
    }

    /// Whether a planned segment asks for a connection.
    #[cfg(feature = "tcp-fast-open")]
    pub(crate) fn is_request(plan: &SegmentPlan) -> bool {
        plan.flags == TcpFlags::SYN
    }

    /// A planned segment was written down.
    pub(crate) fn on_transmitted(&mut self, plan: &SegmentPlan) {
        if plan.kind == (Kind::Report { later: 0 }) {
            self.rcv.on_reported();
        }
    }

    fn usual_header_len(&self) -> u8 {
        MIN_HEADER_LEN + self.timestamps.header_len()
    }

    #[inline(always)]
    fn usual_options(&self, now: Instant) -> TcpOptions {
        let mut options = TcpOptions::default();
        self.timestamps.put(now, &mut options);
        options
    }

    #[inline(never)]
    fn syn_options(&self, now: Instant, mss: u16) -> TcpOptions {
        let mut options = self.usual_options(now);
        options.mss = Some(mss);
        // In an answer only what the peer offered (RFC 7323, sections 1.3 and 3.2).
        options.window_scale =
            (self.state == State::SynSent || self.snd.shift > 0 || self.rcv.shift > 0)
                .then_some(self.rcv.shift);
        self.sack.put(&mut options);
        options
    }

    /// RFC 7323, section 3.2: timestamps "SHOULD be sent" in a reset, too.
    #[inline(never)]
    fn plan_reset(&mut self) -> Option<SegmentPlan> {
        self.due.take(Special::Reset);
        self.events |= Events::STATE;
        Some(SegmentPlan {
            seq: self.snd.max(),
            len: 0,
            window: 0,
            mss: 0,
            flags: TcpFlags::RST | TcpFlags::ACK,
            kind: Kind::Usual,
            header_len: self.usual_header_len(),
            repeated: false,
            markable: false,
        })
    }

    #[inline(never)]
    fn plan_syn(&mut self, now: Instant, path_mss: u16) -> Option<SegmentPlan> {
        self.due.take(Special::Syn);
        let repeated = self.snd.max() != self.snd.una;
        let iss = self.snd.una;
        let (flags, window) = if self.state == State::SynSent {
            let window = u16::try_from(self.rcv.ring.free()).unwrap_or(u16::MAX);
            (TcpFlags::SYN, window)
        } else {
            self.due.ack = false;
            (TcpFlags::SYN | TcpFlags::ACK, self.rcv.advertise_on_syn())
        };
        #[cfg(feature = "tcp-ecn")]
        let flags = flags | self.ecn.on_syn(flags.contains(TcpFlags::ACK), repeated);
        let options = self.syn_options(now, path_mss);
        let with_data = self.due.take(Special::Probe);
        let mut len = 0;
        if repeated {
            self.rtt.on_syn_again();
            self.retransmits.up();
        } else {
            self.snd.on_sent(iss + 1);
            self.rtt.on_syn(now);
            if with_data {
                len = self.syn_data_len(iss + 1, &options);
            }
            if len > 0 {
                let end = iss + 1 + len;
                self.snd.board().on_sent(end, micros(now));
                self.snd.on_sent(end);
            }
        }
        self.last_sent = ticks(now);
        self.arm_timers(now);
        Some(SegmentPlan {
            seq: iss,
            len,
            window,
            mss: path_mss,
            flags,
            kind: Kind::Syn,
            header_len: MIN_HEADER_LEN + options.len() as u8,
            repeated,
            markable: false,
        })
    }

    /// The first segment that is lost, if it may be sent again now. The peer's window does not matter: it
    /// was open for this once (RFC 9293, section 3.8.6, SHLD-15 and MUST-34).
    #[inline(never)]
    fn plan_retransmission(&mut self, now: Instant) -> Option<SegmentPlan> {
        if !self.sends_data() || self.is_held_by_pacing() || !self.may_retransmit() {
            return None;
        }
        let Some(hole) = self.snd.board().first_lost() else {
            debug_assert!(false, "bytes are lost and no segment is");
            self.snd.board().find_all();
            return None;
        };
        self.meter(u32::from(self.mss).min(hole.end.distance_from(hole.start)));
        Some(self.send_again(now, hole))
    }

    /// So many bytes go out. While losses are repaired, that is metered.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn meter(&mut self, bytes: u32) {
        if self.recovery.phase() == Phase::Fast
            && let Some(prr) = self.congestion.prr_mut()
        {
            prr.on_sent(bytes);
        }
    }

    /// Sends as much of `hole` again as fits a segment.
    pub(super) fn send_again(&mut self, now: Instant, hole: Hole) -> SegmentPlan {
        let bytes = self.snd.bytes_from(hole.start);
        let len = bytes
            .min(hole.end.distance_from(hole.start))
            .min(u32::from(self.mss));
        let fin = self.snd.fin_at(hole.start + len) && hole.end.after(hole.start + len);
        let end = hole.start + len + u32::from(fin);
        self.snd.board().on_retransmitted(hole, end, micros(now));
        self.retransmits.up();
        let timestamp = self.timestamps.value(now);
        self.recovery.on_retransmitted(timestamp);
        if self.recovery.phase() != Phase::Open {
            self.schedule_loss_probe(now);
        }
        self.pace(now, len);
        self.segment(hole.start, len, fin, true)
    }

    /// Data that was not sent yet.
    #[inline]
    fn next_data(&mut self, now: Instant) -> Option<Span> {
        if !self.sends_data() || self.is_held_by_pacing() {
            return None;
        }
        if self.snd.flight() == 0 {
            self.recovery.on_quiet();
            self.notice_silence(now);
        }
        self.next_span()
    }

    /// Whatever congestion control knows is old when nothing was sent for longer than a timeout.
    fn notice_silence(&mut self, now: Instant) {
        let silence = ticks(now).wrapping_sub(self.last_sent).saturating_mul(TICK);
        let rto = self.rtt.rto().as_micros() as u32;
        if silence > rto {
            self.pacer.restart(micros(now));
            self.congestion.on_idle(silence / rto.max(1));
        }
    }

    /// Whether the state lets data or a FIN out.
    pub(super) fn sends_data(&self) -> bool {
        self.answers_early()
            || matches!(
                self.state,
                State::Established
                    | State::CloseWait
                    | State::FinWait1
                    | State::Closing
                    | State::LastAck
            )
    }

    /// What may be sent from SND.NXT on: as much as windows and segment size let through, if that is
    /// worth a segment (RFC 9293, section 3.8.6.2.1, and Nagle's algorithm, section 3.7.4).
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn next_span(&self) -> Option<Span> {
        if !self.snd.has_unsent() {
            return None;
        }
        let unsent = self.snd.bytes_from(self.snd.nxt);
        let mss = u32::from(self.mss);
        let usable = self.snd.window_left().min(self.allowance());
        if unsent > mss && usable >= mss {
            // In the midst of much to send there is nothing to weigh.
            let (len, fin) = (mss, false);
            return Some(Span { len, fin });
        }
        self.last_span(unsent, usable)
    }

    /// What is left of `unsent` bytes, or as much of them as `usable` lets through, if that is worth a segment.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn last_span(&self, unsent: u32, usable: u32) -> Option<Span> {
        let (start, mss) = (self.snd.nxt, u32::from(self.mss));
        let len = unsent.min(usable).min(mss);
        // Where data goes out before the handshake is complete, its end waits all the same, as in Linux.
        let fin = len == unsent && self.snd.closed && self.state != State::SynReceived;
        if len == 0 && !fin {
            return None;
        }
        let span = Some(Span { len, fin });
        let repeats = start.before(self.snd.max());
        if len == mss || fin || repeats {
            return span;
        }
        // Nagle's algorithm as Minshall modified it, and as Linux has it: a small segment waits for
        // another small one to be acknowledged, not for large ones, whose acknowledgment may be delayed.
        if self.options.nagle && self.snd.has_small_in_flight() {
            return None;
        }
        // A full buffer is not the end of what its user has to say: with enough in flight for an immediate
        // acknowledgment, what is left over waits to become a whole segment.
        let is_full = self.snd.ring.free() == 0 && self.snd.flight() >= 2 * mss;
        let continues = self.options.nagle && is_full;
        let last = len == unsent && !continues;
        if last || len >= self.snd.max_wnd / 2 {
            span
        } else {
            None
        }
    }

    /// One byte against a closed window, or what a window too small to be worth it takes (RFC 9293,
    /// sections 3.8.6.1 and 3.8.6.2.1, the override timeout).
    ///
    /// The byte is not counted as in flight: until the peer takes it the persist timer goes on, not the
    /// retransmission timer, and nobody concludes that the network is congested.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn plan_probe(&mut self, now: Instant) -> Option<SegmentPlan> {
        if !self.due.take(Special::Probe) || !self.sends_data() {
            return None;
        }
        let start = self.snd.nxt;
        let unsent = self.snd.bytes_from(start);
        let window = self.snd.window_left();
        if window > 0 {
            let len = unsent.min(window).min(u32::from(self.mss));
            // Who has less than that to say does not wait to be probed for it.
            let fin = false;
            return (len > 0).then(|| self.send(now, Span { len, fin }));
        }
        let len = unsent.min(1);
        if len == 0 {
            return None;
        }
        let repeated = start.before(self.snd.max());
        self.snd.probed = true;
        let mut plan = self.plan(start, TcpFlags::ACK);
        plan.len = len;
        plan.repeated = repeated;
        Some(plan)
    }

    #[inline(never)]
    fn plan_ack(&mut self, now: Instant, path_mss: u16) -> Option<SegmentPlan> {
        if !self.due.ack {
            return None;
        }
        if self.state == State::SynReceived {
            // Before the handshake is complete every acknowledgment repeats the SYN.
            self.due.ack = false;
            return self.plan_syn(now, path_mss);
        }
        let later = self.due.duplicates;
        let mut plan = self.plan(self.snd.max(), TcpFlags::ACK);
        if self.sack.is_on() && self.rcv.has_sack_blocks() {
            plan.kind = Kind::Report { later };
            let sack = self.sack_blocks(plan.kind);
            let beside = usize::from(self.timestamps.header_len());
            plan.header_len += sack.option_len(beside) as u8;
        }
        if let Some(rest) = later.checked_sub(1) {
            self.due.duplicates = rest;
            self.due.ack = true;
        }
        Some(plan)
    }

    /// Sends `span` for the first time: all that changes by that.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn send(&mut self, now: Instant, span: Span) -> SegmentPlan {
        let Span { len, fin } = span;
        let start = self.snd.nxt;
        let end = start + len + u32::from(fin);
        let repeated = start.before(self.snd.max());
        self.snd.board().on_sent(end, micros(now));
        self.snd.on_sent(end);
        if len < u32::from(self.mss) {
            self.snd.small_end = end;
        }
        self.meter(len);
        self.last_pipe = self.pipe();
        self.schedule_loss_probe(now);
        self.pace(now, len);
        self.segment(start, len, fin, repeated)
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn segment(&mut self, start: SeqNum, len: u32, fin: bool, repeated: bool) -> SegmentPlan {
        let mut flags = TcpFlags::ACK;
        if fin {
            flags = flags | TcpFlags::FIN;
        }
        if len > 0 && start + len == self.snd.data_end() {
            flags = flags | TcpFlags::PSH;
        }
        #[cfg(feature = "tcp-ecn")]
        let markable = !repeated && len > 0 && self.ecn.on_new_data(&mut flags);
        #[cfg(not(feature = "tcp-ecn"))]
        let markable = false;
        let mut plan = self.plan(start, flags);
        plan.len = len;
        plan.repeated = repeated;
        plan.markable = markable;
        plan
    }

    /// A segment without payload, that acknowledges what has arrived and tells the window as it is now.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn plan(&mut self, seq: SeqNum, flags: TcpFlags) -> SegmentPlan {
        let window = self.rcv.advertise(self.mss);
        self.due.ack = false;
        self.due.duplicates = 0;
        self.rcv.unacknowledged = 0;
        self.last_ack_sent = LastAck::of(self.rcv.nxt);
        self.timers.stop(Timer::DelayedAck);
        let header_len = self.usual_header_len();
        #[cfg(feature = "tcp-ecn")]
        let flags = flags | self.ecn.on_header();
        SegmentPlan {
            seq,
            len: 0,
            window,
            mss: 0,
            flags,
            kind: Kind::Usual,
            header_len,
            repeated: false,
            markable: false,
        }
    }

    /// Ends the connection because the peer does not answer; what the network reported, if anything,
    /// says why.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn give_up(&mut self) {
        let error = self.soft_error.unwrap_or(ConnectionError::TimedOut);
        if self.state == State::SynSent {
            self.end(Some(error));
        } else {
            self.end_with_reset(error);
        }
    }
}

const MIN_HEADER_LEN: u8 = tcp::MIN_HEADER_LEN as u8;

#[cfg(test)]
mod tests;
