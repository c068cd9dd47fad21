//! Sockets that queue packets, dropped before those have left.

use std::net::Ipv4Addr;

use cygnet::wire::{Icmpv4Message, IpProtocol, IpVersion, Ipv4Header, ipv4};
use cygnet::{
    Duration, IcmpEndpoint, IpAddress, IpEndpoint, UdpPacketMetadata, UdpPool, UdpSocket,
};
use cygnet::{UdpSockets, UdpSocketsError};
use cygnet_tests::{Host, Pair, pattern};
use embassy_futures::join::join;
use embedded_nal_async::{ConnectedUdp, UdpStack};

use crate::within;

const BRIEFLY: Duration = Duration::from_millis(10);

/// How many sockets there is room for.
fn free_slots(host: &Host<'_>) -> usize {
    let none = Vec::<UdpPacketMetadata>::new;
    let open = || UdpSocket::new(host.stack, none(), vec![], none(), vec![]);
    std::iter::from_fn(|| open().ok()).collect::<Vec<_>>().len()
}

async fn receive(socket: &UdpSocket<'_>) -> Vec<u8> {
    let mut buffer = [0; 2048];
    let (len, _) = socket.recv_from(&mut buffer).await.unwrap();
    buffer[..len].to_vec()
}

#[test]
fn datagrams_that_are_queued_are_sent() {
    let pair = Pair::new(1);
    pair.run(async {
        let server = pair.server.udp_at(7);
        for round in 0..3 {
            let client = pair.client.udp_at(1000);
            for n in 0..4 {
                client
                    .send_to(&[round, n], pair.server.at(7))
                    .await
                    .unwrap();
            }
            drop(client);
            // Its port is free at once, and what comes to it is for the next one.
            let next = pair.client.udp_at(1000);
            for n in 0..4 {
                assert_eq!(receive(&server).await, [round, n]);
            }
            server.send_to(b"!", pair.client.at(1000)).await.unwrap();
            assert_eq!(receive(&next).await, b"!");
        }
        drop(server);
        assert_eq!(free_slots(&pair.client), 16);
    });
}

#[test]
fn a_long_datagram_is_sent_to_its_last_fragment() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(7));
        let data = pattern(1, 4000);
        client.send_to(&data, pair.server.at(7)).await.unwrap();
        drop(client);
        let received = server.recv_with(|received, _| *received == *data);
        assert!(received.await.unwrap());
    });
}

#[test]
fn an_echo_request_is_sent_as_well() {
    let pair = Pair::new(1);
    pair.run(async {
        let bound = || {
            let mut socket = pair.client.icmp();
            socket.bind(IcmpEndpoint::Ident(7)).unwrap();
            socket
        };
        let request = Icmpv4Message::EchoRequest {
            ident: 7,
            seq: 1,
            data: b"ping",
        };
        let write = |room: &mut [u8]| (request.len(), request.emit(room));
        let (socket, to) = (bound(), IpAddress::from(pair.server.address));
        socket.send_with(request.len(), to, write).await.unwrap();
        drop(socket);
        // Whoever has its identifier next hears the answer.
        let is_reply = |message: &mut [u8], _| {
            let reply = Icmpv4Message::parse(message, true).unwrap();
            matches!(reply, Icmpv4Message::EchoReply { seq: 1, .. })
        };
        assert_eq!(bound().recv_with(is_reply).await, Ok(true));
    });
}

#[test]
fn a_raw_packet_is_sent_as_well() {
    let pair = Pair::new(1);
    pair.run(async {
        // RFC 3692: for experiments.
        let protocol = IpProtocol(253);
        let [client, server] = [&pair.client, &pair.server].map(|host| {
            let mut socket = host.raw();
            socket.bind(IpVersion::Ipv4, protocol).unwrap();
            socket
        });
        let mut packet = vec![0; ipv4::MIN_HEADER_LEN];
        let header = Ipv4Header {
            src: Ipv4Addr::UNSPECIFIED,
            dst: pair.server.address,
            protocol,
            hop_limit: 0,
            dscp_ecn: 0,
            ident: 0,
            dont_fragment: false,
            more_fragments: false,
            fragment_offset: 0,
            header_len: ipv4::MIN_HEADER_LEN,
            payload_len: 0,
        };
        header.emit(&mut packet);
        packet.extend(b"swan");
        client.send(&packet).await.unwrap();
        drop(client);
        let is_it = |packet: &mut [u8], _| packet.ends_with(b"swan");
        assert_eq!(server.recv_with(is_it).await, Ok(true));
    });
}

