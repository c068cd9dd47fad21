//! A socket's turn: how much of what it has goes at once.

use super::*;
use crate::wire::{Ipv4Header, TcpSegment, UdpHeader};

const C: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 3);

/// Room for some frames, and those that were sent.
struct Row {
    left: usize,
    frames: Vec<Vec<u8>>,
}

impl Room for Row {
    fn send(&mut self, outgoing: &Outgoing<'_>) -> bool {
        assert!(self.left > 0, "more than there is room for");
        self.left -= 1;
        self.frames.push(frame(outgoing));
        false
    }

    fn has_more(&mut self) -> bool {
        self.left > 0
    }
}

/// What an engine sends in one turn, if there is room for so many frames.
fn turn(engine: &mut Engine<'_>, now: Instant, room: usize) -> Vec<Vec<u8>> {
    let mut row = Row {
        left: room,
        frames: Vec::new(),
    };
    let sent = engine.transmit(&mut row, now);
    assert_eq!(sent, !row.frames.is_empty());
    row.frames
}

/// The first byte of the datagram in each frame, and where it goes.
fn datagrams(frames: &[Vec<u8>]) -> Vec<(u8, Ipv4Addr)> {
    let parse = |frame: &Vec<u8>| {
        let (ip, packet) = Ipv4Header::parse(frame, true).unwrap();
        let (_, data) = UdpHeader::parse(packet, ip.src.into(), ip.dst.into(), true).unwrap();
        (data[0], ip.dst)
    };
    frames.iter().map(parse).collect()
}

/// A with a socket, on a link where nobody's hardware address has to be found out.
fn sender() -> (Pair, SocketKey) {
    let mut pair = Pair::new(Medium::Ip);
    let socket = open(&mut pair);
    (pair, socket)
}

fn open(pair: &mut Pair) -> SocketKey {
    let buffers = || {
        (
            vec![UdpPacketMetadata::EMPTY; 8].into(),
            vec![0; 8_192].into(),
        )
    };
    let a = &mut pair.engines[0];
    let socket = a.udp_open(buffers(), buffers()).expect("there is a slot");
    a.udp_bind(socket, IpListenEndpoint::from(0)).unwrap();
    socket
}

fn queue(engine: &mut Engine<'_>, socket: SocketKey, name: u8, to: Ipv4Addr, len: usize) {
    let to = IpEndpoint::new(to.into(), 7);
    let write = |room: &mut [u8]| {
        room.fill(name);
        (room.len(), ())
    };
    Udp::send(engine, socket, &to.into(), len, write).unwrap();
}

#[test]
fn datagrams_to_one_host_go_in_a_row_that_ends_where_another_host_is_next() {
    let (mut pair, socket) = sender();
    let a = &mut pair.engines[0];
    for (name, to) in [(1, B), (2, B), (3, C), (4, B)] {
        queue(a, socket, name, to, 10);
    }
    let mut turns = || datagrams(&turn(a, pair.now, 8));
    assert_eq!(turns(), [(1, B), (2, B)]);
    assert_eq!(turns(), [(3, C)]);
    assert_eq!(turns(), [(4, B)]);
    assert_eq!(turns(), []);
}

#[test]
fn a_row_ends_with_the_room_and_goes_on_in_the_next_turn() {
    let (mut pair, socket) = sender();
    let a = &mut pair.engines[0];
    let before = a.stats.sent;
    for name in 1..=5 {
        queue(a, socket, name, B, 10);
    }
    let mut turns = |room| datagrams(&turn(a, pair.now, room));
    assert_eq!(turns(1), [(1, B)]);
    assert_eq!(turns(3), [(2, B), (3, B), (4, B)]);
    assert_eq!(turns(3), [(5, B)]);
    assert_eq!(turns(3), []);
    assert_eq!(a.stats.sent - before, 5);
}

#[test]
fn sockets_take_turns() {
    let (mut pair, first) = sender();
    let second = open(&mut pair);
    let a = &mut pair.engines[0];
    for name in 1..=4 {
        queue(a, first, name, B, 10);
        queue(a, second, 10 + name, B, 10);
    }
    let mut turns = || datagrams(&turn(a, pair.now, 2));
    assert_eq!(turns(), [(1, B), (2, B)]);
    assert_eq!(turns(), [(11, B), (12, B)]);
    assert_eq!(turns(), [(3, B), (4, B)]);
    assert_eq!(turns(), [(13, B), (14, B)]);
}

#[test]
fn datagrams_of_a_row_have_identifications_of_their_own() {
    let (mut pair, socket) = sender();
    let a = &mut pair.engines[0];
    for name in 1..=3 {
        queue(a, socket, name, B, 10);
    }
    let ident = |frame: &Vec<u8>| Ipv4Header::parse(frame, true).unwrap().0.ident;
    let mut idents: Vec<u16> = turn(a, pair.now, 8).iter().map(ident).collect();
    idents.dedup();
    assert_eq!(idents.len(), 3);
}

#[cfg(feature = "ip-fragments")]
#[test]
fn a_datagram_in_fragments_keeps_its_place_in_the_row() {
    let (mut pair, socket) = sender();
    let a = &mut pair.engines[0];
    queue(a, socket, 1, B, 10);
    queue(a, socket, 2, B, 4_000);
    queue(a, socket, 3, B, 10);
    // Where each fragment begins in its datagram, and how long it is.
    let mut turns = |room| {
        let frames = turn(a, pair.now, room);
        let place = |frame: &Vec<u8>| {
            let (ip, payload) = Ipv4Header::parse(frame, true).unwrap();
            (ip.fragment_offset, payload.len())
        };
        frames.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(turns(2), [(0, 18), (0, 1_488)]);
    assert_eq!(turns(8), [(1_488, 1_488), (2_976, 1_032), (0, 18)]);
    assert_eq!(turns(8), []);
}

#[test]
fn a_connection_sends_what_its_windows_allow_in_one_turn() {
    let mut pair = Pair::new(Medium::Ip);
    let (client, _) = pair.connection();
    let written = pair.write(0, client, &[7; 4_000]);
    assert_eq!(written, 4_000);
    let a = &mut pair.engines[0];
    let lens = |frames: Vec<Vec<u8>>| -> Vec<usize> {
        let payload = |frame: &Vec<u8>| {
            let (_, packet) = Ipv4Header::parse(frame, true).unwrap();
            let mut segment = TcpSegment::default();
            segment.read(packet).unwrap();
            segment.payload.len()
        };
        frames.iter().map(payload).collect()
    };
    // A last one that is shorter may wait for an acknowledgment (Nagle).
    let row = lens(turn(a, pair.now, 8));
    assert!(row.len() >= 2, "{row:?}");
    assert_eq!(row[0], row[1]);
    assert!(row[0] > 1_400);
    assert_eq!(lens(turn(a, pair.now, 8)), []);
}
