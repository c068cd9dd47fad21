//! Who answers for this host and its services (RFC 6762 sections 6 to 11).
//!
//! Each name is claimed by itself. Answers to several questions wait together for the time that the RFC wants
//! shared answers to be spread over, and go in as few messages as they fit; what was multicast less than a
//! second ago is not multicast again, and what the asker or another host has said meanwhile is left out.

mod addresses;
mod answer;
#[cfg(test)]
mod tests;
mod write;

use cygnet_config::MDNS_SERVICE_COUNT;
use heapless::{Deque, String};

use self::addresses::HostAddresses;
pub(super) use self::answer::CLASS_INTERNET;
use self::answer::Unicast;
use self::write::Saying;
use super::claim::Claim;
use super::records::{OwnRecordId, RECORDS, RecordSet};
use super::service::{Host, MdnsError, MdnsService, MdnsServiceId, Service};
use super::versions::Versions;
use crate::rand::Random;
use crate::time::Instant;
use crate::wire::dns::Name;
use crate::wire::{IpAddress, IpEndpoint, IpVersion};

/// The responder of one interface. `L` says how a frame gets back to where one came from.
pub(crate) struct Responder<L> {
    host: Option<Host>,
    /// The host's name that others are yet to be told is none any more.
    former: Option<Host>,
    services: [Option<Service>; MDNS_SERVICE_COUNT],
    /// The host's addresses; none while the link is down.
    addresses: HostAddresses,
    /// What was said to those who hear one version of IP, and is yet to be said to those who hear the others.
    repeat: Option<(Saying, Versions)>,
    /// What is to be multicast.
    pending: Pending,
    unicast: Deque<Unicast<L>, UNICASTS>,
    /// When each record was last multicast.
    multicast: [Option<Instant>; RECORDS],
    /// Records that are to be taken back.
    farewell: RecordSet,
    /// Names changed, or are ours now.
    changed: bool,
    /// The number of the service that was added last.
    serial: u16,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    answers: RecordSet,
    additional: RecordSet,
    due: Instant,
    /// The host whose question it is alone, and which has more known answers to send.
    awaits: Option<IpAddress>,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct From<L> {
    pub(crate) endpoint: IpEndpoint,
    pub(crate) link: L,
    /// To the group, and not to this host alone.
    pub(crate) multicast: bool,
    /// Its sender is on the link, by its address.
    pub(crate) on_link: bool,
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination<L> {
    /// Who hears that version of IP.
    Everybody(IpVersion),
    One(IpEndpoint, L),
}

/// Why a message was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ignored {
    /// It is no message of this protocol, or was not sent as one.
    NotMdns,
    /// There are answers enough to be sent.
    Busy,
}

/// Whose name a claim is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Host,
    Service(usize),
}

// What its user wants.
impl<L: Copy> Responder<L> {
    pub(crate) const fn new() -> Self {
        Self {
            host: None,
            former: None,
            services: [const { None }; MDNS_SERVICE_COUNT],
            addresses: HostAddresses::new(),
            repeat: None,
            pending: Pending::NONE,
            unicast: Deque::new(),
            multicast: [None; RECORDS],
            farewell: RecordSet::EMPTY,
            changed: false,
            serial: 0,
        }
    }

    /// Whether there is anything to answer for.
    pub(crate) fn is_on(&self) -> bool {
        self.host.is_some() && !self.addresses.is_empty()
    }

    /// Names the host, or names it no more. What was told of it is taken back, in its former name.
    pub(crate) fn set_host(
        &mut self,
        now: Instant,
        name: Option<&str>,
        random: &mut Random,
    ) -> Result<(), MdnsError> {
        let host = name.map(Host::new).transpose()?;
        // Services point to it, so they go and come with it.
        for owner in self.owners() {
            self.say_farewell(owner);
            if let Some(claim) = self.claim_mut(owner) {
                claim.stop();
            }
        }
        let before = core::mem::replace(&mut self.host, host);
        self.former = self.former.take().or(before);
        self.restart(now, random);
        Ok(())
    }

    /// The host's name as it is now, without `.local`.
    pub(crate) fn host(&self) -> Option<String<63>> {
        Some(self.host.as_ref()?.label.current(63))
    }

