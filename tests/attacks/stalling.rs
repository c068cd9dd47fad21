//! Peers that will not let go: no connection without a handle lives for ever, whatever its peer does or
//! does not do (RFC 6429).

use core::time::Duration;

use cygnet_tests::script::{Heard, Peer, Script, SocketId, ack, fin, on_cygnet, syn, syn_ack};

const PORT: u16 = 80;

/// Longer than any connection without a handle may live once its peer stops taking data: 16 timeouts of up
/// to a minute.
const PATIENCE: Duration = Duration::from_secs(20 * 60);

fn established(script: &Script) -> (Peer<'_>, SocketId) {
    let listener = script.listen(PORT);
    let peer = script.peer(40_000, PORT);
    peer.send(syn().mss(1_000));
    peer.expect(syn_ack());
    peer.send(ack(1));
    (peer, script.accept(listener))
}

/// Lets time pass while the peer reacts to what it hears, if it does.
fn wait(script: &Script, peer: &Peer<'_>, mut react: impl FnMut(&Peer<'_>, &Heard)) {
    let end = script.now() + PATIENCE;
    while script.now() < end {
        match peer.next(end - script.now()) {
            Some(heard) => react(peer, &heard),
            None => return,
        }
    }
}

/// Nobody knows the connection any more.
fn assert_gone(peer: &Peer<'_>, number: u32) {
    peer.send(ack(number));
    let heard = peer.next(Duration::ZERO).expect("an answer");
    assert!(
        heard.flags.contains(cygnet::wire::TcpFlags::RST),
        "{heard:?} instead of a reset"
    );
}

#[test]
fn fin_wait_1_ends_when_the_peer_has_vanished() {
    on_cygnet(|script| {
        let (peer, socket) = established(script);
        script.write(socket, 1..101);
        script.close(socket);
        wait(script, &peer, |_, _| {});
        assert_gone(&peer, 1);
    });
}

#[test]
fn fin_wait_1_ends_when_the_peer_keeps_its_window_closed() {
    on_cygnet(|script| {
        let (peer, socket) = established(script);
        peer.send(ack(1).win(0));
        script.write(socket, 1..101);
        script.close(socket);
        // It answers every probe: with a handle this would go on for ever (MUST-37).
        wait(script, &peer, |peer, heard| {
            if !heard.flags.contains(cygnet::wire::TcpFlags::RST) {
                peer.send(ack(1).win(0));
            }
        });
        assert_gone(&peer, 1);
    });
}

#[test]
fn fin_wait_2_ends_when_the_peer_does_not_end_its_side() {
    on_cygnet(|script| {
        let (peer, socket) = established(script);
        script.close(socket);
        peer.expect(fin(1));
        peer.send(ack(2));
        script.silence(Duration::from_secs(59));
        // Alive so far, and nothing that the peer says makes it live longer.
        peer.send(ack(2).seq(0));
        peer.expect(ack(1));
        script.silence(Duration::from_secs(1));
        assert_gone(&peer, 2);
    });
}

#[test]
fn last_ack_ends_when_the_peer_has_vanished() {
    on_cygnet(|script| {
        let (peer, socket) = established(script);
        peer.send(fin(1));
        peer.expect(ack(2));
        script.close(socket);
        wait(script, &peer, |_, _| {});
        assert_gone(&peer, 1);
    });
}

#[test]
fn closing_ends_when_the_peer_has_vanished() {
    on_cygnet(|script| {
        let (peer, socket) = established(script);
        script.close(socket);
        peer.expect(fin(1));
        peer.send(fin(1).ack(1));
        peer.expect(ack(2));
        wait(script, &peer, |_, _| {});
        assert_gone(&peer, 1);
    });
}

#[test]
fn syn_received_ends_when_the_peer_has_vanished() {
    on_cygnet(|script| {
        let peer = script.peer(40_000, PORT);
        let socket = script.connect(40_000);
        peer.expect(syn());
        peer.send(syn().mss(1_000));
        peer.expect(syn_ack());
        wait(script, &peer, |_, _| {});
        assert!(script.connected(socket).is_err());
        assert_gone(&peer, 1);
    });
}
