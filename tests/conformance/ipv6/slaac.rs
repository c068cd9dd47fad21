//! Addresses are made from what routers advertise (RFC 4862, section 5.5; RFC 7217; RFC 8106; RFC 8981).

use core::time::Duration;

use cygnet::{AddressState, ConfigEvent, ConfigV6, Discard, SlaacConfig};
use cygnet_driver::LinkState;

use super::*;

const PREFIX: &str = "2001:db8:1::/64";
const MADE: &str = "2001:db8:1::ff:fe00:1";
const INFINITE: u32 = u32::MAX;

fn state(host: &Host, address: &str) -> Option<AddressState> {
    host.stack().address_state(ip(address).into())
}

/// A host that has heard that, some seconds ago.
fn told(advertised: &Advertised) -> Host {
    let mut host = Host::listening();
    host.advertise(advertised);
    host.let_pass(Duration::from_secs(3));
    host
}

#[test]
fn rfc4862_an_address_is_made_asked_for_and_used() {
    let mut host = Host::listening();
    assert!(!host.stack().is_config_up());
    host.advertise(&Advertised::new().prefix(PREFIX, 600, 1_200));
    assert_eq!(state(&host, MADE), Some(AddressState::Tentative));
    let heard = host.hear_within(Duration::from_secs(1)).expect("a probe");
    assert_eq!(heard.solicitation().0, ip(MADE));
    host.silence(Duration::from_secs(1));
    assert_eq!(state(&host, MADE), Some(AddressState::Preferred));
    assert!(host.stack().is_config_up());
    host.send(&echo_request(PEER, ip(MADE)));
    assert_eq!(host.hear().header.src, ip(MADE));
}

#[test]
fn rfc4862_lifetimes_end() {
    let mut host = told(&Advertised::new().prefix(PREFIX, 60, 120));
    host.let_pass(Duration::from_secs(58));
    assert_eq!(state(&host, MADE), Some(AddressState::Deprecated));
    host.let_pass(Duration::from_secs(60));
    assert_eq!(state(&host, MADE), None);
    assert!(!host.stack().is_config_up());
}

#[test]
fn rfc4862_infinite_lifetimes_do_not() {
    let mut host = told(&Advertised::new().prefix(PREFIX, INFINITE, INFINITE));
    for _ in 0..100 {
        host.let_pass(Duration::from_secs(1_000_000));
    }
    assert_eq!(state(&host, MADE), Some(AddressState::Preferred));
}

#[test]
fn rfc4862_what_makes_no_sense_makes_no_address() {
    let advertised = Advertised::new()
        .prefix("fe80::/64", 600, 600)
        .prefix(PREFIX, 601, 600)
        .prefix(PREFIX, 0, 0)
        .prefix("2001:db8:1::/65", 600, 600)
        .prefix("2001:db8:1::/128", 600, 600)
        .prefix("2001:db8:1::/129", 600, 600)
        .prefix("2001:db8:1::/255", 600, 600)
        .prefix_for(PREFIX, 0x80, 600, 600);
    let host = told(&advertised);
    assert_eq!(state(&host, MADE), None);
    assert!(!host.stack().is_config_up());
}

#[test]
fn rfc4862_a_forged_lifetime_ends_no_address_within_two_hours() {
    let mut host = told(&Advertised::new().prefix(PREFIX, 86_400, 86_400));
    host.advertise(&Advertised::new().prefix(PREFIX, 0, 0));
    host.let_pass(Duration::from_secs(7_100));
    assert_eq!(state(&host, MADE), Some(AddressState::Deprecated));
    host.let_pass(Duration::from_secs(100));
    assert_eq!(state(&host, MADE), None);
}

#[test]
fn renumbering_moves_new_connections_to_the_new_prefix() {
    let mut host = told(&Advertised::new().prefix(PREFIX, 600, 600));
    let renumbered = Advertised::new()
        .prefix(PREFIX, 0, 600)
        .prefix("2001:db8:2::/64", 600, 600);
    host.advertise(&renumbered);
    host.let_pass(Duration::from_secs(3));
    let socket = udp_socket(&host);
    send_datagram(&mut host, &socket, (ip("2001:db8:ff::1"), 9), b"hello").unwrap();
    assert_eq!(host.hear().header.src, ip("2001:db8:2::ff:fe00:1"));
    // Those who use the old address go on.
    host.send(&echo_request(ip("2001:db8:ff::1"), ip(MADE)));
    assert_eq!(host.hear().header.src, ip(MADE));
}

#[test]
fn rfc7217_an_address_that_is_taken_is_followed_by_others_until_three_failed() {
    let mut host = Host::new(Config::slaac(SlaacConfig::new()));
    host.let_pass(Duration::from_secs(3));
    host.advertise(&Advertised::new().prefix(PREFIX, 600, 600));
    let mut tried = Vec::new();
    for _ in 0..4 {
        let heard = host.hear_within(Duration::from_secs(1)).expect("a probe");
        let (target, _) = heard.solicitation();
        assert!(!tried.contains(&target));
        tried.push(target);
        host.drops(&probe(target, None), Discard::AddressConflict);
    }
    host.advertise(&Advertised::new().prefix(PREFIX, 600, 600));
    host.silence(Duration::from_secs(10));
    assert!(!host.stack().is_config_up());
    let last = host.stack().address_state(tried[3].into());
    assert_eq!(last, Some(AddressState::Duplicate));
}

