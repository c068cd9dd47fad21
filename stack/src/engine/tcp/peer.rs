//! What connections between the same two hosts share: the way there, and what is added to the time in
//! timestamps. It is found out for the first of them and kept for those that follow: the connection that
//! completes the handshake of a request just answered, or that is opened where one just closed.

use crate::engine::Engine;
use crate::engine::interface::Path;
use crate::tcp::{FourTuple, PathMss, TimestampOffset};
use crate::time::Instant;
use crate::wire::IpAddress;

/// The host that a connection was last opened with, and from which of our addresses.
pub(in crate::engine) struct Peer {
    local: IpAddress,
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

impl Engine<'_> {
    /// What is known for a connection between the two hosts of these ends.
    #[inline(never)]
    pub(super) fn peer(&mut self, now: Instant, tuple: &FourTuple) -> &Peer {
        let (local, remote) = (tuple.local.addr, tuple.remote.addr);
        let is_known = self.tcp.peer.as_ref().is_some_and(|peer| {
            peer.local == local && peer.remote == remote && self.interface.is_current(&peer.path)
        });
        if !is_known {
            self.tcp.peer = None;
        }
        self.tcp.peer.get_or_insert_with(|| {
            let mut path = Path::from_source(Some(local));
            self.interface.resolve(now, remote, &mut path);
            Peer {
                local,
                remote,
                path,
                timestamp_offset: self.tcp.isn.timestamp_offset(tuple),
            }
        })
    }
}
