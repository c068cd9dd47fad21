//! What chance does to frames: how often, and the same again from the same seed.

use std::collections::BTreeSet;

use cygnet_driver::{Duration, Instant};
use cygnet_link::{BurstLoss, Counters, Impairments, Link, Network, percent, ppm};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::support::{VirtualClock, drain, drain_timed, ethernet};

/// What a run left behind: the frames in the order of their arrival, and the sender's counters.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    frames: Vec<(Instant, Vec<u8>)>,
    counters: Counters,
}

impl Run {
    /// Sends `count` frames, 100 µs apart, each with its number in its first four bytes.
    fn new(impairments: Impairments, count: u32) -> Self {
        let clock = VirtualClock::default();
        let mut link = Box::new(Link::<NoopRawMutex, 1024, 64>::new());
        let [mut left, mut right] = link.split(&clock, ethernet());
        let control = left.control();
        control.set_impairments(0, impairments);
        let mut frames = Vec::new();
        for n in 0..count {
            let now = Instant::from_micros(u64::from(n) * 100);
            clock.set(now);
            frames.extend(drain(&mut right).into_iter().map(|frame| (now, frame)));
            assert!(left.try_send(&frame(n)));
        }
        frames.extend(drain_timed(&mut right, &clock));
        assert_eq!(control.free_frames(), 1024);
        let run = Self {
            frames,
            counters: control.counters(0),
        };
        run.assert_every_frame_is_accounted_for();
        run
    }

    fn assert_every_frame_is_accounted_for(&self) {
        let c = self.counters;
        assert_eq!(
            c.sent + c.duplicated,
            c.delivered + c.lost + c.queue_drops + c.link_drops
        );
        assert_eq!(c.delivered, self.frames.len() as u64);
    }

    fn numbers(&self) -> Vec<u32> {
        let number = |frame: &[u8]| u32::from_be_bytes(frame[..4].try_into().unwrap());
        self.frames.iter().map(|(_, frame)| number(frame)).collect()
    }
}

fn frame(n: u32) -> Vec<u8> {
    [&n.to_be_bytes()[..], &[0xa5; 16]].concat()
}

/// Within a fifth of what is expected: some ten standard deviations for the counts used here.
fn assert_near(count: u64, expected: u64) {
    assert!(
        count * 5 > expected * 4 && count * 5 < expected * 6,
        "{count} is not near {expected}"
    );
}

fn everything() -> Impairments {
    Impairments::new()
        .seed(42)
        .loss(percent(5))
        .burst_loss(BurstLoss {
            enter: percent(1),
            leave: percent(20),
            loss: percent(60),
        })
        .corruption(percent(3))
        .duplication(percent(4))
        .reordering(percent(6), Duration::from_millis(1))
        .delay(Duration::from_millis(7))
        .jitter(Duration::from_millis(2))
        .bandwidth(8_000_000)
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = Run::new(everything(), 5_000);
    assert_eq!(run, Run::new(everything(), 5_000));
    assert_ne!(run, Run::new(everything().seed(43), 5_000));
}

#[test]
fn a_run_is_what_it_was_when_this_test_was_written() {
    let Counters {
        sent,
        delivered,
        lost,
        duplicated,
        reordered,
        corrupted,
        ..
    } = Run::new(everything(), 5_000).counters;
    assert_eq!(
        [sent, delivered, lost, duplicated, reordered, corrupted],
        [5_000, 4_790, 387, 177, 286, 128]
    );
}

#[test]
fn the_directions_of_a_link_differ_with_the_same_seed() {
    let clock = VirtualClock::default();
    let mut link = Box::new(Link::<NoopRawMutex, 256, 64>::new());
    let impairments = Impairments::new().seed(1).loss(percent(50));
    let [mut left, mut right] = link.split(&clock, ethernet().map(|c| c.impairments(impairments)));
    for n in 0..100 {
        assert!(left.try_send(&[n]) && right.try_send(&[n]));
    }
    assert_ne!(drain(&mut left), drain(&mut right));
}

#[test]
fn loss_is_as_frequent_as_configured() {
    let run = Run::new(Impairments::new().seed(1).loss(percent(10)), 20_000);
    assert_near(run.counters.lost, 2_000);
    let run = Run::new(Impairments::new().seed(1).loss(ppm(10_000)), 50_000);
    assert_near(run.counters.lost, 500);
    let run = Run::new(Impairments::new().loss(percent(100)), 100);
    assert_eq!((run.counters.lost, run.frames.len()), (100, 0));
}

#[test]
fn losses_in_bursts_come_in_bursts() {
    let model = BurstLoss {
        enter: percent(1),
        leave: percent(10),
        loss: percent(100),
    };
    let run = Run::new(Impairments::new().seed(1).burst_loss(model), 50_000);
    // In the long run 1/11 of the frames are in a bad spell, and a spell lasts ten frames.
    assert_near(run.counters.lost, 4_545);
    let bursts = run.numbers().windows(2).filter(|n| n[1] > n[0] + 1).count() as u64;
    assert_near(run.counters.lost / bursts, 10);
}

