//! How long a neighbor is trusted, and how often it is asked.

use crate::time::Duration;
use crate::wire::IpAddress;

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

/// What goes for one version of IP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    constants: NeighborTiming,
    /// ReachableTime.
    reachable_time: Duration,
}

/// What goes for ARP, and what for neighbor discovery: routers have a say in the latter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timings {
    arp: Timing,
    #[cfg(feature = "proto-ipv6")]
    pub(super) ndp: Timing,
}

impl Timings {
    pub(super) fn new(constants: NeighborTiming, rand: u32) -> Self {
        let timing = Timing::new(constants, rand);
        Self {
            arp: timing,
            #[cfg(feature = "proto-ipv6")]
            ndp: timing,
        }
    }

    #[inline]
    pub(super) fn of(&self, address: IpAddress) -> &Timing {
        match address {
            IpAddress::Ipv4(_) => &self.arp,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => &self.ndp,
        }
    }
}

impl Timing {
    pub(crate) fn new(constants: NeighborTiming, rand: u32) -> Self {
        Self {
            reachable_time: constants.reachable_time(rand),
            constants,
        }
    }

    #[inline]
    pub(super) fn constants(&self) -> &NeighborTiming {
        &self.constants
    }

    #[inline]
    pub(super) fn reachable_time(&self) -> Duration {
        self.reachable_time
    }

    /// RetransTimer.
    pub(crate) fn retrans_timer(&self) -> Duration {
        self.constants.retrans_timer
    }

    /// What routers said does not hold any more.
    #[cfg(feature = "slaac")]
    pub(crate) fn reset(&mut self) {
        let default = NeighborTiming::default();
        self.constants.retrans_timer = default.retrans_timer;
        if self.constants.base_reachable_time != default.base_reachable_time {
            self.constants.base_reachable_time = default.base_reachable_time;
            self.reachable_time = default.base_reachable_time;
        }
    }

    /// A router says how long neighbors ask again after (RFC 4861 section 6.3.4).
    pub(crate) fn set_retrans_timer(&mut self, time: Duration) {
        self.constants.retrans_timer = time;
    }

    /// A router says how long neighbors are trusted. Section 6.3.4: "If the new value differs from the previous
    /// value, the host SHOULD re-compute its own ReachableTime"; it is drawn anew each time, which does for
    /// "at least every few hours" as well.
    pub(crate) fn set_reachable_time(&mut self, base: Duration, rand: u32) {
        self.constants.base_reachable_time = base;
        self.reachable_time = self.constants.reachable_time(rand);
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
