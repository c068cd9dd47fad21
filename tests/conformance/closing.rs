//! How connections end (RFC 9293, section 3.6).

use cygnet_tests::script::{Failure, Script, ack, data, fin, reset};

use crate::stories::established;

stories! {
    both:
        the_target_closes_first_and_still_receives,
        the_peer_closes_first_and_still_receives,
        a_fin_goes_with_the_last_text,
        must_simultaneous_close,
        a_fin_ahead_of_a_gap_counts_when_the_gap_is_filled,
        rfc1122_text_after_close_is_answered_with_a_reset,
        abort_sends_a_reset,
        a_reset_in_close_wait_is_an_error,
        a_fin_without_answer_is_sent_again;
}

fn the_target_closes_first_and_still_receives(script: &Script) {
    let (peer, socket) = established(script);
    script.shutdown_write(socket);
    peer.expect(fin(1).ack(1));
    peer.send(ack(2));
    peer.send(data(1..101));
    peer.expect(ack(101).seq(2));
    script.read(socket, 1..101);
    peer.send(fin(101));
    peer.expect(ack(102).seq(2));
    script.read_end(socket);
}

// Requirement: RFC 9293 MUST-12
fn the_peer_closes_first_and_still_receives(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(fin(1));
    peer.expect(ack(2).seq(1));
    script.read_end(socket);
    script.write(socket, 1..101);
    peer.expect(data(1..101).ack(2));
    peer.send(ack(101));
    script.close(socket);
    peer.expect(fin(101).ack(2));
    peer.send(ack(102));
    // LAST-ACK is over: nobody knows the connection any more.
    peer.send(ack(102));
    peer.expect(reset(102));
}

fn a_fin_goes_with_the_last_text(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(1..101).with_fin());
    peer.expect(ack(102).seq(1));
    script.read(socket, 1..101);
    script.read_end(socket);
}

/// RFC 9293, section 3.6, figure 13.
fn must_simultaneous_close(script: &Script) {
    let (peer, socket) = established(script);
    script.shutdown_write(socket);
    peer.expect(fin(1).ack(1));
    peer.send(fin(1).ack(1));
    peer.expect(ack(2).seq(2));
    peer.send(ack(2));
    script.read_end(socket);
    // TIME-WAIT: a FIN that comes again is acknowledged again.
    peer.send(fin(1).ack(2));
    peer.expect(ack(2).seq(2));
}

fn a_fin_ahead_of_a_gap_counts_when_the_gap_is_filled(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(fin(101));
    peer.expect(ack(1));
    script.nothing_to_read(socket);
    peer.send(data(1..101));
    peer.expect(ack(102));
    script.read(socket, 1..101);
    script.read_end(socket);
}

// Requirement: RFC 9293 SHLD-3
/// RFC 1122, section 4.2.2.13: "its TCP SHOULD send a RST to show that data was lost".
fn rfc1122_text_after_close_is_answered_with_a_reset(script: &Script) {
    let (peer, socket) = established(script);
    script.close(socket);
    peer.expect(fin(1).ack(1));
    peer.send(ack(2));
    peer.send(data(1..11));
    peer.expect(reset(2));
}

fn abort_sends_a_reset(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..11);
    peer.expect(data(1..11));
    script.abort(socket);
    peer.expect(reset(11));
    peer.send(ack(11));
    peer.expect(reset(11));
}

fn a_reset_in_close_wait_is_an_error(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(fin(1));
    peer.expect(ack(2));
    script.read_end(socket);
    peer.send(cygnet_tests::script::rst(2));
    let failure = script.write_some(socket, 1, 10).unwrap_err();
    // The kernel says EPIPE: the peer had closed before.
    assert!(
        matches!(failure, Failure::Reset | Failure::Closed),
        "{failure}"
    );
}

fn a_fin_without_answer_is_sent_again(script: &Script) {
    let (peer, socket) = established(script);
    script.shutdown_write(socket);
    peer.expect(fin(1).ack(1));
    peer.expect_after(200..1_100, fin(1).ack(1));
    peer.send(ack(2));
}
