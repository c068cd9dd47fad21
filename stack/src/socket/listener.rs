//! Listening with a backlog.

use core::future::poll_fn;
use core::task::{Context, Poll};

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};

use super::pool::BufferPool;
use super::stack::Stack;
use super::tcp::TcpSocket;
use super::waiting::{WaitError, Waiting};
use super::wakers::Places;
use crate::engine::{ListenError, SocketKey};
use crate::wire::IpListenEndpoint;

/// Waits for TCP connections on a port and takes them in the order they come.
///
/// Its backlog is the size of its pool: so many connections wait to be accepted. A request beyond it is
/// dropped without a word, and its peer asks again after a second or so; a request is answered at once
/// otherwise, without taking buffers before the handshake is complete. Requests that nobody completes take
/// no place in it: they are kept in a table of the stack (`TCP_HALF_OPEN_COUNT`), and when that is full they
/// are answered with SYN cookies.
///
/// Dropping it resets the connections that nobody accepted. Those that were accepted live on.
pub struct TcpListener<'d, M: RawMutex = NoopRawMutex> {
    stack: Stack<'d, M>,
    key: SocketKey,
}

/// Why no connection was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AcceptError {
    /// More tasks wait for connections than can be remembered (three).
    TooManyWaiters,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for AcceptError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::TooManyWaiters => "too many tasks accept on one listener",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for AcceptError {}

impl From<WaitError> for AcceptError {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::TooManyWaiters => Self::TooManyWaiters,
            WaitError::Reentrant => Self::Reentrant,
        }
    }
}

impl<'d, M: RawMutex> TcpListener<'d, M> {
    /// Listens on a port, at one address or at all.
    ///
    /// # Errors
    ///
    /// [`ListenError::AddrInUse`] if another listener has the port, [`ListenError::InvalidPort`] for port
    /// 0, [`ListenError::NoSlot`] if the stack has no slot left.
    pub fn bind(
        stack: Stack<'d, M>,
        endpoint: impl Into<IpListenEndpoint>,
        buffers: BufferPool<'d>,
    ) -> Result<Self, ListenError> {
        let endpoint = endpoint.into();
        let key = stack
            .open(|engine| engine.listener_bind(endpoint, buffers.id))
            .unwrap_or(Err(ListenError::Reentrant))?;
        Ok(Self { stack, key })
    }

    /// The oldest connection that waits, or the next one that comes. Up to three tasks can wait.
    ///
    /// Cancellation safe: no connection is lost when the future is dropped.
    ///
    /// # Errors
    ///
    /// [`AcceptError`], none of which has to do with connections.
    pub fn accept(&self) -> impl Future<Output = Result<TcpSocket<'d, M>, AcceptError>> {
        // No function of its own that is async: such a future keeps what it was called with twice.
        let mut waiting = Waiting::new(self.stack, self.key);
        poll_fn(move |cx| Self::poll(cx, &mut waiting))
    }

    /// As [`Self::accept`], for adapters. Of those who poll, the last is woken; they have one of the three places
    /// together, and keep it until the next connection comes.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Result<TcpSocket<'d, M>, AcceptError>> {
        Self::poll(cx, &mut Waiting::of_poll(self.stack, self.key))
    }

    fn poll(
        cx: &mut Context<'_>,
        waiting: &mut Waiting<'d, M>,
    ) -> Poll<Result<TcpSocket<'d, M>, AcceptError>> {
        let (stack, key) = (waiting.stack, waiting.key);
        let accepted = waiting.poll(cx, Places::ALL, |engine| {
            engine.listener_accept(key).map(Ok)
        });
        accepted.map_ok(|key| TcpSocket::from_key(stack, key))
    }

    /// Lets clients send data with their connection requests (TCP Fast Open, RFC 7413); 0, the default,
    /// does not. Such a connection is accepted before its handshake is complete, with its data there to be
    /// read, and may be answered at once. `pending` is how many may be in that state at a time; further
    /// ones open as all others do.
    ///
    /// A request may come twice, if the network repeats it: only for protocols to which that does no harm.
    #[cfg(feature = "tcp-fast-open")]
    pub fn set_fast_open(&self, pending: u16) {
        let _ = self
            .stack
            .with(|s| s.engine.listener_set_fast_open(self.key, pending));
    }

    /// Where it listens.
    pub fn local_endpoint(&self) -> Option<IpListenEndpoint> {
        self.stack
            .with(|s| s.engine.listener_local(self.key))
            .ok()?
    }

    /// How many connections are being opened, and how many wait to be accepted.
    pub fn backlog(&self) -> (usize, usize) {
        let load = self.stack.with(|s| s.engine.listener_load(self.key));
        load.ok().flatten().unwrap_or((0, 0))
    }
}

impl<M: RawMutex> Drop for TcpListener<'_, M> {
    fn drop(&mut self) {
        self.stack.drop_handle(self.key);
    }
}
