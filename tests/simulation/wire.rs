//! What stands between a host and the link: a middlebox that takes options out of SYNs, a peer that
//! reneges, a flood of requests, and an eye on what passes.

use std::cell::{Cell, RefCell};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::Context;

use cygnet::wire::{ChecksumMode, IpProtocol, Ipv4Header, SeqNum, TcpFlags, TcpHeader, TcpSegment};
use cygnet_driver::{
    Capabilities, Driver, HardwareAddress, LinkState, Medium, RxMeta, RxToken, TxMeta, TxToken,
};
use cygnet_tests::{Transport, repair_checksums, tcp_segment};

use crate::actors::LISTENER;
use crate::dice::Dice;

/// What is done to the segments of a host.
#[derive(Clone, Copy, Default)]
pub(crate) struct Meddling {
    pub(crate) strip_sack: bool,
    pub(crate) strip_timestamps: bool,
    pub(crate) strip_window_scale: bool,
    /// Connection requests of nobody come in where datagrams would.
    pub(crate) flood: bool,
    /// How often in a hundred the host throws away what it reported as received.
    pub(crate) renege: u64,
}

/// What was seen of what a host sent.
#[derive(Default)]
pub(crate) struct Seen {
    /// Segments whose numbers pass zero.
    pub(crate) wraps: Cell<u64>,
    /// Windows that closed.
    pub(crate) zero_windows: Cell<u64>,
    /// Reports of segments that arrived twice (RFC 2883).
    pub(crate) duplicate_reports: Cell<u64>,
    /// Segments with text.
    pub(crate) texts: Cell<u64>,
    /// SYNs that answer no SYN, by their numbers: the last, and the last that does.
    pub(crate) isn: Cell<Option<u32>>,
    pub(crate) answering_isn: Cell<Option<u32>>,
}

/// A driver with all of this around it.
pub(crate) struct Wire<D> {
    inner: D,
    eye: RefCell<Eye>,
}

struct Eye {
    medium: Medium,
    meddling: Meddling,
    dice: Dice,
    seen: Rc<Seen>,
    /// The right edge of the newest block that the host reported, and for which connection.
    edge: Option<(Ports, SeqNum)>,
    lie: Option<Lie>,
}

/// The ports of a connection, the host's first.
type Ports = (u16, u16);

/// Text that the host reports and does not have.
struct Lie {
    ports: Ports,
    from: SeqNum,
    to: SeqNum,
}

impl<D: Driver> Wire<D> {
    pub(crate) fn new(inner: D, meddling: Meddling, dice: Dice, seen: Rc<Seen>) -> Self {
        let eye = Eye {
            medium: inner.capabilities().medium,
            meddling,
            dice,
            seen,
            edge: None,
            lie: None,
        };
        Self {
            inner,
            eye: RefCell::new(eye),
        }
    }
}

impl Eye {
    /// A frame comes in. How long it is then.
    fn on_received(&mut self, frame: &mut [u8]) -> usize {
        if self.meddling.renege > 0 {
            self.renege(frame);
        }
        if self.meddling.flood
            && let Some(len) = self.forge_request(frame)
        {
            return len;
        }
        frame.len()
    }

    /// Makes a request of a datagram.
    fn forge_request(&mut self, frame: &mut [u8]) -> Option<usize> {
        let start = self.medium.header_len();
        let (ip, _) = Ipv4Header::parse(frame.get(start..)?, true).ok()?;
        let syn = TcpHeader {
            src_port: self.dice.between(1_024, 65_535) as u16,
            dst_port: LISTENER,
            seq: SeqNum::new(self.dice.below(1 << 32) as u32),
            flags: TcpFlags::SYN,
            window: 1_000,
            ..TcpHeader::default()
        };
        let room = frame.get_mut(start..start + 20 + syn.len())?;
        if ip.protocol != IpProtocol::UDP {
            return None;
        }
        let nobody = Ipv4Addr::new(10, 0, 0, self.dice.between(100, 250) as u8);
        let header = Ipv4Header {
            src: nobody,
            protocol: IpProtocol::TCP,
            payload_len: syn.len(),
            ..ip
        };
        header.emit(room);
        let (src, dst) = (header.src.into(), header.dst.into());
        let nothing: (&[u8], &[u8]) = (&[], &[]);
        syn.emit(&mut room[20..], src, dst, nothing, ChecksumMode::Full);
        Some(start + 20 + syn.len())
    }

    /// Throws away a segment, and remembers to report it.
    fn renege(&mut self, frame: &mut [u8]) {
        let Some(Transport { range, .. }) = tcp_segment(self.medium, frame) else {
            return;
        };
        let Ok(segment) = TcpSegment::parse(&frame[range.clone()]) else {
            return;
        };
        let header = segment.header;
        let ports = (header.dst_port, header.src_port);
        let (from, len) = (header.seq, segment.payload.len());
        let extends = self.edge == Some((ports, from)) && len > 0;
        if extends && self.lie.is_none() && self.dice.chance(self.meddling.renege) {
            let to = from + len as u32;
            self.lie = Some(Lie { ports, from, to });
            // With a wrong checksum the stack throws it away.
            frame[range.end - 1] ^= 0x55;
        }
    }

