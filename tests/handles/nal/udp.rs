//! `UdpStack`, `ConnectedUdp` and `UnconnectedUdp`.

use std::net::SocketAddr;

use cygnet::{BindError, PoolError, UdpIoError, UdpPool, UdpSockets, UdpSocketsError};
use cygnet::{Duration, RecvError, SendError, TcpSocket};
use cygnet_tests::{Host, Pair};
use embedded_io_async::{Error as _, ErrorKind};
use embedded_nal_async::{ConnectedUdp, UdpStack, UnconnectedUdp};

use crate::{now, within};

/// So many sockets with room for four datagrams each.
fn sockets<'d, const N: usize>(host: &Host<'d>) -> UdpSockets<'d> {
    let pool = Box::leak(Box::new(UdpPool::<N, 4, 2048, 2048>::new()));
    UdpSockets::new(host.stack, host.stack.add_udp_pool(pool).expect("room"))
}

fn any(port: u16) -> SocketAddr {
    SocketAddr::from(([0, 0, 0, 0], port))
}

/// What protocol crates do, knowing the traits alone.
async fn ask<S: UdpStack>(stack: &S, remote: SocketAddr) -> Result<Vec<u8>, S::Error> {
    let (_, mut socket) = stack.connect(remote).await?;
    socket.send(b"question").await?;
    let mut buffer = [0; 64];
    let len = socket.receive_into(&mut buffer).await?;
    Ok(buffer[..len].to_vec())
}

async fn answer<S: UdpStack>(stack: &S, local: SocketAddr) -> Result<(), S::Error> {
    let mut socket = stack.bind_multiple(local).await?;
    let mut buffer = [0; 64];
    let (len, local, remote) = socket.receive_into(&mut buffer).await?;
    buffer[len] = b'!';
    socket.send(local, remote, &buffer[..len + 1]).await
}

#[test]
fn one_asks_and_the_other_answers_through_the_traits() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (sockets::<1>(&pair.client), sockets::<1>(&pair.server));
        for port in [1000, 1001] {
            let question = ask(&client, pair.server.at(port).into());
            let (answered, asked) =
                embassy_futures::join::join(answer(&server, any(port)), question).await;
            assert_eq!(answered, Ok(()));
            assert_eq!(asked.unwrap(), b"question!");
        }
    });
}

#[test]
fn a_connected_socket_has_one_address_and_hears_its_peer_alone() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = sockets::<1>(&pair.client);
        let (local, mut socket) = client.connect(pair.server.at(7).into()).await.unwrap();
        assert_eq!(local.ip(), SocketAddr::from(pair.client.at(0)).ip());
        assert!(local.port() >= 49_152, "a port from the dynamic range");
        assert_eq!(socket.socket().remote_endpoint(), Some(pair.server.at(7)));

        let (peer, other) = (pair.server.udp_at(7), pair.server.udp_at(8));
        let to = pair.client.at(local.port());
        other.send_to(b"from another", to).await.unwrap();
        peer.send_to(b"from the peer", to).await.unwrap();
        let mut buffer = [0; 64];
        let len = socket.receive_into(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..len], b"from the peer");
    });
}

#[test]
fn of_a_datagram_that_does_not_fit_the_length_is_told() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (sockets::<1>(&pair.client), sockets::<1>(&pair.server));
        let (_, mut to) = client.connect(pair.server.at(7).into()).await.unwrap();
        let (local, mut from) = server.bind_single(any(7)).await.unwrap();
        let mut buffer = [0; 3];
        to.send(b"too long").await.unwrap();
        let (len, sent_to, _) = from.receive_into(&mut buffer).await.unwrap();
        assert_eq!((len, &buffer), (8, b"too"));
        assert_eq!(sent_to, local);

        let back = SocketAddr::from(pair.client.at(to.socket().endpoint().port));
        from.send(local, back, b"as long").await.unwrap();
        assert_eq!(to.receive_into(&mut buffer).await, Ok(7));
        assert_eq!(&buffer, b"as ");
    });
}

