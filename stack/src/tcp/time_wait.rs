//! A connection that is over, remembered for two maximum segment lifetimes so that its last segments are
//! not taken for those of its successor (RFC 9293, sections 3.4.2 and 3.6.1).
//!
//! The table is of fixed size. When it is full the oldest record makes room, whose time is nearest its end.
//! What that record would have done is then done by others:
//!
//! - A segment of the old connection finds nobody and is answered with a reset. Its peer has sent all it
//!   had to send, and has it acknowledged but for its FIN: nothing is lost.
//! - If the peer opens a new connection between the same ends, our numbers go on where the clock of
//!   RFC 6528 is, beyond the old ones unless the old connection sent faster than that clock ticks, 250 kB a
//!   second on average. Segments of the old connection that are still under way to us need a number in
//!   the new window, an acknowledgment of what the new connection sent (RFC 5961, section 5.2), and where
//!   both sides use timestamps one that is not older than that of the new SYN (RFC 7323, section 5.3): ours and
//!   most peers' grow from one connection between two hosts to the next, so no old one ever has that.
//! - We never open one ourselves where a record is remembered, and pick ports at random among many, so that
//!   the same one seldom comes again soon.

use super::FourTuple;
use super::timestamps::Timestamping;
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::{SeqNum, TcpFlags, TcpHeader, TcpSegment};

/// All that is needed to answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeWait {
    pub(crate) tuple: FourTuple,
    pub(crate) snd_nxt: SeqNum,
    pub(crate) rcv_nxt: SeqNum,
    /// As it goes into the field.
    pub(crate) window: u16,
    pub(super) timestamps: Timestamping,
}

/// What becomes of a segment for a connection that is over.
#[derive(Debug)]
pub(crate) enum TimeWaitVerdict {
    /// The peer missed our last acknowledgment, which is [`TimeWait::acknowledgment`], and the wait starts over.
    AcknowledgeAndRestart,
    /// An old segment, with the same answer.
    Acknowledge(Discard),
    /// A new connection between the same ends, safe to accept: its numbers follow those of the old.
    NewConnection,
    /// The peer has no memory of it.
    Forget,
    Discard(Discard),
}

impl TimeWait {
    pub(crate) fn on_segment(&self, segment: &TcpSegment<'_>) -> TimeWaitVerdict {
        let header = &segment.header;
        if header.flags.contains(TcpFlags::RST) {
            // RFC 9293, section 3.10.7.4 with the exact match of RFC 5961: an old duplicate must not
            // end the wait (RFC 1337).
            return if header.seq == self.rcv_nxt {
                TimeWaitVerdict::Forget
            } else {
                TimeWaitVerdict::Discard(Discard::InexactReset)
            };
        }
        if header.flags.contains(TcpFlags::SYN) {
            return if self.follows(header) {
                TimeWaitVerdict::NewConnection
            } else {
                TimeWaitVerdict::Acknowledge(Discard::UnexpectedSyn)
            };
        }
        if self.timestamps.is_old(&header.options) {
            return TimeWaitVerdict::Acknowledge(Discard::OldTimestamp);
        }
        // "The only thing that can arrive in this state is a retransmission of the remote FIN": no other
        // makes the wait start over.
        let end = header.seq + segment.segment_len();
        if header.flags.contains(TcpFlags::FIN) && end == self.rcv_nxt {
            return TimeWaitVerdict::AcknowledgeAndRestart;
        }
        if segment.segment_len() == 0 && header.seq == self.rcv_nxt {
            return TimeWaitVerdict::Discard(Discard::DuplicateSegment);
        }
        TimeWaitVerdict::Acknowledge(Discard::DataAfterFin)
    }

    /// RFC 6191, section 2: a SYN with a later timestamp, or without one a later number, cannot be an old
    /// duplicate.
    fn follows(&self, syn: &TcpHeader) -> bool {
        if syn.flags.contains(TcpFlags::ACK) {
            return false;
        }
        self.timestamps
            .follows(&syn.options)
            .unwrap_or_else(|| syn.seq.after(self.rcv_nxt))
    }

    /// What tells the peer that everything arrived.
    #[inline(never)]
    pub(crate) fn acknowledgment(&self, now: Instant) -> TcpHeader {
        let mut header = self.tuple.header(TcpFlags::ACK, self.snd_nxt, self.rcv_nxt);
        header.window = self.window;
        self.timestamps.put(now, &mut header.options);
        header
    }
}

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::*;
    use crate::wire::IpEndpoint;

    /// What a connection that has received everything before 200 makes of a segment of these flags.
    fn verdict(flags: TcpFlags, seq: u32, payload: &[u8]) -> TimeWaitVerdict {
        let end = |host, port| IpEndpoint::new(Ipv4Addr::new(10, 0, 0, host).into(), port);
        let time_wait = TimeWait {
            tuple: FourTuple {
                local: end(1, 80),
                remote: end(2, 40_000),
            },
            snd_nxt: SeqNum::new(100),
            rcv_nxt: SeqNum::new(200),
            window: 1_000,
            timestamps: Timestamping::OFF,
        };
        let header = TcpHeader {
            flags,
            seq: SeqNum::new(seq),
            ..TcpHeader::default()
        };
        let segment = TcpSegment {
            header,
            payload,
            ..TcpSegment::default()
        };
        time_wait.on_segment(&segment)
    }

    /// RFC 6191, section 2: without timestamps on either side a request is honored whose number is larger than the last
    /// one that was seen on the connection before.
    #[test]
    fn rfc6191_2_a_request_without_timestamps_is_new_if_its_number_is_larger() {
        for (seq, is_new) in [(201, true), (200, false), (100, false)] {
            match verdict(TcpFlags::SYN, seq, &[]) {
                TimeWaitVerdict::NewConnection => assert!(is_new, "{seq}"),
                TimeWaitVerdict::Acknowledge(Discard::UnexpectedSyn) => assert!(!is_new, "{seq}"),
                other => panic!("{seq}: {other:?}"),
            }
        }
    }

    /// RFC 9293, section 3.10.7.4, on TIME-WAIT: "The only thing that can arrive in this state is a retransmission of the
    /// remote FIN. Acknowledge it, and restart the 2 MSL timeout."
    #[test]
    fn the_peers_fin_starts_the_wait_over_and_nothing_else_does() {
        let ack = TcpFlags::ACK;
        let fin = verdict(ack | TcpFlags::FIN, 199, &[]);
        assert!(matches!(fin, TimeWaitVerdict::AcknowledgeAndRestart));
        for (flags, text) in [(ack, &[1][..]), (ack | TcpFlags::FIN, &[])] {
            let late = verdict(flags, 200, text);
            let expected = matches!(late, TimeWaitVerdict::Acknowledge(Discard::DataAfterFin));
            assert!(expected, "{late:?}");
        }
    }
}
