//! In place of `keep_alive.rs`: nobody asks a silent peer anything.

use super::Connection;
use super::plan::SegmentPlan;
use crate::time::Instant;

#[derive(Clone, Copy, Debug)]
pub(super) struct KeepAlive;

impl KeepAlive {
    pub(super) const fn new() -> Self {
        Self
    }

    pub(super) fn on_sign_of_life(&mut self, _: Instant) {}
}

impl Connection<'_> {
    pub(super) fn arm_keep_alive(&mut self, _: Instant) {}

    pub(super) fn plan_keep_alive(&mut self) -> Option<SegmentPlan> {
        None
    }
}
