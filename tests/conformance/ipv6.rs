//! IPv6 on the wire: a peer made of raw frames speaks with a stack in virtual time. The kernel tells its part
//! in the suite `linux`.

mod duplicates;
mod extensions;
mod groups;
mod icmp;
mod neighbors;
mod noise;
mod optimistic;
mod redirects;
mod routers;
mod several_routers;
mod slaac;
mod tcp;
mod traps;

use core::net::Ipv6Addr;
use core::task::{Context, Poll, Waker};
use core::time::Duration;

use cygnet::wire::ndisc::{self, NeighborFlags, RouterAdvertisement};
use cygnet::wire::{
    EtherType, EthernetAddress, EthernetHeader, Icmpv6Message, IpProtocol, Ipv6Header,
    NdiscMessage, NdiscOptions,
};
use cygnet::{Config, Discard, IpEndpoint, Ipv6Cidr, SendError, Stack, StaticConfigV6};
use cygnet::{UdpMetadata, UdpPacketMetadata, UdpSocket};
use cygnet_link::PortConfig;
use cygnet_tests::Bench;

/// The stack's address.
const OURS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
/// The peer's, on the link.
const PEER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
const OUR_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
const PEER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// A stack, and the wire to it.
struct Host {
    bench: Bench,
    /// What it tells routers of its groups is heard as well.
    tells_groups: bool,
}

/// A packet that the stack sent.
#[derive(Clone, Debug)]
struct Heard {
    link: EthernetHeader,
    header: Ipv6Header,
    payload: Vec<u8>,
}

impl Host {
    /// A stack with a fixed address, which is in use.
    fn up() -> Self {
        let mut host = Self::new(fixed());
        host.let_pass(Duration::from_secs(3));
        assert!(host.stack().is_config_up());
        host
    }

    fn new(config: Config) -> Self {
        let ports = [OUR_MAC, PEER_MAC].map(|mac| PortConfig::ethernet(mac.0));
        Self {
            bench: Bench::new(config, ports),
            tells_groups: false,
        }
    }

    fn stack(&self) -> Stack<'static> {
        self.bench.stack
    }

    fn transmit(&mut self, frame: &[u8]) {
        self.bench.transmit(frame);
    }

    /// Sends a packet in a frame to the stack's own link address, or the group's.
    fn send(&mut self, packet: &[u8]) {
        self.transmit(&framed(packet));
    }

    /// The next packet of IPv6 that comes, within `patience`.
    fn hear_within(&mut self, patience: Duration) -> Option<Heard> {
        let end = self.bench.now() + patience;
        loop {
            let heard = Heard::parse(&self.bench.receive(end - self.bench.now())?);
            if self.tells_groups || heard.header.next_header != IpProtocol::HOP_BY_HOP {
                return Some(heard);
            }
        }
    }

    /// The packet that comes at once.
    fn hear(&mut self) -> Heard {
        self.hear_within(Duration::ZERO)
            .expect("a packet was expected")
    }

    fn silence(&mut self, time: Duration) {
        if let Some(heard) = self.hear_within(time) {
            panic!("silence was expected, not {heard:?}");
        }
    }

    /// Nobody looks at what is sent for so long.
    fn let_pass(&mut self, time: Duration) {
        let end = self.bench.now() + time;
        while self.bench.now() < end {
            let left = end - self.bench.now();
            self.bench.receive(left);
        }
    }

    /// The packet is dropped for that reason, and nothing comes back.
    fn drops(&mut self, packet: &[u8], reason: Discard) {
        let before = self.stack().stats().discarded(reason);
        self.send(packet);
        let after = self.stack().stats().discarded(reason);
        assert_eq!(after, before + 1, "{:?}", self.stack().stats());
        self.silence(Duration::ZERO);
    }

    /// The peer's link address becomes known, by an answer to the question for it.
    fn answer_solicitation(&mut self, address: Ipv6Addr) {
        let heard = self.hear();
        let (target, _) = heard.solicitation();
        assert_eq!(target, address);
        self.send(&advertisement(address, heard.header.src, SOLICITED));
    }
}

impl Heard {
    fn parse(frame: &[u8]) -> Self {
        let (link, packet) = EthernetHeader::parse(frame).expect("an Ethernet header");
        assert_eq!(link.ethertype, EtherType::IPV6);
        assert_eq!(link.src, OUR_MAC);
        let (header, payload) = Ipv6Header::parse(packet).expect("an IPv6 packet");
        Self {
            link,
            header,
            payload: payload.to_vec(),
        }
    }

