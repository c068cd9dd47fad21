//! Extension headers (RFC 8200, section 4).

use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::Icmpv6ParameterProblem;

use super::*;

/// An echo request behind these headers, the first of which is of type `first`.
fn behind(first: IpProtocol, headers: &[u8], dst: Ipv6Addr) -> Vec<u8> {
    let request = echo_request(PEER, dst);
    packet(PEER, dst, first, &[headers, &request[40..]].concat())
}

/// A header of that type with an option of type `kind`.
fn with_option(first: IpProtocol, kind: u8, dst: Ipv6Addr) -> Vec<u8> {
    behind(first, &[58, 0, kind, 4, 0, 0, 0, 0], dst)
}

fn expect_echo(host: &mut Host) {
    let heard = host.hear();
    assert!(
        matches!(heard.icmp(), Icmpv6Message::EchoReply { ident: 7, .. }),
        "{heard:?}"
    );
}

fn expect_problem(host: &mut Host, sent: &[u8], code: Icmpv6ParameterProblem, pointer: u32) {
    let heard = host.hear();
    let expected = Icmpv6Message::ParameterProblem {
        code,
        pointer,
        quote: sent,
    };
    assert_eq!(heard.icmp(), expected);
    assert_eq!((heard.header.src, heard.header.dst), (OURS, PEER));
}

const HEADERS: [IpProtocol; 2] = [IpProtocol::HOP_BY_HOP, IpProtocol::DESTINATION_OPTIONS];

#[test]
fn headers_that_ask_for_nothing_are_passed_over() {
    let mut host = Host::up();
    for first in HEADERS {
        host.send(&with_option(first, 1, OURS));
        expect_echo(&mut host);
        host.send(&with_option(first, 0x1e, OURS));
        expect_echo(&mut host);
    }
    let chain = [
        43, 0, 5, 2, 0, 0, 1, 0, // hop-by-hop options
        44, 0, 3, 0, 0, 0, 0, 0, // routing, with no segments left
        60, 0, 0, 0, 1, 2, 3, 4, // an atomic fragment
        58, 0, 1, 4, 0, 0, 0, 0, // destination options
    ];
    host.send(&behind(IpProtocol::HOP_BY_HOP, &chain, OURS));
    expect_echo(&mut host);
}

#[test]
fn an_option_may_have_the_packet_discarded() {
    let mut host = Host::up();
    for first in HEADERS {
        host.drops(&with_option(first, 0x5e, OURS), Discard::ExtensionHeader);
    }
}

#[test]
fn an_option_may_want_to_be_reported() {
    let mut host = Host::up();
    for first in HEADERS {
        for kind in [0x9e, 0xde] {
            let sent = with_option(first, kind, OURS);
            host.send(&sent);
            expect_problem(&mut host, &sent, Icmpv6ParameterProblem::Option, 42);
        }
    }
}

/// 10: "regardless of whether or not the packet's Destination Address was a multicast address"; 11: "only if
/// the packet's Destination Address was not a multicast address".
#[test]
fn an_option_in_a_packet_to_a_group_is_reported_only_if_it_says_so() {
    let mut host = Host::up();
    let first = IpProtocol::DESTINATION_OPTIONS;
    let sent = with_option(first, 0x9e, ALL_NODES);
    host.send(&sent);
    expect_problem(&mut host, &sent, Icmpv6ParameterProblem::Option, 42);
    host.drops(
        &with_option(first, 0xde, ALL_NODES),
        Discard::ExtensionHeader,
    );
}

#[test]
fn hop_by_hop_options_come_first() {
    let mut host = Host::up();
    let headers = [0, 0, 1, 4, 0, 0, 0, 0, 58, 0, 1, 4, 0, 0, 0, 0];
    let sent = behind(IpProtocol::DESTINATION_OPTIONS, &headers, OURS);
    host.send(&sent);
    expect_problem(&mut host, &sent, Icmpv6ParameterProblem::NextHeader, 40);
}

#[test]
fn an_unknown_next_header_is_reported() {
    let mut host = Host::up();
    let sent = packet(PEER, OURS, IpProtocol(253), b"what is this?");
    host.send(&sent);
    expect_problem(&mut host, &sent, Icmpv6ParameterProblem::NextHeader, 6);
    let headers = [253, 0, 1, 4, 0, 0, 0, 0];
    let sent = behind(IpProtocol::DESTINATION_OPTIONS, &headers, OURS);
    host.send(&sent);
    expect_problem(&mut host, &sent, Icmpv6ParameterProblem::NextHeader, 40);
}

#[test]
fn nothing_follows_no_next_header() {
    let mut host = Host::up();
    let sent = packet(PEER, OURS, IpProtocol::NO_NEXT_HEADER, b"");
    host.drops(&sent, Discard::UnknownProtocol);
}

#[test]
fn headers_without_end_are_dropped() {
    let mut host = Host::up();
    let chain = [60, 0, 1, 4, 0, 0, 0, 0].repeat(150);
    let sent = packet(PEER, OURS, IpProtocol::DESTINATION_OPTIONS, &chain);
    host.drops(&sent, Discard::ExtensionHeader);
}

#[test]
fn a_header_that_is_cut_off_is_malformed() {
    let mut host = Host::up();
    let sent = packet(
        PEER,
        OURS,
        IpProtocol::DESTINATION_OPTIONS,
        &[58, 9, 1, 4, 0, 0, 0, 0],
    );
    host.drops(&sent, Discard::Malformed);
}

#[test]
fn errors_are_limited() {
    let mut host = Host::up();
    let sent = packet(PEER, OURS, IpProtocol(253), b"what is this?");
    let mut errors = 0;
    for _ in 0..200 {
        host.send(&sent);
        while host.hear_within(Duration::ZERO).is_some() {
            errors += 1;
        }
    }
    assert!((1..100).contains(&errors), "{errors} of 200");
    assert!(host.stack().stats().discarded(Discard::RateLimited) > 0);
}
