use super::*;
use cygnet_driver::Duration as Span;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;
use tokio::runtime::{Builder, Runtime};

/// Counts how often it is woken.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Counter {
    fn new() -> (Arc<Self>, Waker) {
        let counter = Arc::new(Self::default());
        let waker = Waker::from(counter.clone());
        (counter, waker)
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A runtime whose time moves only when all tasks sleep.
fn paused() -> Runtime {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

/// Waits until the clock shows `at`, as a runner does.
async fn until(clock: &TokioClock, at: Instant) {
    core::future::poll_fn(|cx| {
        if clock.now() >= at {
            return Poll::Ready(());
        }
        clock.wake_at(at, cx.waker());
        Poll::Pending
    })
    .await;
}

#[test]
fn follows_the_runtimes_time() {
    paused().block_on(async {
        let clock = TokioClock::new();
        assert_eq!(clock.now(), Instant::ZERO);
        pass(250).await;
        assert_eq!(clock.now(), Instant::from_millis(250));
    });
}

#[test]
fn wakes_once_and_not_early() {
    paused().block_on(async {
        let clock = TokioClock::new();
        let (counter, waker) = Counter::new();
        clock.wake_at(Instant::from_millis(100), &waker);
        pass(99).await;
        assert_eq!(counter.count(), 0);
        pass(2).await;
        assert_eq!(counter.count(), 1);
        pass(1_000).await;
        assert_eq!(counter.count(), 1);
    });
}

#[test]
fn an_earlier_time_replaces_a_later_one_and_not_the_reverse() {
    paused().block_on(async {
        let clock = TokioClock::new();
        let (counter, waker) = Counter::new();
        clock.wake_at(Instant::from_millis(100), &waker);
        clock.wake_at(Instant::from_millis(50), &waker);
        clock.wake_at(Instant::from_millis(200), &waker);
        pass(52).await;
        assert_eq!(counter.count(), 1);
        clock.wake_at(Instant::from_millis(200), &waker);
        pass(100).await;
        assert_eq!(counter.count(), 1);
        pass(50).await;
        assert_eq!(counter.count(), 2);
    });
}

#[test]
fn a_time_that_has_passed_wakes_at_once() {
    paused().block_on(async {
        let clock = TokioClock::new();
        let (counter, waker) = Counter::new();
        pass(10).await;
        clock.wake_at(Instant::from_millis(9), &waker);
        assert_eq!(counter.count(), 1);
        clock.wake_at(Instant::from_millis(10), &waker);
        assert_eq!(counter.count(), 2);
    });
}

#[test]
fn a_passed_time_does_not_forget_the_alarm_that_is_set() {
    paused().block_on(async {
        let clock = TokioClock::new();
        let (counter, waker) = Counter::new();
        pass(10).await;
        clock.wake_at(Instant::from_millis(20), &waker);
        clock.wake_at(Instant::from_millis(5), &waker);
        assert_eq!(counter.count(), 1);
        pass(12).await;
        assert_eq!(counter.count(), 2);
    });
}

#[test]
fn each_waker_has_its_own_alarm() {
    paused().block_on(async {
        let clock = TokioClock::new();
        let ((first, a), (second, b)) = (Counter::new(), Counter::new());
        clock.wake_at(Instant::from_millis(10), &a);
        clock.wake_at(Instant::from_millis(30), &b);
        pass(12).await;
        assert_eq!((first.count(), second.count()), (1, 0));
        pass(20).await;
        assert_eq!((first.count(), second.count()), (1, 1));
    });
}

#[test]
fn alarms_that_rang_are_used_again() {
    paused().block_on(async {
        let clock = TokioClock::new();
        for round in 1..=100 {
            let (counter, waker) = Counter::new();
            clock.wake_at(Instant::from_millis(round * 10), &waker);
            pass(10).await;
            pass(1).await;
            assert_eq!(counter.count(), 1);
        }
        assert_eq!(clock.alarms.lock().unwrap().len(), 1);
    });
}

#[test]
fn times_beyond_all_reach_do_not_wake_and_do_not_overflow() {
    paused().block_on(async {
        let clock = TokioClock::new();
        let (counter, waker) = Counter::new();
        clock.wake_at(Instant::FAR_FUTURE, &waker);
        clock.wake_at(Instant::FAR_FUTURE - Span::from_micros(1), &waker);
        pass(1_000_000).await;
        assert_eq!(counter.count(), 0);
    });
}

#[test]
fn a_task_without_budget_is_still_woken() {
    paused().block_on(async {
        let clock = TokioClock::new();
        let at = Instant::from_millis(5);
        let mut asked = false;
        let task = tokio::spawn(core::future::poll_fn(move |cx| {
            if clock.now() >= at {
                return Poll::Ready(());
            }
            if !asked {
                asked = true;
                spend_budget(cx);
                clock.wake_at(at, cx.waker());
            }
            Poll::Pending
        }));
        let hang = Duration::from_secs(1);
        tokio::time::timeout(hang, task).await.unwrap().unwrap();
    });
}

fn spend_budget(cx: &mut Context<'_>) {
    while core::pin::pin!(tokio::task::consume_budget())
        .poll(cx)
        .is_ready()
    {}
}

#[test]
fn serves_tasks_on_several_threads() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .unwrap();
    let clock = Arc::new(TokioClock::new());
    runtime.block_on(async {
        let tasks: Vec<_> = (1..=20)
            .map(|n| {
                let clock = clock.clone();
                tokio::spawn(async move { until(&clock, Instant::from_millis(n)).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert!(clock.now() >= Instant::from_millis(20));
}
