//! UDP datagrams (RFC 768).

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::Malformed;
use super::address::IpAddress;
use super::checksum::{ChecksumMode, Fields, PseudoHeader, Sum, pseudo_header};
use super::ip::{IpProtocol, IpVersion};
use super::writer::Writer;

/// The length of the header in bytes.
pub const HEADER_LEN: usize = size_of::<Raw>();
/// Where the checksum field is, in bytes from the start of the header.
pub const CHECKSUM_OFFSET: usize = 6;

/// A UDP header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UdpHeader {
    /// The port it came from.
    pub src_port: u16,
    /// The port it goes to.
    pub dst_port: u16,
    /// The length of header and payload in bytes.
    pub len: u16,
}

impl UdpHeader {
    /// Splits the payload of an IP packet from `src` to `dst` into header and UDP payload. Whatever
    /// follows the length that the header states is dropped. Without `verify` the checksum is not
    /// looked at.
    ///
    /// # Errors
    ///
    /// - [`Malformed::Truncated`]: shorter than a header
    /// - [`Malformed::BadLength`]: states a length shorter than the header or longer than the packet
    /// - [`Malformed::BadChecksum`]: there is a checksum, and it does not match
    /// - [`Malformed::MissingChecksum`]: IPv6 without a checksum (RFC 8200 §8.1); IPv4 allows it
    #[inline]
    pub fn parse(
        payload: &[u8],
        src: IpAddress,
        dst: IpAddress,
        verify: bool,
    ) -> Result<(Self, &[u8]), Malformed> {
        let (raw, _) = Raw::ref_from_prefix(payload).map_err(|_| Malformed::Truncated)?;
        let len = usize::from(raw.len.get());
        let datagram = payload.get(..len).ok_or(Malformed::BadLength)?;
        let data = datagram.get(HEADER_LEN..).ok_or(Malformed::BadLength)?;
        if verify {
            if raw.checksum.get() != 0 {
                let sum = pseudo_header(src, dst, IpProtocol::UDP, len).add(Sum::of(datagram));
                if !sum.is_valid() {
                    return Err(Malformed::BadChecksum);
                }
            } else if src.version() != IpVersion::Ipv4 {
                return Err(Malformed::MissingChecksum);
            }
        }
        let header = Self {
            src_port: raw.src_port.get(),
            dst_port: raw.dst_port.get(),
            len: raw.len.get(),
        };
        Ok((header, data))
    }

    /// Writes a datagram to the start of `buf`, which the caller makes long enough for
    /// [`HEADER_LEN`] and the payload, 65,535 bytes at most. The payload comes in two parts, as a ring
    /// holds it, and is copied and summed in one pass.
    #[inline]
    pub fn emit(
        buf: &mut [u8],
        src_port: u16,
        dst_port: u16,
        src: IpAddress,
        dst: IpAddress,
        payload: (&[u8], &[u8]),
        mode: ChecksumMode,
    ) {
        let len = HEADER_LEN + payload.0.len() + payload.1.len();
        let Some((header, data)) = buf
            .get_mut(..len)
            .and_then(|datagram| datagram.split_first_chunk_mut::<HEADER_LEN>())
        else {
            debug_assert!(false, "no room for a UDP datagram");
            return;
        };
        let Ok(len_field) = u16::try_from(len) else {
            debug_assert!(false, "no UDP datagram is longer than 65,535 bytes");
            return;
        };
        let pseudo = PseudoHeader::new(src, dst, IpProtocol::UDP, len);
        let fields = write_fields(header, src_port, dst_port, len_field);
        let checksum = match (mode, mode.copy_payload(pseudo, fields, data, payload)) {
            // "If the computed checksum is zero, it is transmitted as all ones": zero means that
            // there is none.
            (ChecksumMode::Full, 0) => 0xffff,
            (_, checksum) => checksum,
        };
        let [.., high, low] = header;
        [*high, *low] = checksum.to_be_bytes();
    }
}

