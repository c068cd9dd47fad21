extern crate std;

use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::super::quote::Quote;
use super::*;

fn header(next_header: IpProtocol, payload_len: usize) -> Ipv6Header {
    Ipv6Header {
        src: "2001:db8::1".parse().unwrap(),
        dst: "2001:db8::2".parse().unwrap(),
        next_header,
        hop_limit: 64,
        dscp_ecn: 0xb9,
        flow_label: 0xa_bcde,
        payload_len,
    }
}

fn packet(next_header: IpProtocol, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; HEADER_LEN];
    header(next_header, payload.len()).emit(&mut packet);
    packet.extend(payload);
    packet
}

/// All extension headers, and what is behind them.
fn walk(next_header: u8, payload: &[u8]) -> (Vec<Extension<'_>>, IpProtocol, &[u8]) {
    let mut headers = ExtensionHeaders::new(IpProtocol(next_header), payload);
    let extensions = headers.by_ref().map(Result::unwrap).collect();
    (extensions, headers.next_header(), headers.rest())
}

/// The options of a header of that type with that body, which begins with the next header.
fn options(body: &[u8]) -> Vec<Result<Ipv6Option<'_>, Malformed>> {
    let mut headers = ExtensionHeaders::new(IpProtocol::DESTINATION_OPTIONS, body);
    match headers.next() {
        Some(Ok(Extension::Destination(options))) => options.collect(),
        other => panic!("options were expected, not {other:?}"),
    }
}

#[test]
fn the_header_is_that_of_the_rfc() {
    let packet = packet(IpProtocol::UDP, b"payload");
    assert_eq!(packet[..8], [0x6b, 0x9a, 0xbc, 0xde, 0, 7, 17, 64]);
    assert_eq!(packet[8..10], [0x20, 0x01]);
    let (parsed, payload) = Ipv6Header::parse(&packet).unwrap();
    assert_eq!(parsed, header(IpProtocol::UDP, 7));
    assert_eq!(parsed.ecn(), Ecn::ECT_1);
    assert_eq!(payload, b"payload");
}

#[test]
fn what_follows_the_payload_is_padding() {
    let mut packet = packet(IpProtocol::UDP, b"payload");
    packet.extend([0; 5]);
    assert_eq!(Ipv6Header::parse(&packet).unwrap().1, b"payload");
}

#[test]
fn a_packet_that_is_cut_off_is_truncated() {
    let packet = packet(IpProtocol::UDP, b"payload");
    for len in 0..packet.len() {
        let parsed = Ipv6Header::parse(&packet[..len]);
        assert_eq!(parsed, Err(Malformed::Truncated), "{len} bytes");
    }
}

#[test]
fn another_version_is_refused() {
    let mut packet = packet(IpProtocol::UDP, b"payload");
    packet[0] = 0x45;
    assert_eq!(Ipv6Header::parse(&packet), Err(Malformed::BadVersion));
}

#[test]
fn headers_are_walked_in_order_up_to_the_payload() {
    let payload = [
        43, 0, 5, 2, 0, 0, 1, 0, // hop-by-hop: router alert, PadN
        44, 0, 3, 1, 0, 0, 0, 0, // routing
        60, 0, 0x05, 0xa9, 1, 2, 3, 4, // fragment
        6, 0, 1, 4, 0, 0, 0, 0, // destination
        0xaa, 0xbb,
    ];
    let mut headers = ExtensionHeaders::new(IpProtocol::HOP_BY_HOP, &payload);
    let Some(Ok(Extension::HopByHop(mut alert))) = headers.next() else {
        panic!("hop-by-hop options come first");
    };
    let option = alert.next().unwrap().unwrap();
    assert_eq!(
        (option.kind, option.data, option.offset),
        (5, &[0, 0][..], 42)
    );
    assert_eq!(alert.next(), None);
    let routing = RoutingHeader {
        kind: 3,
        segments_left: 1,
        kind_offset: 50,
    };
    assert_eq!(headers.next(), Some(Ok(Extension::Routing(routing))));
    let fragment = FragmentHeader {
        ident: 0x0102_0304,
        offset: 0x5a8,
        more: true,
        next_header: IpProtocol::DESTINATION_OPTIONS,
        data_offset: 64,
    };
    assert_eq!(headers.next(), Some(Ok(Extension::Fragment(fragment))));
    assert!(!fragment.is_atomic());
    assert!(matches!(
        headers.next(),
        Some(Ok(Extension::Destination(_)))
    ));
    assert_eq!(headers.next(), None);
    assert_eq!(headers.next_header(), IpProtocol::TCP);
    assert_eq!((headers.rest(), headers.offset()), (&[0xaa, 0xbb][..], 72));
    assert_eq!(headers.pointer(), 64);
}

