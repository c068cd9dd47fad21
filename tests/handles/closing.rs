//! The ends of a connection: half-closed, closed, aborted, and dropped.

use cygnet::{Duration, TcpError, TcpState};
use cygnet_tests::{Pair, pattern, receive_to_end, send_all};
use embassy_futures::join::join;
use embedded_io_async::Write as _;

#[test]
fn a_half_closed_connection_still_receives() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        send_all(&mut client, b"request").await;
        assert_eq!(receive_to_end(&mut server).await, b"request");
        assert_eq!(client.write(b"more").await, Err(TcpError::WriteClosed));
        pair.executor.sleep(Duration::from_secs(600)).await;
        assert_eq!(
            (client.state(), server.state()),
            (TcpState::FinWait2, TcpState::CloseWait)
        );
        let answer = pattern(1, 10_000);
        let (_, received) = join(send_all(&mut server, &answer), receive_to_end(&mut client)).await;
        assert!(received == answer);
        assert_eq!(client.read(&mut [0; 8]).await, Ok(0), "the end stays");
    });
}

#[test]
fn flush_waits_until_the_peer_has_the_end() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, _server) = pair.connected().await;
        client.shutdown_write();
        client.flush().await.unwrap();
        assert_eq!(client.state(), TcpState::FinWait2);
    });
}

#[test]
fn close_waits_until_the_peer_has_the_end() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        client.write_all(b"hello").await.unwrap();
        client.close().await.unwrap();
        assert_eq!(client.state(), TcpState::FinWait2);
        assert_eq!(receive_to_end(&mut server).await, b"hello");
        server.close().await.unwrap();
        assert_eq!(server.state(), TcpState::Closed);
        assert_eq!(client.state(), TcpState::TimeWait);
        assert_eq!((client.last_error(), server.last_error()), (None, None));
    });
}

#[test]
fn both_ends_may_close_at_once() {
    let link = cygnet_link::Impairments::new().delay(Duration::from_millis(20));
    let pair = Pair::impaired(1, link);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        // The third step of the handshake has to arrive first.
        pair.executor.sleep(Duration::from_millis(100)).await;
        let closed = join(client.close(), server.close()).await;
        assert_eq!(closed, (Ok(()), Ok(())));
        assert_eq!(
            (client.state(), server.state()),
            (TcpState::TimeWait, TcpState::TimeWait)
        );
    });
}

#[test]
fn closing_twice_or_nothing_is_harmless() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        client.close().await.unwrap();
        client.close().await.unwrap();
        assert_eq!(receive_to_end(&mut server).await, b"");
        let mut fresh = pair.client.tcp();
        fresh.close().await.unwrap();
        fresh.abort().await;
        fresh.shutdown_write();
        assert_eq!(fresh.flush().await, Ok(()));
    });
}

#[test]
fn the_reset_of_an_abort_is_on_the_wire_when_it_returns() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        pair.executor.sleep(Duration::from_secs(1)).await;
        let before = pair.control.counters(0).sent;
        client.abort().await;
        assert_eq!(pair.control.counters(0).sent, before + 1);
        assert_eq!(client.state(), TcpState::Closed);
        assert_eq!(client.write(b"more").await, Err(TcpError::Aborted));
        assert_eq!(server.read(&mut [0; 8]).await, Err(TcpError::Reset));
        assert_eq!(server.write(b"more").await, Err(TcpError::Reset));
        assert_eq!(server.flush().await, Err(TcpError::Reset));
        assert_eq!(server.close().await, Err(TcpError::Reset));
    });
}

#[test]
fn an_abort_that_is_dropped_and_repeated_still_resets() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        for _ in 0..3 {
            assert!(embassy_futures::poll_once(client.abort()).is_pending());
        }
        drop(client);
        assert_eq!(server.read(&mut [0; 8]).await, Err(TcpError::Reset));
    });
}

#[test]
fn abort_does_not_wait_for_a_link_that_is_down() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, _server) = pair.connected().await;
        pair.control
            .set_link_state(0, cygnet_driver::LinkState::Down);
        pair.client.stack.wait_link_down().await;
        client.abort().await;
        assert_eq!(client.state(), TcpState::Closed);
    });
}

#[test]
fn what_arrived_before_a_reset_can_be_read() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        client.write_all(b"hello").await.unwrap();
        client.flush().await.unwrap();
        client.abort().await;
        pair.executor.sleep(Duration::from_millis(1)).await;
        assert_eq!(server.state(), TcpState::Closed);
        assert_eq!(server.read(&mut [0; 8]).await, Ok(5));
        assert_eq!(server.read(&mut [0; 8]).await, Err(TcpError::Reset));
    });
}

#[test]
fn readiness_comes_with_the_end_and_with_a_reset() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        join(server.wait_read_ready(), async { client.shutdown_write() }).await;
        assert!(server.can_recv());
        assert_eq!(server.read(&mut [0; 8]).await, Ok(0));

        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp_with(64, 100));
        pair.connect(&mut client, &mut server).await;
        let waiting = join(server.wait_read_ready(), client.abort());
        waiting.await;
        assert_eq!(server.read(&mut [0; 8]).await, Err(TcpError::Reset));
    });
}

#[test]
fn a_reset_wakes_whoever_waits_for_room_or_acknowledgment() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp_with(10, 10), pair.server.tcp_with(10, 10));
        pair.connect(&mut client, &mut server).await;
        server.write_all(&[0; 20]).await.unwrap();
        let (_, ready) = join(client.abort(), server.wait_write_ready()).await;
        let () = ready;
        assert_eq!(server.write(b"more").await, Err(TcpError::Reset));

        let (mut client, mut server) = pair.connected().await;
        pair.unplug_server();
        pair.server.stack.wait_link_down().await;
        server.write_all(b"lost").await.unwrap();
        let resetting = async {
            pair.plug_in_server();
            client.abort().await;
        };
        let (_, flushed) = join(resetting, server.flush()).await;
        assert_eq!(flushed, Err(TcpError::Reset));
    });
}

#[test]
fn a_dropped_socket_still_delivers_everything() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp_with(500, 500));
        pair.connect(&mut client, &mut server).await;
        let data = pattern(1, 4096);
        client.write_all(&data).await.unwrap();
        drop(client);
        assert!(receive_to_end(&mut server).await == data);
        server.close().await.unwrap();
    });
}

#[test]
fn both_owned_halves_dropped_close_the_connection() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, mut server) = pair.connected().await;
        let (reader, mut writer) = client.into_split();
        writer.write_all(b"last words").await.unwrap();
        drop(reader);
        drop(writer);
        assert_eq!(receive_to_end(&mut server).await, b"last words");
        server.close().await.unwrap();
    });
}

#[test]
fn a_peer_that_sends_to_a_dropped_socket_is_reset() {
    // RFC 1122, section 4.2.2.13: it must learn that its data was lost.
    let pair = Pair::new(1);
    pair.run(async {
        let (client, mut server) = pair.connected().await;
        drop(client);
        assert_eq!(server.read(&mut [0; 8]).await, Ok(0));
        server.write_all(b"to nobody").await.unwrap();
        assert_eq!(server.flush().await, Err(TcpError::Reset));
    });
}
