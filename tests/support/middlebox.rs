//! Two hosts and a middlebox between them, which sees every packet and does with it what a test says.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::{Context, Poll};

use cygnet::wire::{Icmpv4Message, Icmpv4Unreachable, IpProtocol, Ipv4Header};
use cygnet_driver::{Driver, RxToken, TxToken};
use cygnet_link::Link;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::network::Parts;
use crate::{Executor, Host, Setup};

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on, changed perhaps.
    Pass,
    /// It vanishes.
    Drop,
    /// It vanishes, and its sender is told how long a packet may be (RFC 1191).
    TooLong(u16),
}

/// A client at 10.0.0.1 and a server at 10.0.0.2, on links that carry bare IP packets, and the middlebox
/// where the links meet.
pub struct Middlebox {
    /// Runs all of it.
    pub executor: Executor<'static>,
    /// The host that connects.
    pub client: Host<'static>,
    /// The host that accepts.
    pub server: Host<'static>,
    rule: Rc<RefCell<Rule>>,
    longest: Rc<Cell<usize>>,
}

/// What a test does with packets.
type Rule = Box<dyn FnMut(&mut Packet) -> Verdict>;

/// A packet on its way.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Its header. What a test changes in it goes on.
    pub header: Ipv4Header,
    /// What is in it.
    pub payload: Vec<u8>,
    /// Whether it comes from the client.
    pub from_client: bool,
}

impl Packet {
    /// Its length in bytes.
    pub fn len(&self) -> usize {
        20 + self.payload.len()
    }

    /// Whether it is nothing but a header.
    pub fn is_empty(&self) -> bool {
        self.payload.is_empty()
    }

    /// A router on the way is congested.
    pub fn mark(&mut self) {
        self.header.dscp_ecn |= 3;
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 20];
        self.header.emit(&mut bytes);
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// What a router says about it that takes no more than `mtu` bytes.
    fn too_long(&self, mtu: u16) -> Vec<u8> {
        let quote = self.bytes();
        let message = Icmpv4Message::DestinationUnreachable {
            code: Icmpv4Unreachable::FragmentationNeeded,
            next_hop_mtu: mtu,
            quote: &quote[..quote.len().min(28)],
        };
        let mut payload = vec![0; message.len()];
        message.emit(&mut payload);
        let header = Ipv4Header {
            src: ROUTER,
            dst: self.header.src,
            protocol: IpProtocol::ICMP,
            dscp_ecn: 0,
            payload_len: payload.len(),
            ..self.header
        };
        Self {
            header,
            payload,
            from_client: false,
        }
        .bytes()
    }
}

impl Middlebox {
    /// Two hosts that are set up as `setup` says for the number, the client being 0; packets that the
    /// middlebox sees pass as they are.
    pub fn new(seed: u64, setup: impl Fn(usize) -> Setup) -> Self {
        let executor = Executor::new(seed);
        let rule: Rc<RefCell<Rule>> = Rc::new(RefCell::new(Box::new(|_| Verdict::Pass)));
        let longest = Rc::new(Cell::new(0));
        let mut ends = Vec::new();
        let mut hosts = (0..2).map(|n| {
            let setup = setup(n);
            let link = Box::leak(Box::new(Link::<NoopRawMutex, 256, 1500>::new()));
            let [near, far] = link.split(executor.clock(), [setup.port, setup.port]);
            ends.push(far);
            Host::start(
                &executor,
                Parts {
                    n,
                    seed: seed.wrapping_mul(2).wrapping_add(n as u64),
                    config: setup.config,
                },
                Box::leak(Box::default()),
                near,
            )
        });
        let (Some(client), Some(server)) = (hosts.next(), hosts.next()) else {
            unreachable!("there are two");
        };
        drop(hosts);
        let (mut there, mut back) = (ends.remove(0), ends.remove(0));
        let (on_packet, seen) = (rule.clone(), longest.clone());
        executor.spawn(poll_fn(move |cx| -> Poll<()> {
            let mut judge = |packet: &mut Packet| {
                let verdict = (on_packet.borrow_mut())(packet);
                if verdict == Verdict::Pass {
                    seen.set(seen.get().max(packet.len()));
                }
                verdict
            };
            forward(cx, true, &mut there, &mut back, &mut judge);
            forward(cx, false, &mut back, &mut there, &mut judge);
            Poll::Pending
        }));
        Self {
            executor,
            client,
            server,
            rule,
            longest,
        }
    }

    /// What happens to packets from now on.
    pub fn rule(&self, rule: impl FnMut(&mut Packet) -> Verdict + 'static) {
        *self.rule.borrow_mut() = Box::new(rule);
    }

    /// The longest packet in bytes that passed since the last call.
    pub fn longest_passed(&self) -> usize {
        self.longest.replace(0)
    }

    /// Runs a story to its end.
    pub fn run<T>(&self, story: impl Future<Output = T>) -> T {
        self.executor.block_on(story)
    }
}

/// Moves packets as long as there are any, and room for them.
fn forward(
    cx: &mut Context<'_>,
    from_client: bool,
    from: &mut impl Driver,
    to: &mut impl Driver,
    judge: &mut impl FnMut(&mut Packet) -> Verdict,
) {
    loop {
        let Some(onward) = to.transmit(cx) else {
            return;
        };
        let Some((received, answer)) = from.receive(cx) else {
            return;
        };
        let mut packet = received.consume(|bytes| {
            let (header, payload) = Ipv4Header::parse(bytes, true).expect("an IPv4 packet");
            Packet {
                header,
                payload: payload.to_vec(),
                from_client,
            }
        });
        let verdict = judge(&mut packet);
        match (verdict, answer) {
            (Verdict::Pass, _) => send(onward, &packet.bytes()),
            (Verdict::TooLong(mtu), Some(answer)) => send(answer, &packet.too_long(mtu)),
            (Verdict::Drop | Verdict::TooLong(_), _) => {}
        }
    }
}

fn send(token: impl TxToken, bytes: &[u8]) {
    token.consume(bytes.len(), |room| room.copy_from_slice(bytes));
}

const ROUTER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 254);