    fn on_sent(&mut self, frame: &mut [u8]) {
        let Some(Transport { range, .. }) = tcp_segment(self.medium, frame) else {
            return;
        };
        let Ok(segment) = TcpSegment::parse(&frame[range.clone()]) else {
            return;
        };
        let header = segment.header;
        let text = segment.payload.len() as u32;
        self.look(&segment);
        let options = range.start + 20..range.end - text as usize;
        let is_changed = if header.flags.contains(TcpFlags::SYN) {
            self.strip(&mut frame[options])
        } else {
            self.lie_about((header.src_port, header.dst_port), &segment_edges(&segment))
                .is_some_and(|(right, lie)| replace(&mut frame[options], right, lie))
        };
        if is_changed {
            repair_checksums(self.medium, frame);
        }
    }

    fn look(&self, segment: &TcpSegment<'_>) {
        let count = |cell: &Cell<u64>, happened| cell.set(cell.get() + u64::from(happened));
        let header = &segment.header;
        let has = |flags| header.flags.contains(flags);
        let end = header.seq + segment.segment_len();
        count(&self.seen.texts, !segment.payload.is_empty());
        count(&self.seen.wraps, end.get() < header.seq.get());
        count(
            &self.seen.zero_windows,
            header.window == 0 && !has(TcpFlags::SYN) && !has(TcpFlags::RST),
        );
        let first = segment.sack.iter().next();
        count(
            &self.seen.duplicate_reports,
            first.is_some_and(|(_, right)| right.at_or_before(header.ack)),
        );
        if has(TcpFlags::SYN) && has(TcpFlags::ACK) {
            self.seen.answering_isn.set(Some(header.seq.get()));
        } else if has(TcpFlags::SYN) {
            self.seen.isn.set(Some(header.seq.get()));
        }
    }

    /// Puts padding in the place of options.
    fn strip(&self, options: &mut [u8]) -> bool {
        let Meddling {
            strip_sack,
            strip_timestamps,
            strip_window_scale,
            ..
        } = self.meddling;
        let mut changed = false;
        for (at, kind, len) in each_option(options) {
            let strip = match kind {
                WINDOW_SCALE => strip_window_scale,
                SACK_PERMITTED => strip_sack,
                TIMESTAMPS => strip_timestamps,
                _ => false,
            };
            if strip {
                options[at..at + len].fill(NOP);
                changed = true;
            }
        }
        changed
    }

    /// What a report says instead of the truth: its right edge, and that of the lie.
    fn lie_about(
        &mut self,
        ports: Ports,
        report: &(SeqNum, Vec<SeqNum>),
    ) -> Option<(SeqNum, SeqNum)> {
        let (ack, edges) = report;
        if let Some(edge) = edges.first().filter(|edge| edge.after(*ack)) {
            self.edge = Some((ports, *edge));
        }
        let lie = self.lie.as_ref().filter(|lie| lie.ports == ports)?;
        if ack.at_or_after(lie.from) {
            // Now the truth is out.
            self.lie = None;
            return None;
        }
        edges.contains(&lie.from).then_some((lie.from, lie.to))
    }
}

/// What a segment acknowledges, and the right edges of its blocks.
fn segment_edges(segment: &TcpSegment<'_>) -> (SeqNum, Vec<SeqNum>) {
    let edges = segment.sack.iter().map(|(_, right)| right);
    (segment.header.ack, edges.collect())
}

/// Replaces the right edge of a block.
fn replace(options: &mut [u8], right: SeqNum, by: SeqNum) -> bool {
    for (at, kind, len) in each_option(options) {
        if kind != SACK {
            continue;
        }
        for block in options[at + 2..at + len].chunks_exact_mut(8) {
            if block[4..] == right.get().to_be_bytes() {
                block[4..].copy_from_slice(&by.get().to_be_bytes());
                return true;
            }
        }
    }
    false
}

/// Where each option is, its kind and its length.
fn each_option(options: &[u8]) -> Vec<(usize, u8, usize)> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(&kind) = options.get(at) {
        let len = match (kind, options.get(at + 1)) {
            (END, _) => break,
            (NOP, _) => 1,
            (_, Some(&len)) if len >= 2 && at + usize::from(len) <= options.len() => len.into(),
            _ => break,
        };
        found.push((at, kind, len));
        at += len;
    }
    found
}

const END: u8 = 0;
const NOP: u8 = 1;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;

/// A token of a [`Wire`].
pub(crate) struct Token<'a, T> {
    token: T,
    eye: &'a RefCell<Eye>,
}

impl<D: Driver> Driver for Wire<D> {
    type RxToken<'a>
        = Token<'a, D::RxToken<'a>>
    where
        Self: 'a;
    type TxToken<'a>
        = Token<'a, D::TxToken<'a>>
    where
        Self: 'a;

    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)> {
        let eye = &self.eye;
        let (rx, tx) = self.inner.receive(cx)?;
        Some((
            Token { token: rx, eye },
            tx.map(|token| Token { token, eye }),
        ))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        Some(Token {
            token: self.inner.transmit(cx)?,
            eye: &self.eye,
        })
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

impl<T: RxToken> RxToken for Token<'_, T> {
    fn meta(&self) -> RxMeta {
        self.token.meta()
    }

    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        self.token.consume(|frame| {
            let len = self.eye.borrow_mut().on_received(frame);
            f(&mut frame[..len])
        })
    }
}

impl<T: TxToken> TxToken for Token<'_, T> {
    fn set_meta(&mut self, meta: TxMeta) {
        self.token.set_meta(meta);
    }

    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        self.token.consume(len, |frame| {
            let result = f(frame);
            self.eye.borrow_mut().on_sent(frame);
            result
        })
    }
}
