//! Packets in pieces, both ways (RFC 791, section 3.2; RFC 1122, sections 3.3.2 and 3.3.3; RFC 5722).

use core::ops::Range;
use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::{EtherType, Icmpv4Message, Icmpv4Unreachable, IpProtocol, Ipv4Header, icmpv4};
use cygnet_tests::script::{PEER, Packet, Script, TARGET, UdpId, pattern, to_target, udp};

use crate::ipv4::packet;

stories! {
    both:
        a_datagram_is_put_together_in_any_order,
        the_longest_datagram_there_is_is_put_together,
        duplicates_do_no_harm,
        rfc5722_a_datagram_whose_fragments_overlap_is_dropped_whole,
        a_length_that_shrinks_ends_the_datagram,
        a_missing_fragment_is_missed,
        a_fragment_beyond_the_longest_packet_is_dropped,
        first_fragments_without_end_keep_nobody_out,
        an_error_about_a_datagram_in_fragments_quotes_it,
        a_long_echo_comes_back_in_fragments,
        a_long_datagram_is_sent_in_fragments,
        datagrams_have_identifications_of_their_own;
    "Linux keeps the time in real seconds":
        rfc1122_the_sender_hears_when_the_rest_does_not_come,
        nobody_hears_when_the_start_did_not_come,
        no_error_about_fragments_to_all;
}

/// Sends part of an IP payload as a fragment.
fn send_part(
    script: &Script,
    (protocol, ident): (IpProtocol, u16),
    payload: &[u8],
    range: Range<usize>,
) {
    let more = range.end < payload.len();
    send_fragment(script, (protocol, ident), &payload[range.clone()], |h| {
        h.fragment_offset = range.start as u16;
        h.more_fragments = more;
    });
}

fn send_fragment(
    script: &Script,
    (protocol, ident): (IpProtocol, u16),
    payload: &[u8],
    change: impl FnOnce(&mut Ipv4Header),
) {
    let packet = packet(protocol, payload, |h| {
        h.ident = ident;
        h.dont_fragment = false;
        change(h);
    });
    script.send_frame(&to_target(EtherType::IPV4, &packet));
}

/// An IP payload with a datagram of `len` bytes to port 7.
fn datagram(len: u32) -> (Vec<u8>, Vec<u8>) {
    let data = pattern(0..len);
    let payload = udp((5_000, 7), &data)[34..].to_vec();
    (data, payload)
}

/// Cuts into as many fragments as it takes.
fn parts(len: usize, step: usize) -> Vec<Range<usize>> {
    let starts = (0..len).step_by(step);
    starts.map(|start| start..len.min(start + step)).collect()
}

/// The packet that the target sends in fragments, or whole: its payload and the headers of its pieces.
fn collect(script: &Script) -> (Vec<u8>, Vec<Ipv4Header>) {
    let (mut payload, mut headers) = (Vec::new(), Vec::new());
    loop {
        let Packet::Ipv4(header, part) = script.expect_packet() else {
            panic!("an IPv4 packet was expected");
        };
        assert_eq!(
            usize::from(header.fragment_offset),
            payload.len(),
            "in order"
        );
        assert!(part.len() <= 1_480);
        payload.extend(part);
        headers.push(header);
        if !header.more_fragments {
            return (payload, headers);
        }
    }
}

fn expect_datagram(script: &Script, socket: UdpId, data: &[u8]) {
    let received = script.udp_receive(socket);
    assert!(received == data, "{} bytes, not those", received.len());
}

const UDP: (IpProtocol, u16) = (IpProtocol::UDP, 0x1234);

fn a_datagram_is_put_together_in_any_order(script: &Script) {
    let socket = script.udp_bind(7);
    let (data, payload) = datagram(4_000);
    let mut ranges = parts(payload.len(), 1_336);
    for ident in 0..4 {
        for range in &ranges {
            assert!(script.udp_is_empty(socket));
            send_part(script, (IpProtocol::UDP, ident), &payload, range.clone());
        }
        expect_datagram(script, socket, &data);
        ranges.rotate_left(1);
    }
    ranges.reverse();
    for range in ranges {
        send_part(script, UDP, &payload, range);
    }
    expect_datagram(script, socket, &data);
}

fn the_longest_datagram_there_is_is_put_together(script: &Script) {
    let socket = script.udp_bind(7);
    let (data, payload) = datagram(65_507);
    for range in parts(payload.len(), 1_480) {
        send_part(script, UDP, &payload, range);
    }
    expect_datagram(script, socket, &data);
}

