//! Opening connections, and every way in which that fails.

use std::net::Ipv4Addr;

use cygnet::wire::EthernetAddress;
use cygnet::{ConnectError, Duration, Instant, IpEndpoint, ListenError, TcpError, TcpState};
use cygnet_link::{Impairments, percent};
use cygnet_tests::{Pair, Setup, receive_to_end, send_all};
use embassy_futures::join::join;

use crate::within;

const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 99);

#[test]
fn both_ends_know_each_other() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = pair.connected().await;
        assert_eq!(client.state(), TcpState::Established);
        assert_eq!(client.remote_endpoint(), Some(pair.server.at(80)));
        assert_eq!(server.local_endpoint(), Some(pair.server.at(80)));
        assert_eq!(server.remote_endpoint(), client.local_endpoint());
        let port = client.local_endpoint().unwrap().port;
        assert!(port >= 49_152, "{port} is not from the dynamic range");
    });
}

#[test]
fn a_port_without_a_listener_refuses_and_the_socket_can_be_used_again() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp());
        let refused = client.connect(pair.server.at(80)).await;
        assert_eq!(refused, Err(ConnectError::Refused));
        assert_eq!(client.state(), TcpState::Closed);
        assert_eq!(client.read(&mut [0; 8]).await, Err(TcpError::Reset));
        pair.connect(&mut client, &mut server).await;
    });
}

#[test]
fn a_host_that_answers_no_arp_is_unreachable() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut client = pair.client.tcp();
        let result = client.connect((NOBODY, 80)).await;
        assert_eq!(result, Err(ConnectError::Unreachable));
        assert_eq!(pair.client.stack.stats().unreachable, 1);
    });
    let seconds = pair.executor.now().as_millis() / 1000;
    assert!((1..10).contains(&seconds), "{seconds} s");
}

#[test]
fn a_silent_peer_is_given_up_after_three_minutes_at_least() {
    // RFC 9293, section 3.8.3, MUST-23.
    let pair = Pair::with(1, Setup::tunnel);
    pair.black_hole();
    let mut client = pair.client.tcp();
    let result = pair.run(client.connect(pair.server.at(80)));
    assert_eq!(result, Err(ConnectError::TimedOut));
    let waited = pair.executor.now().as_millis() / 1000;
    assert!((180..600).contains(&waited), "{waited} s");
}

#[test]
fn the_timeout_ends_an_attempt() {
    let pair = Pair::with(1, Setup::tunnel);
    pair.black_hole();
    let mut client = pair.client.tcp();
    client.set_timeout(Some(Duration::from_secs(4)));
    let result = pair.run(client.connect(pair.server.at(80)));
    assert_eq!(result, Err(ConnectError::TimedOut));
    assert_eq!(pair.executor.now(), Instant::from_secs(4));
}

#[test]
fn there_must_be_a_route() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut client = pair.client.tcp();
        let beyond = (Ipv4Addr::new(192, 0, 2, 1), 80);
        assert_eq!(client.connect(beyond).await, Err(ConnectError::NoRoute));
        let foreign: IpEndpoint = (Ipv4Addr::new(10, 0, 0, 77), 1000).into();
        let result = client.connect_from(foreign, pair.server.at(80)).await;
        assert_eq!(result, Err(ConnectError::NoRoute));
    });
}

// Requirement: RFC 9293 MUST-46
#[test]
fn some_addresses_cannot_be_connected_to() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut client = pair.client.tcp();
        let addresses = [
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::BROADCAST,
            Ipv4Addr::new(224, 0, 0, 1),
            Ipv4Addr::new(10, 0, 0, 255),
        ];
        for address in addresses {
            let result = client.connect((address, 80)).await;
            assert_eq!(result, Err(ConnectError::InvalidAddress), "{address}");
        }
        let result = client.connect(pair.server.at(0)).await;
        assert_eq!(result, Err(ConnectError::InvalidAddress));
    });
}

#[test]
fn a_socket_has_one_connection_at_a_time() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        let result = client.connect(pair.server.at(80)).await;
        assert_eq!(result, Err(ConnectError::InvalidState));
        assert_eq!(server.accept(81).await, Err(ListenError::InvalidState));
        send_all(&mut client, b"unharmed").await;
        assert_eq!(receive_to_end(&mut server).await, b"unharmed");
    });
}

#[test]
fn one_pair_of_ends_is_one_connection() {
    let pair = Pair::new(1);
    pair.run(async {
        let _listener = pair.server.listen::<2>(80);
        let (mut first, mut second) = (pair.client.tcp(), pair.client.tcp());
        first.connect_from(1000, pair.server.at(80)).await.unwrap();
        let again = second.connect_from(1000, pair.server.at(80)).await;
        assert_eq!(again, Err(ConnectError::AddrInUse));
        second.connect_from(1001, pair.server.at(80)).await.unwrap();
    });
}

#[test]
fn a_local_port_serves_several_peers() {
    let pair = Pair::new(1);
    pair.run(async {
        let _http = pair.server.listen::<2>(80);
        let _https = pair.server.listen::<2>(443);
        let (mut first, mut second) = (pair.client.tcp(), pair.client.tcp());
        first.connect_from(1000, pair.server.at(80)).await.unwrap();
        second
            .connect_from(1000, pair.server.at(443))
            .await
            .unwrap();
    });
}

