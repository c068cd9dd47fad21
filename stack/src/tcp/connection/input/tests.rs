#![allow(clippy::single_range_in_vec_init, reason = "a segment is a range")]

use super::*;
use crate::tcp::CongestionControl;
use crate::tcp::connection::lab::{Lab, MSS, RTT, before, data, modern, nth, plain};
use crate::time::Duration;
use crate::wire::SeqNum;

fn established() -> Lab {
    Lab::established(CongestionControl::NewReno, plain())
}

/// A peer with timestamps, whose last was 100.
#[cfg(feature = "tcp-timestamps")]
fn stamped() -> Lab {
    let mut options = modern();
    options.timestamps = Some(crate::wire::Timestamps {
        value: 100,
        echo: 0,
    });
    Lab::established(CongestionControl::NewReno, options)
}

/// Both sides have asked for a connection, and the answers are on their way.
fn crossed() -> Lab {
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    lab.wait(RTT);
    let request = TcpHeader {
        flags: TcpFlags::SYN,
        options: plain(),
        ..lab.peer
    };
    assert_eq!(lab.receive(request, &[]), Disposition::Accepted);
    assert_eq!(lab.connection.state(), State::SynReceived);
    lab.peer.seq = SeqNum::new(1);
    lab.peer.ack = SeqNum::new(1);
    lab
}

/// RFC 5681, section 2: a duplicate acknowledgment has outstanding data, no data, neither SYN nor FIN, the number of the
/// last and its window.
#[test]
fn rfc5681_2_a_duplicate_repeats_the_last_acknowledgment_in_all() {
    let counted = |trial: fn(&mut Lab)| {
        let mut lab = established();
        lab.write(5 * MSS);
        lab.sent();
        // The window as the peer tells it from now on.
        lab.ack(before(1));
        trial(&mut lab);
        lab.connection.recovery.duplicates()
    };
    let same = |lab: &mut Lab| _ = lab.ack(before(1));
    assert_eq!(counted(same), 1);
    let other_window = |lab: &mut Lab| {
        lab.peer.window -= 1;
        lab.ack(before(1));
    };
    assert_eq!(counted(other_window), 0);
    assert_eq!(counted(|lab| _ = lab.text(1)), 0);
    assert_eq!(counted(|lab| _ = lab.ack(before(0))), 0, "it is older");
    let nothing_out = |lab: &mut Lab| {
        lab.ack(before(5));
        lab.ack(before(5));
    };
    assert_eq!(counted(nothing_out), 0);
    let with_fin = |lab: &mut Lab| {
        let mut fin = lab.peer;
        fin.flags = TcpFlags::ACK | TcpFlags::FIN;
        lab.receive(fin, &[]);
    };
    assert_eq!(counted(with_fin), 0);
}

/// RFC 9293, section 3.8.6.1, MUST-37: a peer that answers keeps the connection, if somebody is left who may lose
/// patience (RFC 6429, section 4).
#[test]
fn must_37_an_answer_from_a_closed_window_is_a_sign_of_life() {
    let patience = |window: u16, acked: u32, detached: bool, written: u32| {
        let mut lab = established();
        lab.write(written);
        lab.sent();
        lab.peer.window = window;
        lab.ack(1 + acked);
        lab.connection.retries = 5;
        lab.connection.marks.put(Mark::Detached, detached);
        lab.ack(1 + acked);
        lab.connection.retries
    };
    assert_eq!(patience(0, 0, false, 0), 0);
    assert_eq!(patience(0, MSS, false, MSS), 0);
    assert_eq!(patience(0, 0, true, 0), 5, "nobody is left");
    assert_eq!(patience(60_000, 0, false, 0), 0, "nothing is out");
    assert_eq!(
        patience(60_000, 0, false, MSS),
        5,
        "it waits for what is out"
    );
    assert_eq!(
        patience(0, 0, false, MSS),
        0,
        "as above, with the window closed"
    );
}

