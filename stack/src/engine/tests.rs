//! Two engines on a wire and a virtual clock. What handles, drivers and impairments add is tested from
//! outside; here the engine itself speaks, so that a test sees every frame.

mod addresses;
#[cfg(not(feature = "tcp-syn-cookies"))]
mod crowds;
#[cfg(feature = "socket-udp")]
mod datagrams;
#[cfg(all(feature = "dhcpv4-server", feature = "socket-dhcpv4"))]
mod dhcp_server;
#[cfg(feature = "socket-dhcpv6")]
mod dhcpv6;
#[cfg(feature = "ip-fragments")]
mod fragments;
mod handshakes;
mod likely;
mod lossy;
#[cfg(feature = "neighbor-probes")]
mod neighbors;
#[cfg(feature = "slaac")]
mod routers;
#[cfg(feature = "socket-udp")]
mod turns;

use core::net::Ipv4Addr;
use std::boxed::Box;
use std::collections::VecDeque;
use std::vec;
use std::vec::Vec;

use cygnet_driver::{Capabilities, HardwareAddress, Medium, RxMeta, TxToken};

use super::*;
use crate::events::Events;
use crate::stats::Discard;
use crate::storage::{BucketMemory, Buckets, DeadlineMemory, Deadlines, Link};
use crate::tcp::{ConnectionError, State};
use crate::time::Duration;
use crate::wire::{IpCidr, IpEndpoint, IpListenEndpoint, Ipv4Cidr};

const SLOTS: usize = 4;
const A: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const B: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

pub(super) fn engine(address: Ipv4Addr, medium: Medium) -> Engine<'static> {
    let slots: Vec<Slot<'static>> = (0..SLOTS).map(|_| Slot::EMPTY).collect();
    let sockets = Sockets::new(
        Box::leak(slots.into_boxed_slice()),
        [(); LANES].map(|()| Box::leak(Box::new([Link::NONE; SLOTS])).as_mut_slice()),
        Buckets::new(Box::leak(Box::new(BucketMemory::<SLOTS>::new()))),
        Deadlines::new(Box::leak(Box::new(DeadlineMemory::<SLOTS>::new()))),
    );
    let capabilities = Capabilities::new(medium, 1514);
    let config = Config::ipv4_static(StaticConfigV4::new(Ipv4Cidr::new(address, 24)));
    let [.., last] = address.octets();
    let hardware = HardwareAddress::Ethernet([2, 0, 0, 0, 0, last]);
    let seed = Seed::from(u64::from(last));
    let mut engine = Engine::new(
        capabilities,
        hardware,
        &config,
        sockets,
        Box::leak(Box::new(TcpTables::new())),
        seed,
    );
    engine.start_interface(config);
    engine.set_link_up(true, Instant::ZERO);
    engine
}

/// A driver's room for a frame.
struct Token<'a>(&'a mut Vec<u8>);

impl TxToken for Token<'_> {
    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        self.0.resize(len, 0);
        f(self.0)
    }
}

/// The next frame that an engine sends.
fn next_frame(engine: &mut Engine<'_>, now: Instant) -> Option<Vec<u8>> {
    let mut frame = Vec::new();
    let sent = engine.transmit(&mut Some(Token(&mut frame)), now);
    sent.then_some(frame)
}

fn frame(outgoing: &Outgoing<'_>) -> Vec<u8> {
    let mut frame = Vec::new();
    Some(Token(&mut frame)).send(outgoing);
    frame
}

/// What an engine makes of a frame: its answer, if it has one.
fn receive(
    engine: &mut Engine<'_>,
    now: Instant,
    frame: &[u8],
    meta: RxMeta,
) -> (Result<(), Discard>, Option<Vec<u8>>) {
    let mut answer = Vec::new();
    let handled = engine.receive(frame, meta, &mut Some(Token(&mut answer)), now);
    (handled, (!answer.is_empty()).then_some(answer))
}

