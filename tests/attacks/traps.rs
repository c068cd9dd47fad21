//! The traps that stacks have fallen into: single packets that no honest host sends. Each is dropped under the
//! name that its fault has, is answered by nothing, and what comes after it finds the stack as it was.
//!
//! Those of single protocols are told where their protocol's stories are: `conformance/ipv4.rs`, `fragments.rs`,
//! `groups.rs`, `icmp_errors.rs`, `ipv6/traps.rs` and `ipv6/extensions.rs`.

use core::net::{Ipv4Addr, Ipv6Addr};
use core::pin::pin;
use core::task::{Context, Waker};
use core::time::Duration;

use cygnet::wire::dns::MDNS_GROUP;
use cygnet::wire::{
    EtherType, EthernetAddress, EthernetHeader, IpProtocol, Ipv4Header, Ipv6Header,
};
use cygnet::{
    Config, ConfigV4, DhcpConfig, Discard, DnsSocket, InterfaceIdentifiers, Ipv4Cidr, Ipv6Cidr,
    StaticConfigV4, StaticConfigV6,
};
use cygnet_driver::Medium;
use cygnet_link::PortConfig;
use cygnet_tests::{Bench, repair_checksums};

const OURS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
const PEER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const OURS_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
const PEER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const ROUTER_V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const OUR_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
const PEER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);

/// A stack of both versions, with an address of each in use.
struct Victim(Bench);

impl Victim {
    fn new() -> Self {
        let addresses = StaticConfigV4::new(Ipv4Cidr::new(OURS, 24)).with_dns_server(PEER);
        Self::with(addresses.into())
    }

    fn with(ipv4: ConfigV4) -> Self {
        let mut config = Config::new();
        config.ipv4 = ipv4;
        config.ipv6 = StaticConfigV6::new(Ipv6Cidr::new(OURS_V6, 64)).into();
        config.interface_identifiers = InterfaceIdentifiers::Eui64;
        let ports = [OUR_MAC, PEER_MAC].map(|mac| PortConfig::ethernet(mac.0));
        let mut victim = Self(Bench::new(config, ports));
        victim.pass(Duration::from_secs(3));
        victim
    }

    /// Whatever is sent meanwhile is of no interest.
    fn pass(&mut self, time: Duration) {
        let end = self.0.now() + time;
        while self.0.now() < end {
            let left = end - self.0.now();
            self.0.receive(left);
        }
    }

    /// The packet, its checksums made right, is dropped for that reason alone, and nothing comes back.
    fn drops(&mut self, packet: &[u8], reason: Discard) {
        let mut frame = framed(packet);
        repair_checksums(Medium::Ethernet, &mut frame);
        self.drops_frame(&frame, reason);
    }

    fn drops_frame(&mut self, frame: &[u8], reason: Discard) {
        let stack = self.0.stack;
        let before = stack.stats();
        self.0.transmit(frame);
        let after = stack.stats();
        let dropped = after.discarded(reason) - before.discarded(reason);
        assert_eq!(dropped, 1, "not dropped as {reason:?}: {after:?}");
        assert_eq!(after.discarded_total() - before.discarded_total(), 1);
        let answer = self.0.receive(Duration::ZERO);
        assert!(answer.is_none(), "{answer:?}");
    }
}

fn framed(packet: &[u8]) -> Vec<u8> {
    let (ethertype, dst) = if packet[0] >> 4 == 6 {
        let dst = Ipv6Addr::from(<[u8; 16]>::try_from(&packet[24..40]).unwrap());
        let group = EthernetAddress::for_ipv6_multicast(dst);
        (EtherType::IPV6, dst.is_multicast().then_some(group))
    } else {
        let dst = Ipv4Addr::new(packet[16], packet[17], packet[18], packet[19]);
        let group = EthernetAddress::for_ipv4_multicast(dst);
        (EtherType::IPV4, dst.is_multicast().then_some(group))
    };
    let mut frame = vec![0; 14];
    let dst = dst.unwrap_or(OUR_MAC);
    EthernetHeader {
        dst,
        src: PEER_MAC,
        ethertype,
    }
    .emit(&mut frame);
    frame.extend(packet);
    frame
}

