//! Links with several routers and prefixes: which router takes a packet, and which address it comes from
//! (RFC 4191, sections 3.2 and 3.5; RFC 6724, rule 5.5; RFC 8028).

use core::time::Duration;

use cygnet::wire::EthernetAddress;

use super::redirects::{OTHER_MAC as BETTER_MAC, redirect_of};
use super::*;

const AFAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 1);
/// The other router, and its link address.
const OTHER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xb);
const OTHER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 9, 1]);
/// What the stack makes from the prefixes of the two.
const FROM_ROUTER: &str = "2001:db8:1::ff:fe00:1";
const FROM_OTHER: &str = "2001:db8:2::ff:fe00:1";

const HIGH: u8 = 0b01 << 3;

/// The first router, and the other, each with a prefix of its own.
fn routers() -> [Advertised; 2] {
    let mut other = Advertised::new().from(OTHER);
    other.options = ndisc::source_link_address(OTHER_MAC).to_vec();
    [
        Advertised::new().prefix("2001:db8:1::/64", 7_200, 7_200),
        other.prefix("2001:db8:2::/64", 7_200, 7_200),
    ]
}

/// A host that has heard both.
fn between(routers: &[Advertised; 2]) -> Host {
    let mut host = Host::listening();
    for router in routers {
        host.advertise(router);
    }
    host.let_pass(Duration::from_secs(3));
    for made in [FROM_ROUTER, FROM_OTHER] {
        let state = host.stack().address_state(ip(made).into());
        assert_eq!(state, Some(cygnet::AddressState::Preferred));
    }
    host
}

/// Where a datagram to somebody afar goes, and where it comes from.
fn sent(host: &mut Host, socket: &UdpSocket<'static>) -> (EthernetAddress, Ipv6Addr) {
    send_datagram(host, socket, (AFAR, 9), b"hello").expect("a route");
    let heard = host.hear();
    (heard.link.dst, heard.header.src)
}

#[test]
fn rfc6724_rule_5_5_prefer_addresses_in_a_prefix_advertised_by_the_next_hop() {
    for (preferred, expected) in [
        (0, (PEER_MAC, ip(FROM_ROUTER))),
        (1, (OTHER_MAC, ip(FROM_OTHER))),
    ] {
        let mut routers = routers();
        routers[preferred].router.flags = HIGH;
        let mut host = between(&routers);
        let socket = udp_socket(&host);
        assert_eq!(sent(&mut host, &socket), expected);
    }
}

#[test]
fn rfc8028_packets_from_a_prefix_go_to_a_router_that_advertises_it() {
    let mut routers = routers();
    routers[1].router.flags = HIGH;
    let mut host = between(&routers);
    let mut socket = udp_socket(&host);
    for (source, router) in [(FROM_ROUTER, PEER_MAC), (FROM_OTHER, OTHER_MAC)] {
        socket.close();
        socket.bind((ip(source), 5_000)).expect("a free port");
        assert_eq!(sent(&mut host, &socket), (router, ip(source)));
    }
    // Of its own prefix, nobody is left but the other.
    socket.close();
    socket.bind((ip(FROM_ROUTER), 5_000)).expect("a free port");
    host.advertise(&Advertised::new().lifetime(0));
    assert_eq!(sent(&mut host, &socket), (OTHER_MAC, ip(FROM_ROUTER)));
}

/// A third router, to which the others redirect.
const BETTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xc);

/// RFC 4861, section 8.1: the sender is the first hop of the packets it redirects, and those are what it redirects.
#[test]
fn rfc8028_a_redirect_holds_for_packets_from_one_source() {
    let mut host = between(&routers());
    let mut socket = udp_socket(&host);
    let mut sent_from = |host: &mut Host, source: &str| {
        socket.close();
        socket.bind((ip(source), 5_000)).expect("a free port");
        sent(host, &socket).0
    };
    assert_eq!(sent_from(&mut host, FROM_OTHER), OTHER_MAC);
    // The first router does not take those packets.
    let source = ip(FROM_OTHER);
    let false_one = redirect_of(source, BETTER, AFAR, ROUTER);
    host.drops(&false_one, cygnet::Discard::InvalidNeighborMessage);
    host.send(&redirect_of(source, OTHER, AFAR, BETTER));
    assert_eq!(sent_from(&mut host, FROM_OTHER), BETTER_MAC);
    assert_eq!(sent_from(&mut host, FROM_ROUTER), PEER_MAC);
    // Whose source is chosen later go through the router of that.
    socket.close();
    socket.bind(5_000).expect("a free port");
    let before = sent(&mut host, &socket);
    assert_eq!(before, (PEER_MAC, ip(FROM_ROUTER)));
    host.send(&redirect_of(before.1, ROUTER, AFAR, BETTER));
    assert_eq!(sent(&mut host, &socket), (BETTER_MAC, before.1));
}

/// A solicitation to everybody in the router's group.
fn is_probe(heard: &Heard, router: Ipv6Addr) -> bool {
    heard.header.dst == solicited_node(router) && heard.solicitation().0 == router
}

#[test]
fn rfc4191_a_better_router_that_did_not_answer_is_asked_once_a_minute() {
    let mut routers = routers();
    routers[0].router.flags = HIGH;
    let mut host = between(&routers);
    let socket = udp_socket(&host);
    assert_eq!(sent(&mut host, &socket).0, PEER_MAC);
    // It is asked whether it is there, and does not answer. The other does.
    host.let_pass(Duration::from_secs(5 + 3 + 1));
    let say_hello = |host: &mut Host| {
        send_datagram(host, &socket, (AFAR, 9), b"hello").expect("a route");
        let first = host.hear();
        assert_eq!(first.link.dst, OTHER_MAC);
        host.hear_within(Duration::ZERO)
    };
    assert!(say_hello(&mut host).is_none(), "not at once");
    let answer = |host: &mut Host, router, mac| {
        let option = ndisc::target_link_address(mac);
        let message = NdiscMessage::NeighborAdvertisement {
            target: router,
            flags: NeighborFlags {
                router: true,
                solicited: true,
                override_: true,
            },
            options: NdiscOptions::parse(&option).expect("an option"),
        };
        host.send(&nd(router, ip("fe80::ff:fe00:1"), &message));
    };
    let confirm_other = |host: &mut Host| answer(host, OTHER, OTHER_MAC);
    for _ in 0..2 {
        // Without a packet nobody is asked.
        confirm_other(&mut host);
        host.let_pass(Duration::from_secs(100));
        let probe = say_hello(&mut host).expect("a probe");
        assert!(is_probe(&probe, ROUTER), "{probe:?}");
        confirm_other(&mut host);
        host.let_pass(Duration::from_secs(20));
        let more = say_hello(&mut host);
        assert!(more.is_none(), "once a minute at most: {more:?}");
    }
    confirm_other(&mut host);
    host.let_pass(Duration::from_secs(100));
    assert!(say_hello(&mut host).is_some());
    // It is back, and preferred again, as soon as its link address is known.
    answer(&mut host, ROUTER, PEER_MAC);
    send_datagram(&mut host, &socket, (AFAR, 9), b"hello").expect("a route");
    host.answer_solicitation_of_router(ROUTER);
    assert_eq!(host.hear().link.dst, PEER_MAC);
}

impl Host {
    /// The router answers the question for its link address.
    fn answer_solicitation_of_router(&mut self, router: Ipv6Addr) {
        let heard = self.hear();
        assert_eq!(heard.solicitation().0, router);
        let flags = NeighborFlags {
            router: true,
            ..SOLICITED
        };
        self.send(&advertisement(router, heard.header.src, flags));
    }
}
