//! What all handles of a connection do: ask, and leave a waker if there is no answer yet.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

use cygnet_config::LOCK_COPY_SIZE;
use embassy_sync::blocking_mutex::raw::RawMutex;

use super::TcpError;
use crate::engine::{ConnectError, ListenError, SocketKey};
use crate::socket::shared::Shared;
use crate::socket::stack::Stack;
use crate::socket::wakers::Interest;
use crate::tcp::{Connection, State};

/// A connection by its key. `Copy`, and without a claim to it: handles own connections.
pub(super) struct Io<'d, M: RawMutex> {
    pub(super) stack: Stack<'d, M>,
    pub(super) key: SocketKey,
}

impl<M: RawMutex> Clone for Io<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: RawMutex> Copy for Io<'_, M> {}

impl<'d, M: RawMutex> Io<'d, M> {
    pub(super) fn new(stack: Stack<'d, M>, key: SocketKey) -> Self {
        Self { stack, key }
    }

    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, TcpError>> {
        if buffer.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let len = buffer.len().min(LOCK_COPY_SIZE);
        self.poll(cx.waker(), Interest::Read, |c| match readable(c) {
            Poll::Ready(Ok(true)) => Poll::Ready(Ok(c.read(&mut buffer[..len]))),
            other => other.map_ok(|_| 0),
        })
    }

    pub(super) fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, TcpError>> {
        self.poll(cx.waker(), Interest::Read, |c| {
            readable(c).map_ok(|_| c.peek(buffer))
        })
    }

