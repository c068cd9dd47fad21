//! Multicast groups of IPv6, with the kernel as sender and as receiver, and with a router's questions.

use std::net::{Ipv6Addr, SocketAddrV6, UdpSocket as KernelSocket};
use std::time::Duration;

use cygnet::wire::group_report::{self, RecordKind};
use cygnet::wire::mld::{self, MldMessage, MldShort};
use cygnet::wire::{IpProtocol, Ipv6Header, Sum, ipv6, pseudo_header};
use cygnet::{AddressState, IpAddress, IpEndpoint, MulticastSources, Stack};
use cygnet::{UdpPacketMetadata, UdpSocket};
use cygnet_tuntap::Mode;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::ipv6::config;
use crate::wire::{CYGNET_V6, KERNEL_V6, blocking, leak, program, stream, with_config};

const GROUP: Ipv6Addr = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0x1234, 1);
const OTHER: Ipv6Addr = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0x1234, 2);
const PORT: u16 = 5_000;
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `test` beside a stack whose addresses are in use, with the number of the kernel's interface.
fn on(mode: Mode, test: impl AsyncFnOnce(Stack<'static>, u32) + Send) {
    with_config(mode, config(), async |stack, interface| {
        let address = stack.link_local_v6().expect("one is made");
        for address in [CYGNET_V6, address] {
            while stack.address_state(address.into()) != Some(AddressState::Preferred) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        let list = program("ip", &format!("-o link show {}", interface.name())).await;
        let number = list.split(':').next().expect("a number");
        test(stack, number.parse().expect("a number")).await;
    });
}

fn udp_socket(stack: Stack<'static>) -> UdpSocket<'static> {
    let metadata = || leak([UdpPacketMetadata::EMPTY; 8]).as_mut_slice();
    let buffer = || vec![0; 1 << 17].leak();
    let mut socket =
        UdpSocket::new(stack, metadata(), buffer(), metadata(), buffer()).expect("a free slot");
    socket.bind(PORT).expect("a free port");
    socket
}

/// A socket of the kernel's that is in the group.
fn kernel_member(interface: u32) -> KernelSocket {
    let socket = KernelSocket::bind((Ipv6Addr::UNSPECIFIED, PORT)).expect("a free port");
    socket
        .join_multicast_v6(&GROUP, interface)
        .expect("a group");
    SockRef::from(&socket)
        .set_multicast_if_v6(interface)
        .expect("an interface for groups");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    socket
}

async fn talk(stack: Stack<'static>, interface: u32) {
    let mut socket = udp_socket(stack);
    socket.join_multicast_group(GROUP).unwrap();
    socket.set_multicast_loop(false);
    let kernel = kernel_member(interface);
    for len in [0, 1, 1_452, 1_453, 60_000] {
        let sent = stream(len);
        kernel.send_to(&sent, (GROUP, PORT)).unwrap();
        let mut data = vec![0; 65_536];
        let (received, meta) = socket.recv_from(&mut data).await.unwrap();
        assert_eq!(meta.endpoint, IpEndpoint::from((KERNEL_V6, PORT)));
        assert_eq!(meta.local_address, Some(GROUP.into()));
        assert_eq!(meta.hop_limit, Some(1));
        assert!(data[..received] == sent, "{len} bytes from the kernel");

        socket.send_to(&sent, (GROUP, PORT)).await.unwrap();
        let kernel = kernel.try_clone().unwrap();
        let echoed = blocking(move || {
            let mut data = vec![0; 65_536];
            loop {
                let (received, from) = kernel.recv_from(&mut data).unwrap();
                // Its own come back to it.
                if from.ip() == CYGNET_V6 {
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
    on(Mode::Tap, talk);
}

#[test]
fn a_group_through_a_tun() {
    on(Mode::Tun, talk);
}

#[test]
fn only_sources_that_are_wanted_are_heard() {
    on(Mode::Tap, async |stack, interface| {
        let mut socket = udp_socket(stack);
        let kernel = kernel_member(interface);
        let someone = [IpAddress::Ipv6(Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, 9))];
        let (only, but) = (MulticastSources::Only, MulticastSources::AllBut);
        for (sources, text) in [
            (only(&someone), "another"),
            (only(&[KERNEL_V6.into()]), "the one"),
            (but(&[KERNEL_V6.into()]), "all but this"),
            (but(&someone), "all but another"),
        ] {
            socket.listen_multicast(GROUP, sources).unwrap();
            kernel.send_to(text.as_bytes(), (GROUP, PORT)).unwrap();
            // What comes to the host alone marks the end.
            kernel.send_to(b"end", (CYGNET_V6, PORT)).unwrap();
            let mut heard = String::new();
            loop {
                let mut data = [0; 64];
                let (len, _) = socket.recv_from(&mut data).await.unwrap();
                match str::from_utf8(&data[..len]).unwrap() {
                    "end" => break,
                    text => heard.push_str(text),
                }
            }
            let expected = match text {
                "the one" | "all but another" => text,
                _ => "",
            };
            assert_eq!(heard, expected);
        }
    });
}

/// A router on the kernel's machine: it asks through one socket, and sees every packet by another.
struct Router {
    asks: Socket,
    hears: Socket,
    interface: u32,
    /// cygnet's address on the link, and the kernel's.
    host: Ipv6Addr,
    ours: Ipv6Addr,
}

/// A message of cygnet's: where it went, and what it says.
type Told = (Ipv6Addr, Vec<u8>);

impl Router {
    async fn new(stack: Stack<'static>, interface: u32) -> Self {
        let list = program("ip", "-6 -o addr show scope link").await;
        let mut words = list.split([' ', '/']);
        let ours = words.find(|word| word.starts_with("fe80:"));
        let packets = Protocol::from(i32::from(0x86dd_u16.to_be()));
        let hears = Socket::new(Domain::PACKET, Type::DGRAM, Some(packets)).expect("a socket");
        hears.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let raw = Protocol::from(255);
        let asks = Socket::new(Domain::IPV6, Type::RAW, Some(raw)).expect("a raw socket");
        asks.set_multicast_if_v6(interface)
            .expect("an interface for groups");
        Self {
            asks,
            hears,
            interface,
            host: stack.link_local_v6().expect("one is made"),
            ours: ours
                .and_then(|word| word.parse().ok())
                .expect("a link-local address"),
        }
    }

    /// The next message about groups that cygnet sends.
    async fn told(&self) -> Told {
        let hears = self.hears.try_clone().unwrap();
        let host = self.host;
        blocking(move || {
            loop {
                let mut buffer = [0; 2_048];
                let len = std::io::Read::read(&mut &hears, &mut buffer).unwrap();
                let (header, payload) = Ipv6Header::parse(&buffer[..len]).unwrap();
                if header.src != host || header.next_header != IpProtocol::HOP_BY_HOP {
                    continue;
                }
                assert!(ipv6::has_router_alert(&buffer[..len]));
                assert_eq!((header.hop_limit, payload[0]), (1, IpProtocol::ICMPV6.0));
                let message = &payload[8..];
                let (src, dst) = (header.src.into(), header.dst.into());
                let pseudo = pseudo_header(src, dst, IpProtocol::ICMPV6, message.len());
                assert!(pseudo.add(Sum::of(message)).is_valid(), "a checksum");
                break (header.dst, message.to_vec());
            }
        })
        .await
    }

    /// The next message of version 1, without its checksum, after what was told in version 2.
    async fn told_in_short(&self) -> Told {
        loop {
            let (dst, mut message) = self.told().await;
            if message[0] != group_report::KIND_MLD_V2 {
                message[2..4].fill(0);
                return (dst, message);
            }
        }
    }

    /// The records of the next report about groups that were joined: a kind and a group each.
    async fn report(&self) -> Vec<(u8, Ipv6Addr)> {
        loop {
            let (dst, message) = self.told().await;
            assert_eq!(dst, mld::V2_ROUTERS);
            assert_eq!(MldMessage::parse(&message), Ok(MldMessage::ReportV2));
            let record = |r: &[u8]| {
                let octets: [u8; 16] = r[4..].try_into().unwrap();
                (r[0], Ipv6Addr::from(octets))
            };
            let records = message[8..].chunks(20).map(record);
            let joined: Vec<_> = records
                .filter(|(_, group)| group.segments()[0] == 0xff15)
                .collect();
            // Those of addresses may still be told.
            if !joined.is_empty() {
                return joined;
            }
        }
    }

    /// Asks about all groups, or one. A question of version 2 is longer.
    fn ask(&self, group: Ipv6Addr, version: u8) {
        let dst = match group {
            Ipv6Addr::UNSPECIFIED => mld::ALL_NODES,
            group => group,
        };
        let mut message = vec![130, 0, 0, 0, 1, 0, 0, 0];
        message.extend(group.octets());
        if version == 2 {
            message.extend([2, 125, 0, 0]);
        }
        let (from, to) = (self.ours.into(), dst.into());
        let pseudo = pseudo_header(from, to, IpProtocol::ICMPV6, message.len());
        let checksum = pseudo.add(Sum::of(&message)).finish();
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
        let header = Ipv6Header {
            src: self.ours,
            dst,
            next_header: IpProtocol::ICMPV6,
            hop_limit: 1,
            dscp_ecn: 0,
            flow_label: 0,
            payload_len: message.len(),
        };
        let mut packet = vec![0; ipv6::ROUTER_ALERT_HEADER_LEN];
        header.emit_with_router_alert(&mut packet);
        packet.extend(message);
        let to = SocketAddrV6::new(dst, 0, 0, self.interface);
        self.asks.send_to(&packet, &to.into()).unwrap();
    }
}

#[test]
fn a_router_hears_of_groups_and_gets_answers() {
    on(Mode::Tap, async |stack, interface| {
        let router = Router::new(stack, interface).await;
        for group in [GROUP, OTHER] {
            stack.join_multicast_group(group).unwrap();
            for _ in 0..2 {
                let joined = (RecordKind::ToExclude as u8, group);
                assert_eq!(router.report().await, [joined]);
            }
        }
        let kind = RecordKind::IsExclude as u8;
        router.ask(Ipv6Addr::UNSPECIFIED, 2);
        assert_eq!(router.report().await, [(kind, GROUP), (kind, OTHER)]);
        router.ask(OTHER, 2);
        assert_eq!(router.report().await, [(kind, OTHER)]);
        stack.leave_multicast_group(OTHER).unwrap();
        for _ in 0..2 {
            let left = (RecordKind::ToInclude as u8, OTHER);
            assert_eq!(router.report().await, [left]);
        }
    });
}

#[test]
fn a_router_of_version_1_gets_its_reports() {
    on(Mode::Tap, async |stack, interface| {
        let router = Router::new(stack, interface).await;
        stack.join_multicast_group(GROUP).unwrap();
        for _ in 0..2 {
            router.report().await;
        }
        router.ask(GROUP, 1);
        let report = mld::emit_v1(MldShort::Report, GROUP).to_vec();
        assert_eq!(router.told_in_short().await, (GROUP, report));
        stack.leave_multicast_group(GROUP).unwrap();
        let done = mld::emit_v1(MldShort::Done, GROUP).to_vec();
        assert_eq!(router.told_in_short().await, (mld::ALL_ROUTERS, done));
    });
}
