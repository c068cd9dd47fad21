//! A single-threaded executor whose every choice comes from a seed.

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use cygnet_driver::{Clock, Duration, Instant};
use rand_core::Rng;
use rand_pcg::Pcg32;

use crate::VirtualClock;

/// Runs tasks on a [`VirtualClock`], shared by its clones.
///
/// Of the tasks that were woken it polls one at random; when none is left it moves the clock on to the
/// next alarm. When there is no alarm either, nothing can ever happen again: a deadlock, and a panic that
/// says when. So does a simulation that outlives its time limit, or that polls and polls without time
/// moving on. A panic within a simulation prints its seed.
///
/// A story must hold whoever acts first: `CYGNET_ORDER=n` in the environment draws other orders from the
/// same seeds.
#[derive(Clone)]
pub struct Executor<'d>(Rc<Inner<'d>>);

struct Inner<'d> {
    seed: u64,
    random: RefCell<Pcg32>,
    clock: VirtualClock,
    tasks: RefCell<Vec<Task<'d>>>,
    woken: Arc<Woken>,
    time_limit: Cell<Instant>,
    /// Polls since time moved on.
    polls: Cell<u64>,
}

/// A task and its waker; the future is away while it is polled, and gone when it is done.
struct Task<'d> {
    future: Option<Pin<Box<dyn Future<Output = ()> + 'd>>>,
    waker: Waker,
}

/// The tasks that were woken, each at most once.
#[derive(Default)]
struct Woken(Mutex<Vec<Arc<TaskWaker>>>);

struct TaskWaker {
    id: TaskId,
    is_woken: AtomicBool,
    woken: Arc<Woken>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TaskId {
    /// The future that [`Executor::block_on`] runs.
    Root,
    Spawned(usize),
}

impl<'d> Executor<'d> {
    /// An executor at time zero without tasks.
    pub fn new(seed: u64) -> Self {
        Self(Rc::new(Inner {
            seed,
            random: RefCell::new(Pcg32::new(seed, STREAM.wrapping_add(order()))),
            clock: VirtualClock::new(),
            tasks: RefCell::default(),
            woken: Arc::default(),
            time_limit: Cell::new(TIME_LIMIT),
            polls: Cell::new(0),
        }))
    }

    /// What all choices come from.
    pub fn seed(&self) -> u64 {
        self.0.seed
    }

    /// The clock of this simulation.
    pub fn clock(&self) -> VirtualClock {
        self.0.clock.clone()
    }

    /// The time of this simulation.
    pub fn now(&self) -> Instant {
        self.0.clock.now()
    }

    /// Waits for that long.
    pub async fn sleep(&self, span: Duration) {
        self.0.clock.sleep(span).await;
    }

    /// A number from the simulation's seed.
    pub fn random(&self) -> u64 {
        self.0.random.borrow_mut().next_u64()
    }

    /// Panics when the simulation reaches `limit`; two hours by default.
    pub fn set_time_limit(&self, limit: Instant) {
        self.0.time_limit.set(limit);
    }

