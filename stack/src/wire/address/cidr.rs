//! Blocks of addresses: an address and how many of its leading bits name the network (RFC 4632).

use core::fmt;
use core::net::Ipv4Addr;
#[cfg(feature = "proto-ipv6")]
use core::net::Ipv6Addr;
use core::str::FromStr;

use super::{IpAddress, ParseAddressError};

/// An IPv4 address and the length of its network's prefix, such as `192.0.2.7/24`.
///
/// The address is kept whole, so this also describes an interface's address in its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ipv4Cidr {
    address: Ipv4Addr,
    prefix_len: u8,
}

impl Ipv4Cidr {
    /// The address in a network with that prefix length in bits; lengths over 32 become 32.
    pub const fn new(address: Ipv4Addr, prefix_len: u8) -> Self {
        Self {
            address,
            prefix_len: if prefix_len > 32 { 32 } else { prefix_len },
        }
    }

    /// The address in a network with that prefix length in bits, `None` if that is over 32.
    pub const fn try_new(address: Ipv4Addr, prefix_len: u8) -> Option<Self> {
        if prefix_len > 32 {
            return None;
        }
        Some(Self::new(address, prefix_len))
    }

    /// The address, host bits included.
    pub const fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The length of the network's prefix in bits, at most 32.
    pub const fn prefix_len(&self) -> u8 {
        self.prefix_len
    }

    /// The network: the same prefix length, and the address with its host bits zero.
    pub const fn network(&self) -> Self {
        Self {
            address: Ipv4Addr::from_bits(self.address.to_bits() & self.mask()),
            prefix_len: self.prefix_len,
        }
    }

    /// The network mask, such as `255.255.255.0`.
    pub const fn netmask(&self) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.mask())
    }

    /// The network's broadcast address. `None` for prefixes of 31 and 32 bits, which have no bits to
    /// spare for one (RFC 3021).
    pub const fn broadcast(&self) -> Option<Ipv4Addr> {
        if self.prefix_len >= 31 {
            return None;
        }
        Some(Ipv4Addr::from_bits(self.address.to_bits() | !self.mask()))
    }

    /// Whether that address is in this network.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub const fn contains(&self, address: &Ipv4Addr) -> bool {
        (address.to_bits() ^ self.address.to_bits()) & self.mask() == 0
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    const fn mask(&self) -> u32 {
        match u32::MAX.checked_shl(32 - self.prefix_len as u32) {
            Some(mask) => mask,
            None => 0,
        }
    }
}

impl fmt::Display for Ipv4Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

impl FromStr for Ipv4Cidr {
    type Err = ParseAddressError;

    /// Reads `a.b.c.d/n`.
    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let (address, prefix_len) = split(text)?;
        let address = address.parse().map_err(|_| ParseAddressError)?;
        Self::try_new(address, prefix_len).ok_or(ParseAddressError)
    }
}

/// An IPv6 address and the length of its network's prefix, such as `2001:db8::7/64`.
///
/// The address is kept whole, so this also describes an interface's address in its network.
#[cfg(feature = "proto-ipv6")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ipv6Cidr {
    address: Ipv6Addr,
    prefix_len: u8,
}

#[cfg(feature = "proto-ipv6")]
impl Ipv6Cidr {
    /// The address in a network with that prefix length in bits; lengths over 128 become 128.
    pub const fn new(address: Ipv6Addr, prefix_len: u8) -> Self {
        Self {
            address,
            prefix_len: if prefix_len > 128 { 128 } else { prefix_len },
        }
    }

    /// The address in a network with that prefix length in bits, `None` if that is over 128.
    pub const fn try_new(address: Ipv6Addr, prefix_len: u8) -> Option<Self> {
        if prefix_len > 128 {
            return None;
        }
        Some(Self::new(address, prefix_len))
    }

    /// The address, interface identifier included.
    pub const fn address(&self) -> Ipv6Addr {
        self.address
    }

    /// The length of the network's prefix in bits, at most 128.
    pub const fn prefix_len(&self) -> u8 {
        self.prefix_len
    }

    /// The network: the same prefix length, and the address with its other bits zero.
    pub const fn network(&self) -> Self {
        Self {
            address: Ipv6Addr::from_bits(self.address.to_bits() & self.mask()),
            prefix_len: self.prefix_len,
        }
    }

