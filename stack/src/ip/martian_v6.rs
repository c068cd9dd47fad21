//! Which received IPv6 packets are for us, and which have addresses that no honest packet has (RFC 4291
//! sections 2.5 and 2.7).
//!
//! `engine` asks this for every packet, right after its header was parsed. A martian is counted and dropped
//! without a word: an ICMP error would go to a forged address.

#[cfg(test)]
mod tests;

use core::net::Ipv6Addr;

use super::scope::{INTERFACE_LOCAL, RESERVED, scope};
use super::{Addresses, ArrivalPath, Destination, Martian};
use crate::wire::IpAddress;

/// Where a packet's destination address points to.
///
/// [`Martian`] if the addresses cannot be honest on the path that the packet took.
pub(crate) fn classify_v6<const N: usize>(
    arrival: &ArrivalV6,
    addresses: &Addresses<N>,
) -> Result<Destination, Martian> {
    let destination = destination_of(arrival, addresses)?;
    check_source(arrival, addresses, destination)?;
    match destination {
        // As with IPv4: what is for one host comes in a frame to one station.
        Destination::Local | Destination::Elsewhere if arrival.path == ArrivalPath::LinkGroup => {
            Err(Martian::UnicastToLinkGroup)
        }
        _ => Ok(destination),
    }
}

fn destination_of<const N: usize>(
    arrival: &ArrivalV6,
    addresses: &Addresses<N>,
) -> Result<Destination, Martian> {
    let destination = arrival.destination;
    let is_loopback_path = arrival.path == ArrivalPath::Loopback;
    if destination.is_multicast() {
        return match scope(destination) {
            // RFC 4291 section 2.7: "must be silently dropped".
            RESERVED => Err(Martian::DestinationReserved),
            // Section 2.7, erratum 3480: such packets "received from another node must be discarded".
            INTERFACE_LOCAL if !is_loopback_path => Err(Martian::DestinationReserved),
            _ => Ok(Destination::Multicast),
        };
    }
    if destination.is_unspecified() {
        // Section 2.5.2: "must never be used as a destination address".
        return Err(Martian::DestinationUnspecified);
    }
    if destination.is_loopback() {
        // Section 2.5.3: "A packet received on an interface with a destination address of loopback must be
        // dropped."
        return match is_loopback_path {
            true => Ok(Destination::Local),
            false => Err(Martian::DestinationLoopback),
        };
    }
    if destination.to_ipv4_mapped().is_some() {
        return Err(Martian::DestinationReserved);
    }
    match addresses.is_local(IpAddress::Ipv6(destination)) {
        true => Ok(Destination::Local),
        false => Ok(Destination::Elsewhere),
    }
}

fn check_source<const N: usize>(
    arrival: &ArrivalV6,
    addresses: &Addresses<N>,
    destination: Destination,
) -> Result<(), Martian> {
    let source = arrival.source;
    let is_loopback_path = arrival.path == ArrivalPath::Loopback;
    if source.is_multicast() {
        // Section 2.7: groups "must not be used as source addresses".
        return Err(Martian::SourceMulticast);
    }
    if source.is_unspecified() {
        // A host that has no address yet speaks to groups alone (RFC 4862 section 5.4.2, RFC 3810 section
        // 5.2.13).
        return match destination {
            Destination::Multicast => Ok(()),
            _ => Err(Martian::SourceUnspecified),
        };
    }
    if source.is_loopback() {
        return match is_loopback_path {
            true => Ok(()),
            false => Err(Martian::SourceLoopback),
        };
    }
    // An address of IPv4 in this shape is for programs, and would get around filters on a wire (RFC 4942
    // section 2.2).
    if source.to_ipv4_mapped().is_some() {
        return Err(Martian::SourceReserved);
    }
    // One that others may have may be theirs.
    let mut ours = addresses.usable().filter(|ours| !ours.state.is_in_doubt());
    match !is_loopback_path && ours.any(|ours| ours.cidr.address() == IpAddress::Ipv6(source)) {
        true => Err(Martian::SourceOwn),
        false => Ok(()),
    }
}

/// What is to be judged of a received packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct ArrivalV6 {
    /// How it came in.
    pub(crate) path: ArrivalPath,
    /// The header's source address.
    pub(crate) source: Ipv6Addr,
    /// The header's destination address.
    pub(crate) destination: Ipv6Addr,
}
