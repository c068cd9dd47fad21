//! A driver that shows every frame to an observer and changes nothing: what the tracer and the pcap
//! writer have in common.

use core::cell::RefCell;
use core::task::Context;

use cygnet_driver::{
    Capabilities, Driver, HardwareAddress, LinkState, MulticastFilter, RxMeta, RxToken, TxMeta,
    TxToken,
};

use crate::Direction;

/// Looks at frames as they pass a [`Tap`].
pub trait Observer {
    /// A frame passes. A received one has not reached the stack yet; a sent one is complete but for
    /// the work left to the device.
    fn observe(&mut self, direction: Direction, frame: &[u8]);
}

/// A driver whose frames an observer sees.
pub struct Tap<D, O> {
    inner: D,
    /// Shared by the two tokens that `receive` gives out at once; borrowed only while it looks.
    observer: RefCell<O>,
}

/// A token of a [`Tap`].
pub struct TappedToken<'a, T, O> {
    token: T,
    observer: &'a RefCell<O>,
}

impl<D, O> Tap<D, O> {
    /// Shows the frames of `inner` to `observer`.
    pub fn with_observer(inner: D, observer: O) -> Self {
        Self {
            inner,
            observer: RefCell::new(observer),
        }
    }

    /// The driver inside.
    pub fn inner_mut(&mut self) -> &mut D {
        &mut self.inner
    }

    /// The observer.
    pub fn observer_mut(&mut self) -> &mut O {
        self.observer.get_mut()
    }

    /// Takes the decorator off.
    pub fn into_parts(self) -> (D, O) {
        (self.inner, self.observer.into_inner())
    }
}

impl<T, O: Observer> TappedToken<'_, T, O> {
    /// Shows a frame to the observer, unless that is what the observer is doing already.
    fn show(observer: &RefCell<O>, direction: Direction, frame: &[u8]) {
        if let Ok(mut observer) = observer.try_borrow_mut() {
            observer.observe(direction, frame);
        }
    }
}

impl<D: Driver, O: Observer> Driver for Tap<D, O> {
    type RxToken<'a>
        = TappedToken<'a, D::RxToken<'a>, O>
    where
        Self: 'a;
    type TxToken<'a>
        = TappedToken<'a, D::TxToken<'a>, O>
    where
        Self: 'a;

    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)> {
        let observer = &self.observer;
        let (rx, tx) = self.inner.receive(cx)?;
        let rx = TappedToken {
            token: rx,
            observer,
        };
        Some((rx, tx.map(|token| TappedToken { token, observer })))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        Some(TappedToken {
            token: self.inner.transmit(cx)?,
            observer: &self.observer,
        })
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        self.inner.link_state(cx)
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.inner.hardware_address()
    }

    fn set_multicast_filter(&mut self, filter: MulticastFilter<'_>) {
        self.inner.set_multicast_filter(filter);
    }
}

impl<T: RxToken, O: Observer> RxToken for TappedToken<'_, T, O> {
    fn meta(&self) -> RxMeta {
        self.token.meta()
    }

    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let observer = self.observer;
        self.token.consume(|frame| {
            Self::show(observer, Direction::Rx, frame);
            f(frame)
        })
    }
}

impl<T: TxToken, O: Observer> TxToken for TappedToken<'_, T, O> {
    fn set_meta(&mut self, meta: TxMeta) {
        self.token.set_meta(meta);
    }

    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let observer = self.observer;
        self.token.consume(len, |frame| {
            let result = f(frame);
            Self::show(observer, Direction::Tx, frame);
            result
        })
    }
}
