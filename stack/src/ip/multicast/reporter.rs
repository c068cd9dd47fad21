//! What routers ask, what other hosts report, and what this host says (RFC 3376, sections 5 and 7).
//!
//! Which version is spoken depends on the oldest router heard of lately: with one of version 1 or 2 on the
//! link, its messages are used, and sources do not count.

use super::Multicast;
use super::group::Group;
use crate::rand::Random;
use crate::time::{Duration, Instant};
use crate::wire::IpAddress;
use crate::wire::igmp::ReportWriter;

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

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// That somebody is in the group, in version 1 or 2.
    Report(Version, IpAddress),
    /// That nobody is any more, in version 2.
    Leave(IpAddress),
    /// The report of version 3 whose records were written.
    Records,
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

    fn on_query(&mut self, now: Instant, query: &Query) {
        let until = now + self.interval.saturating_mul(self.robustness.into()) + query.max_response;
        match query.version {
            Version::V1 => self.older[0] = Some(until),
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
    fn next_deadline(&self) -> Option<Instant> {
        earlier(self.older[0], self.older[1])
    }

    fn on_timeout(&mut self, now: Instant) {
        for until in &mut self.older {
            until.take_if(|until| *until <= now);
        }
    }
}

impl Multicast {
    /// A router asks. Answers are spread at random over the time that it grants.
    pub(crate) fn on_query(
        &mut self,
        now: Instant,
        random: &mut Random,
        query: &Query,
        sources: impl Iterator<Item = IpAddress>,
    ) {
        let before = self.compatibility.terms(now).version;
        self.compatibility.on_query(now, query);
        let spoken = self.compatibility.terms(now).version;
        if before != spoken {
            self.forget_timers();
        }
        let mut due = || now + at_random(random, query.max_response);
        match query.group {
            // In the older versions each group has a timer of its own.
            None if spoken != Version::V3 => {
                for group in &mut self.groups {
                    group.on_query(due(), core::iter::empty());
                }
            }
            None => {
                let due = due();
                self.general_due = Some(self.general_due.map_or(due, |pending| pending.min(due)));
            }
            Some(address) => {
                let due = due();
                // RFC 3376, section 5.2, rule 1: the answer about all will do.
                if self.general_due.is_some_and(|general| general <= due) {
                    return;
                }
                if let Some(group) = self.group_mut(address) {
                    group.on_query(due, sources);
                }
            }
        }
    }

    /// Another host has reported, in version 1 or 2, that it is in a group.
    pub(crate) fn on_report(&mut self, now: Instant, address: IpAddress) {
        if self.compatibility.terms(now).version == Version::V3 {
            return;
        }
        if let Some(group) = self.group_mut(address) {
            group.on_report();
        }
    }

    /// The link is there, perhaps another than before: routers on it know nothing.
    pub(crate) fn on_link_up(&mut self, now: Instant) {
        self.compatibility = Compatibility::new();
        self.general_due = None;
        let robustness = self.compatibility.robustness;
        self.groups.retain(|group| !group.filter().is_nothing());
        for group in &mut self.groups {
            group.forget_timers();
            group.join_anew(now, robustness);
        }
    }

    /// When [`Self::poll`] has something, or [`Self::on_timeout`] something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let groups = self.groups.iter().filter_map(Group::next_deadline).min();
        earlier(
            earlier(groups, self.general_due),
            self.compatibility.next_deadline(),
        )
    }

    /// Whether [`Self::poll`] has something.
    pub(crate) fn wants_to_send(&self, now: Instant) -> bool {
        let is_due = |group: &Group| group.is_change_due(now) || group.is_answer_due(now);
        self.general_due.is_some_and(|due| due <= now) || self.groups.iter().any(is_due)
    }

    /// Time has passed: an older router may be gone.
    pub(crate) fn on_timeout(&mut self, now: Instant) {
        let before = self.compatibility.older;
        self.compatibility.on_timeout(now);
        if before != self.compatibility.older {
            self.forget_timers();
        }
    }

    /// Another version is spoken now. RFC 3376, section 7.2.1: "Whenever a host changes its compatibility
    /// mode, it cancels all its pending response and retransmission timers".
    fn forget_timers(&mut self) {
        self.general_due = None;
        for group in &mut self.groups {
            group.forget_timers();
        }
        self.forget_left();
    }

    /// The next message that is due; records are with the writer.
    pub(crate) fn poll(
        &mut self,
        now: Instant,
        random: &mut Random,
        writer: &mut ReportWriter<'_>,
    ) -> Option<Message> {
        let terms = self.compatibility.terms(now);
        let message = if terms.version == Version::V3 {
            self.write_records(now, random, &terms, writer);
            (!writer.is_empty()).then_some(Message::Records)
        } else {
            self.poll_short(now, random, &terms)
        };
        self.forget_left();
        message
    }

    fn write_records(
        &mut self,
        now: Instant,
        random: &mut Random,
        terms: &Terms,
        writer: &mut ReportWriter<'_>,
    ) {
        for group in &mut self.groups {
            if group.is_change_due(now) && !group.write_changes(now, random, terms, writer) {
                return;
            }
        }
        if self.general_due.is_some_and(|due| due <= now) {
            // It is what each group has to answer now, one after the other.
            self.general_due = None;
            for group in &mut self.groups {
                group.on_query(now, core::iter::empty());
            }
        }
        for group in &mut self.groups {
            if group.is_answer_due(now) && !group.write_state(writer) {
                return;
            }
        }
    }

    fn poll_short(&mut self, now: Instant, random: &mut Random, terms: &Terms) -> Option<Message> {
        self.general_due = None;
        let is_due = |group: &&mut Group| group.is_change_due(now) || group.is_answer_due(now);
        let group = self.groups.iter_mut().find(is_due)?;
        let (address, is_left) = (group.address(), group.filter().is_nothing());
        group.on_sent(now, random, terms);
        Some(if is_left {
            Message::Leave(address)
        } else {
            Message::Report(terms.version, address)
        })
    }

    fn group_mut(&mut self, address: IpAddress) -> Option<&mut Group> {
        self.groups.iter_mut().find(|g| g.address() == address)
    }
}

/// The earlier of two deadlines, of which either may be missing.
pub(super) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn at_random(random: &mut Random, longest: Duration) -> Duration {
    let millis = u32::try_from(longest.as_millis()).unwrap_or(u32::MAX);
    Duration::from_millis(random.below(millis.saturating_add(1)).into())
}

/// RFC 3376, section 8.1.
const DEFAULT_ROBUSTNESS: u8 = 2;
/// Section 8.2.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(125);
/// Section 8.11.
const UNSOLICITED_V3: Duration = Duration::from_secs(1);
/// RFC 2236, section 8.10; RFC 2710, section 7.10.
const UNSOLICITED_V2: Duration = Duration::from_secs(10);
