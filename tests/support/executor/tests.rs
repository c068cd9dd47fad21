use std::cell::RefCell;
use std::future::{pending, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use super::*;

#[test]
fn time_moves_to_the_next_alarm_and_no_further() {
    let executor = Executor::new(1);
    let slow = executor.spawn({
        let executor = executor.clone();
        async move { executor.sleep(Duration::from_secs(3600)).await }
    });
    executor.run_for(Duration::from_millis(5));
    assert_eq!(executor.now(), Instant::from_millis(5));
    executor.block_on(slow);
    assert_eq!(executor.now(), Instant::from_secs(3600));
}

#[test]
fn an_earlier_alarm_of_the_same_task_counts() {
    let executor = Executor::new(1);
    let clock = executor.clock();
    let woken_at = executor.block_on(poll_fn(|cx| {
        if clock.now() > Instant::ZERO {
            return Poll::Ready(clock.now());
        }
        clock.wake_at(Instant::from_secs(2), cx.waker());
        clock.wake_at(Instant::from_secs(1), cx.waker());
        clock.wake_at(Instant::from_secs(3), cx.waker());
        Poll::Pending
    }));
    assert_eq!(woken_at, Instant::from_secs(1));
}

#[test]
fn the_order_of_tasks_comes_from_the_seed() {
    fn order(seed: u64) -> Vec<usize> {
        let executor = Executor::new(seed);
        let order = Rc::new(RefCell::new(Vec::new()));
        for n in 0..10 {
            let order = order.clone();
            drop(executor.spawn(async move { order.borrow_mut().push(n) }));
        }
        executor.run_for(Duration::from_secs(1));
        order.take()
    }
    assert_eq!(order(7), order(7));
    assert!((0..10).any(|seed| order(seed) != order(7)));
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_deadlock_is_found() {
    Executor::new(1).block_on(pending::<()>());
}

#[test]
#[should_panic(expected = "busy polling")]
fn busy_polling_is_found() {
    Executor::new(1).block_on(poll_fn::<(), _>(|cx| {
        cx.waker().wake_by_ref();
        Poll::Pending
    }));
}

#[test]
#[should_panic(expected = "not done by")]
fn a_simulation_without_end_is_found() {
    let executor = Executor::new(1);
    executor.set_time_limit(Instant::from_secs(60));
    executor.block_on(async {
        loop {
            executor.sleep(Duration::from_secs(1)).await;
        }
    });
}

#[test]
fn a_cancelled_task_is_dropped() {
    let executor = Executor::new(1);
    let held = Rc::new(());
    let task = executor.spawn({
        let held = held.clone();
        async move {
            pending::<()>().await;
            drop(held);
        }
    });
    executor.run_for(Duration::from_secs(1));
    assert_eq!((task.polls(), Rc::strong_count(&held)), (1, 2));
    task.cancel();
    assert_eq!(Rc::strong_count(&held), 1);
}
