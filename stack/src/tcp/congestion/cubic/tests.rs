//! The curve against the formulas of the RFC, in floating point, and what sets it off.

use super::*;
use crate::tcp::congestion::tests::ack;
use crate::time::{Duration, Instant};

const MSS: u32 = 1_460;

/// A connection with a window of so many segments that just lost one, out of slow start for good.
fn after_loss(segments: u32) -> Cubic {
    let mut cubic = Cubic::new(MSS);
    cubic.window.cwnd = segments * MSS;
    cubic.on_loss(segments * MSS);
    cubic
}

/// Acknowledges a window per round trip, each segment for itself, for that long.
fn run(cubic: &mut Cubic, start: Instant, rtt: Duration, span: Duration) {
    let mut now = start;
    while now < start + span {
        let acks = (cubic.window.cwnd / MSS).max(1);
        for n in 1..=acks {
            let spread = rtt.as_micros() * u64::from(n) / u64::from(acks);
            cubic.on_ack(&Ack {
                now: now + Duration::from_micros(spread),
                srtt: rtt.as_micros() as u32,
                ..ack(MSS)
            });
        }
        now += rtt;
    }
}

/// In segments.
fn cwnd(cubic: &Cubic) -> f64 {
    f64::from(cubic.window.cwnd) / f64::from(MSS)
}

#[test]
fn cube_roots_are_exact() {
    for root in [0u64, 1, 2, 3, 10, 999, 65_536, 1_000_003, 2_642_245] {
        assert_eq!(u64::from(cube_root(root.pow(3))), root);
        if root > 0 {
            assert_eq!(u64::from(cube_root(root.pow(3) - 1)), root - 1);
        }
    }
    assert_eq!(cube_root(u64::MAX), 2_642_245);
}

// Requirement: RFC 9438 4.6a, 4.6b
#[test]
fn rfc9438_4_6_a_loss_leaves_seven_tenths() {
    let cubic = after_loss(100);
    assert_eq!(cubic.window.ssthresh, 70 * MSS);
    assert_eq!(cubic.window.cwnd, 70 * MSS);
}

// Requirement: RFC 9438 4.4a, 4.5a, 5.1a, 5.1b
#[test]
fn rfc9438_4_2_the_window_follows_the_curve() {
    // Windows so large, and round trips so long, that Reno is slower all the time.
    for (segments, millis) in [(1_000, 100), (500, 200), (5_000, 50), (10_000, 100)] {
        let mut cubic = after_loss(segments);
        let start = Instant::from_secs(50);
        let rtt = Duration::from_millis(millis);
        let w_max = f64::from(segments);
        let k = ((w_max - 0.7 * w_max) / 0.4).cbrt();
        // The first acknowledgment starts the clock.
        cubic.on_ack(&Ack {
            now: start,
            srtt: rtt.as_micros() as u32,
            ..ack(MSS)
        });
        let step = Duration::from_secs(1);
        for second in 0..(2.0 * k) as u64 {
            run(&mut cubic, start + Duration::from_secs(second), rtt, step);
            let t = (second + 1) as f64;
            let expected = 0.4 * (t - k).powi(3) + w_max;
            let error = (cwnd(&cubic) - expected).abs() / expected;
            assert!(
                error < 0.02,
                "{segments} segments, {millis} ms: {} after {t} s instead of {expected}",
                cwnd(&cubic)
            );
        }
    }
}

// Requirement: RFC 9438 4.3a, 4.3b, 4.8a
#[test]
fn rfc9438_4_3_small_windows_grow_as_renos_would() {
    // Ten segments and 20 ms: K is 2 s, in which Reno comes far.
    let mut cubic = after_loss(10);
    let (start, rtt) = (Instant::from_secs(50), Duration::from_millis(20));
    let alpha = 9.0 / 17.0;
    let mut expected = 7.0f64;
    for round in 0..40u64 {
        run(
            &mut cubic,
            start + Duration::from_millis(20 * round),
            rtt,
            rtt,
        );
        expected += if expected < 10.0 { alpha } else { 1.0 };
        assert!(
            (cwnd(&cubic) - expected).abs() < 1.5,
            "{} in round {round} instead of {expected}",
            cwnd(&cubic)
        );
    }
}

