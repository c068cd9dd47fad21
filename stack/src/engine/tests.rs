//! Two engines on a wire and a virtual clock. What handles, drivers and impairments add is tested from
//! outside; here the engine itself speaks, so that a test sees every frame.

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
mod likely;
#[cfg(feature = "neighbor-probes")]
mod neighbors;
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
    engine.set_link_up(Instant::ZERO, true);
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
    let sent = engine.transmit(now, &mut Some(Token(&mut frame)));
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
    let handled = engine.receive(now, frame, meta, &mut Some(Token(&mut answer)));
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

/// RFC 5961, section 7: two ends that each find the other's segments unacceptable do not feed each other. Here both
/// were asked for a connection in the other's name.
#[test]
fn rfc5961_7_two_half_open_connections_do_not_answer_each_other_for_ever() {
    let mut pair = Pair::new(Medium::Ip);
    let mut wire = VecDeque::new();
    for (side, (own, other)) in [(A, B), (B, A)].into_iter().enumerate() {
        let socket = pair.socket(side);
        pair.engines[side]
            .tcp_listen(socket, IpListenEndpoint::from(80))
            .unwrap();
        let mut attacker = engine(other, Medium::Ip);
        let key = attacker
            .tcp_open(vec![0; 4096].into(), vec![0; 4096].into())
            .unwrap();
        let remote = IpEndpoint::new(own.into(), 80);
        attacker
            .tcp_connect(key, remote, IpListenEndpoint::from(80))
            .unwrap();
        wire.extend(next_frame(&mut attacker, pair.now).map(|request| (side, request)));
    }
    let mut answers = 0;
    while let Some((side, bytes)) = wire.pop_front() {
        let (_, answer) = receive(&mut pair.engines[side], pair.now, &bytes, RxMeta::new());
        answers += answer.iter().count();
        assert!(answers < 100, "they never stop");
        wire.extend(answer.map(|answer| (1 - side, answer)));
    }
}

/// RFC 9293, section 3.6.1: a new SYN reopens a connection from TIME-WAIT. One that opens nothing does not end the wait.
#[test]
fn a_request_that_nobody_takes_leaves_the_memory_of_the_connection_before() {
    let mut pair = Pair::new(Medium::Ip);
    let (client, server) = pair.connection_from(40_000);
    pair.engines[0].tcp_with(client, |c| c.close());
    pair.drive();
    pair.engines[1].tcp_with(server, |c| c.close());
    pair.drive();
    assert_eq!(pair.state(0, client), State::TimeWait);
    let remembered = |pair: &Pair| pair.engines[0].tcp.time_wait.iter().count();
    assert_eq!(remembered(&pair), 1);
    pair.now += Duration::from_secs(1);
    pair.engines[1].on_timeout(pair.now);
    let remote = IpEndpoint::new(A.into(), 40_000);
    pair.engines[1]
        .tcp_connect(server, remote, IpListenEndpoint::from(80))
        .unwrap();
    pair.drive();
    let connection = pair.engines[1].tcp(server).unwrap();
    assert_eq!(connection.error(), Some(ConnectionError::Refused));
    assert_eq!(remembered(&pair), 1);
    // One that somebody takes does.
    let listener = pair.socket(0);
    pair.engines[0]
        .tcp_listen(listener, IpListenEndpoint::from(40_000))
        .unwrap();
    pair.engines[1]
        .tcp_connect(server, remote, IpListenEndpoint::from(80))
        .unwrap();
    pair.drive();
    assert_eq!(pair.state(0, listener), State::Established);
    assert_eq!(remembered(&pair), 0);
}

