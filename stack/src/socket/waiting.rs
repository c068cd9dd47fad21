//! A future's place among those that wait for one socket.

use core::task::{Context, Poll, Waker};

use embassy_sync::blocking_mutex::raw::RawMutex;

use super::stack::Stack;
use super::wakers::{Interest, Place, SocketWakers, Waiter};
use crate::engine::{Engine, SocketKey};

/// Gives up its place when dropped, so that a cancelled future leaves nothing behind.
pub(super) struct Waiting<'d, M: RawMutex> {
    pub(super) stack: Stack<'d, M>,
    pub(super) key: SocketKey,
    waiter: Waiter,
    held: Held,
}

/// A future's place.
#[derive(Default)]
struct Held {
    place: Place,
    /// What was left there, by which it is known: the place may be another's by now. `None` before there is a place.
    waker: Option<Waker>,
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
            held: Held::default(),
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
        self.held.waker.is_some()
    }

    /// Asks the engine, and waits if it has no answer.
    #[inline]
    pub(super) fn poll<R>(
        &mut self,
        cx: &mut Context<'_>,
        interests: &[Interest],
        ask: impl FnOnce(&mut Engine<'d>) -> Option<R>,
    ) -> Poll<Result<R, WaitError>> {
        let (mut ask, mut answer) = (Some(ask), None);
        let mut asks = |engine: &mut Engine<'d>| {
            answer = ask.take().and_then(|ask| ask(engine));
            answer.is_some()
        };
        #[cfg(target_pointer_width = "32")]
        let asks: &mut dyn FnMut(&mut Engine<'d>) -> bool = &mut asks;
        #[cfg(not(target_pointer_width = "32"))]
        let asks = &mut asks;
        let asked = self.ask(cx.waker(), interests, asks);
        match (answer, asked) {
            (Some(answer), _) => Poll::Ready(Ok(answer)),
            (None, Ok(())) => Poll::Pending,
            (None, Err(error)) => Poll::Ready(Err(error)),
        }
    }

    /// The same for an answer that is kept elsewhere. Where flash is dear this is there once, for all who ask.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn ask<F: FnMut(&mut Engine<'d>) -> bool + ?Sized>(
        &mut self,
        waker: &Waker,
        interests: &[Interest],
        ask: &mut F,
    ) -> Result<(), WaitError> {
        let (key, waiter, held) = (self.key, self.waiter, &mut self.held);
        // Dropped when the lock is left.
        let mut gone = Gone::default();
        let asked = self.stack.with(|s| {
            if ask(s.engine) {
                return Ok(());
            }
            wait(s.wakers(key), interests, waiter, waker, held, &mut gone)
        });
        release(gone);
        asked.unwrap_or(Err(WaitError::Reentrant))
    }
}

/// Wakers that wait no longer.
#[derive(Default)]
struct Gone([Option<Waker>; 3]);

/// Drops them. Each poll does that, so it is not inlined.
#[inline(never)]
fn release(gone: Gone) {
    drop(gone);
}

/// Takes a place among those that wait, or keeps the one that is held. Whoever waits asks for the same, so this is
/// there once.
#[inline(never)]
fn wait(
    wakers: Option<&mut SocketWakers>,
    interests: &[Interest],
    waiter: Waiter,
    waker: &Waker,
    held: &mut Held,
    Gone([forgotten, left, replaced]): &mut Gone,
) -> Result<(), WaitError> {
    let wakers = wakers.ok_or(WaitError::TooManyWaiters)?;
    // A future is woken by the waker of its last poll alone, which need not be that of its first.
    if let Some(before) = held.waker.take_if(|left| !left.will_wake(waker)) {
        *forgotten = wakers.forget(held.place, &before);
        *left = Some(before);
    }
    let (place, before) = wakers
        .join(interests, waiter, waker)
        .map_err(|_| WaitError::TooManyWaiters)?;
    *replaced = before;
    held.place = place;
    if waiter == Waiter::Future && held.waker.is_none() {
        held.waker = Some(waker.clone());
    }
    Ok(())
}

impl<M: RawMutex> Drop for Waiting<'_, M> {
    #[inline]
    fn drop(&mut self) {
        if self.has_place() {
            self.leave(self.held.place);
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
