extern crate std;

use core::net::Ipv4Addr;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const SRC: IpAddress = IpAddress::Ipv4(Ipv4Addr::new(192, 0, 2, 1));
const DST: IpAddress = IpAddress::Ipv4(Ipv4Addr::new(203, 0, 113, 9));

const STAMPS: Timestamps = Timestamps {
    value: 0x0102_0304,
    echo: 0x0506_0708,
};

fn emitted(header: &TcpHeader, payload: (&[u8], &[u8]), mode: ChecksumMode) -> Vec<u8> {
    let mut buf = vec![0xaa; header.len() + payload.0.len() + payload.1.len()];
    header.emit(&mut buf, SRC, DST, payload, mode);
    buf
}

fn with_options(options: TcpOptions) -> TcpHeader {
    TcpHeader {
        options,
        ..TcpHeader::default()
    }
}

fn emitted_with_sack(header: &TcpHeader, sack: &SackBlocks, payload: (&[u8], &[u8])) -> Vec<u8> {
    let mut buf = vec![0xaa; header.len_with_sack(sack) + payload.0.len() + payload.1.len()];
    header.emit_with_sack(sack, &mut buf, SRC, DST, payload, ChecksumMode::Full);
    buf
}

/// The options as they stand behind the header.
fn wire_options(options: TcpOptions) -> Vec<u8> {
    let header = with_options(options);
    assert_eq!(header.len(), MIN_HEADER_LEN + options.len());
    emitted(&header, (&[], &[]), ChecksumMode::Full)[MIN_HEADER_LEN..].to_vec()
}

/// The same with blocks.
fn wire_options_with_sack(options: TcpOptions, sack: &SackBlocks) -> Vec<u8> {
    emitted_with_sack(&with_options(options), sack, (&[], &[]))[MIN_HEADER_LEN..].to_vec()
}

fn blocks(count: u32) -> SackBlocks {
    let mut sack = SackBlocks::EMPTY;
    for i in 0..count {
        assert!(sack.push(SeqNum::new(i * 100 + 1), SeqNum::new(i * 100 + 51)));
    }
    sack
}

/// A segment with those raw options, padded with ends of list, and three bytes of payload.
fn segment(options: &[u8]) -> Vec<u8> {
    let padded = options.len().next_multiple_of(4);
    let mut bytes = vec![0; MIN_HEADER_LEN + padded];
    bytes[12] = (((MIN_HEADER_LEN + padded) / 4) << 4) as u8;
    bytes[MIN_HEADER_LEN..][..options.len()].copy_from_slice(options);
    bytes.extend(b"abc");
    bytes
}

fn options_of(options: &[u8]) -> Result<TcpOptions, Malformed> {
    options_and_sack_of(options).map(|(options, _)| options)
}

fn sack_of(options: &[u8]) -> SackBlocks {
    options_and_sack_of(options).unwrap().1
}

fn options_and_sack_of(options: &[u8]) -> Result<(TcpOptions, SackBlocks), Malformed> {
    let bytes = segment(options);
    let segment = TcpSegment::parse(&bytes)?;
    assert_eq!(segment.payload, b"abc");
    assert_eq!(TcpOptions::parse(options), Ok(segment.header.options));
    Ok((segment.header.options, segment.sack))
}

#[test]
fn writes_every_field_where_the_rfc_draws_it() {
    let header = TcpHeader {
        src_port: 0x1122,
        dst_port: 0x3344,
        seq: SeqNum::new(0x5566_7788),
        ack: SeqNum::new(0x99aa_bbcc),
        flags: TcpFlags::ACK | TcpFlags::PSH | TcpFlags::CWR,
        window: 0xddee,
        urgent: 0xff01,
        options: TcpOptions::default(),
    };
    let bytes = emitted(&header, (b"da", b"ta"), ChecksumMode::Full);
    let expected = [
        0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0x50, 0x98, 0xdd,
        0xee,
    ];
    assert_eq!(bytes[..16], expected);
    assert_eq!(bytes[18..], *b"\xff\x01data");
    assert!(TcpSegment::verify_checksum(&bytes, SRC, DST));
}

#[test]
fn options_of_a_syn_stand_in_the_usual_order() {
    let full = TcpOptions {
        mss: Some(1460),
        window_scale: Some(7),
        sack_permitted: true,
        timestamps: Some(STAMPS),
        ..TcpOptions::default()
    };
    let expected = [
        2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7,
    ];
    assert_eq!(wire_options(full), expected);

    let without_timestamps = TcpOptions {
        timestamps: None,
        ..full
    };
    let expected = [2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7];
    assert_eq!(wire_options(without_timestamps), expected);
}

// Requirement: RFC 9293 MUST-69
#[test]
fn options_of_data_are_padded_in_front() {
    let stamped = TcpOptions {
        timestamps: Some(STAMPS),
        ..TcpOptions::default()
    };
    assert_eq!(wire_options(stamped), [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]);

    let sack = wire_options_with_sack(TcpOptions::default(), &blocks(1));
    assert_eq!(sack, [1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 51]);
    assert_eq!(wire_options(TcpOptions::default()), []);
}

