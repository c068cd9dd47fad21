//! Transport endpoints: an address and a port.

use core::fmt;
#[cfg(feature = "proto-ipv6")]
use core::net::SocketAddrV6;
use core::net::{IpAddr, SocketAddr, SocketAddrV4};
use core::str::FromStr;

use super::{IpAddress, ParseAddressError, UnsupportedAddress};

/// One end of a connection or datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IpEndpoint {
    /// The host's address.
    pub addr: IpAddress,
    /// The TCP or UDP port.
    pub port: u16,
}

impl IpEndpoint {
    /// The endpoint at that address and port.
    pub const fn new(addr: IpAddress, port: u16) -> Self {
        Self { addr, port }
    }
}

impl<A: Into<IpAddress>> From<(A, u16)> for IpEndpoint {
    fn from((addr, port): (A, u16)) -> Self {
        Self::new(addr.into(), port)
    }
}

impl From<SocketAddrV4> for IpEndpoint {
    fn from(address: SocketAddrV4) -> Self {
        Self::new(IpAddress::Ipv4(*address.ip()), address.port())
    }
}

#[cfg(feature = "proto-ipv6")]
impl From<SocketAddrV6> for IpEndpoint {
    /// Flow label and scope are lost.
    fn from(address: SocketAddrV6) -> Self {
        Self::new(IpAddress::Ipv6(*address.ip()), address.port())
    }
}

impl TryFrom<SocketAddr> for IpEndpoint {
    type Error = UnsupportedAddress;

    fn try_from(address: SocketAddr) -> Result<Self, UnsupportedAddress> {
        Ok(Self::new(address.ip().try_into()?, address.port()))
    }
}

impl From<IpEndpoint> for SocketAddr {
    fn from(endpoint: IpEndpoint) -> Self {
        Self::new(IpAddr::from(endpoint.addr), endpoint.port)
    }
}

impl fmt::Display for IpEndpoint {
    /// Writes `192.0.2.7:80` or `[2001:db8::7]:80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::from(*self).fmt(f)
    }
}

impl FromStr for IpEndpoint {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, ParseAddressError> {
        let address: SocketAddr = text.parse().map_err(|_| ParseAddressError)?;
        Self::try_from(address).map_err(|_| ParseAddressError)
    }
}

/// Where to wait for connections or datagrams: a port, at one local address or at all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IpListenEndpoint {
    /// The local address, `None` for any.
    pub addr: Option<IpAddress>,
    /// The TCP or UDP port.
    pub port: u16,
}

impl From<u16> for IpListenEndpoint {
    /// That port at any local address.
    fn from(port: u16) -> Self {
        Self { addr: None, port }
    }
}

impl From<IpEndpoint> for IpListenEndpoint {
    fn from(endpoint: IpEndpoint) -> Self {
        Self::from((endpoint.addr, endpoint.port))
    }
}

impl<A: Into<IpAddress>> From<(A, u16)> for IpListenEndpoint {
    /// That address and port. The unspecified address means any, as elsewhere.
    fn from((addr, port): (A, u16)) -> Self {
        let addr = addr.into();
        Self {
            addr: (!addr.is_unspecified()).then_some(addr),
            port,
        }
    }
}

impl fmt::Display for IpListenEndpoint {
    /// Writes `*:80` for any local address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addr {
            Some(addr) => IpEndpoint::new(addr, self.port).fmt(f),
            None => write!(f, "*:{}", self.port),
        }
    }
}
