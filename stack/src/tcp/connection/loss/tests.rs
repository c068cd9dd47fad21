// What is said of windows here is said with all of these in.
#![cfg(all(
    feature = "stats",
    feature = "tcp-rack",
    feature = "tcp-prr",
    feature = "tcp-undo",
    feature = "tcp-timestamps"
))]
#![allow(clippy::single_range_in_vec_init, reason = "a segment is a range")]

mod growth;
mod originals;

use super::*;
use crate::events::Events;
use crate::tcp::CongestionControl;
use crate::tcp::connection::lab::{Lab, MSS, RTT, before, data, modern, nth, plain, segments};

/// A peer that reports what arrives, and a controller whose arithmetic is simple: ten segments at first.
fn newreno() -> Lab {
    Lab::established(CongestionControl::NewReno, modern())
}

/// The congestion window and its threshold.
fn window(lab: &Lab) -> (u32, u32) {
    let congestion = &lab.connection.congestion;
    (congestion.window(), congestion.ssthresh())
}

/// Ten segments are out, for a round trip.
fn ten_out(mut lab: Lab) -> Lab {
    lab.write(30 * MSS);
    assert_eq!(lab.data(), segments(0..10));
    lab.wait(RTT);
    lab
}

/// RFC 9937, section 6.2: as much goes out as what arrives makes of the threshold; what is sent again counts.
#[test]
fn rfc9937_6_2_what_is_in_flight_comes_down_to_the_threshold() {
    let mut lab = ten_out(newreno());
    // RecoverFS is 10,000, and three segments of it have arrived.
    lab.report(before(0), &[before(1)..before(4)]);
    assert_eq!(window(&lab), (5 * MSS, 5 * MSS));
    assert_eq!(lab.connection.recovery.phase(), Phase::Fast);
    assert_eq!(lab.connection.pipe(), 6 * MSS);
    assert_eq!(lab.connection.allowance(), 3 * MSS / 2);
    assert_eq!(lab.data(), [nth(0)]);
    assert_eq!(
        lab.connection.allowance(),
        MSS / 2,
        "CEIL(3000 * 5000 / 10000) less what went"
    );
    // With the fourth a segment is due, with the fifth none.
    lab.report(before(0), &[before(1)..before(5)]);
    assert_eq!(lab.data(), [nth(10)]);
    lab.report(before(0), &[before(1)..before(6)]);
    assert_eq!(lab.connection.allowance(), MSS / 2);
    assert_eq!(lab.data(), []);
    // Below the threshold what arrives goes out, and no more while it is not safe.
    lab.report(before(0), &[before(1)..before(10)]);
    assert_eq!(lab.connection.pipe(), 2 * MSS);
    assert_eq!(lab.connection.allowance(), 3 * MSS);
    assert_eq!(lab.data(), segments(11..14));
    // What was lost is repaired: the window is the threshold.
    lab.ack(before(10));
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    assert_eq!(window(&lab), (5 * MSS, 5 * MSS));
}

/// RFC 9937, section 6: SafeACK lets what is in flight grow by a segment: an acknowledgment in order that shows no
/// more losses.
#[test]
fn rfc9937_6_an_acknowledgment_in_order_is_safe_where_it_shows_no_loss() {
    for (acked, lost, allowance) in [(1, 0, 2), (0, 0, 1), (1, 1, 1)] {
        let mut lab = ten_out_of(CongestionControl::NewReno);
        lab.report(before(0), &[before(1)..before(10)]);
        lab.sent();
        let (now, connection) = (lab.now, &mut lab.connection);
        let pipe = connection.pipe();
        connection.congestion.prr_mut().unwrap().on_sent(10 * MSS);
        connection.adjust_window(
            now,
            &Progress {
                acked: acked * MSS,
                delivered: MSS,
                lost: lost * MSS,
                pipe,
                ..Progress::default()
            },
        );
        assert_eq!(pipe, MSS, "four more would fit");
        let expected = allowance * MSS;
        assert_eq!(connection.allowance(), expected, "{acked} {lost}");
    }
}

