//! When the retransmission timer runs and what it does (RFC 6298), and what the congestion window lets
//! out (RFC 5681).

use core::time::Duration;

use cygnet_tests::script::{Peer, Script, SocketId, ack, data, syn, syn_ack};

use crate::stories::{MSS, PEER_PORT, PORT, established};

stories! {
    both:
        rfc6298_5_2_the_timer_stops_when_everything_is_acknowledged,
        rfc6298_5_7_a_repeated_syn_means_three_seconds,
        rfc5681_a_lost_syn_means_one_segment;
    "Linux measures in real time":
        rfc6298_5_3_an_acknowledgment_restarts_the_timer;
    "Linux waits for room for several":
        rfc5681_the_first_two_duplicates_let_new_segments_out;
    "Linux's undo looks at more":
        rfc5681_a_timeout_starts_over_with_one_segment;
    "the scripts turn it off in Linux":
        rfc5681_a_pause_restarts_the_window;
}

// Requirement: RFC 6298 5.2
fn rfc6298_5_2_the_timer_stops_when_everything_is_acknowledged(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..11);
    peer.expect(data(1..11));
    peer.send(ack(11));
    script.silence(Duration::from_millis(1_500));
}

// Requirement: RFC 6298 5.3
fn rfc6298_5_3_an_acknowledgment_restarts_the_timer(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..2_001);
    peer.expect(data(1..1_001));
    peer.expect(data(1_001..2_001));
    script.silence(Duration::from_millis(700));
    peer.send(ack(1_001));
    // SRTT = 700 ms, RTTVAR = 350 ms, from the acknowledgment on.
    peer.expect_after(2_100..2_101, data(1_001..2_001));
    peer.send(ack(2_001));
}

// Requirement: RFC 6298 5.7
fn rfc6298_5_7_a_repeated_syn_means_three_seconds(script: &Script) {
    let (peer, socket) = after_a_repeated_syn(script);
    script.write(socket, 1..101);
    peer.expect(data(1..101));
    peer.expect_after(3_000..3_001, data(1..101));
    peer.send(ack(101));
}

/// A connection of the target whose first SYN was lost, without timestamps.
fn after_a_repeated_syn(script: &Script) -> (Peer<'_>, SocketId) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    peer.expect_after(1_000..1_001, syn());
    peer.send(syn_ack().mss(MSS));
    peer.expect(ack(1));
    assert_eq!(script.connected(socket), Ok(()));
    (peer, socket)
}

// Requirement: RFC 5681 3.1d
fn rfc5681_a_lost_syn_means_one_segment(script: &Script) {
    let (peer, socket) = after_a_repeated_syn(script);
    script.write(socket, 1..3_001);
    peer.expect(data(1..1_001));
    if script.is_linux() {
        // One SYN may be lost by chance: the kernel starts slowly after the second.
        peer.expect(data(1_001..2_001));
        peer.expect(data(2_001..3_001));
    }
    script.silence(Duration::from_millis(20));
    peer.send(ack(1_001));
    script.ignore(Duration::ZERO);
}

/// Twelve segments are written, and ten are let out.
fn twelve_segments(script: &Script) -> (Peer<'_>, SocketId) {
    let (peer, socket) = established(script);
    script.write(socket, 1..12_001);
    for n in 0..10 {
        peer.expect(data(1 + n * 1_000..1_001 + n * 1_000));
    }
    (peer, socket)
}

// Requirement: RFC 5681 3.2c, 3.2d, 3.2e, 3.2h
fn rfc5681_the_first_two_duplicates_let_new_segments_out(script: &Script) {
    let (peer, socket) = twelve_segments(script);
    script.write(socket, 12_001..20_001);
    for start in [10_001, 11_001] {
        peer.send(ack(1));
        peer.expect(data(start..start + 1_000));
        script.silence(Duration::from_millis(5));
    }
    peer.send(ack(1));
    peer.expect(data(1..1_001));
    peer.send(ack(12_001));
    script.ignore(Duration::ZERO);
}

// Requirement: RFC 5681 3.1k, 3.1m
fn rfc5681_a_timeout_starts_over_with_one_segment(script: &Script) {
    // As many as are let out: with more to send, the first acknowledgment would let out new data, to find
    // out whether the timeout was right (RFC 5682).
    let (peer, socket) = established(script);
    script.write(socket, 1..10_001);
    for n in 0..10 {
        peer.expect(data(1 + n * 1_000..1_001 + n * 1_000));
    }
    peer.expect_after(1_000..1_001, data(1..1_001));
    script.silence(Duration::from_millis(20));
    peer.send(ack(1_001));
    peer.expect(data(1_001..2_001));
    peer.expect(data(2_001..3_001));
    script.silence(Duration::from_millis(20));
    peer.send(ack(10_001));
    script.ignore(Duration::ZERO);
}

// Requirement: RFC 5681 4.1a
fn rfc5681_a_pause_restarts_the_window(script: &Script) {
    let (peer, socket) = established(script);
    let mut sent = 1;
    while sent < 60_001 {
        script.write(socket, sent..sent + 20_000);
        while let Some(heard) = peer.next(Duration::ZERO) {
            sent = heard.end();
            peer.send(ack(sent));
        }
    }
    script.silence(Duration::from_secs(60));
    script.write(socket, sent..sent + 30_000);
    let mut burst = 0;
    while peer.next(Duration::ZERO).is_some() {
        burst += 1;
    }
    assert_eq!(burst, 10, "the initial window");
}