    /// Adds a service.
    pub(crate) fn add_service(
        &mut self,
        now: Instant,
        service: &MdnsService<'_>,
        random: &mut Random,
    ) -> Result<MdnsServiceId, MdnsError> {
        let mut service = Service::new(service)?;
        let is_taken = |name: &Name| {
            let others = self.services.iter().flatten();
            others
                .map(Service::instance_name)
                .any(|other| other == *name)
        };
        // As if another host had it.
        while is_taken(&service.instance_name()) {
            service.count_up();
        }
        let free = self.services.iter().position(Option::is_none);
        let place = free.ok_or(MdnsError::TooManyServices)?;
        self.serial = self.serial.wrapping_add(1);
        service.serial = self.serial;
        let is_on = self.is_on();
        let slot = self.services.get_mut(place);
        let service = slot.map(|slot| slot.insert(service));
        if let Some(service) = service.filter(|_| is_on) {
            service.claim.start(now, random);
        }
        Ok(MdnsServiceId {
            place: place as u8,
            serial: self.serial,
        })
    }

    /// Takes a service back; false if it is gone already.
    pub(crate) fn remove_service(&mut self, id: MdnsServiceId) -> bool {
        let place = usize::from(id.place);
        match self.service_mut(place) {
            Some(service) if service.serial == id.serial && !service.leaves => {
                service.leaves = true;
            }
            _ => return false,
        }
        self.say_farewell(Owner::Service(place));
        self.sweep();
        true
    }

    /// The name of a service's instance as it is now.
    pub(crate) fn instance(&self, id: MdnsServiceId) -> Option<String<63>> {
        let service = self.service(usize::from(id.place))?;
        (service.serial == id.serial && !service.leaves).then(|| service.instance())
    }

    /// Whether all names are this host's, and everybody was told.
    pub(crate) fn is_settled(&self) -> bool {
        let mut any = false;
        let settled = self.claims().all(|claim| {
            any = true;
            claim.is_settled()
        });
        any && settled
    }

    /// Whether something happened since this was last asked that its user may wait for.
    pub(crate) fn take_changed(&mut self) -> bool {
        core::mem::take(&mut self.changed)
    }
}

// Claims.
impl<L: Copy> Responder<L> {
    /// Begins anew, or stops where there is nobody to talk to.
    fn restart(&mut self, now: Instant, random: &mut Random) {
        let is_on = self.is_on();
        self.pending = Pending::NONE;
        // A goodbye that not everybody heard is said anew.
        self.farewell = self.farewell_left();
        self.repeat = None;
        self.unicast.clear();
        self.multicast = [None; RECORDS];
        if self.addresses.is_empty() {
            self.farewell = RecordSet::EMPTY;
            self.said_farewell();
        }
        for claim in self.claims_mut() {
            match is_on {
                true => claim.start(now, random),
                false => claim.stop(),
            }
        }
        self.changed = true;
    }

    fn claims(&self) -> impl Iterator<Item = &Claim> {
        let services = self.services.iter().flatten();
        let services = services.filter(|s| !s.leaves).map(|s| &s.claim);
        self.host.iter().map(|host| &host.claim).chain(services)
    }

    fn claims_mut(&mut self) -> impl Iterator<Item = &mut Claim> {
        let services = self.services.iter_mut().flatten();
        let services = services.filter(|s| !s.leaves).map(|s| &mut s.claim);
        let host = self.host.iter_mut().map(|host| &mut host.claim);
        host.chain(services)
    }

    fn owners(&self) -> impl Iterator<Item = Owner> + use<L> {
        let services: [bool; MDNS_SERVICE_COUNT] =
            core::array::from_fn(|n| matches!(self.services.get(n), Some(Some(s)) if !s.leaves));
        let host = self.host.is_some().then_some(Owner::Host);
        let services = services.into_iter().enumerate();
        host.into_iter()
            .chain(services.filter_map(|(n, there)| there.then_some(Owner::Service(n))))
    }

    fn claim_mut(&mut self, owner: Owner) -> Option<&mut Claim> {
        match owner {
            Owner::Host => self.host.as_mut().map(|host| &mut host.claim),
            Owner::Service(n) => self.service_mut(n).map(|service| &mut service.claim),
        }
    }

