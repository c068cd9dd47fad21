//! TCP over IPv6.

use core::time::Duration;

use cygnet::wire::{ChecksumMode, Icmpv6Unreachable, SeqNum, TcpFlags, TcpHeader, TcpSegment};
use cygnet::{ConnectError, Discard, TcpListener, TcpPool, TcpSocket, TcpState};

use super::*;

const PORT: u16 = 80;
const PEER_PORT: u16 = 40_000;

fn segment(src: Ipv6Addr, dst: Ipv6Addr, header: TcpHeader, text: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; header.len() + text.len()];
    let (s, d) = (src.into(), dst.into());
    header.emit(&mut payload, s, d, (text, &[]), ChecksumMode::Full);
    packet(src, dst, IpProtocol::TCP, &payload)
}

fn header(flags: TcpFlags, seq: u32, ack: u32) -> TcpHeader {
    TcpHeader {
        src_port: PEER_PORT,
        dst_port: PORT,
        seq: SeqNum::new(seq),
        ack: SeqNum::new(ack),
        flags,
        window: 65_535,
        ..TcpHeader::default()
    }
}

/// The segment in what was heard: its header and text.
fn tcp(heard: &Heard) -> (TcpHeader, Vec<u8>) {
    assert_eq!(heard.header.next_header, IpProtocol::TCP);
    let (src, dst) = (heard.header.src.into(), heard.header.dst.into());
    assert!(TcpSegment::verify_checksum(&heard.payload, src, dst));
    let segment = TcpSegment::parse(&heard.payload).expect("a segment");
    (segment.header, segment.payload.to_vec())
}

fn listener(host: &Host) -> TcpListener<'static> {
    let pool = Box::leak(Box::new(TcpPool::<2, 4_096, 4_096>::new()));
    let pool = host.stack().add_pool(pool).expect("room for a pool");
    TcpListener::bind(host.stack(), PORT, pool).expect("a free port")
}

fn client(host: &Host) -> TcpSocket<'static> {
    TcpSocket::new(host.stack(), vec![0; 8_192], vec![0; 8_192]).expect("a free slot")
}

