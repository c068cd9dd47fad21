//! A driver written for xarxa, as a driver for cygnet.

use core::task::{Context, Waker};

use cygnet_driver::{
    Capabilities, Checksums, Driver, HardwareAddress, LinkState, Medium, MulticastFilter,
    RxChecksum, RxMeta, RxToken, TxToken,
};
use xarxa_driver as xarxa;
use xarxa_driver::{NotSupported, PacketBuf, PacketMeta};

use crate::offload::{self, verifies_received};

/// Any [`xarxa_driver::Driver`] that can wake a task, as a [`cygnet_driver::Driver`].
///
/// Within the limits of that trait:
///
/// - It knows no segmentation offload.
/// - It cannot be told to pass all multicast frames, only which.
/// - It describes checksum offload for each protocol. The stack leaves transport checksums to the device if it computes
///   those of both TCP and UDP; what else it computes is zeroed after the stack has written it, as such drivers expect.
///   Received frames count as verified if the device verifies every protocol's checksum.
/// - Nothing tells when a buffer is free again. Where the pool has none to send with, the task is woken at once, to try
///   again; a buffer that a frame came in is kept for the next frame to send, so that there is one before long.
/// - A medium that cygnet does not know is taken for an IP tunnel.
#[derive(Debug)]
pub struct XarxaDriver<D> {
    inner: D,
    /// For the next frame to send.
    spare: Option<PacketBuf>,
}

impl<D: xarxa::Driver> XarxaDriver<D> {
    /// Takes a driver over.
    ///
    /// # Errors
    ///
    /// [`NotSupported`] if it cannot wake a task, and so could not be waited for.
    pub fn new(mut inner: D) -> Result<Self, NotSupported> {
        inner.register_waker(Waker::noop())?;
        Ok(Self { inner, spare: None })
    }

    /// The driver itself.
    pub fn inner(&mut self) -> &mut D {
        &mut self.inner
    }

    /// Room for a frame, if there is some now.
    fn room(&mut self, waker: &Waker) -> Option<PacketBuf> {
        if !self.inner.can_transmit() {
            self.register(waker);
            if !self.inner.can_transmit() {
                return None;
            }
        }
        let buffer = self.spare.take().or_else(PacketBuf::try_new);
        if buffer.is_none() {
            waker.wake_by_ref();
        }
        buffer
    }

    fn register(&mut self, waker: &Waker) {
        // It could at the start.
        let _ = self.inner.register_waker(waker);
    }
}

impl<D: xarxa::Driver> Driver for XarxaDriver<D> {
    type RxToken<'a>
        = XarxaRx<'a>
    where
        Self: 'a;
    type TxToken<'a>
        = XarxaTx<'a, D>
    where
        Self: 'a;

    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)> {
        let frame = match self.inner.receive() {
            Some(frame) => frame,
            None => {
                // And what came before that was heeded.
                self.register(cx.waker());
                self.inner.receive()?
            }
        };
        let room = self.room(cx.waker());
        let rx = XarxaRx {
            frame,
            spare: &mut self.spare,
            verified: verifies_received(&self.inner.capabilities().checksum),
        };
        let driver = &mut self.inner;
        Some((rx, room.map(|buffer| XarxaTx { driver, buffer })))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        let buffer = self.room(cx.waker())?;
        let driver = &mut self.inner;
        Some(XarxaTx { driver, buffer })
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        self.register(cx.waker());
        match self.inner.link_state() {
            xarxa::LinkState::Down => LinkState::Down,
            xarxa::LinkState::Up => LinkState::Up,
        }
    }

    fn capabilities(&self) -> Capabilities {
        let theirs = self.inner.capabilities();
        let medium = match theirs.medium {
            xarxa::Medium::Ethernet => Medium::Ethernet,
            xarxa::Medium::Ieee802154 => Medium::Ieee802154,
            _ => Medium::Ip,
        };
        let longest = theirs.max_transmission_unit;
        let longest = longest.min(xarxa::config::PACKET_BUF_SIZE);
        let mut ours = Capabilities::new(medium, longest);
        ours.checksums = Checksums {
            transmit: theirs.checksum.tcp.tx && theirs.checksum.udp.tx,
            receive: verifies_received(&theirs.checksum),
        };
        ours
    }

    fn hardware_address(&self) -> HardwareAddress {
        match self.inner.hardware_address() {
            xarxa::HardwareAddress::Ethernet(address) => HardwareAddress::Ethernet(address),
            xarxa::HardwareAddress::Ieee802154(address) => HardwareAddress::Ieee802154(address),
            _ => HardwareAddress::Ip,
        }
    }

    fn set_multicast_filter(&mut self, filter: MulticastFilter<'_>) {
        if let MulticastFilter::Ethernet(addresses) = filter {
            self.inner.set_multicast_filter(addresses);
        }
    }
}

/// A frame received by a [`XarxaDriver`].
#[derive(Debug)]
pub struct XarxaRx<'a> {
    frame: PacketBuf,
    spare: &'a mut Option<PacketBuf>,
    verified: bool,
}

impl RxToken for XarxaRx<'_> {
    fn meta(&self) -> RxMeta {
        let mut meta = RxMeta::new();
        if self.verified {
            meta.checksum = RxChecksum::Valid;
        }
        meta
    }

    fn consume<R>(mut self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let result = f(&mut self.frame);
        self.spare.get_or_insert(self.frame);
        result
    }
}

/// Room for a frame in a [`XarxaDriver`].
#[derive(Debug)]
pub struct XarxaTx<'a, D> {
    driver: &'a mut D,
    buffer: PacketBuf,
}

impl<D: xarxa::Driver> TxToken for XarxaTx<'_, D> {
    // What the stack leaves to the device is zeroed by what is in the frame: its metadata says nothing more.

    fn consume<R>(mut self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        // A frame may have come in it.
        self.buffer.set_len(0);
        self.buffer.reserve(0);
        self.buffer.set_meta(PacketMeta::default());
        self.buffer.set_len(len);
        let result = f(&mut self.buffer);
        offload::clear(&mut self.buffer, &self.driver.capabilities());
        // It had room a moment ago; a frame that it has no room for is lost, as on any wire.
        let _ = self.driver.transmit(self.buffer);
        result
    }
}

#[cfg(test)]
mod tests;