#[test]
fn rfc9438_4_4_growth_is_bounded_by_half_a_window_per_round_trip() {
    let mut cubic = after_loss(10);
    let start = Instant::from_secs(50);
    cubic.on_ack(&Ack {
        now: start,
        ..ack(MSS)
    });
    if let Phase::Avoidance(epoch) = &mut cubic.phase {
        // Far out on the curve.
        epoch.elapsed = 60_000;
    }
    let before = cubic.window.cwnd;
    cubic.on_ack(&Ack {
        now: start,
        ..ack(before)
    });
    assert_eq!(cubic.window.cwnd, before + before / 2);
}

// Requirement: RFC 9438 4.7a
#[test]
fn rfc9438_4_7_a_window_that_came_less_far_makes_room() {
    let mut cubic = after_loss(100);
    assert_eq!(cubic.w_max, 100 * MSS);
    // At 70 segments, below W_max of 100.
    cubic.on_loss(70 * MSS);
    let expected = 70.0 * (1.0 + 0.7) / 2.0;
    assert!((f64::from(cubic.w_max) / f64::from(MSS) - expected).abs() < 0.1);
    assert_eq!(cubic.window.cwnd, 49 * MSS);
}

#[test]
fn rfc9438_4_8_after_a_timeout_the_curve_starts_at_its_plateau() {
    let mut cubic = after_loss(100);
    cubic.on_timeout(70 * MSS, true);
    assert_eq!((cubic.window.cwnd, cubic.window.ssthresh), (MSS, 49 * MSS));
    while cubic.window.in_slow_start() {
        cubic.on_ack(&ack(MSS));
    }
    cubic.on_ack(&ack(MSS));
    let Phase::Avoidance(epoch) = cubic.phase else {
        panic!("{:?}", cubic.phase);
    };
    assert_eq!((epoch.k, cubic.w_max), (0, 49 * MSS));
}

// Requirement: RFC 9438 4.10b
#[test]
fn rfc9438_4_10_slow_start_that_ends_without_a_loss_ends_at_the_plateau() {
    let mut cubic = Cubic::new(MSS);
    for round in 0..20 {
        for _ in 0..20 {
            let rtt = if round < 2 { 50_000 } else { 90_000 };
            cubic.on_ack(&Ack {
                in_flight: 20 * MSS,
                rtt: Some(rtt),
                ..ack(MSS)
            });
        }
    }
    let Phase::Avoidance(epoch) = cubic.phase else {
        panic!("{:?}", cubic.phase);
    };
    assert_eq!(epoch.k, 0);
    assert!(cubic.window.ssthresh < UNLIMITED);
}

#[test]
fn rfc9438_4_9_a_spurious_reduction_is_taken_back_curve_and_all() {
    // Below the plateau, which is 9 s away, and above it.
    for seconds in [3, 14] {
        let (rtt, start) = (Duration::from_millis(100), Instant::from_secs(50));
        let mut disturbed = after_loss(1_000);
        run(&mut disturbed, start, rtt, Duration::from_secs(seconds));
        let mut steady = disturbed.clone();
        let before = disturbed.window.cwnd;
        disturbed.on_loss(before);
        assert!(disturbed.window.cwnd < before);
        disturbed.on_spurious();
        assert_eq!(disturbed.window.cwnd, before);
        let (start, span) = (start + Duration::from_secs(seconds), Duration::from_secs(5));
        run(&mut disturbed, start, rtt, span);
        run(&mut steady, start, rtt, span);
        let (disturbed, steady) = (cwnd(&disturbed), cwnd(&steady));
        assert!(
            (disturbed - steady).abs() < 0.01 * steady,
            "{disturbed} {steady}"
        );
    }
}

// Requirement: RFC 9438 4.10a
#[test]
fn a_spurious_loss_in_the_first_slow_start_does_not_end_it() {
    let mut cubic = Cubic::new(MSS);
    cubic.on_timeout(10 * MSS, true);
    cubic.on_spurious();
    cubic.on_ack(&ack(10 * MSS));
    assert_eq!(cubic.window.cwnd, 20 * MSS);
}

// Requirement: RFC 9438 4.2a
#[test]
fn rfc9438_5_8_a_pause_is_no_time_on_the_curve() {
    let rtt = Duration::from_millis(100);
    let mut steady = after_loss(1_000);
    run(
        &mut steady,
        Instant::from_secs(50),
        rtt,
        Duration::from_secs(4),
    );
    let mut paused = after_loss(1_000);
    run(
        &mut paused,
        Instant::from_secs(50),
        rtt,
        Duration::from_secs(2),
    );
    run(
        &mut paused,
        Instant::from_secs(90),
        rtt,
        Duration::from_secs(2),
    );
    let (steady, paused) = (cwnd(&steady), cwnd(&paused));
    assert!((steady - paused).abs() < 0.02 * steady, "{steady} {paused}");
}

