//! UDP sockets. What is about multicast groups is in `groups`.

mod groups;
#[cfg(feature = "embedded-nal-async")]
mod pooled;

use core::task::{Context, Poll};

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};
use embedded_io_async::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use super::packets::{Packets, RecvError, SendError};
use super::stack::Stack;
use crate::engine::{
    BindError, PacketKind as _, Udp, UdpMetadata, UdpPacketMetadata, UdpSocketState,
};
use crate::storage::{Buffer, Bytes, PacketQueue};
use crate::wire::{IpEndpoint, IpListenEndpoint};

/// A UDP socket: sends and receives datagrams, by `&self`, from up to two tasks that receive and one that
/// sends at a time.
///
/// Connected to a peer it is also a byte pipe ([`Read`], [`Write`]): one write is one datagram, one read
/// takes one. Every future is cancellation safe: no datagram is lost or sent twice when it is dropped.
///
/// Dropped, it still sends what is queued, and its slot and buffers are free when that is done; its port is free at
/// once. Datagrams that cannot leave within ten seconds, as the link is down, are lost, and so are those of the socket
/// dropped first when another is opened and there is no other slot. Without the feature `packet-linger` what is queued
/// is lost at once: who wants it sent waits for [`Self::flush`] first.
pub struct UdpSocket<'d, M: RawMutex = NoopRawMutex> {
    packets: Packets<'d, M, Udp>,
}

impl<'d, M: RawMutex> UdpSocket<'d, M> {
    /// A socket on buffers of one's own: for each direction, room for datagrams and for what goes with
    /// them. A queue is full when either is.
    ///
    /// # Errors
    ///
    /// [`BindError::NoSlot`] if the stack has no slot left.
    pub fn new(
        stack: Stack<'d, M>,
        rx_meta: impl Into<Buffer<'d, UdpPacketMetadata>>,
        rx_buffer: impl Into<Bytes<'d>>,
        tx_meta: impl Into<Buffer<'d, UdpPacketMetadata>>,
        tx_buffer: impl Into<Bytes<'d>>,
    ) -> Result<Self, BindError> {
        let rx = (rx_meta.into(), rx_buffer.into());
        let tx = (tx_meta.into(), tx_buffer.into());
        let packets = Packets::open(stack, |engine| engine.udp_open(rx, tx))?;
        Ok(Self { packets })
    }

    /// Binds to a port, at one address or at all. Port 0 takes a free one at random (RFC 6056).
    ///
    /// # Errors
    ///
    /// [`BindError::AddrInUse`], [`BindError::InvalidState`] if the socket is bound already.
    pub fn bind(&mut self, endpoint: impl Into<IpListenEndpoint>) -> Result<(), BindError> {
        let endpoint = endpoint.into();
        self.packets
            .with(|engine, key| engine.udp_bind(key, endpoint))
            .unwrap_or(Err(BindError::Reentrant))
    }

    /// Sets the one peer to talk to, and binds to a free port if the socket is not bound. Datagrams from
    /// others are not received any more, not even those that have arrived, and errors that come back for what is
    /// sent are reported.
    ///
    /// # Errors
    ///
    /// [`BindError::NoRoute`] if nothing leads to the peer.
    pub fn connect(&mut self, remote: impl Into<IpEndpoint>) -> Result<(), BindError> {
        let remote = remote.into();
        self.packets
            .with(|engine, key| engine.udp_connect(key, remote))
            .unwrap_or(Err(BindError::Reentrant))
    }

    /// Receives a datagram: its length and where it is from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Truncated`] if the datagram is longer than `buffer`.
    pub fn recv_from(
        &self,
        buffer: &mut [u8],
    ) -> impl Future<Output = Result<(usize, UdpMetadata), RecvError>> {
        self.packets.recv_from(buffer)
    }

    /// As [`Self::recv_from`], for adapters. Of those who poll, the last is woken; they have one of the two places
    /// together, and keep it until a datagram comes.
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<(usize, UdpMetadata), RecvError>> {
        self.packets.poll_recv_from(cx, buffer)
    }

    /// Receives a datagram without a copy: `f` sees it where it lies. Calls into the stack from within
    /// `f` fail with `Reentrant`.
    ///
    /// # Errors
    ///
    /// [`RecvError`], none of which is about its length.
    pub fn recv_with<R>(
        &self,
        f: impl FnOnce(&mut [u8], UdpMetadata) -> R,
    ) -> impl Future<Output = Result<R, RecvError>> {
        self.packets.recv_with(f)
    }

    /// Queues a datagram for sending, waits for room if there is none. `to` is an endpoint, or a
    /// [`UdpMetadata`] that also says where it is from and with which hop limit.
    ///
    /// # Errors
    ///
    /// [`SendError`]; when it is [`SendError::Refused`] or [`SendError::Unreachable`], an earlier datagram
    /// was.
    pub fn send_to(
        &self,
        data: &[u8],
        to: impl Into<UdpMetadata>,
    ) -> impl Future<Output = Result<(), SendError>> {
        self.packets.send(data, to.into())
    }