/// RFC 5681, section 3.1, equation 4, with the FlightSize of when the segment that is lost was answered: what went out
/// since does not make the path wider.
#[test]
fn rfc5681_3_1_the_threshold_is_half_of_what_the_window_let_out() {
    let mut lab = ten_out(newreno());
    lab.report(before(0), &[before(1)..before(3)]);
    assert_eq!(
        lab.connection.recovery.phase(),
        Phase::Open,
        "they may only be late"
    );
    assert_eq!(lab.data(), segments(10..12));
    assert_eq!(lab.connection.snd.flight(), 12 * MSS);
    lab.report(before(0), &[before(1)..before(4)]);
    assert_eq!(window(&lab), (5 * MSS, 5 * MSS));
}

/// As above: of ten segments half have arrived in order when the reordering timer finds that another is lost.
#[test]
fn what_was_in_flight_is_what_was_when_it_was_sent() {
    let mut lab = newreno();
    lab.write(10 * MSS);
    lab.sent();
    lab.wait(RTT);
    lab.ack(before(5));
    assert_eq!(window(&lab).0, 15 * MSS);
    lab.report(before(5), &[before(6)..before(7)]);
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    let sent = data(lab.wait(RTT / 2));
    assert_eq!(sent, [nth(5)]);
    assert_eq!(window(&lab), (5 * MSS, 5 * MSS));
}

/// RFC 6582, section 3.2, and RFC 5681, section 3.2: a peer that reports nothing is counted by its duplicates.
#[test]
fn rfc6582_3_2_each_duplicate_stands_for_a_segment_that_left() {
    let mut lab = ten_out(Lab::established(CongestionControl::NewReno, plain()));
    // RFC 3042: one new segment for each of the first two.
    lab.ack(before(0));
    assert_eq!(lab.data(), segments(10..11));
    lab.ack(before(0));
    assert_eq!(lab.data(), segments(11..12));
    assert_eq!(
        lab.connection.pipe(),
        12 * MSS,
        "what left is not known yet"
    );
    lab.ack(before(0));
    assert_eq!(lab.connection.recovery.phase(), Phase::Fast);
    assert_eq!(window(&lab), (5 * MSS, 5 * MSS));
    // Twelve, less the one that is lost and three that arrived.
    assert_eq!(lab.connection.pipe(), 8 * MSS);
    assert_eq!(lab.data(), [nth(0)]);
    assert_eq!(lab.connection.pipe(), 9 * MSS);
    lab.ack(before(0));
    assert_eq!(lab.connection.pipe(), 8 * MSS);
    assert_eq!(
        lab.connection.allowance(),
        0,
        "CEIL(2000 * 5000 / 12000), and more went"
    );
    // RFC 9937, section 6.2: at the threshold as much goes out as arrives.
    for _ in 0..3 {
        assert_eq!(lab.data(), []);
        lab.ack(before(0));
    }
    assert_eq!(lab.connection.pipe(), 5 * MSS);
    assert_eq!(lab.data(), []);
    lab.ack(before(0));
    assert_eq!(lab.data(), [nth(12)]);
}

/// RFC 6582, section 3.2, step 3: a partial acknowledgment lets a segment out whatever the rate.
#[test]
fn rfc6582_3_2_a_partial_acknowledgment_makes_room_for_what_it_shows() {
    let mut lab = ten_out(Lab::established(CongestionControl::NewReno, plain()));
    for _ in 0..3 {
        lab.ack(before(0));
        lab.sent();
    }
    lab.connection
        .congestion
        .prr_mut()
        .unwrap()
        .on_sent(100 * MSS);
    lab.ack(before(1));
    assert_eq!(lab.connection.allowance(), MSS);
    assert_eq!(lab.data(), [nth(1)]);
    // A peer that reports is answered at the rate.
    let mut lab = ten_out(newreno());
    lab.report(before(0), &[before(1)..before(4)]);
    lab.sent();
    lab.connection
        .congestion
        .prr_mut()
        .unwrap()
        .on_sent(100 * MSS);
    let progress = Progress {
        lost: MSS,
        ..Progress::default()
    };
    lab.connection.adjust_window(lab.now, &progress);
    assert_eq!(lab.connection.allowance(), 0);
}

/// RFC 2018, section 2: who did not agree to reports makes none.
#[test]
fn rfc2018_2_reports_that_nobody_agreed_to_mean_nothing() {
    let mut lab = ten_out(Lab::established(CongestionControl::NewReno, plain()));
    lab.report(before(0), &[before(1)..before(9)]);
    assert_eq!(lab.connection.snd.scoreboard.sacked(), 0);
    assert_eq!(lab.connection.snd.scoreboard.lost(), 0);
}

