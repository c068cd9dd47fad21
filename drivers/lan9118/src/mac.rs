//! The registers of the MAC, behind a command register of their own, and those of the PHY behind that.

use crate::bus::Bus;
use crate::error::{Error, wait_until};
use crate::registers::{MAC_CSR_CMD, MAC_CSR_DATA, mac, mac_csr_cmd, mii_acc};

/// The MAC's registers on a bus. They are slow: a few µs each, and some 30 µs through to the PHY.
#[derive(Debug)]
pub(crate) struct Mac<'a, B>(pub(crate) &'a B);

impl<B: Bus> Mac<'_, B> {
    pub(crate) fn read(&self, register: u32) -> Result<u32, Error> {
        self.command(register | mac_csr_cmd::READ)?;
        Ok(self.0.read(MAC_CSR_DATA))
    }

    pub(crate) fn write(&self, register: u32, value: u32) -> Result<(), Error> {
        self.wait()?;
        self.0.write(MAC_CSR_DATA, value);
        self.command(register)
    }

    pub(crate) fn read_phy(&self, register: u32) -> Result<u16, Error> {
        self.access_phy(register << mii_acc::REGISTER_SHIFT)?;
        // The upper half is reserved.
        Ok(self.read(mac::MII_DATA)? as u16)
    }

    pub(crate) fn write_phy(&self, register: u32, value: u16) -> Result<(), Error> {
        self.write(mac::MII_DATA, u32::from(value))?;
        self.access_phy(register << mii_acc::REGISTER_SHIFT | mii_acc::WRITE)
    }

    fn access_phy(&self, access: u32) -> Result<(), Error> {
        self.write(mac::MII_ACC, access | mii_acc::INTERNAL_PHY | mii_acc::BUSY)?;
        for _ in 0..PATIENCE {
            if self.read(mac::MII_ACC)? & mii_acc::BUSY == 0 {
                return Ok(());
            }
        }
        Err(Error::Timeout)
    }

    fn command(&self, command: u32) -> Result<(), Error> {
        self.wait()?;
        self.0.write(MAC_CSR_CMD, command | mac_csr_cmd::BUSY);
        self.wait()
    }

    fn wait(&self) -> Result<(), Error> {
        wait_until(|| self.0.read(MAC_CSR_CMD) & mac_csr_cmd::BUSY == 0)
    }
}

/// How often the PHY is asked whether it is done; each time takes a µs or more.
const PATIENCE: u32 = 1_000;