fn ipv4(src: Ipv4Addr, dst: Ipv4Addr, protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 20];
    Ipv4Header {
        src,
        dst,
        protocol,
        hop_limit: 1,
        dscp_ecn: 0,
        ident: 7,
        dont_fragment: false,
        more_fragments: false,
        fragment_offset: 0,
        header_len: 20,
        payload_len: payload.len(),
    }
    .emit(&mut packet);
    packet.extend(payload);
    packet
}

fn ipv6(
    (src, dst): (Ipv6Addr, Ipv6Addr),
    next_header: IpProtocol,
    hop_limit: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut packet = vec![0; 40];
    Ipv6Header {
        src,
        dst,
        next_header,
        hop_limit,
        dscp_ecn: 0,
        flow_label: 0,
        payload_len: payload.len(),
    }
    .emit(&mut packet);
    packet.extend(payload);
    packet
}

/// A datagram from port 9, its length as said and its checksum not there yet.
fn udp(port: u16, len: u16, data: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0, 9];
    datagram.extend(port.to_be_bytes());
    datagram.extend(len.to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(data);
    datagram
}

/// A connection request to port 80 with these bytes as options, and the header's length in words.
fn syn(words: u8, options: &[u8]) -> Vec<u8> {
    let mut segment = vec![0x0f, 0xa0, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0];
    segment.extend([words << 4, 2, 0x10, 0, 0, 0, 0, 0]);
    segment.extend(options);
    segment
}

#[test]
fn tcp_headers_longer_than_their_segments_or_shorter_than_themselves() {
    let mut victim = Victim::new();
    for words in [0, 4, 6, 15] {
        let segment = syn(words, &[]);
        let over_v4 = ipv4(PEER, OURS, IpProtocol::TCP, &segment);
        victim.drops(&over_v4, Discard::Malformed);
        let over_v6 = ipv6((PEER_V6, OURS_V6), IpProtocol::TCP, 64, &segment);
        victim.drops(&over_v6, Discard::Malformed);
    }
}

#[test]
fn tcp_options_of_no_length_or_beyond_the_header() {
    let mut victim = Victim::new();
    for options in [
        [2, 0, 5, 180],
        [2, 1, 5, 180],
        [2, 5, 5, 180],
        [1, 1, 1, 2],
        [8, 255, 0, 0],
        [5, 0, 0, 0],
    ] {
        let segment = syn(6, &options);
        let packet = ipv4(PEER, OURS, IpProtocol::TCP, &segment);
        victim.drops(&packet, Discard::Malformed);
    }
}

/// "Land": the stack would talk to itself for ever.
#[test]
fn a_connection_request_from_our_own_address_and_port() {
    let mut victim = Victim::new();
    let mut segment = syn(5, &[]);
    segment[..2].copy_from_slice(&[0, 80]);
    victim.drops(
        &ipv4(OURS, OURS, IpProtocol::TCP, &segment),
        Discard::Martian,
    );
    let over_v6 = ipv6((OURS_V6, OURS_V6), IpProtocol::TCP, 64, &segment);
    victim.drops(&over_v6, Discard::Martian);
}

#[test]
fn sources_that_are_many_or_nobody() {
    let mut victim = Victim::new();
    for src in [
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(10, 0, 0, 255),
        Ipv4Addr::new(224, 0, 0, 1),
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::new(240, 0, 0, 1),
    ] {
        let packet = ipv4(src, OURS, IpProtocol::TCP, &syn(5, &[]));
        victim.drops(&packet, Discard::Martian);
    }
    for src in [ALL_NODES, Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED] {
        let packet = ipv6((src, OURS_V6), IpProtocol::TCP, 64, &syn(5, &[]));
        victim.drops(&packet, Discard::Martian);
    }
}

#[test]
fn destinations_that_are_on_no_wire() {
    let mut victim = Victim::new();
    for dst in [
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::new(240, 0, 0, 1),
    ] {
        let packet = ipv4(PEER, dst, IpProtocol::TCP, &syn(5, &[]));
        victim.drops(&packet, Discard::Martian);
    }
    for dst in [Ipv6Addr::LOCALHOST, Ipv6Addr::UNSPECIFIED] {
        let packet = ipv6((PEER_V6, dst), IpProtocol::TCP, 64, &syn(5, &[]));
        victim.drops(&packet, Discard::Martian);
    }
}

