//! [`UdpStack`], and the sockets that it gives out.

use core::net::SocketAddr;

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};
use embedded_io_async::{Error, ErrorKind};
use embedded_nal_async::{ConnectedUdp, UdpStack, UnconnectedUdp};

use super::udp_pool::UdpBufferPool;
use crate::engine::{BindError, Engine, UdpMetadata};
use crate::socket::packets::{RecvError, SendError};
use crate::socket::stack::Stack;
use crate::socket::udp::{UdpIoError, UdpSocket};
use crate::wire::{IpAddress, IpEndpoint, IpListenEndpoint};

/// Makes UDP sockets on buffers of a pool: as many at a time as that has.
///
/// A socket that is dropped gives its buffers back when what it has queued is sent, ten seconds later at most. Who asks
/// for another meanwhile, with all buffers lent, waits for that; cancellation safe.
///
/// It implements [`UdpStack`]. The local end that a socket is asked for may be left open in part, with an
/// unspecified address or port 0, and is then the stack's choice.
///
/// ```
/// # async fn example<'d>(stack: cygnet::Stack<'d>, pool: &'d mut cygnet::UdpPool<'d, 1, 2, 1024, 1024>)
/// #     -> Result<(), Box<dyn std::error::Error>> {
/// # use cygnet::UdpSockets;
/// use embedded_nal_async::{ConnectedUdp, UdpStack};
///
/// let sockets = UdpSockets::new(stack, stack.add_udp_pool(pool)?);
/// let (_local, mut socket) = sockets.connect("192.0.2.1:7".parse()?).await?;
/// socket.send(b"hello").await?;
/// # Ok(()) }
/// ```
pub struct UdpSockets<'d, M: RawMutex = NoopRawMutex> {
    stack: Stack<'d, M>,
    pool: UdpBufferPool<'d>,
}

impl<'d, M: RawMutex> UdpSockets<'d, M> {
    /// Draws on that pool.
    pub fn new(stack: Stack<'d, M>, pool: UdpBufferPool<'d>) -> Self {
        Self { stack, pool }
    }

    /// A socket on buffers of the pool. When all are lent, those are waited for of which a dropped socket still sends.
    async fn open(&self) -> Result<UdpSocket<'d, M>, BindError> {
        let id = self.pool.id;
        let opened = UdpSocket::from_pool(self.stack, id);
        if !matches!(opened, Err(BindError::NoSlot)) {
            return opened;
        }
        let is_settled = |engine: &mut Engine<'d>| engine.is_udp_pool_settled(id).then_some(());
        self.stack.wait_until(is_settled).await;
        UdpSocket::from_pool(self.stack, id)
    }
}

impl<'d, M: RawMutex> UdpStack for UdpSockets<'d, M> {
    type Error = UdpSocketsError;
    type Connected = PeerUdp<'d, M>;
    type UniquelyBound = BoundUdp<'d, M>;
    type MultiplyBound = BoundUdp<'d, M>;