/// RFC 9293, section 3.8.6.1: a window that opens ends the probing, and what it taught about the path is nothing.
#[test]
fn a_window_that_opens_ends_the_probing() {
    let mut lab = established();
    lab.peer.window = 0;
    lab.ack(1);
    lab.write(5 * MSS);
    assert_eq!(data(lab.wait(400)), [1..2], "a probe");
    let doubled = lab.connection.rtt.rto();
    // A probe that is due when the window opens is none any more.
    lab.connection.due.set(Special::Probe);
    lab.ack(1);
    assert!(lab.connection.due.is_set(Special::Probe), "it is closed");
    assert!(lab.connection.timers.is_set(Timer::Retransmit));
    lab.peer.window = 3_000;
    lab.ack(1);
    assert!(!lab.connection.due.is_set(Special::Probe));
    assert!(lab.connection.rtt.rto() < doubled);
    assert_eq!(lab.data(), [nth(0), nth(1), nth(2)]);
    let timeout = lab.now + lab.connection.rtt.rto();
    assert_eq!(
        lab.connection.timers.due(Timer::Retransmit, lab.now),
        timeout
    );
    // While something is in flight its timer goes on, and so does the doubling.
    let mut lab = established();
    lab.write(MSS);
    lab.sent();
    lab.wait(10);
    lab.connection.rtt.back_off();
    let (timer, timeout) = (
        lab.connection.timers.due(Timer::Retransmit, lab.now),
        lab.connection.rtt.rto(),
    );
    lab.peer.window = 61_000;
    lab.ack(1);
    assert_eq!(lab.connection.timers.due(Timer::Retransmit, lab.now), timer);
    assert_eq!(lab.connection.rtt.rto(), timeout);
}

/// RFC 5961, section 7: what is unacceptable is acknowledged twice a second at most.
#[test]
fn rfc5961_7_challenges_are_limited_in_rate() {
    let mut lab = established();
    let mut answers = |wait: u64| {
        lab.wait(wait);
        let reset = TcpHeader {
            flags: TcpFlags::RST,
            seq: SeqNum::new(2),
            ..lab.peer
        };
        let discarded = Disposition::Discarded(Discard::InexactReset);
        assert_eq!(lab.receive(reset, &[]), discarded);
        lab.sent().len()
    };
    assert_eq!(answers(0), 1);
    assert_eq!(answers(0), 0);
    assert_eq!(answers(498), 0);
    assert_eq!(answers(3), 1);
    assert_eq!(answers(498), 0, "counted from the last");
    assert_eq!(answers(3), 1);
}

/// RFC 5961, section 3.2: within the window a reset is challenged, at its start it counts, outside it is nothing.
#[test]
fn rfc5961_3_2_a_reset_has_to_have_the_exact_number() {
    for (seq, disposition, answers) in [
        (0, Disposition::Discarded(Discard::OutOfWindow), 0),
        (1, Disposition::Accepted, 0),
        (2, Disposition::Discarded(Discard::InexactReset), 1),
    ] {
        let mut lab = established();
        let reset = TcpHeader {
            flags: TcpFlags::RST,
            seq: SeqNum::new(seq),
            ..lab.peer
        };
        assert_eq!(lab.receive(reset, &[]), disposition, "{seq}");
        assert_eq!(lab.sent().len(), answers, "{seq}");
    }
}

/// How a connection ends that the peer resets, state by state (RFC 9293, section 3.10.7.4).
#[test]
fn a_reset_is_an_error_where_something_may_have_been_lost() {
    let ended = |state| {
        let mut lab = established();
        lab.connection.state = state;
        let reset = TcpHeader {
            flags: TcpFlags::RST,
            ..lab.peer
        };
        assert_eq!(lab.receive(reset, &[]), Disposition::Accepted);
        assert_eq!(lab.connection.state(), State::Closed);
        lab.connection.error()
    };
    assert_eq!(ended(State::SynReceived), Some(ConnectionError::Refused));
    for state in [
        State::Established,
        State::CloseWait,
        State::FinWait1,
        State::FinWait2,
    ] {
        assert_eq!(ended(state), Some(ConnectionError::Reset));
    }
    assert_eq!(ended(State::Closing), None);
    assert_eq!(ended(State::LastAck), None);
}

