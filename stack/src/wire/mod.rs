//! What goes over the wire: one file per protocol, each with `parse` (bytes to a value that cannot be
//! wrong any more, or a named [`Malformed`]) and `emit` (a value to bytes).
//!
//! This layer knows formats and nothing else: no state, no policy, no clock. Parsing takes bytes from
//! strangers and never panics; emitting trusts its caller, who sized the buffer by the value's `len`.
//! The IPv4 family is always compiled, since an unused function costs nothing; whether the stack
//! speaks it is the engine's choice of features. IPv6's comes with `proto-ipv6`, as its addresses do.

pub mod address;
pub mod arp;
pub mod checksum;
pub mod dhcpv4;
#[cfg(feature = "proto-ipv6")]
pub mod dhcpv6;
pub mod dns;
pub mod ethernet;
pub mod group_report;
mod icmp;
pub mod icmpv4;
#[cfg(feature = "proto-ipv6")]
pub mod icmpv6;
pub mod igmp;
pub mod ip;
pub mod ipv4;
#[cfg(feature = "proto-ipv6")]
pub mod ipv6;
#[cfg(feature = "proto-ipv6")]
pub mod mld;
#[cfg(feature = "proto-ipv6")]
pub mod ndisc;
mod quote;
pub mod seq;
pub mod tcp;
pub mod udp;
mod writer;

use core::fmt;

#[cfg(feature = "proto-ipv6")]
pub use address::Ipv6Cidr;
pub use address::{
    IpAddress, IpCidr, IpEndpoint, IpListenEndpoint, Ipv4Cidr, ParseAddressError,
    UnsupportedAddress,
};
pub use arp::{ArpOperation, ArpPacket};
pub use checksum::{ChecksumMode, Sum, pseudo_header};
pub use dhcpv4::{DhcpMessage, DhcpMessageKind, DhcpOptions, DhcpReply, DhcpRequest, DhcpWriter};
#[cfg(feature = "proto-ipv6")]
pub use dhcpv6::{
    Dhcpv6Grant, Dhcpv6Message, Dhcpv6MessageKind, Dhcpv6Options, Dhcpv6Status, Dhcpv6Writer, Duid,
};
pub use ethernet::{EtherType, EthernetAddress, EthernetHeader};
pub(crate) use icmp::Message as IcmpMessage;
pub use icmpv4::{Icmpv4Message, Icmpv4Unreachable};
#[cfg(feature = "proto-ipv6")]
pub use icmpv6::{Icmpv6Message, Icmpv6ParameterProblem, Icmpv6Unreachable};
pub use ip::{Ecn, IpProtocol, IpVersion};
pub use ipv4::Ipv4Header;
#[cfg(feature = "proto-ipv6")]
pub use ipv6::{Extension, ExtensionHeaders, Ipv6Header};
#[cfg(feature = "proto-ipv6")]
pub use ndisc::{NdiscMessage, NdiscOption, NdiscOptions};
pub use quote::Quote;
pub use seq::SeqNum;
#[cfg(feature = "tcp-fast-open")]
pub use tcp::FastOpenCookie;
#[cfg(feature = "tcp-timestamps")]
pub use tcp::Timestamps;
pub use tcp::{SackBlocks, TcpFlags, TcpHeader, TcpOptions, TcpSegment};
pub use udp::UdpHeader;

/// Why bytes are not the packet they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Malformed {
    /// The bytes end before the headers do, or before the length that the headers state.
    Truncated,
    /// A length field contradicts the header it stands in or the packet around it.
    BadLength,
    /// The IP version is not the one that the link layer announced.
    BadVersion,
    /// The checksum does not match.
    BadChecksum,
    /// There is no checksum where one is mandatory: UDP over IPv6.
    MissingChecksum,
    /// An option's length is impossible for its kind, or reaches beyond the header.
    BadOption,
    /// The piece fits into no datagram: it ends beyond 65,535 bytes, or is not the last one and not
    /// a multiple of eight bytes long.
    BadFragment,
    /// More extension headers or options than a packet has any use for (RFC 8504 §5.3).
    #[cfg(feature = "proto-ipv6")]
    TooManyHeaders,
    /// A format or operation other than the one this stack speaks, such as ARP for Token Ring.
    Unsupported,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "packet is truncated",
            Self::BadLength => "length field contradicts the packet",
            Self::BadVersion => "wrong IP version",
            Self::BadChecksum => "checksum does not match",
            Self::MissingChecksum => "mandatory checksum is missing",
            Self::BadOption => "option has an impossible length",
            Self::BadFragment => "fragment fits into no datagram",
            #[cfg(feature = "proto-ipv6")]
            Self::TooManyHeaders => "too many extension headers",
            Self::Unsupported => "unsupported format",
        })
    }
}

impl core::error::Error for Malformed {}