    /// A socket that talks to one peer, at the address that is named or the one that packets to the peer come from.
    ///
    /// # Errors
    ///
    /// [`UdpSocketsError::Bind`]: [`BindError::NoSlot`] when all buffers of the pool are lent,
    /// [`BindError::NoRoute`] if nothing leads to the peer or the local address is not ours.
    async fn connect_from(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Result<(SocketAddr, PeerUdp<'d, M>), UdpSocketsError> {
        let (local, remote) = (local_end(local)?, end(remote)?);
        let socket = self.open().await?;
        let local = socket.connect_from(local, remote)?;
        Ok((local.into(), PeerUdp { socket, remote }))
    }

    /// A socket at one address of ours: the one that is named, or else one that is good for more than its link if
    /// there is one.
    ///
    /// # Errors
    ///
    /// [`UdpSocketsError::Bind`]: [`BindError::NoSlot`] when all buffers of the pool are lent,
    /// [`BindError::NoRoute`] if the address is not ours or there is none of that version,
    /// [`BindError::AddrInUse`].
    async fn bind_single(
        &self,
        local: SocketAddr,
    ) -> Result<(SocketAddr, BoundUdp<'d, M>), UdpSocketsError> {
        let version = end(local)?.addr.version();
        let socket = self.open().await?;
        let local = socket.bind_single(local_end(local)?, version)?;
        let bound = BoundUdp {
            socket,
            local: local.into(),
        };
        Ok((local.into(), bound))
    }

    /// A socket at all addresses of ours, of either version of IP, or at the one that is named; which may be that
    /// of a group, if the socket of the result is made to join it.
    ///
    /// # Errors
    ///
    /// [`UdpSocketsError::Bind`]: [`BindError::NoSlot`] when all buffers of the pool are lent,
    /// [`BindError::AddrInUse`].
    async fn bind_multiple(&self, local: SocketAddr) -> Result<BoundUdp<'d, M>, UdpSocketsError> {
        let local = local_end(local)?;
        let mut socket = self.open().await?;
        socket.bind(local)?;
        let local = socket.endpoint();
        Ok(BoundUdp { socket, local })
    }
}

/// A socket with one peer, which [`UdpSockets`] made.
pub struct PeerUdp<'d, M: RawMutex = NoopRawMutex> {
    socket: UdpSocket<'d, M>,
    remote: IpEndpoint,
}

impl<'d, M: RawMutex> PeerUdp<'d, M> {
    /// The socket, for its settings and what there is to know about it.
    pub fn socket(&mut self) -> &mut UdpSocket<'d, M> {
        &mut self.socket
    }

    /// The socket by itself, still on buffers of the pool.
    pub fn into_socket(self) -> UdpSocket<'d, M> {
        self.socket
    }
}

impl<M: RawMutex> ConnectedUdp for PeerUdp<'_, M> {
    type Error = UdpSocketsError;

    /// Queues a datagram to the peer for sending, and waits for room if there is none; it is sent even if the socket is
    /// dropped then. Cancellation safe: nothing is sent twice.
    ///
    /// # Errors
    ///
    /// [`UdpSocketsError::Io`]; [`SendError::Refused`] and [`SendError::Unreachable`] are about an earlier datagram.
    async fn send(&mut self, data: &[u8]) -> Result<(), UdpSocketsError> {
        Ok(self.socket.send_to(data, self.remote).await?)
    }

    /// Receives a datagram from the peer: as much of it as `buffer` has room for, and the length of the whole.
    /// Cancellation safe.
    ///
    /// # Errors
    ///
    /// [`UdpSocketsError::Io`]: what became of a datagram that was sent.
    async fn receive_into(&mut self, buffer: &mut [u8]) -> Result<usize, UdpSocketsError> {
        let received = self.socket.recv_with(|data, _| copy_out(data, buffer));
        Ok(received.await?)
    }
}

/// A socket that [`UdpSockets`] bound, to one address or to all.
pub struct BoundUdp<'d, M: RawMutex = NoopRawMutex> {
    socket: UdpSocket<'d, M>,
    local: IpListenEndpoint,
}

impl<'d, M: RawMutex> BoundUdp<'d, M> {
    /// The socket, for its settings, its groups and what there is to know about it.
    pub fn socket(&mut self) -> &mut UdpSocket<'d, M> {
        &mut self.socket
    }

    /// The socket by itself, still on buffers of the pool.
    pub fn into_socket(self) -> UdpSocket<'d, M> {
        self.socket
    }

    /// The address to send from, `None` if it is the stack's choice.
    fn source(&self, local: SocketAddr) -> Result<Option<IpAddress>, UdpSocketsError> {
        let local = local_end(local)?;
        let is_port = local.port == 0 || local.port == self.local.port;
        let is_address = match (local.addr, self.local.addr) {
            (Some(asked), Some(bound)) => asked == bound,
            (None, _) | (_, None) => true,
        };
        if is_port && is_address {
            Ok(local.addr)
        } else {
            Err(UdpSocketsError::OtherLocal)
        }
    }
}

