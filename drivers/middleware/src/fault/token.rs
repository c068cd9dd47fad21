//! The tokens of a fault injector.

use cygnet_driver::{Clock, RxMeta, RxToken, TxMeta, TxToken};

use super::{FaultSink, Faults};
use crate::Direction;

/// A received frame that passed the injector, in the injector's buffer.
pub struct FaultyRxToken<'a> {
    frame: &'a mut [u8],
    meta: RxMeta,
}

impl<'a> FaultyRxToken<'a> {
    pub(super) fn new(frame: &'a mut [u8], meta: RxMeta) -> Self {
        Self { frame, meta }
    }
}

impl RxToken for FaultyRxToken<'_> {
    fn meta(&self) -> RxMeta {
        self.meta
    }

    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        f(self.frame)
    }
}

/// Room for one frame, which may never reach the device.
pub struct FaultyTxToken<'a, T, C, S> {
    token: T,
    clock: &'a C,
    faults: &'a mut Faults<S>,
    doomed: &'a mut [u8],
    meta: Option<TxMeta>,
}

impl<'a, T, C, S> FaultyTxToken<'a, T, C, S> {
    pub(super) fn new(
        token: T,
        clock: &'a C,
        faults: &'a mut Faults<S>,
        doomed: &'a mut [u8],
    ) -> Self {
        Self {
            token,
            clock,
            faults,
            doomed,
            meta: None,
        }
    }
}

impl<T: TxToken, C: Clock, S: FaultSink> TxToken for FaultyTxToken<'_, T, C, S> {
    fn set_meta(&mut self, meta: TxMeta) {
        self.meta = Some(meta);
    }

    /// A `len` above the capabilities, against the trait's contract, goes to the device as it is.
    fn consume<R>(mut self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let (clock, faults) = (self.clock, self.faults);
        let drop = faults.why_drop(Direction::Tx, len, || clock.now());
        if let (Some(kind), Some(frame)) = (drop, self.doomed.get_mut(..len)) {
            let result = f(frame);
            faults.report(Direction::Tx, kind, frame);
            return result;
        }
        let corrupt = faults.is_corruption_due();
        if let Some(mut meta) = self.meta {
            if corrupt {
                // The device would give the corrupted frame a checksum that fits.
                meta.checksum = None;
            }
            self.token.set_meta(meta);
        }
        self.token.consume(len, |frame| {
            let result = f(frame);
            if corrupt {
                faults.corrupt(Direction::Tx, frame);
            }
            result
        })
    }
}