/// RFC 9293, section 3.10.7.4: what arrived before is acknowledged, at once, and as often as it comes; what has no text is
/// no sign that an acknowledgment was lost.
#[test]
fn text_that_comes_again_is_acknowledged_at_once() {
    let mut lab = established();
    lab.text(100);
    lab.wait(100);
    let again = |lab: &mut Lab, seq, flags, len| {
        let header = TcpHeader {
            seq: SeqNum::new(seq),
            flags,
            ..lab.peer
        };
        let disposition = lab.receive(header, &[7; 100][..len]);
        (disposition, lab.sent().len())
    };
    let duplicate = Disposition::Discarded(Discard::DuplicateSegment);
    let outside = Disposition::Discarded(Discard::OutOfWindow);
    assert_eq!(again(&mut lab, 1, TcpFlags::ACK, 100), (duplicate, 1));
    let duplicate = Disposition::Discarded(Discard::DuplicateSegment);
    assert_eq!(again(&mut lab, 1, TcpFlags::ACK, 99), (duplicate, 1));
    // Each of these is limited in rate.
    assert_eq!(again(&mut lab, 100, TcpFlags::ACK, 0), (outside, 1));
    let outside = Disposition::Discarded(Discard::OutOfWindow);
    assert_eq!(again(&mut lab, 100, TcpFlags::ACK, 0), (outside, 0));
    let outside = Disposition::Discarded(Discard::OutOfWindow);
    let syn = TcpFlags::SYN | TcpFlags::ACK;
    assert_eq!(again(&mut lab, 1, syn, 0), (outside, 0));
}

/// RFC 7323, section 4.3: the answer to text that comes again echoes it, for the peer's timeout has doubled meanwhile. Not
/// to text from before the buffer, nor to one that acknowledges what was never sent.
#[cfg(feature = "tcp-timestamps")]
#[test]
fn rfc7323_4_3_text_that_comes_again_is_echoed() {
    let echo = |seq: u32, ack: u32, capacity: usize| {
        let mut lab = stamped();
        for _ in 0..10 {
            lab.text(1_000);
            lab.connection.read(&mut [0; 1_000]);
        }
        lab.sent();
        if capacity > 0 {
            lab.connection.rcv.ring = crate::storage::Ring::new(crate::storage::Bytes::from(
                std::boxed::Box::leak(std::vec![0; capacity].into_boxed_slice()),
            ));
        }
        lab.stamp(105, 0);
        let header = TcpHeader {
            seq: SeqNum::new(seq),
            ack: SeqNum::new(ack),
            ..lab.peer
        };
        lab.receive(header, &[7; 1_000]);
        let sent = lab.sent();
        assert_eq!(sent.len(), 1);
        sent[0].header.options.timestamps.unwrap().echo
    };
    assert_eq!(echo(9_001, 1, 0), 105);
    assert_eq!(echo(9_001, 2, 0), 100, "nothing was sent yet");
    assert_eq!(echo(7_001, 1, 3_000), 105);
    assert_eq!(echo(7_000, 1, 3_000), 100, "older than the buffer");
}

/// RFC 9293, section 3.10.7.4, fifth: an acknowledgment of what was not sent does not complete a handshake.
#[test]
fn the_acknowledgment_of_a_handshake_is_for_our_syn() {
    for (ack, completes) in [(0, false), (1, true), (2, false)] {
        let mut lab = crossed();
        lab.peer.ack = SeqNum::new(ack);
        let disposition = lab.receive(lab.peer, &[]);
        let state = lab.connection.state();
        assert_eq!(state == State::Established, completes, "{ack}");
        let refused = disposition == Disposition::Refused(Discard::BadAck);
        assert_eq!(refused, !completes, "{ack}");
    }
}

