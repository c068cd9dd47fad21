//! Delay, jitter, bandwidth and queue limit, to the microsecond.

use std::task::{Context, Waker};

use cygnet_driver::{Driver, Duration, Instant, TxToken};
use cygnet_link::{Impairments, Link, QueueLimit, WhenFull, percent};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::support::{CountingWaker, VirtualClock, drain, drain_timed, ethernet, micros};

type TestLink<'d> = Link<'d, NoopRawMutex, 64, 1514>;

const TEN_MEGABIT: u64 = 10_000_000;

/// What arrives, and when, of `frames` sent at time zero from a port with those impairments.
fn arrivals(impairments: Impairments, frames: &[&[u8]]) -> Vec<(u64, Vec<u8>)> {
    let clock = VirtualClock::default();
    let mut link = Box::new(TestLink::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    left.control().set_impairments(0, impairments);
    for frame in frames {
        assert!(left.try_send(frame));
    }
    drain_timed(&mut right, &clock)
        .into_iter()
        .map(|(at, frame)| (at.as_micros(), frame))
        .collect()
}

#[test]
fn a_delayed_frame_arrives_on_time_and_not_before() {
    let clock = VirtualClock::default();
    let mut link = Box::new(TestLink::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    let delay = Duration::from_millis(50);
    left.control()
        .set_impairments(0, Impairments::new().delay(delay));
    let (woken, waker) = CountingWaker::new();
    let mut cx = Context::from_waker(&waker);
    assert!(right.receive(&mut cx).is_none());

    clock.advance(Duration::from_millis(3));
    assert!(left.try_send(b"slow"));
    assert_eq!(woken.count(), 1, "to look when the frame is due");
    assert!(right.receive(&mut cx).is_none());
    assert_eq!(clock.next_alarm(), Some(Instant::from_millis(53)));

    clock.set(micros(52_999));
    assert!(right.receive(&mut cx).is_none());
    clock.set(micros(53_000));
    assert!(woken.count() > 1, "by the clock");
    assert!(right.receive(&mut cx).is_some());
}

#[test]
fn the_other_direction_is_not_delayed() {
    let clock = VirtualClock::default();
    let mut link = Box::new(TestLink::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    let delay = Duration::from_millis(50);
    left.control()
        .set_impairments(0, Impairments::new().delay(delay));
    assert!(right.try_send(b"fast"));
    assert_eq!(drain(&mut left), [b"fast"]);
}

#[test]
fn bandwidth_spaces_frames_by_their_length() {
    let frame = [0; 1250];
    let got = arrivals(
        Impairments::new().bandwidth(TEN_MEGABIT),
        &[&frame, &frame, &frame[..125]],
    );
    let times: Vec<u64> = got.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [1_000, 2_000, 2_100]);
}

#[test]
fn delay_comes_on_top_of_bandwidth() {
    let frame = [0; 1250];
    let impairments = Impairments::new()
        .bandwidth(TEN_MEGABIT)
        .delay(Duration::from_millis(20));
    let times: Vec<u64> = arrivals(impairments, &[&frame, &frame])
        .iter()
        .map(|a| a.0)
        .collect();
    assert_eq!(times, [21_000, 22_000]);
}

#[test]
fn jitter_varies_the_delay_within_its_bounds_and_keeps_the_order() {
    let frames: Vec<[u8; 1]> = (0..60).map(|n| [n]).collect();
    let frames: Vec<&[u8]> = frames.iter().map(|frame| &frame[..]).collect();
    let impairments = Impairments::new()
        .seed(5)
        .delay(Duration::from_millis(10))
        .jitter(Duration::from_millis(4));
    let clock = VirtualClock::default();
    let mut link = Box::new(TestLink::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    left.control().set_impairments(0, impairments);
    let mut latencies = Vec::new();
    for frame in &frames {
        let sent = latencies.len() as u64 * 1_000_000;
        clock.set(micros(sent));
        assert!(left.try_send(frame));
        let got = drain_timed(&mut right, &clock);
        latencies.push(got[0].0.as_micros() - sent);
    }
    assert!(latencies.iter().all(|us| (10_000..=14_000).contains(us)));
    assert!(latencies.iter().any(|us| *us < 11_000) && latencies.iter().any(|us| *us > 13_000));

    let got = arrivals(impairments, &frames);
    assert!(got.iter().map(|(_, frame)| &frame[..]).eq(frames));
}

#[test]
fn a_full_queue_drops_the_last_frame() {
    let clock = VirtualClock::default();
    let mut link = Box::new(TestLink::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    let control = left.control();
    control.set_impairments(
        0,
        Impairments::new()
            .bandwidth(TEN_MEGABIT)
            .queue_limit(QueueLimit::Frames(2)),
    );
    for n in 0..5 {
        assert!(left.try_send(&[n; 1250]));
    }
    assert_eq!(control.counters(0).queue_drops, 3);
    assert_eq!(control.free_frames(), 62);

    clock.set(micros(1_000)); // the first is out, so there is room for one
    assert!(left.try_send(&[5; 1250]) && left.try_send(&[6; 1250]));
    assert_eq!(control.counters(0).queue_drops, 4);
    let got: Vec<_> = drain_timed(&mut right, &clock)
        .into_iter()
        .map(|(at, frame)| (at.as_micros(), frame[0]))
        .collect();
    assert_eq!(got, [(1_000, 0), (2_000, 1), (3_000, 5)]);
}

#[test]
fn a_queue_limited_in_bytes_takes_small_frames_longer() {
    let clock = VirtualClock::default();
    let mut link = Box::new(TestLink::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    let control = left.control();
    control.set_impairments(
        0,
        Impairments::new()
            .bandwidth(TEN_MEGABIT)
            .queue_limit(QueueLimit::Bytes(3_000)),
    );
    for len in [1250, 1250, 1250, 500, 1] {
        assert!(left.try_send(&vec![0; len]));
    }
    assert_eq!(control.counters(0).queue_drops, 2);
    let lengths: Vec<usize> = drain_timed(&mut right, &clock)
        .iter()
        .map(|a| a.1.len())
        .collect();
    assert_eq!(lengths, [1250, 1250, 500]);
}

#[test]
fn a_blocking_queue_drops_nothing_and_wakes_the_sender() {
    let clock = VirtualClock::default();
    let mut link = Box::new(TestLink::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    let control = left.control();
    control.set_impairments(
        0,
        Impairments::new()
            .bandwidth(TEN_MEGABIT)
            .queue_limit(QueueLimit::Frames(2))
            .when_full(WhenFull::Block),
    );
    assert!(left.try_send(&[0; 1250]) && left.try_send(&[1; 1250]));
    let (woken, waker) = CountingWaker::new();
    let mut cx = Context::from_waker(&waker);
    assert!(left.transmit(&mut cx).is_none());
    assert_eq!(clock.next_alarm(), Some(micros(1_000)));

    clock.set(micros(1_000));
    assert_eq!(woken.count(), 1);
    left.transmit(&mut cx)
        .expect("room again")
        .consume(1250, |frame| frame.fill(2));
    assert_eq!(control.counters(0).queue_drops, 0);
    assert_eq!(
        drain_timed(&mut right, &clock).last().map(|a| a.0),
        Some(micros(3_000))
    );
}

#[test]
fn a_blocked_direction_gives_no_answer_token_but_receives() {
    let clock = VirtualClock::default();
    let mut link = Box::new(TestLink::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    let slow = Impairments::new()
        .bandwidth(TEN_MEGABIT)
        .queue_limit(QueueLimit::Frames(1))
        .when_full(WhenFull::Block);
    left.control().set_impairments(0, slow);
    assert!(left.try_send(&[0; 1250]));
    assert!(right.try_send(b"to the busy one"));
    let mut cx = Context::from_waker(Waker::noop());
    let (_, answer) = left.receive(&mut cx).expect("a frame");
    assert!(answer.is_none());
}

#[test]
fn lifting_the_impairments_wakes_a_blocked_sender() {
    let clock = VirtualClock::default();
    let mut link = Box::new(TestLink::new());
    let [mut left, _right] = link.split(&clock, ethernet());
    let control = left.control();
    let slow = Impairments::new()
        .bandwidth(1)
        .queue_limit(QueueLimit::Bytes(1))
        .when_full(WhenFull::Block);
    control.set_impairments(0, slow);
    assert!(left.try_send(b"frame"));
    let (woken, waker) = CountingWaker::new();
    assert!(left.transmit(&mut Context::from_waker(&waker)).is_none());
    control.set_impairments(0, Impairments::new());
    assert_eq!(woken.count(), 1);
    assert!(left.try_send(b"at once"));
}

#[test]
fn a_lost_frame_has_used_its_bandwidth() {
    let clock = VirtualClock::default();
    let mut link = Box::new(TestLink::new());
    let [mut left, mut right] = link.split(&clock, ethernet());
    let control = left.control();
    let impairments = Impairments::new()
        .seed(1)
        .bandwidth(TEN_MEGABIT)
        .loss(percent(50));
    control.set_impairments(0, impairments);
    for n in 0..20 {
        assert!(left.try_send(&[n; 1250]));
    }
    let got = drain_timed(&mut right, &clock);
    assert!((1..20).contains(&got.len()));
    for (at, frame) in got {
        assert_eq!(at, Instant::from_millis(u64::from(frame[0]) + 1));
    }
}
