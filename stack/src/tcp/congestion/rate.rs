//! How fast segments go out: what a controller names, and a connection makes times of departure of.

/// Bytes per span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    bytes: u64,
    /// In microseconds, not 0.
    span: u32,
}

impl Rate {
    /// `bytes` in `span` microseconds.
    pub(crate) fn new(bytes: u64, span: u32) -> Self {
        Self {
            bytes: bytes.max(1),
            span: span.max(1),
        }
    }

    /// What goes out at once.
    pub(crate) fn quantum(self, mss: u32) -> u32 {
        let bytes = self.bytes.saturating_mul(QUANTUM_US) / u64::from(self.span);
        u32::try_from(bytes).unwrap_or(u32::MAX).max(2 * mss)
    }

    /// How long `bytes` take.
    pub(crate) fn time_for(self, bytes: u32) -> u32 {
        let span = u64::from(bytes) * u64::from(self.span) / self.bytes;
        u32::try_from(span).unwrap_or(LONGEST_US).min(LONGEST_US)
    }
}

/// A quantum lasts for a millisecond, as in Linux: long enough that timers cost little.
const QUANTUM_US: u64 = 1_000;

/// However slow the path, something goes out now and then.
pub(crate) const LONGEST_US: u32 = 1_000_000;
