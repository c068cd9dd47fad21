//! Runs stacks in virtual time: whenever every task waits, the clock jumps to the next alarm.
//!
//! So an hour of waiting takes no time, nothing depends on the speed of the machine, and two runs with
//! the same seeds are alike in every frame.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use cygnet::{Clock, Config, Driver, Duration, Instant, Resources, Seed, Stack};

use crate::middleware::DriverUser;

/// Time that stands still while there is something to do.
#[derive(Default)]
pub struct VirtualClock {
    now: Cell<Instant>,
    /// One for each waker; there are no more wakers than tasks.
    alarms: RefCell<Vec<(Instant, Waker)>>,
}

/// The tasks on a [`VirtualClock`].
pub struct Simulation {
    clock: &'static VirtualClock,
    tasks: Vec<Task>,
}

/// Every task waits, and no alarm is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stuck;

impl Simulation {
    /// No tasks, at time zero.
    pub fn new() -> Self {
        Self {
            clock: Box::leak(Box::default()),
            tasks: Vec::new(),
        }
    }

    /// The time of this simulation.
    pub fn clock(&self) -> &'static VirtualClock {
        self.clock
    }

    /// Adds a task that runs whenever [`Self::run`] does.
    pub fn spawn(&mut self, future: impl Future<Output = ()> + 'static) {
        self.tasks.push(Task {
            future: Box::pin(future),
            woken: Woken::new(),
        });
    }

    /// Runs all tasks until `main` is done.
    ///
    /// # Errors
    ///
    /// [`Stuck`] if `main` can never be done.
    pub fn run<T>(&mut self, main: impl Future<Output = T>) -> Result<T, Stuck> {
        let mut main = pin!(main);
        let main_woken = Woken::new();
        loop {
            match self.turn(main.as_mut(), &main_woken) {
                Turn::Done(result) => return Ok(result),
                Turn::Busy => {}
                Turn::Idle if self.clock.jump(Instant::FAR_FUTURE) => {}
                Turn::Idle => return Err(Stuck),
            }
        }
    }

    /// Runs all tasks until `main` is done, no faster than real time passes: for tasks that deal with
    /// something outside, which wakes nobody. All of them are polled whenever nothing else is to be done, so
    /// this takes a processor for itself. An alarm that rings late finds the time for which it was set.
    pub fn run_in_real_time<T>(&mut self, main: impl Future<Output = T>) -> T {
        let mut main = pin!(main);
        let main_woken = Woken::new();
        let (start, offset) = (std::time::Instant::now(), self.clock.now());
        loop {
            match self.turn(main.as_mut(), &main_woken) {
                Turn::Done(result) => return result,
                Turn::Busy => continue,
                Turn::Idle => {}
            }
            let now = offset + Duration::from(start.elapsed());
            if !self.clock.jump(now) {
                self.clock.now.set(now);
                main_woken.wake_by_ref();
                self.tasks.iter().for_each(|task| task.woken.wake_by_ref());
            }
        }
    }

    /// Polls each task once that was woken.
    fn turn<F: Future>(&mut self, main: Pin<&mut F>, main_woken: &Arc<Woken>) -> Turn<F::Output> {
        let mut turn = Turn::Idle;
        if main_woken.take() {
            turn = Turn::Busy;
            let waker = Waker::from(main_woken.clone());
            if let Poll::Ready(result) = main.poll(&mut Context::from_waker(&waker)) {
                return Turn::Done(result);
            }
        }
        self.tasks.retain_mut(|task| {
            if !task.woken.take() {
                return true;
            }
            turn = Turn::Busy;
            task.poll().is_pending()
        });
        turn
    }
}

/// What came of a turn.
enum Turn<T> {
    Done(T),
    /// Somebody was polled.
    Busy,
    Idle,
}

impl Default for Simulation {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes a stack with `N` sockets in a simulation.
pub struct StartStack<'a, const N: usize> {
    /// Where its runner runs.
    pub simulation: &'a mut Simulation,
    /// How it is set up.
    pub config: Config,
    /// Where its random numbers start.
    pub seed: u64,
}

impl<const N: usize> DriverUser for StartStack<'_, N> {
    type Output = Stack<'static>;

    fn with<D: Driver + 'static>(self, driver: D) -> Stack<'static> {
        let resources = Box::leak(Box::new(Resources::<N>::new()));
        let seed = Seed::from(self.seed);
        let clock = self.simulation.clock();
        let (stack, mut runner) =
            cygnet::new_with_clock(driver, self.config, resources, seed, clock);
        self.simulation.spawn(async move { runner.run().await });
        stack
    }
}

impl VirtualClock {
    /// Goes to the next alarm until `limit` and rings all that are due then. `false` if there is none.
    fn jump(&self, limit: Instant) -> bool {
        let mut alarms = self.alarms.borrow_mut();
        let next = alarms.iter().map(|(at, _)| *at).min();
        let Some(next) = next.filter(|next| *next <= limit) else {
            return false;
        };
        self.now.set(next.max(self.now.get()));
        alarms.retain(|(at, waker)| {
            let due = *at <= next;
            if due {
                waker.wake_by_ref();
            }
            !due
        });
        true
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.now.get()
    }

    fn wake_at(&self, at: Instant, waker: &Waker) {
        if at <= self.now.get() {
            waker.wake_by_ref();
            return;
        }
        if at == Instant::FAR_FUTURE {
            return;
        }
        let mut alarms = self.alarms.borrow_mut();
        match alarms.iter_mut().find(|(_, set)| set.will_wake(waker)) {
            Some((set, _)) => *set = at.min(*set),
            None => alarms.push((at, waker.clone())),
        }
    }
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
}

impl Task {
    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(self.woken.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

/// Whether a task is to be polled.
struct Woken(AtomicBool);

impl Woken {
    fn new() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
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

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the stacks wait for something that will never happen: this is a bug")
    }
}

impl std::error::Error for Stuck {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, poll_fn};

    async fn sleep(clock: &VirtualClock, seconds: u64) {
        let until = clock.now() + cygnet::Duration::from_secs(seconds);
        poll_fn(|cx| {
            clock.wake_at(until, cx.waker());
            if clock.now() >= until {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    #[test]
    fn time_passes_only_while_everybody_waits() {
        let mut simulation = Simulation::new();
        let clock = simulation.clock();
        simulation.spawn(sleep(clock, 3600));
        let seen = simulation.run(async {
            sleep(clock, 100).await;
            sleep(clock, 200).await;
            clock.now()
        });
        assert_eq!(seen, Ok(Instant::from_secs(300)));
    }

    #[test]
    fn in_real_time_an_alarm_finds_the_time_for_which_it_was_set() {
        let mut simulation = Simulation::new();
        let clock = simulation.clock();
        let until = Duration::from_millis(3);
        let start = std::time::Instant::now();
        let (seen, polls) = simulation.run_in_real_time(async {
            let mut polls = 0;
            poll_fn(|cx| {
                polls += 1;
                clock.wake_at(Instant::ZERO + until, cx.waker());
                match clock.now() >= Instant::ZERO + until {
                    true => Poll::Ready(()),
                    false => Poll::Pending,
                }
            })
            .await;
            (clock.now(), polls)
        });
        assert!(start.elapsed() >= until.into());
        assert_eq!(seen, Instant::ZERO + until);
        assert!(polls > 2, "what wakes nobody is to be asked");
    }

    #[test]
    fn waiting_for_nothing_is_an_error() {
        assert_eq!(Simulation::new().run(pending::<()>()), Err(Stuck));
    }
}
