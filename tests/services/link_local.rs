//! IPv4 link-local addresses (RFC 3927): hosts that nobody gives an address.

use std::net::Ipv4Addr;

use cygnet::wire::dhcpv4::option;
use cygnet::{
    Config, ConfigV4, DhcpConfig, Discard, Duration, IpAddress, IpCidr, Ipv4Cidr, LinkLocalConfig,
    StaticConfigV4, UdpMetadata,
};
use cygnet_driver::LinkState;
use cygnet_tests::{Network, Setup};
use embassy_futures::join::join;

use crate::dhcp_server::{Offer, Server};

/// Hosts that are configured as `config` says for their number.
fn network<const N: usize>(config: impl Fn(usize) -> Option<ConfigV4>) -> Network<'static, N> {
    Network::with(1, move |n| {
        let mut setup = Setup::new(n);
        if let Some(config) = config(n) {
            setup.config.ipv4 = config;
        }
        setup
    })
}

fn alone() -> Option<ConfigV4> {
    Some(LinkLocalConfig::new().into())
}

fn dhcp_or_link_local() -> ConfigV4 {
    let mut dhcp = DhcpConfig::new();
    dhcp.probe = false;
    Config::dhcpv4_or_link_local(dhcp).ipv4
}

fn address(stack: cygnet::Stack<'_>) -> Option<Ipv4Addr> {
    Some(stack.config_v4()?.address.address())
}

const TAKEN: Ipv4Addr = Ipv4Addr::new(169, 254, 7, 7);

#[test]
fn hosts_that_nobody_serves_talk_to_each_other() {
    let network = network::<2>(|_| alone());
    let [a, b] = &network.hosts;
    network.executor.block_on(async {
        join(a.stack.wait_config_up(), b.stack.wait_config_up()).await;
        let after = network.executor.now().as_millis();
        assert!(
            (4000..=7000).contains(&after),
            "probes take their time: {after} ms"
        );
        let (at_a, at_b) = (address(a.stack).unwrap(), address(b.stack).unwrap());
        assert!(at_a.is_link_local() && at_b.is_link_local() && at_a != at_b);
        assert_eq!(a.stack.config_v4().unwrap().gateway, None);
        let (here, there) = (a.udp_at(7), b.udp_at(7));
        here.send_to(b"hello", (at_b, 7)).await.unwrap();
        let (_, meta) = there.recv_from(&mut [0; 9]).await.unwrap();
        assert_eq!(meta.endpoint.addr, IpAddress::Ipv4(at_a));
        here.send_to(b"all", (Ipv4Addr::new(169, 254, 255, 255), 7))
            .await
            .unwrap();
        there.recv_from(&mut [0; 9]).await.unwrap();
    });
}

#[test]
fn an_address_that_somebody_has_is_not_taken() {
    let network = network::<2>(|n| {
        let mut config = LinkLocalConfig::new();
        config.previous_address = Some(TAKEN);
        let holder = StaticConfigV4::new(Ipv4Cidr::new(TAKEN, 16));
        Some(if n == 0 { config.into() } else { holder.into() })
    });
    let [a, _holder] = &network.hosts;
    network.executor.block_on(async {
        a.stack.wait_config_up().await;
        assert_ne!(address(a.stack), Some(TAKEN));
        assert!(address(a.stack).unwrap().is_link_local());
        assert_eq!(a.stack.stats().discarded(Discard::AddressConflict), 1);
    });
}

#[test]
fn an_address_that_is_contested_again_and_again_is_given_up() {
    let network = network::<2>(|n| (n == 0).then(alone).flatten());
    let [a, rival] = &network.hosts;
    network.executor.block_on(async {
        a.stack.wait_config_up().await;
        let before = address(a.stack).unwrap();
        let claim = IpCidr::Ipv4(Ipv4Cidr::new(before, 16));
        // The first announcement is answered, the second ends it.
        for _ in 0..2 {
            rival.stack.add_address(claim).unwrap();
            network.executor.sleep(Duration::from_secs(1)).await;
        }
        a.stack.wait_config_up().await;
        network.executor.sleep(Duration::from_secs(10)).await;
        let after = address(a.stack).unwrap();
        assert!(after.is_link_local() && after != before);
        assert!(a.stack.is_config_up());
    });
}

