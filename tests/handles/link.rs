//! Links that go down and up, and addresses that come and go.

use std::net::Ipv4Addr;

use cygnet::wire::EthernetAddress;
use cygnet::{
    AddressPolicy, BindError, ConfigError, ConnectError, Discard, Duration, Ipv4Cidr, RecvError,
};
use cygnet::{StaticConfigV4, TcpError, TcpState};
use cygnet_tests::{Network, Pair, Setup};
use embassy_futures::join::{join, join3};
use embedded_io_async::Write as _;

use crate::within;

fn at(last: u8) -> Option<StaticConfigV4> {
    let address = Ipv4Addr::new(10, 0, 0, last);
    Some(StaticConfigV4::new(Ipv4Cidr::new(address, 24)))
}

fn probing(n: usize) -> Setup {
    let mut setup = Setup::new(n);
    setup.config.address_policy = AddressPolicy::Probe;
    setup
}

#[test]
fn the_link_is_waited_for() {
    let pair = Pair::new(1);
    pair.run(async {
        let stack = pair.server.stack;
        join(stack.wait_link_up(), stack.wait_config_up()).await;
        assert!(stack.is_link_up() && stack.is_config_up());
        let unplugging = async { pair.unplug_server() };
        join3(stack.wait_link_down(), stack.wait_config_down(), unplugging).await;
        assert!(!stack.is_link_up() && !stack.is_config_up());
        let plugging = async {
            pair.executor.sleep(Duration::from_secs(5)).await;
            pair.plug_in_server();
        };
        join3(stack.wait_link_up(), stack.wait_config_up(), plugging).await;
        assert!(stack.is_link_up() && stack.is_config_up());
    });
}

#[test]
fn many_tasks_wait_for_the_link_in_peace() {
    let pair = Pair::new(1);
    let stack = pair.server.stack;
    pair.run(stack.wait_link_up());
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            pair.executor
                .spawn(async move { stack.wait_link_down().await })
        })
        .collect();
    pair.executor.run_for(Duration::from_secs(60));
    assert!(waiting.iter().all(|task| task.polls() == 1));
    pair.unplug_server();
    pair.executor.run_for(Duration::from_secs(1));
    assert!(waiting.iter().all(|task| task.is_done()));
}

#[test]
fn more_tasks_may_wait_for_the_link_than_are_remembered() {
    let pair = Pair::new(1);
    pair.run(async {
        let stack = pair.server.stack;
        stack.wait_link_up().await;
        let waiting: Vec<_> = (0..4)
            .map(|_| {
                pair.executor
                    .spawn(async move { stack.wait_link_down().await })
            })
            .collect();
        pair.executor.sleep(Duration::from_secs(1)).await;
        pair.unplug_server();
        for task in waiting {
            task.await;
        }
    });
}

#[test]
fn a_connection_outlives_an_outage() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        for round in 0..5 {
            pair.unplug_server();
            client.write_all(b"can you hear me").await.unwrap();
            server.write_all(b"now").await.unwrap();
            pair.executor.sleep(Duration::from_secs(7 * round)).await;
            pair.plug_in_server();
            let mut buffer = [0; 64];
            let (there, back) = join(server.read(&mut [0; 64]), client.read(&mut buffer)).await;
            assert_eq!((there, back), (Ok(15), Ok(3)));
        }
    });
}

#[test]
fn an_address_that_is_probed_may_be_used_when_nobody_answers() {
    // RFC 5227, section 2.1.1: up to a second, three probes a second or two apart, two seconds more.
    let pair = Pair::with(1, probing);
    pair.run(async {
        assert!(!pair.client.stack.is_config_up());
        let mut client = pair.client.tcp();
        let early = client.connect(pair.server.at(80)).await;
        assert_eq!(early, Err(ConnectError::NoRoute));
        pair.client.stack.wait_config_up().await;
        let waited = pair.executor.now().as_millis();
        assert!((4000..=7000).contains(&waited), "{waited} ms");
        pair.server.stack.wait_config_up().await;
        let mut server = pair.server.tcp();
        pair.connect(&mut client, &mut server).await;
    });
}

#[test]
fn an_address_that_somebody_has_is_not_used() {
    let pair = Pair::with(1, |n| match n {
        0 => {
            let mut setup = probing(0);
            setup.config.ipv4 = at(2).into();
            setup
        }
        _ => Setup::new(n),
    });
    pair.run(async {
        let minute = Duration::from_secs(60);
        let up = within(&pair.executor, minute, pair.client.stack.wait_config_up()).await;
        assert_eq!(up, None);
        let stats = pair.client.stack.stats();
        assert!(stats.discarded(Discard::AddressConflict) >= 1);
        assert!(pair.server.stack.is_config_up(), "its owner keeps it");
    });
}