#[test]
fn a_refused_connection_says_so() {
    let mut pair = Pair::new(Medium::Ethernet);
    let client = pair.socket(0);
    let remote = IpEndpoint::new(B.into(), 81);
    pair.engines[0]
        .tcp_connect(client, remote, IpListenEndpoint::from(0))
        .unwrap();
    pair.drive();
    let connection = pair.engines[0].tcp(client).unwrap();
    assert_eq!(connection.error(), Some(ConnectionError::Refused));
    assert_eq!(pair.engines[1].stats().discarded(Discard::NoSocket), 1);
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
        pair.engines[0].tcp_detach(client);
        pair.drive();
        assert_eq!(pair.read(1, server), b"x");
        pair.engines[1].tcp_detach(server);
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
    pair.engines[0].tcp_detach(client);
    pair.engines[1].tcp_detach(server);
    pair.drive();
    pair.run_for(Duration::from_secs(120));
    assert_eq!(
        pair.engines[0].next_deadline(),
        Instant::FAR_FUTURE,
        "TIME-WAIT has passed"
    );
}

#[test]
fn a_listener_takes_as_many_as_its_pool_and_gives_pairs_back() {
    let mut pair = Pair::new(Medium::Ip);
    let pairs: Vec<_> = (0..2)
        .map(|_| {
            Some(BufferPair {
                receive: vec![0; 64].into(),
                send: vec![0; 64].into(),
            })
        })
        .collect();
    let server = &mut pair.engines[1];
    let pool = server.add_pool(pairs.into()).unwrap();
    let listener = server
        .listener_bind(IpListenEndpoint::from(80), pool)
        .unwrap();
    for round in 0..20 {
        let clients: Vec<_> = (0..3).map(|_| pair.socket(0)).collect();
        for &client in &clients {
            let remote = IpEndpoint::new(B.into(), 80);
            pair.engines[0]
                .tcp_connect(client, remote, IpListenEndpoint::from(0))
                .unwrap();
            pair.drive();
        }
        let states: Vec<_> = clients.iter().map(|&c| pair.state(0, c)).collect();
        assert_eq!(
            states,
            [State::Established, State::Established, State::SynSent],
            "round {round}: the third waits for room"
        );
        assert_eq!(
            pair.engines[1].poll_event().map(|(key, _)| key),
            Some(listener)
        );
        for _ in 0..2 {
            let accepted = pair.engines[1].listener_accept(listener).unwrap();
            pair.engines[1].tcp_detach(accepted);
        }
        assert_eq!(pair.engines[1].listener_accept(listener), None);
        for client in clients {
            pair.engines[0].tcp_detach(client);
        }
        pair.drive();
        while pair.engines[1].poll_event().is_some() {}
    }
    assert!(pair.engines[1].stats().discarded(Discard::BacklogFull) >= 20);
}

#[test]
fn a_request_is_not_answered_again_from_an_address_that_is_gone() {
    let mut pair = Pair::new(Medium::Ip);
    let (client, server) = (pair.socket(0), pair.socket(1));
    pair.engines[1]
        .tcp_listen(server, IpListenEndpoint::from(80))
        .unwrap();
    let remote = IpEndpoint::new(B.into(), 80);
    pair.engines[0]
        .tcp_connect(client, remote, IpListenEndpoint::from(0))
        .unwrap();
    let request = next_frame(&mut pair.engines[0], pair.now).unwrap();
    let (_, answer) = receive(&mut pair.engines[1], pair.now, &request, RxMeta::new());
    assert!(answer.is_some(), "which is lost");

    let server = &mut pair.engines[1];
    // By which the peer is in reach all the same.
    let other = Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, 3), 24);
    server.add_address(IpCidr::Ipv4(other)).unwrap();
    assert!(server.remove_address(B.into()));
    for second in 2..100 {
        let now = Instant::from_secs(second);
        server.on_timeout(now);
        assert_eq!(next_frame(server, now), None, "after {second} s");
    }
}

