//! What an acknowledgment brings to light: the scoreboard's answer to it.

use crate::wire::SeqNum;

/// What an acknowledgment says has arrived that was not known to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) bytes: u32,
    /// The segment among them that was sent last.
    pub(crate) newest: Option<Sent>,
    /// The highest number among those sent only once.
    pub(crate) highest_original: Option<SeqNum>,
    /// The lowest of them.
    pub(crate) lowest_original: Option<SeqNum>,
}

/// When a segment was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) at: u32,
    pub(crate) end: SeqNum,
    pub(crate) retransmitted: bool,
}

impl Sent {
    /// Whether it was sent after `other`; of two sent at once, the one further on.
    pub(crate) fn after(self, other: Self) -> bool {
        match self.at.wrapping_sub(other.at) as i32 {
            0 => self.end.after(other.end),
            difference => difference > 0,
        }
    }
}