/// RFC 7323, section 4.1: "RTTM [...] may only be used if it acknowledges some new data".
#[test]
fn rfc7323_4_1_only_what_acknowledges_new_data_is_timed_by_its_echo() {
    let mut options = modern();
    options.timestamps = Some(crate::wire::Timestamps { value: 1, echo: 0 });
    let mut lab = Lab::established(CongestionControl::NewReno, options);
    lab.write(3 * MSS);
    lab.sent();
    let value = lab.connection.timestamps.value(lab.now).unwrap();
    lab.stamp(2, value);
    lab.now += Duration::from_millis(500);
    let before_rtt = lab.connection.rtt.srtt();
    // With the first comes another window than that of the SYN; the second is a duplicate.
    lab.ack(before(0));
    lab.ack(before(0));
    assert_eq!(lab.connection.rtt.srtt(), before_rtt);
}

/// RFC 8985, section 7.2: a probe is put off by what delivers something, and by nothing else.
#[test]
fn rfc8985_7_2_an_acknowledgment_of_nothing_puts_no_probe_off() {
    let mut lab = newreno();
    lab.write(3 * MSS);
    lab.sent();
    let due = lab.connection.timers.due(Timer::LossProbe, lab.now);
    lab.wait(50);
    lab.ack(before(0));
    lab.ack(before(0));
    assert_eq!(lab.connection.timers.due(Timer::LossProbe, lab.now), due);
    lab.ack(before(1));
    assert!(lab.connection.timers.due(Timer::LossProbe, lab.now) > due);
}

/// The clock of what was sent goes around in 71 minutes: what arrived more than half of that ago would seem to have been
/// sent after what is sent now, and all of this to be late.
#[test]
fn rfc8985_6_2_what_arrived_before_a_long_silence_makes_nothing_late() {
    for minutes in [1, 35, 36, 60, 71] {
        let mut lab = newreno();
        lab.write(MSS);
        lab.sent();
        lab.wait(RTT);
        lab.ack(before(1));
        lab.now += Duration::from_secs(60 * minutes);
        lab.write(4 * MSS);
        lab.sent();
        lab.wait(RTT);
        lab.report(before(1), &[before(2)..before(3)]);
        assert_eq!(data(lab.wait(RTT / 2)), [nth(1)], "{minutes}");
        assert_eq!(lab.connection.snd.scoreboard.lost(), 0, "{minutes}");
    }
}

/// RFC 8985, section 6.2, step 5: what was sent before a retransmission that arrived, and a round trip ago, is lost, if
/// nothing of it is reported or not.
#[test]
fn rfc8985_6_2_a_retransmission_that_arrived_shows_what_was_lost_before_it() {
    let mut lab = ten_out(newreno());
    lab.report(before(0), &[before(1)..before(4)]);
    assert_eq!(lab.data(), [nth(0)]);
    lab.wait(RTT);
    lab.ack(before(4));
    assert_eq!(lab.connection.snd.scoreboard.sacked(), 0);
    assert_eq!(lab.connection.recovery.phase(), Phase::Fast);
    assert_eq!(lab.connection.snd.scoreboard.lost(), 6 * MSS);
    // Without a loss nothing is.
    let mut lab = ten_out(newreno());
    lab.ack(before(4));
    assert!(!lab.connection.take_tally().contains(Tally::REORDERING));
    assert_eq!(lab.connection.snd.scoreboard.lost(), 0);
}

/// RFC 5681, section 3.1: a timeout leaves half of what was in flight as the threshold and one segment as the window; one
/// more for the same data leaves the threshold.
#[test]
fn rfc5681_3_1_only_the_first_of_timeouts_in_a_row_cuts_the_threshold() {
    let mut lab = Lab::established(CongestionControl::NewReno, plain());
    lab.write(30 * MSS);
    lab.sent();
    // 300 ms after the first, and 600 ms after that.
    assert_eq!(data(lab.wait(310)), [nth(0)]);
    assert_eq!(window(&lab), (MSS, 5 * MSS));
    assert_eq!(lab.connection.recovery.phase(), Phase::Timeout);
    assert_eq!(data(lab.wait(580)), []);
    assert_eq!(data(lab.wait(20)), [nth(0)]);
    assert_eq!(window(&lab), (MSS, 5 * MSS));
    assert!(lab.connection.take_tally().contains(Tally::TIMEOUT));
    // What is acknowledged ends the doubling of retries, and lets the rest be sent again, twice as much as arrived.
    lab.ack(before(1));
    assert_eq!(lab.connection.retries, 0);
    assert_eq!(lab.data(), segments(1..3));
    assert_eq!(window(&lab), (2 * MSS, 5 * MSS));
    lab.ack(before(10));
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
}

