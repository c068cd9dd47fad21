//! The link layer's protocol state: who owns which address on a link.
//!
//! Sans-io: time is an argument, every answer is a value, and only `engine` calls in here. It feeds
//! parsed ARP packets and neighbor messages in and sends what the `poll_*` calls return.

#[cfg(feature = "medium-ethernet")]
#[cfg_attr(not(feature = "ipv4-conflict"), path = "no_conflict.rs")]
mod conflict;
#[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
mod duplicate;
#[cfg(feature = "medium-ethernet")]
mod neighbor;

#[cfg(feature = "medium-ethernet")]
pub(crate) use conflict::{Conflict, ConflictDetector, StartMode};
#[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
pub(crate) use duplicate::{DuplicateDetector, Heard, Probe};
#[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
pub(crate) use neighbor::Advertisement;
#[cfg(feature = "medium-ethernet")]
pub(crate) use neighbor::{
    Claim, ClaimKind, Learned, Lookup, NeighborCache, NeighborKey, Solicit, SolicitTo,
};

/// What a host does about another one that uses its address (RFC 5227 section 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DefensePolicy {
    /// Defend it by one announcement, and give it up on the next conflict within 10 s. Policy (b).
    DefendOnce,
    /// Defend it by an announcement every 10 s at most, and never give it up: for hosts that others
    /// find by a well-known address. Policy (c).
    NeverGiveUp,
}
