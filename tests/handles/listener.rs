//! Listeners and their backlog.

use cygnet::TcpState;
use cygnet::{
    AcceptError, Discard, Duration, IpListenEndpoint, ListenError, TcpError, TcpListener,
};
use cygnet_tests::{Pair, receive_to_end, send_all};
use embedded_io_async::Write as _;

use crate::within;

const BRIEFLY: Duration = Duration::from_millis(100);

#[test]
fn connections_are_accepted_in_the_order_they_came() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<4>(80);
        let mut clients = Vec::new();
        for port in [5003, 5001, 5002] {
            let mut client = pair.client.tcp();
            client.connect_from(port, pair.server.at(80)).await.unwrap();
            client.write_all(&port.to_be_bytes()).await.unwrap();
            clients.push(client);
        }
        pair.executor.sleep(BRIEFLY).await;
        assert_eq!(listener.backlog(), (0, 3));
        for port in [5003_u16, 5001, 5002] {
            let mut socket = listener.accept().await.unwrap();
            assert_eq!(socket.remote_endpoint(), Some(pair.client.at(port)));
            let mut data = [0; 8];
            assert_eq!(socket.read(&mut data).await, Ok(2));
            assert_eq!(data[..2], port.to_be_bytes());
        }
        assert_eq!(listener.backlog(), (0, 0));
    });
}

#[test]
fn accept_waits_for_the_next_connection() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<2>(80);
        let serving = pair.executor.spawn(async move {
            let mut served = Vec::new();
            for _ in 0..3 {
                let mut socket = listener.accept().await.unwrap();
                served.push(receive_to_end(&mut socket).await);
            }
            served
        });
        for n in 0..3 {
            let mut client = pair.client.tcp();
            client.connect(pair.server.at(80)).await.unwrap();
            send_all(&mut client, &[n]).await;
            pair.executor.sleep(BRIEFLY).await;
        }
        assert_eq!(serving.await, [[0], [1], [2]]);
    });
}

#[test]
fn a_request_beyond_the_backlog_is_dropped_and_gets_in_when_there_is_room() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<2>(80);
        let mut first = pair.client.tcp();
        first.connect(pair.server.at(80)).await.unwrap();
        let mut second = pair.client.tcp();
        second.connect(pair.server.at(80)).await.unwrap();

        let mut third = pair.client.tcp();
        let remote = pair.server.at(80);
        let third = pair
            .executor
            .spawn(async move { third.connect(remote).await.map(|()| third) });
        pair.executor.sleep(Duration::from_secs(2)).await;
        let dropped = pair.server.stack.stats().discarded(Discard::BacklogFull);
        assert!(dropped >= 1);
        assert!(!third.is_done(), "neither refused nor accepted");

        let accepted = listener.accept().await.unwrap();
        assert_eq!(accepted.remote_endpoint(), first.local_endpoint());
        first.abort().await;
        drop(accepted);
        let third = third.await.expect("its next request finds room");
        drop(listener.accept().await.unwrap());
        let last = listener.accept().await.unwrap();
        assert_eq!(last.remote_endpoint(), third.local_endpoint());
    });
}

#[test]
fn a_connection_that_finds_no_buffers_is_completed_later() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<1>(80);
        let mut first = pair.client.tcp();
        first.connect(pair.server.at(80)).await.unwrap();
        let mut accepted = listener.accept().await.unwrap();

        // The backlog has room, the pool has not: the handshake stays half open on the server.
        let mut second = pair.client.tcp();
        second.connect(pair.server.at(80)).await.unwrap();
        second.write_all(b"patience").await.unwrap();
        second.shutdown_write();
        assert!(
            within(&pair.executor, BRIEFLY, listener.accept())
                .await
                .is_none()
        );
        let stats = pair.server.stack.stats();
        assert!(stats.discarded(Discard::NoConnectionSlot) >= 1);

        first.close().await.unwrap();
        accepted.close().await.unwrap();
        drop(accepted);
        let mut accepted = listener.accept().await.unwrap();
        assert_eq!(receive_to_end(&mut accepted).await, b"patience");
    });
}

