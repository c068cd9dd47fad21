//! Packets longer than a frame, to and from the kernel.

use std::net::UdpSocket as KernelSocket;
use std::time::Duration;

use cygnet::wire::{Icmpv4Message, IpAddress};
use cygnet::{
    Discard, IcmpEndpoint, IcmpPacketMetadata, IcmpSocket, SendError, Stack, UdpPacketMetadata,
    UdpSocket,
};
use cygnet_tuntap::Mode;

use crate::wire::{CYGNET, KERNEL, Wire, blocking, cygnet, leak, on_tap, on_wire, program, stream};

fn udp_socket(stack: Stack<'static>, port: u16) -> UdpSocket<'static> {
    let metadata = || leak([UdpPacketMetadata::EMPTY; 8]).as_mut_slice();
    let buffer = || vec![0; 1 << 18].leak();
    let mut socket =
        UdpSocket::new(stack, metadata(), buffer(), metadata(), buffer()).expect("a free slot");
    socket.bind(port).expect("a free port");
    socket
}

#[test]
fn pings_of_any_size_are_answered() {
    for mode in [Mode::Tap, Mode::Tun] {
        on_wire(Wire::Device(mode), async |stack| {
            for size in [1_473, 2_953, 8_000, 65_000, 65_507] {
                let output =
                    program("ping", &format!("-c5 -i0.1 -W10 -s{size} 192.168.69.1")).await;
                assert!(output.contains("5 received, 0% packet loss"), "{output}");
            }
            assert_eq!(stack.stats().discarded(Discard::BadChecksum), 0);
        });
    }
}

#[test]
fn the_kernel_answers_pings_of_any_size() {
    on_tap(async |stack| {
        let metadata = || leak([IcmpPacketMetadata::EMPTY; 2]).as_mut_slice();
        let buffer = || vec![0; 1 << 17].leak();
        let mut socket =
            IcmpSocket::new(stack, metadata(), buffer(), metadata(), buffer()).unwrap();
        socket.bind(IcmpEndpoint::Ident(7)).unwrap();
        for (seq, size) in (0..).zip([1_473, 8_000, 65_000, 65_507]) {
            let data = stream(size);
            let data = &data[..];
            let (ident, mut message) = (7, vec![0; 8 + size]);
            Icmpv4Message::EchoRequest { ident, seq, data }.emit(&mut message);
            socket
                .send_to(&message, IpAddress::from(KERNEL))
                .await
                .unwrap();
            let mut reply = vec![0; 65_536];
            let (len, _) = socket.recv_from(&mut reply).await.unwrap();
            let reply = Icmpv4Message::parse(&reply[..len], true).unwrap();
            let expected = Icmpv4Message::EchoReply { ident, seq, data };
            assert!(reply == expected, "an echo of {size} bytes");
        }
    });
}

#[test]
fn datagrams_longer_than_a_frame_arrive_byte_for_byte_both_ways() {
    on_tap(async |stack| {
        let socket = udp_socket(stack, 6_969);
        let kernel = KernelSocket::bind((KERNEL, 0)).unwrap();
        kernel
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        for len in [1_473, 9_000, 60_000, 65_507] {
            let sent = stream(len);
            kernel.send_to(&sent, cygnet(6_969)).unwrap();
            let mut data = vec![0; 65_536];
            let (received, meta) = socket.recv_from(&mut data).await.unwrap();
            assert!(data[..received] == sent, "{len} bytes from the kernel");
            socket
                .send_to(&data[..received], meta.endpoint)
                .await
                .unwrap();
            let kernel = kernel.try_clone().unwrap();
            let echoed = blocking(move || {
                let mut data = vec![0; 65_536];
                let (received, from) = kernel.recv_from(&mut data).unwrap();
                assert_eq!(from.ip(), CYGNET);
                data.truncate(received);
                data
            })
            .await;
            assert!(echoed == sent, "{len} bytes to the kernel");
        }
    });
}

#[test]
fn a_datagram_longer_than_any_is_an_error() {
    on_tap(async |stack| {
        let socket = udp_socket(stack, 6_969);
        let sent = socket.send_to(&[0; 65_508], (KERNEL, 9)).await;
        assert_eq!(sent, Err(SendError::PacketTooLarge));
    });
}
