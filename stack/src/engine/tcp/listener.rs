//! What a listening socket is: where it listens, and who waits to be accepted.

use super::pool::PoolId;
use crate::storage::List;
use crate::wire::IpListenEndpoint;

/// A slot that listens.
pub(in crate::engine) struct Listener {
    pub(in crate::engine) local: IpListenEndpoint,
    pub(super) pool: PoolId,
    pub(super) backlog: u16,
    /// Connections complete and not accepted, the oldest first.
    pub(super) queue: List,
    pub(super) queued: u16,
    /// How many of them may be there before their handshake is complete.
    #[cfg(feature = "tcp-fast-open")]
    pub(in crate::engine) fast_open: FastOpenLimit,
}

impl Listener {
    /// Whether as many connections wait to be accepted as may.
    pub(super) fn is_full(&self) -> bool {
        self.queued >= self.backlog
    }
}

/// How many connections of a listener may be with the application before their handshake is complete:
/// PendingFastOpenRequests of RFC 7413, section 4.2.
#[cfg(feature = "tcp-fast-open")]
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct FastOpenLimit {
    pub(super) most: u16,
    pub(super) pending: u16,
}
