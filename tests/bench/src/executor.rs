//! Runs the tasks of an async stack: the plainest executor, polling in turns what was woken.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::stacks::Run;

/// Tasks of one thread. They are polled in the order in which they were spawned.
#[derive(Default)]
pub(crate) struct Tasks {
    tasks: Vec<Task>,
    /// Called once in many turns, as an interrupt of a timer would be.
    ticks: Vec<Box<dyn Fn()>>,
    turns: u32,
}

impl Tasks {
    pub(crate) fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        self.tasks.push(Task {
            future: Box::pin(future),
            waker: woken.clone().into(),
            woken,
        });
    }

    /// Polls each task once that was woken since its last turn.
    pub(crate) fn turn(&mut self) {
        self.turns = self.turns.wrapping_add(1);
        if self.turns.is_multiple_of(TICK) {
            self.ticks.iter().for_each(|tick| tick());
        }
        self.tasks.retain_mut(|task| task.turn().is_pending());
    }

    /// Has `tick` called once in many turns.
    pub(crate) fn tick(&mut self, tick: impl Fn() + 'static) {
        self.ticks.push(Box::new(tick));
    }
}

/// Turns from one tick to the next: some tens of microseconds.
const TICK: u32 = 64;

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    waker: Waker,
    woken: Arc<Woken>,
}

impl Task {
    fn turn(&mut self) -> Poll<()> {
        if !self.woken.take() {
            return Poll::Pending;
        }
        self.future
            .as_mut()
            .poll(&mut Context::from_waker(&self.waker))
    }
}

struct Woken(AtomicBool);

impl Woken {
    fn take(&self) -> bool {
        // No swap, which is dear and what more than one thread would need.
        let woken = self.0.load(Ordering::Acquire);
        if woken {
            self.0.store(false, Ordering::Release);
        }
        woken
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// What the tasks of a run have done, counted by those of them that know.
#[derive(Clone, Default)]
pub(crate) struct Counter(Rc<Cell<u64>>);

impl Counter {
    pub(crate) fn add(&self, n: usize) {
        self.0.set(self.0.get() + n as u64);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.get()
    }
}

/// Bounds how much of something two tasks have under way: the one acquires, the other releases.
#[derive(Clone)]
pub(crate) struct Permits(Rc<PermitsInner>);

struct PermitsInner {
    free: Cell<usize>,
    waiting: Cell<Option<Waker>>,
}

impl Permits {
    pub(crate) fn new(count: usize) -> Self {
        Self(Rc::new(PermitsInner {
            free: Cell::new(count),
            waiting: Cell::new(None),
        }))
    }

    /// Takes a permit, as soon as one is free. Only one task waits at a time.
    pub(crate) async fn acquire(&self) {
        poll_fn(|cx| match self.0.free.get().checked_sub(1) {
            Some(rest) => {
                self.0.free.set(rest);
                Poll::Ready(())
            }
            None => {
                self.0.waiting.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        })
        .await;
    }

    pub(crate) fn release(&self) {
        self.0.free.set(self.0.free.get() + 1);
        if let Some(waker) = self.0.waiting.take() {
            waker.wake();
        }
    }
}

/// Hands what one task gets to whichever of several others has time for it.
pub(crate) struct HandOver<T>(Rc<RefCell<HandOverInner<T>>>);

struct HandOverInner<T> {
    things: VecDeque<T>,
    waiting: VecDeque<Waker>,
}

impl<T> Clone for HandOver<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> HandOver<T> {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(HandOverInner {
            things: VecDeque::new(),
            waiting: VecDeque::new(),
        })))
    }

    pub(crate) fn give(&self, thing: T) {
        let mut inner = self.0.borrow_mut();
        inner.things.push_back(thing);
        if let Some(waker) = inner.waiting.pop_front() {
            waker.wake();
        }
    }

    pub(crate) async fn take(&self) -> T {
        poll_fn(|cx| {
            let mut inner = self.0.borrow_mut();
            let thing = inner.things.pop_front();
            if thing.is_none() {
                inner.waiting.push_back(cx.waker().clone());
            }
            thing.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// A run whose hosts and applications are all tasks.
#[derive(Default)]
pub(crate) struct AsyncRun {
    pub(crate) tasks: Tasks,
    pub(crate) done: Counter,
}

impl Run for AsyncRun {
    fn turn(&mut self) -> u64 {
        self.tasks.turn();
        self.done.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[test]
    fn a_task_is_polled_when_it_was_woken_and_goes_when_it_is_done() {
        let polls = Counter::default();
        let stored = Rc::new(Cell::new(None));
        let mut tasks = Tasks::default();
        let (counter, waker) = (polls.clone(), stored.clone());
        tasks.spawn(poll_fn(move |cx| {
            counter.add(1);
            waker.set(Some(cx.waker().clone()));
            if counter.get() < 3 {
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        }));
        tasks.spawn(pending());

        tasks.turn();
        tasks.turn();
        assert_eq!(polls.get(), 1, "the second turn finds it asleep");

        for expected in [2, 3, 3] {
            stored.take().inspect(Waker::wake_by_ref);
            tasks.turn();
            assert_eq!(polls.get(), expected);
        }
        assert_eq!(tasks.tasks.len(), 1, "the other one waits for ever");
    }

    #[test]
    fn a_permit_is_waited_for_until_it_is_released() {
        let taken = Counter::default();
        let permits = Permits::new(2);
        let mut tasks = Tasks::default();
        let (counter, acquired) = (taken.clone(), permits.clone());
        tasks.spawn(async move {
            loop {
                acquired.acquire().await;
                counter.add(1);
            }
        });
        tasks.turn();
        assert_eq!(taken.get(), 2);
        permits.release();
        tasks.turn();
        assert_eq!(taken.get(), 3);
    }

    #[test]
    fn what_is_handed_over_is_taken_once_by_one_who_has_time() {
        let taken: Rc<RefCell<Vec<_>>> = Rc::default();
        let things = HandOver::new();
        let mut tasks = Tasks::default();
        for name in ['a', 'b'] {
            let (taken, things) = (taken.clone(), things.clone());
            tasks.spawn(async move {
                loop {
                    let thing = things.take().await;
                    taken.borrow_mut().push((name, thing));
                    if thing == 1 {
                        pending::<()>().await;
                    }
                }
            });
        }
        tasks.turn();
        for thing in 1..=3 {
            things.give(thing);
        }
        tasks.turn();
        assert_eq!(taken.take(), [('a', 1), ('b', 2), ('b', 3)]);
    }
}
