//! The chip's registers as the data sheet describes them, for tests: what the driver writes, and what it
//! would read from a chip.

extern crate std;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::vec::Vec;

use crate::bus::Bus;
use crate::registers::{
    self as r, interrupt, mac, mac_cr, mac_csr_cmd, mii_acc, phy, phy_bits, rx_status,
};

/// A chip on a bus.
#[derive(Debug, Default)]
pub(crate) struct Model {
    state: RefCell<State>,
}

/// What is inside of it.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Something other than this chip answers.
    pub(crate) foreign: bool,
    /// In a state that saves power.
    pub(crate) asleep: bool,
    /// A reset that is never over.
    pub(crate) stuck: bool,
    /// Frames stay in the transmit FIFO.
    pub(crate) congested: bool,
    /// Comes in just when the driver lets reception interrupt.
    pub(crate) arrives_late: Option<Vec<u8>>,
    /// What the link's other end offers, 0 for no link.
    pub(crate) partner: u16,
    /// The status of the next frame that is sent.
    pub(crate) next_tx_status: u32,
    pub(crate) drop_count: u32,
    /// Frames on the wire.
    pub(crate) sent: Vec<Vec<u8>>,
    pub(crate) mac: [u32; 16],
    pub(crate) phy_interrupt: u16,
    phy: [u16; 32],
    rx_words: VecDeque<u32>,
    rx_statuses: VecDeque<u32>,
    tx_words: Vec<u32>,
    tx_used: usize,
    tx_statuses: VecDeque<u32>,
    int_en: u32,
    int_sts: u32,
    fifo_int: u32,
    rx_cfg: u32,
    mac_data: u32,
}

impl Model {
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        f(&mut self.state.borrow_mut())
    }

    /// A frame comes in from the wire, intact.
    pub(crate) fn arrive(&self, frame: &[u8]) {
        self.with(|s| s.arrive(frame, 0));
    }

    /// A frame comes in that the MAC has something to say about.
    pub(crate) fn arrive_with(&self, frame: &[u8], status: u32) {
        self.with(|s| s.arrive(frame, status));
    }

    /// What is left of a frame after a collision comes in, shorter than a check sequence.
    pub(crate) fn arrive_as_scrap(&self, bytes: &[u8]) {
        self.with(|s| s.store(bytes, rx_status::ERROR));
    }

    /// The cable is plugged in at a partner with these abilities, or pulled out for 0.
    pub(crate) fn plug(&self, partner: u16) {
        self.with(|s| {
            s.partner = partner;
            s.phy_interrupt |= if partner == 0 {
                phy_bits::INTERRUPT_LINK_DOWN
            } else {
                phy_bits::INTERRUPT_NEGOTIATED
            };
        });
    }

    /// Whether the interrupt line is asserted.
    pub(crate) fn interrupts(&self) -> bool {
        self.with(|s| s.int_sts() & s.int_en != 0)
    }

    /// What may interrupt.
    pub(crate) fn enabled(&self) -> u32 {
        self.with(|s| s.int_en)
    }

    /// The transmit FIFO empties.
    pub(crate) fn drain(&self) {
        self.with(|s| {
            s.tx_used = 0;
            if TX_FIFO / 64 > (s.fifo_int >> 24) as usize {
                s.int_sts |= interrupt::TDFA;
            }
        });
    }
}

impl State {
    fn arrive(&mut self, frame: &[u8], status: u32) {
        if !self.passes(frame) {
            return;
        }
        let check_sequence = [0xCC; 4];
        self.store(&[frame, &check_sequence].concat(), status);
    }

