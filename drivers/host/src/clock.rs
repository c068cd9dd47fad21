//! Time from tokio, for runners and drivers that live in a tokio runtime.

use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::sync::{Mutex, PoisonError};

use cygnet_driver::{Clock, Instant};
use tokio::time::Sleep;

/// A [`Clock`] on tokio's timer.
///
/// Its origin is the moment it was made. Tokio's timer rounds up to whole milliseconds, so an alarm
/// rings up to about a millisecond late, and never early; [`now`](Clock::now) is exact. It follows
/// tokio's paused and advanced time in tests. One clock serves any number of tasks and threads.
///
/// # Panics
///
/// [`wake_at`](Clock::wake_at) panics outside of a tokio runtime with time enabled.
#[derive(Debug)]
pub struct TokioClock {
    origin: tokio::time::Instant,
    /// One per waker that waits; those that have rung are used again.
    alarms: Mutex<Vec<Alarm>>,
}

impl TokioClock {
    /// A clock that starts now.
    pub fn new() -> Self {
        Self {
            origin: tokio::time::Instant::now(),
            alarms: Mutex::new(Vec::new()),
        }
    }

    fn deadline(&self, now: Instant, at: Instant) -> tokio::time::Instant {
        if at.since(now) > LONGEST_SLEEP {
            return tokio::time::Instant::now() + Duration::from(LONGEST_SLEEP);
        }
        self.origin + Duration::from_micros(at.as_micros())
    }
}

impl Default for TokioClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Instant {
        let elapsed = self.origin.elapsed().as_micros();
        Instant::from_micros(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    fn wake_at(&self, at: Instant, waker: &Waker) {
        if at == Instant::FAR_FUTURE {
            return;
        }
        let now = self.now();
        let rings_at_once = at <= now || {
            let deadline = self.deadline(now, at);
            let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
            Alarm::set(&mut alarms, deadline, waker)
        };
        if rings_at_once {
            waker.wake_by_ref();
        }
    }
}

/// One waker and when to wake it.
#[derive(Debug)]
struct Alarm {
    waker: Waker,
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    /// Sets an alarm for `waker`, unless one is set that rings earlier. Whether it has rung already.
    fn set(alarms: &mut Vec<Self>, deadline: tokio::time::Instant, waker: &Waker) -> bool {
        let own = alarms.iter().position(|alarm| alarm.waker.will_wake(waker));
        let free = || alarms.iter().position(|alarm| alarm.sleep.is_elapsed());
        let Some(alarm) = own.or_else(free).and_then(|found| alarms.get_mut(found)) else {
            let mut alarm = Self {
                waker: waker.clone(),
                sleep: Box::pin(tokio::time::sleep_until(deadline)),
            };
            let rung = alarm.start();
            alarms.push(alarm);
            return rung;
        };
        let is_set = !alarm.sleep.is_elapsed();
        if is_set && alarm.sleep.deadline() <= deadline {
            return false;
        }
        alarm.waker.clone_from(waker);
        alarm.sleep.as_mut().reset(deadline);
        alarm.start()
    }

    /// Hands the waker to tokio's timer, which wakes it later. Whether it is too late for that.
    fn start(&mut self) -> bool {
        let mut cx = Context::from_waker(&self.waker);
        // A task that has used up its budget would be put off without the timer being set.
        let sleep = core::pin::pin!(tokio::task::unconstrained(self.sleep.as_mut()));
        match sleep.poll(&mut cx) {
            Poll::Ready(()) => true,
            Poll::Pending => false,
        }
    }
}

/// As far ahead as an alarm is set: farther than any protocol's timer, and within what tokio's
/// arithmetic can add. Waking early is allowed.
const LONGEST_SLEEP: cygnet_driver::Duration =
    cygnet_driver::Duration::from_secs(365 * 24 * 60 * 60);

#[cfg(test)]
mod tests;