type Attempt = core::pin::Pin<
    Box<dyn core::future::Future<Output = (Result<(), ConnectError>, TcpSocket<'static>)>>,
>;

/// The stack connects to the peer; what it said is there.
fn connecting(host: &mut Host) -> (Attempt, Heard) {
    let mut socket = client(host);
    let mut attempt: Attempt =
        Box::pin(async move { (socket.connect((PEER, PORT)).await, socket) });
    assert!(poll(&mut attempt).is_none());
    host.bench.settle();
    host.answer_solicitation(PEER);
    let syn = host.hear();
    (attempt, syn)
}

fn poll(attempt: &mut Attempt) -> Option<(Result<(), ConnectError>, TcpSocket<'static>)> {
    let cx = &mut Context::from_waker(Waker::noop());
    match attempt.as_mut().poll(cx) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// The peer's answer to a segment of ours.
fn answer(to: &Heard, flags: TcpFlags, seq: u32) -> TcpHeader {
    let (ours, text) = tcp(to);
    let syn = u32::from(ours.flags.contains(TcpFlags::SYN));
    TcpHeader {
        src_port: PORT,
        dst_port: ours.src_port,
        ack: ours.seq + (text.len() as u32 + syn),
        ..header(flags, seq, 0)
    }
}

/// A connection to the peer, and the number of the stack's next byte.
fn connected(host: &mut Host) -> (TcpSocket<'static>, Heard) {
    let (mut attempt, syn) = connecting(host);
    let mut reply = answer(&syn, TcpFlags::SYN | TcpFlags::ACK, 5_000);
    reply.options.mss = Some(1_440);
    host.send(&segment(PEER, OURS, reply, &[]));
    let ack = host.hear();
    let (result, socket) = poll(&mut attempt).expect("connected");
    result.expect("connected");
    (socket, ack)
}

#[test]
fn a_request_is_answered_and_the_connection_accepted() {
    let mut host = Host::up();
    let listener = listener(&host);
    host.send(&segment(PEER, OURS, header(TcpFlags::SYN, 100, 0), &[]));
    let heard = host.hear();
    let (syn_ack, _) = tcp(&heard);
    assert_eq!((heard.header.src, heard.header.dst), (OURS, PEER));
    assert!(syn_ack.flags.contains(TcpFlags::SYN | TcpFlags::ACK));
    // RFC 9293, section 3.7.1: twenty less than with IPv4.
    assert_eq!(syn_ack.options.mss, Some(1_440));
    assert_ne!(heard.header.flow_label, 0);
    let ack = header(TcpFlags::ACK, 101, (syn_ack.seq + 1).get());
    host.send(&segment(PEER, OURS, ack, b"hello"));
    let cx = &mut Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(mut socket)) = listener.poll_accept(cx) else {
        panic!("a connection");
    };
    let remote = socket.remote_endpoint().expect("connected");
    assert_eq!(remote, (PEER, PEER_PORT).into());
    let mut text = [0; 16];
    assert_eq!(socket.poll_read(cx, &mut text), Poll::Ready(Ok(5)));
    assert_eq!(&text[..5], b"hello");
}

/// RFC 6437, section 3: "the same Flow Label value" for all packets of a flow, the answer to a request too.
#[test]
fn rfc6437_a_connection_has_one_flow_label_and_another_one_has_another() {
    let mut host = Host::up();
    let listener = listener(&host);
    let mut labels = Vec::new();
    for port in [PEER_PORT, PEER_PORT + 1] {
        let of_port = |header: TcpHeader| TcpHeader {
            src_port: port,
            ..header
        };
        let syn = of_port(header(TcpFlags::SYN, 100, 0));
        host.send(&segment(PEER, OURS, syn, &[]));
        let heard = host.hear();
        let ack = header(TcpFlags::ACK, 101, (tcp(&heard).0.seq + 1).get());
        host.send(&segment(PEER, OURS, of_port(ack), &[]));
        let cx = &mut Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(mut socket)) = listener.poll_accept(cx) else {
            panic!("a connection");
        };
        assert!(socket.poll_write(cx, b"hello").is_ready());
        host.bench.settle();
        let mut said = host.hear();
        if said.header.next_header == IpProtocol::ICMPV6 {
            host.send(&advertisement(PEER, OURS, SOLICITED));
            said = host.hear();
        }
        assert_eq!(tcp(&said).1, b"hello");
        assert_eq!(said.header.flow_label, heard.header.flow_label);
        labels.push(heard.header.flow_label);
        std::mem::forget(socket);
    }
    assert_ne!(labels[0], labels[1]);
}

/// RFC 9293, section 3.9.2.3, MUST-57.
#[test]
fn a_request_to_a_group_is_dropped() {
    let mut host = Host::up();
    let _listener = listener(&host);
    let syn = segment(PEER, ALL_NODES, header(TcpFlags::SYN, 100, 0), &[]);
    host.drops(&syn, Discard::NotOurAddress);
}

/// RFC 9293, section 3.7.1, MUST-15: 1220 from a peer that names none.
#[test]
fn must_15_the_default_mss_is_that_of_ipv6() {
    let mut host = Host::up();
    let (mut attempt, syn) = connecting(&mut host);
    let reply = answer(&syn, TcpFlags::SYN | TcpFlags::ACK, 5_000);
    host.send(&segment(PEER, OURS, reply, &[]));
    host.hear();
    let (_, mut socket) = poll(&mut attempt).expect("connected");
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(socket.poll_write(cx, &[7; 2_000]).is_ready());
    host.bench.settle();
    assert_eq!(tcp(&host.hear()).1.len(), 1_220);
}

#[test]
fn a_segment_without_a_whole_header_is_malformed() {
    let mut host = Host::up();
    let whole = segment(PEER, OURS, header(TcpFlags::SYN, 100, 0), &[]);
    for len in [0, 1, 19] {
        let mut cut = whole[..40 + len].to_vec();
        cut[4..6].copy_from_slice(&(len as u16).to_be_bytes());
        host.drops(&cut, Discard::Malformed);
    }
}

#[test]
fn a_closed_port_refuses() {
    let mut host = Host::up();
    host.send(&segment(PEER, OURS, header(TcpFlags::SYN, 100, 0), &[]));
    let (reset, _) = tcp(&host.hear());
    assert!(reset.flags.contains(TcpFlags::RST));
}

