//! What the handles of sockets that queue whole packets do alike: UDP, ICMP and raw ones.

use core::future::poll_fn;
use core::marker::PhantomData;
use core::task::{Context, Poll};

use embassy_sync::blocking_mutex::raw::RawMutex;

use super::stack::{Reentrant, Stack};
use super::waiting::{WaitError, Waiting};
use super::wakers::Places;
use crate::engine::{BindError, Engine, Fault, PacketKind, QueueError, SocketKey};
use crate::storage::{PacketQueue, copy};

/// A socket of kind `K`, given up when this is dropped.
pub(super) struct Packets<'d, M: RawMutex, K> {
    stack: Stack<'d, M>,
    key: SocketKey,
    kind: PhantomData<fn() -> K>,
}

/// Why nothing was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RecvError {
    /// The packet did not fit the buffer: it holds as much as there was room for, the rest is lost.
    /// `recv_with` takes packets of any length.
    Truncated,
    /// The connected peer has nobody bound to its port; or does not know a raw socket's protocol.
    Refused,
    /// The connected peer cannot be reached, or where a packet of a raw socket went.
    Unreachable,
    /// The address that the socket was bound to is not this host's any more. Told once; nothing comes in until it is
    /// again.
    AddressGone,
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
    /// The address that the socket is bound to, or that was named as the source, is not this host's, or not any more.
    AddressGone,
    /// The socket is not bound, or, to write without a destination, not connected.
    NotBound,
    /// The packet does not fit the socket's buffer, or the link.
    PacketTooLarge,
    /// The header of a raw socket's packet is not whole, or not of the version and protocol that the socket is
    /// bound to, or names a source that is not ours.
    InvalidPacket,
    /// The connected peer has nobody bound to its port; or does not know a raw socket's protocol.
    Refused,
    /// The connected peer cannot be reached, or where a packet of a raw socket went.
    Unreachable,
    /// Another task waits for room already.
    TooManyWaiters,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for RecvError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the packet did not fit the buffer",
            Self::Refused => "refused by the peer",
            Self::Unreachable => "the peer cannot be reached",
            Self::AddressGone => "the local address is gone",
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
            Self::AddressGone => "the local address is not one of this host",
            Self::NotBound => "the socket is not bound or not connected",
            Self::InvalidPacket => "the packet's header is not one that the socket sends",
            Self::PacketTooLarge => "the packet does not fit the socket or the link",
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

impl From<Fault> for RecvError {
    #[cold]
    fn from(fault: Fault) -> Self {
        match fault {
            #[cfg(feature = "icmp-errors")]
            Fault::Refused => Self::Refused,
            Fault::Unreachable => Self::Unreachable,
            #[cfg(feature = "socket-udp")]
            Fault::AddressGone => Self::AddressGone,
        }
    }
}

impl From<Fault> for SendError {
    #[cold]
    fn from(fault: Fault) -> Self {
        match fault {
            #[cfg(feature = "icmp-errors")]
            Fault::Refused => Self::Refused,
            Fault::Unreachable => Self::Unreachable,
            #[cfg(feature = "socket-udp")]
            Fault::AddressGone => Self::AddressGone,
        }
    }
}

