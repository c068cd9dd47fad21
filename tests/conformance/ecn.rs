//! Explicit congestion notification (RFC 3168), as Linux has it by default: where the peer asks for it.

use core::time::Duration;

use cygnet::wire::{Ecn, TcpFlags};
use cygnet_tests::script::{Peer, Script, Segment, SocketId, ack, data, syn, syn_ack};

use crate::stories::{MSS, PEER_PORT, PORT, established};

stories! {
    both:
        a_request_is_granted,
        a_plain_request_is_not,
        only_new_data_is_capable,
        an_echo_halves_the_window_once,
        a_mark_is_echoed_until_the_peer_has_reacted,
        a_mark_on_a_connection_without_is_ignored;
    "Linux reduces in steps of its own, and an acknowledgment of three segments lets out more":
        a_second_window_with_marks_is_a_second_reduction;
}

fn asking() -> Segment {
    syn()
        .only(TcpFlags::SYN | TcpFlags::ECE | TcpFlags::CWR)
        .mss(MSS)
}

fn agreed(script: &Script) -> (Peer<'_>, SocketId) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(asking());
    peer.expect(granted());
    peer.send(ack(1));
    (peer, script.accept(listener))
}

fn granted() -> Segment {
    syn_ack()
        .only(TcpFlags::SYN | TcpFlags::ACK | TcpFlags::ECE)
        .ecn(Ecn::NOT_ECT)
}

fn echoing(number: u32) -> Segment {
    ack(number).only(TcpFlags::ACK | TcpFlags::ECE)
}

/// The target's next segment: its first number, and whether it says that the window was reduced.
fn next_data(peer: &Peer<'_>) -> Option<(u32, bool)> {
    let heard = peer.next(Duration::from_millis(20))?;
    assert!(!heard.text.is_empty(), "{heard:?}");
    Some((heard.seq, heard.flags.contains(TcpFlags::CWR)))
}

// Requirement: RFC 9293 SHLD-8
fn a_request_is_granted(script: &Script) {
    let (peer, socket) = agreed(script);
    script.write(socket, 1..101);
    peer.expect(data(1..101).ecn(Ecn::ECT_0));
    peer.send(ack(101));
}

fn a_plain_request_is_not(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..101);
    peer.expect(data(1..101).ecn(Ecn::NOT_ECT));
    peer.send(ack(101));
}

fn only_new_data_is_capable(script: &Script) {
    let (peer, socket) = agreed(script);
    peer.send(data(1..11));
    peer.expect(ack(11).ecn(Ecn::NOT_ECT));
    script.write(socket, 1..101);
    peer.expect(data(1..101).ecn(Ecn::ECT_0));
    // It is lost.
    peer.expect_after(200..1_001, data(1..101).ecn(Ecn::NOT_ECT));
    peer.send(ack(101));
}

// Requirement: RFC 9293 SHLD-8
fn an_echo_halves_the_window_once(script: &Script) {
    let (peer, socket) = agreed(script);
    script.write(socket, 1..20_001);
    for n in 0..10 {
        peer.expect(data(1 + n * 1_000..1_001 + n * 1_000).ecn(Ecn::ECT_0));
    }
    // Ten segments are out, and a window of five is allowed from now on.
    let mut told = 0;
    let mut sent = 0;
    for n in 1..=10 {
        peer.send(echoing(1 + n * 1_000));
        while let Some((_, reduced)) = next_data(&peer) {
            sent += 1;
            told += u32::from(reduced);
        }
    }
    assert_eq!(told, 1, "the peer is told once");
    assert!(
        (4..=6).contains(&sent),
        "{sent} segments for ten acknowledged"
    );
}

fn a_second_window_with_marks_is_a_second_reduction(script: &Script) {
    let (peer, socket) = agreed(script);
    script.write(socket, 1..30_001);
    let mut end = 1;
    let mut told = 0;
    for n in 0..10 {
        peer.expect(data(1 + n * 1_000..1_001 + n * 1_000));
        end = 1_001 + n * 1_000;
    }
    for _ in 0..3 {
        let window = end;
        peer.send(echoing(window));
        while let Some(heard) = peer.next(Duration::from_millis(20)) {
            told += u32::from(heard.flags.contains(TcpFlags::CWR));
            end = heard.end();
        }
    }
    assert_eq!(told, 3);
}

// Requirement: RFC 9293 SHLD-8
fn a_mark_is_echoed_until_the_peer_has_reacted(script: &Script) {
    let (peer, _socket) = agreed(script);
    peer.send(data(1..1_001).ecn(Ecn::CE));
    peer.expect(echoing(1_001));
    peer.send(data(1_001..2_001).ecn(Ecn::ECT_0));
    peer.expect(echoing(2_001));
    let reacted = TcpFlags::ACK | TcpFlags::CWR;
    peer.send(data(2_001..3_001).only(reacted).ecn(Ecn::ECT_0));
    peer.expect(ack(3_001));
    // A mark on the very segment that says so is a new one.
    peer.send(data(3_001..4_001).only(reacted).ecn(Ecn::CE));
    peer.expect(echoing(4_001));
}

fn a_mark_on_a_connection_without_is_ignored(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(1..1_001).ecn(Ecn::CE));
    peer.expect(ack(1_001));
    script.write(socket, 1..1_001);
    peer.expect(data(1..1_001));
    peer.send(echoing(1_001));
    script.silence(Duration::from_millis(20));
    script.write(socket, 1_001..2_001);
    peer.expect(data(1_001..2_001));
    peer.send(ack(2_001));
}
