//! A future's place among those that wait for one socket.

use core::task::{Context, Poll, Waker};

use embassy_sync::blocking_mutex::raw::RawMutex;

use super::stack::{Reentrant, Stack};
use super::wakers::{Left, Place, Places, TooManyWaiters, Waiter, wake};
use crate::engine::{Engine, SocketKey};

/// Gives up its place when dropped, so that a cancelled future leaves nothing behind.
pub(super) struct Waiting<'d, M: RawMutex> {
    pub(super) stack: Stack<'d, M>,
    pub(super) key: SocketKey,
    waiter: Waiter,
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
            waiter: Waiter::Future(None),
        }
    }

    /// For a poll function, which has no future to be dropped: the place stays until whoever has it is woken, or
    /// another call takes it over.
    pub(super) fn of_poll(stack: Stack<'d, M>, key: SocketKey) -> Self {
        let mut waiting = Self::new(stack, key);
        waiting.waiter = Waiter::Poll;
        waiting
    }

    /// Whether it is a future's that waits, or did.
    #[inline]
    pub(super) fn has_place(&self) -> bool {
        matches!(self.waiter, Waiter::Future(Some(_)))
    }

    /// Asks the engine, and waits if it has no answer.
    #[inline]
    pub(super) fn poll<R, E: From<WaitError>>(
        &mut self,
        cx: &mut Context<'_>,
        places: Places,
        mut ask: impl FnMut(&mut Engine<'d>) -> Option<Result<R, E>>,
    ) -> Poll<Result<R, E>> {
        self.poll_for(cx, places, |engine, answer| {
            if let Some(found) = ask(engine) {
                *answer = Poll::Ready(found);
            }
        })
    }

    /// The same for an answer that is written where it stays: it may be long.
    #[inline]
    pub(super) fn poll_for<R, E: From<WaitError>>(
        &mut self,
        cx: &mut Context<'_>,
        places: Places,
        mut ask: impl FnMut(&mut Engine<'d>, &mut Poll<Result<R, E>>),
    ) -> Poll<Result<R, E>> {
        let mut answer = Poll::Pending;
        let mut asks = |engine: &mut Engine<'d>| {
            ask(engine, &mut answer);
            answer.is_ready()
        };
        #[cfg(target_pointer_width = "32")]
        let asks: &mut dyn FnMut(&mut Engine<'d>) -> bool = &mut asks;
        #[cfg(not(target_pointer_width = "32"))]
        let asks = &mut asks;
        if let Err(error) = self.ask(cx.waker(), places, asks) {
            answer = Poll::Ready(Err(error.into()));
        }
        answer
    }

    /// The same for an answer that is kept elsewhere. Where flash is dear this is there once, for all who ask.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn ask<F: FnMut(&mut Engine<'d>) -> bool + ?Sized>(
        &mut self,
        waker: &Waker,
        places: Places,
        ask: &mut F,
    ) -> Result<(), WaitError> {
        let asked = self.stack.with(|s| {
            if ask(s.engine) {
                return Ok(Left::default());
            }
            let wakers = s.wakers(self.key).ok_or(TooManyWaiters)?;
            wakers.join(places, &mut self.waiter, waker)
        });
        match asked {
            Ok(Ok(left)) => {
                left.see_off();
                Ok(())
            }
            Ok(Err(TooManyWaiters)) => Err(WaitError::TooManyWaiters),
            Err(Reentrant) => Err(WaitError::Reentrant),
        }
    }
}

impl<M: RawMutex> Drop for Waiting<'_, M> {
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn drop(&mut self) {
        if let Waiter::Future(Some(place)) = self.waiter {
            self.leave(place);
        }
    }
}

impl<M: RawMutex> Waiting<'_, M> {
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn leave(&self, place: Place) {
        let left = self
            .stack
            .with(|s| s.wakers(self.key).and_then(|w| w.leave(place)));
        wake(left.ok().flatten());
    }
}