    fn icmp(&self) -> Icmpv6Message<'_> {
        assert_eq!(self.header.next_header, IpProtocol::ICMPV6);
        let (src, dst) = (self.header.src.into(), self.header.dst.into());
        Icmpv6Message::parse(&self.payload, src, dst, true).expect("an ICMPv6 message")
    }

    fn ndisc(&self) -> NdiscMessage<'_> {
        self.icmp();
        assert_eq!(self.header.hop_limit, 255);
        let message = NdiscMessage::parse(&self.payload).expect("well formed");
        message.expect("neighbor discovery")
    }

    fn solicitation(&self) -> (Ipv6Addr, NdiscOptions<'_>) {
        match self.ndisc() {
            NdiscMessage::NeighborSolicitation { target, options } => (target, options),
            other => panic!("a solicitation was expected, not {other:?}"),
        }
    }

    fn advertisement(&self) -> (Ipv6Addr, NeighborFlags, NdiscOptions<'_>) {
        match self.ndisc() {
            NdiscMessage::NeighborAdvertisement {
                target,
                flags,
                options,
            } => (target, flags, options),
            other => panic!("an advertisement was expected, not {other:?}"),
        }
    }
}

/// A socket at port 5000.
fn udp_socket(host: &Host) -> UdpSocket<'static> {
    let meta = || vec![UdpPacketMetadata::EMPTY; 8];
    let bytes = || vec![0; 8_192];
    let mut socket =
        UdpSocket::new(host.stack(), meta(), bytes(), meta(), bytes()).expect("a free slot");
    socket.bind(5_000).expect("a free port");
    socket
}

/// A datagram is on its way, as soon as the link address of its next hop is known.
fn send_datagram(
    host: &mut Host,
    socket: &UdpSocket<'static>,
    to: impl Into<UdpMetadata>,
    data: &[u8],
) -> Result<(), SendError> {
    let cx = &mut Context::from_waker(Waker::noop());
    let Poll::Ready(sent) = socket.poll_send_to(cx, data, to) else {
        panic!("no room");
    };
    host.bench.settle();
    sent
}

/// 2001:db8::1/64, and a link-local address from the hardware address.
fn fixed() -> Config {
    let mut config = Config::ipv6_static(StaticConfigV6::new(Ipv6Cidr::new(OURS, 64)));
    config.interface_identifiers = cygnet::InterfaceIdentifiers::Eui64;
    config
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().expect("an address")
}

/// The group of those who have an address that ends like that.
fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., high, low] = address.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | high & 0xff, low)
}

/// The frame from the peer that carries a packet.
fn framed(packet: &[u8]) -> Vec<u8> {
    let (header, _) = Ipv6Header::parse(packet).expect("an IPv6 packet");
    let dst = match header.dst.is_multicast() {
        true => EthernetAddress::for_ipv6_multicast(header.dst),
        false => OUR_MAC,
    };
    framed_to(dst, packet)
}

fn framed_to(dst: EthernetAddress, packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 14];
    let header = EthernetHeader {
        dst,
        src: PEER_MAC,
        ethertype: EtherType::IPV6,
    };
    header.emit(&mut frame);
    frame.extend(packet);
    frame
}

fn packet(src: Ipv6Addr, dst: Ipv6Addr, next_header: IpProtocol, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 40];
    let header = Ipv6Header {
        src,
        dst,
        next_header,
        hop_limit: 64,
        dscp_ecn: 0,
        flow_label: 0,
        payload_len: payload.len(),
    };
    header.emit(&mut packet);
    packet.extend(payload);
    packet
}

fn icmp(src: Ipv6Addr, dst: Ipv6Addr, message: &Icmpv6Message<'_>) -> Vec<u8> {
    let mut payload = vec![0; message.len()];
    message.emit(&mut payload, src.into(), dst.into());
    packet(src, dst, IpProtocol::ICMPV6, &payload)
}

fn echo_request(src: Ipv6Addr, dst: Ipv6Addr) -> Vec<u8> {
    let request = Icmpv6Message::EchoRequest {
        ident: 7,
        seq: 1,
        data: b"are you there?",
    };
    icmp(src, dst, &request)
}

