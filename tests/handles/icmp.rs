//! ICMP sockets: ping, and the errors about a UDP port.

use std::net::Ipv4Addr;

use cygnet::wire::{Icmpv4Message, Icmpv4Unreachable, Quote};
use cygnet::{Discard, Duration, IcmpEndpoint, IcmpError, IcmpSocket, IpAddress};
use cygnet_tests::{Pair, Setup, pattern};

use crate::within;

const NOBODY: IpAddress = IpAddress::Ipv4(Ipv4Addr::new(10, 0, 0, 99));

async fn ping(
    socket: &IcmpSocket<'_>,
    seq: u16,
    data: &[u8],
    to: IpAddress,
) -> Result<(), IcmpError> {
    let request = Icmpv4Message::EchoRequest {
        ident: 7,
        seq,
        data,
    };
    let write = |room: &mut [u8]| {
        request.emit(room);
        (room.len(), ())
    };
    socket.send_with(request.len(), to, write).await
}

#[test]
fn an_echo_request_of_any_size_is_answered() {
    for setup in [Setup::new, Setup::tunnel] {
        let pair = Pair::with(1, setup);
        pair.run(async {
            let mut socket = pair.client.icmp();
            socket.bind(IcmpEndpoint::Ident(7)).unwrap();
            for (seq, len) in [(1, 0), (2, 56), (3, 1472)] {
                let data = pattern(1, len);
                ping(&socket, seq, &data, pair.server.address.into())
                    .await
                    .unwrap();
                let check = |message: &mut [u8], meta: cygnet::IcmpMetadata| {
                    let reply = Icmpv4Message::parse(message, true).unwrap();
                    let expected = Icmpv4Message::EchoReply {
                        ident: 7,
                        seq,
                        data: &data,
                    };
                    assert_eq!(reply, expected);
                    assert_eq!(meta.address, pair.server.address.into());
                    assert_eq!(meta.hop_limit, Some(64));
                };
                socket.recv_with(check).await.unwrap();
            }
        });
    }
}

#[test]
fn a_reply_goes_to_the_socket_with_its_identifier() {
    let pair = Pair::new(1);
    pair.run(async {
        let (mut ours, mut other) = (pair.client.icmp(), pair.client.icmp());
        other.bind(IcmpEndpoint::Ident(7)).unwrap();
        ours.bind(IcmpEndpoint::Ident(8)).unwrap();
        assert_eq!(ours.endpoint(), IcmpEndpoint::Ident(8));
        // Sent by one socket with the other's identifier.
        ping(&ours, 1, b"", pair.server.address.into())
            .await
            .unwrap();
        let mut buffer = [0; 64];
        assert_eq!(
            other.recv_from(&mut buffer).await.map(|(len, _)| len),
            Ok(8)
        );
        let briefly = Duration::from_millis(10);
        let nothing = within(&pair.executor, briefly, ours.recv_from(&mut buffer)).await;
        assert!(nothing.is_none());
    });
}

#[test]
fn a_udp_ports_errors_can_be_watched() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut watcher = pair.client.icmp();
        watcher.bind(IcmpEndpoint::UdpPort(1000)).unwrap();
        let client = pair.client.udp_at(1000);
        client
            .send_to(b"anybody?", pair.server.at(2000))
            .await
            .unwrap();
        let check = |message: &mut [u8], meta: cygnet::IcmpMetadata| {
            assert_eq!(meta.address, pair.server.address.into());
            let message = Icmpv4Message::parse(message, true).unwrap();
            let Icmpv4Message::DestinationUnreachable { code, quote, .. } = message else {
                panic!("{message:?}");
            };
            assert_eq!(code, Icmpv4Unreachable::Port);
            let quote = Quote::parse(quote).unwrap();
            assert_eq!((quote.src_port(), quote.dst_port()), (1000, 2000));
        };
        watcher.recv_with(check).await.unwrap();
    });
}

#[test]
fn an_identifier_or_port_is_bound_once() {
    let pair = Pair::new(1);
    let (mut first, mut second) = (pair.client.icmp(), pair.client.icmp());
    first.bind(IcmpEndpoint::Ident(7)).unwrap();
    assert_eq!(
        first.bind(IcmpEndpoint::Ident(8)),
        Err(IcmpError::AddrInUse)
    );
    assert_eq!(
        second.bind(IcmpEndpoint::Ident(7)),
        Err(IcmpError::AddrInUse)
    );
    second.bind(IcmpEndpoint::UdpPort(7)).unwrap();
    drop(first);
    pair.client.icmp().bind(IcmpEndpoint::Ident(7)).unwrap();
}

#[test]
fn what_cannot_be_sent_says_why() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut socket = pair.client.icmp();
        let to = pair.server.address.into();
        assert_eq!(ping(&socket, 1, b"", to).await, Err(IcmpError::NotBound));
        let unbound = socket.recv_from(&mut [0; 8]).await;
        assert_eq!(unbound.err(), Some(IcmpError::NotBound));
        socket.bind(IcmpEndpoint::Ident(7)).unwrap();
        let beyond = IpAddress::Ipv4(Ipv4Addr::new(192, 0, 2, 1));
        assert_eq!(ping(&socket, 1, b"", beyond).await, Err(IcmpError::NoRoute));
        let long = [0; 65_508];
        assert_eq!(
            ping(&socket, 1, &long, to).await,
            Err(IcmpError::PacketTooLarge)
        );
        ping(&socket, 1, b"", NOBODY).await.unwrap();
        let unreachable = socket.recv_from(&mut [0; 8]).await;
        assert_eq!(unreachable.err(), Some(IcmpError::Unreachable));
    });
}

#[test]
fn a_message_too_long_for_the_buffer_is_cut_and_says_so() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut socket = pair.client.icmp();
        socket.bind(IcmpEndpoint::Ident(7)).unwrap();
        ping(&socket, 1, b"data", pair.server.address.into())
            .await
            .unwrap();
        let cut = socket.recv_from(&mut [0; 8]).await;
        assert_eq!(cut.err(), Some(IcmpError::Truncated));
    });
}

#[test]
fn a_dead_host_delays_no_request_to_another() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut socket = pair.client.icmp();
        socket.bind(IcmpEndpoint::Ident(7)).unwrap();
        ping(&socket, 1, b"", NOBODY).await.unwrap();
        ping(&socket, 2, b"", pair.server.address.into())
            .await
            .unwrap();
        let mut buffer = [0; 64];
        let (_, meta) = socket.recv_from(&mut buffer).await.unwrap();
        assert_eq!(meta.address, pair.server.address.into());
        assert_eq!(pair.executor.now(), cygnet::Instant::ZERO);
    });
}

#[test]
fn replies_beyond_the_queue_are_counted() {
    let pair = Pair::new(1);
    pair.run(async {
        let mut socket = pair.client.icmp();
        socket.bind(IcmpEndpoint::Ident(7)).unwrap();
        for seq in 0..8 {
            ping(&socket, seq, b"", pair.server.address.into())
                .await
                .unwrap();
        }
        pair.executor.sleep(Duration::from_millis(10)).await;
        let stats = pair.client.stack.stats();
        assert_eq!(stats.discarded(Discard::ReceiveQueueFull), 4);
    });
}