fn duplicates_do_no_harm(script: &Script) {
    let socket = script.udp_bind(7);
    let (data, payload) = datagram(4_000);
    let ranges = parts(payload.len(), 1_336);
    for range in &ranges[..2] {
        for _ in 0..2 {
            send_part(script, UDP, &payload, range.clone());
        }
    }
    send_part(script, UDP, &payload, ranges[2].clone());
    expect_datagram(script, socket, &data);
    script.assert_discarded(Discard::DuplicateFragment, 2);
}

/// And nobody is told (section 4).
fn rfc5722_a_datagram_whose_fragments_overlap_is_dropped_whole(script: &Script) {
    let socket = script.udp_bind(7);
    let (_, payload) = datagram(2_000);
    send_part(script, UDP, &payload, 0..1_000);
    send_part(script, UDP, &payload, 992..1_992);
    send_part(script, UDP, &payload, 1_000..payload.len());
    script.silence(Duration::from_millis(20));
    assert!(script.udp_is_empty(socket));
    script.assert_discarded(Discard::FragmentOverlap, 1);
    script.assert_discarded(Discard::FragmentOfNothing, 1);
    script.silence(script.if_virtual(Duration::from_secs(120)));
    script.assert_discarded(Discard::ReassemblyTimeout, 0);
}

fn a_length_that_shrinks_ends_the_datagram(script: &Script) {
    let socket = script.udp_bind(7);
    let (_, payload) = datagram(2_000);
    send_part(script, UDP, &payload, 1_000..payload.len());
    send_fragment(script, UDP, &payload[1_000..1_200], |h| {
        h.fragment_offset = 1_000;
    });
    send_part(script, UDP, &payload, 0..1_000);
    assert!(script.udp_is_empty(socket));
    script.assert_discarded(Discard::FragmentOverlap, 1);
}

fn a_missing_fragment_is_missed(script: &Script) {
    let socket = script.udp_bind(7);
    let (_, payload) = datagram(4_000);
    let ranges = parts(payload.len(), 1_336);
    send_part(script, UDP, &payload, ranges[0].clone());
    send_part(script, UDP, &payload, ranges[2].clone());
    // That of another datagram is none of this one.
    send_part(script, (IpProtocol::UDP, 1), &payload, ranges[1].clone());
    send_part(
        script,
        (IpProtocol::TCP, UDP.1),
        &payload,
        ranges[1].clone(),
    );
    script.silence(Duration::from_millis(20));
    assert!(script.udp_is_empty(socket));
}

/// The "ping of death".
fn a_fragment_beyond_the_longest_packet_is_dropped(script: &Script) {
    let request = [8, 0, 0, 0].repeat(2);
    send_fragment(script, (IpProtocol::ICMP, 1), &request, |h| {
        h.more_fragments = true;
    });
    send_fragment(script, (IpProtocol::ICMP, 1), &[0; 1_000], |h| {
        h.fragment_offset = 65_000;
    });
    script.silence(Duration::from_millis(20));
    script.assert_discarded(Discard::Malformed, 1);
}

fn first_fragments_without_end_keep_nobody_out(script: &Script) {
    let socket = script.udp_bind(7);
    let (data, payload) = datagram(2_000);
    for ident in 0..1_000 {
        send_part(script, (IpProtocol::UDP, ident), &payload, 0..1_000);
    }
    send_part(script, (IpProtocol::UDP, 1_000), &payload, 0..1_000);
    send_part(script, (IpProtocol::UDP, 1_000), &payload, 1_000..2_008);
    expect_datagram(script, socket, &data);
    script.assert_discarded(Discard::FragmentsEvicted, 997);
}

fn an_error_about_a_datagram_in_fragments_quotes_it(script: &Script) {
    let (_, payload) = datagram(2_000);
    send_part(script, UDP, &payload, 0..1_000);
    send_part(script, UDP, &payload, 1_000..2_008);
    let packet = script.expect_packet();
    let Some(Icmpv4Message::DestinationUnreachable {
        code: Icmpv4Unreachable::Port,
        quote,
        ..
    }) = packet.icmp()
    else {
        panic!("port unreachable was expected, not {packet:?}");
    };
    assert_eq!(quote.len(), 548);
    assert_eq!(quote[20..], payload[..528]);
}

