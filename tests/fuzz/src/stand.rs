//! A live stack on one end of a wire, polled by hand, and the wire's other end.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use cygnet::wire::EthernetAddress;
use cygnet::{
    Config, Duration, InterfaceIdentifiers, Ipv4Cidr, Ipv6Cidr, Resources, Stack, StaticConfigV4,
    StaticConfigV6,
};
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
        let mut config = Config::ipv4_static(static_v4());
        config.ipv6 = static_v6().into();
        // The link-local address follows from the hardware address, so that frames can be for it.
        config.interface_identifiers = InterfaceIdentifiers::Eui64;
        let (stack, mut runner) =
            cygnet::new_with_clock(port, config, &mut memory.resources, 1, clock.clone());
        if medium == Medium::Ethernet {
            for address in [PEER_ADDRESS.into(), PEER_ADDRESS_V6.into()] {
                let added = stack.add_neighbor(address, PEERS);
                added.expect("room for a neighbor");
            }
        }
        let mut stand = Self {
            clock,
            stack,
            runner: Box::pin(async move { runner.run().await }),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            wire,
            sent: Vec::new(),
        };
        // Until the addresses are in use.
        stand.pass(Duration::from_secs(3));
        stand.sent.clear();
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
/// On the link, and not known.
pub(crate) const STRANGER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 3);
pub(crate) const GROUP_V4: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
pub(crate) const OUR_ADDRESS_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
pub(crate) const PEER_ADDRESS_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
pub(crate) const STRANGER_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 3);
/// What follows from [`OURS`] and from [`PEERS`].
pub(crate) const OUR_LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 2);
pub(crate) const PEER_LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1);
pub(crate) const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2);

/// The address that the stack begins with; the peer is its router and its name server.
pub(crate) fn static_v4() -> StaticConfigV4 {
    StaticConfigV4::new(Ipv4Cidr::new(OUR_ADDRESS, 24))
        .with_gateway(PEER_ADDRESS)
        .with_dns_server(PEER_ADDRESS)
}

/// The same for IPv6.
pub(crate) fn static_v6() -> StaticConfigV6 {
    StaticConfigV6::new(Ipv6Cidr::new(OUR_ADDRESS_V6, 64)).with_gateway(PEER_ADDRESS_V6)
}

/// As in the hosts of the suites, so that their captures fit.
pub(crate) const OURS: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
pub(crate) const PEERS: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);

/// Slots for sockets.
pub(crate) const SLOTS: usize = 12;

/// More than anything takes that an input can ask for.
const MOST_POLLS: u32 = 10_000;
const MOST_ALARMS: u32 = 100_000;
const MOST_FRAMES: usize = 20_000;
