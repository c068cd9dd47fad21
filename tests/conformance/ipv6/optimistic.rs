//! Addresses that are used while others are asked whether they have them (RFC 4429).

use core::time::Duration;

use cygnet::AddressState;

use super::redirects::{OTHER_MAC, redirect_of};
use super::*;

const AFAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 1);
const PREFIX: &str = "2001:db8:1::/64";
/// What the stack makes of it, and of no prefix.
const MADE: &str = "2001:db8:1::ff:fe00:1";
const LINK_LOCAL: &str = "fe80::ff:fe00:1";

fn config() -> Config {
    let mut config = Config::slaac(cygnet::SlaacConfig::new());
    config.interface_identifiers = cygnet::InterfaceIdentifiers::Eui64;
    config.optimistic_addresses = true;
    config
}

fn state(host: &Host, address: &str) -> Option<AddressState> {
    host.stack().address_state(ip(address).into())
}

/// A host that has just heard of a router and a prefix, and knows that its link-local address is its own.
fn hopeful() -> (Host, UdpSocket<'static>) {
    let mut host = Host::new(config());
    host.let_pass(Duration::from_secs(3));
    host.advertise(&Advertised::new().prefix(PREFIX, 7_200, 7_200));
    assert_eq!(state(&host, MADE), Some(AddressState::Optimistic));
    let socket = udp_socket(&host);
    (host, socket)
}

/// The next packet that is no part of the search for duplicates or routers.
fn datagram(host: &mut Host) -> Option<Heard> {
    let patience = Duration::from_secs(5);
    loop {
        let heard = host.hear_within(patience)?;
        if heard.header.next_header == IpProtocol::UDP {
            return Some(heard);
        }
    }
}

#[test]
fn an_address_is_used_at_once_and_known_to_be_unique_later() {
    let (mut host, socket) = hopeful();
    assert!(host.stack().is_config_up());
    send_datagram(&mut host, &socket, (AFAR, 9), b"hello").expect("a route");
    let heard = datagram(&mut host).unwrap();
    assert_eq!(
        (heard.header.src, heard.link.dst),
        (ip(MADE), PEER_MAC),
        "the router's link address is known"
    );
    assert_eq!(state(&host, MADE), Some(AddressState::Optimistic));
    let probe = host
        .hear_within(Duration::from_secs(1))
        .expect("it is asked for");
    assert!(probe.header.src.is_unspecified());
    assert_eq!(probe.solicitation().0, ip(MADE));
    host.let_pass(Duration::from_secs(2));
    assert_eq!(state(&host, MADE), Some(AddressState::Preferred));
}

/// Section 3.3: the override flag is clear, so that nobody forgets who had the address before.
#[test]
fn nobody_is_told_to_forget_who_had_the_address_before() {
    let (mut host, _) = hopeful();
    let overrides = |host: &mut Host| {
        host.send(&solicitation(ip(MADE)));
        let heard = host.hear();
        let (target, flags, _) = heard.advertisement();
        assert_eq!(target, ip(MADE));
        flags.override_
    };
    assert!(!overrides(&mut host));
    host.let_pass(Duration::from_secs(3));
    assert!(overrides(&mut host));
}

/// Section 3.2: no solicitation comes from the address, for neighbors nor for routers. What has to be asked for, as no
/// router is known that would take it, waits.
#[test]
fn nobody_is_asked_from_an_address_in_doubt() {
    for (beside, options) in [
        ("2001:db8:1::77", &[][..]),
        ("fe80::77", &ndisc::source_link_address(PEER_MAC)),
    ] {
        asks_from_another(ip(beside), options);
    }
}

fn asks_from_another(beside: Ipv6Addr, options: &[u8]) {
    let mut host = Host::new(config());
    host.bench.settle();
    let mut router = Advertised::new();
    router.options = options.to_vec();
    host.advertise(&router.prefix(PREFIX, 7_200, 7_200));
    assert_eq!(state(&host, LINK_LOCAL), Some(AddressState::Optimistic));
    let socket = udp_socket(&host);
    send_datagram(&mut host, &socket, (beside, 9), b"hello").expect("a route");
    let asked = loop {
        let heard = host
            .hear_within(Duration::from_secs(5))
            .expect("a question for the neighbor");
        if !heard.header.src.is_unspecified() {
            break heard;
        }
        if let NdiscMessage::RouterSolicitation { options } = heard.ndisc() {
            assert_eq!(options.source_link_address(), None);
        }
    };
    assert_eq!(asked.solicitation().0, beside);
    // From that which is known to be unique by now.
    let source = asked.header.src.to_string();
    assert_eq!(state(&host, &source), Some(AddressState::Preferred));
    host.send(&advertisement(beside, asked.header.src, SOLICITED));
    assert_eq!(datagram(&mut host).unwrap().link.dst, PEER_MAC);
}

