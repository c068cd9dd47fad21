//! DHCPv4 (RFC 2131): a host without an address, and a server at 10.0.0.2 that its test plays.

use std::net::Ipv4Addr;

use cygnet::wire::DhcpMessageKind;
use cygnet::wire::dhcpv4::option;
use cygnet::{
    Config, DhcpConfig, Discard, Duration, IpAddress, Ipv4Cidr, StaticConfigV4, TcpError,
};
use cygnet_driver::LinkState;
use cygnet_tests::{Network, Setup};
use embassy_futures::join::join;

use crate::dhcp_server::{Offer, Server};

const ALL: Ipv4Addr = Ipv4Addr::BROADCAST;

/// A client without an address as host 0, others at fixed ones.
fn network<const N: usize>(dhcp: DhcpConfig) -> Network<'static, N> {
    Network::with(1, move |n| {
        let mut setup = Setup::new(n);
        if n == 0 {
            setup.config = Config::dhcpv4(dhcp.clone());
        }
        setup
    })
}

/// Takes the address at once.
fn quick() -> DhcpConfig {
    let mut config = DhcpConfig::new();
    config.probe = false;
    config
}

fn last(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, last)
}

#[test]
fn a_host_gets_its_address_and_what_goes_with_it() {
    let mut dhcp = DhcpConfig::new();
    dhcp.hostname = Some("swan".try_into().unwrap());
    let network = network::<2>(dhcp);
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        assert!(!client.stack.is_config_up());
        let offer = Offer::new(9)
            .with(option::ROUTER, &[10, 0, 0, 2])
            .with(option::DNS_SERVERS, &[10, 0, 0, 2])
            .with(option::DOMAIN_NAME, b"example.org");
        let giving = async {
            let discover = dhcp.expect(DhcpMessageKind::Discover).await;
            // Section 4.1: "DHCP messages broadcast by a client prior to that client obtaining its IP
            // address must have the source address field in the IP header set to 0."
            assert_eq!(discover.from, IpAddress::Ipv4(Ipv4Addr::UNSPECIFIED));
            assert_eq!(discover.hostname.as_deref(), Some(&b"swan"[..]));
            dhcp.answer(&discover, DhcpMessageKind::Offer, &offer, ALL)
                .await;
            let request = dhcp.expect(DhcpMessageKind::Request).await;
            dhcp.answer(&request, DhcpMessageKind::Ack, &offer, ALL)
                .await;
        };
        join(giving, client.stack.wait_config_up()).await;
        let config = client.stack.config_v4().unwrap();
        assert_eq!(config.address, Ipv4Cidr::new(last(9), 24));
        assert_eq!(config.gateway, Some(last(2)));
        assert_eq!(config.dns_servers[..], [last(2)]);
        let lease = client.stack.dhcp_lease().unwrap();
        assert_eq!(lease.server, last(2));
        assert_eq!(lease.duration, Some(Duration::from_secs(600)));

        let (here, there) = (client.udp_at(7), server.udp_at(7));
        here.send_to(b"hello", server.at(7)).await.unwrap();
        let (_, meta) = there.recv_from(&mut [0; 9]).await.unwrap();
        assert_eq!(meta.endpoint.addr, IpAddress::Ipv4(last(9)));
    });
}

#[test]
fn answers_may_come_to_the_address_that_is_yet_to_be_ours() {
    let network = network::<2>(quick());
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        let hardware = cygnet::wire::EthernetAddress([2, 0, 0, 0, 0, 1]);
        let to = IpAddress::Ipv4(last(9));
        server.stack.add_neighbor(to, hardware).unwrap();
        let giving = async {
            let discover = dhcp.expect(DhcpMessageKind::Discover).await;
            let offer = Offer::new(9);
            dhcp.answer(&discover, DhcpMessageKind::Offer, &offer, last(9))
                .await;
            let request = dhcp.expect(DhcpMessageKind::Request).await;
            dhcp.answer(&request, DhcpMessageKind::Ack, &offer, last(9))
                .await;
        };
        join(giving, client.stack.wait_config_up()).await;
        assert_eq!(client.stack.config_v4().unwrap().address.address(), last(9));
    });
}

