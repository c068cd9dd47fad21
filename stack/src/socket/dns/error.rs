//! What can go wrong with a question.

use embedded_io_async::ErrorKind;

use crate::dns::Failure;
use crate::engine::AskError;
use crate::socket::stack::Reentrant;
use crate::socket::waiting::WaitError;
use crate::wire::dns::InvalidName;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DnsError {
    /// There is no such name.
    NoSuchName,
    /// There is the name, but no record of the type that was asked for.
    NoData,
    /// The text is no name that can be asked for.
    InvalidName(InvalidName),
    /// The configuration has no DNS servers.
    NoServers,
    /// No server answered in time.
    TimedOut,
    /// The servers could or would not find out.
    ServerFailure,
    /// The name stands for another, and that for yet another, more often than makes sense.
    TooManyAliases,
    /// The answer does not fit, in the socket's buffer or the caller's.
    BufferTooSmall,
    /// There was no query written before its answer was read, or it is no DNS message.
    NoQuery,
    /// There is no free slot for a socket.
    NoSlot,
    /// More tasks wait than can be remembered.
    TooManyWaiters,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for DnsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoSuchName => "there is no such name",
            Self::NoData => "the name has no such record",
            Self::InvalidName(invalid) => return invalid.fmt(f),
            Self::NoServers => "no DNS servers are configured",
            Self::TimedOut => "no DNS server answered in time",
            Self::ServerFailure => "the DNS servers could not find out",
            Self::TooManyAliases => "too many aliases",
            Self::BufferTooSmall => "the answer does not fit the buffer",
            Self::NoQuery => "no query was written",
            Self::NoSlot => "no free socket slot",
            Self::TooManyWaiters => "too many tasks wait on one socket",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for DnsError {}

impl embedded_io_async::Error for DnsError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::NoSuchName | Self::NoData => ErrorKind::NotFound,
            Self::InvalidName(_) | Self::NoQuery => ErrorKind::InvalidInput,
            Self::BufferTooSmall | Self::NoSlot => ErrorKind::OutOfMemory,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::NoServers => ErrorKind::AddrNotAvailable,
            _ => ErrorKind::Other,
        }
    }
}

impl From<Failure> for DnsError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TimedOut => Self::TimedOut,
            Failure::Refused => Self::ServerFailure,
            Failure::NoServers => Self::NoServers,
            Failure::TooLong => Self::BufferTooSmall,
        }
    }
}

impl From<AskError> for DnsError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::NoRoom => Self::BufferTooSmall,
            AskError::Gone => Self::NoSlot,
        }
    }
}

impl From<InvalidName> for DnsError {
    fn from(invalid: InvalidName) -> Self {
        Self::InvalidName(invalid)
    }
}

impl From<Reentrant> for DnsError {
    fn from(_: Reentrant) -> Self {
        Self::Reentrant
    }
}

impl From<WaitError> for DnsError {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::TooManyWaiters => Self::TooManyWaiters,
            WaitError::Reentrant => Self::Reentrant,
        }
    }
}
