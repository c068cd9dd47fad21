//! Timestamps (RFC 7323, sections 3 to 5).

use cygnet::Discard;
use cygnet_tests::script::{Script, ack, data, rst, syn, syn_ack};

use crate::stories::{MSS, PEER_PORT, PORT, established_timestamps};

stories! {
    both:
        every_segment_echoes_the_last_timestamp_in_order,
        a_segment_ahead_of_a_gap_does_not_change_the_echo,
        an_old_timestamp_is_acknowledged_and_dropped,
        a_reset_needs_no_fresh_timestamp,
        a_peer_without_timestamps_gets_none;
    "24 days are long in real time":
        rfc7323_a_timestamp_is_no_measure_after_24_days;
    "Linux takes segments without the timestamp that was agreed on":
        rfc7323_a_missing_timestamp_is_dropped;
}

// Requirement: RFC 9293 MUST-5; RFC 7323 3.2b, 3.2h
fn every_segment_echoes_the_last_timestamp_in_order(script: &Script) {
    let (peer, socket) = established_timestamps(script);
    let clock = peer.clock() + 10;
    peer.send(data(1..11).ts(clock, 0));
    peer.expect(ack(11).ts(0, clock));
    script.write(socket, 1..11);
    peer.expect(data(1..11).ts(0, clock));
    peer.send(ack(11).ts(clock, 0));
}

// Requirement: RFC 7323 4.3a
/// RFC 7323, section 4.3: the echo is of the segment that advanced the window, or came before it.
fn a_segment_ahead_of_a_gap_does_not_change_the_echo(script: &Script) {
    let (peer, _) = established_timestamps(script);
    let clock = peer.clock() + 10;
    peer.send(data(1..11).ts(clock, 0));
    peer.expect(ack(11).ts(0, clock));
    peer.send(data(21..31).ts(clock + 5, 0));
    peer.expect(ack(11).ts(0, clock));
    peer.send(data(11..21).ts(clock + 9, 0));
    peer.expect(ack(31).ts(0, clock + 9));
}

// Requirement: RFC 7323 5.3a
fn an_old_timestamp_is_acknowledged_and_dropped(script: &Script) {
    let (peer, socket) = established_timestamps(script);
    let old = peer.clock() - 10_000;
    peer.send(data(1..11).ts(old, 0));
    peer.expect(ack(1).seq(1));
    script.nothing_to_read(socket);
    script.assert_discarded(Discard::OldTimestamp, 1);
    peer.send(data(1..11));
    peer.expect(ack(11));
    script.read(socket, 1..11);
}

// Requirement: RFC 7323 5.2a
/// RFC 7323, section 5.2: a reset is not subject to PAWS.
fn a_reset_needs_no_fresh_timestamp(script: &Script) {
    let (peer, socket) = established_timestamps(script);
    peer.send(rst(1).no_ts());
    assert_eq!(
        script.read_failure(socket),
        cygnet_tests::script::Failure::Reset
    );
}

fn a_peer_without_timestamps_gets_none(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack().no_ts());
    peer.send(ack(1));
    script.write(script.accept(listener), 1..11);
    peer.expect(data(1..11).no_ts());
    peer.send(ack(11));
}

// Requirement: RFC 7323 3.2d, 3.2e
/// RFC 7323, section 3.2: "a TCP endpoint SHOULD silently drop the segment".
fn rfc7323_a_missing_timestamp_is_dropped(script: &Script) {
    let (peer, socket) = established_timestamps(script);
    peer.send(data(1..11).no_ts());
    script.nothing_to_read(socket);
    script.assert_discarded(Discard::MissingTimestamp, 1);
}

/// RFC 7323, section 5.5: after 24 days without a segment the peer's clock may have gone half around.
fn rfc7323_a_timestamp_is_no_measure_after_24_days(script: &Script) {
    let (peer, socket) = established_timestamps(script);
    let clock = peer.clock();
    peer.send(data(1..11).ts(clock, 0));
    peer.expect(ack(11).ts(0, clock));
    let day = core::time::Duration::from_secs(24 * 3_600);
    script.silence(day * 23);
    peer.send(data(11..21).ts(clock - 1, 0));
    peer.expect(ack(11).ts(0, clock));
    script.assert_discarded(Discard::OldTimestamp, 1);
    script.silence(day);
    peer.send(data(11..21).ts(clock - 1, 0));
    peer.expect(ack(21).ts(0, clock - 1));
    script.read(socket, 1..21);
}
