#![cfg(all(feature = "stats", feature = "tcp-prr"))]
#![allow(clippy::single_range_in_vec_init, reason = "a segment is a range")]

use super::*;
use crate::tcp::CongestionControl;
use crate::tcp::connection::lab::{Lab, MSS, RTT, before, data, modern, nth, plain, segments};
use crate::wire::{TcpFlags, TcpOptions};

/// `len` bytes are out, on a path whose round trip took 100 ms, give or take 50.
fn sent(congestion: CongestionControl, options: TcpOptions, len: u32) -> Lab {
    let mut lab = Lab::established(congestion, options);
    lab.write(len);
    lab.sent();
    lab
}

/// As if the round trip had been measured so often that it is certain: the timeout is 200 ms, as long as it is at least.
fn certain(lab: &mut Lab) {
    for _ in 0..100 {
        lab.connection.rtt.sample(RTT as u32 * 1_000);
    }
    assert_eq!(lab.connection.rtt.rto(), Duration::from_millis(200));
}

/// RFC 8985, section 7.2: "PTO = 2 * SRTT", and "If FlightSize is one segment [...] PTO += WCDelAckT".
#[test]
fn rfc8985_7_2_a_probe_is_due_after_two_round_trips() {
    for (len, millis) in [(1_000, 252), (1_001, 202), (2_000, 202)] {
        let lab = sent(CongestionControl::NewReno, modern(), len);
        assert_eq!(lab.due(Timer::LossProbe), Some(millis), "{len}");
    }
    // Only to a peer that reports what arrives, and for something that is out.
    let lab = sent(CongestionControl::NewReno, plain(), 2_000);
    assert_eq!(lab.due(Timer::LossProbe), None);
    let lab = sent(CongestionControl::NewReno, modern(), 0);
    assert_eq!(lab.connection.probe_timeout(), None);
}

/// RFC 8985, section 7.2: "If the RTO is about to expire before the PTO, the PTO is set to the RTO expiration".
#[test]
fn rfc8985_7_2_a_probe_comes_no_later_than_the_timeout() {
    let mut lab = sent(CongestionControl::NewReno, modern(), 2 * MSS);
    certain(&mut lab);
    lab.connection.schedule_loss_probe(lab.now);
    assert_eq!(lab.due(Timer::LossProbe), Some(200));
    // The timer runs already, and that is when it expires.
    lab.connection
        .timers
        .set(Timer::Retransmit, lab.now + Duration::from_millis(150));
    lab.connection.schedule_loss_probe(lab.now);
    assert_eq!(lab.due(Timer::LossProbe), Some(150));
    // Where a timeout costs no more than a probe there is no need for one.
    let mut lab = sent(CongestionControl::None, modern(), 2 * MSS);
    assert_eq!(lab.due(Timer::LossProbe), Some(202));
    certain(&mut lab);
    lab.connection.schedule_loss_probe(lab.now);
    assert_eq!(lab.due(Timer::LossProbe), None);
}

/// RFC 8985, section 7.2: not while one is out, nor with segments reported, for which the reordering timer runs.
#[test]
fn rfc8985_7_2_no_probe_is_due_while_one_is_out_or_something_is_reported() {
    let mut lab = sent(CongestionControl::NewReno, modern(), 5 * MSS);
    assert!(lab.connection.probe_timeout().is_some());
    lab.connection
        .recovery
        .probe
        .on_sent(lab.connection.snd.max(), true);
    assert_eq!(lab.connection.probe_timeout(), None);
    let mut lab = sent(CongestionControl::NewReno, modern(), 5 * MSS);
    lab.wait(RTT);
    lab.report(before(0), &[nth(1)]);
    assert_eq!(lab.connection.probe_timeout(), None);
    assert_eq!(lab.due(Timer::LossProbe), None);
    assert!(lab.due(Timer::Reorder).is_some());
}

/// RFC 8985, section 7.3: new data if there is some and the peer takes it, else the last segment; the timer starts anew.
#[test]
fn rfc8985_7_3_a_probe_is_new_data_or_the_last_segment() {
    let mut lab = sent(CongestionControl::NewReno, modern(), 3 * MSS);
    let probe = lab.wait(202);
    assert_eq!(data(probe), [nth(2)]);
    assert!(lab.connection.take_tally().contains(Tally::TAIL_PROBE));
    assert_eq!(lab.due(Timer::Retransmit), Some(300));
    assert_eq!(lab.due(Timer::LossProbe), None);
    assert!(lab.connection.recovery.probe.is_out());
    // The window of congestion control, which is full, does not matter.
    let mut lab = sent(CongestionControl::NewReno, modern(), 12 * MSS);
    assert_eq!(data(lab.wait(202)), [nth(10)]);
    // That of the peer does.
    for (window, probe) in [(10_000, nth(9)), (10_400, 10_001..10_401)] {
        let mut lab = Lab::requesting(CongestionControl::NewReno);
        lab.wait(RTT);
        lab.peer.window = window;
        let options = TcpOptions {
            window_scale: None,
            ..modern()
        };
        lab.answer(options);
        lab.write(12 * MSS);
        lab.sent();
        lab.wait(1);
        let out = data(lab.wait(210));
        assert_eq!(out.last(), Some(&probe), "{window}");
    }
}

