//! What may be in flight, and how fast it goes out.

use super::model::{in_state, model};
use super::*;

/// Section 5.6.2: pacing_gain times the bandwidth, less a hundredth; before the bandwidth is known it is at least that of
/// an initial window in each round trip.
#[test]
fn section_5_6_2_the_pace_is_the_gain_of_the_state() {
    for (state, bytes) in [
        (State::Startup, 2_742_300),
        (State::Drain, 495_000),
        (State::Down, 891_000),
        (State::Cruise, 990_000),
        (State::Refill, 990_000),
        (State::ProbeRtt, 990_000),
        (State::Up, 1_237_500),
    ] {
        let expected = Rate::new(bytes, SECOND as u32);
        assert_eq!(
            in_state(state).pacing_rate(None),
            Some(expected),
            "{state:?}"
        );
    }
    for (full_bw_reached, bytes) in [(true, 49_500), (false, 99_000)] {
        let bbr = Bbr {
            max_bw: [50_000, 0],
            full_bw_reached,
            ..model()
        };
        let expected = Rate::new(bytes, SECOND as u32);
        assert_eq!(bbr.pacing_rate(Some(100_000)), Some(expected));
    }
    assert_eq!(Bbr::new(MSS).pacing_rate(None), None);
}

/// Section 5.3.3.6: the bound grows by a segment for each window that arrives at it, then for half of one and so on.
#[test]
fn section_5_3_3_6_the_bound_grows_faster_with_each_round() {
    let up = Bbr {
        inflight_longterm: 150_000,
        cwnd: 150_000,
        ..in_state(State::Up)
    };
    let arrived = Ack {
        delivered: 75_000,
        ..ack(0)
    };
    let mut bbr = up.clone();
    let mut bounds = std::vec::Vec::new();
    for _ in 0..4 {
        bbr.advance(1_000, &arrived);
        bounds.push((bbr.inflight_longterm, bbr.up_acked, bbr.up_rounds));
        bbr.cwnd = bbr.inflight_longterm;
    }
    let expected = [
        (150_000, 75, 0),
        (151_000, 0, 1),
        (152_000, 0, 2),
        (153_000, 0, 3),
    ];
    assert_eq!(bounds, expected);
    let idle = Ack {
        window_limited: false,
        ..arrived
    };
    let narrow = Bbr {
        cwnd: 149_999,
        ..up.clone()
    };
    let free = Bbr {
        inflight_longterm: UNKNOWN,
        ..up.clone()
    };
    for (bbr, ack) in [(up, idle), (narrow, arrived), (free, arrived)] {
        let (mut after, bound) = (bbr.clone(), bbr.inflight_longterm);
        after.advance(1_000, &ack);
        assert_eq!((after.up_acked, after.inflight_longterm), (0, bound));
    }
}

/// Section 5.6.4: the window follows the model as fast as acknowledgments come in, within the bounds.
#[test]
fn section_5_6_4_the_window_follows_the_model() {
    let after = |bbr: Bbr, ack: Ack| {
        let mut bbr = bbr;
        bbr.update_window(&ack);
        bbr.cwnd
    };
    let arrived = Ack {
        delivered: 1_000,
        ..ack(0)
    };
    let with = |cwnd| Bbr { cwnd, ..model() };
    assert_eq!(after(with(150_000), arrived), 151_000);
    assert_eq!(
        after(with(201_500), arrived),
        202_000,
        "twice what fits, and two segments"
    );
    assert_eq!(after(with(300_000), arrived), 202_000);
    // Before the bandwidth has levelled off, as in slow start, where the window is what limits.
    let idle = Ack {
        window_limited: false,
        ..arrived
    };
    let repairing = Ack {
        growth: Growth::Held,
        ..idle
    };
    let early = |cwnd| Bbr {
        full_bw_reached: false,
        ..with(cwnd)
    };
    assert_eq!(after(early(150_000), arrived), 151_000);
    assert_eq!(
        after(early(201_500), arrived),
        202_500,
        "no step is cut short"
    );
    assert_eq!(after(early(202_000), arrived), 202_000);
    assert_eq!(after(early(150_000), idle), 150_000);
    assert_eq!(after(early(150_000), repairing), 151_000);
    // Bounds: in Cruise with room for others.
    let bounded = |state, shortterm| Bbr {
        inflight_longterm: 100_000,
        inflight_shortterm: shortterm,
        ..in_state(state)
    };
    assert_eq!(after(bounded(State::Up, UNKNOWN), arrived), 100_000);
    assert_eq!(after(bounded(State::Cruise, UNKNOWN), arrived), 85_000);
    assert_eq!(after(bounded(State::Cruise, 60_000), arrived), 60_000);
    assert_eq!(
        after(bounded(State::Cruise, 3_000), arrived),
        4_000,
        "four segments at least"
    );
    // But for what a timeout left.
    let timed_out = Bbr {
        cwnd: 1_000,
        ..bounded(State::Cruise, 500)
    };
    assert_eq!(after(timed_out, arrived), 2_000);
    // Section 5.6.4.5: half of what fits while the queue is to be seen empty.
    assert_eq!(after(in_state(State::ProbeRtt), arrived), 50_000);
    let less = Bbr {
        cwnd: 30_000,
        ..in_state(State::ProbeRtt)
    };
    assert_eq!(after(less, arrived), 30_000);
    let short = Bbr {
        min_rtt: 1_000,
        ..in_state(State::ProbeRtt)
    };
    assert_eq!(after(short, arrived), 4_000);
}

