use super::*;
use crate::ip::{AddressOrigin, AddressState, InterfaceAddress, InterfaceId};

const PEER: &str = "2001:db8::2";
const OURS: &str = "2001:db8::1";

fn addresses() -> Addresses<4> {
    let mut addresses = Addresses::new();
    for (cidr, state) in [
        ("2001:db8::1/64", AddressState::Preferred),
        ("fe80::1/64", AddressState::Deprecated),
        ("2001:db8::7/64", AddressState::Tentative),
        ("2001:db8::8/64", AddressState::Duplicate),
    ] {
        let added = addresses.add(InterfaceAddress {
            cidr: cidr.parse().unwrap(),
            interface: InterfaceId(0),
            state,
            origin: AddressOrigin::Configured,
        });
        added.unwrap();
    }
    addresses
}

fn on(path: ArrivalPath, source: &str, destination: &str) -> Result<Destination, Martian> {
    let arrival = ArrivalV6 {
        path,
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    };
    classify_v6(&arrival, &addresses())
}

fn from(source: &str, destination: &str) -> Result<Destination, Martian> {
    on(ArrivalPath::LinkUnicast, source, destination)
}

#[test]
fn packets_for_our_addresses_are_ours() {
    assert_eq!(from(PEER, OURS), Ok(Destination::Local));
    assert_eq!(from("fe80::2", "fe80::1"), Ok(Destination::Local));
}

#[test]
fn packets_for_others_are_not() {
    assert_eq!(from(PEER, "2001:db8::9"), Ok(Destination::Elsewhere));
}

#[test]
fn rfc4862_a_tentative_or_duplicate_address_is_not_ours() {
    assert_eq!(from(PEER, "2001:db8::7"), Ok(Destination::Elsewhere));
    assert_eq!(from(PEER, "2001:db8::8"), Ok(Destination::Elsewhere));
    // The other one who has it may speak.
    assert_eq!(from("2001:db8::8", OURS), Ok(Destination::Local));
}

#[test]
fn rfc4291_no_packet_comes_from_a_group() {
    for group in ["ff02::1", "ff0e::1"] {
        assert_eq!(from(group, OURS), Err(Martian::SourceMulticast));
        assert_eq!(from(group, "ff02::1"), Err(Martian::SourceMulticast));
    }
}

#[test]
fn rfc4291_loopback_does_not_come_from_a_wire() {
    assert_eq!(from("::1", OURS), Err(Martian::SourceLoopback));
    assert_eq!(from(PEER, "::1"), Err(Martian::DestinationLoopback));
    let path = ArrivalPath::Loopback;
    assert_eq!(on(path, "::1", "::1"), Ok(Destination::Local));
}

#[test]
fn nobody_speaks_to_groups_alone() {
    assert_eq!(from("::", OURS), Err(Martian::SourceUnspecified));
    assert_eq!(from("::", "2001:db8::9"), Err(Martian::SourceUnspecified));
    let group = "ff02::1:ff00:1";
    assert_eq!(from("::", group), Ok(Destination::Multicast));
    assert_eq!(from(PEER, "::"), Err(Martian::DestinationUnspecified));
}

#[test]
fn our_own_packets_do_not_come_back_from_a_wire() {
    assert_eq!(from(OURS, OURS), Err(Martian::SourceOwn));
    assert_eq!(from(OURS, "ff02::1"), Err(Martian::SourceOwn));
    let path = ArrivalPath::Loopback;
    assert_eq!(on(path, OURS, OURS), Ok(Destination::Local));
}

#[test]
fn rfc4942_mapped_addresses_do_not_come_from_a_wire() {
    let mapped = "::ffff:192.0.2.1";
    assert_eq!(from(mapped, OURS), Err(Martian::SourceReserved));
    assert_eq!(from(PEER, mapped), Err(Martian::DestinationReserved));
}

#[test]
fn rfc4291_groups_of_this_host_and_of_no_scope_do_not_come_from_a_wire() {
    assert_eq!(from(PEER, "ff01::1"), Err(Martian::DestinationReserved));
    assert_eq!(from(PEER, "ff00::1"), Err(Martian::DestinationReserved));
    assert_eq!(from(PEER, "ff02::1"), Ok(Destination::Multicast));
    let path = ArrivalPath::Loopback;
    assert_eq!(on(path, OURS, "ff01::1"), Ok(Destination::Multicast));
}

#[test]
fn what_is_for_one_host_comes_in_a_frame_to_one_station() {
    let path = ArrivalPath::LinkGroup;
    assert_eq!(on(path, PEER, OURS), Err(Martian::UnicastToLinkGroup));
    assert_eq!(on(path, PEER, "ff02::1"), Ok(Destination::Multicast));
    // RFC 6085: a group's packet may come in a frame to one station.
    assert_eq!(from(PEER, "ff02::1"), Ok(Destination::Multicast));
}