#[test]
fn ipv4_headers_that_lie_about_lengths() {
    let mut victim = Victim::new();
    let honest = ipv4(PEER, OURS, IpProtocol::UDP, &udp(7, 12, b"test"));
    // The header's length in words, and all of it in bytes.
    for (words, total) in [
        (0, 32),
        (4, 32),
        (15, 32),
        (5, 19),
        (5, 0),
        (5, 33),
        (9, 32),
    ] {
        let mut packet = honest.clone();
        packet[0] = 0x40 | words;
        packet[3] = total;
        victim.drops(&packet, Discard::Malformed);
    }
}

/// RFC 768: the length is "the length in octets of this user datagram including this header".
#[test]
fn datagrams_that_lie_about_their_length() {
    let mut victim = Victim::new();
    for len in [0, 7, 13, 0xffff] {
        let datagram = udp(7, len, b"test");
        let over_v4 = ipv4(PEER, OURS, IpProtocol::UDP, &datagram);
        victim.drops(&over_v4, Discard::Malformed);
        let over_v6 = ipv6((PEER_V6, OURS_V6), IpProtocol::UDP, 64, &datagram);
        victim.drops(&over_v6, Discard::Malformed);
    }
}

/// RFC 2675: a jumbogram says that its length is 0, and the real one in an option. Here links are too small.
#[test]
fn a_packet_of_ipv6_without_length() {
    let mut victim = Victim::new();
    let jumbo = [58, 0, 0xc2, 4, 0, 1, 0, 0, 128, 0, 0, 0, 0, 1, 0, 1];
    let mut packet = ipv6((PEER_V6, OURS_V6), IpProtocol::HOP_BY_HOP, 64, &jumbo);
    packet[4..6].copy_from_slice(&[0, 0]);
    victim.drops(&packet, Discard::Malformed);
    for protocol in [IpProtocol::TCP, IpProtocol::UDP, IpProtocol::ICMPV6] {
        let packet = ipv6((PEER_V6, OURS_V6), protocol, 64, &[]);
        victim.drops(&packet, Discard::Malformed);
    }
}

