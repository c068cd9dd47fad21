//! A driver written for embassy-net, as a driver for cygnet.

use core::task::Context;

use cygnet_driver::{
    Capabilities, Checksums, Driver, HardwareAddress, LinkState, Medium, PartialChecksum,
    RxChecksum, RxMeta, RxToken, TxMeta, TxToken,
};
use embassy_net_driver as embassy;
use embassy_net_driver::Checksum;

/// Any [`embassy_net_driver::Driver`] as a [`cygnet_driver::Driver`].
///
/// Within the limits of that trait:
///
/// - It hands out a received frame only together with room to send one, so a full transmit side
///   stalls reception until it drains.
/// - It knows no segmentation offload and no multicast filter: the device is to pass all multicast
///   frames.
/// - It describes checksum offload for the device as a whole, and for each protocol. Transmission
///   is offloaded if the device computes the checksums of both TCP and UDP; the field is then zeroed
///   instead of holding the pseudo header's sum, as such drivers expect. IPv4 header and ICMP
///   checksums are always written by the stack. Received frames count as verified only if the device
///   verifies every protocol's checksum, as the trait does not say which protocols a frame holds.
/// - An address of a kind that cygnet does not know makes the device look like an IP tunnel.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbassyDriver<D>(pub D);

impl<D: embassy::Driver> Driver for EmbassyDriver<D> {
    type RxToken<'a>
        = EmbassyRx<D::RxToken<'a>>
    where
        Self: 'a;
    type TxToken<'a>
        = EmbassyTx<D::TxToken<'a>>
    where
        Self: 'a;

    fn receive(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Option<(Self::RxToken<'_>, Option<Self::TxToken<'_>>)> {
        let verified = verifies_received(&self.0.capabilities().checksum);
        let (rx, tx) = self.0.receive(cx)?;
        Some((
            EmbassyRx {
                token: rx,
                verified,
            },
            Some(EmbassyTx::new(tx)),
        ))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Self::TxToken<'_>> {
        self.0.transmit(cx).map(EmbassyTx::new)
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        match self.0.link_state(cx) {
            embassy::LinkState::Down => LinkState::Down,
            embassy::LinkState::Up => LinkState::Up,
        }
    }

    fn capabilities(&self) -> Capabilities {
        let theirs = self.0.capabilities();
        let medium = match self.hardware_address() {
            HardwareAddress::Ethernet(_) => Medium::Ethernet,
            HardwareAddress::Ieee802154(_) => Medium::Ieee802154,
            _ => Medium::Ip,
        };
        let mut ours = Capabilities::new(medium, theirs.max_transmission_unit);
        ours.max_burst = theirs.max_burst_size;
        ours.checksums = Checksums {
            transmit: computes_sent(&theirs.checksum),
            receive: verifies_received(&theirs.checksum),
        };
        ours
    }

    fn hardware_address(&self) -> HardwareAddress {
        match self.0.hardware_address() {
            embassy::HardwareAddress::Ethernet(address) => HardwareAddress::Ethernet(address),
            embassy::HardwareAddress::Ieee802154(address) => HardwareAddress::Ieee802154(address),
            _ => HardwareAddress::Ip,
        }
    }
}

/// A frame received by an [`EmbassyDriver`].
#[derive(Debug)]
pub struct EmbassyRx<T> {
    token: T,
    verified: bool,
}

impl<T: embassy::RxToken> RxToken for EmbassyRx<T> {
    fn meta(&self) -> RxMeta {
        let mut meta = RxMeta::new();
        if self.verified {
            meta.checksum = RxChecksum::Valid;
        }
        meta
    }

    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        self.token.consume(f)
    }
}

/// Room for a frame in an [`EmbassyDriver`].
#[derive(Debug)]
pub struct EmbassyTx<T> {
    token: T,
    checksum: Option<PartialChecksum>,
}

impl<T> EmbassyTx<T> {
    fn new(token: T) -> Self {
        Self {
            token,
            checksum: None,
        }
    }
}

impl<T: embassy::TxToken> TxToken for EmbassyTx<T> {
    fn set_meta(&mut self, meta: TxMeta) {
        self.checksum = meta.checksum;
    }

    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let checksum = self.checksum;
        self.token.consume(len, |frame| {
            let result = f(frame);
            if let Some(field) = checksum.and_then(|at| checksum_field(frame, at)) {
                field.fill(0);
            }
            result
        })
    }
}

/// The two bytes of the checksum, if they are inside the frame.
fn checksum_field(frame: &mut [u8], at: PartialChecksum) -> Option<&mut [u8]> {
    let start = usize::from(at.start).checked_add(usize::from(at.offset))?;
    frame.get_mut(start..start.checked_add(2)?)
}

/// Whether the device leaves none of the checksums of received frames to the stack.
fn verifies_received(checksums: &embassy::ChecksumCapabilities) -> bool {
    let embassy::ChecksumCapabilities {
        ipv4,
        udp,
        tcp,
        icmpv4,
        icmpv6,
        ..
    } = checksums;
    // The trait names what is left to the stack, not what the device does.
    [ipv4, udp, tcp, icmpv4, icmpv6]
        .iter()
        .all(|left| matches!(left, Checksum::Tx | Checksum::None))
}

/// Whether the device leaves neither of the transport checksums of sent frames to the stack.
fn computes_sent(checksums: &embassy::ChecksumCapabilities) -> bool {
    [checksums.udp, checksums.tcp]
        .iter()
        .all(|left| matches!(left, Checksum::Rx | Checksum::None))
}

#[cfg(test)]
mod tests;