#[test]
fn an_address_that_somebody_has_is_declined() {
    let network = network::<3>(DhcpConfig::new());
    let [client, server, _holder] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        let giving = async {
            // That of the third host.
            dhcp.give(&Offer::new(3)).await;
            let decline = dhcp.expect(DhcpMessageKind::Decline).await;
            assert_eq!(decline.requested, Some(last(3)));
            dhcp.give(&Offer::new(9)).await;
        };
        join(giving, client.stack.wait_config_up()).await;
        assert_eq!(client.stack.config_v4().unwrap().address.address(), last(9));
        assert!(client.stack.stats().discarded(Discard::AddressConflict) > 0);
    });
}

#[test]
fn a_lease_is_renewed_with_its_server_and_connections_live_on() {
    let network = network::<2>(quick());
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        let offer = Offer::new(9);
        join(dhcp.give(&offer), client.stack.wait_config_up()).await;
        let (mut near, mut far) = (client.tcp(), server.tcp());
        let accepting = async { far.accept(80).await.unwrap() };
        join(accepting, async {
            near.connect(server.at(80)).await.unwrap()
        })
        .await;
        for _ in 0..3 {
            let before = network.executor.now();
            let request = dhcp.expect(DhcpMessageKind::Request).await;
            let after = network.executor.now().since(before).as_secs();
            assert!((281..=301).contains(&after), "half of ten minutes: {after}");
            assert_eq!(request.from, IpAddress::Ipv4(last(9)), "along the routes");
            assert_eq!((request.ciaddr, request.requested), (last(9), None));
            dhcp.answer(&request, DhcpMessageKind::Ack, &offer, last(9))
                .await;
        }
        near.write(b"still here").await.unwrap();
        let mut buffer = [0; 16];
        assert_eq!(far.read(&mut buffer).await, Ok(10));
    });
}

#[test]
fn a_refused_lease_ends_its_connections() {
    let network = network::<2>(quick());
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        let offer = Offer::new(9);
        join(dhcp.give(&offer), client.stack.wait_config_up()).await;
        let (mut near, mut far) = (client.tcp(), server.tcp());
        let accepting = async { far.accept(80).await.unwrap() };
        join(accepting, async {
            near.connect(server.at(80)).await.unwrap()
        })
        .await;
        let request = dhcp.expect(DhcpMessageKind::Request).await;
        let refusing = dhcp.answer(&request, DhcpMessageKind::Nak, &offer, ALL);
        join(refusing, client.stack.wait_config_down()).await;
        assert_eq!(client.stack.config_v4(), None);
        assert_eq!(near.read(&mut [0; 4]).await, Err(TcpError::AddressGone));
        join(dhcp.give(&Offer::new(10)), client.stack.wait_config_up()).await;
        assert_eq!(
            client.stack.config_v4().unwrap().address.address(),
            last(10)
        );
    });
}

#[test]
fn without_its_server_a_lease_is_over_in_time() {
    let network = network::<2>(quick());
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        join(dhcp.give(&Offer::new(9)), client.stack.wait_config_up()).await;
        let from = network.executor.now();
        network.control.set_link_state(1, LinkState::Down);
        client.stack.wait_config_down().await;
        let after = network.executor.now().since(from).as_secs();
        assert!((599..=601).contains(&after), "{after}");
        network.control.set_link_state(1, LinkState::Up);
        join(dhcp.give(&Offer::new(9)), client.stack.wait_config_up()).await;
    });
}

#[test]
fn a_cable_that_is_back_asks_for_the_same_address() {
    let network = network::<2>(quick());
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        let offer = Offer::new(9);
        join(dhcp.give(&offer), client.stack.wait_config_up()).await;
        network.control.set_link_state(0, LinkState::Down);
        client.stack.wait_config_down().await;
        network.control.set_link_state(0, LinkState::Up);
        let request = dhcp.expect(DhcpMessageKind::Request).await;
        assert_eq!(request.requested, Some(last(9)));
        assert_eq!(request.from, IpAddress::Ipv4(Ipv4Addr::UNSPECIFIED));
        dhcp.answer(&request, DhcpMessageKind::Ack, &offer, ALL)
            .await;
        client.stack.wait_config_up().await;
        let next = dhcp.receive().await;
        assert_eq!(next.ciaddr, last(9), "half a lease later: {next:?}");
    });
}

