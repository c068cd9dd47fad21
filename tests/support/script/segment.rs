//! TCP segments as a story writes them, and as the wire shows them.

use core::fmt;
use core::ops::Range;

use cygnet::wire::{Ecn, FastOpenCookie, SackBlocks, TcpFlags, TcpOptions, Timestamps};

/// A segment to send or to expect, numbers relative to the initial sequence numbers.
///
/// What is left open is filled in when it is sent and not looked at when it is expected, except: the
/// text must be as long as said, nothing is acknowledged selectively unless said, and control bits
/// are as said but for PSH, whose place no RFC fixes.
#[derive(Clone, Debug, Default)]
pub struct Segment {
    pub(super) flags: TcpFlags,
    pub(super) seq: Option<u32>,
    pub(super) ack: Option<u32>,
    pub(super) window: Option<u16>,
    pub(super) urgent: u16,
    pub(super) text: Vec<u8>,
    pub(super) mss: Option<u16>,
    pub(super) window_scale: Option<u8>,
    pub(super) sack_permitted: bool,
    pub(super) timestamps: Option<Timestamps>,
    /// Sent although the connection agreed on timestamps: none.
    pub(super) without_timestamps: bool,
    pub(super) sack: Vec<Range<u32>>,
    /// Fast Open: a cookie, or the wish for one.
    pub(super) fast_open: Option<FastOpenCookie>,
    pub(super) corrupted: bool,
    /// The two bits of the IP header (RFC 3168).
    pub(super) ecn: Option<Ecn>,
    /// Expected with ACK or without.
    pub(super) maybe_ack: bool,
}

/// A segment with these control bits.
pub fn segment(flags: TcpFlags) -> Segment {
    Segment {
        flags,
        ..Segment::default()
    }
}

/// A SYN.
pub fn syn() -> Segment {
    segment(TcpFlags::SYN).seq(0)
}

/// A SYN that acknowledges the other's.
pub fn syn_ack() -> Segment {
    segment(TcpFlags::SYN | TcpFlags::ACK).seq(0).ack(1)
}

/// An acknowledgment of everything before `number`.
pub fn ack(number: u32) -> Segment {
    segment(TcpFlags::ACK).ack(number)
}

/// A segment with the text that has these numbers: see [`pattern`].
pub fn data(numbers: Range<u32>) -> Segment {
    Segment {
        text: pattern(numbers.clone()),
        ..segment(TcpFlags::ACK | TcpFlags::PSH).seq(numbers.start)
    }
}

/// As [`data`], with an urgent pointer of `up` bytes from the segment's number on.
pub fn urgent(numbers: Range<u32>, up: u16) -> Segment {
    let mut segment = data(numbers);
    segment.flags = segment.flags | TcpFlags::URG;
    segment.urgent = up;
    segment
}

/// A FIN with that number, and without text.
pub fn fin(number: u32) -> Segment {
    segment(TcpFlags::FIN | TcpFlags::ACK).seq(number)
}

/// A reset with that number, and without ACK.
pub fn rst(number: u32) -> Segment {
    segment(TcpFlags::RST).seq(number)
}

/// A reset with that number that acknowledges everything before `acked`.
pub fn rst_ack(number: u32, acked: u32) -> Segment {
    segment(TcpFlags::RST | TcpFlags::ACK)
        .seq(number)
        .ack(acked)
}

/// A reset with that number of a connection that there was: with ACK or without, RFC 9293 has both.
pub fn reset(number: u32) -> Segment {
    Segment {
        maybe_ack: true,
        ..rst(number)
    }
}

/// The text of all stories: what byte each sequence number has, the same in both directions.
pub fn pattern(numbers: Range<u32>) -> Vec<u8> {
    numbers.map(|n| (n ^ n >> 8) as u8).collect()
}

impl Segment {
    /// The sequence number.
    #[must_use]
    pub fn seq(mut self, number: u32) -> Self {
        self.seq = Some(number);
        self
    }

    /// The acknowledgment number.
    #[must_use]
    pub fn ack(mut self, number: u32) -> Self {
        self.ack = Some(number);
        self
    }

    /// The window field.
    #[must_use]
    pub fn win(mut self, window: u16) -> Self {
        self.window = Some(window);
        self
    }

