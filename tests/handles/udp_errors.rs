//! What a sender of datagrams hears about those that do not arrive, and that one dead host delays nobody.

use std::net::Ipv4Addr;

use cygnet::{BindError, Discard, Duration, Instant, IpEndpoint, RecvError, SendError};
use cygnet_tests::{Network, Pair};
use embassy_futures::join::join;

const NOBODY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 99);

#[test]
fn nobody_at_the_port_refuses_a_connected_sender() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut client = pair.client.udp();
        client.connect(pair.server.at(2000)).unwrap();
        client.send_to(b"?", pair.server.at(2000)).await.unwrap();
        let refused = client.recv_from(&mut [0; 8]).await;
        assert_eq!(refused.err(), Some(RecvError::Refused));
        assert_eq!(pair.server.stack.stats().discarded(Discard::NoSocket), 1);

        client.send_to(b"?", pair.server.at(2000)).await.unwrap();
        pair.executor.sleep(Duration::from_millis(10)).await;
        let refused = client.send_to(b"?", pair.server.at(2000)).await;
        assert_eq!(refused, Err(SendError::Refused));
        // An error is told once.
        client.send_to(b"?", pair.server.at(2000)).await.unwrap();
    });
}

#[test]
fn a_sender_that_is_not_connected_hears_nothing() {
    let pair = Pair::new(1);
    pair.run(async {
        let client = pair.client.udp_at(1000);
        for _ in 0..3 {
            client.send_to(b"?", pair.server.at(2000)).await.unwrap();
            pair.executor.sleep(Duration::from_millis(10)).await;
        }
        assert!(!client.may_recv());
    });
}

#[test]
fn a_peer_without_an_address_is_unreachable() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut client = pair.client.udp();
        client.connect((NOBODY, 2000)).unwrap();
        client.send_to(b"?", (NOBODY, 2000)).await.unwrap();
        let result = client.recv_from(&mut [0; 8]).await;
        assert_eq!(result.err(), Some(RecvError::Unreachable));
        assert_eq!(pair.client.stack.stats().unreachable, 1);
    });
}

#[test]
fn there_must_be_a_route_a_port_and_a_binding() {
    let pair = Pair::new(1);
    pair.run(async {
        let beyond = IpEndpoint::from((Ipv4Addr::new(192, 0, 2, 1), 7));
        let mut client = pair.client.udp();
        let unbound = client.send_to(b"?", pair.server.at(7)).await;
        assert_eq!(unbound, Err(SendError::NotBound));
        let unbound = client.recv_from(&mut [0; 8]).await;
        assert_eq!(unbound.err(), Some(RecvError::NotBound));
        assert_eq!(client.connect(beyond), Err(BindError::NoRoute));
        assert_eq!(
            client.connect(pair.server.at(0)),
            Err(BindError::InvalidAddress)
        );
        client.bind(1000).unwrap();
        assert_eq!(client.send_to(b"?", beyond).await, Err(SendError::NoRoute));
        let to_port_zero = client.send_to(b"?", pair.server.at(0)).await;
        assert_eq!(to_port_zero, Err(SendError::NoRoute));
    });
}

#[test]
fn an_error_of_one_socket_is_not_told_to_another() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut guilty, mut innocent) = (pair.client.udp(), pair.client.udp());
        let server = pair.server.udp_at(2001);
        guilty.connect(pair.server.at(2000)).unwrap();
        innocent.connect(pair.server.at(2001)).unwrap();
        guilty.send_to(b"?", pair.server.at(2000)).await.unwrap();
        innocent.send_to(b"!", pair.server.at(2001)).await.unwrap();
        assert_eq!(
            server.recv_from(&mut [0; 8]).await.map(|(len, _)| len),
            Ok(1)
        );
        let refused = guilty.recv_from(&mut [0; 8]).await;
        assert_eq!(refused.err(), Some(RecvError::Refused));
        innocent.send_to(b"!", pair.server.at(2001)).await.unwrap();
    });
}

#[test]
fn a_dead_host_delays_no_datagram_to_another() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        client.send_to(b"into the void", (NOBODY, 1)).await.unwrap();
        client.send_to(b"one", pair.server.at(2000)).await.unwrap();
        client.send_to(b"more of that", (NOBODY, 1)).await.unwrap();
        client.send_to(b"two", pair.server.at(2000)).await.unwrap();
        let mut buffer = [0; 64];
        for expected in [&b"one"[..], b"two"] {
            let (len, _) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..len], expected);
        }
        assert_eq!(pair.executor.now(), Instant::ZERO);
    });
}

