//! What comes in: questions, probes, and what others say.

use core::cmp::Ordering;

use super::super::records::{OwnRecordId, RecordSet};
use super::super::service::{Host, Service, all_types};
use super::super::tie_break::compare;
use super::{From, Ignored, Owner, Pending, Responder};
use crate::rand::Random;
use crate::time::{Duration, Instant};
use crate::wire::IpEndpoint;
use crate::wire::dns::{MDNS_PORT, MdnsMessage, MdnsQuestion, Record, RecordData, RecordType};

/// An answer for one host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unicast<L> {
    pub(super) to: IpEndpoint,
    pub(super) link: L,
    pub(super) answers: RecordSet,
    pub(super) additional: RecordSet,
    /// Of a resolver that knows only plain DNS: its number, and what it asked for.
    pub(super) legacy: Option<(u16, LegacyQuestion)>,
}

/// What a plain resolver asked for, to be repeated (section 6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LegacyQuestion {
    pub(super) name: OwnName,
    pub(super) kind: RecordType,
}

/// A name that this host has records for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnName {
    Host,
    Instance(usize),
    Type(usize),
    AllTypes,
    Address(usize),
}

/// The answers to a message.
#[derive(Clone, Copy, Debug, Default)]
struct Answers {
    multicast: RecordSet,
    unicast: RecordSet,
    additional: RecordSet,
    first: Option<LegacyQuestion>,
}

impl<L: Copy> Responder<L> {
    /// A message came in on port 5353.
    pub(crate) fn on_message(
        &mut self,
        now: Instant,
        message: &MdnsMessage<'_>,
        from: &From<L>,
        random: &mut Random,
    ) -> Result<(), Ignored> {
        // Section 11: what is for one host must come from the link.
        if !from.multicast && !from.on_link {
            return Err(Ignored::NotMdns);
        }
        if message.is_response() {
            // Section 6: "MUST silently ignore any Multicast DNS responses they receive where the source UDP
            // port is not 5353".
            if from.endpoint.port != MDNS_PORT {
                return Err(Ignored::NotMdns);
            }
            self.on_response(now, message, random);
            return Ok(());
        }
        self.on_probe(now, message);
        self.on_query(now, message, from, random)
    }

    /// Others say something: it may contradict us, or save us the trouble.
    fn on_response(&mut self, now: Instant, message: &MdnsMessage<'_>, random: &mut Random) {
        for record in message.records() {
            if let Some(ours) = self.is_part_of(&record)
                && record.ttl < ours.ttl() / 2
            {
                self.correct(now, ours);
            }
            if let Some(ours) = self.same_as(&record) {
                // Section 7.4: "If a host is planning to send an answer, and it sees another host on the
                // network send a response message containing the same answer record [...] with a TTL at
                // least as large".
                if record.ttl >= ours.ttl() {
                    self.pending.answers = self.pending.answers.without(ours);
                }
            } else if let Some(owner) = self.contradicted_by(&record) {
                self.on_conflict(now, owner, random);
            }
        }
    }

    /// Another host says of a record of ours that it holds for less than half the time, or not at all any more. By
    /// section 6.6 ours is to be told anew then, so that nobody forgets it.
    fn correct(&mut self, now: Instant, record: OwnRecordId) {
        let is_told = self.owners().any(|owner| {
            let is_ours = self.claim(owner).is_some_and(|claim| claim.is_ours());
            is_ours && self.records_of(owner).contains(record)
        });
        if !is_told {
            return;
        }
        let last = self.multicast.get(record.index()).copied().flatten();
        let due = last.map_or(now, |last| now.max(last + RECORD_PAUSE));
        self.pending.due = match self.pending.answers.is_empty() {
            true => due,
            false => due.max(self.pending.due),
        };
        self.pending.answers = self.pending.answers.with(record);
    }

    /// Whose name it is that a record of another host gives other data (section 9), or any while it is asked
    /// about (section 8.1).
    fn contradicted_by(&self, record: &Record<'_>) -> Option<Owner> {
        // A goodbye takes nothing away from us.
        if record.mdns_class() != CLASS_INTERNET || record.ttl == 0 || self.is_one_of_ours(record) {
            return None;
        }
        self.owners().find(|&owner| {
            let Some(claim) = self.claim(owner) else {
                return false;
            };
            let has_type = match owner {
                Owner::Host => [RecordType::A, RecordType::AAAA].contains(&record.kind),
                Owner::Service(_) => [RecordType::SRV, RecordType::TXT].contains(&record.kind),
            };
            let concerns = claim.has_asked() || (claim.is_ours() && has_type);
            concerns
                && self
                    .unique_name(owner)
                    .is_some_and(|name| name.as_name() == record.name)
        })
    }

