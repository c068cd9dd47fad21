//! Addresses are asked for before they are used (RFC 4862, section 5.4; RFC 7527).

use core::time::Duration;

use cygnet::{AddressState, Config, Discard, InterfaceIdentifiers};

use super::*;

const LINK_LOCAL: &str = "fe80::ff:fe00:1";

fn state(host: &Host, address: Ipv6Addr) -> Option<AddressState> {
    host.stack().address_state(address.into())
}

/// One address, whose probe is awaited.
fn probing(config: Config) -> (Host, Heard) {
    let mut host = Host::new(config);
    let probe = host
        .hear_within(Duration::from_secs(1))
        .expect("a probe within a second");
    (host, probe)
}

fn link_local() -> Config {
    let mut config = Config::ipv6_link_local();
    config.interface_identifiers = InterfaceIdentifiers::Eui64;
    config
}

#[test]
fn rfc4862_an_address_is_asked_for_and_then_used() {
    let (mut host, heard) = probing(link_local());
    let address = ip(LINK_LOCAL);
    assert_eq!(host.stack().link_local_v6(), Some(address));
    // 5.4.2: "the IP source is set to the unspecified address and the IP destination is set to the
    // solicited-node multicast address of the target address."
    assert_eq!(heard.header.src, Ipv6Addr::UNSPECIFIED);
    assert_eq!(heard.header.dst, solicited_node(address));
    let group = EthernetAddress::for_ipv6_multicast(heard.header.dst);
    assert_eq!(heard.link.dst, group);
    let (target, options) = heard.solicitation();
    assert_eq!(target, address);
    // RFC 4861, 4.3: no source link address "when the source IP address is the unspecified address".
    assert_eq!(options.source_link_address(), None);
    assert!(options.nonce().is_some());
    assert_eq!(state(&host, address), Some(AddressState::Tentative));
    assert!(!host.stack().is_config_up());
    host.silence(Duration::from_millis(999));
    assert_eq!(state(&host, address), Some(AddressState::Tentative));
    host.silence(Duration::from_millis(1));
    assert_eq!(state(&host, address), Some(AddressState::Preferred));
    assert!(host.stack().is_config_up());
}

#[test]
fn rfc4862_both_addresses_are_asked_for() {
    let (mut host, first) = probing(fixed());
    let second = host.hear_within(Duration::from_secs(1)).expect("another");
    let mut targets = [first.solicitation().0, second.solicitation().0];
    targets.sort();
    assert_eq!(targets, [OURS, ip(LINK_LOCAL)]);
}

#[test]
fn rfc4862_a_tentative_address_does_not_answer() {
    let (mut host, _) = probing(link_local());
    let address = ip(LINK_LOCAL);
    host.drops(
        &echo_request(ip("fe80::2"), address),
        Discard::NotOurAddress,
    );
    // 5.4.3: a solicitation from a host with an address "should be silently ignored".
    host.send(&solicitation(address));
    host.silence(Duration::from_millis(500));
    assert_eq!(state(&host, address), Some(AddressState::Tentative));
}

#[test]
fn rfc4862_an_advertisement_makes_it_a_duplicate() {
    let (mut host, _) = probing(link_local());
    let address = ip(LINK_LOCAL);
    let unsolicited = NeighborFlags {
        solicited: false,
        ..SOLICITED
    };
    host.drops(
        &advertisement(address, ALL_NODES, unsolicited),
        Discard::AddressConflict,
    );
    assert_eq!(state(&host, address), Some(AddressState::Duplicate));
    host.silence(Duration::from_secs(10));
    assert_eq!(state(&host, address), Some(AddressState::Duplicate));
    assert!(!host.stack().is_config_up());
    host.drops(
        &echo_request(ip("fe80::2"), address),
        Discard::NotOurAddress,
    );
}

#[test]
fn rfc4862_anothers_probe_makes_it_a_duplicate() {
    let (mut host, _) = probing(link_local());
    host.drops(&probe(ip(LINK_LOCAL), None), Discard::AddressConflict);
    assert_eq!(state(&host, ip(LINK_LOCAL)), Some(AddressState::Duplicate));
}

#[test]
fn rfc7527_a_probe_that_the_link_echoes_is_no_duplicate() {
    let (mut host, heard) = probing(link_local());
    let nonce = heard.solicitation().1.nonce().unwrap().to_vec();
    host.send(&probe(ip(LINK_LOCAL), Some(&nonce)));
    // Three more are sent, and then it is used.
    for _ in 0..3 {
        let heard = host.hear_within(Duration::from_secs(1)).expect("another");
        assert_eq!(heard.solicitation().0, ip(LINK_LOCAL));
    }
    host.silence(Duration::from_secs(1));
    assert_eq!(state(&host, ip(LINK_LOCAL)), Some(AddressState::Preferred));
}