/// A neighbor discovery message with the hop limit that it has to have.
fn nd(src: Ipv6Addr, dst: Ipv6Addr, message: &NdiscMessage<'_>) -> Vec<u8> {
    let mut payload = vec![0; message.len()];
    message.emit(&mut payload, src.into(), dst.into());
    let mut packet = packet(src, dst, IpProtocol::ICMPV6, &payload);
    packet[7] = 255;
    packet
}

const SOLICITED: NeighborFlags = NeighborFlags {
    router: false,
    solicited: true,
    override_: true,
};

/// The peer says that it has an address.
fn advertisement(address: Ipv6Addr, dst: Ipv6Addr, flags: NeighborFlags) -> Vec<u8> {
    let option = ndisc::target_link_address(PEER_MAC);
    let message = NdiscMessage::NeighborAdvertisement {
        target: address,
        flags,
        options: NdiscOptions::parse(&option).expect("an option"),
    };
    nd(address, dst, &message)
}

/// The peer asks who has `target`.
fn solicitation(target: Ipv6Addr) -> Vec<u8> {
    let option = ndisc::source_link_address(PEER_MAC);
    let message = NdiscMessage::NeighborSolicitation {
        target,
        options: NdiscOptions::parse(&option).expect("an option"),
    };
    nd(PEER, solicited_node(target), &message)
}

/// Somebody without an address asks whether `target` is free.
fn probe(target: Ipv6Addr, nonce: Option<&[u8]>) -> Vec<u8> {
    let option = nonce.map(|nonce| ndisc::nonce(nonce.try_into().expect("six bytes")));
    let message = NdiscMessage::NeighborSolicitation {
        target,
        options: match &option {
            Some(option) => NdiscOptions::parse(option).expect("an option"),
            None => NdiscOptions::NONE,
        },
    };
    nd(Ipv6Addr::UNSPECIFIED, solicited_node(target), &message)
}

/// A router that the peer plays.
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0xa);

/// A router advertisement.
#[derive(Clone)]
struct Advertised {
    from: Ipv6Addr,
    router: RouterAdvertisement,
    options: Vec<u8>,
}

impl Advertised {
    /// By the router, a default router for half an hour, that says nothing else but its link address.
    fn new() -> Self {
        let router = RouterAdvertisement {
            hop_limit: 0,
            flags: 0,
            lifetime: 1_800,
            reachable_time: 0,
            retrans_timer: 0,
        };
        Self {
            from: ROUTER,
            router,
            options: ndisc::source_link_address(PEER_MAC).to_vec(),
        }
    }

    fn from(mut self, router: Ipv6Addr) -> Self {
        self.from = router;
        self
    }

    fn lifetime(mut self, seconds: u16) -> Self {
        self.router.lifetime = seconds;
        self
    }

    fn option(mut self, option: &[u8]) -> Self {
        self.options.extend(option);
        self
    }

    /// A prefix on the link to make addresses from, with its preferred and its valid lifetime.
    fn prefix(self, prefix: &str, preferred: u32, valid: u32) -> Self {
        self.prefix_for(prefix, 0xc0, preferred, valid)
    }

    fn prefix_for(self, prefix: &str, flags: u8, preferred: u32, valid: u32) -> Self {
        let (address, len) = prefix.split_once('/').expect("a prefix");
        let mut option = vec![3, 4, len.parse().expect("a length"), flags];
        option.extend(valid.to_be_bytes());
        option.extend(preferred.to_be_bytes());
        option.extend([0; 4]);
        option.extend(ip(address).octets());
        self.option(&option)
    }

    fn mtu(self, mtu: u32) -> Self {
        let [a, b, c, d] = mtu.to_be_bytes();
        self.option(&[5, 1, 0, 0, a, b, c, d])
    }

    fn packet(&self) -> Vec<u8> {
        let message = NdiscMessage::RouterAdvertisement {
            router: self.router,
            options: NdiscOptions::parse(&self.options).expect("options"),
        };
        nd(self.from, ALL_NODES, &message)
    }
}

impl Host {
    /// One that listens to routers, with a link-local address that is in use.
    fn listening() -> Self {
        let mut config = Config::slaac(cygnet::SlaacConfig::new());
        config.interface_identifiers = cygnet::InterfaceIdentifiers::Eui64;
        let mut host = Self::new(config);
        host.let_pass(Duration::from_secs(3));
        host
    }

    fn advertise(&mut self, advertised: &Advertised) {
        self.send(&advertised.packet());
    }
}
