//! One group of the interface: what is wanted of it, and what routers are to be told.
//!
//! A change is told at once and then again, as often as the robustness variable says, because reports get lost
//! (RFC 3376, section 5.1). Between the first and the last time the news may change; what is told is always how
//! things are then.

use cygnet_config::MULTICAST_SOURCE_COUNT;
use heapless::Vec;

use super::filter::{Filter, Mode};
use super::routers::{Terms, Version};
use crate::rand::Random;
use crate::time::{Instant, earlier};
use crate::wire::group_report::{RecordKind, ReportWriter};
use crate::wire::{IpAddress, IpVersion};

#[derive(Debug)]
pub(super) struct Group {
    address: IpAddress,
    filter: Filter,
    /// How often it is still to be told which mode the filter has.
    modes: u8,
    /// Sources that are in the list or not since lately, and how often that is still to be told.
    changes: Vec<(IpAddress, u8), { 2 * MULTICAST_SOURCE_COUNT }>,
    /// When the next of both is due.
    change_due: Option<Instant>,
    /// When an answer to a router is due.
    pub(super) answer_due: Option<Instant>,
    /// The sources that the router asked about; none for all.
    asked: Vec<IpAddress, MULTICAST_SOURCE_COUNT>,
    /// In the older versions: we were the last to say that somebody is in the group, and nobody else would
    /// tell when we left.
    is_last_reporter: bool,
}

impl Group {
    pub(super) fn new(address: IpAddress) -> Self {
        Self {
            address,
            filter: Filter::NOTHING,
            modes: 0,
            changes: Vec::new(),
            change_due: None,
            answer_due: None,
            asked: Vec::new(),
            is_last_reporter: false,
        }
    }

    pub(super) fn address(&self) -> IpAddress {
        self.address
    }

    pub(super) fn version(&self) -> IpVersion {
        self.address.version()
    }

    pub(super) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether nobody is in it, and everybody was told.
    pub(super) fn is_over(&self) -> bool {
        self.filter.is_nothing() && self.change_due.is_none()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        earlier(self.change_due, self.answer_due)
    }

    /// What is wanted has changed.
    pub(super) fn set_filter(&mut self, now: Instant, filter: Filter, terms: &Terms) {
        if filter == self.filter {
            return;
        }
        let old = core::mem::replace(&mut self.filter, filter);
        if terms.version != Version::V3 {
            self.set_membership(now, &old, terms);
            return;
        }
        let mode_changed = old.mode() != self.filter.mode();
        // While the mode is being told the whole list goes with it.
        if mode_changed || self.modes > 0 || !self.note_sources(&old, terms.robustness) {
            self.tell_mode(terms.robustness);
        }
        self.change_due = Some(now);
    }

    /// The older versions know of no sources: somebody is in the group, or nobody.
    fn set_membership(&mut self, now: Instant, old: &Filter, terms: &Terms) {
        match (old.is_nothing(), self.filter.is_nothing()) {
            (true, false) => self.join_anew(now, terms.robustness),
            (false, true) => {
                // RFC 2236, section 3: "If it was not the last host to reply to a Query, it MAY send
                // nothing"; and version 1 has no way to say it.
                let tells = self.is_last_reporter && terms.version == Version::V2;
                self.answer_due = None;
                self.modes = u8::from(tells);
                self.change_due = tells.then_some(now);
            }
            _ => {}
        }
    }

    /// Tells all of it from the start, because it is new or the link is.
    pub(super) fn join_anew(&mut self, now: Instant, robustness: u8) {
        self.tell_mode(robustness);
        self.answer_due = None;
        self.asked.clear();
        self.change_due = Some(now);
    }

    fn tell_mode(&mut self, robustness: u8) {
        self.modes = robustness;
        self.changes.clear();
    }

    /// Forgets what was to be told, for a router that speaks another version.
    pub(super) fn forget_timers(&mut self) {
        self.modes = 0;
        self.changes.clear();
        self.change_due = None;
        self.answer_due = None;
        self.asked.clear();
        self.is_last_reporter = false;
    }

    /// Notes the sources that one of two lists has. False if they are too many.
    fn note_sources(&mut self, old: &Filter, robustness: u8) -> bool {
        let gone = old.sources().filter(|s| !self.filter.names(*s));
        let new = self.filter.sources().filter(|s| !old.names(*s));
        for source in gone.chain(new) {
            if let Some(known) = self.changes.iter_mut().find(|(s, _)| *s == source) {
                known.1 = robustness;
            } else if self.changes.push((source, robustness)).is_err() {
                return false;
            }
        }
        true
    }

