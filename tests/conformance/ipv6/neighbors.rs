//! Who has that address (RFC 4861, section 7)?

use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::EthernetAddress;

use super::*;

const OTHER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 9]);

/// A datagram for the peer is on its way, as soon as its link address is known.
fn say(host: &mut Host, socket: &UdpSocket<'static>, text: &[u8]) {
    send_datagram(host, socket, (PEER, 9), text).unwrap();
}

/// A host that has just learned the peer's link address by asking.
fn acquainted() -> (Host, UdpSocket<'static>) {
    let mut host = Host::up();
    let socket = udp_socket(&host);
    say(&mut host, &socket, b"hello");
    host.answer_solicitation(PEER);
    assert_eq!(host.hear().link.dst, PEER_MAC);
    (host, socket)
}

#[test]
fn a_solicitation_is_answered() {
    let mut host = Host::up();
    host.send(&solicitation(OURS));
    let heard = host.hear();
    assert_eq!((heard.header.src, heard.header.dst), (OURS, PEER));
    assert_eq!(heard.link.dst, PEER_MAC);
    let (target, flags, options) = heard.advertisement();
    assert_eq!(target, OURS);
    assert!(flags.solicited && flags.override_ && !flags.router);
    assert_eq!(options.target_link_address(), Some(OUR_MAC));
}

#[test]
fn a_solicitation_to_this_host_alone_is_answered_too() {
    let mut host = Host::up();
    let message = NdiscMessage::NeighborSolicitation {
        target: OURS,
        options: NdiscOptions::NONE,
    };
    host.send(&nd(PEER, OURS, &message));
    assert_eq!(host.hear().advertisement().0, OURS);
}

#[test]
fn a_solicitation_for_another_is_not_answered() {
    let mut host = Host::up();
    // Its solicited-node group is the same as ours.
    let other = ip("2001:db8:5::1");
    assert_eq!(solicited_node(other), solicited_node(OURS));
    host.send(&solicitation(other));
    host.silence(Duration::from_secs(1));
    host.drops(&solicitation(ip("2001:db8::77")), Discard::NotOurGroup);
}

#[test]
fn the_neighbor_is_asked_for_before_the_first_packet() {
    let mut host = Host::up();
    let socket = udp_socket(&host);
    say(&mut host, &socket, b"hello");
    let heard = host.hear();
    // 7.2.2: from the address of the packet to the solicited-node group, with our link address.
    assert_eq!(heard.header.src, OURS);
    assert_eq!(heard.header.dst, solicited_node(PEER));
    assert_eq!(
        heard.link.dst,
        EthernetAddress::for_ipv6_multicast(heard.header.dst)
    );
    let (target, options) = heard.solicitation();
    assert_eq!(target, PEER);
    assert_eq!(options.source_link_address(), Some(OUR_MAC));
    host.send(&advertisement(PEER, OURS, SOLICITED));
    let heard = host.hear();
    assert_eq!((heard.link.dst, heard.header.dst), (PEER_MAC, PEER));
}

#[test]
fn three_solicitations_a_second_apart_and_the_neighbor_is_given_up() {
    let mut host = Host::up();
    let socket = udp_socket(&host);
    say(&mut host, &socket, b"hello");
    host.hear();
    for _ in 0..2 {
        host.silence(Duration::from_millis(999));
        let heard = host.hear_within(Duration::from_millis(1)).expect("again");
        assert_eq!(heard.solicitation().0, PEER);
    }
    host.silence(Duration::from_secs(10));
    assert_eq!(host.stack().stats().unreachable, 1);
}

#[test]
fn who_asks_is_known_afterwards() {
    let mut host = Host::up();
    host.send(&solicitation(OURS));
    host.hear();
    let socket = udp_socket(&host);
    say(&mut host, &socket, b"hello");
    assert_eq!(host.hear().link.dst, PEER_MAC);
}

