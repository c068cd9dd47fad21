//! UDP sockets.

use core::future::poll_fn;
use core::task::{Context, Poll};

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};
use embedded_io_async::{ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};

use super::stack::Stack;
use super::waiting::{WaitError, Waiting};
use super::wakers::Interest;
use crate::engine::{
    BindError, Engine, QueueError, SocketKey, UdpError, UdpMetadata, UdpPacketMetadata,
};
#[cfg(feature = "multicast")]
use crate::engine::{Member, MulticastError, MulticastSources};
use crate::storage::{Buffer, Bytes};
#[cfg(feature = "multicast")]
use crate::wire::IpAddress;
use crate::wire::{IpEndpoint, IpListenEndpoint};

/// A UDP socket: sends and receives datagrams, by `&self`, from up to two tasks that receive and one that
/// sends at a time.
///
/// Connected to a peer it is also a byte pipe ([`Read`], [`Write`]): one write is one datagram, one read
/// takes one. Every future is cancellation safe: no datagram is lost or sent twice when it is dropped.
pub struct UdpSocket<'d, M: RawMutex = NoopRawMutex> {
    stack: Stack<'d, M>,
    key: SocketKey,
}

/// Why nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RecvError {
    /// The datagram did not fit the buffer: it holds as much as there was room for, the rest is lost.
    /// [`UdpSocket::recv_with`] takes datagrams of any length.
    Truncated,
    /// The connected peer has nobody bound to its port.
    Refused,
    /// The connected peer cannot be reached.
    Unreachable,
    /// The socket is not bound.
    NotBound,
    /// More tasks wait than can be remembered: two to receive, one to send.
    TooManyWaiters,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SendError {
    /// Nothing leads to the destination, or its port is 0.
    NoRoute,
    /// The socket is not bound, or, to write without a destination, not connected.
    NotBound,
    /// The datagram does not fit the socket's buffer, or the link.
    PacketTooLarge,
    /// The connected peer has nobody bound to its port.
    Refused,
    /// The connected peer cannot be reached.
    Unreachable,
    /// Another task waits for room already.
    TooManyWaiters,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for RecvError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the datagram did not fit the buffer",
            Self::Refused => "refused by the peer",
            Self::Unreachable => "the peer cannot be reached",
            Self::NotBound => "the socket is not bound",
            Self::TooManyWaiters => "too many tasks receive on one socket",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::fmt::Display for SendError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NoRoute => "no route to the destination",
            Self::NotBound => "the socket is not bound or not connected",
            Self::PacketTooLarge => "the datagram does not fit the socket or the link",
            Self::Refused => "refused by the peer",
            Self::Unreachable => "the peer cannot be reached",
            Self::TooManyWaiters => "another task waits to send on the socket",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for RecvError {}
impl core::error::Error for SendError {}

impl From<WaitError> for RecvError {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::TooManyWaiters => Self::TooManyWaiters,
            WaitError::Reentrant => Self::Reentrant,
        }
    }
}

impl From<WaitError> for SendError {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::TooManyWaiters => Self::TooManyWaiters,
            WaitError::Reentrant => Self::Reentrant,
        }
    }
}

impl From<UdpError> for RecvError {
    fn from(error: UdpError) -> Self {
        match error {
            UdpError::Refused => Self::Refused,
            UdpError::Unreachable => Self::Unreachable,
        }
    }
}

