//! The model and its bounds, one rule after the other.

use super::*;

/// A path of 1 MB/s and 100 ms, on which 100,000 bytes fit.
fn model() -> Bbr {
    Bbr {
        max_bw: [1_000_000, 900_000],
        min_rtt: 100_000,
        probe_rtt_min: 100_000,
        cwnd: 200_000,
        full_bw_reached: true,
        state: State::Cruise,
        ..Bbr::new(MSS)
    }
}

fn in_state(state: State) -> Bbr {
    Bbr { state, ..model() }
}

/// A round without losses that showed the bandwidth.
fn sample() -> Sample {
    Sample {
        bw: 1_000_000,
        delivered: 100_000,
        lost: 0,
        is_lossy: false,
        app_limited: false,
    }
}

/// One that lost a tenth.
fn lossy() -> Sample {
    Sample {
        bw: 500_000,
        lost: 10_000,
        is_lossy: true,
        ..sample()
    }
}

fn acked(newest_sent: u32) -> Ack {
    Ack {
        newest_sent: Some(newest_sent),
        ..ack(MSS)
    }
}

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

/// Section 4.1.2: the rate of a round is what arrived in it, by the longer of the times that sending and arriving took.
#[test]
fn section_4_1_2_a_round_is_as_fast_as_the_slower_of_its_ends() {
    let mut bbr = Bbr::new(MSS);
    bbr.round.delivered = 10_000;
    bbr.round.lost = 2_000;
    bbr.round.app_limited = true;
    let first = bbr.end_round(200_000, &acked(100_000)).unwrap();
    assert_eq!(
        (first.bw, first.delivered, first.lost),
        (100_000, 10_000, 2_000)
    );
    assert!(first.app_limited && !bbr.round.app_limited);
    assert_eq!((bbr.round.delivered, bbr.round.lost), (0, 0));
    let mut idle = bbr.clone();
    let nothing_to_say = Ack {
        app_limited: true,
        ..acked(200_000)
    };
    idle.end_round(300_000, &nothing_to_say);
    assert!(idle.round.app_limited, "the next begins that way");
    for (newest, now, bw) in [
        (199_999, 300_000, None),
        (200_000, 300_000, Some(200_000)),
        (250_000, 300_000, Some(133_333)),
        (200_000, 400_000, Some(100_000)),
    ] {
        let mut bbr = bbr.clone();
        bbr.round.delivered = 20_000;
        let sample = bbr.end_round(now, &acked(newest));
        assert_eq!(sample.map(|sample| sample.bw), bw, "{newest} {now}");
        let left = if bw.is_some() { 0 } else { 20_000 };
        assert_eq!(bbr.round.delivered, left);
    }
    let nothing = Ack {
        newest_sent: None,
        ..ack(0)
    };
    assert!(bbr.end_round(300_000, &nothing).is_none());
}

/// Section 5.5.5: a sender with nothing to say shows no less than the path carries.
#[test]
fn section_5_5_5_the_bandwidth_is_the_highest_that_was_seen() {
    for (bw, app_limited, highest) in [
        (950_000, false, 950_000),
        (950_000, true, 900_000),
        (1_000_000, true, 1_000_000),
        (1_100_000, true, 1_100_000),
        (800_000, false, 900_000),
    ] {
        let mut bbr = model();
        bbr.learn(&Sample {
            bw,
            app_limited,
            ..sample()
        });
        assert_eq!(bbr.max_bw, [1_000_000, highest], "{bw} {app_limited}");
        assert_eq!(bbr.rounds, 1);
        let (seen, level) = if app_limited { (0, 0) } else { (bw, 0) };
        assert_eq!((bbr.full_bw, bbr.full_bw_count), (seen, level));
        assert_eq!(bbr.inflight_longterm, UNKNOWN);
        assert_eq!(bbr.bw_shortterm, UNKNOWN);
    }
}

/// Section 5.3.1.3: Startup ends with many losses in a round, and what was delivered then is what fits.
#[test]
fn section_5_3_1_3_many_losses_end_startup() {
    for (lost, delivered, bound) in [
        (5_999, 120_000, None),
        (6_000, 120_000, Some(120_000)),
        (6_000, 80_000, Some(100_000)),
    ] {
        let mut bbr = Bbr {
            full_bw_reached: false,
            ..in_state(State::Startup)
        };
        bbr.learn(&Sample {
            lost,
            delivered,
            ..lossy()
        });
        assert_eq!(bbr.full_bw_reached, bound.is_some(), "{lost}");
        assert_eq!(bbr.inflight_longterm, bound.unwrap_or(UNKNOWN));
    }
}

