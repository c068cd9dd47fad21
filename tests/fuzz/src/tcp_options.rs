//! TCP headers and their options: what is parsed is emitted, and parsed again the same.

use std::net::Ipv4Addr;

use cygnet::wire::{ChecksumMode, TcpSegment};

/// An input is a segment.
pub fn run(input: &[u8]) {
    let Ok(segment) = TcpSegment::parse(input) else {
        return;
    };
    let (src, dst) = (Ipv4Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into());
    let TcpSegment { header, sack, .. } = segment;
    let len = header.len_with_sack(&sack);
    assert!((20..=60).contains(&len) && len.is_multiple_of(4));
    let mut emitted = vec![0xaa; len + segment.payload.len()];
    let (front, back) = segment.payload.split_at(segment.payload.len() / 2);
    let mode = ChecksumMode::Full;
    header.emit_with_sack(&sack, &mut emitted, src, dst, (front, back), mode);
    assert!(TcpSegment::verify_checksum(&emitted, src, dst));
    let again = TcpSegment::parse(&emitted).expect("what is emitted can be parsed");
    assert_eq!(again.payload, segment.payload);
    assert_eq!(again.header, header);
    // All blocks for which the others leave room.
    let fit = sack.iter().take(again.sack.len());
    assert!(again.sack.iter().eq(fit));
    let all = again.sack.len() == sack.len();
    assert!(all || header.len() + 4 + 8 * (again.sack.len() + 1) > 60);
}
