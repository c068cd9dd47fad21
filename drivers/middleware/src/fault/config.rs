//! Which faults to inject.

use cygnet_driver::Duration;

/// Which faults to inject; none by default. The chances and the size limit hold for both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FaultConfig {
    /// The chance in percent that a frame is dropped. 15 is a good start.
    pub drop_chance: u8,
    /// The chance in percent that one octet of a frame is changed. 15 is a good start.
    pub corrupt_chance: u8,
    /// Frames of more bytes than this, link header included, are dropped.
    pub size_limit: Option<usize>,
    /// How many frames may be sent in each shaping interval; those beyond are dropped. 4 is a good
    /// start, with an interval of 50 ms.
    pub tx_rate_limit: Option<u32>,
    /// How many frames may be received in each shaping interval; those beyond are dropped.
    pub rx_rate_limit: Option<u32>,
    /// How often the buckets of the rate limits are filled up. At zero they always are full.
    pub shaping_interval: Duration,
}
