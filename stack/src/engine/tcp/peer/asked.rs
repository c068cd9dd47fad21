//! In place of `kept.rs`, where connections are few: routes are asked each time.

use super::Peer;
use crate::engine::Engine;
use crate::engine::interface::Path;
use crate::tcp::FourTuple;
use crate::time::Instant;

/// Nothing.
pub(in crate::engine::tcp) struct LastPeer(());

impl LastPeer {
    pub(in crate::engine::tcp) const NONE: Self = Self(());
}

impl Engine<'_> {
    /// What is known for a connection between the two hosts of these ends.
    #[inline(never)]
    pub(in crate::engine::tcp) fn peer(&mut self, tuple: &FourTuple, now: Instant) -> Peer {
        let remote = tuple.remote.addr;
        let mut path = Path::from_source(Some(tuple.local.addr));
        self.interface.resolve(remote, &mut path, now);
        Peer {
            remote,
            path,
            timestamp_offset: self.isn().timestamp_offset(tuple),
        }
    }
}
