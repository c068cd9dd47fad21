//! What is lost is found by what arrives (RFC 8985, RFC 6675, RFC 9937), and what was not lost after all is
//! found out (RFC 2883, RFC 3522, RFC 3708, RFC 5682).

use core::time::Duration;

use cygnet_tests::script::{Peer, Script, SocketId, ack, data, syn, syn_ack};

use crate::stories::{MSS, PEER_PORT, PORT};

stories! {
    both:
        rfc6675_three_segments_above_a_hole_are_enough,
        rfc6675_every_hole_is_sent_again,
        rfc8985_6_2_a_segment_that_is_overtaken_has_a_quarter_of_a_round_trip,
        rfc8985_6_2_a_segment_that_is_late_is_not_sent_again,
        rfc8985_6_2_a_lost_retransmission_is_found_by_what_was_sent_after_it,
        rfc8985_7_3_a_lost_tail_is_probed_with_its_last_segment,
        rfc8985_7_3_a_probe_is_new_data_if_there_is_some,
        rfc9937_half_as_much_goes_out_as_arrives,
        rfc3708_a_duplicate_report_restores_the_window,
        rfc3522_an_echo_from_before_the_retransmission_restores_the_window,
        rfc3522_an_echo_from_before_the_retransmission_shows_that_the_path_reorders,
        rfc5682_after_an_early_timeout_nothing_more_is_sent_again,
        rfc5682_after_a_real_timeout_the_rest_is_sent_again;
    "Linux waits for the retransmission timer":
        a_retransmission_without_answer_is_sent_again_after_a_round_trip_and_a_quarter,
        a_second_silence_must_last_twice_as_long,
        after_a_timeout_only_an_answer_brings_probes_back;
    "Linux counts what is overtaken by three segments or fewer as if it were not":
        a_window_on_a_path_that_reorders_grows_with_what_arrives;
    "Linux takes it for a round trip":
        the_echo_of_a_copy_that_had_arrived_before_is_no_round_trip;
}

/// A round trip that is long against what a kernel's timers round to, and short against its timeouts.
const RTT: Duration = Duration::from_millis(40);

/// A connection whose both ends know [`RTT`], with `segments` of a thousand bytes written.
fn under_way(script: &Script, segments: u32, timestamps: bool) -> (Peer<'_>, SocketId) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    let request = syn().mss(MSS).sack_ok();
    peer.send(match timestamps {
        true => request.mss(MSS + 12).ts(peer.clock(), 0),
        false => request,
    });
    peer.expect(syn_ack().sack_ok());
    script.silence(RTT);
    peer.send(ack(1));
    let socket = script.accept(listener);
    script.write(socket, 1..2);
    peer.expect(data(1..2));
    script.silence(RTT);
    peer.send(ack(2));
    script.write(socket, 2..2 + 1_000 * segments);
    (peer, socket)
}

/// The numbers of the `nth` segment, counted from 0.
fn nth(nth: u32) -> core::ops::Range<u32> {
    2 + nth * 1_000..1_002 + nth * 1_000
}

/// Everything before the `nth` segment.
fn before(n: u32) -> u32 {
    nth(n).start
}

/// Ten segments, as many as the first window lets out, are on their way for a round trip.
fn ten_under_way(script: &Script, segments: u32, timestamps: bool) -> (Peer<'_>, SocketId) {
    let (peer, socket) = under_way(script, segments, timestamps);
    for n in 0..10 {
        peer.expect(data(nth(n)));
    }
    script.silence(RTT);
    (peer, socket)
}

/// Segments from `from` on arrive one after the other, above those before.
fn arrive(peer: &Peer<'_>, acked: u32, from: u32, to: u32) {
    for n in from..to {
        peer.send(ack(before(acked)).sack(before(from)..before(n + 1)));
    }
}

fn rfc6675_three_segments_above_a_hole_are_enough(script: &Script) {
    let (peer, _) = ten_under_way(script, 10, false);
    arrive(&peer, 0, 1, 4);
    peer.expect(data(nth(0)));
    peer.send(ack(before(10)));
}

