//! A driver written for cygnet, as a driver for embassy-net.

use core::task::Context;

use cygnet_driver::{Driver, HardwareAddress, LinkState};
use embassy_net_driver as embassy;

/// Any [`cygnet_driver::Driver`] as an [`embassy_net_driver::Driver`].
///
/// Only what that trait can carry:
///
/// - It wants room to send with each received frame, so a full transmit side stalls reception.
/// - It has no metadata beside the frame, so all checksums are left to the stack, and segmentation
///   is not offered. A device that delivers frames whose checksum is not filled in
///   ([`RxChecksum::Unneeded`](cygnet_driver::RxChecksum::Unneeded)) must have that switched off.
/// - The multicast filter is left as the device has it at the start.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsEmbassy<D>(pub D);

impl<D: Driver> embassy::Driver for AsEmbassy<D> {
    type RxToken<'a>
        = AsEmbassyRx<D::RxToken<'a>>
    where
        Self: 'a;
    type TxToken<'a>
        = AsEmbassyTx<D::TxToken<'a>>
    where
        Self: 'a;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        // First, so that a frame is not taken that cannot be handed out, and so that `cx` is woken
        // when there is room.
        self.0.transmit(cx)?;
        let (rx, tx) = self.0.receive(cx)?;
        let Some(tx) = tx else {
            // There was room a moment ago: ask again rather than miss a frame.
            cx.waker().wake_by_ref();
            return None;
        };
        Some((AsEmbassyRx(rx), AsEmbassyTx(tx)))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        self.0.transmit(cx).map(AsEmbassyTx)
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> embassy::LinkState {
        match self.0.link_state(cx) {
            LinkState::Down => embassy::LinkState::Down,
            LinkState::Up => embassy::LinkState::Up,
        }
    }

    fn capabilities(&self) -> embassy::Capabilities {
        let ours = self.0.capabilities();
        let mut theirs = embassy::Capabilities::default();
        theirs.max_transmission_unit = ours.max_frame_len;
        theirs.max_burst_size = ours.max_burst;
        theirs
    }

    fn hardware_address(&self) -> embassy::HardwareAddress {
        match self.0.hardware_address() {
            HardwareAddress::Ethernet(address) => embassy::HardwareAddress::Ethernet(address),
            HardwareAddress::Ieee802154(address) => embassy::HardwareAddress::Ieee802154(address),
            _ => embassy::HardwareAddress::Ip,
        }
    }
}

/// A frame received by an [`AsEmbassy`].
#[derive(Debug)]
pub struct AsEmbassyRx<T>(T);

impl<T: cygnet_driver::RxToken> embassy::RxToken for AsEmbassyRx<T> {
    fn consume<R, F>(self, f: F) -> R
    where
        F: FnOnce(&mut [u8]) -> R,
    {
        self.0.consume(f)
    }
}

/// Room for a frame in an [`AsEmbassy`].
#[derive(Debug)]
pub struct AsEmbassyTx<T>(T);

impl<T: cygnet_driver::TxToken> embassy::TxToken for AsEmbassyTx<T> {
    fn consume<R, F>(self, len: usize, f: F) -> R
    where
        F: FnOnce(&mut [u8]) -> R,
    {
        self.0.consume(len, f)
    }
}

#[cfg(test)]
mod tests;
