//! After the end (RFC 9293, sections 3.4.2 and 3.6.1; RFC 6191).

use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::TcpFlags;
use cygnet_tests::script::{Peer, Script, ack, data, fin, reset, rst, syn, syn_ack};

use crate::stories::{MSS, PEER_PORT, PORT, established, established_timestamps};

stories! {
    both:
        a_fin_in_time_wait_is_acknowledged_again,
        rfc6191_a_syn_with_a_later_timestamp_opens_a_new_connection,
        rfc6191_a_later_timestamp_makes_up_for_an_earlier_number,
        rfc6191_the_same_timestamp_does_not_make_up_for_an_earlier_number,
        rfc6191_an_old_syn_is_acknowledged_and_opens_nothing,
        rfc1122_a_syn_with_a_later_number_opens_a_new_connection,
        rfc1337_a_reset_does_not_end_time_wait_unless_it_is_exact;
    "Linux has room for more than a test should fill":
        a_forgotten_connection_s_old_segments_do_not_get_into_its_successor;
}

/// The target closes first, so that it is the one to wait.
fn closed<'s>(
    script: &'s Script,
    (peer, socket): (Peer<'s>, cygnet_tests::script::SocketId),
) -> Peer<'s> {
    script.close(socket);
    peer.expect(fin(1).ack(1));
    peer.send(fin(1).ack(2));
    peer.expect(ack(2).seq(2));
    peer
}

fn a_fin_in_time_wait_is_acknowledged_again(script: &Script) {
    let peer = closed(script, established(script));
    peer.send(fin(1).ack(2));
    peer.expect(ack(2).seq(2));
}

// Requirement: RFC 9293 SHLD-4
fn rfc6191_a_syn_with_a_later_timestamp_opens_a_new_connection(script: &Script) {
    let peer = closed(script, established_timestamps(script));
    let later = peer.clock() + 2_000;
    let next = peer.again(1_000);
    next.send(syn().mss(MSS).ts(later, 0));
    next.expect(syn_ack().ts(0, later));
    next.send(ack(1).ts(later, 0));
    next.send(data(1..11).ts(later, 0));
    next.expect(ack(11).seq(1));
}

/// Starts over with a number from before those of the old connection.
fn earlier<'s>(peer: &Peer<'s>) -> Peer<'s> {
    peer.again(0_u32.wrapping_sub(100_000))
}

fn rfc6191_a_later_timestamp_makes_up_for_an_earlier_number(script: &Script) {
    let peer = closed(script, established_timestamps(script));
    let later = peer.clock() + 2_000;
    let next = earlier(&peer);
    next.send(syn().mss(MSS).ts(later, 0));
    next.expect(syn_ack().ts(0, later));
    next.send(rst(1));
}

fn rfc6191_the_same_timestamp_does_not_make_up_for_an_earlier_number(script: &Script) {
    let (peer, socket) = established_timestamps(script);
    let clock = peer.clock() + 10;
    script.close(socket);
    peer.expect(fin(1).ack(1));
    peer.send(fin(1).ack(2).ts(clock, 0));
    peer.expect(ack(2).seq(2).ts(0, clock));
    let next = earlier(&peer);
    next.send(syn().mss(MSS).ts(clock, 0));
    // It is the old connection that answers, with its own numbers.
    let answer = next.next(Duration::from_millis(500)).expect("an answer");
    assert!(!answer.flags.contains(TcpFlags::SYN), "{answer:?}");
    assert_eq!(answer.options.timestamps.map(|ts| ts.echo), Some(clock));
}

fn rfc6191_an_old_syn_is_acknowledged_and_opens_nothing(script: &Script) {
    let peer = closed(script, established_timestamps(script));
    let earlier = peer.clock() - 50_000;
    peer.send(syn().mss(MSS).ts(earlier, 0));
    peer.expect(ack(2).seq(2));
}

fn rfc1122_a_syn_with_a_later_number_opens_a_new_connection(script: &Script) {
    let peer = closed(script, established(script));
    let next = peer.again(100_000);
    next.send(syn().mss(MSS));
    next.expect(syn_ack());
    next.send(rst(1));
}

fn rfc1337_a_reset_does_not_end_time_wait_unless_it_is_exact(script: &Script) {
    let peer = closed(script, established(script));
    peer.send(rst(1_000_000));
    peer.send(fin(1).ack(2));
    peer.expect(ack(2).seq(2));
}

/// The table is full, and the oldest record had to go.
fn a_forgotten_connection_s_old_segments_do_not_get_into_its_successor(script: &Script) {
    let listener = script.listen(PORT);
    let connect = |peer: &Peer<'_>| {
        let clock = peer.clock();
        peer.send(syn().mss(MSS).ts(clock, 0));
        peer.expect(syn_ack().ts(0, clock));
        peer.send(ack(1));
        script.accept(listener)
    };
    let peer = script.peer(PEER_PORT, PORT);
    let (socket, old) = (connect(&peer), peer.clock());
    let peer = closed(script, (peer, socket));
    for port in 1..=1_100 {
        let other = script.peer(port, PORT);
        let socket = connect(&other);
        closed(script, (other, socket));
    }
    // Nobody knows the first any more.
    peer.send(fin(1).ack(2));
    peer.expect(reset(2));

    script.ignore(Duration::from_secs(1));
    // Its successor has nearly the same numbers.
    let next = peer.again(0);
    let socket = connect(&next);
    next.send(data(11..21).ts(old, 0));
    next.expect(ack(1).seq(1));
    next.send(data(1..11).ts(old, 0));
    script.silence(Duration::ZERO);
    script.assert_discarded(Discard::OldTimestamp, 2);
    script.nothing_to_read(socket);
    next.send(data(1..11));
    next.expect(ack(11).seq(1));
    script.read(socket, 1..11);
}
