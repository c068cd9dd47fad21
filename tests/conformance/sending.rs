//! When text goes out (RFC 9293, section 3.7; RFC 5681).

use core::time::Duration;

use cygnet_tests::script::{Script, SocketOption, ack, data, syn, syn_ack};

use crate::stories::{MSS, PEER_PORT, PORT, established};

stories! {
    both:
        nagle_holds_a_small_segment_while_another_is_unacknowledged,
        without_nagle_small_segments_go_at_once,
        segments_are_as_long_as_the_peer_takes,
        must_15_a_peer_without_mss_takes_536_bytes,
        timestamps_make_segments_shorter,
        rfc6928_the_initial_window_is_ten_segments;
}

// Requirement: RFC 9293 SHLD-7
fn nagle_holds_a_small_segment_while_another_is_unacknowledged(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..11);
    peer.expect(data(1..11));
    script.write(socket, 11..21);
    script.write(socket, 21..31);
    script.silence(Duration::from_millis(20));
    peer.send(ack(11));
    peer.expect(data(11..31));
    peer.send(ack(31));
}

// Requirement: RFC 9293 MUST-17
fn without_nagle_small_segments_go_at_once(script: &Script) {
    let (peer, socket) = established(script);
    script.set(socket, SocketOption::Nagle(false));
    script.write(socket, 1..11);
    peer.expect(data(1..11));
    script.write(socket, 11..21);
    peer.expect(data(11..21));
    peer.send(ack(21));
}

// Requirement: RFC 9293 MUST-14, SHLD-28
fn segments_are_as_long_as_the_peer_takes(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..3_001);
    for start in [1, 1_001, 2_001] {
        peer.expect(data(start..start + 1_000));
    }
    peer.send(ack(3_001));
}

// Requirement: RFC 9293 MUST-15
fn must_15_a_peer_without_mss_takes_536_bytes(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn());
    peer.expect(syn_ack());
    peer.send(ack(1));
    script.write(script.accept(listener), 1..1_073);
    peer.expect(data(1..537));
    peer.expect(data(537..1_073));
    peer.send(ack(1_073));
}

// Requirement: RFC 9293 MUST-16
/// RFC 6691: the options are taken off the segment, not off the MSS that was announced.
fn timestamps_make_segments_shorter(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    let clock = peer.clock();
    peer.send(syn().mss(MSS).ts(clock, 0));
    peer.expect(syn_ack().mss(1_460));
    peer.send(ack(1));
    script.write(script.accept(listener), 1..1_977);
    peer.expect(data(1..989));
    peer.expect(data(989..1_977));
    peer.send(ack(1_977));
}

// Requirement: RFC 9293 MUST-1; RFC 5681 3.1c
fn rfc6928_the_initial_window_is_ten_segments(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..20_001);
    for n in 0..10 {
        peer.expect(data(1 + n * 1_000..1_001 + n * 1_000));
    }
    script.silence(Duration::from_millis(20));
    peer.send(ack(10_001));
    for n in 10..20 {
        peer.expect(data(1 + n * 1_000..1_001 + n * 1_000));
    }
    peer.send(ack(20_001));
}
