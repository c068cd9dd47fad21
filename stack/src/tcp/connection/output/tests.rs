#![allow(clippy::single_range_in_vec_init, reason = "a segment is a range")]

use super::*;
use crate::tcp::CongestionControl;
use crate::tcp::connection::lab::{Lab, MSS, RTT, before, data, modern, nth, plain, segments};
use crate::tcp::sack::Sack;
use crate::time::Duration;

/// A peer with a window of `window` bytes, and no congestion control.
fn with_window(window: u16) -> Lab {
    let mut lab = Lab::requesting(CongestionControl::None);
    lab.wait(RTT);
    lab.peer.window = window;
    lab.answer(plain());
    lab.sent();
    lab
}

/// As many bytes as that can be written and sent at most.
fn with_buffer(len: usize) -> Lab {
    let mut lab = Lab::closed(CongestionControl::None, len);
    lab.request();
    lab.answer(plain());
    lab.sent();
    assert_eq!(lab.connection.send_capacity(), len);
    lab
}

#[test]
fn options_of_a_request_and_of_an_answer() {
    let mut lab = Lab::closed(CongestionControl::None, 256 * 1_024);
    let request = lab.request();
    let mut options = TcpOptions {
        mss: Some(1_460),
        window_scale: Some(3),
        ..TcpOptions::default()
    };
    Sack::OFFERED.put(&mut options);
    #[cfg(feature = "tcp-timestamps")]
    let options = TcpOptions {
        timestamps: Some(
            request
                .options
                .timestamps
                .expect("timestamps are asked for"),
        ),
        ..options
    };
    assert_eq!(request.options, options);
    assert_eq!((request.flags, request.window), (TcpFlags::SYN, 65_535));
}

/// RFC 7323, sections 1.3 and 2.2: "may be sent in a <SYN,ACK> segment, but only if a Window Scale option was received in
/// the initial <SYN> segment", and so it is with what else a peer has to offer. A request that crosses ours.
#[test]
fn rfc7323_2_2_an_answer_offers_what_the_request_did() {
    for (buffer, shift, answer) in [
        (256 * 1_024, None, None),
        (256 * 1_024, Some(4), Some(3)),
        (256 * 1_024, Some(0), Some(3)),
        (4_096, Some(4), Some(0)),
        (4_096, None, None),
    ] {
        let mut lab = Lab::closed(CongestionControl::None, buffer);
        lab.request();
        let options = TcpOptions {
            window_scale: shift,
            ..plain()
        };
        let crossing = TcpHeader {
            flags: TcpFlags::SYN,
            options,
            ..lab.peer
        };
        lab.receive(crossing, &[]);
        let sent = lab.sent();
        assert_eq!(sent[0].header.flags, TcpFlags::SYN | TcpFlags::ACK);
        let options = TcpOptions {
            mss: Some(1_460),
            window_scale: answer,
            ..TcpOptions::default()
        };
        assert_eq!(sent[0].header.options, options, "{buffer} {shift:?}");
    }
}

/// RFC 9293, section 3.9.1.2: "A TCP implementation MUST set the PSH bit in the last buffered segment".
#[test]
fn rfc9293_3_9_1_2_the_last_of_what_was_written_is_pushed() {
    let mut lab = with_window(60_000);
    lab.write(2 * MSS + 1);
    lab.connection.close();
    let flags: std::vec::Vec<_> = lab.sent().iter().map(|sent| sent.header.flags).collect();
    let last = TcpFlags::ACK | TcpFlags::PSH | TcpFlags::FIN;
    assert_eq!(flags, [TcpFlags::ACK, TcpFlags::ACK, last]);
    let mut lab = with_window(60_000);
    lab.connection.close();
    assert_eq!(lab.sent()[0].header.flags, TcpFlags::ACK | TcpFlags::FIN);
}

/// RFC 6864, section 4: what is cut into fragments is told from others by its identification.
#[test]
fn fragments_of_segments_that_follow_each_other_are_told_apart() {
    let mut lab = with_window(60_000);
    for (seq, ident) in [(255, 0), (256, 1), (0x00ff_ff00, 0xffff), (0x0100_0000, 0)] {
        let plan = lab.connection.plan(SeqNum::new(seq), TcpFlags::ACK);
        assert_eq!(plan.fragment_ident(), ident, "{seq}");
    }
}

/// RFC 9293, section 3.8.6.2.1: data is sent "if the maximum-sized segment can be sent", or "at least a fraction Fs of
/// the maximum window", with 1/2 for Fs.
#[test]
fn rfc9293_3_8_6_2_1_half_of_the_largest_window_is_worth_a_segment() {
    for (window, sent) in [(400, true), (399, false)] {
        let mut lab = with_window(800);
        lab.write(5 * MSS);
        assert_eq!(lab.data(), [1..801]);
        lab.peer.window = window;
        lab.ack(801);
        assert_eq!(!lab.data().is_empty(), sent, "{window}");
        if !sent {
            // SHLD-30: the override timeout.
            assert_eq!(data(lab.wait(400)), [801..1_200]);
        }
    }
}