/// RFC 7323, section 2.3: the window of what completes the handshake is scaled, the one of the SYN is not.
#[test]
fn rfc7323_2_3_windows_are_scaled_but_for_those_of_syns() {
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    lab.peer.window = 100;
    lab.answer(modern());
    assert_eq!(lab.connection.snd.wnd, 100);
    lab.ack(1);
    assert_eq!(lab.connection.snd.wnd, 1_600);
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    lab.receive(
        TcpHeader {
            flags: TcpFlags::SYN,
            options: modern(),
            ..lab.peer
        },
        &[],
    );
    lab.peer.seq = SeqNum::new(1);
    lab.peer.window = 100;
    lab.ack(1);
    assert_eq!(lab.connection.snd.wnd, 1_600);
    // Nor is the one of the SYN that comes again to complete a handshake that crossed another.
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    lab.peer.window = 100;
    lab.peer.options = modern();
    lab.peer.flags = TcpFlags::SYN;
    lab.receive(lab.peer, &[]);
    lab.peer.flags = TcpFlags::SYN | TcpFlags::ACK;
    lab.peer.ack = SeqNum::new(1);
    lab.receive(lab.peer, &[]);
    assert_eq!(lab.connection.state(), State::Established);
    assert_eq!(lab.connection.snd.wnd, 100);
}

/// What the user closed before the handshake was complete is closed with it.
#[test]
fn a_connection_that_was_closed_early_says_so_once_it_is_up() {
    let mut lab = crossed();
    lab.sent();
    lab.connection.close();
    assert_eq!(lab.connection.state(), State::SynReceived);
    lab.events();
    lab.receive(lab.peer, &[]);
    assert_eq!(lab.connection.state(), State::FinWait1);
    assert_eq!(lab.sent()[0].header.flags, TcpFlags::ACK | TcpFlags::FIN);
    let events = lab.events();
    assert!(events.contains(Events::STATE) && events.contains(Events::WRITABLE));
}

/// A SYN that is still to be sent when the peer's answer comes is not sent any more; the acknowledgment is.
#[test]
fn what_completes_the_handshake_makes_the_answer_an_acknowledgment() {
    let mut lab = crossed();
    assert!(lab.connection.due.is_set(Special::Syn));
    lab.receive(lab.peer, &[]);
    let sent = lab.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].header.flags, TcpFlags::ACK);
    // And none where it was sent.
    let mut lab = crossed();
    lab.sent();
    lab.receive(lab.peer, &[]);
    assert_eq!(lab.sent(), []);
}

/// RFC 5681, section 3.1: "if the SYN or SYN/ACK is lost, the initial window [...] MUST be one segment"; RFC 6298, section
/// 5.7: and the timeout is three seconds.
#[test]
fn rfc5681_3_1_a_request_that_was_repeated_means_one_segment() {
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    assert_eq!(lab.wait(1_100).len(), 1, "again");
    lab.answer(plain());
    // What acknowledges it counts already.
    assert!(lab.connection.congestion.window() <= 2 * MSS);
    assert_eq!(lab.connection.rtt.rto(), Duration::from_secs(3));
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    lab.wait(RTT);
    lab.answer(plain());
    assert_eq!(lab.connection.congestion.window(), 10 * MSS);
    assert_eq!(lab.connection.rtt.rto(), Duration::from_millis(300));
}

/// Text that was cut off at the edge of the window takes its FIN with it.
#[test]
fn a_fin_beyond_the_window_is_none() {
    for (over, finished) in [(0, true), (1, false)] {
        let mut lab = established();
        let window = lab.connection.rcv.window() as usize;
        let header = TcpHeader {
            flags: TcpFlags::ACK | TcpFlags::FIN,
            ..lab.peer
        };
        lab.receive(header, &std::vec![7; window + over]);
        assert_eq!(lab.connection.receive_queue(), window);
        assert_eq!(lab.connection.is_finished(), finished, "{over}");
        if !finished {
            lab.connection.read(&mut std::vec![0; window]);
            lab.sent();
            lab.peer.seq += window as u32;
            lab.text(1);
            assert!(!lab.connection.is_finished(), "it has to come again");
        }
    }
}

