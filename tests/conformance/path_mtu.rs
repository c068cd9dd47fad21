//! Routers that take shorter packets than the link (RFC 1191), and whoever pretends to be one (RFC 5927).

use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::{Icmpv4Message, Icmpv4Unreachable};
use cygnet_tests::script::{Peer, Script, SocketId, ack, data, icmp, syn, syn_ack};

use crate::stories::{PEER_PORT, PORT, established};

stories! {
    both:
        what_is_too_long_is_sent_again_at_once_in_shorter_segments,
        rfc5927_a_claim_about_a_number_not_in_flight_is_ignored,
        a_claim_that_is_not_narrower_is_ignored;
    "Linux tells its peers the path's MSS, and not its own link's as RFC 6691 has it":
        the_next_connection_knows_the_path;
    "Linux believes it at once":
        rfc5927_a_claim_against_what_arrived_needs_a_timeout,
        rfc5927_a_timeout_makes_no_other_claim_true;
    "Linux takes the packet's length for what fits, less one step of its own table":
        rfc1191_a_router_that_names_no_mtu_means_the_next_plateau;
    "Linux forgets when it likes":
        the_path_is_tried_anew_after_ten_minutes;
    "Linux has a minimum of its own, from its settings":
        a_claim_of_next_to_nothing_is_taken_for_552;
}

/// A router reports that the segment with number `seq` is longer than `mtu`.
fn too_long(script: &Script, peer: &Peer<'_>, seq: u32, mtu: u16) {
    let mut quote = peer.quote_of(seq);
    // The packet that it is about had 1000 bytes of text.
    quote[2..4].copy_from_slice(&1_040_u16.to_be_bytes());
    script.send_frame(&icmp(&Icmpv4Message::DestinationUnreachable {
        code: Icmpv4Unreachable::FragmentationNeeded,
        next_hop_mtu: mtu,
        quote: &quote,
    }));
}

/// Three full segments are on their way, the first of the connection.
fn three_segments(script: &Script) -> (Peer<'_>, SocketId) {
    let (peer, socket) = established(script);
    script.write(socket, 1..3_001);
    for n in 0..3 {
        peer.expect(data(1 + n * 1_000..1_001 + n * 1_000));
    }
    (peer, socket)
}

/// The numbers from 1 to 3000 come in segments of at most `longest` bytes, and at once.
fn expect_all_again(peer: &Peer<'_>, longest: usize) {
    let mut next = 1;
    while next < 3_001 {
        let heard = peer.next(Duration::from_millis(20)).expect("a segment");
        assert_eq!(heard.seq, next, "{heard:?}");
        assert!(!heard.text.is_empty() && heard.text.len() <= longest);
        next = heard.end();
    }
}

fn what_is_too_long_is_sent_again_at_once_in_shorter_segments(script: &Script) {
    let (peer, socket) = three_segments(script);
    too_long(script, &peer, 1, 640);
    expect_all_again(&peer, 600);
    peer.send(ack(3_001));
    script.write(socket, 3_001..4_001);
    peer.expect(data(3_001..3_601));
    peer.send(ack(3_601));
    peer.expect(data(3_601..4_001));
    peer.send(ack(4_001));
}

fn the_next_connection_knows_the_path(script: &Script) {
    let (peer, _) = three_segments(script);
    too_long(script, &peer, 1, 640);
    expect_all_again(&peer, 600);
    peer.send(ack(3_001));
    let second = script.peer(PEER_PORT + 1, PORT);
    let socket = script.connect(PEER_PORT + 1);
    // What the peer is told is what our link takes: its way to us may be wider.
    second.expect(syn().mss(1_460));
    second.send(syn_ack().mss(1_460));
    second.expect(ack(1).seq(1));
    assert_eq!(script.connected(socket), Ok(()));
    script.write(socket, 1..1_201);
    second.expect(data(1..601));
    second.expect(data(601..1_201));
    second.send(ack(1_201));
}

