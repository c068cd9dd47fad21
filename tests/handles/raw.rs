//! Raw sockets: packets of a protocol that nobody else knows, and copies of those that somebody does.

use std::net::{Ipv4Addr, Ipv6Addr};

use cygnet::wire::{IpProtocol, IpVersion, Ipv4Header, Ipv6Header, ipv4, ipv6};
use cygnet::{BindError, Config, Discard, Duration, Ipv6Cidr, RawMetadata, RawSocket};
use cygnet::{RecvError, SendError, StaticConfigV6};
use cygnet_tests::{Host, Pair, Setup, pattern};

use crate::within;

const BRIEFLY: Duration = Duration::from_millis(10);

/// RFC 3692: for experiments.
const PROTOCOL: IpProtocol = IpProtocol(253);

fn raw<'d>(host: &Host<'d>, protocol: IpProtocol) -> RawSocket<'d> {
    let mut socket = host.raw();
    socket.bind(IpVersion::Ipv4, protocol).unwrap();
    assert_eq!(socket.bound(), Some((IpVersion::Ipv4, protocol)));
    socket
}

fn header(dst: Ipv4Addr) -> Ipv4Header {
    Ipv4Header {
        src: Ipv4Addr::UNSPECIFIED,
        dst,
        protocol: PROTOCOL,
        hop_limit: 0,
        dscp_ecn: 0x28,
        ident: 0,
        dont_fragment: false,
        more_fragments: false,
        fragment_offset: 0,
        header_len: ipv4::MIN_HEADER_LEN,
        payload_len: 0,
    }
}

/// A packet whose length and checksum have yet to be filled in.
fn packet(header: Ipv4Header, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; ipv4::MIN_HEADER_LEN];
    header.emit(&mut packet);
    packet[2..4].fill(0);
    packet[10..12].fill(0);
    packet.extend_from_slice(payload);
    packet
}

#[test]
fn a_packet_goes_from_socket_to_socket_with_its_header_filled_in() {
    for setup in [Setup::new, Setup::tunnel] {
        let pair = Pair::with(1, setup);
        let (client, server) = (raw(&pair.client, PROTOCOL), raw(&pair.server, PROTOCOL));
        pair.run(async {
            let mut buffer = [0; 1500];
            for len in [0, 1, 1480] {
                let payload = pattern(1, len);
                client
                    .send(&packet(header(pair.server.address), &payload))
                    .await
                    .unwrap();
                let (len, meta) = server.recv_from(&mut buffer).await.unwrap();
                let (source, destination) =
                    (pair.client.address.into(), pair.server.address.into());
                assert_eq!(
                    meta,
                    RawMetadata {
                        source,
                        destination
                    }
                );
                let (header, rest) = Ipv4Header::parse(&buffer[..len], true).unwrap();
                assert_eq!(rest, payload);
                assert_eq!(
                    (header.hop_limit, header.dscp_ecn, header.protocol),
                    (64, 0x28, PROTOCOL)
                );
                assert_ne!(header.ident, 0);
            }
        });
    }
}

#[test]
fn what_its_user_filled_in_stays() {
    let pair = Pair::new(1);
    let (client, server) = (raw(&pair.client, PROTOCOL), raw(&pair.server, PROTOCOL));
    pair.run(async {
        let sent = Ipv4Header {
            src: pair.client.address,
            hop_limit: 3,
            ident: 77,
            dont_fragment: true,
            ..header(pair.server.address)
        };
        client.send(&packet(sent, b"swan")).await.unwrap();
        let check = |packet: &mut [u8], _| {
            let (header, payload) = Ipv4Header::parse(packet, true).unwrap();
            assert_eq!(payload, b"swan");
            let payload_len = payload.len();
            assert_eq!(
                header,
                Ipv4Header {
                    payload_len,
                    ..sent
                }
            );
        };
        server.recv_with(check).await.unwrap();
    });
}

