//! Stands in for `pacing.rs` where no congestion controller paces: nothing waits, and nothing is kept.

use super::Connection;
use crate::time::Instant;

#[derive(Clone, Debug)]
pub(crate) struct Pacer;

impl Pacer {
    pub(super) const fn new() -> Self {
        Self
    }

    pub(super) fn open(&mut self, _now: u32, _burst: u32) {}

    pub(super) fn restart(&mut self, _now: u32) {}
}

impl Connection<'_> {
    pub(super) fn is_held_by_pacing(&self) -> bool {
        false
    }

    pub(super) fn pace(&mut self, _now: Instant, _len: u32) {}
}
