//! The registers, by the names of the LAN9118's data sheet, section 5.

/// The port of received data, from here to 0x1C.
pub(crate) const RX_DATA_FIFO_PORT: usize = 0x00;
/// The port of data to send, from here to 0x3C.
pub(crate) const TX_DATA_FIFO_PORT: usize = 0x20;
pub(crate) const RX_STATUS_FIFO_PORT: usize = 0x40;
/// As the port above, but the status stays.
pub(crate) const RX_STATUS_FIFO_PEEK: usize = 0x44;
pub(crate) const TX_STATUS_FIFO_PORT: usize = 0x48;
pub(crate) const ID_REV: usize = 0x50;
pub(crate) const IRQ_CFG: usize = 0x54;
pub(crate) const INT_STS: usize = 0x58;
pub(crate) const INT_EN: usize = 0x5C;
pub(crate) const BYTE_TEST: usize = 0x64;
pub(crate) const FIFO_INT: usize = 0x68;
pub(crate) const RX_CFG: usize = 0x6C;
pub(crate) const TX_CFG: usize = 0x70;
pub(crate) const HW_CFG: usize = 0x74;
pub(crate) const RX_FIFO_INF: usize = 0x7C;
pub(crate) const TX_FIFO_INF: usize = 0x80;
pub(crate) const PMT_CTRL: usize = 0x84;
pub(crate) const RX_DROP: usize = 0xA0;
pub(crate) const MAC_CSR_CMD: usize = 0xA4;
pub(crate) const MAC_CSR_DATA: usize = 0xA8;
pub(crate) const AFC_CFG: usize = 0xAC;

/// What [`BYTE_TEST`] reads when the bytes of the bus are wired the right way round.
pub(crate) const BYTE_ORDER: u32 = 0x8765_4321;

/// Bits of [`IRQ_CFG`].
pub(crate) mod irq_cfg {
    /// At least 10 µs between two interrupts.
    pub(crate) const INT_DEAS_10_US: u32 = 1 << 24;
    pub(crate) const IRQ_EN: u32 = 1 << 8;
    /// Active high.
    pub(crate) const IRQ_POL: u32 = 1 << 4;
    /// Push-pull rather than open drain.
    pub(crate) const IRQ_TYPE: u32 = 1;
}

/// Bits of [`INT_STS`] and [`INT_EN`].
pub(crate) mod interrupt {
    /// The receive status FIFO is fuller than its level: a frame is there.
    pub(crate) const RSFL: u32 = 1 << 3;
    /// The transmit data FIFO has more room than its level.
    pub(crate) const TDFA: u32 = 1 << 9;
    /// The PHY has something to say. Stays until the PHY's own source is read.
    pub(crate) const PHY_INT: u32 = 1 << 18;
}

/// Levels of [`FIFO_INT`].
pub(crate) mod fifo_int {
    /// Any received frame interrupts: more than 0 statuses.
    pub(crate) const RX_STATUS_ANY: u32 = 0;
    /// Room for so many bytes to transmit interrupts, in units of 64.
    pub(crate) const fn tx_available(bytes: usize) -> u32 {
        (bytes as u32).div_ceil(64) << 24
    }
}

/// Fields of [`RX_CFG`].
pub(crate) mod rx_cfg {
    /// Where a frame starts in its first word: bits 12 to 8.
    pub(crate) const DATA_OFFSET: u32 = (crate::buffers::FRAME_OFFSET as u32) << 8;
}

/// Bits of [`TX_CFG`].
pub(crate) mod tx_cfg {
    pub(crate) const TX_ON: u32 = 1 << 1;
}

/// Bits of [`HW_CFG`].
pub(crate) mod hw_cfg {
    /// Soft reset; reads as one until it is over.
    pub(crate) const SRST: u32 = 1;
    /// "Must be one": frames are forwarded whole.
    pub(crate) const MBO: u32 = 1 << 20;
    /// 5 KiB of the 16 for transmission, the default.
    pub(crate) const TX_FIF_SZ_5: u32 = 5 << 16;
}

/// Bits of [`PMT_CTRL`].
pub(crate) mod pmt_ctrl {
    /// The chip can be talked to.
    pub(crate) const READY: u32 = 1;
}