#[test]
fn port_zero_cannot_be_listened_on() {
    let pair = Pair::new(1);
    let mut server = pair.server.tcp();
    assert_eq!(pair.run(server.accept(0)), Err(ListenError::InvalidPort));
}

#[test]
fn requests_that_cross_make_one_connection() {
    // RFC 9293, section 3.5, figure 8.
    let pair = Pair::impaired(1, Impairments::new().delay(Duration::from_millis(20)));
    pair.run(async {
        let (mut left, mut right) = (pair.client.tcp(), pair.server.tcp());
        // Learn the neighbors first, so that the requests leave together.
        let refused = join(
            left.connect(pair.server.at(9)),
            right.connect(pair.client.at(9)),
        );
        assert_eq!(
            refused.await,
            (Err(ConnectError::Refused), Err(ConnectError::Refused))
        );
        let crossing = join(
            left.connect_from(1000, pair.server.at(2000)),
            right.connect_from(2000, pair.client.at(1000)),
        );
        assert_eq!(crossing.await, (Ok(()), Ok(())));
        send_all(&mut left, b"hello").await;
        send_all(&mut right, b"world").await;
        assert_eq!(receive_to_end(&mut right).await, b"hello");
        assert_eq!(receive_to_end(&mut left).await, b"world");
    });
}

#[test]
fn a_dropped_attempt_is_given_up() {
    let pair = Pair::impaired(1, Impairments::new().delay(Duration::from_millis(50)));
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp());
        let late = within(
            &pair.executor,
            Duration::from_millis(10),
            client.connect(pair.server.at(80)),
        );
        assert_eq!(late.await, None);
        assert_eq!(client.state(), TcpState::Closed);
        pair.connect(&mut client, &mut server).await;
    });
}

#[test]
fn an_attempt_that_succeeds_unseen_is_given_up_all_the_same() {
    let pair = Pair::with(1, Setup::tunnel);
    pair.run(async {
        let listener = pair.server.listen::<2>(80);
        let mut client = pair.client.tcp();
        {
            let mut connecting = std::pin::pin!(client.connect(pair.server.at(80)));
            assert!(embassy_futures::poll_once(connecting.as_mut()).is_pending());
            pair.executor.sleep(Duration::from_secs(1)).await;
        }
        assert_eq!(client.state(), TcpState::Closed);
        let mut abandoned = listener.accept().await.unwrap();
        let reset = abandoned.read(&mut [0; 8]).await;
        assert_eq!(reset, Err(TcpError::Reset));
        client.connect(pair.server.at(80)).await.unwrap();
    });
}

#[test]
fn an_accept_that_succeeds_unseen_keeps_its_connection() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp());
        {
            let mut accepting = std::pin::pin!(server.accept(80));
            assert!(embassy_futures::poll_once(accepting.as_mut()).is_pending());
            client.connect(pair.server.at(80)).await.unwrap();
            send_all(&mut client, b"hello").await;
            pair.executor.sleep(Duration::from_secs(1)).await;
        }
        server.accept(80).await.unwrap();
        assert_eq!(receive_to_end(&mut server).await, b"hello");
    });
}

#[test]
fn who_is_answered_before_it_answers_opens_and_closes_all_the_same() {
    // Both SYNs cross, and the answer to the client's comes in right behind the server's own.
    for seed in 0..20 {
        let slow = Impairments::new().delay(Duration::from_millis(20));
        let pair = Pair::with(seed, |n| match n {
            0 => Setup::tunnel(n),
            _ => Setup::tunnel(n).impaired(slow),
        });
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp());
        pair.run(async {
            let (there, back) = (pair.server.at(5000), pair.client.at(5000));
            let connected = join(
                server.connect_from(5000, back),
                client.connect_from(5000, there),
            );
            assert_eq!(connected.await, (Ok(()), Ok(())));
            send_all(&mut client, b"hello").await;
            assert_eq!(receive_to_end(&mut server).await, b"hello");
            server.close().await.unwrap();
        });
        assert!(pair.executor.now() < Instant::from_millis(200));
        assert_eq!(client.info().unwrap().retransmits, 0);
    }
}

#[test]
fn who_is_asked_before_it_could_ask_still_hears_that_it_cannot() {
    let pair = Pair::new(1);
    // The client knows where the server is, and not the other way round.
    let added = pair.client.stack.add_neighbor(
        pair.server.address.into(),
        EthernetAddress([2, 0, 0, 0, 0, 2]),
    );
    added.unwrap();
    let loss = Impairments::new().loss(percent(100));
    pair.control.set_impairments(1, loss);
    let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp());
    pair.run(async {
        let (there, back) = (pair.server.at(5000), pair.client.at(5000));
        let once = async {
            let mut connect = std::pin::pin!(client.connect_from(5000, there));
            let span = Duration::from_millis(100);
            assert_eq!(within(&pair.executor, span, connect.as_mut()).await, None);
            // It gives up, and nobody hears of that.
            pair.black_hole();
        };
        let asking = server.connect_from(5000, back);
        let asking = within(&pair.executor, Duration::from_secs(600), asking);
        let (asked, ()) = join(asking, once).await;
        assert_eq!(asked, Some(Err(ConnectError::Unreachable)));
    });
}

#[test]
fn a_dropped_accept_stops_listening() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp());
        let idle = within(&pair.executor, Duration::from_millis(10), server.accept(80));
        assert_eq!(idle.await, None);
        let refused = client.connect(pair.server.at(80)).await;
        assert_eq!(refused, Err(ConnectError::Refused));
    });
}