#[test]
fn anothers_nonce_is_no_echo() {
    let (mut host, _) = probing(link_local());
    let theirs = probe(ip(LINK_LOCAL), Some(&[1, 2, 3, 4, 5, 6]));
    host.drops(&theirs, Discard::AddressConflict);
}

/// RFC 7217, section 6: another identifier is tried, three times.
#[test]
fn rfc7217_of_an_opaque_address_there_is_another() {
    let mut host = Host::new(Config::ipv6_link_local());
    let mut taken = Vec::new();
    for _ in 0..4 {
        let heard = host.hear_within(Duration::from_secs(1)).expect("a probe");
        let address = heard.solicitation().0;
        assert_eq!(host.stack().link_local_v6(), Some(address));
        assert!(!taken.contains(&address));
        taken.push(address);
        host.send(&probe(address, None));
    }
    host.silence(Duration::from_secs(10));
    let last = *taken.last().unwrap();
    assert_eq!(state(&host, last), Some(AddressState::Duplicate));
    assert!(taken[..3].iter().all(|&gone| state(&host, gone).is_none()));
}

#[test]
fn rfc7217_a_secret_makes_the_same_address_again() {
    let address = |seed: Option<[u8; 16]>| {
        let mut config = Config::ipv6_link_local();
        config.interface_identifiers = InterfaceIdentifiers::Opaque { secret: seed };
        Host::new(config).stack().link_local_v6().unwrap()
    };
    assert_eq!(address(Some([1; 16])), address(Some([1; 16])));
    assert_ne!(address(Some([1; 16])), address(Some([2; 16])));
    assert_ne!(address(Some([1; 16])), address(None));
}

#[test]
fn rfc4862_others_who_probe_for_our_address_hear_that_it_is_taken() {
    let mut host = Host::up();
    host.send(&probe(OURS, Some(&[1, 2, 3, 4, 5, 6])));
    let heard = host.hear();
    // RFC 4861, 7.2.4: "If the source of the solicitation is the unspecified address, the node MUST set the
    // Solicited flag to zero and multicast the advertisement to the all-nodes address."
    assert_eq!((heard.header.src, heard.header.dst), (OURS, ALL_NODES));
    let (target, flags, options) = heard.advertisement();
    assert_eq!(target, OURS);
    assert!(!flags.solicited && flags.override_ && !flags.router);
    assert_eq!(options.target_link_address(), Some(OUR_MAC));
    assert_eq!(state(&host, OURS), Some(AddressState::Preferred));
}

#[test]
fn no_probes_are_sent_where_none_are_asked_for() {
    let mut config = link_local();
    config.duplicate_address_probes = 0;
    let mut host = Host::new(config);
    host.silence(Duration::from_secs(5));
    assert_eq!(state(&host, ip(LINK_LOCAL)), Some(AddressState::Preferred));
}

#[test]
fn more_probes_are_sent_where_more_are_asked_for() {
    let mut config = link_local();
    config.duplicate_address_probes = 3;
    let (mut host, _) = probing(config);
    for _ in 0..2 {
        host.hear_within(Duration::from_secs(1)).expect("another");
    }
    host.silence(Duration::from_secs(1));
    assert!(host.stack().is_config_up());
}

#[test]
fn an_address_that_is_removed_is_not_asked_for_any_more() {
    let (mut host, _) = probing(fixed());
    assert_eq!(host.stack().remove_address(OURS.into()), Ok(true));
    let ll = ip(LINK_LOCAL);
    assert_eq!(host.stack().remove_address(ll.into()), Ok(true));
    host.silence(Duration::from_secs(10));
    assert_eq!(state(&host, OURS), None);
}

#[test]
fn without_a_configuration_nothing_is_said_and_nothing_heard() {
    let mut host = Host::new(Config::new());
    host.silence(Duration::from_secs(10));
    host.drops(&solicitation(OURS), Discard::UnknownProtocol);
}

#[test]
fn another_configuration_takes_the_place_of_the_first() {
    let mut host = Host::up();
    let other = ip("2001:db8:7::1");
    let config = StaticConfigV6::new(Ipv6Cidr::new(other, 64));
    host.stack().set_config_v6(config.clone()).unwrap();
    assert_eq!(host.stack().config_v6(), Some(config));
    assert_eq!(state(&host, OURS), None);
    host.let_pass(Duration::from_secs(3));
    assert_eq!(state(&host, other), Some(AddressState::Preferred));
    assert_eq!(state(&host, ip(LINK_LOCAL)), Some(AddressState::Preferred));
    host.stack().set_config_v6(cygnet::ConfigV6::None).unwrap();
    assert_eq!(state(&host, other), None);
    assert_eq!(state(&host, ip(LINK_LOCAL)), None);
    assert!(!host.stack().is_config_up());
}
