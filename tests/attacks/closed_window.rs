//! Peers that keep their window closed and answer every probe, for ever (RFC 9293, section 3.8.6.1, MUST-37; the
//! attack of RFC 6429). As long as somebody holds the handle the connection stays, and costs a packet a
//! minute. What becomes of it without one stands in `stalling.rs`.

use core::time::Duration;

use cygnet::wire::TcpFlags;
use cygnet_tests::script::{
    Failure, Heard, ListenerId, Peer, Script, SocketId, SocketOption, ack, data, on_cygnet, reset,
    syn, syn_ack,
};

const PORT: u16 = 80;

/// What the target's send buffer holds, and a little more.
const MORE_THAN_FITS: u32 = 100_000;

/// RFC 6298, section 2.5: no wait is longer.
const LONGEST: Duration = Duration::from_secs(60);

/// The peer has closed its window before anything was sent, and the target has all to say that its buffer takes.
fn closed(script: &Script) -> (Peer<'_>, SocketId, u32) {
    let listener = script.listen(PORT);
    closed_from(script, listener, 40_000)
}

fn closed_from(script: &Script, listener: ListenerId, port: u16) -> (Peer<'_>, SocketId, u32) {
    let peer = script.peer(port, PORT);
    peer.send(syn().mss(1_000));
    peer.expect(syn_ack());
    peer.send(ack(1).win(0));
    let socket = script.accept(listener);
    let written = script.write_some(socket, 1, MORE_THAN_FITS);
    let written = written.expect("a connection") as u32;
    assert!(written < MORE_THAN_FITS, "a buffer has an end");
    (peer, socket, written)
}

/// The peer answers what it hears, a minute's patience long.
fn answer(peer: &Peer<'_>) -> Heard {
    let heard = peer.next(LONGEST).expect("a probe");
    assert_eq!((heard.seq, heard.text.len()), (1, 1), "{heard:?}");
    peer.send(ack(1).win(0));
    heard
}

/// The end of a story.
fn abort(script: &Script, socket: SocketId) {
    script.abort(socket);
    script.ignore(Duration::ZERO);
}

#[test]
fn a_window_that_stays_closed_is_probed_ever_less_often_and_for_ever() {
    on_cygnet(|script| {
        let (peer, socket, written) = closed(script);
        let (mut last, mut wait) = (script.now(), Duration::ZERO);
        let end = last + Duration::from_secs(24 * 3_600);
        let mut probes = 0;
        while last < end {
            answer(&peer);
            let now = script.now();
            assert!(now - last >= wait, "never sooner than before");
            (last, wait) = (now, now - last);
            probes += 1;
        }
        assert_eq!(wait, LONGEST);
        assert!(probes <= 24 * 60 + 10, "{probes} in a day");
        // It holds what it was given on the first day, and takes no more.
        assert_eq!(script.write_some(socket, written + 1, 1), Ok(0));
        peer.send(ack(1).win(60_000));
        peer.expect(data(1..1_001));
        abort(script, socket);
    });
}

#[test]
fn acknowledgments_that_nobody_asked_for_bring_no_probe_forward_and_no_answer() {
    on_cygnet(|script| {
        let (peer, socket, _) = closed(script);
        for _ in 0..12 {
            answer(&peer);
        }
        // A probe is due in a minute, whatever comes in meanwhile.
        for _ in 0..59 {
            for _ in 0..100 {
                peer.send(ack(1).win(0));
            }
            script.silence(Duration::from_secs(1));
        }
        let probe = peer.next(Duration::from_secs(1)).expect("a probe");
        assert_eq!(probe.text.len(), 1);
        abort(script, socket);
    });
}

#[test]
fn the_connections_of_others_do_not_notice() {
    on_cygnet(|script| {
        let listener = script.listen(PORT);
        let stuck: Vec<_> = (40_000..40_003)
            .map(|port| closed_from(script, listener, port))
            .collect();
        let honest = script.peer(50_000, PORT);
        honest.send(syn().mss(1_000));
        honest.expect(syn_ack());
        honest.send(ack(1));
        let socket = script.accept(listener);
        for n in 0..100 {
            let start = 1 + n * 500;
            script.write(socket, start..start + 500);
            // At once: no time passes.
            honest.expect(data(start..start + 500));
            honest.send(ack(start + 500));
            for (peer, ..) in &stuck {
                peer.send(ack(1).win(0));
            }
        }
        for (_, socket, _) in stuck {
            abort(script, socket);
        }
        abort(script, socket);
    });
}

/// RFC 5482, section 1: the user timeout is about data that is not acknowledged, and answers to probes acknowledge none.
#[test]
fn a_user_timeout_ends_it_however_many_probes_are_answered() {
    on_cygnet(|script| {
        let (peer, socket, written) = closed(script);
        let patience = Duration::from_secs(100);
        script.set(socket, SocketOption::UserTimeout(patience));
        let start = script.now();
        let mut probes = 0;
        let end = loop {
            let heard = peer.next(LONGEST).expect("a probe, or the end");
            if heard.flags.contains(TcpFlags::RST) {
                break heard;
            }
            probes += 1;
            peer.send(ack(1).win(0));
        };
        assert!(probes >= 5, "{probes}");
        assert_eq!(script.now() - start, patience);
        assert_eq!((end.seq, end.text.len()), (2, 0), "behind the probe");
        let result = script.write_some(socket, written + 1, 1);
        assert_eq!(result, Err(Failure::TimedOut));
        peer.send(ack(1).win(60_000));
        peer.expect(reset(1));
    });
}
