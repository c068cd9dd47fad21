//! Fragments of both versions of IP, in any order, true and false, against the simplest reassembler there is:
//! one cell for each byte. What the stack delivers must be what that delivers, fragment by fragment.
//!
//! Each datagram's content follows from its identification. A lie is two words of sixteen bits that changed
//! their places, which no checksum notices: what keeps lies out is reassembly alone.

use arbitrary::{Arbitrary, Unstructured};
use cygnet::wire::ipv6::{FRAGMENT_HEADER_LEN, FragmentHeader};
use cygnet::wire::{IpProtocol, Ipv4Header};
use cygnet::{Duration, Instant, IpAddress, UdpPacketMetadata, UdpSocket};
use cygnet_config::{ASSEMBLER_MAX_SEGMENT_COUNT, REASSEMBLY_BUFFER_COUNT};
use cygnet_driver::{Clock as _, Medium};

use crate::packets;
use crate::stand::{
    Memory, OUR_ADDRESS, OUR_ADDRESS_V6, PEER_ADDRESS, PEER_ADDRESS_V6, SLOTS, Stand,
};

/// A piece of a datagram, or time that passes.
#[derive(Arbitrary, Debug)]
enum Step {
    Piece(Piece),
    /// A piece as it should be: the next that was not sent yet.
    Next {
        v6: bool,
        ident: u8,
        units: u8,
    },
    Seconds(u8),
}

#[derive(Arbitrary, Debug)]
struct Piece {
    v6: bool,
    ident: u8,
    /// Where it begins, and how long it is, in units of eight bytes.
    at: u8,
    units: u8,
    /// How many bytes less than that.
    less: u8,
    /// What else is wrong, one bit for each: see [`Lie`].
    lies: u8,
    ecn: u8,
}

/// What a piece may say that is not so.
struct Lie;

impl Lie {
    /// Words are exchanged.
    const CONTENT: u8 = 1;
    /// It says that there are more, or that it is the last.
    const MORE: u8 = 2;
    /// It stands beyond the datagram's end.
    const BEYOND: u8 = 4;
    /// It says how congested the way was.
    const ECN: u8 = 8;
}

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(steps) = Vec::<Step>::arbitrary_take_rest(Unstructured::new(input)) else {
        return;
    };
    let mut memory = Memory::new();
    let mut play = Play::new(Stand::new(&mut memory, Medium::Ip));
    for step in steps.iter().take(STEPS) {
        play.step(step);
    }
    play.end();
}

struct Play<'d> {
    stand: Stand<'d>,
    socket: UdpSocket<'d>,
    model: Model,
    /// How much of each datagram was sent in order.
    next: [[usize; IDENTS]; 2],
}

/// A fragment as it goes over the wire.
struct Fragment {
    key: Key,
    offset: usize,
    more: bool,
    ecn: u8,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    v6: bool,
    ident: u8,
}

impl<'d> Play<'d> {
    fn new(stand: Stand<'d>) -> Self {
        let meta = || vec![UdpPacketMetadata::EMPTY; 2];
        let socket = UdpSocket::new(stand.stack, meta(), vec![0; 4_096], meta(), vec![0; 64]);
        let mut socket = socket.expect("a slot");
        socket.bind(7).expect("a free port");
        Self {
            stand,
            socket,
            model: Model::default(),
            next: [[0; IDENTS]; 2],
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Piece(ref piece) => {
                let fragment = piece.fragment();
                self.send(&fragment);
            }
            Step::Next { v6, ident, units } => {
                let ident = ident % IDENTS as u8;
                let key = Key { v6, ident };
                let whole = key.datagram();
                let from = self.next[usize::from(v6)][usize::from(ident)] % whole.len();
                let to = whole.len().min(from + (usize::from(units) + 1) * 8);
                self.next[usize::from(v6)][usize::from(ident)] = to;
                self.send(&Fragment {
                    key,
                    offset: from,
                    more: to < whole.len(),
                    ecn: 0,
                    bytes: whole[from..to].to_vec(),
                });
            }
            Step::Seconds(seconds) => self.stand.pass(Duration::from_secs(seconds.into())),
        }
    }

