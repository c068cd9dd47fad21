//! What sockets that queue whole packets have in common (UDP, ICMP, raw), as their handles see them.
//!
//! How their packets leave is in [`datagram`], and how those of dropped handles do in [`lingering`].

pub(super) mod datagram;
#[cfg(feature = "socket-icmp")]
pub(super) mod icmp;
mod lingering;
#[cfg(feature = "socket-raw")]
pub(super) mod raw;
#[cfg(feature = "socket-udp")]
pub(super) mod udp;

#[cfg(all(
    feature = "icmp-errors",
    any(feature = "socket-udp", feature = "socket-raw")
))]
use super::icmp::IcmpError;
use super::{Engine, SocketKey};
use crate::stats::Discard;
use crate::storage::{Buffer, Bytes, PacketMetadata, PacketQueue, PushError};
use datagram::RouteCache;

/// A kind of socket that queues whole packets: a name for it, without the lifetime that its state has. Of futures
/// that name what has a lifetime the compiler cannot tell that they are `Send`.
pub(crate) trait PacketKind {
    /// What goes with a packet.
    type Meta: Copy + 'static;
    /// The state of such a socket.
    type Socket<'d>;

    /// Whether a task that sends hears of faults too, and not only who receives.
    const TELLS_SENDERS: bool = false;

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
        meta: Self::Meta,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, QueueError>;
}

/// The memory of one direction: records, and bytes.
pub(crate) type QueueMemory<'d, T> = (Buffer<'d, PacketMetadata<T>>, Bytes<'d>);

/// The packets of a socket, in and out.
pub(crate) struct Queues<'d, T> {
    pub(super) rx: PacketQueue<'d, T>,
    pub(super) tx: PacketQueue<'d, T>,
    pub(super) route: RouteCache,
    /// What became of a packet that was sent.
    pub(super) fault: Option<Fault>,
}

/// What the network said about a packet that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// Nobody takes it there.
    #[cfg(feature = "icmp-errors")]
    Refused,
    /// Its destination cannot be reached.
    Unreachable,
    /// The address that the socket is bound to is not ours any more.
    #[cfg(feature = "socket-udp")]
    AddressGone,
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
    /// Its header, which its user wrote, is not one that the socket sends.
    #[cfg(feature = "socket-raw")]
    Invalid,
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

impl<'d, T: Copy> Queues<'d, T> {
    pub(super) fn new(rx: QueueMemory<'d, T>, tx: QueueMemory<'d, T>) -> Self {
        Self {
            rx: PacketQueue::new(rx.0, rx.1),
            tx: PacketQueue::new(tx.0, tx.1),
            route: RouteCache::default(),
            fault: None,
        }
    }

    /// Puts a packet that arrived where its user finds it.
    pub(super) fn receive(&mut self, meta: T, data: &[u8]) -> Result<(), Discard> {
        receive(&mut self.rx, meta, data)
    }

    /// The same with a packet of `len` bytes that `write` puts together.
    #[cfg(all(feature = "proto-ipv6", feature = "socket-raw"))]
    pub(super) fn receive_with(
        &mut self,
        meta: T,
        len: usize,
        write: impl FnOnce(&mut [u8]),
    ) -> Result<(), Discard> {
        let queued = self.rx.push_with(meta, len, |room| {
            write(room);
            (len, ())
        });
        queued.map_err(Discard::from)
    }

    /// The same with the packet that was queued for sending last.
    #[cfg(all(feature = "multicast", feature = "socket-udp"))]
    pub(super) fn receive_own(&mut self, meta: T) -> Result<(), Discard> {
        receive(&mut self.rx, meta, self.tx.back().unwrap_or_default())
    }

    /// Removes a packet that was sent or is given up. True if there are others.
    #[inline]
    pub(super) fn remove(&mut self, nth: usize) -> bool {
        self.tx.take(nth);
        !self.tx.is_empty()
    }

    /// As it was when it was new.
    pub(super) fn clear(&mut self) {
        self.rx.clear();
        self.tx.clear();
        self.route = RouteCache::default();
        self.fault = None;
    }

    /// What became of a packet, told once.
    pub(crate) fn take_fault(&mut self) -> Option<Fault> {
        self.fault.take()
    }

    pub(crate) fn received(&self) -> &PacketQueue<'d, T> {
        &self.rx
    }

    pub(crate) fn received_mut(&mut self) -> &mut PacketQueue<'d, T> {
        &mut self.rx
    }

    pub(crate) fn to_send(&self) -> &PacketQueue<'d, T> {
        &self.tx
    }
}

fn receive<T: Copy>(rx: &mut PacketQueue<'_, T>, meta: T, data: &[u8]) -> Result<(), Discard> {
    let queued = rx.push_with(meta, data.len(), |room| {
        room.copy_from_slice(data);
        (data.len(), ())
    });
    queued.map_err(Discard::from)
}

impl From<PushError> for Discard {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Full => Self::ReceiveQueueFull,
            PushError::TooLong => Self::TooLongForSocket,
        }
    }
}
