//! The state machine on a path made of a pipe and a queue.

use std::collections::VecDeque;

use super::*;
use crate::rand::{Random, Seed};
use crate::tcp::congestion::tests::ack;
use crate::time::Instant;

mod bounds;
mod model;

const MSS: u32 = 1_000;

/// A bottleneck, a delay, and a sender with a backlog that obeys window and pacing.
struct Path {
    bbr: Bbr,
    now: u64,
    /// Bytes per second.
    rate: u64,
    /// In microseconds.
    rtt: u64,
    /// One in so many segments is lost; 0 for none.
    loss_every: u64,
    /// One in so many on average, by chance; 0 for none.
    loss_chance: u32,
    random: Random,
    /// When each segment is acknowledged, when it was sent, and whether it is lost, in microseconds.
    flight: VecDeque<(u64, u64, bool)>,
    free_at: u64,
    next_send: u64,
    sent: u64,
    delivered: u64,
}

impl Path {
    fn new(rate: u64, rtt: u64) -> Self {
        Self {
            bbr: Bbr::new(MSS),
            now: 1_000_000,
            rate,
            rtt,
            loss_every: 0,
            loss_chance: 0,
            random: Random::new(Seed::from(1)),
            flight: VecDeque::new(),
            free_at: 0,
            next_send: 1_000_000,
            sent: 0,
            delivered: 0,
        }
    }

    fn bdp(&self) -> u32 {
        (self.rate * self.rtt / 1_000_000) as u32
    }

    fn in_flight(&self) -> u32 {
        self.flight.len() as u32 * MSS
    }

    /// Runs for that many seconds; the bytes that arrived.
    fn run(&mut self, seconds: f64) -> u64 {
        let end = self.now + (seconds * 1e6) as u64;
        let before = self.delivered;
        while self.now < end {
            let can_send = self.in_flight() + MSS <= self.bbr.window();
            let arrival = self.flight.front().map_or(u64::MAX, |segment| segment.0);
            let departure = if can_send {
                self.next_send.max(self.now)
            } else {
                u64::MAX
            };
            if departure <= arrival {
                self.now = departure;
                self.send();
            } else {
                self.now = arrival;
                self.arrive();
            }
        }
        self.delivered - before
    }

    fn send(&mut self) {
        self.free_at = self.free_at.max(self.now) + u64::from(MSS) * 1_000_000 / self.rate;
        self.sent += 1;
        let lost = self.loss_every > 0 && self.sent.is_multiple_of(self.loss_every)
            || self.loss_chance > 0 && self.random.below(self.loss_chance) == 0;
        self.flight
            .push_back((self.free_at + self.rtt, self.now, lost));
        let rate = self.bbr.pacing_rate(Some(self.rtt as u32)).unwrap();
        self.next_send = self.now + u64::from(rate.time_for(MSS));
    }

    fn arrive(&mut self) {
        let (_, sent, lost) = self.flight.pop_front().unwrap();
        let arrived = if lost { 0 } else { MSS };
        self.delivered += u64::from(arrived);
        let in_flight = self.in_flight();
        self.bbr.on_ack(&Ack {
            now: Instant::from_micros(self.now),
            delivered: arrived,
            lost: MSS - arrived,
            in_flight,
            rtt: (!lost).then_some((self.now - sent) as u32),
            newest_sent: (!lost).then_some(sent as u32),
            window_limited: in_flight + 2 * MSS >= self.bbr.window(),
            ..ack(arrived)
        });
    }

    /// Runs until it is in that state, at most for so many seconds.
    fn run_until(&mut self, state: State, seconds: u32) {
        for _ in 0..seconds * 1_000 {
            if self.bbr.state == state {
                return;
            }
            self.run(0.001);
        }
        panic!("no {state:?}, but {:?}", self.bbr);
    }
}

/// 10 Mbyte/s and 40 ms: 400 segments fit.
fn path() -> Path {
    Path::new(10_000_000, 40_000)
}

#[test]
fn startup_finds_the_bandwidth_and_drain_empties_the_queue() {
    let mut path = path();
    path.run_until(State::Drain, 2);
    let bw = u64::from(path.bbr.max_bw());
    assert!((9_500_000..10_500_000).contains(&bw), "{bw}");
    path.run_until(State::Cruise, 2);
    assert!(path.in_flight() <= path.bdp());
}

#[test]
fn the_window_is_twice_what_fits_and_the_link_is_full() {
    let mut path = path();
    path.run(2.0);
    let arrived = path.run(8.0);
    assert!(arrived > 8 * 10_000_000 * 95 / 100, "{arrived}");
    let (window, bdp) = (path.bbr.window(), path.bdp());
    assert!((2 * bdp - bdp / 5..3 * bdp).contains(&window), "{window}");
}

#[test]
fn a_cycle_goes_from_down_to_cruise_to_refill_to_up() {
    let mut path = path();
    for state in [
        State::Down,
        State::Cruise,
        State::Refill,
        State::Up,
        State::Down,
    ] {
        path.run_until(state, 10);
    }
}

#[test]
fn the_pace_is_that_of_the_state() {
    let mut path = path();
    path.run(3.0);
    let mut share = |state| {
        path.run_until(state, 10);
        let bw = u64::from(path.bbr.bw());
        let rate = path.bbr.pacing_rate(Some(40_000)).unwrap();
        (rate, bw)
    };
    for (state, percent) in [
        (State::Cruise, 100),
        (State::Refill, 100),
        (State::Up, 125),
        (State::Down, 90),
    ] {
        let (rate, bw) = share(state);
        let expected = Rate::new(bw * percent * 99 / 10_000, 1_000_000);
        assert_eq!(rate, expected, "{state:?}");
    }
}

