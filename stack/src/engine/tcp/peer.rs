//! What connections between the same two hosts share: the way there, and what is added to the time in
//! timestamps.

use crate::engine::interface::Path;
use crate::tcp::{PathMss, TimestampOffset};
use crate::wire::IpAddress;

#[cfg_attr(not(feature = "many-sockets"), path = "peer/asked.rs")]
mod kept;

pub(super) use kept::LastPeer;

/// The host that a connection is opened with.
pub(in crate::engine) struct Peer {
    remote: IpAddress,
    pub(super) path: Path,
    pub(super) timestamp_offset: TimestampOffset,
}

impl Peer {
    /// What the way there takes.
    pub(super) fn mss(&self) -> PathMss {
        self.path.mss(self.remote)
    }
}