#[test]
fn a_hard_error_ends_an_attempt_and_a_soft_one_does_not() {
    for (code, ends) in [
        (Icmpv6Unreachable::Port, true),
        (Icmpv6Unreachable::NoRoute, false),
    ] {
        let mut host = Host::up();
        let (mut attempt, syn) = connecting(&mut host);
        let mut quote = vec![0; 40];
        syn.header.emit(&mut quote);
        quote.extend(&syn.payload);
        let message = Icmpv6Message::DestinationUnreachable {
            code,
            quote: &quote,
        };
        host.send(&icmp(PEER, OURS, &message));
        let result = poll(&mut attempt).map(|(result, _)| result);
        assert_eq!(result, ends.then_some(Err(ConnectError::Refused)));
    }
}

/// RFC 5927, section 4.1: the quoted number is one that is in flight.
#[test]
fn rfc5927_an_error_with_a_wrong_number_is_not_believed() {
    let mut host = Host::up();
    let (mut attempt, syn) = connecting(&mut host);
    let mut quote = vec![0; 40];
    syn.header.emit(&mut quote);
    quote.extend(&syn.payload);
    quote[44] ^= 0x40;
    let message = Icmpv6Message::DestinationUnreachable {
        code: Icmpv6Unreachable::Port,
        quote: &quote,
    };
    host.drops(&icmp(PEER, OURS, &message), Discard::UnmatchedIcmp);
    assert!(poll(&mut attempt).is_none());
}

/// RFC 8201: what is too big is sent again at once, in smaller segments.
#[test]
fn rfc8201_packet_too_big_makes_segments_smaller() {
    let mut host = Host::up();
    let (mut socket, _) = connected(&mut host);
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(socket.poll_write(cx, &[7; 1_440]).is_ready());
    host.bench.settle();
    let heard = host.hear();
    assert_eq!(tcp(&heard).1.len(), 1_440);
    let mut quote = vec![0; 40];
    heard.header.emit(&mut quote);
    quote.extend(&heard.payload);
    let message = Icmpv6Message::PacketTooBig {
        mtu: 1_300,
        quote: &quote[..1_232],
    };
    host.send(&icmp(ip("2001:db8::99"), OURS, &message));
    let again = host.hear();
    assert_eq!(tcp(&again).1.len(), 1_240);
    assert_eq!(tcp(&again).0.seq, tcp(&heard).0.seq);
    assert_eq!(host.stack().path_mtu(PEER.into()), Some(1_300));
}

/// A flood of requests is answered with cookies, and one that comes back opens a connection.
#[test]
fn cookies_carry_addresses_of_ipv6() {
    let mut host = Host::up();
    let listener = listener(&host);
    let mut answers = 0;
    for port in 0..1_000 {
        let syn = TcpHeader {
            src_port: 10_000 + port,
            ..header(TcpFlags::SYN, 100, 0)
        };
        host.send(&segment(PEER, OURS, syn, &[]));
        while host.hear_within(Duration::ZERO).is_some() {
            answers += 1;
        }
    }
    assert_eq!(answers, 1_000);
    assert!(host.stack().stats().syn_cookies_sent > 0);
    host.send(&segment(PEER, OURS, header(TcpFlags::SYN, 100, 0), &[]));
    let (syn_ack, _) = tcp(&host.hear());
    let ack = header(TcpFlags::ACK, 101, (syn_ack.seq + 1).get());
    host.send(&segment(PEER, OURS, ack, b"hello"));
    assert_eq!(host.stack().stats().syn_cookies_accepted, 1);
    let cx = &mut Context::from_waker(Waker::noop());
    assert!(matches!(listener.poll_accept(cx), Poll::Ready(Ok(_))));
}

#[test]
fn a_connection_ends_when_its_address_goes() {
    let mut host = Host::up();
    let (socket, _) = connected(&mut host);
    assert_eq!(socket.state(), TcpState::Established);
    host.stack()
        .set_config_v6(cygnet::ConfigV6::LinkLocal)
        .unwrap();
    assert_eq!(socket.state(), TcpState::Closed);
}

#[test]
fn a_connection_from_an_address_of_the_other_version_has_no_route() {
    let host = Host::up();
    let mut socket = client(&host);
    let mut attempt: Attempt = Box::pin(async move {
        let to = cygnet::IpEndpoint::from((core::net::Ipv4Addr::new(192, 0, 2, 1), 80));
        (socket.connect(to).await, socket)
    });
    let (result, _) = poll(&mut attempt).expect("refused at once");
    assert_eq!(result, Err(ConnectError::NoRoute));
}