impl From<UdpError> for SendError {
    fn from(error: UdpError) -> Self {
        match error {
            UdpError::Refused => Self::Refused,
            UdpError::Unreachable => Self::Unreachable,
        }
    }
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
        let key = stack
            .with(|s| s.engine.udp_open(rx, tx))
            .map_err(|_| BindError::Reentrant)?
            .ok_or(BindError::NoSlot)?;
        Ok(Self { stack, key })
    }

    /// Binds to a port, at one address or at all. Port 0 takes a free one at random (RFC 6056).
    ///
    /// # Errors
    ///
    /// [`BindError::AddrInUse`], [`BindError::InvalidState`] if the socket is bound already.
    pub fn bind(&mut self, endpoint: impl Into<IpListenEndpoint>) -> Result<(), BindError> {
        let endpoint = endpoint.into();
        self.stack
            .with(|s| s.engine.udp_bind(self.key, endpoint))
            .unwrap_or(Err(BindError::Reentrant))
    }

    /// Sets the one peer to talk to, and binds to a free port if the socket is not bound. Datagrams from
    /// others are not received any more, and errors that come back for what is sent are reported.
    ///
    /// # Errors
    ///
    /// [`BindError::NoRoute`] if nothing leads to the peer.
    pub fn connect(&mut self, remote: impl Into<IpEndpoint>) -> Result<(), BindError> {
        let remote = remote.into();
        self.stack
            .with(|s| s.engine.udp_connect(self.key, remote))
            .unwrap_or(Err(BindError::Reentrant))
    }

    /// Receives a datagram: its length and where it is from.
    ///
    /// # Errors
    ///
    /// [`RecvError::Truncated`] if the datagram is longer than `buffer`.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, UdpMetadata), RecvError> {
        self.recv_with(|data, meta| copy_out(data, buffer).map(|len| (len, meta)))
            .await?
    }

    /// As [`Self::recv_from`], for adapters.
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<(usize, UdpMetadata), RecvError>> {
        let mut waiting = Waiting::new(self.stack, self.key);
        let polled = self.poll_recv(cx, &mut waiting, |data, meta| {
            copy_out(data, buffer).map(|len| (len, meta))
        });
        waiting.stay();
        polled.map(|result| result.and_then(|copied| copied))
    }

    /// Receives a datagram without a copy: `f` sees it where it lies. Calls into the stack from within
    /// `f` fail with `Reentrant`.
    ///
    /// # Errors
    ///
    /// [`RecvError`], none of which is about its length.
    pub async fn recv_with<R>(
        &self,
        f: impl FnOnce(&mut [u8], UdpMetadata) -> R,
    ) -> Result<R, RecvError> {
        let mut waiting = Waiting::new(self.stack, self.key);
        let mut f = Some(f);
        poll_fn(|cx| {
            self.poll_recv(cx, &mut waiting, |data, meta| {
                f.take().map(|f| f(data, meta))
            })
        })
        .await?
        .ok_or(RecvError::NotBound)
    }

    fn poll_recv<R>(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting<'d, M>,
        f: impl FnOnce(&mut [u8], UdpMetadata) -> R,
    ) -> Poll<Result<R, RecvError>> {
        let key = self.key;
        let polled = waiting.poll(cx, &Interest::RECEIVERS, |engine| {
            let Some(udp) = engine.udp_mut(key).filter(|udp| udp.is_bound()) else {
                return Some(Err(RecvError::NotBound));
            };
            if let Some(error) = udp.take_error() {
                return Some(Err(error.into()));
            }
            let (meta, data) = udp.received_mut().front_mut()?;
            let result = f(data, *meta);
            udp.received_mut().pop();
            Some(Ok(result))
        });
        polled.map(|result| result.unwrap_or_else(|error| Err(error.into())))
    }

    /// Queues a datagram for sending, waits for room if there is none. `to` is an endpoint, or a
    /// [`UdpMetadata`] that also says where it is from and with which hop limit.
    ///
    /// # Errors
    ///
    /// [`SendError`]; when it is [`SendError::Refused`] or [`SendError::Unreachable`], an earlier datagram
    /// was.
    pub async fn send_to(&self, data: &[u8], to: impl Into<UdpMetadata>) -> Result<(), SendError> {
        self.send_with(data.len(), to, |room| {
            room.copy_from_slice(data);
            (data.len(), ())
        })
        .await
    }

    /// As [`Self::send_to`], for adapters.
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        data: &[u8],
        to: impl Into<UdpMetadata>,
    ) -> Poll<Result<(), SendError>> {
        let mut waiting = Waiting::new(self.stack, self.key);
        let mut write = Some(|room: &mut [u8]| {
            room.copy_from_slice(data);
            (data.len(), ())
        });
        let polled = self.poll_send(cx, &mut waiting, data.len(), to.into(), &mut write);
        waiting.stay();
        polled
    }

    /// Queues a datagram of at most `len` bytes without a copy: `f` writes it where it will lie, and
    /// returns its length and a result. Calls into the stack from within `f` fail with `Reentrant`.
    ///
    /// # Errors
    ///
    /// As [`Self::send_to`].
    pub async fn send_with<R>(
        &self,
        len: usize,
        to: impl Into<UdpMetadata>,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, SendError> {
        let to = to.into();
        let mut waiting = Waiting::new(self.stack, self.key);
        let mut f = Some(f);
        poll_fn(|cx| self.poll_send(cx, &mut waiting, len, to, &mut f)).await
    }

    fn poll_send<R>(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting<'d, M>,
        len: usize,
        to: UdpMetadata,
        write: &mut Option<impl FnOnce(&mut [u8]) -> (usize, R)>,
    ) -> Poll<Result<R, SendError>> {
        let key = self.key;
        let polled = waiting.poll(cx, &Interest::SENDERS, |engine| {
            send_now(engine, key, to, len, write)
        });
        polled.map(|result| result.unwrap_or_else(|error| Err(error.into())))
    }

    /// Waits until everything queued was handed to the driver.
    ///
    /// # Errors
    ///
    /// [`SendError::TooManyWaiters`] if another task waits to send.
    pub async fn flush(&self) -> Result<(), SendError> {
        let key = self.key;
        let mut waiting = Waiting::new(self.stack, self.key);
        poll_fn(|cx| {
            waiting.poll(cx, &Interest::SENDERS, |engine| {
                let empty = engine.udp(key).is_none_or(|udp| udp.to_send().is_empty());
                empty.then_some(())
            })
        })
        .await
        .map_err(SendError::from)
    }

    /// Unbinds the socket: what was not sent or received is gone.
    pub fn close(&mut self) {
        let _ = self.stack.with(|s| s.engine.udp_close(self.key));
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
        self.look(|udp| udp.is_bound()).unwrap_or(false)
    }

    /// The hop limit (TTL) of datagrams; 64 by default.
    pub fn hop_limit(&self) -> u8 {
        self.look(|udp| udp.hop_limit()).unwrap_or(0)
    }

    /// Sets the hop limit. 0 is taken as 1.
    pub fn set_hop_limit(&mut self, hop_limit: u8) {
        self.change(|udp| udp.set_hop_limit(hop_limit.max(1)));
    }

    /// Sets the hop limit of datagrams to multicast groups; 1 by default, so that they stay on the link
    /// (RFC 1112, section 6.1). 0 is taken as 1.
    pub fn set_multicast_hop_limit(&mut self, hop_limit: u8) {
        self.change(|udp| udp.set_multicast_hop_limit(hop_limit.max(1)));
    }

    /// The hop limit of datagrams to multicast groups.
    pub fn multicast_hop_limit(&self) -> u8 {
        self.look(|udp| udp.multicast_hop_limit()).unwrap_or(0)
    }

    /// Whether sockets of this stack that are in a group get what this one sends to it, itself included. They
    /// do by default.
    #[cfg(feature = "multicast")]
    pub fn set_multicast_loop(&mut self, enabled: bool) {
        self.change(|udp| udp.set_multicast_loop(enabled));
    }

    /// Lets this socket [bind](Self::bind) to a port that others have who say the same. Datagrams to groups and
    /// broadcasts go to all of them, any other to one.
    pub fn set_port_shared(&mut self, shared: bool) {
        self.change(|udp| udp.set_port_shared(shared));
    }

    /// Joins a multicast group: datagrams to it that come to the socket's port are received, if the socket is
    /// bound to all addresses or to that of the group. Joining twice is joining once. A socket leaves its
    /// groups when it is closed or dropped.
    ///
    /// # Errors
    ///
    /// [`MulticastError`] if the table is full, `group` is no group's address, or the call is re-entrant.
    #[cfg(feature = "multicast")]
    pub fn join_multicast_group(
        &mut self,
        group: impl Into<IpAddress>,
    ) -> Result<(), MulticastError> {
        self.listen_multicast(group, MulticastSources::AllBut(&[]))
    }

    /// Leaves a group. One that was not joined is left already; what the stack joined for all sockets is then
    /// received.
    ///
    /// # Errors
    ///
    /// [`MulticastError`] if `group` is no group's address, or the call is re-entrant.
    #[cfg(feature = "multicast")]
    pub fn leave_multicast_group(
        &mut self,
        group: impl Into<IpAddress>,
    ) -> Result<(), MulticastError> {
        self.listen_multicast(group, MulticastSources::Only(&[]))
    }

    /// As [`Self::join_multicast_group`], for what some sources send and others do not: "IPMulticastListen" of
    /// RFC 3376, section 2. Replaces what was said about the group before.
    ///
    /// # Errors
    ///
    /// [`MulticastError`].
    #[cfg(feature = "multicast")]
    pub fn listen_multicast(
        &mut self,
        group: impl Into<IpAddress>,
        sources: MulticastSources<'_>,
    ) -> Result<(), MulticastError> {
        let (group, member) = (group.into(), Member::Socket(self.key.index));
        self.stack
            .with(|s| s.engine.listen_multicast(member, group, sources))
            .unwrap_or(Err(MulticastError::Reentrant))
    }

    /// Whether there is a datagram, or an error, to receive.
    pub fn may_recv(&self) -> bool {
        self.look(|udp| !udp.received().is_empty()).unwrap_or(false)
    }

    /// How many datagrams can be queued for reception.
    pub fn packet_recv_capacity(&self) -> usize {
        self.look(|udp| udp.received().packet_capacity())
            .unwrap_or(0)
    }

    /// How many datagrams can be queued for sending.
    pub fn packet_send_capacity(&self) -> usize {
        self.look(|udp| udp.to_send().packet_capacity())
            .unwrap_or(0)
    }

    /// The longest datagram in bytes that can be received.
    pub fn payload_recv_capacity(&self) -> usize {
        self.look(|udp| udp.received().byte_capacity()).unwrap_or(0)
    }

    /// The longest datagram in bytes that fits the send buffer.
    pub fn payload_send_capacity(&self) -> usize {
        self.look(|udp| udp.to_send().byte_capacity()).unwrap_or(0)
    }

    fn change(&self, f: impl FnOnce(&mut crate::engine::UdpSocketState<'d>)) {
        let _ = self.stack.with(|s| s.engine.udp_mut(self.key).map(f));
    }

    fn look<R>(&self, f: impl FnOnce(&crate::engine::UdpSocketState<'d>) -> R) -> Option<R> {
        self.stack
            .with(|s| s.engine.udp(self.key).map(f))
            .ok()
            .flatten()
    }
}

/// Copies as much as there is room for.
#[inline]
fn copy_out(data: &[u8], buffer: &mut [u8]) -> Result<usize, RecvError> {
    let len = data.len().min(buffer.len());
    buffer[..len].copy_from_slice(&data[..len]);
    if len < data.len() {
        return Err(RecvError::Truncated);
    }
    Ok(len)
}

/// Queues a datagram if there is room, `None` if not now.
fn send_now<R>(
    engine: &mut Engine<'_>,
    key: SocketKey,
    to: UdpMetadata,
    len: usize,
    write: &mut Option<impl FnOnce(&mut [u8]) -> (usize, R)>,
) -> Option<Result<R, SendError>> {
    if let Some(error) = engine.udp_mut(key).and_then(|udp| udp.take_error()) {
        return Some(Err(error.into()));
    }
    let queued = engine.udp_send(key, to, len, |room| match write.take() {
        Some(write) => {
            let (len, result) = write(room);
            (len, Some(result))
        }
        None => (0, None),
    });
    match queued {
        Ok(Some(result)) => Some(Ok(result)),
        Err(QueueError::Full) => None,
        Err(QueueError::TooLong) => Some(Err(SendError::PacketTooLarge)),
        Err(QueueError::NoRoute) => Some(Err(SendError::NoRoute)),
        Ok(None) | Err(QueueError::NotBound) => Some(Err(SendError::NotBound)),
    }
}

impl<M: RawMutex> Drop for UdpSocket<'_, M> {
    fn drop(&mut self) {
        self.stack.drop_handle(self.key);
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
        Ok(self
            .look(|udp| udp.to_send().can_push(0).is_ok())
            .unwrap_or(true))
    }
}
