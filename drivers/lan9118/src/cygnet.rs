//! The driver for the cygnet stack.

use core::task::Context;

use cygnet_driver::{Capabilities, Driver, HardwareAddress, LinkState, Medium, MulticastFilter};

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
    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)> {
        self.poll_receive(cx)
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
        Capabilities::new(Medium::Ethernet, MAX_FRAME_LEN)
    }

    fn hardware_address(&self) -> HardwareAddress {
        HardwareAddress::Ethernet(self.address())
    }

    fn set_multicast_filter(&mut self, filter: MulticastFilter<'_>) {
        let pass = match filter {
            MulticastFilter::Ethernet(addresses) => Some(addresses),
            // All of it, for a filter that is not known here either.
            _ => None,
        };
        // On failure the chip passes what it did, and the stack sorts it out.
        let _ = self.filter_multicast(pass);
    }
}

impl<B: Bus> cygnet_driver::RxToken for RxToken<'_, B> {
    #[inline]
    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        self.read(f)
    }
}

impl<B: Bus> cygnet_driver::TxToken for TxToken<'_, B> {
    #[inline]
    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        self.write(len, f)
    }
}
