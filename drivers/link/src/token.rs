//! The tokens of a port: one buffer of the pool each, or the port's own copy of a frame.

use cygnet_driver::Clock;
use embassy_sync::blocking_mutex::raw::RawMutex;

use crate::shared::Shared;
use crate::state::{Arrived, Lent};

/// A frame that has arrived. Dropped unused, the frame is gone.
pub struct RxToken<'a, 'd, M: RawMutex> {
    shared: &'d Shared<'d, M>,
    /// The frame's own buffer; `None` when the frame is in `copy`.
    lent: Option<Lent<'d>>,
    copy: &'a mut [u8],
    len: usize,
}

impl<'a, 'd, M: RawMutex> RxToken<'a, 'd, M> {
    pub(crate) fn new(shared: &'d Shared<'d, M>, arrived: Arrived<'d>, copy: &'a mut [u8]) -> Self {
        let (lent, len) = match arrived {
            Arrived::Whole(lent, len) => (Some(lent), len),
            Arrived::Copied(len) => (None, len),
        };
        Self {
            shared,
            lent,
            copy,
            len,
        }
    }
}

impl<M: RawMutex> cygnet_driver::RxToken for RxToken<'_, '_, M> {
    fn consume<R>(mut self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let buffer = match &mut self.lent {
            Some((_, buffer)) => buffer,
            None => &mut *self.copy,
        };
        f(buffer.get_mut(..self.len).unwrap_or_default())
    }
}

impl<M: RawMutex> Drop for RxToken<'_, '_, M> {
    fn drop(&mut self) {
        if let Some(lent) = self.lent.take() {
            self.shared.lock_and_wake(|network| network.give_back(lent));
        }
    }
}

/// Room for one frame in a buffer of the pool.
pub struct TxToken<'a, 'd, M: RawMutex, C: Clock> {
    shared: &'d Shared<'d, M>,
    clock: &'a C,
    port: usize,
    lent: Option<Lent<'d>>,
}

impl<'a, 'd, M: RawMutex, C: Clock> TxToken<'a, 'd, M, C> {
    pub(crate) fn new(
        shared: &'d Shared<'d, M>,
        clock: &'a C,
        port: usize,
        lent: Lent<'d>,
    ) -> Self {
        Self {
            shared,
            clock,
            port,
            lent: Some(lent),
        }
    }
}

impl<M: RawMutex, C: Clock> cygnet_driver::TxToken for TxToken<'_, '_, M, C> {
    /// A `len` above that of the buffers, against the trait's contract, cuts the frame to theirs.
    fn consume<R>(mut self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        // The buffer stays with the token while `f` runs, so that it is not lost if `f` panics.
        let buffer = match &mut self.lent {
            Some((_, buffer)) => &mut **buffer,
            None => &mut [],
        };
        let len = len.min(buffer.len());
        let result = f(buffer.get_mut(..len).unwrap_or_default());
        if let Some(lent) = self.lent.take() {
            let (port, clock) = (self.port, self.clock);
            self.shared
                .lock_and_wake(|network| network.send(port, lent, len, || clock.now()));
        }
        result
    }
}

impl<M: RawMutex, C: Clock> Drop for TxToken<'_, '_, M, C> {
    fn drop(&mut self) {
        if let Some(lent) = self.lent.take() {
            self.shared.lock_and_wake(|network| network.give_back(lent));
        }
    }
}