/// RFC 2018, section 8: a peer may throw away what it reported, and the one that does is sent all of it again.
#[test]
fn rfc2018_8_a_peer_that_took_back_what_it_reported_is_sent_all_of_it() {
    for (reported, reneged) in [(before(0)..before(3), true), (before(1)..before(3), false)] {
        let mut lab = newreno();
        lab.write(3 * MSS);
        lab.sent();
        lab.connection.snd.board().on_ack(
            crate::wire::SeqNum::new(1),
            crate::wire::SeqNum::new(before(3)),
            &blocks(core::slice::from_ref(&reported)),
        );
        lab.connection.retries = 1;
        lab.connection.lose_everything();
        assert_eq!(lab.connection.take_tally().contains(Tally::RENEGE), reneged);
        let lost = if reneged { 3 } else { 1 };
        assert_eq!(
            lab.connection.snd.scoreboard.lost(),
            lost * MSS,
            "{reported:?}"
        );
    }
}

fn blocks(ranges: &[core::ops::Range<u32>]) -> SackBlocks {
    let mut blocks = SackBlocks::default();
    for range in ranges {
        let number = crate::wire::SeqNum::new;
        blocks.push(number(range.start), number(range.end));
    }
    blocks
}

/// RFC 6298, section 5.3: the timer starts anew with each acknowledgment of something new, and 5.2: it stops with the
/// last.
#[test]
fn rfc6298_5_3_an_acknowledgment_of_something_new_restarts_the_timer() {
    let mut lab = Lab::established(CongestionControl::NewReno, plain());
    lab.write(2 * MSS);
    lab.sent();
    lab.wait(RTT);
    let started = lab.connection.timers.due(Timer::Retransmit, lab.now);
    lab.peer.window += 1;
    lab.ack(before(0));
    assert_eq!(
        lab.connection.timers.due(Timer::Retransmit, lab.now),
        started
    );
    lab.connection.options.user_timeout = Some(Duration::from_secs(60).into());
    lab.connection.arm_timers(lab.now);
    lab.wait(10);
    lab.ack(before(1));
    let restarted = lab.now + lab.connection.rtt.rto();
    assert_eq!(
        lab.connection.timers.due(Timer::Retransmit, lab.now),
        restarted
    );
    let patience = lab.now + Duration::from_secs(60);
    assert_eq!(lab.connection.timers.due(Timer::User, lab.now), patience);
    assert_eq!(lab.events(), Events::WRITABLE);
    lab.ack(before(2));
    assert!(!lab.connection.timers.is_set(Timer::Retransmit));
    assert!(!lab.connection.timers.is_set(Timer::User));
    // Who waits for all to be acknowledged hears of it.
    let mut events = Events::WRITABLE;
    events |= Events::STATE;
    assert_eq!(lab.events(), events);
}

/// RFC 1122, section 4.2.3.9: what the network said is forgotten once the peer answers.
#[test]
fn an_answer_makes_up_for_an_error_of_the_network() {
    let mut lab = newreno();
    lab.write(2 * MSS);
    lab.sent();
    lab.connection.soft_error = Some(crate::tcp::ConnectionError::Unreachable);
    lab.ack(before(0));
    assert!(lab.connection.soft_error.is_some());
    lab.ack(before(1));
    assert!(lab.connection.soft_error.is_none());
}

