extern crate std;

use core::net::Ipv6Addr;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

const SRC: IpAddress = IpAddress::Ipv6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1));
const DST: IpAddress = IpAddress::Ipv6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2));

fn emitted(message: &Icmpv6Message<'_>) -> Vec<u8> {
    let mut bytes = vec![0xaa; message.len()];
    message.emit(&mut bytes, SRC, DST);
    bytes
}

fn parse(bytes: &[u8]) -> Result<Icmpv6Message<'_>, Malformed> {
    Icmpv6Message::parse(bytes, SRC, DST, true)
}

#[test]
fn an_echo_request_is_that_of_the_rfc() {
    let src = IpAddress::Ipv6("fdaa::100".parse().unwrap());
    let dst = IpAddress::Ipv6("fdaa::1".parse().unwrap());
    let message = Icmpv6Message::EchoRequest {
        ident: 0x1234,
        seq: 1,
        data: &[0, 1, 2, 3, 4, 5, 6, 7],
    };
    let mut bytes = vec![0xaa; message.len()];
    message.emit(&mut bytes, src, dst);
    assert_eq!(bytes[..2], [128, 0]);
    assert_eq!(bytes[4..10], [0x12, 0x34, 0, 1, 0, 1]);
    // By hand: the words of the pseudo header and of the message.
    let words = [
        0xfdaa_u32, 0x100, 0xfdaa, 1, 16, 58, 0x8000, 0x1234, 1, 1, 0x203, 0x405, 0x607,
    ];
    let sum: u32 = words.iter().sum();
    let checksum = !((sum & 0xffff) + (sum >> 16)) as u16;
    assert_eq!(bytes[2..4], checksum.to_be_bytes());
    assert_eq!(Icmpv6Message::parse(&bytes, src, dst, true), Ok(message));
}

#[test]
fn rfc4443_the_checksum_covers_the_addresses() {
    let bytes = emitted(&Icmpv6Message::EchoReply {
        ident: 1,
        seq: 2,
        data: b"data",
    });
    assert!(parse(&bytes).is_ok());
    let elsewhere = Icmpv6Message::parse(&bytes, SRC, SRC, true);
    assert_eq!(elsewhere, Err(Malformed::BadChecksum));
}

#[test]
fn a_changed_byte_is_noticed() {
    let good = emitted(&Icmpv6Message::EchoRequest {
        ident: 1,
        seq: 2,
        data: b"data",
    });
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        assert_eq!(parse(&bytes), Err(Malformed::BadChecksum), "byte {at}");
    }
}

#[test]
fn less_than_a_header_is_truncated() {
    for len in 0..8 {
        assert_eq!(parse(&[0; 8][..len]), Err(Malformed::Truncated));
    }
}

#[test]
fn packet_too_big_tells_the_mtu() {
    let bytes = emitted(&Icmpv6Message::PacketTooBig {
        mtu: 1_400,
        quote: b"quote",
    });
    assert_eq!(bytes[..2], [2, 0]);
    assert_eq!(bytes[4..8], [0, 0, 0x05, 0x78]);
}

#[test]
fn a_parameter_problem_points_into_the_packet() {
    let bytes = emitted(&Icmpv6Message::ParameterProblem {
        code: Icmpv6ParameterProblem::NextHeader,
        pointer: 6,
        quote: b"quote",
    });
    assert_eq!(bytes[..2], [4, 1]);
    assert_eq!(bytes[4..8], [0, 0, 0, 6]);
}

#[test]
fn every_code_round_trips() {
    for code in 0..=255 {
        assert_eq!(u8::from(Icmpv6Unreachable::from(code)), code);
        assert_eq!(u8::from(Icmpv6ParameterProblem::from(code)), code);
    }
}

#[test]
fn errors_have_the_upper_bit_clear() {
    assert!([1, 2, 3, 4, 100, 127].into_iter().all(is_error));
    assert!(![128, 129, 133, 137, 255].into_iter().any(is_error));
}

fn any_message<'a>(kind: u8, code: u8, word: u32, data: &'a [u8]) -> Icmpv6Message<'a> {
    let (ident, seq, quote) = ((word >> 16) as u16, word as u16, data);
    match kind {
        0 => Icmpv6Message::EchoRequest { ident, seq, data },
        1 => Icmpv6Message::EchoReply { ident, seq, data },
        2 => Icmpv6Message::DestinationUnreachable {
            code: code.into(),
            quote,
        },
        3 => Icmpv6Message::TimeExceeded { code, quote },
        4 => Icmpv6Message::ParameterProblem {
            code: code.into(),
            pointer: word,
            quote,
        },
        5 => Icmpv6Message::PacketTooBig { mtu: word, quote },
        _ => Icmpv6Message::Other { kind: 200, code },
    }
}

proptest! {
    #[test]
    fn messages_round_trip(kind in 0..7_u8, code: u8, word: u32, data: Vec<u8>) {
        let message = any_message(kind, code, word, &data);
        let bytes = emitted(&message);
        prop_assert_eq!(parse(&bytes), Ok(message));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let _ = Icmpv6Message::parse(&bytes, SRC, DST, false);
        let _ = Icmpv6Message::parse(&bytes, SRC, DST, true);
    }
}
