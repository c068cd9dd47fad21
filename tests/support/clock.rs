//! Time that stands still until somebody moves it.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use cygnet_driver::{Clock, Duration, Instant};

/// A clock for one simulation, shared by its clones.
///
/// It keeps one alarm for each waker, the earliest asked for, as the best of real clocks do: a runner
/// that asks for a deadline and then for a later one is woken at the first and asks anew.
#[derive(Clone, Default)]
pub struct VirtualClock(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<Instant>,
    alarms: RefCell<Vec<Alarm>>,
}

struct Alarm {
    at: Instant,
    waker: Waker,
}

impl VirtualClock {
    /// A clock that stands at zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// The earliest alarm.
    pub fn next_alarm(&self) -> Option<Instant> {
        self.0.alarms.borrow().iter().map(|alarm| alarm.at).min()
    }

    /// Moves on to `to`, and wakes those whose time has come.
    pub fn advance(&self, to: Instant) {
        self.0.now.set(self.now().max(to));
        let now = self.now();
        let due: Vec<Alarm> = self
            .0
            .alarms
            .borrow_mut()
            .extract_if(.., |alarm| alarm.at <= now)
            .collect();
        for alarm in due {
            alarm.waker.wake();
        }
    }

    /// Waits for that long.
    pub fn sleep(&self, span: Duration) -> Sleep {
        Sleep {
            until: self.now() + span,
            clock: self.clone(),
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.0.now.get()
    }

    fn wake_at(&self, at: Instant, waker: &Waker) {
        if at <= self.now() {
            return waker.wake_by_ref();
        }
        if at == Instant::FAR_FUTURE {
            return;
        }
        let mut alarms = self.0.alarms.borrow_mut();
        match alarms.iter_mut().find(|alarm| alarm.waker.will_wake(waker)) {
            Some(alarm) => alarm.at = alarm.at.min(at),
            None => alarms.push(Alarm {
                at,
                waker: waker.clone(),
            }),
        }
    }
}

/// See [`VirtualClock::sleep`].
#[must_use = "nobody sleeps until it is awaited"]
pub struct Sleep {
    until: Instant,
    clock: VirtualClock,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= self.until {
            return Poll::Ready(());
        }
        self.clock.wake_at(self.until, cx.waker());
        Poll::Pending
    }
}
