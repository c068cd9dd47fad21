//! The chip from power-up to the first frame (data sheet, sections 3.11 and 5.3).

use crate::bus::Bus;
use crate::error::{Error, wait_until};
use crate::mac::Mac;
use crate::phy;
use crate::registers::{
    AFC_CFG, BYTE_ORDER, BYTE_TEST, FIFO_INT, HW_CFG, ID_REV, INT_EN, INT_STS, IRQ_CFG, PMT_CTRL,
    RX_CFG, TX_CFG, fifo_int, hw_cfg, irq_cfg, mac, mac_cr, pmt_ctrl, rx_cfg, tx_cfg,
};
use crate::transmitter;

/// Resets and configures the chip. It receives and sends when this is done, with a filter that passes all
/// multicast, and interrupts nobody yet.
pub(crate) fn start<B: Bus>(bus: &B, address: [u8; 6]) -> Result<(), Error> {
    // A boot loader may have left it asleep: "a write of any data to the BYTE_TEST register will wake-up the device"
    // (data sheet of the LAN9220, note 3.11).
    if bus.read(PMT_CTRL) & pmt_ctrl::READY == 0 {
        bus.write(BYTE_TEST, 0);
    }
    wait_until(|| bus.read(PMT_CTRL) & pmt_ctrl::READY != 0)?;
    if bus.read(BYTE_TEST) != BYTE_ORDER || !is_known(bus.read(ID_REV)) {
        return Err(Error::NoChip);
    }
    bus.write(HW_CFG, hw_cfg::SRST);
    wait_until(|| bus.read(HW_CFG) & hw_cfg::SRST == 0)?;
    wait_until(|| bus.read(PMT_CTRL) & pmt_ctrl::READY != 0)?;

    bus.write(HW_CFG, hw_cfg::MBO | hw_cfg::TX_FIF_SZ_5);
    bus.write(AFC_CFG, FLOW_CONTROL_LEVELS);
    bus.write(INT_EN, 0);
    bus.write(INT_STS, u32::MAX);
    let levels = fifo_int::tx_available(transmitter::ROOM) | fifo_int::RX_STATUS_ANY;
    bus.write(FIFO_INT, levels);
    bus.write(RX_CFG, rx_cfg::DATA_OFFSET);
    bus.write(TX_CFG, tx_cfg::TX_ON);

    let csr = Mac(bus);
    let [a, b, c, d, e, f] = address;
    csr.write(mac::ADDRL, u32::from_le_bytes([a, b, c, d]))?;
    csr.write(mac::ADDRH, u32::from_le_bytes([e, f, 0, 0]))?;
    phy::start(&csr)?;
    csr.write(mac::MAC_CR, MAC_CR_START)?;

    let line = irq_cfg::IRQ_EN | irq_cfg::IRQ_POL | irq_cfg::IRQ_TYPE;
    bus.write(IRQ_CFG, line | irq_cfg::INT_DEAS_10_US);
    Ok(())
}

/// Stops interrupts, reception and transmission.
pub(crate) fn stop<B: Bus>(bus: &B) {
    bus.write(INT_EN, 0);
    // A chip that does not answer is silent anyway.
    let _ = Mac(bus).write(mac::MAC_CR, 0);
    bus.write(TX_CFG, 0);
}

/// Whether the upper half of the register names a chip of the family.
fn is_known(id_rev: u32) -> bool {
    matches!(
        id_rev >> 16,
        0x0115..=0x0118 | 0x115A | 0x116A | 0x117A | 0x118A | 0x9210 | 0x9211 | 0x9220 | 0x9221
    )
}

/// The MAC until the PHY says otherwise: full duplex, all multicast.
pub(crate) const MAC_CR_START: u32 = mac_cr::FDPX | mac_cr::MCPAS | mac_cr::TXEN | mac_cr::RXEN;

/// The data sheet's suggestion for automatic flow control: from 110 × 64 bytes on, until 55 × 64, with
/// back-pressure of 50 µs; the control itself is off.
const FLOW_CONTROL_LEVELS: u32 = 0x006E_3740;
