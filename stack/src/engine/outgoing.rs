//! A frame to send, from its link header to the last byte of its payload, before it is written down.

use core::net::Ipv4Addr;
#[cfg(feature = "proto-ipv6")]
use core::net::Ipv6Addr;

use cygnet_config::TRANSMIT_TURN;
use cygnet_driver::{TxMeta, TxToken};

use super::flow_label::FlowLabel;
#[cfg(feature = "socket-tcp")]
use crate::tcp::{Connection, SegmentPlan};
#[cfg(feature = "socket-tcp")]
use crate::time::Instant;
use crate::wire::{
    ArpPacket, ChecksumMode, EthernetHeader, IcmpMessage, IpAddress, IpProtocol, Ipv4Header, Sum,
    TcpHeader, UdpHeader, arp, ethernet, ipv4, udp,
};
#[cfg(feature = "proto-ipv6")]
use crate::wire::{
    Icmpv6Message, Ipv6Header, NdiscMessage, ipv6, ipv6::FragmentHeader, pseudo_header,
};

/// The frame. Its payload lies where it was queued, and is copied once, into the driver's buffer, while
/// its checksum is computed.
pub(crate) struct Outgoing<'a> {
    /// Of all frames of a turn the same, and not moved: it would have to be read in other pieces than it was written in.
    pub(super) link: &'a LinkHeader,
    pub(super) content: Content<'a>,
}

/// Room for frames with the driver, whichever that is: the engine is compiled once for all of them.
pub(crate) trait Room {
    /// Sends `frame`. There is room for one frame when a turn begins. True if it is known that there is for another;
    /// otherwise its owner asks.
    fn send(&mut self, frame: &Outgoing<'_>) -> bool;

    /// Whether there is room for another frame in this turn.
    fn has_more(&mut self) -> bool;
}

impl dyn Room + '_ {
    /// The same, where it may be known. Where a turn is one frame, nothing is left of what asks.
    #[inline]
    pub(super) fn goes_on(&mut self, is_known: bool) -> bool {
        TRANSMIT_TURN > 1 && (is_known || self.has_more())
    }
}

impl<T: TxToken> Room for Option<T> {
    fn send(&mut self, frame: &Outgoing<'_>) -> bool {
        if let Some(tx) = self.take() {
            frame.send(tx);
        }
        false
    }

    fn has_more(&mut self) -> bool {
        self.is_some()
    }
}

/// What goes before the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkHeader {
    /// Nothing: the link carries bare packets.
    None,
    Ethernet(EthernetHeader),
}

#[derive(Debug)]
pub(super) enum Content<'a> {
    Arp(&'a ArpPacket),
    Ip(&'a IpPacket<'a>),
    /// One of the fragments of a packet.
    #[cfg(feature = "ip-fragments")]
    Fragment(&'a IpPacket<'a>, Part),
    #[cfg(feature = "multicast")]
    GroupReport(GroupReport<'a>),
}

/// A group management message, to routers.
#[cfg(feature = "multicast")]
#[derive(Debug)]
pub(super) struct GroupReport<'a> {
    pub(super) src: IpAddress,
    pub(super) dst: IpAddress,
    /// Of MLD, without its checksum.
    pub(super) message: &'a [u8],
}

#[derive(Debug)]
pub(super) struct IpPacket<'a> {
    pub(super) src: IpAddress,
    pub(super) dst: IpAddress,
    pub(super) hop_limit: u8,
    /// Differentiated services (RFC 2474) in the upper six bits, congestion notification (RFC 3168) in the lower
    /// two.
    pub(super) dscp_ecn: u8,
    /// Of no meaning in a packet that must not be fragmented (RFC 6864).
    pub(super) ident: u16,
    pub(super) dont_fragment: bool,
    #[cfg_attr(
        not(feature = "proto-ipv6"),
        expect(dead_code, reason = "it takes no room")
    )]
    pub(super) flow_label: FlowLabel,
    pub(super) payload: Payload<'a>,
}

/// A packet of a socket at its turn.
pub(super) struct Sending<'a> {
    pub(super) link: &'a LinkHeader,
    pub(super) packet: &'a IpPacket<'a>,
    /// Its number in the socket's queue.
    pub(super) nth: usize,
    /// The longest packet in bytes that its path takes.
    pub(super) mtu: usize,
    pub(super) ident: u32,
}

/// One of the fragments of a packet: which part of its payload.
#[cfg(feature = "ip-fragments")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) offset: usize,
    pub(super) len: usize,
    /// It is not the last one.
    pub(super) more: bool,
    /// What all have in common. IPv4 takes the lower half.
    pub(super) ident: u32,
}