/// RFC 8985, section 7.4.2: a probe that nobody had before "was lost", and the loss counts as any other.
#[test]
fn rfc8985_7_4_2_a_loss_that_the_probe_repaired_cuts_the_window() {
    for (twice, threshold) in [(false, Some(3)), (true, None)] {
        let mut lab = newreno();
        lab.write(7 * MSS);
        lab.sent();
        lab.wait(RTT);
        lab.ack(before(6));
        assert_eq!(data(lab.wait(3 * RTT)), [nth(6)], "the last again");
        lab.write(6 * MSS);
        assert_eq!(lab.data(), segments(7..13));
        let copy = nth(6);
        lab.report(
            before(7),
            if twice {
                core::slice::from_ref(&copy)
            } else {
                &[]
            },
        );
        let expected = threshold.map_or(window(&newreno()).1, |n| n * MSS);
        assert_eq!(window(&lab).1, expected, "{twice}");
        assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    }
}

/// RFC 6298, section 3, and RFC 7323, section 4: a copy that is acknowledged is timed by its echo, unless the peer says
/// that it had the data before.
#[test]
fn rfc7323_4_what_was_sent_again_is_timed_by_its_echo() {
    for (twice, measured) in [(false, true), (true, false)] {
        let mut options = modern();
        options.timestamps = Some(crate::wire::Timestamps { value: 1, echo: 0 });
        let mut lab = Lab::established(CongestionControl::NewReno, options);
        lab.connection.rtt.back_off();
        lab.write(2 * MSS);
        lab.sent();
        let value = lab.connection.timestamps.value(lab.now).unwrap();
        lab.stamp(2, value);
        lab.now += Duration::from_millis(500);
        let before_rtt = lab.connection.rtt.srtt();
        let header = TcpHeader {
            ack: crate::wire::SeqNum::new(before(1)),
            ..lab.peer
        };
        lab.connection.measure_by_echo(lab.now, &header, twice);
        assert_eq!(lab.connection.rtt.srtt() != before_rtt, measured, "{twice}");
        // Either ends the doubling.
        let timeout = lab.connection.rtt.rto();
        lab.connection.rtt.forget_backoff();
        assert_eq!(lab.connection.rtt.rto(), timeout);
    }
}

/// RFC 6298, section 3: only what was sent once is timed without an echo, and nothing if the SYN still is.
#[test]
fn an_acknowledgment_that_reports_nothing_and_advances_nothing_changes_nothing() {
    let mut lab = ten_out(newreno());
    let (allowance, timer) = (
        lab.connection.allowance(),
        lab.connection.timers.due(Timer::Retransmit, lab.now),
    );
    lab.wait(10);
    lab.peer.window += 1;
    lab.ack(before(0));
    assert_eq!(lab.connection.allowance(), allowance);
    assert_eq!(lab.connection.recovery.duplicates(), 0);
    assert_eq!(lab.connection.timers.due(Timer::Retransmit, lab.now), timer);
}

/// A lost segment needs room for itself; with nothing in the network it goes in any case.
#[test]
fn what_is_lost_goes_again_when_there_is_room_or_nothing_is_out() {
    let mut lab = newreno();
    lab.write(10 * MSS);
    lab.sent();
    assert!(!lab.connection.may_retransmit(), "nothing is lost");
    lab.connection.snd.board().lose_first(MSS);
    assert!(lab.connection.may_retransmit());
    lab.connection.congestion.on_timeout(4 * MSS, true);
    assert!(!lab.connection.may_retransmit(), "nine are out");
    lab.connection.snd.board().lose_all();
    lab.connection.mss = 2_000;
    assert_eq!(lab.connection.allowance(), MSS);
    assert!(lab.connection.may_retransmit(), "none is");
}

/// Without congestion control there is nothing to take back, and no window to cut.
#[test]
fn without_congestion_control_losses_are_repaired_and_nothing_else() {
    let mut lab = ten_out_of(CongestionControl::None);
    lab.report(before(0), &[before(1)..before(4)]);
    assert_eq!(lab.data(), [nth(0)]);
    let copy = nth(0);
    lab.report(before(4), core::slice::from_ref(&copy));
    let tally = lab.connection.take_tally();
    assert!(!tally.contains(Tally::UNDO_BY_DSACK) && !tally.contains(Tally::UNDO_BY_ACKS));
    assert!(tally.contains(Tally::FAST_RECOVERY));
}

fn ten_out_of(congestion: CongestionControl) -> Lab {
    let mut lab = Lab::established(congestion, modern());
    lab.write(10 * MSS);
    assert_eq!(lab.data(), segments(0..10));
    lab.wait(RTT);
    lab
}

