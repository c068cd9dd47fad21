//! Peers that fall silent: timeouts and keep-alives; and the settings that change what goes over the wire.
//!
//! Most of it on a tunnel, where TCP alone can find out that a peer is gone; on Ethernet ARP does as well.

use std::net::Ipv4Addr;

use cygnet::{ConnectError, Duration, TcpError, TcpSocket, TcpState};
use cygnet_driver::LinkState;
use cygnet_tests::{Pair, Setup};
use embedded_io_async::{Read as _, Write as _};

/// How long a read takes to fail, in seconds.
async fn seconds_until_timeout(pair: &Pair<'_>, socket: &mut TcpSocket<'_>) -> u64 {
    let before = pair.executor.now();
    assert_eq!(socket.read(&mut [0; 8]).await, Err(TcpError::TimedOut));
    pair.executor.now().since(before).as_secs()
}

#[test]
fn the_timeout_ends_a_connection_whose_data_stays_unacknowledged() {
    let pair = Pair::with(1, Setup::tunnel);
    pair.run(async {
        let (mut client, _server) = pair.connected().await;
        client.set_timeout(Some(Duration::from_secs(20)));
        pair.executor.sleep(Duration::from_secs(100)).await;
        assert_eq!(client.state(), TcpState::Established, "idle is not late");
        pair.black_hole();
        client.write_all(b"anybody?").await.unwrap();
        assert_eq!(seconds_until_timeout(&pair, &mut client).await, 20);
        assert_eq!(client.write(b"x").await, Err(TcpError::TimedOut));
    });
}

// Requirement: RFC 9293 MUST-47, SHLD-25
#[test]
fn a_timeout_names_the_network_if_that_has_reported_something() {
    // RFC 1122, section 4.2.3.9: the peer's neighbor entry failed meanwhile, which ended nothing.
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, _server) = pair.connected().await;
        client.set_timeout(Some(Duration::from_secs(300)));
        pair.black_hole();
        let before = pair.executor.now();
        client.write_all(b"anybody?").await.unwrap();
        assert_eq!(client.flush().await, Err(TcpError::Unreachable));
        assert_eq!(pair.executor.now().since(before), Duration::from_secs(300));
    });
}

#[test]
fn the_timeout_does_not_wait_for_a_link() {
    let pair = Pair::new(1);
    let timeout = Duration::from_secs(20);
    pair.run(async {
        let (mut written, _peer) = pair.connected().await;
        let (mut early, _peer) = pair.connected().await;
        written.set_timeout(Some(timeout));
        early.set_timeout(Some(timeout));
        pair.control.set_link_state(0, LinkState::Down);
        early.write_all(b"anybody?").await.unwrap();
        assert_eq!(seconds_until_timeout(&pair, &mut early).await, 20);

        // The runner has nothing to wait for any more.
        pair.executor.sleep(Duration::from_secs(300)).await;
        written.write_all(b"anybody?").await.unwrap();
        assert_eq!(seconds_until_timeout(&pair, &mut written).await, 20);

        pair.executor.sleep(Duration::from_secs(300)).await;
        let mut socket = pair.client.tcp();
        socket.set_timeout(Some(timeout));
        let before = pair.executor.now();
        let connected = socket.connect(pair.server.at(81)).await;
        assert_eq!(connected, Err(ConnectError::TimedOut));
        assert_eq!(pair.executor.now().since(before), timeout);
    });
}

#[test]
fn the_timeout_does_not_wait_for_a_neighbor() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut socket = pair.client.tcp();
        socket.set_timeout(Some(Duration::from_secs(1)));
        let connected = socket.connect((Ipv4Addr::new(10, 0, 0, 99), 80)).await;
        assert_eq!(connected, Err(ConnectError::TimedOut));
        assert_eq!(pair.executor.now().as_millis(), 1_000);
    });
}

#[test]
fn acknowledgments_put_the_timeout_off() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        client.set_timeout(Some(Duration::from_secs(20)));
        for _ in 0..10 {
            client.write_all(b"still there?").await.unwrap();
            client.flush().await.unwrap();
            server.read(&mut [0; 64]).await.unwrap();
            pair.executor.sleep(Duration::from_secs(15)).await;
        }
        assert_eq!(client.state(), TcpState::Established);
    });
}

#[test]
fn without_a_timeout_data_is_retried_for_minutes() {
    // RFC 9293, section 3.8.3, SHLD-11: R2 is at least 100 seconds.
    let pair = Pair::with(1, Setup::tunnel);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        pair.black_hole();
        client.write_all(b"patience").await.unwrap();
        pair.executor.sleep(Duration::from_secs(100)).await;
        assert_eq!(client.state(), TcpState::Established);
        pair.heal();
        client.flush().await.unwrap();
        assert_eq!(server.read(&mut [0; 64]).await, Ok(8));
        assert!(client.info().unwrap().retransmits > 3);

        pair.black_hole();
        client.write_all(b"in vain").await.unwrap();
        let seconds = seconds_until_timeout(&pair, &mut client).await;
        assert!((100..2000).contains(&seconds), "{seconds} s");
    });
}

#[test]
fn keep_alives_find_out_that_a_peer_is_gone() {
    let pair = Pair::with(1, Setup::tunnel);
    pair.run(async {
        let (mut client, _server) = pair.connected().await;
        client.set_keep_alive(Some(Duration::from_secs(10)));
        client.set_keep_alive_probes(3);
        pair.executor.sleep(Duration::from_secs(1000)).await;
        assert_eq!(client.state(), TcpState::Established, "a live peer answers");

        pair.black_hole();
        let seconds = seconds_until_timeout(&pair, &mut client).await;
        assert!((30..=40).contains(&seconds), "{seconds} s for three probes");
    });
}

