extern crate std;

use core::net::Ipv4Addr;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::super::ip::IpProtocol;
use super::super::ipv4::Ipv4Header;
use super::super::quote::Quote;
use super::super::seq::SeqNum;
use super::*;

fn emitted(message: &Icmpv4Message<'_>) -> Vec<u8> {
    let mut buf = vec![0xaa; message.len()];
    message.emit(&mut buf);
    buf
}

#[test]
fn writes_an_echo_request_as_ping_does() {
    let message = Icmpv4Message::EchoRequest {
        ident: 0x1234,
        seq: 1,
        data: &[0x61, 0x62, 0x63],
    };
    let bytes = emitted(&message);
    // 0x0800 + 0x1234 + 0x0001 + 0x6162 + 0x6300 = 0xde97, complemented.
    assert_eq!(
        bytes,
        [8, 0, 0x21, 0x68, 0x12, 0x34, 0, 1, 0x61, 0x62, 0x63]
    );
    assert_eq!(Icmpv4Message::parse(&bytes, true), Ok(message));
}

#[test]
fn faults_have_names() {
    let mut bytes = emitted(&Icmpv4Message::EchoReply {
        ident: 1,
        seq: 2,
        data: b"x",
    });
    for len in 0..HEADER_LEN {
        assert_eq!(
            Icmpv4Message::parse(&bytes[..len], true),
            Err(Malformed::Truncated)
        );
    }
    bytes[8] ^= 1;
    assert_eq!(
        Icmpv4Message::parse(&bytes, true),
        Err(Malformed::BadChecksum)
    );
    assert!(Icmpv4Message::parse(&bytes, false).is_ok());
}

#[test]
fn only_fragmentation_needed_carries_an_mtu() {
    let unreachable = |code| Icmpv4Message::DestinationUnreachable {
        code,
        next_hop_mtu: 1400,
        quote: b"quote",
    };
    let bytes = emitted(&unreachable(Icmpv4Unreachable::FragmentationNeeded));
    assert_eq!(bytes[4..8], [0, 0, 0x05, 0x78]);
    let mut bytes = emitted(&unreachable(Icmpv4Unreachable::Port));
    assert_eq!(bytes[..2], [3, 3]);
    assert_eq!(bytes[4..8], [0; 4]);
    // Of other codes, what stands there is not an MTU.
    bytes[7] = 9;
    let parsed = Icmpv4Message::parse(&bytes, false);
    assert!(matches!(
        parsed,
        Ok(Icmpv4Message::DestinationUnreachable {
            next_hop_mtu: 0,
            ..
        })
    ));
}

#[test]
fn unknown_kinds_and_codes_are_other() {
    for (kind, code) in [(5, 0), (8, 1), (0, 1), (12, 1), (255, 255)] {
        let bytes = [kind, code, 0, 0, 0, 0, 0, 0];
        let expected = Icmpv4Message::Other { kind, code };
        assert_eq!(Icmpv4Message::parse(&bytes, false), Ok(expected));
    }
}

#[test]
fn every_unreachable_code_round_trips() {
    for code in 0..=255 {
        assert_eq!(u8::from(Icmpv4Unreachable::from(code)), code);
    }
    assert_eq!(Icmpv4Unreachable::from(16), Icmpv4Unreachable::Other(16));
}

/// An IPv4 packet that says it is longer than what follows, with a wrong checksum.
fn quoted(options: usize, transport: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 20];
    Ipv4Header {
        src: Ipv4Addr::new(192, 0, 2, 1),
        dst: Ipv4Addr::new(203, 0, 113, 9),
        protocol: IpProtocol::TCP,
        hop_limit: 1,
        dscp_ecn: 0,
        ident: 7,
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
        header_len: 20,
        payload_len: 1480,
    }
    .emit(&mut bytes);
    bytes[0] += options as u8;
    bytes[10] ^= 0xff;
    bytes.extend(vec![1; options * 4]);
    bytes.extend(transport);
    bytes
}

#[test]
fn a_quote_tells_whose_the_packet_was() {
    let transport = [0x1f, 0x90, 0x00, 0x50, 0xde, 0xad, 0xbe, 0xef];
    for options in [0, 3, 10] {
        let bytes = quoted(options, &transport);
        let quote = Quote::parse(&bytes).unwrap();
        assert_eq!(quote.src, Ipv4Addr::new(192, 0, 2, 1).into());
        assert_eq!(quote.dst, Ipv4Addr::new(203, 0, 113, 9).into());
        assert_eq!(quote.protocol, IpProtocol::TCP);
        assert_eq!(quote.total_len, 1500);
        assert_eq!((quote.src_port(), quote.dst_port()), (8080, 80));
        assert_eq!(quote.tcp_seq(), SeqNum::new(0xdead_beef));
        assert_eq!(quote.transport, transport);
    }
}

#[test]
fn a_quote_that_tells_nothing_is_none() {
    let good = quoted(2, &[0; 8]);
    for len in 0..good.len() {
        assert_eq!(Quote::parse(&good[..len]), None);
    }
    let changed = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        bytes
    };
    assert_eq!(Quote::parse(&changed(0, 0x65)), None);
    assert_eq!(Quote::parse(&changed(0, 0x44)), None);
    // A later fragment starts in the middle of the transport's data.
    assert_eq!(Quote::parse(&changed(6, 0x41)), None);
    assert_eq!(Quote::parse(&changed(7, 1)), None);
    assert!(Quote::parse(&changed(6, 0x60)).is_some());
}

fn any_message<'a>(kind: u8, code: u8, high: u16, low: u16, data: &'a [u8]) -> Icmpv4Message<'a> {
    let (ident, seq, quote) = (high, low, data);
    match kind {
        0 => Icmpv4Message::EchoRequest { ident, seq, data },
        1 => Icmpv4Message::EchoReply { ident, seq, data },
        2 => Icmpv4Message::DestinationUnreachable {
            code: code.into(),
            next_hop_mtu: if code == 4 { low } else { 0 },
            quote,
        },
        3 => Icmpv4Message::TimeExceeded { code, quote },
        4 => Icmpv4Message::ParameterProblem {
            pointer: code,
            quote,
        },
        _ => Icmpv4Message::Other { kind: 200, code },
    }
}

proptest! {
    #[test]
    fn message_round_trips(kind in 0..6u8, code in 0..20u8, high: u16, low: u16, data: Vec<u8>) {
        let message = any_message(kind, code, high, low, &data);
        let bytes = emitted(&message);
        prop_assert_eq!(Icmpv4Message::parse(&bytes, true), Ok(message));
    }

    #[test]
    fn no_bytes_make_parse_panic(bytes: Vec<u8>, kind in 0..20u8) {
        let _ = Icmpv4Message::parse(&bytes, true);
        let typed = [&[kind], bytes.as_slice()].concat();
        let _ = Icmpv4Message::parse(&typed, false);
        let versioned = [&[0x40 | kind], bytes.as_slice()].concat();
        let _ = Quote::parse(&versioned);
    }
}
