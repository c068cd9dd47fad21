//! Raw sockets here, and raw sockets of the kernel.

use std::io::Read;
use std::net::{IpAddr, SocketAddr};

use cygnet::wire::{IpProtocol, IpVersion, Ipv4Header, Ipv6Header, ipv4, ipv6};
use cygnet::{RawPacketMetadata, RawSocket, Stack};
use cygnet_tuntap::Mode;
use socket2::{Domain, Protocol, Socket, Type};

use crate::wire::{CYGNET, CYGNET_V6, KERNEL, KERNEL_V6, blocking, on_tap, with_config};

/// RFC 3692: for experiments.
const PROTOCOL: IpProtocol = IpProtocol(253);

fn ours(stack: Stack<'static>, version: IpVersion) -> RawSocket<'static> {
    let meta = || vec![RawPacketMetadata::EMPTY; 4];
    let mut socket = RawSocket::new(stack, meta(), vec![0; 8000], meta(), vec![0; 8000]).unwrap();
    socket.bind(version, PROTOCOL).unwrap();
    socket
}

/// Sends `packet`, has the kernel's socket get it and send what is behind its IP header back in two halves, and
/// returns what comes back of them.
async fn exchange(socket: &RawSocket<'_>, packet: &[u8], to: IpAddr) -> Vec<Vec<u8>> {
    let domain = Domain::for_address(SocketAddr::new(to, 0));
    let protocol = Protocol::from(i32::from(PROTOCOL.0));
    let kernel = Socket::new(domain, Type::RAW, Some(protocol)).expect("a raw socket");
    socket.send(packet).await.unwrap();
    let us: IpAddr = if to.is_ipv4() {
        CYGNET.into()
    } else {
        CYGNET_V6.into()
    };
    let echo = blocking(move || {
        let mut buffer = vec![0; 4000];
        let len = (&kernel).read(&mut buffer).expect("a packet");
        // The kernel shows IPv4 headers, and no IPv6 headers.
        let payload = if to.is_ipv4() {
            &buffer[20..len]
        } else {
            &buffer[..len]
        };
        let (first, second) = payload.split_at(payload.len() / 2);
        for half in [first, second] {
            let to = SocketAddr::new(us, 0).into();
            kernel.send_to(half, &to).expect("it is sent");
        }
    });
    echo.await;
    let mut received = Vec::new();
    for _ in 0..2 {
        let packet = socket.recv_with(|packet, _| packet.to_vec()).await;
        received.push(packet.unwrap());
    }
    received
}

#[test]
fn packets_of_a_protocol_of_ones_own_are_exchanged_with_the_kernel() {
    on_tap(async |stack| {
        let socket = ours(stack, IpVersion::Ipv4);
        // The second is cut on its way.
        for len in [100, 3000] {
            let payload: Vec<u8> = (0..len).map(|n: u32| n as u8).collect();
            let mut packet = vec![0; ipv4::MIN_HEADER_LEN];
            let header = Ipv4Header {
                src: [0; 4].into(),
                dst: KERNEL,
                protocol: PROTOCOL,
                hop_limit: 0,
                dscp_ecn: 0,
                ident: 0,
                dont_fragment: false,
                more_fragments: false,
                fragment_offset: 0,
                header_len: ipv4::MIN_HEADER_LEN,
                payload_len: payload.len(),
            };
            header.emit(&mut packet);
            packet.extend_from_slice(&payload);
            let halves = exchange(&socket, &packet, KERNEL.into()).await;
            let mut received = Vec::new();
            for half in &halves {
                let (header, rest) = Ipv4Header::parse(half, true).unwrap();
                assert_eq!((header.src, header.dst), (KERNEL, CYGNET));
                received.extend_from_slice(rest);
            }
            assert!(received == payload);
        }
    });
}

#[test]
fn packets_of_ipv6_are_exchanged_with_the_kernel() {
    with_config(Mode::Tap, crate::ipv6::config(), async |stack, _| {
        stack.wait_config_up().await;
        let socket = ours(stack, IpVersion::Ipv6);
        for len in [100, 3000] {
            let payload: Vec<u8> = (0..len).map(|n: u32| n as u8).collect();
            let mut packet = vec![0; ipv6::HEADER_LEN];
            let header = Ipv6Header {
                src: [0; 16].into(),
                dst: KERNEL_V6,
                next_header: PROTOCOL,
                hop_limit: 0,
                dscp_ecn: 0,
                flow_label: 0,
                payload_len: payload.len(),
            };
            header.emit(&mut packet);
            packet.extend_from_slice(&payload);
            let halves = exchange(&socket, &packet, KERNEL_V6.into()).await;
            let mut received = Vec::new();
            for half in &halves {
                let (header, rest) = Ipv6Header::parse(half).unwrap();
                assert_eq!((header.src, header.dst), (KERNEL_V6, CYGNET_V6));
                received.extend_from_slice(rest);
            }
            assert!(received == payload);
        }
    });
}