    /// Another host is about to claim one of our names, at the same time as we are.
    fn on_probe(&mut self, now: Instant, message: &MdnsMessage<'_>) {
        if message.authorities().next().is_none() {
            return;
        }
        for owner in self.owners() {
            let Some(name) = self.unique_name(owner) else {
                continue;
            };
            let is_probing = self.claim(owner).is_some_and(|claim| claim.is_probing());
            let mut questions = message.questions();
            if !is_probing || !questions.any(|question| question.name == name.as_name()) {
                continue;
            }
            let mut buffer = [0; PROBE_LEN];
            let len = self.write_probe(owner, &mut buffer);
            let Ok(ours) = MdnsMessage::parse(&buffer[..len]) else {
                continue;
            };
            if compare(&ours, message, name.as_name()) == Ordering::Less
                && let Some(claim) = self.claim_mut(owner)
            {
                claim.on_lost_tie(now);
            }
        }
    }

    fn on_query(
        &mut self,
        now: Instant,
        message: &MdnsMessage<'_>,
        from: &From<L>,
        random: &mut Random,
    ) -> Result<(), Ignored> {
        let known = self.known_to(message);
        let mut questions = message.questions().peekable();
        if questions.peek().is_none() {
            // Section 7.2: what the asker of before knows as well.
            if self.pending.awaits == Some(from.endpoint.addr) {
                self.pending.answers = self.pending.answers.minus(known);
            }
            return Ok(());
        }
        let is_legacy = from.endpoint.port != MDNS_PORT;
        let is_probe = message.authorities().next().is_some();
        let mut answers = Answers::default();
        for question in questions {
            let (name, records) = self.answer(&question);
            let Some(name) = name else { continue };
            let kind = question.kind;
            answers.first.get_or_insert(LegacyQuestion { name, kind });
            for record in records.minus(known).iter() {
                let to_one = is_legacy
                    || !from.multicast
                    || (question.unicast && self.was_multicast_lately(now, record));
                match to_one {
                    true => answers.unicast = answers.unicast.with(record),
                    false => answers.multicast = answers.multicast.with(record),
                }
            }
        }
        let all = answers.unicast.union(answers.multicast);
        answers.additional = self.additional_to(all).minus(known);
        self.multicast_answers(now, &answers, (message, from), is_probe, random);
        if answers.unicast.is_empty() {
            return Ok(());
        }
        let unicast = Unicast {
            to: from.endpoint,
            link: from.link,
            answers: answers.unicast,
            additional: answers.additional.minus(answers.unicast),
            legacy: answers
                .first
                .filter(|_| is_legacy)
                .map(|first| (message.id(), first)),
        };
        self.unicast.push_back(unicast).map_err(|_| Ignored::Busy)
    }