    /// Whether that address is in this network.
    pub const fn contains(&self, address: &Ipv6Addr) -> bool {
        (address.to_bits() ^ self.address.to_bits()) & self.mask() == 0
    }

    const fn mask(&self) -> u128 {
        match u128::MAX.checked_shl(128 - self.prefix_len as u32) {
            Some(mask) => mask,
            None => 0,
        }
    }
}

#[cfg(feature = "proto-ipv6")]
impl fmt::Display for Ipv6Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

#[cfg(feature = "proto-ipv6")]
impl FromStr for Ipv6Cidr {
    type Err = ParseAddressError;

    /// Reads `a:b::c/n`.
    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let (address, prefix_len) = split(text)?;
        let address = address.parse().map_err(|_| ParseAddressError)?;
        Self::try_new(address, prefix_len).ok_or(ParseAddressError)
    }
}

/// An address and the length of its network's prefix, of a version that is compiled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum IpCidr {
    /// An IPv4 block.
    Ipv4(Ipv4Cidr),
    /// An IPv6 block.
    #[cfg(feature = "proto-ipv6")]
    Ipv6(Ipv6Cidr),
}

impl IpCidr {
    /// The address, host bits included.
    pub const fn address(&self) -> IpAddress {
        match self {
            Self::Ipv4(cidr) => IpAddress::Ipv4(cidr.address()),
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(cidr) => IpAddress::Ipv6(cidr.address()),
        }
    }

    /// The length of the network's prefix in bits.
    pub const fn prefix_len(&self) -> u8 {
        match self {
            Self::Ipv4(cidr) => cidr.prefix_len(),
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(cidr) => cidr.prefix_len(),
        }
    }

    /// The network: the same prefix length, and the address with its other bits zero.
    pub const fn network(&self) -> Self {
        match self {
            Self::Ipv4(cidr) => Self::Ipv4(cidr.network()),
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(cidr) => Self::Ipv6(cidr.network()),
        }
    }

    /// Whether another names the same network, whatever its host bits.
    pub(crate) fn is_same_network(&self, other: &Self) -> bool {
        self.prefix_len() == other.prefix_len() && self.contains(&other.address())
    }

    /// Whether that address is in this network; never of the other version.
    pub const fn contains(&self, address: &IpAddress) -> bool {
        match (self, address) {
            (Self::Ipv4(cidr), IpAddress::Ipv4(address)) => cidr.contains(address),
            #[cfg(feature = "proto-ipv6")]
            (Self::Ipv6(cidr), IpAddress::Ipv6(address)) => cidr.contains(address),
            #[cfg(feature = "proto-ipv6")]
            (Self::Ipv4(_), IpAddress::Ipv6(_)) | (Self::Ipv6(_), IpAddress::Ipv4(_)) => false,
        }
    }
}

impl From<Ipv4Cidr> for IpCidr {
    fn from(cidr: Ipv4Cidr) -> Self {
        Self::Ipv4(cidr)
    }
}

#[cfg(feature = "proto-ipv6")]
impl From<Ipv6Cidr> for IpCidr {
    fn from(cidr: Ipv6Cidr) -> Self {
        Self::Ipv6(cidr)
    }
}

impl fmt::Display for IpCidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(cidr) => cidr.fmt(f),
            #[cfg(feature = "proto-ipv6")]
            Self::Ipv6(cidr) => cidr.fmt(f),
        }
    }
}

impl FromStr for IpCidr {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        #[cfg(feature = "proto-ipv6")]
        if let Ok(cidr) = text.parse() {
            return Ok(Self::Ipv6(cidr));
        }
        text.parse().map(Self::Ipv4)
    }
}

/// The two sides of `address/prefix_len`. The length is digits alone: no sign.
fn split(text: &str) -> Result<(&str, u8), ParseAddressError> {
    let (address, prefix_len) = text.split_once('/').ok_or(ParseAddressError)?;
    if !prefix_len.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseAddressError);
    }
    let prefix_len = prefix_len.parse().map_err(|_| ParseAddressError)?;
    Ok((address, prefix_len))
}