    /// Makes `future` a task. It runs whenever the simulation does.
    pub fn spawn<T: 'd>(&self, future: impl Future<Output = T> + 'd) -> Spawned<'d, T> {
        let mut tasks = self.0.tasks.borrow_mut();
        let id = tasks.len();
        let outcome = Rc::new(Outcome::default());
        let task = run_task(future, outcome.clone());
        let waker = self.waker(TaskId::Spawned(id));
        waker.wake_by_ref();
        tasks.push(Task {
            future: Some(Box::pin(task)),
            waker,
        });
        Spawned {
            executor: self.clone(),
            id,
            outcome,
        }
    }

    /// Runs the simulation until `future` is done.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let _seed = SeedOnPanic(self.0.seed);
        let mut root = pin!(future);
        let waker = self.waker(TaskId::Root);
        waker.wake_by_ref();
        loop {
            match self.next_task() {
                TaskId::Spawned(id) => self.poll_task(id),
                TaskId::Root => {
                    if let Poll::Ready(result) =
                        root.as_mut().poll(&mut Context::from_waker(&waker))
                    {
                        return result;
                    }
                }
            }
        }
    }

    /// Runs the simulation for that long.
    pub fn run_for(&self, span: Duration) {
        self.block_on(self.0.clock.sleep(span));
    }

    /// A task that was woken. Moves the clock when there is none.
    fn next_task(&self) -> TaskId {
        loop {
            if let Some(id) = self.0.woken.take(&mut *self.0.random.borrow_mut()) {
                let polls = self.0.polls.get() + 1;
                self.0.polls.set(polls);
                assert!(
                    polls < POLL_LIMIT,
                    "{polls} polls at {:?}, the last of {id:?}: busy polling",
                    self.now()
                );
                return id;
            }
            let next = self.0.clock.next_alarm();
            let next = next.unwrap_or_else(|| panic!("deadlock at {:?}", self.now()));
            assert!(next <= self.0.time_limit.get(), "not done by {next:?}");
            self.0.polls.set(0);
            self.0.clock.advance(next);
        }
    }

    fn poll_task(&self, id: usize) {
        let (future, waker) = {
            let task = &mut self.0.tasks.borrow_mut()[id];
            (task.future.take(), task.waker.clone())
        };
        let Some(mut future) = future else { return };
        if future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            self.0.tasks.borrow_mut()[id].future = Some(future);
        }
    }

    fn waker(&self, id: TaskId) -> Waker {
        Waker::from(Arc::new(TaskWaker {
            id,
            is_woken: AtomicBool::new(false),
            woken: self.0.woken.clone(),
        }))
    }
}

/// Runs a task's future, counts its polls and keeps its result.
async fn run_task<T>(future: impl Future<Output = T>, outcome: Rc<Outcome<T>>) {
    let mut future = pin!(future);
    let result = std::future::poll_fn(|cx| {
        outcome.polls.set(outcome.polls.get() + 1);
        future.as_mut().poll(cx)
    })
    .await;
    outcome.result.replace(Some(result));
    if let Some(waker) = outcome.waiter.take() {
        waker.wake();
    }
}

/// A task that was spawned. Awaiting it gives its result; dropping it changes nothing.
pub struct Spawned<'d, T> {
    executor: Executor<'d>,
    id: usize,
    outcome: Rc<Outcome<T>>,
}

struct Outcome<T> {
    polls: Cell<u64>,
    result: RefCell<Option<T>>,
    waiter: Cell<Option<Waker>>,
}

impl<T> Default for Outcome<T> {
    fn default() -> Self {
        Self {
            polls: Cell::new(0),
            result: RefCell::new(None),
            waiter: Cell::new(None),
        }
    }
}

impl<T> Spawned<'_, T> {
    /// How often it was polled.
    pub fn polls(&self) -> u64 {
        self.outcome.polls.get()
    }

    /// Whether its result is there.
    pub fn is_done(&self) -> bool {
        self.outcome.result.borrow().is_some()
    }

    /// Drops its future where it stands. Not from within the task itself.
    pub fn cancel(self) {
        let future = self.executor.0.tasks.borrow_mut()[self.id].future.take();
        drop(future);
    }
}

impl<T> Future for Spawned<'_, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match self.outcome.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                self.outcome.waiter.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl Woken {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<TaskWaker>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, random: &mut impl Rng) -> Option<TaskId> {
        let mut woken = self.lock();
        if woken.is_empty() {
            return None;
        }
        let at = random.next_u32() as usize % woken.len();
        let task = woken.swap_remove(at);
        task.is_woken.store(false, Ordering::Relaxed);
        Some(task.id)
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut woken = self.woken.lock();
        if !self.is_woken.swap(true, Ordering::Relaxed) {
            woken.push(self.clone());
        }
    }
}

/// What distinguishes this run's orders from those of others.
fn order() -> u64 {
    let order = std::env::var("CYGNET_ORDER");
    order.map_or(0, |order| order.parse().expect("CYGNET_ORDER is a number"))
}

struct SeedOnPanic(u64);

impl Drop for SeedOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the simulation's seed was {}", self.0);
        }
    }
}

/// Longer than any timer of TCP, keep-alives of a test apart.
const TIME_LIMIT: Instant = Instant::from_secs(2 * 60 * 60);

/// More polls at one moment than any burst of frames takes.
const POLL_LIMIT: u64 = 1_000_000;

/// The random numbers' stream: any, but not that of the virtual link.
const STREAM: u64 = 0x6578_6563;