/// What the engine adds to a packet of a socket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    /// See [`IpPacket::ident`].
    pub(super) ident: u16,
    pub(super) flow_label: FlowLabel,
    /// The hop limit of packets for which nobody has chosen one.
    pub(super) hop_limit: u8,
}

#[derive(Debug)]
pub(super) enum Payload<'a> {
    /// A TCP header by itself.
    Tcp(&'a TcpHeader),
    /// A segment of a connection, as it is at that time.
    #[cfg(feature = "socket-tcp")]
    Segment(Instant, &'a Connection<'a>, &'a SegmentPlan),
    /// The same, with a header that the engine has added to.
    #[cfg(feature = "tcp-fast-open")]
    Marked(&'a TcpHeader, &'a Connection<'a>, &'a SegmentPlan),
    Udp {
        src_port: u16,
        dst_port: u16,
        data: &'a [u8],
    },
    Icmpv4(IcmpMessage<'a>),
    #[cfg(feature = "proto-ipv6")]
    Icmpv6(Icmpv6Message<'a>),
    #[cfg(feature = "proto-ipv6")]
    Ndisc(NdiscMessage<'a>),
    /// An ICMP message as a user wrote it, of the version of its packet; its checksum is filled in.
    #[cfg(feature = "socket-icmp")]
    IcmpRaw(&'a [u8]),
    /// What was written before, as it is.
    #[cfg(any(feature = "ip-fragments", feature = "socket-raw"))]
    Written(IpProtocol, &'a [u8]),
}

impl Outgoing<'_> {
    /// Writes it into the driver's buffer, and sends it.
    #[inline(always)]
    pub(crate) fn send(&self, mut tx: impl TxToken) {
        let len = self.len();
        tx.set_meta(TxMeta::new());
        tx.consume(len, |buffer| match buffer.get_mut(..len) {
            Some(buffer) => self.emit(buffer),
            None => debug_assert!(false, "the driver's buffer is shorter than it said"),
        });
    }

    /// Its length in bytes, link header included.
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn len(&self) -> usize {
        self.link.len() + self.content.len()
    }

    /// Writes it into `frame`, which is [`Self::len`] bytes long.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn emit(&self, frame: &mut [u8]) {
        let Some((header, rest)) = frame.split_at_mut_checked(self.link.len()) else {
            return;
        };
        if let LinkHeader::Ethernet(ethernet) = self.link {
            ethernet.emit(header);
        }
        match &self.content {
            Content::Arp(packet) => packet.emit(rest),
            Content::Ip(packet) => packet.emit(rest),
            #[cfg(feature = "ip-fragments")]
            Content::Fragment(packet, part) => packet.emit_part(rest, part),
            #[cfg(feature = "multicast")]
            Content::GroupReport(report) => report.emit(rest),
        }
    }
}

impl LinkHeader {
    fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Ethernet(_) => ethernet::HEADER_LEN,
        }
    }
}

impl Content<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Arp(_) => arp::LEN,
            Self::Ip(packet) => packet.len(),
            #[cfg(feature = "ip-fragments")]
            Self::Fragment(packet, part) => packet.fragment_header_len() + part.len,
            #[cfg(feature = "multicast")]
            Self::GroupReport(report) => report.header_len() + report.message.len(),
        }
    }
}

#[cfg(feature = "multicast")]
impl GroupReport<'_> {
    fn header_len(&self) -> usize {
        match self.dst {
            IpAddress::Ipv4(_) => ipv4::ROUTER_ALERT_HEADER_LEN,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => ipv6::ROUTER_ALERT_HEADER_LEN,
        }
    }

    fn emit(&self, buffer: &mut [u8]) {
        let (header, payload) = buffer.split_at_mut(self.header_len());
        match (self.src, self.dst) {
            (IpAddress::Ipv4(src), IpAddress::Ipv4(dst)) => {
                self.header(src, dst).emit_with_router_alert(header);
                payload.copy_from_slice(self.message);
            }
            #[cfg(feature = "proto-ipv6")]
            (IpAddress::Ipv6(src), IpAddress::Ipv6(dst)) => {
                self.header_v6(src, dst).emit_with_router_alert(header);
                let pseudo = icmp_pseudo_header(self.src, self.dst, self.message.len());
                emit_icmp(payload, self.message, pseudo);
            }
            #[cfg(feature = "proto-ipv6")]
            _ => debug_assert!(false, "both ends are of one version"),
        }
    }

    /// RFC 3376, section 4: "with an IP Time-to-Live of 1, IP Precedence of Internetwork Control (e.g., Type
    /// of Service 0xc0), and carries an IP Router Alert option".
    fn header(&self, src: Ipv4Addr, dst: Ipv4Addr) -> Ipv4Header {
        Ipv4Header {
            src,
            dst,
            protocol: IpProtocol::IGMP,
            hop_limit: 1,
            dscp_ecn: 0xc0,
            ident: 0,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            header_len: ipv4::ROUTER_ALERT_HEADER_LEN,
            payload_len: self.message.len(),
        }
    }

    /// RFC 3810, section 5: "with a link-local IPv6 Source Address, an IPv6 Hop Limit of 1, and an IPv6 Router
    /// Alert option".
    #[cfg(feature = "proto-ipv6")]
    fn header_v6(&self, src: Ipv6Addr, dst: Ipv6Addr) -> Ipv6Header {
        Ipv6Header {
            src,
            dst,
            next_header: IpProtocol::ICMPV6,
            hop_limit: 1,
            dscp_ecn: 0,
            flow_label: 0,
            payload_len: self.message.len(),
        }
    }
}

