//! What goes out: probes, announcements, answers and goodbyes.

use super::super::claim::Due;
use super::super::records::{OwnRecordId, RecordSet};
use super::super::service::{Host, Service, all_types};
use super::super::versions::Versions;
use super::answer::{CLASS_INTERNET, LegacyQuestion, OwnName, Unicast};
use super::{Destination, Owner, Pending, Responder};
use crate::time::Instant;
use crate::wire::IpAddress;
use crate::wire::dns::{MdnsWriter, Name, OwnData, OwnRecord, RecordType, Section, TOP_BIT};

/// What a message to everybody says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Saying {
    /// Has somebody that name?
    Probe(Owner),
    /// This is so.
    Records {
        answers: RecordSet,
        additional: RecordSet,
    },
    /// This is so no more, beside what addresses there were.
    Farewell(RecordSet),
}

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
        let is_due = !self.unicast.is_empty() || self.repeat.is_some() || self.owes_farewell();
        if is_due {
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
        if let Some((saying, versions)) = self.repeat.take()
            && let Some(len) = self.say_again(saying, buffer)
        {
            return self.said(len, saying, versions);
        }
        if self.owes_farewell() {
            let (len, said) = self.write_farewell(buffer);
            return self.said(len, Saying::Farewell(said), self.addresses.versions());
        }
        for owner in self.owners() {
            match self.claim_mut(owner).and_then(|claim| claim.poll(now)) {
                Some(Due::Probe) => {
                    let len = self.write_probe(owner, buffer);
                    let versions = self.addresses.versions();
                    return self.said(len, Saying::Probe(owner), versions);
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
        let (len, said) = self.write_pending(now, buffer)?;
        self.said(len, said, self.addresses.versions())
    }

    /// What was said goes to those who hear the first of these versions, and then to the others.
    fn said(
        &mut self,
        len: usize,
        said: Saying,
        versions: Versions,
    ) -> Option<(usize, Destination<L>)> {
        let others = versions.rest();
        self.repeat = (!others.is_empty()).then_some((said, others));
        if self.repeat.is_none()
            && let Saying::Farewell(_) = said
        {
            self.said_farewell();
        }
        Some((len, Destination::Everybody(versions.first()?)))
    }

    /// `None` if there is nothing of it to say any more.
    fn say_again(&self, saying: Saying, buffer: &mut [u8]) -> Option<usize> {
        let mut writer = MdnsWriter::new(buffer, 0, true);
        match saying {
            Saying::Probe(owner) => {
                let is_probing = self.claim(owner).is_some_and(|claim| claim.is_probing());
                return is_probing.then(|| self.write_probe(owner, buffer));
            }
            Saying::Records {
                answers,
                additional,
            } => {
                self.write_set(&mut writer, Section::Answer, answers, Manner::Usual);
                self.write_set(&mut writer, Section::Additional, additional, Manner::Usual);
            }
            Saying::Farewell(records) => {
                self.write_gone(&mut writer);
                self.write_set(&mut writer, Section::Answer, records, Manner::Farewell);
            }
        }
        (writer.count(Section::Answer as usize) > 0).then(|| writer.finish())
    }

    /// As many of the answers as fit; the others come next. `None` if all of them are no more.
    fn write_pending(&mut self, now: Instant, buffer: &mut [u8]) -> Option<(usize, Saying)> {
        let mut writer = MdnsWriter::new(buffer, 0, true);
        let pending = self.pending;
        let (written, left) =
            self.write_set(&mut writer, Section::Answer, pending.answers, Manner::Usual);
        for record in written.iter() {
            if let Some(last) = self.multicast.get_mut(record.index()) {
                *last = Some(now);
            }
        }
        let mut additional = RecordSet::EMPTY;
        self.pending = match left.is_empty() || written.is_empty() {
            // What does not fit a message of its own is never sent.
            true => {
                additional = pending.additional.minus(pending.answers);
                self.write_set(&mut writer, Section::Additional, additional, Manner::Usual);
                Pending::NONE
            }
            false => Pending {
                answers: left,
                ..pending
            },
        };
        let said = Saying::Records {
            answers: written,
            additional,
        };
        (writer.count(Section::Answer as usize) > 0).then(|| (writer.finish(), said))
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

    fn owes_farewell(&self) -> bool {
        !self.farewell.is_empty() || self.addresses.owes_farewell()
    }

    /// Takes back what fits.
    fn write_farewell(&mut self, buffer: &mut [u8]) -> (usize, RecordSet) {
        let mut writer = MdnsWriter::new(buffer, 0, true);
        self.write_gone(&mut writer);
        let records = self.farewell;
        let (written, left) =
            self.write_set(&mut writer, Section::Answer, records, Manner::Farewell);
        self.farewell = match written.is_empty() {
            true => RecordSet::EMPTY,
            false => left,
        };
        (writer.finish(), written)
    }

    /// Takes back the addresses that this host has no more. The others of the name stay, so no cache is to be
    /// flushed.
    fn write_gone(&self, writer: &mut MdnsWriter<'_>) {
        let Some(name) = self.host_name(Manner::Farewell) else {
            return;
        };
        let mut take_back = |name: &Name, data| {
            let record = OwnRecord {
                name,
                class: CLASS_INTERNET,
                ttl: 0,
                data,
            };
            writer.record(Section::Answer, &record);
        };
        for address in self.addresses.gone() {
            take_back(&name, address_data(address));
            if let Ok(reverse) = Name::of_address(address.into()) {
                take_back(&reverse, OwnData::Ptr(&name));
            }
        }
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
            Owner::Host => self.addresses.both(),
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
        let host = || self.host_name(manner);
        Some(match id {
            OwnRecordId::Ipv4 | OwnRecordId::Ipv6 => {
                let name = host()?;
                let mut addresses = self.addresses.iter_of(id);
                addresses.all(|address| put(&name, address_data(address)))
            }
            OwnRecordId::HostHasNoOther => {
                let next = &host()?;
                let types = self.addresses.types();
                put(next, OwnData::Nsec { next, types })
            }
            OwnRecordId::Reverse(n) => {
                let reverse = self.addresses.reverse_name(n)?;
                put(&reverse, OwnData::Ptr(&host()?))
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

    /// The host's name; in a goodbye that which others know.
    fn host_name(&self, manner: Manner) -> Option<Name> {
        let host = match manner {
            Manner::Farewell => self.former.as_ref().or(self.host.as_ref()),
            Manner::Usual | Manner::Legacy | Manner::Probe => self.host.as_ref(),
        };
        host.map(Host::name)
    }

    fn own_name(&self, name: OwnName) -> Option<Name> {
        match name {
            OwnName::Host => self.host.as_ref().map(Host::name),
            OwnName::Instance(n) => self.service(n).map(Service::instance_name),
            OwnName::Type(n) => self.service(n).map(Service::type_name),
            OwnName::AllTypes => Some(all_types()),
            OwnName::Address(n) => self.addresses.reverse_name(n),
        }
    }
}

fn address_data(address: IpAddress) -> OwnData<'static> {
    match address {
        IpAddress::Ipv4(address) => OwnData::A(address.octets()),
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(address) => OwnData::Aaaa(address.octets()),
    }
}

const LEGACY_TTL: u32 = 10;