/// Section 3.2: a neighbor that may not be asked for gets its packets through the router, which redirects.
#[test]
fn a_neighbor_that_is_not_known_is_reached_through_the_router() {
    let (mut host, socket) = hopeful();
    let [beside, another] = ["2001:db8:1::77", "2001:db8:1::78"].map(ip);
    let first_hop = |host: &mut Host, to| {
        send_datagram(host, &socket, (to, 9), b"hello").expect("a route");
        loop {
            let heard = host.hear();
            if heard.header.next_header == IpProtocol::UDP {
                assert_eq!(heard.header.src, ip(MADE));
                break heard.link.dst;
            }
            assert!(heard.header.src.is_unspecified(), "{heard:?}");
        }
    };
    assert_eq!(first_hop(&mut host, beside), PEER_MAC);
    assert_eq!(first_hop(&mut host, another), PEER_MAC);
    host.send(&redirect_of(ip(MADE), ROUTER, beside, beside));
    assert_eq!(first_hop(&mut host, beside), OTHER_MAC);
    assert_eq!(first_hop(&mut host, another), PEER_MAC);
    assert_eq!(state(&host, MADE), Some(AddressState::Optimistic));
    // As soon as the address is known to be unique, the neighbor is asked for.
    host.let_pass(Duration::from_secs(3));
    send_datagram(&mut host, &socket, (another, 9), b"hello").expect("a route");
    host.answer_solicitation(another);
    assert_eq!(datagram(&mut host).unwrap().header.dst, another);
}

#[test]
fn an_address_that_somebody_has_is_given_up() {
    let (mut host, mut socket) = hopeful();
    socket.close();
    socket.bind((ip(MADE), 5_000)).expect("a free port");
    host.send(&advertisement(
        ip(MADE),
        ALL_NODES,
        NeighborFlags {
            solicited: false,
            ..SOLICITED
        },
    ));
    assert_ne!(state(&host, MADE), Some(AddressState::Optimistic));
    let sent = send_datagram(&mut host, &socket, (AFAR, 9), b"hello");
    assert_eq!(sent, Err(SendError::AddressGone));
    // Who looks for it at the same time has it as much.
    let (mut host, _) = hopeful();
    host.send(&probe(ip(MADE), None));
    assert_ne!(state(&host, MADE), Some(AddressState::Optimistic));
}

/// Section 3.1.
#[test]
fn an_address_that_was_given_is_waited_for() {
    let mut config = fixed();
    config.optimistic_addresses = true;
    let mut host = Host::new(config);
    host.bench.settle();
    assert_eq!(
        state(&host, &OURS.to_string()),
        Some(AddressState::Tentative)
    );
    assert_eq!(state(&host, LINK_LOCAL), Some(AddressState::Optimistic));
    host.let_pass(Duration::from_secs(3));
    assert_eq!(
        state(&host, &OURS.to_string()),
        Some(AddressState::Preferred)
    );
}

#[test]
fn it_is_told_of_once() {
    let mut host = Host::new(config());
    let mut events = host.stack().config_events();
    host.let_pass(Duration::from_secs(3));
    host.advertise(&Advertised::new().prefix(PREFIX, 7_200, 7_200));
    host.let_pass(Duration::from_secs(3));
    let mut added = Vec::new();
    let cx = &mut Context::from_waker(Waker::noop());
    while let Poll::Ready(event) = core::pin::pin!(events.next()).poll(cx) {
        if let cygnet::ConfigEvent::AddressAdded(cidr) = event {
            added.push(cidr.address());
        }
    }
    // The link-local one was there before anybody listened, and is no news when it is known to be unique.
    assert_eq!(added, [ip(MADE).into()]);
}