/// What is left with the end behind it goes as one segment.
#[test]
fn a_probe_carries_the_end_along() {
    for (len, ends) in [(10_400, true), (11_400, false)] {
        let mut lab = Lab::established(CongestionControl::NewReno, modern());
        lab.write(len);
        assert_eq!(lab.data().len(), 10, "the window");
        lab.connection.close();
        let probe = lab.wait(202);
        let first = probe.first().unwrap();
        assert_eq!(first.data, 10_001..11_001.min(1 + len));
        assert_eq!(first.header.flags.contains(TcpFlags::FIN), ends, "{len}");
    }
}

/// A probe that was due is none once the last is acknowledged, or recovery has begun, or the connection lets nothing out.
#[test]
fn a_probe_that_is_not_needed_any_more_is_not_sent() {
    let mut lab = sent(CongestionControl::NewReno, modern(), 2 * MSS);
    lab.connection.due.set(Special::LossProbe);
    lab.connection.recovery.enter_fast(lab.connection.snd.max());
    assert!(lab.connection.plan_loss_probe(lab.now).is_none());
    assert!(!lab.connection.due.is_set(Special::LossProbe));
    let mut lab = sent(CongestionControl::NewReno, modern(), 2 * MSS);
    lab.connection.due.set(Special::LossProbe);
    lab.ack(before(2));
    assert!(lab.connection.plan_loss_probe(lab.now).is_none());
    let mut lab = sent(CongestionControl::NewReno, modern(), 2 * MSS);
    lab.connection.due.set(Special::LossProbe);
    lab.connection.state = crate::tcp::State::FinWait2;
    assert!(lab.connection.plan_loss_probe(lab.now).is_none());
    let mut lab = sent(CongestionControl::NewReno, modern(), 2 * MSS);
    assert!(
        lab.connection.plan_loss_probe(lab.now).is_none(),
        "none is due"
    );
}

/// RFC 8985, section 6.3: what the reordering timer finds to be lost is a loss as any other: RecoverFS is what was in the
/// network before.
#[test]
fn rfc8985_6_3_a_loss_that_time_shows_is_repaired_as_any_other() {
    let mut lab = sent(CongestionControl::NewReno, modern(), 10 * MSS);
    lab.wait(RTT);
    lab.report(before(0), &[nth(1)]);
    assert_eq!(lab.due(Timer::Reorder), Some(25));
    assert_eq!(data(lab.wait(25)), [nth(0)]);
    assert_eq!(lab.connection.congestion.ssthresh(), 5 * MSS);
    lab.report(before(0), &[before(1)..before(5)]);
    // Three have arrived since: CEIL(3000 * 5000 / 9000), and one went.
    assert_eq!(lab.connection.pipe(), 6 * MSS);
    assert_eq!(lab.connection.allowance(), 667);
    // With the report that fills the hole nothing is late.
    lab.ack(before(5));
    assert_eq!(lab.due(Timer::Reorder), None);
}

/// Recovering from the loss of the first of ten segments, which was sent again.
fn repairing(congestion: CongestionControl) -> Lab {
    let mut lab = sent(congestion, modern(), 10 * MSS);
    lab.wait(RTT);
    lab.report(before(0), &[before(1)..before(10)]);
    assert_eq!(lab.data(), [nth(0)]);
    lab
}

/// The answer to a retransmission takes a round trip and four times its variation; each silence that follows lasts twice
/// as long, and what comes to the timeout is the timer's.
#[test]
fn a_retransmission_without_an_answer_is_lost_after_a_round_trip() {
    let mut lab = repairing(CongestionControl::NewReno);
    let millis = |lab: &Lab| lab.connection.repair_timeout().map(Duration::as_millis);
    // A report that measured the same again: 100 ms, give or take 37.5; the timeout is 250.
    assert_eq!(lab.connection.rtt.rttvar().as_micros(), 37_500);
    assert_eq!(millis(&lab), None, "that is the timeout");
    certain(&mut lab);
    // A quarter at least.
    assert_eq!(millis(&lab), Some(125));
    lab.connection.recovery.probe.on_silence();
    assert_eq!(millis(&lab), None, "250 are more than the timeout's 200");
    for _ in 0..3 {
        lab.connection.rtt.sample(10_000);
    }
    lab.connection.rtt.sample(10_000);
    assert!(millis(&lab).is_none() || millis(&lab).unwrap() > 125);
}

