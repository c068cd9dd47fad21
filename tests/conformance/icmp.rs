//! Echo, and errors about what cannot be delivered (RFC 792; RFC 1122, section 3.2.2; RFC 1812,
//! section 4.3).

use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::{EtherType, EthernetAddress, Icmpv4Message, Icmpv4Unreachable, IpProtocol};
use cygnet_tests::script::{
    PEER, Packet, Script, TARGET, icmp, ip_packet, pattern, to_target, udp,
};

stories! {
    both:
        echo_of_every_size_that_fits_a_frame,
        a_datagram_for_nobody_is_answered_with_port_unreachable,
        an_unknown_protocol_is_answered_with_protocol_unreachable,
        rfc1812_errors_are_limited,
        no_error_about_a_broadcast,
        no_error_about_an_error,
        rfc1122_a_broadcast_echo_request_is_ignored,
        an_echo_request_with_a_wrong_checksum_is_dropped;
}

fn echo_of_every_size_that_fits_a_frame(script: &Script) {
    for len in 0..=1_472 {
        let data = pattern(0..len);
        let (ident, seq) = (0x1234, len as u16);
        script.send_frame(&icmp(&Icmpv4Message::EchoRequest {
            ident,
            seq,
            data: &data,
        }));
        let packet = script.expect_packet();
        let Packet::Ipv4(header, _) = &packet else {
            panic!("a reply was expected");
        };
        assert_eq!(
            (header.src, header.dst, header.hop_limit),
            (TARGET, PEER, 64)
        );
        let reply = Icmpv4Message::EchoReply {
            ident,
            seq,
            data: &data,
        };
        assert_eq!(packet.icmp(), Some(reply), "{len} bytes");
    }
}

/// The quote in the error that comes.
fn expect_unreachable(script: &Script, expected: Icmpv4Unreachable) -> Vec<u8> {
    let packet = script.expect_packet();
    match packet.icmp() {
        Some(Icmpv4Message::DestinationUnreachable { code, quote, .. }) if code == expected => {
            quote.to_vec()
        }
        other => panic!("{expected:?} unreachable was expected, not {other:?}"),
    }
}

/// RFC 1122, section 4.1.3.1. The quote is the whole packet, when it is short.
fn a_datagram_for_nobody_is_answered_with_port_unreachable(script: &Script) {
    let frame = udp((5_000, 5_001), b"anybody there?");
    script.send_frame(&frame);
    let quote = expect_unreachable(script, Icmpv4Unreachable::Port);
    assert_eq!(quote, frame[14..]);
    // Of a long one, as much as fits 576 bytes.
    script.send_frame(&udp((5_000, 5_001), &[7; 1_400]));
    assert_eq!(
        expect_unreachable(script, Icmpv4Unreachable::Port).len(),
        548
    );
}

/// RFC 1122, section 3.2.2.1.
fn an_unknown_protocol_is_answered_with_protocol_unreachable(script: &Script) {
    let packet = ip_packet(IpProtocol(253), &[1, 2, 3, 4, 5, 6, 7, 8]);
    script.send_frame(&to_target(EtherType::IPV4, &packet));
    let quote = expect_unreachable(script, Icmpv4Unreachable::Protocol);
    assert_eq!(quote, packet);
}

fn rfc1812_errors_are_limited(script: &Script) {
    let mut errors = 0;
    for _ in 0..200 {
        script.send_frame(&udp((5_000, 5_001), b"anybody there?"));
        // Answers are sent before the next datagram is taken; none is waited for.
        while script.try_packet().is_some() {
            errors += 1;
        }
    }
    assert!((1..100).contains(&errors), "{errors} of 200");
}

fn no_error_about_a_broadcast(script: &Script) {
    let mut frame = udp((5_000, 5_001), b"anybody there?");
    frame[..6].copy_from_slice(&EthernetAddress::BROADCAST.0);
    script.send_frame(&frame);
    script.silence(Duration::from_millis(20));
}

fn no_error_about_an_error(script: &Script) {
    // About a port of ours from which nothing was sent.
    let packet = ip_packet(IpProtocol::UDP, &[0x13, 0x88, 0x13, 0x89, 0, 8, 0, 0]);
    script.send_frame(&icmp(&Icmpv4Message::DestinationUnreachable {
        code: Icmpv4Unreachable::Port,
        next_hop_mtu: 0,
        quote: &packet,
    }));
    script.silence(Duration::from_millis(20));
    script.assert_discarded(Discard::UnmatchedIcmp, 1);
}

/// RFC 1122, section 3.2.2.6: it "MAY be silently discarded".
fn rfc1122_a_broadcast_echo_request_is_ignored(script: &Script) {
    let request = Icmpv4Message::EchoRequest {
        ident: 1,
        seq: 1,
        data: b"?",
    };
    let mut payload = vec![0; request.len()];
    request.emit(&mut payload);
    let packet = crate::ipv4::packet(IpProtocol::ICMP, &payload, |header| {
        header.dst = [192, 168, 69, 255].into();
    });
    let mut frame = to_target(EtherType::IPV4, &packet);
    frame[..6].copy_from_slice(&EthernetAddress::BROADCAST.0);
    script.send_frame(&frame);
    script.silence(Duration::from_millis(20));
}

fn an_echo_request_with_a_wrong_checksum_is_dropped(script: &Script) {
    let request = Icmpv4Message::EchoRequest {
        ident: 1,
        seq: 1,
        data: b"?",
    };
    let mut frame = icmp(&request);
    frame[14 + 20 + 2] ^= 1;
    script.send_frame(&frame);
    script.silence(Duration::from_millis(20));
    script.assert_discarded(Discard::BadChecksum, 1);
}
