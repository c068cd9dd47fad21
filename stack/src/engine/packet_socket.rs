//! What sockets that queue whole packets have in common (UDP, ICMP, raw), as their handles see them.
//!
//! How their packets leave is in [`turn`], and how those of dropped handles do in [`lingering`].

pub(super) mod datagram;
#[cfg(feature = "socket-icmp")]
pub(super) mod icmp;
#[cfg_attr(not(feature = "packet-linger"), path = "packet_socket/no_lingering.rs")]
mod lingering;
pub(super) mod queues;
#[cfg(feature = "socket-raw")]
pub(super) mod raw;
mod turn;
#[cfg(feature = "socket-udp")]
pub(super) mod udp;

#[cfg(all(
    feature = "icmp-errors",
    any(feature = "socket-udp", feature = "socket-raw")
))]
use super::icmp::IcmpError;
use super::{Engine, SocketKey};
use crate::storage::{Index, PushError};
pub(crate) use queues::{Fault, Queues};

/// A kind of socket that queues whole packets: a name for it, without the lifetime that its state has. Of futures
/// that name what has a lifetime the compiler cannot tell that they are `Send`.
pub(crate) trait PacketKind {
    /// What goes with a packet.
    type Meta: Copy + 'static;
    /// The state of such a socket.
    type Socket<'d>;

    /// The socket of a handle.
    fn of<'e, 'd>(engine: &'e Engine<'d>, key: SocketKey) -> Option<&'e Self::Socket<'d>>;

    fn of_mut<'e, 'd>(
        engine: &'e mut Engine<'d>,
        key: SocketKey,
    ) -> Option<&'e mut Self::Socket<'d>>;

    fn is_bound(socket: &Self::Socket<'_>) -> bool;

    fn queues<'s, 'd: 's>(socket: &'s Self::Socket<'d>) -> &'s Queues<'d, Self::Meta>;

    fn queues_mut<'s, 'd: 's>(socket: &'s mut Self::Socket<'d>) -> &'s mut Queues<'d, Self::Meta>;

    /// Queues a packet of at most `len` bytes that `write` fills in and may shorten.
    fn send<R>(
        engine: &mut Engine<'_>,
        key: SocketKey,
        meta: &Self::Meta,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, QueueError>;
}

/// Why a packet was not queued for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueError {
    /// There is no room now.
    Full,
    /// It does not fit the socket's buffer, or the link.
    TooLong,
    /// Nothing leads there.
    NoRoute,
    /// Where it is to come from is no address of ours.
    #[cfg(feature = "socket-udp")]
    AddressGone,
    /// The socket is not bound.
    NotBound,
    /// Not for what it is, but to tell of one before it.
    #[cfg(feature = "socket-udp")]
    Fault(Fault),
    /// Its header, which its user wrote, is not one that the socket sends.
    #[cfg(feature = "socket-raw")]
    Invalid,
}

impl Fault {
    /// What an ICMP error about a packet means to its sender, if anything. Not that it was too long: packets of
    /// sockets may be fragmented on their way. Nor that it did not arrive this time (RFC 1122, section 4.1.3.3).
    #[cfg(all(
        feature = "icmp-errors",
        any(feature = "socket-udp", feature = "socket-raw")
    ))]
    pub(super) fn of(error: IcmpError) -> Option<Self> {
        match error {
            IcmpError::Refused => Some(Self::Refused),
            IcmpError::Unreachable => Some(Self::Unreachable),
            IcmpError::Soft | IcmpError::TooLong { .. } => None,
        }
    }
}

impl From<PushError> for QueueError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Full => Self::Full,
            PushError::TooLong => Self::TooLong,
        }
    }
}

/// Why a socket was not bound or connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BindError {
    /// The socket is bound already.
    InvalidState,
    /// Nothing leads to the peer, or the local address is not ours.
    NoRoute,
    /// The remote address or port is none that can be sent to.
    InvalidAddress,
    /// Another socket has the address and port, or the protocol; or all ports are in use.
    AddrInUse,
    /// There is no free slot for a socket.
    NoSlot,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for BindError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::InvalidState => "the socket is bound already",
            Self::NoRoute => "no route to the peer, or not an address of ours",
            Self::InvalidAddress => "not an address that can be sent to",
            Self::AddrInUse => "the port or protocol is in use",
            Self::NoSlot => "no free socket slot",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for BindError {}

impl Engine<'_> {
    /// A socket is over: its slot is free, and what was lent goes back.
    pub(in crate::engine) fn give_up(&mut self, index: Index) {
        self.stop_waiting(index);
        #[cfg(feature = "socket-udp")]
        self.return_udp_buffers(index);
        self.sockets.free(index);
    }
}