#[test]
fn connections_from_an_address_that_goes_away_end() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, _server) = pair.connected().await;
        let (mut busy, _peer) = (pair.client.tcp(), ());
        let reconfiguring = async {
            pair.executor.sleep(Duration::from_secs(1)).await;
            pair.client.stack.set_config_v4(at(50)).unwrap();
        };
        let mut buffer = [0; 8];
        let (read, ()) = join(client.read(&mut buffer), reconfiguring).await;
        assert_eq!(read, Err(TcpError::AddressGone));
        assert_eq!(client.write(b"x").await, Err(TcpError::AddressGone));
        assert_eq!(client.state(), TcpState::Closed);
        assert_eq!(pair.client.stack.config_v4(), at(50));

        let _listener = pair.server.listen::<1>(81);
        busy.connect(pair.server.at(81)).await.unwrap();
        let local = busy.local_endpoint().unwrap();
        assert_eq!(local.addr, Ipv4Addr::new(10, 0, 0, 50).into());
    });
}

#[test]
fn an_attempt_to_connect_from_an_address_that_goes_away_ends() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut client = pair.client.tcp();
        pair.client.stack.wait_config_up().await;
        pair.black_hole();
        let removing = async { pair.client.stack.set_config_v4(None) };
        let (connected, removed) = join(client.connect(pair.server.at(80)), removing).await;
        assert_eq!((connected, removed), (Err(ConnectError::NoRoute), Ok(())));
        assert!(!pair.client.stack.is_config_up());
    });
}

#[test]
fn an_abort_that_waits_for_a_neighbor_does_not_wait_for_the_link() {
    let pair = Pair::new(1);
    pair.run(async {
        let (_client, mut server) = pair.connected().await;
        pair.black_hole();
        let neighbor = pair.client.address.into();
        pair.server.stack.remove_neighbor(neighbor).unwrap();
        let aborting = pair.executor.spawn(async move { server.abort().await });
        pair.executor.sleep(Duration::from_secs(1)).await;
        assert!(!aborting.is_done());
        pair.unplug_server();
        pair.executor.sleep(Duration::from_secs(1)).await;
        assert!(aborting.is_done());
    });
}

#[test]
fn a_link_without_neighbors_is_given_none() {
    for (setup, added) in [
        (Setup::new as fn(usize) -> Setup, Ok(())),
        (Setup::tunnel, Err(ConfigError::TooManyNeighbors)),
    ] {
        let pair = Pair::with(1, setup);
        let hardware = EthernetAddress([2, 0, 0, 0, 0, 9]);
        let neighbor = Ipv4Addr::new(10, 0, 0, 9).into();
        assert_eq!(pair.client.stack.add_neighbor(neighbor, hardware), added);
    }
}

#[test]
fn the_same_configuration_again_ends_nothing() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        pair.client.stack.set_config_v4(at(1)).unwrap();
        client.write_all(b"still here").await.unwrap();
        assert_eq!(server.read(&mut [0; 64]).await, Ok(10));
    });
}

#[test]
fn without_an_address_nothing_can_be_sent() {
    let pair = Pair::new(1);
    pair.run(async {
        pair.client.stack.set_config_v4(None).unwrap();
        pair.client.stack.wait_config_down().await;
        let mut udp = pair.client.udp();
        assert_eq!(udp.connect(pair.server.at(1)), Err(BindError::NoRoute));
        let result = pair.client.tcp().connect(pair.server.at(1)).await;
        assert_eq!(result, Err(ConnectError::NoRoute));
        pair.client.stack.set_config_v4(at(1)).unwrap();
        pair.client.stack.wait_config_up().await;
        udp.connect(pair.server.at(1)).unwrap();
        udp.send_to(b"?", pair.server.at(1)).await.unwrap();
        let refused = udp.recv_from(&mut [0; 8]).await;
        assert_eq!(refused.err(), Some(RecvError::Refused));
    });
}

#[test]
fn packets_beyond_the_subnet_go_to_the_gateway() {
    let net = Network::<3>::with(1, |n| {
        let mut setup = Setup::new(n);
        if n == 0 {
            let config = at(n as u8 + 1).unwrap();
            setup.config.ipv4 = config.with_gateway(Ipv4Addr::new(10, 0, 0, 3)).into();
        }
        setup
    });
    let [client, bystander, gateway] = &net.hosts;
    net.executor.block_on(async {
        let socket = client.udp_at(1000);
        let beyond = (Ipv4Addr::new(192, 0, 2, 1), 7);
        socket.send_to(b"?", beyond).await.unwrap();
        net.executor.sleep(Duration::from_millis(10)).await;
        let forwarded =
            |host: &cygnet_tests::Host<'_>| host.stack.stats().discarded(Discard::NotOurAddress);
        assert_eq!((forwarded(gateway), forwarded(bystander)), (1, 0));
    });
}
