//! TCP (RFC 9293) with the options of RFC 7323 and RFC 2018.

use core::fmt;

use super::bytes::{u8_at, u16_at, u32_at};

/// Prints a segment without its ports.
pub(super) fn write_line(f: &mut fmt::Formatter<'_>, segment: &[u8]) -> fmt::Result {
    let Some(header) = Header::parse(segment) else {
        return f.write_str("[|tcp]");
    };
    write!(f, "Flags [{}]", Flags(header.flags))?;
    let len = header.payload_len;
    // As in tcpdump: a sequence number says something where it is used up or the peer must accept it.
    if len > 0 {
        let end = header
            .seq
            .wrapping_add(u32::try_from(len).unwrap_or(u32::MAX));
        write!(f, ", seq {}:{end}", header.seq)?;
    } else if header.flags & (SYN | FIN | RST) != 0 || header.flags & ACK == 0 {
        write!(f, ", seq {}", header.seq)?;
    }
    if header.flags & ACK != 0 {
        write!(f, ", ack {}", header.ack)?;
    }
    write!(f, ", win {}", header.window)?;
    if header.flags & URG != 0 {
        write!(f, ", urg {}", header.urgent)?;
    }
    if !header.options.is_empty() {
        f.write_str(", options [")?;
        write_options(f, header.options)?;
        f.write_str("]")?;
    }
    write!(f, ", length {len}")
}

struct Header<'a> {
    seq: u32,
    ack: u32,
    flags: u8,
    window: u16,
    urgent: u16,
    options: &'a [u8],
    payload_len: usize,
}

impl<'a> Header<'a> {
    fn parse(segment: &'a [u8]) -> Option<Self> {
        let header_len = usize::from(u8_at(segment, 12)? >> 4) * 4;
        Some(Self {
            seq: u32_at(segment, 4)?,
            ack: u32_at(segment, 8)?,
            flags: u8_at(segment, 13)?,
            window: u16_at(segment, 14)?,
            urgent: u16_at(segment, 18)?,
            options: segment.get(MIN_HEADER_LEN..header_len)?,
            payload_len: segment.len().checked_sub(header_len)?,
        })
    }
}

/// The control bits, one letter each, `.` for ACK.
struct Flags(u8);

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("none");
        }
        [
            (FIN, "F"),
            (SYN, "S"),
            (RST, "R"),
            (PSH, "P"),
            (ACK, "."),
            (URG, "U"),
            (ECE, "E"),
            (CWR, "W"),
        ]
        .iter()
        .filter(|(bit, _)| self.0 & bit != 0)
        .try_for_each(|(_, letter)| f.write_str(letter))
    }
}

fn write_options(f: &mut fmt::Formatter<'_>, mut options: &[u8]) -> fmt::Result {
    let mut separator = "";
    while let Some(&kind) = options.first() {
        f.write_str(separator)?;
        separator = ",";
        let len = match kind {
            END | NOP => 1,
            _ => u8_at(options, 1).map_or(0, usize::from),
        };
        let option = match options.get(..len) {
            Some(option) if len > 1 || kind <= NOP => option,
            _ => return write!(f, "bad option {kind}"),
        };
        write_option(f, kind, option)?;
        if kind == END {
            return Ok(());
        }
        options = options.get(len..).unwrap_or_default();
    }
    Ok(())
}

fn write_option(f: &mut fmt::Formatter<'_>, kind: u8, option: &[u8]) -> fmt::Result {
    match (kind, option.len()) {
        (END, _) => f.write_str("eol"),
        (NOP, _) => f.write_str("nop"),
        (MSS, 4) => write!(f, "mss {}", u16_at(option, 2).unwrap_or(0)),
        (WINDOW_SCALE, 3) => write!(f, "wscale {}", u8_at(option, 2).unwrap_or(0)),
        (SACK_PERMITTED, 2) => f.write_str("sackOK"),
        (SACK, _) => {
            f.write_str("sack ")?;
            option
                .get(2..)
                .unwrap_or_default()
                .chunks_exact(8)
                .try_for_each(|block| {
                    let (from, to) = (u32_at(block, 0), u32_at(block, 4));
                    write!(f, "{{{}:{}}}", from.unwrap_or(0), to.unwrap_or(0))
                })
        }
        (TIMESTAMPS, 10) => {
            let (value, echo) = (u32_at(option, 2), u32_at(option, 6));
            write!(f, "TS val {} ecr {}", value.unwrap_or(0), echo.unwrap_or(0))
        }
        (other, len) => write!(f, "option {other} length {len}"),
    }
}

const MIN_HEADER_LEN: usize = 20;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;
const URG: u8 = 0x20;
const ECE: u8 = 0x40;
const CWR: u8 = 0x80;

const END: u8 = 0;
const NOP: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;