fn rfc5927_a_claim_about_a_number_not_in_flight_is_ignored(script: &Script) {
    let (peer, socket) = three_segments(script);
    peer.send(ack(3_001));
    too_long(script, &peer, 1, 640);
    too_long(script, &peer, 3_002, 640);
    script.silence(Duration::from_millis(20));
    script.assert_discarded(Discard::UnmatchedIcmp, 2);
    script.write(socket, 3_001..4_001);
    peer.expect(data(3_001..4_001));
    peer.send(ack(4_001));
}

fn a_claim_that_is_not_narrower_is_ignored(script: &Script) {
    let (peer, socket) = three_segments(script);
    too_long(script, &peer, 1, 1_500);
    script.silence(Duration::from_millis(20));
    peer.send(ack(3_001));
    script.write(socket, 3_001..4_001);
    peer.expect(data(3_001..4_001));
    peer.send(ack(4_001));
}

fn rfc5927_a_claim_against_what_arrived_needs_a_timeout(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..1_001);
    peer.expect(data(1..1_001));
    peer.send(ack(1_001));
    script.write(socket, 1_001..2_001);
    peer.expect(data(1_001..2_001));
    too_long(script, &peer, 1_001, 640);
    script.silence(Duration::from_millis(20));
    script.assert_discarded(Discard::UnmatchedIcmp, 1);
    // It is sent again, for the second time, because it really is too long.
    peer.expect_after(200..1_001, data(1_001..2_001));
    too_long(script, &peer, 1_001, 640);
    peer.expect(data(1_001..1_601));
    peer.send(ack(1_601));
    peer.expect(data(1_601..2_001));
    peer.send(ack(2_001));
}

/// RFC 5927, section 4.1: a claim is about data that was sent and is not acknowledged, whatever else speaks for it.
fn rfc5927_a_timeout_makes_no_other_claim_true(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..1_001);
    peer.expect(data(1..1_001));
    peer.send(ack(1_001));
    script.write(socket, 1_001..2_001);
    peer.expect(data(1_001..2_001));
    peer.expect_after(200..1_001, data(1_001..2_001));
    too_long(script, &peer, 1, 640);
    too_long(script, &peer, 2_002, 640);
    script.silence(Duration::from_millis(20));
    script.assert_discarded(Discard::UnmatchedIcmp, 2);
    // Nor is one that takes what our link takes narrower.
    too_long(script, &peer, 1_001, 1_500);
    script.silence(Duration::from_millis(20));
    script.assert_discarded(Discard::UnmatchedIcmp, 3);
    peer.send(ack(2_001));
}

fn rfc1191_a_router_that_names_no_mtu_means_the_next_plateau(script: &Script) {
    let (peer, _) = three_segments(script);
    too_long(script, &peer, 1, 0);
    // 1040 bytes did not pass; the next lower value in the table is 1006.
    expect_all_again(&peer, 966);
    peer.send(ack(3_001));
}

fn the_path_is_tried_anew_after_ten_minutes(script: &Script) {
    let (peer, socket) = three_segments(script);
    too_long(script, &peer, 1, 640);
    expect_all_again(&peer, 600);
    peer.send(ack(3_001));
    script.silence(Duration::from_secs(599));
    script.write(socket, 3_001..4_001);
    peer.expect(data(3_001..3_601));
    peer.send(ack(3_601));
    peer.expect(data(3_601..4_001));
    peer.send(ack(4_001));
    script.silence(Duration::from_secs(1));
    script.write(socket, 4_001..5_001);
    peer.expect(data(4_001..5_001));
    peer.send(ack(5_001));
}

fn a_claim_of_next_to_nothing_is_taken_for_552(script: &Script) {
    let (peer, _) = three_segments(script);
    too_long(script, &peer, 1, 68);
    expect_all_again(&peer, 512);
    peer.send(ack(3_001));
}
