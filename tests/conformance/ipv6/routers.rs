//! Routers are found and believed (RFC 4861, section 6; RFC 4191; RFC 7559).

use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::EthernetAddress;

use super::*;

const AFAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 1);
const PREFIX: &str = "2001:db8:1::/64";
/// Which the stack makes from its hardware address.
const MADE: &str = "2001:db8:1::ff:fe00:1";

fn other_mac(n: u8) -> EthernetAddress {
    EthernetAddress([2, 0, 0, 0, 9, n])
}

/// A router with a link address of its own.
fn another(n: u8) -> Advertised {
    let mut advertised = Advertised::new().from(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 9, n.into()));
    advertised.options = ndisc::source_link_address(other_mac(n)).to_vec();
    advertised
}

/// A host with a router and an address.
fn connected(advertised: &Advertised) -> (Host, UdpSocket<'static>) {
    let mut host = Host::listening();
    host.advertise(&advertised.clone().prefix(PREFIX, 7_200, 7_200));
    host.let_pass(Duration::from_secs(3));
    assert!(host.stack().is_config_up());
    let socket = udp_socket(&host);
    (host, socket)
}

/// Where a datagram to somebody afar goes.
fn first_hop(host: &mut Host, socket: &UdpSocket<'static>, to: Ipv6Addr) -> EthernetAddress {
    send_datagram(host, socket, (to, 9), b"hello").expect("a route");
    host.hear().link.dst
}

#[test]
fn rfc4861_routers_are_asked_for_again_and_again_until_one_is_there() {
    let mut config = Config::slaac(cygnet::SlaacConfig::new());
    config.duplicate_address_probes = 0;
    let mut host = Host::new(config);
    let mut times = Vec::new();
    for _ in 0..5 {
        let heard = host
            .hear_within(Duration::from_secs(120))
            .expect("a solicitation");
        assert_eq!(heard.header.dst, ip("ff02::2"));
        assert_eq!(Some(heard.header.src), host.stack().link_local_v6());
        let NdiscMessage::RouterSolicitation { options } = heard.ndisc() else {
            panic!("a router solicitation was expected");
        };
        assert_eq!(options.source_link_address(), Some(OUR_MAC));
        times.push(host.bench.now());
    }
    let gaps: Vec<_> = times
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_secs_f32())
        .collect();
    assert!((3.6..=4.4).contains(&gaps[0]), "{gaps:?}");
    assert!(
        gaps.windows(2)
            .all(|pair| (1.8..=2.2).contains(&(pair[1] / pair[0]))),
        "{gaps:?}"
    );
    // RFC 7559: one that is no default router does not end the search.
    host.advertise(&Advertised::new().lifetime(0));
    assert!(host.hear_within(Duration::from_secs(150)).is_some());
    host.advertise(&Advertised::new());
    host.silence(Duration::from_secs(1_000));
}

#[test]
fn rfc4861_no_link_address_is_told_from_the_unspecified_address() {
    let mut host = Host::new(Config::slaac(cygnet::SlaacConfig::new()));
    let solicited = loop {
        let heard = host
            .hear_within(Duration::from_secs(2))
            .expect("a solicitation");
        if heard.header.dst == ip("ff02::2") {
            break heard;
        }
    };
    // Its own address is still in doubt.
    assert!(solicited.header.src.is_unspecified());
    let NdiscMessage::RouterSolicitation { options } = solicited.ndisc() else {
        panic!("a router solicitation was expected");
    };
    assert_eq!(options.source_link_address(), None);
}

#[test]
fn rfc4861_an_advertisement_from_beyond_the_link_is_refused() {
    let mut host = Host::listening();
    let mut packet = Advertised::new().prefix(PREFIX, 600, 600).packet();
    packet[7] = 254;
    host.drops(&packet, Discard::InvalidNeighborMessage);
    for from in ["2001:db8::a", "::"] {
        let packet = Advertised::new().from(ip(from)).packet();
        let before = host.stack().stats().discarded_total();
        host.send(&packet);
        assert_eq!(host.stack().stats().discarded_total(), before + 1);
    }
    let packet = Advertised::new().from(ip("2001:db8::a")).packet();
    host.drops(&packet, Discard::InvalidNeighborMessage);
    assert_eq!(host.stack().path_mtu(AFAR.into()), None, "no router");
}

#[test]
fn rfc4861_an_option_of_length_zero_spoils_the_whole_advertisement() {
    let mut host = Host::listening();
    let good = Advertised::new().prefix(PREFIX, 600, 600);
    let mut packet = good.option(&[1, 1, 2, 0, 0, 0, 0, 2]).packet();
    let len = packet.len();
    packet[len - 7] = 0;
    // The sum is right all the same.
    let (src, dst) = (ROUTER.into(), ALL_NODES.into());
    packet[42..44].copy_from_slice(&[0, 0]);
    let mut message = packet[40..].to_vec();
    let sum = cygnet::wire::checksum::pseudo_header(src, dst, IpProtocol::ICMPV6, message.len())
        .add(cygnet::wire::checksum::Sum::of(&message))
        .finish();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    packet.truncate(40);
    packet.extend(message);
    host.drops(&packet, Discard::Malformed);
    assert_eq!(host.stack().path_mtu(AFAR.into()), None);
}

