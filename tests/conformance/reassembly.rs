//! Text out of order and more than once (RFC 9293, section 3.10.7.4, seventh; RFC 2018; RFC 2883).

use core::time::Duration;

use cygnet_tests::script::{Script, ack, data, pattern};

use crate::stories::{established, established_sack};

stories! {
    both:
        a_gap_is_answered_at_once_and_filled,
        rfc2018_gaps_are_reported_the_latest_first,
        rfc2018_blocks_grow_together,
        rfc2883_a_duplicate_is_reported_at_once,
        rfc2883_a_duplicate_ahead_of_a_gap_is_reported,
        text_before_the_window_is_cut_off,
        no_blocks_for_a_peer_that_does_not_understand_them,
        what_arrives_together_ahead_of_a_gap_is_acknowledged_segment_by_segment;
    "Linux acknowledges each segment as it comes":
        three_reports_tell_of_what_arrives_together_ahead_of_a_gap,
        reports_that_go_out_together_tell_of_different_blocks,
        what_fills_a_gap_together_with_what_is_behind_it_is_acknowledged_once;
    "Linux keeps both copies and lets the one that starts earlier win":
        where_segments_overlap_the_first_copy_wins;
}

// Requirement: RFC 9293 MUST-58, MUST-59, SHLD-31; RFC 5681 3.2a, 3.2b, 4.2e, 4.2f, 4.2g
fn a_gap_is_answered_at_once_and_filled(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(101..201));
    peer.expect(ack(1).seq(1));
    script.nothing_to_read(socket);
    peer.send(data(1..101));
    peer.expect(ack(201).seq(1));
    script.read(socket, 1..201);
}

// Requirement: RFC 2018 4b, 4c, 4d, 4e, 4f, 4g
fn rfc2018_gaps_are_reported_the_latest_first(script: &Script) {
    let (peer, socket) = established_sack(script);
    peer.send(data(101..201));
    peer.expect(ack(1).sack(101..201));
    peer.send(data(501..601));
    peer.expect(ack(1).sack(501..601).sack(101..201));
    peer.send(data(301..401));
    peer.expect(ack(1).sack(301..401).sack(501..601).sack(101..201));
    peer.send(data(1..101));
    peer.expect(ack(201).sack(301..401).sack(501..601));
    peer.send(data(201..301));
    peer.expect(ack(401).sack(501..601));
    peer.send(data(401..501));
    peer.expect(ack(601));
    script.read(socket, 1..601);
}

fn rfc2018_blocks_grow_together(script: &Script) {
    let (peer, _) = established_sack(script);
    peer.send(data(101..201));
    peer.expect(ack(1).sack(101..201));
    peer.send(data(301..401));
    peer.expect(ack(1).sack(301..401).sack(101..201));
    peer.send(data(201..301));
    peer.expect(ack(1).sack(101..401));
    peer.send(data(1..101));
    peer.expect(ack(401));
}

/// What such a peer has to go by is the number of acknowledgments.
fn what_arrives_together_ahead_of_a_gap_is_acknowledged_segment_by_segment(script: &Script) {
    let (peer, _) = established(script);
    for start in [101, 201, 301, 401, 501] {
        peer.send(data(start..start + 100));
    }
    for _ in 0..5 {
        peer.expect(ack(1));
    }
    script.silence(Duration::from_millis(100));
}

/// One of them may be lost.
fn three_reports_tell_of_what_arrives_together_ahead_of_a_gap(script: &Script) {
    let (peer, _) = established_sack(script);
    for start in [101, 201, 301, 401, 501] {
        peer.send(data(start..start + 100));
    }
    for _ in 0..3 {
        peer.expect(ack(1).sack(101..601));
    }
    script.silence(Duration::from_millis(100));
}

fn reports_that_go_out_together_tell_of_different_blocks(script: &Script) {
    let (peer, socket) = established_sack(script);
    for start in [101, 301, 501, 701, 901] {
        peer.send(data(start..start + 100));
    }
    peer.expect(ack(1).sack(101..201).sack(301..401));
    for _ in 0..2 {
        let latest = ack(1).sack(901..1001).sack(701..801).sack(501..601);
        peer.expect(latest.sack(101..201));
    }
    script.silence(Duration::from_millis(100));
    peer.send(data(1..1001));
    peer.expect(ack(1001).sack(901..1001));
    script.read(socket, 1..1001);
}

/// Its acknowledgments would count as duplicates of the new one.
fn what_fills_a_gap_together_with_what_is_behind_it_is_acknowledged_once(script: &Script) {
    let (peer, socket) = established(script);
    for start in [101, 201, 301, 1] {
        peer.send(data(start..start + 100));
    }
    peer.expect(ack(401));
    script.silence(Duration::from_millis(100));
    script.read(socket, 1..401);
}

fn rfc2883_a_duplicate_is_reported_at_once(script: &Script) {
    let (peer, socket) = established_sack(script);
    peer.send(data(1..101));
    peer.expect(ack(101));
    peer.send(data(1..101));
    peer.expect(ack(101).sack(1..101));
    peer.send(data(101..201));
    peer.expect(ack(201));
    script.read(socket, 1..201);
}

fn rfc2883_a_duplicate_ahead_of_a_gap_is_reported(script: &Script) {
    let (peer, _) = established_sack(script);
    peer.send(data(101..201));
    peer.expect(ack(1).sack(101..201));
    peer.send(data(101..201));
    peer.expect(ack(1).sack(101..201).sack(101..201));
    peer.send(data(1..101));
    peer.expect(ack(201));
}

fn text_before_the_window_is_cut_off(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(1..101));
    peer.expect(ack(101));
    let mut text = vec![0xee; 50];
    text.extend(pattern(101..151));
    peer.send(data(51..151).text(&text));
    peer.expect(ack(151));
    script.read(socket, 1..151);
}

// Requirement: RFC 2018 4a; RFC 5681 4.2h
fn no_blocks_for_a_peer_that_does_not_understand_them(script: &Script) {
    let (peer, _) = established(script);
    peer.send(data(101..201));
    peer.expect(ack(1));
    peer.send(data(101..201));
    peer.expect(ack(1));
}

fn where_segments_overlap_the_first_copy_wins(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(101..201));
    peer.expect(ack(1));
    let mut text = pattern(51..101);
    text.extend([0xee; 50]);
    peer.send(data(51..151).text(&text));
    peer.expect(ack(1));
    peer.send(data(1..51));
    peer.expect(ack(201));
    script.read(socket, 1..201);
}