// Requirement: RFC 9438 4.6c
#[test]
fn rfc7661_a_window_that_is_not_used_does_not_grow() {
    for mut cubic in [Cubic::new(MSS), after_loss(100)] {
        let before = cubic.window.cwnd;
        for n in 0..1_000 {
            cubic.on_ack(&Ack {
                now: Instant::from_secs(100) + Duration::from_millis(10 * n),
                window_limited: false,
                ..ack(MSS)
            });
        }
        assert_eq!(cubic.window.cwnd, before);
    }
}

#[test]
fn acknowledgments_of_parts_of_a_segment_gain_nothing() {
    let rtt = Duration::from_millis(100);
    let grow = |parts: u32| {
        let mut cubic = after_loss(200);
        for n in 0..200 * 20 * parts {
            let micros = u64::from(n) * rtt.as_micros() / u64::from(140 * parts);
            cubic.on_ack(&Ack {
                now: Instant::from_secs(50) + Duration::from_micros(micros),
                ..ack(MSS / parts)
            });
        }
        cwnd(&cubic)
    };
    assert!(grow(20) <= 1.01 * grow(1));
}

#[test]
fn paces_at_twice_the_window_until_half_of_the_threshold_and_a_fifth_more_later() {
    let mut cubic = Cubic::new(MSS);
    let bytes = u64::from(cubic.window.cwnd);
    assert_eq!(cubic.pacing_rate(50_000), Rate::new(2 * bytes, 50_000));
    cubic.window.ssthresh = cubic.window.cwnd;
    let expected = Rate::new(bytes + bytes / 5, 50_000);
    assert_eq!(cubic.pacing_rate(50_000), expected);
}

/// Twice the window per round trip while it may double, a fifth more afterwards.
#[test]
fn pacing_leaves_room_for_the_window_to_grow() {
    let mut cubic = Cubic::new(MSS);
    cubic.window.cwnd = 10_000;
    for (ssthresh, bytes) in [(20_002, 20_000), (20_001, 12_000), (5_000, 12_000)] {
        cubic.window.ssthresh = ssthresh;
        assert_eq!(cubic.pacing_rate(100_000), Rate::new(bytes, 100_000));
    }
}

/// RFC 3465, section 2.3, and RFC 5681, section 3.1: slow start ends at the threshold.
#[test]
fn rfc5681_3_1_slow_start_after_a_loss_ends_at_the_threshold() {
    for (growth, acked, ssthresh, cwnd) in [
        (Growth::Normal, 3, 100, 13),
        (Growth::AfterTimeout, 3, 100, 11),
        (Growth::AfterTimeout, 1, 100, 11),
        (Growth::Normal, 3, 12, 12),
        (Growth::AfterTimeout, 3, 11, 11),
        (Growth::Held, 3, 100, 10),
    ] {
        let mut cubic = after_loss(10);
        cubic.window.cwnd = 10 * MSS;
        cubic.window.ssthresh = ssthresh * MSS;
        let news = Ack {
            growth,
            ..ack(acked * MSS)
        };
        cubic.on_ack(&news);
        assert_eq!(
            cubic.window.cwnd,
            cwnd * MSS,
            "{growth:?} {acked} {ssthresh}"
        );
        cubic.window.cwnd = 10 * MSS;
        cubic.on_ack(&Ack {
            window_limited: false,
            ..news
        });
        assert_eq!(cubic.window.cwnd, 10 * MSS, "it is not used");
    }
}

/// A stage that began with so many segments.
fn epoch(segments: u32) -> Epoch {
    Epoch {
        k: 5_000,
        elapsed: 0,
        last: 0,
        w_est: segments * MSS,
        credit: 0,
    }
}

/// RFC 9438, section 4.3: "W_est = W_est + alpha_cubic * (segments_acked / cwnd)", with 9/17 until the window is what it
/// was, and 1 from there.
#[test]
fn rfc9438_4_3_reno_grows_by_a_segment_for_a_window_or_nearly_two() {
    // A window of 9,180 bytes: 17/9 of it are 17,340.
    let mut cubic = after_loss(10);
    cubic.window.cwnd = 9_180;
    for (w_est, acked, grown, credit) in [
        (10 * MSS - 1, 17_339, 0, 17_339),
        (10 * MSS - 1, 17_340, MSS, 0),
        (10 * MSS - 1, 17_350, MSS, 10),
        (10 * MSS, 9_179, 0, 9_179),
        (10 * MSS, 9_180, MSS, 0),
    ] {
        let mut epoch = Epoch { w_est, ..epoch(10) };
        cubic.estimate_reno(&mut epoch, acked);
        assert_eq!(
            (epoch.w_est - w_est, epoch.credit),
            (grown, credit),
            "{w_est} {acked}"
        );
    }
}