// Requirement: RFC 6675 5a, 5g
fn rfc6675_every_hole_is_sent_again(script: &Script) {
    let (peer, _) = ten_under_way(script, 10, false);
    peer.send(
        ack(before(0))
            .sack(before(5)..before(10))
            .sack(before(1)..before(4)),
    );
    peer.expect(data(nth(0)));
    peer.expect(data(nth(4)));
    peer.send(ack(before(10)));
}

// Requirement: RFC 8985 3b, 6.2e
fn rfc8985_6_2_a_segment_that_is_overtaken_has_a_quarter_of_a_round_trip(script: &Script) {
    let (peer, _) = ten_under_way(script, 10, false);
    arrive(&peer, 0, 1, 2);
    peer.expect_after(8..12, data(nth(0)));
    peer.send(ack(before(10)));
}

fn rfc8985_6_2_a_segment_that_is_late_is_not_sent_again(script: &Script) {
    let (peer, _) = ten_under_way(script, 10, false);
    arrive(&peer, 0, 1, 2);
    peer.send(ack(before(2)));
    script.silence(RTT);
    peer.send(ack(before(10)));
}

fn rfc8985_6_2_a_lost_retransmission_is_found_by_what_was_sent_after_it(script: &Script) {
    let (peer, _) = ten_under_way(script, 11, false);
    peer.send(ack(before(0)).sack(before(1)..before(10)));
    peer.expect(data(nth(0)));
    peer.expect(data(nth(10)));
    script.silence(RTT);
    peer.send(ack(before(0)).sack(before(1)..before(11)));
    peer.expect(data(nth(0)));
    peer.send(ack(before(11)));
}

// Requirement: RFC 8985 7.2a, 7.3a
fn rfc8985_7_3_a_lost_tail_is_probed_with_its_last_segment(script: &Script) {
    let (peer, _) = ten_under_way(script, 10, false);
    peer.send(ack(before(7)));
    // 2 * SRTT.
    peer.expect_after(75..100, data(nth(9)));
    script.silence(RTT);
    peer.send(ack(before(7)).sack(before(9)..before(10)));
    // What the probe shows to be lost is sent again without waiting for the timer.
    peer.expect(data(nth(7)));
    peer.send(ack(before(8)).sack(before(9)..before(10)));
    peer.expect(data(nth(8)));
    peer.send(ack(before(10)));
}

// Requirement: RFC 8985 7.3b
fn rfc8985_7_3_a_probe_is_new_data_if_there_is_some(script: &Script) {
    let (peer, _) = under_way(script, 11, false);
    for n in 0..10 {
        peer.expect(data(nth(n)));
    }
    peer.expect_after(75..100, data(nth(10)));
    peer.send(ack(before(11)));
}

fn rfc9937_half_as_much_goes_out_as_arrives(script: &Script) {
    let (peer, _) = ten_under_way(script, 20, false);
    arrive(&peer, 0, 1, 4);
    let mut sent = 0;
    let mut again = 0;
    let mut listen = || {
        while let Some(heard) = peer.next(Duration::from_millis(5)) {
            match heard.seq == before(0) {
                true => again += 1,
                false => sent += 1,
            }
        }
    };
    listen();
    for n in 4..10 {
        peer.send(ack(before(0)).sack(before(1)..before(n + 1)));
        listen();
    }
    assert_eq!(again, 1, "the hole");
    assert!((3..=6).contains(&sent), "{sent} for ten that left");
    peer.send(ack(before(10)));
    script.ignore(RTT);
}

/// The window is as large as it was: ten segments.
fn expect_whole_window(script: &Script, peer: &Peer<'_>, acked: u32) {
    let mut end = 0;
    while let Some(heard) = peer.next(Duration::from_millis(5)) {
        assert!(heard.seq >= before(10), "{} was sent again", heard.seq);
        end = heard.end().max(end);
    }
    assert!(end >= before(acked + 10), "up to {end} only");
    peer.send(ack(before(20)));
    script.ignore(RTT);
}

