//! The name of a socket.

use crate::storage::{Index, Key};

/// Identifies a socket. Goes stale when its slot is used for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketKey(pub(super) Key);

impl SocketKey {
    /// The number of its slot.
    pub(crate) fn index(self) -> Index {
        self.0.index()
    }
}
