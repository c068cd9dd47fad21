//! TCP sockets.

mod error;
mod halves;
mod io;

use core::future::poll_fn;
use core::num::NonZeroU8;
use core::task::{Context, Poll, ready};

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};

pub use error::TcpError;
pub use halves::{OwnedReadHalf, OwnedWriteHalf, TcpReader, TcpWriter};
use io::Io;

use super::pool::BufferPool;
use super::stack::Stack;
use crate::engine::{ConnectError, ListenError, SocketKey};
use crate::storage::Bytes;
use crate::tcp::{CongestionControl, ConnectionError, Info, State};
use crate::time::Duration;
use crate::wire::{IpEndpoint, IpListenEndpoint};

/// A TCP connection, or the place for one.
///
/// It connects or accepts again and again on the same buffers. Dropping it closes the connection
/// gracefully in the background: what was written still arrives, and what the peer still sends is
/// answered with a reset.
///
/// Every future is cancellation safe: dropped before it is ready, it has read and written nothing.
pub struct TcpSocket<'d, M: RawMutex = NoopRawMutex> {
    io: Io<'d, M>,
}

impl<'d, M: RawMutex> TcpSocket<'d, M> {
    /// A socket on buffers of one's own. A connection is as fast as its buffers are large: at most one
    /// buffer per round trip.
    ///
    /// # Errors
    ///
    /// [`ConnectError::NoSlot`] if the stack has no slot left.
    pub fn new(
        stack: Stack<'d, M>,
        receive_buffer: impl Into<Bytes<'d>>,
        send_buffer: impl Into<Bytes<'d>>,
    ) -> Result<Self, ConnectError> {
        let (receive, send) = (receive_buffer.into(), send_buffer.into());
        let key = stack
            .with(|s| s.engine.tcp_open(receive, send))
            .map_err(|_| ConnectError::Reentrant)?
            .ok_or(ConnectError::NoSlot)?;
        Ok(Self::from_key(stack, key))
    }

    /// A socket on a pair of buffers from a pool.
    ///
    /// # Errors
    ///
    /// [`ConnectError::NoSlot`] if the stack has no slot left, or the pool no pair.
    pub fn from_pool(stack: Stack<'d, M>, pool: BufferPool<'d>) -> Result<Self, ConnectError> {
        let key = stack
            .with(|s| s.engine.tcp_open_pooled(pool.id))
            .map_err(|_| ConnectError::Reentrant)?
            .ok_or(ConnectError::NoSlot)?;
        Ok(Self::from_key(stack, key))
    }

    pub(super) fn from_key(stack: Stack<'d, M>, key: SocketKey) -> Self {
        Self {
            io: Io::new(stack, key),
        }
    }

    /// Connects to a peer, from any free port.
    ///
    /// Cancellation safe: dropping the future gives up the attempt.
    ///
    /// # Errors
    ///
    /// [`ConnectError`] says why there is no connection. The socket can be used again at once.
    pub fn connect(
        &mut self,
        remote: impl Into<IpEndpoint>,
    ) -> impl Future<Output = Result<(), ConnectError>> {
        self.connect_from(0, remote)
    }

    /// Begins to connect, for who has several attempts under way. Dropped, the attempt goes on as a connection
    /// that closes: see `give_up`.
    #[cfg(feature = "socket-dns")]
    pub(super) fn begin_connect(&self, remote: IpEndpoint) -> Result<(), ConnectError> {
        let io = &self.io;
        io.stack
            .with(|s| s.engine.tcp_connect(io.key, remote, 0.into()))
            .unwrap_or(Err(ConnectError::Reentrant))
    }

    /// How far that has come.
    #[cfg(feature = "socket-dns")]
    pub(super) fn poll_connect(&self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        self.io.poll_connected(cx)
    }

    /// Aborts the attempt.
    #[cfg(feature = "socket-dns")]
    pub(super) fn give_up(&self) {
        self.io.give_up();
    }

    /// Connects from a local address or port, or both; port 0 is any free port.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`]; [`ConnectError::AddrInUse`] if there is such a connection already.
    pub async fn connect_from(
        &mut self,
        local: impl Into<IpListenEndpoint>,
        remote: impl Into<IpEndpoint>,
    ) -> Result<(), ConnectError> {
        let (local, remote) = (local.into(), remote.into());
        let io = &self.io;
        io.stack
            .with(|s| s.engine.tcp_connect(io.key, remote, local))
            .unwrap_or(Err(ConnectError::Reentrant))?;
        let attempt = Attempt { io };
        let result = poll_fn(|cx| io.poll_connected(cx)).await;
        attempt.finish();
        result
    }

