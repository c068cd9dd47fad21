//! One end of a TCP connection, played by the story.

use core::fmt::Display;
use core::ops::Range;
use core::time::Duration;
use std::cell::Cell;

use cygnet::wire::{SackBlocks, SeqNum, TcpFlags, TcpHeader, TcpOptions, TcpSegment, Timestamps};

use super::packet::{self, Packet};
use super::segment::{Heard, Line, Segment, relative_blocks, segment_len};
use super::story::Script;

/// A peer of the target on one pair of ports. It keeps track of numbers and timestamps so that a
/// story says only what matters.
pub struct Peer<'s> {
    script: &'s Script,
    port: u16,
    target_port: Cell<u16>,
    /// Our initial sequence number.
    iss: u32,
    /// The target's, once it has sent its SYN.
    irs: Cell<Option<u32>>,
    /// The number after the last we sent, and after the last the target sent.
    sent: Cell<u32>,
    received: Cell<u32>,
    /// Whether we send timestamps.
    timestamps: Cell<bool>,
    /// The last timestamp from the target.
    recent: Cell<u32>,
    window: Cell<u16>,
    /// The highest timestamp clock sent, so that none goes backwards by rounding.
    clock_offset: Cell<u32>,
}

/// When a segment is to come, counted from the last frame that passed either way.
#[derive(Clone, Debug)]
pub enum Timing {
    /// Without any time passing on cygnet.
    AtOnce,
    /// Within the range. The kernel's timers count in ticks of some milliseconds, so it may be a
    /// little earlier, and later by its slack.
    After(Range<Duration>),
}

impl<'s> Peer<'s> {
    pub(super) fn new(script: &'s Script, port: u16, target_port: u16) -> Self {
        Self {
            script,
            port,
            target_port: Cell::new(target_port),
            iss: 0x3000_0000 + u32::from(port),
            irs: Cell::new(None),
            sent: Cell::new(0),
            received: Cell::new(0),
            timestamps: Cell::new(false),
            recent: Cell::new(0),
            window: Cell::new(65_535),
            clock_offset: Cell::new(100_000),
        }
    }

    /// Starts over between the same ports, with an initial sequence number `ahead` of the old one.
    #[must_use]
    pub fn again(&self, ahead: u32) -> Self {
        Self {
            iss: self.iss.wrapping_add(ahead),
            clock_offset: Cell::new(self.clock_offset.get()),
            ..Self::new(self.script, self.port, self.target_port.get())
        }
    }

    /// The window field of what is sent from now on.
    pub fn set_window(&self, window: u16) {
        self.window.set(window);
    }

    /// The target's port, for a peer that waits to be connected to.
    pub fn target_port(&self) -> u16 {
        self.target_port.get()
    }

    /// The target's port and the peer's.
    pub fn ports(&self) -> (u16, u16) {
        (self.target_port.get(), self.port)
    }

    /// The peer's timestamp clock: milliseconds.
    pub fn clock(&self) -> u32 {
        (self.script.now().as_millis() as u32).wrapping_add(self.clock_offset.get())
    }

    /// Sends a segment.
    pub fn send(&self, segment: Segment) {
        if segment.flags.contains(TcpFlags::SYN) {
            self.timestamps.set(segment.timestamps.is_some());
        }
        let header = self.header(&segment);
        let relative = header.seq.get().wrapping_sub(self.iss);
        let end = relative.wrapping_add(segment.len());
        if (end.wrapping_sub(self.sent.get()) as i32) > 0
            && !segment.flags.contains(TcpFlags::RST)
            && !segment.corrupted
        {
            self.sent.set(end);
        }
        let line = Line {
            flags: header.flags,
            seq: relative,
            ack: header.ack.get().wrapping_sub(self.irs.get().unwrap_or(0)),
            window: header.window,
            urgent: header.urgent,
            text_len: segment.text.len(),
            options: &header.options,
            sack: &segment.sack,
        };
        let frame = packet::tcp(&header, &self.sack_blocks(&segment), &segment);
        self.script.send_described(&frame, &self.described(&line));
    }