    /// No two fragments come at the same time, so that it is always certain which datagram is the oldest.
    fn send(&mut self, fragment: &Fragment) {
        self.stand.pass(Duration::from_millis(1));
        let expected = self.model.on_fragment(self.stand.clock.now(), fragment);
        self.stand.receive(&fragment.packet());
        let mut buffer = [0; 4_096];
        let received = match self.stand.ask(self.socket.recv_from(&mut buffer)) {
            Some(Ok((len, _))) => Some(buffer[..len].to_vec()),
            _ => None,
        };
        assert_eq!(received, expected);
        // At most an error about it, or about one whose time was over.
        assert!(self.stand.sent().len() <= 4 * REASSEMBLY_BUFFER_COUNT);
    }

    /// When all is over, there is room again for everything.
    fn end(mut self) {
        self.stand.pass(Duration::from_secs(121));
        for v6 in [false, true] {
            for ident in 0..IDENTS as u8 {
                let key = Key { v6, ident };
                let whole = key.datagram();
                let (first, second) = whole.split_at(8);
                for (offset, bytes) in [(8, second), (0, first)] {
                    self.send(&Fragment {
                        key,
                        offset,
                        more: offset == 0,
                        ecn: 0,
                        bytes: bytes.to_vec(),
                    });
                }
                assert!(!self.model.holds(key), "the model delivers it, too");
            }
        }
        drop(self.socket);
        let stack = self.stand.stack;
        let again =
            std::iter::from_fn(|| UdpSocket::new(stack, vec![], vec![], vec![], vec![]).ok());
        assert_eq!(again.collect::<Vec<_>>().len(), SLOTS);
    }
}

impl Piece {
    fn fragment(&self) -> Fragment {
        let key = Key {
            v6: self.v6,
            ident: self.ident % IDENTS as u8,
        };
        let whole = key.datagram();
        let lies = |lie| self.lies & lie != 0;
        let units = whole.len().div_ceil(8);
        let from = match lies(Lie::BEYOND) {
            true => usize::from(self.at) * 8,
            false => usize::from(self.at) % units * 8,
        };
        // As long as a frame carries.
        let len = (usize::from(self.units % 128) * 8).saturating_sub(usize::from(self.less % 8));
        let to = match lies(Lie::BEYOND) {
            true => from + len,
            false => whole.len().min(from + len),
        };
        let mut bytes: Vec<u8> = (from..to)
            .map(|at| whole.get(at).copied().unwrap_or(0x77))
            .collect();
        // Not in the UDP header, of which more than the checksum is looked at.
        let len = bytes.len();
        if lies(Lie::CONTENT) && len >= 12 && len.is_multiple_of(2) {
            let (front, back) = bytes.split_at_mut(len - 2);
            front[len - 4..].swap_with_slice(back);
        }
        Fragment {
            key,
            offset: from,
            more: (to < whole.len()) != lies(Lie::MORE),
            ecn: if lies(Lie::ECN) { self.ecn & 3 } else { 0 },
            bytes,
        }
    }
}

impl Key {
    fn ends(self) -> (IpAddress, IpAddress) {
        match self.v6 {
            true => (PEER_ADDRESS_V6.into(), OUR_ADDRESS_V6.into()),
            false => (PEER_ADDRESS.into(), OUR_ADDRESS.into()),
        }
    }

    /// All of the datagram, of a length that is a multiple of eight or not.
    fn datagram(self) -> Vec<u8> {
        let len = 30 + 53 * usize::from(self.ident);
        let seed = self.ident.wrapping_mul(31) ^ u8::from(self.v6);
        let data: Vec<u8> = (0..len)
            .map(|at| (at as u8).wrapping_mul(7) ^ seed)
            .collect();
        packets::udp(self.ends(), (9, 7), &data)
    }
}

impl Fragment {
    fn packet(&self) -> Vec<u8> {
        if !self.key.v6 {
            let mut packet = packets::ipv4(
                (PEER_ADDRESS, OUR_ADDRESS),
                IpProtocol::UDP,
                64,
                &self.bytes,
            );
            let (header, _) = Ipv4Header::parse(&packet, true).expect("a header of our own");
            Ipv4Header {
                dscp_ecn: self.ecn,
                ident: self.key.ident.into(),
                more_fragments: self.more,
                fragment_offset: self.offset as u16,
                ..header
            }
            .emit(&mut packet);
            return packet;
        }
        let mut payload = vec![0; FRAGMENT_HEADER_LEN];
        FragmentHeader {
            ident: self.key.ident.into(),
            offset: self.offset as u16,
            more: self.more,
            next_header: IpProtocol::UDP,
            data_offset: 0,
        }
        .emit(&mut payload);
        payload.extend(&self.bytes);
        let ends = (PEER_ADDRESS_V6, OUR_ADDRESS_V6);
        let mut packet = packets::ipv6(ends, IpProtocol::FRAGMENT, 64, &payload);
        packet[1] |= self.ecn << 4;
        packet
    }
}