/// Two engines joined by a wire that takes no time.
struct Pair {
    now: Instant,
    engines: [Engine<'static>; 2],
    /// Every frame so far: who sent it, and what.
    log: Vec<(usize, Vec<u8>)>,
    drop_next: usize,
}

impl Pair {
    fn new(medium: Medium) -> Self {
        Self {
            now: Instant::from_secs(1),
            engines: [engine(A, medium), engine(B, medium)],
            log: Vec::new(),
            drop_next: 0,
        }
    }

    /// Moves frames until nobody has any to send. Panics if that does not end.
    fn drive(&mut self) {
        let mut wire: VecDeque<(usize, Vec<u8>)> = VecDeque::new();
        for _ in 0..10_000 {
            for side in 0..2 {
                let engine = &mut self.engines[side];
                // A turn without a frame may lead to one: who finds its neighbor unknown has it asked for.
                while engine.wants_to_transmit(self.now) {
                    let frame = next_frame(engine, self.now);
                    wire.extend(frame.map(|frame| (side, frame)));
                }
            }
            let Some((from, bytes)) = wire.pop_front() else {
                return;
            };
            self.log.push((from, bytes.clone()));
            if self.drop_next > 0 {
                self.drop_next -= 1;
                continue;
            }
            let engine = &mut self.engines[1 - from];
            let (_, answer) = receive(engine, self.now, &bytes, RxMeta::new());
            wire.extend(answer.map(|answer| (1 - from, answer)));
        }
        panic!("the engines never stop talking: {:02x?}", self.log.last());
    }

    /// Lets time pass up to the next deadline of either.
    fn tick(&mut self) {
        let next = self.next_deadline();
        if next != Instant::FAR_FUTURE {
            self.now = self.now.max(next);
        }
        for engine in &mut self.engines {
            engine.on_timeout(self.now);
        }
        self.drive();
    }

    fn run_for(&mut self, span: Duration) {
        let end = self.now + span;
        while self.next_deadline() <= end {
            self.tick();
        }
        self.now = end;
    }

    /// That of whichever comes first.
    fn next_deadline(&self) -> Instant {
        let [a, b] = &self.engines;
        a.next_deadline().min(b.next_deadline())
    }

    /// A connection from A to B, over a listener on B: the keys of its ends.
    fn connection(&mut self) -> (SocketKey, SocketKey) {
        self.connection_from(0)
    }

    /// The same from that port.
    fn connection_from(&mut self, port: u16) -> (SocketKey, SocketKey) {
        let server = self.socket(1);
        self.engines[1]
            .tcp_listen(server, IpListenEndpoint::from(80))
            .unwrap();
        let client = self.socket(0);
        self.engines[0]
            .tcp_connect(
                client,
                IpEndpoint::new(B.into(), 80),
                IpListenEndpoint::from(port),
            )
            .unwrap();
        self.drive();
        (client, server)
    }

    fn socket(&mut self, side: usize) -> SocketKey {
        self.engines[side]
            .tcp_open(vec![0; 4096].into(), vec![0; 4096].into())
            .expect("there is a slot")
    }

    fn state(&self, side: usize, key: SocketKey) -> State {
        self.engines[side]
            .tcp(key)
            .map_or(State::Closed, |c| c.state())
    }

    fn read(&mut self, side: usize, key: SocketKey) -> Vec<u8> {
        let mut buffer = [0; 4096];
        let len = self.engines[side]
            .tcp_with(key, |c| c.read(&mut buffer))
            .unwrap();
        buffer[..len].to_vec()
    }

