//! The link layer's protocol state: who owns which address on a link.
//!
//! Sans-io: time is an argument, every answer is a value, and only `engine` calls in here. It feeds
//! parsed ARP packets in and sends what the `poll_*` calls return.

#[cfg(feature = "medium-ethernet")]
mod conflict;
#[cfg(feature = "medium-ethernet")]
mod neighbor;

#[cfg(feature = "medium-ethernet")]
pub(crate) use conflict::{Conflict, ConflictDetector, DefensePolicy, StartMode};
#[cfg(feature = "medium-ethernet")]
pub(crate) use neighbor::{
    Claim, ClaimKind, Learned, Lookup, NeighborCache, NeighborCacheFull, NeighborFailure,
    NeighborKey, NeighborState, NeighborTiming, Solicit, SolicitTo,
};
