//! Buffers run out and come back, and whoever waits is woken.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use cygnet_driver::{Driver, RxToken, TxToken};
use cygnet_link::{Link, Network};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::support::{CountingWaker, VirtualClock, drain, ethernet};

#[test]
fn a_frame_wakes_the_receiver_once() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 8, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());
    let (woken, waker) = CountingWaker::new();
    assert!(right.receive(&mut Context::from_waker(&waker)).is_none());

    assert!(left.try_send(b"one"));
    assert_eq!(woken.count(), 1);
    assert!(left.try_send(b"two"));
    assert_eq!(woken.count(), 1, "it has not asked again");
    assert_eq!(drain(&mut right).len(), 2);
}

#[test]
fn a_receiver_that_finds_a_frame_is_not_woken() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 8, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());
    let (woken, waker) = CountingWaker::new();
    assert!(left.try_send(b"one"));
    assert!(right.receive(&mut Context::from_waker(&waker)).is_some());
    assert!(left.try_send(b"two"));
    assert_eq!(woken.count(), 0);
}

#[test]
fn an_empty_pool_blocks_all_senders_until_a_frame_is_consumed() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 2, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());
    assert!(left.try_send(b"one") && left.try_send(b"two"));
    let (left_woken, left_waker) = CountingWaker::new();
    assert!(
        left.transmit(&mut Context::from_waker(&left_waker))
            .is_none()
    );

    let (right_woken, right_waker) = CountingWaker::new();
    let mut cx = Context::from_waker(&right_waker);
    assert!(right.transmit(&mut cx).is_none());
    let (token, answer) = right
        .receive(&mut cx)
        .expect("a full pool does not stall reception");
    assert!(answer.is_none());
    drop(answer);
    assert_eq!((left_woken.count(), right_woken.count()), (0, 0));
    token.consume(|_| ());

    assert_eq!((left_woken.count(), right_woken.count()), (1, 1));
    assert!(left.try_send(b"three"));
    assert_eq!(drain(&mut right), [b"two".to_vec(), b"three".to_vec()]);
}

#[test]
fn tokens_dropped_unused_give_their_buffers_back() {
    let clock = VirtualClock::default();
    let mut hub = Network::<NoopRawMutex, 3, 4, 64>::new();
    let [mut a, mut b, mut c] = hub.split(&clock, ethernet());
    let control = a.control();
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..100 {
        drop(a.transmit(&mut cx).expect("a free buffer"));
        assert!(a.try_send(b"frame"));
        drop(b.receive(&mut cx).expect("a frame"));
        let (rx, tx) = c.receive(&mut cx).expect("a frame");
        assert_eq!(control.free_frames(), 2, "the frame and the answer");
        drop((rx, tx));
        assert_eq!(control.free_frames(), 4);
    }
}

#[test]
fn a_token_dropped_unused_wakes_who_waits_for_room() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 1, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());
    let mut cx = Context::from_waker(Waker::noop());
    let token = left.transmit(&mut cx).unwrap();
    let (woken, waker) = CountingWaker::new();
    assert!(right.transmit(&mut Context::from_waker(&waker)).is_none());
    drop(token);
    assert_eq!(woken.count(), 1);
    assert!(right.try_send(b"now"));
}

#[test]
fn a_panic_in_the_stack_loses_no_buffer() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 2, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());
    let control = left.control();
    let mut cx = Context::from_waker(Waker::noop());
    let token = left.transmit(&mut cx).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        token.consume(10, |_| panic!("on purpose"))
    }));
    assert!(panicked.is_err());
    assert_eq!(control.free_frames(), 2);

    assert!(left.try_send(b"frame"));
    let (token, _) = right.receive(&mut cx).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| token.consume(|_| panic!("on purpose"))));
    assert!(panicked.is_err());
    assert_eq!(control.free_frames(), 2);
}

#[test]
fn a_frame_longer_than_a_buffer_is_cut_and_panics_nobody() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 2, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());
    assert!(!left.try_send(&[1; 65]));
    let mut cx = Context::from_waker(Waker::noop());
    let token = left.transmit(&mut cx).unwrap();
    token.consume(usize::MAX, |frame| frame.fill(7));
    assert_eq!(drain(&mut right), [[7; 64]]);
}

#[test]
fn a_network_without_buffers_has_never_room() {
    let clock = VirtualClock::default();
    let mut link = Link::<NoopRawMutex, 0, 64>::new();
    let [mut left, mut right] = link.split(&clock, ethernet());
    assert!(!left.try_send(b"frame"));
    assert!(drain(&mut right).is_empty());
}
