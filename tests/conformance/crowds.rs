//! Listeners under a flood of connection requests (RFC 4987), and requests that are not what they should
//! be.

use core::time::Duration;

use cygnet::Discard;
use cygnet_tests::script::{
    ListenerId, Peer, Script, SocketOptions, ack, data, fin, reset, rst, syn, syn_ack,
};

use crate::stories::{MSS, PEER_PORT, PORT};

stories! {
    both:
        a_request_in_a_flood_is_answered_and_completed,
        text_in_an_acknowledgment_with_a_cookie_is_taken,
        in_a_flood_a_peer_without_timestamps_is_offered_nothing_to_remember,
        in_a_flood_a_peer_with_timestamps_keeps_its_options,
        in_a_flood_a_listener_with_a_buffer_of_its_own_accepts,
        in_a_flood_the_successor_of_a_closed_connection_opens,
        a_forged_cookie_opens_nothing,
        text_on_a_syn_is_taken_when_it_comes_again,
        a_syn_that_is_repeated_is_answered_again;
    "Linux remembers one for longer than a test should take":
        repeating_a_syn_does_not_keep_its_record_alive,
        a_request_that_is_never_completed_is_answered_six_times,
        a_cookie_expires;
}

/// As many requests that nobody completes as there is room for, and more.
fn flood(script: &Script) {
    for port in 1..=300 {
        let nobody = script.peer(port, PORT);
        nobody.send(syn().mss(MSS));
        nobody.expect(syn_ack());
    }
}

fn flooded(script: &Script) -> (ListenerId, Peer<'_>) {
    let listener = listen(script);
    flood(script);
    (listener, script.peer(PEER_PORT, PORT))
}

fn listen(script: &Script) -> ListenerId {
    script.sysctl("tcp_syncookies", "1");
    let options = SocketOptions {
        backlog: 4,
        ..SocketOptions::default()
    };
    script.listen_with(PORT, &options)
}

fn a_request_in_a_flood_is_answered_and_completed(script: &Script) {
    let (listener, peer) = flooded(script);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(ack(1));
    let socket = script.accept(listener);
    script.write(socket, 1..11);
    peer.expect(data(1..11).ack(1));
    peer.send(data(1..11).ack(11));
    script.read(socket, 1..11);
    peer.expect(ack(11));
}

fn text_in_an_acknowledgment_with_a_cookie_is_taken(script: &Script) {
    let (listener, peer) = flooded(script);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(data(1..101).ack(1));
    peer.expect(ack(101).seq(1));
    let socket = script.accept(listener);
    script.read(socket, 1..101);
}

fn in_a_flood_a_peer_without_timestamps_is_offered_nothing_to_remember(script: &Script) {
    let (listener, peer) = flooded(script);
    peer.send(syn().mss(536).sack_ok().wscale(7));
    let heard = peer.expect(syn_ack());
    assert_eq!(heard.option_kinds, [2], "the MSS and nothing else");
    peer.send(ack(1));
    let socket = script.accept(listener);
    script.write(socket, 1..1_001);
    peer.expect(data(1..537));
    peer.send(ack(537));
    peer.expect(data(537..1_001));
    peer.send(ack(1_001));
}

fn in_a_flood_a_peer_with_timestamps_keeps_its_options(script: &Script) {
    let (listener, peer) = flooded(script);
    let clock = peer.clock();
    peer.send(syn().mss(1_460).sack_ok().ts(clock, 0).wscale(7));
    let heard = peer.expect(syn_ack().sack_ok().ts(0, clock));
    assert_eq!(heard.option_kinds, [2, 4, 8, 1, 3]);
    // Sixteen times 128 bytes.
    peer.set_window(16);
    peer.send(ack(1));
    let socket = script.accept(listener);
    script.write(socket, 1..1_025);
    peer.expect(data(1..1_025));
    peer.send(ack(1_025));
    peer.send(data(11..21).ack(1_025));
    peer.expect(ack(1).sack(11..21));
}