#[test]
fn an_advertisement_that_nobody_asked_for_is_not_taken() {
    let mut host = Host::up();
    host.drops(
        &advertisement(PEER, OURS, SOLICITED),
        Discard::UnsolicitedNeighbor,
    );
    let socket = udp_socket(&host);
    say(&mut host, &socket, b"hello");
    assert_eq!(host.hear().solicitation().0, PEER);
}

#[test]
fn an_advertisement_with_override_moves_the_neighbor() {
    let (mut host, socket) = acquainted();
    let option = ndisc::target_link_address(OTHER_MAC);
    let mut flags = NeighborFlags {
        solicited: false,
        ..SOLICITED
    };
    let moved = |flags| NdiscMessage::NeighborAdvertisement {
        target: PEER,
        flags,
        options: NdiscOptions::parse(&option).unwrap(),
    };
    flags.override_ = false;
    host.send(&nd(PEER, ALL_NODES, &moved(flags)));
    say(&mut host, &socket, b"where are you?");
    assert_eq!(host.hear().link.dst, PEER_MAC);
    flags.override_ = true;
    host.send(&nd(PEER, ALL_NODES, &moved(flags)));
    say(&mut host, &socket, b"where are you?");
    assert_eq!(host.hear().link.dst, OTHER_MAC);
}

/// 7.3: after ReachableTime a packet is sent all the same; five seconds later the neighbor is asked alone,
/// three times, and forgotten.
#[test]
fn a_neighbor_that_falls_silent_is_probed_and_forgotten() {
    let (mut host, socket) = acquainted();
    host.silence(Duration::from_secs(60));
    say(&mut host, &socket, b"still there?");
    assert_eq!(host.hear().link.dst, PEER_MAC);
    host.silence(Duration::from_millis(4_999));
    for _ in 0..3 {
        let heard = host.hear_within(Duration::from_secs(1)).expect("a probe");
        assert_eq!((heard.link.dst, heard.header.dst), (PEER_MAC, PEER));
        assert_eq!(heard.solicitation().0, PEER);
    }
    host.silence(Duration::from_secs(5));
    say(&mut host, &socket, b"hello?");
    assert_eq!(host.hear().header.dst, solicited_node(PEER));
}

#[test]
fn a_neighbor_that_answers_its_probe_is_reachable_again() {
    let (mut host, socket) = acquainted();
    host.silence(Duration::from_secs(60));
    say(&mut host, &socket, b"still there?");
    host.hear();
    let heard = host.hear_within(Duration::from_secs(5)).expect("a probe");
    let answer = NdiscMessage::NeighborAdvertisement {
        target: PEER,
        flags: SOLICITED,
        options: NdiscOptions::NONE,
    };
    host.send(&nd(PEER, heard.header.src, &answer));
    host.silence(Duration::from_secs(10));
    say(&mut host, &socket, b"good");
    assert_eq!(host.hear().link.dst, PEER_MAC);
    host.silence(Duration::from_secs(4));
}

#[test]
fn a_group_is_sent_to_without_a_question() {
    let mut host = Host::up();
    let socket = udp_socket(&host);
    send_datagram(&mut host, &socket, (ip("ff02::fb"), 5_353), b"hello all").unwrap();
    let heard = host.hear();
    assert_eq!(heard.link.dst, EthernetAddress([0x33, 0x33, 0, 0, 0, 0xfb]));
    // RFC 6724: the source has the scope of the group.
    assert_eq!(heard.header.src, ip("fe80::ff:fe00:1"));
}

#[test]
fn a_link_local_neighbor_is_asked_for_from_the_link_local_address() {
    let mut host = Host::up();
    let socket = udp_socket(&host);
    send_datagram(&mut host, &socket, (ip("fe80::2"), 9), b"hello").unwrap();
    let heard = host.hear();
    assert_eq!(heard.header.src, ip("fe80::ff:fe00:1"));
    assert_eq!(heard.solicitation().0, ip("fe80::2"));
}