/// The segments from `from` on go out, and nothing after `to`.
fn expect_segments(script: &Script, peer: &Peer<'_>, from: u32, to: u32) {
    for n in from..to {
        peer.expect(data(nth(n)));
    }
    script.silence(RTT / 20);
}

fn a_window_on_a_path_that_reorders_grows_with_what_arrives(script: &Script) {
    let (peer, _) = ten_under_way(script, 30, false);
    // Half of the window, five segments, survives a loss, and grows by one when five have arrived.
    peer.send(ack(before(0)).sack(before(1)..before(10)));
    peer.expect(data(nth(0)));
    expect_segments(script, &peer, 10, 14);
    script.silence(RTT);
    peer.send(ack(before(10)));
    expect_segments(script, &peer, 14, 15);
    // Two overtake another, which is late and not lost. It counts, and the one that comes with it.
    peer.send(ack(before(10)).sack(before(11)..before(13)));
    expect_segments(script, &peer, 15, 17);
    peer.send(ack(before(14)));
    expect_segments(script, &peer, 17, 19);
    script.silence(RTT);
    // With three more, which are ahead of a gap, that makes five.
    peer.send(ack(before(14)).sack(before(15)..before(18)));
    expect_segments(script, &peer, 19, 23);
    peer.send(ack(before(18)));
    expect_segments(script, &peer, 23, 24);
    peer.send(ack(before(24)));
    script.ignore(RTT);
}

fn rfc3708_a_duplicate_report_restores_the_window(script: &Script) {
    let (peer, _) = ten_under_way(script, 20, false);
    peer.send(ack(before(0)).sack(before(1)..before(4)));
    peer.expect(data(nth(0)));
    peer.send(ack(before(4)).sack(nth(0)));
    expect_whole_window(script, &peer, 4);
}

fn rfc3522_an_echo_from_before_the_retransmission_restores_the_window(script: &Script) {
    let (peer, _) = sent_again_and_late(script, 20);
    expect_whole_window(script, &peer, 4);
}

/// What is late was sent once, where reordering is known, or it would never be.
fn rfc3522_an_echo_from_before_the_retransmission_shows_that_the_path_reorders(script: &Script) {
    let (peer, original) = sent_again_and_late(script, 14);
    for n in 10..14 {
        peer.expect(data(nth(n)));
    }
    script.silence(RTT / 2);
    // As many overtake another as made a loss plain before.
    let report = ack(before(4)).sack(before(5)..before(8));
    peer.send(report.ts(peer.clock(), original));
    peer.expect_after(8..12, data(nth(4)));
    peer.send(ack(before(14)).ts(peer.clock(), original));
}

/// Of `segments` the first is sent again when three have overtaken it, and arrives after all. The timestamp that it has.
fn sent_again_and_late(script: &Script, segments: u32) -> (Peer<'_>, u32) {
    let (peer, _) = under_way(script, segments, true);
    let original = peer.expect(data(nth(0))).options.timestamps;
    let original = original.expect("timestamps").value;
    for n in 1..10 {
        peer.expect(data(nth(n)));
    }
    script.silence(RTT);
    let report = ack(before(0)).sack(before(1)..before(4));
    peer.send(report.ts(peer.clock(), original));
    peer.expect(data(nth(0)));
    peer.send(ack(before(4)).ts(peer.clock(), original));
    (peer, original)
}

/// The timer has expired, for want of any answer to ten segments and a probe.
fn after_a_timeout(script: &Script) -> Peer<'_> {
    let (peer, _) = under_way(script, 13, false);
    for n in 0..10 {
        peer.expect(data(nth(n)));
    }
    peer.expect_after(75..100, data(nth(10)));
    peer.expect_after(195..400, data(nth(0)));
    // One segment came in: whether it was the copy or the original is still open. New data tells.
    peer.send(ack(before(1)));
    peer.expect(data(nth(11)));
    peer.expect(data(nth(12)));
    peer
}