/// RFC 4861, sections 6.1 and 8.1: hop limit 255, else they have passed a router.
#[test]
fn what_routers_say_from_beyond_the_link() {
    let mut victim = Victim::new();
    let to_all = (ROUTER_V6, ALL_NODES);
    let advertisement = [134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    let invalid = Discard::InvalidNeighborMessage;
    victim.drops(
        &ipv6(to_all, IpProtocol::ICMPV6, 254, &advertisement),
        invalid,
    );
    let mut redirect = vec![137, 0, 0, 0, 0, 0, 0, 0];
    redirect.extend(ROUTER_V6.octets());
    redirect.extend(PEER_V6.octets());
    let to_us = (ROUTER_V6, OURS_V6);
    victim.drops(&ipv6(to_us, IpProtocol::ICMPV6, 254, &redirect), invalid);
    let mut claim = vec![136, 0, 0, 0, 0x60, 0, 0, 0];
    claim.extend(PEER_V6.octets());
    victim.drops(&ipv6(to_us, IpProtocol::ICMPV6, 254, &claim), invalid);
}

/// RFC 4861, section 4.6: "Nodes MUST silently discard an ND packet that contains an option with length zero."
#[test]
fn neighbor_discovery_options_of_no_length_or_beyond_the_message() {
    let mut victim = Victim::new();
    for option in [[1, 0, 2, 0, 0, 0, 0, 1], [1, 2, 2, 0, 0, 0, 0, 1]] {
        let mut message = vec![134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
        message.extend(option);
        let to_all = (ROUTER_V6, ALL_NODES);
        let packet = ipv6(to_all, IpProtocol::ICMPV6, 255, &message);
        victim.drops(&packet, Discard::Malformed);
        let mut message = vec![135, 0, 0, 0, 0, 0, 0, 0];
        message.extend(OURS_V6.octets());
        message.extend(option);
        let to_us = (PEER_V6, OURS_V6);
        let packet = ipv6(to_us, IpProtocol::ICMPV6, 255, &message);
        victim.drops(&packet, Discard::Malformed);
    }
}

/// RFC 1122, section 3.2.2, and RFC 4443, section 2.4 (e.1): two stacks would answer each other for ever.
#[test]
fn errors_about_errors() {
    let mut victim = Victim::new();
    // An error about an error that we would have sent.
    let inner = ipv4(OURS, PEER, IpProtocol::ICMP, &[3, 3, 0, 0, 0, 0, 0, 0]);
    let error = [&[3, 3, 0, 0, 0, 0, 0, 0], &inner[..]].concat();
    let packet = ipv4(PEER, OURS, IpProtocol::ICMP, &error);
    victim.drops(&packet, Discard::UnmatchedIcmp);
    let inner = [1, 4, 0, 0, 0, 0, 0, 0];
    let inner = ipv6((OURS_V6, PEER_V6), IpProtocol::ICMPV6, 64, &inner);
    let error = [&[1, 4, 0, 0, 0, 0, 0, 0], &inner[..]].concat();
    let packet = ipv6((PEER_V6, OURS_V6), IpProtocol::ICMPV6, 64, &error);
    victim.drops(&packet, Discard::UnmatchedIcmp);
}

/// What an error quotes may end anywhere, or be nothing.
#[test]
fn errors_about_half_a_packet() {
    let mut victim = Victim::new();
    let inner = ipv4(OURS, PEER, IpProtocol::TCP, &syn(5, &[]));
    let inner_v6 = ipv6((OURS_V6, PEER_V6), IpProtocol::TCP, 64, &syn(5, &[]));
    // Up to the headers' ends it is no packet, and then one that nobody sent.
    let reason = |len: usize, header: usize| match len < header + 8 {
        true => Discard::Malformed,
        false => Discard::UnmatchedIcmp,
    };
    for len in 0..=inner.len() {
        let error = [&[3, 3, 0, 0, 0, 0, 0, 0], &inner[..len]].concat();
        let packet = ipv4(PEER, OURS, IpProtocol::ICMP, &error);
        victim.drops(&packet, reason(len, 20));
    }
    for len in 0..=inner_v6.len() {
        let error = [&[1, 4, 0, 0, 0, 0, 0, 0], &inner_v6[..len]].concat();
        let packet = ipv6((PEER_V6, OURS_V6), IpProtocol::ICMPV6, 64, &error);
        victim.drops(&packet, reason(len, 40));
    }
}

/// A query for more sources than it has; and an option in its IPv4 header that has no length, before the
/// router alert.
#[test]
fn group_queries_that_lie() {
    let mut victim = Victim::new();
    let all = Ipv4Addr::new(224, 0, 0, 1);
    let with_options = |options: [u8; 4], message: &[u8]| {
        let mut packet = ipv4(PEER, all, IpProtocol::IGMP, message);
        packet.splice(20..20, options);
        packet[0] = 0x46;
        packet[3] += 4;
        packet
    };
    for count in [[0, 1], [0xff, 0xff]] {
        let query = [&[0x11, 10, 0, 0, 239, 1, 2, 3, 2, 125], &count[..]].concat();
        let packet = with_options([0x94, 4, 0, 0], &query);
        victim.drops(&packet, Discard::Malformed);
    }
    let query = [0x11, 10, 0, 0, 0, 0, 0, 0];
    for options in [[0x94, 0, 0, 0], [7, 0, 0x94, 4], [7, 9, 0x94, 4]] {
        victim.drops(&with_options(options, &query), Discard::Malformed);
    }
}

/// Of a message of DHCP to port 68, the fixed part.
fn dhcp_reply() -> Vec<u8> {
    let mut message = vec![0; 240];
    message[..4].copy_from_slice(&[2, 1, 6, 0]);
    message[28..34].copy_from_slice(&OUR_MAC.0);
    message[236..240].copy_from_slice(&[99, 130, 83, 99]);
    message
}

#[test]
fn dhcp_options_of_no_length_or_beyond_the_message() {
    let mut victim = Victim::with(ConfigV4::Dhcp(DhcpConfig::new()));
    let send = |options: &[u8]| {
        let message = [&dhcp_reply(), options].concat();
        let mut datagram = udp(68, 8 + message.len() as u16, &message);
        datagram[..2].copy_from_slice(&[0, 67]);
        ipv4(PEER, Ipv4Addr::BROADCAST, IpProtocol::UDP, &datagram)
    };
    let frame = |options: &[u8]| {
        let mut frame = framed(&send(options));
        frame[..6].copy_from_slice(&EthernetAddress::BROADCAST.0);
        repair_checksums(Medium::Ethernet, &mut frame);
        frame
    };
    // The kind of message has no length; an option reaches beyond; it has no length byte; the field for the
    // file name is said to have options, and has them beyond its end.
    for options in [
        &[53, 0, 255][..],
        &[53, 1, 2, 51, 200, 0, 0],
        &[53, 1, 2, 51],
        &[53, 1, 2, 52, 0, 255],
        &[53, 1, 2, 52, 1, 9, 255],
    ] {
        victim.drops_frame(&frame(options), Discard::Malformed);
    }
    // It says all that it should, to a question that was not asked.
    let honest = [53, 1, 2, 54, 4, 10, 0, 0, 1, 51, 4, 0, 0, 0, 60, 255];
    victim.drops_frame(&frame(&honest), Discard::UnmatchedDhcp);
}

/// RFC 1035, section 4.1.4, says nothing of pointers to themselves, to each other, or ahead.
fn with_loop(which: usize) -> Vec<u8> {
    let mut message = vec![0, 0, 0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0];
    let names: [&[u8]; 4] = [
        &[0xc0, 12],
        &[1, b'a', 0xc0, 12],
        &[0xc0, 14, 0xc0, 12],
        &[0xc0, 40],
    ];
    message.extend(names[which]);
    message.extend([0, 1, 0, 1]);
    message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 9]);
    message.resize(60, 0);
    message
}

