//! How long a neighbor is trusted, and how often it is asked.

use crate::time::Duration;

/// The constants of RFC 4861 section 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct NeighborTiming {
    /// RetransTimer: the least time between two requests to one neighbor.
    pub(crate) retrans_timer: Duration,
    /// MAX_MULTICAST_SOLICIT: how often everybody is asked before a resolution fails.
    pub(crate) max_multicast_solicit: u8,
    /// MAX_UNICAST_SOLICIT: how often the known address is asked before it is forgotten.
    pub(crate) max_unicast_solicit: u8,
    /// DELAY_FIRST_PROBE_TIME: how long an upper layer has to confirm a stale neighbor.
    pub(crate) delay_first_probe_time: Duration,
    /// REACHABLE_TIME, from which the ReachableTime in use is drawn between a half and one and a
    /// half times of it.
    pub(crate) base_reachable_time: Duration,
    /// How long lookups of a failed neighbor are refused before the next resolution. Our own.
    pub(crate) failed_hold_down: Duration,
}

impl Default for NeighborTiming {
    fn default() -> Self {
        Self {
            retrans_timer: Duration::from_secs(1),
            max_multicast_solicit: 3,
            max_unicast_solicit: 3,
            delay_first_probe_time: Duration::from_secs(5),
            base_reachable_time: Duration::from_secs(30),
            failed_hold_down: Duration::from_secs(1),
        }
    }
}

impl NeighborTiming {
    /// A uniformly random ReachableTime (RFC 4861 section 6.3.2).
    pub(super) fn reachable_time(&self, rand: u32) -> Duration {
        let base = self.base_reachable_time;
        let fraction = base
            .saturating_mul(u64::from(rand >> 16))
            .divided_by(1 << 16);
        base.divided_by(2) + fraction
    }
}