/// RFC 9438, section 4.2, figure 1, in bytes: 0.4 segments after a second, on either side of the plateau.
#[test]
fn rfc9438_4_2_the_curve_is_the_same_on_both_sides_of_the_plateau() {
    let mut cubic = after_loss(100);
    cubic.w_max = 100_000;
    for (t, bytes) in [
        (5_000, 100_000),
        (6_000, 100_584),
        (4_000, 99_416),
        (7_000, 104_672),
        (0, 27_000),
    ] {
        assert_eq!(cubic.curve(&epoch(100), t), bytes, "{t}");
    }
    assert!(cubic.curve(&epoch(100), u32::MAX) >= UNLIMITED);
    let late = Epoch {
        k: 100_000,
        ..epoch(100)
    };
    assert_eq!(cubic.curve(&late, 0), 0);
}

/// RFC 9438, section 4.7: only a window that is smaller than the last time makes room.
#[test]
fn rfc9438_4_7_a_window_as_large_as_before_keeps_its_plateau() {
    for (cwnd, w_max) in [
        (100_000, 100_000),
        (99_999, 99_999 - 3 * 4_999),
        (100_001, 100_001),
    ] {
        let mut cubic = Cubic::new(MSS);
        cubic.w_max = 100_000;
        cubic.window.cwnd = cwnd;
        cubic.reduce();
        assert_eq!(
            (cubic.w_max, cubic.w_max_before),
            (w_max, 100_000),
            "{cwnd}"
        );
    }
}

/// RFC 9438, section 4.4: "cwnd MUST be incremented by (target - cwnd) / cwnd for each received new ACK", and time counts
/// between acknowledgments, for a round trip at most.
#[test]
fn rfc9438_4_4_the_window_grows_by_its_share_of_what_the_curve_asks_for() {
    let mut cubic = after_loss(100);
    (cubic.window.cwnd, cubic.w_max) = (50_000, 60_000);
    let mut epoch = Epoch {
        w_est: 0,
        ..epoch(1)
    };
    let news = |millis, srtt, acked| Ack {
        now: Instant::from_millis(millis),
        srtt,
        ..ack(acked)
    };
    // At the plateau: 10,000 bytes in a window of 50,000, of which a fifth is acknowledged.
    epoch.elapsed = 4_800;
    cubic.avoid(&mut epoch, &news(100, 100_000, 10_000));
    assert_eq!((epoch.elapsed, epoch.last), (4_900, 100));
    assert_eq!(cubic.window.cwnd, 52_000);
    // A pause counts as a round trip, and one without a round trip as a millisecond.
    cubic.avoid(&mut epoch, &news(900, 100_000, 0));
    assert_eq!((epoch.elapsed, epoch.last), (5_000, 900));
    cubic.avoid(&mut epoch, &news(950, 100_000, 0));
    assert_eq!(epoch.elapsed, 5_050);
    cubic.avoid(&mut epoch, &news(960, 0, 0));
    assert_eq!(epoch.elapsed, 5_051);
    // Time in which the window is not used does not count.
    let idle = Ack {
        window_limited: false,
        ..news(970, 100_000, 1_000)
    };
    cubic.avoid(&mut epoch, &idle);
    assert_eq!((epoch.elapsed, epoch.last), (5_051, 970));
    // Half a window more at most in a round trip, and never less.
    cubic.window.cwnd = 10_000;
    cubic.avoid(&mut epoch, &news(971, 100_000, 10_000));
    assert_eq!(cubic.window.cwnd, 15_000);
    cubic.window.cwnd = 90_000;
    cubic.avoid(&mut epoch, &news(972, 100_000, 10_000));
    assert_eq!(cubic.window.cwnd, 90_000);
    // Reno's window, where that is larger.
    epoch.w_est = 95_000;
    cubic.avoid(&mut epoch, &news(973, 100_000, 0));
    assert_eq!(cubic.window.cwnd, 95_000);
}