impl UdpHeader {
    /// Writes what the first fragment of a datagram holds: the header, and as much of the payload as fits
    /// `buf`. Length and checksum are those of the whole.
    pub fn emit_first(
        buf: &mut [u8],
        src_port: u16,
        dst_port: u16,
        src: IpAddress,
        dst: IpAddress,
        payload: &[u8],
    ) {
        let len = HEADER_LEN + payload.len();
        let (Some((header, data)), Ok(len_field)) = (
            buf.split_first_chunk_mut::<HEADER_LEN>(),
            u16::try_from(len),
        ) else {
            debug_assert!(false, "no room for a UDP header, or a datagram too long");
            return;
        };
        let Some((first, rest)) = payload.split_at_checked(data.len()) else {
            debug_assert!(false, "a first fragment is no longer than its datagram");
            return;
        };
        let fields = write_fields(header, src_port, dst_port, len_field);
        let checksum = pseudo_header(src, dst, IpProtocol::UDP, len)
            .add(fields.sum())
            .add(Sum::copy(data, first))
            .add_at(Sum::of(rest), first.len())
            .finish();
        let checksum = if checksum == 0 { 0xffff } else { checksum };
        let [.., high, low] = header;
        [*high, *low] = checksum.to_be_bytes();
    }
}

/// Writes a header but for its checksum; its fields.
#[inline]
fn write_fields(header: &mut [u8; HEADER_LEN], src_port: u16, dst_port: u16, len: u16) -> Fields {
    let mut writer = Writer::new(header);
    writer.put(u32::from(src_port) << 16 | u32::from(dst_port));
    writer.put(u32::from(len) << 16);
    writer.fields()
}

/// The header as it stands in a packet.
#[derive(FromBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Raw {
    src_port: U16,
    dst_port: U16,
    len: U16,
    checksum: U16,
}

#[cfg(test)]
mod tests {
    extern crate std;

    use core::net::Ipv4Addr;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const SRC: IpAddress = IpAddress::Ipv4(Ipv4Addr::new(192, 0, 2, 1));
    const DST: IpAddress = IpAddress::Ipv4(Ipv4Addr::new(192, 0, 2, 2));

    fn datagram(payload: (&[u8], &[u8]), mode: ChecksumMode) -> Vec<u8> {
        let mut buf = vec![0xaa; HEADER_LEN + payload.0.len() + payload.1.len()];
        UdpHeader::emit(&mut buf, 5353, 53, SRC, DST, payload, mode);
        buf
    }

    fn parse(bytes: &[u8]) -> Result<(UdpHeader, &[u8]), Malformed> {
        UdpHeader::parse(bytes, SRC, DST, true)
    }

    #[test]
    fn a_first_fragment_has_the_checksum_of_the_whole() {
        let data: Vec<u8> = (0..=255).collect();
        let whole = datagram((&data, b""), ChecksumMode::Full);
        for len in [HEADER_LEN, HEADER_LEN + 7, HEADER_LEN + 64, whole.len()] {
            let mut first = vec![0; len];
            UdpHeader::emit_first(&mut first, 5353, 53, SRC, DST, &data);
            assert_eq!(first, whole[..len]);
        }
    }

    #[test]
    fn a_length_shorter_than_the_packet_cuts_it() {
        let mut bytes = datagram((b"query", b""), ChecksumMode::Full);
        bytes.extend([0xee; 5]);
        let (header, data) = parse(&bytes).unwrap();
        assert_eq!(
            header,
            UdpHeader {
                src_port: 5353,
                dst_port: 53,
                len: 13
            }
        );
        assert_eq!(data, b"query");
    }

    #[test]
    fn impossible_lengths_are_refused() {
        let bytes = datagram((b"query", b""), ChecksumMode::Full);
        for len in [0, 7, 14, 255] {
            let mut bytes = bytes.clone();
            bytes[5] = len;
            assert_eq!(parse(&bytes), Err(Malformed::BadLength));
        }
        assert_eq!(parse(&bytes[..7]), Err(Malformed::Truncated));
    }

