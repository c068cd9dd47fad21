//! Data with the connection request (RFC 7413).

use core::time::Duration;

use cygnet_tests::script::{
    ListenerId, Peer, Script, SocketOptions, ack, data, fin, pattern, reset, rst, rst_ack, syn,
    syn_ack,
};

use crate::stories::{MSS, PEER_PORT, PORT};

stories! {
    both:
        a_client_that_asks_gets_a_cookie,
        a_client_that_does_not_ask_gets_none,
        data_with_a_good_cookie_is_taken_and_answered_before_the_handshake_is_complete,
        data_with_a_bad_cookie_is_not_taken_and_a_good_cookie_comes_back,
        a_server_that_is_not_asked_to_takes_nothing,
        the_answer_to_data_is_repeated_until_the_handshake_is_complete,
        a_request_with_data_that_is_repeated_is_answered_again,
        a_server_closes_before_the_handshake_is_complete,
        a_client_asks_for_a_cookie_and_sends_data_with_it,
        data_that_the_server_did_not_take_is_sent_again_at_once,
        data_that_the_server_took_in_part_is_completed,
        a_request_that_stays_unanswered_is_repeated_bare,
        a_client_is_refused_and_its_data_is_lost;
    "Linux tries such a server again at once, until it fails more often":
        a_server_that_answers_bare_requests_alone_is_left_alone;
    "Linux counts only what has been accepted":
        beyond_the_limit_connections_open_as_usual,
        a_connection_that_is_reset_makes_room_for_others;
}

/// A server that takes data with requests.
fn server(script: &Script, most: u16) -> ListenerId {
    // Client and server, and every listener.
    script.sysctl("tcp_fastopen", "1027");
    let options = SocketOptions {
        fast_open: most,
        ..SocketOptions::default()
    };
    script.listen_with(PORT, &options)
}

/// The cookie that the target gives to the peer.
fn cookie(script: &Script) -> Vec<u8> {
    let peer = script.peer(PEER_PORT - 1, PORT);
    peer.send(syn().mss(MSS).fast_open(&[]));
    let heard = peer.expect(syn_ack());
    peer.send(rst(1));
    let cookie = heard.options.fast_open.expect("a cookie");
    cookie.as_bytes().to_vec()
}

fn a_client_that_asks_gets_a_cookie(script: &Script) {
    let listener = server(script, 4);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS).fast_open(&[]));
    let heard = peer.expect(syn_ack());
    let cookie = heard.options.fast_open.expect("a cookie");
    assert_eq!(cookie.as_bytes().len(), 8);
    assert_eq!(heard.option_kinds, [2, 34, 1, 1]);
    peer.send(ack(1));
    script.accept(listener);
    let again = script.peer(PEER_PORT + 1, PORT);
    again.send(syn().mss(MSS).fast_open(&[]));
    again.expect(syn_ack().fast_open(cookie.as_bytes()));
    again.send(rst(1));
}

fn a_client_that_does_not_ask_gets_none(script: &Script) {
    server(script, 4);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    assert_eq!(peer.expect(syn_ack()).option_kinds, [2]);
    peer.send(rst(1));
}

fn data_with_a_good_cookie_is_taken_and_answered_before_the_handshake_is_complete(script: &Script) {
    let listener = server(script, 4);
    let cookie = cookie(script);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS).fast_open(&cookie).text(&pattern(1..101)));
    peer.expect(syn_ack().ack(101));
    let socket = script.accept(listener);
    script.read(socket, 1..101);
    script.write(socket, 1..1_501);
    peer.expect(data(1..1_001).ack(101));
    peer.expect(data(1_001..1_501).ack(101));
    peer.send(ack(1_501));
    peer.send(data(101..201).ack(1_501));
    peer.expect(ack(201));
    script.read(socket, 101..201);
}

