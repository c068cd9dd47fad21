//! One port of a network: the [`Driver`] that a stack owns.

use core::task::{Context, Waker};

use cygnet_driver::{Capabilities, Clock, Driver, HardwareAddress, LinkState};
use cygnet_driver::{RxToken as _, TxToken as _};
use embassy_sync::blocking_mutex::raw::RawMutex;

use crate::shared::Shared;
use crate::state::{Reason, Wait};
use crate::token::{RxToken, TxToken};
use crate::{Control, PortConfig};

/// One port of a [`Network`](crate::Network).
///
/// It is `Send` with a `Sync` mutex. Dropping it frees what was on its way to it; nothing reaches it
/// any more.
pub struct Port<'d, M: RawMutex, C: Clock> {
    shared: &'d Shared<'d, M>,
    clock: C,
    index: usize,
    capabilities: Capabilities,
    address: HardwareAddress,
    /// This port's own copy of a frame that others want too.
    copy: &'d mut [u8],
}

/// What makes one port of a network different from the others.
pub(crate) struct PortParts<'d> {
    pub(crate) index: usize,
    pub(crate) config: PortConfig,
    pub(crate) copy: &'d mut [u8],
}

impl<'d, M: RawMutex, C: Clock> Port<'d, M, C> {
    pub(crate) fn new(shared: &'d Shared<'d, M>, clock: C, parts: PortParts<'d>) -> Self {
        Self {
            shared,
            clock,
            index: parts.index,
            capabilities: parts.config.capabilities(parts.copy.len()),
            address: parts.config.address(),
            copy: parts.copy,
        }
    }

    /// A handle to the whole network.
    pub fn control(&self) -> Control<'d, M> {
        Control::new(self.shared)
    }

    /// The port's place in its network, as [`Control`] counts.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Sends a copy of a frame. `false` if there is no room or it is longer than a buffer.
    ///
    /// For tests that play a station themselves. Nobody is woken when there is room later.
    pub fn try_send(&mut self, frame: &[u8]) -> bool {
        if frame.len() > self.copy.len() {
            return false;
        }
        let Some(token) = self.transmit(&mut Context::from_waker(Waker::noop())) else {
            return false;
        };
        token.consume(frame.len(), |buffer| buffer.copy_from_slice(frame));
        true
    }

    /// Hands the next frame that has arrived to `f`; `None` if there is none.
    ///
    /// For tests that play a station themselves. Nobody is woken when a frame comes later.
    pub fn try_receive<R>(&mut self, f: impl FnOnce(&[u8]) -> R) -> Option<R> {
        let (token, _) = self.receive(&mut Context::from_waker(Waker::noop()))?;
        Some(token.consume(|frame| f(frame)))
    }

    /// Has the clock wake the task too, where it is the clock that ends the wait.
    fn wait(&self, wait: Wait, cx: &Context<'_>) {
        match wait {
            Wait::Until(at) => self.clock.wake_at(at, cx.waker()),
            Wait::ForOthers => {}
        }
    }
}

impl<'d, M: RawMutex, C: Clock> Driver for Port<'d, M, C> {
    type RxToken<'a>
        = RxToken<'a, 'd, M>
    where
        Self: 'a;
    type TxToken<'a>
        = TxToken<'a, 'd, M, C>
    where
        Self: 'a;

    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)> {
        let (index, clock) = (self.index, &self.clock);
        let found = self
            .shared
            .lock_or_register((index, Reason::Frame), cx.waker(), |network| {
                let arrived = network.receive(index, || clock.now(), self.copy)?;
                Ok((arrived, network.room(index, || clock.now()).ok()))
            });
        match found {
            Ok((arrived, answer)) => Some((
                RxToken::new(self.shared, arrived, self.copy),
                answer.map(|lent| TxToken::new(self.shared, clock, index, lent)),
            )),
            Err(wait) => {
                self.wait(wait, cx);
                None
            }
        }
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        let (index, clock) = (self.index, &self.clock);
        let room = self
            .shared
            .lock_or_register((index, Reason::Room), cx.waker(), |network| {
                network.room(index, || clock.now())
            });
        match room {
            Ok(lent) => Some(TxToken::new(self.shared, clock, index, lent)),
            Err(wait) => {
                self.wait(wait, cx);
                None
            }
        }
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        let (state, replaced) = self.shared.lock(|network| {
            let replaced = network.register(self.index, Reason::LinkState, cx.waker());
            (network.link(self.index), replaced)
        });
        drop(replaced);
        state
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.address
    }
}

impl<M: RawMutex, C: Clock> Drop for Port<'_, M, C> {
    fn drop(&mut self) {
        self.shared
            .lock_and_wake(|network| network.detach(self.index));
    }
}