#[test]
fn a_dropped_listener_resets_what_nobody_accepted() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<4>(80);
        let (mut accepted, mut queued) = (pair.client.tcp(), pair.client.tcp());
        accepted.connect(pair.server.at(80)).await.unwrap();
        queued.connect(pair.server.at(80)).await.unwrap();
        let mut socket = listener.accept().await.unwrap();
        pair.executor.sleep(BRIEFLY).await;
        drop(listener);

        assert_eq!(queued.read(&mut [0; 8]).await, Err(TcpError::Reset));
        send_all(&mut socket, b"I live on").await;
        assert_eq!(receive_to_end(&mut accepted).await, b"I live on");
        let refused = queued.connect(pair.server.at(80)).await;
        assert_eq!(refused, Err(cygnet::ConnectError::Refused));
    });
}

#[test]
fn a_connection_that_its_peer_reset_is_not_accepted() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<2>(80);
        let (mut fickle, mut faithful) = (pair.client.tcp(), pair.client.tcp());
        fickle.connect(pair.server.at(80)).await.unwrap();
        fickle.abort().await;
        faithful.connect(pair.server.at(80)).await.unwrap();
        let socket = listener.accept().await.unwrap();
        assert_eq!(socket.remote_endpoint(), faithful.local_endpoint());
        assert_eq!(listener.backlog(), (0, 0));
    });
}

#[test]
fn a_connection_that_ended_in_order_is_accepted_with_its_data() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = pair.server.listen::<2>(80);
        let mut client = pair.client.tcp();
        client.connect(pair.server.at(80)).await.unwrap();
        send_all(&mut client, b"hello").await;
        client.close().await.unwrap();
        let mut socket = listener.accept().await.unwrap();
        assert_eq!(socket.state(), TcpState::CloseWait);
        assert_eq!(receive_to_end(&mut socket).await, b"hello");
    });
}

#[test]
fn three_tasks_may_wait_for_connections() {
    let pair = Pair::new(1);
    pair.run(async {
        let listener = std::rc::Rc::new(pair.server.listen::<4>(80));
        let accepting = [(); 3].map(|()| {
            let listener = listener.clone();
            pair.executor.spawn(async move { listener.accept().await })
        });
        pair.executor.sleep(BRIEFLY).await;
        let fourth = listener.accept().await.map(|_| ());
        assert_eq!(fourth, Err(AcceptError::TooManyWaiters));
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut client = pair.client.tcp();
            client.connect(pair.server.at(80)).await.unwrap();
            clients.push(client);
        }
        for task in accepting {
            task.await.unwrap();
        }
    });
}

#[test]
fn a_port_has_one_listener_for_each_address() {
    let pair = Pair::new(1);
    pair.run(async {
        let pool = pair.server.pool::<4>();
        let bind =
            |endpoint: IpListenEndpoint| TcpListener::bind(pair.server.stack, endpoint, pool);
        let any = bind(80.into()).unwrap();
        let specific = bind(pair.server.at(80).into()).unwrap();
        assert_eq!(bind(80.into()).err(), Some(ListenError::AddrInUse));
        assert_eq!(bind(0.into()).err(), Some(ListenError::InvalidPort));
        assert_eq!(any.local_endpoint(), Some(80.into()));
        assert_eq!(specific.local_endpoint(), Some(pair.server.at(80).into()));

        let mut client = pair.client.tcp();
        client.connect(pair.server.at(80)).await.unwrap();
        specific.accept().await.unwrap();
        drop(specific);
        let mut client = pair.client.tcp();
        client.connect(pair.server.at(80)).await.unwrap();
        any.accept().await.unwrap();
        drop(any);
        bind(80.into()).unwrap();
    });
}