    /// The segment as it would be sent, headers and all: an IPv4 packet for an ICMP error to quote,
    /// as if the target had sent the numbers of `segment`.
    pub fn quote_of(&self, seq: u32) -> Vec<u8> {
        let header = TcpHeader {
            src_port: self.target_port.get(),
            dst_port: self.port,
            seq: SeqNum::new(self.irs.get().unwrap_or(0).wrapping_add(seq)),
            ..TcpHeader::default()
        };
        let mut segment = vec![0; header.len()];
        let (src, dst) = (packet::TARGET.into(), packet::PEER.into());
        let mode = cygnet::wire::ChecksumMode::Full;
        header.emit(&mut segment, src, dst, (&[], &[]), mode);
        let mut packet = packet::ip_packet(cygnet::wire::IpProtocol::TCP, &segment);
        // The target is the source of what comes back to it.
        packet[12..16].copy_from_slice(&packet::TARGET.octets());
        packet[16..20].copy_from_slice(&packet::PEER.octets());
        packet
    }

    fn header(&self, segment: &Segment) -> TcpHeader {
        let acks = segment.flags.contains(TcpFlags::ACK);
        let irs = self.irs.get().unwrap_or(0);
        let ack = segment.ack.unwrap_or(self.received.get());
        TcpHeader {
            src_port: self.port,
            dst_port: self.target_port.get(),
            seq: SeqNum::new(
                self.iss
                    .wrapping_add(segment.seq.unwrap_or(self.sent.get())),
            ),
            ack: SeqNum::new(if acks { irs.wrapping_add(ack) } else { 0 }),
            flags: segment.flags,
            window: segment.window.unwrap_or(self.window.get()),
            urgent: segment.urgent,
            options: TcpOptions {
                mss: segment.mss,
                window_scale: segment.window_scale,
                sack_permitted: segment.sack_permitted,
                timestamps: self.timestamps_for(segment),
                fast_open: segment.fast_open,
            },
        }
    }

    fn sack_blocks(&self, segment: &Segment) -> SackBlocks {
        let irs = self.irs.get().unwrap_or(0);
        let absolute = |n: u32| SeqNum::new(irs.wrapping_add(n));
        let mut sack = SackBlocks::default();
        for block in &segment.sack {
            sack.push(absolute(block.start), absolute(block.end));
        }
        sack
    }

    fn timestamps_for(&self, segment: &Segment) -> Option<Timestamps> {
        if segment.without_timestamps {
            return None;
        }
        segment.timestamps.or_else(|| {
            self.timestamps.get().then(|| Timestamps {
                value: self.clock(),
                echo: self.recent.get(),
            })
        })
    }

    /// Expects a segment at once.
    #[track_caller]
    pub fn expect(&self, expected: Segment) -> Heard {
        self.expect_timed(&Timing::AtOnce, &expected)
    }

    /// Expects a segment a while after the last frame that passed, either way.
    #[track_caller]
    pub fn expect_after(&self, millis: Range<u64>, expected: Segment) -> Heard {
        let range = Duration::from_millis(millis.start)..Duration::from_millis(millis.end);
        self.expect_timed(&Timing::After(range), &expected)
    }

    #[track_caller]
    fn expect_timed(&self, timing: &Timing, expected: &Segment) -> Heard {
        let elapsed = self.script.since_last_event();
        let latest = match timing {
            Timing::AtOnce => Duration::ZERO,
            Timing::After(range) => range.end.saturating_sub(elapsed),
        };
        let before = self.script.now() - elapsed;
        let Some(packet) = self.script.next_packet(latest + self.script.slack()) else {
            self.script.fail(format_args!(
                "nothing came; expected {}",
                self.expected(expected)
            ));
        };
        let took = self.script.now() - before;
        let Some(heard) = self.hear(&packet) else {
            self.script.fail(format_args!(
                "something else came; expected {}",
                self.expected(expected)
            ));
        };
        if let Some(problem) = expected.mismatch(&heard) {
            let expected = self.expected(expected);
            self.script
                .fail(format_args!("{problem}; expected {expected}"));
        }
        let early = self.script.slack() / 20;
        if let Timing::After(range) = timing
            && took + early < range.start
        {
            self.script
                .fail(format_args!("came after {took:?}, expected in {range:?}"));
        }
        heard
    }