/// Section 5.6.4.2, and 5.5.9: what arrives together is added to what fits.
#[test]
fn section_5_6_4_2_what_may_be_in_flight() {
    for (state, bytes) in [
        (State::Startup, 279_000),
        (State::Up, 227_000),
        (State::Cruise, 202_000),
        (State::Drain, 202_000),
    ] {
        assert_eq!(in_state(state).max_inflight(), bytes, "{state:?}");
    }
    for extra_acked in [[3, 5], [5, 3]] {
        let bbr = Bbr {
            extra_acked,
            ..model()
        };
        assert_eq!(bbr.max_inflight(), 207_000);
    }
    let short = Bbr {
        min_rtt: 500,
        ..model()
    };
    assert_eq!(
        short.max_inflight(),
        4_000,
        "1,000 and two segments are less than four"
    );
    let no_bandwidth = Bbr {
        max_bw: [0; 2],
        ..model()
    };
    assert_eq!(no_bandwidth.max_inflight(), 10_000);
    let no_round_trip = Bbr {
        min_rtt: UNKNOWN,
        ..model()
    };
    assert_eq!(no_round_trip.max_inflight(), 10_000);
    assert_eq!(no_round_trip.bdp(50), 10_000);
}

/// Section 5.6.4.5, BBRHeadroom: 15 % of what fits, a segment at least.
#[test]
fn section_5_6_4_5_headroom_is_a_part_of_what_fits() {
    for (bound, left) in [
        (UNKNOWN, UNLIMITED),
        (100_000, 85_000),
        (6_000, 5_000),
        (4_500, 4_000),
        (200, 4_000),
    ] {
        let bbr = Bbr {
            inflight_longterm: bound,
            ..model()
        };
        assert_eq!(bbr.headroom(), left, "{bound}");
    }
}

#[test]
fn a_window_that_was_cut_for_a_while_returns() {
    let mut bbr = model();
    bbr.on_loss();
    bbr.cwnd = 50_000;
    bbr.on_loss();
    bbr.on_recovered();
    assert_eq!((bbr.cwnd, bbr.prior_cwnd), (200_000, 0));
    bbr.cwnd = 300_000;
    bbr.prior_cwnd = 200;
    bbr.on_recovered();
    assert_eq!(bbr.cwnd, 300_000, "it has grown meanwhile");
    for (first, prior) in [(true, 300), (false, 0)] {
        let mut bbr = bbr.clone();
        bbr.on_timeout(first);
        assert_eq!((bbr.cwnd, bbr.prior_cwnd), (1_000, prior));
    }
    let mut bbr = Bbr {
        bw_shortterm: 1,
        inflight_shortterm: 1,
        prior_cwnd: 250,
        ..model()
    };
    bbr.on_spurious();
    assert_eq!(
        (bbr.bw_shortterm, bbr.inflight_shortterm),
        (UNKNOWN, UNKNOWN)
    );
    assert_eq!(bbr.cwnd, 250_000);
}

#[test]
fn segments_are_as_long_as_the_path_takes() {
    let mut bbr = model();
    bbr.set_mss(500);
    assert_eq!((bbr.mss(), bbr.least(), bbr.cwnd), (500, 2_000, 200_000));
    assert_eq!(bbr.segments(1_001), 3);
    bbr.restart();
    assert_eq!(bbr.window(), 500);
}