/// Section 5.5.10.2: losses while the bandwidth is probed show what fits: what arrived, or seven tenths of what was tried.
#[test]
fn section_5_5_10_2_losses_of_a_probe_bound_what_is_in_flight() {
    for state in [State::Refill, State::Up] {
        for (delivered, app_limited, bound) in [
            (60_000, false, 70_000),
            (80_000, false, 80_000),
            (80_000, true, UNKNOWN),
        ] {
            let mut bbr = in_state(state);
            bbr.learn(&Sample {
                delivered,
                app_limited,
                ..lossy()
            });
            assert_eq!(bbr.inflight_longterm, bound, "{state:?} {delivered}");
            assert_eq!(bbr.bw_shortterm, UNKNOWN);
        }
    }
}

/// Section 5.5.10.3: losses between probes bound rate and volume for the time being, by no more than three tenths a round.
#[test]
fn section_5_5_10_3_losses_between_probes_bound_rate_and_volume_for_a_while() {
    for (state, rounds, counts) in [
        (State::Drain, 5, false),
        (State::Down, 0, false),
        (State::Cruise, 0, false),
        (State::Down, 1, true),
        (State::Cruise, 1, true),
        (State::ProbeRtt, 0, true),
    ] {
        let mut bbr = Bbr {
            rounds,
            ..in_state(state)
        };
        bbr.learn(&lossy());
        assert_eq!(bbr.bw_shortterm != UNKNOWN, counts, "{state:?} {rounds}");
        assert_eq!(bbr.inflight_shortterm != UNKNOWN, counts);
    }
    let mut bbr = Bbr {
        rounds: 1,
        ..model()
    };
    bbr.learn(&lossy());
    assert_eq!(
        (bbr.bw_shortterm, bbr.inflight_shortterm),
        (700_000, 140_000)
    );
    bbr.learn(&lossy());
    assert_eq!(
        (bbr.bw_shortterm, bbr.inflight_shortterm),
        (500_000, 100_000)
    );
    bbr.learn(&lossy());
    assert_eq!(
        (bbr.bw_shortterm, bbr.inflight_shortterm),
        (500_000, 100_000)
    );
}

/// Section 5.3.1.2: three rounds without a quarter more.
#[test]
fn section_5_3_1_2_the_bandwidth_is_level_after_three_rounds_without_a_quarter_more() {
    let mut bbr = Bbr {
        full_bw_reached: false,
        ..Bbr::new(MSS)
    };
    for (bw, seen, count) in [
        (100, 100, 0),
        (124, 100, 1),
        (125, 125, 0),
        (156, 125, 1),
        (126, 125, 2),
    ] {
        bbr.look_for_plateau(bw);
        assert_eq!((bbr.full_bw, bbr.full_bw_count), (seen, count), "{bw}");
        assert!(!bbr.full_bw_reached);
    }
    bbr.look_for_plateau(100);
    assert!(bbr.full_bw_reached);
}

/// Section 5.3.3: what the end of a round changes, state by state.
#[test]
fn section_5_3_3_states_that_change_with_rounds() {
    let after = |bbr: Bbr, sample: Sample| {
        let mut bbr = bbr;
        bbr.on_round(7, &sample);
        bbr
    };
    assert_eq!(
        after(in_state(State::Startup), sample()).state,
        State::Drain
    );
    let unsure = Bbr {
        full_bw_reached: false,
        ..in_state(State::Startup)
    };
    assert_eq!(after(unsure, sample()).state, State::Startup);
    let refill = Bbr {
        up_acked: 3,
        up_rounds: 4,
        full_bw: 5,
        full_bw_count: 2,
        ..in_state(State::Refill)
    };
    let up = after(refill, sample());
    assert_eq!((up.state, up.since), (State::Up, 7));
    assert_eq!(
        (up.up_acked, up.up_rounds, up.full_bw, up.full_bw_count),
        (0, 0, 0, 0)
    );
    assert_eq!(after(in_state(State::Up), sample()).state, State::Up);
    assert_eq!(after(in_state(State::Up), lossy()).state, State::Down);
    let level = Bbr {
        full_bw_count: 3,
        ..in_state(State::Up)
    };
    assert_eq!(after(level, sample()).state, State::Down);
    // A new cycle: the highest of the one before the last is forgotten.
    for (rounds, app_limited, max_bw) in [
        (1, false, [900_000, 0]),
        (1, true, [1_000_000, 900_000]),
        (2, false, [1_000_000, 900_000]),
    ] {
        let down = Bbr {
            rounds,
            ..in_state(State::Down)
        };
        let sample = Sample {
            app_limited,
            ..sample()
        };
        assert_eq!(after(down, sample).max_bw, max_bw, "{rounds} {app_limited}");
    }
    let cruise = Bbr {
        rounds: 1,
        ..in_state(State::Cruise)
    };
    assert_eq!(after(cruise, sample()).max_bw, [1_000_000, 900_000]);
}

