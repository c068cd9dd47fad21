//! One handle, many connections.

use std::future::poll_fn;
use std::task::Poll;

use cygnet::{Bytes, ConnectError, Duration, ListenError, TcpState};
use cygnet_tests::{Network, Pair, SLOTS, pattern, receive_to_end, send_all};
use embassy_futures::join::join;
use embedded_io_async::Write as _;

#[test]
fn a_socket_connects_and_accepts_again_and_again() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp());
        for round in 0..50 {
            pair.connect(&mut client, &mut server).await;
            let data = pattern(round, 6000);
            let (_, received) =
                join(send_all(&mut client, &data), receive_to_end(&mut server)).await;
            assert!(received == data, "round {round}");
            // Now one side ends first and remembers the connection, now the other.
            if round % 2 == 0 {
                server.close().await.unwrap();
            } else {
                client.abort().await;
                // The server hears of it now or before; either way its side is over then.
                server.close().await.ok();
            }
        }
    });
}

#[test]
fn a_socket_from_a_listener_accepts_another_connection_once_its_own_is_over() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<2>(80);
        let mut client = pair.client.tcp();
        client.connect(pair.server.at(80)).await.unwrap();
        let mut server = listener.accept().await.unwrap();
        assert_eq!(server.accept(81).await, Err(ListenError::InvalidState));
        client.close().await.unwrap();
        server.close().await.unwrap();
        let connect = client.connect(pair.server.at(81));
        assert_eq!(join(connect, server.accept(81)).await, (Ok(()), Ok(())));
        assert_eq!(server.state(), TcpState::Established);
    });
}

#[test]
fn the_side_that_closes_first_is_free_again_while_the_connection_is_remembered() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp());
        for _ in 0..20 {
            pair.connect(&mut client, &mut server).await;
            client.close().await.unwrap();
            server.close().await.unwrap();
            assert_eq!(client.state(), TcpState::TimeWait);
        }
    });
}

// Requirement: RFC 9293 MUST-13
#[test]
fn a_remembered_pair_of_ends_is_in_use_for_two_segment_lifetimes() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<2>(80);
        let mut client = pair.client.tcp();
        client.connect_from(5000, pair.server.at(80)).await.unwrap();
        let mut server = listener.accept().await.unwrap();
        client.close().await.unwrap();
        server.close().await.unwrap();

        let again = client.connect_from(5000, pair.server.at(80)).await;
        assert_eq!(again, Err(ConnectError::AddrInUse));
        pair.executor.sleep(Duration::from_secs(59)).await;
        let again = client.connect_from(5000, pair.server.at(80)).await;
        assert_eq!(again, Err(ConnectError::AddrInUse));
        pair.executor.sleep(Duration::from_secs(2)).await;
        client.connect_from(5000, pair.server.at(80)).await.unwrap();
    });
}

#[test]
fn a_server_that_closed_first_takes_the_same_client_port_again() {
    // RFC 6191: the new request's timestamp is beyond those of the remembered connection.
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<2>(80);
        let mut client = pair.client.tcp();
        for _ in 0..5 {
            client.connect_from(5000, pair.server.at(80)).await.unwrap();
            let mut server = listener.accept().await.unwrap();
            server.close().await.unwrap();
            client.close().await.unwrap();
            assert_eq!(server.state(), TcpState::TimeWait);
            pair.executor.sleep(Duration::from_millis(10)).await;
        }
    });
}

#[test]
fn settings_survive_and_the_past_does_not() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp(), pair.server.tcp());
        client.set_timeout(Some(Duration::from_secs(3)));
        pair.connect(&mut client, &mut server).await;
        server.write_all(b"never read").await.unwrap();
        server.flush().await.unwrap();
        server.abort().await;
        pair.executor.sleep(Duration::from_millis(1)).await;
        pair.connect(&mut client, &mut server).await;
        assert_eq!((client.recv_queue(), client.last_error()), (0, None));

        pair.black_hole();
        let before = pair.executor.now();
        client.write_all(b"x").await.unwrap();
        assert!(client.flush().await.is_err());
        assert!(pair.executor.now().since(before) <= Duration::from_secs(4));
    });
}

#[test]
fn released_buffers_serve_another_socket() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = (pair.client.tcp_with(1000, 2000), pair.server.tcp());
        pair.connect(&mut client, &mut server).await;
        server.close().await.unwrap();
        client.close().await.unwrap();
        let (receive, send): (Bytes, Bytes) = client.release().expect("the connection is over");
        assert_eq!((receive.len(), send.len()), (1000, 2000));
        cygnet::TcpSocket::new(pair.client.stack, receive, send).unwrap();
    });
}

#[test]
fn an_open_connection_is_not_released_but_closed() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        client.write_all(b"bye").await.unwrap();
        assert!(client.release().is_none());
        assert_eq!(receive_to_end(&mut server).await, b"bye");
    });
}

#[test]
fn a_socket_that_accepts_again_answers_its_new_peer() {
    let network = Network::<3>::new(1);
    let [server, first, second] = &network.hosts;
    network.executor.block_on(async {
        let mut serving = server.tcp();
        for host in [first, second] {
            let mut client = host.tcp();
            let accepting = async { serving.accept(80).await.unwrap() };
            join(accepting, async {
                client.connect(server.at(80)).await.unwrap()
            })
            .await;
            serving.write_all(b"hello").await.unwrap();
            assert_eq!(client.read(&mut [0; 8]).await, Ok(5));
            client.abort().await;
            serving.close().await.ok();
        }
        assert_eq!(server.stack.stats().retransmits, 0);
    });
}

#[test]
fn a_socket_in_the_slot_of_another_has_all_its_places_to_wait_in() {
    let pair = Pair::new(1);
    pair.run(async {
        // There is one slot left, so that the next socket has that of the last.
        let _kept: Vec<_> = (1..SLOTS).map(|_| pair.server.tcp()).collect();
        let gone = pair.server.udp_at(7);
        let polling = pair.executor.spawn(async move {
            let polled = poll_fn(|cx| Poll::Ready(gone.poll_recv_from(cx, &mut [0; 8])));
            assert!(polled.await.is_pending());
        });
        polling.await;

        let socket = std::rc::Rc::new(pair.server.udp_at(7));
        let waiting = [(); 2].map(|()| {
            let socket = socket.clone();
            let receive = async move { socket.recv_from(&mut [0; 8]).await.map(|(len, _)| len) };
            pair.executor.spawn(receive)
        });
        pair.executor.sleep(Duration::from_millis(1)).await;
        let client = pair.client.udp_at(1000);
        for receiving in waiting {
            client.send_to(b"!", pair.server.at(7)).await.unwrap();
            assert_eq!(receiving.await, Ok(1));
        }
    });
}
