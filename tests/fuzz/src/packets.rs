//! Packets as a peer makes them, with the stack's own emitters.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cygnet::IpAddress;
use cygnet::wire::{
    ChecksumMode, EtherType, EthernetAddress, EthernetHeader, IpProtocol, Ipv4Header, Ipv6Header,
    UdpHeader,
};

use crate::stand::{OURS, PEERS};

/// An IPv4 packet.
pub(crate) fn ipv4(
    (src, dst): (Ipv4Addr, Ipv4Addr),
    protocol: IpProtocol,
    hop_limit: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut packet = vec![0; 20];
    Ipv4Header {
        src,
        dst,
        protocol,
        hop_limit,
        dscp_ecn: 0,
        ident: 7,
        dont_fragment: false,
        more_fragments: false,
        fragment_offset: 0,
        header_len: 20,
        payload_len: payload.len(),
    }
    .emit(&mut packet);
    packet.extend(payload);
    packet
}

/// An IPv6 packet.
pub(crate) fn ipv6(
    (src, dst): (Ipv6Addr, Ipv6Addr),
    next_header: IpProtocol,
    hop_limit: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut packet = vec![0; 40];
    Ipv6Header {
        src,
        dst,
        next_header,
        hop_limit,
        dscp_ecn: 0,
        flow_label: 7,
        payload_len: payload.len(),
    }
    .emit(&mut packet);
    packet.extend(payload);
    packet
}

/// A UDP datagram with a checksum, without its packet.
pub(crate) fn udp(
    (src, dst): (IpAddress, IpAddress),
    (src_port, dst_port): (u16, u16),
    data: &[u8],
) -> Vec<u8> {
    let mut datagram = vec![0; 8 + data.len()];
    let (text, mode) = ((data, [].as_slice()), ChecksumMode::Full);
    UdpHeader::emit(&mut datagram, src_port, dst_port, src, dst, text, mode);
    datagram
}

/// A packet with a UDP datagram, of the version that the addresses are of; the hop limit is 255.
pub(crate) fn udp_packet(
    (src, dst): (impl Into<IpAddr>, impl Into<IpAddr>),
    ports: (u16, u16),
    data: &[u8],
) -> Vec<u8> {
    match (src.into(), dst.into()) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let datagram = udp((src.into(), dst.into()), ports, data);
            ipv4((src, dst), IpProtocol::UDP, 255, &datagram)
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let datagram = udp((src.into(), dst.into()), ports, data);
            ipv6((src, dst), IpProtocol::UDP, 255, &datagram)
        }
        _ => unreachable!("both are of one version"),
    }
}

/// The frame from the peer that carries an IP packet to the stack or to the packet's group.
pub(crate) fn framed(packet: &[u8]) -> Vec<u8> {
    let (ethertype, dst) = if packet[0] >> 4 == 4 {
        let dst = Ipv4Addr::new(packet[16], packet[17], packet[18], packet[19]);
        let mac = match dst {
            Ipv4Addr::BROADCAST => EthernetAddress::BROADCAST,
            group if group.is_multicast() => EthernetAddress::for_ipv4_multicast(group),
            _ => OURS,
        };
        (EtherType::IPV4, mac)
    } else {
        let dst: [u8; 16] = packet[24..40].try_into().expect("sixteen bytes");
        let mac = match Ipv6Addr::from(dst) {
            group if group.is_multicast() => EthernetAddress::for_ipv6_multicast(group),
            _ => OURS,
        };
        (EtherType::IPV6, mac)
    };
    let mut frame = vec![0; 14];
    EthernetHeader {
        dst,
        src: PEERS,
        ethertype,
    }
    .emit(&mut frame);
    frame.extend(packet);
    frame
}