#[cfg(feature = "proto-ipv6")]
#[test]
fn a_link_local_address_that_found_no_room_or_was_removed_is_made_when_it_is_asked_for() {
    let mut engine = engine(A, Medium::Ip);
    let other = |n: usize| Ipv4Addr::new(10, 0, n as u8, 1);
    for n in 1..cygnet_config::IFACE_MAX_ADDR_COUNT {
        let cidr = Ipv4Cidr::new(other(n), 24);
        engine.add_address(IpCidr::Ipv4(cidr)).unwrap();
    }
    let full = engine.set_config_v6(ConfigV6::LinkLocal);
    assert_eq!(full, Err(ConfigError::TooManyAddresses));
    assert_eq!(engine.link_local_v6(), None);

    assert!(engine.remove_address(other(1).into()));
    for _ in 0..2 {
        engine.set_config_v6(ConfigV6::LinkLocal).unwrap();
        let ours = IpAddress::from(engine.link_local_v6().unwrap());
        assert!(engine.address_state(ours).is_some());
        assert!(engine.remove_address(ours));
        assert_eq!(engine.link_local_v6(), None);
    }
}

#[cfg(feature = "proto-ipv6")]
#[test]
fn a_gateway_is_a_host_of_the_version_of_ip_that_goes_through_it() {
    let mut engine = engine(A, Medium::Ethernet);
    let beyond = IpCidr::Ipv4(Ipv4Cidr::new(Ipv4Addr::new(192, 0, 2, 0), 24));
    let router = IpAddress::Ipv6(core::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1));
    for gateway in [router, Ipv4Addr::new(224, 0, 0, 2).into()] {
        let added = engine.add_route(beyond, Some(gateway));
        assert_eq!(added, Err(ConfigError::NotUnicast));
    }
    assert!(!engine.remove_route(beyond));
    engine.add_route(beyond, Some(B.into())).unwrap();
}

#[test]
fn events_tell_what_happened() {
    let mut pair = Pair::new(Medium::Ip);
    let (client, server) = pair.connection();
    while pair.engines[0].poll_event().is_some() {}
    while pair.engines[1].poll_event().is_some() {}
    pair.write(0, client, b"x");
    pair.drive();
    let (key, events) = pair.engines[1].poll_event().unwrap();
    assert_eq!(key, server);
    assert!(events.contains(Events::READABLE) && !events.contains(Events::STATE));
    pair.run_for(Duration::from_secs(1));
    let (key, events) = pair.engines[0].poll_event().unwrap();
    assert_eq!(key, client);
    assert!(events.contains(Events::WRITABLE));
}

