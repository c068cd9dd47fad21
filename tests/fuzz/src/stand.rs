//! A live stack on one end of a wire, polled by hand, and the wire's other end.

use std::convert::Infallible;
use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use cygnet::wire::EthernetAddress;
use cygnet::{Config, Duration, Ipv4Cidr, Resources, Stack, StaticConfigV4};
use cygnet_driver::{Clock as _, Medium};
use cygnet_link::{Link, Port, PortConfig};
use cygnet_tests::VirtualClock;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

/// The stack and the wire.
pub(crate) struct Stand<'d> {
    pub(crate) clock: VirtualClock,
    pub(crate) stack: Stack<'d>,
    runner: Pin<Box<dyn Future<Output = Infallible> + 'd>>,
    woken: Arc<Woken>,
    wire: Port<'d, NoopRawMutex, VirtualClock>,
    /// Frames that the stack has sent since the last look.
    sent: Vec<Vec<u8>>,
}

/// The memory of a stand.
pub(crate) struct Memory<'d> {
    link: Box<Link<'d, NoopRawMutex, 32, 1514>>,
    resources: Box<Resources<'d, SLOTS>>,
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Memory<'_> {
    pub(crate) fn new() -> Self {
        Self {
            link: Box::default(),
            resources: Box::default(),
        }
    }
}

impl<'d> Stand<'d> {
    pub(crate) fn new(memory: &'d mut Memory<'d>, medium: Medium) -> Self {
        let clock = VirtualClock::new();
        let ports = match medium {
            Medium::Ethernet => [OURS, PEERS].map(|address| PortConfig::ethernet(address.0)),
            _ => [PortConfig::ip(); 2],
        };
        let [port, wire] = memory.link.split(clock.clone(), ports);
        let config = Config::ipv4_static(StaticConfigV4::new(Ipv4Cidr::new(OUR_ADDRESS, 24)));
        let (stack, mut runner) =
            cygnet::new_with_clock(port, config, &mut memory.resources, 1, clock.clone());
        if medium == Medium::Ethernet {
            let added = stack.add_neighbor(PEER_ADDRESS.into(), PEERS);
            added.expect("room for a neighbor");
        }
        let mut stand = Self {
            clock,
            stack,
            runner: Box::pin(async move { runner.run().await }),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            wire,
            sent: Vec::new(),
        };
        stand.settle();
        stand
    }

    /// A frame comes in.
    pub(crate) fn receive(&mut self, frame: &[u8]) {
        self.wire.try_send(frame);
        self.settle();
    }

    /// Time passes, and whatever is due happens when it is due.
    pub(crate) fn pass(&mut self, span: Duration) {
        let until = self.clock.now() + span;
        self.settle();
        let mut alarms = 0;
        while let Some(at) = self.clock.next_alarm().filter(|at| *at <= until) {
            alarms += 1;
            assert!(alarms < MOST_ALARMS, "{alarms} alarms in {span:?}");
            self.clock.advance(at);
            self.settle();
        }
        self.clock.advance(until);
        self.settle();
    }

    /// Asks the stack something that does not wait.
    pub(crate) fn ask<T>(&mut self, request: impl Future<Output = T>) -> Option<T> {
        let request = std::pin::pin!(request);
        let answer = match request.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        };
        self.settle();
        answer
    }

    /// What the stack has sent since the last call.
    pub(crate) fn sent(&mut self) -> Vec<Vec<u8>> {
        self.settle();
        std::mem::take(&mut self.sent)
    }

    /// Lets the runner do all that there is to do.
    pub(crate) fn settle(&mut self) {
        let waker = Waker::from(self.woken.clone());
        let mut polls = 0;
        while self.woken.0.swap(false, Ordering::Relaxed) {
            polls += 1;
            assert!(polls < MOST_POLLS, "{polls} polls at once");
            let mut context = Context::from_waker(&waker);
            let Poll::Pending = self.runner.as_mut().poll(&mut context);
            while let Some(frame) = self.wire.try_receive(<[u8]>::to_vec) {
                self.sent.push(frame);
            }
            assert!(self.sent.len() < MOST_FRAMES, "too many frames at once");
        }
    }
}

pub(crate) const OUR_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);
pub(crate) const PEER_ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// As in the hosts of the suites, so that their captures fit.
const OURS: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
const PEERS: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);

/// Slots for sockets.
pub(crate) const SLOTS: usize = 8;

/// More than anything takes that an input can ask for.
const MOST_POLLS: u32 = 10_000;
const MOST_ALARMS: u32 = 100_000;
const MOST_FRAMES: usize = 20_000;
