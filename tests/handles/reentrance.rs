//! Closures that the stack calls, and that call the stack.

use std::net::Ipv4Addr;
use std::pin::Pin;

use cygnet::{AcceptError, BindError, ConfigError, ConnectError, IcmpError, ListenError};
use cygnet::{IcmpPacketMetadata, IcmpSocket, PoolError, Stats, TcpError, TcpListener, TcpPool};
use cygnet::{IpAddress, RecvError, SendError, TcpSocket, TcpState, UdpPacketMetadata, UdpSocket};
use cygnet_tests::Pair;
use embassy_futures::poll_once;
use embedded_io_async::Write as _;

use crate::now;

#[test]
fn every_call_from_within_a_closure_is_refused() {
    let pair = Pair::new(1);
    pair.run(async {
        let stack = pair.server.stack;
        let (mut client, mut server) = pair.connected().await;
        let (mut tcp, mut udp, icmp) = (pair.server.tcp(), pair.server.udp(), pair.server.icmp());
        let pool = pair.server.pool::<1>();
        let listener = TcpListener::bind(stack, 7, pool).unwrap();
        let remote = pair.client.at(1);
        client.write_all(b"!").await.unwrap();

        let calls = |_: &mut [u8]| {
            assert_eq!(now(tcp.connect(remote)), Err(ConnectError::Reentrant));
            assert_eq!(now(tcp.accept(1)), Err(ListenError::Reentrant));
            assert_eq!(now(tcp.read(&mut [0; 8])), Err(TcpError::Reentrant));
            assert_eq!(now(tcp.write(b"x")), Err(TcpError::Reentrant));
            assert_eq!(now(tcp.flush()), Err(TcpError::Reentrant));
            assert_eq!(now(tcp.read_with(|_| (0, ()))), Err(TcpError::Reentrant));
            now(tcp.wait_read_ready());
            assert_eq!(tcp.state(), TcpState::Closed);
            assert_eq!(tcp.info(), None);
            let new = TcpSocket::new(stack, vec![], vec![]);
            assert_eq!(new.err(), Some(ConnectError::Reentrant));
            let new = TcpSocket::from_pool(stack, pool);
            assert_eq!(new.err(), Some(ConnectError::Reentrant));

            let bound = TcpListener::bind(stack, 8, pool);
            assert_eq!(bound.err(), Some(ListenError::Reentrant));
            let accepted = now(listener.accept());
            assert_eq!(accepted.err(), Some(AcceptError::Reentrant));

            assert_eq!(udp.bind(9), Err(BindError::Reentrant));
            assert_eq!(udp.connect(remote), Err(BindError::Reentrant));
            let received = now(udp.recv_from(&mut [0; 8]));
            assert_eq!(received.err(), Some(RecvError::Reentrant));
            assert_eq!(now(udp.send_to(b"x", remote)), Err(SendError::Reentrant));
            let none = Vec::<UdpPacketMetadata>::new;
            let new = UdpSocket::new(stack, none(), vec![], none(), vec![]);
            assert_eq!(new.err(), Some(BindError::Reentrant));

            let received = now(icmp.recv_from(&mut [0; 8]));
            assert_eq!(received.err(), Some(IcmpError::Reentrant));
            let address = IpAddress::from(pair.client.address);
            assert_eq!(now(icmp.send_to(b"x", address)), Err(IcmpError::Reentrant));
            let none = Vec::<IcmpPacketMetadata>::new;
            let new = IcmpSocket::new(stack, none(), vec![], none(), vec![]);
            assert_eq!(new.err(), Some(IcmpError::Reentrant));

            assert_eq!(stack.set_config_v4(None), Err(ConfigError::Reentrant));
            let storage = Box::leak(Box::new(TcpPool::<1, 1, 1>::new()));
            assert_eq!(stack.add_pool(storage).err(), Some(PoolError::Reentrant));
            assert_eq!(stack.stats(), Stats::default());
            assert!(!stack.is_config_up());
            (1, "done")
        };
        assert_eq!(server.read_with(calls).await, Ok("done"));

        // Nothing of it did any harm.
        assert!(stack.is_config_up());
        let looking = server.write_with(|_| (0, stack.set_config_v4(None)));
        assert_eq!(looking.await, Ok(Err(ConfigError::Reentrant)));
        server.write_all(b"fine").await.unwrap();
        assert_eq!(client.read(&mut [0; 8]).await, Ok(4));
    });
}

#[test]
fn closures_about_datagrams_are_no_different() {
    let pair = Pair::new(1);
    pair.run(async {
        let stack = pair.server.stack;
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        let to = pair.client.at(1000);
        let sending = server.send_with(4, to, |room| {
            room.copy_from_slice(b"ping");
            (4, stack.set_config_v4(None))
        });
        assert_eq!(sending.await, Ok(Err(ConfigError::Reentrant)));
        let receiving = client.recv_with(|data, _| {
            assert_eq!(data, b"ping");
            pair.client.stack.set_config_v4(None)
        });
        assert_eq!(receiving.await, Ok(Err(ConfigError::Reentrant)));
    });
}

#[test]
fn a_handle_dropped_by_a_closure_closes_all_the_same() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        let (mut other, mut peer) = (pair.client.tcp(), pair.server.tcp());
        pair.connect(&mut other, &mut peer).await;
        client.write_all(b"!").await.unwrap();
        let mut dropped = Some(peer);
        server
            .read_with(|data| {
                drop(dropped.take());
                (data.len(), ())
            })
            .await
            .unwrap();
        assert_eq!(other.read(&mut [0; 8]).await, Ok(0), "its end arrives");
    });
}

#[test]
fn a_writing_half_dropped_by_a_closure_closes_its_side() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, server) = pair.connected().await;
        let (mut reader, writer) = server.into_split();
        client.write_all(b"!").await.unwrap();
        let mut writer = Some(writer);
        let reading = reader.read_with(|data| {
            drop(writer.take());
            (data.len(), ())
        });
        reading.await.unwrap();
        assert_eq!(client.read(&mut [0; 8]).await, Ok(0), "its end arrives");
        client.write_all(b"more").await.unwrap();
        assert_eq!(reader.read(&mut [0; 8]).await, Ok(4));
    });
}

#[test]
fn a_connection_split_by_a_closure_belongs_to_both_halves() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        let (mut peer, whole) = pair.connected().await;
        client.write_all(b"!").await.unwrap();
        let halves = server.read_with(|data| (data.len(), whole.into_split()));
        let (reader, mut writer) = halves.await.unwrap();
        drop(reader);
        writer.write_all(b"still here").await.unwrap();
        assert_eq!(peer.read(&mut [0; 16]).await, Ok(10));
    });
}

#[test]
fn an_attempt_dropped_by_a_closure_is_given_up() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut client, mut server) = pair.connected().await;
        let mut socket = pair.server.tcp();
        let nobody = (Ipv4Addr::new(10, 0, 0, 99), 7);
        for round in 0..2 {
            let attempt: Pin<Box<dyn Future<Output = bool>>> = match round {
                0 => Box::pin(async { socket.connect(nobody).await.is_ok() }),
                _ => Box::pin(async { socket.accept(7).await.is_ok() }),
            };
            let mut attempt = Some(attempt);
            assert!(poll_once(attempt.as_mut().unwrap()).is_pending());
            client.write_all(b"!").await.unwrap();
            let reading = server.read_with(|data| {
                drop(attempt.take());
                (data.len(), ())
            });
            reading.await.unwrap();
            drop(attempt);
            assert_eq!(socket.state(), TcpState::Closed, "round {round}");
        }
    });
}