fn data_with_a_bad_cookie_is_not_taken_and_a_good_cookie_comes_back(script: &Script) {
    let listener = server(script, 4);
    let cookie = cookie(script);
    let peer = script.peer(PEER_PORT, PORT);
    let bad: Vec<u8> = cookie.iter().map(|byte| byte ^ 1).collect();
    peer.send(syn().mss(MSS).fast_open(&bad).text(b"early"));
    peer.expect(syn_ack().ack(1).fast_open(&cookie));
    peer.send(ack(1).seq(1));
    let socket = script.accept(listener);
    script.nothing_to_read(socket);
}

fn a_server_that_is_not_asked_to_takes_nothing(script: &Script) {
    script.sysctl("tcp_fastopen", "3");
    script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS).fast_open(&[]));
    assert_eq!(peer.expect(syn_ack()).option_kinds, [2]);
    peer.send(rst(1));
}

fn the_answer_to_data_is_repeated_until_the_handshake_is_complete(script: &Script) {
    let listener = server(script, 4);
    let cookie = cookie(script);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS).fast_open(&cookie).text(&pattern(1..101)));
    peer.expect(syn_ack().ack(101));
    let socket = script.accept(listener);
    script.write(socket, 1..101);
    peer.expect(data(1..101));
    peer.expect_after(1_000..1_001, syn_ack().ack(101));
    peer.send(ack(1));
    // The data was sent once, and nothing says that it is lost; its own timeout does.
    let heard = peer.next(Duration::from_secs(4)).expect("the data again");
    assert_eq!((heard.seq, heard.text.len()), (1, 100));
    peer.send(ack(101));
    script.read(socket, 1..101);
}

/// Bare, as clients repeat it.
fn a_request_with_data_that_is_repeated_is_answered_again(script: &Script) {
    let listener = server(script, 4);
    let cookie = cookie(script);
    let peer = script.peer(PEER_PORT, PORT);
    let request = syn().mss(MSS).fast_open(&cookie).text(&pattern(1..101));
    peer.send(request);
    peer.expect(syn_ack().ack(101));
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack().ack(101));
    peer.send(ack(1).seq(101));
    let socket = script.accept(listener);
    script.read(socket, 1..101);
}

fn a_server_closes_before_the_handshake_is_complete(script: &Script) {
    let listener = server(script, 4);
    let cookie = cookie(script);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS).fast_open(&cookie).text(&pattern(1..101)));
    peer.expect(syn_ack().ack(101));
    let socket = script.accept(listener);
    script.read(socket, 1..101);
    script.write(socket, 1..101);
    peer.expect(data(1..101));
    script.shutdown_write(socket);
    script.silence(Duration::from_millis(10));
    peer.send(ack(101));
    peer.expect(fin(101).ack(101));
    peer.send(fin(101).ack(102));
    peer.expect(ack(102));
    script.read_end(socket);
}

/// The target connects, and the peer gives it a cookie.
fn introduce(script: &Script) -> Vec<u8> {
    script.sysctl("tcp_fastopen", "1");
    let cookie = b"cookie..".to_vec();
    let peer = script.peer(PEER_PORT - 1, PORT);
    let socket = script.connect_with_data(PEER_PORT - 1, 1..11);
    let heard = peer.expect(syn().fast_open(&[]));
    assert_eq!(heard.option_kinds, [2, 4, 8, 1, 3, 34, 1, 1]);
    peer.send(syn_ack().mss(MSS).fast_open(&cookie));
    if script.is_linux() {
        // It has not got the data yet.
        peer.expect(ack(1).seq(1));
    }
    assert_eq!(script.connected(socket), Ok(()));
    peer.expect(data(1..11));
    peer.send(rst(1));
    cookie
}

fn a_client_asks_for_a_cookie_and_sends_data_with_it(script: &Script) {
    let cookie = introduce(script);
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect_with_data(PEER_PORT, 1..101);
    let heard = peer.expect(syn().text(&pattern(1..101)).fast_open(&cookie));
    assert_eq!(heard.option_kinds, [2, 4, 8, 1, 3, 34, 1, 1]);
    peer.send(syn_ack().ack(101).mss(MSS));
    peer.expect(ack(1).seq(101));
    assert_eq!(script.connected(socket), Ok(()));
    script.write(socket, 101..201);
    peer.expect(data(101..201));
    peer.send(ack(201));
}