    /// Other text than the pattern, of any length.
    #[must_use]
    pub fn text(mut self, text: &[u8]) -> Self {
        self.text = text.to_vec();
        self
    }

    /// These control bits and no others.
    #[must_use]
    pub fn only(mut self, flags: TcpFlags) -> Self {
        self.flags = flags;
        self
    }

    /// A FIN behind the text.
    #[must_use]
    pub fn with_fin(mut self) -> Self {
        self.flags = self.flags | TcpFlags::FIN;
        self
    }

    /// The maximum segment size option.
    #[must_use]
    pub fn mss(mut self, mss: u16) -> Self {
        self.mss = Some(mss);
        self
    }

    /// The window scale option.
    #[must_use]
    pub fn wscale(mut self, shift: u8) -> Self {
        self.window_scale = Some(shift);
        self
    }

    /// The SACK-permitted option.
    #[must_use]
    pub fn sack_ok(mut self) -> Self {
        self.sack_permitted = true;
        self
    }

    /// The timestamps option; the peer's own clock and echo are used unless this says otherwise.
    #[must_use]
    pub fn ts(mut self, value: u32, echo: u32) -> Self {
        self.timestamps = Some(Timestamps { value, echo });
        self
    }

    /// No timestamps, whatever was agreed.
    #[must_use]
    pub fn no_ts(mut self) -> Self {
        self.without_timestamps = true;
        self
    }

    /// One more block of a selective acknowledgment; only the first may be below `ack` (D-SACK).
    #[must_use]
    pub fn sack(mut self, block: Range<u32>) -> Self {
        self.sack.push(block);
        self
    }

    /// The option of Fast Open with that cookie; without bytes, the wish for one.
    #[must_use]
    pub fn fast_open(mut self, cookie: &[u8]) -> Self {
        self.fast_open = FastOpenCookie::new(cookie);
        self
    }

    /// What the IP header says about congestion; nothing unless said.
    #[must_use]
    pub fn ecn(mut self, ecn: Ecn) -> Self {
        self.ecn = Some(ecn);
        self
    }

    /// A wrong checksum.
    #[must_use]
    pub fn corrupted(mut self) -> Self {
        self.corrupted = true;
        self
    }

    /// How many sequence numbers it takes.
    pub(super) fn len(&self) -> u32 {
        segment_len(self.flags, self.text.len())
    }

    /// Why `heard` is not this, if it is not.
    pub(super) fn mismatch(&self, heard: &Heard) -> Option<String> {
        let ignored = if self.maybe_ack {
            TcpFlags::PSH | TcpFlags::ACK
        } else {
            TcpFlags::PSH
        };
        let differs = |what, expected: Option<u64>, got: u64| match expected {
            Some(expected) if expected != got => {
                Some(format!("{what} {got} instead of {expected}"))
            }
            _ => None,
        };
        if self.flags.without(ignored) != heard.flags.without(ignored) {
            return Some(format!("{:?} instead of {:?}", heard.flags, self.flags));
        }
        if self.text.len() != heard.text.len() {
            let (got, expected) = (heard.text.len(), self.text.len());
            return Some(format!("{got} bytes of text instead of {expected}"));
        }
        if self.text != heard.text {
            return Some("other text".into());
        }
        let sack: Vec<_> = heard.sack.clone();
        if self.sack != sack {
            return Some(format!("SACK blocks {sack:?} instead of {:?}", self.sack));
        }
        let options = &heard.options;
        let ts = self.timestamps.map(|ts| u64::from(ts.echo));
        let heard_echo = options.timestamps.map_or(0, |ts| u64::from(ts.echo));
        differs("seq", self.seq.map(u64::from), heard.seq.into())
            .or_else(|| differs("ack", self.ack.map(u64::from), heard.ack.into()))
            .or_else(|| differs("window", self.window.map(u64::from), heard.window.into()))
            .or_else(|| differs("echoed timestamp", ts, heard_echo))
            .or_else(|| {
                let got = heard.ecn.0.into();
                differs("ECN bits", self.ecn.map(|ecn| ecn.0.into()), got)
            })
            .or_else(|| {
                let got = options.mss.map_or(0, u64::from);
                differs("MSS", self.mss.map(u64::from), got)
            })
            .or_else(|| {
                let missing = self.sack_permitted && !options.sack_permitted;
                missing.then(|| "no SACK-permitted".into())
            })
            .or_else(|| {
                let differs = self.fast_open.is_some() && self.fast_open != options.fast_open;
                differs.then(|| format!("Fast Open {:?}", options.fast_open))
            })
            .or_else(|| {
                let unwanted = self.without_timestamps && options.timestamps.is_some();
                unwanted.then(|| "timestamps".into())
            })
    }
}

