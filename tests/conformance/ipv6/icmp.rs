//! Echo, and errors about what cannot be delivered (RFC 4443).

use core::time::Duration;

use cygnet::wire::{ChecksumMode, Icmpv6Unreachable, UdpHeader};
use cygnet::{Discard, RecvError};

use super::*;

const AT_PEER: IpEndpoint = IpEndpoint::new(cygnet::IpAddress::Ipv6(PEER), 9);

fn udp(src: Ipv6Addr, dst: Ipv6Addr, ports: (u16, u16), data: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; 8 + data.len()];
    UdpHeader::emit(
        &mut payload,
        ports.0,
        ports.1,
        src.into(),
        dst.into(),
        (data, &[]),
        ChecksumMode::Full,
    );
    packet(src, dst, IpProtocol::UDP, &payload)
}

/// A datagram of that length on its way, as it is on the wire.
fn sent(host: &mut Host, socket: &UdpSocket<'static>, len: usize) -> Vec<u8> {
    send_datagram(host, socket, AT_PEER, &vec![7; len]).unwrap();
    let mut heard = host.hear();
    if heard.header.next_header == IpProtocol::ICMPV6 {
        host.send(&advertisement(PEER, heard.header.src, SOLICITED));
        heard = host.hear();
    }
    let mut bytes = vec![0; 40];
    heard.header.emit(&mut bytes);
    bytes.extend(heard.payload);
    bytes
}

#[test]
fn echo_of_every_size_that_fits_a_frame() {
    let mut host = Host::up();
    for len in (0..1_452).step_by(7).chain([1_451, 1_452]) {
        let data: Vec<u8> = (0..len).map(|n| n as u8).collect();
        let (ident, seq) = (0x1234, len as u16);
        let request = Icmpv6Message::EchoRequest {
            ident,
            seq,
            data: &data,
        };
        host.send(&icmp(PEER, OURS, &request));
        let heard = host.hear();
        assert_eq!((heard.header.src, heard.header.dst), (OURS, PEER));
        assert_eq!(heard.header.hop_limit, 64);
        let reply = Icmpv6Message::EchoReply {
            ident,
            seq,
            data: &data,
        };
        assert_eq!(heard.icmp(), reply);
    }
}

#[test]
fn a_request_to_a_group_is_not_answered() {
    let mut host = Host::up();
    host.drops(&echo_request(PEER, ALL_NODES), Discard::UnknownIcmp);
}

#[test]
fn a_datagram_for_nobody_is_answered_with_port_unreachable() {
    let mut host = Host::up();
    let sent = udp(PEER, OURS, (5_000, 5_001), b"anybody there?");
    host.send(&sent);
    let expected = Icmpv6Message::DestinationUnreachable {
        code: Icmpv6Unreachable::Port,
        quote: &sent,
    };
    assert_eq!(host.hear().icmp(), expected);
    // Of a long one, as much as fits the least MTU.
    host.send(&udp(PEER, OURS, (5_000, 5_001), &[7; 1_400]));
    let heard = host.hear();
    assert_eq!(heard.payload.len() + 40, 1_280);
}

#[test]
fn no_error_about_a_packet_to_a_group() {
    let mut host = Host::up();
    let sent = udp(PEER, ALL_NODES, (5_000, 5_001), b"anybody there?");
    host.drops(&sent, Discard::NoSocket);
}

/// All hosts are in one group without being asked.
#[test]
fn a_datagram_to_all_hosts_is_received() {
    let mut host = Host::up();
    let socket = udp_socket(&host);
    host.send(&udp(PEER, ALL_NODES, (9, 5_000), b"hello all"));
    let cx = &mut Context::from_waker(Waker::noop());
    let mut buffer = [0; 16];
    let Poll::Ready(Ok((len, meta))) = socket.poll_recv_from(cx, &mut buffer) else {
        panic!("a datagram");
    };
    assert_eq!(&buffer[..len], b"hello all");
    assert_eq!(meta.local_address, Some(ALL_NODES.into()));
}

#[test]
fn no_error_about_an_error() {
    let mut host = Host::up();
    let quote = udp(OURS, PEER, (5_000, 5_001), b"nothing of the kind");
    let error = Icmpv6Message::DestinationUnreachable {
        code: Icmpv6Unreachable::Port,
        quote: &quote,
    };
    host.drops(&icmp(PEER, OURS, &error), Discard::UnmatchedIcmp);
    // An error behind an option that wants to be reported.
    let inner = icmp(PEER, OURS, &error);
    let payload = [&[58, 0, 0x9e, 4, 0, 0, 0, 0], &inner[40..]].concat();
    let sent = packet(PEER, OURS, IpProtocol::DESTINATION_OPTIONS, &payload);
    host.drops(&sent, Discard::ExtensionHeader);
}