#[test]
fn a_single_address_is_chosen_and_must_be_ours() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = sockets::<3>(&pair.client);
        let ours = SocketAddr::from(pair.client.at(1000));
        let (local, _first) = client.bind_single(any(1000)).await.unwrap();
        assert_eq!(local, ours);
        let taken = client.bind_single(ours).await.err();
        assert_eq!(taken, Some(UdpSocketsError::Bind(BindError::AddrInUse)));
        assert_eq!(taken.map(|error| error.kind()), Some(ErrorKind::AddrInUse));
        let theirs = pair.server.at(1000).into();
        let error = client.bind_single(theirs).await.err();
        assert_eq!(error, Some(UdpSocketsError::Bind(BindError::NoRoute)));
        let error = client.connect_from(theirs, theirs).await.err();
        assert_eq!(error, Some(UdpSocketsError::Bind(BindError::NoRoute)));
        let v6 = "[::]:0".parse().unwrap();
        let error = client.connect_from(v6, theirs).await;
        error.expect("an unspecified address fits any");
        let (any_port, _second) = client.bind_single(any(0)).await.unwrap();
        assert!(any_port.port() >= 49_152);
    });
}

#[test]
fn what_is_sent_comes_from_where_the_socket_is() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = sockets::<1>(&pair.client);
        let server = pair.server.udp_at(7);
        let remote = pair.server.at(7).into();
        let (local, mut socket) = client.bind_single(any(1000)).await.unwrap();
        for from in [local, any(0), any(1000), SocketAddr::new(local.ip(), 0)] {
            socket.send(from, remote, b"x").await.unwrap();
            let (_, meta) = server.recv_from(&mut [0; 8]).await.unwrap();
            assert_eq!(meta.endpoint, pair.client.at(1000));
        }
        let others = [any(1001), SocketAddr::new(remote.ip(), 1000)];
        for from in others {
            let error = socket.send(from, remote, b"x").await.err();
            assert_eq!(error, Some(UdpSocketsError::OtherLocal));
        }
    });
}

#[test]
fn a_pool_limits_the_sockets_and_gets_its_buffers_back() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = sockets::<2>(&pair.client);
        let remote = pair.server.at(7).into();
        let (_, first) = client.connect(remote).await.unwrap();
        let second = client.bind_multiple(any(1000)).await.unwrap();
        let error = client.connect(remote).await.err().unwrap();
        assert_eq!(error, UdpSocketsError::Bind(BindError::NoSlot));
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        drop(first);
        for _ in 0..5 {
            client.connect(remote).await.expect("the first one's");
        }
        drop(second);
        client
            .bind_multiple(any(1000))
            .await
            .expect("its port, too");
        // What cannot be bound gives its buffers back as well.
        for _ in 0..5 {
            let error = client.connect("192.0.2.1:0".parse().unwrap()).await.err();
            assert!(matches!(error, Some(UdpSocketsError::Bind(_))));
        }
        client.connect(remote).await.expect("nothing was lost");
    });
}

#[test]
fn buffers_come_back_from_a_stack_without_slots_and_from_within_a_closure() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = sockets::<1>(&pair.client);
        let remote = pair.server.at(7).into();
        let open = || TcpSocket::new(pair.client.stack, vec![0; 16], vec![0; 16]);
        let mut others: Vec<_> = std::iter::from_fn(|| open().ok()).collect();
        let error = client.connect(remote).await.err();
        assert_eq!(error, Some(UdpSocketsError::Bind(BindError::NoSlot)));
        others.clear();

        let (_, socket) = client.connect(remote).await.unwrap();
        let sender = pair.client.udp_at(1000);
        let dropped = sender.send_with(1, pair.server.at(7), |_| {
            drop(socket);
            (1, ())
        });
        dropped.await.unwrap();
        client.connect(remote).await.expect("its buffers");
    });
}

#[test]
fn a_fault_is_told_to_whoever_receives() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = sockets::<1>(&pair.client);
        let (_, mut socket) = client.connect(pair.server.at(7).into()).await.unwrap();
        socket.send(b"is anybody there?").await.unwrap();
        let error = socket.receive_into(&mut [0; 8]).await.err();
        let refused = UdpSocketsError::Io(UdpIoError::Recv(RecvError::Refused));
        assert_eq!(error, Some(refused));
    });
}