/// RFC 3708, section 2, and RFC 3522, section 3.2: what shows that nothing was lost gives the window back, and says how it
/// was found out.
#[test]
fn rfc3708_2_reports_of_copies_give_the_window_back() {
    let mut lab = ten_out_of(CongestionControl::NewReno);
    lab.report(before(0), &[before(1)..before(4)]);
    assert_eq!(lab.data(), [nth(0)]);
    assert_eq!(window(&lab), (5 * MSS, 5 * MSS));
    let copy = nth(0);
    lab.report(before(4), core::slice::from_ref(&copy));
    let tally = lab.connection.take_tally();
    assert!(tally.contains(Tally::UNDO_BY_DSACK) && !tally.contains(Tally::UNDO_BY_ACKS));
    assert!(window(&lab).0 >= 10 * MSS);
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    assert_eq!(lab.connection.snd.scoreboard.lost(), 0);
}

/// RFC 5682, section 3.1: what was sent only once arrives after a timeout, so that nothing was lost.
#[test]
fn rfc5682_3_1_answers_to_originals_after_a_timeout_give_the_window_back() {
    let mut lab = newreno();
    lab.write(14 * MSS);
    lab.sent();
    assert_eq!(
        data(lab.wait(600)),
        [nth(10), nth(0)],
        "a probe, and the timeout"
    );
    assert_eq!(window(&lab).0, MSS);
    lab.ack(before(1));
    assert_eq!(lab.data(), segments(11..13), "new data, to tell");
    lab.ack(before(3));
    let tally = lab.connection.take_tally();
    assert!(tally.contains(Tally::UNDO_BY_ACKS) && !tally.contains(Tally::UNDO_BY_DSACK));
    assert!(window(&lab).0 >= 10 * MSS);
    assert_eq!(lab.data(), [], "nothing is sent again");
}

/// RFC 6582, section 3.2, step 3: a partial acknowledgment shows the next hole of a peer that reports nothing.
#[test]
fn rfc6582_3_2_a_partial_acknowledgment_shows_the_next_hole() {
    let mut lab = ten_out(Lab::established(CongestionControl::NewReno, plain()));
    for _ in 0..3 {
        lab.ack(before(0));
        lab.sent();
    }
    for n in 1..6 {
        lab.ack(before(n));
        assert_eq!(
            lab.data().first(),
            Some(&nth(n)),
            "at once, though nothing else left"
        );
    }
    lab.ack(before(12));
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    // And none where nothing is being repaired.
    assert!(!lab.data().contains(&nth(12)) || lab.connection.snd.scoreboard.lost() == 0);
}

/// RFC 7323, section 5.3, R1: a retransmission that overtakes others makes the peer discard them. BBR does not take that
/// for congestion.
#[cfg(feature = "tcp-bbr")]
#[test]
fn rfc7323_5_3_half_of_what_is_lost_counts_where_a_retransmission_may_overtake_others() {
    for (reorders, stamped) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut options = modern();
        options.timestamps = stamped.then_some(crate::wire::Timestamps { value: 1, echo: 0 });
        let mut lab = ten_out_of_options(options);
        lab.report(before(0), &[nth(5)]);
        lab.report(before(0), &[if reorders { nth(2) } else { nth(7) }, nth(5)]);
        assert_eq!(lab.connection.recovery.expects_reordering(), reorders);
        let progress = Progress {
            lost: 4 * MSS,
            ..Progress::default()
        };
        let news = lab.connection.congestion_news(lab.now, &progress);
        let counted = if reorders && stamped {
            2 * MSS
        } else {
            4 * MSS
        };
        assert_eq!(news.lost, counted, "{reorders} {stamped}");
    }
}

/// Ten segments of [`MSS`] bytes are out for a round trip, to a peer with these options.
#[cfg(feature = "tcp-bbr")]
fn ten_out_of_options(mut options: crate::wire::TcpOptions) -> Lab {
    // With the twelve bytes that timestamps take of each segment.
    let stamps = if options.timestamps.is_some() { 12 } else { 0 };
    options.mss = Some(MSS as u16 + stamps);
    let mut lab = Lab::established(CongestionControl::Bbr, options);
    lab.write(10 * MSS);
    lab.wait(RTT);
    lab
}
