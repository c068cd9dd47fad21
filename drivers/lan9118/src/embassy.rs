//! The driver for embassy-net.

use core::task::Context;

use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState};

use crate::bus::Bus;
use crate::{Lan9118, MAX_FRAME_LEN, RxToken, TxToken};

impl<B: Bus> Driver for Lan9118<'_, B> {
    type RxToken<'a>
        = RxToken<'a, B>
    where
        Self: 'a;
    type TxToken<'a>
        = TxToken<'a, B>
    where
        Self: 'a;

    #[inline]
    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        // The trait wants room for an answer with each frame; without any, wait for room first.
        self.poll_transmit(cx)?;
        let (rx, tx) = self.poll_receive(cx)?;
        Some((rx, tx?))
    }

    #[inline]
    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        self.poll_transmit(cx)
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        if self.poll_link(cx) {
            LinkState::Up
        } else {
            LinkState::Down
        }
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = MAX_FRAME_LEN;
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.address())
    }
}

impl<B: Bus> embassy_net_driver::RxToken for RxToken<'_, B> {
    #[inline]
    fn consume<R, F>(self, f: F) -> R
    where
        F: FnOnce(&mut [u8]) -> R,
    {
        self.read(f)
    }
}

impl<B: Bus> embassy_net_driver::TxToken for TxToken<'_, B> {
    #[inline]
    fn consume<R, F>(self, len: usize, f: F) -> R
    where
        F: FnOnce(&mut [u8]) -> R,
    {
        self.write(len, f)
    }
}
