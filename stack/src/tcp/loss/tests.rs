use super::*;
use crate::tcp::CongestionControl;
use crate::tcp::connection::lab::{
    Lab, MSS, RTT, before, data, modern, nth, plain, segments,
};

/// A peer that reports what arrives, and a controller whose arithmetic is simple: ten segments at first.
fn newreno() -> Lab {
    Lab::established(CongestionControl::NewReno, modern())
}

/// The congestion window and its threshold.
fn window(lab: &Lab) -> (u32, u32) {
    let congestion = &lab.connection.congestion;
    (congestion.window(), congestion.ssthresh())
}

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
    for (used, grown) in [(4_999, 10_000), (5_000, 12_000)] {
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
    assert_eq!(lab.connection.allowance(), MSS / 2, "CEIL(3000 * 5000 / 10000) less what went");
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
        let mut lab = ten_out(newreno());
        lab.report(before(0), &[before(1)..before(10)]);
        lab.sent();
        let (now, connection) = (lab.now, &mut lab.connection);
        let pipe = connection.pipe();
        connection.congestion.prr_mut().unwrap().on_sent(10 * MSS);
        connection.adjust_window(now, &Progress {
            acked: acked * MSS,
            delivered: MSS,
            lost: lost * MSS,
            pipe,
            ..Progress::default()
        });
        let least = (5 * MSS - pipe).min(allowance * MSS);
        assert_eq!(connection.allowance(), least, "{acked} {lost}");
    }
}

/// RFC 5681, section 3.1, equation 4, with the FlightSize of when the segment that is lost was answered: what went out
/// since does not make the path wider.
#[test]
fn rfc5681_3_1_the_threshold_is_half_of_what_the_window_let_out() {
    let mut lab = ten_out(newreno());
    lab.report(before(0), &[before(1)..before(3)]);
    assert_eq!(lab.connection.recovery.phase(), Phase::Open, "they may only be late");
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
    assert_eq!(window(&lab).0, 12 * MSS);
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
    assert_eq!(lab.connection.pipe(), 12 * MSS, "what left is not known yet");
    lab.ack(before(0));
    assert_eq!(lab.connection.recovery.phase(), Phase::Fast);
    assert_eq!(window(&lab), (5 * MSS, 5 * MSS));
    // Twelve, less the one that is lost and three that arrived.
    assert_eq!(lab.connection.pipe(), 8 * MSS);
    assert_eq!(lab.data(), [nth(0)]);
    assert_eq!(lab.connection.pipe(), 9 * MSS);
    lab.ack(before(0));
    assert_eq!(lab.connection.pipe(), 8 * MSS);
}
