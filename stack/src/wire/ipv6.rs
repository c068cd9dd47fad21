//! IPv6 packets (RFC 8200 §3) and their extension headers (§4).

mod extension;

use core::net::Ipv6Addr;

use zerocopy::byteorder::network_endian::U16;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

pub use extension::{
    Extension, ExtensionHeaders, FRAGMENT_HEADER_LEN, FragmentHeader, Ipv6Option, Ipv6Options,
    RoutingHeader, UnknownAction,
};

use super::Malformed;
use super::ip::{Ecn, IpProtocol, IpVersion};

/// The length of the header in bytes.
pub const HEADER_LEN: usize = IpVersion::Ipv6.header_len();
const _: () = assert!(HEADER_LEN == size_of::<Raw>());
/// The length in bytes of a header with the router alert option behind it (RFC 2711).
pub const ROUTER_ALERT_HEADER_LEN: usize = HEADER_LEN + ROUTER_ALERT.len();
/// The length in bytes of the longest packet that every link carries (RFC 8200 §5).
pub const MIN_MTU: u16 = 1280;

/// An IPv6 header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ipv6Header {
    /// From whom.
    pub src: Ipv6Addr,
    /// To whom.
    pub dst: Ipv6Addr,
    /// What follows: an extension header, or the protocol of the payload.
    pub next_header: IpProtocol,
    /// How many more routers may pass the packet on.
    pub hop_limit: u8,
    /// Differentiated services code point in the upper six bits, explicit congestion notification in
    /// the lower two ("traffic class").
    pub dscp_ecn: u8,
    /// What the packets of one flow have in common (RFC 6437): 20 bits, 0 for none.
    pub flow_label: u32,
    /// The length in bytes of what follows the header.
    pub payload_len: usize,
}

impl Ipv6Header {
    /// What the packet says about congestion.
    pub const fn ecn(&self) -> Ecn {
        Ecn(self.dscp_ecn & 3)
    }

    /// Splits a packet into header and payload. Whatever follows the payload's length is the link's
    /// padding, and dropped.
    ///
    /// # Errors
    ///
    /// - [`Malformed::Truncated`]: shorter than its header or its payload length says
    /// - [`Malformed::BadVersion`]: not IPv6
    #[inline]
    pub fn parse(packet: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let (raw, rest) = Raw::ref_from_prefix(packet).map_err(|_| Malformed::Truncated)?;
        let header = raw.header();
        if raw.version() != VERSION {
            return Err(Malformed::BadVersion);
        }
        let payload = rest.get(..header.payload_len).ok_or(Malformed::Truncated)?;
        Ok((header, payload))
    }

    /// Reads a header by itself, whatever follows it. `None` if it is not one of IPv6.
    #[cfg(feature = "ip-fragments")]
    pub(crate) fn peek(header: &[u8; HEADER_LEN]) -> Option<Self> {
        let raw = Raw::ref_from_bytes(header).ok()?;
        (raw.version() == VERSION).then(|| raw.header())
    }

    /// Writes the header to the first [`HEADER_LEN`] bytes of `packet`, which the caller makes long
    /// enough.
    pub fn emit(&self, packet: &mut [u8]) {
        let Ok(payload_len) = u16::try_from(self.payload_len) else {
            debug_assert!(false, "no IPv6 payload is longer than 65,535 bytes");
            return;
        };
        let Ok((raw, _)) = Raw::mut_from_prefix(packet) else {
            debug_assert!(false, "no room for an IPv6 header");
            return;
        };
        let [_, label_high, label_middle, label_low] = self.flow_label.to_be_bytes();
        *raw = Raw {
            version_class: VERSION << 4 | self.dscp_ecn >> 4,
            class_label: self.dscp_ecn << 4 | label_high & 0xf,
            label: [label_middle, label_low],
            payload_len: payload_len.into(),
            next_header: self.next_header.0,
            hop_limit: self.hop_limit,
            src: self.src.octets(),
            dst: self.dst.octets(),
        };
    }
}