    fn write(&mut self, side: usize, key: SocketKey, data: &[u8]) -> usize {
        self.engines[side].tcp_with(key, |c| c.write(data)).unwrap()
    }
}

#[test]
fn connects_transfers_and_closes_in_order() {
    for medium in [Medium::Ethernet, Medium::Ip] {
        let mut pair = Pair::new(medium);
        let (client, server) = pair.connection();
        assert_eq!(pair.state(0, client), State::Established);
        assert_eq!(pair.state(1, server), State::Established);

        pair.write(0, client, b"hello");
        pair.drive();
        assert_eq!(pair.read(1, server), b"hello");

        pair.engines[0].tcp_with(client, |c| c.close());
        pair.drive();
        assert_eq!(pair.state(0, client), State::FinWait2);
        assert_eq!(pair.state(1, server), State::CloseWait);
        pair.write(1, server, b"bye");
        pair.engines[1].tcp_with(server, |c| c.close());
        pair.drive();
        assert_eq!(pair.read(0, client), b"bye");
        assert_eq!(pair.state(0, client), State::TimeWait);
        assert_eq!(pair.state(1, server), State::Closed);
        assert_eq!(pair.engines[1].tcp(server).unwrap().error(), None);
        assert_eq!(pair.engines[0].stats().discarded_total(), 0);
        assert_eq!(pair.engines[1].stats().discarded_total(), 0);
    }
}

#[test]
fn a_socket_that_connects_again_at_once_has_acknowledged_the_end_of_its_last_connection() {
    let mut pair = Pair::new(Medium::Ip);
    let (client, server) = pair.connection();
    pair.engines[0].tcp_with(client, |c| c.close());
    pair.drive();
    pair.engines[1].tcp_with(server, |c| c.close());
    let fin = next_frame(&mut pair.engines[1], pair.now).unwrap();
    let (handled, answer) = receive(&mut pair.engines[0], pair.now, &fin, RxMeta::new());
    assert_eq!(handled, Ok(()));
    let remote = IpEndpoint::new(B.into(), 81);
    pair.engines[0]
        .tcp_connect(client, remote, IpListenEndpoint::from(0))
        .unwrap();
    assert_eq!(pair.state(0, client), State::SynSent);

    #[cfg(feature = "many-sockets")]
    {
        let answer = answer.expect("the peer's FIN is acknowledged by itself");
        let (handled, _) = receive(&mut pair.engines[1], pair.now, &answer, RxMeta::new());
        assert_eq!(handled, Ok(()));
    }
    // It goes with the connection's next turn, which now is that of another; what remembers the connection acknowledges
    // the FIN when it comes again.
    #[cfg(not(feature = "many-sockets"))]
    {
        assert_eq!(answer, None);
        pair.now = pair.engines[1].next_deadline();
        pair.engines[1].on_timeout(pair.now);
        pair.drive();
    }
    assert_eq!(pair.state(1, server), State::Closed);
}

#[test]
fn a_bulk_transfer_arrives_byte_by_byte() {
    let mut pair = Pair::new(Medium::Ethernet);
    let (client, server) = pair.connection();
    let data: Vec<u8> = (0..200_000u32).map(|i| (i * 7 % 251) as u8).collect();
    let mut sent = 0;
    let mut received = Vec::new();
    while received.len() < data.len() {
        sent += pair.write(0, client, &data[sent..]);
        pair.drive();
        received.extend(pair.read(1, server));
        pair.tick();
    }
    assert_eq!(received, data);
    assert_eq!(pair.engines[0].stats().retransmits, 0);
}

#[test]
#[cfg(feature = "tcp-rack")]
fn a_lost_tail_is_sent_again_by_a_probe() {
    let mut pair = Pair::new(Medium::Ethernet);
    let (client, server) = pair.connection();
    pair.drop_next = 1;
    pair.write(0, client, b"hello");
    pair.drive();
    assert_eq!(pair.read(1, server), b"");
    pair.tick();
    assert_eq!(pair.read(1, server), b"hello");
    let stats = pair.engines[0].stats();
    assert_eq!(stats.retransmits, 1);
    assert_eq!((stats.timeouts, stats.tail_probes), (0, 1));
}

#[test]
fn a_host_that_is_not_there_is_unreachable_after_three_requests() {
    let mut pair = Pair::new(Medium::Ethernet);
    let client = pair.socket(0);
    let remote = IpEndpoint::new(Ipv4Addr::new(10, 0, 0, 77).into(), 80);
    pair.engines[0]
        .tcp_connect(client, remote, IpListenEndpoint::from(0))
        .unwrap();
    pair.drive();
    pair.run_for(Duration::from_secs(10));
    let connection = pair.engines[0].tcp(client).unwrap();
    assert_eq!(connection.error(), Some(ConnectionError::Unreachable));
    let requests = |(from, bytes): &&(usize, Vec<u8>)| {
        *from == 0 && bytes[12..14] == [8, 6] && bytes[38..42] == [10, 0, 0, 77]
    };
    assert_eq!(pair.log.iter().filter(requests).count(), 3);
}

#[test]
fn every_slot_can_be_used_again_and_again() {
    let mut pair = Pair::new(Medium::Ip);
    for round in 0..200 {
        let (client, server) = pair.connection();
        assert_eq!(pair.state(0, client), State::Established, "round {round}");
        pair.write(0, client, b"x");
        pair.engines[0].tcp_detach(client.index());
        pair.drive();
        assert_eq!(pair.read(1, server), b"x");
        pair.engines[1].tcp_detach(server.index());
        pair.drive();
    }
    for side in 0..2 {
        let open: Vec<_> = (0..SLOTS).map(|_| pair.socket(side)).collect();
        assert_eq!(open.len(), SLOTS, "all slots are free again");
    }
}

/// Of two sockets in a row the first needs a neighbor that is not known, and the second sends.
#[test]
fn a_neighbor_is_asked_for_although_another_socket_sends_meanwhile() {
    let mut pair = Pair::new(Medium::Ethernet);
    let (client, _) = pair.connection();
    let other = pair.socket(0);
    let stranger = IpEndpoint::new(Ipv4Addr::new(10, 0, 0, 77).into(), 80);
    let engine = &mut pair.engines[0];
    engine
        .tcp_connect(other, stranger, IpListenEndpoint::from(0))
        .unwrap();
    engine.tcp_with(client, |c| c.write(b"hello")).unwrap();

    let kind = |frame: Option<Vec<u8>>| frame.map(|frame| [frame[12], frame[13]]);
    assert_eq!(kind(next_frame(engine, pair.now)), Some([8, 0]), "the data");
    let mut next = None;
    while next.is_none() && engine.wants_to_transmit(pair.now) {
        next = next_frame(engine, pair.now);
    }
    assert_eq!(kind(next), Some([8, 6]), "ARP");
}

#[test]
fn a_silent_engine_has_nothing_to_wait_for() {
    let mut pair = Pair::new(Medium::Ip);
    pair.drive();
    assert_eq!(pair.engines[0].next_deadline(), Instant::FAR_FUTURE);
    let (client, server) = pair.connection();
    pair.run_for(Duration::from_secs(60));
    assert_eq!(
        pair.engines[0].next_deadline(),
        Instant::FAR_FUTURE,
        "idle connections are idle"
    );
    assert_eq!(pair.engines[1].next_deadline(), Instant::FAR_FUTURE);
    pair.engines[0].tcp_detach(client.index());
    pair.engines[1].tcp_detach(server.index());
    pair.drive();
    pair.run_for(Duration::from_secs(120));
    assert_eq!(
        pair.engines[0].next_deadline(),
        Instant::FAR_FUTURE,
        "TIME-WAIT has passed"
    );
}

#[test]
fn events_tell_what_happened() {
    let mut pair = Pair::new(Medium::Ip);
    let (client, server) = pair.connection();
    while pair.engines[0].poll_event().is_some() {}
    while pair.engines[1].poll_event().is_some() {}
    pair.write(0, client, b"x");
    pair.drive();
    let (index, events) = pair.engines[1].poll_event().unwrap();
    assert_eq!(index, server.index());
    assert!(events.contains(Events::READABLE) && !events.contains(Events::STATE));
    pair.run_for(Duration::from_secs(1));
    let (index, events) = pair.engines[0].poll_event().unwrap();
    assert_eq!(index, client.index());
    assert!(events.contains(Events::WRITABLE));
}

#[test]
fn a_connection_stays_small() {
    assert!(size_of::<crate::tcp::Connection<'static>>() <= 512);
}
