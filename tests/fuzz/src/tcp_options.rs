//! TCP headers and their options: what is parsed is emitted, and parsed again the same.

use std::net::Ipv4Addr;

use cygnet::wire::{ChecksumMode, SackBlocks, TcpHeader, TcpOptions, TcpSegment};

/// An input is a segment.
pub fn run(input: &[u8]) {
    let Ok(segment) = TcpSegment::parse(input) else {
        return;
    };
    let (src, dst) = (Ipv4Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.into());
    let header = segment.header;
    let len = header.len();
    assert!((20..=60).contains(&len) && len.is_multiple_of(4));
    let mut emitted = vec![0xaa; len + segment.payload.len()];
    let (front, back) = segment.payload.split_at(segment.payload.len() / 2);
    let mode = ChecksumMode::Full;
    header.emit(&mut emitted, src, dst, (front, back), mode);
    assert!(TcpSegment::verify_checksum(&emitted, src, dst));
    let again = TcpSegment::parse(&emitted).expect("what is emitted can be parsed");
    assert_eq!(again.payload, segment.payload);
    assert_eq!(again.header, that_fits(header, &again.header));
}

/// The header without the blocks for which the others leave no room.
fn that_fits(header: TcpHeader, emitted: &TcpHeader) -> TcpHeader {
    let mut sack = SackBlocks::default();
    for (left, right) in header.options.sack.iter().take(emitted.options.sack.len()) {
        sack.push(left, right);
    }
    let without = TcpOptions {
        sack: SackBlocks::default(),
        ..header.options
    };
    let all = header.options.sack.len() == emitted.options.sack.len();
    assert!(all || without.len() + 4 + 8 * (emitted.options.sack.len() + 1) > 40);
    let options = TcpOptions { sack, ..without };
    TcpHeader { options, ..header }
}
