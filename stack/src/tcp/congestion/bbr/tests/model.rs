//! What the model learns from rounds, and what its states make of that.

use super::*;

/// A path of 1 MB/s and 100 ms, on which 100,000 bytes fit.
pub(super) fn model() -> Bbr {
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

pub(super) fn in_state(state: State) -> Bbr {
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

/// The clock of rounds goes around in 71 minutes: what comes before half of that has passed is not older than what
/// came after.
#[test]
fn a_round_ends_after_any_silence() {
    let minute = 60 * SECOND as u32;
    for minutes in [1, 35, 36, 60, 71] {
        let mut bbr = model();
        bbr.end_round(200_000, &acked(100_000)).unwrap();
        bbr.round.delivered = 10_000;
        let sent = minutes * minute;
        let sample = bbr.end_round(sent + 100_000, &acked(sent));
        assert!(sample.is_some(), "{minutes}");
        assert_eq!(bbr.round.start, sent + 100_000);
    }
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
fn a_round_counts_what_arrived_what_was_lost_and_whether_the_sender_was_busy() {
    let mut bbr = model();
    bbr.round.is_open = true;
    bbr.round.start = 500;
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