    /// The next segment, whatever it says, if one comes within that time.
    pub fn next(&self, patience: Duration) -> Option<Heard> {
        let packet = self.script.next_packet(patience)?;
        let Some(heard) = self.hear(&packet) else {
            self.script.fail("something else came; expected a segment");
        };
        Some(heard)
    }

    /// As [`Self::next`], and what is for other peers is no part of the story.
    pub fn next_of_own(&self, patience: Duration) -> Option<Heard> {
        let deadline = self.script.now() + patience;
        loop {
            let left = deadline.saturating_sub(self.script.now());
            let packet = self.script.next_packet(left)?;
            if let Some(heard) = self.hear(&packet) {
                return Some(heard);
            }
        }
    }

    /// Reads a packet as a segment of this connection, and learns from it.
    fn hear(&self, packet: &Packet) -> Option<Heard> {
        let (segment, header_bytes) = packet.tcp()?;
        let header = segment.header;
        if header.dst_port != self.port {
            let line = self.line(&segment, &[]).to_string();
            self.script
                .note_received(&format_args!("to port {}: {line}", header.dst_port));
            return None;
        }
        if header.flags.contains(TcpFlags::SYN) {
            self.irs.set(Some(header.seq.get()));
            self.target_port.set(header.src_port);
        }
        let irs = self.irs.get().unwrap_or(0);
        let acks = header.flags.contains(TcpFlags::ACK);
        let heard = Heard {
            src_port: header.src_port,
            dst_port: header.dst_port,
            flags: header.flags,
            seq: header.seq.get().wrapping_sub(irs),
            absolute_seq: header.seq.get(),
            ack: if acks {
                header.ack.get().wrapping_sub(self.iss)
            } else {
                0
            },
            window: header.window,
            ecn: packet.ecn(),
            text: segment.payload.to_vec(),
            options: header.options,
            sack: relative_blocks(&segment.sack, self.iss),
            option_kinds: option_kinds(&header_bytes[20..]),
        };
        let line = self.line(&segment, &heard.sack).to_string();
        self.script.note_received(&self.described(&line));
        if header.src_port != self.target_port.get() {
            return None;
        }
        let end = heard
            .seq
            .wrapping_add(segment_len(heard.flags, heard.text.len()));
        if (end.wrapping_sub(self.received.get()) as i32) > 0 {
            self.received.set(end);
        }
        if let Some(ts) = header.options.timestamps {
            self.recent.set(ts.value);
        }
        Some(heard)
    }

    fn line<'a>(&self, segment: &'a TcpSegment<'_>, sack: &'a [Range<u32>]) -> Line<'a> {
        let header = &segment.header;
        Line {
            flags: header.flags,
            seq: header.seq.get().wrapping_sub(self.irs.get().unwrap_or(0)),
            ack: header.ack.get().wrapping_sub(self.iss),
            window: header.window,
            urgent: header.urgent,
            text_len: segment.payload.len(),
            options: &header.options,
            sack,
        }
    }

    fn described(&self, line: &dyn Display) -> String {
        format!("{} {line}", self.port)
    }

    fn expected(&self, segment: &Segment) -> String {
        let number = |n: Option<u32>| n.map_or("any".into(), |n| n.to_string());
        format!(
            "{:?} seq {} ack {} length {}, SACK blocks {:?}",
            segment.flags,
            number(segment.seq),
            number(segment.ack),
            segment.text.len(),
            segment.sack,
        )
    }
}

/// The kinds of options in their order, with padding.
fn option_kinds(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let Some(&kind) = bytes.first() {
        kinds.push(kind);
        let len = match kind {
            0 | 1 => 1,
            _ => usize::from(bytes[1]),
        };
        bytes = &bytes[len..];
    }
    kinds
}
