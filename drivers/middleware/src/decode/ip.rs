//! IPv4 (RFC 791) and IPv6 (RFC 8200) down to the transport protocol, and UDP (RFC 768).

use core::fmt;

use super::bytes::{ipv4_at, ipv6_at, u8_at, u16_at, u32_at};
use super::{icmp, tcp};

/// Prints a packet on one line.
pub(super) fn write_line(f: &mut fmt::Formatter<'_>, packet: &[u8]) -> fmt::Result {
    match u8_at(packet, 0).map(|byte| byte >> 4) {
        Some(4) => match Ipv4::parse(packet) {
            Some(ip) => ip.write_line(f),
            None => f.write_str("IP [|ip]"),
        },
        Some(6) => match Ipv6::parse(packet) {
            Some(ip) => ip.write_line(f),
            None => f.write_str("IP6 [|ip6]"),
        },
        Some(version) => write!(f, "IP version {version}, length {}", packet.len()),
        None => f.write_str("[|ip]"),
    }
}

/// Prints a packet's header on a line of its own.
pub(super) fn write_header(f: &mut fmt::Formatter<'_>, packet: &[u8]) -> fmt::Result {
    if let Some(ip) = Ipv4::parse(packet) {
        write!(
            f,
            "\n    IPv4 {} > {}, protocol {}, ttl {}, tos {:#04x}, id {}{}, length {}",
            ip.from,
            ip.to,
            ip.protocol,
            ip.ttl,
            ip.tos,
            ip.id,
            if ip.dont_fragment { ", DF" } else { "" },
            ip.total_len,
        )
    } else if let Some(ip) = Ipv6::parse(packet) {
        write!(
            f,
            "\n    IPv6 {} > {}, next header {}, hop limit {}, class {:#04x}, flow {:#07x}, payload {}",
            ip.from, ip.to, ip.next_header, ip.hop_limit, ip.class, ip.flow, ip.payload_len,
        )
    } else {
        Ok(())
    }
}

/// An IPv4 header.
struct Ipv4<'a> {
    from: core::net::Ipv4Addr,
    to: core::net::Ipv4Addr,
    protocol: u8,
    ttl: u8,
    tos: u8,
    id: u16,
    total_len: u16,
    dont_fragment: bool,
    fragment: Option<Fragment>,
    payload: &'a [u8],
}

/// An IPv6 header.
struct Ipv6<'a> {
    from: core::net::Ipv6Addr,
    to: core::net::Ipv6Addr,
    next_header: u8,
    hop_limit: u8,
    class: u32,
    flow: u32,
    payload_len: u16,
    payload: &'a [u8],
}

/// Which part of a packet a fragment is.
#[derive(Clone, Copy)]
struct Fragment {
    id: u32,
    /// In bytes.
    offset: u16,
    more: bool,
}

/// What an IP packet carries.
struct Payload<'a, A> {
    from: A,
    to: A,
    protocol: u8,
    fragment: Option<Fragment>,
    bytes: &'a [u8],
}

impl<'a> Ipv4<'a> {
    fn parse(packet: &'a [u8]) -> Option<Self> {
        let first = u8_at(packet, 0)?;
        if first >> 4 != 4 {
            return None;
        }
        let header_len = usize::from(first & 0x0f) * 4;
        let total_len = u16_at(packet, 2)?;
        let fragmentation = u16_at(packet, 6)?;
        let (offset, more) = ((fragmentation & 0x1fff) * 8, fragmentation & 0x2000 != 0);
        let id = u16_at(packet, 4)?;
        // Behind the packet there may be Ethernet padding. A segment that the device is to cut up
        // may be longer than its length field can say.
        let end = match usize::from(total_len) {
            0 => packet.len(),
            len => len.min(packet.len()),
        };
        Some(Self {
            from: ipv4_at(packet, 12)?,
            to: ipv4_at(packet, 16)?,
            protocol: u8_at(packet, 9)?,
            ttl: u8_at(packet, 8)?,
            tos: u8_at(packet, 1)?,
            id,
            total_len,
            dont_fragment: fragmentation & 0x4000 != 0,
            fragment: (more || offset > 0).then_some(Fragment {
                id: u32::from(id),
                offset,
                more,
            }),
            payload: packet.get(header_len.max(20)..end)?,
        })
    }

