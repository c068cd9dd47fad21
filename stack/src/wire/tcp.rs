//! TCP segments (RFC 9293 §3.1).
//!
//! The engine verifies a received segment's checksum, parses it once into a [`TcpSegment`] and hands
//! that to the connection. To send, the connection fills a [`TcpHeader`], which writes itself and the
//! payload into the driver's buffer in one pass.

#[cfg(feature = "tcp-fast-open")]
mod fast_open;
mod flags;
mod options;
#[cfg_attr(not(feature = "tcp-sack"), path = "tcp/no_sack.rs")]
mod sack;

use zerocopy::byteorder::network_endian::{U16, U32};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

#[cfg(feature = "tcp-fast-open")]
pub use fast_open::FastOpenCookie;
pub use flags::TcpFlags;
pub use options::TcpOptions;
#[cfg(feature = "tcp-timestamps")]
pub use options::Timestamps;
pub use sack::SackBlocks;

use super::Malformed;
use super::address::IpAddress;
use super::checksum::{ChecksumMode, PseudoHeader, Sum, pseudo_header};
use super::ip::IpProtocol;
use super::seq::SeqNum;
use super::writer::Writer;

/// The length in bytes of a header without options.
pub const MIN_HEADER_LEN: usize = size_of::<Raw>();
/// The length in bytes of the longest header.
pub const MAX_HEADER_LEN: usize = MIN_HEADER_LEN + options::MAX_LEN;
/// Where the checksum field is, in bytes from the start of the header.
pub const CHECKSUM_OFFSET: usize = 16;

/// A received segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TcpSegment<'a> {
    /// What the segment says.
    pub header: TcpHeader,
    /// What its sender has beyond the acknowledgment number. Few segments say that, so it is no part of
    /// the header.
    pub sack: SackBlocks,
    /// The data it brings.
    pub payload: &'a [u8],
    /// A router on its way reports congestion (CE, RFC 3168 §5). That stands in the IP header, so parsing the
    /// segment leaves it false, and whoever knows that header sets it.
    pub congestion_experienced: bool,
}

impl<'a> TcpSegment<'a> {
    /// Reads a segment: the payload of an IP packet. The checksum is not looked at; that is
    /// [`verify_checksum`](Self::verify_checksum), unless the device did it.
    ///
    /// # Errors
    ///
    /// - [`Malformed::Truncated`]: shorter than its header
    /// - [`Malformed::BadLength`]: a header shorter than 20 bytes
    /// - [`Malformed::BadOption`]: an option whose length cannot be
    #[inline]
    pub fn parse(segment: &'a [u8]) -> Result<Self, Malformed> {
        let mut parsed = Self::default();
        parsed.read(segment)?;
        Ok(parsed)
    }

    /// As [`Self::parse`], in place: of a default one. What was read in narrow fields is not moved then.
    #[inline]
    pub(crate) fn read(&mut self, segment: &'a [u8]) -> Result<(), Malformed> {
        let (raw, rest) = Raw::ref_from_prefix(segment).map_err(|_| Malformed::Truncated)?;
        let options_len = (usize::from(raw.data_offset >> 4) * 4)
            .checked_sub(MIN_HEADER_LEN)
            .ok_or(Malformed::BadLength)?;
        let (options, payload) = rest
            .split_at_checked(options_len)
            .ok_or(Malformed::Truncated)?;
        let header = &mut self.header;
        header.src_port = raw.src_port.get();
        header.dst_port = raw.dst_port.get();
        header.seq = SeqNum::new(raw.seq.get());
        header.ack = SeqNum::new(raw.ack.get());
        header.flags = TcpFlags::from_bits(raw.flags);
        header.window = raw.window.get();
        header.urgent = raw.urgent.get();
        self.payload = payload;
        header.options.read(options, &mut self.sack)
    }

    /// Whether the checksum of a segment, the whole payload of an IP packet from `src` to `dst`, is
    /// right.
    pub fn verify_checksum(segment: &[u8], src: IpAddress, dst: IpAddress) -> bool {
        pseudo_header(src, dst, IpProtocol::TCP, segment.len())
            .add(Sum::of(segment))
            .is_valid()
    }

