//! A future's place among those that wait for one socket.

use core::task::{Context, Poll, Waker};

use embassy_sync::blocking_mutex::raw::RawMutex;

use super::stack::Stack;
use super::wakers::{Interest, Place, Waiter};
use crate::engine::{Engine, SocketKey};

/// Gives up its place when dropped, so that a cancelled future leaves nothing behind.
pub(super) struct Waiting<'d, M: RawMutex> {
    stack: Stack<'d, M>,
    key: SocketKey,
    waiter: Waiter,
    /// A future's, with the waker that was left there: the place may be another's by now.
    place: Option<(Place, Waker)>,
}

/// Why a future cannot wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitError {
    TooManyWaiters,
    Reentrant,
}

impl<'d, M: RawMutex> Waiting<'d, M> {
    pub(super) fn new(stack: Stack<'d, M>, key: SocketKey) -> Self {
        Self {
            stack,
            key,
            waiter: Waiter::Future,
            place: None,
        }
    }

    /// For a poll function, which has no future to be dropped: the place stays until whoever has it is woken, or
    /// another call takes it over.
    pub(super) fn of_poll(stack: Stack<'d, M>, key: SocketKey) -> Self {
        let mut waiting = Self::new(stack, key);
        waiting.waiter = Waiter::Poll;
        waiting
    }

    /// Asks the engine, and waits if it has no answer.
    pub(super) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        interests: &[Interest],
        ask: impl FnOnce(&mut Engine<'d>) -> Option<R>,
    ) -> Poll<Result<R, WaitError>> {
        let (key, waiter, held) = (self.key, self.waiter, &mut self.place);
        // Dropped when the lock is left.
        let (mut gone, mut replaced) = (None, None);
        let asked = self.stack.with(|s| {
            if let Some(answer) = ask(s.engine) {
                return Poll::Ready(Ok(answer));
            }
            let Some(wakers) = s.wakers(key) else {
                return Poll::Ready(Err(WaitError::TooManyWaiters));
            };
            // A future is woken by the waker of its last poll alone, which need not be that of its first.
            if let Some((place, left)) = held.take_if(|(_, left)| !left.will_wake(cx.waker())) {
                gone = Some((wakers.forget(place, &left), left));
            }
            let Ok((place, before)) = wakers.join(interests, waiter, cx.waker()) else {
                return Poll::Ready(Err(WaitError::TooManyWaiters));
            };
            replaced = before;
            match held {
                Some((held, _)) => *held = place,
                None if waiter == Waiter::Future => *held = Some((place, cx.waker().clone())),
                None => {}
            }
            Poll::Pending
        });
        drop((gone, replaced));
        asked.unwrap_or(Poll::Ready(Err(WaitError::Reentrant)))
    }
}

impl<M: RawMutex> Drop for Waiting<'_, M> {
    #[inline]
    fn drop(&mut self) {
        if let Some((place, _)) = self.place.take() {
            self.leave(place);
        }
    }
}

impl<M: RawMutex> Waiting<'_, M> {
    #[inline(never)]
    fn leave(&self, place: Place) {
        let left = self
            .stack
            .with(|s| s.wakers(self.key).and_then(|w| w.leave(place)));
        if let Ok(Some(waker)) = left {
            waker.wake();
        }
    }
}