    fn write_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IP ")?;
        Payload {
            from: self.from,
            to: self.to,
            protocol: self.protocol,
            fragment: self.fragment,
            bytes: self.payload,
        }
        .write_line(f)
    }
}

impl<'a> Ipv6<'a> {
    fn parse(packet: &'a [u8]) -> Option<Self> {
        let first = u32_at(packet, 0)?;
        if first >> 28 != 6 {
            return None;
        }
        let payload_len = u16_at(packet, 4)?;
        let payload = packet.get(40..)?;
        let len = match usize::from(payload_len) {
            0 => payload.len(),
            len => len.min(payload.len()),
        };
        Some(Self {
            from: ipv6_at(packet, 8)?,
            to: ipv6_at(packet, 24)?,
            next_header: u8_at(packet, 6)?,
            hop_limit: u8_at(packet, 7)?,
            class: (first >> 20) & 0xff,
            flow: first & 0xf_ffff,
            payload_len,
            payload: payload.get(..len)?,
        })
    }

    fn write_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IP6 ")?;
        let mut payload = Payload {
            from: self.from,
            to: self.to,
            protocol: self.next_header,
            fragment: None,
            bytes: self.payload,
        };
        for _ in 0..MAX_EXTENSIONS {
            let Some(next) = payload.skip_extension() else {
                break;
            };
            payload = next;
        }
        payload.write_line(f)
    }
}

impl<'a, A: fmt::Display + Copy> Payload<'a, A> {
    /// What follows an IPv6 extension header, if there is one here that can be skipped.
    fn skip_extension(&self) -> Option<Self> {
        let (len, fragment) = match self.protocol {
            HOP_BY_HOP | ROUTING | DESTINATION => {
                (usize::from(u8_at(self.bytes, 1)?) * 8 + 8, self.fragment)
            }
            FRAGMENT if self.fragment.is_none() => {
                let field = u16_at(self.bytes, 2)?;
                let fragment = Fragment {
                    id: u32_at(self.bytes, 4)?,
                    offset: field & !0x7,
                    more: field & 1 != 0,
                };
                (8, Some(fragment))
            }
            _ => return None,
        };
        Some(Self {
            protocol: u8_at(self.bytes, 0)?,
            fragment,
            bytes: self.bytes.get(len..)?,
            ..*self
        })
    }

    fn write_line(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes;
        if let Some(fragment) = self.fragment {
            self.write_addresses(f)?;
            let more = if fragment.more { "+" } else { "" };
            write!(f, "frag {} at {}{more}, ", fragment.id, fragment.offset)?;
            return write!(f, "protocol {}, length {}", self.protocol, bytes.len());
        }
        match self.protocol {
            TCP => {
                self.write_endpoints(f)?;
                tcp::write_line(f, bytes)
            }
            UDP => {
                self.write_endpoints(f)?;
                match u16_at(bytes, 4) {
                    Some(len) => write!(f, "UDP, length {}", len.saturating_sub(8)),
                    None => f.write_str("[|udp]"),
                }
            }
            ICMP => {
                self.write_addresses(f)?;
                icmp::write_v4(f, bytes)
            }
            ICMPV6 => {
                self.write_addresses(f)?;
                icmp::write_v6(f, bytes)
            }
            other => {
                self.write_addresses(f)?;
                write!(f, "protocol {other}, length {}", bytes.len())
            }
        }
    }

    fn write_addresses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} > {}: ", self.from, self.to)
    }

    /// Addresses with ports, as far as there are any.
    fn write_endpoints(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (u16_at(self.bytes, 0), u16_at(self.bytes, 2)) {
            (Some(from), Some(to)) => write!(f, "{}.{from} > {}.{to}: ", self.from, self.to),
            _ => self.write_addresses(f),
        }
    }
}

const HOP_BY_HOP: u8 = 0;
const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const ICMPV6: u8 = 58;
const DESTINATION: u8 = 60;
const MAX_EXTENSIONS: usize = 8;
