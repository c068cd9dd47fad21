//! What becomes of the link and the configuration, one event after the other.

use std::net::Ipv4Addr;

use cygnet::ConfigEvent::{
    AddressAdded, AddressConflict, AddressDeprecated, AddressRemoved, Lagged, LeaseLost,
    LeaseObtained, LinkDown, LinkUp,
};
use cygnet::{
    Config, ConfigEvent, DhcpConfig, Duration, IpAddress, IpCidr, Ipv4Cidr, LinkLocalConfig,
};
use cygnet_driver::LinkState;
use cygnet_tests::{Network, Setup};
use embassy_futures::select::{Either, select};

use crate::dhcp_server::{Offer, Server};

fn cidr(last: u8) -> IpCidr {
    IpCidr::Ipv4(Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, last), 24))
}

fn quick() -> DhcpConfig {
    let mut config = DhcpConfig::new();
    config.probe = false;
    config
}

/// Host 0 with that configuration, others at fixed addresses.
fn network<const N: usize>(config: Config) -> Network<'static, N> {
    Network::with(1, move |n| {
        let mut setup = Setup::new(n);
        if n == 0 {
            setup.config = config.clone();
        }
        setup
    })
}

#[test]
fn a_lease_and_its_end() {
    let network = network::<2>(Config::dhcpv4(quick()));
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    let mut events = client.stack.config_events();
    network.executor.block_on(async {
        assert_eq!(events.next().await, LinkUp);
        dhcp.give(&Offer::new(9)).await;
        assert_eq!(events.next().await, LeaseObtained);
        assert_eq!(events.next().await, AddressAdded(cidr(9)));
        client.stack.set_config_v4(None).unwrap();
        assert_eq!(events.next().await, LeaseLost);
        assert_eq!(events.next().await, AddressRemoved(cidr(9)));
        network.control.set_link_state(0, LinkState::Down);
        assert_eq!(events.next().await, LinkDown);
        assert_eq!(events.try_next(), None);
    });
}

#[test]
fn a_renewal_is_no_news() {
    let network = network::<2>(Config::dhcpv4(quick()));
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        dhcp.give(&Offer::new(9)).await;
        client.stack.wait_config_up().await;
        let mut events = client.stack.config_events();
        while events.try_next().is_some() {}
        let request = dhcp.receive().await;
        let kind = cygnet::wire::DhcpMessageKind::Ack;
        dhcp.answer(&request, kind, &Offer::new(9), Ipv4Addr::new(10, 0, 0, 9))
            .await;
        network.executor.sleep(Duration::from_secs(5)).await;
        assert_eq!(events.try_next(), None);
    });
}

#[test]
fn a_conflict_and_what_follows() {
    let network = network::<2>(Config::ipv4_link_local(LinkLocalConfig::new()));
    let [host, rival] = &network.hosts;
    let mut events = host.stack.config_events();
    network.executor.block_on(async {
        assert_eq!(events.next().await, LinkUp);
        let AddressAdded(address) = events.next().await else {
            panic!("an address");
        };
        for _ in 0..2 {
            rival.stack.add_address(address).unwrap();
            network.executor.sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(events.next().await, AddressConflict(address.address()));
        assert_eq!(events.next().await, AddressRemoved(address));
        assert!(matches!(events.next().await, AddressAdded(other) if other != address));
    });
}

#[test]
fn an_address_is_deprecated_by_a_better_one() {
    let network = network::<2>(Config::dhcpv4_or_link_local(quick()));
    let [client, server] = &network.hosts;
    let mut events = client.stack.config_events();
    network.executor.block_on(async {
        assert_eq!(events.next().await, LinkUp);
        let AddressAdded(link_local) = events.next().await else {
            panic!("an address");
        };
        let dhcp = Server::on(server);
        dhcp.give(&Offer::new(9)).await;
        assert_eq!(events.next().await, LeaseObtained);
        assert_eq!(events.next().await, AddressDeprecated(link_local));
        assert_eq!(events.next().await, AddressAdded(cidr(9)));
        assert_eq!(events.next().await, LeaseLost, "ten minutes later");
        assert_eq!(events.next().await, AddressRemoved(cidr(9)));
        assert_eq!(
            events.next().await,
            AddressAdded(link_local),
            "at that time"
        );
    });
}

#[test]
fn fixed_addresses_are_told_to_who_is_there_in_time() {
    let network = Network::<1>::new(1);
    let [host] = &network.hosts;
    let (mut first, mut second) = (host.stack.config_events(), host.stack.config_events());
    network.executor.block_on(async {
        for events in [&mut first, &mut second] {
            assert_eq!(events.next().await, LinkUp);
            assert_eq!(events.next().await, AddressAdded(cidr(1)));
        }
        let address = IpAddress::Ipv4(host.address);
        assert_eq!(host.stack.remove_address(address), Ok(true));
        assert_eq!(first.next().await, AddressRemoved(cidr(1)));
        let mut late = host.stack.config_events();
        assert_eq!(late.try_next(), None);
    });
}

#[test]
fn a_reader_that_gives_up_waiting_loses_nothing() {
    let network = Network::<1>::new(1);
    let [host] = &network.hosts;
    let mut events = host.stack.config_events();
    network.executor.block_on(async {
        let mut heard = Vec::new();
        for n in 0..20 {
            network.executor.sleep(Duration::from_millis(1)).await;
            if n == 10 {
                host.stack.add_address(cidr(50)).unwrap();
            }
            let short = network.executor.sleep(Duration::from_micros(1));
            if let Either::First(event) = select(events.next(), short).await {
                heard.push(event);
            }
        }
        let expected: [ConfigEvent; 3] = [LinkUp, AddressAdded(cidr(1)), AddressAdded(cidr(50))];
        assert_eq!(heard, expected);
    });
}

#[test]
fn a_reader_that_sleeps_hears_how_much_it_missed() {
    let network = Network::<1>::new(1);
    let [host] = &network.hosts;
    network.executor.block_on(async {
        host.stack.wait_config_up().await;
        let mut events = host.stack.config_events();
        while events.try_next().is_some() {}
        for _ in 0..10 {
            host.stack.add_address(cidr(50)).unwrap();
            host.stack.remove_address(cidr(50).address()).unwrap();
        }
        let Lagged(missed) = events.next().await else {
            panic!("the stack keeps less than twenty");
        };
        let mut kept = 0;
        while let Some(event) = events.try_next() {
            kept += 1;
            assert!(matches!(event, AddressAdded(_) | AddressRemoved(_)));
        }
        assert!(kept > 0);
        assert_eq!(missed + kept, 20);
    });
}

#[test]
fn a_lease_that_cannot_be_given_back_costs_no_polls() {
    let network = network::<2>(Config::dhcpv4(quick()));
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        dhcp.give(&Offer::new(9)).await;
        client.stack.wait_config_up().await;
        network.control.set_link_state(0, LinkState::Down);
        client.stack.set_config_v4(None).unwrap();
        network.executor.sleep(Duration::from_secs(1)).await;
        let before = client.runner_polls();
        network.executor.sleep(Duration::from_secs(60)).await;
        assert!(client.runner_polls() - before < 10);
    });
}
