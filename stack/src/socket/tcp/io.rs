//! What all handles of a connection do: ask, and leave a waker if there is no answer yet.

use core::future::poll_fn;
use core::task::{Context, Poll, Waker, ready};

use cygnet_config::LOCK_COPY_SIZE;
use embassy_sync::blocking_mutex::raw::RawMutex;

use super::TcpError;
use crate::engine::{ConnectError, Deed, ListenError, SocketKey};
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
            Poll::Ready(Ok(1..)) => {
                let count = buffer.get_mut(..len).map_or(0, |buffer| c.read(buffer));
                Poll::Ready(Ok(count))
            }
            other => other,
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
        let (mut f, mut taken) = (Some(f), None);
        poll_fn(|cx| {
            self.poll(cx.waker(), Interest::Read, |c| {
                readable(c).map_ok(|count| {
                    taken = f.take().map(|f| c.read_with(f));
                    count
                })
            })
        })
        .await?;
        taken.ok_or(TcpError::NotConnected)
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
            writable(c).map_ok(|_| c.write(data))
        })
    }

    /// Goes on with the `rest` until nothing is left of it.
    pub(super) fn poll_write_all(
        &self,
        cx: &mut Context<'_>,
        rest: &mut &[u8],
    ) -> Poll<Result<(), TcpError>> {
        while !rest.is_empty() {
            let written = ready!(self.poll_write(cx, rest))?;
            *rest = rest.get(written..).unwrap_or_default();
        }
        Poll::Ready(Ok(()))
    }

    pub(super) async fn write_with<R>(
        &self,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, TcpError> {
        let (mut f, mut filled) = (Some(f), None);
        poll_fn(|cx| {
            self.poll(cx.waker(), Interest::Write, |c| {
                writable(c).map_ok(|room| {
                    filled = f.take().map(|f| c.write_with(f));
                    room
                })
            })
        })
        .await?;
        filled.ok_or(TcpError::NotConnected)
    }

    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<Result<(), TcpError>> {
        let polled = self.poll(cx.waker(), Interest::Write, |c| {
            if c.error().is_some() {
                ended(c, TcpError::NotConnected)
            } else if c.all_acked() || c.state().is_over() {
                DONE
            } else {
                Poll::Pending
            }
        });
        polled.map_ok(|_| ())
    }

    /// Whether the peer has acknowledged the end.
    pub(super) fn poll_closed(&self, cx: &mut Context<'_>) -> Poll<Result<(), TcpError>> {
        let polled = self.poll(cx.waker(), Interest::State, |c| {
            if c.error().is_some() {
                return ended(c, TcpError::NotConnected);
            }
            let ended = matches!(c.state(), State::Closed | State::TimeWait);
            if ended || c.state() == State::FinWait2 {
                DONE
            } else {
                Poll::Pending
            }
        });
        polled.map_ok(|_| ())
    }

    /// Whether everything about an aborted connection is said, or cannot be.
    pub(super) fn poll_done(&self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.poll_shared(|s| {
            let link_up = s.engine.is_link_up();
            let done = s.engine.tcp(self.key).is_none_or(|c| c.is_done());
            if done || !link_up {
                return (DONE, None);
            }
            (
                Poll::Pending,
                leave(s, self.key, Interest::State, cx.waker()),
            )
        });
        polled.map(|_| ())
    }

    pub(super) fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        let mut failed = None;
        let polled = self.poll(cx.waker(), Interest::State, |c| match c.state() {
            State::SynSent | State::SynReceived => Poll::Pending,
            State::Closed => {
                let error = c.error();
                failed = Some(error.map_or(ConnectError::Aborted, ConnectError::from));
                DONE
            }
            _ => DONE,
        });
        polled.map(|result| match failed {
            Some(error) => Err(error),
            None => result.map(|_| ()).map_err(|_| ConnectError::Reentrant),
        })
    }

    pub(super) fn poll_accepted(&self, cx: &mut Context<'_>) -> Poll<Result<(), ListenError>> {
        let polled = self.poll(cx.waker(), Interest::State, |c| match c.state() {
            State::Listen | State::SynReceived => Poll::Pending,
            // Closed already: its data, end or error is there to be read.
            _ => {
                c.claim();
                DONE
            }
        });
        polled.map(|result| result.map(|_| ()).map_err(|_| ListenError::Reentrant))
    }

    pub(super) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let polled = self.poll(cx.waker(), Interest::Read, |c| readable(c));
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

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn shutdown(&self) {
        self.stack.see_to(self.key, Deed::Shutdown);
    }

    pub(super) fn abort(&self) {
        self.set(|c| c.abort());
    }

    /// The attempt to get a connection is given up, unless it has accepted a connection.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn give_up(&self) {
        self.stack.see_to(self.key, Deed::GiveUp);
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
    #[inline]
    fn poll(
        &self,
        waker: &Waker,
        interest: Interest,
        mut ask: impl FnMut(&mut Connection<'d>) -> Answer,
    ) -> Answer {
        #[cfg(target_pointer_width = "32")]
        let ask: &mut dyn FnMut(&mut Connection<'d>) -> _ = &mut ask;
        #[cfg(not(target_pointer_width = "32"))]
        let ask = &mut ask;
        self.poll_asking(waker, interest, ask)
    }

    /// The same: where flash is dear this is there once, for all that is asked.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn poll_asking<F>(&self, waker: &Waker, interest: Interest, ask: &mut F) -> Answer
    where
        F: FnMut(&mut Connection<'d>) -> Answer + ?Sized,
    {
        // Outside of what passes the lock: it would be moved with it, in pieces that have to be put together again.
        let mut answer = Poll::Pending;
        let replaced = self.stack.with(|s| {
            let asked = s.engine.tcp_ask(self.key, |c| {
                answer = ask(c);
                answer.is_ready().then_some(())
            });
            match asked {
                Some(Some(())) => None,
                Some(None) => leave(s, self.key, interest, waker),
                None => {
                    answer = failed(TcpError::NotConnected);
                    None
                }
            }
        });
        match replaced {
            Ok(None) => {}
            Ok(Some(replaced)) => replaced.wake(),
            Err(_) => answer = failed(TcpError::Reentrant),
        }
        answer
    }

    /// Runs `f` under the lock, and wakes outside of it whoever it says.
    fn poll_shared(&self, f: impl FnOnce(&mut Shared<'d>) -> (Answer, Option<Waker>)) -> Answer {
        match self.stack.with(f) {
            Ok((answer, replaced)) => {
                if let Some(replaced) = replaced {
                    replaced.wake();
                }
                answer
            }
            Err(_) => failed(TcpError::Reentrant),
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

/// What a connection answers: a number, if nothing is in the way.
type Answer = Poll<Result<usize, TcpError>>;

/// That of those who ask for no number.
const DONE: Answer = done(0);

const fn done(count: usize) -> Answer {
    Poll::Ready(Ok(count))
}

fn failed(error: TcpError) -> Answer {
    Poll::Ready(Err(error))
}

/// How it ended, or what to say where that was in order.
#[cfg_attr(target_pointer_width = "32", inline(never))]
fn ended(c: &Connection<'_>, in_order: TcpError) -> Answer {
    failed(c.error().map_or(in_order, TcpError::from))
}

/// How much there is to read; zero if nothing comes any more.
#[cfg_attr(target_pointer_width = "32", inline(never))]
fn readable(c: &Connection<'_>) -> Answer {
    let queued = c.receive_queue();
    if queued > 0 || c.is_finished() {
        return done(queued);
    }
    if !c.receive_ended() {
        return match c.state() {
            State::Listen => failed(TcpError::NotConnected),
            _ => Poll::Pending,
        };
    }
    ended(c, TcpError::NotConnected)
}

/// Whether there is room to write.
fn writable(c: &Connection<'_>) -> Answer {
    if !c.can_write() {
        let closed = if c.state().is_over() {
            TcpError::NotConnected
        } else {
            TcpError::WriteClosed
        };
        return ended(c, closed);
    }
    if c.send_capacity() == 0 {
        return failed(TcpError::NoBuffer);
    }
    if c.send_room() > 0 {
        DONE
    } else {
        Poll::Pending
    }
}
