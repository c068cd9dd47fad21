//! Time as the protocols know it: microseconds, monotonic, handed in from outside.

pub use cygnet_driver::{Duration, Instant};

/// The earlier of two deadlines, of which either may be missing.
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
