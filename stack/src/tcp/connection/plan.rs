//! What a segment is to be, before it is written down.

use crate::wire::{Ecn, SeqNum, TcpFlags};

/// A segment to send: what sets its header apart, and where its payload is in the send buffer. The rest
/// is read off the connection when the segment is written down.
///
/// It goes through several hands on its way to the driver, so it is small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentPlan {
    pub(super) seq: SeqNum,
    /// Bytes of payload, from `seq` on.
    pub(super) len: u32,
    /// The window field.
    pub(super) window: u16,
    /// What a SYN says that we take.
    pub(super) mss: u16,
    pub(super) flags: TcpFlags,
    pub(super) kind: Kind,
    /// The length of the header with its options.
    pub(super) header_len: u8,
    /// Whether some of it was sent before.
    pub(crate) repeated: bool,
    /// Whether routers may mark the packet instead of dropping it: ECT(0) of RFC 3168.
    pub(crate) markable: bool,
}

/// What options a segment has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Those that every segment has.
    Usual,
    /// And what arrived out of order; so many more reports come after this one.
    Report { later: u8 },
    /// Those of a SYN.
    Syn,
}

/// How many numbers a segment with data takes, from SND.NXT on.
pub(super) struct Span {
    pub(super) len: u32,
    pub(super) fin: bool,
}

impl SegmentPlan {
    /// The length of the segment in bytes, header included.
    pub(crate) fn segment_len(&self) -> usize {
        usize::from(self.header_len) + self.len as usize
    }

    /// Whether it says more than what has arrived: data, or the end of it.
    pub(super) fn has_data(&self) -> bool {
        self.len > 0 || self.flags.contains(TcpFlags::FIN)
    }

    /// What routers may do with its packet when they are congested.
    pub(crate) fn ecn(&self) -> Ecn {
        if self.markable {
            Ecn::ECT_0
        } else {
            Ecn::NOT_ECT
        }
    }

    /// An identification for the fragments of its packet (RFC 6864): only whole segments are cut, and those
    /// are further apart than this divides by.
    pub(crate) fn fragment_ident(&self) -> u16 {
        (self.seq.get() / 256) as u16
    }
}