impl IpPacket<'_> {
    /// Its length in bytes, in one piece.
    pub(super) fn len(&self) -> usize {
        self.dst.version().header_len() + self.payload.len()
    }

    /// Whether it may be cut where it is longer than a link takes: one of IPv6 is cut by its sender alone, who
    /// knows.
    #[cfg(feature = "ip-fragments")]
    pub(super) fn may_be_cut(&self) -> bool {
        match self.dst {
            IpAddress::Ipv4(_) => !self.dont_fragment,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => true,
        }
    }

    /// The length of what goes before each part of the payload.
    #[cfg(feature = "ip-fragments")]
    pub(super) fn fragment_header_len(&self) -> usize {
        match self.dst {
            IpAddress::Ipv4(_) => ipv4::MIN_HEADER_LEN,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => ipv6::HEADER_LEN + ipv6::FRAGMENT_HEADER_LEN,
        }
    }

    #[cfg(feature = "ip-fragments")]
    fn emit_part(&self, buffer: &mut [u8], part: &Part) {
        let (header, payload) = buffer.split_at_mut(self.fragment_header_len());
        match (self.src, self.dst) {
            (IpAddress::Ipv4(src), IpAddress::Ipv4(dst)) => Ipv4Header {
                more_fragments: part.more,
                fragment_offset: part.offset as u16,
                ..self.header(src, dst, part.len)
            }
            .emit(header),
            #[cfg(feature = "proto-ipv6")]
            (IpAddress::Ipv6(src), IpAddress::Ipv6(dst)) => {
                let (header, fragment) = header.split_at_mut(ipv6::HEADER_LEN);
                Ipv6Header {
                    next_header: IpProtocol::FRAGMENT,
                    ..self.header_v6(src, dst, ipv6::FRAGMENT_HEADER_LEN + part.len)
                }
                .emit(header);
                FragmentHeader {
                    ident: part.ident,
                    offset: part.offset as u16,
                    more: part.more,
                    next_header: self.payload.protocol(self.dst),
                    data_offset: self.fragment_header_len(),
                }
                .emit(fragment);
            }
            #[cfg(feature = "proto-ipv6")]
            _ => debug_assert!(false, "both ends are of one version"),
        }
        self.payload.emit_part(payload, part, self.src, self.dst);
    }

    #[inline]
    fn emit(&self, buffer: &mut [u8]) {
        let header_len = self.dst.version().header_len();
        let Some((header, payload)) = buffer.split_at_mut_checked(header_len) else {
            return;
        };
        match (self.src, self.dst) {
            (IpAddress::Ipv4(src), IpAddress::Ipv4(dst)) => {
                self.header(src, dst, payload.len()).emit(header);
            }
            #[cfg(feature = "proto-ipv6")]
            (IpAddress::Ipv6(src), IpAddress::Ipv6(dst)) => {
                self.header_v6(src, dst, payload.len()).emit(header);
            }
            #[cfg(feature = "proto-ipv6")]
            _ => debug_assert!(false, "both ends are of one version"),
        }
        self.payload.emit(payload, self.src, self.dst);
    }

    #[cfg(feature = "proto-ipv6")]
    fn header_v6(&self, src: Ipv6Addr, dst: Ipv6Addr, payload_len: usize) -> Ipv6Header {
        Ipv6Header {
            src,
            dst,
            next_header: self.payload.protocol(self.dst),
            hop_limit: self.hop_limit,
            dscp_ecn: self.dscp_ecn,
            flow_label: self.flow_label.bits(),
            payload_len,
        }
    }

    fn header(&self, src: Ipv4Addr, dst: Ipv4Addr, payload_len: usize) -> Ipv4Header {
        Ipv4Header {
            src,
            dst,
            protocol: self.payload.protocol(self.dst),
            hop_limit: self.hop_limit,
            dscp_ecn: self.dscp_ecn,
            ident: self.ident,
            dont_fragment: self.dont_fragment,
            more_fragments: false,
            fragment_offset: 0,
            header_len: ipv4::MIN_HEADER_LEN,
            payload_len,
        }
    }
}