fn data_that_the_server_did_not_take_is_sent_again_at_once(script: &Script) {
    let cookie = introduce(script);
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect_with_data(PEER_PORT, 1..101);
    peer.expect(syn().text(&pattern(1..101)).fast_open(&cookie));
    peer.send(syn_ack().mss(MSS));
    peer.expect(data(1..101).ack(1));
    peer.send(ack(101));
    assert_eq!(script.connected(socket), Ok(()));
}

fn data_that_the_server_took_in_part_is_completed(script: &Script) {
    let cookie = introduce(script);
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect_with_data(PEER_PORT, 1..101);
    peer.expect(syn().text(&pattern(1..101)).fast_open(&cookie));
    peer.send(syn_ack().ack(41).mss(MSS));
    peer.expect(data(41..101).ack(1));
    peer.send(ack(101));
    assert_eq!(script.connected(socket), Ok(()));
}

fn a_request_that_stays_unanswered_is_repeated_bare(script: &Script) {
    let cookie = introduce(script);
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect_with_data(PEER_PORT, 1..101);
    peer.expect(syn().text(&pattern(1..101)).fast_open(&cookie));
    let heard = peer.expect_after(1_000..1_001, syn());
    assert_eq!(heard.option_kinds, [2, 4, 8, 1, 3]);
    peer.send(syn_ack().mss(MSS));
    peer.expect(data(1..101).ack(1));
    peer.send(ack(101));
    assert_eq!(script.connected(socket), Ok(()));
}

fn a_server_that_answers_bare_requests_alone_is_left_alone(script: &Script) {
    a_request_that_stays_unanswered_is_repeated_bare(script);
    let peer = script.peer(PEER_PORT + 1, PORT);
    script.connect_with_data(PEER_PORT + 1, 1..101);
    assert_eq!(peer.expect(syn()).option_kinds, [2, 4, 8, 1, 3]);
    peer.send(rst_ack(0, 1));
}

fn a_client_is_refused_and_its_data_is_lost(script: &Script) {
    let cookie = introduce(script);
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect_with_data(PEER_PORT, 1..101);
    peer.expect(syn().text(&pattern(1..101)).fast_open(&cookie));
    peer.send(rst_ack(0, 101));
    assert!(script.connected(socket).is_err());
}

/// Opens fast, and leaves the handshake as it is.
fn open<'s>(script: &'s Script, port: u16, cookie: &[u8]) -> Peer<'s> {
    let peer = script.peer(port, PORT);
    peer.send(syn().mss(MSS).fast_open(cookie).text(b"early"));
    peer
}

fn beyond_the_limit_connections_open_as_usual(script: &Script) {
    server(script, 2);
    let cookie = cookie(script);
    for port in 0..2 {
        open(script, port + 1, &cookie).expect(syn_ack().ack(6));
    }
    let third = open(script, 3, &cookie);
    third.expect(syn_ack().ack(1));
    third.send(ack(1).seq(1).text(b"early"));
    third.expect(ack(6));
}

fn a_connection_that_is_reset_makes_room_for_others(script: &Script) {
    server(script, 1);
    let cookie = cookie(script);
    for port in 1..4 {
        let peer = open(script, port, &cookie);
        peer.expect(syn_ack().ack(6));
        peer.send(rst(6));
        peer.send(ack(1).seq(6));
        peer.expect(reset(1));
    }
    let peer = open(script, 4, &cookie);
    peer.expect(syn_ack().ack(6));
    peer.send(ack(1).seq(6));
    // Complete, and so not counted any more.
    open(script, 5, &cookie).expect(syn_ack().ack(6));
}