impl Ipv6Header {
    /// Writes the header, and behind it hop-by-hop options that say that routers are to look at the packet, for
    /// it is about multicast groups (RFC 2711 §2.1), to the first [`ROUTER_ALERT_HEADER_LEN`] bytes of `packet`,
    /// which the caller makes long enough. The payload length is that of what follows.
    pub fn emit_with_router_alert(&self, packet: &mut [u8]) {
        let Some((header, rest)) = packet.split_at_mut_checked(HEADER_LEN) else {
            debug_assert!(false, "no room for an IPv6 header");
            return;
        };
        let Some(options) = rest.first_chunk_mut() else {
            debug_assert!(false, "no room for options");
            return;
        };
        Self {
            next_header: IpProtocol::HOP_BY_HOP,
            payload_len: self.payload_len + ROUTER_ALERT.len(),
            ..*self
        }
        .emit(header);
        *options = ROUTER_ALERT;
        options[0] = self.next_header.0;
    }
}

/// Whether routers are to look at a packet, because it is about multicast groups (RFC 2711 §2.1).
pub fn has_router_alert(packet: &[u8]) -> bool {
    let Ok((header, payload)) = Ipv6Header::parse(packet) else {
        return false;
    };
    let first = ExtensionHeaders::new(header.next_header, payload).next();
    let Some(Ok(Extension::HopByHop(mut options))) = first else {
        return false;
    };
    let [.., kind, _, high, low, _, _] = ROUTER_ALERT;
    options.any(|option| option.is_ok_and(|o| o.kind == kind && o.data == [high, low]))
}

/// The start of a packet, as an error quotes it: what it was is known, its end is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PacketStart<'a> {
    pub(super) src: Ipv6Addr,
    pub(super) dst: Ipv6Addr,
    /// Behind all extension headers.
    pub(super) protocol: IpProtocol,
    /// Of the whole packet in bytes.
    pub(super) total_len: u16,
    /// What there is of the payload.
    pub(super) transport: &'a [u8],
}

impl<'a> PacketStart<'a> {
    /// `None` if it ends within the headers, or is a fragment other than the first.
    pub(super) fn parse(start: &'a [u8]) -> Option<Self> {
        let (raw, rest) = Raw::ref_from_prefix(start).ok()?;
        let header = raw.header();
        if raw.version() != VERSION {
            return None;
        }
        let mut headers = ExtensionHeaders::new(header.next_header, rest);
        for extension in headers.by_ref() {
            if let Extension::Fragment(fragment) = extension.ok()?
                && fragment.offset != 0
            {
                return None;
            }
        }
        let total_len = header.payload_len.saturating_add(HEADER_LEN);
        Some(Self {
            src: header.src,
            dst: header.dst,
            protocol: headers.next_header(),
            total_len: u16::try_from(total_len).unwrap_or(u16::MAX),
            transport: headers.rest(),
        })
    }
}

/// The header as it stands in a packet.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Raw {
    /// The version, and the upper half of the traffic class.
    version_class: u8,
    /// The lower half, and the upper four bits of the flow label.
    class_label: u8,
    label: [u8; 2],
    payload_len: U16,
    next_header: u8,
    hop_limit: u8,
    src: [u8; 16],
    dst: [u8; 16],
}

impl Raw {
    fn version(&self) -> u8 {
        self.version_class >> 4
    }

    fn header(&self) -> Ipv6Header {
        let [middle, low] = self.label;
        Ipv6Header {
            src: self.src.into(),
            dst: self.dst.into(),
            next_header: IpProtocol(self.next_header),
            hop_limit: self.hop_limit,
            dscp_ecn: self.version_class << 4 | self.class_label >> 4,
            flow_label: u32::from_be_bytes([0, self.class_label & 0xf, middle, low]),
            payload_len: usize::from(self.payload_len.get()),
        }
    }
}

const VERSION: u8 = 6;

/// Hop-by-hop options: router alert for a packet with a multicast listener discovery message, and padding.
const ROUTER_ALERT: [u8; 8] = [0, 0, 5, 2, 0, 0, 1, 0];

#[cfg(test)]
mod tests;
