//! How connections begin (RFC 9293, section 3.5).

use cygnet_tests::script::{Failure, Script, ack, data, fin, rst, rst_ack, syn, syn_ack};

use crate::stories::{MSS, PEER_PORT, PORT, established};

stories! {
    both:
        passive_open,
        active_open,
        the_syn_carries_its_options_in_the_usual_order,
        the_answer_repeats_only_what_was_offered,
        a_closed_port_resets_a_syn,
        a_closed_port_resets_an_acknowledgment_with_its_number,
        a_refusal_ends_the_attempt,
        must_10_simultaneous_open,
        text_ahead_of_a_lost_acknowledgment_completes_the_handshake,
        text_in_the_acknowledgment_of_the_handshake_is_taken;
}

// Requirement: RFC 9293 MUST-2, MUST-60
fn passive_open(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(1..101));
    peer.expect(ack(101).seq(1));
    script.read(socket, 1..101);
    script.write(socket, 1..201);
    peer.expect(data(1..201).ack(101));
    peer.send(ack(201));
}

fn active_open(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    peer.send(syn_ack().mss(MSS));
    peer.expect(ack(1).seq(1));
    assert_eq!(script.connected(socket), Ok(()));
    script.write(socket, 1..101);
    peer.expect(data(1..101).ack(1));
    peer.send(ack(101));
}

// Requirement: RFC 9293 MUST-14, MUST-67, SHLD-5; RFC 7323 3.2g
/// As Linux and most others order them: middleboxes and fingerprints know no other way.
fn the_syn_carries_its_options_in_the_usual_order(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    script.connect(PEER_PORT);
    let heard = peer.expect(syn().mss(1_460).sack_ok());
    // MSS, SACK-permitted, timestamps, NOP, window scale.
    assert_eq!(heard.option_kinds, [2, 4, 8, 1, 3]);
    assert_eq!(heard.options.timestamps.map(|ts| ts.echo), Some(0));
    peer.send(rst_ack(0, 1));
}

// Requirement: RFC 7323 2.2c, 3.2a; RFC 2018 2b
/// RFC 7323, sections 1.3 and 3.2; RFC 2018, section 2.
fn the_answer_repeats_only_what_was_offered(script: &Script) {
    script.listen(PORT);
    let plain = script.peer(PEER_PORT, PORT);
    plain.send(syn());
    assert_eq!(plain.expect(syn_ack().mss(1_460)).option_kinds, [2]);
    plain.send(rst(1));

    let full = script.peer(PEER_PORT + 1, PORT);
    full.send(syn().mss(MSS).sack_ok().ts(77, 0).wscale(2));
    let heard = full.expect(syn_ack().mss(1_460).sack_ok().ts(0, 77));
    assert_eq!(heard.option_kinds, [2, 4, 8, 1, 3]);
    full.send(rst(1));
}

/// RFC 9293, section 3.10.7.1: sequence number zero, and the SYN acknowledged.
fn a_closed_port_resets_a_syn(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn());
    peer.expect(rst_ack(0, 1));
}

/// RFC 9293, section 3.10.7.1: the reset takes its number from the acknowledgment.
fn a_closed_port_resets_an_acknowledgment_with_its_number(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(ack(4_711).seq(1));
    peer.expect(rst(4_711));
    peer.send(fin(1).ack(5_000));
    peer.expect(rst(5_000));
    peer.send(rst(1));
}

fn a_refusal_ends_the_attempt(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    peer.send(rst_ack(0, 1));
    assert_eq!(script.connected(socket), Err(Failure::Refused));
}

// Requirement: RFC 9293 MUST-10
/// RFC 9293, section 3.5, figure 8.
fn must_10_simultaneous_open(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(syn_ack().mss(MSS));
    if script.is_linux() {
        // It answers the repeated SYN, which the RFC neither asks for nor forbids.
        peer.expect(ack(1).seq(1));
    }
    assert_eq!(script.connected(socket), Ok(()));
    script.write(socket, 1..11);
    peer.expect(data(1..11).ack(1));
    peer.send(ack(11));
}

/// RFC 9293, section 3.10.7.4, SYN-RECEIVED: whatever is acceptable, and nothing else.
fn text_ahead_of_a_lost_acknowledgment_completes_the_handshake(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(ack(1).seq(100_001));
    peer.expect(ack(1).seq(1));
    peer.send(data(101..201).ack(1));
    peer.expect(ack(1).seq(1));
    let socket = script.accept(listener);
    peer.send(data(1..101).ack(1));
    peer.expect(ack(201).seq(1));
    script.read(socket, 1..201);
}

fn text_in_the_acknowledgment_of_the_handshake_is_taken(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(data(1..101).ack(1));
    peer.expect(ack(101).seq(1));
    let socket = script.accept(listener);
    script.read(socket, 1..101);
}
