//! Which socket a datagram finds.

use super::*;
use crate::engine::Deed;

/// A UDP socket that shares its port with others, not bound yet.
fn open(engine: &mut Engine<'_>) -> SocketKey {
    let buffers = || (vec![UdpPacketMetadata::EMPTY; 8].into(), vec![0; 64].into());
    let socket = engine.udp_open(buffers(), buffers());
    let socket = socket.expect("there is a slot");
    Udp::of_mut(engine, socket).unwrap().set_port_shared(true);
    socket
}

fn bind(engine: &mut Engine<'_>, socket: SocketKey, addr: Option<Ipv4Addr>) {
    let addr = addr.map(IpAddress::from);
    let local = IpListenEndpoint { addr, port: PORT };
    engine.udp_bind(socket, local).unwrap();
}

/// A sends a datagram to B: which of B's sockets get it.
fn finds(pair: &mut Pair, from: SocketKey, sockets: &[SocketKey]) -> Vec<SocketKey> {
    finds_at(pair, from, B, sockets)
}

/// The same for one to any address.
fn finds_at(
    pair: &mut Pair,
    from: SocketKey,
    to: Ipv4Addr,
    sockets: &[SocketKey],
) -> Vec<SocketKey> {
    let to = IpEndpoint::new(to.into(), PORT);
    Udp::send(&mut pair.engines[0], from, &to.into(), 1, |_| (1, ())).unwrap();
    pair.drive();
    let b = &mut pair.engines[1];
    let mut found = Vec::new();
    for &socket in sockets {
        let queues = Udp::queues_mut(Udp::of_mut(b, socket).unwrap());
        if !queues.received().is_empty() {
            queues.received_mut().pop();
            found.push(socket);
        }
    }
    found
}

#[test]
fn a_datagram_finds_whoever_fits_best_by_now() {
    let mut pair = Pair::new(Medium::Ip);
    let a = open(&mut pair.engines[0]);
    bind(&mut pair.engines[0], a, None);
    let all: [SocketKey; 4] = core::array::from_fn(|_| open(&mut pair.engines[1]));
    let [any, at, connected, elsewhere] = all;

    bind(&mut pair.engines[1], any, None);
    assert_eq!(finds(&mut pair, a, &all), [any]);
    assert_eq!(finds(&mut pair, a, &all), [any]);
    // Rivals come, and go.
    bind(&mut pair.engines[1], at, Some(B));
    assert_eq!(finds(&mut pair, a, &all), [at]);
    bind(&mut pair.engines[1], connected, None);
    let peer = IpEndpoint::new(A.into(), PORT);
    pair.engines[1].udp_connect(connected, peer).unwrap();
    assert_eq!(finds(&mut pair, a, &all), [connected]);
    pair.engines[1].udp_close(connected);
    assert_eq!(finds(&mut pair, a, &all), [at]);
    pair.engines[1].udp_close(at);
    assert_eq!(finds(&mut pair, a, &all), [any]);
    // The one that had the last one is connected to another, and is bound elsewhere.
    let another = IpEndpoint::new(A.into(), PORT + 1);
    pair.engines[1].udp_connect(any, another).unwrap();
    assert_eq!(finds(&mut pair, a, &all), []);
    pair.engines[1].udp_close(any);
    bind(&mut pair.engines[1], elsewhere, Some(Ipv4Addr::LOCALHOST));
    assert_eq!(finds(&mut pair, a, &all), []);
    bind(&mut pair.engines[1], any, Some(B));
    assert_eq!(finds(&mut pair, a, &all), [any]);
    pair.engines[1].udp_close(elsewhere);
    assert_eq!(finds(&mut pair, a, &all), [any]);
}

#[test]
fn a_slot_that_had_the_last_datagram_is_of_no_use_to_its_next_owner() {
    let mut pair = Pair::new(Medium::Ip);
    let a = open(&mut pair.engines[0]);
    bind(&mut pair.engines[0], a, None);
    let first = open(&mut pair.engines[1]);
    bind(&mut pair.engines[1], first, None);
    assert_eq!(finds(&mut pair, a, &[first]), [first]);

    pair.engines[1].see_to(first, Deed::Drop);
    let second = open(&mut pair.engines[1]);
    pair.engines[1]
        .udp_bind(second, IpListenEndpoint::from(PORT + 1))
        .unwrap();
    let third = open(&mut pair.engines[1]);
    bind(&mut pair.engines[1], third, None);
    assert_eq!(finds(&mut pair, a, &[second, third]), [third]);
}