#[test]
fn without_extension_headers_the_payload_is_next() {
    let (extensions, protocol, rest) = walk(6, b"data");
    assert!(extensions.is_empty());
    assert_eq!((protocol, rest), (IpProtocol::TCP, &b"data"[..]));
    let headers = ExtensionHeaders::new(IpProtocol::TCP, b"data");
    assert_eq!((headers.offset(), headers.pointer()), (40, 6));
}

#[test]
fn a_header_that_is_cut_off_is_truncated_and_the_last() {
    for payload in [
        &[][..],
        &[60],
        &[60, 0, 0, 0, 0, 0, 0],
        &[6, 1, 0, 0, 0, 0, 0, 0],
    ] {
        let mut headers = ExtensionHeaders::new(IpProtocol::DESTINATION_OPTIONS, payload);
        assert_eq!(headers.next(), Some(Err(Malformed::Truncated)));
        assert_eq!(headers.next(), None);
    }
}

#[test]
fn rfc8504_headers_without_end_are_refused() {
    let payload = [60, 0, 1, 4, 0, 0, 0, 0].repeat(100);
    let headers = ExtensionHeaders::new(IpProtocol::DESTINATION_OPTIONS, &payload);
    let steps: Vec<_> = headers.collect();
    assert_eq!(steps.len(), 9);
    assert_eq!(steps[8], Err(Malformed::TooManyHeaders));
}

#[test]
fn rfc8504_more_than_eight_options_are_refused() {
    let body = |count: usize| {
        let mut body = vec![6, 0];
        body.extend([0x1e, 0].repeat(count));
        while !body.len().is_multiple_of(8) {
            body.push(0);
        }
        body[1] = (body.len() / 8 - 1) as u8;
        body
    };
    let eight = body(8);
    assert!(options(&eight).iter().all(Result::is_ok));
    assert_eq!(options(&eight).len(), 8);
    let nine = body(9);
    assert_eq!(options(&nine).len(), 9);
    assert_eq!(options(&nine)[8], Err(Malformed::TooManyHeaders));
}

#[test]
fn rfc8504_more_than_seven_bytes_of_padding_are_refused() {
    let ones = [6, 1, 0x1e, 0, 0, 0, 0, 0, 0, 0, 0, 0x1e, 0, 0, 0, 0];
    assert_eq!(options(&ones).len(), 2);
    assert!(options(&ones).iter().all(Result::is_ok));
    let ones = [6, 1, 0x1e, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1e, 0, 0, 0];
    assert_eq!(options(&ones).last(), Some(&Err(Malformed::BadOption)));
    let n = [6, 1, 1, 6, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0];
    assert_eq!(options(&n), [Err(Malformed::BadOption)]);
    let long = [[6, 32, 1, 255].as_slice(), &[0; 260]].concat();
    assert_eq!(options(&long), [Err(Malformed::BadOption)]);
}

#[test]
fn padding_that_says_something_is_refused() {
    let covert = [6, 0, 1, 4, b'h', b'i', 0, 0];
    assert_eq!(options(&covert), [Err(Malformed::BadOption)]);
}