    /// Connects to a peer with something to say at once: where both sides use TCP Fast Open (RFC 7413) and
    /// have met before, `data` goes with the request and saves a round trip. In all other cases it follows
    /// as soon as the connection is there. Returns how much of `data` was taken, which may be less than all
    /// of it; the rest is for [`Self::write`].
    ///
    /// The peer may get `data` twice, as if two clients had connected, if the network repeats the request:
    /// send nothing that does harm then (section 2.1 of the RFC).
    ///
    /// Cancellation safe: dropping the future gives up the attempt, though the peer may have the data.
    ///
    /// # Errors
    ///
    /// As [`Self::connect`].
    #[cfg(feature = "tcp-fast-open")]
    pub async fn connect_with_data(
        &mut self,
        remote: impl Into<IpEndpoint>,
        data: &[u8],
    ) -> Result<usize, ConnectError> {
        let remote = remote.into();
        let data = &data[..data.len().min(cygnet_config::LOCK_COPY_SIZE)];
        let io = &self.io;
        let taken = io
            .stack
            .with(|s| s.engine.tcp_connect_fast(io.key, remote, 0.into(), data))
            .unwrap_or(Err(ConnectError::Reentrant))?;
        let attempt = Attempt { io };
        let result = poll_fn(|cx| io.poll_connected(cx)).await;
        attempt.finish();
        result.map(|()| taken)
    }

    /// Waits for one connection on a port, at one address or at all. For a server with more than one
    /// connection at a time use [`TcpListener`](super::TcpListener).
    ///
    /// Cancellation safe: dropping the future stops listening. A connection that was complete by then
    /// stays, and the next call returns it.
    ///
    /// # Errors
    ///
    /// [`ListenError`] says why the socket cannot listen.
    pub fn accept(
        &mut self,
        endpoint: impl Into<IpListenEndpoint>,
    ) -> impl Future<Output = Result<(), ListenError>> {
        self.accept_at(endpoint.into())
    }

    // Compiled once, whatever an endpoint is made from.
    fn accept_at(
        &mut self,
        endpoint: IpListenEndpoint,
    ) -> impl Future<Output = Result<(), ListenError>> {
        let io = &self.io;
        let mut attempt = None;
        poll_fn(move |cx| {
            if attempt.is_none() {
                io.stack
                    .with(|s| s.engine.tcp_listen(io.key, endpoint))
                    .unwrap_or(Err(ListenError::Reentrant))?;
                attempt = Some(Attempt { io });
            }
            let accepted = ready!(io.poll_accepted(cx));
            if let Some(attempt) = attempt.take() {
                attempt.finish();
            }
            Poll::Ready(accepted)
        })
    }

    /// Reads what there is, up to the size of `buffer`, or waits for something. `Ok(0)` is the end: the
    /// peer is done sending.
    ///
    /// # Errors
    ///
    /// [`TcpError`] if the connection ended otherwise; not before everything received was read.
    pub fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = Result<usize, TcpError>> {
        poll_fn(|cx| self.io.poll_read(cx, buffer))
    }

    /// As [`Self::read`], for adapters.
    pub fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, TcpError>> {
        self.io.poll_read(cx, buffer)
    }