    /// Plans what everybody is to hear.
    fn multicast_answers(
        &mut self,
        now: Instant,
        answers: &Answers,
        (message, from): (&MdnsMessage<'_>, &From<L>),
        is_probe: bool,
        random: &mut Random,
    ) {
        // Section 6: "a Multicast DNS responder MUST NOT (except in the one special case of answering probe
        // queries) multicast a record on a given interface until at least one second has elapsed since the
        // last time".
        let pause = if is_probe { PROBE_PAUSE } else { RECORD_PAUSE };
        let mut new = answers.multicast;
        for record in answers.multicast.iter() {
            let last = self.multicast.get(record.index()).copied().flatten();
            if last.is_some_and(|last| now.since(last) < pause) {
                new = new.without(record);
            }
        }
        if new.is_empty() {
            return;
        }
        let truncated = message.is_truncated();
        let delay = if truncated {
            400 + random.below(101)
        } else if new.iter().any(OwnRecordId::is_shared) {
            20 + random.below(101)
        } else {
            0
        };
        let due = now + Duration::from_millis(delay.into());
        let is_first = self.pending.answers.is_empty();
        self.pending = Pending {
            answers: self.pending.answers.union(new),
            additional: self.pending.additional.union(answers.additional),
            due: match (is_first, is_probe) {
                (true, _) => due,
                (false, true) => due.min(self.pending.due),
                // However often is asked.
                (false, false) => self.pending.due,
            },
            // Others asked too: what one of them knows is not left out any more.
            awaits: (truncated && is_first).then_some(from.endpoint.addr),
        };
    }

    /// The name that is asked for if it is ours, and the records that answer.
    fn answer(&self, question: &MdnsQuestion<'_>) -> (Option<OwnName>, RecordSet) {
        let nothing = (None, RecordSet::EMPTY);
        if ![CLASS_INTERNET, CLASS_ANY].contains(&question.class) {
            return nothing;
        }
        let is_any = question.kind == RecordType::ANY;
        let asks_for = |kind| is_any || question.kind == kind;
        let set = RecordSet::EMPTY;
        let host = self.host.as_ref().filter(|host| host.claim.is_ours());
        if host.is_some_and(|host| host.name().as_name() == question.name) {
            let records = self.addresses.answer(asks_for);
            return (Some(OwnName::Host), records);
        }
        if host.is_some()
            && asks_for(RecordType::PTR)
            && let Some(n) = self.addresses.find_reverse(question.name)
        {
            let record = OwnRecordId::Reverse(n);
            return (Some(OwnName::Address(n)), set.with(record));
        }
        let mut found = nothing;
        let mut types = set;
        let asks_types = asks_for(RecordType::PTR) && all_types().as_name() == question.name;
        for (n, service) in self.told_services() {
            if service.instance_name().as_name() == question.name {
                let mut records = set;
                if asks_for(RecordType::SRV) {
                    records = records.with(OwnRecordId::Location(n));
                }
                if asks_for(RecordType::TXT) {
                    records = records.with(OwnRecordId::Text(n));
                }
                if records.is_empty() {
                    records = records.with(OwnRecordId::InstanceHasNoOther(n));
                }
                return (Some(OwnName::Instance(n)), records);
            }
            if asks_for(RecordType::PTR) && service.type_name().as_name() == question.name {
                let name = found.0.unwrap_or(OwnName::Type(n));
                found = (Some(name), found.1.with(OwnRecordId::Pointer(n)));
            }
            let mut before = types.iter();
            let is_told = before.any(|t| match t {
                OwnRecordId::Type(m) => self.service(m).is_some_and(|s| s.is_of_type(service)),
                _ => false,
            });
            if asks_types && !is_told {
                types = types.with(OwnRecordId::Type(n));
            }
        }
        match types.is_empty() {
            true => found,
            false => (Some(OwnName::AllTypes), types),
        }
    }

    /// The services that others may hear of.
    fn told_services(&self) -> impl Iterator<Item = (usize, &Service)> {
        let services = self.services.iter().enumerate();
        let services = services.filter_map(|(n, service)| Some((n, service.as_ref()?)));
        services.filter(|(_, service)| service.claim.is_ours() && !service.leaves)
    }

    /// What is likely to be asked for next (RFC 6763 section 12).
    fn additional_to(&self, answers: RecordSet) -> RecordSet {
        let mut additional = RecordSet::EMPTY;
        for record in answers.iter() {
            if let OwnRecordId::Pointer(n) = record {
                additional = additional
                    .with(OwnRecordId::Location(n))
                    .with(OwnRecordId::Text(n));
            }
            let leads_here = matches!(record, OwnRecordId::Pointer(_) | OwnRecordId::Location(_));
            if leads_here && self.host.as_ref().is_some_and(|host| host.claim.is_ours()) {
                additional = additional.union(self.addresses.both());
            }
            if matches!(record, OwnRecordId::Ipv4 | OwnRecordId::Ipv6) {
                additional = additional.union(self.addresses.beside(record));
            }
        }
        additional.minus(answers)
    }

    /// Section 7.1: "A Multicast DNS responder MUST NOT answer a Multicast DNS query if the answer it would
    /// give is already included in the Answer Section with an RR TTL at least half the correct value."
    fn known_to(&self, message: &MdnsMessage<'_>) -> RecordSet {
        let mut known = RecordSet::EMPTY;
        let is_fresh = |record: &Record<'_>, ours: OwnRecordId| record.ttl >= ours.ttl() / 2;
        for record in message.answers() {
            if let Some(ours) = self.same_as(&record)
                && is_fresh(&record, ours)
            {
                known = known.with(ours);
            }
        }
        // Of several addresses all have to be known.
        for ours in [OwnRecordId::Ipv4, OwnRecordId::Ipv6] {
            let mut addresses = self.addresses.of(ours);
            let is_known = |data| {
                let mut told = message.answers();
                told.any(|r| is_fresh(&r, ours) && self.is_one_of_ours(&r) && r.data == data)
            };
            if addresses.all(is_known) {
                known = known.with(ours);
            }
        }
        known
    }

    /// Our record that says the same.
    fn same_as(&self, record: &Record<'_>) -> Option<OwnRecordId> {
        if record.mdns_class() != CLASS_INTERNET {
            return None;
        }
        let host = self.host.as_ref();
        match record.data {
            RecordData::A(_) => self.is_all_of(OwnRecordId::Ipv4, record),
            #[cfg(feature = "proto-ipv6")]
            RecordData::Aaaa(_) => self.is_all_of(OwnRecordId::Ipv6, record),
            RecordData::Ptr(to) if host.is_some_and(|host| host.name().as_name() == to) => {
                let n = self.addresses.find_reverse(record.name)?;
                Some(OwnRecordId::Reverse(n))
            }
            RecordData::Ptr(to) => self.told_services().find_map(|(n, service)| {
                let kind = service.type_name();
                if kind.as_name() == record.name {
                    let is_it = service.instance_name().as_name() == to;
                    return is_it.then_some(OwnRecordId::Pointer(n));
                }
                let is_type = kind.as_name() == to && all_types().as_name() == record.name;
                is_type.then_some(OwnRecordId::Type(n))
            }),
            RecordData::Srv { port, target, .. } => {
                let (n, service) = self.instance_of(record)?;
                let host = host.map(Host::name)?;
                let is_it = service.port == port && host.as_name() == target;
                is_it.then_some(OwnRecordId::Location(n))
            }
            RecordData::Txt(text) => {
                let (n, service) = self.instance_of(record)?;
                (service.text[..] == *text.as_bytes()).then_some(OwnRecordId::Text(n))
            }
            _ => None,
        }
    }

    /// The same, or the addresses of which it is one.
    fn is_part_of(&self, record: &Record<'_>) -> Option<OwnRecordId> {
        if record.mdns_class() != CLASS_INTERNET || !self.is_one_of_ours(record) {
            return self.same_as(record);
        }
        Some(match record.data {
            RecordData::A(_) => OwnRecordId::Ipv4,
            _ => OwnRecordId::Ipv6,
        })
    }

    /// That set of addresses, if the record is all there is in it.
    fn is_all_of(&self, set: OwnRecordId, record: &Record<'_>) -> Option<OwnRecordId> {
        let is_all = self.addresses.of(set).all(|data| data == record.data);
        (is_all && self.is_one_of_ours(record)).then_some(set)
    }

    /// Whether a record is that of one of our addresses, of several perhaps.
    fn is_one_of_ours(&self, record: &Record<'_>) -> bool {
        let mut all = self.addresses.of(OwnRecordId::Ipv4);
        let mut all_v6 = self.addresses.of(OwnRecordId::Ipv6);
        let is_it = |data| data == record.data;
        let is_host = |host: &Host| host.name().as_name() == record.name;
        (all.any(is_it) || all_v6.any(is_it)) && self.host.as_ref().is_some_and(is_host)
    }

    /// The service whose instance a record is about, claimed or not.
    fn instance_of(&self, record: &Record<'_>) -> Option<(usize, &Service)> {
        let services = self.services.iter().enumerate();
        let mut services = services.filter_map(|(n, service)| Some((n, service.as_ref()?)));
        services.find(|(_, service)| service.instance_name().as_name() == record.name)
    }

    /// Section 5.4: an answer may be unicast only if it was multicast "within one quarter of its TTL".
    fn was_multicast_lately(&self, now: Instant, record: OwnRecordId) -> bool {
        let last = self.multicast.get(record.index()).copied().flatten();
        let quarter = Duration::from_secs(u64::from(record.ttl() / 4));
        last.is_some_and(|last| now.since(last) < quarter)
    }
}

pub(in crate::dns::mdns) const CLASS_INTERNET: u16 = 1;
const CLASS_ANY: u16 = 255;

/// The most bytes of a probe: one name twice, a host's name, and the longest text.
pub(super) const PROBE_LEN: usize = 700 + cygnet_config::MDNS_TEXT_SIZE;

const RECORD_PAUSE: Duration = Duration::from_secs(1);
const PROBE_PAUSE: Duration = Duration::from_millis(250);
