//! What can go wrong on the way, in one type.

use core::fmt;

use cygnet::{DnsError, PoolError, UdpSocketsError};

/// Why the device does not have what it asked for.
#[derive(Debug)]
pub(crate) enum Error {
    /// There is no room for a pool of buffers.
    Pool(PoolError),
    /// A name has no address.
    Dns(DnsError),
    /// There is no page.
    Http(reqwless::Error),
    /// The page is not text.
    Page,
    /// There is no socket to ask for the time with.
    Udp(UdpSocketsError),
    /// The server for the time says nothing of use.
    Ntp(sntpc::Error),
    /// The server for the time says nothing.
    Silence,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pool(error) => error.fmt(f),
            Self::Dns(error) => error.fmt(f),
            Self::Http(error) => error.fmt(f),
            Self::Page => f.write_str("the page is not text"),
            Self::Udp(error) => error.fmt(f),
            Self::Ntp(error) => write!(f, "no time: {error:?}"),
            Self::Silence => f.write_str("no time: no answer"),
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        Self::Pool(error)
    }
}

impl From<DnsError> for Error {
    fn from(error: DnsError) -> Self {
        Self::Dns(error)
    }
}

impl From<reqwless::Error> for Error {
    fn from(error: reqwless::Error) -> Self {
        Self::Http(error)
    }
}

impl From<UdpSocketsError> for Error {
    fn from(error: UdpSocketsError) -> Self {
        Self::Udp(error)
    }
}

impl From<sntpc::Error> for Error {
    fn from(error: sntpc::Error) -> Self {
        Self::Ntp(error)
    }
}