#[test]
fn a_configuration_that_is_replaced_gives_its_lease_back() {
    let network = network::<2>(quick());
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        join(dhcp.give(&Offer::new(9)), client.stack.wait_config_up()).await;
        let fixed = StaticConfigV4::new(Ipv4Cidr::new(last(50), 24));
        client.stack.set_config_v4(fixed.clone()).unwrap();
        let release = dhcp.expect(DhcpMessageKind::Release).await;
        assert_eq!(
            (release.ciaddr, release.from),
            (last(9), IpAddress::Ipv4(last(9)))
        );
        assert_eq!(client.stack.config_v4(), Some(fixed));
        assert_eq!(client.stack.dhcp_lease(), None);

        client.stack.set_config_v4(quick()).unwrap();
        assert_eq!(client.stack.config_v4(), None);
        join(dhcp.give(&Offer::new(11)), client.stack.wait_config_up()).await;
        assert_eq!(
            client.stack.config_v4().unwrap().address.address(),
            last(11)
        );
    });
}

#[test]
fn a_lease_that_brings_other_servers_is_a_change() {
    let network = network::<2>(quick());
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        let offer = Offer::new(9).with(option::DNS_SERVERS, &[10, 0, 0, 2]);
        join(dhcp.give(&offer), client.stack.wait_config_up()).await;
        let renewing = async {
            let request = dhcp.expect(DhcpMessageKind::Request).await;
            let other = Offer::new(9).with(option::DNS_SERVERS, &[10, 0, 0, 53]);
            dhcp.answer(&request, DhcpMessageKind::Ack, &other, last(9))
                .await;
        };
        join(renewing, client.stack.wait_config_change()).await;
        assert_eq!(
            client.stack.config_v4().unwrap().dns_servers[..],
            [last(53)]
        );
    });
}

#[test]
fn classless_routes_lead_where_they_say() {
    let network = network::<3>(quick());
    let [client, server, router] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        // 198.51.100.0/24 through the third host; the router option is not to be used (RFC 3442).
        let offer = Offer::new(9)
            .with(option::ROUTER, &[10, 0, 0, 2])
            .with(option::CLASSLESS_ROUTES, &[24, 198, 51, 100, 10, 0, 0, 3]);
        join(dhcp.give(&offer), client.stack.wait_config_up()).await;
        let socket = client.udp_at(7);
        socket
            .send_to(b"there", (Ipv4Addr::new(198, 51, 100, 1), 7))
            .await
            .unwrap();
        network.executor.sleep(Duration::from_secs(1)).await;
        assert_eq!(router.stack.stats().discarded(Discard::NotOurAddress), 1);
        let elsewhere = socket
            .send_to(b"", (Ipv4Addr::new(203, 0, 113, 1), 7))
            .await;
        assert_eq!(elsewhere, Err(cygnet::SendError::NoRoute));
    });
}

#[test]
fn the_server_may_ask_for_smaller_packets() {
    let network = network::<2>(quick());
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        let offer = Offer::new(9).with(option::INTERFACE_MTU, &[2, 64]);
        join(dhcp.give(&offer), client.stack.wait_config_up()).await;
        let socket = client.udp_at(7);
        let (sent, receiver) = (|| client.stack.stats().sent, server.udp_at(7));
        for (len, frames) in [(576 - 28, 1), (576 - 27, 2)] {
            // The first one finds out where to send it.
            for _ in 0..2 {
                socket.send_to(&vec![0; len], server.at(7)).await.unwrap();
                receiver
                    .recv_with(|data, _| assert_eq!(data.len(), len))
                    .await
                    .unwrap();
            }
            let before = sent();
            socket.send_to(&vec![0; len], server.at(7)).await.unwrap();
            receiver.recv_with(|_, _| ()).await.unwrap();
            assert_eq!(sent() - before, frames, "{len} bytes");
        }
    });
}

#[test]
fn messages_that_answer_nothing_are_counted() {
    let network = network::<2>(quick());
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        let discover = dhcp.expect(DhcpMessageKind::Discover).await;
        dhcp.answer(&discover, DhcpMessageKind::Ack, &Offer::new(9), ALL)
            .await;
        dhcp.expect(DhcpMessageKind::Discover).await;
        assert_eq!(client.stack.config_v4(), None);
        assert_eq!(client.stack.stats().discarded(Discard::UnmatchedDhcp), 1);
    });
}
