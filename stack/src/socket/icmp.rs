//! ICMP sockets.

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};

use super::packets::{Packets, RecvError, SendError};
use super::stack::Stack;
use crate::engine::{BindError, Icmp, IcmpEndpoint, IcmpMetadata, IcmpPacketMetadata};
use crate::storage::{Buffer, Bytes};

/// An ICMP socket: sends messages, and receives echo replies with its identifier or errors about its UDP
/// port, by `&self`.
///
/// Messages are whole ICMP messages as in [`Icmpv4Message`](crate::wire::Icmpv4Message), without the IP
/// header; the checksum of what is sent is filled in, that of what is received was verified. Every future
/// is cancellation safe. What becomes of messages that are queued when the socket is dropped is told at `UdpSocket`.
pub struct IcmpSocket<'d, M: RawMutex = NoopRawMutex> {
    packets: Packets<'d, M, Icmp>,
}

/// What can go wrong with an ICMP socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum IcmpError {
    /// The stack has no slot left.
    NoSlot,
    /// Another socket has the identifier or port, or this one is bound already.
    AddrInUse,
    /// The socket is not bound.
    NotBound,
    /// Nothing leads to the destination.
    NoRoute,
    /// The destination of an earlier message cannot be reached.
    Unreachable,
    /// The message does not fit the socket's buffer, or the link.
    PacketTooLarge,
    /// The message did not fit the buffer: it holds as much as there was room for, the rest is lost.
    Truncated,
    /// More tasks wait than can be remembered: two to receive, one to send.
    TooManyWaiters,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for IcmpError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoSlot => "no free socket slot",
            Self::AddrInUse => "the identifier or port is in use",
            Self::NotBound => "the socket is not bound",
            Self::NoRoute => "no route to the destination",
            Self::Unreachable => "the destination cannot be reached",
            Self::PacketTooLarge => "the message does not fit the socket or the link",
            Self::Truncated => "the message did not fit the buffer",
            Self::TooManyWaiters => "too many tasks wait on one socket",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for IcmpError {}

impl From<RecvError> for IcmpError {
    fn from(error: RecvError) -> Self {
        match error {
            RecvError::Truncated => Self::Truncated,
            RecvError::Refused | RecvError::Unreachable | RecvError::AddressGone => {
                Self::Unreachable
            }
            RecvError::NotBound => Self::NotBound,
            RecvError::TooManyWaiters => Self::TooManyWaiters,
            RecvError::Reentrant => Self::Reentrant,
        }
    }
}

impl From<SendError> for IcmpError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::NoRoute | SendError::AddressGone => Self::NoRoute,
            SendError::NotBound => Self::NotBound,
            SendError::PacketTooLarge | SendError::InvalidPacket => Self::PacketTooLarge,
            SendError::Refused | SendError::Unreachable => Self::Unreachable,
            SendError::TooManyWaiters => Self::TooManyWaiters,
            SendError::Reentrant => Self::Reentrant,
        }
    }
}

impl<'d, M: RawMutex> IcmpSocket<'d, M> {
    /// A socket on buffers of one's own, as for UDP.
    ///
    /// # Errors
    ///
    /// [`IcmpError::NoSlot`] if the stack has no slot left.
    pub fn new(
        stack: Stack<'d, M>,
        rx_meta: impl Into<Buffer<'d, IcmpPacketMetadata>>,
        rx_buffer: impl Into<Bytes<'d>>,
        tx_meta: impl Into<Buffer<'d, IcmpPacketMetadata>>,
        tx_buffer: impl Into<Bytes<'d>>,
    ) -> Result<Self, IcmpError> {
        let rx = (rx_meta.into(), rx_buffer.into());
        let tx = (tx_meta.into(), tx_buffer.into());
        let packets = Packets::open(stack, |engine| engine.icmp_open(rx, tx));
        match packets {
            Ok(packets) => Ok(Self { packets }),
            Err(BindError::Reentrant) => Err(IcmpError::Reentrant),
            Err(_) => Err(IcmpError::NoSlot),
        }
    }

    /// Binds to an identifier of echo requests, or to a UDP port.
    ///
    /// # Errors
    ///
    /// [`IcmpError::AddrInUse`] if it is taken, or the socket is bound already.
    pub fn bind(&mut self, endpoint: IcmpEndpoint) -> Result<(), IcmpError> {
        match self
            .packets
            .with(|engine, key| engine.icmp_bind(key, endpoint))
        {
            Ok(true) => Ok(()),
            Ok(false) => Err(IcmpError::AddrInUse),
            Err(_) => Err(IcmpError::Reentrant),
        }
    }

    /// What the socket is bound to.
    pub fn endpoint(&self) -> IcmpEndpoint {
        self.packets
            .look(|icmp| icmp.endpoint())
            .unwrap_or_default()
    }

    /// Sets the hop limit (TTL) of messages. Without one that is chosen it is 64 or, over IPv6, what routers
    /// advertise. 0 is taken as 1.
    pub fn set_hop_limit(&mut self, hop_limit: u8) {
        self.packets
            .change(|icmp| icmp.set_hop_limit(hop_limit.max(1)));
    }

    /// Receives a message: its length and where it is from.
    ///
    /// # Errors
    ///
    /// [`IcmpError::Truncated`] if it is longer than `buffer`, [`IcmpError::Unreachable`] if something
    /// sent before cannot be delivered.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, IcmpMetadata), IcmpError> {
        Ok(self.packets.recv_from(buffer).await?)
    }

    /// Receives a message without a copy: `f` sees it where it lies. Calls into the stack from within
    /// `f` fail with `Reentrant`.
    ///
    /// # Errors
    ///
    /// As [`Self::recv_from`], without the length.
    pub async fn recv_with<R>(
        &self,
        f: impl FnOnce(&mut [u8], IcmpMetadata) -> R,
    ) -> Result<R, IcmpError> {
        Ok(self.packets.recv_with(f).await?)
    }

    /// Queues a message for sending, waits for room if there is none. `to` is an address, or an
    /// [`IcmpMetadata`].
    ///
    /// # Errors
    ///
    /// [`IcmpError`] says why it cannot be sent.
    pub async fn send_to(
        &self,
        message: &[u8],
        to: impl Into<IcmpMetadata>,
    ) -> Result<(), IcmpError> {
        Ok(self.packets.send(message, to.into()).await?)
    }

    /// Queues a message of at most `len` bytes without a copy: `f` writes it where it will lie, and
    /// returns its length and a result. Calls into the stack from within `f` fail with `Reentrant`.
    ///
    /// # Errors
    ///
    /// As [`Self::send_to`].
    pub async fn send_with<R>(
        &self,
        len: usize,
        to: impl Into<IcmpMetadata>,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, IcmpError> {
        Ok(self.packets.send_with(len, to.into(), f).await?)
    }

    /// Waits until everything queued was handed to the driver.
    ///
    /// # Errors
    ///
    /// [`IcmpError::TooManyWaiters`] if another task waits to send.
    pub async fn flush(&self) -> Result<(), IcmpError> {
        Ok(self.packets.flush().await?)
    }
}