    #[test]
    fn a_wrong_checksum_is_refused_when_verifying() {
        let mut bytes = datagram((b"query", b""), ChecksumMode::Full);
        bytes[9] ^= 0x10;
        assert_eq!(parse(&bytes), Err(Malformed::BadChecksum));
        assert!(UdpHeader::parse(&bytes, SRC, DST, false).is_ok());
        let (good, other) = (
            datagram((b"", b""), ChecksumMode::Full),
            Ipv4Addr::new(192, 0, 2, 3),
        );
        let result = UdpHeader::parse(&good, SRC, other.into(), true);
        assert_eq!(result, Err(Malformed::BadChecksum));
    }

    #[test]
    fn ipv4_may_go_without_a_checksum() {
        let mut bytes = datagram((b"query", b""), ChecksumMode::Full);
        bytes[CHECKSUM_OFFSET..HEADER_LEN].fill(0);
        assert!(parse(&bytes).is_ok());
    }

    #[cfg(feature = "proto-ipv6")]
    #[test]
    fn ipv6_may_not() {
        let (src, dst) = ("fe80::1".parse().unwrap(), "fe80::2".parse().unwrap());
        let mut bytes = [0xaa; 11];
        UdpHeader::emit(
            &mut bytes,
            1,
            2,
            src,
            dst,
            (b"a", b"bc"),
            ChecksumMode::Full,
        );
        assert!(UdpHeader::parse(&bytes, src, dst, true).is_ok());
        bytes[CHECKSUM_OFFSET..HEADER_LEN].fill(0);
        let result = UdpHeader::parse(&bytes, src, dst, true);
        assert_eq!(result, Err(Malformed::MissingChecksum));
    }

    #[test]
    fn a_checksum_of_zero_is_sent_as_all_ones() {
        // A payload that brings the sum of everything else to all ones.
        let rest = datagram((&[0, 0], &[]), ChecksumMode::Full);
        let payload = [rest[CHECKSUM_OFFSET], rest[CHECKSUM_OFFSET + 1]];
        let bytes = datagram((&payload, &[]), ChecksumMode::Full);
        assert_eq!(bytes[CHECKSUM_OFFSET..HEADER_LEN], [0xff, 0xff]);
        assert!(parse(&bytes).is_ok());
    }

    #[test]
    fn partial_mode_stores_the_pseudo_header_sum() {
        let bytes = datagram((b"ab", b"c"), ChecksumMode::Partial);
        let field = u16::from_be_bytes([bytes[CHECKSUM_OFFSET], bytes[CHECKSUM_OFFSET + 1]]);
        assert_eq!(field, pseudo_header(SRC, DST, IpProtocol::UDP, 11).fold());
        assert_eq!(&bytes[HEADER_LEN..], b"abc");
    }

    proptest! {
        #[test]
        fn datagram_round_trips(ports: (u16, u16), a: Vec<u8>, b: Vec<u8>, addresses: (u32, u32)) {
            let src = Ipv4Addr::from(addresses.0).into();
            let dst = Ipv4Addr::from(addresses.1).into();
            let len = HEADER_LEN + a.len() + b.len();
            let mut bytes = vec![0xaa; len + 3];
            UdpHeader::emit(&mut bytes, ports.0, ports.1, src, dst, (&a, &b), ChecksumMode::Full);
            let (header, data) = UdpHeader::parse(&bytes, src, dst, true).unwrap();
            let expected = UdpHeader { src_port: ports.0, dst_port: ports.1, len: len as u16 };
            prop_assert_eq!(header, expected);
            prop_assert_eq!(data, [a, b].concat());
            prop_assert_eq!(&bytes[len..], [0xaa; 3]);
        }

        #[test]
        fn no_bytes_make_parse_panic(mut bytes: Vec<u8>, len: u8) {
            let _ = parse(&bytes);
            if bytes.len() > 6 {
                bytes[4..6].copy_from_slice(&[0, len]);
                let _ = parse(&bytes);
            }
        }
    }
}
