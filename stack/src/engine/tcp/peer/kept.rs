//! What is known of the last peer is kept for the connections that follow: the one that completes the handshake of a
//! request just answered, or that is opened where one just closed.

use super::Peer;
use crate::engine::Engine;
use crate::engine::interface::Path;
use crate::tcp::FourTuple;
use crate::time::Instant;
use crate::wire::IpAddress;

/// The host that a connection was last opened with, and from which of our addresses.
pub(in crate::engine::tcp) struct LastPeer(Option<(IpAddress, Peer)>);

impl LastPeer {
    pub(in crate::engine::tcp) const NONE: Self = Self(None);
}

impl Engine<'_> {
    /// What is known for a connection between the two hosts of these ends.
    #[inline(never)]
    pub(in crate::engine::tcp) fn peer(&mut self, tuple: &FourTuple, now: Instant) -> &Peer {
        let (local, remote) = (tuple.local.addr, tuple.remote.addr);
        let LastPeer(last) = &self.tcp.peer;
        let is_known = last.as_ref().is_some_and(|(from, peer)| {
            *from == local && peer.remote == remote && self.interface.is_current(&peer.path)
        });
        if !is_known {
            self.tcp.peer = LastPeer::NONE;
        }
        let isn = self.isn();
        let (_, peer) = self.tcp.peer.0.get_or_insert_with(|| {
            let mut path = Path::from_source(Some(local));
            self.interface.resolve(remote, &mut path, now);
            let timestamp_offset = isn.timestamp_offset(tuple);
            let peer = Peer {
                remote,
                path,
                timestamp_offset,
            };
            (local, peer)
        });
        peer
    }
}