/// RFC 8200, section 8.1: "receivers must discard UDP packets containing a zero checksum".
#[test]
fn rfc8200_a_datagram_without_checksum_is_dropped() {
    let mut host = Host::up();
    let _socket = udp_socket(&host);
    let mut sent = udp(PEER, OURS, (9, 5_000), b"hello");
    sent[46..48].fill(0);
    host.drops(&sent, Discard::BadChecksum);
}

#[test]
fn a_connected_socket_hears_of_unreachable_ports_and_hosts() {
    for (code, error) in [
        (Icmpv6Unreachable::Port, RecvError::Refused),
        (Icmpv6Unreachable::Address, RecvError::Unreachable),
    ] {
        let mut host = Host::up();
        let mut socket = udp_socket(&host);
        socket.connect((PEER, 9)).unwrap();
        let quote = sent(&mut host, &socket, 10);
        let message = Icmpv6Message::DestinationUnreachable {
            code,
            quote: &quote,
        };
        host.send(&icmp(PEER, OURS, &message));
        let cx = &mut Context::from_waker(Waker::noop());
        let heard = socket.poll_recv_from(cx, &mut [0; 16]);
        assert_eq!(heard, Poll::Ready(Err(error)));
    }
}

/// RFC 8201: what a router reports about our datagrams is kept for all to the destination, and longer ones go in
/// fragments from then on.
#[test]
fn rfc8201_a_datagram_that_is_too_big_is_followed_by_fragments() {
    let mut host = Host::up();
    let socket = udp_socket(&host);
    assert_eq!(host.stack().path_mtu(PEER.into()), Some(1_500));
    let quote = sent(&mut host, &socket, 1_452);
    let too_big = |mtu| Icmpv6Message::PacketTooBig {
        mtu,
        quote: &quote[..1_232],
    };
    host.send(&icmp(PEER, OURS, &too_big(1_400)));
    assert_eq!(host.stack().path_mtu(PEER.into()), Some(1_400));
    let next_header = |bytes: &[u8]| Ipv6Header::parse(bytes).unwrap().0.next_header;
    let whole = sent(&mut host, &socket, 1_352);
    assert_eq!((whole.len(), next_header(&whole)), (1_400, IpProtocol::UDP));
    let first = sent(&mut host, &socket, 1_353);
    assert_eq!(next_header(&first), IpProtocol::FRAGMENT);
    assert!(first.len() <= 1_400);
    assert_eq!(host.hear().header.next_header, IpProtocol::FRAGMENT);
    // Ten minutes later it is forgotten.
    host.let_pass(Duration::from_secs(601));
    assert_eq!(host.stack().path_mtu(PEER.into()), Some(1_500));
}

/// RFC 8201, section 4.
#[test]
fn rfc8201_a_report_of_less_than_the_least_mtu_is_discarded() {
    let mut host = Host::up();
    let socket = udp_socket(&host);
    let quote = sent(&mut host, &socket, 1_452);
    let message = Icmpv6Message::PacketTooBig {
        mtu: 1_279,
        quote: &quote[..1_232],
    };
    host.drops(&icmp(PEER, OURS, &message), Discard::Malformed);
    assert_eq!(host.stack().path_mtu(PEER.into()), Some(1_500));
}

#[test]
fn a_report_about_what_was_not_sent_is_not_believed() {
    let mut host = Host::up();
    let _socket = udp_socket(&host);
    for (src_port, len) in [(5_001, 1_452), (5_000, 1_000)] {
        let quote = udp(OURS, PEER, (src_port, 9), &vec![7; len]);
        let message = Icmpv6Message::PacketTooBig {
            mtu: 1_400,
            quote: &quote[..1_000],
        };
        host.send(&icmp(PEER, OURS, &message));
        assert_eq!(host.stack().path_mtu(PEER.into()), Some(1_500));
    }
}

#[test]
fn datagrams_of_one_socket_to_one_host_have_one_flow_label() {
    let mut host = Host::up();
    let socket = udp_socket(&host);
    let label = |bytes: &[u8]| Ipv6Header::parse(bytes).unwrap().0.flow_label;
    let first = label(&sent(&mut host, &socket, 10));
    assert_ne!(first, 0);
    assert_eq!(label(&sent(&mut host, &socket, 20)), first);
}

#[test]
fn addresses_of_two_versions_do_not_go_together() {
    let mut host = Host::up();
    let socket = udp_socket(&host);
    let mut to = UdpMetadata::from(AT_PEER);
    to.local_address = Some(core::net::Ipv4Addr::LOCALHOST.into());
    let refused = send_datagram(&mut host, &socket, to, b"hello");
    assert_eq!(refused, Err(SendError::NoRoute));
    let mapped = (ip("::ffff:192.0.2.1"), 9);
    let refused = send_datagram(&mut host, &socket, mapped, b"hello");
    assert_eq!(refused, Err(SendError::NoRoute));
    host.silence(Duration::from_secs(1));
}
