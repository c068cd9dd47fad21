//! What this host says to routers, when they ask and when its groups change (RFC 3376, sections 5 and 7).

use super::Multicast;
use super::group::Group;
use super::routers::{Compatibility, Query, Terms, Version};
use crate::rand::Random;
use crate::time::{Duration, Instant, earlier};
use crate::wire::group_report::ReportWriter;
use crate::wire::{IpAddress, IpVersion};

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

/// What is told to the routers of one version of IP, and when.
#[derive(Debug)]
pub(super) struct Reporter {
    compatibility: Compatibility,
    /// There is somebody to report to.
    is_on: bool,
    /// When the answer to a question about all groups is due.
    general_due: Option<Instant>,
    /// When the next message is due: the earliest of that and of all groups.
    due: Option<Instant>,
}

impl Reporter {
    pub(super) const fn new() -> Self {
        Self {
            compatibility: Compatibility::new(),
            is_on: false,
            general_due: None,
            due: None,
        }
    }

    pub(super) fn terms(&self, now: Instant) -> Terms {
        self.compatibility.terms(now)
    }

    pub(super) fn set_due(&mut self, groups: &[Group], version: IpVersion) {
        let groups = groups.iter().filter(|group| group.version() == version);
        let due = groups
            .filter_map(Group::next_deadline)
            .chain(self.general_due);
        self.due = due.min();
    }

    fn next_deadline(&self) -> Option<Instant> {
        let next = earlier(self.due, self.compatibility.next_deadline());
        next.filter(|_| self.is_on)
    }

    fn wants_to_send(&self, now: Instant) -> bool {
        self.is_on && self.due.is_some_and(|due| due <= now)
    }

    /// True if an older router is gone.
    fn on_timeout(&mut self, now: Instant) -> bool {
        self.compatibility.on_timeout(now)
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
        let ip = query.ip;
        let reporter = self.reporter_mut(ip);
        let before = reporter.terms(now).version;
        reporter.compatibility.on_query(now, query);
        let spoken = reporter.terms(now).version;
        if before != spoken {
            self.forget_timers(ip);
        }
        let mut due = || now + at_random(random, query.max_response);
        match query.group {
            // In the older versions each group has a timer of its own.
            None if spoken != Version::V3 => {
                for group in self.groups_mut(ip) {
                    group.on_query(due(), core::iter::empty());
                }
            }
            None => {
                let reporter = self.reporter_mut(ip);
                reporter.general_due = earlier(reporter.general_due, Some(due()));
            }
            Some(address) => {
                let due = due();
                // RFC 3376, section 5.2, rule 1: an earlier answer about all will do.
                let general_due = self.reporter(ip).general_due;
                let will_do = general_due.is_some_and(|general| general <= due);
                if let Some(group) = self.group_mut(address).filter(|_| !will_do) {
                    group.on_query(due, sources);
                }
            }
        }
        self.forget_left();
    }

    /// Another host has reported, in version 1 or 2, that it is in a group.
    pub(crate) fn on_report(&mut self, now: Instant, address: IpAddress) {
        if self.reporter(address.version()).terms(now).version == Version::V3 {
            return;
        }
        if let Some(group) = self.group_mut(address) {
            group.on_report();
        }
        self.forget_left();
    }

    /// There is somebody to report to, perhaps others than before: they know nothing.
    pub(crate) fn start_reports(&mut self, now: Instant, ip: IpVersion) {
        *self.reporter_mut(ip) = Reporter {
            is_on: true,
            ..Reporter::new()
        };
        self.report_anew(now, ip);
    }

    /// There is nobody to report to any more.
    pub(crate) fn stop_reports(&mut self, ip: IpVersion) {
        self.reporter_mut(ip).is_on = false;
    }

    /// Tells of all groups as if they were new, because nobody took heed of what was told before.
    pub(crate) fn report_anew(&mut self, now: Instant, ip: IpVersion) {
        let terms = self.reporter(ip).terms(now);
        self.reporter_mut(ip).general_due = None;
        for group in self.groups_mut(ip) {
            group.forget_timers();
            if !group.filter().is_nothing() {
                group.join_anew(now, terms.robustness);
            }
        }
        self.forget_left();
    }

    /// When [`Self::poll`] has something, or [`Self::on_timeout`] something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let next = self.ipv4.next_deadline();
        #[cfg(feature = "proto-ipv6")]
        let next = earlier(next, self.ipv6.next_deadline());
        next
    }

    /// Whether [`Self::poll`] has something for the routers of that version of IP.
    pub(crate) fn wants_to_send(&self, now: Instant, ip: IpVersion) -> bool {
        self.reporter(ip).wants_to_send(now)
    }

    /// Time has passed: an older router may be gone.
    pub(crate) fn on_timeout(&mut self, now: Instant) {
        if self.ipv4.on_timeout(now) {
            self.forget_timers(IpVersion::Ipv4);
        }
        #[cfg(feature = "proto-ipv6")]
        if self.ipv6.on_timeout(now) {
            self.forget_timers(IpVersion::Ipv6);
        }
    }

    /// Another version is spoken now. RFC 3376, section 7.2.1: "Whenever a host changes its compatibility
    /// mode, it cancels all its pending response and retransmission timers".
    fn forget_timers(&mut self, ip: IpVersion) {
        self.reporter_mut(ip).general_due = None;
        for group in self.groups_mut(ip) {
            group.forget_timers();
        }
        self.forget_left();
    }

    /// The next message that is due to the routers of that version of IP; records are with the writer.
    pub(crate) fn poll(
        &mut self,
        (now, ip): (Instant, IpVersion),
        random: &mut Random,
        writer: &mut ReportWriter<'_>,
    ) -> Option<Message> {
        let terms = self.reporter(ip).terms(now);
        let message = if terms.version == Version::V3 {
            self.write_records((now, ip), random, &terms, writer);
            (!writer.is_empty()).then_some(Message::Records)
        } else {
            self.poll_short((now, ip), random, &terms)
        };
        self.forget_left();
        message
    }

    fn write_records(
        &mut self,
        (now, ip): (Instant, IpVersion),
        random: &mut Random,
        terms: &Terms,
        writer: &mut ReportWriter<'_>,
    ) {
        for group in self.groups_mut(ip) {
            if group.is_change_due(now) && !group.write_changes(now, random, terms, writer) {
                return;
            }
        }
        let general_due = &mut self.reporter_mut(ip).general_due;
        if general_due.take_if(|due| *due <= now).is_some() {
            // It is what each group has to answer now, one after the other.
            for group in self.groups_mut(ip) {
                group.on_query(now, core::iter::empty());
            }
        }
        for group in self.groups_mut(ip) {
            if group.is_answer_due(now) && !group.write_state(writer) {
                return;
            }
        }
    }

    fn poll_short(
        &mut self,
        (now, ip): (Instant, IpVersion),
        random: &mut Random,
        terms: &Terms,
    ) -> Option<Message> {
        self.reporter_mut(ip).general_due = None;
        let is_due = |group: &&mut Group| group.is_change_due(now) || group.is_answer_due(now);
        let group = self.groups_mut(ip).find(is_due)?;
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

fn at_random(random: &mut Random, longest: Duration) -> Duration {
    let millis = u32::try_from(longest.as_millis()).unwrap_or(u32::MAX);
    Duration::from_millis(random.below(millis.saturating_add(1)).into())
}
