//! The reset that answers what no connection wants (RFC 9293, section 3.10.7.1).

use crate::wire::{SeqNum, TcpFlags, TcpHeader, TcpOptions, TcpSegment};

/// The reset for a segment.
pub(crate) fn reset_for(segment: &TcpSegment<'_>) -> TcpHeader {
    let header = &segment.header;
    let (flags, seq, ack) = if header.flags.contains(TcpFlags::ACK) {
        (TcpFlags::RST, header.ack, SeqNum::new(0))
    } else {
        (
            TcpFlags::RST | TcpFlags::ACK,
            SeqNum::new(0),
            header.seq + segment.segment_len(),
        )
    };
    TcpHeader {
        src_port: header.dst_port,
        dst_port: header.src_port,
        seq,
        ack,
        flags,
        window: 0,
        urgent: 0,
        options: TcpOptions::default(),
    }
}
