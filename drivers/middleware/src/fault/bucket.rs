//! A token bucket that is filled up at intervals.

use cygnet_driver::{Duration, Instant};

/// Lets so many frames pass in each interval. Full at first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    left: u32,
    filled: Option<Instant>,
}

impl Bucket {
    /// Whether one more frame may pass.
    pub(super) fn take(&mut self, now: Instant, size: u32, interval: Duration) -> bool {
        if self.filled.is_none_or(|at| now.since(at) >= interval) {
            self.left = size;
            self.filled = Some(now);
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}