/// RFC 1122, section 4.2.2.13: data for a user who is gone ends the connection with a reset; what is there already, or a
/// FIN, does not.
#[test]
fn rfc1122_4_2_2_13_data_that_nobody_will_read_is_answered_with_a_reset() {
    for (seq, len, reset) in [
        (101, 1, true),
        (1, 101, true),
        (1, 100, false),
        (101, 0, false),
    ] {
        let mut lab = established();
        lab.text(100);
        lab.connection.read(&mut [0; 100]);
        lab.connection.detach();
        lab.sent();
        let header = TcpHeader {
            seq: SeqNum::new(seq),
            flags: TcpFlags::ACK | TcpFlags::FIN,
            ..lab.peer
        };
        lab.receive(header, &[7; 200][..len]);
        let sent = lab.sent();
        let flags = sent.last().map(|sent| sent.header.flags);
        let is_reset = flags == Some(TcpFlags::RST | TcpFlags::ACK);
        assert_eq!(is_reset, reset, "{seq} {len}");
    }
}

/// RFC 9293, section 3.8.6.3, and as Linux: what is more than a segment is acknowledged at once, what fills a gap, and
/// what comes early in a connection; anything else may wait.
#[test]
fn text_is_acknowledged_at_once_where_the_peer_waits_for_it() {
    let mut lab = established();
    lab.connection.rcv.quick_acks = 2;
    for _ in 0..2 {
        lab.text(1);
        assert!(lab.connection.due.ack, "early");
        lab.sent();
    }
    lab.text(MSS as usize);
    assert!(!lab.connection.due.ack, "one segment");
    let due = lab.now + Duration::from_millis(40);
    assert_eq!(lab.connection.timers.due(Timer::DelayedAck, lab.now), due);
    lab.wait(10);
    lab.text(1);
    assert_eq!(lab.sent().len(), 1, "and a byte");
    lab.text(1);
    lab.wait(10);
    lab.connection.set_ack_delay(None);
    lab.text(1);
    assert_eq!(lab.sent().len(), 1, "nothing may wait");
}

/// RFC 5681, section 4.2: duplicates go out at once, one for each segment; to a peer that is told what arrived, only as many
/// as it takes to survive the loss of one.
#[test]
fn rfc5681_4_2_each_segment_out_of_order_is_a_duplicate() {
    for (options, answers) in [
        (plain(), 5),
        #[cfg(feature = "tcp-sack")]
        (modern(), 1 + u32::from(MOST_LATER)),
    ] {
        let mut lab = Lab::established(CongestionControl::NewReno, options);
        lab.peer.seq += 1_000;
        for _ in 0..5 {
            lab.text(100);
        }
        assert_eq!(lab.sent().len() as u32, answers);
    }
    // What came before it in order is acknowledged with it.
    let mut lab = established();
    for seq in [1_001, 1_101] {
        lab.peer.seq = SeqNum::new(seq);
        lab.text(100);
    }
    lab.peer.seq = SeqNum::new(1);
    lab.text(10);
    assert_eq!(lab.sent().len(), 1);
}

/// "This should not occur since a FIN has been received [...] Ignore the segment text."
#[test]
fn text_after_the_end_is_ignored_and_acknowledged() {
    let mut lab = established();
    let mut fin = lab.peer;
    fin.flags = TcpFlags::ACK | TcpFlags::FIN;
    lab.receive(fin, &[]);
    lab.peer.seq += 1;
    lab.sent();
    assert_eq!(lab.connection.state(), State::CloseWait);
    let discarded = Disposition::Discarded(Discard::DataAfterFin);
    assert_eq!(lab.receive(lab.peer, &[7]), discarded);
    assert_eq!(lab.sent().len(), 1);
    assert_eq!(lab.receive(lab.peer, &[]), Disposition::Accepted);
    assert_eq!(lab.sent().len(), 0);
    let mut fin = lab.peer;
    fin.flags = TcpFlags::ACK | TcpFlags::FIN;
    assert_eq!(lab.receive(fin, &[]), Disposition::Accepted);
    assert_eq!(lab.sent().len(), 1);
}