    pub(super) async fn read_with<R>(
        &self,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, TcpError> {
        let mut f = Some(f);
        poll_fn(|cx| {
            self.poll(cx.waker(), Interest::Read, |c| {
                let ready = readable(c);
                let Poll::Ready(Ok(_)) = ready else {
                    return ready.map_ok(|_| None);
                };
                Poll::Ready(Ok(f.take().map(|f| c.read_with(f))))
            })
        })
        .await?
        .ok_or(TcpError::NotConnected)
    }

    pub(super) fn poll_write(
        &self,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<Result<usize, TcpError>> {
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let data = &data[..data.len().min(LOCK_COPY_SIZE)];
        self.poll(cx.waker(), Interest::Write, |c| {
            writable(c).map_ok(|()| c.write(data))
        })
    }

    pub(super) async fn write_with<R>(
        &self,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, TcpError> {
        let mut f = Some(f);
        poll_fn(|cx| {
            self.poll(cx.waker(), Interest::Write, |c| {
                let ready = writable(c);
                let Poll::Ready(Ok(())) = ready else {
                    return ready.map_ok(|()| None);
                };
                Poll::Ready(Ok(f.take().map(|f| c.write_with(f))))
            })
        })
        .await?
        .ok_or(TcpError::NotConnected)
    }

    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<Result<(), TcpError>> {
        self.poll(cx.waker(), Interest::Write, |c| {
            if let Some(error) = c.error() {
                Poll::Ready(Err(error.into()))
            } else if c.all_acked() || c.state().is_over() {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        })
    }

    /// Whether the peer has acknowledged the end.
    pub(super) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<Result<(), TcpError>> {
        self.poll(cx.waker(), Interest::State, |c| {
            if let Some(error) = c.error() {
                return Poll::Ready(Err(error.into()));
            }
            match c.state() {
                State::Closed | State::FinWait2 | State::TimeWait => Poll::Ready(Ok(())),
                _ => Poll::Pending,
            }
        })
    }

    /// Whether everything about an aborted connection is said, or cannot be.
    pub(super) fn poll_done(&self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.poll_shared(|s| {
            let link_up = s.engine.is_link_up();
            let done = s.engine.tcp(self.key).is_none_or(|c| c.is_done());
            if done || !link_up {
                return (Poll::Ready(Ok(())), None);
            }
            (
                Poll::Pending,
                leave(s, self.key, Interest::State, cx.waker()),
            )
        });
        polled.map(|_| ())
    }

    pub(super) fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        let polled = self.poll(cx.waker(), Interest::State, |c| match c.state() {
            State::SynSent | State::SynReceived => Poll::Pending,
            State::Closed => Poll::Ready(Ok(Err(c
                .error()
                .map_or(ConnectError::Aborted, ConnectError::from)))),
            _ => Poll::Ready(Ok(Ok(()))),
        });
        polled.map(|result| result.unwrap_or(Err(ConnectError::Reentrant)))
    }

    pub(super) fn poll_accepted(&self, cx: &mut Context<'_>) -> Poll<Result<(), ListenError>> {
        let polled = self.poll(cx.waker(), Interest::State, |c| match c.state() {
            State::Listen | State::SynReceived => Poll::Pending,
            // Closed already: its data, end or error is there to be read.
            _ => {
                c.claim();
                Poll::Ready(Ok(()))
            }
        });
        polled.map(|result| result.map_err(|_| ListenError::Reentrant))
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.poll(cx.waker(), Interest::Read, |c| readable(c).map_ok(|_| ()));
        polled.map(|_| ())
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.poll(cx.waker(), Interest::Write, |c| writable(c));
        polled.map(|_| ())
    }

    pub(super) fn is_read_ready(&self) -> bool {
        self.look(|c| readable(c).is_ready()).unwrap_or(true)
    }

    pub(super) fn is_write_ready(&self) -> bool {
        self.look(|c| writable(c).is_ready()).unwrap_or(true)
    }

    pub(super) fn shutdown(&self) {
        self.set(|c| c.close());
    }

    pub(super) fn abort(&self) {
        self.set(|c| c.abort());
    }

    /// The attempt to get a connection is given up, unless it has accepted a connection.
    pub(super) fn give_up(&self) {
        let _ = self.stack.with(|s| s.engine.tcp_give_up(self.key));
    }

    /// A look at the connection; `None` from within a closure that the stack called.
    pub(super) fn look<R>(&self, f: impl FnOnce(&Connection<'d>) -> R) -> Option<R> {
        self.stack
            .with(|s| s.engine.tcp(self.key).map(f))
            .ok()
            .flatten()
    }

    /// A change to the connection.
    pub(super) fn set(&self, f: impl FnOnce(&mut Connection<'d>)) {
        let _ = self.stack.with(|s| s.engine.tcp_with(self.key, f));
    }

    /// Asks the connection, and leaves the waker if it has no answer yet.
    fn poll<R>(
        &self,
        waker: &Waker,
        interest: Interest,
        ask: impl FnOnce(&mut Connection<'d>) -> Poll<Result<R, TcpError>>,
    ) -> Poll<Result<R, TcpError>> {
        self.poll_shared(|s| {
            let answer = s.engine.tcp_ask(self.key, |c| match ask(c) {
                Poll::Ready(answer) => Some(answer),
                Poll::Pending => None,
            });
            match answer.unwrap_or(Some(Err(TcpError::NotConnected))) {
                Some(answer) => (Poll::Ready(answer), None),
                None => (Poll::Pending, leave(s, self.key, interest, waker)),
            }
        })
    }

    /// Runs `f` under the lock, and wakes outside of it whoever it says.
    fn poll_shared<R>(
        &self,
        f: impl FnOnce(&mut Shared<'d>) -> (Poll<Result<R, TcpError>>, Option<Waker>),
    ) -> Poll<Result<R, TcpError>> {
        match self.stack.with(f) {
            Ok((answer, replaced)) => {
                if let Some(replaced) = replaced {
                    replaced.wake();
                }
                answer
            }
            Err(_) => Poll::Ready(Err(TcpError::Reentrant)),
        }
    }
}

#[inline(never)]
fn leave(
    shared: &mut Shared<'_>,
    key: SocketKey,
    interest: Interest,
    waker: &Waker,
) -> Option<Waker> {
    shared.wakers(key)?.set(interest, waker)
}

/// Whether there is something to read (true), or nothing any more (false).
fn readable(c: &Connection<'_>) -> Poll<Result<bool, TcpError>> {
    if c.receive_queue() > 0 {
        return Poll::Ready(Ok(true));
    }
    if c.is_finished() {
        return Poll::Ready(Ok(false));
    }
    if !c.receive_ended() {
        return match c.state() {
            State::Listen => Poll::Ready(Err(TcpError::NotConnected)),
            _ => Poll::Pending,
        };
    }
    Poll::Ready(Err(c
        .error()
        .map_or(TcpError::NotConnected, TcpError::from)))
}

/// Whether there is room to write.
fn writable(c: &Connection<'_>) -> Poll<Result<(), TcpError>> {
    if !c.can_write() {
        let closed = if c.state().is_over() {
            TcpError::NotConnected
        } else {
            TcpError::WriteClosed
        };
        return Poll::Ready(Err(c.error().map_or(closed, TcpError::from)));
    }
    if c.send_capacity() == 0 {
        return Poll::Ready(Err(TcpError::NoBuffer));
    }
    if c.send_room() > 0 {
        Poll::Ready(Ok(()))
    } else {
        Poll::Pending
    }
}
