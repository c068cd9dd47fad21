//! A clock that tests turn by hand, a waker that counts, and short forms for sending and receiving.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use cygnet_driver::{Clock, Driver, Duration, Instant, RxToken};
use cygnet_link::{Port, PortConfig};
use embassy_sync::blocking_mutex::raw::RawMutex;

/// Stands still until a test moves it, and counts how often it is read.
#[derive(Default)]
pub(crate) struct VirtualClock {
    now: Cell<Instant>,
    alarms: RefCell<Vec<(Instant, Waker)>>,
    pub(crate) reads: Cell<usize>,
}

impl VirtualClock {
    /// Moves on and wakes those whose time has come.
    pub(crate) fn advance(&self, by: Duration) {
        self.set(self.now.get() + by);
    }

    pub(crate) fn set(&self, now: Instant) {
        self.now.set(now);
        let (due, later) = self
            .alarms
            .take()
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.alarms.replace(later);
        let due: Vec<(Instant, Waker)> = due;
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// The earliest alarm.
    pub(crate) fn next_alarm(&self) -> Option<Instant> {
        self.alarms.borrow().iter().map(|(at, _)| *at).min()
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Instant {
        self.reads.set(self.reads.get() + 1);
        self.now.get()
    }

    fn wake_at(&self, at: Instant, waker: &Waker) {
        self.alarms.borrow_mut().push((at, waker.clone()));
    }
}

/// Counts how often it was woken.
#[derive(Default)]
pub(crate) struct CountingWaker(AtomicUsize);

impl CountingWaker {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let counter = Arc::new(Self::default());
        (counter.clone(), counter.into())
    }

    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Ethernet ports with addresses that end in 1, 2, ... and no impairments.
pub(crate) fn ethernet<const N: usize>() -> [PortConfig; N] {
    std::array::from_fn(|n| PortConfig::ethernet([2, 0, 0, 0, 0, n as u8 + 1]))
}

pub(crate) fn micros(n: u64) -> Instant {
    Instant::from_micros(n)
}

/// All frames that have arrived.
pub(crate) fn drain<M: RawMutex, C: Clock>(port: &mut Port<'_, M, C>) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| port.try_receive(<[u8]>::to_vec)).collect()
}

/// All frames on their way with their arrival times, by turning the clock from alarm to alarm.
pub(crate) fn drain_timed<M: RawMutex>(
    port: &mut Port<'_, M, &VirtualClock>,
    clock: &VirtualClock,
) -> Vec<(Instant, Vec<u8>)> {
    let mut frames = Vec::new();
    loop {
        let mut cx = Context::from_waker(Waker::noop());
        if let Some((token, _)) = port.receive(&mut cx) {
            frames.push((clock.now.get(), token.consume(|frame| frame.to_vec())));
        } else if let Some(at) = clock.next_alarm() {
            clock.set(at);
        } else {
            return frames;
        }
    }
}