/// Nobody is there, or is remembered by a record.
#[test]
fn what_is_over_takes_no_segments() {
    for (state, reason) in [
        (State::Closed, Discard::NoSocket),
        (State::Listen, Discard::NoSocket),
        (State::TimeWait, Discard::DuplicateSegment),
    ] {
        let mut lab = established();
        lab.connection.state = state;
        assert_eq!(lab.text(1), Disposition::Discarded(reason));
        assert_eq!(lab.connection.receive_queue(), 0);
    }
}

/// RFC 9293, section 3.10.7.3 and 3.10.7.4: text that comes with a SYN begins behind it.
#[test]
fn text_with_the_answer_to_a_request_begins_behind_its_syn() {
    let mut lab = Lab::requesting(CongestionControl::NewReno);
    let answer = TcpHeader {
        flags: TcpFlags::SYN | TcpFlags::ACK,
        ack: SeqNum::new(1),
        options: plain(),
        ..lab.peer
    };
    assert_eq!(lab.receive(answer, b"ab"), Disposition::Accepted);
    assert_eq!(lab.connection.receive_queue(), 2);
    assert_eq!(lab.connection.rcv.nxt, SeqNum::new(3));
    let mut lab = crossed();
    assert_eq!(lab.receive(answer, b"ab"), Disposition::Accepted);
    assert_eq!(lab.connection.state(), State::Established);
    assert_eq!(lab.connection.receive_queue(), 2);
}

/// RFC 9293, section 3.10.7.4: an end counts that everything before it has arrived of, though somebody else spoke of another.
#[test]
fn an_end_that_is_next_is_the_end() {
    for len in [0, 100] {
        let mut lab = established();
        let mut fin = lab.peer;
        fin.flags = TcpFlags::ACK | TcpFlags::FIN;
        fin.seq += 50;
        assert_eq!(lab.receive(fin, &[]), Disposition::Accepted);
        lab.text(len);
        assert_eq!(lab.connection.receive_queue(), len);
        assert_eq!(lab.connection.state(), State::Established);
        fin.seq = lab.peer.seq;
        assert_eq!(lab.receive(fin, &[]), Disposition::Accepted);
        assert_eq!(lab.connection.state(), State::CloseWait, "{len}");
        assert!(lab.connection.is_finished());
    }
}

#[test]
fn what_became_of_text_has_a_name() {
    let mut lab = Lab::closed(CongestionControl::NewReno, 100);
    lab.request();
    lab.answer(plain());
    // Beyond the window, though it would have begun within if it were that long.
    let mut beyond = lab.peer;
    beyond.seq = SeqNum::new(150);
    let outside = Disposition::Discarded(Discard::OutOfWindow);
    assert_eq!(lab.receive(beyond, &[7; 200]), outside);
    // Ahead of a gap, twice.
    let mut ahead = lab.peer;
    ahead.seq = SeqNum::new(51);
    assert_eq!(lab.receive(ahead, &[7; 10]), Disposition::Accepted);
    let duplicate = Disposition::Discarded(Discard::DuplicateSegment);
    assert_eq!(lab.receive(ahead, &[7; 10]), duplicate);
    // The second time it is the end.
    ahead.flags = ahead.flags | TcpFlags::FIN;
    assert_eq!(lab.receive(ahead, &[7; 10]), Disposition::Accepted);
    // Of a full buffer.
    let mut lab = Lab::closed(CongestionControl::NewReno, 100);
    lab.request();
    lab.answer(plain());
    lab.text(100);
    let no_room = Disposition::Discarded(Discard::NoRoomForData);
    assert_eq!(lab.text(1), no_room);
}
