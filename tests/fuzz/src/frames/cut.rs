//! Packets cut into fragments as a router or a sender would (RFC 791 section 3.2, RFC 8200 section 4.5).

use cygnet::wire::ipv6::{FRAGMENT_HEADER_LEN, FragmentHeader, HEADER_LEN};
use cygnet::wire::{EthernetHeader, IpProtocol, Ipv4Header, Ipv6Header};

use super::Cut;

/// The frames that carry the pieces of a frame's packet; the frame itself if it cannot be cut.
pub(super) fn cut(how: Cut, frame: &[u8]) -> Vec<Vec<u8>> {
    let size = (usize::from(how.units & 15) + 1) * 64;
    let pieces = EthernetHeader::parse(frame).ok().and_then(|(_, packet)| {
        let link = &frame[..frame.len() - packet.len()];
        match packet.first()? >> 4 {
            4 => cut_v4(size, link, packet),
            6 => cut_v6(size, link, packet),
            _ => None,
        }
    });
    let mut pieces = pieces.unwrap_or_else(|| vec![frame.to_vec()]);
    if how.backwards {
        pieces.reverse();
    }
    pieces
}

fn cut_v4(size: usize, link: &[u8], packet: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (header, payload) = Ipv4Header::parse(packet, false).ok()?;
    // Options would have to be sorted out; the whole is no fragment yet.
    if header.header_len != 20 || header.fragment_offset != 0 {
        return None;
    }
    let piece = |(nth, part): (usize, &[u8])| {
        let offset = nth * size;
        let mut frame = [link, &[0; 20]].concat();
        Ipv4Header {
            dont_fragment: false,
            more_fragments: offset + part.len() < payload.len(),
            fragment_offset: offset as u16,
            payload_len: part.len(),
            ..header
        }
        .emit(&mut frame[link.len()..]);
        frame.extend(part);
        frame
    };
    Some(payload.chunks(size).enumerate().map(piece).collect())
}

fn cut_v6(size: usize, link: &[u8], packet: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (header, payload) = Ipv6Header::parse(packet).ok()?;
    let piece = |(nth, part): (usize, &[u8])| {
        let offset = nth * size;
        let mut frame = [link, &[0; HEADER_LEN + FRAGMENT_HEADER_LEN]].concat();
        let (front, back) = frame[link.len()..].split_at_mut(HEADER_LEN);
        Ipv6Header {
            next_header: IpProtocol::FRAGMENT,
            payload_len: FRAGMENT_HEADER_LEN + part.len(),
            ..header
        }
        .emit(front);
        FragmentHeader {
            ident: header.flow_label,
            offset: offset as u16,
            more: offset + part.len() < payload.len(),
            next_header: header.next_header,
            data_offset: 0,
        }
        .emit(back);
        frame.extend(part);
        frame
    };
    Some(payload.chunks(size).enumerate().map(piece).collect())
}
