//! The PHY inside the chip: negotiation, and what came of it.

use crate::bus::Bus;
use crate::error::Error;
use crate::mac::Mac;
use crate::registers::{phy, phy_bits as bits};

/// What the link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Down,
    Up { full_duplex: bool },
}

/// Resets the PHY and lets it negotiate, which takes a second or two. It interrupts when that is done, and
/// when the link goes down.
pub(crate) fn start<B: Bus>(mac: &Mac<'_, B>) -> Result<(), Error> {
    mac.write_phy(phy::BMCR, bits::BMCR_RESET)?;
    for _ in 0..RESET_PATIENCE {
        if mac.read_phy(phy::BMCR)? & bits::BMCR_RESET == 0 {
            let interrupts = bits::INTERRUPT_NEGOTIATED | bits::INTERRUPT_LINK_DOWN;
            mac.write_phy(phy::INTERRUPT_MASK, interrupts)?;
            mac.write_phy(phy::ANAR, bits::ABILITIES)?;
            let negotiate = bits::BMCR_AUTONEGOTIATE | bits::BMCR_RESTART;
            return mac.write_phy(phy::BMCR, negotiate);
        }
    }
    Err(Error::Timeout)
}

/// What the link is now. Ends the PHY's interrupt, so a change from here on interrupts again.
pub(crate) fn look<B: Bus>(mac: &Mac<'_, B>) -> Result<Link, Error> {
    mac.read_phy(phy::INTERRUPT_SOURCE)?;
    // A link that was down is shown down once more, even if it is up by now (IEEE 802.3, 22.2.4.2.13).
    mac.read_phy(phy::BMSR)?;
    if mac.read_phy(phy::BMSR)? & bits::BMSR_LINK == 0 {
        return Ok(Link::Down);
    }
    let common = mac.read_phy(phy::ANAR)? & mac.read_phy(phy::ANLPAR)?;
    Ok(Link::Up {
        full_duplex: is_full_duplex(common),
    })
}

/// Whether the best of the abilities that both ends have is full duplex (IEEE 802.3, annex 28B.3).
fn is_full_duplex(common: u16) -> bool {
    let at_100 = common & (bits::ABILITY_100_FULL | bits::ABILITY_100_HALF);
    if at_100 != 0 {
        return at_100 & bits::ABILITY_100_FULL != 0;
    }
    common & bits::ABILITY_10_FULL != 0
}

/// How often the PHY is asked whether its reset is over, which may take half a second.
const RESET_PATIENCE: u32 = 20_000;