    /// A router asks about the group, or about some of its sources: the answer is due by `due`.
    pub(super) fn on_query(&mut self, due: Instant, sources: impl Iterator<Item = IpAddress>) {
        let is_pending = self.answer_due.is_some();
        let was_about_all = is_pending && self.asked.is_empty();
        self.answer_due = Some(self.answer_due.map_or(due, |pending| pending.min(due)));
        if !is_pending {
            self.asked.clear();
        }
        let mut is_about_all = true;
        for source in sources {
            is_about_all = false;
            if !self.asked.contains(&source) && self.asked.push(source).is_err() {
                // To answer about all is as good.
                is_about_all = true;
                break;
            }
        }
        if is_about_all || was_about_all {
            self.asked.clear();
        }
    }

    /// The older versions: another host has said that it is in the group, so that is known.
    pub(super) fn on_report(&mut self) {
        if self.filter.is_nothing() {
            return;
        }
        self.modes = 0;
        self.change_due = None;
        self.answer_due = None;
        self.is_last_reporter = false;
    }

    pub(super) fn is_change_due(&self, now: Instant) -> bool {
        self.change_due.is_some_and(|due| due <= now)
    }

    pub(super) fn is_answer_due(&self, now: Instant) -> bool {
        self.answer_due.is_some_and(|due| due <= now)
    }

    /// Writes what has changed. False, and nothing happened, if there is no room.
    pub(super) fn write_changes(
        &mut self,
        now: Instant,
        random: &mut Random,
        terms: &Terms,
        writer: &mut ReportWriter<'_>,
    ) -> bool {
        let address = self.address;
        if self.modes > 0 {
            let kind = match self.filter.mode() {
                Mode::Include => RecordKind::ToInclude,
                Mode::Exclude => RecordKind::ToExclude,
            };
            if !writer.push(kind, address, self.filter.sources()) {
                return false;
            }
            self.told(now, random, terms);
            return true;
        }
        let changes = || self.changes.iter().map(|(source, _)| *source);
        let allowed = || changes().filter(|source| self.filter.allows(*source));
        let blocked = || changes().filter(|source| !self.filter.allows(*source));
        let mut complete = true;
        // RFC 3376, section 5.1: a record without sources is left out.
        if allowed().next().is_some() {
            complete = writer.push(RecordKind::Allow, address, allowed());
        }
        if complete && blocked().next().is_some() {
            complete = writer.push(RecordKind::Block, address, blocked());
        }
        if complete {
            self.told(now, random, terms);
        }
        complete
    }

    /// What has changed was told once.
    fn told(&mut self, now: Instant, random: &mut Random, terms: &Terms) {
        if self.modes > 0 {
            self.modes -= 1;
        } else {
            for change in &mut self.changes {
                change.1 = change.1.saturating_sub(1);
            }
            self.changes.retain(|(_, left)| *left > 0);
        }
        let more = self.modes > 0 || !self.changes.is_empty();
        self.change_due = more.then(|| now + terms.repeat_after(random));
    }

    /// Writes how things are, in answer to a question. False if there is no room.
    pub(super) fn write_state(&mut self, writer: &mut ReportWriter<'_>) -> bool {
        let address = self.address;
        let written = if self.filter.is_nothing() {
            true
        } else if self.asked.is_empty() {
            let kind = match self.filter.mode() {
                Mode::Include => RecordKind::IsInclude,
                Mode::Exclude => RecordKind::IsExclude,
            };
            writer.push(kind, address, self.filter.sources())
        } else {
            // RFC 3376, section 5.2: those of the sources that are wanted.
            let asked = self.asked.iter().copied();
            let wanted = asked.filter(|source| self.filter.allows(*source));
            wanted.clone().next().is_none() || writer.push(RecordKind::IsInclude, address, wanted)
        };
        if written {
            self.answer_due = None;
            self.asked.clear();
        }
        written
    }

    /// The older versions: the group was reported, or told to be left.
    pub(super) fn on_sent(&mut self, now: Instant, random: &mut Random, terms: &Terms) {
        if self.filter.is_nothing() {
            self.modes = 0;
            self.change_due = None;
            return;
        }
        self.is_last_reporter = true;
        if self.is_answer_due(now) {
            self.answer_due = None;
        }
        if self.is_change_due(now) {
            self.told(now, random, terms);
        }
    }
}
