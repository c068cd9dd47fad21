//! A future's place among those that wait for one socket.

use core::task::{Context, Poll};

use embassy_sync::blocking_mutex::raw::RawMutex;

use super::stack::Stack;
use super::wakers::{Interest, Place};
use crate::engine::{Engine, SocketKey};

/// Gives up its place when dropped, so that a cancelled future leaves nothing behind.
pub(super) struct Waiting<'d, M: RawMutex> {
    stack: Stack<'d, M>,
    key: SocketKey,
    place: Option<Place>,
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
            place: None,
        }
    }

    /// Asks the engine, and waits if it has no answer.
    pub(super) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        interests: &[Interest],
        ask: impl FnOnce(&mut Engine<'d>) -> Option<R>,
    ) -> Poll<Result<R, WaitError>> {
        let (key, place) = (self.key, &mut self.place);
        let asked = self.stack.with(|s| {
            if let Some(answer) = ask(s.engine) {
                return Poll::Ready(Ok(answer));
            }
            match s.wakers(key).map(|w| w.join(interests, cx.waker())) {
                Some(Ok(taken)) => {
                    *place = Some(taken);
                    Poll::Pending
                }
                _ => Poll::Ready(Err(WaitError::TooManyWaiters)),
            }
        });
        asked.unwrap_or(Poll::Ready(Err(WaitError::Reentrant)))
    }

    /// Keeps the place: for poll functions, which have no future to be dropped.
    pub(super) fn stay(mut self) {
        self.place = None;
    }
}

impl<M: RawMutex> Drop for Waiting<'_, M> {
    #[inline]
    fn drop(&mut self) {
        if let Some(place) = self.place {
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