impl<'d, M: RawMutex, K: PacketKind> Packets<'d, M, K> {
    pub(super) fn open(
        stack: Stack<'d, M>,
        open: impl FnOnce(&mut Engine<'d>) -> Option<SocketKey>,
    ) -> Result<Self, BindError> {
        let key = stack
            .open(|engine| open(engine).ok_or(BindError::NoSlot))
            .unwrap_or(Err(BindError::Reentrant))?;
        Ok(Self {
            stack,
            key,
            kind: PhantomData,
        })
    }

    #[cfg(all(feature = "multicast", feature = "socket-udp"))]
    pub(super) fn key(&self) -> SocketKey {
        self.key
    }

    pub(super) fn with<R>(
        &self,
        f: impl FnOnce(&mut Engine<'d>, SocketKey) -> R,
    ) -> Result<R, Reentrant> {
        self.stack.with(|s| f(s.engine, self.key))
    }

    pub(super) fn change(&self, f: impl FnOnce(&mut K::Socket<'d>)) {
        let _ = self.with(|engine, key| K::of_mut(engine, key).map(f));
    }

    pub(super) fn look<R>(&self, f: impl FnOnce(&K::Socket<'d>) -> R) -> Option<R> {
        self.with(|engine, key| K::of(engine, key).map(f))
            .ok()
            .flatten()
    }

    /// Something about the queue of packets that arrived.
    pub(super) fn received(&self, f: impl FnOnce(&PacketQueue<'d, K::Meta>) -> usize) -> usize {
        self.look(|socket| f(K::queues(socket).received()))
            .unwrap_or(0)
    }

    /// Something about the queue of packets to send.
    pub(super) fn to_send(&self, f: impl FnOnce(&PacketQueue<'d, K::Meta>) -> usize) -> usize {
        self.look(|socket| f(K::queues(socket).to_send()))
            .unwrap_or(0)
    }

    pub(super) fn may_recv(&self) -> bool {
        self.look(|socket| K::queues(socket).has_news())
            .unwrap_or(false)
    }

    pub(super) fn may_send(&self) -> bool {
        self.look(|socket| K::queues(socket).to_send().can_push(0).is_ok())
            .unwrap_or(true)
    }

    // Futures within futures cost time for each packet, so none here is made of another. Those that are asked most have
    // no states to go through either, and what they were given stays where it is.

    pub(super) fn recv_from(
        &self,
        buffer: &mut [u8],
    ) -> impl Future<Output = Result<(usize, K::Meta), RecvError>> {
        let mut waiting = Waiting::new(self.stack, self.key);
        poll_fn(move |cx| {
            // Most find something, and need no place to wait in.
            if TRIES_AT_ONCE && !waiting.has_place() {
                let mut taken = Poll::Pending;
                let at_once = self.with(|engine, key| {
                    take_now::<K, _>(engine, key, &mut taken, |data, meta| {
                        copy_out(data, buffer).map(|len| (len, *meta))
                    });
                });
                if at_once.is_err() {
                    return Poll::Ready(Err(RecvError::Reentrant));
                }
                if taken.is_ready() {
                    return taken;
                }
            }
            self.poll_copy(cx, &mut waiting, buffer)
        })
    }

    pub(super) fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<(usize, K::Meta), RecvError>> {
        let mut waiting = Waiting::of_poll(self.stack, self.key);
        self.poll_copy(cx, &mut waiting, buffer)
    }

    fn poll_copy(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting<'d, M>,
        buffer: &mut [u8],
    ) -> Poll<Result<(usize, K::Meta), RecvError>> {
        self.poll_recv(cx, waiting, |data, meta| {
            copy_out(data, buffer).map(|len| (len, *meta))
        })
    }

    pub(super) async fn recv_with<R>(
        &self,
        f: impl FnOnce(&mut [u8], K::Meta) -> R,
    ) -> Result<R, RecvError> {
        let mut waiting = Waiting::new(self.stack, self.key);
        let mut f = Some(f);
        poll_fn(|cx| {
            self.poll_recv(cx, &mut waiting, |data, meta| {
                let f = f.take().ok_or(RecvError::NotBound)?;
                Ok(f(data, *meta))
            })
        })
        .await
    }

    fn poll_recv<R>(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting<'d, M>,
        mut f: impl FnMut(&mut [u8], &K::Meta) -> Result<R, RecvError>,
    ) -> Poll<Result<R, RecvError>> {
        let key = self.key;
        waiting.poll_for(cx, Places::RECEIVERS, |engine, taken| {
            take_now::<K, R>(engine, key, taken, &mut f);
        })
    }

    pub(super) fn send(
        &self,
        data: &[u8],
        to: K::Meta,
    ) -> impl Future<Output = Result<(), SendError>> {
        let mut waiting = Waiting::new(self.stack, self.key);
        poll_fn(move |cx| {
            let mut write = copy_of(data);
            if TRIES_AT_ONCE && !waiting.has_place() {
                let at_once = self.with(|engine, key| {
                    send_now::<K, ()>(engine, key, &to, data.len(), &mut write)
                });
                match at_once {
                    Ok(Some(sent)) => return Poll::Ready(sent),
                    Ok(None) => {}
                    Err(Reentrant) => return Poll::Ready(Err(SendError::Reentrant)),
                }
            }
            self.poll_send_with(cx, &mut waiting, data.len(), &to, &mut write)
        })
    }

    pub(super) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        data: &[u8],
        to: K::Meta,
    ) -> Poll<Result<(), SendError>> {
        let mut waiting = Waiting::of_poll(self.stack, self.key);
        let mut write = copy_of(data);
        self.poll_send_with(cx, &mut waiting, data.len(), &to, &mut write)
    }

    pub(super) async fn send_with<R>(
        &self,
        len: usize,
        to: K::Meta,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, SendError> {
        let mut waiting = Waiting::new(self.stack, self.key);
        let mut f = Some(f);
        let mut write = |room: &mut [u8]| match f.take() {
            Some(f) => {
                let (len, result) = f(room);
                (len, Some(result))
            }
            None => (0, None),
        };
        let sent =
            poll_fn(|cx| self.poll_send_with(cx, &mut waiting, len, &to, &mut write)).await?;
        sent.ok_or(SendError::NotBound)
    }

    fn poll_send_with<R>(
        &self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting<'d, M>,
        len: usize,
        to: &K::Meta,
        write: &mut impl FnMut(&mut [u8]) -> (usize, R),
    ) -> Poll<Result<R, SendError>> {
        let key = self.key;
        waiting.poll(cx, Places::SENDERS, |engine| {
            send_now::<K, R>(engine, key, to, len, write)
        })
    }

    pub(super) async fn flush(&self) -> Result<(), SendError> {
        let key = self.key;
        let mut waiting = Waiting::new(self.stack, self.key);
        poll_fn(|cx| {
            waiting.poll(cx, Places::SENDERS, |engine| {
                let socket = K::of(engine, key);
                let empty = socket.is_none_or(|socket| K::queues(socket).to_send().is_empty());
                empty.then_some(Ok(()))
            })
        })
        .await
    }
}

/// Whether calls try before they make a place to wait in: that is quicker where they succeed, and all code twice.
const TRIES_AT_ONCE: bool = cfg!(not(target_pointer_width = "32"));

/// Copies as much as there is room for.
#[inline]
fn copy_out(data: &[u8], buffer: &mut [u8]) -> Result<usize, RecvError> {
    let len = data.len().min(buffer.len());
    copy(&mut buffer[..len], &data[..len]);
    if len < data.len() {
        return Err(RecvError::Truncated);
    }
    Ok(len)
}

/// Writes that.
fn copy_of(data: &[u8]) -> impl FnMut(&mut [u8]) -> (usize, ()) {
    |room| {
        copy(room, data);
        (data.len(), ())
    }
}

/// Takes the next packet, if there is one now.
fn take_now<K: PacketKind, R>(
    engine: &mut Engine<'_>,
    key: SocketKey,
    taken: &mut Poll<Result<R, RecvError>>,
    f: impl FnOnce(&mut [u8], &K::Meta) -> Result<R, RecvError>,
) {
    let Some(socket) = K::of_mut(engine, key).filter(|socket| K::is_bound(socket)) else {
        *taken = Poll::Ready(Err(RecvError::NotBound));
        return;
    };
    let queues = K::queues_mut(socket);
    if let Some(fault) = queues.take_fault() {
        *taken = Poll::Ready(Err(fault.into()));
        return;
    }
    if let Some((meta, data)) = queues.received_mut().front_mut() {
        *taken = Poll::Ready(f(data, meta));
        queues.received_mut().pop();
    }
}

/// Queues a packet if there is room, `None` if not now.
#[cfg_attr(target_pointer_width = "32", inline(never))]
fn send_now<K: PacketKind, R>(
    engine: &mut Engine<'_>,
    key: SocketKey,
    to: &K::Meta,
    len: usize,
    write: &mut impl FnMut(&mut [u8]) -> (usize, R),
) -> Option<Result<R, SendError>> {
    match K::send(engine, key, to, len, write) {
        Ok(result) => Some(Ok(result)),
        Err(QueueError::Full) => None,
        Err(QueueError::TooLong) => Some(Err(SendError::PacketTooLarge)),
        Err(QueueError::NoRoute) => Some(Err(SendError::NoRoute)),
        #[cfg(feature = "socket-udp")]
        Err(QueueError::AddressGone) => Some(Err(SendError::AddressGone)),
        #[cfg(feature = "socket-udp")]
        Err(QueueError::Fault(fault)) => Some(Err(fault.into())),
        #[cfg(feature = "socket-raw")]
        Err(QueueError::Invalid) => Some(Err(SendError::InvalidPacket)),
        Err(QueueError::NotBound) => Some(Err(SendError::NotBound)),
    }
}

impl<M: RawMutex, K> Drop for Packets<'_, M, K> {
    fn drop(&mut self) {
        self.stack.drop_handle(self.key);
    }
}
