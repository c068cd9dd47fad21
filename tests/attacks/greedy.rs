//! Receivers that want more than their share (Savage et al., "TCP Congestion Control with a Misbehaving
//! Receiver"; RFC 3465; RFC 5681, section 6), or that want to see the sender fall over.

use core::ops::Range;
use core::time::Duration;

use cygnet_tests::script::{
    Peer, Script, SocketId, SocketOptions, ack, data, on_cygnet, reset, syn, syn_ack,
};

const PORT: u16 = 80;
const MSS: u32 = 1_000;
/// RFC 6928.
const INITIAL_WINDOW: u32 = 10 * MSS;

/// A peer connects, with these options and a window of 1 MiB, and the target has as much to say as its
/// buffer holds.
fn sending(script: &Script, options: fn(Segment) -> Segment) -> (Peer<'_>, SocketId) {
    let large = SocketOptions {
        receive_buffer: Some(65_535),
        ..SocketOptions::default()
    };
    let listener = script.listen_with(PORT, &large);
    let peer = script.peer(40_000, PORT);
    peer.send(options(syn().mss(MSS as u16)));
    peer.expect(syn_ack());
    peer.send(ack(1));
    let socket = script.accept(listener);
    script.write(socket, 1..60_001);
    (peer, socket)
}

type Segment = cygnet_tests::script::Segment;

fn plain(syn: Segment) -> Segment {
    syn
}

fn sack(syn: Segment) -> Segment {
    syn.sack_ok()
}

/// What the target sends at once: how many segments, and the end of the last.
fn hear(peer: &Peer<'_>, end: &mut u32) -> u32 {
    let mut count = 0;
    while let Some(heard) = peer.next(Duration::ZERO) {
        *end = heard.end().max(*end);
        count += 1;
    }
    count
}

#[test]
fn an_acknowledgment_cut_into_pieces_opens_the_window_no_further() {
    on_cygnet(|script| {
        let (peer, _) = sending(script, plain);
        let mut end = 0;
        assert_eq!(hear(&peer, &mut end), INITIAL_WINDOW / MSS);
        // One segment, acknowledged in 500 pieces.
        let mut segments = 0;
        for piece in 1..=500 {
            peer.send(ack(1 + 2 * piece));
            segments += hear(&peer, &mut end);
        }
        let in_flight = end - (1 + MSS);
        assert!(in_flight <= INITIAL_WINDOW + MSS, "{in_flight} bytes");
        assert!(segments <= 2, "{segments} segments for one");
    });
}

#[test]
fn an_acknowledgment_of_what_was_never_sent_opens_nothing() {
    on_cygnet(|script| {
        let (peer, _) = sending(script, plain);
        let mut end = 0;
        hear(&peer, &mut end);
        let mut segments = 0;
        for n in 1..=1_000 {
            peer.send(ack(end + n * MSS));
            segments += hear(&peer, &mut end);
        }
        assert_eq!(end, 1 + INITIAL_WINDOW, "no new data");
        assert!(segments <= 1, "one challenge, not {segments}");
        peer.send(ack(end));
        assert!(hear(&peer, &mut end) > 0, "an honest one does");
    });
}

/// A peer that said it would report what arrives has to do so.
#[test]
fn repeated_acknowledgments_without_blocks_let_nothing_out() {
    on_cygnet(|script| {
        let (peer, _) = sending(script, sack);
        let mut end = 0;
        hear(&peer, &mut end);
        for _ in 0..1_000 {
            peer.send(ack(1));
        }
        assert_eq!(hear(&peer, &mut end), 0);
    });
}

/// One that cannot report is believed that each stands for a segment that arrived, as RFC 5681, section 3.2
/// has it; it gains no more than if it acknowledged them.
#[test]
fn repeated_acknowledgments_let_out_no_more_than_honest_ones_would() {
    let sent = |acknowledge: fn(u32) -> Segment| {
        let mut segments = 0;
        on_cygnet(|script| {
            let (peer, _) = sending(script, plain);
            let mut end = 0;
            hear(&peer, &mut end);
            for n in 1..=20 {
                peer.send(acknowledge(n));
                segments += hear(&peer, &mut end);
            }
        });
        segments
    };
    let (honest, repeated) = (sent(|n| ack(1 + n * MSS)), sent(|_| ack(1)));
    assert!(
        repeated < honest,
        "{repeated} segments, {honest} for honesty"
    );
}

