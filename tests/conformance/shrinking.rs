//! Windows that shrink (RFC 9293, section 3.8.6), and probes that stay out of the way of data (section
//! 3.8.4).

use core::time::Duration;

use cygnet_tests::script::{Peer, Script, SocketId, SocketOption, ack, data};

use crate::stories::established;

stories! {
    both:
        must_26_a_silent_peer_is_not_probed_while_data_is_outstanding;
    "Linux takes no smaller window from an acknowledgment that acknowledges nothing":
        a_window_that_shrinks_holds_new_text_back_and_no_old;
    "it takes Linux minutes of real time":
        must_35_a_window_that_shrinks_to_nothing_does_not_end_the_connection;
}

/// Two full segments are on their way when the peer's window shrinks to `window`.
fn shrunk(script: &Script, window: u16) -> (Peer<'_>, SocketId) {
    let (peer, socket) = established(script);
    script.write(socket, 1..2_001);
    peer.expect(data(1..1_001));
    peer.expect(data(1_001..2_001));
    peer.send(ack(1).win(window));
    (peer, socket)
}

// Requirement: RFC 9293 MUST-34, SHLD-15, SHLD-16; RFC 7323 2.4a
fn a_window_that_shrinks_holds_new_text_back_and_no_old(script: &Script) {
    let (peer, socket) = shrunk(script, 1_500);
    script.write(socket, 2_001..4_001);
    script.silence(Duration::from_millis(20));
    peer.expect_after(200..1_001, data(1..1_001));
    peer.send(ack(2_001).win(2_000));
    peer.expect(data(2_001..3_001));
    peer.expect(data(3_001..4_001));
    peer.send(ack(4_001));
}

// Requirement: RFC 9293 MUST-35, SHLD-17
fn must_35_a_window_that_shrinks_to_nothing_does_not_end_the_connection(script: &Script) {
    let (peer, _) = shrunk(script, 0);
    for _ in 0..50 {
        let heard = peer.next(Duration::from_secs(61)).expect("another try");
        assert!(heard.end() <= 2_001, "{heard:?}");
        peer.send(ack(1).win(0));
    }
    peer.send(ack(1).win(5_000));
    let heard = peer.next(Duration::from_secs(61)).expect("another try");
    assert_eq!((heard.seq, heard.text.len()), (1, 1_000));
    peer.send(ack(2_001));
}

// Requirement: RFC 9293 MUST-26
fn must_26_a_silent_peer_is_not_probed_while_data_is_outstanding(script: &Script) {
    let (peer, socket) = established(script);
    script.set(socket, SocketOption::KeepAlive(Duration::from_secs(1)));
    script.write(socket, 1..11);
    let start = script.now();
    while script.now() - start < Duration::from_secs(5) {
        if let Some(heard) = peer.next(Duration::from_secs(1)) {
            assert_eq!((heard.seq, heard.text.len()), (1, 10), "{heard:?}");
        }
    }
    peer.send(ack(11));
    // Once all of it is acknowledged the silence counts from there.
    peer.expect_after(1_000..1_001, ack(1).seq(10));
    peer.send(ack(11));
}
