//! The start of a packet as an ICMP error quotes it: enough to find whose it was.

use core::net::Ipv4Addr;

use super::address::IpAddress;
use super::ip::IpProtocol;
use super::ipv4::MIN_HEADER_LEN;
#[cfg(feature = "proto-ipv6")]
use super::ipv6;
use super::seq::SeqNum;

/// What an ICMP error says about the packet that caused it: one that this host sent, if the error is
/// not forged.
///
/// The quote may end long before the packet does, and routers have changed its header on the way, so
/// neither its length nor its checksum is held against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Quote<'a> {
    /// Who sent the packet.
    pub src: IpAddress,
    /// Whom it was for.
    pub dst: IpAddress,
    /// The protocol of its payload, behind all extension headers.
    pub protocol: IpProtocol,
    /// The length of the packet in bytes, as its header states it.
    pub total_len: u16,
    /// The start of its payload: at least eight bytes, and maybe padding at the end.
    pub transport: &'a [u8],
    /// The first eight bytes of that, known to exist.
    leading: &'a [u8; LEADING],
}

impl<'a> Quote<'a> {
    /// Reads the quote of an error. `None` if it is not the start of an IP packet of a version that is
    /// compiled in, holds less than eight bytes of payload, or is of a fragment other than the first,
    /// which has no transport header.
    pub fn parse(quote: &'a [u8]) -> Option<Self> {
        match quote.first()? >> 4 {
            4 => Self::parse_ipv4(quote),
            #[cfg(feature = "proto-ipv6")]
            6 => Self::parse_ipv6(quote),
            _ => None,
        }
    }

    fn parse_ipv4(quote: &'a [u8]) -> Option<Self> {
        let header = quote.first_chunk::<MIN_HEADER_LEN>()?;
        let [
            version_ihl,
            _,
            len_high,
            len_low,
            _,
            _,
            flags,
            offset,
            _,
            protocol,
            ..,
        ] = *header;
        let header_len = usize::from(version_ihl & 0xf) * 4;
        let first_fragment = flags & 0x1f == 0 && offset == 0;
        if header_len < MIN_HEADER_LEN || !first_fragment {
            return None;
        }
        let transport = quote.get(header_len..)?;
        let [.., s0, s1, s2, s3, d0, d1, d2, d3] = *header;
        Some(Self {
            src: Ipv4Addr::new(s0, s1, s2, s3).into(),
            dst: Ipv4Addr::new(d0, d1, d2, d3).into(),
            protocol: IpProtocol(protocol),
            total_len: u16::from_be_bytes([len_high, len_low]),
            transport,
            leading: transport.first_chunk()?,
        })
    }

    #[cfg(feature = "proto-ipv6")]
    fn parse_ipv6(quote: &'a [u8]) -> Option<Self> {
        let start = ipv6::PacketStart::parse(quote)?;
        Some(Self {
            src: start.src.into(),
            dst: start.dst.into(),
            protocol: start.protocol,
            total_len: start.total_len,
            transport: start.transport,
            leading: start.transport.first_chunk()?,
        })
    }

    /// The port the packet came from, if its protocol is one with ports.
    pub const fn src_port(&self) -> u16 {
        u16::from_be_bytes([self.leading[0], self.leading[1]])
    }

    /// The port the packet was for, if its protocol is one with ports.
    pub const fn dst_port(&self) -> u16 {
        u16::from_be_bytes([self.leading[2], self.leading[3]])
    }

    /// The identifier of an echo request or reply.
    pub const fn echo_ident(&self) -> u16 {
        u16::from_be_bytes([self.leading[4], self.leading[5]])
    }

    /// The sequence number of a TCP segment, by which a forged error can be told (RFC 5927 §4.1).
    pub const fn tcp_seq(&self) -> SeqNum {
        let [_, _, _, _, a, b, c, d] = *self.leading;
        SeqNum::new(u32::from_be_bytes([a, b, c, d]))
    }
}

/// What RFC 792 has an error quote of the packet's payload; one of RFC 4443 quotes all that fits.
const LEADING: usize = 8;