/// Sections 5.3.2 and 5.3.3.2: the queue is empty when no more is in flight than fits.
#[test]
fn section_5_3_2_states_that_change_with_what_is_in_flight() {
    let after = |bbr: Bbr, in_flight| {
        let mut bbr = bbr;
        bbr.advance(
            1_000,
            &Ack {
                in_flight,
                ..ack(0)
            },
        );
        bbr.state
    };
    assert_eq!(after(in_state(State::Drain), 100_000), State::Down);
    assert_eq!(after(in_state(State::Drain), 100_001), State::Drain);
    assert_eq!(after(in_state(State::Down), 100_000), State::Cruise);
    assert_eq!(after(in_state(State::Down), 100_001), State::Down);
    // Some of what fits is left for others.
    let bounded = Bbr {
        inflight_longterm: 100_000,
        ..in_state(State::Down)
    };
    assert_eq!(after(bounded.clone(), 85_000), State::Cruise);
    assert_eq!(after(bounded, 85_001), State::Down);
    // The clock of the cycle goes on.
    let mut bbr = in_state(State::Down);
    bbr.since = 5;
    bbr.advance(
        1_000,
        &Ack {
            in_flight: 0,
            ..ack(0)
        },
    );
    assert_eq!((bbr.state, bbr.since), (State::Cruise, 5));
}

