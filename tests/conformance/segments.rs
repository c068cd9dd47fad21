//! What segments look like, and what they may carry (RFC 9293, sections 3.1, 3.2 and 3.5.3).

use cygnet::wire::TcpFlags;
use cygnet_tests::script::{Failure, Script, SocketOptions, ack, data, rst, syn, syn_ack};

use crate::stories::{MSS, PEER_PORT, PORT, established, established_sack};

stories! {
    both:
        only_a_syn_carries_the_mss,
        options_of_a_syn_do_no_harm_elsewhere,
        the_last_segment_of_a_write_is_pushed,
        two_writes_that_waited_leave_in_one_segment,
        a_reset_may_carry_text,
        a_reset_counts_when_the_window_is_closed;
}

// Requirement: RFC 9293 MUST-65; RFC 2018 2a
fn only_a_syn_carries_the_mss(script: &Script) {
    let (peer, socket) = established_sack(script);
    peer.send(data(1..11));
    assert_eq!(peer.expect(ack(11)).option_kinds, []);
    script.write(socket, 1..11);
    assert_eq!(peer.expect(data(1..11)).option_kinds, []);
    peer.send(ack(11));
}

// Requirement: RFC 9293 MUST-5; RFC 7323 2.2a
fn options_of_a_syn_do_no_harm_elsewhere(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(data(1..11).mss(100).wscale(7).sack_ok());
    peer.expect(ack(11));
    script.read(socket, 1..11);
    script.write(socket, 1..1_001);
    peer.expect(data(1..1_001));
    peer.send(ack(1_001));
}

// Requirement: RFC 9293 MUST-61
fn the_last_segment_of_a_write_is_pushed(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..2_501);
    peer.expect(data(1..1_001));
    peer.expect(data(1_001..2_001));
    let last = peer.expect(data(2_001..2_501));
    assert!(last.flags.contains(TcpFlags::PSH), "{last:?}");
    peer.send(ack(2_501));
}

// Requirement: RFC 9293 SHLD-27
fn two_writes_that_waited_leave_in_one_segment(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..11);
    peer.expect(data(1..11));
    script.write(socket, 11..21);
    script.write(socket, 21..31);
    peer.send(ack(11));
    let both = peer.expect(data(11..31));
    assert!(both.flags.contains(TcpFlags::PSH), "{both:?}");
    peer.send(ack(31));
}

// Requirement: RFC 9293 SHLD-2
fn a_reset_may_carry_text(script: &Script) {
    let (peer, socket) = established(script);
    peer.send(rst(1).text(b"no more of this"));
    assert_eq!(script.read_failure(socket), Failure::Reset);
}

// Requirement: RFC 9293 MUST-66
fn a_reset_counts_when_the_window_is_closed(script: &Script) {
    let small = SocketOptions {
        receive_buffer: Some(4_096),
        ..SocketOptions::default()
    };
    let listener = script.listen_with(PORT, &small);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    let mut window = u32::from(peer.expect(syn_ack()).window);
    peer.send(ack(1));
    let socket = script.accept(listener);
    let mut next = 1;
    while window > 0 {
        let len = window.min(u32::from(MSS));
        peer.send(data(next..next + len));
        next += len;
        window = peer.expect(ack(next).seq(1)).window.into();
    }
    peer.send(rst(next));
    assert_eq!(script.write_some(socket, 1, 10), Err(Failure::Reset));
}