#[test]
fn names_in_circles_from_a_dns_server() {
    let mut victim = Victim::new();
    let socket = DnsSocket::new(victim.0.stack, vec![0; 1_024]).unwrap();
    let mut asking = pin!(socket.resolve("www.example.org"));
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(asking.as_mut().poll(cx).is_pending());
    // The peer is asked for by ARP, and says who it is.
    let question = loop {
        let frame = victim.0.receive(Duration::ZERO).expect("a question");
        if frame[12..14] == [8, 6] {
            let mut answer = frame.clone();
            (answer[..6]).copy_from_slice(&OUR_MAC.0);
            answer[6..12].copy_from_slice(&PEER_MAC.0);
            answer[21] = 2;
            answer[22..28].copy_from_slice(&PEER_MAC.0);
            answer[28..32].copy_from_slice(&PEER.octets());
            answer[32..38].copy_from_slice(&OUR_MAC.0);
            answer[38..42].copy_from_slice(&OURS.octets());
            victim.0.transmit(&answer);
        } else {
            break frame;
        }
    };
    let (port, number) = (&question[34..36], &question[42..44]);
    for which in 0..4 {
        let mut message = with_loop(which);
        message[..2].copy_from_slice(number);
        let mut datagram = udp(0, 8 + message.len() as u16, &message);
        datagram[..2].copy_from_slice(&[0, 53]);
        datagram[2..4].copy_from_slice(port);
        let packet = ipv4(PEER, OURS, IpProtocol::UDP, &datagram);
        victim.drops(&packet, Discard::UnmatchedDns);
    }
    assert!(asking.as_mut().poll(cx).is_pending());
}

#[test]
fn names_in_circles_by_multicast_dns() {
    let mut victim = Victim::new();
    victim.0.stack.set_mdns_host(Some("cygnet")).unwrap();
    victim.0.settle();
    victim.pass(Duration::from_secs(5));
    for which in 0..4 {
        let message = with_loop(which);
        let mut datagram = udp(5_353, 8 + message.len() as u16, &message);
        datagram[..2].copy_from_slice(&5_353u16.to_be_bytes());
        let mut packet = ipv4(PEER, MDNS_GROUP, IpProtocol::UDP, &datagram);
        packet[8] = 255;
        victim.drops(&packet, Discard::Malformed);
    }
}