    /// As [`Self::read`], but what is read stays to be read again.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn peek(&mut self, buffer: &mut [u8]) -> impl Future<Output = Result<usize, TcpError>> {
        poll_fn(|cx| self.io.poll_peek(cx, buffer))
    }

    /// Reads without a copy: `f` sees what has been received, as far as it lies in one piece, and returns
    /// how many bytes it is done with and a result. At the end it sees an empty slice.
    ///
    /// `f` runs with the stack locked: calls into the stack from within it fail with `Reentrant`.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub async fn read_with<R>(
        &mut self,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, TcpError> {
        self.io.read_with(f).await
    }

    /// Writes as much of `data` as there is room for, at least one byte; waits for room if there is none.
    /// Written is not sent, and sent is not received: see [`Self::flush`].
    ///
    /// # Errors
    ///
    /// [`TcpError`] if the connection is over or its sending side closed.
    pub fn write(&mut self, data: &[u8]) -> impl Future<Output = Result<usize, TcpError>> {
        poll_fn(|cx| self.io.poll_write(cx, data))
    }

    /// As [`Self::write`], for adapters.
    pub fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, TcpError>> {
        self.io.poll_write(cx, data)
    }

    /// Writes without a copy: `f` fills in room in the send buffer, as far as it lies in one piece, and
    /// returns how many bytes it wrote and a result. The same restriction as for [`Self::read_with`].
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub async fn write_with<R>(
        &mut self,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, TcpError> {
        self.io.write_with(f).await
    }

    /// Waits until the peer has acknowledged everything written, and the end if the sending side is
    /// closed.
    ///
    /// # Errors
    ///
    /// [`TcpError`] if the connection ended before that.
    pub fn flush(&mut self) -> impl Future<Output = Result<(), TcpError>> {
        poll_fn(|cx| self.io.poll_flush(cx))
    }

    /// As [`Self::flush`], for adapters.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TcpError>> {
        self.io.poll_flush(cx)
    }

    /// Closes the sending side at once: what was written is still sent, then the peer reads the end.
    /// Reading goes on.
    pub fn shutdown_write(&mut self) {
        self.io.shutdown();
    }

    /// Closes the sending side and waits until the peer has acknowledged that. Reading goes on.
    ///
    /// # Errors
    ///
    /// [`TcpError`] if the connection ended before that.
    pub fn close(&mut self) -> impl Future<Output = Result<(), TcpError>> {
        let mut is_asked = false;
        poll_fn(move |cx| {
            if !is_asked {
                is_asked = true;
                self.io.shutdown();
            }
            self.io.poll_closed(cx)
        })
    }

    /// Ends the connection now, both ways: what was not sent is not sent, and the peer gets a reset,
    /// which is on the wire when this returns (unless the link is down).
    pub async fn abort(&mut self) {
        self.io.abort();
        poll_fn(|cx| self.io.poll_done(cx)).await;
    }

    /// Waits until a read would not wait: because of data, the end, or an error. One task at a time:
    /// of two, the one that waits later takes the other's place, and wakes it.
    pub fn wait_read_ready(&self) -> impl Future<Output = ()> {
        poll_fn(|cx| self.io.poll_read_ready(cx))
    }

    /// Waits until a write would not wait: because of room or an error. One task at a time.
    pub fn wait_write_ready(&self) -> impl Future<Output = ()> {
        poll_fn(|cx| self.io.poll_write_ready(cx))
    }

    /// Whether a read would not wait.
    pub fn can_recv(&self) -> bool {
        self.io.is_read_ready()
    }

    /// Whether a write would not wait.
    pub fn can_send(&self) -> bool {
        self.io.is_write_ready()
    }

    /// Both directions as two values, for one task.
    pub fn split(&mut self) -> (TcpReader<'_, 'd, M>, TcpWriter<'_, 'd, M>) {
        halves::split(&self.io)
    }

    /// Both directions as two values that own the connection together, for two tasks. The connection
    /// closes when both are dropped; dropping the writer closes the sending side.
    pub fn into_split(self) -> (OwnedReadHalf<'d, M>, OwnedWriteHalf<'d, M>) {
        let io = self.io;
        core::mem::forget(self);
        halves::into_split(io)
    }

    /// Gives up the socket and gives back its buffers: receive, send. `None` if the connection is not
    /// over, and then closes it, or if the buffers belong to a pool.
    pub fn release(self) -> Option<(Bytes<'d>, Bytes<'d>)> {
        self.io
            .stack
            .with(|s| s.engine.tcp_release(self.io.key))
            .ok()?
    }

    /// What there is to know about the connection.
    pub fn info(&self) -> Option<Info> {
        self.io.look(|c| c.info())
    }

    /// Where the connection is in its life.
    pub fn state(&self) -> State {
        self.io.look(|c| c.state()).unwrap_or_default()
    }

    /// How the last connection ended, if not in order.
    pub fn last_error(&self) -> Option<ConnectionError> {
        self.io.look(|c| c.error()).flatten()
    }

    /// Our end, while there is a connection.
    pub fn local_endpoint(&self) -> Option<IpEndpoint> {
        self.io.look(|c| c.local_endpoint()).flatten()
    }

    /// The other end, while there is a connection.
    pub fn remote_endpoint(&self) -> Option<IpEndpoint> {
        self.io.look(|c| c.remote_endpoint()).flatten()
    }

    /// Ends the connection when data stays unacknowledged, or an attempt to connect unanswered, for this
    /// long. In steps of a millisecond, at most 24 days. `None`, the default, leaves it to the retransmission limit.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.io.set(|c| c.set_user_timeout(timeout));
    }

    /// Asks a peer that has been silent for this long whether it is still there, again after each such
    /// interval. In steps of a millisecond, at most 24 days. `None`, the default, never asks.
    #[cfg(feature = "tcp-keep-alive")]
    pub fn set_keep_alive(&mut self, interval: Option<Duration>) {
        self.io.set(|c| c.set_keep_alive(interval));
    }

    /// How many questions may stay unanswered before the connection ends; 8 by default.
    #[cfg(feature = "tcp-keep-alive")]
    pub fn set_keep_alive_probes(&mut self, probes: u8) {
        self.io.set(|c| c.set_keep_alive_probes(probes));
    }

    /// The hop limit (TTL) of packets. Without one that is chosen it is 64 or, over IPv6, what routers advertise. 0
    /// is taken as 1.
    pub fn set_hop_limit(&mut self, hop_limit: u8) {
        let hop_limit = NonZeroU8::new(hop_limit).unwrap_or(NonZeroU8::MIN);
        self.io.set(|c| c.options.hop_limit = Some(hop_limit));
    }

    /// The differentiated services code point of packets (RFC 2474), six bits; 0 by default. It may change
    /// while a connection is open, though the network may then reorder its packets.
    pub fn set_dscp(&mut self, dscp: u8) {
        self.io.set(|c| c.options.dscp = dscp & 0x3f);
    }

    /// Whether small writes are put together while data is unacknowledged (RFC 9293, section 3.7.4); on
    /// by default.
    pub fn set_nagle_enabled(&mut self, enabled: bool) {
        self.io.set(|c| c.set_nagle(enabled));
    }

    /// For how long an acknowledgment may wait for data to go with; 40 ms by default, 499 ms at most
    /// (RFC 9293, section 3.8.6.3). `None` acknowledges at once.
    pub fn set_ack_delay(&mut self, delay: Option<Duration>) {
        self.io.set(|c| c.set_ack_delay(delay));
    }

    /// How the next connection finds out how much the path carries; what
    /// [`Config::congestion_control`](crate::Config::congestion_control) says by default.
    pub fn set_congestion_control(&mut self, congestion: CongestionControl) {
        self.io.set(|c| c.options.congestion = congestion);
    }

    /// How long the retransmission timeout is at least (RFC 6298, section 2.4): silence for as long as this
    /// is taken for the loss of all that is unacknowledged. In steps of a millisecond, between one and a
    /// minute; what [`Config::min_rto`](crate::Config::min_rto) says by default, 200 ms. Takes effect with
    /// the next segment, and stays for the connections that follow.
    ///
    /// Less shortens the pauses on lossy paths with short round trips. Less than the peer holds its
    /// acknowledgments back for, 40 ms and more with most, sends small amounts of data twice.
    pub fn set_min_rto(&mut self, min_rto: Duration) {
        self.io.set(|c| c.set_min_rto(min_rto));
    }

    /// The size of the receive buffer in bytes.
    pub fn recv_capacity(&self) -> usize {
        self.io.look(|c| c.receive_capacity()).unwrap_or(0)
    }

    /// The size of the send buffer in bytes.
    pub fn send_capacity(&self) -> usize {
        self.io.look(|c| c.send_capacity()).unwrap_or(0)
    }

    /// Bytes received and not read.
    pub fn recv_queue(&self) -> usize {
        self.io.look(|c| c.receive_queue()).unwrap_or(0)
    }

    /// Bytes written and not acknowledged.
    pub fn send_queue(&self) -> usize {
        self.io.look(|c| c.send_queue()).unwrap_or(0)
    }
}

impl<M: RawMutex> Drop for TcpSocket<'_, M> {
    fn drop(&mut self) {
        self.io.stack.drop_handle(self.io.key);
    }
}

/// An attempt to get a connection, given up when it is dropped before it is over.
struct Attempt<'a, 'd, M: RawMutex> {
    io: &'a Io<'d, M>,
}

impl<M: RawMutex> Attempt<'_, '_, M> {
    fn finish(self) {
        core::mem::forget(self);
    }
}

impl<M: RawMutex> Drop for Attempt<'_, '_, M> {
    fn drop(&mut self) {
        self.io.give_up();
    }
}