fn rfc5682_after_an_early_timeout_nothing_more_is_sent_again(script: &Script) {
    let peer = after_a_timeout(script);
    // The originals come in.
    peer.send(ack(before(3)));
    script.silence(RTT / 2);
    peer.send(ack(before(13)));
}

fn rfc5682_after_a_real_timeout_the_rest_is_sent_again(script: &Script) {
    let peer = after_a_timeout(script);
    peer.send(ack(before(1)).sack(before(11)..before(12)));
    peer.expect(data(nth(1)));
    script.ignore(Duration::ZERO);
    peer.send(ack(before(13)));
    script.ignore(RTT);
}

fn a_retransmission_without_answer_is_sent_again_after_a_round_trip_and_a_quarter(script: &Script) {
    let (peer, _) = ten_under_way(script, 10, false);
    peer.send(ack(before(0)).sack(before(1)..before(10)));
    peer.expect(data(nth(0)));
    peer.expect_after(50..100, data(nth(0)));
    // Twice as long is as long as the timeout: from here on it is the timer's, and congestion control's.
    peer.expect_after(200..300, data(nth(0)));
    peer.expect_after(400..600, data(nth(0)));
    peer.send(ack(before(10)));
}

/// The acknowledgment of a segment was lost, and so were the answers to its copies, until one says that all of
/// them had arrived. It echoes the first, which is what the peer took.
fn the_echo_of_a_copy_that_had_arrived_before_is_no_round_trip(script: &Script) {
    let (peer, socket) = under_way(script, 1, true);
    let original = peer.expect(data(nth(0))).options.timestamps;
    let original = original.expect("timestamps").value;
    let waits = [120..150, 195..300, 395..600];
    for wait in waits.clone() {
        peer.expect_after(wait, data(nth(0)));
    }
    let report = ack(before(1)).sack(nth(0));
    peer.send(report.ts(peer.clock(), original));
    script.write(socket, nth(1));
    peer.expect(data(nth(1)));
    for wait in waits {
        peer.expect_after(wait, data(nth(1)));
    }
    peer.send(ack(before(2)).ts(peer.clock(), original));
}

/// Ten segments from the `nth` on, the round trip measured often enough to be sure of it; the first of them is
/// lost, and was sent again.
fn settled_and_repairing(script: &Script) -> (Peer<'_>, u32) {
    const MEASURED: u32 = 30;
    let (peer, socket) = under_way(script, 1, false);
    for n in 0..MEASURED {
        peer.expect(data(nth(n)));
        script.silence(RTT);
        peer.send(ack(before(n + 1)));
        if n + 1 < MEASURED {
            script.write(socket, nth(n + 1));
        }
    }
    script.write(socket, before(MEASURED)..before(MEASURED + 10));
    for n in MEASURED..MEASURED + 10 {
        peer.expect(data(nth(n)));
    }
    script.silence(RTT);
    peer.send(ack(before(MEASURED)).sack(before(MEASURED + 1)..before(MEASURED + 10)));
    peer.expect(data(nth(MEASURED)));
    (peer, MEASURED)
}

fn a_second_silence_must_last_twice_as_long(script: &Script) {
    let (peer, first) = settled_and_repairing(script);
    peer.expect_after(50..60, data(nth(first)));
    peer.expect_after(100..120, data(nth(first)));
    peer.send(ack(before(first + 10)));
}

fn after_a_timeout_only_an_answer_brings_probes_back(script: &Script) {
    let (peer, first) = settled_and_repairing(script);
    peer.expect_after(50..60, data(nth(first)));
    peer.expect_after(100..120, data(nth(first)));
    peer.expect_after(195..220, data(nth(first)));
    peer.expect_after(395..440, data(nth(first)));
    peer.send(ack(before(first + 10)));
}