#[test]
fn a_packet_of_any_length_leaves_in_fragments_and_arrives_whole() {
    let pair = Pair::new(1);
    let (client, server) = (raw(&pair.client, PROTOCOL), raw(&pair.server, PROTOCOL));
    pair.run(async {
        let payload = pattern(1, 1_500);
        let whole = packet(header(pair.server.address), &payload);
        client.send(&whole).await.unwrap();
        let check = |packet: &mut [u8], _| {
            let (header, rest) = Ipv4Header::parse(packet, true).unwrap();
            assert!(!header.more_fragments);
            assert!(rest == payload);
        };
        server.recv_with(check).await.unwrap();
        let uncut = Ipv4Header {
            dont_fragment: true,
            ..header(pair.server.address)
        };
        let refused = client.send(&packet(uncut, &payload)).await;
        assert_eq!(refused, Err(SendError::PacketTooLarge));
    });
}

#[test]
fn a_protocol_that_nobody_knows_is_refused_unless_a_socket_has_it() {
    let pair = Pair::new(1);
    let client = raw(&pair.client, PROTOCOL);
    pair.run(async {
        let sent = packet(header(pair.server.address), b"anybody?");
        client.send(&sent).await.unwrap();
        let mut buffer = [0; 64];
        assert_eq!(
            client.recv_from(&mut buffer).await,
            Err(RecvError::Refused),
            "protocol unreachable came back"
        );
        let server = raw(&pair.server, PROTOCOL);
        client.send(&sent).await.unwrap();
        server.recv_from(&mut buffer).await.unwrap();
        let briefly = Duration::from_millis(10);
        let nothing = within(&pair.executor, briefly, client.recv_from(&mut buffer)).await;
        assert!(nothing.is_none(), "{nothing:?}");
        drop(server);
        client.send(&sent).await.unwrap();
        assert_eq!(client.recv_from(&mut buffer).await, Err(RecvError::Refused));
    });
}

#[test]
fn the_stacks_own_protocols_are_copied_and_served_as_well() {
    let pair = Pair::new(1);
    let watcher = raw(&pair.server, IpProtocol::UDP);
    let (client, server) = (pair.client.udp_at(1), pair.server.udp_at(2));
    pair.run(async {
        client.send_to(b"swan", pair.server.at(2)).await.unwrap();
        let mut buffer = [0; 64];
        let (len, _) = server.recv_from(&mut buffer).await.unwrap();
        assert_eq!(buffer[..len], *b"swan");
        let (len, _) = watcher.recv_from(&mut buffer).await.unwrap();
        let (_, datagram) = Ipv4Header::parse(&buffer[..len], true).unwrap();
        assert_eq!(datagram[8..], *b"swan");
        // Nobody takes the copies of these; the datagrams arrive all the same.
        for n in 0..10 {
            client.send_to(&[n], pair.server.at(2)).await.unwrap();
            let (len, _) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(buffer[..len], [n]);
        }
        let stats = pair.server.stack.stats();
        assert_eq!(stats.discarded(Discard::ReceiveQueueFull), 6);
    });
}

#[test]
fn packets_that_are_none_of_the_sockets_are_not_sent() {
    let pair = Pair::new(1);
    let socket = raw(&pair.client, PROTOCOL);
    pair.run(async {
        let good = header(pair.server.address);
        let mut options = packet(good, &[0; 8]);
        options[0] = 0x46;
        let mut version = packet(good, b"");
        version[0] = 0x65;
        let changed = |change: fn(&mut Ipv4Header)| {
            let mut header = good;
            change(&mut header);
            packet(header, &[0; 8])
        };
        for bad in [
            Vec::new(),
            vec![0x45; 19],
            options,
            version,
            changed(|header| header.protocol = IpProtocol::TCP),
            changed(|header| header.more_fragments = true),
            changed(|header| header.fragment_offset = 8),
            changed(|header| header.src = Ipv4Addr::new(10, 0, 0, 9)),
        ] {
            let refused = socket.send(&bad).await;
            assert_eq!(refused, Err(SendError::InvalidPacket), "{bad:?}");
        }
        let far = changed(|header| header.dst = Ipv4Addr::new(198, 51, 100, 1));
        assert_eq!(socket.send(&far).await, Err(SendError::NoRoute));
        // They have left their room: four fit, and are sent.
        let server = raw(&pair.server, PROTOCOL);
        for n in 0..8 {
            socket.send(&packet(good, &[n])).await.unwrap();
            let mut buffer = [0; 64];
            let (len, _) = server.recv_from(&mut buffer).await.unwrap();
            assert_eq!(buffer[20..len], [n]);
        }
    });
}

