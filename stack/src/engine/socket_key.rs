//! The name of a socket.

use crate::storage::{Generation, Index};

/// Identifies a socket. Goes stale when its slot is used for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketKey {
    pub(crate) index: Index,
    pub(super) generation: Generation,
}
