//! Datagrams (RFC 768; RFC 1122, section 4.1).

use core::time::Duration;

use cygnet::Discard;
use cygnet_tests::script::{PEER, Packet, Script, udp};

stories! {
    both:
        datagrams_are_delivered_in_order,
        a_datagram_without_checksum_is_delivered,
        a_wrong_checksum_is_dropped,
        a_length_that_cannot_be_is_dropped,
        datagrams_are_sent_with_checksum_and_hop_limit;
}

fn datagrams_are_delivered_in_order(script: &Script) {
    let socket = script.udp_bind(7);
    for text in ["first", "", "third"] {
        script.send_frame(&udp((5_000, 7), text.as_bytes()));
    }
    for text in ["first", "", "third"] {
        assert_eq!(script.udp_receive(socket), text.as_bytes());
    }
}

/// RFC 768: "An all zero transmitted checksum value means that the transmitter generated no
/// checksum".
fn a_datagram_without_checksum_is_delivered(script: &Script) {
    let socket = script.udp_bind(7);
    let mut frame = udp((5_000, 7), b"trust me");
    frame[14 + 20 + 6..14 + 20 + 8].copy_from_slice(&[0, 0]);
    script.send_frame(&frame);
    assert_eq!(script.udp_receive(socket), b"trust me");
}

fn a_wrong_checksum_is_dropped(script: &Script) {
    let socket = script.udp_bind(7);
    let mut frame = udp((5_000, 7), b"trust me");
    frame[14 + 20 + 6] ^= 0x55;
    script.send_frame(&frame);
    script.silence(Duration::from_millis(20));
    assert!(script.udp_is_empty(socket));
    script.assert_discarded(Discard::BadChecksum, 1);
}

fn a_length_that_cannot_be_is_dropped(script: &Script) {
    let socket = script.udp_bind(7);
    for len in [7, 100] {
        let mut frame = udp((5_000, 7), b"how long?");
        frame[14 + 20 + 5] = len;
        script.send_frame(&frame);
    }
    script.silence(Duration::from_millis(20));
    assert!(script.udp_is_empty(socket));
    script.assert_discarded(Discard::Malformed, 2);
}

fn datagrams_are_sent_with_checksum_and_hop_limit(script: &Script) {
    let socket = script.udp_bind(7);
    script.udp_send(socket, (PEER, 9), b"cygnet");
    let packet = script.expect_packet();
    let Packet::Ipv4(header, payload) = &packet else {
        panic!("a datagram was expected, not {packet:?}");
    };
    assert_eq!(header.hop_limit, 64);
    assert_ne!(payload[6..8], [0, 0], "a checksum");
    let (ports, data) = packet.udp().expect("a datagram");
    assert_eq!((ports.src_port, ports.dst_port), (7, 9));
    assert_eq!(data, b"cygnet");
}