#[cfg(feature = "ip-fragments")]
impl Part {
    /// The next part of a packet of which `offset` bytes have gone; `None` if it can go in one piece.
    pub(super) fn of(packet: &IpPacket<'_>, mtu: usize, offset: usize, ident: u32) -> Option<Self> {
        if offset == 0 && packet.len() <= mtu {
            return None;
        }
        let room = mtu.saturating_sub(packet.fragment_header_len());
        let rest = packet.payload.len().saturating_sub(offset);
        let more = rest > room;
        // All but the last are multiples of eight bytes (RFC 791, section 3.2).
        let len = if more { (room / 8 * 8).max(8) } else { rest };
        Some(Self {
            offset,
            len: len.min(rest),
            more,
            ident,
        })
    }
}

#[cfg(feature = "socket-tcp")]
impl<'a> Payload<'a> {
    /// A segment of a connection as it is at that time, or with the header that the engine has added to.
    #[inline]
    pub(super) fn segment(
        now: Instant,
        connection: &'a Connection<'a>,
        plan: &'a SegmentPlan,
        marked: Option<&'a TcpHeader>,
    ) -> Self {
        match marked {
            #[cfg(feature = "tcp-fast-open")]
            Some(header) => Self::Marked(header, connection, plan),
            _ => Self::Segment(now, connection, plan),
        }
    }
}

