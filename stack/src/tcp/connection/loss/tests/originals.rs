//! What an echo tells of segments that were sent again: whether their originals arrived, and were overtaken.

use super::*;

/// RFC 8985, section 6.2, step 2: an original that arrives after it was sent again is not taken for the copy, by whose
/// time all that was sent before it would be lost.
#[test]
fn rfc8985_6_2_an_echo_from_before_tells_the_original_from_the_copy() {
    for (of_copy, lost) in [(false, 0), (true, 5 * MSS)] {
        let (mut lab, original) = ten_out_stamped(modern());
        lab.wait(RTT);
        lab.report(before(0), &[before(1)..before(4)]);
        let copy = lab.connection.timestamps.value(lab.now).unwrap();
        assert_eq!(lab.data(), [nth(0)]);
        // A queue has grown, so that the shortest round trip says nothing.
        lab.wait(RTT + 10);
        lab.stamp(3, if of_copy { copy } else { original });
        lab.report(before(4), &[nth(5)]);
        assert_eq!(lab.connection.snd.scoreboard.lost(), lost, "{of_copy}");
    }
}

/// RFC 8985, section 6.2, step 3, looks for segments that were sent once and arrive late. Before a path is known to
/// reorder, each that is late is sent again at once; the echo shows that its original arrived, as in Linux.
#[test]
fn rfc8985_6_2_an_original_that_arrives_after_it_was_sent_again_was_overtaken() {
    for of_copy in [false, true] {
        let (mut lab, original) = ten_out_stamped(modern());
        lab.wait(RTT);
        lab.report(before(0), &[before(1)..before(4)]);
        let copy = lab.connection.timestamps.value(lab.now).unwrap();
        assert_eq!(lab.data(), [nth(0)]);
        lab.wait(RTT);
        lab.connection.take_tally();
        lab.stamp(3, if of_copy { copy } else { original });
        lab.ack(before(4));
        assert_eq!(lab.connection.recovery.expects_reordering(), !of_copy);
        let tally = lab.connection.take_tally();
        assert_eq!(tally.contains(Tally::REORDERING), !of_copy);
    }
}

/// A late segment may have arrived in time, and its report was lost: then what fills the gap before it is no older than the first that
/// was sent again.
#[test]
fn what_arrived_unreported_was_not_overtaken() {
    let (mut lab, _) = ten_out_stamped(modern());
    lab.wait(RTT);
    lab.report(before(0), &[before(1)..before(5)]);
    let copy = lab.connection.timestamps.value(lab.now).unwrap();
    assert_eq!(lab.data()[0], nth(0));
    lab.wait(10);
    lab.report(before(0), &[before(6)..before(10), before(1)..before(5)]);
    assert!(lab.data().contains(&nth(5)));
    lab.wait(RTT - 10);
    lab.stamp(3, copy);
    lab.ack(before(10));
    assert!(!lab.connection.recovery.expects_reordering());
}

/// A copy of the recovery before, which ended without it, is older than what this one sent again, and not late.
#[test]
fn what_the_recovery_before_sent_again_was_not_overtaken() {
    let (mut lab, _) = ten_out_stamped(modern());
    lab.write(20 * MSS);
    lab.wait(RTT);
    lab.report(before(0), &[before(1)..before(10)]);
    assert_eq!(lab.data(), [nth(0), nth(10), nth(11), nth(12), nth(13)]);
    lab.wait(RTT);
    lab.report(before(0), &[nth(11), before(1)..before(10)]);
    let copy = lab.connection.timestamps.value(lab.now).unwrap();
    assert_eq!(lab.data()[..2], [nth(0), nth(10)]);
    lab.stamp(3, copy);
    lab.report(before(10), &[nth(11)]);
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    lab.report(before(10), &[nth(13), nth(11)]);
    assert!(data(lab.wait(RTT / 2)).contains(&nth(12)));
    assert_eq!(lab.connection.recovery.phase(), Phase::Fast);
    lab.ack(before(12));
    assert!(!lab.connection.recovery.expects_reordering());
}

/// Without selective acknowledgments duplicates count what arrived, and nobody knows their bytes or their order.
#[test]
fn without_sack_a_path_is_not_known_to_reorder() {
    let (mut lab, original) = ten_out_stamped(plain());
    lab.wait(RTT);
    for _ in 0..3 {
        lab.ack(before(0));
    }
    assert_eq!(lab.data()[0], nth(0));
    lab.wait(RTT);
    lab.stamp(3, original);
    lab.ack(before(4));
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    assert!(!lab.connection.recovery.expects_reordering());
}

/// What a timer sent again was overtaken by nothing, or only the acknowledgments were lost.
#[test]
fn what_arrives_after_a_timeout_was_not_overtaken() {
    let (mut lab, original) = ten_out_stamped(modern());
    lab.wait(6 * RTT);
    assert_eq!(lab.connection.recovery.phase(), Phase::Timeout);
    lab.stamp(3, original);
    lab.ack(before(10));
    assert_eq!(lab.connection.recovery.phase(), Phase::Open);
    assert!(!lab.connection.recovery.expects_reordering());
}

/// RFC 7323, section 4.3: what is reported beyond a gap is reported with the timestamp from before the gap, so that a copy
/// there is not told from the original by it.
#[test]
fn rfc7323_4_3_the_echo_says_nothing_about_what_arrived_beyond_a_gap() {
    let (mut lab, _) = ten_out_stamped(modern());
    lab.wait(RTT);
    lab.report(before(0), &[before(2)..before(6)]);
    assert_eq!(lab.data(), [nth(0)]);
    lab.wait(RTT / 3);
    lab.report(before(0), &[before(2)..before(10)]);
    assert_eq!(lab.data()[0], nth(1));
    lab.wait(RTT);
    lab.report(before(0), &[before(1)..before(10)]);
    assert_eq!(
        lab.data()[0],
        nth(0),
        "the copy of the second came, so that of the first is lost"
    );
}

/// Ten segments of [`MSS`] bytes are out to a peer with timestamps; the one they carry. The peer echoes it.
fn ten_out_stamped(mut options: crate::wire::TcpOptions) -> (Lab, u32) {
    // With the twelve bytes that the option takes of each segment.
    options.mss = Some(MSS as u16 + 12);
    options.timestamps = Some(crate::wire::Timestamps { value: 1, echo: 0 });
    let mut lab = Lab::established(CongestionControl::NewReno, options);
    let stamp = lab.connection.timestamps.value(lab.now).unwrap();
    lab.stamp(2, stamp);
    lab.write(10 * MSS);
    assert_eq!(lab.data().len(), 10);
    (lab, stamp)
}
