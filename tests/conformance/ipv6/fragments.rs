//! Packets in pieces (RFC 8200, section 4.5; RFC 5722; RFC 6946; RFC 7112).

use core::ops::Range;
use core::time::Duration;

use cygnet::wire::icmpv6::REASSEMBLY_TIME_EXCEEDED;
use cygnet::wire::{Icmpv6ParameterProblem, ipv6::MIN_MTU};

use super::*;

/// An echo request with so many bytes, as it stands behind the header.
fn long_request(len: usize) -> Vec<u8> {
    let data: Vec<_> = (0..len).map(|n| n as u8).collect();
    let request = Icmpv6Message::EchoRequest {
        ident: 7,
        seq: 1,
        data: &data,
    };
    icmp(PEER, OURS, &request)[40..].to_vec()
}

/// A part of what follows the header.
fn part(whole: &[u8], ident: u32, range: Range<usize>) -> Vec<u8> {
    let more = u16::from(range.end < whole.len());
    fragment(&whole[range.clone()], ident, range.start as u16 | more)
}

fn fragment(data: &[u8], ident: u32, offset_and_more: u16) -> Vec<u8> {
    let mut payload = vec![58, 0];
    payload.extend(offset_and_more.to_be_bytes());
    payload.extend(ident.to_be_bytes());
    payload.extend(data);
    packet(PEER, OURS, IpProtocol::FRAGMENT, &payload)
}

/// What the stack sent in pieces, put together again.
fn collect(host: &mut Host) -> Vec<u8> {
    let mut whole = Vec::new();
    loop {
        let heard = host.hear();
        if heard.header.next_header != IpProtocol::FRAGMENT {
            assert!(whole.is_empty());
            return heard.payload;
        }
        let field = u16::from_be_bytes([heard.payload[2], heard.payload[3]]);
        assert_eq!(usize::from(field & !7), whole.len(), "in order");
        whole.extend(&heard.payload[8..]);
        if field & 1 == 0 {
            return whole;
        }
    }
}

fn expect_reply(host: &mut Host, request: &[u8]) {
    let reply = collect(host);
    assert_eq!(reply[0], 129);
    assert_eq!(reply[4..], request[4..]);
}

fn expect_problem(host: &mut Host, sent: &[u8], code: Icmpv6ParameterProblem, pointer: u32) {
    let heard = host.hear();
    let quote = &sent[..sent.len().min(MIN_MTU as usize - 48)];
    let expected = Icmpv6Message::ParameterProblem {
        code,
        pointer,
        quote,
    };
    assert_eq!(heard.icmp(), expected);
}

#[test]
fn a_packet_is_put_together_in_any_order() {
    let request = long_request(3_000);
    let ranges = [0..1_000, 1_000..2_000, 2_000..request.len()];
    for (ident, order) in (0..).zip([[0, 1, 2], [2, 1, 0], [1, 2, 0]]) {
        let mut host = Host::up();
        for n in order {
            host.silence(Duration::ZERO);
            host.send(&part(&request, ident, ranges[n].clone()));
        }
        expect_reply(&mut host, &request);
    }
}

#[test]
fn rfc5722_a_packet_whose_fragments_overlap_is_dropped_whole() {
    let mut host = Host::up();
    let request = long_request(2_000);
    host.send(&part(&request, 7, 0..1_000));
    host.drops(&part(&request, 7, 992..1_992), Discard::FragmentOverlap);
    host.drops(
        &part(&request, 7, 1_000..request.len()),
        Discard::FragmentOfNothing,
    );
    host.silence(Duration::from_secs(100));
}

#[test]
fn rfc6946_an_atomic_fragment_is_processed_by_itself() {
    let mut host = Host::up();
    let request = long_request(2_000);
    host.send(&part(&request, 7, 0..1_000));
    // The same identification, and nothing to wait for.
    let short = long_request(40);
    host.send(&fragment(&short, 7, 0));
    expect_reply(&mut host, &short);
    host.send(&part(&request, 7, 1_000..request.len()));
    expect_reply(&mut host, &request);
}

/// "If the first fragment [...] has been received, an ICMP Time Exceeded -- Fragment Reassembly Time Exceeded message
/// should be sent", 60 seconds after the first to come.
#[test]
fn the_sender_hears_when_the_rest_does_not_come() {
    let mut host = Host::up();
    let request = long_request(2_000);
    let first = part(&request, 7, 0..1_000);
    host.send(&first);
    let before = host.bench.now();
    let heard = host.hear_within(Duration::from_secs(70)).expect("an error");
    let after = host.bench.now() - before;
    assert!((60..62).contains(&after.as_secs()), "{after:?}");
    let Icmpv6Message::TimeExceeded { code, quote } = heard.icmp() else {
        panic!("time exceeded was expected, not {heard:?}");
    };
    assert_eq!(code, REASSEMBLY_TIME_EXCEEDED);
    assert_eq!(quote[40..48], first[40..48], "as it came");
    // Without the first fragment nobody hears anything.
    host.send(&part(&request, 8, 1_000..request.len()));
    host.silence(Duration::from_secs(120));
}

/// "If the length of a fragment [...] is not a multiple of 8 octets and the M flag of that fragment is 1, then that
/// fragment must be discarded and an ICMP Parameter Problem, Code 0, message should be sent [...] pointing to the
/// Payload Length field"; and of one that would end beyond 65,535 bytes, "pointing to the Fragment Offset field".
#[test]
fn lengths_that_cannot_be_are_reported() {
    let mut host = Host::up();
    let request = long_request(2_000);
    let odd = part(&request, 7, 0..1_001);
    host.send(&odd);
    expect_problem(&mut host, &odd, Icmpv6ParameterProblem::Field, 4);
    let beyond = fragment(&request[..16], 8, 0xfff8);
    host.send(&beyond);
    expect_problem(&mut host, &beyond, Icmpv6ParameterProblem::Field, 42);
}

#[test]
fn rfc7112_the_first_fragment_has_all_headers() {
    let mut host = Host::up();
    // An ICMPv6 message has eight bytes at least; and a destination options header that is cut.
    let mut cut = fragment(&[60, 3, 1, 4, 0, 0, 0, 0], 7, 1);
    cut[40] = 60;
    host.send(&cut);
    expect_problem(&mut host, &cut, Icmpv6ParameterProblem::Other(3), 0);
}
