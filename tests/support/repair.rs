//! Checksums made right again, for frames that were changed on purpose.

use std::ops::Range;

use cygnet::IpAddress;
use cygnet::wire::{
    Extension, ExtensionHeaders, IpProtocol, Ipv4Header, Ipv6Header, Sum, pseudo_header,
};
use cygnet_driver::Medium;

/// What an IP packet carries behind all its headers, and where in the frame that lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transport {
    /// From whom.
    pub src: IpAddress,
    /// To whom.
    pub dst: IpAddress,
    /// What it is.
    pub protocol: IpProtocol,
    /// Where it lies in the frame.
    pub range: Range<usize>,
}

/// Where in a frame a TCP segment lies, if the frame is an IP packet with a whole one.
pub fn tcp_segment(medium: Medium, frame: &[u8]) -> Option<Transport> {
    let found = transport(medium, frame)?;
    (found.protocol == IpProtocol::TCP && found.range.len() >= 20).then_some(found)
}

/// Makes the checksums of an IPv4 header, and of what an IP packet carries, right. Leaves alone what is no IP
/// packet, what is too broken to have checksums, and the content of fragments, of which none has the whole.
pub fn repair_checksums(medium: Medium, frame: &mut [u8]) {
    repair_ipv4_header(medium, frame);
    let Some(found) = transport(medium, frame) else {
        return;
    };
    let payload = &mut frame[found.range];
    let (at, has_pseudo_header) = match found.protocol {
        IpProtocol::TCP => (16, true),
        IpProtocol::UDP => (6, true),
        IpProtocol::ICMPV6 => (2, true),
        IpProtocol::ICMP | IpProtocol::IGMP => (2, false),
        _ => return,
    };
    let Some(field) = payload.get_mut(at..at + 2) else {
        return;
    };
    field.fill(0);
    let mut sum = Sum::of(payload);
    if has_pseudo_header {
        let protocol = found.protocol;
        sum = sum.add(pseudo_header(found.src, found.dst, protocol, payload.len()));
    }
    let checksum = match (sum.finish(), found.protocol) {
        // RFC 768: zero says that there is none.
        (0, IpProtocol::UDP) => 0xffff,
        (checksum, _) => checksum,
    };
    payload[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
}

fn repair_ipv4_header(medium: Medium, frame: &mut [u8]) {
    let is_ipv4 = |packet: &[u8]| packet.first().is_some_and(|b| b >> 4 == 4);
    let Some(packet) = frame.get_mut(medium.header_len()..) else {
        return;
    };
    let header_len = packet.first().map_or(0, |b| usize::from(b & 15) * 4);
    if !is_ipv4(packet) || header_len < 20 || packet.len() < header_len {
        return;
    }
    packet[10..12].fill(0);
    let sum = Sum::of(&packet[..header_len]).finish();
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

/// What an IP packet in a frame carries, unless it is a fragment.
pub fn transport(medium: Medium, frame: &[u8]) -> Option<Transport> {
    let start = medium.header_len();
    let packet = frame.get(start..)?;
    let version = match medium {
        Medium::Ethernet => match frame.get(12..14)? {
            [0x08, 0x00] => 4,
            [0x86, 0xdd] => 6,
            _ => return None,
        },
        _ => packet.first()? >> 4,
    };
    let (src, dst, protocol, offset, len) = if version == 4 {
        let (header, payload) = Ipv4Header::parse(packet, false).ok()?;
        if header.more_fragments || header.fragment_offset != 0 {
            return None;
        }
        let (src, dst) = (header.src.into(), header.dst.into());
        (src, dst, header.protocol, header.header_len, payload.len())
    } else {
        let (header, payload) = Ipv6Header::parse(packet).ok()?;
        let mut headers = ExtensionHeaders::new(header.next_header, payload);
        for extension in headers.by_ref() {
            match extension.ok()? {
                Extension::Fragment(fragment) if !fragment.is_atomic() => return None,
                _ => {}
            }
        }
        let (src, dst) = (header.src.into(), header.dst.into());
        let (offset, len) = (headers.offset(), headers.rest().len());
        (src, dst, headers.next_header(), offset, len)
    };
    Some(Transport {
        src,
        dst,
        protocol,
        range: start + offset..start + offset + len,
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use cygnet::wire::{Icmpv6Message, TcpSegment};

    use super::*;

    #[test]
    fn a_changed_frame_is_right_again() {
        let mut frame = vec![0; 40];
        frame[0] = 0x45;
        frame[3] = 40;
        frame[9] = 6;
        frame[32] = 0x50;
        repair_checksums(Medium::Ip, &mut frame);
        let (header, payload) = Ipv4Header::parse(&frame, true).expect("a right header");
        let (src, dst) = (header.src.into(), header.dst.into());
        assert!(TcpSegment::verify_checksum(payload, src, dst));
        let found = tcp_segment(Medium::Ip, &frame).expect("a segment");
        assert_eq!(found.range, 20..40);
        frame[25] ^= 1;
        let (_, payload) = Ipv4Header::parse(&frame, true).expect("a right header");
        assert!(!TcpSegment::verify_checksum(payload, src, dst));
    }

    #[test]
    fn a_checksum_behind_extension_headers_is_right_again() {
        let mut packet = vec![0; 40];
        let (src, dst) = (Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST);
        Ipv6Header {
            src,
            dst,
            next_header: IpProtocol::DESTINATION_OPTIONS,
            hop_limit: 64,
            dscp_ecn: 0,
            flow_label: 0,
            payload_len: 16,
        }
        .emit(&mut packet);
        packet.extend([58, 0, 1, 4, 0, 0, 0, 0]);
        packet.extend([128, 0, 0, 0, 0, 7, 0, 1]);
        repair_checksums(Medium::Ip, &mut packet);
        let echo = Icmpv6Message::parse(&packet[48..], src.into(), dst.into(), true);
        assert!(matches!(echo, Ok(Icmpv6Message::EchoRequest { .. })));
    }

    #[test]
    fn the_content_of_a_fragment_is_left_alone() {
        let mut frame = vec![0xaa; 44];
        frame[..20].fill(0);
        (frame[0], frame[3], frame[6], frame[9]) = (0x45, 44, 0x20, 17);
        repair_checksums(Medium::Ip, &mut frame);
        assert!(Ipv4Header::parse(&frame, true).is_ok());
        assert_eq!(frame[20..], [0xaa; 24]);
    }
}
