extern crate std;

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// A packet with those options and payload and a right checksum.
fn packet(options: &[u8], payload: &[u8]) -> Vec<u8> {
    assert_eq!(options.len() % 4, 0);
    let mut bytes = vec![
        0x45 + (options.len() / 4) as u8,
        0,
        0,
        0,
        0x12,
        0x34,
        0x40,
        0,
        64,
        17,
        0,
        0,
    ];
    bytes.extend([192, 0, 2, 1, 203, 0, 113, 9]);
    bytes.extend(options);
    bytes.extend(payload);
    let total_len = bytes.len() as u16;
    bytes[2..4].copy_from_slice(&total_len.to_be_bytes());
    seal(&mut bytes);
    bytes
}

/// Makes the checksum right again.
fn seal(bytes: &mut [u8]) {
    bytes[10..12].fill(0);
    let header_len = usize::from(bytes[0] & 0xf) * 4;
    let checksum = Sum::of(&bytes[..header_len.min(bytes.len())]).finish();
    bytes[10..12].copy_from_slice(&checksum.to_be_bytes());
}

fn error(bytes: &[u8]) -> Malformed {
    Ipv4Header::parse(bytes, true).unwrap_err()
}

/// A packet after a change, with its checksum made right.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = packet(&[], &[7; 16]);
    change(&mut bytes);
    seal(&mut bytes);
    bytes
}

#[test]
fn reads_every_field() {
    let bytes = changed(|bytes| {
        bytes[1] = 0xb9;
        bytes[6..8].copy_from_slice(&[0x20, 0x03]);
    });
    let (header, payload) = Ipv4Header::parse(&bytes, true).unwrap();
    assert_eq!(payload, [7; 16]);
    let expected = Ipv4Header {
        src: Ipv4Addr::new(192, 0, 2, 1),
        dst: Ipv4Addr::new(203, 0, 113, 9),
        protocol: IpProtocol::UDP,
        hop_limit: 64,
        dscp_ecn: 0xb9,
        ident: 0x1234,
        dont_fragment: false,
        more_fragments: true,
        fragment_offset: 24,
        header_len: 20,
        payload_len: 16,
    };
    assert_eq!(header, expected);
}

#[test]
fn link_padding_is_dropped() {
    let mut bytes = packet(&[], &[1, 2, 3]);
    bytes.extend([0xee; 23]);
    let (header, payload) = Ipv4Header::parse(&bytes, true).unwrap();
    assert_eq!(payload, [1, 2, 3]);
    assert_eq!(header.payload_len, 3);
}

#[test]
fn options_are_skipped() {
    // No-operation, record route with one empty slot, end of list, and rubbish behind it.
    let bytes = packet(&[1, 7, 7, 4, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff], &[9]);
    let (header, payload) = Ipv4Header::parse(&bytes, true).unwrap();
    assert_eq!(header.header_len, 32);
    assert_eq!(payload, [9]);
}

#[test]
fn lying_option_lengths_are_refused() {
    for options in [
        [7, 0, 1, 1],
        [7, 1, 1, 1],
        [7, 5, 0, 0],
        [1, 1, 1, 7],
        [1, 1, 7, 255],
    ] {
        assert_eq!(
            error(&packet(&options, &[0; 64])),
            Malformed::BadOption,
            "{options:?}"
        );
    }
}

#[test]
fn each_fault_has_its_name() {
    assert_eq!(error(&[]), Malformed::Truncated);
    let good = packet(&[1, 1, 1, 1], &[7; 16]);
    for len in 0..good.len() {
        assert_eq!(error(&good[..len]), Malformed::Truncated);
    }
    assert_eq!(
        error(&changed(|bytes| bytes[0] = 0x65)),
        Malformed::BadVersion
    );
    assert_eq!(
        error(&changed(|bytes| bytes[0] = 0x44)),
        Malformed::BadLength
    );
    assert_eq!(error(&changed(|bytes| bytes[3] = 19)), Malformed::BadLength);
    assert_eq!(error(&changed(|bytes| bytes[3] = 37)), Malformed::Truncated);
    let mut broken = good;
    broken[8] ^= 1;
    assert_eq!(error(&broken), Malformed::BadChecksum);
    assert!(Ipv4Header::parse(&broken, false).is_ok());
}

#[test]
fn fragments_that_fit_no_datagram_are_refused() {
    // More to come, yet 15 bytes long.
    let odd = changed(|bytes| {
        bytes[3] = 35;
        bytes[6] = 0x20;
    });
    assert_eq!(error(&odd), Malformed::BadFragment);
    // The "ping of death": the last fragment ends beyond 65,535 bytes with the header.
    let at =
        |offset: u16| changed(|bytes| bytes[6..8].copy_from_slice(&(offset / 8).to_be_bytes()));
    assert_eq!(error(&at(65_528)), Malformed::BadFragment);
    assert_eq!(error(&at(65_504)), Malformed::BadFragment);
    assert!(Ipv4Header::parse(&at(65_496), true).is_ok());
}

prop_compose! {
    fn any_header()(
        addresses: (u32, u32),
        protocol: u8,
        hop_limit: u8,
        dscp_ecn: u8,
        ident: u16,
        flags: (bool, bool),
        offset in 0..8000u16,
        payload_len in 0..100usize,
    ) -> Ipv4Header {
        Ipv4Header {
            src: addresses.0.into(),
            dst: addresses.1.into(),
            protocol: IpProtocol(protocol),
            hop_limit,
            dscp_ecn,
            ident,
            dont_fragment: flags.0,
            more_fragments: flags.1,
            fragment_offset: offset * 8,
            header_len: 20,
            payload_len: if flags.1 { payload_len / 8 * 8 } else { payload_len },
        }
    }
}

proptest! {
    #[test]
    fn header_round_trips(header in any_header(), padding in 0..9usize) {
        let mut bytes = vec![0xaa; 20 + header.payload_len + padding];
        header.emit(&mut bytes);
        let (parsed, payload) = Ipv4Header::parse(&bytes, true).unwrap();
        prop_assert_eq!(parsed, header);
        prop_assert_eq!(payload, vec![0xaa; header.payload_len]);
    }

    #[test]
    fn no_bytes_make_parse_panic(mut bytes: Vec<u8>, ihl in 0x40..0x50u8, total_len in 0..120u16) {
        let _ = Ipv4Header::parse(&bytes, true);
        if bytes.len() >= 20 {
            bytes[0] = ihl;
            bytes[2..4].copy_from_slice(&total_len.to_be_bytes());
            let _ = Ipv4Header::parse(&bytes, false);
        }
    }
}