impl<M: RawMutex> UnconnectedUdp for BoundUdp<'_, M> {
    type Error = UdpSocketsError;

    /// Queues a datagram for sending, from a local end that fits what the socket is bound to, as parts that are
    /// unspecified do; waits for room if there is none. It is sent even if the socket is dropped then. Cancellation safe:
    /// nothing is sent twice.
    ///
    /// # Errors
    ///
    /// [`UdpSocketsError::OtherLocal`], [`UdpSocketsError::Io`].
    async fn send(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        data: &[u8],
    ) -> Result<(), UdpSocketsError> {
        let to = UdpMetadata {
            endpoint: end(remote)?,
            local_address: self.source(local)?,
            hop_limit: None,
        };
        Ok(self.socket.send_to(data, to).await?)
    }

    /// Receives a datagram: as much of it as `buffer` has room for, the length of the whole, where it was sent to
    /// and where it is from. Cancellation safe.
    ///
    /// # Errors
    ///
    /// [`UdpSocketsError::Io`].
    async fn receive_into(
        &mut self,
        buffer: &mut [u8],
    ) -> Result<(usize, SocketAddr, SocketAddr), UdpSocketsError> {
        let port = self.local.port;
        let received = self.socket.recv_with(|data, meta| {
            let remote = meta.endpoint;
            // Of what was received it is always known.
            let address = meta.local_address.unwrap_or(remote.addr);
            let local = IpEndpoint::new(address, port);
            (copy_out(data, buffer), local.into(), remote.into())
        });
        Ok(received.await?)
    }
}

/// What can go wrong with sockets of [`UdpSockets`]: the traits have one type for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum UdpSocketsError {
    /// There is no socket.
    Bind(BindError),
    /// Nothing was sent or received.
    Io(UdpIoError),
    /// The local end to send from is not what the socket is bound to.
    OtherLocal,
}

impl From<BindError> for UdpSocketsError {
    fn from(error: BindError) -> Self {
        Self::Bind(error)
    }
}

impl From<SendError> for UdpSocketsError {
    fn from(error: SendError) -> Self {
        Self::Io(UdpIoError::Send(error))
    }
}

impl From<RecvError> for UdpSocketsError {
    fn from(error: RecvError) -> Self {
        Self::Io(UdpIoError::Recv(error))
    }
}

impl core::fmt::Display for UdpSocketsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Bind(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
            Self::OtherLocal => f.write_str("not the local end that the socket is bound to"),
        }
    }
}

impl core::error::Error for UdpSocketsError {}

impl Error for UdpSocketsError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Bind(BindError::NoSlot) => ErrorKind::OutOfMemory,
            Self::Bind(BindError::AddrInUse) => ErrorKind::AddrInUse,
            Self::Bind(BindError::NoRoute) => ErrorKind::AddrNotAvailable,
            Self::Bind(BindError::InvalidAddress) | Self::OtherLocal => ErrorKind::InvalidInput,
            Self::Bind(_) => ErrorKind::Other,
            Self::Io(error) => error.kind(),
        }
    }
}

/// A local end, of which parts may be left open.
fn local_end(address: SocketAddr) -> Result<IpListenEndpoint, BindError> {
    let IpEndpoint { addr, port } = end(address)?;
    let addr = Some(addr).filter(|addr| !addr.is_unspecified());
    Ok(IpListenEndpoint { addr, port })
}

/// An address of a version that there is.
fn end(address: SocketAddr) -> Result<IpEndpoint, BindError> {
    IpEndpoint::try_from(address).map_err(|_| BindError::NoRoute)
}

/// Copies as much as there is room for; the length of the whole.
fn copy_out(data: &[u8], buffer: &mut [u8]) -> usize {
    let len = data.len().min(buffer.len());
    buffer[..len].copy_from_slice(&data[..len]);
    data.len()
}