#[test]
fn only_as_many_sack_blocks_are_sent_as_fit() {
    let mut options = TcpOptions::default();
    let wire = wire_options_with_sack(options, &blocks(4));
    assert_eq!((wire.len(), sack_of(&wire)), (36, blocks(4)));

    options.timestamps = Some(STAMPS);
    let wire = wire_options_with_sack(options, &blocks(4));
    assert_eq!((wire.len(), sack_of(&wire)), (40, blocks(3)));

    options.mss = Some(536);
    options.window_scale = Some(0);
    let wire = wire_options_with_sack(options, &blocks(4));
    assert_eq!((wire.len(), sack_of(&wire)), (40, blocks(2)));
}

#[test]
fn a_fifth_sack_block_finds_no_room() {
    let mut sack = blocks(4);
    assert!(!sack.push(SeqNum::new(1), SeqNum::new(2)));
    assert_eq!(sack, blocks(4));
    assert_eq!(sack.iter().count(), 4);
}

// Requirement: RFC 9293 MUST-4
#[test]
fn must_4_end_no_operation_and_mss_are_understood() {
    let options = options_of(&[1, 2, 4, 5, 0xb4, 0, 3, 3, 7]).unwrap();
    assert_eq!(options.mss, Some(1460));
    assert_eq!(
        options.window_scale, None,
        "stands behind the end of the list"
    );
}

// Requirement: RFC 9293 MUST-6, MUST-68
#[test]
fn must_6_unknown_options_are_skipped() {
    let options = options_of(&[254, 6, 1, 2, 3, 4, 30, 2, 3, 3, 14]).unwrap();
    assert_eq!(options.window_scale, Some(14));
}

