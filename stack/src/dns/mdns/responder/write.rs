//! What goes out: probes, announcements, answers and goodbyes.

use super::super::claim::Due;
use super::super::records::{OwnRecordId, RecordSet};
use super::super::service::{Host, Service, all_types};
use super::answer::{CLASS_INTERNET, LegacyQuestion, OwnName, Unicast};
use super::{Destination, Owner, Pending, Responder};
use crate::time::Instant;
use crate::wire::dns::{MdnsWriter, Name, OwnData, OwnRecord, RecordType, Section, TOP_BIT};

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Usual,
    /// Section 6.7: without the bit, and for ten seconds at most.
    Legacy,
    /// Section 8.2: without the bit.
    Probe,
    /// Section 10.1: for no time at all.
    Farewell,
}

impl<L: Copy> Responder<L> {
    /// When [`Self::poll`] has something to send.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        if !self.unicast.is_empty() || !self.farewell.is_empty() {
            return Some(Instant::ZERO);
        }
        let pending = (!self.pending.answers.is_empty()).then_some(self.pending.due);
        let claims = self.claims().filter_map(|claim| claim.next_deadline());
        claims.chain(pending).min()
    }

    /// Writes the next message that is due into `buffer`. It counts as sent: ask only with room for it.
    pub(crate) fn poll(
        &mut self,
        now: Instant,
        buffer: &mut [u8],
    ) -> Option<(usize, Destination<L>)> {
        if let Some(unicast) = self.unicast.pop_front() {
            let len = self.write_unicast(&unicast, buffer);
            return Some((len, Destination::One(unicast.to, unicast.link)));
        }
        if !self.farewell.is_empty() {
            let len = self.write_farewell(buffer);
            return Some((len, Destination::Everybody));
        }
        for owner in self.owners() {
            match self.claim_mut(owner).and_then(|claim| claim.poll(now)) {
                Some(Due::Probe) => {
                    let len = self.write_probe(owner, buffer);
                    return Some((len, Destination::Everybody));
                }
                Some(Due::Announce) => {
                    let records = self.records_of(owner);
                    self.pending.answers = self.pending.answers.union(records);
                    self.pending.due = now;
                    self.changed = true;
                }
                None => {}
            }
        }
        if self.pending.answers.is_empty() || self.pending.due > now {
            return None;
        }
        let len = self.write_pending(now, buffer)?;
        Some((len, Destination::Everybody))
    }

    /// As many of the answers as fit; the others come next. `None` if all of them are no more.
    fn write_pending(&mut self, now: Instant, buffer: &mut [u8]) -> Option<usize> {
        let mut writer = MdnsWriter::new(buffer, 0, true);
        let pending = self.pending;
        let (written, left) =
            self.write_set(&mut writer, Section::Answer, pending.answers, Manner::Usual);
        for record in written.iter() {
            if let Some(last) = self.multicast.get_mut(record.index()) {
                *last = Some(now);
            }
        }
        self.pending = match left.is_empty() || written.is_empty() {
            // What does not fit a message of its own is never sent.
            true => {
                let additional = pending.additional.minus(pending.answers);
                self.write_set(&mut writer, Section::Additional, additional, Manner::Usual);
                Pending::NONE
            }
            false => Pending {
                answers: left,
                ..pending
            },
        };
        (writer.count(Section::Answer as usize) > 0).then(|| writer.finish())
    }

    fn write_unicast(&self, unicast: &Unicast<L>, buffer: &mut [u8]) -> usize {
        let id = unicast.legacy.map_or(0, |(id, _)| id);
        let mut writer = MdnsWriter::new(buffer, id, true);
        let mut manner = Manner::Usual;
        if let Some((_, LegacyQuestion { name, kind })) = unicast.legacy {
            manner = Manner::Legacy;
            if let Some(name) = self.own_name(name) {
                writer.question(&name, kind, CLASS_INTERNET);
            }
        }
        self.write_set(&mut writer, Section::Answer, unicast.answers, manner);
        self.write_set(&mut writer, Section::Additional, unicast.additional, manner);
        writer.finish()
    }

    fn write_farewell(&mut self, buffer: &mut [u8]) -> usize {
        let mut writer = MdnsWriter::new(buffer, 0, true);
        let records = self.farewell;
        let (written, left) =
            self.write_set(&mut writer, Section::Answer, records, Manner::Farewell);
        self.farewell = match written.is_empty() {
            true => RecordSet::EMPTY,
            false => left,
        };
        self.sweep();
        writer.finish()
    }

    /// Asks whether somebody has the name, and says what it would be for.
    ///
    /// Section 8.1: "All probe queries SHOULD be done using the desired resource record name and class [...]
    /// and query type "ANY"", and as "QU" questions.
    pub(super) fn write_probe(&self, owner: Owner, buffer: &mut [u8]) -> usize {
        let mut writer = MdnsWriter::new(buffer, 0, false);
        if let Some(name) = self.unique_name(owner) {
            writer.question(&name, RecordType::ANY, CLASS_INTERNET | TOP_BIT);
        }
        let unique = match owner {
            Owner::Host => RecordSet::EMPTY.with(OwnRecordId::Addresses),
            Owner::Service(n) => RecordSet::EMPTY
                .with(OwnRecordId::Location(n))
                .with(OwnRecordId::Text(n)),
        };
        self.write_set(&mut writer, Section::Authority, unique, Manner::Probe);
        writer.finish()
    }

    /// Writes the records that fit, and returns them and the others.
    fn write_set(
        &self,
        writer: &mut MdnsWriter<'_>,
        section: Section,
        records: RecordSet,
        manner: Manner,
    ) -> (RecordSet, RecordSet) {
        let mut written = RecordSet::EMPTY;
        for record in records.iter() {
            if self.write(writer, section, record, manner) != Some(false) {
                written = written.with(record);
            }
        }
        (written, records.minus(written))
    }

    /// Writes a record; `Some(false)` if it does not fit, `None` if it is no more.
    fn write(
        &self,
        writer: &mut MdnsWriter<'_>,
        section: Section,
        id: OwnRecordId,
        manner: Manner,
    ) -> Option<bool> {
        let unique = !id.is_shared() && matches!(manner, Manner::Usual | Manner::Farewell);
        let class = CLASS_INTERNET | if unique { TOP_BIT } else { 0 };
        let ttl = match manner {
            Manner::Usual | Manner::Probe => id.ttl(),
            Manner::Legacy => id.ttl().min(LEGACY_TTL),
            Manner::Farewell => 0,
        };
        let mut put = |name: &Name, data| {
            let record = OwnRecord {
                name,
                class,
                ttl,
                data,
            };
            writer.record(section, &record)
        };
        let host = || self.host.as_ref().map(Host::name);
        Some(match id {
            OwnRecordId::Addresses => {
                let name = host()?;
                let mut addresses = self.addresses.iter();
                addresses.all(|address| put(&name, OwnData::A(address.octets())))
            }
            OwnRecordId::HostHasNoOther => {
                let next = &host()?;
                // A is 1.
                put(
                    next,
                    OwnData::Nsec {
                        next,
                        types: &[0x40],
                    },
                )
            }
            OwnRecordId::Pointer(n) => {
                let service = self.service(n)?;
                put(&service.type_name(), OwnData::Ptr(&service.instance_name()))
            }
            OwnRecordId::Location(n) => {
                let service = self.service(n)?;
                let data = OwnData::Srv {
                    port: service.port,
                    target: &host()?,
                };
                put(&service.instance_name(), data)
            }
            OwnRecordId::Text(n) => {
                let service = self.service(n)?;
                put(&service.instance_name(), OwnData::Txt(&service.text))
            }
            OwnRecordId::Type(n) => {
                let kind = self.service(n).map(Service::type_name)?;
                put(&all_types(), OwnData::Ptr(&kind))
            }
            OwnRecordId::InstanceHasNoOther(n) => {
                let next = &self.service(n).map(Service::instance_name)?;
                // TXT is 16 and SRV is 33.
                let types = &[0, 0, 0x80, 0, 0x40];
                put(next, OwnData::Nsec { next, types })
            }
        })
    }

    fn own_name(&self, name: OwnName) -> Option<Name> {
        match name {
            OwnName::Host => self.host.as_ref().map(Host::name),
            OwnName::Instance(n) => self.service(n).map(Service::instance_name),
            OwnName::Type(n) => self.service(n).map(Service::type_name),
            OwnName::AllTypes => Some(all_types()),
        }
    }
}

const LEGACY_TTL: u32 = 10;
