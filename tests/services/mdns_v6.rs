//! Multicast DNS over IPv6 (RFC 6762, section 20): of three hosts one speaks both versions, one IPv6 alone and
//! one IPv4 alone.

use std::net::{IpAddr, Ipv6Addr};

use cygnet::wire::dns::{MDNS_GROUP, MDNS_GROUP_V6, Name, RecordData, RecordType};
use cygnet::{
    Config, ConfigV4, ConfigV6, DnsError, DnsSocket, Duration, IpAddress, IpCidr, Ipv6Cidr,
    MdnsBrowser, MdnsFound, StaticConfigV6,
};
use cygnet_tests::{Network, Setup};
use embassy_futures::join::join3;
use embedded_nal_async::Dns;

use crate::mdns::{WEB, host_name};

fn setup(n: usize) -> Setup {
    let mut setup = Setup::new(n);
    let cidr = Ipv6Cidr::new(address(n), 64);
    match n {
        0 => setup.config.ipv6 = StaticConfigV6::new(cidr).into(),
        1 => {
            setup.config.ipv4 = ConfigV4::None;
            setup.config.ipv6 = StaticConfigV6::new(cidr).into();
        }
        _ => setup.config.ipv6 = ConfigV6::None,
    }
    setup
}

fn address(n: usize) -> Ipv6Addr {
    Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, n as u16 + 1)
}

#[test]
fn who_speaks_both_versions_finds_and_is_found_by_who_speaks_one() {
    let network = Network::<3>::with(1, setup);
    let [swan, duck, goose] = &network.hosts;
    network.executor.block_on(async {
        for (host, name) in [(swan, "swan"), (duck, "duck"), (goose, "goose")] {
            host.stack.wait_config_up().await;
            host.stack.set_mdns_host(Some(name)).unwrap();
        }
        let up = [swan, duck, goose].map(|host| host.stack.wait_mdns_up());
        let [a, b, c] = up;
        join3(a, b, c).await;
        assert!(swan.stack.has_multicast_group(MDNS_GROUP_V6));
        assert!(swan.stack.has_multicast_group(MDNS_GROUP));
        let dns = [swan, duck, goose].map(|host| DnsSocket::new(host.stack, vec![0; 1600]));
        let [swans, ducks, geese] = dns.map(Result::unwrap);
        let link_local = swan.stack.link_local_v6().unwrap();
        let v6 = [address(0), link_local].map(IpAddress::Ipv6);
        let v4 = IpAddress::Ipv4(swan.address);
        // Who speaks one version looks for addresses of that version.
        let found = ducks.resolve("swan.local").await.unwrap();
        assert!(found.len() == 2 && v6.iter().all(|v6| found.contains(v6)));
        assert_eq!(geese.resolve("swan.local").await.unwrap()[..], [v4]);
        // The answer may have the other, too.
        let both = ducks.query_with("swan.local", RecordType::A, |answer| {
            let mut records = answer.records();
            records.any(|r| r.data == RecordData::A(swan.address))
        });
        assert!(both.await.unwrap());
        let found = swans.resolve("duck.local").await.unwrap();
        assert!(found.contains(&IpAddress::Ipv6(address(1))));
        let found = swans.resolve("goose.local").await.unwrap();
        assert_eq!(found[..], [IpAddress::Ipv4(goose.address)]);
        // "Ships that pass in the night."
        let never = ducks.resolve("goose.local").await;
        assert_eq!(never, Err(DnsError::TimedOut));
    });
}

#[test]
fn an_address_of_the_link_leads_to_the_name_of_its_host() {
    let network = Network::<3>::with(1, setup);
    let [swan, duck, _] = &network.hosts;
    network.executor.block_on(async {
        swan.stack.wait_config_up().await;
        swan.stack.set_mdns_host(Some("swan")).unwrap();
        swan.stack.wait_mdns_up().await;
        let dns = DnsSocket::new(duck.stack, vec![0; 1600]).unwrap();
        let link_local = IpAddr::V6(swan.stack.link_local_v6().unwrap());
        let mut name = [0; 64];
        let len = dns.get_host_by_address(link_local, &mut name).await;
        assert_eq!(&name[..len.unwrap()], b"swan.local");
        // Others are asked of servers, of which there are none.
        let known = IpAddr::V6(address(0));
        let found = dns.get_host_by_address(known, &mut name).await;
        assert_eq!(found, Err(DnsError::NoServers));
    });
}