/// The simplest reassembler.
#[derive(Default)]
struct Model(Vec<Partial>);

struct Partial {
    key: Key,
    expires: Instant,
    cells: Vec<Option<u8>>,
    len: Option<usize>,
    ecns: [bool; 4],
    /// Something contradicted something else.
    dead: bool,
}

impl Model {
    fn holds(&self, key: Key) -> bool {
        self.0.iter().any(|partial| partial.key == key)
    }

    /// The datagram's data, if it is whole now.
    fn on_fragment(&mut self, now: Instant, fragment: &Fragment) -> Option<Vec<u8>> {
        self.0.retain(|partial| partial.expires > now);
        let end = fragment.offset + fragment.bytes.len();
        if fragment.offset == 0 && !fragment.more {
            // It is all of its datagram, and has nothing to do with others (RFC 6946).
            return data_of(fragment.key, &fragment.bytes);
        }
        let unaligned = fragment.more && !fragment.bytes.len().is_multiple_of(8);
        if fragment.bytes.is_empty() || unaligned {
            return None;
        }
        if !self.holds(fragment.key) {
            if self.0.len() == REASSEMBLY_BUFFER_COUNT {
                let oldest = self.0.iter().enumerate();
                let oldest = oldest.min_by_key(|(_, partial)| (!partial.dead, partial.expires));
                let (oldest, _) = oldest.expect("there is one");
                self.0.remove(oldest);
            }
            let timeout = Duration::from_secs(if fragment.key.v6 { 60 } else { 30 });
            self.0.push(Partial {
                key: fragment.key,
                expires: now + timeout,
                cells: Vec::new(),
                len: None,
                ecns: [false; 4],
                dead: false,
            });
        }
        let nth = self.0.iter().position(|p| p.key == fragment.key);
        let nth = nth.expect("it was made");
        let partial = &mut self.0[nth];
        partial.add(fragment, end);
        if partial.dead || !partial.is_whole() {
            return None;
        }
        if partial.ecns[3] && partial.ecns[0] {
            // RFC 3168, section 5.3.
            partial.dead = true;
            return None;
        }
        let whole: Option<Vec<u8>> = partial.cells.iter().copied().collect();
        self.0.remove(nth);
        data_of(fragment.key, &whole?)
    }
}

impl Partial {
    fn add(&mut self, fragment: &Fragment, end: usize) {
        if self.dead {
            return;
        }
        let agrees = match (self.len, fragment.more) {
            (None, true) => true,
            (None, false) => self.cells.len() <= end,
            (Some(len), false) => len == end,
            (Some(len), true) => end < len,
        };
        if !agrees {
            self.dead = true;
            return;
        }
        if !fragment.more {
            self.len = Some(end);
        }
        if self.cells.len() < end {
            self.cells.resize(end, None);
        }
        let place = &mut self.cells[fragment.offset..end];
        let there = place.iter().zip(&fragment.bytes);
        if there.clone().all(|(cell, byte)| *cell == Some(*byte)) {
            return;
        }
        if there.clone().any(|(cell, _)| cell.is_some()) {
            self.dead = true;
            return;
        }
        for (cell, byte) in place.iter_mut().zip(&fragment.bytes) {
            *cell = Some(*byte);
        }
        self.ecns[usize::from(fragment.ecn)] = true;
        self.dead = self.ranges() > ASSEMBLER_MAX_SEGMENT_COUNT;
    }

    fn is_whole(&self) -> bool {
        self.len == Some(self.cells.len()) && self.cells.iter().all(Option::is_some)
    }

    /// How many separate parts of it are there.
    fn ranges(&self) -> usize {
        self.cells
            .chunk_by(|a, b| a.is_some() == b.is_some())
            .filter(|chunk| chunk[0].is_some())
            .count()
    }
}

/// What a UDP datagram carries, if it is for port 7 and right.
fn data_of(key: Key, datagram: &[u8]) -> Option<Vec<u8>> {
    let (src, dst) = key.ends();
    let parsed = cygnet::wire::UdpHeader::parse(datagram, src, dst, true);
    let (header, data) = parsed.ok()?;
    (header.dst_port == 7).then(|| data.to_vec())
}

/// Datagrams of each version.
const IDENTS: usize = 6;

/// More steps of one input are left out.
const STEPS: usize = 500;
