//! Which received IPv4 packets are for us, and which have addresses that no honest packet has
//! (RFC 1122 sections 3.2.1.3 and 3.3.6, RFC 1812 section 5.3.7, RFC 6890).
//!
//! `engine` asks this for every packet, right after its header was parsed. A martian is counted and
//! dropped without a word: an ICMP error would go to a forged address.

#[cfg(test)]
mod tests;

use core::net::Ipv4Addr;

use super::{Addresses, InterfaceId};
use crate::wire::IpAddress;

/// Where a packet's destination address points to.
///
/// [`Martian`] if the addresses cannot be honest on the path that the packet took.
pub(crate) fn classify<const N: usize>(
    arrival: &Arrival,
    addresses: &Addresses<N>,
) -> Result<Destination, Martian> {
    let destination = destination_of(arrival, addresses)?;
    check_source(arrival, addresses, destination)?;
    // RFC 1122 section 3.3.6: "A host SHOULD silently discard a datagram that is received via a
    // link-layer broadcast [...] but does not specify an IP multicast or broadcast destination
    // address."
    match destination {
        Destination::Local | Destination::Elsewhere if arrival.path == ArrivalPath::LinkGroup => {
            Err(Martian::UnicastToLinkGroup)
        }
        _ => Ok(destination),
    }
}

fn destination_of<const N: usize>(
    arrival: &Arrival,
    addresses: &Addresses<N>,
) -> Result<Destination, Martian> {
    match Block::of(arrival.destination, arrival.interface, addresses) {
        Block::Broadcast => Ok(Destination::Broadcast),
        Block::Multicast => Ok(Destination::Multicast),
        Block::ThisNetwork => Err(Martian::DestinationUnspecified),
        Block::Reserved => Err(Martian::DestinationReserved),
        Block::Loopback if arrival.path == ArrivalPath::Loopback => Ok(Destination::Local),
        Block::Loopback => Err(Martian::DestinationLoopback),
        Block::Own => Ok(Destination::Local),
        Block::Unicast => Ok(Destination::Elsewhere),
    }
}

fn check_source<const N: usize>(
    arrival: &Arrival,
    addresses: &Addresses<N>,
    destination: Destination,
) -> Result<(), Martian> {
    let is_loopback_path = arrival.path == ArrivalPath::Loopback;
    match Block::of(arrival.source, arrival.interface, addresses) {
        Block::Broadcast => Err(Martian::SourceBroadcast),
        Block::Multicast => Err(Martian::SourceMulticast),
        Block::Reserved => Err(Martian::SourceReserved),
        Block::Loopback | Block::Own if is_loopback_path => Ok(()),
        Block::Loopback => Err(Martian::SourceLoopback),
        Block::Own => Err(Martian::SourceOwn),
        // A host that has no address yet asks for one, or joins a group, from 0.0.0.0 (RFC 2131
        // section 4.1, RFC 3376 section 4.2.13). It cannot expect an answer, so it never has reason
        // to speak to one host.
        Block::ThisNetwork => match destination {
            Destination::Broadcast | Destination::Multicast if arrival.source.is_unspecified() => {
                Ok(())
            }
            _ => Err(Martian::SourceUnspecified),
        },
        Block::Unicast => Ok(()),
    }
}

/// What is to be judged of a received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Arrival {
    /// Where it came in.
    pub(crate) interface: InterfaceId,
    /// How it came in.
    pub(crate) path: ArrivalPath,
    /// The header's source address.
    pub(crate) source: Ipv4Addr,
    /// The header's destination address.
    pub(crate) destination: Ipv4Addr,
}

/// How a packet came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum ArrivalPath {
    /// From this host itself, which may use its own and the loopback addresses as it likes.
    Loopback,
    /// From a link, addressed to this station, or from a link without link addresses.
    LinkUnicast,
    /// From a link, in a frame to its broadcast or a multicast address.
    LinkGroup,
}

/// Whom a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Destination {
    /// An address of ours.
    Local,
    /// All hosts on the link, by the limited or the subnet's broadcast address.
    Broadcast,
    /// A group; whether we joined it is another question.
    Multicast,
    /// Somebody else, or an address that we are yet to be given by DHCP.
    Elsewhere,
}

/// What is wrong with a packet's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Martian {
    /// The source is a broadcast address.
    SourceBroadcast,
    /// The source is a multicast group.
    SourceMulticast,
    /// The source is in 127.0.0.0/8, on a real link.
    SourceLoopback,
    /// The source is in 0.0.0.0/8, and not a host without an address that speaks to all.
    SourceUnspecified,
    /// The source is in 240.0.0.0/4.
    SourceReserved,
    /// The source is one of our own addresses, on a real link: a forgery, or an address conflict.
    SourceOwn,
    /// The destination is in 127.0.0.0/8, on a real link.
    DestinationLoopback,
    /// The destination is in 0.0.0.0/8.
    DestinationUnspecified,
    /// The destination is in 240.0.0.0/4.
    DestinationReserved,
    /// The destination is one host, but the frame was for many.
    UnicastToLinkGroup,
}

/// The part of the address space that an address is in, and what it is there.
enum Block {
    ThisNetwork,
    Loopback,
    Unicast,
    /// An address of ours.
    Own,
    Multicast,
    Reserved,
    /// All hosts, or all of a subnet of ours.
    Broadcast,
}

impl Block {
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn of<const N: usize>(
        address: Ipv4Addr,
        interface: InterfaceId,
        addresses: &Addresses<N>,
    ) -> Self {
        let [first, ..] = address.octets();
        match first {
            0 => Self::ThisNetwork,
            127 => Self::Loopback,
            224..=239 => Self::Multicast,
            240..=255 if address == Ipv4Addr::BROADCAST => Self::Broadcast,
            240..=255 => Self::Reserved,
            _ if addresses.is_local(IpAddress::Ipv4(address)) => Self::Own,
            _ if addresses.is_subnet_broadcast(interface, address) => Self::Broadcast,
            _ => Self::Unicast,
        }
    }
}