#[test]
fn who_does_not_listen_to_routers_ignores_them() {
    let mut host = Host::up();
    host.drops(&Advertised::new().packet(), Discard::UnknownIcmp);
    assert_eq!(host.stack().path_mtu(AFAR.into()), None);
}

#[test]
fn rfc4861_packets_go_through_the_router_whose_link_address_it_told() {
    let (mut host, socket) = connected(&Advertised::new());
    assert_eq!(first_hop(&mut host, &socket, AFAR), PEER_MAC);
    let config = host.stack().config_v6().unwrap();
    assert_eq!(config.gateway, Some(ROUTER));
    assert_eq!(config.address.to_string(), format!("{MADE}/64"));
}

#[test]
fn rfc4861_a_router_that_says_lifetime_zero_is_none_any_more() {
    let (mut host, socket) = connected(&Advertised::new());
    host.advertise(&Advertised::new().lifetime(0));
    let sent = send_datagram(&mut host, &socket, (AFAR, 9), b"hello");
    assert_eq!(sent, Err(SendError::NoRoute));
    // Others are asked for.
    let heard = host
        .hear_within(Duration::from_secs(5))
        .expect("a solicitation");
    assert_eq!(heard.header.dst, ip("ff02::2"));
}

#[test]
fn rfc4861_a_router_is_forgotten_when_its_lifetime_is_over() {
    let (mut host, socket) = connected(&Advertised::new().lifetime(30));
    assert_eq!(first_hop(&mut host, &socket, AFAR), PEER_MAC);
    host.let_pass(Duration::from_secs(30));
    let sent = send_datagram(&mut host, &socket, (AFAR, 9), b"hello");
    assert_eq!(sent, Err(SendError::NoRoute));
}

#[test]
fn rfc4861_a_neighbor_that_is_no_router_any_more_takes_no_packets() {
    let (mut host, socket) = connected(&Advertised::new());
    first_hop(&mut host, &socket, AFAR);
    // Solicited, so that it counts; "I am no router".
    host.send(&advertisement(ROUTER, ip("fe80::ff:fe00:1"), SOLICITED));
    let sent = send_datagram(&mut host, &socket, (AFAR, 9), b"hello");
    assert_eq!(sent, Err(SendError::NoRoute));
}

/// RFC 4861, section 7.2.5: "In those cases where the IsRouter flag changes from TRUE to FALSE as a result of this
/// update, the node MUST remove that router from the Default Router List".
#[test]
fn rfc4861_a_router_that_says_unasked_that_it_is_none_takes_no_packets() {
    let (mut host, socket) = connected(&Advertised::new());
    first_hop(&mut host, &socket, AFAR);
    let mut flags = NeighborFlags {
        router: true,
        solicited: false,
        override_: true,
    };
    host.send(&advertisement(ROUTER, ALL_NODES, flags));
    assert_eq!(first_hop(&mut host, &socket, AFAR), PEER_MAC);
    flags.router = false;
    host.send(&advertisement(ROUTER, ALL_NODES, flags));
    let sent = send_datagram(&mut host, &socket, (AFAR, 9), b"hello");
    assert_eq!(sent, Err(SendError::NoRoute));
}

#[test]
fn rfc4191_the_preferred_router_and_the_longest_route_are_taken() {
    let (mut host, socket) = connected(&Advertised::new());
    let mut preferred = another(1);
    preferred.router.flags = 0b01 << 3;
    // To 2001:db8:77::/48, low.
    let route = [
        24,
        2,
        48,
        0b11 << 3,
        0,
        0,
        2,
        0x58,
        0x20,
        1,
        0xd,
        0xb8,
        0,
        0x77,
        0,
        0,
    ];
    let named = another(2).lifetime(0).option(&route);
    host.advertise(&preferred);
    host.advertise(&named);
    assert_eq!(first_hop(&mut host, &socket, AFAR), other_mac(1));
    let named = ip("2001:db8:77::1");
    assert_eq!(first_hop(&mut host, &socket, named), other_mac(2));
    host.let_pass(Duration::from_secs(600));
    // It did not answer, and now says that it is there.
    host.advertise(&preferred);
    assert_eq!(first_hop(&mut host, &socket, named), other_mac(1));
}

