//! A driver between a stack and its link into which an attacker puts frames of their own making. Frames of
//! either kind come in turn, and what the stack answers to a forged one goes to the attacker alone.

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::{Context, Waker};

use cygnet::wire::{ChecksumMode, IpProtocol, Ipv4Header, TcpHeader};
use cygnet::{Config, IpEndpoint, Ipv4Cidr, Resources, Stack, StaticConfigV4};
use cygnet_driver::{
    Capabilities, Driver, HardwareAddress, LinkState, RxMeta, RxToken, TxMeta, TxToken,
};
use cygnet_link::{Impairments, Link, PortConfig};
use cygnet_tests::{Executor, VirtualClock};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

pub(crate) const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
pub(crate) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// A client and a server, and an attacker who can send to the server in anybody's name.
pub(crate) struct Scene {
    pub(crate) executor: Executor<'static>,
    pub(crate) client: Stack<'static>,
    pub(crate) server: Stack<'static>,
    pub(crate) attacker: Attacker,
}

impl Scene {
    pub(crate) fn new(seed: u64) -> Self {
        Self::impaired(seed, Impairments::new())
    }

    /// The same for the wire between client and server; the attacker's is perfect.
    pub(crate) fn impaired(seed: u64, impairments: Impairments) -> Self {
        let executor = Executor::new(seed);
        let link = leak(Link::<NoopRawMutex, 64, 1514>::new());
        let [near, far] = link.split(
            executor.clock(),
            [PortConfig::ip().impairments(impairments.seed(seed)); 2],
        );
        let attacker = Attacker::default();
        let client = host(&executor, CLIENT, near);
        let server = host(&executor, SERVER, Forger::new(far, attacker.clone()));
        Self {
            executor,
            client,
            server,
            attacker,
        }
    }

    pub(crate) fn at(&self, port: u16) -> IpEndpoint {
        IpEndpoint::from((SERVER, port))
    }
}

fn host<D: Driver + 'static>(
    executor: &Executor<'static>,
    address: Ipv4Addr,
    driver: D,
) -> Stack<'static> {
    // Through the other host, so that answers to invented addresses go out like all others.
    let gateway = if address == CLIENT { SERVER } else { CLIENT };
    let addresses = StaticConfigV4::new(Ipv4Cidr::new(address, 24)).with_gateway(gateway);
    let clock: VirtualClock = executor.clock();
    let (stack, mut runner) = cygnet::new_with_clock(
        driver,
        Config::ipv4_static(addresses),
        leak(Resources::<32>::new()),
        [address.octets()[3]; 32],
        clock,
    );
    drop(executor.spawn(async move { runner.run().await }));
    stack
}

pub(crate) fn leak<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

/// What the attacker does, and what comes of it.
#[derive(Clone, Default)]
pub(crate) struct Attacker(Rc<Plan>);

#[derive(Default)]
struct Plan {
    /// How many frames are still to come.
    left: Cell<u64>,
    forge: RefCell<Option<Forge>>,
    /// What the server answered at once.
    answers: Cell<u64>,
    /// The runner of the server.
    waker: RefCell<Option<Waker>>,
}

type Forge = Box<dyn FnMut() -> Forged>;

/// A segment to the server in somebody's name.
pub(crate) struct Forged {
    pub(crate) src: Ipv4Addr,
    pub(crate) header: TcpHeader,
    pub(crate) text: &'static [u8],
}

impl Attacker {
    /// How the attacker makes frames from now on.
    pub(crate) fn forge(&self, forge: impl FnMut() -> Forged + 'static) {
        *self.0.forge.borrow_mut() = Some(Box::new(forge));
    }

    /// Sends that many frames, as fast as they are taken.
    pub(crate) fn attack(&self, frames: u64) {
        self.0.left.set(frames);
        if let Some(waker) = self.0.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    /// Whether all frames are sent.
    pub(crate) fn is_done(&self) -> bool {
        self.0.left.get() == 0
    }

    pub(crate) fn answers(&self) -> u64 {
        self.0.answers.get()
    }
}

struct Forger<D> {
    inner: D,
    attacker: Attacker,
    frame: Vec<u8>,
    answer: Vec<u8>,
    attackers_turn: bool,
}

impl<D> Forger<D> {
    fn new(inner: D, attacker: Attacker) -> Self {
        Self {
            inner,
            attacker,
            frame: vec![0; 1514],
            answer: vec![0; 1514],
            attackers_turn: false,
        }
    }

    fn forge(&mut self) -> Option<usize> {
        let plan = &self.attacker.0;
        let left = plan.left.get().checked_sub(1)?;
        plan.left.set(left);
        let Forged { src, header, text } = plan.forge.borrow_mut().as_mut()?();
        let segment_len = header.len() + text.len();
        Ipv4Header {
            src,
            dst: SERVER,
            protocol: IpProtocol::TCP,
            hop_limit: 64,
            dscp_ecn: 0,
            ident: 0,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            header_len: 20,
            payload_len: segment_len,
        }
        .emit(&mut self.frame);
        header.emit(
            &mut self.frame[20..],
            src.into(),
            SERVER.into(),
            (text, &[]),
            ChecksumMode::Full,
        );
        Some(20 + segment_len)
    }
}

enum Rx<'a, T> {
    Forged(&'a mut [u8]),
    Real(T),
}

enum Tx<'a, T> {
    ToAttacker(&'a mut [u8], &'a Cell<u64>),
    Real(T),
}

impl<D: Driver> Driver for Forger<D> {
    type RxToken<'a>
        = Rx<'a, D::RxToken<'a>>
    where
        Self: 'a;
    type TxToken<'a>
        = Tx<'a, D::TxToken<'a>>
    where
        Self: 'a;

    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)> {
        let mut waker = self.attacker.0.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|w| w.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        drop(waker);
        self.attackers_turn = !self.attackers_turn;
        if self.attackers_turn
            && let Some(len) = self.forge()
        {
            let answers = &self.attacker.0.answers;
            let answer = Tx::ToAttacker(&mut self.answer, answers);
            return Some((Rx::Forged(&mut self.frame[..len]), Some(answer)));
        }
        if let Some((rx, tx)) = self.inner.receive(cx) {
            return Some((Rx::Real(rx), tx.map(Tx::Real)));
        }
        if !self.attacker.is_done() {
            // The attacker's turn again, at once.
            cx.waker().wake_by_ref();
        }
        None
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        self.inner.transmit(cx).map(Tx::Real)
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        self.inner.link_state(cx)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.inner.hardware_address()
    }
}

impl<T: RxToken> RxToken for Rx<'_, T> {
    fn meta(&self) -> RxMeta {
        match self {
            Self::Forged(_) => RxMeta::default(),
            Self::Real(token) => token.meta(),
        }
    }

    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        match self {
            Self::Forged(frame) => f(frame),
            Self::Real(token) => token.consume(f),
        }
    }
}

impl<T: TxToken> TxToken for Tx<'_, T> {
    fn set_meta(&mut self, meta: TxMeta) {
        if let Self::Real(token) = self {
            token.set_meta(meta);
        }
    }

    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        match self {
            Self::ToAttacker(buffer, answers) => {
                answers.set(answers.get() + 1);
                f(&mut buffer[..len])
            }
            Self::Real(token) => token.consume(len, f),
        }
    }
}