/// Bits of the two commands before each frame.
pub(crate) mod tx_command {
    /// Where the frame starts in its first word, in command A.
    pub(crate) const DATA_OFFSET: u32 = (crate::buffers::FRAME_OFFSET as u32) << 16;
    pub(crate) const FIRST_SEGMENT: u32 = 1 << 13;
    pub(crate) const LAST_SEGMENT: u32 = 1 << 12;
}

/// Bits of the status of a sent frame.
pub(crate) mod tx_status {
    /// Something of what follows happened, so that the frame was not sent.
    pub(crate) const ERROR: u32 = 1 << 15;
    pub(crate) const LOSS_OF_CARRIER: u32 = 1 << 11;
    pub(crate) const NO_CARRIER: u32 = 1 << 10;
}

/// Bits of the status of a received frame; its length with the check sequence is in bits 29 to 16.
pub(crate) mod rx_status {
    /// Something of what follows happened.
    pub(crate) const ERROR: u32 = 1 << 15;
    pub(crate) const CRC_ERROR: u32 = 1 << 1;
    pub(crate) const LEN_SHIFT: u32 = 16;
    pub(crate) const LEN_MASK: u32 = 0x3FFF;
}

/// Bits of [`MAC_CSR_CMD`]; the register's number is in the lowest byte.
pub(crate) mod mac_csr_cmd {
    pub(crate) const BUSY: u32 = 1 << 31;
    pub(crate) const READ: u32 = 1 << 30;
}

/// The registers of the MAC, which are reached through [`MAC_CSR_CMD`] and [`MAC_CSR_DATA`].
pub(crate) mod mac {
    pub(crate) const MAC_CR: u32 = 1;
    pub(crate) const ADDRH: u32 = 2;
    pub(crate) const ADDRL: u32 = 3;
    pub(crate) const HASHH: u32 = 4;
    pub(crate) const HASHL: u32 = 5;
    pub(crate) const MII_ACC: u32 = 6;
    pub(crate) const MII_DATA: u32 = 7;
}

/// Bits of `MAC_CR`.
pub(crate) mod mac_cr {
    /// Half duplex: do not receive what is sent.
    pub(crate) const RCVOWN: u32 = 1 << 23;
    /// Full duplex.
    pub(crate) const FDPX: u32 = 1 << 20;
    /// Pass all multicast.
    pub(crate) const MCPAS: u32 = 1 << 19;
    /// Multicast addresses are looked up in the hash table.
    pub(crate) const HPFILT: u32 = 1 << 13;
    pub(crate) const TXEN: u32 = 1 << 3;
    pub(crate) const RXEN: u32 = 1 << 2;
}

/// Fields of `MII_ACC`; the register's number is in bits 10 to 6.
pub(crate) mod mii_acc {
    /// The PHY inside the chip has address 1.
    pub(crate) const INTERNAL_PHY: u32 = 1 << 11;
    pub(crate) const WRITE: u32 = 1 << 1;
    pub(crate) const BUSY: u32 = 1;
    pub(crate) const REGISTER_SHIFT: u32 = 6;
}

/// The registers of the PHY: those of IEEE 802.3 clause 22, and two of its own.
pub(crate) mod phy {
    pub(crate) const BMCR: u32 = 0;
    pub(crate) const BMSR: u32 = 1;
    pub(crate) const ANAR: u32 = 4;
    pub(crate) const ANLPAR: u32 = 5;
    /// Reading it clears the interrupt.
    pub(crate) const INTERRUPT_SOURCE: u32 = 29;
    pub(crate) const INTERRUPT_MASK: u32 = 30;
}

/// Bits of the PHY's registers.
pub(crate) mod phy_bits {
    pub(crate) const BMCR_RESET: u16 = 1 << 15;
    pub(crate) const BMCR_AUTONEGOTIATE: u16 = 1 << 12;
    pub(crate) const BMCR_RESTART: u16 = 1 << 9;
    pub(crate) const BMSR_LINK: u16 = 1 << 2;
    /// 10 and 100 Mbit/s, half and full duplex, IEEE 802.3 messages.
    pub(crate) const ABILITIES: u16 = 0x01E1;
    pub(crate) const ABILITY_100_FULL: u16 = 1 << 8;
    pub(crate) const ABILITY_100_HALF: u16 = 1 << 7;
    pub(crate) const ABILITY_10_FULL: u16 = 1 << 6;
    pub(crate) const INTERRUPT_NEGOTIATED: u16 = 1 << 6;
    pub(crate) const INTERRUPT_LINK_DOWN: u16 = 1 << 4;
}
