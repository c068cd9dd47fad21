//! Routers know better first hops (RFC 4861, section 8).

use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::EthernetAddress;

use super::*;

const AFAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, 0, 1);
const OTHER_ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xb);
/// Where every redirect leads to.
pub(super) const OTHER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 0xb]);
/// What the stack makes of the prefix.
const MADE: &str = "2001:db8:1::ff:fe00:1";

fn connected() -> (Host, UdpSocket<'static>) {
    let mut host = Host::listening();
    host.advertise(&Advertised::new().prefix("2001:db8:1::/64", 7_200, 7_200));
    host.let_pass(Duration::from_secs(3));
    let socket = udp_socket(&host);
    (host, socket)
}

/// About a packet from [`MADE`].
fn redirect(from: Ipv6Addr, destination: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    redirect_of(ip(MADE), from, destination, target)
}

/// About a packet from `source`.
pub(super) fn redirect_of(
    source: Ipv6Addr,
    from: Ipv6Addr,
    destination: Ipv6Addr,
    target: Ipv6Addr,
) -> Vec<u8> {
    let option = ndisc::target_link_address(OTHER_MAC);
    let message = NdiscMessage::Redirect {
        target,
        destination,
        options: NdiscOptions::parse(&option).expect("an option"),
    };
    nd(from, source, &message)
}

fn first_hop(host: &mut Host, socket: &UdpSocket<'static>, to: Ipv6Addr) -> EthernetAddress {
    send_datagram(host, socket, (to, 9), b"hello").expect("a route");
    host.hear().link.dst
}

#[test]
fn rfc4861_packets_take_the_better_first_hop() {
    let (mut host, socket) = connected();
    assert_eq!(first_hop(&mut host, &socket, AFAR), PEER_MAC);
    host.send(&redirect(ROUTER, AFAR, OTHER_ROUTER));
    assert_eq!(first_hop(&mut host, &socket, AFAR), OTHER_MAC);
    // Only to that destination.
    assert_eq!(
        first_hop(&mut host, &socket, ip("2001:db8:ff::2")),
        PEER_MAC
    );
    // It is silent, so the router has them again.
    host.let_pass(Duration::from_secs(5 + 3 + 1));
    assert_ne!(first_hop(&mut host, &socket, AFAR), OTHER_MAC);
}

#[test]
fn rfc4861_a_destination_may_turn_out_to_be_on_the_link() {
    let (mut host, socket) = connected();
    host.send(&redirect(ROUTER, AFAR, AFAR));
    assert_eq!(first_hop(&mut host, &socket, AFAR), OTHER_MAC);
}

#[test]
fn rfc4861_only_the_first_hop_redirects_and_only_to_the_link() {
    let (mut host, socket) = connected();
    let group = ip("ff0e::1");
    let ours = host.stack().link_local_v6().unwrap();
    let mut from_afar = redirect(ROUTER, AFAR, OTHER_ROUTER);
    from_afar[7] = 254;
    for packet in [
        from_afar,
        // Another neighbor, and somebody without a link-local address.
        redirect(OTHER_ROUTER, AFAR, OTHER_ROUTER),
        redirect(ip("2001:db8:1::a"), AFAR, OTHER_ROUTER),
        // No router's address.
        redirect(ROUTER, AFAR, ip("2001:db8:1::b")),
        redirect(ROUTER, group, group),
        // Ourselves.
        redirect(ROUTER, AFAR, ours),
        // To everybody.
        redirect_of(ALL_NODES, ROUTER, AFAR, OTHER_ROUTER),
        // What does not go through the router.
        redirect(ROUTER, ip("2001:db8:1::9"), OTHER_ROUTER),
        redirect(ROUTER, ip("fe80::9"), OTHER_ROUTER),
    ] {
        host.drops(&packet, Discard::InvalidNeighborMessage);
    }
    assert_eq!(first_hop(&mut host, &socket, AFAR), PEER_MAC);
}

#[test]
fn a_flood_of_redirects_leaves_the_host_reachable() {
    let (mut host, socket) = connected();
    for n in 0..1_000 {
        let destination = Ipv6Addr::new(0x2001, 0xdb8, 0xfe, 0, 0, 0, 0, n);
        host.send(&redirect(ROUTER, destination, OTHER_ROUTER));
    }
    assert_eq!(first_hop(&mut host, &socket, AFAR), PEER_MAC);
}
