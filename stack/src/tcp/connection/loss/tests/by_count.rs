//! Losses that are found by counting, repaired by the halved window, and not taken back: what stands in for RACK-TLP,
//! PRR and the look for mistakes.
#![allow(clippy::single_range_in_vec_init, reason = "a segment is a range")]

use super::*;
use crate::tcp::CongestionControl;
use crate::tcp::connection::lab::{Lab, MSS, RTT, before, modern, nth, plain, segments};

/// Ten segments of a connection with NewReno are out, for a round trip.
fn ten_out() -> Lab {
    let mut lab = Lab::established(CongestionControl::NewReno, modern());
    lab.write(30 * MSS);
    assert_eq!(lab.data(), segments(0..10));
    lab.wait(RTT);
    lab
}

/// The congestion window and its threshold.
fn window(lab: &Lab) -> (u32, u32) {
    let congestion = &lab.connection.congestion;
    (congestion.window(), congestion.ssthresh())
}

/// RFC 6675, section 4, IsLost: "more than (DupThresh - 1) * SMSS bytes with sequence numbers greater than 'SeqNum' have
/// been SACKed"; and section 5, step 4.3: "Retransmit the first data segment presumed dropped".
#[cfg(feature = "tcp-sack")]
#[test]
fn rfc6675_4_what_three_segments_have_overtaken_is_lost() {
    let mut lab = ten_out();
    lab.report(before(0), &[before(1)..before(3)]);
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    assert!(!lab.data().contains(&nth(0)));
    lab.report(before(0), &[before(1)..before(4)]);
    assert_eq!(lab.connection.recovery.phase(), Phase::Fast);
    assert_eq!(lab.data()[0], nth(0));
    // A second hole, behind which as many have arrived.
    lab.report(before(0), &[before(1)..before(4), before(5)..before(10)]);
    assert!(lab.data().contains(&nth(4)));
}

/// RFC 5681, section 3.1: ssthresh is half of what was in flight, and stays so, whatever the peer reports.
#[cfg(feature = "tcp-sack")]
#[test]
fn a_repair_that_was_needless_leaves_the_window_reduced() {
    let mut lab = ten_out();
    lab.report(before(0), &[before(1)..before(4)]);
    assert_eq!(lab.data()[0], nth(0));
    let (_, ssthresh) = window(&lab);
    lab.ack(before(4));
    lab.report(before(4), &[nth(0)]);
    assert_eq!(window(&lab).1, ssthresh);
    assert!(ssthresh < 10 * MSS);
    assert_eq!(lab.connection.recovery.phase(), Phase::Fast);
}

/// RFC 5681, section 3.2: "After receiving 3 duplicate ACKs, TCP performs a retransmission of what appears to be the
/// missing segment". RFC 6582, section 3.2, step 3: a partial acknowledgment names the next. What a peer reports beside
/// changes nothing where reports were not agreed upon.
#[test]
fn rfc5681_3_2_the_third_duplicate_is_the_sign_of_a_loss() {
    for reported in [&[][..], &[before(1)..before(4)]] {
        let mut lab = Lab::established(CongestionControl::NewReno, plain());
        lab.write(30 * MSS);
        assert_eq!(lab.data(), segments(0..10));
        lab.wait(RTT);
        for _ in 0..2 {
            lab.report(before(0), reported);
            assert!(!lab.data().contains(&nth(0)));
        }
        lab.report(before(0), reported);
        assert_eq!(lab.connection.recovery.phase(), Phase::Fast);
        assert_eq!(lab.data()[0], nth(0));
        lab.ack(before(3));
        assert_eq!(lab.data()[0], nth(3));
        lab.ack(before(12));
        assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    }
}

/// RFC 6298, section 5.5, and RFC 5681, section 3.1: the window is one segment after a timeout. That the original
/// arrived all the same makes it no larger than slow start does.
#[test]
fn a_timeout_that_was_needless_leaves_the_window_reduced() {
    let mut lab = ten_out();
    let rto = lab.due(Timer::Retransmit).expect("data is in flight");
    let again = lab.wait(rto);
    assert_eq!(again.last().map(|sent| sent.data.clone()), Some(nth(0)));
    assert_eq!(window(&lab), (MSS, 5 * MSS));
    lab.ack(before(1));
    assert_eq!(lab.connection.recovery.phase(), Phase::Timeout);
    assert_eq!(window(&lab), (2 * MSS, 5 * MSS));
}

/// RFC 5681, section 3.1: "N is the number of previously unacknowledged bytes acknowledged in the incoming ACK", and no
/// others, for without a clock nobody knows whether a path reorders.
#[cfg(feature = "tcp-sack")]
#[test]
fn rfc5681_3_1_what_is_reported_ahead_of_a_gap_lets_no_window_grow() {
    let mut lab = ten_out();
    lab.report(before(0), &[before(1)..before(4)]);
    lab.sent();
    lab.ack(before(10));
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    assert_eq!(window(&lab), (5 * MSS, 5 * MSS), "congestion avoidance");
    let progress = Progress {
        acked: MSS,
        delivered: 3 * MSS,
        ..Progress::default()
    };
    assert_eq!(lab.connection.growing_bytes(&progress), MSS);
}
