//! A connection without RACK-TLP: what no acknowledgment shows to be lost is left to the retransmission timer.

use super::Connection;
use super::plan::SegmentPlan;
use crate::time::Instant;

impl Connection<'_> {
    pub(super) fn look_again(&mut self, _: Instant, _: Option<u32>) {}

    pub(super) fn schedule_loss_probe(&mut self, _: Instant) {}

    pub(super) fn plan_loss_probe(&mut self, _: Instant) -> Option<SegmentPlan> {
        None
    }

    pub(super) fn stop_loss_probe(&mut self) {}

    pub(super) fn stop_loss_timers(&mut self) {}
}