    /// Into the FIFOs, check sequence included.
    fn store(&mut self, frame: &[u8], status: u32) {
        let offset = (self.rx_cfg >> 8 & 0x1F) as usize;
        let mut bytes: Vec<u8> = std::vec![0xEE; offset];
        bytes.extend(frame);
        bytes.resize(bytes.len().next_multiple_of(4), 0xDD);
        let words = bytes
            .chunks(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        self.rx_words.extend(words);
        let len = frame.len() as u32;
        self.rx_statuses.push_back(len << 16 | status);
        if self.rx_statuses.len() > (self.fifo_int & 0xFF) as usize {
            self.int_sts |= interrupt::RSFL;
        }
    }

    /// Whether the MAC takes a frame to that address; of those to single hosts the wire has only ours.
    pub(crate) fn passes(&self, frame: &[u8]) -> bool {
        let Some(to) = frame.first_chunk::<6>() else {
            return true;
        };
        let is_group = to[0] & 1 != 0 && *to != [0xFF; 6];
        let bit = reference_hash(to);
        let table = if bit < 32 { mac::HASHL } else { mac::HASHH };
        !is_group
            || match filter_bits(self.mac[mac::MAC_CR as usize]) {
                mac_cr::HPFILT => self.mac[table as usize] >> (bit % 32) & 1 != 0,
                filter => filter & mac_cr::MCPAS != 0,
            }
    }

    fn int_sts(&self) -> u32 {
        let phy = self.phy_interrupt & self.phy[phy::INTERRUPT_MASK as usize];
        self.int_sts | if phy == 0 { 0 } else { interrupt::PHY_INT }
    }

    fn transmit(&mut self, word: u32) {
        self.tx_words.push(word);
        let [a, b, data @ ..] = self.tx_words.as_slice() else {
            return;
        };
        let (len, offset) = ((a & 0x7FF) as usize, (a >> 16 & 0x1F) as usize);
        if data.len() * 4 < offset + len {
            return;
        }
        assert_eq!(a & 0x3000, 0x3000, "the first and the last segment");
        assert_eq!((b & 0x7FF) as usize, len, "both commands give the length");
        let bytes: Vec<u8> = data.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.sent.push(bytes[offset..offset + len].to_vec());
        self.tx_statuses.push_back(self.next_tx_status);
        self.next_tx_status = 0;
        if self.congested {
            self.tx_used += self.tx_words.len() * 4;
            assert!(self.tx_used <= TX_FIFO, "the FIFO overflows");
        }
        self.tx_words.clear();
    }

    fn mac_command(&mut self, command: u32) {
        assert_ne!(
            command & mac_csr_cmd::BUSY,
            0,
            "a command starts with this bit"
        );
        let register = (command & 0xFF) as usize;
        if command & mac_csr_cmd::READ != 0 {
            self.mac_data = self.mac[register];
            return;
        }
        self.mac[register] = self.mac_data;
        if register == mac::MII_ACC as usize {
            self.mii_access();
        }
    }

    fn mii_access(&mut self) {
        let access = self.mac[mac::MII_ACC as usize];
        assert_eq!(access >> 11 & 0x1F, 1, "the internal PHY's address");
        let register = access >> mii_acc::REGISTER_SHIFT & 0x1F;
        if access & mii_acc::WRITE != 0 {
            self.phy[register as usize] = self.mac[mac::MII_DATA as usize] as u16;
        } else {
            self.mac[mac::MII_DATA as usize] = u32::from(self.read_phy(register));
        }
        self.mac[mac::MII_ACC as usize] &= !mii_acc::BUSY;
    }

    fn read_phy(&mut self, register: u32) -> u16 {
        match register {
            // A reset is over at once.
            phy::BMCR => self.phy[0] & !phy_bits::BMCR_RESET,
            phy::BMSR if self.partner != 0 => phy_bits::BMSR_LINK,
            phy::BMSR => 0,
            phy::ANLPAR => self.partner,
            phy::INTERRUPT_SOURCE => core::mem::take(&mut self.phy_interrupt),
            other => self.phy[other as usize],
        }
    }
}

impl Bus for Model {
    fn read(&self, offset: usize) -> u32 {
        self.with(|s| match offset {
            r::RX_DATA_FIFO_PORT => s.rx_words.pop_front().expect("a word of a frame"),
            r::RX_STATUS_FIFO_PEEK => *s.rx_statuses.front().expect("a status"),
            r::RX_STATUS_FIFO_PORT => s.rx_statuses.pop_front().expect("a status"),
            r::TX_STATUS_FIFO_PORT => s.tx_statuses.pop_front().expect("a status"),
            r::ID_REV => 0x0118_0001,
            r::BYTE_TEST if s.foreign => 0,
            r::BYTE_TEST => 0x8765_4321,
            r::HW_CFG => u32::from(s.stuck),
            r::PMT_CTRL => u32::from(!s.asleep),
            r::INT_STS => s.int_sts(),
            r::INT_EN => s.int_en,
            r::RX_FIFO_INF => (s.rx_statuses.len() as u32) << 16 | (s.rx_words.len() * 4) as u32,
            r::TX_FIFO_INF => (s.tx_statuses.len() as u32) << 16 | (TX_FIFO - s.tx_used) as u32,
            r::RX_DROP => core::mem::take(&mut s.drop_count),
            r::MAC_CSR_CMD => 0,
            r::MAC_CSR_DATA => s.mac_data,
            other => panic!("the driver reads register {other:#x}"),
        })
    }

    fn write(&self, offset: usize, value: u32) {
        self.with(|s| match offset {
            r::TX_DATA_FIFO_PORT => s.transmit(value),
            r::INT_STS => s.int_sts &= !value,
            r::INT_EN => {
                s.int_en = value;
                if value & interrupt::RSFL != 0
                    && let Some(frame) = s.arrives_late.take()
                {
                    s.arrive(&frame, 0);
                }
            }
            r::BYTE_TEST => s.asleep = false,
            r::FIFO_INT => s.fifo_int = value,
            r::RX_CFG => s.rx_cfg = value,
            r::MAC_CSR_CMD => s.mac_command(value),
            r::MAC_CSR_DATA => s.mac_data = value,
            r::HW_CFG | r::AFC_CFG | r::TX_CFG | r::IRQ_CFG => {}
            other => panic!("the driver writes register {other:#x}"),
        });
    }
}

/// What the MAC's control register says of the filter.
pub(crate) fn filter_bits(mac_cr: u32) -> u32 {
    mac_cr & (mac_cr::MCPAS | mac_cr::HPFILT)
}

/// The hash by the usual form of the CRC, with its bits reversed, which is checked on the usual example.
pub(crate) fn reference_hash(address: &[u8; 6]) -> u32 {
    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ if crc & 1 == 0 { 0 } else { 0xEDB8_8320 }
            })
        })
    }
    assert_eq!(crc(b"123456789"), 0xCBF4_3926);
    (!crc(address)).reverse_bits() >> 26
}

/// The room for data to send, in bytes: 5 KiB less 512 bytes of statuses.
const TX_FIFO: usize = 4608;
