//! Network-layer addresses of either version, blocks of them, and transport endpoints.
//!
//! The addresses themselves are `core::net`'s. The IPv6 variants exist with the feature
//! `proto-ipv6`, so a firmware that speaks IPv4 alone carries four-byte addresses through its tables.

mod cidr;
mod endpoint;

use core::fmt;
#[cfg(feature = "proto-ipv6")]
use core::net::Ipv6Addr;
use core::net::{IpAddr, Ipv4Addr};
use core::str::FromStr;

#[cfg(feature = "proto-ipv6")]
pub use cidr::Ipv6Cidr;
pub use cidr::{IpCidr, Ipv4Cidr};
pub use endpoint::{IpEndpoint, IpListenEndpoint};

use super::ip::IpVersion;

/// An IP address of a version that is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum IpAddress {
    /// An IPv4 address.
    Ipv4(Ipv4Addr),
    /// An IPv6 address.
    #[cfg(feature = "proto-ipv6")]
    Ipv6(Ipv6Addr),
}

impl IpAddress {
    /// The version of IP this is an address of.
    pub const fn version(&self) -> IpVersion {
        match self {
            Self::Ipv4(_) => IpVersion::Ipv4,
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(_) => IpVersion::Ipv6,
        }
    }

    /// Whether this is `0.0.0.0` or `::`.
    pub const fn is_unspecified(&self) -> bool {
        match self {
            Self::Ipv4(address) => address.is_unspecified(),
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(address) => address.is_unspecified(),
        }
    }

    /// Whether this names a group: `224.0.0.0/4` or `ff00::/8`.
    pub const fn is_multicast(&self) -> bool {
        match self {
            // By its first bits: one comparison, where the standard library has two.
            Self::Ipv4(address) => address.octets()[0] >> 4 == 0xe,
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(address) => address.is_multicast(),
        }
    }

    /// Whether this is the limited broadcast address `255.255.255.255` (RFC 919 §7). Whether it is
    /// the broadcast address of a network only [`Ipv4Cidr::broadcast`] can tell.
    pub const fn is_broadcast(&self) -> bool {
        match self {
            Self::Ipv4(address) => address.is_broadcast(),
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(_) => false,
        }
    }

    /// Whether this is in `127.0.0.0/8`, or is `::1`.
    pub const fn is_loopback(&self) -> bool {
        match self {
            Self::Ipv4(address) => address.is_loopback(),
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(address) => address.is_loopback(),
        }
    }

    /// Whether this is in `169.254.0.0/16` (RFC 3927) or `fe80::/10` (RFC 4291 §2.5.6): it means something
    /// on its link alone.
    pub const fn is_link_local(&self) -> bool {
        match self {
            Self::Ipv4(address) => address.is_link_local(),
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(address) => address.is_unicast_link_local(),
        }
    }

    /// Whether this can name a single host: it is neither unspecified nor multicast nor the limited
    /// broadcast address.
    pub const fn is_unicast(&self) -> bool {
        !self.is_unspecified() && !self.is_multicast() && !self.is_broadcast()
    }
}

impl From<Ipv4Addr> for IpAddress {
    fn from(address: Ipv4Addr) -> Self {
        Self::Ipv4(address)
    }
}

#[cfg(feature = "proto-ipv6")]
impl From<Ipv6Addr> for IpAddress {
    fn from(address: Ipv6Addr) -> Self {
        Self::Ipv6(address)
    }
}

impl TryFrom<IpAddr> for IpAddress {
    type Error = UnsupportedAddress;

    fn try_from(address: IpAddr) -> Result<Self, UnsupportedAddress> {
        match address {
            IpAddr::V4(address) => Ok(Self::Ipv4(address)),
            #[cfg(feature = "proto-ipv6")]
            IpAddr::V6(address) => Ok(Self::Ipv6(address)),
            #[cfg(not(feature = "proto-ipv6"))]
            IpAddr::V6(_) => Err(UnsupportedAddress),
        }
    }
}

impl From<IpAddress> for IpAddr {
    fn from(address: IpAddress) -> Self {
        match address {
            IpAddress::Ipv4(address) => Self::V4(address),
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(address) => Self::V6(address),
        }
    }
}

impl fmt::Display for IpAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(address) => address.fmt(f),
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(address) => address.fmt(f),
        }
    }
}

impl FromStr for IpAddress {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let address: IpAddr = text.parse().map_err(|_| ParseAddressError)?;
        Self::try_from(address).map_err(|_| ParseAddressError)
    }
}

/// A text is not an address, block or endpoint of a version that is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ParseAddressError;

impl fmt::Display for ParseAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid IP address syntax")
    }
}

impl core::error::Error for ParseAddressError {}

/// An address is of a version that is not compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UnsupportedAddress;

impl fmt::Display for UnsupportedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unsupported IP version")
    }
}

impl core::error::Error for UnsupportedAddress {}

#[cfg(test)]
mod tests;
