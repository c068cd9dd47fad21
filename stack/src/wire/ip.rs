//! What both versions of the Internet Protocol have in common: their numbers, those of the protocols above
//! them, and two bits of their headers.

/// The version of the Internet Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum IpVersion {
    /// RFC 791.
    Ipv4,
    /// RFC 8200.
    #[cfg(feature = "proto-ipv6")]
    Ipv6,
}

impl IpVersion {
    /// The length in bytes of a header without options or extensions.
    pub const fn header_len(self) -> usize {
        match self {
            Self::Ipv4 => 20,
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6 => 40,
        }
    }
}

/// The protocol of an IP packet's payload, from the registry that IPv4 and IPv6 share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IpProtocol(pub u8);

impl IpProtocol {
    /// Internet Control Message Protocol (RFC 792).
    pub const ICMP: Self = Self(1);
    /// Internet Group Management Protocol (RFC 3376).
    pub const IGMP: Self = Self(2);
    /// Transmission Control Protocol (RFC 9293).
    pub const TCP: Self = Self(6);
    /// User Datagram Protocol (RFC 768).
    pub const UDP: Self = Self(17);
    /// Internet Control Message Protocol for IPv6 (RFC 4443).
    pub const ICMPV6: Self = Self(58);
}

/// The two bits for explicit congestion notification in an IP header (RFC 3168 §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ecn(pub u8);

impl Ecn {
    /// The transport does not take part: a congested router drops the packet.
    pub const NOT_ECT: Self = Self(0);
    /// The transport takes part, for an experiment of its own (RFC 8311).
    pub const ECT_1: Self = Self(1);
    /// The transport takes part: a congested router marks the packet.
    pub const ECT_0: Self = Self(2);
    /// A router on the way was congested.
    pub const CE: Self = Self(3);
}