fn echo(len: u32, reply: bool) -> Vec<u8> {
    let data = pattern(0..len);
    let (ident, seq, data) = (7, 1, &data[..]);
    let message = if reply {
        Icmpv4Message::EchoReply { ident, seq, data }
    } else {
        Icmpv4Message::EchoRequest { ident, seq, data }
    };
    let mut payload = vec![0; message.len()];
    message.emit(&mut payload);
    payload
}

fn a_long_echo_comes_back_in_fragments(script: &Script) {
    for len in [1_473, 2_952, 4_000, 65_507] {
        let request = echo(len, false);
        for range in parts(request.len(), 1_480) {
            send_part(script, (IpProtocol::ICMP, len as u16), &request, range);
        }
        let (reply, headers) = collect(script);
        assert!(reply == echo(len, true), "an echo of {len} bytes");
        assert_eq!(headers.len(), reply.len().div_ceil(1_480));
        for header in &headers {
            assert_eq!((header.src, header.dst), (TARGET, PEER));
            assert_eq!(header.ident, headers[0].ident);
            assert!(!header.dont_fragment);
        }
    }
}

fn a_long_datagram_is_sent_in_fragments(script: &Script) {
    let socket = script.udp_bind(7);
    for len in [1_473, 2_952, 2_953, 60_000, 65_507] {
        script.udp_send(socket, (PEER, 9), &pattern(0..len));
        let (payload, headers) = collect(script);
        let (src, dst) = (TARGET.into(), PEER.into());
        let (ports, data) =
            cygnet::wire::UdpHeader::parse(&payload, src, dst, true).expect("a datagram");
        assert_eq!((ports.src_port, ports.dst_port), (7, 9));
        assert!(data == pattern(0..len), "a datagram of {len} bytes");
        for header in &headers {
            assert_eq!(header.protocol, IpProtocol::UDP);
            assert_eq!((header.ident, header.hop_limit), (headers[0].ident, 64));
            assert!(!header.dont_fragment);
        }
    }
}

fn datagrams_have_identifications_of_their_own(script: &Script) {
    let socket = script.udp_bind(7);
    let mut idents = Vec::new();
    for _ in 0..20 {
        script.udp_send(socket, (PEER, 9), &[0; 3_000]);
        let (_, headers) = collect(script);
        idents.push(headers[0].ident);
    }
    idents.sort_unstable();
    idents.dedup();
    assert_eq!(idents.len(), 20);
}

/// Section 3.3.2.
fn rfc1122_the_sender_hears_when_the_rest_does_not_come(script: &Script) {
    let (_, payload) = datagram(2_000);
    send_part(script, UDP, &payload, 0..1_000);
    script.silence(Duration::from_secs(29));
    let packet = script.expect_packet_within(Duration::from_secs(1));
    let Some(Icmpv4Message::TimeExceeded {
        code: icmpv4::REASSEMBLY_TIME_EXCEEDED,
        quote,
    }) = packet.icmp()
    else {
        panic!("time exceeded was expected, not {packet:?}");
    };
    assert_eq!(quote[20..], payload[..528]);
    script.assert_discarded(Discard::ReassemblyTimeout, 1);
}

fn nobody_hears_when_the_start_did_not_come(script: &Script) {
    let (_, payload) = datagram(2_000);
    send_part(script, UDP, &payload, 1_000..2_008);
    script.silence(Duration::from_secs(120));
    script.assert_discarded(Discard::ReassemblyTimeout, 1);
    // Nor about an error.
    send_fragment(script, (IpProtocol::ICMP, 1), &[3; 16], |h| {
        h.more_fragments = true;
    });
    script.silence(Duration::from_secs(120));
    script.assert_discarded(Discard::ReassemblyTimeout, 2);
}

fn no_error_about_fragments_to_all(script: &Script) {
    let (_, payload) = datagram(2_000);
    let packet = packet(IpProtocol::UDP, &payload[..1_000], |h| {
        h.dst = core::net::Ipv4Addr::new(192, 168, 69, 255);
        h.dont_fragment = false;
        h.more_fragments = true;
    });
    let mut frame = to_target(EtherType::IPV4, &packet);
    frame[..6].fill(0xff);
    script.send_frame(&frame);
    script.silence(Duration::from_secs(120));
    script.assert_discarded(Discard::ReassemblyTimeout, 1);
}
