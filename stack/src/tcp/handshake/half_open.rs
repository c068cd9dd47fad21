//! A connection request that was answered and not completed: SYN-RECEIVED after a passive open, without
//! buffers (RFC 9293, section 3.10.7.4 for that state).

use core::num::NonZeroU16;

use crate::stats::Discard;
use crate::tcp::FourTuple;
use crate::tcp::challenge::may_challenge;
use crate::tcp::clock::{Moment, Soon};
use crate::tcp::receiver::window_shift;
use crate::tcp::sack::Sack;
use crate::tcp::timestamps::{PeerTimestamp, TimestampOffset};
use crate::time::Instant;
use crate::wire::{SeqNum, TcpFlags, TcpHeader, TcpSegment};

/// What has to be known to answer again and to complete the handshake. `K` says who listens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HalfOpen<K> {
    pub(crate) tuple: FourTuple,
    pub(crate) listener: K,
    pub(crate) iss: SeqNum,
    pub(crate) irs: SeqNum,
    /// From the peer's SYN: its window, MSS, window shift, whether it takes selective acknowledgments,
    /// and its timestamp if it sends them.
    pub(crate) window: u16,
    pub(crate) mss: Option<NonZeroU16>,
    pub(crate) shift: Option<u8>,
    pub(crate) sack: Sack,
    pub(crate) timestamp: PeerTimestamp,
    /// The peer asked for congestion notification (RFC 3168), and is granted it.
    pub(crate) ecn: bool,
    /// What was offered of our receive buffer: the window, which is never shifted in a SYN (RFC 7323, section 2.2), and
    /// by how much those that follow are.
    pub(super) offered_window: u16,
    pub(crate) offered_shift: u8,
    /// The MSS that was offered.
    pub(super) offered_mss: u16,
    pub(crate) timestamp_offset: TimestampOffset,
    /// How often the request was answered.
    pub(crate) attempts: u8,
    /// When the peer was last told where we are, in [`ticks`](crate::tcp::clock::ticks).
    pub(super) last_challenge: Option<Moment>,
    /// When it is answered again.
    pub(crate) due: Soon,
}

/// What becomes of a segment for a half-open connection.
#[derive(Debug)]
pub(crate) enum SynReply {
    /// The handshake is complete: make a connection and give it the segment.
    Complete,
    /// The peer asked again.
    AnswerAgain,
    /// The peer took it back.
    Forget,
    /// The segment does not belong here; [`HalfOpen::acknowledgment`] tells the peer where we are, if anything does.
    Acknowledge(Discard),
    /// Nor does this one, and a reset says so.
    Refuse(Discard),
    Discard(Discard),
}

/// What our side of the handshake offers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer {
    /// The length in bytes of the receive buffer.
    pub(crate) receive_capacity: usize,
    /// The longest TCP payload without options that the path takes.
    pub(crate) path_mss: u16,
    pub(crate) timestamp_offset: TimestampOffset,
}

impl<K> HalfOpen<K> {
    /// A SYN arrived.
    pub(crate) fn new(
        now: Instant,
        tuple: FourTuple,
        listener: K,
        iss: SeqNum,
        syn: &TcpHeader,
        offer: &Offer,
    ) -> Self {
        Self {
            tuple,
            listener,
            iss,
            irs: syn.seq,
            window: syn.window,
            mss: (syn.options.mss).map(|mss| NonZeroU16::new(mss).unwrap_or(NonZeroU16::MIN)),
            shift: syn.options.window_scale,
            sack: Sack::permitted_by(&syn.options),
            timestamp: PeerTimestamp::of(syn),
            ecn: cfg!(feature = "tcp-ecn") && syn.flags.contains(TcpFlags::ECE | TcpFlags::CWR),
            offered_window: syn_window(offer.receive_capacity),
            offered_shift: window_shift(offer.receive_capacity),
            offered_mss: offer.path_mss,
            timestamp_offset: offer.timestamp_offset,
            attempts: 0,
            last_challenge: None,
            due: Soon::new(now),
        }
    }