#[test]
fn what_is_cancelled_receives_nothing() {
    let pair = Pair::new(1);
    pair.run(async {
        let server = sockets::<1>(&pair.server);
        let mut socket = server.bind_multiple(any(7)).await.unwrap();
        let briefly = Duration::from_millis(1);
        for _ in 0..5 {
            let nothing = within(&pair.executor, briefly, socket.receive_into(&mut [0; 8])).await;
            assert!(nothing.is_none());
        }
        let client = pair.client.udp_at(1000);
        client.send_to(b"whole", pair.server.at(7)).await.unwrap();
        let mut buffer = [0; 8];
        let (len, ..) = socket.receive_into(&mut buffer).await.unwrap();
        assert_eq!(&buffer[..len], b"whole");
    });
}

#[test]
fn a_stack_holds_a_limited_number_of_pools() {
    let pair = Pair::new(1);
    let add = || {
        let pool = Box::leak(Box::new(UdpPool::<1, 1, 16, 16>::new()));
        pair.client.stack.add_udp_pool(pool)
    };
    assert!(add().is_ok());
    assert_eq!(add().err(), Some(PoolError::TooMany));
}

#[test]
fn with_ipv6_a_single_address_is_one_for_more_than_the_link() {
    let pair = Pair::new(1);
    let stack = pair.client.stack;
    pair.run(async {
        let client = sockets::<2>(&pair.client);
        let v6 = "[::]:1000".parse().unwrap();
        let none = client.bind_single(v6).await.err();
        assert_eq!(none, Some(UdpSocketsError::Bind(BindError::NoRoute)));
        let add = |cidr: &str| stack.add_address(cidr.parse().unwrap()).unwrap();
        add("fe80::1/64");
        pair.executor.sleep(Duration::from_secs(5)).await;
        let (local, socket) = client.bind_single(v6).await.unwrap();
        assert_eq!(local, "[fe80::1]:1000".parse().unwrap());
        drop(socket);
        add("2001:db8::1/64");
        pair.executor.sleep(Duration::from_secs(5)).await;
        let (local, _socket) = client.bind_single(v6).await.unwrap();
        assert_eq!(local, "[2001:db8::1]:1000".parse().unwrap());
        let mixed = client.connect_from(local, pair.server.at(7).into()).await;
        assert_eq!(mixed.err(), Some(UdpSocketsError::Bind(BindError::NoRoute)));
    });
}

#[test]
fn calls_from_within_a_closure_are_refused() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = sockets::<2>(&pair.client);
        let remote = pair.server.at(7).into();
        let (_, mut peer) = client.connect(remote).await.unwrap();
        let mut bound = client.bind_multiple(any(1000)).await.unwrap();
        let refused = UdpSocketsError::Bind(BindError::Reentrant);
        let unsent = UdpSocketsError::Io(UdpIoError::Send(SendError::Reentrant));
        let sender = pair.client.udp_at(1001);
        let calls = sender.send_with(1, pair.server.at(7), |_| {
            assert_eq!(now(client.connect(remote)).err(), Some(refused));
            assert_eq!(now(client.bind_single(any(0))).err(), Some(refused));
            assert_eq!(now(client.bind_multiple(any(0))).err(), Some(refused));
            assert_eq!(now(peer.send(b"x")), Err(unsent));
            assert_eq!(now(bound.send(any(0), remote, b"x")), Err(unsent));
            let pool = Box::leak(Box::new(UdpPool::<1, 1, 16, 16>::new()));
            let added = pair.client.stack.add_udp_pool(pool);
            assert_eq!(added.err(), Some(PoolError::Reentrant));
            (1, ())
        });
        calls.await.unwrap();
        // Nothing of it did any harm.
        let server = pair.server.udp_at(7);
        peer.send(b"fine").await.unwrap();
        let mut buffer = [0; 8];
        server.recv_from(&mut buffer).await.unwrap();
    });
}
