//! More neighbors than are remembered.

use cygnet_config::IFACE_NEIGHBOR_CACHE_COUNT;

use super::*;
use crate::engine::interface::INTERFACE;
use crate::link::NeighborKey;
use crate::wire::{ArpOperation, ArpPacket, EthernetAddress};

/// Nobody yet.
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 3);

/// A reply to A.
fn reply(from: Ipv4Addr) -> ArpPacket {
    let [.., last] = from.octets();
    ArpPacket {
        operation: ArpOperation::Reply,
        sender_hardware: EthernetAddress([2, 0, 0, 0, 0, last]),
        sender_protocol: from,
        target_hardware: EthernetAddress([2, 0, 0, 0, 0, 1]),
        target_protocol: A,
    }
}

fn answer(engine: &mut Engine<'_>, now: Instant, from: Ipv4Addr) {
    let reply = reply(from);
    let mut frame = Vec::new();
    engine.send_arp(&mut Some(Token(&mut frame)), &reply.target_hardware, &reply);
    let _ = receive(engine, now, &frame, RxMeta::new());
}

/// Has a neighbor that answered once asked whether it is still there.
fn doubt(engine: &mut Engine<'_>, now: Instant, address: Ipv4Addr) {
    let mut key: Option<NeighborKey> = None;
    let neighbors = &mut engine.interface.ethernet.neighbors;
    neighbors.lookup(now, INTERFACE, address.into(), &mut key);
    answer(engine, now, address);
    engine.interface.ethernet.neighbors.doubt(now, key.unwrap());
}

/// Sends all there is. Whether another neighbor was asked for.
fn asks_for_other(engine: &mut Engine<'_>, now: Instant) -> bool {
    let mut asks = false;
    while engine.wants_to_transmit(now) {
        if let Some(frame) = next_frame(engine, now)
            && let Ok(packet) = ArpPacket::parse(&frame[14..])
        {
            asks |= packet.target_protocol == OTHER;
        }
    }
    asks
}

/// A pair with a connection, all neighbors of A in doubt, and no room for one that it is to connect to.
fn crowded() -> (Pair, SocketKey) {
    let mut pair = Pair::new(Medium::Ethernet);
    let (client, _) = pair.connection();
    let (now, a) = (pair.now, &mut pair.engines[0]);
    doubt(a, now, B);
    for n in 1..IFACE_NEIGHBOR_CACHE_COUNT {
        doubt(a, now, Ipv4Addr::from_bits(A.to_bits() + 16 + n as u32));
    }
    let socket = pair.socket(0);
    let (a, remote) = (&mut pair.engines[0], IpEndpoint::new(OTHER.into(), 80));
    a.tcp_connect(socket, remote, IpListenEndpoint::from(0))
        .unwrap();
    assert!(!asks_for_other(a, now), "there is no room");
    (pair, client)
}

#[test]
fn when_one_is_confirmed_another_can_be_looked_for() {
    let (mut pair, _) = crowded();
    answer(&mut pair.engines[0], pair.now, B);
    assert!(asks_for_other(&mut pair.engines[0], pair.now));
}

#[test]
fn when_the_link_is_back_others_can_be_looked_for() {
    let (mut pair, _) = crowded();
    for up in [false, true] {
        pair.engines[0].set_link_up(up, pair.now);
    }
    assert!(asks_for_other(&mut pair.engines[0], pair.now));
}

#[test]
fn when_a_connection_makes_progress_another_can_be_looked_for() {
    let (mut pair, client) = crowded();
    pair.write(0, client, b"still there");
    let [a, b] = &mut pair.engines;
    let data = next_frame(a, pair.now).unwrap();
    let _ = receive(b, pair.now, &data, RxMeta::new());
    let now = pair.now + Duration::from_secs(1);
    b.on_timeout(now);
    let acknowledgment = next_frame(b, now).unwrap();
    let _ = receive(a, now, &acknowledgment, RxMeta::new());
    assert!(asks_for_other(a, now));
}
