//! What can go wrong with a connection by name.

use embedded_io_async::ErrorKind;

use crate::engine::ConnectError;
use crate::socket::dns::DnsError;

/// Why there is no connection to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ConnectHostError {
    /// It has no addresses that are known.
    Dns(DnsError),
    /// None of its addresses could be connected to; this is about the first.
    Connect(ConnectError),
}

impl core::fmt::Display for ConnectHostError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Dns(error) => error.fmt(f),
            Self::Connect(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ConnectHostError {}

impl From<DnsError> for ConnectHostError {
    fn from(error: DnsError) -> Self {
        Self::Dns(error)
    }
}

impl embedded_io_async::Error for ConnectHostError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Dns(error) => error.kind(),
            Self::Connect(error) => error.kind(),
        }
    }
}