/// How many sequence numbers a segment takes: SEG.LEN.
pub(super) fn segment_len(flags: TcpFlags, text: usize) -> u32 {
    text as u32
        + u32::from(flags.contains(TcpFlags::SYN))
        + u32::from(flags.contains(TcpFlags::FIN))
}

/// A segment that the target sent, numbers relative to the initial sequence numbers.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The target's port.
    pub src_port: u16,
    /// The peer's port.
    pub dst_port: u16,
    /// The control bits.
    pub flags: TcpFlags,
    /// The sequence number.
    pub seq: u32,
    /// The sequence number as it stands in the segment.
    pub absolute_seq: u32,
    /// The acknowledgment number; 0 without ACK.
    pub ack: u32,
    /// The window field.
    pub window: u16,
    /// What the IP header says about congestion.
    pub ecn: Ecn,
    /// The text.
    pub text: Vec<u8>,
    /// The options. The numbers in its SACK blocks are absolute.
    pub options: TcpOptions,
    /// Its SACK blocks.
    pub sack: Vec<Range<u32>>,
    /// The kinds of its options in their order, with padding.
    pub option_kinds: Vec<u8>,
}

impl Heard {
    /// The number after its last.
    pub fn end(&self) -> u32 {
        self.seq
            .wrapping_add(segment_len(self.flags, self.text.len()))
    }
}

/// Everything that both directions of a conversation print: tcpdump's style, on one line.
pub(super) struct Line<'a> {
    pub(super) flags: TcpFlags,
    pub(super) seq: u32,
    pub(super) ack: u32,
    pub(super) window: u16,
    pub(super) urgent: u16,
    pub(super) text_len: usize,
    pub(super) options: &'a TcpOptions,
    pub(super) sack: &'a [Range<u32>],
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (flag, letter) in LETTERS {
            if self.flags.contains(flag) {
                f.write_str(letter)?;
            }
        }
        let end = self.seq.wrapping_add(self.text_len as u32);
        match self.text_len {
            0 => write!(f, "] seq {}", self.seq)?,
            _ => write!(f, "] seq {}:{end}", self.seq)?,
        }
        if self.flags.contains(TcpFlags::ACK) {
            write!(f, " ack {}", self.ack)?;
        }
        write!(f, " win {}", self.window)?;
        if self.flags.contains(TcpFlags::URG) {
            write!(f, " urg {}", self.urgent)?;
        }
        if let Some(mss) = self.options.mss {
            write!(f, " mss {mss}")?;
        }
        if self.options.sack_permitted {
            f.write_str(" sackOK")?;
        }
        if let Some(ts) = self.options.timestamps {
            write!(f, " TS {} {}", ts.value, ts.echo)?;
        }
        if let Some(shift) = self.options.window_scale {
            write!(f, " wscale {shift}")?;
        }
        if let Some(cookie) = self.options.fast_open {
            write!(f, " tfo {:02x?}", cookie.as_bytes())?;
        }
        for block in self.sack {
            write!(f, " sack {}:{}", block.start, block.end)?;
        }
        write!(f, " length {}", self.text_len)
    }
}

const LETTERS: [(TcpFlags, &str); 8] = [
    (TcpFlags::FIN, "F"),
    (TcpFlags::SYN, "S"),
    (TcpFlags::RST, "R"),
    (TcpFlags::PSH, "P"),
    (TcpFlags::ACK, "."),
    (TcpFlags::URG, "U"),
    (TcpFlags::ECE, "E"),
    (TcpFlags::CWR, "W"),
];

/// The relative numbers of selective acknowledgments, with `base` as the number zero.
pub(super) fn relative_blocks(blocks: &SackBlocks, base: u32) -> Vec<Range<u32>> {
    let relative = |n: cygnet::wire::SeqNum| n.get().wrapping_sub(base);
    blocks
        .iter()
        .map(|(left, right)| relative(left)..relative(right))
        .collect()
}