/// RFC 9293, section 3.7.4, Nagle's algorithm as Minshall modified it: a small segment waits for another small one.
#[test]
fn rfc9293_3_7_4_a_small_segment_waits_for_another() {
    let mut lab = with_window(60_000);
    lab.write(MSS + 1);
    assert_eq!(lab.data(), [nth(0), 1_001..1_002], "behind a large one");
    lab.write(2);
    assert_eq!(lab.data(), []);
    lab.ack(1_001);
    assert_eq!(lab.data(), []);
    lab.ack(1_002);
    assert_eq!(lab.data(), [1_002..1_004]);
    // Who is done need not wait.
    lab.write(2);
    lab.connection.close();
    assert_eq!(lab.data(), [1_004..1_006]);
    let mut lab = with_window(60_000);
    lab.connection.set_nagle(false);
    for n in 1..4 {
        lab.write(1);
        assert_eq!(lab.data(), [n..n + 1]);
    }
}

/// What does not fit the buffer comes later: with enough on its way for an acknowledgment at once, the rest waits to be
/// sent with that.
#[test]
fn the_rest_of_a_full_buffer_waits_to_become_a_segment() {
    for (len, nagle, sent) in [
        (2_500, true, false),
        (1_999, true, true),
        (2_500, false, true),
    ] {
        let mut lab = with_buffer(len);
        lab.connection.set_nagle(nagle);
        assert_eq!(lab.write(5 * MSS), len as u32);
        assert_eq!(
            lab.data().last().unwrap().end == 1 + len as u32,
            sent,
            "{len} {nagle}"
        );
        if !sent {
            lab.ack(before(1));
            lab.write(500);
            assert_eq!(lab.data(), [nth(2)]);
        }
    }
    // A buffer that is not full has all that there is to say.
    let mut lab = with_buffer(2_600);
    lab.write(2_500);
    assert_eq!(lab.data().len(), 3);
}

/// RFC 9293, section 3.8.6.1: the byte of a probe is sent again with what the window takes, however little that is.
#[test]
fn the_byte_of_a_probe_is_sent_again_when_the_window_opens() {
    let mut lab = with_window(800);
    lab.peer.window = 0;
    lab.ack(1);
    lab.write(5 * MSS);
    let probe = lab.wait(500);
    assert_eq!(data(probe), [1..2]);
    assert_eq!(lab.connection.snd.flight(), 0, "it is not in flight");
    assert_eq!(lab.connection.snd.max(), SeqNum::new(2));
    lab.peer.window = 100;
    lab.ack(1);
    assert_eq!(lab.data(), [1..101]);
    lab.peer.window = 200;
    lab.ack(101);
    assert_eq!(lab.data(), [], "nothing of that was sent before");
}

/// RFC 5681, section 4.1, and RFC 7661, section 4.4.3: half of a window goes with each timeout in silence.
#[test]
fn rfc7661_4_4_3_half_of_the_window_goes_with_each_timeout_in_silence() {
    for (silence, window) in [(299, 40), (302, 20), (598, 20), (602, 10)] {
        let mut lab = Lab::established(CongestionControl::NewReno, modern());
        lab.connection.congestion.on_loss(80 * MSS);
        assert_eq!(lab.connection.rtt.rto(), Duration::from_millis(300));
        // An acknowledgment was the last that was sent; it does not count.
        lab.connection.last_sent = ticks(lab.now);
        lab.wait(silence);
        lab.write(1);
        assert_eq!(lab.data(), [1..2]);
        assert_eq!(
            lab.connection.congestion.window(),
            window * MSS,
            "{silence}"
        );
    }
}

/// While something is in flight there is no silence.
#[test]
fn a_window_in_use_stays_however_long_the_answer_takes() {
    let mut lab = Lab::established(CongestionControl::NewReno, modern());
    lab.connection.congestion.on_loss(80 * MSS);
    lab.write(1);
    lab.sent();
    lab.now += Duration::from_secs(2);
    lab.write(MSS);
    lab.connection.next_data(lab.now);
    assert_eq!(lab.connection.congestion.window(), 40 * MSS);
}

