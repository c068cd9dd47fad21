//! The machine's monotonic clock, and an alarm that the run rings when its time has come.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Waker;
use std::time;

use cygnet_driver::{Clock, Instant};

/// A clock for one runner.
pub(super) struct BenchClock {
    alarm: Alarm,
}

impl BenchClock {
    /// A clock that rings this alarm.
    pub(super) fn new(alarm: Alarm) -> Self {
        Self { alarm }
    }
}

impl Clock for BenchClock {
    fn now(&self) -> Instant {
        self.alarm.now()
    }

    fn wake_at(&self, at: Instant, waker: &Waker) {
        self.alarm.set(at, waker);
    }
}

/// Wakes one task when its time has come.
#[derive(Clone)]
pub(super) struct Alarm {
    origin: time::Instant,
    due: Rc<RefCell<Option<(Instant, Waker)>>>,
}

impl Default for Alarm {
    fn default() -> Self {
        Self {
            origin: time::Instant::now(),
            due: Rc::default(),
        }
    }
}

impl Alarm {
    fn now(&self) -> Instant {
        Instant::from_micros(self.origin.elapsed().as_micros() as u64)
    }

    /// The earliest time counts.
    fn set(&self, at: Instant, waker: &Waker) {
        let mut due = self.due.borrow_mut();
        match &mut *due {
            Some((earliest, known)) if known.will_wake(waker) => *earliest = at.min(*earliest),
            _ => *due = Some((at, waker.clone())),
        }
    }

    /// Wakes if its time has come.
    pub(super) fn ring(&self) {
        let mut due = self.due.borrow_mut();
        if let Some((_, waker)) = due.take_if(|(at, _)| *at <= self.now()) {
            waker.wake();
        }
    }
}