#[test]
fn without_a_dhcp_server_there_is_an_address_after_ten_seconds() {
    let network = network::<1>(|_| Some(dhcp_or_link_local()));
    let [a] = &network.hosts;
    network.executor.block_on(async {
        a.stack.wait_config_up().await;
        let after = network.executor.now().as_millis() / 1000;
        assert!((14..=17).contains(&after), "{after}");
        assert!(address(a.stack).unwrap().is_link_local());
        assert_eq!(a.stack.dhcp_lease(), None);
    });
}

#[test]
fn a_lease_takes_its_place_and_connections_live_on() {
    let network = network::<2>(|n| (n == 0).then(dhcp_or_link_local));
    let [client, server] = &network.hosts;
    network.executor.block_on(async {
        client.stack.wait_config_up().await;
        let link_local = address(client.stack).unwrap();
        let (mut near, mut far) = (client.tcp(), server.tcp());
        let accepting = async { far.accept(80).await.unwrap() };
        // Whoever has such an address finds hosts with others on the link, and they find it.
        join(accepting, async {
            near.connect(server.at(80)).await.unwrap()
        })
        .await;
        let dhcp = Server::on(server);
        // Nobody was there to answer the first questions.
        let offer = Offer::new(9).with(option::ROUTER, &[10, 0, 0, 77]);
        let giving = dhcp.give(&offer);
        join(giving, client.stack.wait_config_change()).await;
        let leased = Ipv4Addr::new(10, 0, 0, 9);
        assert_eq!(address(client.stack), Some(leased));

        near.write(b"still here").await.unwrap();
        assert_eq!(far.read(&mut [0; 16]).await, Ok(10));
        let there = server.udp_at(7);
        let here = client.udp_at(7);
        here.send_to(b"hello", server.at(7)).await.unwrap();
        let (_, meta) = there.recv_from(&mut [0; 9]).await.unwrap();
        assert_eq!(meta.endpoint.addr, IpAddress::Ipv4(leased), "what is new");
        there.send_to(b"hello", (link_local, 7)).await.unwrap();
        here.recv_from(&mut [0; 9]).await.unwrap();

        let renewing = async {
            for _ in 0..3 {
                let request = dhcp.receive().await;
                let kind = cygnet::wire::DhcpMessageKind::Ack;
                dhcp.answer(&request, kind, &offer, leased).await;
            }
        };
        join(renewing, async {
            let gone = near.read(&mut [0; 4]).await;
            assert_eq!(gone, Err(cygnet::TcpError::AddressGone), "in ten minutes");
            assert_eq!(network.executor.now().as_millis() / 60_000, 10);
        })
        .await;
        assert!(client.stack.is_config_up());
    });
}

#[test]
fn it_comes_back_when_the_lease_is_over() {
    let network = network::<2>(|n| (n == 0).then(dhcp_or_link_local));
    let [client, server] = &network.hosts;
    let dhcp = Server::on(server);
    network.executor.block_on(async {
        join(dhcp.give(&Offer::new(9)), client.stack.wait_config_up()).await;
        assert_eq!(address(client.stack), Some(Ipv4Addr::new(10, 0, 0, 9)));
        network.control.set_link_state(1, LinkState::Down);
        client.stack.wait_config_down().await;
        client.stack.wait_config_up().await;
        assert!(address(client.stack).unwrap().is_link_local());
        network.control.set_link_state(1, LinkState::Up);
        let offer = Offer::new(10);
        let giving = dhcp.give(&offer);
        join(giving, client.stack.wait_config_change()).await;
        assert_eq!(address(client.stack), Some(Ipv4Addr::new(10, 0, 0, 10)));
    });
}

