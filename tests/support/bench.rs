//! A stack alone on a virtual link, in virtual time, polled by hand: what a test sends it are frames, and
//! frames are what it gets.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Waker};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Wake;

use cygnet::{Config, Resources, Stack};
use cygnet_driver::{Clock, Instant, LinkState};
use cygnet_link::{Link, Port, PortConfig};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::VirtualClock;

/// A stack, its runner, and the other end of its link.
///
/// Memory is leaked: a stack borrows it for its whole life, which is that of a test process.
pub struct Bench {
    /// The time of the stack.
    pub clock: VirtualClock,
    /// The stack.
    pub stack: Stack<'static>,
    runner: Pin<Box<dyn Future<Output = ()>>>,
    woken: Arc<Woken>,
    wire: Port<'static, NoopRawMutex, VirtualClock>,
    /// Frames that the stack has sent and nobody has looked at.
    sent: VecDeque<Vec<u8>>,
}

/// Whether the runner is to be polled again.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Bench {
    /// A stack at one end of a link, and the test at the other.
    pub fn new(config: Config, [port, wire]: [PortConfig; 2]) -> Self {
        let clock = VirtualClock::new();
        // Some time after the origin, so that nothing works by the accident of a zero.
        clock.advance(Instant::from_secs(1_000));
        let link = leak(Link::<NoopRawMutex, 64, 1514>::new());
        let [port, wire] = link.split(clock.clone(), [port, wire]);
        let resources = leak(Resources::<32>::new());
        let seed = [7; 32];
        let (stack, runner) = cygnet::new_with_clock(port, config, resources, seed, clock.clone());
        let runner = leak(runner);
        let mut bench = Self {
            clock,
            stack,
            runner: Box::pin(async { runner.run().await }),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            wire,
            sent: VecDeque::new(),
        };
        bench.settle();
        bench
    }

    /// Polls the runner until it has nothing more to do now.
    pub fn settle(&mut self) {
        let waker = Waker::from(self.woken.clone());
        for _ in 0..POLLS {
            if !self.woken.0.swap(false, Ordering::Relaxed) {
                return;
            }
            let pending = self.runner.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(pending.is_pending(), "the runner never ends");
            while let Some(frame) = self.wire.try_receive(<[u8]>::to_vec) {
                self.sent.push_back(frame);
            }
        }
        panic!("the runner does not come to rest");
    }

    /// Sends a frame to the stack.
    pub fn transmit(&mut self, frame: &[u8]) {
        assert!(self.wire.try_send(frame), "the link has room");
        self.settle();
    }

    /// Plugs the stack's cable out, or in again.
    pub fn set_link_state(&mut self, state: LinkState) {
        self.wire.control().set_link_state(0, state);
        self.settle();
    }

    /// The next frame that the stack sends, within `patience` of virtual time.
    pub fn receive(&mut self, patience: Duration) -> Option<Vec<u8>> {
        self.settle();
        if self.sent.is_empty() {
            self.advance(self.clock.now() + patience.into());
        }
        self.sent.pop_front()
    }

    /// Virtual time, since the clock's origin.
    pub fn now(&self) -> Duration {
        self.clock.now().since(Instant::ZERO).into()
    }

    /// Lets virtual time pass until a frame is sent, at most until `end`.
    fn advance(&mut self, end: Instant) {
        while self.sent.is_empty() {
            let alarm = self.clock.next_alarm().filter(|&at| at <= end);
            self.clock.advance(alarm.unwrap_or(end));
            self.settle();
            if alarm.is_none() {
                return;
            }
        }
    }
}

fn leak<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

/// A runner that is still busy after so many polls without time passing never comes to rest.
const POLLS: usize = 1_000;
