//! Routers that mark packets in place of dropping them (RFC 3168).

use std::cell::Cell;
use std::rc::Rc;

use cygnet::wire::{Ecn, IpProtocol, TcpFlags, TcpSegment};
use cygnet::{Duration, EcnPolicy, TcpSocket};
use cygnet_tests::{
    Middlebox, Setup, Verdict, assert_same_bytes, pattern, receive_to_end, send_all,
};
use embassy_futures::join::join;

const LEN: usize = 300_000;

fn path(client: EcnPolicy, server: EcnPolicy) -> Middlebox {
    Middlebox::new(1, |n| {
        let link = cygnet_link::Impairments::new().delay(Duration::from_millis(5));
        let mut setup = Setup::tunnel(n).impaired(link);
        setup.config.ecn = [client, server][n];
        setup
    })
}

async fn connected(path: &Middlebox) -> (TcpSocket<'static>, TcpSocket<'static>) {
    let mut client = path.client.tcp_with(65_535, 65_535);
    let mut server = path.server.tcp_with(65_535, 65_535);
    let (accepted, connected) = join(server.accept(80), client.connect(path.server.at(80))).await;
    accepted.expect("the server accepts");
    connected.expect("the client connects");
    (client, server)
}

fn transfer(path: &Middlebox, client: &mut TcpSocket<'_>, server: &mut TcpSocket<'_>) {
    let data = pattern(1, LEN);
    let (_, received) = path.run(join(send_all(client, &data), receive_to_end(server)));
    assert_same_bytes(&received, &data, "from the client");
}

#[test]
fn it_takes_two_to_agree() {
    use EcnPolicy::{Accept, Off, Request};
    for (client, server, agreed) in [
        (Request, Request, true),
        (Request, Accept, true),
        (Request, Off, false),
        (Accept, Request, false),
        (Accept, Accept, false),
        (Off, Request, false),
    ] {
        let path = path(client, server);
        let sockets = path.run(connected(&path));
        let info = (sockets.0.info().unwrap().ecn, sockets.1.info().unwrap().ecn);
        assert_eq!(info, (agreed, agreed), "{client:?} and {server:?}");
    }
}

#[test]
fn marks_slow_a_sender_down_and_cost_no_packet() {
    let path = path(EcnPolicy::Request, EcnPolicy::Accept);
    let (mut client, mut server) = path.run(connected(&path));
    let (marked, reduced) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (marks, answers) = (marked.clone(), reduced.clone());
    path.rule(move |packet| {
        let segment = TcpSegment::parse(&packet.payload).unwrap();
        let is_data = !segment.payload.is_empty();
        assert_eq!(
            packet.header.ecn() == Ecn::ECT_0,
            packet.from_client && is_data,
            "new data and nothing else is marked as capable"
        );
        if segment.header.flags.contains(TcpFlags::CWR) {
            answers.set(answers.get() + 1);
        }
        if is_data && packet.from_client {
            marks.set(marks.get() + 1);
            // Two in one window, twenty segments into the stream, and one much later.
            if [20, 21, 120].contains(&marks.get()) {
                packet.mark();
            }
        }
        Verdict::Pass
    });
    transfer(&path, &mut client, &mut server);
    assert_eq!(reduced.get(), 2, "once for each window that had marks");
    let info = client.info().unwrap();
    assert_eq!(info.retransmits, 0);
    assert!(info.ssthresh < 1 << 20, "{info:?}");
}

#[test]
fn the_echo_goes_on_until_the_sender_has_reacted() {
    let path = path(EcnPolicy::Request, EcnPolicy::Accept);
    let (mut client, mut server) = path.run(connected(&path));
    let (seen, echoing) = (Cell::new(0), Rc::new(Cell::new(false)));
    let (echoed, expected) = (Rc::new(Cell::new(0)), echoing.clone());
    let count = echoed.clone();
    path.rule(move |packet| {
        let segment = TcpSegment::parse(&packet.payload).unwrap();
        let flags = segment.header.flags;
        if packet.from_client {
            seen.set(seen.get() + 1);
            if seen.get() == 30 {
                packet.mark();
                expected.set(true);
            }
            if flags.contains(TcpFlags::CWR) {
                expected.set(false);
            }
        } else if flags.contains(TcpFlags::ECE) {
            count.set(count.get() + 1);
        }
        Verdict::Pass
    });
    transfer(&path, &mut client, &mut server);
    assert!(echoed.get() > 1, "{} echoes", echoed.get());
    assert!(!echoing.get(), "the sender reacted");
}

#[test]
fn a_network_that_drops_requests_gets_a_plain_one() {
    let path = path(EcnPolicy::Request, EcnPolicy::Accept);
    path.rule(|packet| {
        let flags = TcpSegment::parse(&packet.payload).unwrap().header.flags;
        let asks = flags.contains(TcpFlags::SYN | TcpFlags::ECE);
        if asks { Verdict::Drop } else { Verdict::Pass }
    });
    let (mut client, mut server) = path.run(connected(&path));
    assert!(!client.info().unwrap().ecn && !server.info().unwrap().ecn);
    transfer(&path, &mut client, &mut server);
}

#[test]
fn a_peer_that_mirrors_the_request_does_not_understand_it() {
    let path = path(EcnPolicy::Request, EcnPolicy::Off);
    path.rule(|packet| {
        let flags = TcpSegment::parse(&packet.payload).unwrap().header.flags;
        if flags.contains(TcpFlags::SYN | TcpFlags::ACK) {
            flip(&mut packet.payload, TcpFlags::ECE | TcpFlags::CWR);
        }
        Verdict::Pass
    });
    let (client, _server) = path.run(connected(&path));
    assert!(!client.info().unwrap().ecn);
}

#[test]
fn a_lossy_path_loses_no_byte_and_repeats_without_the_capability() {
    let path = path(EcnPolicy::Request, EcnPolicy::Accept);
    let (mut client, mut server) = path.run(connected(&path));
    let (mut n, mut highest) = (0, None);
    path.rule(move |packet| {
        if !packet.from_client || packet.header.protocol != IpProtocol::TCP {
            return Verdict::Pass;
        }
        let segment = TcpSegment::parse(&packet.payload).unwrap();
        let seq = segment.header.seq;
        let repeated = highest.is_some_and(|highest| seq.before(highest));
        if repeated && !segment.payload.is_empty() {
            assert_eq!(packet.header.ecn(), Ecn::NOT_ECT);
        }
        let end = seq + segment.payload.len() as u32;
        highest = Some(highest.map_or(end, |highest| end.max(highest)));
        n += 1;
        if n % 11 == 0 {
            return Verdict::Drop;
        }
        if n % 7 == 0 && packet.header.ecn() == Ecn::ECT_0 {
            packet.mark();
        }
        Verdict::Pass
    });
    transfer(&path, &mut client, &mut server);
}

/// Turns control bits round, and mends the checksum.
fn flip(segment: &mut [u8], flags: TcpFlags) {
    let field = |segment: &[u8]| u16::from_be_bytes([segment[12], segment[13]]);
    let old = field(segment);
    segment[13] ^= flags.bits();
    let new = field(segment);
    let checksum = u16::from_be_bytes([segment[16], segment[17]]);
    // RFC 1624, equation 3.
    let sum = u32::from(!checksum) + u32::from(!old) + u32::from(new);
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    segment[16..18].copy_from_slice(&(!(sum as u16)).to_be_bytes());
}