#[test]
fn packets_that_are_not_sent_take_no_room() {
    let pair = Pair::new(1);
    pair.run(async {
        let (client, server) = (raw(&pair.client, PROTOCOL), raw(&pair.server, PROTOCOL));
        // Nobody has that address, so that it waits.
        let nobody = header(Ipv4Addr::new(10, 0, 0, 99));
        client.send(&packet(nobody, b"lost")).await.unwrap();
        for _ in 0..100 {
            let short = within(&pair.executor, BRIEFLY, client.send(b"short")).await;
            assert_eq!(short, Some(Err(SendError::InvalidPacket)));
        }
        let mail = packet(header(pair.server.address), b"mail");
        let sent = within(&pair.executor, BRIEFLY, client.send(&mail)).await;
        assert_eq!(sent, Some(Ok(())));
        let is_it = |packet: &mut [u8], _| packet.ends_with(b"mail");
        assert_eq!(server.recv_with(is_it).await, Ok(true));
    });
}

#[test]
fn a_protocol_is_bound_once() {
    let pair = Pair::new(1);
    let (mut first, mut second) = (pair.client.raw(), pair.client.raw());
    first.bind(IpVersion::Ipv4, PROTOCOL).unwrap();
    assert_eq!(
        first.bind(IpVersion::Ipv4, IpProtocol(254)),
        Err(BindError::InvalidState)
    );
    assert_eq!(
        second.bind(IpVersion::Ipv4, PROTOCOL),
        Err(BindError::AddrInUse)
    );
    second.bind(IpVersion::Ipv6, PROTOCOL).unwrap();
    pair.run(async {
        let unbound = pair.client.raw();
        assert_eq!(unbound.send(b"").await, Err(SendError::NotBound));
        let mut buffer = [0; 8];
        assert_eq!(
            unbound.recv_from(&mut buffer).await,
            Err(RecvError::NotBound)
        );
    });
}

#[test]
fn ipv6_packets_go_with_their_extension_headers() {
    let at = |n: usize| Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, n as u16 + 1);
    let pair = Pair::with(1, |n| {
        let mut setup = Setup::new(n);
        setup.config = Config::ipv6_static(StaticConfigV6::new(Ipv6Cidr::new(at(n), 64)));
        setup
    });
    let bound = |host: &Host<'static>| {
        let mut socket = host.raw();
        socket.bind(IpVersion::Ipv6, PROTOCOL).unwrap();
        socket
    };
    let (client, server) = (bound(&pair.client), bound(&pair.server));
    pair.run(async {
        pair.client.stack.wait_config_up().await;
        pair.server.stack.wait_config_up().await;
        // Destination options of eight bytes (RFC 8200, section 4.6), all of them padding.
        let options = [PROTOCOL.0, 0, 1, 4, 0, 0, 0, 0];
        let with_options = [&options[..], b"swan"].concat();
        for (next_header, rest) in [(PROTOCOL, &b"goose"[..]), (IpProtocol(60), &with_options)] {
            let mut packet = vec![0; ipv6::HEADER_LEN];
            let header = Ipv6Header {
                src: Ipv6Addr::UNSPECIFIED,
                dst: at(1),
                next_header,
                hop_limit: 0,
                dscp_ecn: 0,
                flow_label: 0x1234,
                payload_len: 0,
            };
            header.emit(&mut packet);
            packet.extend_from_slice(rest);
            client.send(&packet).await.unwrap();
            let check = |packet: &mut [u8], _| {
                let (received, payload) = Ipv6Header::parse(packet).unwrap();
                assert_eq!(payload, rest);
                let expected = Ipv6Header {
                    src: at(0),
                    hop_limit: 64,
                    payload_len: rest.len(),
                    ..header
                };
                assert_eq!(received, expected);
            };
            server.recv_with(check).await.unwrap();
        }
    });
}
