//! IPv4 packets (RFC 791 §3.1).

use core::net::Ipv4Addr;

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::Malformed;
use super::checksum::Sum;
use super::ip::{Ecn, IpProtocol, IpVersion};
use super::writer::Writer;

/// The length in bytes of a header without options, the only kind that is sent.
pub const MIN_HEADER_LEN: usize = IpVersion::Ipv4.header_len();
const _: () = assert!(MIN_HEADER_LEN == size_of::<Raw>());

/// An IPv4 header. Options are checked for truthful lengths and otherwise ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ipv4Header {
    /// From whom.
    pub src: Ipv4Addr,
    /// To whom.
    pub dst: Ipv4Addr,
    /// The protocol of the payload.
    pub protocol: IpProtocol,
    /// How many more routers may pass the packet on ("time to live").
    pub hop_limit: u8,
    /// Differentiated services code point in the upper six bits, explicit congestion notification in
    /// the lower two (RFC 3168 §5).
    pub dscp_ecn: u8,
    /// What the fragments of one datagram have in common.
    pub ident: u16,
    /// Routers must not fragment this.
    pub dont_fragment: bool,
    /// This is not the last fragment of its datagram.
    pub more_fragments: bool,
    /// Where in its datagram the payload belongs, in bytes: a multiple of eight.
    pub fragment_offset: u16,
    /// The length of the header in bytes with its options: 20 to 60 when parsed, 20 when emitted
    /// whatever it says here.
    pub header_len: usize,
    /// The length of the payload in bytes, at most 65,515.
    pub payload_len: usize,
}

impl Ipv4Header {
    /// What the packet says about congestion.
    pub const fn ecn(&self) -> Ecn {
        Ecn(self.dscp_ecn & 3)
    }

    /// Splits a packet into header and payload. Whatever follows the packet's total length is the
    /// link's padding, and dropped.
    ///
    /// # Errors
    ///
    /// - [`Malformed::Truncated`]: shorter than its header or its total length says
    /// - [`Malformed::BadVersion`]: not IPv4
    /// - [`Malformed::BadLength`]: a header shorter than 20 bytes, or longer than the total length
    /// - [`Malformed::BadChecksum`]: only looked at with `verify_checksum`
    /// - [`Malformed::BadOption`]: an option shorter than itself or reaching beyond the header
    /// - [`Malformed::BadFragment`]: a fragment that fits into no datagram
    #[inline]
    pub fn parse(packet: &[u8], verify_checksum: bool) -> Result<(Self, &[u8]), Malformed> {
        let (raw, _) = Raw::ref_from_prefix(packet).map_err(|_| Malformed::Truncated)?;
        if raw.version_ihl >> 4 != VERSION {
            return Err(Malformed::BadVersion);
        }
        let header_len = usize::from(raw.version_ihl & 0xf) * 4;
        let total_len = usize::from(raw.total_len.get());
        if header_len < MIN_HEADER_LEN || total_len < header_len {
            return Err(Malformed::BadLength);
        }
        let (header, payload) = packet
            .get(..total_len)
            .and_then(|packet| packet.split_at_checked(header_len))
            .ok_or(Malformed::Truncated)?;
        let options = header.get(MIN_HEADER_LEN..).unwrap_or_default();
        if verify_checksum {
            let (words, _) = header.as_chunks();
            let fixed = words.first_chunk::<{ MIN_HEADER_LEN / 4 }>();
            let mut sum = fixed.map_or(Sum::ZERO, Sum::of_header);
            if !options.is_empty() {
                sum = sum.add(Sum::of(options));
            }
            if !sum.is_valid() {
                return Err(Malformed::BadChecksum);
            }
        }
        check_options(options)?;

        let flags_offset = raw.flags_offset.get();
        let more_fragments = flags_offset & MORE_FRAGMENTS != 0;
        // Thirteen bits of units of eight bytes: at most 65,528.
        let fragment_offset = (flags_offset & OFFSET_MASK) * 8;
        if flags_offset & (MORE_FRAGMENTS | OFFSET_MASK) != 0 {
            let unaligned = more_fragments && !payload.len().is_multiple_of(8);
            if unaligned || usize::from(fragment_offset) + total_len > usize::from(u16::MAX) {
                return Err(Malformed::BadFragment);
            }
        }
        let header = Self {
            src: raw.src.into(),
            dst: raw.dst.into(),
            protocol: IpProtocol(raw.protocol),
            hop_limit: raw.hop_limit,
            dscp_ecn: raw.dscp_ecn,
            ident: raw.ident.get(),
            dont_fragment: flags_offset & DONT_FRAGMENT != 0,
            more_fragments,
            fragment_offset,
            header_len,
            payload_len: payload.len(),
        };
        Ok((header, payload))
    }