    /// As [`Self::send_to`], for adapters. Of those who poll, the last is woken; they have the one place together, and
    /// keep it until there is room.
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        data: &[u8],
        to: impl Into<UdpMetadata>,
    ) -> Poll<Result<(), SendError>> {
        self.packets.poll_send(cx, data, to.into())
    }

    /// Queues a datagram of at most `len` bytes without a copy: `f` writes it where it will lie, and
    /// returns its length and a result. Calls into the stack from within `f` fail with `Reentrant`.
    ///
    /// # Errors
    ///
    /// As [`Self::send_to`].
    pub fn send_with<R>(
        &self,
        len: usize,
        to: impl Into<UdpMetadata>,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> impl Future<Output = Result<R, SendError>> {
        self.packets.send_with(len, to.into(), f)
    }

    /// Waits until everything queued was handed to the driver.
    ///
    /// # Errors
    ///
    /// [`SendError::TooManyWaiters`] if another task waits to send.
    pub async fn flush(&self) -> Result<(), SendError> {
        self.packets.flush().await
    }

    /// Unbinds the socket: what was not sent or received is gone. Who wants it sent waits for [`Self::flush`], or drops
    /// the socket.
    pub fn close(&mut self) {
        let _ = self.packets.with(|engine, key| engine.udp_close(key));
    }

    /// Where the socket is bound; port 0 if it is not.
    pub fn endpoint(&self) -> IpListenEndpoint {
        self.look(|udp| udp.local())
            .unwrap_or(IpListenEndpoint::from(0))
    }

    /// The peer, if the socket is connected.
    pub fn remote_endpoint(&self) -> Option<IpEndpoint> {
        self.look(|udp| udp.remote()).flatten()
    }

    /// Whether the socket is bound.
    pub fn is_open(&self) -> bool {
        self.look(Udp::is_bound).unwrap_or(false)
    }

    /// The hop limit (TTL) of datagrams that was chosen. Without one it is 64 or, over IPv6, what routers advertise.
    pub fn hop_limit(&self) -> Option<u8> {
        self.look(|udp| udp.hop_limit())?
    }

    /// Sets the hop limit. 0 is taken as 1.
    pub fn set_hop_limit(&mut self, hop_limit: u8) {
        self.change(|udp| udp.set_hop_limit(hop_limit.max(1)));
    }

    /// Whether there is a datagram, or an error, to receive.
    pub fn may_recv(&self) -> bool {
        self.packets.may_recv()
    }

    /// How many datagrams can be queued for reception.
    pub fn packet_recv_capacity(&self) -> usize {
        self.packets.received(PacketQueue::packet_capacity)
    }

    /// How many datagrams can be queued for sending.
    pub fn packet_send_capacity(&self) -> usize {
        self.packets.to_send(PacketQueue::packet_capacity)
    }

    /// The longest datagram in bytes that can be received.
    pub fn payload_recv_capacity(&self) -> usize {
        self.packets.received(PacketQueue::byte_capacity)
    }

    /// The longest datagram in bytes that fits the send buffer.
    pub fn payload_send_capacity(&self) -> usize {
        self.packets.to_send(PacketQueue::byte_capacity)
    }

    fn change(&self, f: impl FnOnce(&mut UdpSocketState<'d>)) {
        self.packets.change(f);
    }

    fn look<R>(&self, f: impl FnOnce(&UdpSocketState<'d>) -> R) -> Option<R> {
        self.packets.look(f)
    }
}

/// What can go wrong with a UDP socket as a byte pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum UdpIoError {
    /// Nothing was received.
    Recv(RecvError),
    /// Nothing was sent.
    Send(SendError),
}

impl core::fmt::Display for UdpIoError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Recv(error) => error.fmt(f),
            Self::Send(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for UdpIoError {}

impl embedded_io_async::Error for UdpIoError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Recv(RecvError::Refused) | Self::Send(SendError::Refused) => {
                ErrorKind::ConnectionRefused
            }
            Self::Recv(RecvError::NotBound) | Self::Send(SendError::NotBound) => {
                ErrorKind::NotConnected
            }
            Self::Recv(RecvError::Truncated) | Self::Send(SendError::PacketTooLarge) => {
                ErrorKind::InvalidInput
            }
            Self::Send(SendError::NoRoute) => ErrorKind::AddrNotAvailable,
            Self::Recv(_) | Self::Send(_) => ErrorKind::Other,
        }
    }
}

impl<M: RawMutex> ErrorType for UdpSocket<'_, M> {
    type Error = UdpIoError;
}

impl<M: RawMutex> Read for UdpSocket<'_, M> {
    /// Receives one datagram from the connected peer. Empty ones are passed over, because 0 means the
    /// end in a byte pipe, and a UDP socket has none.
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, UdpIoError> {
        if self.remote_endpoint().is_none() {
            return Err(UdpIoError::Recv(RecvError::NotBound));
        }
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let (len, _) = self.recv_from(buffer).await.map_err(UdpIoError::Recv)?;
            if len > 0 {
                return Ok(len);
            }
        }
    }
}

impl<M: RawMutex> ReadReady for UdpSocket<'_, M> {
    fn read_ready(&mut self) -> Result<bool, UdpIoError> {
        Ok(self.may_recv())
    }
}

impl<M: RawMutex> Write for UdpSocket<'_, M> {
    /// Sends one datagram to the connected peer.
    async fn write(&mut self, data: &[u8]) -> Result<usize, UdpIoError> {
        let remote = self
            .remote_endpoint()
            .ok_or(UdpIoError::Send(SendError::NotBound))?;
        self.send_to(data, remote).await.map_err(UdpIoError::Send)?;
        Ok(data.len())
    }

    /// Waits until everything queued was handed to the driver.
    async fn flush(&mut self) -> Result<(), UdpIoError> {
        UdpSocket::flush(self).await.map_err(UdpIoError::Send)
    }
}

impl<M: RawMutex> WriteReady for UdpSocket<'_, M> {
    fn write_ready(&mut self) -> Result<bool, UdpIoError> {
        Ok(self.packets.may_send())
    }
}
