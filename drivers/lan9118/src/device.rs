//! The driver: both halves, the link and the filter.

use core::task::{Context, Waker};

use crate::buffers::Buffers;
use crate::bus::Bus;
use crate::counters::Counters;
use crate::error::Error;
use crate::filter::HashTable;
use crate::mac::Mac;
use crate::phy::{self, Link};
use crate::receiver::{Receiver, RxToken};
use crate::registers::{RX_DROP, interrupt, mac, mac_cr};
use crate::shared::Shared;
use crate::start::{MAC_CR_START, start, stop};
use crate::transmitter::{Transmitter, TxToken};

/// How a chip is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The MAC address.
    pub address: [u8; 6],
}

impl Config {
    /// With that MAC address, which must not be a multicast one.
    #[must_use]
    pub const fn new(address: [u8; 6]) -> Self {
        Self { address }
    }
}

/// The driver of one chip. Dropping it stops the chip, and another driver can be made.
pub struct Lan9118<'d, B: Bus> {
    shared: &'d Shared<B>,
    receiver: Receiver<'d, B>,
    transmitter: Transmitter<'d, B>,
    address: [u8; 6],
    link: Link,
    /// What `MAC_CR` holds.
    mac_cr: u32,
    dropped: u32,
}

impl<'d, B: Bus> Lan9118<'d, B> {
    /// Resets the chip and sets it up. The interrupt line is enabled afterwards, at the interrupt
    /// controller: level sensitive, active high.
    ///
    /// Takes some milliseconds, and up to half a second for a PHY that takes its time; the link comes up
    /// later by itself.
    ///
    /// # Errors
    ///
    /// [`Error`] says why there is no driver.
    pub fn new(
        shared: &'d Shared<B>,
        buffers: &'d mut Buffers,
        config: Config,
    ) -> Result<Self, Error> {
        if !shared.take() {
            return Err(Error::InUse);
        }
        if let Err(error) = start(&shared.bus, config.address) {
            shared.give_back();
            return Err(error);
        }
        Ok(Self {
            shared,
            receiver: Receiver::new(shared, &mut buffers.receive),
            transmitter: Transmitter::new(shared, &mut buffers.transmit),
            address: config.address,
            link: Link::Down,
            mac_cr: MAC_CR_START,
            dropped: 0,
        })
    }

    /// The MAC address.
    pub fn address(&self) -> [u8; 6] {
        self.address
    }

    /// What happened to frames so far.
    pub fn counters(&mut self) -> Counters {
        // Reading clears it.
        let dropped = self.shared.bus.read(RX_DROP);
        self.dropped = self.dropped.wrapping_add(dropped);
        let mut counters = Counters {
            receive_dropped: self.dropped,
            ..Counters::default()
        };
        self.receiver.count(&mut counters);
        self.transmitter.count(&mut counters);
        counters
    }

    /// Passes all multicast, as at the start, or only frames to these addresses and to some others whose
    /// hash is the same.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] if the chip does not answer. It then passes what it passed before, or too much.
    pub fn filter_multicast(&mut self, pass: Option<&[[u8; 6]]>) -> Result<(), Error> {
        let csr = Mac(&self.shared.bus);
        let others = self.mac_cr & !(mac_cr::MCPAS | mac_cr::HPFILT);
        let Some(addresses) = pass else {
            self.mac_cr = others | mac_cr::MCPAS;
            return csr.write(mac::MAC_CR, self.mac_cr);
        };
        let table = HashTable::of(addresses);
        csr.write(mac::HASHH, table.high)?;
        csr.write(mac::HASHL, table.low)?;
        self.mac_cr = others | mac_cr::HPFILT;
        csr.write(mac::MAC_CR, self.mac_cr)
    }

    /// The next frame, and room for an answer if there is some. The task is woken when a frame comes.
    pub fn poll_receive(
        &mut self,
        cx: &Context<'_>,
    ) -> Option<(RxToken<'_, B>, Option<TxToken<'_, B>>)> {
        let len = match self.receiver.next() {
            Some(len) => len,
            None => {
                self.listen(interrupt::RSFL, cx.waker());
                self.receiver.next()?
            }
        };
        let room = self.transmitter.has_room();
        let tx = room.then(|| self.transmitter.token());
        Some((self.receiver.token(len), tx))
    }

    /// Room for a frame. The task is woken when there is some.
    pub fn poll_transmit(&mut self, cx: &Context<'_>) -> Option<TxToken<'_, B>> {
        if !self.transmitter.has_room() {
            self.listen(interrupt::TDFA, cx.waker());
            if !self.transmitter.has_room() {
                return None;
            }
        }
        Some(self.transmitter.token())
    }

    /// Whether the link is up. The task is woken when that changes, and the chip is only asked after it has
    /// said so.
    pub fn poll_link(&mut self, cx: &Context<'_>) -> bool {
        self.shared.register(cx.waker());
        while self.shared.take_link_change() {
            let csr = Mac(&self.shared.bus);
            // A chip that does not answer carries nothing.
            self.link = phy::look(&csr).unwrap_or(Link::Down);
            if let Link::Up { full_duplex } = self.link {
                let duplex = if full_duplex {
                    mac_cr::FDPX
                } else {
                    mac_cr::RCVOWN
                };
                self.mac_cr = self.mac_cr & !(mac_cr::FDPX | mac_cr::RCVOWN) | duplex;
                let _ = csr.write(mac::MAC_CR, self.mac_cr);
            }
            // The PHY's line stays asserted for a change since the look, so none is missed.
            self.shared.listen(interrupt::PHY_INT);
        }
        self.link != Link::Down
    }

    fn listen(&self, to: u32, waker: &Waker) {
        self.shared.register(waker);
        self.shared.listen(to);
    }
}

impl<B: Bus> Drop for Lan9118<'_, B> {
    fn drop(&mut self) {
        stop(&self.shared.bus);
        self.shared.give_back();
    }
}
