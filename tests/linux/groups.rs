//! Multicast groups, with the kernel as sender and as receiver.

use std::net::{Ipv4Addr, UdpSocket as KernelSocket};
use std::time::Duration;

use cygnet::{IpEndpoint, Stack, UdpPacketMetadata, UdpSocket};
use cygnet_tuntap::Mode;
use socket2::SockRef;

use crate::wire::{CYGNET, KERNEL, Wire, blocking, leak, on_tap, on_wire, stream};

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
const PORT: u16 = 5_000;

fn udp_socket(stack: Stack<'static>) -> UdpSocket<'static> {
    let metadata = || leak([UdpPacketMetadata::EMPTY; 8]).as_mut_slice();
    let buffer = || vec![0; 1 << 17].leak();
    let mut socket =
        UdpSocket::new(stack, metadata(), buffer(), metadata(), buffer()).expect("a free slot");
    socket.bind(PORT).expect("a free port");
    socket
}

/// A socket of the kernel's that is in the group.
fn kernel_member() -> KernelSocket {
    let socket = KernelSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).expect("a free port");
    socket.join_multicast_v4(&GROUP, &KERNEL).expect("a group");
    SockRef::from(&socket)
        .set_multicast_if_v4(&KERNEL)
        .expect("an interface for groups");
    socket
        .set_read_timeout(Some(Duration::from_secs(30)))
        .expect("a timeout");
    socket
}

async fn talk(stack: Stack<'static>) {
    let mut socket = udp_socket(stack);
    socket.join_multicast_group(GROUP).unwrap();
    socket.set_multicast_loop(false);
    let kernel = kernel_member();
    for len in [0, 1, 1_472, 1_473, 60_000] {
        let sent = stream(len);
        kernel.send_to(&sent, (GROUP, PORT)).unwrap();
        let mut data = vec![0; 65_536];
        let (received, meta) = socket.recv_from(&mut data).await.unwrap();
        assert_eq!(meta.endpoint, IpEndpoint::from((KERNEL, PORT)));
        assert_eq!(meta.hop_limit, Some(1));
        assert!(data[..received] == sent, "{len} bytes from the kernel");

        socket.send_to(&sent, (GROUP, PORT)).await.unwrap();
        let kernel = kernel.try_clone().unwrap();
        let echoed = blocking(move || {
            let mut data = vec![0; 65_536];
            loop {
                let (received, from) = kernel.recv_from(&mut data).unwrap();
                // Its own come back to it.
                if from.ip() == CYGNET {
                    break data[..received].to_vec();
                }
            }
        })
        .await;
        assert!(echoed == sent, "{len} bytes to the kernel");
    }
}

#[test]
fn a_group_that_the_kernel_is_in_as_well() {
    on_tap(talk);
}

#[test]
fn a_group_through_a_tun() {
    on_wire(Wire::Device(Mode::Tun), talk);
}
