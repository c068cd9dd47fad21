//! A runner with nothing to do sleeps.

use cygnet::{
    ConfigV4, ConfigV6, ConnectError, DhcpConfig, Dhcpv6Config, Duration, Instant, LinkLocalConfig,
    SlaacConfig, Stack, TcpState,
};
use cygnet_driver::LinkState;
use cygnet_link::{Impairments, percent};
use cygnet_tests::{Network, Pair, Setup, pattern, receive_to_end, send_all};
use embassy_futures::join::join;

/// The polls of both runners in a while of doing nothing, after all that was under way has settled.
fn idle_polls(pair: &Pair<'_>, span: Duration) -> u64 {
    pair.executor.run_for(Duration::from_secs(300));
    let polls = || pair.client.runner_polls() + pair.server.runner_polls();
    let before = polls();
    pair.executor.run_for(span);
    polls() - before
}

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn who_connects_after_a_long_silence_is_as_fast_as_at_once() {
    for minutes in [0, 10, 45, 80, 110] {
        let slow = Impairments::new().delay(Duration::from_millis(10));
        let pair = Pair::with(1, |n| Setup::tunnel(n).impaired(slow));
        pair.executor.run_for(Duration::from_secs(60 * minutes));
        pair.run(async {
            let (mut client, mut server) = pair.connected().await;
            let data = pattern(1, 100_000);
            let sending = join(send_all(&mut client, &data), receive_to_end(&mut server));
            assert!(sending.await.1 == data);
        });
        let end = Instant::from_secs(60 * minutes + 2);
        assert!(pair.executor.now() < end, "after {minutes} minutes");
    }
}

#[test]
fn a_stack_without_sockets_sleeps() {
    assert!(idle_polls(&Pair::new(1), HOUR) <= 4);
}

#[test]
fn open_connections_and_bound_sockets_cost_no_polls() {
    let pair = Pair::new(1);
    let sockets = pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        let data = pattern(1, 100_000);
        let (_, received) = join(send_all(&mut client, &data), receive_to_end(&mut server)).await;
        assert!(received == data);
        (
            pair.connected().await,
            client,
            server,
            pair.client.udp_at(7),
            pair.server.listen::<2>(81),
        )
    });
    assert!(idle_polls(&pair, HOUR) <= 4, "about none in an hour");
    assert_eq!(sockets.0.0.state(), TcpState::Established);
}

#[test]
fn settings_made_before_there_is_a_connection_cost_no_polls() {
    let pair = Pair::new(1);
    let mut socket = pair.server.tcp();
    socket.set_nagle_enabled(false);
    let waiting = pair
        .executor
        .spawn(async move { socket.accept(80).await.map(|()| socket) });
    assert!(idle_polls(&pair, HOUR) <= 4, "about none in an hour");
    assert!(!waiting.is_done());
}

#[test]
fn a_task_that_waits_costs_no_polls() {
    let pair = Pair::new(1);
    let (mut client, server) = pair.run(pair.connected());
    let waiting = pair
        .executor
        .spawn(async move { client.read(&mut [0; 8]).await });
    pair.executor.run_for(HOUR);
    assert!(waiting.polls() <= 2, "{} polls", waiting.polls());
    drop(server);
    assert_eq!(pair.run(waiting), Ok(0));
}

#[test]
fn a_socket_that_listens_costs_no_polls_when_its_options_were_set() {
    let pair = Pair::new(1);
    let mut server = pair.server.tcp();
    server.set_nagle_enabled(false);
    server.set_keep_alive(Some(Duration::from_secs(60)));
    server.set_timeout(Some(Duration::from_secs(60)));
    let waiting = pair.executor.spawn(async move { server.accept(80).await });
    assert!(idle_polls(&pair, HOUR) <= 4, "about none in an hour");
    assert!(waiting.polls() <= 2, "{} polls", waiting.polls());
}

#[test]
fn a_request_half_answered_costs_few_polls_while_the_link_is_down() {
    let pair = Pair::with(1, Setup::tunnel);
    let listener = pair.server.listen::<2>(80);
    // The answers do not arrive.
    let loss = Impairments::new().loss(percent(100));
    pair.control.set_impairments(1, loss);
    let mut client = pair.client.tcp();
    let remote = pair.server.at(80);
    let connecting = pair
        .executor
        .spawn(async move { client.connect(remote).await });
    pair.executor.run_for(Duration::from_millis(10));
    assert_eq!(listener.backlog(), (1, 0));
    pair.unplug_server();
    let before = pair.server.runner_polls();
    pair.executor.run_for(HOUR);
    let polls = pair.server.runner_polls() - before;
    assert!(polls <= 20, "{polls} polls for a handful of answers");
    assert_eq!(listener.backlog(), (0, 0), "and it is given up");
    assert_eq!(pair.run(connecting), Err(ConnectError::TimedOut));
}

