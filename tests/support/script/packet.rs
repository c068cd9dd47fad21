//! Frames on the wire between peer and target, made and read with the stack's own wire formats.

use core::fmt;
use std::net::Ipv4Addr;

use cygnet::wire::{
    ArpOperation, ArpPacket, ChecksumMode, Ecn, EtherType, EthernetAddress, EthernetHeader,
    Icmpv4Message, IpAddress, IpProtocol, Ipv4Header, SackBlocks, TcpHeader, TcpSegment, UdpHeader,
};
use cygnet_driver::Medium;
use cygnet_middleware::FrameSummary;

use super::segment::Segment;

/// The target's IPv4 address, in a /24.
pub const TARGET: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 1);
/// The peer's IPv4 address.
pub const PEER: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 2);
/// The target's Ethernet address.
pub const TARGET_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
/// The peer's Ethernet address.
pub const PEER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);

/// A frame that the target sent, taken apart as far as stories look at it.
#[derive(Clone, Debug)]
pub enum Packet {
    /// An ARP packet and the frame's destination.
    Arp(EthernetAddress, ArpPacket),
    /// An IPv4 packet: its header and its payload.
    Ipv4(Ipv4Header, Vec<u8>),
    /// Something else.
    Other(Vec<u8>),
}

impl Packet {
    /// Reads a frame. The target's checksums must be right.
    pub(super) fn parse(frame: &[u8]) -> Self {
        let (ethernet, payload) = EthernetHeader::parse(frame).expect("an Ethernet header");
        match ethernet.ethertype {
            EtherType::ARP => {
                let arp = ArpPacket::parse(payload).expect("an ARP packet");
                Self::Arp(ethernet.dst, arp)
            }
            EtherType::IPV4 => {
                let (header, payload) = Ipv4Header::parse(payload, true).expect("an IPv4 packet");
                let (src, dst) = (header.src.into(), header.dst.into());
                if header.dst.is_multicast() {
                    let group = EthernetAddress::for_ipv4_multicast(header.dst);
                    assert_eq!(ethernet.dst, group, "the frame's destination");
                }
                if header.protocol == IpProtocol::TCP {
                    assert!(
                        TcpSegment::verify_checksum(payload, src, dst),
                        "the target sends wrong TCP checksums"
                    );
                }
                Self::Ipv4(header, payload.to_vec())
            }
            _ => Self::Other(frame.to_vec()),
        }
    }

    /// Whether it is chatter that every host sends and no story is about: IPv6, and, unless the story is
    /// about groups, what goes to them.
    pub(super) fn is_noise(&self, about_groups: bool) -> bool {
        match self {
            Self::Arp(..) => false,
            Self::Ipv4(header, _) => header.dst.is_multicast() && !about_groups,
            Self::Other(_) => true,
        }
    }

    /// The TCP segment in it: header, text, and the header's bytes.
    pub(super) fn tcp(&self) -> Option<(TcpSegment<'_>, &[u8])> {
        match self {
            Self::Ipv4(header, payload) if header.protocol == IpProtocol::TCP => {
                let segment = TcpSegment::parse(payload).expect("a TCP segment");
                let header = &payload[..payload.len() - segment.payload.len()];
                Some((segment, header))
            }
            _ => None,
        }
    }

    /// What its IP header says about congestion.
    pub(super) fn ecn(&self) -> Ecn {
        match self {
            Self::Ipv4(header, _) => header.ecn(),
            _ => Ecn::NOT_ECT,
        }
    }

    /// The ARP packet in it.
    pub fn arp(&self) -> Option<ArpPacket> {
        match self {
            Self::Arp(_, arp) => Some(*arp),
            _ => None,
        }
    }

    /// The ICMP message in it, its checksum verified.
    pub fn icmp(&self) -> Option<Icmpv4Message<'_>> {
        match self {
            Self::Ipv4(header, payload) if header.protocol == IpProtocol::ICMP => {
                Some(Icmpv4Message::parse(payload, true).expect("an ICMP message"))
            }
            _ => None,
        }
    }

    /// The UDP datagram in it, its checksum verified: header and data.
    pub fn udp(&self) -> Option<(UdpHeader, &[u8])> {
        match self {
            Self::Ipv4(header, payload) if header.protocol == IpProtocol::UDP => {
                let (src, dst) = (header.src.into(), header.dst.into());
                Some(UdpHeader::parse(payload, src, dst, true).expect("a UDP datagram"))
            }
            _ => None,
        }
    }
}