/// Nobody has that address.
fn nobody() -> IpEndpoint {
    (Ipv4Addr::new(10, 0, 0, 200), 7).into()
}

#[test]
fn what_cannot_be_delivered_is_given_up_with_its_slot() {
    let pair = Pair::new(1);
    pair.run(async {
        let free = free_slots(&pair.client);
        let (client, server) = (pair.client.udp_at(1000), pair.server.udp_at(7));
        client.send_to(b"lost", nobody()).await.unwrap();
        client.send_to(b"mail", pair.server.at(7)).await.unwrap();
        drop(client);
        assert_eq!(receive(&server).await, b"mail");
        pair.executor.sleep(Duration::from_secs(5)).await;
        assert_eq!(free_slots(&pair.client), free);
    });
}

#[test]
fn a_link_that_is_down_does_not_keep_a_slot_for_ever() {
    let pair = Pair::new(1);
    pair.unplug_server();
    pair.run(async {
        let free = free_slots(&pair.server);
        for _ in 0..3 {
            let server = pair.server.udp_at(7);
            server.send_to(b"lost", pair.client.at(7)).await.unwrap();
        }
        assert_eq!(pair.server.stack.stats().abandoned, 0);
        pair.executor.sleep(Duration::from_secs(11)).await;
        assert_eq!(free_slots(&pair.server), free);
        assert_eq!(pair.server.stack.stats().abandoned, 3);
        let polls = pair.server.runner_polls();
        pair.executor.sleep(Duration::from_secs(3600)).await;
        assert!(pair.server.runner_polls() - polls <= 4);
    });
}

#[test]
fn a_link_that_has_been_down_for_long_does_not_either() {
    let pair = Pair::new(1);
    pair.run(async {
        pair.server.stack.wait_link_up().await;
        pair.unplug_server();
        pair.server.stack.wait_link_down().await;
        // The runner has nothing to wait for any more.
        pair.executor.sleep(Duration::from_secs(300)).await;
        let server = pair.server.udp_at(7);
        server.send_to(b"lost", pair.client.at(7)).await.unwrap();
        drop(server);
        pair.executor.sleep(Duration::from_secs(11)).await;
        assert_eq!(pair.server.stack.stats().abandoned, 1);
    });
}

#[test]
fn a_new_socket_takes_the_slot_of_one_that_lingers() {
    let pair = Pair::new(1);
    pair.unplug_server();
    pair.run(async {
        let mut kept: Vec<_> = (1..16).map(|port| pair.server.udp_at(port)).collect();
        let last = pair.server.udp_at(7000);
        last.send_to(b"lost", pair.client.at(7)).await.unwrap();
        drop(last);
        kept.push(pair.server.udp_at(7000));
        assert_eq!(pair.server.stack.stats().abandoned, 1);
        kept[15].send_to(b"mail", pair.client.at(7)).await.unwrap();
        pair.plug_in_server();
        let client = pair.client.udp_at(7);
        assert_eq!(receive(&client).await, b"mail");
        assert!(
            within(&pair.executor, BRIEFLY, receive(&client))
                .await
                .is_none()
        );
    });
}

#[test]
fn who_wants_buffers_waits_for_those_that_are_still_sent_from() {
    let pair = Pair::new(1);
    let pool = Box::leak(Box::new(UdpPool::<1, 4, 2048, 2048>::new()));
    let sockets = UdpSockets::new(
        pair.client.stack,
        pair.client.stack.add_udp_pool(pool).unwrap(),
    );
    pair.run(async {
        let server = pair.server.udp_at(7);
        let ask = async {
            for n in 0..20 {
                let (_, mut socket) = sockets.connect(pair.server.at(7).into()).await?;
                socket.send(&[n]).await?;
            }
            Ok::<_, UdpSocketsError>(())
        };
        let answer = async {
            for n in 0..20 {
                assert_eq!(receive(&server).await, [n]);
            }
        };
        assert_eq!(join(ask, answer).await.0, Ok(()));
        // One to nobody costs its buffers for as long as it takes to find that out.
        let (_, mut socket) = sockets.connect(nobody().into()).await.unwrap();
        socket.send(b"lost").await.unwrap();
        drop(socket);
        sockets
            .connect(pair.server.at(7).into())
            .await
            .expect("the buffers");
    });
}
