//! Windows that close and open (RFC 9293, section 3.8.6), in both directions.

use core::time::Duration;

use cygnet_tests::script::{
    Failure, Peer, Script, SocketOptions, ack, data, segment, syn, syn_ack,
};

use crate::stories::{MSS, PEER_PORT, PORT, established, established_with};

stories! {
    both:
        a_full_buffer_closes_the_window_and_reading_opens_it,
        a_probe_of_a_closed_window_is_answered,
        a_closed_window_holds_text_back_until_it_opens,
        the_window_is_never_overrun,
        shld_14_the_window_is_never_shrunk_from_the_right,
        rfc7323_the_window_is_scaled;
    "Linux probes with no text, and with the number before the first it has not sent":
        probes_of_a_closed_window_back_off,
        must_37_a_peer_that_answers_probes_keeps_the_connection,
        a_peer_that_answers_no_probe_of_a_closed_window_is_given_up;
    "Linux moves its window by rules of its own, and grows it as text is read":
        receiver_silly_window_avoidance,
        the_whole_buffer_is_offered_at_once;
    "Linux sends whatever fits the window":
        sender_silly_window_avoidance;
    "Linux's delay adapts to the peer":
        every_second_full_segment_is_acknowledged_at_once,
        a_lone_segment_is_acknowledged_after_the_delay;
}

fn small() -> SocketOptions {
    SocketOptions {
        receive_buffer: Some(4_096),
        ..SocketOptions::default()
    }
}

/// Sends full segments until the window is closed; returns the number after the last.
fn fill(peer: &Peer<'_>, mut window: u32) -> u32 {
    let mut next = 1;
    while window > 0 {
        let len = window.min(u32::from(MSS));
        peer.send(data(next..next + len));
        next += len;
        window = peer.expect(ack(next).seq(1)).window.into();
    }
    next
}

fn a_full_buffer_closes_the_window_and_reading_opens_it(script: &Script) {
    let listener = script.listen_with(PORT, &small());
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    let window = peer.expect(syn_ack()).window;
    peer.send(ack(1));
    let socket = script.accept(listener);
    let end = fill(&peer, window.into());
    script.read(socket, 1..end);
    let update = peer.expect(ack(end).seq(1));
    assert!(update.window >= MSS, "{update:?}");
}

fn a_probe_of_a_closed_window_is_answered(script: &Script) {
    let listener = script.listen_with(PORT, &small());
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    let window = peer.expect(syn_ack()).window;
    peer.send(ack(1));
    script.accept(listener);
    let end = fill(&peer, window.into());
    peer.send(data(end..end + 1));
    peer.expect(ack(end).seq(1).win(0));
}

fn a_closed_window_holds_text_back_until_it_opens(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(ack(1).win(0));
    script.write(socket, 1..101);
    script.silence(Duration::from_millis(50));
    peer.send(ack(1).win(1_000));
    peer.expect(data(1..101).ack(1));
    peer.send(ack(101));
}

fn the_window_is_never_overrun(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.set_window(2_000);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(ack(1));
    script.write(script.accept(listener), 1..5_001);
    peer.expect(data(1..1_001));
    peer.expect(data(1_001..2_001));
    script.silence(Duration::from_millis(20));
    peer.send(ack(2_001).win(2_000));
    peer.expect(data(2_001..3_001));
    peer.expect(data(3_001..4_001));
    peer.send(ack(4_001).win(2_000));
    peer.expect(data(4_001..5_001));
    peer.send(ack(5_001));
}

// Requirement: RFC 7323 2.3a
/// RFC 7323, section 2.2: every window but that of the SYN.
fn rfc7323_the_window_is_scaled(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(100).wscale(4));
    peer.expect(syn_ack());
    // 50 << 4: eight segments.
    peer.set_window(50);
    peer.send(data(1..2));
    peer.expect(ack(2));
    script.write(script.accept(listener), 1..1_001);
    for start in (1..801).step_by(100) {
        peer.expect(data(start..start + 100));
    }
    script.silence(Duration::from_millis(20));
    peer.send(ack(801));
    peer.expect(data(801..901));
    peer.expect(data(901..1_001));
    peer.send(ack(1_001));
}

// Requirement: RFC 9293 MUST-36, SHLD-29, SHLD-30
fn probes_of_a_closed_window_back_off(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(ack(1).win(0));
    script.write(socket, 1..101);
    let mut timeout = 1_000;
    for _ in 0..8 {
        peer.expect_after(timeout..timeout + 1, data(1..2).ack(1));
        peer.send(ack(1).win(0));
        timeout = (2 * timeout).min(60_000);
    }
    peer.send(ack(1).win(1_000));
    // The probe's byte is sent again with the rest: nobody took it.
    peer.expect(data(1..101).ack(1));
    peer.send(ack(101));
}

/// After as many as text is sent again without an answer.
fn a_peer_that_answers_no_probe_of_a_closed_window_is_given_up(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(ack(1).win(0));
    script.write(socket, 1..101);
    let mut probes = 0;
    while let Some(heard) = peer.next(Duration::from_secs(61)) {
        if heard.text.is_empty() {
            break;
        }
        probes += 1;
    }
    assert_eq!(probes, 15);
    assert_eq!(script.read_failure(socket), Failure::TimedOut);
}