/// A frame from the peer to the target with that payload.
pub fn to_target(ethertype: EtherType, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 14];
    EthernetHeader {
        dst: TARGET_MAC,
        src: PEER_MAC,
        ethertype,
    }
    .emit(&mut frame);
    frame.extend_from_slice(payload);
    frame
}

/// An IPv4 packet from the peer to the target.
pub fn ip_packet(protocol: IpProtocol, payload: &[u8]) -> Vec<u8> {
    raw_ipv4(&ip_header(protocol, payload.len()), payload)
}

fn ip_header(protocol: IpProtocol, payload_len: usize) -> Ipv4Header {
    Ipv4Header {
        src: PEER,
        dst: TARGET,
        protocol,
        hop_limit: 64,
        dscp_ecn: 0,
        ident: 0,
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
        header_len: 20,
        payload_len,
    }
}

/// An IPv4 packet with a header of one's own.
pub fn raw_ipv4(header: &Ipv4Header, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; 20];
    header.emit(&mut packet);
    packet.extend_from_slice(payload);
    packet
}

/// A frame with an ICMP message from the peer to the target.
pub fn icmp(message: &Icmpv4Message<'_>) -> Vec<u8> {
    let mut payload = vec![0; message.len()];
    message.emit(&mut payload);
    to_target(EtherType::IPV4, &ip_packet(IpProtocol::ICMP, &payload))
}

/// A frame with a UDP datagram from the peer to the target.
pub fn udp(ports: (u16, u16), data: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; 8 + data.len()];
    let (src, dst) = (PEER.into(), TARGET.into());
    let text = (data, [].as_slice());
    UdpHeader::emit(
        &mut payload,
        ports.0,
        ports.1,
        src,
        dst,
        text,
        ChecksumMode::Full,
    );
    to_target(EtherType::IPV4, &ip_packet(IpProtocol::UDP, &payload))
}

/// A frame with an ARP packet that the peer sends, to one station or to all.
pub fn arp(dst: EthernetAddress, packet: &ArpPacket) -> Vec<u8> {
    let mut frame = to_target(EtherType::ARP, &[0; 28]);
    frame[..6].copy_from_slice(&dst.0);
    packet.emit(&mut frame[14..]);
    frame
}

/// The peer's answer to an ARP request, if it is for the peer.
pub(super) fn arp_answer(request: &ArpPacket) -> Option<Vec<u8>> {
    let asked = request.operation == ArpOperation::Request && request.target_protocol == PEER;
    asked.then(|| {
        let reply = ArpPacket {
            operation: ArpOperation::Reply,
            sender_hardware: PEER_MAC,
            sender_protocol: PEER,
            target_hardware: request.sender_hardware,
            target_protocol: request.sender_protocol,
        };
        arp(request.sender_hardware, &reply)
    })
}

/// A frame with a TCP segment from the peer to the target.
pub(super) fn tcp(header: &TcpHeader, sack: &SackBlocks, segment: &Segment) -> Vec<u8> {
    let text = segment.text.as_slice();
    let mut payload = vec![0; header.len_with_sack(sack) + text.len()];
    let (src, dst): (IpAddress, IpAddress) = (PEER.into(), TARGET.into());
    let mode = ChecksumMode::Full;
    header.emit_with_sack(sack, &mut payload, src, dst, (text, &[]), mode);
    if segment.corrupted {
        payload[16] ^= 0x55;
    }
    let ip = Ipv4Header {
        dscp_ecn: segment.ecn.map_or(0, |ecn| ecn.0),
        ..ip_header(IpProtocol::TCP, payload.len())
    };
    to_target(EtherType::IPV4, &raw_ipv4(&ip, &payload))
}

/// A frame on one line, absolute numbers.
pub(super) fn summary(frame: &[u8]) -> impl fmt::Display + '_ {
    FrameSummary::new(Medium::Ethernet, frame)
}
