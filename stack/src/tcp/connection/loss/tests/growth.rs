//! When windows grow, and what congestion control is told.

use super::*;

/// A connection that avoids congestion, with a window of ten segments.
fn avoiding() -> Lab {
    let mut lab = newreno();
    lab.connection.congestion.on_loss(20 * MSS);
    assert_eq!(window(&lab), (10 * MSS, 10 * MSS));
    lab
}

/// RFC 7661, section 4.3: a window that is not used does not grow; in slow start half of it is enough, for with each
/// acknowledgment that is doubled.
#[test]
fn rfc7661_4_3_slow_start_goes_on_while_half_of_the_window_is_used() {
    for (used, grown) in [(4_999, 10_000), (5_000, 15_000)] {
        let mut lab = newreno();
        lab.write(used);
        lab.sent();
        lab.wait(RTT);
        lab.ack(1 + used);
        assert_eq!(window(&lab).0, grown, "{used}");
    }
}

/// RFC 7661, section 4.3. In congestion avoidance most of it has to be, but for what pacing holds back.
#[test]
fn rfc7661_4_3_avoidance_goes_on_while_most_of_the_window_is_used() {
    for (used, grown) in [(7_199, 10_000), (7_200, 11_000)] {
        let mut lab = avoiding();
        for round in 1..=2 {
            lab.write(used);
            lab.sent();
            lab.wait(RTT);
            lab.ack(1 + round * used);
        }
        assert_eq!(window(&lab).0, grown, "{used}");
    }
}

#[test]
fn acknowledgments_that_arrive_together_let_the_window_grow_as_others_do() {
    let mut lab = newreno();
    lab.write(10 * MSS);
    assert_eq!(lab.data(), segments(0..10));
    lab.wait(RTT);
    for n in 1..=10 {
        lab.ack(before(n));
    }
    assert_eq!(window(&lab).0, 20 * MSS);
}

/// What congestion control is told while all goes well, while losses are repaired, and after a timeout.
#[test]
fn windows_grow_with_what_repairs_a_timeout_and_not_with_what_repairs_a_loss() {
    let growth = |lab: &Lab, acked, lost, repaired| {
        let progress = Progress {
            acked,
            lost,
            repaired,
            ..Progress::default()
        };
        lab.connection.congestion_news(lab.now, &progress).growth
    };
    let mut lab = ten_out(newreno());
    assert_eq!(growth(&lab, 1, 0, false), Growth::Normal);
    assert_eq!(
        growth(&lab, 0, 0, false),
        Growth::Held,
        "nothing is acknowledged"
    );
    assert_eq!(growth(&lab, 1, 1, false), Growth::Held, "it shows a loss");
    assert_eq!(
        growth(&lab, 1, 0, true),
        Growth::Held,
        "it is the end of a repair"
    );
    lab.report(before(0), &[before(1)..before(10)]);
    assert_eq!(growth(&lab, 1, 0, false), Growth::Held);
    let mut lab = ten_out(Lab::established(CongestionControl::NewReno, plain()));
    lab.wait(3 * RTT);
    assert_eq!(lab.connection.recovery.phase(), Phase::Timeout);
    assert_eq!(growth(&lab, 1, 0, false), Growth::AfterTimeout);
    assert_eq!(growth(&lab, 1, 1, false), Growth::AfterTimeout);
    assert_eq!(growth(&lab, 1, 0, true), Growth::Held);
}

/// A sender that has nothing to say tells nothing about the path, whatever arrives.
#[cfg(feature = "tcp-bbr")]
#[test]
fn a_sender_without_data_or_losses_is_what_limits_the_rate() {
    let limited = |lab: &Lab| {
        let news = lab
            .connection
            .congestion_news(lab.now, &Progress::default());
        news.app_limited
    };
    // Nine segments of ten are out, and less than one is left to be sent.
    let mut lab = newreno();
    lab.write(9 * MSS);
    lab.sent();
    assert!(limited(&lab));
    lab.connection.snd.ring.enqueue(&[7; 999]);
    assert!(limited(&lab));
    lab.connection.snd.ring.enqueue(&[7; 1]);
    assert!(!limited(&lab), "a segment waits");
    // Ten: the window is full.
    let mut lab = newreno();
    lab.write(9 * MSS + 1);
    lab.sent();
    assert!(!limited(&lab), "the window is full");
    let mut lab = newreno();
    lab.write(5 * MSS);
    lab.sent();
    lab.connection.snd.board().lose_first(MSS);
    assert!(!limited(&lab), "something is to be sent again");
}

/// What a controller is told of the path.
#[test]
fn congestion_control_is_told_what_is_in_flight_and_how_long_a_round_trip_takes() {
    let lab = ten_out(newreno());
    let news = lab.connection.congestion_news(
        lab.now,
        &Progress {
            acked: MSS,
            rtt: Some(7),
            ..Progress::default()
        },
    );
    assert_eq!((news.acked, news.in_flight), (MSS, 10 * MSS));
    assert_eq!((news.rtt, news.srtt), (Some(7), 100_000));
    assert!(news.window_limited);
}

/// On a path that reorders slow start takes what is reported when it is, and not again when it is acknowledged.
#[test]
fn slow_start_grows_once_with_what_arrives_ahead_of_a_gap() {
    let mut lab = newreno();
    lab.write(40 * MSS);
    assert_eq!(lab.data(), segments(0..10));
    lab.wait(RTT);
    lab.report(before(0), &[nth(1)]);
    assert_eq!(window(&lab).0, 10 * MSS, "not known to reorder");
    lab.ack(before(2));
    assert!(lab.connection.recovery.expects_reordering());
    assert_eq!(
        window(&lab).0,
        11 * MSS,
        "one of the two was reported before"
    );
    lab.data();
    lab.report(before(2), &[before(3)..before(5)]);
    assert_eq!(window(&lab).0, 13 * MSS);
    lab.ack(before(5));
    assert_eq!(window(&lab).0, 14 * MSS, "what filled the gap");
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
}

/// RFC 6675, section 5, and RFC 8985, section 3: on a path that reorders, what arrives ahead of a gap counts when it
/// arrives, where nothing is being repaired.
#[test]
fn on_a_path_that_reorders_a_window_grows_with_what_arrives() {
    let growing = |lab: &Lab| {
        lab.connection.growing_bytes(&Progress {
            acked: 1,
            delivered: 2,
            ..Progress::default()
        })
    };
    let reorder = |lab: &mut Lab| {
        lab.report(before(0), &[before(1)..before(2)]);
        assert_eq!(growing(lab), 1);
        lab.ack(before(2));
        assert!(lab.connection.take_tally().contains(Tally::REORDERING));
    };
    let mut lab = ten_out(avoiding());
    reorder(&mut lab);
    assert_eq!(growing(&lab), 2);
    let mut lab = ten_out(newreno());
    reorder(&mut lab);
    assert_eq!(growing(&lab), 2, "slow start");
    lab.report(before(2), &[before(5)..before(10)]);
    lab.wait(RTT);
    assert_ne!(lab.connection.recovery.phase(), Phase::Open);
    assert_eq!(growing(&lab), 1, "recovery");
}
