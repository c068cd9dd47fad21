//! Window scales and timestamps in odd places (RFC 7323).

use core::time::Duration;

use cygnet_tests::script::{Script, SocketOptions, ack, data, syn, syn_ack};

use crate::stories::{MSS, PEER_PORT, PORT, established, established_timestamps};

stories! {
    both:
        rfc7323_the_window_of_a_syn_is_not_scaled,
        rfc7323_timestamps_that_nobody_agreed_on_are_ignored,
        rfc7323_a_reset_carries_a_timestamp;
    "Linux sizes its window by other rules":
        rfc7323_the_window_that_is_announced_is_scaled;
    "Linux's congestion window grows by other rules":
        rfc7323_a_shift_beyond_fourteen_is_fourteen;
    "it takes Linux a month of real time":
        rfc7323_after_24_days_any_timestamp_is_new;
}

// Requirement: RFC 7323 2.2b
fn rfc7323_the_window_of_a_syn_is_not_scaled(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    peer.send(syn_ack().mss(100).wscale(4).win(300));
    peer.expect(ack(1));
    assert_eq!(script.connected(socket), Ok(()));
    script.write(socket, 1..1_001);
    for start in [1, 101, 201] {
        peer.expect(data(start..start + 100));
    }
    script.silence(Duration::from_millis(20));
    peer.send(ack(301).win(1_000));
    script.ignore(Duration::ZERO);
}

// Requirement: RFC 7323 2.3c
fn rfc7323_the_window_that_is_announced_is_scaled(script: &Script) {
    let large = SocketOptions {
        receive_buffer: Some(262_144),
        ..SocketOptions::default()
    };
    let listener = script.listen_with(PORT, &large);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS).wscale(0));
    let answer = peer.expect(syn_ack().win(65_535));
    assert_eq!(answer.options.window_scale, Some(3));
    peer.send(data(1..1_001).ack(1));
    let told = peer.expect(ack(1_001)).window;
    assert_eq!(told, ((262_144 - 1_000) >> 3) as u16);
    script.accept(listener);
}

// Requirement: RFC 7323 2.3b
fn rfc7323_a_shift_beyond_fourteen_is_fourteen(script: &Script) {
    let large = SocketOptions {
        receive_buffer: Some(65_535),
        ..SocketOptions::default()
    };
    let listener = script.listen_with(PORT, &large);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS).wscale(15));
    peer.expect(syn_ack());
    // 16,384 bytes, if it is shifted by fourteen.
    peer.set_window(1);
    peer.send(ack(1));
    let socket = script.accept(listener);
    script.write(socket, 1..60_001);
    for n in 0..10 {
        peer.expect(data(1 + n * 1_000..1_001 + n * 1_000));
    }
    // Each acknowledgment opens the congestion window by a segment.
    let mut end = 10_001;
    for n in 0..16 {
        peer.send(ack(1_001 + n * 1_000));
        while let Some(heard) = peer.next(Duration::ZERO) {
            end = heard.end();
        }
    }
    peer.send(ack(end));
    let acked = end;
    while let Some(heard) = peer.next(Duration::ZERO) {
        end = heard.end();
    }
    assert_eq!(end - acked, 16_000, "as much as fits 16,384 bytes");
}

// Requirement: RFC 7323 3.2f
fn rfc7323_timestamps_that_nobody_agreed_on_are_ignored(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(1..11).ts(5, 0));
    peer.expect(ack(11).no_ts());
    peer.send(data(11..21).ts(1, 0));
    peer.expect(ack(21).no_ts());
    script.read(socket, 1..21);
}

// Requirement: RFC 7323 3.2c
fn rfc7323_a_reset_carries_a_timestamp(script: &Script) {
    let (peer, socket) = established_timestamps(script);
    script.abort(socket);
    let reset = peer.next(Duration::from_millis(500)).expect("a reset");
    assert!(reset.options.timestamps.is_some(), "{reset:?}");
}

// Requirement: RFC 7323 5.5a
fn rfc7323_after_24_days_any_timestamp_is_new(script: &Script) {
    let (peer, socket) = established_timestamps(script);
    let start = peer.clock();
    script.silence(Duration::from_secs(23 * 24 * 3_600));
    peer.send(data(1..11).ts(start - 1_000, 0));
    peer.expect(ack(1));
    script.silence(Duration::from_secs(2 * 24 * 3_600));
    peer.send(data(1..11).ts(start - 1_000, 0));
    peer.expect(ack(11).ts(0, start - 1_000));
    script.read(socket, 1..11);
}