/// The clock of the schedule goes around in 71 minutes: one from before a silence as long as that would seem to lie
/// ahead.
#[cfg(feature = "tcp-cubic")]
#[test]
fn a_silence_ends_the_schedule_that_was_before() {
    let mut lab = Lab::established(CongestionControl::Cubic, modern());
    lab.write(30 * MSS);
    lab.wait(20);
    lab.ack(before(10));
    lab.wait(RTT);
    lab.ack(before(30));
    assert!(lab.connection.snd.all_acked());
    lab.wait((1 << 32) / 1_000 - 500);
    lab.write(50 * MSS);
    let at_once = lab.sent().len();
    lab.wait(1);
    assert!(lab.sent().len() + at_once >= 2, "{at_once}");
    assert!(!lab.connection.is_held_by_pacing() || lab.wait(20).len() > 1);
}

/// An acknowledgment that reports gaps goes alone, for only then does it count as a duplicate (RFC 5681, section 2), and
/// before data; any other goes along with data.
#[cfg(feature = "tcp-sack")]
#[test]
fn rfc5681_2_a_report_goes_before_data() {
    let mut lab = Lab::established(CongestionControl::None, modern());
    lab.peer.seq += 500;
    lab.text(500);
    lab.write(MSS);
    let sent = lab.sent();
    assert_eq!(sent.len(), 2);
    assert_eq!((sent[0].data.len(), sent[0].sack.len()), (0, 1));
    assert_eq!((sent[1].data.clone(), sent[1].sack.len()), (nth(0), 0));
    let mut lab = Lab::established(CongestionControl::None, modern());
    lab.text(500);
    lab.write(MSS);
    let sent = lab.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].header.ack, SeqNum::new(501));
}

/// RFC 9937, section 6.2: what is sent counts, again or for the first time.
#[cfg(all(feature = "tcp-prr", feature = "tcp-sack"))]
#[test]
fn rfc9937_6_2_what_is_sent_again_counts_by_its_length() {
    for len in [300, 1_000] {
        let mut lab = Lab::established(CongestionControl::NewReno, modern());
        lab.write(len);
        lab.sent();
        lab.write(9 * MSS);
        lab.sent();
        lab.wait(RTT);
        lab.report(1, &[1 + len..1 + len + 5 * MSS]);
        lab.connection.congestion.prr_mut().unwrap().force(5 * MSS);
        let allowance = lab.connection.allowance();
        let plan = lab.connection.plan_retransmission(lab.now).unwrap();
        assert_eq!(plan.len, len);
        assert_eq!(allowance - lab.connection.allowance(), len);
    }
}

/// A connection that is over, or listens, has nothing to send whatever its user changes.
#[test]
fn who_is_not_connected_has_nothing_to_send() {
    let mut lab = Lab::closed(CongestionControl::None, 4_096);
    lab.connection.set_nagle(false);
    assert!(!lab.connection.wants_to_send());
    lab.request();
    assert!(!lab.connection.wants_to_send());
    lab.answer(plain());
    assert!(lab.connection.wants_to_send(), "an acknowledgment");
    lab.sent();
    assert!(!lab.connection.wants_to_send());
    lab.write(1);
    assert!(lab.connection.wants_to_send());
    lab.sent();
    assert!(!lab.connection.wants_to_send());
    lab.connection.detach();
    assert!(lab.connection.wants_to_send(), "a FIN");
    lab.sent();
    lab.connection.abort();
    assert!(lab.connection.wants_to_send(), "a reset");
    lab.sent();
    assert!(!lab.connection.wants_to_send());
    lab.connection.detach();
    assert!(!lab.connection.wants_to_send());
}

#[test]
fn segments_leave_in_order_with_what_is_left_at_the_end() {
    let mut lab = Lab::established(CongestionControl::None, modern());
    lab.write(3 * MSS);
    lab.connection.close();
    let sent = lab.sent();
    assert_eq!(data(sent.clone()), segments(0..3));
    assert!(
        sent[2].header.flags.contains(TcpFlags::FIN),
        "the end needs no segment of its own"
    );
}

/// What is lost waits for its time as data does, and for a state that lets it out.
#[test]
fn what_is_lost_waits_for_its_time() {
    let lost = || {
        let mut lab = Lab::established(CongestionControl::NewReno, modern());
        lab.write(20 * MSS);
        lab.sent();
        lab.connection.snd.board().lose_all();
        lab
    };
    let mut lab = lost();
    assert!(lab.connection.next_data(lab.now).is_some());
    lab.connection.state = State::FinWait2;
    assert!(lab.connection.next_data(lab.now).is_none());
    let mut lab = lost();
    assert!(lab.connection.plan_retransmission(lab.now).is_some());
    let mut lab = lost();
    lab.connection.state = State::FinWait2;
    assert!(lab.connection.plan_retransmission(lab.now).is_none());
    #[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
    {
        let mut lab = lost();
        lab.connection.timers.set(Timer::Pacing, lab.now);
        assert!(lab.connection.plan_retransmission(lab.now).is_none());
        assert!(!lab.connection.wants_to_send());
        assert!(lab.connection.next_data(lab.now).is_none());
    }
}