#[test]
fn a_dead_host_that_is_looked_for_delays_no_datagram_to_another() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        let mut buffer = [0; 64];
        for expected in [&b"one"[..], b"two"] {
            client.send_to(b"into the void", (NOBODY, 1)).await.unwrap();
            pair.executor.sleep(Duration::from_millis(100)).await;
            client
                .send_to(expected, pair.server.at(2000))
                .await
                .unwrap();
            let (len, _) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(&buffer[..len], expected);
        }
        assert_eq!(pair.executor.now(), Instant::from_millis(200));
    });
}

#[test]
fn datagrams_wait_for_their_neighbor_and_leave_in_order() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(2000));
        pair.unplug_server();
        for n in 0..4 {
            client.send_to(&[n], pair.server.at(2000)).await.unwrap();
        }
        pair.executor.sleep(Duration::from_millis(1500)).await;
        pair.plug_in_server();
        let mut buffer = [0; 64];
        for n in 0..4 {
            server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(buffer[0], n, "none was dropped for want of an answer");
        }
    });
}

#[test]
fn dead_hosts_delay_no_connection_to_another() {
    let net = Network::<3>::new(1);
    let [left, _, right] = &net.hosts;
    net.executor.block_on(async {
        let mut doomed = Vec::new();
        for host in 100..106 {
            let mut socket = left.tcp();
            let nobody = Ipv4Addr::new(10, 0, 0, host);
            doomed.push(
                net.executor
                    .spawn(async move { socket.connect((nobody, 80)).await }),
            );
        }
        let _listener = right.listen::<1>(80);
        let mut socket = left.tcp();
        socket.connect(right.at(80)).await.unwrap();
        assert_eq!(net.executor.now(), Instant::ZERO);
        for attempt in doomed {
            assert_eq!(attempt.await, Err(cygnet::ConnectError::Unreachable));
        }
    });
}

#[test]
fn port_unreachables_are_limited_in_rate() {
    // RFC 1812, section 4.3.2.8.
    let pair = Pair::new(1);
    pair.run(async {
        let client = pair.client.udp_at(1000);
        for _ in 0..100 {
            client.send_to(b"?", pair.server.at(2000)).await.unwrap();
        }
        client.flush().await.unwrap();
        pair.executor.sleep(Duration::from_millis(1)).await;
        let stats = pair.server.stack.stats();
        assert!(stats.discarded(Discard::RateLimited) > 50);
        assert!(stats.discarded(Discard::NoSocket) >= 1);
    });
}

#[test]
fn an_error_is_something_to_receive() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut client = pair.client.udp();
        client.connect(pair.server.at(2000)).unwrap();
        client.send_to(b"?", pair.server.at(2000)).await.unwrap();
        assert!(!client.may_recv());
        pair.executor.sleep(Duration::from_millis(10)).await;
        assert!(client.may_recv());
        let received = client.recv_from(&mut [0; 8]).await;
        assert_eq!(received, Err(RecvError::Refused));
        assert!(!client.may_recv(), "it is told once");
    });
}

#[test]
fn a_socket_hears_that_its_address_is_gone() {
    let network = Network::<2>::new(1);
    let [a, b] = &network.hosts;
    network.executor.block_on(async {
        let second = Ipv4Addr::new(10, 0, 0, 77);
        let cidr = cygnet::IpCidr::Ipv4(cygnet::Ipv4Cidr::new(second, 24));
        a.stack.add_address(cidr).unwrap();
        let mut bound = a.udp();
        bound.bind((second, 7)).unwrap();
        let anywhere = a.udp_at(8);
        let peer = b.udp_at(9);
        let mut buffer = [0; 16];
        let removing = async {
            network.executor.sleep(Duration::from_secs(1)).await;
            a.stack.remove_address(second.into()).unwrap();
        };
        let (received, ()) = join(bound.recv_from(&mut buffer), removing).await;
        assert_eq!(received, Err(RecvError::AddressGone));
        for _ in 0..2 {
            let sent = bound.send_to(b"hello", b.at(9)).await;
            assert_eq!(sent, Err(SendError::AddressGone));
        }
        let mut to = cygnet::UdpMetadata::from(b.at(9));
        to.local_address = Some(second.into());
        let sent = anywhere.send_to(b"hello", to).await;
        assert_eq!(sent, Err(SendError::AddressGone), "as its user names it");
        // It is back, and so is the socket.
        a.stack.add_address(cidr).unwrap();
        bound.send_to(b"hello", b.at(9)).await.unwrap();
        let (_, meta) = peer.recv_from(&mut buffer).await.unwrap();
        assert_eq!(meta.endpoint.addr, second.into());
    });
}