impl Payload<'_> {
    pub(super) fn protocol(&self, dst: IpAddress) -> IpProtocol {
        #[cfg(not(feature = "socket-icmp"))]
        let _ = dst;
        match self {
            Self::Tcp(_) => IpProtocol::TCP,
            #[cfg(feature = "socket-tcp")]
            Self::Segment(..) => IpProtocol::TCP,
            #[cfg(feature = "tcp-fast-open")]
            Self::Marked(..) => IpProtocol::TCP,
            Self::Udp { .. } => IpProtocol::UDP,
            Self::Icmpv4(_) => IpProtocol::ICMP,
            #[cfg(feature = "proto-ipv6")]
            Self::Icmpv6(_) | Self::Ndisc(_) => IpProtocol::ICMPV6,
            #[cfg(feature = "socket-icmp")]
            Self::IcmpRaw(_) => match dst {
                IpAddress::Ipv4(_) => IpProtocol::ICMP,
                #[cfg(feature = "proto-ipv6")]
                IpAddress::Ipv6(_) => IpProtocol::ICMPV6,
            },
            #[cfg(any(feature = "ip-fragments", feature = "socket-raw"))]
            Self::Written(protocol, _) => *protocol,
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Tcp(header) => header.len(),
            #[cfg(feature = "socket-tcp")]
            Self::Segment(_, _, plan) => plan.segment_len(),
            #[cfg(feature = "tcp-fast-open")]
            Self::Marked(header, connection, plan) => {
                let (a, b) = connection.payload(plan);
                header.len() + a.len() + b.len()
            }
            Self::Udp { data, .. } => udp::HEADER_LEN + data.len(),
            Self::Icmpv4(message) => message.len(),
            #[cfg(feature = "proto-ipv6")]
            Self::Icmpv6(message) => message.len(),
            #[cfg(feature = "proto-ipv6")]
            Self::Ndisc(message) => message.len(),
            #[cfg(feature = "socket-icmp")]
            Self::IcmpRaw(message) => message.len(),
            #[cfg(any(feature = "ip-fragments", feature = "socket-raw"))]
            Self::Written(_, bytes) => bytes.len(),
        }
    }

    pub(super) fn emit(&self, buffer: &mut [u8], src: IpAddress, dst: IpAddress) {
        match self {
            Self::Tcp(header) => header.emit(buffer, src, dst, (&[], &[]), ChecksumMode::Full),
            #[cfg(feature = "socket-tcp")]
            Self::Segment(now, connection, plan) => connection.emit(*now, plan, buffer),
            #[cfg(feature = "tcp-fast-open")]
            Self::Marked(header, connection, plan) => {
                let payload = connection.payload(plan);
                header.emit(buffer, src, dst, payload, ChecksumMode::Full);
            }
            Self::Udp {
                src_port,
                dst_port,
                data,
            } => UdpHeader::emit(
                buffer,
                *src_port,
                *dst_port,
                src,
                dst,
                (data, &[]),
                ChecksumMode::Full,
            ),
            Self::Icmpv4(message) => message.emit(Sum::ZERO, buffer),
            #[cfg(feature = "proto-ipv6")]
            Self::Icmpv6(message) => message.emit(buffer, src, dst),
            #[cfg(feature = "proto-ipv6")]
            Self::Ndisc(message) => message.emit(buffer, src, dst),
            #[cfg(feature = "socket-icmp")]
            Self::IcmpRaw(message) => {
                emit_icmp(buffer, message, icmp_pseudo_header(src, dst, message.len()));
            }
            #[cfg(any(feature = "ip-fragments", feature = "socket-raw"))]
            Self::Written(_, bytes) => buffer.copy_from_slice(bytes),
        }
    }

    /// Writes the part of it that goes into a fragment. The checksum, which is in the first one, is that of
    /// the whole.
    #[cfg(feature = "ip-fragments")]
    fn emit_part(&self, buffer: &mut [u8], part: &Part, src: IpAddress, dst: IpAddress) {
        match *self {
            Self::Udp {
                src_port,
                dst_port,
                data,
            } => match part.offset.checked_sub(udp::HEADER_LEN) {
                Some(from) => copy_part(buffer, data, from),
                None => UdpHeader::emit_first(buffer, src_port, dst_port, src, dst, data),
            },
            #[cfg(feature = "socket-icmp")]
            Self::IcmpRaw(message) => {
                copy_part(buffer, message, part.offset);
                if let (0, [a, b, _, _, rest @ ..], Some(field)) =
                    (part.offset, message, buffer.get_mut(2..4))
                {
                    let sum = icmp_pseudo_header(src, dst, message.len())
                        .add(Sum::of(&[*a, *b]))
                        .add(Sum::of(rest));
                    field.copy_from_slice(&sum.finish().to_be_bytes());
                }
            }
            Self::Written(_, bytes) => copy_part(buffer, bytes, part.offset),
            // No answer is cut before it was written, and TCP sends nothing that has to be.
            Self::Tcp(_) | Self::Icmpv4(_) => {}
            #[cfg(feature = "proto-ipv6")]
            Self::Icmpv6(_) | Self::Ndisc(_) => {}
            #[cfg(feature = "socket-tcp")]
            Self::Segment(..) => {}
            #[cfg(feature = "tcp-fast-open")]
            Self::Marked(..) => {}
        }
    }
}

#[cfg(feature = "ip-fragments")]
fn copy_part(buffer: &mut [u8], bytes: &[u8], from: usize) {
    if let Some(part) = bytes.get(from..from + buffer.len()) {
        buffer.copy_from_slice(part);
    }
}

/// What the checksum of an ICMP message covers beside it: in IPv6, a pseudo header.
#[cfg(any(
    feature = "socket-icmp",
    all(feature = "multicast", feature = "proto-ipv6")
))]
fn icmp_pseudo_header(src: IpAddress, dst: IpAddress, len: usize) -> Sum {
    #[cfg(not(feature = "proto-ipv6"))]
    let _ = len;
    match (src, dst) {
        (IpAddress::Ipv4(_), IpAddress::Ipv4(_)) => Sum::ZERO,
        #[cfg(feature = "proto-ipv6")]
        _ => pseudo_header(src, dst, IpProtocol::ICMPV6, len),
    }
}

/// Copies a message and fills in its checksum, which is at offset 2 in either version, and covers `pseudo` as
/// well.
#[cfg(any(
    feature = "socket-icmp",
    all(feature = "multicast", feature = "proto-ipv6")
))]
fn emit_icmp(buffer: &mut [u8], message: &[u8], pseudo: Sum) {
    let Some(buffer) = buffer.get_mut(..message.len()) else {
        return;
    };
    buffer.copy_from_slice(message);
    if let Some(field) = buffer.get_mut(2..4) {
        field.fill(0);
    }
    let checksum = pseudo.add(Sum::of(buffer)).finish();
    if let Some(field) = buffer.get_mut(2..4) {
        field.copy_from_slice(&checksum.to_be_bytes());
    }
}

/// What IANA recommends today (RFC 1700 had it first).
pub(super) const DEFAULT_HOP_LIMIT: u8 = 64;
