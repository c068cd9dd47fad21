//! What was lost is sent again (RFC 6298, RFC 5681, RFC 6582).

use core::time::Duration;

use cygnet_tests::script::{Failure, Peer, Script, SocketId, ack, data, syn, syn_ack};

use crate::stories::{MSS, PEER_PORT, PORT, established};

stories! {
    both:
        text_without_answer_is_sent_again_later_and_later,
        karn_the_doubled_timeout_lasts_until_a_round_trip_is_measured,
        the_third_duplicate_acknowledgment_retransmits_at_once,
        two_duplicate_acknowledgments_retransmit_nothing,
        rfc6582_a_partial_acknowledgment_retransmits_the_next_hole,
        a_syn_without_answer_is_sent_again,
        an_answered_syn_is_answered_again_and_again;
    "it takes Linux a quarter of an hour of real time":
        text_without_answer_is_given_up_in_the_end,
        must_23_a_syn_without_answer_is_given_up_after_three_minutes,
        must_23_an_answer_that_crossed_is_repeated_as_often,
        a_half_open_connection_is_given_up_after_a_minute;
}

// Requirement: RFC 6298 5a, 5.1, 5.4, 5.5, 5.6; RFC 2018 5b
fn text_without_answer_is_sent_again_later_and_later(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..101);
    peer.expect(data(1..101));
    // The first answer gives a round-trip time, or is the first second's guess.
    peer.expect_after(200..1_001, data(1..101));
    peer.expect_after(400..2_001, data(1..101));
    peer.send(ack(101));
    script.write(socket, 101..111);
    peer.expect(data(101..111));
    peer.send(ack(111));
}

fn karn_the_doubled_timeout_lasts_until_a_round_trip_is_measured(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..101);
    peer.expect(data(1..101));
    peer.send(ack(101));
    script.write(socket, 101..201);
    peer.expect(data(101..201));
    peer.expect_after(200..300, data(101..201));
    peer.expect_after(400..600, data(101..201));
    // Which of the three does it acknowledge?
    peer.send(ack(201));
    script.write(socket, 201..301);
    peer.expect(data(201..301));
    peer.expect_after(800..1_200, data(201..301));
    peer.send(ack(301));
    // Still unknown. This one was sent once.
    script.write(socket, 301..401);
    peer.expect(data(301..401));
    peer.send(ack(401));
    script.write(socket, 401..501);
    peer.expect(data(401..501));
    peer.expect_after(200..300, data(401..501));
    peer.send(ack(501));
}

/// Five full segments are on their way.
fn five_segments(script: &Script) -> (Peer<'_>, SocketId) {
    let (peer, socket) = established(script);
    script.write(socket, 1..5_001);
    for n in 0..5 {
        peer.expect(data(1 + n * 1_000..1_001 + n * 1_000));
    }
    (peer, socket)
}

// Requirement: RFC 5681 3.2c, 3.2h
fn the_third_duplicate_acknowledgment_retransmits_at_once(script: &Script) {
    let (peer, _) = five_segments(script);
    for _ in 0..3 {
        peer.send(ack(1));
    }
    peer.expect(data(1..1_001));
    peer.send(ack(5_001));
}

// Requirement: RFC 5681 3.2c
fn two_duplicate_acknowledgments_retransmit_nothing(script: &Script) {
    let (peer, _) = five_segments(script);
    peer.send(ack(1));
    peer.send(ack(1));
    script.silence(Duration::from_millis(20));
    peer.send(ack(5_001));
}

// Requirement: RFC 5681 4.3b
fn rfc6582_a_partial_acknowledgment_retransmits_the_next_hole(script: &Script) {
    let (peer, _) = five_segments(script);
    for _ in 0..3 {
        peer.send(ack(1));
    }
    peer.expect(data(1..1_001));
    peer.send(ack(2_001));
    peer.expect(data(2_001..3_001));
    peer.send(ack(5_001));
}

// Requirement: RFC 9293 MUST-22
fn a_syn_without_answer_is_sent_again(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    peer.expect_after(1_000..1_001, syn());
    peer.send(syn_ack());
    peer.expect(ack(1).seq(1));
    assert_eq!(script.connected(socket), Ok(()));
}

fn an_answered_syn_is_answered_again_and_again(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    // It is the first packet that needs the neighbor, and waits for it.
    peer.expect_after(1_000..1_021, syn_ack());
    // The peer asks again itself.
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(ack(1));
    script.accept(listener);
}

// Requirement: RFC 9293 MUST-20, SHLD-11
fn text_without_answer_is_given_up_in_the_end(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..101);
    let mut sent = 0;
    let mut waited = Duration::ZERO;
    let start = script.now();
    while let Some(heard) = peer.next(Duration::from_secs(121)) {
        if heard.text.is_empty() {
            break;
        }
        sent += 1;
        waited = script.now() - start;
    }
    assert_eq!(sent, 16, "once, and fifteen times again");
    assert!(
        waited >= Duration::from_secs(100),
        "R2 of SHLD-11: {waited:?}"
    );
    assert_eq!(script.read_failure(socket), Failure::TimedOut);
}

// Requirement: RFC 9293 MUST-23
fn must_23_a_syn_without_answer_is_given_up_after_three_minutes(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    let start = script.now();
    peer.expect(syn());
    while script.is_connecting(socket) {
        if let Some(heard) = peer.next(Duration::from_secs(61)) {
            assert_eq!(heard.seq, 0);
        }
    }
    assert!(script.now() - start >= Duration::from_secs(180));
    assert_eq!(script.connected(socket), Err(Failure::TimedOut));
}

fn must_23_an_answer_that_crossed_is_repeated_as_often(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    let mut repeated = 0;
    while script.is_connecting(socket) {
        let heard = peer.next(Duration::from_secs(61));
        // At last it says that it has given up.
        repeated += u32::from(heard.is_some_and(|heard| heard.seq == 0));
    }
    assert_eq!(repeated, 8);
    assert_eq!(script.connected(socket), Err(Failure::TimedOut));
}

fn a_half_open_connection_is_given_up_after_a_minute(script: &Script) {
    script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    for seconds in [1, 2, 4, 8, 16] {
        let millis = seconds * 1_000;
        peer.expect_after(millis..millis + 21, syn_ack());
    }
    script.silence(Duration::from_secs(60));
    peer.send(ack(1).seq(1));
    peer.expect(cygnet_tests::script::rst(1));
}