#[test]
fn another_link_means_another_look() {
    let network = network::<1>(|_| alone());
    let [a] = &network.hosts;
    network.executor.block_on(async {
        a.stack.wait_config_up().await;
        let before = address(a.stack);
        network.control.set_link_state(0, LinkState::Down);
        a.stack.wait_config_down().await;
        assert_eq!(address(a.stack), None);
        let from = network.executor.now();
        network.control.set_link_state(0, LinkState::Up);
        a.stack.wait_config_up().await;
        assert!(network.executor.now().since(from) >= Duration::from_secs(4));
        assert_eq!(address(a.stack), before);
    });
}

#[test]
fn another_configuration_ends_it() {
    let network = network::<2>(|n| (n == 0).then(alone).flatten());
    let [a, _] = &network.hosts;
    network.executor.block_on(async {
        a.stack.wait_config_up().await;
        let fixed = StaticConfigV4::new(Ipv4Cidr::new([10, 0, 0, 1].into(), 24));
        a.stack.set_config_v4(fixed.clone()).unwrap();
        network.executor.sleep(Duration::from_secs(20)).await;
        assert_eq!(a.stack.config_v4(), Some(fixed));
        a.stack.set_config_v4(LinkLocalConfig::new()).unwrap();
        a.stack.wait_config_up().await;
        assert!(address(a.stack).unwrap().is_link_local());
    });
}

#[test]
fn packets_from_a_link_local_address_see_no_router() {
    let router = Ipv4Addr::new(10, 0, 0, 2);
    let network = network::<2>(move |n| {
        let address = Ipv4Cidr::new([10, 0, 0, 1].into(), 24);
        (n == 0).then(|| StaticConfigV4::new(address).with_gateway(router).into())
    });
    let [a, b] = &network.hosts;
    network.executor.block_on(async {
        let link_local = Ipv4Cidr::new(TAKEN, 16);
        a.stack.add_address(IpCidr::Ipv4(link_local)).unwrap();
        let socket = a.udp_at(7);
        let passed = async |source: Option<Ipv4Addr>, to: [u8; 4]| {
            let mut meta = UdpMetadata::from((Ipv4Addr::from(to), 9));
            meta.local_address = source.map(IpAddress::Ipv4);
            let before = b.stack.stats().discarded(Discard::NotOurAddress);
            socket.send_to(b"?", meta).await.unwrap();
            network.executor.sleep(Duration::from_secs(5)).await;
            b.stack.stats().discarded(Discard::NotOurAddress) - before
        };
        assert_eq!(passed(None, [198, 51, 100, 1]).await, 1);
        assert_eq!(passed(Some(TAKEN), [198, 51, 100, 1]).await, 0);
        assert_eq!(passed(None, [169, 254, 9, 9]).await, 0);
        assert_eq!(passed(None, [198, 51, 100, 1]).await, 1);
    });
}

#[cfg(target_os = "linux")]
mod linux {
    use cygnet_host::process;

    use super::*;
    use crate::kernel::beside_kernel;

    #[test]
    fn the_kernel_keeps_its_address_and_reaches_ours() {
        let mut config = LinkLocalConfig::new();
        config.previous_address = Some(TAKEN);
        beside_kernel(config, (TAKEN, 16), async |stack, _| {
            stack.wait_config_up().await;
            let ours = address(stack).unwrap();
            assert!(ours.is_link_local() && ours != TAKEN, "{ours}");
            assert_eq!(stack.stats().discarded(Discard::AddressConflict), 1);
            let ping = [
                "-c3".into(),
                "-i0.2".into(),
                "-W10".into(),
                ours.to_string(),
            ];
            let output = tokio::task::spawn_blocking(move || {
                process::output(std::process::Command::new("ping").args(&ping)).expect("ping")
            });
            assert!(
                output.await.unwrap().status.success(),
                "the kernel reaches it"
            );
        });
    }
}
