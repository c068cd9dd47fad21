//! Packets that no honest host sends: each is dropped for a reason with a name, and answered by nothing.

use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::NdiscMessage;

use super::*;

/// RFC 4861, section 3.1: one that has passed a router.
#[test]
fn neighbor_discovery_with_hop_limit_254() {
    let mut host = Host::up();
    for mut message in [
        solicitation(OURS),
        probe(OURS, None),
        advertisement(PEER, OURS, SOLICITED),
    ] {
        message[7] = 254;
        host.drops(&message, Discard::InvalidNeighborMessage);
    }
}

/// RFC 6980.
#[test]
fn neighbor_discovery_behind_a_fragment_header() {
    let mut host = Host::up();
    let whole = solicitation(OURS);
    let payload = [&[58, 0, 0, 0, 1, 2, 3, 4], &whole[40..]].concat();
    let dst = solicited_node(OURS);
    let mut atomic = packet(PEER, dst, IpProtocol::FRAGMENT, &payload);
    atomic[7] = 255;
    host.drops(&atomic, Discard::InvalidNeighborMessage);
}

/// RFC 4861, section 4.6.
#[test]
fn a_neighbor_discovery_option_of_length_zero() {
    let mut host = Host::up();
    let option = [1, 0, 2, 0, 0, 0, 0, 2];
    let mut payload = vec![135, 0, 0, 0, 0, 0, 0, 0];
    payload.extend(OURS.octets());
    payload.extend(option);
    let dst = solicited_node(OURS);
    let mut odd = packet(PEER, dst, IpProtocol::ICMPV6, &payload);
    odd[7] = 255;
    fill_in_checksum(&mut odd);
    host.drops(&odd, Discard::Malformed);
}

#[test]
fn a_neighbor_discovery_message_with_a_wrong_checksum() {
    let mut host = Host::up();
    let mut odd = solicitation(OURS);
    odd[42] ^= 1;
    host.drops(&odd, Discard::BadChecksum);
}

/// RFC 4861, section 7.1.1: from nobody, to a group, and with no link address.
#[test]
fn a_probe_that_is_none() {
    let mut host = Host::up();
    let plain = NdiscMessage::NeighborSolicitation {
        target: OURS,
        options: NdiscOptions::NONE,
    };
    let odd = nd(Ipv6Addr::UNSPECIFIED, ALL_NODES, &plain);
    host.drops(&odd, Discard::InvalidNeighborMessage);
    let option = ndisc::source_link_address(PEER_MAC);
    let named = NdiscMessage::NeighborSolicitation {
        target: OURS,
        options: NdiscOptions::parse(&option).unwrap(),
    };
    let odd = nd(Ipv6Addr::UNSPECIFIED, solicited_node(OURS), &named);
    host.drops(&odd, Discard::InvalidNeighborMessage);
}

/// RFC 4861, sections 7.1.1 and 7.1.2.
#[test]
fn neighbor_discovery_about_a_group() {
    let mut host = Host::up();
    let message = NdiscMessage::NeighborSolicitation {
        target: ALL_NODES,
        options: NdiscOptions::NONE,
    };
    host.drops(&nd(PEER, OURS, &message), Discard::InvalidNeighborMessage);
    let message = NdiscMessage::NeighborAdvertisement {
        target: ALL_NODES,
        flags: SOLICITED,
        options: NdiscOptions::NONE,
    };
    host.drops(&nd(PEER, OURS, &message), Discard::InvalidNeighborMessage);
}

/// RFC 4861, section 7.1.2: "If the IP Destination Address is a multicast address the Solicited flag is zero."
#[test]
fn a_solicited_advertisement_to_a_group() {
    let mut host = Host::up();
    let odd = advertisement(PEER, ALL_NODES, SOLICITED);
    host.drops(&odd, Discard::InvalidNeighborMessage);
}

/// Somebody says that it has our address, which is in use.
#[test]
fn an_advertisement_of_our_own_address() {
    let mut host = Host::up();
    let message = NdiscMessage::NeighborAdvertisement {
        target: OURS,
        flags: SOLICITED,
        options: NdiscOptions::NONE,
    };
    host.drops(&nd(PEER, OURS, &message), Discard::AddressConflict);
    host.send(&echo_request(PEER, OURS));
    assert_eq!(host.hear().header.src, OURS);
}