#[test]
fn who_looks_for_a_neighbor_costs_no_polls_while_the_link_is_down() {
    let pair = Pair::new(1);
    pair.black_hole();
    let socket = pair.server.udp_at(7);
    let to = pair.client.at(7);
    pair.run(socket.send_to(b"hello", to)).unwrap();
    // One request went out in vain, and the next is due when the cable is not there.
    pair.executor.run_for(Duration::from_millis(500));
    pair.unplug_server();
    pair.heal();
    assert!(idle_polls(&pair, HOUR) <= 4, "about none in an hour");
    pair.plug_in_server();
    let received = pair.client.udp_at(7);
    let received = pair.run(received.recv_from(&mut [0; 8])).unwrap();
    assert_eq!(received.0, 5, "it goes out when the link is up");
}

#[test]
fn keep_alives_cost_a_few_polls_each() {
    let pair = Pair::new(1);
    let (mut client, _server) = pair.run(pair.connected());
    client.set_keep_alive(Some(Duration::from_secs(60)));
    let probes = 60;
    let polls = idle_polls(&pair, HOUR);
    assert!(
        (probes..=16 * probes).contains(&polls),
        "{polls} polls for {probes} probes"
    );
}

#[test]
fn a_link_that_is_down_costs_no_polls() {
    let pair = Pair::new(1);
    let (mut client, _server) = pair.run(pair.connected());
    for port in 0..2 {
        pair.control.set_link_state(port, LinkState::Down);
    }
    pair.run(client.write(b"unsent")).unwrap();
    pair.executor.run_for(Duration::from_secs(5));
    let before = pair.client.runner_polls();
    pair.executor.run_for(Duration::from_secs(60));
    let polls = pair.client.runner_polls() - before;
    assert!(
        polls <= 60,
        "{polls} polls in a minute of retransmission timeouts"
    );
}

#[test]
fn what_is_configured_while_the_link_is_down_costs_no_polls() {
    let network = Network::<1>::new(1);
    let [host] = &network.hosts;
    network.control.set_link_state(0, LinkState::Down);
    network.executor.run_for(Duration::from_secs(1));
    let stack = host.stack;
    type Configure = fn(Stack<'_>);
    let ways: [(&str, Configure); 8] = [
        ("DHCP", |s| s.set_config_v4(DhcpConfig::new()).unwrap()),
        ("an address of its own choice", |s| {
            s.set_config_v4(LinkLocalConfig::new()).unwrap();
        }),
        ("no IPv4", |s| s.set_config_v4(ConfigV4::None).unwrap()),
        ("DHCPv6", |s| {
            s.set_config_v6(Dhcpv6Config::stateful()).unwrap();
        }),
        ("SLAAC", |s| s.set_config_v6(SlaacConfig::new()).unwrap()),
        ("link-local IPv6", |s| {
            s.set_config_v6(ConfigV6::LinkLocal).unwrap();
        }),
        ("a name", |s| s.set_mdns_host(Some("swan")).unwrap()),
        ("no IPv6", |s| s.set_config_v6(ConfigV6::None).unwrap()),
    ];
    for (way, configure) in ways {
        configure(stack);
        network.executor.run_for(Duration::from_secs(5));
        let before = host.runner_polls();
        network.executor.run_for(Duration::from_secs(600));
        assert!(host.runner_polls() - before <= 4, "{way}");
    }
}

#[test]
fn a_driver_without_room_costs_no_polls() {
    // One frame a minute: what is queued behind it waits for the driver, not for the runner.
    let slow = cygnet_link::Impairments::new()
        .bandwidth(200)
        .queue_limit(cygnet_link::QueueLimit::Frames(1))
        .when_full(cygnet_link::WhenFull::Block);
    let pair = Pair::with(1, |n| cygnet_tests::Setup::tunnel(n).impaired(slow));
    let client = pair.client.udp_at(7);
    let sending = pair.executor.spawn({
        let to = pair.server.at(7);
        async move {
            for _ in 0..20 {
                client.send_to(&[0; 1472], to).await.unwrap();
            }
        }
    });
    pair.executor.run_for(Duration::from_secs(300));
    assert!(!sending.is_done());
    assert!(
        pair.client.runner_polls() < 50,
        "{} polls",
        pair.client.runner_polls()
    );
}