    /// The answer to the SYN; it counts as sent.
    // Beside [`Self::answer`] it is a call, and both are seldom.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn next_answer(&mut self, now: Instant) -> TcpHeader {
        self.on_answered(now);
        self.answer(now)
    }

    /// The SYN was answered: sets when that is due again.
    pub(crate) fn on_answered(&mut self, now: Instant) {
        self.put_off(now, FIRST_RETRY << self.attempts.min(RETRIES));
        self.attempts = self.attempts.saturating_add(1);
    }

    /// It is answered again so many microseconds from now.
    pub(crate) fn put_off(&mut self, now: Instant, span: u32) {
        self.due = Soon::after(now, span);
    }

    /// The answer to the SYN, also for a peer that repeated it. How long the request is remembered does not
    /// depend on that, or whoever repeats it often enough could make the record immortal.
    pub(crate) fn answer(&self, now: Instant) -> TcpHeader {
        let mut flags = TcpFlags::SYN | TcpFlags::ACK;
        if self.ecn {
            flags = flags | TcpFlags::ECE;
        }
        let mut header = self.tuple.header(flags, self.iss, self.irs + 1);
        header.window = self.offered_window;
        // Where they stay: what is moved is read in other pieces than it was written in.
        let options = &mut header.options;
        options.mss = Some(self.offered_mss);
        options.window_scale = self.shift.map(|_| self.offered_shift);
        self.sack.put(options);
        self.timestamp.put(now, self.timestamp_offset, options);
        header
    }

    /// Whether it was answered as often as is reasonable.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.attempts > RETRIES
    }

    /// A segment arrived, its checksum verified.
    pub(crate) fn on_segment(&self, segment: &TcpSegment<'_>) -> SynReply {
        let header = &segment.header;
        let next = self.irs + 1;
        let window = u32::from(self.offered_window);
        if header.flags.contains(TcpFlags::RST) {
            // RFC 5961, section 3.2, which this state is no exception from.
            return if header.seq == next {
                SynReply::Forget
            } else if header.seq.in_window(next, window) {
                SynReply::Acknowledge(Discard::InexactReset)
            } else {
                SynReply::Discard(Discard::OutOfWindow)
            };
        }
        if header.flags.contains(TcpFlags::SYN) {
            return if header.seq == self.irs && !header.flags.contains(TcpFlags::ACK) {
                SynReply::AnswerAgain
            } else {
                SynReply::Acknowledge(Discard::UnexpectedSyn)
            };
        }
        if !(header.seq == next || header.seq.in_window(next, window)) {
            return SynReply::Acknowledge(Discard::OutOfWindow);
        }
        match self.timestamp.check(&header.options) {
            Ok(()) => {}
            Err(bad) if bad.is_old() => {
                return SynReply::Acknowledge(bad.into());
            }
            Err(bad) => return SynReply::Discard(bad.into()),
        }
        if !header.flags.contains(TcpFlags::ACK) {
            return SynReply::Discard(Discard::MissingAck);
        }
        if header.ack != self.iss + 1 {
            return SynReply::Refuse(Discard::BadAck);
        }
        SynReply::Complete
    }

    /// Whether the peer may be told where we are once more.
    pub(crate) fn may_acknowledge(&mut self, now: Instant) -> bool {
        may_challenge(&mut self.last_challenge, now)
    }

    /// What tells it.
    pub(crate) fn acknowledgment(&self) -> TcpHeader {
        self.tuple.header(TcpFlags::ACK, self.iss + 1, self.irs + 1)
    }
}

/// The window that offers a receive buffer of so many bytes.
pub(super) fn syn_window(capacity: usize) -> u16 {
    u16::try_from(capacity).unwrap_or(u16::MAX)
}

/// RFC 6298, section 2.1. In microseconds.
const FIRST_RETRY: u32 = 1_000_000;

/// As Linux: the last answer goes out after 31 s, and is given up after 63 s.
const RETRIES: u8 = 5;

#[cfg(all(test, feature = "tcp-timestamps"))]
mod tests;