// Requirement: RFC 9293 MUST-25; RFC 6298 5.2
#[test]
fn without_keep_alives_a_silent_connection_stays() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        pair.unplug_server();
        pair.executor.sleep(Duration::from_secs(3600)).await;
        pair.plug_in_server();
        server.write_all(b"good morning").await.unwrap();
        assert_eq!(client.read(&mut [0; 64]).await, Ok(12));
    });
}

#[test]
fn a_closed_window_is_probed_until_it_opens() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp_with(100, 100));
        pair.connect(&mut client, &mut server).await;
        client.write_all(&[7; 1000]).await.unwrap();
        pair.executor.sleep(Duration::from_secs(1800)).await;
        assert_eq!(client.state(), TcpState::Established);
        // The update that would open the window is lost: only a probe can find out.
        pair.black_hole();
        let mut data = [0; 1000];
        let first = server.read(&mut data).await.unwrap();
        pair.executor.sleep(Duration::from_millis(10)).await;
        pair.heal();
        let mut received = first;
        while received < 1000 {
            received += server.read(&mut data[received..]).await.unwrap();
        }
        assert_eq!(data, [7; 1000]);
    });
}

#[test]
fn what_is_written_when_the_window_has_closed_is_probed_as_well() {
    // Nothing was left to send when the window closed, so that nobody waited for it to open.
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp_with(100, 100));
        pair.connect(&mut client, &mut server).await;
        client.write_all(&[1; 100]).await.unwrap();
        client.flush().await.unwrap();
        pair.black_hole();
        let mut data = [0; 200];
        assert_eq!(server.read(&mut data).await, Ok(100));
        pair.executor.sleep(Duration::from_millis(10)).await;
        pair.heal();
        client.write_all(&[2; 100]).await.unwrap();
        server.read_exact(&mut data[..100]).await.unwrap();
        assert_eq!(client.flush().await, Ok(()));
    });
}

#[test]
fn small_writes_are_put_together_unless_told_otherwise() {
    async fn frames(pair: &Pair<'_>, nagle: bool) -> u64 {
        let (mut client, mut server) = pair.connected().await;
        client.set_nagle_enabled(nagle);
        let before = pair.control.counters(0).sent;
        for _ in 0..20 {
            client.write_all(b"x").await.unwrap();
            // Let the runner send it, if it will.
            embassy_futures::yield_now().await;
            pair.executor.sleep(Duration::from_micros(10)).await;
        }
        let sent = pair.control.counters(0).sent - before;
        client.flush().await.unwrap();
        assert_eq!(server.read(&mut [0; 64]).await, Ok(20));
        sent
    }
    let link = cygnet_link::Impairments::new().delay(Duration::from_millis(10));
    let pair = Pair::impaired(1, link);
    pair.run(async {
        assert!(frames(&pair, true).await <= 2);
        assert_eq!(frames(&pair, false).await, 20);
    });
}

// Requirement: RFC 9293 SHLD-18
#[test]
fn acknowledgments_wait_for_company_as_long_as_they_may() {
    async fn round_trip(pair: &Pair<'_>, delay: Option<Duration>) -> Duration {
        let (mut client, mut server) = pair.connected().await;
        server.set_ack_delay(delay);
        // Beyond the quick acknowledgments at the start of a flow.
        for _ in 0..40 {
            client.write_all(b"x").await.unwrap();
            client.flush().await.unwrap();
        }
        let before = pair.executor.now();
        client.write_all(b"x").await.unwrap();
        client.flush().await.unwrap();
        pair.executor.now().since(before)
    }
    let pair = Pair::new(1);
    pair.run(async {
        assert_eq!(round_trip(&pair, None).await, Duration::ZERO);
        let a_while = Duration::from_millis(25);
        assert_eq!(round_trip(&pair, Some(a_while)).await, a_while);
        let too_long = Some(Duration::from_secs(5));
        assert!(
            round_trip(&pair, too_long).await < Duration::from_millis(500),
            "RFC 9293, MUST-40"
        );
    });
}

// RFC 6298, section 2.4, with a bound of the user's.
#[test]
fn the_least_retransmission_timeout_is_chosen_for_a_stack_or_a_socket() {
    /// The timeout in milliseconds, once a round trip was measured, and how often data is sent again within
    /// half a second of silence.
    async fn impatience(pair: &Pair<'_>, chosen: Option<u64>) -> (u64, u32) {
        let (mut client, _server) = pair.connected().await;
        if let Some(millis) = chosen {
            client.set_min_rto(Duration::from_millis(millis));
        }
        client.write_all(b"anybody?").await.unwrap();
        client.flush().await.unwrap();
        let rto = client.info().unwrap().rto.as_millis();
        pair.black_hole();
        client.write_all(b"anybody?").await.unwrap();
        pair.executor.sleep(Duration::from_millis(500)).await;
        (rto, client.info().unwrap().retransmits)
    }
    for (of_stack, of_socket, expected) in [
        (None, None, 200),
        (Some(50), None, 50),
        (None, Some(30), 30),
        (Some(50), Some(400), 400),
    ] {
        let pair = Pair::with(1, |n| {
            let mut setup = Setup::tunnel(n);
            if let Some(millis) = of_stack {
                setup.config.min_rto = Duration::from_millis(millis);
            }
            setup
        });
        let (rto, sent_again) = pair.run(impatience(&pair, of_socket));
        assert_eq!(rto, expected);
        // Each pause is twice as long as the one before: 30 + 60 + 120 + 240 ms come to less than 500.
        let range = match expected {
            30 | 50 => 3..=6,
            _ => 1..=2,
        };
        assert!(range.contains(&sent_again), "{expected} ms: {sent_again}");
    }
}
