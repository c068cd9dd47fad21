//! What packets from the link say about neighbors, and how far they are believed.

use super::is_one_station;
use crate::ip::InterfaceId;
use crate::wire::{EthernetAddress, IpAddress};

/// What a packet from the link says about who has an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Claim {
    /// Where the packet came in.
    pub(crate) interface: InterfaceId,
    /// The address that is claimed: an ARP packet's sender protocol address. Group and zero addresses
    /// are ignored; the caller keeps our own to itself.
    pub(crate) address: IpAddress,
    /// Who claims it: an ARP packet's sender hardware address. Group and zero addresses are ignored.
    pub(crate) hardware: EthernetAddress,
    /// How it was said.
    pub(crate) kind: ClaimKind,
}

impl Claim {
    /// Whether it names a neighbor. A probe (RFC 5227) comes from nobody yet. RFC 1812 section 3.3.2: a group's link
    /// address in a claim must not be believed, or one host's packets would go to all.
    pub(super) fn names_neighbor(&self) -> bool {
        self.address.is_unicast() && is_one_station(self.hardware)
    }
}

/// How a claim was made, which decides how far it is believed.
///
/// ARP cannot be secured, but a host need not help: nothing that was not asked for replaces an
/// address that is known to work, and nobody gets an entry who was neither asked nor asked us.
///
/// | the entry is | `Reply` | `Request` | `Announcement` |
/// |---|---|---|---|
/// | absent | ignored | created as Stale | ignored |
/// | Incomplete | Reachable | Stale | Stale |
/// | Failed | Stale | Stale | Stale |
/// | Stale, other address | Stale with it | Stale with it | Stale with it |
/// | Delay or Probe, same address | Reachable | unchanged | unchanged |
/// | Reachable or Delay, other address | contested | contested | contested |
/// | Probe, other address | unchanged | unchanged | unchanged |
/// | Permanent, or else the same address | unchanged | unchanged | unchanged |
///
/// *Contested* means that the known address is asked by unicast, and stays in use while it answers
/// or TCP makes progress through it. Only its silence drops the entry, and then the next packet asks
/// everybody. A host that moved is thus found three requests late, and a forger has to win against a
/// live host's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum ClaimKind {
    /// An ARP reply for one of our addresses, in a frame to our own link address. Whether we asked
    /// for it is the cache's to know.
    Reply,
    /// An ARP request for one of our addresses.
    Request,
    /// Anything else that names its sender: gratuitous ARP, broadcast replies, requests for others.
    Announcement,
    /// A neighbor discovery message that names the link address of its sender in passing, such as a neighbor
    /// solicitation. RFC 4861 section 7.2.3 has it believed: created as Stale, and Stale with another address.
    #[cfg(feature = "proto-ipv6")]
    Solicitation,
}

/// What a neighbor advertisement says (RFC 4861 section 4.4).
#[cfg(feature = "proto-ipv6")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Advertisement {
    /// Where it came in.
    pub(crate) interface: InterfaceId,
    /// The target address.
    pub(crate) address: IpAddress,
    /// The target's link address, if it is there. Group and zero addresses are ignored.
    pub(crate) hardware: Option<EthernetAddress>,
    /// It answers a solicitation.
    pub(crate) solicited: bool,
    /// It replaces the link address that is known.
    pub(crate) override_: bool,
}

/// What came of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Learned<W> {
    /// Nothing that was not known, or nothing that is believed.
    Unchanged,
    /// An advertisement said what was known, and is believed.
    #[cfg(feature = "proto-ipv6")]
    Agreed,
    /// The entry was created, confirmed or changed.
    Updated,
    /// Two link addresses claim one neighbor; the one in use is being asked.
    #[cfg(feature = "neighbor-probes")]
    Contested,
    /// A resolution ended: these waited for it and can send now.
    Resolved(W),
}
