//! What routers ask, which version of IGMP or MLD is spoken with them, and what is agreed on (RFC 3376, section 7.2.1;
//! RFC 3810, section 8.2.1).
//!
//! That depends on the oldest router heard of lately: with one of version 1 or 2 on the link, its messages are used,
//! and sources do not count.

use crate::rand::Random;
use crate::time::{Duration, Instant, earlier};
use crate::wire::{IpAddress, IpVersion};

/// A version of IGMP; MLD's 1 and 2 are as 2 and 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V1,
    V2,
    V3,
}

/// A router's question, of IGMP or MLD.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Query {
    /// Which of the two it is of.
    pub(crate) ip: IpVersion,
    pub(crate) version: Version,
    /// The group it is about; `None` for all.
    pub(crate) group: Option<IpAddress>,
    /// Within which time answers are wanted.
    pub(crate) max_response: Duration,
    /// How often to say what could get lost; 0 if the router does not tell.
    pub(crate) robustness: u8,
    /// How often routers ask; zero if the router does not tell.
    pub(crate) interval: Duration,
}

/// The oldest routers on the link, and what the youngest said about itself.
#[derive(Debug)]
pub(super) struct Compatibility {
    /// Until when a router of version 1 counts as there, and one of version 2.
    older: [Option<Instant>; 2],
    robustness: u8,
    interval: Duration,
}

/// What is agreed on with the routers now.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) version: Version,
    pub(super) robustness: u8,
    /// Within which time something is told again.
    pub(super) unsolicited: Duration,
}

impl Compatibility {
    pub(super) const fn new() -> Self {
        Self {
            older: [None; 2],
            robustness: DEFAULT_ROBUSTNESS,
            interval: DEFAULT_INTERVAL,
        }
    }

    pub(super) fn terms(&self, now: Instant) -> Terms {
        let is_there = |until: Option<Instant>| until.is_some_and(|until| now < until);
        let [v1, v2] = self.older.map(is_there);
        let version = match (v1, v2) {
            (true, _) => Version::V1,
            (false, true) => Version::V2,
            (false, false) => Version::V3,
        };
        Terms {
            version,
            robustness: self.robustness,
            unsolicited: match version {
                Version::V3 => UNSOLICITED_V3,
                Version::V1 | Version::V2 => UNSOLICITED_V2,
            },
        }
    }

    pub(super) fn on_query(&mut self, now: Instant, query: &Query) {
        let until = now + self.interval.saturating_mul(self.robustness.into()) + query.max_response;
        match query.version {
            Version::V1 => self.older[0] = Some(until),
            // RFC 3376, section 7.2.1: of IGMP a general query alone sets the timer. RFC 3810, section 8.2.1: of MLD any.
            Version::V2 if query.ip == IpVersion::Ipv4 && query.group.is_some() => {}
            Version::V2 => self.older[1] = Some(until),
            Version::V3 => {
                self.robustness = match query.robustness {
                    0 => DEFAULT_ROBUSTNESS,
                    told => told,
                };
                self.interval = match query.interval {
                    Duration::ZERO => DEFAULT_INTERVAL,
                    told => told,
                };
            }
        }
    }

    /// When an older router counts as gone.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        earlier(self.older[0], self.older[1])
    }

    /// True if an older router counts as gone from now on.
    pub(super) fn on_timeout(&mut self, now: Instant) -> bool {
        let before = self.older;
        for until in &mut self.older {
            until.take_if(|until| *until <= now);
        }
        before != self.older
    }
}

impl Terms {
    /// After which time something is told again: at random, so that hosts do not speak all at once.
    pub(super) fn repeat_after(&self, random: &mut Random) -> Duration {
        let millis = self.unsolicited.as_millis() as u32;
        Duration::from_millis(u64::from(random.below(millis)) + 1)
    }
}

/// RFC 3376, section 8.1.
const DEFAULT_ROBUSTNESS: u8 = 2;
/// Section 8.2.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(125);
/// Section 8.11.
const UNSOLICITED_V3: Duration = Duration::from_secs(1);
/// RFC 2236, section 8.10; RFC 2710, section 7.10.
const UNSOLICITED_V2: Duration = Duration::from_secs(10);