    /// How many sequence numbers the segment occupies: one a byte, one for SYN, one for FIN (SEG.LEN).
    pub const fn segment_len(&self) -> u32 {
        self.payload.len() as u32
            + self.header.flags.contains(TcpFlags::SYN) as u32
            + self.header.flags.contains(TcpFlags::FIN) as u32
    }
}

/// What a segment says, apart from its payload and from selective acknowledgments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct TcpHeader {
    /// The port it comes from.
    pub src_port: u16,
    /// The port it goes to.
    pub dst_port: u16,
    /// The sequence number of the first byte, or of SYN (SEG.SEQ).
    pub seq: SeqNum,
    /// With [`TcpFlags::ACK`], the next sequence number its sender expects (SEG.ACK).
    pub ack: SeqNum,
    /// The control bits.
    pub flags: TcpFlags,
    /// How many bytes its sender has room for, before scaling (SEG.WND).
    pub window: u16,
    /// With [`TcpFlags::URG`], where urgent data ends, counted from `seq` (SEG.UP).
    pub urgent: u16,
    /// The options.
    pub options: TcpOptions,
}

impl TcpHeader {
    /// The length of the header with its options in bytes: 20 to 60.
    #[expect(clippy::len_without_is_empty, reason = "no header is empty")]
    pub const fn len(&self) -> usize {
        MIN_HEADER_LEN + self.options.len()
    }

    /// The same with those of the blocks that fit: 20 to 60.
    pub const fn len_with_sack(&self, sack: &SackBlocks) -> usize {
        MIN_HEADER_LEN + self.options.len_with_sack(sack)
    }

    /// Writes a segment from `src` to `dst` to the start of `buf`, which the caller makes long enough
    /// for [`len`](Self::len) and the payload. The payload comes in two parts, as a ring holds it, and
    /// is copied and summed in one pass.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn emit(
        &self,
        buf: &mut [u8],
        src: IpAddress,
        dst: IpAddress,
        payload: (&[u8], &[u8]),
        mode: ChecksumMode,
    ) {
        self.emit_with_sack(&SackBlocks::EMPTY, buf, src, dst, payload, mode);
    }

    /// As [`Self::emit`], with selective acknowledgments behind the other options. Those that do not fit
    /// are left out: beside timestamps there is room for three. The header is
    /// [`len_with_sack`](Self::len_with_sack) bytes long then.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn emit_with_sack(
        &self,
        sack: &SackBlocks,
        buf: &mut [u8],
        src: IpAddress,
        dst: IpAddress,
        payload: (&[u8], &[u8]),
        mode: ChecksumMode,
    ) {
        let header_len = self.len_with_sack(sack);
        let segment_len = header_len + payload.0.len() + payload.1.len();
        let Some((header, body)) = buf
            .get_mut(..segment_len)
            .and_then(|segment| segment.split_at_mut_checked(header_len))
        else {
            debug_assert!(false, "no room for a TCP segment");
            return;
        };
        let Some((fixed, options)) = header.split_first_chunk_mut::<MIN_HEADER_LEN>() else {
            return;
        };
        let mut writer = Writer::new(fixed);
        writer.put(u32::from(self.src_port) << 16 | u32::from(self.dst_port));
        writer.put(self.seq.get());
        writer.put(self.ack.get());
        // At most 60 bytes in words of four: fits the upper four bits.
        let offset_and_flags = (header_len as u32 / 4) << 12 | u32::from(self.flags.bits());
        writer.put(offset_and_flags << 16 | u32::from(self.window));
        // Behind the checksum, which is zero for now.
        writer.put(u32::from(self.urgent));
        writer.go_on(options);
        self.options.emit(&mut writer, sack);
        let fields = writer.fields();
        let pseudo = PseudoHeader::new(src, dst, IpProtocol::TCP, segment_len);
        let checksum = mode.copy_payload(pseudo, fields, body, payload);
        let [.., high, low, _, _] = fixed;
        [*high, *low] = checksum.to_be_bytes();
    }
}

/// The header as it stands in a segment, without options.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Raw {
    src_port: U16,
    dst_port: U16,
    seq: U32,
    ack: U32,
    data_offset: u8,
    flags: u8,
    window: U16,
    checksum: U16,
    urgent: U16,
}

// They are about all options.
#[cfg(all(test, feature = "tcp-timestamps", feature = "tcp-sack"))]
mod tests;
