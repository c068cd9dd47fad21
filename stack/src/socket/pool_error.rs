//! Why a stack does not take a pool of buffers.

/// Why a pool was not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum PoolError {
    /// The stack has as many pools as it can hold (`TCP_POOL_COUNT`, `UDP_POOL_COUNT`).
    TooMany,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for PoolError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::TooMany => "no room for another pool (TCP_POOL_COUNT, UDP_POOL_COUNT)",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for PoolError {}