// Requirement: RFC 9293 MUST-37
fn must_37_a_peer_that_answers_probes_keeps_the_connection(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(ack(1).win(0));
    script.write(socket, 1..101);
    for _ in 0..100 {
        let probe = peer.next(Duration::from_secs(61));
        assert!(probe.is_some(), "the probes end");
        peer.send(ack(1).win(0));
    }
    peer.send(ack(1).win(1_000));
    peer.expect(data(1..101).ack(1));
    peer.send(ack(101));
}

// Requirement: RFC 9293 MUST-39
/// RFC 9293, section 3.8.6.2.2: no update for a few bytes.
fn receiver_silly_window_avoidance(script: &Script) {
    let (peer, socket) = established_with(script, &small());
    let end = fill(&peer, 4_096);
    script.read_bytes(socket, 999);
    script.silence(Duration::from_secs(1));
    script.read_bytes(socket, 1);
    peer.expect(ack(end).win(1_000));
}

// Requirement: RFC 9293 MUST-38
/// RFC 9293, section 3.8.6.2.1: less than a segment waits for the override timeout.
fn sender_silly_window_avoidance(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(ack(1).win(100));
    script.write(socket, 1..2_001);
    script.silence(Duration::from_millis(199));
    peer.expect_after(200..1_001, data(1..101).ack(1));
    peer.send(ack(101).win(2_000));
    peer.expect(data(101..1_101));
    peer.expect(data(1_101..2_001));
    peer.send(ack(2_001));
}

/// Uses up the acknowledgments at once of a fresh connection.
fn use_up_quick_acks(peer: &Peer<'_>) -> u32 {
    for n in 0..16 {
        peer.send(data(1 + n..2 + n));
        peer.expect(ack(2 + n));
    }
    17
}

// Requirement: RFC 9293 SHLD-19; RFC 5681 4.2b
/// RFC 9293, section 3.8.6.3.
fn every_second_full_segment_is_acknowledged_at_once(script: &Script) {
    let (peer, _) = established(script);
    let start = use_up_quick_acks(&peer);
    let mss = 1_460;
    // Full in the eyes of the target, which may send as much itself.
    let full = u32::from(MSS);
    assert!(full < mss);
    peer.send(data(start..start + full));
    script.silence(Duration::from_millis(39));
    peer.send(data(start + full..start + 2 * full));
    peer.expect(ack(start + 2 * full));
}

// Requirement: RFC 9293 MUST-40, SHLD-18, MUST-58; RFC 5681 4.2a, 4.2c, 4.2d
fn a_lone_segment_is_acknowledged_after_the_delay(script: &Script) {
    let (peer, socket) = established(script);
    let start = use_up_quick_acks(&peer);
    peer.send(data(start..start + 10));
    peer.expect_after(40..41, ack(start + 10));
    // Text carries an acknowledgment along.
    peer.send(data(start + 10..start + 20));
    script.write(socket, 1..11);
    peer.expect(data(1..11).ack(start + 20));
    peer.send(segment(cygnet::wire::TcpFlags::ACK).ack(11));
    script.silence(Duration::from_secs(1));
}

/// RFC 9293, section 3.8.6: "A TCP receiver SHOULD NOT shrink the window, i.e., move the right window edge to
/// the left". Neither gaps nor what is read late or in small pieces does that.
fn shld_14_the_window_is_never_shrunk_from_the_right(script: &Script) {
    let (peer, socket) = established_with(script, &small());
    let mut edge = 0;
    let mut next = 1;
    let mut read = 1;
    for n in 0..30_u32 {
        let len = 1 + (n * 37) % 90;
        if n % 3 == 0 {
            // Ahead of a gap, which is filled right after.
            peer.send(data(next + 100..next + 110));
            let heard = peer
                .next(Duration::from_millis(60))
                .expect("an acknowledgment");
            let right = heard.ack + u32::from(heard.window);
            assert!(right >= edge, "{heard:?}");
            edge = right;
            peer.send(data(next..next + 100));
            next += 110;
        } else {
            peer.send(data(next..next + len));
            next += len;
        }
        let heard = peer
            .next(Duration::from_millis(60))
            .expect("an acknowledgment");
        assert_eq!(heard.ack, next);
        let right = heard.ack + u32::from(heard.window);
        assert!(right >= edge, "{right} before {edge}");
        edge = right;
        if n % 5 == 0 {
            script.read(socket, read..read + 7);
            read += 7;
            // If the edge moved for that, it moved right.
            if let Some(heard) = peer.next(Duration::from_millis(1)) {
                assert!(heard.ack + u32::from(heard.window) >= edge);
            }
        }
    }
}

/// The buffer is there and nobody else may use it: nothing is gained by offering less at first.
fn the_whole_buffer_is_offered_at_once(script: &Script) {
    let listener = script.listen_with(PORT, &small());
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack().win(4_096));
    peer.send(ack(1));
    let socket = script.accept(listener);
    peer.send(data(1..1_001));
    peer.expect(ack(1_001).win(3_096));
    script.read(socket, 1..1_001);
    peer.send(data(1_001..1_002));
    peer.expect(ack(1_002).win(4_095));
}
