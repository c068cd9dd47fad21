//! What may go wrong with the chip, and waiting for it.

/// Why a chip did not start, or does not answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// There is a driver for this chip already.
    InUse,
    /// What answers is no chip of this family, or nothing does.
    NoChip,
    /// The chip does not get ready.
    Timeout,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::InUse => "the Ethernet controller has a driver already",
            Self::NoChip => "no LAN9118 answers at this address",
            Self::Timeout => "the Ethernet controller does not get ready",
        })
    }
}

impl core::error::Error for Error {}

/// Asks again and again until something is so, for a second or so on a processor of some 100 MHz.
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) -> Result<(), Error> {
    for _ in 0..PATIENCE {
        if is_so() {
            return Ok(());
        }
    }
    Err(Error::Timeout)
}

const PATIENCE: u32 = 2_000_000;
