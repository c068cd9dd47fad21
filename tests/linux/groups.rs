//! Multicast groups, with the kernel as sender and as receiver.

use std::net::{Ipv4Addr, UdpSocket as KernelSocket};
use std::time::Duration;

use cygnet::wire::group_report::RecordKind;
use cygnet::wire::igmp::{ALL_HOSTS, V3_ROUTERS};
use cygnet::wire::{IpProtocol, Ipv4Header, Sum, ipv4};
use cygnet::{IpEndpoint, Stack, UdpPacketMetadata, UdpSocket};
use cygnet_tuntap::Mode;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

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

/// A router's socket: IGMP packets with their IP headers, both ways.
fn router() -> Socket {
    let protocol = Protocol::from(i32::from(IpProtocol::IGMP.0));
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(protocol)).expect("a raw socket");
    let set_up = || {
        socket.set_header_included_v4(true)?;
        socket.set_multicast_if_v4(&KERNEL)?;
        socket.join_multicast_v4(&V3_ROUTERS, &KERNEL)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))
    };
    set_up().expect("a router's socket");
    socket
}

/// The records of the next report that cygnet sends: a kind and a group each.
async fn report(router: &Socket) -> Vec<(u8, Ipv4Addr)> {
    let router = router.try_clone().unwrap();
    blocking(move || {
        loop {
            let mut buffer = [0; 1_500];
            let len = std::io::Read::read(&mut &router, &mut buffer).unwrap();
            let (header, message) = Ipv4Header::parse(&buffer[..len], true).unwrap();
            if header.src != CYGNET || message[0] != 0x22 {
                continue;
            }
            assert!(Sum::of(message).is_valid(), "a checksum");
            assert_eq!(header.header_len, ipv4::ROUTER_ALERT_HEADER_LEN);
            let record = |r: &[u8]| (r[0], Ipv4Addr::new(r[4], r[5], r[6], r[7]));
            break message[8..].chunks(8).map(record).collect();
        }
    })
    .await
}

fn ask_about_all(router: &Socket) {
    let mut message = [0x11, 10, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0];
    let checksum = Sum::of(&message).finish();
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    let header = Ipv4Header {
        src: KERNEL,
        dst: ALL_HOSTS,
        protocol: IpProtocol::IGMP,
        hop_limit: 1,
        dscp_ecn: 0xc0,
        ident: 0,
        dont_fragment: false,
        more_fragments: false,
        fragment_offset: 0,
        header_len: ipv4::ROUTER_ALERT_HEADER_LEN,
        payload_len: message.len(),
    };
    let mut packet = vec![0; ipv4::ROUTER_ALERT_HEADER_LEN];
    header.emit_with_router_alert(&mut packet);
    packet.extend(message);
    let all_hosts = std::net::SocketAddrV4::new(ALL_HOSTS, 0);
    router.send_to(&packet, &all_hosts.into()).unwrap();
}

#[test]
fn a_router_hears_of_groups_and_gets_answers() {
    on_tap(async |stack| {
        let router = router();
        let other = Ipv4Addr::new(239, 1, 2, 4);
        stack.join_multicast_group(GROUP).unwrap();
        for _ in 0..2 {
            let joined = (RecordKind::ToExclude as u8, GROUP);
            assert_eq!(report(&router).await, [joined]);
        }
        stack.join_multicast_group(other).unwrap();
        for _ in 0..2 {
            let joined = (RecordKind::ToExclude as u8, other);
            assert_eq!(report(&router).await, [joined]);
        }
        ask_about_all(&router);
        let kind = RecordKind::IsExclude as u8;
        assert_eq!(report(&router).await, [(kind, GROUP), (kind, other)]);
        stack.leave_multicast_group(other).unwrap();
        for _ in 0..2 {
            let left = (RecordKind::ToInclude as u8, other);
            assert_eq!(report(&router).await, [left]);
        }
    });
}
