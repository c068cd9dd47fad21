//! What happened to the frames of one direction.

/// Counts of what one port sent and what became of it.
///
/// Between two ports, and on a loopback, every frame is accounted for once nothing is on its way:
/// `sent + duplicated = delivered + lost + queue_drops + link_drops`. On a hub `delivered` and
/// `link_drops` count once for each port that a frame went to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Frames that the port's stack sent.
    pub sent: u64,
    /// Frames from this port that a receiver took.
    pub delivered: u64,
    /// Frames lost on the way, by chance or in a burst.
    pub lost: u64,
    /// Frames that arrive twice.
    pub duplicated: u64,
    /// Frames held back so that later ones overtake them.
    pub reordered: u64,
    /// Frames with a flipped bit.
    pub corrupted: u64,
    /// Frames dropped because the queue in front of the bandwidth limit was full.
    pub queue_drops: u64,
    /// Frames dropped because the link was down at this end or at the receiver's.
    pub link_drops: u64,
}

impl Counters {
    /// Nothing has happened yet.
    pub const ZERO: Self = Self {
        sent: 0,
        delivered: 0,
        lost: 0,
        duplicated: 0,
        reordered: 0,
        corrupted: 0,
        queue_drops: 0,
        link_drops: 0,
    };
}