#[test]
fn a_corrupted_frame_differs_in_one_bit() {
    let run = Run::new(Impairments::new().seed(1).corruption(percent(10)), 20_000);
    assert_near(run.counters.corrupted, 2_000);
    let mut places = BTreeSet::new();
    let mut corrupted = 0;
    for (n, (_, received)) in run.frames.iter().enumerate() {
        let sent = frame(n as u32);
        let differences: Vec<(usize, u8)> = (0..sent.len())
            .map(|at| (at, sent[at] ^ received[at]))
            .filter(|(_, bits)| *bits != 0)
            .collect();
        if let [(at, bits)] = differences[..] {
            assert_eq!(bits.count_ones(), 1);
            corrupted += 1;
            places.insert(at * 8 + bits.trailing_zeros() as usize);
        } else {
            assert!(differences.is_empty());
        }
    }
    assert_eq!(corrupted, run.counters.corrupted);
    assert_eq!(places.len(), 20 * 8, "every bit is hit in the end");
}

#[test]
fn a_duplicate_follows_its_original() {
    let run = Run::new(Impairments::new().seed(1).duplication(percent(10)), 20_000);
    assert_near(run.counters.duplicated, 2_000);
    let numbers = run.numbers();
    assert!(numbers.is_sorted());
    let twins = numbers.windows(2).filter(|n| n[0] == n[1]).count() as u64;
    assert_eq!(twins, run.counters.duplicated);
}

#[test]
fn duplicates_never_overflow_the_network() {
    let clock = VirtualClock::default();
    let mut link = Box::new(Link::<NoopRawMutex, 4, 64>::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    let control = left.control();
    control.set_impairments(0, Impairments::new().duplication(percent(100)));
    for n in 0..4 {
        assert!(left.try_send(&[n]));
    }
    assert_eq!(drain(&mut right).concat(), [0, 0, 1, 1, 2, 2, 3, 3]);
    assert_eq!(control.free_frames(), 4);
}

#[test]
fn with_jitter_a_duplicate_may_come_later() {
    let impairments = Impairments::new()
        .seed(3)
        .duplication(percent(20))
        .jitter(Duration::from_millis(1));
    let run = Run::new(impairments, 2_000);
    let numbers = run.numbers();
    let late = numbers.windows(2).filter(|n| n[1] < n[0]).count();
    assert!(late > 0);
    assert!(run.frames.is_sorted_by_key(|(at, _)| *at));
}

#[test]
fn a_corrupted_duplicate_is_corrupted_alike() {
    let impairments = Impairments::new()
        .seed(1)
        .duplication(percent(100))
        .corruption(percent(100));
    let run = Run::new(impairments, 100);
    assert!(run.frames.chunks(2).all(|twins| twins[0].1 == twins[1].1));
}

#[test]
fn a_frame_held_back_is_overtaken() {
    let impairments = Impairments::new()
        .seed(1)
        .delay(Duration::from_millis(5))
        .reordering(percent(10), Duration::from_micros(250));
    let run = Run::new(impairments, 20_000);
    assert_near(run.counters.reordered, 2_000);
    // Sent 100 µs apart and held back by 250 µs, a frame lets two pass, or one if the next is held back too.
    let numbers = run.numbers();
    let overtaken = numbers.windows(2).filter(|n| n[1] < n[0]).count() as u64;
    assert_near(overtaken, 2_000);
    for (place, n) in numbers.iter().enumerate() {
        assert!((*n as usize).abs_diff(place) <= 2);
    }
}

#[test]
fn loss_alone_does_not_read_the_clock() {
    let clock = VirtualClock::default();
    let mut link = Box::new(Link::<NoopRawMutex, 256, 64>::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    left.control()
        .set_impairments(0, Impairments::new().loss(percent(50)));
    for n in 0..100 {
        assert!(left.try_send(&[n]));
    }
    assert!((20..80).contains(&drain(&mut right).len()));
    assert_eq!(clock.reads.get(), 0);
}

#[test]
fn all_receivers_of_a_hub_see_the_same_impairment() {
    let clock = VirtualClock::default();
    let mut hub = Box::new(Network::<NoopRawMutex, 3, 64, 64>::new());
    let [mut a, mut b, mut c] = hub.split(&clock, ethernet());
    let impairments = Impairments::new()
        .seed(9)
        .loss(percent(30))
        .corruption(percent(30))
        .duplication(percent(30));
    a.control().set_impairments(0, impairments);
    for n in 0..50 {
        assert!(a.try_send(&frame(n)));
    }
    let seen = drain(&mut b);
    assert!(seen.len() > 20);
    assert_eq!(seen, drain(&mut c));
    assert_eq!(a.control().free_frames(), 64);
}