/// Section 5.3.3.5.3: from probe to probe it is two seconds and a bit, or as many rounds as Reno takes, 63 at most.
#[test]
fn section_5_3_3_5_3_the_next_probe_comes_in_time_or_with_rounds() {
    let jittery = Bbr {
        jitter: 10,
        ..model()
    };
    assert!(!jittery.is_time_to_probe(2_039_059));
    assert!(jittery.is_time_to_probe(2_039_060));
    for (min_rtt, rounds, is_time) in [
        (100_000, 62, false),
        (100_000, 63, true),
        (10_000, 9, false),
        (10_000, 10, true),
        (100, 0, false),
        (100, 1, true),
    ] {
        let bbr = Bbr {
            min_rtt,
            rounds,
            ..model()
        };
        assert_eq!(bbr.is_time_to_probe(0), is_time, "{min_rtt} {rounds}");
    }
    // And then what was bounded for a while is not any more.
    for state in [State::Down, State::Cruise] {
        let mut bbr = Bbr {
            bw_shortterm: 1,
            inflight_shortterm: 1,
            min_rtt: 100,
            rounds: 1,
            since: 5,
            ..in_state(state)
        };
        bbr.advance(1_000, &ack(0));
        assert_eq!((bbr.state, bbr.since), (State::Refill, 1_000));
        assert_eq!(
            (bbr.bw_shortterm, bbr.inflight_shortterm),
            (UNKNOWN, UNKNOWN)
        );
    }
    let mut bbr = Bbr {
        rounds: 63,
        ..in_state(State::Up)
    };
    bbr.advance(1_000, &ack(0));
    assert_eq!(bbr.state, State::Up, "it is being probed");
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

/// Section 5.3.4: once in a while the queue is emptied to see the shortest round trip again: for 200 ms and a round.
#[test]
fn section_5_3_4_the_shortest_round_trip_is_looked_for_after_five_seconds() {
    for (old, state) in [(76, State::Cruise), (77, State::ProbeRtt)] {
        let now = old << 16;
        let mut bbr = Bbr {
            since: now,
            rounds: 9,
            ..model()
        };
        bbr.advance(now, &ack(0));
        assert_eq!(bbr.state, state);
        if state == State::ProbeRtt {
            assert_eq!((bbr.since, bbr.rounds), (now, 0));
            assert_eq!((bbr.probe_rtt_min, bbr.probe_rtt_min_at), (UNKNOWN, 77));
            assert_eq!(bbr.prior_cwnd, 200);
        }
        let mut unknown = Bbr {
            min_rtt: UNKNOWN,
            since: now,
            ..model()
        };
        unknown.advance(now, &ack(0));
        assert_eq!(unknown.state, State::Cruise, "there is none yet");
    }
    for (elapsed, rounds, over) in [(200_000, 1, true), (199_999, 1, false), (200_000, 0, false)] {
        for (full_bw_reached, next) in [(true, State::Cruise), (false, State::Startup)] {
            let mut bbr = Bbr {
                rounds,
                full_bw_reached,
                cwnd: 50_000,
                prior_cwnd: 200,
                since: 1_000,
                ..in_state(State::ProbeRtt)
            };
            bbr.advance(1_000 + elapsed, &ack(0));
            let expected = if over { next } else { State::ProbeRtt };
            assert_eq!(bbr.state, expected, "{elapsed} {rounds}");
            let (cwnd, since) = if over {
                (200_000, 1_000 + elapsed)
            } else {
                (50_000, 1_000)
            };
            assert_eq!((bbr.cwnd, bbr.since), (cwnd, since));
        }
    }
}

/// Flows that start together do not probe together: the time of a cycle's start is what puts its next probe off.
#[test]
fn a_cycle_starts_with_a_clean_slate() {
    let mut bbr = Bbr {
        rounds: 9,
        full_bw: 5,
        full_bw_count: 2,
        ..model()
    };
    bbr.start_down(0x1230);
    assert_eq!(
        (bbr.state, bbr.since, bbr.jitter),
        (State::Down, 0x1230, 0x23)
    );
    assert_eq!((bbr.rounds, bbr.full_bw, bbr.full_bw_count), (0, 0, 0));
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

/// Section 5.5.9: so many segments more than the bandwidth explains, the most of five to ten rounds.
#[test]
fn section_5_5_9_what_arrives_in_excess_is_remembered_for_ten_rounds() {
    let mut bbr = model();
    bbr.note_aggregation(50_000, 53_000);
    assert_eq!(bbr.extra_acked, [3, 0]);
    bbr.note_aggregation(50_000, 51_001);
    assert_eq!(bbr.extra_acked, [3, 0]);
    bbr.note_aggregation(50_000, 40_000);
    assert_eq!(bbr.extra_acked, [3, 0]);
    bbr.note_aggregation(0, 1_000_000);
    assert_eq!(bbr.extra_acked, [200, 0], "no more than the window");
    for (rounds, extra) in [(3, [200, 0]), (4, [0, 200]), (5, [200, 0]), (9, [0, 200])] {
        let mut bbr = bbr.clone();
        bbr.rounds = rounds;
        bbr.note_aggregation(50_000, 0);
        assert_eq!(bbr.extra_acked, extra, "{rounds}");
    }
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

/// Section 5.5.7: the shortest of ten seconds, refreshed with what was seen in the last five.
#[test]
fn section_5_5_7_the_shortest_round_trip_is_that_of_ten_seconds() {
    let now = |ticks: u32| ticks << 16;
    let mut bbr = model();
    bbr.update_min_rtt(now(10), None);
    assert_eq!((bbr.min_rtt, bbr.min_rtt_at), (100_000, 0));
    bbr.update_min_rtt(now(10), Some(100_001));
    assert_eq!((bbr.probe_rtt_min, bbr.probe_rtt_min_at), (100_000, 0));
    bbr.update_min_rtt(now(11), Some(100_000));
    assert_eq!(
        (bbr.probe_rtt_min_at, bbr.min_rtt_at),
        (11, 11),
        "seen again"
    );
    bbr.update_min_rtt(now(12), Some(90_000));
    assert_eq!((bbr.min_rtt, bbr.min_rtt_at), (90_000, 12));
    // A longer one that was seen since counts once the shortest is old.
    bbr.probe_rtt_min = 120_000;
    bbr.probe_rtt_min_at = 100;
    bbr.update_min_rtt(now(12 + 152), Some(130_000));
    assert_eq!((bbr.min_rtt, bbr.min_rtt_at), (90_000, 12));
    bbr.update_min_rtt(now(12 + 153), Some(130_000));
    assert_eq!((bbr.min_rtt, bbr.min_rtt_at), (120_000, 100));
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
    bbr.restart(1_000, 1);
    assert_eq!((bbr.mss(), bbr.window()), (1_000, 1_000));
    bbr.restart(1_000, 100);
    assert_eq!(bbr.window(), 10_000);
}

#[test]
fn a_round_counts_what_arrived_what_was_lost_and_whether_the_sender_was_busy() {
    let mut bbr = model();
    bbr.round.is_open = true;
    bbr.round.start = u32::MAX / 4;
    let news = Ack {
        now: Instant::from_micros(1_000),
        delivered: 3_000,
        lost: 2_000,
        app_limited: true,
        newest_sent: Some(0),
        ..ack(0)
    };
    bbr.on_ack(&news);
    bbr.on_ack(&Ack {
        app_limited: false,
        ..news
    });
    assert_eq!((bbr.round.delivered, bbr.round.lost), (6_000, 4_000));
    assert!(bbr.round.app_limited, "for a part of it");
    assert_eq!(bbr.rounds, 0);
}
