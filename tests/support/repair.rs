//! Checksums made right again, for frames that were changed on purpose.

use std::ops::Range;

use cygnet::wire::{IpProtocol, Ipv4Header, Sum, pseudo_header};
use cygnet_driver::Medium;

/// Where in a frame a TCP segment lies, if the frame is an IPv4 packet with a whole one.
pub fn tcp_segment(medium: Medium, frame: &[u8]) -> Option<(Ipv4Header, Range<usize>)> {
    let (header, range) = ipv4_payload(medium, frame)?;
    let is_tcp = header.protocol == IpProtocol::TCP && range.len() >= 20;
    (is_tcp && !header.more_fragments && header.fragment_offset == 0).then_some((header, range))
}

/// Makes the checksums of an IPv4 header, and of what it carries, right. Leaves alone what is no IPv4
/// packet, and what is too broken to have checksums.
pub fn repair_checksums(medium: Medium, frame: &mut [u8]) {
    let start = medium.header_len();
    let Some(packet) = frame.get_mut(start..) else {
        return;
    };
    let header_len = packet.first().map_or(0, |b| usize::from(b & 15) * 4);
    if header_len < 20 || packet.len() < header_len {
        return;
    }
    packet[10..12].fill(0);
    let sum = Sum::of(&packet[..header_len]).finish();
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
    let Some((header, range)) = ipv4_payload(medium, frame) else {
        return;
    };
    let payload = &mut frame[range];
    let at = match header.protocol {
        IpProtocol::TCP => 16,
        IpProtocol::UDP => 6,
        IpProtocol::ICMP => 2,
        _ => return,
    };
    let Some(field) = payload.get_mut(at..at + 2) else {
        return;
    };
    field.fill(0);
    let mut sum = Sum::of(payload);
    if header.protocol != IpProtocol::ICMP {
        let (src, dst) = (header.src.into(), header.dst.into());
        sum = sum.add(pseudo_header(src, dst, header.protocol, payload.len()));
    }
    payload[at..at + 2].copy_from_slice(&sum.finish().to_be_bytes());
}

/// The header of an IPv4 packet, and where its payload lies in the frame.
fn ipv4_payload(medium: Medium, frame: &[u8]) -> Option<(Ipv4Header, Range<usize>)> {
    let start = medium.header_len();
    if medium == Medium::Ethernet && frame.get(12..14)? != [8, 0] {
        return None;
    }
    let (header, payload) = Ipv4Header::parse(frame.get(start..)?, false).ok()?;
    let start = start + header.header_len;
    Some((header, start..start + payload.len()))
}

#[cfg(test)]
mod tests {
    use cygnet::wire::TcpSegment;

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
        assert_eq!(tcp_segment(Medium::Ip, &frame), Some((header, 20..40)));
        frame[25] ^= 1;
        let (_, payload) = Ipv4Header::parse(&frame, true).expect("a right header");
        assert!(!TcpSegment::verify_checksum(payload, src, dst));
    }
}