#[test]
fn a_packet_from_a_group() {
    let mut host = Host::up();
    host.drops(&echo_request(ALL_NODES, OURS), Discard::Martian);
}

#[test]
fn loopback_from_the_wire() {
    let mut host = Host::up();
    let loopback = Ipv6Addr::LOCALHOST;
    host.drops(&echo_request(loopback, OURS), Discard::Martian);
    host.drops(&echo_request(PEER, loopback), Discard::Martian);
}

#[test]
fn a_packet_from_our_own_address() {
    let mut host = Host::up();
    host.drops(&echo_request(OURS, OURS), Discard::Martian);
}

#[test]
fn a_packet_from_nobody() {
    let mut host = Host::up();
    let nobody = Ipv6Addr::UNSPECIFIED;
    host.drops(&echo_request(nobody, OURS), Discard::Martian);
    host.drops(&echo_request(PEER, nobody), Discard::Martian);
}

/// RFC 4942, section 2.2.
#[test]
fn an_address_of_ipv4_in_the_shape_of_ipv6() {
    let mut host = Host::up();
    let mapped = ip("::ffff:192.0.2.1");
    host.drops(&echo_request(mapped, OURS), Discard::Martian);
    host.drops(&echo_request(PEER, mapped), Discard::Martian);
}

/// RFC 5095: it would have the packet come and go.
#[test]
fn a_routing_header_of_type_0() {
    let mut host = Host::up();
    let mut payload = vec![58, 2, 0, 1, 0, 0, 0, 0];
    payload.extend(ip("2001:db8::99").octets());
    payload.extend(&echo_request(PEER, OURS)[40..]);
    host.send(&packet(PEER, OURS, IpProtocol::ROUTING, &payload));
    // Section 3: "send an ICMPv6 Parameter Problem message, Code 0, to the packet's Source Address, pointing
    // to the unrecognized Routing Type."
    let heard = host.hear();
    let Icmpv6Message::ParameterProblem { code, pointer, .. } = heard.icmp() else {
        panic!("{heard:?}");
    };
    assert_eq!((u8::from(code), pointer), (0, 42));
    host.silence(Duration::from_secs(1));
}

#[test]
fn a_packet_for_one_host_in_a_frame_to_many() {
    let mut host = Host::up();
    let request = echo_request(PEER, OURS);
    for mac in [
        EthernetAddress::BROADCAST,
        EthernetAddress::for_ipv6_multicast(ALL_NODES),
    ] {
        let before = host.stack().stats().discarded(Discard::NotForUs);
        host.transmit(&framed_to(mac, &request));
        let after = host.stack().stats().discarded(Discard::NotForUs);
        assert_eq!(after, before + 1);
    }
    host.silence(Duration::ZERO);
}

#[test]
fn a_packet_for_a_group_that_was_not_joined() {
    let mut host = Host::up();
    host.drops(&echo_request(PEER, ip("ff02::2")), Discard::NotOurGroup);
    host.drops(&echo_request(PEER, ip("ff05::1:3")), Discard::NotOurGroup);
    host.drops(&echo_request(PEER, ip("ff01::1")), Discard::Martian);
}

#[test]
fn packets_that_are_cut_off() {
    let mut host = Host::up();
    let whole = echo_request(PEER, OURS);
    let before = host.stack().stats().discarded(Discard::Malformed);
    for len in 0..whole.len() {
        let mut frame = framed(&whole);
        frame.truncate(14 + len);
        host.transmit(&frame);
    }
    let after = host.stack().stats().discarded(Discard::Malformed);
    assert_eq!(after as usize, before as usize + whole.len());
    host.silence(Duration::ZERO);
}

/// Makes an ICMPv6 message's checksum that of what it says.
fn fill_in_checksum(packet: &mut [u8]) {
    let (header, payload) = Ipv6Header::parse(packet).unwrap();
    let (src, dst) = (header.src.into(), header.dst.into());
    let pseudo = cygnet::wire::pseudo_header(src, dst, IpProtocol::ICMPV6, payload.len());
    let checksum = pseudo.add(cygnet::wire::Sum::of(payload)).finish();
    packet[42..44].copy_from_slice(&checksum.to_be_bytes());
}
