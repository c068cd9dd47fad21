//! A future's place among those that wait for one socket.

use core::task::{Context, Poll, Waker};

use embassy_sync::blocking_mutex::raw::RawMutex;

use super::stack::Stack;
use super::wakers::{Interest, Place, SocketWakers};
use crate::engine::{Engine, SocketKey};

/// Gives up its place when dropped, so that a cancelled future leaves nothing behind.
pub(super) struct Waiting<'d, M: RawMutex> {
    stack: Stack<'d, M>,
    key: SocketKey,
    /// With the waker that was left there: the place may be another's by now.
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
        // Dropped when the lock is left.
        let mut gone = [None, None];
        let asked = self.stack.with(|s| match ask(s.engine) {
            Some(answer) => Poll::Ready(Ok(answer)),
            None => match wait(s.wakers(key), interests, cx.waker(), place, &mut gone) {
                Ok(()) => Poll::Pending,
                Err(error) => Poll::Ready(Err(error)),
            },
        });
        drop(gone);
        asked.unwrap_or(Poll::Ready(Err(WaitError::Reentrant)))
    }

    /// Keeps the place: for poll functions, which have no future to be dropped.
    pub(super) fn stay(mut self) {
        self.place = None;
    }
}

/// Takes a place among those that wait, or keeps the one that is held. The wakers of one that was given up go
/// into `gone`. Whoever waits asks for the same, so this is there once.
#[inline(never)]
fn wait(
    wakers: Option<&mut SocketWakers>,
    interests: &[Interest],
    waker: &Waker,
    held: &mut Option<(Place, Waker)>,
    gone: &mut [Option<Waker>; 2],
) -> Result<(), WaitError> {
    let wakers = wakers.ok_or(WaitError::TooManyWaiters)?;
    // A future is woken by the waker of its last poll alone, which need not be that of its first.
    if let Some((place, left)) = held.take_if(|(_, left)| !left.will_wake(waker)) {
        *gone = [wakers.forget(place, &left), Some(left)];
    }
    let place = wakers
        .join(interests, waker)
        .map_err(|_| WaitError::TooManyWaiters)?;
    match held {
        Some((held, _)) => *held = place,
        None => *held = Some((place, waker.clone())),
    }
    Ok(())
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