#[test]
fn an_option_that_reaches_beyond_its_header_is_refused() {
    let reaching = [6, 0, 0x1e, 5, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    assert_eq!(options(&reaching), [Err(Malformed::BadOption)]);
    let cut = [6, 0, 1, 3, 0, 0, 0, 0x1e];
    assert_eq!(options(&cut), [Err(Malformed::BadOption)]);
}

#[test]
fn the_upper_bits_say_what_to_do_about_an_unknown_option() {
    let action = |kind| {
        let option = Ipv6Option {
            kind,
            data: &[],
            offset: 0,
        };
        option.if_unknown()
    };
    assert_eq!(action(0x1e), UnknownAction::Skip);
    assert_eq!(action(0x5e), UnknownAction::Discard);
    assert_eq!(action(0x9e), UnknownAction::Report);
    assert_eq!(action(0xde), UnknownAction::ReportUnlessGroup);
}

#[test]
fn a_fragment_header_is_written_as_it_is_read() {
    let fragment = FragmentHeader {
        ident: 0x0102_0304,
        offset: 0x5a8,
        more: true,
        next_header: IpProtocol::UDP,
        data_offset: 48,
    };
    let mut bytes = [0xaa; FRAGMENT_HEADER_LEN];
    fragment.emit(&mut bytes);
    assert_eq!(bytes, [17, 0, 0x05, 0xa9, 1, 2, 3, 4]);
    let (extensions, ..) = walk(44, &bytes);
    assert_eq!(extensions, [Extension::Fragment(fragment)]);
}

#[test]
fn an_atomic_fragment_is_told() {
    let payload = [6, 0xff, 0, 0, 1, 2, 3, 4];
    let (extensions, protocol, _) = walk(44, &payload);
    assert!(matches!(extensions[..], [Extension::Fragment(f)] if f.is_atomic()));
    assert_eq!(protocol, IpProtocol::TCP);
}

#[test]
fn a_quote_is_found_behind_extension_headers() {
    let transport = [0x1f, 0x90, 0x00, 0x50, 0xde, 0xad, 0xbe, 0xef];
    let mut payload = vec![6, 0, 1, 4, 0, 0, 0, 0];
    payload.extend(transport);
    let mut bytes = packet(IpProtocol::DESTINATION_OPTIONS, &payload);
    // The quote ends long before the packet does.
    bytes[4..6].copy_from_slice(&1_440_u16.to_be_bytes());
    let quote = Quote::parse(&bytes).unwrap();
    assert_eq!(quote.src, header(IpProtocol::TCP, 0).src.into());
    assert_eq!(quote.dst, header(IpProtocol::TCP, 0).dst.into());
    assert_eq!((quote.protocol, quote.total_len), (IpProtocol::TCP, 1_480));
    assert_eq!((quote.src_port(), quote.dst_port()), (8080, 80));
    assert_eq!(quote.transport, transport);
    for len in 0..bytes.len() {
        assert_eq!(Quote::parse(&bytes[..len]), None);
    }
}

#[test]
fn a_quote_of_a_later_fragment_tells_nothing() {
    let mut payload = vec![6, 0, 0, 9, 1, 2, 3, 4];
    payload.extend([0; 8]);
    assert_eq!(Quote::parse(&packet(IpProtocol::FRAGMENT, &payload)), None);
    payload[3] = 1;
    assert!(Quote::parse(&packet(IpProtocol::FRAGMENT, &payload)).is_some());
}

proptest! {
    #[test]
    fn header_round_trips(
        src: u128, dst: u128, next_header: u8, hop_limit: u8, dscp_ecn: u8,
        flow_label in 0..1_u32 << 20, payload in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let header = Ipv6Header {
            src: src.into(),
            dst: dst.into(),
            next_header: IpProtocol(next_header),
            hop_limit,
            dscp_ecn,
            flow_label,
            payload_len: payload.len(),
        };
        let mut packet = vec![0xaa; HEADER_LEN];
        header.emit(&mut packet);
        packet.extend(&payload);
        prop_assert_eq!(Ipv6Header::parse(&packet), Ok((header, payload.as_slice())));
    }

    /// Whatever arrives, the walk ends, stays within the packet, and says where it is.
    #[test]
    fn any_bytes_are_walked_to_an_end(
        first in prop_oneof![Just(0_u8), Just(43), Just(44), Just(60), any::<u8>()],
        mut payload in proptest::collection::vec(any::<u8>(), 0..600),
        chain in proptest::collection::vec((0_usize..600, prop_oneof![Just(0_u8), Just(43), Just(44), Just(60)]), 0..40),
    ) {
        for (at, kind) in chain {
            if let Some(byte) = payload.get_mut(at) {
                *byte = kind;
            }
        }
        let mut headers = ExtensionHeaders::new(IpProtocol(first), &payload);
        let mut steps = 0;
        while let Some(extension) = headers.next() {
            steps += 1;
            prop_assert!(steps <= 9);
            if let Ok(Extension::HopByHop(options) | Extension::Destination(options)) = extension {
                prop_assert!(options.count() <= 9);
            }
            prop_assert_eq!(headers.offset() + headers.rest().len(), payload.len() + HEADER_LEN);
            prop_assert!(headers.pointer() < payload.len() + HEADER_LEN);
        }
        let _ = Ipv6Header::parse(&payload);
        let _ = Quote::parse(&payload);
    }
}
