use super::*;
use crate::time::{Duration, Instant};

#[test]
fn the_earliest_is_next_and_the_first_to_be_taken() {
    let mut timers = Timers::new();
    let now = Instant::from_secs(1_000_000);
    assert_eq!(timers.next(now), Instant::FAR_FUTURE);
    timers.set(Timer::User, now + Duration::from_secs(30));
    timers.set(Timer::Retransmit, now + Duration::from_micros(200_001));
    assert_eq!(timers.next(now), now + Duration::from_micros(200_001));
    assert_eq!(timers.take_due(now + Duration::from_micros(200_000)), None);
    assert_eq!(
        timers.take_due(now + Duration::from_micros(200_001)),
        Some(Timer::Retransmit)
    );
    // In milliseconds or ticks.
    let late = timers.next(now).since(now + Duration::from_secs(30));
    assert!(late < Duration::from_micros(1_024), "{late:?}");
}

#[test]
fn long_and_short_timers_live_together_for_days() {
    let mut timers = Timers::new();
    let start = Instant::from_micros(77_777);
    let patience = start + Duration::from_secs(20 * 24 * 3600);
    timers.set(Timer::User, patience);
    let mut now = start;
    while now + Duration::from_secs(60) < patience {
        timers.set(Timer::DelayedAck, now + Duration::from_micros(7));
        timers.set(Timer::Retransmit, now + Duration::from_secs(60));
        assert_eq!(timers.next(now), now + Duration::from_micros(7));
        assert_eq!(timers.take_due(timers.next(now)), Some(Timer::DelayedAck));
        assert_eq!(timers.next(now), now + Duration::from_secs(60));
        timers.stop(Timer::Retransmit);
        now += Duration::from_secs(1_801);
    }
    let late = timers.next(start).since(patience).as_micros();
    assert!(late <= 480_000, "{late}");
}

/// A machine that slept for hours wakes up: what was due then is due now, and no timer that is set now is.
#[test]
fn a_timer_that_is_set_beside_one_long_overdue_is_not_due_itself() {
    let mut timers = Timers::new();
    let then = Instant::from_secs(5_000);
    timers.set(Timer::Retransmit, then);
    timers.set(Timer::User, then + Duration::from_secs(60));
    let now = then + Duration::from_secs(3 * 3_600);
    let later = now + Duration::from_micros(1_234);
    timers.set(Timer::DelayedAck, later);
    assert_eq!(timers.due(Timer::DelayedAck, now), later);
    assert_eq!(timers.take_due(now), Some(Timer::Retransmit));
    assert_eq!(timers.take_due(now), Some(Timer::User));
    assert_eq!(timers.take_due(now), None);
    assert_eq!(timers.take_due(later), Some(Timer::DelayedAck));
}

#[test]
fn an_earlier_time_than_any_before_can_be_set() {
    let mut timers = Timers::new();
    let now = Instant::from_secs(5_000);
    timers.set(Timer::Retransmit, now + Duration::from_secs(60));
    #[cfg(feature = "tcp-keep-alive")]
    timers.set(Timer::KeepAlive, now + Duration::from_secs(7_200));
    timers.set(Timer::DelayedAck, now);
    timers.set(Timer::User, Instant::from_secs(4_999));
    assert!(timers.next(now) <= now);
    assert_eq!(timers.take_due(now), Some(Timer::DelayedAck));
    assert_eq!(timers.take_due(now), Some(Timer::User));
    assert_eq!(timers.next(now), now + Duration::from_secs(60));
}

#[test]
fn nothing_is_due_once_all_are_stopped() {
    let mut timers = Timers::new();
    timers.set(Timer::Retransmit, Instant::from_secs(1));
    timers.set(Timer::User, Instant::from_secs(2));
    timers.stop_all();
    assert_eq!(timers.next(Instant::ZERO), Instant::FAR_FUTURE);
    assert_eq!(timers.take_due(Instant::from_secs(3)), None);
}

/// What is rounded up does not become what says that a timer does not run.
#[test]
fn the_last_time_that_can_be_said_is_a_time() {
    let mut timers = Timers::new();
    timers.start_at(Instant::ZERO);
    let last = Duration::from_micros(u64::from(u32::MAX) * 1_000 - 1);
    timers.set(Timer::User, Instant::ZERO + last);
    assert!(timers.is_set(Timer::User));
}