#[test]
fn rfc8106_name_servers_and_domains_are_those_that_routers_tell() {
    // RFC 8106 section 5.1: for a minute.
    let mut servers = vec![25, 3, 0, 0, 0, 0, 0, 60];
    servers.extend(ip("2001:db8:1::53").octets());
    let host = &mut told(&Advertised::new().prefix(PREFIX, 600, 600).option(&servers));
    let config = host.stack().config_v6().unwrap();
    assert_eq!(config.dns_servers[..], [ip("2001:db8:1::53")]);
    host.let_pass(Duration::from_secs(60));
    assert!(host.stack().config_v6().unwrap().dns_servers.is_empty());
}

#[test]
fn rfc8981_connections_go_out_from_a_temporary_address() {
    let mut slaac = SlaacConfig::new();
    slaac.temporary_addresses = true;
    let mut config = Config::slaac(slaac);
    config.interface_identifiers = cygnet::InterfaceIdentifiers::Eui64;
    let mut host = Host::new(config);
    host.let_pass(Duration::from_secs(3));
    host.advertise(&Advertised::new().prefix(PREFIX, 86_400, 86_400));
    host.let_pass(Duration::from_secs(3));
    assert_eq!(state(&host, MADE), Some(AddressState::Preferred));
    let socket = udp_socket(&host);
    send_datagram(&mut host, &socket, (ip("2001:db8:ff::1"), 9), b"hello").unwrap();
    let src = host.hear().header.src;
    assert_eq!(src.segments()[..4], ip(MADE).segments()[..4]);
    assert_ne!(src, ip(MADE));
}

#[test]
fn a_link_that_comes_back_is_asked_for_routers_and_may_be_another() {
    let mut host = told(&Advertised::new().prefix(PREFIX, 600, 600));
    host.bench.set_link_state(LinkState::Down);
    host.let_pass(Duration::from_secs(5));
    host.bench.set_link_state(LinkState::Up);
    let mut solicitations = 0;
    while let Some(heard) = host.hear_within(Duration::from_secs(3)) {
        solicitations += u32::from(heard.header.dst == ip("ff02::2"));
    }
    assert_eq!(solicitations, 1);
    assert_eq!(state(&host, MADE), Some(AddressState::Deprecated));
    assert_eq!(host.stack().path_mtu(PEER.into()), None, "no router");
    // It is another.
    host.advertise(&Advertised::new().prefix("2001:db8:2::/64", 600, 600));
    host.let_pass(Duration::from_secs(3));
    let config = host.stack().config_v6().unwrap();
    assert_eq!(config.address.address(), ip("2001:db8:2::ff:fe00:1"));
    // It is the same after all.
    host.advertise(&Advertised::new().prefix(PREFIX, 600, 600));
    assert_eq!(state(&host, MADE), Some(AddressState::Preferred));
}

#[test]
fn lifetimes_end_without_a_link_too() {
    let mut host = told(&Advertised::new().prefix(PREFIX, 60, 120));
    host.bench.set_link_state(LinkState::Down);
    host.let_pass(Duration::from_secs(120));
    assert_eq!(state(&host, MADE), None);
}

#[test]
fn changes_are_told_one_by_one() {
    let mut host = Host::listening();
    let mut events = host.stack().config_events();
    let made: cygnet::IpCidr = format!("{MADE}/64").parse().unwrap();
    let mut advertised = Advertised::new().prefix(PREFIX, 60, 120);
    advertised.router.flags = 0x40;
    host.advertise(&advertised);
    host.let_pass(Duration::from_secs(200));
    let mut heard = Vec::new();
    while let Some(event) = events.try_next() {
        heard.push(event);
    }
    let flags = host.stack().router_flags();
    assert!(flags.other);
    let expected = [
        ConfigEvent::RouterFlags(flags),
        ConfigEvent::AddressAdded(made),
        ConfigEvent::AddressDeprecated(made),
        ConfigEvent::AddressRemoved(made),
    ];
    assert_eq!(heard, expected);
}

#[test]
fn an_address_that_was_given_as_well_is_not_taken_away() {
    let mut host = Host::listening();
    let given = format!("{MADE}/64").parse().unwrap();
    host.stack().add_address(given).unwrap();
    host.advertise(&Advertised::new().prefix(PREFIX, 60, 120));
    host.let_pass(Duration::from_secs(200));
    assert_eq!(state(&host, MADE), Some(AddressState::Preferred));
}

#[test]
fn another_configuration_ends_what_routers_gave() {
    let mut host = told(&Advertised::new().prefix(PREFIX, 600, 600).mtu(1_400));
    host.stack().set_config_v6(ConfigV6::LinkLocal).unwrap();
    assert_eq!(state(&host, MADE), None);
    assert_eq!(host.stack().path_mtu(PEER.into()), None);
    host.drops(&Advertised::new().packet(), Discard::UnknownIcmp);
    host.stack().set_config_v6(SlaacConfig::new()).unwrap();
    host.advertise(&Advertised::new().prefix(PREFIX, 600, 600));
    host.let_pass(Duration::from_secs(3));
    assert!(host.stack().is_config_up());
    assert_eq!(host.stack().path_mtu(PEER.into()), Some(1_500));
}