/// RFC 7413, section 4.1.1: the cookie goes with what asks for a connection, and with nothing else.
#[cfg(feature = "tcp-fast-open")]
#[test]
fn a_request_is_a_syn_and_nothing_else() {
    let mut lab = with_window(800);
    for (flags, is_request) in [
        (TcpFlags::SYN, true),
        (TcpFlags::SYN | TcpFlags::ACK, false),
        (TcpFlags::ACK, false),
    ] {
        let plan = lab.connection.plan(SeqNum::new(1), flags);
        assert_eq!(crate::tcp::Connection::is_request(&plan), is_request);
    }
}

/// RFC 9293, section 3.5: before the handshake is complete nothing is known of the peer's window.
#[test]
fn data_waits_for_the_handshake() {
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    let request = TcpHeader {
        flags: TcpFlags::SYN,
        options: plain(),
        ..lab.peer
    };
    lab.receive(request, &[]);
    lab.write(10);
    lab.connection.snd.wnd = 1_000;
    assert_eq!(lab.data(), []);
    lab.peer.seq += 1;
    lab.ack(1);
    assert_eq!(lab.data(), [1..11]);
    // Nor does it matter then that some may have gone out before the handshake was complete.
    for state in [State::FinWait2, State::SynSent] {
        lab.connection.state = state;
        #[cfg(feature = "tcp-fast-open")]
        lab.connection.marks.put(Mark::Early, true);
        assert!(!lab.connection.sends_data(), "{state:?}");
    }
}

/// RFC 9293, section 3.8.1: what is sent again ends where it ended before, if it is remembered segment by segment.
#[cfg(feature = "tcp-rack")]
#[test]
fn an_end_is_sent_again_with_the_data_that_it_went_with() {
    for (together, flags) in [
        (true, TcpFlags::ACK | TcpFlags::PSH | TcpFlags::FIN),
        (false, TcpFlags::ACK | TcpFlags::PSH),
    ] {
        let mut lab = with_window(60_000);
        lab.write(500);
        if !together {
            lab.sent();
        }
        lab.connection.close();
        lab.sent();
        let again = lab.wait(305);
        assert_eq!(again[0].data, 1..501);
        assert_eq!(again[0].header.flags, flags);
        let ends = again
            .iter()
            .filter(|sent| sent.header.flags.contains(TcpFlags::FIN));
        assert_eq!(ends.count(), 1);
    }
}

#[test]
fn a_probe_that_is_repeated_says_so() {
    let mut lab = with_window(0);
    lab.write(10);
    for repeated in [false, true] {
        lab.connection.due.set(Special::Probe);
        let plan = lab.connection.plan_probe(lab.now).unwrap();
        assert_eq!((plan.len, plan.repeated), (1, repeated));
    }
    // With nothing left to say there is nothing to probe with.
    for window in [0, 800] {
        let mut lab = with_window(window);
        lab.connection.due.set(Special::Probe);
        assert!(lab.connection.plan_probe(lab.now).is_none());
    }
}

/// What is due brings nothing that is not.
#[test]
fn a_question_goes_out_when_it_is_due_and_only_then() {
    let mut lab = with_window(60_000);
    lab.connection.due.set(Special::Probe);
    assert!(lab.sent().is_empty(), "nothing asks for an answer");
    #[cfg(feature = "tcp-keep-alive")]
    {
        let mut lab = with_window(0);
        lab.write(10);
        lab.sent();
        lab.connection.due.set(Special::KeepAlive);
        let sent = lab.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].data, 0..0, "the window is not probed");
    }
}

/// RFC 5681, section 2 (b): "the incoming acknowledgment carries no data".
#[test]
fn rfc5681_2_what_is_ahead_of_a_gap_is_acknowledged_without_data() {
    let mut lab = with_window(60_000);
    lab.peer.seq += MSS;
    lab.text(100);
    lab.write(10);
    let sent = lab.sent();
    let lens: std::vec::Vec<_> = sent.iter().map(|sent| sent.data.len()).collect();
    assert_eq!(lens, [0, 10]);
}

/// What finds no room is acknowledged as often as it comes, but not later.
#[test]
fn an_acknowledgment_that_goes_with_data_is_not_repeated_later() {
    let mut lab = with_buffer(2_048);
    lab.text(2_048);
    lab.sent();
    for _ in 0..3 {
        lab.receive(lab.peer, &[7]);
    }
    lab.write(10);
    assert_eq!(lab.sent().len(), 1);
    lab.connection.read(&mut [0; 2_048]);
    assert_eq!(lab.sent().len(), 1, "an update of the window");
}