#[test]
fn of_two_hosts_that_meet_over_ipv6_alone_one_takes_another_name() {
    let network = Network::<2>::with(1, setup);
    let [swan, duck] = &network.hosts;
    network.executor.block_on(async {
        swan.stack.set_mdns_host(Some("bird")).unwrap();
        swan.stack.wait_mdns_up().await;
        network.executor.sleep(Duration::from_secs(5)).await;
        duck.stack.set_mdns_host(Some("bird")).unwrap();
        duck.stack.wait_mdns_up().await;
        assert_eq!(host_name(swan.stack), "bird");
        assert_eq!(host_name(duck.stack), "bird-2");
    });
}

/// What comes or goes next: `+` or `-`, and the address.
async fn next(browser: &mut MdnsBrowser<'_>) -> (char, Ipv6Addr) {
    let told = browser.next(|found| match found {
        MdnsFound::Added(RecordData::Aaaa(address)) => ('+', address),
        MdnsFound::Removed(RecordData::Aaaa(address)) => ('-', address),
        other => panic!("{other:?}"),
    });
    told.await.unwrap()
}

#[test]
fn addresses_and_services_are_seen_to_come_and_go_over_ipv6() {
    let network = Network::<2>::with(1, setup);
    let [swan, duck] = &network.hosts;
    network.executor.block_on(async {
        let name = Name::from_text("swan.local").unwrap();
        let mut browser =
            MdnsBrowser::new(duck.stack, &name, RecordType::AAAA, vec![0; 400]).unwrap();
        swan.stack.wait_config_up().await;
        swan.stack.set_mdns_host(Some("swan")).unwrap();
        let link_local = swan.stack.link_local_v6().unwrap();
        let mut first = [next(&mut browser).await, next(&mut browser).await];
        first.sort_unstable_by_key(|(_, found)| *found == link_local);
        assert_eq!(first, [('+', address(0)), ('+', link_local)]);
        let another = address(0x77);
        let cidr = IpCidr::Ipv6(Ipv6Cidr::new(another, 64));
        swan.stack.add_address(cidr).unwrap();
        assert_eq!(next(&mut browser).await, ('+', another));
        let before = network.executor.now();
        swan.stack.remove_address(IpAddress::Ipv6(another)).unwrap();
        assert_eq!(next(&mut browser).await, ('-', another));
        let after = network.executor.now().since(before);
        assert!(after < Duration::from_secs(2), "a goodbye: {after:?}");

        let kind = Name::from_text("_http._tcp.local").unwrap();
        let mut services =
            MdnsBrowser::new(duck.stack, &kind, RecordType::PTR, vec![0; 400]).unwrap();
        let web = swan.stack.add_mdns_service(&WEB).unwrap();
        let comes = services.next(|found| matches!(found, MdnsFound::Added(_)));
        assert_eq!(comes.await, Ok(true));
        swan.stack.remove_mdns_service(web).unwrap();
        let goes = services.next(|found| matches!(found, MdnsFound::Removed(_)));
        assert_eq!(goes.await, Ok(true));

        let before = network.executor.now();
        swan.stack.set_mdns_host(None).unwrap();
        let mut last = [next(&mut browser).await, next(&mut browser).await];
        last.sort_unstable_by_key(|(_, gone)| *gone == link_local);
        assert_eq!(last, [('-', address(0)), ('-', link_local)]);
        let after = network.executor.now().since(before);
        assert!(after < Duration::from_secs(2), "a goodbye: {after:?}");
    });
}

#[test]
fn a_host_that_gets_its_second_version_later_is_found_over_both() {
    let network = Network::<3>::with(1, |n| {
        let mut setup = setup(n);
        if n == 0 {
            setup.config = Config::new();
            setup.config.ipv6 = ConfigV6::LinkLocal;
        }
        setup
    });
    let [swan, duck, goose] = &network.hosts;
    network.executor.block_on(async {
        swan.stack.set_mdns_host(Some("swan")).unwrap();
        goose.stack.set_mdns_host(Some("swan")).unwrap();
        swan.stack.wait_mdns_up().await;
        assert_eq!(host_name(swan.stack), "swan", "they do not hear each other");
        let ours = swan.address;
        let config = cygnet::StaticConfigV4::new(cygnet::Ipv4Cidr::new(ours, 24));
        swan.stack.set_config_v4(config).unwrap();
        network.executor.sleep(Duration::from_secs(5)).await;
        swan.stack.wait_mdns_up().await;
        assert_eq!(host_name(swan.stack), "swan-2", "now they do");
        let dns = DnsSocket::new(duck.stack, vec![0; 1600]).unwrap();
        let link_local = IpAddress::Ipv6(swan.stack.link_local_v6().unwrap());
        assert_eq!(dns.resolve("swan-2.local").await.unwrap()[..], [link_local]);
        let dns = DnsSocket::new(goose.stack, vec![0; 1600]).unwrap();
        let found = dns.resolve("swan-2.local").await.unwrap();
        assert_eq!(found[..], [IpAddress::Ipv4(ours)]);
    });
}