    /// Writes a header of [`MIN_HEADER_LEN`] bytes with its checksum to the start of `packet`, which
    /// the caller makes long enough.
    pub fn emit(&self, packet: &mut [u8]) {
        let total_len = MIN_HEADER_LEN.saturating_add(self.payload_len);
        let Ok(total_len) = u16::try_from(total_len) else {
            debug_assert!(false, "no IPv4 packet is longer than 65,535 bytes");
            return;
        };
        debug_assert!(
            self.fragment_offset.is_multiple_of(8),
            "fragments start at multiples of eight"
        );
        let mut flags_offset = self.fragment_offset / 8;
        if self.dont_fragment {
            flags_offset |= DONT_FRAGMENT;
        }
        if self.more_fragments {
            flags_offset |= MORE_FRAGMENTS;
        }
        let Some(header) = packet.first_chunk_mut::<MIN_HEADER_LEN>() else {
            debug_assert!(false, "no room for an IPv4 header");
            return;
        };
        // By the rows of the picture in RFC 791 section 3.1.
        let mut writer = Writer::new(header);
        writer.put(u32::from_be_bytes([FIRST_BYTE, self.dscp_ecn, 0, 0]) | u32::from(total_len));
        writer.put(u32::from(self.ident) << 16 | u32::from(flags_offset));
        // Before the checksum, which is zero for now.
        writer.put(u32::from_be_bytes([self.hop_limit, self.protocol.0, 0, 0]));
        writer.put(self.src.to_bits());
        writer.put(self.dst.to_bits());
        let checksum = writer.fields().sum().finish();
        let [_, _, _, _, _, _, _, _, _, _, high, low, ..] = header;
        [*high, *low] = checksum.to_be_bytes();
    }
}

impl Ipv4Header {
    /// The same with the router alert option (RFC 2113): a header of [`ROUTER_ALERT_HEADER_LEN`] bytes.
    pub fn emit_with_router_alert(&self, packet: &mut [u8]) {
        let Some(header) = packet.first_chunk_mut::<ROUTER_ALERT_HEADER_LEN>() else {
            debug_assert!(false, "no room for an IPv4 header with an option");
            return;
        };
        let longer = Self {
            payload_len: self.payload_len.saturating_add(ROUTER_ALERT.len()),
            ..*self
        };
        longer.emit(header);
        header[0] = VERSION << 4 | (ROUTER_ALERT_HEADER_LEN / 4) as u8;
        header[MIN_HEADER_LEN..].copy_from_slice(&ROUTER_ALERT);
        header[10..12].fill(0);
        let checksum = Sum::of(header).finish();
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
    }
}

/// The length in bytes of a header with the router alert option.
pub const ROUTER_ALERT_HEADER_LEN: usize = MIN_HEADER_LEN + ROUTER_ALERT.len();

/// RFC 2113 §2.1: "Router shall examine packet".
const ROUTER_ALERT: [u8; 4] = [148, 4, 0, 0];

/// Whether a header's options, which were checked before, have the router alert option.
pub fn has_router_alert(mut options: &[u8]) -> bool {
    loop {
        options = match *options {
            [] | [OPTION_END, ..] => return false,
            [148, ..] => return true,
            [OPTION_NOP, ref rest @ ..] => rest,
            [_, len, ..] if len >= 2 => options.get(usize::from(len)..).unwrap_or_default(),
            _ => return false,
        };
    }
}

/// The header as it stands in a packet, without options.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Raw {
    version_ihl: u8,
    dscp_ecn: u8,
    total_len: U16,
    ident: U16,
    flags_offset: U16,
    hop_limit: u8,
    protocol: u8,
    checksum: U16,
    src: [u8; 4],
    dst: [u8; 4],
}

const VERSION: u8 = 4;
/// Of a header without options.
const FIRST_BYTE: u8 = VERSION << 4 | (MIN_HEADER_LEN / 4) as u8;
const DONT_FRAGMENT: u16 = 0x4000;
const MORE_FRAGMENTS: u16 = 0x2000;
const OFFSET_MASK: u16 = 0x1fff;

/// Walks the options and refuses those whose length cannot be (RFC 1122 §3.2.1.8: "the IP and
/// transport layers MUST each interpret those IP options that they understand and silently ignore the
/// others").
fn check_options(mut options: &[u8]) -> Result<(), Malformed> {
    loop {
        options = match *options {
            [] | [OPTION_END, ..] => return Ok(()),
            [OPTION_NOP, ref rest @ ..] => rest,
            // The length counts the kind and itself.
            [_, len, ..] if len >= 2 => options
                .get(usize::from(len)..)
                .ok_or(Malformed::BadOption)?,
            _ => return Err(Malformed::BadOption),
        };
    }
}

const OPTION_END: u8 = 0;
const OPTION_NOP: u8 = 1;

#[cfg(test)]
mod tests;
