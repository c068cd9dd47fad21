//! Which IPv4 packets are taken (RFC 791; RFC 1122, section 3.2.1).

use core::net::Ipv4Addr;
use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::{EtherType, Icmpv4Message, IpProtocol, Ipv4Header, Sum};
use cygnet_tests::script::{PEER, Script, TARGET, raw_ipv4, to_target};

stories! {
    both:
        options_are_skipped,
        a_wrong_header_checksum_is_dropped,
        martian_sources_are_dropped,
        a_packet_for_another_host_is_not_answered,
        a_packet_that_is_cut_off_is_dropped,
        padding_behind_a_packet_is_ignored;
}

/// A packet to the target with a header changed as said.
pub(crate) fn packet(
    protocol: IpProtocol,
    payload: &[u8],
    change: impl FnOnce(&mut Ipv4Header),
) -> Vec<u8> {
    let mut header = Ipv4Header {
        src: PEER,
        dst: TARGET,
        protocol,
        hop_limit: 64,
        dscp_ecn: 0,
        ident: 0,
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
        header_len: 20,
        payload_len: payload.len(),
    };
    change(&mut header);
    raw_ipv4(&header, payload)
}

fn echo_request() -> Vec<u8> {
    let request = Icmpv4Message::EchoRequest {
        ident: 1,
        seq: 1,
        data: b"are you there?",
    };
    let mut payload = vec![0; request.len()];
    request.emit(&mut payload);
    payload
}

fn send(script: &Script, packet: &[u8]) {
    script.send_frame(&to_target(EtherType::IPV4, packet));
}

fn is_answered(script: &Script) {
    let packet = script.expect_packet();
    let reply = matches!(packet.icmp(), Some(Icmpv4Message::EchoReply { .. }));
    assert!(reply, "an echo reply was expected, not {packet:?}");
}

// Requirement: RFC 9293 MUST-50
fn options_are_skipped(script: &Script) {
    let mut packet = packet(IpProtocol::ICMP, &echo_request(), |_| {});
    // NOP, NOP, NOP, end; then the header's length, the total length and the checksum are put right.
    packet.splice(20..20, [1, 1, 1, 0]);
    packet[0] = 0x46;
    let len = packet.len() as u16;
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    packet[10..12].copy_from_slice(&[0, 0]);
    let checksum = Sum::of(&packet[..24]).finish();
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    send(script, &packet);
    is_answered(script);
}

fn a_wrong_header_checksum_is_dropped(script: &Script) {
    let mut packet = packet(IpProtocol::ICMP, &echo_request(), |_| {});
    packet[10] ^= 1;
    send(script, &packet);
    script.silence(Duration::from_millis(20));
    script.assert_discarded(Discard::BadChecksum, 1);
}

/// RFC 1122, section 3.2.1.3, and an address of the target's own.
fn martian_sources_are_dropped(script: &Script) {
    let mut sources = vec![
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(224, 0, 0, 1),
        Ipv4Addr::new(240, 0, 0, 1),
        TARGET,
    ];
    if !script.is_linux() {
        // The kernel knows the subnet's broadcast address only if it was told.
        sources.push(Ipv4Addr::new(192, 168, 69, 255));
    }
    for &source in &sources {
        send(
            script,
            &packet(IpProtocol::ICMP, &echo_request(), |h| h.src = source),
        );
    }
    script.silence(Duration::from_millis(50));
    script.assert_discarded(Discard::Martian, sources.len() as u32);
    send(script, &packet(IpProtocol::ICMP, &echo_request(), |_| {}));
    is_answered(script);
}

fn a_packet_for_another_host_is_not_answered(script: &Script) {
    let other = Ipv4Addr::new(192, 168, 69, 77);
    send(
        script,
        &packet(IpProtocol::ICMP, &echo_request(), |h| h.dst = other),
    );
    script.silence(Duration::from_millis(20));
    script.assert_discarded(Discard::NotOurAddress, 1);
}

fn a_packet_that_is_cut_off_is_dropped(script: &Script) {
    let packet = packet(IpProtocol::ICMP, &echo_request(), |_| {});
    send(script, &packet[..packet.len() - 1]);
    send(script, &packet[..19]);
    script.silence(Duration::from_millis(20));
    script.assert_discarded(Discard::Malformed, 2);
}

fn padding_behind_a_packet_is_ignored(script: &Script) {
    let mut packet = packet(IpProtocol::ICMP, &echo_request(), |_| {});
    packet.extend([0xee; 30]);
    send(script, &packet);
    is_answered(script);
}