#[test]
fn invented_blocks_change_nothing() {
    on_cygnet(|script| {
        let (peer, _) = sending(script, sack);
        let mut end = 0;
        hear(&peer, &mut end);
        let mut segments = 0;
        for n in 0..1_000_u32 {
            let ahead = end + MSS + n.wrapping_mul(0x9e37_79b9) % 1_000_000;
            let empty = 500 + n;
            for (start, end) in [
                (ahead, ahead + MSS),
                (empty, empty),
                (3_001, 2_001),
                (1, 0x8000_0001),
                (end, 1),
            ] {
                peer.send(ack(1).sack(Range { start, end }));
            }
            segments += hear(&peer, &mut end);
        }
        assert!(
            segments <= INITIAL_WINDOW / MSS,
            "{segments} segments for nothing"
        );
        peer.send(ack(end));
        assert!(hear(&peer, &mut end) > 0, "the connection lives");
    });
}

/// RFC 2018, section 8: what was reported may be dropped again, and has to be sent again.
#[test]
fn reneging_costs_the_receiver_time_and_the_sender_nothing() {
    on_cygnet(|script| {
        let (peer, _) = sending(script, sack);
        let mut end = 0;
        hear(&peer, &mut end);
        peer.send(ack(1).sack(1_001..end));
        assert!(hear(&peer, &mut end) > 0, "the first is sent again");
        peer.send(ack(1));
        let mut acked = 1;
        for _ in 0..200 {
            let Some(heard) = peer.next(Duration::from_secs(70)) else {
                break;
            };
            if heard.seq <= acked && heard.end() > acked {
                acked = heard.end();
                peer.send(ack(acked));
            }
        }
        assert_eq!(acked, 60_001, "all of it arrives in the end");
    });
}

#[test]
fn a_peer_that_wants_one_byte_at_a_time_gets_more() {
    on_cygnet(|script| {
        let listener = script.listen(PORT);
        for (n, mss) in [0, 1, 47].into_iter().enumerate() {
            let peer = script.peer(40_000 + n as u16, PORT);
            peer.send(syn().mss(mss));
            peer.expect(syn_ack());
            peer.send(ack(1));
            let socket = script.accept(listener);
            script.write(socket, 1..481);
            for start in (1..481).step_by(48) {
                peer.expect(data(start..start + 48));
            }
            peer.send(ack(481));
        }
    });
}

/// RFC 9293, section 3.8.6: "a sending TCP peer MUST be robust against window shrinking" (SHLD-15, MUST-34).
#[test]
fn a_window_that_is_taken_back_stops_the_sender_and_no_more() {
    on_cygnet(|script| {
        let (peer, _) = sending(script, plain);
        let mut end = 0;
        hear(&peer, &mut end);
        for n in 1..=200 {
            let window = if n % 2 == 0 { 65_535 } else { 0 };
            peer.send(ack(1).win(window));
            hear(&peer, &mut end);
            assert!(
                end <= 1 + INITIAL_WINDOW + 2 * MSS,
                "beyond what was allowed"
            );
        }
        let mut acked = 1;
        while acked < 60_001 {
            let heard = match peer.next(Duration::from_secs(70)) {
                Some(heard) => heard,
                None => panic!("stuck at {acked}"),
            };
            if heard.seq <= acked && heard.end() > acked {
                acked = heard.end();
            }
            peer.send(ack(acked).win(65_535));
        }
    });
}

/// A window that opens by a byte at a time does not turn the data into segments of a byte each.
#[test]
fn a_slow_reader_gets_few_and_large_segments() {
    on_cygnet(|script| {
        let (peer, socket) = sending(script, plain);
        let mut end = 0;
        hear(&peer, &mut end);
        peer.send(ack(end).win(0));
        let start = end;
        // For a minute the reader makes room for one byte every 10 ms.
        let mut segments = 0;
        for n in 1..=6_000 {
            peer.send(ack(end.max(start)).win((n % 1_000) as u16));
            segments += hear(&peer, &mut end);
            script.ignore(Duration::from_millis(10));
        }
        let bytes = end - start;
        assert!(
            segments * 200 <= bytes.max(12_000),
            "{segments} for {bytes} bytes"
        );
        script.abort(socket);
        peer.send(ack(end));
        while peer.next(Duration::from_secs(1)).is_some() {}
        peer.send(ack(end));
        peer.expect(reset(end));
    });
}