    fn claim(&self, owner: Owner) -> Option<Claim> {
        match owner {
            Owner::Host => self.host.as_ref().map(|host| host.claim),
            Owner::Service(n) => self.service(n).map(|service| service.claim),
        }
    }

    fn service(&self, n: usize) -> Option<&Service> {
        self.services.get(n)?.as_ref()
    }

    fn service_mut(&mut self, n: usize) -> Option<&mut Service> {
        self.services.get_mut(n)?.as_mut()
    }

    /// The name that is to be its alone.
    fn unique_name(&self, owner: Owner) -> Option<Name> {
        match owner {
            Owner::Host => self.host.as_ref().map(Host::name),
            Owner::Service(n) => self.service(n).map(Service::instance_name),
        }
    }

    /// Somebody else has the name. One that was ours is probed for once more; one that was not is left to
    /// them.
    fn on_conflict(&mut self, now: Instant, owner: Owner, random: &mut Random) {
        let Some(claim) = self.claim(owner) else {
            return;
        };
        if claim.is_probing() {
            match owner {
                Owner::Host => {
                    if let Some(host) = &mut self.host {
                        host.label.count_up();
                    }
                }
                Owner::Service(n) => {
                    if let Some(service) = self.service_mut(n) {
                        service.count_up();
                    }
                }
            }
            self.changed = true;
        }
        if let Some(claim) = self.claim_mut(owner) {
            claim.on_conflict(now, random);
        }
        let gone = self.records_of(owner);
        self.pending.answers = self.pending.answers.minus(gone);
        self.pending.additional = self.pending.additional.minus(gone);
    }

    /// The records that are announced with a name.
    fn records_of(&self, owner: Owner) -> RecordSet {
        match owner {
            Owner::Host => self.addresses.records(),
            Owner::Service(n) => RecordSet::EMPTY
                .with(OwnRecordId::Pointer(n))
                .with(OwnRecordId::Location(n))
                .with(OwnRecordId::Text(n))
                .with(OwnRecordId::Type(n)),
        }
    }

    /// Takes back what was told of the host or a service.
    ///
    /// RFC 6762 section 10.1: "a Multicast DNS responder is about to cease to advertise" it.
    fn say_farewell(&mut self, owner: Owner) {
        if !self.claim(owner).is_some_and(|claim| claim.is_ours()) {
            return;
        }
        let mut records = self.records_of(owner);
        if let Owner::Service(n) = owner
            && self.has_other_of_type(n)
        {
            records = records.without(OwnRecordId::Type(n));
        }
        self.farewell = self.farewell.union(records);
        self.pending.answers = self.pending.answers.minus(self.farewell);
    }

    /// All that was to be taken back is, and forgotten.
    fn said_farewell(&mut self) {
        self.addresses.said_farewell();
        if self.farewell.is_empty() {
            self.former = None;
        }
        self.sweep();
    }

    /// What is to be taken back yet, from whomever.
    fn farewell_left(&self) -> RecordSet {
        match self.repeat {
            Some((Saying::Farewell(records), _)) => self.farewell.union(records),
            _ => self.farewell,
        }
    }

    fn has_other_of_type(&self, n: usize) -> bool {
        let Some(service) = self.service(n) else {
            return false;
        };
        let others = self.services.iter().enumerate();
        let mut others = others.filter_map(|(m, other)| other.as_ref().filter(|_| m != n));
        others.any(|other| other.claim.is_ours() && !other.leaves && other.is_of_type(service))
    }

    /// Forgets services of which nothing is left to say.
    fn sweep(&mut self) {
        for n in 0..MDNS_SERVICE_COUNT {
            let records = self.records_of(Owner::Service(n));
            let owes = records.minus(self.farewell_left()) != records;
            if let Some(slot) = self.services.get_mut(n)
                && slot.as_ref().is_some_and(|s| s.leaves)
                && !owes
            {
                *slot = None;
            }
        }
    }
}

impl Pending {
    const NONE: Self = Self {
        answers: RecordSet::EMPTY,
        additional: RecordSet::EMPTY,
        due: Instant::ZERO,
        awaits: None,
    };
}

/// Unicast answers that wait to be sent.
const UNICASTS: usize = 2;
