use super::*;
use crate::ip::{AddressOrigin, AddressState, InterfaceAddress};
use crate::wire::{IpCidr, Ipv4Cidr};

const ETH: InterfaceId = InterfaceId(0);
const OURS: &str = "192.0.2.7";
const THEIRS: &str = "192.0.2.9";
const SUBNET_BROADCAST: &str = "192.0.2.255";
const ALL_HOSTS: &str = "224.0.0.1";
const EVERYBODY: &str = "255.255.255.255";

/// What a host with `OURS` in a network of 24 bits makes of a packet.
fn judge(path: ArrivalPath, source: &str, destination: &str) -> Result<Destination, Martian> {
    let mut addresses = Addresses::<1>::new();
    addresses
        .add(InterfaceAddress {
            cidr: IpCidr::Ipv4(Ipv4Cidr::new(OURS.parse().unwrap(), 24)),
            interface: ETH,
            state: AddressState::Preferred,
            origin: AddressOrigin::Configured,
        })
        .unwrap();
    let arrival = Arrival {
        interface: ETH,
        path,
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    };
    classify(&arrival, &addresses)
}

fn unicast(source: &str, destination: &str) -> Result<Destination, Martian> {
    judge(ArrivalPath::LinkUnicast, source, destination)
}

#[test]
fn honest_packets_are_sorted_by_destination() {
    for (destination, expected) in [
        (OURS, Destination::Local),
        (SUBNET_BROADCAST, Destination::Broadcast),
        (EVERYBODY, Destination::Broadcast),
        (ALL_HOSTS, Destination::Multicast),
        ("192.0.2.8", Destination::Elsewhere),
        ("198.51.100.1", Destination::Elsewhere),
        ("198.51.100.255", Destination::Elsewhere),
    ] {
        assert_eq!(unicast(THEIRS, destination), Ok(expected), "{destination}");
    }
}

#[test]
fn a_source_must_be_one_host() {
    for (source, martian) in [
        (EVERYBODY, Martian::SourceBroadcast),
        (SUBNET_BROADCAST, Martian::SourceBroadcast),
        (ALL_HOSTS, Martian::SourceMulticast),
        ("239.255.255.255", Martian::SourceMulticast),
        ("127.0.0.1", Martian::SourceLoopback),
        ("127.255.0.9", Martian::SourceLoopback),
        ("0.0.0.0", Martian::SourceUnspecified),
        ("0.1.2.3", Martian::SourceUnspecified),
        ("240.0.0.1", Martian::SourceReserved),
        ("255.255.255.254", Martian::SourceReserved),
        (OURS, Martian::SourceOwn),
    ] {
        assert_eq!(unicast(source, OURS), Err(martian), "{source}");
    }
}

#[test]
fn a_destination_must_be_possible() {
    for (destination, martian) in [
        ("127.0.0.1", Martian::DestinationLoopback),
        ("0.0.0.0", Martian::DestinationUnspecified),
        ("0.1.2.3", Martian::DestinationUnspecified),
        ("240.0.0.1", Martian::DestinationReserved),
    ] {
        assert_eq!(unicast(THEIRS, destination), Err(martian), "{destination}");
    }
}

#[test]
fn a_host_without_an_address_may_speak_to_all() {
    for (destination, expected) in [
        (EVERYBODY, Destination::Broadcast),
        (SUBNET_BROADCAST, Destination::Broadcast),
        ("224.0.0.22", Destination::Multicast),
    ] {
        assert_eq!(unicast("0.0.0.0", destination), Ok(expected));
        // Only 0.0.0.0 is a host without an address.
        let other = unicast("0.0.0.1", destination);
        assert_eq!(other, Err(Martian::SourceUnspecified));
    }
}

#[test]
fn a_frame_to_many_must_carry_a_packet_to_many() {
    for (destination, expected) in [
        (OURS, Err(Martian::UnicastToLinkGroup)),
        ("198.51.100.1", Err(Martian::UnicastToLinkGroup)),
        (EVERYBODY, Ok(Destination::Broadcast)),
        (SUBNET_BROADCAST, Ok(Destination::Broadcast)),
        (ALL_HOSTS, Ok(Destination::Multicast)),
    ] {
        let judged = judge(ArrivalPath::LinkGroup, THEIRS, destination);
        assert_eq!(judged, expected, "{destination}");
    }
}

#[test]
fn our_own_packets_may_use_our_own_and_loopback_addresses() {
    for (source, destination) in [
        (OURS, OURS),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", OURS),
        (OURS, "127.0.0.2"),
    ] {
        let judged = judge(ArrivalPath::Loopback, source, destination);
        assert_eq!(judged, Ok(Destination::Local), "{source} {destination}");
    }
    let judged = judge(ArrivalPath::Loopback, ALL_HOSTS, OURS);
    assert_eq!(judged, Err(Martian::SourceMulticast));
}
