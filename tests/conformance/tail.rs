//! Selective acknowledgments in use (RFC 2018, RFC 6675), and probes of the tail (RFC 8985, section 7).

use core::time::Duration;

use cygnet_tests::script::{Peer, Script, SocketId, ack, data};

use crate::stories::established_sack;

stories! {
    both:
        rfc6675_holes_are_filled_and_nothing_else_is_repeated,
        rfc8985_a_silent_tail_is_probed_with_its_last_segment;
    "Linux has measured the handshake, too":
        rfc6675_recovery_ends_and_the_window_grows_again,
        rfc8985_a_segment_sent_before_one_that_arrived_is_lost_in_the_end,
        rfc8985_a_single_segment_waits_for_a_delayed_acknowledgment,
        rfc8985_a_probe_is_new_text_where_there_is_some,
        rfc8985_only_one_probe_is_out_before_the_timeout,
        rfc8985_a_probe_is_followed_by_no_other;
    "Linux undoes what it finds needless":
        rfc8985_a_loss_that_a_probe_repaired_is_congestion;
}

/// A peer that reports what arrived, a round trip of 50 ms away: 1,000 bytes are acknowledged.
fn measured(script: &Script) -> (Peer<'_>, SocketId) {
    let (peer, socket) = established_sack(script);
    script.write(socket, 1..1_001);
    peer.expect(data(1..1_001));
    script.silence(Duration::from_millis(50));
    peer.send(ack(1_001));
    (peer, socket)
}

fn segments(script: &Script, peer: &Peer<'_>, socket: SocketId, count: u32) {
    script.write(socket, 1_001..1_001 + count * 1_000);
    for n in 1..=count {
        peer.expect(data(1 + n * 1_000..1_001 + n * 1_000));
    }
}

// Requirement: RFC 2018 5c, 8a; RFC 6675 5a, 5f, 5g; RFC 8985 3a, 6.2d
fn rfc6675_holes_are_filled_and_nothing_else_is_repeated(script: &Script) {
    let (peer, socket) = measured(script);
    segments(script, &peer, socket, 5);
    if !script.is_linux() {
        // It has measured the handshake, too, and would probe.
        script.silence(Duration::from_millis(20));
    }
    peer.send(ack(1_001).sack(2_001..3_001));
    peer.send(ack(1_001).sack(2_001..4_001));
    peer.send(ack(1_001).sack(2_001..5_001));
    peer.expect(data(1_001..2_001));
    script.silence(Duration::from_millis(5));
    peer.send(ack(6_001));
    script.silence(Duration::from_millis(300));
}

// Requirement: RFC 6675 5d
fn rfc6675_recovery_ends_and_the_window_grows_again(script: &Script) {
    let (peer, socket) = measured(script);
    segments(script, &peer, socket, 5);
    script.silence(Duration::from_millis(20));
    for end in [3_001, 4_001, 5_001] {
        peer.send(ack(1_001).sack(2_001..end));
    }
    peer.expect(data(1_001..2_001));
    peer.send(ack(6_001));
    script.write(socket, 6_001..30_001);
    let (mut bursts, mut end) = (Vec::new(), 6_001);
    for _ in 0..4 {
        let mut burst = 0;
        while let Some(heard) = peer.next(Duration::ZERO) {
            (burst, end) = (burst + 1, heard.end());
        }
        bursts.push(burst);
        script.silence(Duration::from_millis(50));
        peer.send(ack(end));
    }
    script.ignore(Duration::ZERO);
    assert!(bursts[3] >= bursts[0] + 2, "{bursts:?}");
}

// Requirement: RFC 8985 3b, 6.2c, 6.2e
fn rfc8985_a_segment_sent_before_one_that_arrived_is_lost_in_the_end(script: &Script) {
    let (peer, socket) = measured(script);
    segments(script, &peer, socket, 2);
    script.silence(Duration::from_millis(20));
    // One report is no proof, but time is.
    peer.send(ack(1_001).sack(2_001..3_001));
    peer.expect_after(1..60, data(1_001..2_001));
    peer.send(ack(3_001));
}

// Requirement: RFC 8985 7.2a, 7.3a; RFC 6298 3b
fn rfc8985_a_silent_tail_is_probed_with_its_last_segment(script: &Script) {
    let (peer, socket) = measured(script);
    segments(script, &peer, socket, 3);
    let earliest = if script.is_linux() { 0 } else { 100 };
    peer.expect_after(earliest..130, data(3_001..4_001));
    peer.send(ack(4_001));
}

// Requirement: RFC 8985 7.2b
fn rfc8985_a_single_segment_waits_for_a_delayed_acknowledgment(script: &Script) {
    let (peer, socket) = measured(script);
    segments(script, &peer, socket, 1);
    peer.expect_after(150..160, data(1_001..2_001));
    peer.send(ack(2_001));
}

// Requirement: RFC 8985 7.3b
fn rfc8985_a_probe_is_new_text_where_there_is_some(script: &Script) {
    let (peer, socket) = measured(script);
    // The acknowledgment of the first has opened the window to ten or eleven segments.
    script.write(socket, 1_001..20_001);
    let mut end = 1_001;
    while let Some(heard) = peer.next(Duration::ZERO) {
        end = heard.end();
    }
    peer.expect_after(100..130, data(end..end + 1_000));
    peer.send(ack(end + 1_000));
    script.ignore(Duration::ZERO);
}

// Requirement: RFC 8985 7.3c
fn rfc8985_only_one_probe_is_out_before_the_timeout(script: &Script) {
    let (peer, socket) = measured(script);
    segments(script, &peer, socket, 3);
    peer.expect_after(100..130, data(3_001..4_001));
    // The timeout counts from the probe.
    peer.expect_after(200..201, data(1_001..2_001));
    peer.send(ack(4_001));
}

// Requirement: RFC 8985 7.3d
fn rfc8985_a_probe_is_followed_by_no_other(script: &Script) {
    let (peer, socket) = measured(script);
    segments(script, &peer, socket, 3);
    peer.expect_after(100..130, data(3_001..4_001));
    // Part of it is acknowledged: what else is out is left to the timeout.
    peer.send(ack(2_001));
    let again = peer.next(Duration::from_secs(2)).expect("a timeout");
    assert_eq!(again.seq, 2_001);
    peer.send(ack(4_001));
}

// Requirement: RFC 8985 7.4a
fn rfc8985_a_loss_that_a_probe_repaired_is_congestion(script: &Script) {
    let (peer, socket) = measured(script);
    segments(script, &peer, socket, 8);
    script.silence(Duration::from_millis(40));
    // All but the last arrive.
    peer.send(ack(8_001));
    let probe = peer.next(Duration::from_millis(200)).expect("a probe");
    assert_eq!(probe.seq, 8_001);
    script.silence(Duration::from_millis(50));
    peer.send(ack(9_001));
    script.write(socket, 9_001..40_001);
    let mut burst = 0;
    while peer.next(Duration::ZERO).is_some() {
        burst += 1;
    }
    assert!(
        burst <= 3,
        "{burst} segments of a window that should be reduced"
    );
}