fn in_a_flood_a_listener_with_a_buffer_of_its_own_accepts(script: &Script) {
    script.sysctl("tcp_syncookies", "1");
    let options = SocketOptions {
        receive_buffer: Some(200_000),
        backlog: 4,
        ..SocketOptions::default()
    };
    let listener = script.listen_with(PORT, &options);
    flood(script);
    let peer = script.peer(PEER_PORT, PORT);
    let clock = peer.clock();
    peer.send(syn().mss(1_460).sack_ok().ts(clock, 0).wscale(7));
    let heard = peer.expect(syn_ack().sack_ok().ts(0, clock));
    let shift = heard.options.window_scale.expect("a window scale");
    peer.send(data(1..101).ack(1));
    let heard = peer.expect(ack(101).seq(1));
    let window = u32::from(heard.window) << shift;
    assert!(window > 60_000, "{window} bytes, shifted as offered");
    let socket = script.accept(listener);
    script.read(socket, 1..101);
}

/// RFC 1122, section 4.2.2.13: with numbers beyond those of the old one, which no cookie has for sure.
fn in_a_flood_the_successor_of_a_closed_connection_opens(script: &Script) {
    let listener = listen(script);
    let old = script.peer(PEER_PORT, PORT);
    old.send(syn().mss(MSS));
    old.expect(syn_ack());
    old.send(ack(1));
    script.close(script.accept(listener));
    old.expect(fin(1).ack(1));
    old.send(fin(1).ack(2));
    old.expect(ack(2).seq(2));
    flood(script);
    let next = old.again(100_000);
    next.send(syn().mss(MSS));
    next.expect(syn_ack());
    next.send(data(1..11).ack(1));
    next.expect(ack(11));
    let socket = script.accept(listener);
    script.read(socket, 1..11);
}

/// RFC 9293, section 3.10.7.2: an acknowledgment of nothing that was sent.
fn a_forged_cookie_opens_nothing(script: &Script) {
    let (listener, peer) = flooded(script);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(ack(1_000));
    peer.expect(rst(1_000));
    peer.send(data(11..21).ack(1));
    peer.expect(rst(1));
    script.assert_discarded(Discard::BadSynCookie, 2);
    peer.send(data(1..11).ack(1));
    peer.expect(ack(11).seq(1));
    let socket = script.accept(listener);
    script.read(socket, 1..11);
}

/// RFC 9293, section 3.10.7.2: text may be kept or not. Without a cookie of Fast Open nobody takes it,
/// for anybody could send it in anybody's name.
fn text_on_a_syn_is_taken_when_it_comes_again(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS).text(b"early"));
    peer.expect(syn_ack().ack(1));
    peer.send(ack(1).seq(1).text(b"early"));
    peer.expect(ack(6).seq(1));
    let socket = script.accept(listener);
    assert_eq!(script.read_bytes(socket, 5), b"early");
}

fn a_syn_that_is_repeated_is_answered_again(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    for _ in 0..2 {
        peer.send(syn().mss(MSS));
        peer.expect(syn_ack());
    }
    peer.send(ack(1));
    script.accept(listener);
}

fn repeating_a_syn_does_not_keep_its_record_alive(script: &Script) {
    script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    for _ in 0..20 {
        peer.send(syn().mss(MSS));
        peer.expect(syn_ack());
    }
    script.ignore(Duration::from_secs(64));
    peer.send(ack(1).seq(1));
    peer.expect(rst(1));
}

/// As Linux: after 1, 3, 7, 15 and 31 seconds, the first a little later because the peer has to be found.
fn a_request_that_is_never_completed_is_answered_six_times(script: &Script) {
    script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    for pause in [1_000, 2_000, 4_000, 8_000, 16_000] {
        peer.expect_after(pause..pause + 21, syn_ack());
    }
    script.silence(Duration::from_secs(600));
}

fn a_cookie_expires(script: &Script) {
    let (_, peer) = flooded(script);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    script.ignore(Duration::from_secs(128));
    peer.send(fin(1).ack(1));
    peer.expect(reset(1));
}
