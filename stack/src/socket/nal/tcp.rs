//! [`TcpConnect`].

use core::net::SocketAddr;

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};
use embedded_io_async::{Error, ErrorKind, ErrorType, Read, ReadReady, Write, WriteReady};
use embedded_nal_async::TcpConnect;

use crate::engine::ConnectError;
use crate::socket::pool::BufferPool;
use crate::socket::stack::Stack;
use crate::socket::tcp::{TcpError, TcpSocket};
use crate::time::Duration;
use crate::wire::IpEndpoint;

/// Opens connections on buffers of a pool: as many at a time as that has pairs.
///
/// It implements [`TcpConnect`], which clients such as reqwless are made for; `TcpConnector` finds hosts by name, too.
///
/// ```
/// # async fn example<'d>(stack: cygnet::Stack<'d>, pool: &'d mut cygnet::TcpPool<'d, 2, 1024, 1024>)
/// #     -> Result<(), Box<dyn std::error::Error>> {
/// # use cygnet::TcpClient;
/// # use embedded_io_async::Write;
/// use embedded_nal_async::TcpConnect;
///
/// let client = TcpClient::new(stack, stack.add_pool(pool)?);
/// let mut connection = client.connect("192.0.2.1:80".parse()?).await?;
/// connection.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
/// # Ok(()) }
/// ```
pub struct TcpClient<'d, M: RawMutex = NoopRawMutex> {
    stack: Stack<'d, M>,
    pool: BufferPool<'d>,
    timeout: Option<Duration>,
}

impl<'d, M: RawMutex> TcpClient<'d, M> {
    /// A client that draws on that pool.
    pub fn new(stack: Stack<'d, M>, pool: BufferPool<'d>) -> Self {
        Self {
            stack,
            pool,
            timeout: None,
        }
    }

    /// The timeout of connections from here on: see [`TcpSocket::set_timeout`].
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }
}

impl<'d, M: RawMutex> TcpConnect for TcpClient<'d, M> {
    type Error = TcpClientError;
    type Connection<'a>
        = TcpConnection<'d, M>
    where
        Self: 'a;

    /// Connects to a peer, from any free port.
    ///
    /// Cancellation safe: dropping the future gives up the attempt, and gives its buffers back.
    ///
    /// # Errors
    ///
    /// [`TcpClientError::Connect`] says why there is no connection; it is [`ConnectError::NoSlot`] when all pairs
    /// of the pool are lent.
    async fn connect<'a>(
        &'a self,
        remote: SocketAddr,
    ) -> Result<TcpConnection<'d, M>, TcpClientError> {
        let remote = IpEndpoint::try_from(remote).map_err(|_| ConnectError::NoRoute)?;
        let mut socket = TcpSocket::from_pool(self.stack, self.pool)?;
        socket.set_timeout(self.timeout);
        socket.connect(remote).await?;
        Ok(TcpConnection { socket })
    }
}

/// A connection that a [`TcpClient`] opened.
///
/// Dropped, it closes gracefully in the background, and then gives its buffers back. Every future is cancellation
/// safe, as those of [`TcpSocket`] are.
pub struct TcpConnection<'d, M: RawMutex = NoopRawMutex> {
    socket: TcpSocket<'d, M>,
}

impl<'d, M: RawMutex> TcpConnection<'d, M> {
    /// The socket, for its settings and what there is to know about it.
    pub fn socket(&mut self) -> &mut TcpSocket<'d, M> {
        &mut self.socket
    }

    /// The socket by itself.
    pub fn into_socket(self) -> TcpSocket<'d, M> {
        self.socket
    }
}

/// What can go wrong with a connection of a [`TcpClient`]: the traits have one type for all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TcpClientError {
    /// There is no connection.
    Connect(ConnectError),
    /// It cannot be read from or written to.
    Io(TcpError),
}

impl From<ConnectError> for TcpClientError {
    fn from(error: ConnectError) -> Self {
        Self::Connect(error)
    }
}

impl From<TcpError> for TcpClientError {
    fn from(error: TcpError) -> Self {
        Self::Io(error)
    }
}

impl core::fmt::Display for TcpClientError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Connect(error) => error.fmt(f),
            Self::Io(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for TcpClientError {}

impl Error for TcpClientError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Connect(error) => error.kind(),
            Self::Io(error) => error.kind(),
        }
    }
}

impl<M: RawMutex> ErrorType for TcpConnection<'_, M> {
    type Error = TcpClientError;
}

impl<M: RawMutex> Read for TcpConnection<'_, M> {
    /// As [`TcpSocket::read`].
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TcpClientError> {
        Ok(self.socket.read(buffer).await?)
    }
}

impl<M: RawMutex> ReadReady for TcpConnection<'_, M> {
    fn read_ready(&mut self) -> Result<bool, TcpClientError> {
        Ok(self.socket.can_recv())
    }
}

impl<M: RawMutex> Write for TcpConnection<'_, M> {
    /// As [`TcpSocket::write`].
    async fn write(&mut self, data: &[u8]) -> Result<usize, TcpClientError> {
        Ok(self.socket.write(data).await?)
    }

    /// As [`TcpSocket::flush`].
    async fn flush(&mut self) -> Result<(), TcpClientError> {
        Ok(self.socket.flush().await?)
    }
}

impl<M: RawMutex> WriteReady for TcpConnection<'_, M> {
    fn write_ready(&mut self) -> Result<bool, TcpClientError> {
        Ok(self.socket.can_send())
    }
}
