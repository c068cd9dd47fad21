//! Which segments count (RFC 9293, section 3.10.7.4, with the cautions of RFC 5961).

use core::time::Duration;

use cygnet::Discard;
use cygnet_tests::script::{
    Failure, Peer, Script, SocketId, ack, data, rst, rst_ack, syn, syn_ack, urgent,
};

use crate::stories::{MSS, PEER_PORT, PORT, established};

stories! {
    both:
        text_beyond_the_window_is_acknowledged_and_dropped,
        rfc5961_an_exact_reset_ends_the_connection,
        rfc5961_a_reset_elsewhere_in_the_window_is_challenged,
        a_reset_outside_the_window_is_ignored,
        rfc5961_a_syn_in_the_window_is_challenged,
        rfc5961_a_syn_outside_the_window_is_challenged,
        rfc5961_an_acknowledgment_too_old_is_challenged,
        an_old_acknowledgment_within_reach_is_harmless,
        a_segment_without_ack_is_dropped,
        a_wrong_checksum_is_dropped,
        an_unacceptable_acknowledgment_in_syn_sent_is_reset,
        a_reset_in_syn_sent_that_acknowledges_nothing_of_ours_is_ignored;
    "Linux drops it without the answer that RFC 9293, section 3.10.7.4, fifth, asks for":
        an_acknowledgment_of_what_was_not_sent_is_answered;
    "Linux takes the urgent byte out of the stream unless SO_OOBINLINE is set":
        rfc6093_urgent_text_stays_in_line;
    "Linux limits its challenges by other rules":
        rfc5961_challenges_are_limited;
}

/// That the connection goes on as if nothing had happened.
fn lives(script: &Script, peer: &Peer<'_>, socket: SocketId) {
    script.write(socket, 1..11);
    peer.expect(data(1..11).ack(1));
    peer.send(ack(11));
}

fn text_beyond_the_window_is_acknowledged_and_dropped(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(500_000..500_010).ack(1));
    peer.expect(ack(1).seq(1));
    script.nothing_to_read(socket);
    script.assert_discarded(Discard::OutOfWindow, 1);
}

// Requirement: RFC 9293 MUST-12; RFC 5961 3.2b
fn rfc5961_an_exact_reset_ends_the_connection(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(rst(1));
    assert_eq!(script.read_failure(socket), Failure::Reset);
    peer.send(ack(1).seq(1));
    peer.expect(rst(1));
}

// Requirement: RFC 5961 3.2c, 3.2d
fn rfc5961_a_reset_elsewhere_in_the_window_is_challenged(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(rst(2));
    peer.expect(ack(1).seq(1));
    lives(script, &peer, socket);
    script.assert_discarded(Discard::InexactReset, 1);
}

// Requirement: RFC 5961 3.2a
fn a_reset_outside_the_window_is_ignored(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(rst(0));
    peer.send(rst(500_000));
    script.silence(Duration::from_millis(20));
    lives(script, &peer, socket);
}

// Requirement: RFC 5961 4.2a, 4.2b
fn rfc5961_a_syn_in_the_window_is_challenged(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(syn().seq(10).mss(MSS));
    peer.expect(ack(1).seq(1));
    // What the SYN stood for is not counted as sent.
    peer.send(data(1..11));
    peer.expect(ack(11));
    script.read(socket, 1..11);
}

// Requirement: RFC 5961 4.2a
fn rfc5961_a_syn_outside_the_window_is_challenged(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(syn().seq(0).mss(MSS));
    peer.expect(ack(1).seq(1));
    lives(script, &peer, socket);
}

// Requirement: RFC 5961 5.2a
fn an_acknowledgment_of_what_was_not_sent_is_answered(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(1..11).ack(1_000));
    peer.expect(ack(1).seq(1));
    script.nothing_to_read(socket);
    script.assert_discarded(Discard::BadAck, 1);
}

// Requirement: RFC 5961 5.2a
fn rfc5961_an_acknowledgment_too_old_is_challenged(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    // MAX.SND.WND, which is how old an acknowledgment may be.
    peer.set_window(2_000);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(ack(1));
    let socket = script.accept(listener);
    for start in [1, 1_001, 2_001, 3_001] {
        script.write(socket, start..start + 1_000);
        peer.expect(data(start..start + 1_000));
        peer.send(ack(start + 1_000));
    }
    peer.send(data(1..11).ack(2_000));
    peer.expect(ack(1).seq(4_001));
    script.nothing_to_read(socket);
    peer.send(data(1..11).ack(2_001));
    peer.expect(ack(11).seq(4_001));
    script.read(socket, 1..11);
}

fn an_old_acknowledgment_within_reach_is_harmless(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..101);
    peer.expect(data(1..101));
    peer.send(ack(101));
    peer.send(ack(51));
    peer.send(data(1..11).ack(51));
    peer.expect(ack(11).seq(101));
    script.read(socket, 1..11);
}

fn a_segment_without_ack_is_dropped(script: &Script) {
    let (peer, socket) = established(script);
    let mut without = data(1..11);
    without = without.only(cygnet::wire::TcpFlags::PSH);
    peer.send(without);
    script.silence(Duration::from_millis(20));
    script.nothing_to_read(socket);
    script.assert_discarded(Discard::MissingAck, 1);
}

// Requirement: RFC 9293 MUST-3
fn a_wrong_checksum_is_dropped(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(1..11).corrupted());
    script.silence(Duration::from_millis(20));
    script.nothing_to_read(socket);
    script.assert_discarded(Discard::BadChecksum, 1);
    peer.send(data(1..11));
    peer.expect(ack(11));
    script.read(socket, 1..11);
}

/// RFC 9293, section 3.10.7.3, first.
fn an_unacceptable_acknowledgment_in_syn_sent_is_reset(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    peer.send(syn_ack().ack(5));
    peer.expect(rst(5));
    asks_again(script, &peer);
    assert!(script.is_connecting(socket));
    peer.send(syn_ack());
    peer.expect(ack(1).seq(1));
    assert_eq!(script.connected(socket), Ok(()));
}

/// The kernel takes such an answer as a sign that an old connection is gone now, and asks again at once.
fn asks_again(script: &Script, peer: &Peer<'_>) {
    if script.is_linux() {
        peer.expect(syn());
    }
}

/// RFC 9293, section 3.10.7.3, second.
fn a_reset_in_syn_sent_that_acknowledges_nothing_of_ours_is_ignored(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    peer.send(rst_ack(0, 5));
    asks_again(script, &peer);
    peer.send(rst(0));
    script.silence(Duration::from_millis(20));
    assert!(script.is_connecting(socket));
    peer.send(syn_ack());
    peer.expect(ack(1).seq(1));
}

// Requirement: RFC 9293 MUST-30, MUST-31
fn rfc6093_urgent_text_stays_in_line(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(urgent(1..101, 50));
    peer.expect(ack(101));
    script.read(socket, 1..101);
}

// Requirement: RFC 5961 7a
/// RFC 5961, section 7.
fn rfc5961_challenges_are_limited(script: &Script) {
    let (peer, _) = established(script);
    for _ in 0..100 {
        peer.send(syn().seq(10));
    }
    peer.expect(ack(1).seq(1));
    script.silence(Duration::from_millis(499));
    peer.send(syn().seq(10));
    script.silence(Duration::from_millis(1));
    peer.send(syn().seq(10));
    peer.expect(ack(1).seq(1));
}
