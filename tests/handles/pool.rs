//! Buffers lent from a pool.

use cygnet::{ConnectError, Duration, PoolError, TcpError, TcpPool, TcpSocket, TcpState};
use cygnet_tests::{Pair, receive_to_end, send_all};
use embedded_io_async::Write as _;

#[test]
fn a_pool_lends_as_many_pairs_as_it_has() {
    let pair = Pair::new(1);
    let pool = pair.client.pool::<2>();
    let open = || TcpSocket::from_pool(pair.client.stack, pool);
    let (first, _second) = (open().unwrap(), open().unwrap());
    assert_eq!(open().err(), Some(ConnectError::NoSlot));
    assert_eq!(first.recv_capacity(), 4096);
    assert!(first.send_capacity() > 0);
    drop(first);
    open().unwrap();
}

#[test]
fn a_finished_close_gives_its_buffers_back() {
    let pair = Pair::new(1);
    pair.run(async {
        let pool = pair.client.pool::<1>();
        for round in 0..10 {
            let mut client = TcpSocket::from_pool(pair.client.stack, pool).unwrap();
            let mut server = pair.server.tcp();
            pair.connect(&mut client, &mut server).await;
            send_all(&mut client, &[round]).await;
            drop(client);
            assert_eq!(receive_to_end(&mut server).await, [round]);
            server.close().await.unwrap();
        }
    });
}

#[test]
fn an_exhausted_pool_aborts_the_oldest_lingering_close() {
    let pair = Pair::new(1);
    pair.run(async {
        let pool = pair.client.pool::<2>();
        let mut peers = Vec::new();
        for _ in 0..2 {
            let mut client = TcpSocket::from_pool(pair.client.stack, pool).unwrap();
            let mut server = pair.server.tcp();
            pair.connect(&mut client, &mut server).await;
            client.write_all(b"bye").await.unwrap();
            drop(client);
            pair.executor.sleep(Duration::from_secs(1)).await;
            // The server does not close: the client's side lingers in FIN-WAIT-2.
            assert_eq!(server.state(), TcpState::CloseWait);
            peers.push(server);
        }
        let open = || TcpSocket::from_pool(pair.client.stack, pool);
        let _third = open().expect("the oldest goes");
        pair.executor.sleep(Duration::from_secs(1)).await;
        assert_eq!(peers[0].last_error(), Some(cygnet::ConnectionError::Reset));
        assert_eq!(
            peers[1].state(),
            TcpState::CloseWait,
            "the younger one stays"
        );
        let _fourth = open().expect("then the other");
        assert_eq!(
            open().err(),
            Some(ConnectError::NoSlot),
            "handles are never robbed"
        );
        pair.executor.sleep(Duration::from_secs(1)).await;
        assert_eq!(peers[1].write(b"x").await, Err(TcpError::Reset));
    });
}

#[test]
fn pooled_buffers_are_not_released_to_the_user() {
    let pair = Pair::new(1);
    let pool = pair.client.pool::<1>();
    let socket = TcpSocket::from_pool(pair.client.stack, pool).unwrap();
    assert!(socket.release().is_none());
    TcpSocket::from_pool(pair.client.stack, pool).expect("they went back to the pool");
}

#[test]
fn a_stack_holds_a_limited_number_of_pools() {
    let pair = Pair::new(1);
    let mut added = 0;
    let error = loop {
        let pool = Box::leak(Box::new(TcpPool::<1, 16, 16>::new()));
        match pair.client.stack.add_pool(pool) {
            Ok(_) => added += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, PoolError::TooMany);
    assert!((1..=256).contains(&added));
}