#[test]
fn a_connection_stays_small() {
    assert!(size_of::<crate::tcp::Connection<'static>>() <= 512);
}

/// A wire that takes time and loses frames, by seed.
struct LossyWire {
    pair: Pair,
    random: Random,
    in_flight: VecDeque<(Instant, usize, Vec<u8>)>,
    delay: Duration,
    loss_percent: u32,
}

impl LossyWire {
    fn new(seed: u64, delay: Duration, loss_percent: u32) -> Self {
        Self {
            pair: Pair::new(Medium::Ip),
            random: Random::new(Seed::from(seed)),
            in_flight: VecDeque::new(),
            delay,
            loss_percent,
        }
    }

    fn put(&mut self, from: usize, bytes: Vec<u8>) {
        if self.random.below(100) >= self.loss_percent {
            let at = self.pair.now + self.delay;
            self.in_flight.push_back((at, from, bytes));
        }
    }

    /// Sends what there is to send, then goes on to whatever comes next: a frame or a deadline. False if
    /// nothing does.
    fn step(&mut self) -> bool {
        for side in 0..2 {
            while let Some(bytes) = next_frame(&mut self.pair.engines[side], self.pair.now) {
                self.put(side, bytes);
            }
        }
        let deadline = self.pair.next_deadline();
        let deadline = (deadline != Instant::FAR_FUTURE).then_some(deadline);
        let arrival = self.in_flight.front().map(|&(at, ..)| at);
        let Some(next) = deadline.into_iter().chain(arrival).min() else {
            return false;
        };
        self.pair.now = self.pair.now.max(next);
        if arrival == Some(next)
            && let Some((_, from, bytes)) = self.in_flight.pop_front()
        {
            let to = 1 - from;
            let engine = &mut self.pair.engines[to];
            let (_, answer) = receive(engine, self.pair.now, &bytes, RxMeta::new());
            if let Some(answer) = answer {
                self.put(to, answer);
            }
        } else {
            for engine in &mut self.pair.engines {
                engine.on_timeout(self.pair.now);
            }
        }
        true
    }

    /// Moves `len` bytes from A to B.
    fn transfer(&mut self, len: usize) {
        let (client, server) = {
            let server = self.pair.big_socket(1);
            self.pair.engines[1]
                .tcp_listen(server, IpListenEndpoint::from(80))
                .unwrap();
            let client = self.pair.big_socket(0);
            let remote = IpEndpoint::new(B.into(), 80);
            self.pair.engines[0]
                .tcp_connect(client, remote, IpListenEndpoint::from(0))
                .unwrap();
            (client, server)
        };
        let data: Vec<u8> = (0..len as u32).map(|i| (i * 7 % 251) as u8).collect();
        let (mut sent, mut received) = (0, Vec::new());
        while received.len() < len {
            if self.pair.engines[0].tcp(client).unwrap().can_write() {
                sent += self.pair.write(0, client, &data[sent..]);
            }
            assert!(self.step(), "stuck after {} bytes", received.len());
            // All of it: the last frame may bring more than one read takes.
            loop {
                let read = self.pair.read(1, server);
                if read.is_empty() {
                    break;
                }
                received.extend(read);
            }
            assert_eq!(self.pair.engines[0].tcp(client).unwrap().error(), None);
        }
        assert!(received == data);
    }
}

impl Pair {
    fn big_socket(&mut self, side: usize) -> SocketKey {
        self.engines[side]
            .tcp_open(vec![0; 65536].into(), vec![0; 65536].into())
            .expect("there is a slot")
    }
}

#[test]
fn a_transfer_over_a_lossy_wire_arrives_byte_by_byte() {
    for loss_percent in [0, 1, 5, 19, 40] {
        for seed in 0..8 {
            let mut wire = LossyWire::new(seed, Duration::from_micros(100), loss_percent);
            let len = if loss_percent > 20 { 50_000 } else { 1_000_000 };
            wire.transfer(len);
            let retransmits = wire.pair.engines[0].stats().retransmits;
            assert_eq!(retransmits > 0, loss_percent > 0, "seed {seed}");
        }
    }
}

// RFC 3927 section 2.5: "All ARP packets (*replies* as well as requests) that contain a Link-Local 'sender IP
// address' MUST be sent using link-layer broadcast instead of link-layer unicast."
#[cfg(feature = "medium-ethernet")]
#[test]
fn arp_packets_of_a_link_local_address_are_for_all_to_see() {
    let link_local = Ipv4Addr::new(169, 254, 1, 1);
    for (asked, destination) in [(A, [2, 0, 0, 0, 0, 2]), (link_local, [0xff; 6])] {
        let mut engine = engine(A, Medium::Ethernet);
        engine
            .add_address(IpCidr::Ipv4(Ipv4Cidr::new(link_local, 16)))
            .unwrap();
        let request = crate::wire::ArpPacket {
            operation: crate::wire::ArpOperation::Request,
            sender_hardware: crate::wire::EthernetAddress([2, 0, 0, 0, 0, 2]),
            sender_protocol: B,
            target_hardware: crate::wire::EthernetAddress([0; 6]),
            target_protocol: asked,
        };
        let now = Instant::from_secs(1);
        let mut frame = Vec::new();
        let everybody = &crate::wire::EthernetAddress::BROADCAST;
        engine.send_arp(&mut Some(Token(&mut frame)), everybody, &request);
        let (_, answer) = receive(&mut engine, now, &frame, RxMeta::new());
        let answer = answer.expect("an answer");
        assert_eq!(answer[..6], destination, "{asked}");
    }
}
