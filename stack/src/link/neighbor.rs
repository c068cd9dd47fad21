//! The neighbor cache: which link address an IP address on the link has.
//!
//! One state machine, that of RFC 4861 section 7.3, serves ARP (RFC 826, RFC 1122 section 2.3.2)
//! and neighbor discovery: the cache never sees a packet, only claims, and asks for "a request to be
//! sent" in no protocol's terms. `engine` calls it:
//!
//! - before it builds a packet: [`NeighborCache::lookup`]; a sender told to wait is parked in the
//!   entry's own `W`, so that one dead host delays only those who talk to it;
//! - for each ARP packet and neighbor message: [`NeighborCache::on_claim`], and
//!   `NeighborCache::on_advertisement`;
//! - when [`NeighborCache::next_deadline`] has come: [`NeighborCache::on_timeout`] until it returns
//!   `None`, then [`NeighborCache::poll_solicit`] as long as there is room to transmit.
//!
//! Requests are paced per neighbor, in every state and across a failed resolution, which is held down
//! for a second before the next one. RFC 1122 section 2.3.2.1: "A mechanism to prevent ARP flooding
//! [...] MUST be included. The recommended maximum rate is 1 per second per destination." Only a
//! neighbor that answered and was then evicted can be asked again sooner.

#[cfg_attr(not(feature = "neighbor-probes"), path = "neighbor/forgetful.rs")]
mod cache;
mod claim;
#[cfg(feature = "neighbor-probes")]
mod entry;
#[cfg(all(test, feature = "neighbor-probes"))]
mod tests;
#[cfg(feature = "neighbor-probes")]
mod timing;

use core::fmt;

pub(crate) use self::cache::NeighborCache;
#[cfg(feature = "proto-ipv6")]
pub(crate) use self::claim::Advertisement;
pub(crate) use self::claim::{Claim, ClaimKind, Learned};
use crate::ip::InterfaceId;
use crate::storage::{Key, Uses};
use crate::wire::{EthernetAddress, IpAddress};
/// Identifies an entry of a [`NeighborCache`] for as long as the entry lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct NeighborKey(Key);

impl NeighborKey {
    /// No entry: a cache has fewer slots. For who waits for any neighbor, and not for one.
    pub(crate) const ANY: Self = Self(Key::first(u16::MAX));

    fn new(index: usize, uses: Uses) -> Self {
        // A cache has at most `u16::MAX` slots, so this does not truncate.
        Self(uses.key(index as u16))
    }

    fn index(self) -> usize {
        self.0.index().into()
    }

    /// Whether it is for the use of its slot that goes on.
    fn is_of(self, uses: Uses) -> bool {
        uses.key(self.0.index()) == self.0
    }
}

/// The answer to a [`NeighborCache::lookup`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Lookup {
    /// Send to this link address.
    Reachable(EthernetAddress),
    /// A resolution is under way: park on the key's [`NeighborCache::waiters_mut`].
    Pending(NeighborKey),
    /// The neighbor did not answer a moment ago; the next lookup after the hold-down asks again.
    Unreachable,
    /// The table is full of neighbors that cannot be forgotten now. The first of them ends its
    /// resolution within RetransTimer times the number of requests.
    Exhausted,
}

/// A neighbor that nobody answered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NeighborFailure<W> {
    /// Where it was searched.
    pub(crate) interface: InterfaceId,
    /// Who did not answer.
    pub(crate) address: IpAddress,
    /// Who waited for it.
    pub(crate) waiters: W,
}

/// A request to send: an ARP request, or a neighbor solicitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Solicit {
    /// Where to send it.
    pub(crate) interface: InterfaceId,
    /// Whose link address is asked for.
    pub(crate) target: IpAddress,
    /// Whom to ask.
    pub(crate) to: SolicitTo,
}

/// Whom a request goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum SolicitTo {
    /// Everybody on the link; with NDP, the target's solicited-node group.
    Broadcast,
    /// The link address it is believed to have.
    #[cfg(feature = "neighbor-probes")]
    Unicast(EthernetAddress),
}

/// The state of a neighbor (RFC 4861 section 7.3.2).
#[cfg(feature = "neighbor-probes")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum NeighborState {
    /// Being resolved.
    Incomplete,
    /// Confirmed to work within ReachableTime.
    Reachable,
    /// Known, but not confirmed of late.
    Stale,
    /// In use without a confirmation, which an upper layer is given time for.
    Delay,
    /// In use and being asked at its known address.
    Probe,
    /// Did not answer; not asked again for `NeighborTiming::failed_hold_down`.
    Failed,
    /// Configured.
    Permanent,
}

/// Every entry of the cache is permanent or being resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct NeighborCacheFull;

impl fmt::Display for NeighborCacheFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the neighbor cache is full of entries that cannot be evicted")
    }
}

impl core::error::Error for NeighborCacheFull {}

/// Whether a link address is one that a host can have.
fn is_one_station(hardware: EthernetAddress) -> bool {
    hardware.is_unicast() && hardware != UNSPECIFIED
}

/// What unfinished packets carry as their sender.
const UNSPECIFIED: EthernetAddress = EthernetAddress([0; 6]);
