//! Peers that fall silent, and listeners that are full (RFC 9293, sections 3.8.4 and 3.9.1).

use core::time::Duration;

use cygnet::Discard;
use cygnet_tests::script::{
    Failure, Script, SocketOption, SocketOptions, ack, data, reset, syn, syn_ack,
};

use crate::stories::{MSS, PEER_PORT, PORT, established};

stories! {
    both:
        a_silent_peer_is_probed_with_the_number_before_the_next,
        a_peer_that_spoke_is_probed_an_interval_later,
        a_peer_that_answers_no_probe_is_given_up,
        a_syn_beyond_the_backlog_is_dropped_without_a_word;
    "Linux looks at the user timeout only when a retransmission is due":
        the_user_timeout_ends_a_connection;
    "Linux keeps such connections half open":
        the_backlog_has_room_again_after_accept;
}

// Requirement: RFC 9293 MUST-24, MUST-27, SHLD-12
fn a_silent_peer_is_probed_with_the_number_before_the_next(script: &Script) {
    let (peer, socket) = established(script);
    script.set(socket, SocketOption::KeepAlive(Duration::from_secs(1)));
    for _ in 0..2 {
        peer.expect_after(1_000..1_001, ack(1).seq(0));
        peer.send(ack(1));
    }
    script.write(socket, 1..11);
    peer.expect(data(1..11));
    peer.send(ack(11));
    peer.expect_after(1_000..1_001, ack(1).seq(10));
    peer.send(ack(11));
}

/// RFC 9293, section 3.8.4: only where "no data or acknowledgment packets have been received for the connection within
/// an interval" (MUST-26).
fn a_peer_that_spoke_is_probed_an_interval_later(script: &Script) {
    let (peer, socket) = established(script);
    script.set(socket, SocketOption::KeepAlive(Duration::from_secs(1)));
    script.silence(Duration::from_millis(600));
    peer.send(ack(1));
    peer.expect_after(1_000..1_001, ack(1).seq(0));
    peer.send(ack(1));
    peer.expect_after(1_000..1_001, ack(1).seq(0));
    peer.send(ack(1));
}

// Requirement: RFC 9293 MUST-29
fn a_peer_that_answers_no_probe_is_given_up(script: &Script) {
    let (peer, socket) = established(script);
    script.set(socket, SocketOption::KeepAliveProbes(2));
    script.set(socket, SocketOption::KeepAlive(Duration::from_secs(1)));
    peer.expect_after(1_000..1_001, ack(1).seq(0));
    peer.expect_after(1_000..1_001, ack(1).seq(0));
    peer.expect_after(1_000..1_001, reset(1));
    assert_eq!(script.read_failure(socket), Failure::TimedOut);
}

// Requirement: RFC 9293 MUST-21
fn the_user_timeout_ends_a_connection(script: &Script) {
    let (peer, socket) = established(script);
    script.set(socket, SocketOption::UserTimeout(Duration::from_secs(5)));
    let start = script.now();
    script.write(socket, 1..11);
    loop {
        let heard = peer
            .next(Duration::from_secs(6))
            .expect("a reset in the end");
        if heard.text.is_empty() {
            break;
        }
    }
    assert_eq!(script.now() - start, Duration::from_secs(5));
    assert_eq!(script.read_failure(socket), Failure::TimedOut);
}

fn one() -> SocketOptions {
    SocketOptions {
        backlog: 1,
        ..SocketOptions::default()
    }
}

fn a_syn_beyond_the_backlog_is_dropped_without_a_word(script: &Script) {
    let listener = script.listen_with(PORT, &one());
    let first = script.peer(PEER_PORT, PORT);
    first.send(syn().mss(MSS));
    first.expect(syn_ack());
    first.send(ack(1));
    let second = script.peer(PEER_PORT + 1, PORT);
    second.send(syn().mss(MSS));
    script.silence(Duration::from_millis(50));
    script.assert_discarded(Discard::BacklogFull, 1);
    let socket = script.accept(listener);
    script.write(socket, 1..11);
    first.expect(data(1..11));
    first.send(ack(11));
}

fn the_backlog_has_room_again_after_accept(script: &Script) {
    let listener = script.listen_with(
        PORT,
        &SocketOptions {
            backlog: 2,
            ..SocketOptions::default()
        },
    );
    for n in 0..2 {
        let peer = script.peer(PEER_PORT + n, PORT);
        peer.send(syn().mss(MSS));
        peer.expect(syn_ack());
        peer.send(ack(1));
    }
    let third = script.peer(PEER_PORT + 2, PORT);
    third.send(syn().mss(MSS));
    script.silence(Duration::from_millis(1));
    let socket = script.accept(listener);
    script.abort(socket);
    script.ignore(Duration::ZERO);
    third.send(syn().mss(MSS));
    third.expect(syn_ack());
    third.send(ack(1));
    script.accept(listener);
    script.accept(listener);
}