#[test]
fn rfc4861_a_router_that_answers_is_preferred_to_one_that_does_not() {
    let (mut host, socket) = connected(&Advertised::new());
    host.advertise(&another(1));
    assert_eq!(first_hop(&mut host, &socket, AFAR), PEER_MAC);
    // It is asked five seconds later, three times, and does not answer.
    host.let_pass(Duration::from_secs(5 + 3 + 1));
    assert_eq!(first_hop(&mut host, &socket, AFAR), other_mac(1));
}

#[test]
fn rfc4861_prefixes_are_on_the_link_if_they_are_said_to_be() {
    let (mut host, socket) = connected(&Advertised::new());
    let beside = ip("2001:db8:1::77");
    send_datagram(&mut host, &socket, (beside, 9), b"hello").unwrap();
    assert_eq!(host.hear().solicitation().0, beside);
    // RFC 5942: an address says nothing about its prefix.
    let (mut host, socket) = {
        let mut host = Host::listening();
        host.advertise(&Advertised::new().prefix_for(PREFIX, 0x40, 600, 600));
        host.let_pass(Duration::from_secs(3));
        let socket = udp_socket(&host);
        (host, socket)
    };
    assert_eq!(first_hop(&mut host, &socket, beside), PEER_MAC);
}

#[test]
fn rfc4861_the_mtu_is_taken_within_bounds() {
    let (mut host, _) = connected(&Advertised::new());
    for (told, mtu) in [
        (0, 1_500),
        (1_279, 1_500),
        (1_501, 1_500),
        (u32::MAX, 1_500),
        (65_536 + 1_400, 1_500),
        (1_280, 1_280),
        (1_400, 1_400),
        (9_000, 1_400),
        (1_500, 1_500),
    ] {
        host.advertise(&Advertised::new().mtu(told));
        assert_eq!(host.stack().path_mtu(AFAR.into()), Some(mtu), "{told}");
    }
}

#[test]
fn rfc4861_neighbors_are_asked_as_often_as_routers_say() {
    let mut advertised = Advertised::new();
    advertised.router.retrans_timer = 300;
    let (mut host, socket) = connected(&advertised);
    let asks = |host: &mut Host, to: &str| {
        send_datagram(host, &socket, (ip(to), 9), b"hello").unwrap();
        let first = host.hear().solicitation().0;
        assert_eq!(first, ip(to));
        let before = host.bench.now();
        host.hear_within(Duration::from_secs(9))
            .expect("again")
            .solicitation();
        (host.bench.now() - before).as_millis()
    };
    assert_eq!(asks(&mut host, "2001:db8:1::77"), 300);
    host.let_pass(Duration::from_secs(3));
    // What makes no sense changes nothing.
    for nonsense in [1, 99, 60_001, u32::MAX] {
        advertised.router.retrans_timer = nonsense;
        host.advertise(&advertised);
    }
    assert_eq!(asks(&mut host, "2001:db8:1::78"), 300);
}

#[test]
fn a_flood_of_routers_and_prefixes_displaces_none_that_is_in_use() {
    let (mut host, socket) = connected(&Advertised::new());
    for n in 0..100 {
        host.advertise(&another(n));
        let prefix = format!("2001:db8:9:{n}::/64");
        host.advertise(&Advertised::new().prefix_for(&prefix, 0xc0, 600, 600));
    }
    let stats = host.stack().stats();
    assert!(stats.discarded(Discard::TooManyRouters) > 90, "{stats:?}");
    assert!(stats.discarded(Discard::TooManyPrefixes) > 90, "{stats:?}");
    host.let_pass(Duration::from_secs(5));
    assert_eq!(first_hop(&mut host, &socket, AFAR), PEER_MAC);
    assert_eq!(
        host.stack().config_v6().unwrap().address.address(),
        ip(MADE)
    );
}

#[test]
fn rfc4861_packets_leave_with_the_hop_limit_that_routers_say() {
    let mut advertised = Advertised::new();
    advertised.router.hop_limit = 33;
    let (mut host, mut socket) = connected(&advertised);
    let mut leaves_with = |socket: &UdpSocket<'static>| {
        send_datagram(&mut host, socket, (AFAR, 9), b"hello").unwrap();
        host.hear().header.hop_limit
    };
    assert_eq!(leaves_with(&socket), 33);
    for chosen in [7, 64] {
        socket.set_hop_limit(chosen);
        assert_eq!(leaves_with(&socket), chosen);
    }
    // What the stack says by itself does so, too.
    host.send(&echo_request(PEER, ip(MADE)));
    assert_eq!(host.hear().header.hop_limit, 33);
}

#[test]
fn rfc4861_flags_for_dhcpv6_are_told() {
    let (mut host, _) = connected(&Advertised::new());
    assert_eq!(host.stack().router_flags(), cygnet::RouterFlags::default());
    let mut advertised = Advertised::new();
    advertised.router.flags = 0xc0;
    host.advertise(&advertised);
    let flags = host.stack().router_flags();
    assert!(flags.managed && flags.other);
}