/// RFC 1122, section 2.3.2.2: "The link layer SHOULD save (rather than discard) at least one (the latest) packet of each
/// set of packets destined to the same unresolved IP address"; and who is silent holds up nobody else.
#[cfg(feature = "medium-ethernet")]
#[test]
fn a_datagram_waits_for_its_neighbor_and_those_to_others_do_not() {
    const SILENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);
    let mut pair = Pair::new(Medium::Ethernet);
    let [a, b] = [0, 1].map(|side| open(&mut pair.engines[side]));
    bind(&mut pair.engines[0], a, None);
    bind(&mut pair.engines[1], b, None);
    assert_eq!(finds_at(&mut pair, a, SILENT, &[b]), []);
    assert_eq!(finds(&mut pair, a, &[b]), [b]);
    assert_eq!(finds_at(&mut pair, a, SILENT, &[b]), []);
    assert_eq!(finds(&mut pair, a, &[b]), [b]);
}

#[test]
fn a_datagram_may_be_as_long_as_the_link_takes_where_routers_have_said_nothing() {
    let engine = engine(A, Medium::Ip);
    assert_eq!(engine.path_mtu(B.into()), Some(1_514));
}

/// RFC 1122, section 3.2.2.1: "2 (Protocol Unreachable), when the designated transport protocol is not supported".
#[test]
fn rfc1122_3_2_2_1_a_protocol_that_nobody_speaks_is_unreachable() {
    let mut pair = Pair::new(Medium::Ip);
    let a = open(&mut pair.engines[0]);
    bind(&mut pair.engines[0], a, None);
    assert_eq!(finds(&mut pair, a, &[]), []);
    let (_, mut packet) = pair.log[0].clone();
    packet[9] = 253;
    let mut meta = RxMeta::new();
    meta.checksum = cygnet_driver::RxChecksum::Valid;
    let b = &mut pair.engines[1];
    let (_, answer) = receive(b, pair.now, &packet, meta);
    let answer = answer.expect("an ICMP error");
    assert_eq!(answer[20..22], [3, 2]);
}

/// RFC 1700: "The current recommended default time to live (TTL) for the Internet Protocol (IP) is 64."
#[test]
fn rfc1700_a_datagram_may_take_64_hops() {
    let mut pair = Pair::new(Medium::Ip);
    let a = open(&mut pair.engines[0]);
    bind(&mut pair.engines[0], a, None);
    assert_eq!(finds(&mut pair, a, &[]), []);
    let (_, datagram) = &pair.log[0];
    assert_eq!(datagram[8], 64);
}

/// RFC 1112, section 4: "224.0.0.1 is assigned to the permanent group of all IP hosts (including gateways)."
#[cfg(not(feature = "multicast"))]
#[test]
fn rfc1112_without_membership_a_host_is_in_the_group_of_all_hosts_alone() {
    let mut pair = Pair::new(Medium::Ip);
    let [a, b] = [0, 1].map(|side| open(&mut pair.engines[side]));
    bind(&mut pair.engines[0], a, None);
    bind(&mut pair.engines[1], b, None);
    let [all_hosts, others] = [1, 5].map(|last| Ipv4Addr::new(224, 0, 0, last));
    assert_eq!(finds_at(&mut pair, a, all_hosts, &[b]), [b]);
    assert_eq!(finds_at(&mut pair, a, others, &[b]), []);
    assert_eq!(pair.engines[1].stats().discarded(Discard::NotOurGroup), 1);
}

const PORT: u16 = 7;

#[test]
fn what_a_dropped_socket_had_yet_to_send_is_sent_with_the_feature_alone() {
    let mut pair = Pair::new(Medium::Ip);
    let [a, b] = &mut pair.engines;
    let (from, at) = (open(a), open(b));
    bind(a, from, None);
    bind(b, at, None);
    let to = IpEndpoint::new(B.into(), PORT);
    Udp::send(a, from, &to.into(), 1, |_| (1, ())).unwrap();
    a.see_to(from, Deed::Drop);
    assert!(Udp::of(a, from).is_some() == cfg!(feature = "packet-linger"));
    pair.drive();
    let [a, b] = &mut pair.engines;
    assert!(Udp::of(a, from).is_none(), "its slot is free");
    let received = Udp::queues(Udp::of(b, at).unwrap()).received();
    assert_eq!(received.is_empty(), !cfg!(feature = "packet-linger"));
}
