//! What happened to frames.

/// Counts of frames since the driver was made. All wrap at 2³².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Frames handed to the stack.
    pub received: u32,
    /// Frames with a wrong check sequence.
    pub receive_crc_errors: u32,
    /// Frames that were damaged or cut off otherwise, or too long.
    pub receive_errors: u32,
    /// Frames that the chip had no room for.
    pub receive_dropped: u32,
    /// Frames handed to the chip.
    pub sent: u32,
    /// Frames that were not sent because there was no carrier.
    pub transmit_carrier_errors: u32,
    /// Frames that were not sent for other reasons: collisions, an underrun.
    pub transmit_errors: u32,
}
