//! What can go wrong with an open connection.

use embedded_io_async::{Error, ErrorKind};

use crate::engine::ConnectError;
use crate::tcp::ConnectionError;

/// Why a connection cannot be read from or written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
// As wide as the number that it stands in for: a result that is one or the other is handed on in registers.
#[repr(usize)]
pub enum TcpError {
    /// There is no connection.
    NotConnected,
    /// The sending side was closed from here.
    WriteClosed,
    /// The peer reset the connection.
    Reset,
    /// The connection was aborted from here.
    Aborted,
    /// The peer stopped answering.
    TimedOut,
    /// The network reported that the peer cannot be reached.
    Unreachable,
    /// The local address is gone.
    AddressGone,
    /// The socket's buffer has no size.
    NoBuffer,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl From<ConnectionError> for TcpError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Refused | ConnectionError::Reset => Self::Reset,
            ConnectionError::Aborted => Self::Aborted,
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::Unreachable => Self::Unreachable,
            ConnectionError::AddressGone => Self::AddressGone,
        }
    }
}

impl core::fmt::Display for TcpError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotConnected => "not connected",
            Self::WriteClosed => "the sending side is closed",
            Self::Reset => "connection reset by the peer",
            Self::Aborted => "connection aborted on this side",
            Self::TimedOut => "the peer stopped answering",
            Self::Unreachable => "the peer cannot be reached",
            Self::AddressGone => "the local address is gone",
            Self::NoBuffer => "the socket's buffer has no size",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for TcpError {}

impl Error for TcpError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NotConnected => ErrorKind::NotConnected,
            Self::WriteClosed => ErrorKind::BrokenPipe,
            Self::Reset => ErrorKind::ConnectionReset,
            Self::Aborted => ErrorKind::ConnectionAborted,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::AddressGone => ErrorKind::AddrNotAvailable,
            Self::NoBuffer => ErrorKind::OutOfMemory,
            Self::Unreachable | Self::Reentrant => ErrorKind::Other,
        }
    }
}

impl Error for ConnectError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Refused => ErrorKind::ConnectionRefused,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::NoSlot => ErrorKind::OutOfMemory,
            Self::NoRoute => ErrorKind::AddrNotAvailable,
            Self::AddrInUse => ErrorKind::AddrInUse,
            Self::InvalidAddress => ErrorKind::InvalidInput,
            Self::Aborted => ErrorKind::ConnectionAborted,
            Self::InvalidState | Self::Unreachable | Self::Reentrant => ErrorKind::Other,
        }
    }
}