// Requirement: RFC 9293 MUST-7
#[test]
fn must_7_illegal_option_lengths_are_refused() {
    let illegal: [&[u8]; 13] = [
        &[254, 0, 0, 0],
        &[254, 1, 0, 0],
        &[254, 5, 0, 0],
        &[1, 1, 1, 254],
        &[8, 255, 0, 0],
        &[2, 3, 5, 0],
        &[2, 5, 5, 0xb4, 0, 0, 0, 0],
        &[3, 2, 0, 0],
        &[3, 4, 0, 0],
        &[4, 3, 0, 0],
        &[5, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[1, 1, 8, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ];
    for options in illegal {
        assert_eq!(
            options_of(options),
            Err(Malformed::BadOption),
            "{options:?}"
        );
    }
}

// Requirement: RFC 9293 MUST-64
#[test]
fn must_64_options_at_any_alignment_are_read() {
    for padding in 0..8 {
        let mut bytes = vec![1; padding];
        bytes.extend([8, 10, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(
            options_of(&bytes).unwrap().timestamps,
            Some(STAMPS),
            "after {padding}"
        );
    }
}

#[test]
fn the_last_of_repeated_options_counts() {
    let options = options_of(&[2, 4, 1, 1, 2, 4, 2, 2, 3, 3, 1, 3, 3, 200]).unwrap();
    assert_eq!(options.mss, Some(0x202));
    assert_eq!(
        options.window_scale,
        Some(200),
        "clamping is the connection's business"
    );
    let twice = [
        wire_options_with_sack(TcpOptions::default(), &blocks(2)),
        wire_options_with_sack(TcpOptions::default(), &blocks(1)),
    ];
    assert_eq!(sack_of(&twice.concat()), blocks(1));
}

#[test]
fn faults_of_the_header_have_names() {
    let good = segment(&[1, 1, 1, 1]);
    for len in 0..24 {
        assert_eq!(TcpSegment::parse(&good[..len]), Err(Malformed::Truncated));
    }
    let mut bytes = good;
    bytes[12] = 0x4f;
    assert_eq!(TcpSegment::parse(&bytes), Err(Malformed::BadLength));
}

#[test]
fn syn_and_fin_occupy_a_sequence_number_each() {
    let len = |flags| {
        let header = TcpHeader {
            flags,
            ..TcpHeader::default()
        };
        TcpSegment {
            header,
            payload: b"abc",
            ..TcpSegment::default()
        }
        .segment_len()
    };
    assert_eq!(len(TcpFlags::ACK | TcpFlags::PSH), 3);
    assert_eq!(len(TcpFlags::SYN), 4);
    assert_eq!(len(TcpFlags::FIN | TcpFlags::ACK), 4);
    assert_eq!(len(TcpFlags::SYN | TcpFlags::FIN), 5);
}

#[test]
fn flags_print_as_people_say_them() {
    assert_eq!(
        std::format!("{:?}", TcpFlags::SYN | TcpFlags::ACK),
        "SYN|ACK"
    );
    assert_eq!(std::format!("{:?}", TcpFlags::NONE), "-");
    assert_eq!(
        std::format!("{:?}", TcpFlags::from_bits(0xff)),
        "SYN|FIN|RST|PSH|ACK|URG|ECE|CWR"
    );
    let flags = TcpFlags::SYN | TcpFlags::ACK;
    assert!(flags.contains(TcpFlags::SYN) && !flags.contains(TcpFlags::SYN | TcpFlags::FIN));
    assert!(flags.intersects(TcpFlags::SYN | TcpFlags::FIN));
    assert_eq!(flags.without(TcpFlags::SYN), TcpFlags::ACK);
}

#[test]
fn the_checksum_covers_addresses_and_all_bytes() {
    let bytes = emitted(
        &TcpHeader::default(),
        (b"odd", b"parts"),
        ChecksumMode::Full,
    );
    assert!(TcpSegment::verify_checksum(&bytes, SRC, DST));
    assert!(!TcpSegment::verify_checksum(
        &bytes,
        SRC,
        Ipv4Addr::new(203, 0, 113, 8).into()
    ));
    for at in 0..bytes.len() {
        let mut broken = bytes.clone();
        broken[at] ^= 0x20;
        assert!(!TcpSegment::verify_checksum(&broken, SRC, DST), "byte {at}");
    }
}

#[test]
fn partial_mode_stores_the_pseudo_header_sum() {
    let bytes = emitted(
        &TcpHeader::default(),
        (b"abc", b"de"),
        ChecksumMode::Partial,
    );
    let field = u16::from_be_bytes([bytes[CHECKSUM_OFFSET], bytes[CHECKSUM_OFFSET + 1]]);
    assert_eq!(field, pseudo_header(SRC, DST, IpProtocol::TCP, 25).fold());
    assert_eq!(&bytes[MIN_HEADER_LEN..], b"abcde");
}

prop_compose! {
    fn any_options()(
        mss: Option<u16>,
        window_scale: Option<u8>,
        sack_permitted: bool,
        timestamps: Option<(u32, u32)>,
    ) -> TcpOptions {
        TcpOptions {
            mss,
            window_scale,
            sack_permitted,
            timestamps: timestamps.map(|(value, echo)| Timestamps { value, echo }),
            ..TcpOptions::default()
        }
    }
}

prop_compose! {
    fn any_sack()(edges in prop::collection::vec(any::<(u32, u32)>(), 0..=4)) -> SackBlocks {
        let mut sack = SackBlocks::EMPTY;
        for (left, right) in edges {
            sack.push(SeqNum::new(left), SeqNum::new(right));
        }
        sack
    }
}

proptest! {
    #[test]
    fn segment_round_trips(
        ports: (u16, u16),
        seqs: (u32, u32),
        flags: u8,
        window: u16,
        urgent: u16,
        options in any_options(),
        sack in any_sack(),
        a: Vec<u8>,
        b: Vec<u8>,
    ) {
        let header = TcpHeader {
            src_port: ports.0,
            dst_port: ports.1,
            seq: SeqNum::new(seqs.0),
            ack: SeqNum::new(seqs.1),
            flags: TcpFlags::from_bits(flags),
            window,
            urgent,
            options,
        };
        let bytes = emitted_with_sack(&header, &sack, (&a, &b));
        prop_assert!(TcpSegment::verify_checksum(&bytes, SRC, DST));
        prop_assert_eq!(options.len() % 4, 0);
        let parsed = TcpSegment::parse(&bytes).unwrap();
        prop_assert_eq!(parsed.payload, [&*a, &*b].concat());
        prop_assert_eq!(parsed.header, header);
        // Those that did not fit are missing at the end; what arrived is as it was sent.
        let sent: Vec<_> = sack.iter().take(parsed.sack.len()).collect();
        prop_assert_eq!(parsed.sack.iter().collect::<Vec<_>>(), sent);
        if sack.is_empty() {
            prop_assert_eq!(bytes, emitted(&header, (&a, &b), ChecksumMode::Full));
        }
    }

    #[test]
    fn no_bytes_make_parse_panic(bytes: Vec<u8>) {
        let _ = TcpSegment::parse(&bytes);
        TcpSegment::verify_checksum(&bytes, SRC, DST);
    }

    #[test]
    fn no_options_make_parse_panic(
        options in prop::collection::vec(prop_oneof![0..12u8, any::<u8>()], 0..=40),
    ) {
        let _ = TcpSegment::parse(&segment(&options));
    }

    #[test]
    fn parsed_options_emit_and_parse_to_the_same(
        options in prop::collection::vec(prop_oneof![0..12u8, any::<u8>()], 0..=40),
    ) {
        let bytes = segment(&options);
        if let Ok(segment) = TcpSegment::parse(&bytes) {
            let first = segment.header.options;
            let wire = wire_options_with_sack(first, &segment.sack);
            let (again, sack) = options_and_sack_of(&wire).unwrap();
            let fit: Vec<_> = segment.sack.iter().take(sack.len()).collect();
            prop_assert_eq!(sack.iter().collect::<Vec<_>>(), fit);
            prop_assert_eq!(again.mss, first.mss);
            prop_assert_eq!(again.window_scale, first.window_scale);
            prop_assert_eq!(again.sack_permitted, first.sack_permitted);
            prop_assert_eq!(again.timestamps, first.timestamps);
        }
    }
}