#[test]
fn half_the_bandwidth_is_noticed_within_two_cycles() {
    let mut path = path();
    path.run(4.0);
    path.rate = 5_000_000;
    path.run(10.0);
    let bw = path.bbr.bw();
    assert!(bw < 5_500_000, "{bw}");
}

#[test]
fn more_bandwidth_is_found_within_a_few_cycles() {
    let mut path = path();
    path.run(4.0);
    path.rate = 20_000_000;
    path.run(12.0);
    let bw = path.bbr.bw();
    assert!(bw > 18_000_000, "{bw}");
}

#[test]
fn one_loss_in_a_hundred_costs_next_to_nothing() {
    let mut path = path();
    path.loss_every = 101;
    path.run(3.0);
    let arrived = path.run(10.0);
    assert!(arrived > 10 * 10_000_000 * 9 / 10, "{arrived}");
}

#[test]
fn losses_by_chance_are_not_taken_for_a_full_queue() {
    for seed in 1..6 {
        // A hundred segments fit: every fourth round loses more than two of them.
        let mut path = Path::new(2_500_000, 40_000);
        path.random = Random::new(Seed::from(seed));
        path.loss_chance = 67;
        path.run(3.0);
        let arrived = path.run(20.0);
        assert!(arrived > 20 * 2_500_000 * 8 / 10, "{arrived}");
    }
}

#[test]
fn a_round_is_lossy_where_neither_two_in_a_hundred_nor_chance_explain_it() {
    let bbr = Bbr::new(MSS);
    let is_lossy = |lost, sent: u32| {
        bbr.is_lossy(&Round {
            delivered: (sent - lost) * MSS,
            lost: lost * MSS,
            ..Round::default()
        })
    };
    for (sent, most) in [(10, 1), (100, 4), (1_000, 28), (10_000, 228)] {
        assert!(!is_lossy(most, sent) && is_lossy(most + 1, sent), "{sent}");
    }
    assert!(!is_lossy(0, 0) && !is_lossy(0, 1_000));
}

#[test]
fn one_loss_in_twenty_is_a_sign_of_congestion() {
    let mut path = path();
    path.run(3.0);
    path.loss_every = 20;
    path.run(3.0);
    assert!(path.bbr.inflight_longterm != UNKNOWN || path.bbr.bw_shortterm != UNKNOWN);
}

/// draft-ietf-ccwg-bbr, section 5.3.4.4.
#[test]
fn what_losses_showed_of_the_window_of_a_probe_for_the_round_trip_ends_with_it() {
    let mut path = path();
    path.run(3.0);
    path.rtt = 60_000;
    path.run_until(State::ProbeRtt, 6);
    path.bbr.learn(&Sample {
        bw: 100_000,
        delivered: 10_000,
        lost: 2_000,
        is_lossy: true,
        app_limited: false,
    });
    assert_ne!(path.bbr.inflight_shortterm, UNKNOWN);
    path.run_until(State::Cruise, 2);
    assert_eq!(path.bbr.inflight_shortterm, UNKNOWN);
    assert_eq!(path.bbr.bw_shortterm, UNKNOWN);
}

#[test]
fn many_losses_end_startup() {
    let mut path = path();
    path.loss_every = 10;
    path.run_until(State::Drain, 1);
    assert!(path.bbr.full_bw_reached);
    assert_ne!(path.bbr.inflight_longterm, UNKNOWN);
}

#[test]
fn a_round_trip_that_is_not_seen_again_for_five_seconds_is_looked_for() {
    let mut path = path();
    path.run(3.0);
    // A longer way, which a queue could be as well.
    path.rtt = 60_000;
    path.run_until(State::ProbeRtt, 6);
    let entered = path.now;
    path.run(0.15);
    assert!(
        path.in_flight() <= path.bdp() * 6 / 10,
        "{}",
        path.in_flight()
    );
    path.run_until(State::Cruise, 1);
    assert!(path.now - entered >= 200_000);
    path.run(12.0);
    assert_eq!(path.bbr.min_rtt / 1_000, 60);
}

#[test]
fn a_sender_with_little_to_say_does_not_lower_the_bandwidth() {
    let mut path = path();
    path.run(4.0);
    let before = path.bbr.max_bw();
    let mut now = path.now;
    for _ in 0..100 {
        now += 40_000;
        path.bbr.on_ack(&Ack {
            now: Instant::from_micros(now),
            newest_sent: Some((now - 40_000) as u32),
            rtt: Some(40_000),
            app_limited: true,
            window_limited: false,
            in_flight: 0,
            ..ack(MSS)
        });
    }
    assert!(path.bbr.max_bw() >= before / 10 * 9, "{:?}", path.bbr);
}

#[test]
fn a_timeout_leaves_one_segment_and_the_window_returns_with_what_was_lost() {
    let mut path = path();
    path.run(3.0);
    let before = path.bbr.window();
    path.bbr.on_timeout(true);
    assert_eq!(path.bbr.window(), MSS);
    path.bbr.on_timeout(false);
    path.bbr.on_recovered();
    assert!(path.bbr.window().abs_diff(before) < MSS);
}

#[test]
fn a_spurious_timeout_is_taken_back() {
    let mut path = path();
    path.run(3.0);
    let before = path.bbr.window();
    path.bbr.on_timeout(true);
    path.bbr.on_spurious();
    assert!(path.bbr.window() >= before);
    assert_eq!(path.bbr.bw_shortterm, UNKNOWN);
}

#[test]
fn before_anything_is_known_the_initial_window_is_paced_over_a_round_trip() {
    let bbr = Bbr::new(MSS);
    assert_eq!(bbr.pacing_rate(None), None);
    let rate = bbr.pacing_rate(Some(100_000)).unwrap();
    assert_eq!(rate, Rate::new(100_000 * 277 * 99 / 10_000, 1_000_000));
}