/// Half of it all for a short path: 8 ms, where the least margin is that of coarse timers, or the peer's delay.
#[test]
fn on_a_short_path_a_repair_waits_for_timers_and_for_delayed_acknowledgments() {
    let mut lab = repairing(CongestionControl::NewReno);
    for _ in 0..200 {
        lab.connection.rtt.sample(4_000);
    }
    let wait = |lab: &Lab| lab.connection.repair_timeout().map(Duration::as_millis);
    assert_eq!(wait(&lab), Some(6), "two more than a round trip");
    lab.connection.recovery.probe.on_silence();
    assert_eq!(wait(&lab), Some(12));
    lab.connection.recovery.probe.on_silence();
    assert_eq!(wait(&lab), Some(24));
    lab.connection.snd.scoreboard.sacked = 0;
    assert_eq!(wait(&lab), Some(24), "it had the copy before");
    let mut lab = repairing(CongestionControl::NewReno);
    for _ in 0..200 {
        lab.connection.rtt.sample(4_000);
    }
    lab.connection.snd.scoreboard.sacked = 0;
    assert_eq!(wait(&lab), Some(56), "without a gap the peer may wait");
}

/// After a timeout its doubling is what unloads the path; where nobody shares it, the first six silences are as short as
/// the first.
#[test]
fn after_a_timeout_the_timer_decides_where_others_share_the_path() {
    let wait = |lab: &Lab| lab.connection.repair_timeout().map(Duration::as_millis);
    let mut lab = repairing(CongestionControl::NewReno);
    certain(&mut lab);
    lab.connection.retries = 1;
    assert_eq!(wait(&lab), None);
    let mut lab = repairing(CongestionControl::None);
    for _ in 0..200 {
        lab.connection.rtt.sample(4_000);
    }
    lab.connection.retries = 1;
    for _ in 0..6 {
        assert_eq!(wait(&lab), Some(6));
        lab.connection.recovery.probe.on_silence();
    }
    assert_eq!(wait(&lab), Some(6));
    lab.connection.recovery.probe.on_silence();
    assert_eq!(wait(&lab), Some(12));
}

/// What answers should have come for by now is lost, and nothing that was sent later; one segment goes out at once.
#[test]
fn silence_loses_what_was_sent_so_long_ago() {
    let mut lab = repairing(CongestionControl::NewReno);
    certain(&mut lab);
    lab.connection.schedule_loss_probe(lab.now);
    assert_eq!(lab.due(Timer::LossProbe), Some(125));
    lab.now += Duration::from_millis(124);
    lab.write(MSS);
    assert_eq!(lab.data(), [nth(10)]);
    lab.now += Duration::from_millis(1);
    lab.connection
        .congestion
        .prr_mut()
        .unwrap()
        .on_sent(100 * MSS);
    assert_eq!(lab.connection.allowance(), 0);
    lab.connection.on_loss_probe_timeout(lab.now);
    assert_eq!(lab.connection.snd.scoreboard.lost(), MSS);
    assert_eq!(lab.connection.allowance(), MSS);
    assert_eq!(lab.connection.recovery.probe.silences(), 1);
    assert_eq!(lab.due(Timer::Retransmit), Some(200));
    assert_eq!(lab.data(), [nth(0)]);
}

/// Nothing that is in flight is left to be found once all of it arrived.
#[test]
fn timers_of_losses_end_with_what_is_in_flight() {
    let mut lab = sent(CongestionControl::NewReno, modern(), 3 * MSS);
    lab.wait(RTT);
    lab.report(before(0), &[nth(1)]);
    assert!(lab.due(Timer::Reorder).is_some());
    lab.ack(before(3));
    assert_eq!(lab.due(Timer::Reorder), None);
    assert_eq!(lab.due(Timer::LossProbe), None);
    let mut lab = sent(CongestionControl::NewReno, modern(), 3 * MSS);
    lab.connection.timers.set(Timer::Reorder, lab.now);
    lab.connection.stop_loss_timers();
    assert_eq!(
        (lab.due(Timer::Reorder), lab.due(Timer::LossProbe)),
        (None, None)
    );
    // A loss that was found needs no probe.
    let mut lab = sent(CongestionControl::NewReno, modern(), 10 * MSS);
    lab.connection.stop_loss_probe();
    assert_eq!(lab.due(Timer::LossProbe), None);
    assert_eq!(segments(0..10).len(), 10);
}

/// RFC 5681, section 3.1: FlightSize is all that is out, reported or not.
#[test]
fn a_loss_that_time_shows_cuts_the_window_to_half_of_what_is_out() {
    let mut lab = sent(CongestionControl::NewReno, modern(), 0);
    lab.connection.congestion.on_loss(40 * MSS);
    lab.write(10 * MSS);
    lab.sent();
    lab.wait(RTT);
    lab.report(before(0), &[nth(1)]);
    lab.write(2 * MSS);
    assert_eq!(lab.data(), segments(10..12));
    lab.wait(25);
    assert_eq!(lab.connection.congestion.ssthresh(), 6 * MSS);
}
