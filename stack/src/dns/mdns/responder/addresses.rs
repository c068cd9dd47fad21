//! The addresses of this host, and their records: from its name to them, and from each to its name.
//!
//! Those of one version of IP go together: whoever asks for them hears of all. Who has an address is not
//! probed for. RFC 6762 section 8.1: "when creating the reverse address mapping PTR records, the host can
//! reasonably assume that no other host will be trying to create those same PTR records".

use cygnet_config::IFACE_MAX_ADDR_COUNT;
use heapless::Vec;

use super::super::records::{OwnRecordId, REVERSES, RecordSet};
use super::super::versions::Versions;
use super::Responder;
use crate::rand::Random;
use crate::time::Instant;
use crate::wire::dns::{DnsName, Name, RecordData, RecordType};
use crate::wire::{IpAddress, IpVersion};

/// The addresses that there are, and those that there were.
#[derive(Clone, Debug)]
pub(super) struct HostAddresses {
    list: Vec<IpAddress, IFACE_MAX_ADDR_COUNT>,
    /// Over which versions everybody is talked to.
    versions: Versions,
    /// Those that are yet to be taken back.
    gone: Vec<IpAddress, GONE>,
}

impl HostAddresses {
    pub(super) const fn new() -> Self {
        Self {
            list: Vec::new(),
            versions: Versions::NONE,
            gone: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn versions(&self) -> Versions {
        self.versions
    }

    /// All records that there are of them.
    pub(super) fn records(&self) -> RecordSet {
        let reverses = 0..self.list.len().min(REVERSES);
        reverses.fold(self.both(), |records, n| {
            records.with(OwnRecordId::Reverse(n))
        })
    }

    /// Those of the host's name.
    pub(super) fn both(&self) -> RecordSet {
        let both = [OwnRecordId::Ipv4, OwnRecordId::Ipv6].into_iter();
        let there = both.filter(|&set| self.iter_of(set).next().is_some());
        there.fold(RecordSet::EMPTY, RecordSet::with)
    }

    /// What answers a question about the host's name.
    pub(super) fn answer(&self, asks_for: impl Fn(RecordType) -> bool) -> RecordSet {
        let mut wanted = RecordSet::EMPTY;
        for (set, kind) in [
            (OwnRecordId::Ipv4, RecordType::A),
            (OwnRecordId::Ipv6, RecordType::AAAA),
        ] {
            if asks_for(kind) && self.iter_of(set).next().is_some() {
                wanted = wanted.with(set);
            }
        }
        match wanted.is_empty() {
            true => wanted.with(OwnRecordId::HostHasNoOther),
            false => wanted,
        }
    }

    /// What goes with the addresses of one version.
    ///
    /// RFC 6762 section 6.2: "it SHOULD also place any records of the other address type with the same name into
    /// the additional section", or if there are none, that it has none.
    pub(super) fn beside(&self, set: OwnRecordId) -> RecordSet {
        let others = self.both().without(set);
        match others.is_empty() {
            true => others.with(OwnRecordId::HostHasNoOther),
            false => others,
        }
    }

    /// The addresses of one version.
    pub(super) fn iter_of(&self, set: OwnRecordId) -> impl Iterator<Item = IpAddress> {
        let is_in_set = move |address: &IpAddress| match address.version() {
            IpVersion::Ipv4 => set == OwnRecordId::Ipv4,
            #[cfg(feature = "proto-ipv6")]
            IpVersion::Ipv6 => set == OwnRecordId::Ipv6,
        };
        self.list.iter().copied().filter(is_in_set)
    }

    /// The same as records have them.
    pub(super) fn of(&self, set: OwnRecordId) -> impl Iterator<Item = RecordData<'static>> {
        self.iter_of(set).map(|address| match address {
            IpAddress::Ipv4(address) => RecordData::A(address),
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(address) => RecordData::Aaaa(address),
        })
    }

    /// The types of the host's records, for an NSEC record: A is 1 and AAAA is 28.
    pub(super) fn types(&self) -> &'static [u8] {
        let has = |set| self.iter_of(set).next().is_some();
        match (has(OwnRecordId::Ipv4), has(OwnRecordId::Ipv6)) {
            (true, true) => &[0x40, 0, 0, 0x08],
            (true, false) => &[0x40],
            (false, _) => &[0, 0, 0, 0x08],
        }
    }

    /// The name of an address.
    pub(super) fn reverse_name(&self, n: usize) -> Option<Name> {
        let &address = self.list.get(n)?;
        Name::of_address(address.into()).ok()
    }

    /// The address of that name.
    pub(super) fn find_reverse(&self, name: DnsName<'_>) -> Option<usize> {
        let is_it = |n: &usize| {
            self.reverse_name(*n)
                .is_some_and(|ours| ours.as_name() == name)
        };
        let mut all = 0..self.list.len().min(REVERSES);
        name.is_within(&[b"arpa"]).then(|| all.find(is_it))?
    }

    pub(super) fn gone(&self) -> impl Iterator<Item = IpAddress> {
        self.gone.iter().copied()
    }

    pub(super) fn owes_farewell(&self) -> bool {
        !self.gone.is_empty()
    }

    pub(super) fn said_farewell(&mut self) {
        self.gone.clear();
    }

    /// Replaces them. Those that are gone and were told are taken back.
    fn replace(&mut self, new: Vec<IpAddress, IFACE_MAX_ADDR_COUNT>, were_told: bool) {
        self.gone.retain(|gone| !new.contains(gone));
        for &old in self
            .list
            .iter()
            .filter(|old| were_told && !new.contains(old))
        {
            // What finds no room is forgotten by others in two minutes.
            let _ = self.gone.push(old);
        }
        self.list = new;
    }
}

impl<L: Copy> Responder<L> {
    /// The host's addresses, or none while the link is down, and over which versions everybody can be talked to.
    /// Whenever they change, and when the link came up, everything is claimed or told anew.
    pub(crate) fn set_addresses(
        &mut self,
        now: Instant,
        addresses: impl Iterator<Item = IpAddress>,
        versions: Versions,
        random: &mut Random,
    ) {
        let new: Vec<_, _> = addresses.take(IFACE_MAX_ADDR_COUNT).collect();
        let before = core::mem::replace(&mut self.addresses.versions, versions);
        if (&new, versions) == (&self.addresses.list, before) {
            return;
        }
        let was_empty = self.addresses.is_empty();
        let were_told = self.host.as_ref().is_some_and(|host| host.claim.is_ours());
        self.addresses.replace(new, were_told);
        if was_empty || self.addresses.is_empty() || versions.has_more_than(before) {
            // There are others to ask whether they have the names.
            self.restart(now, random);
            return;
        }
        // Which address is which may be another now.
        self.unicast.clear();
        for n in 0..REVERSES {
            let record = OwnRecordId::Reverse(n);
            self.pending.answers = self.pending.answers.without(record);
            if let Some(last) = self.multicast.get_mut(record.index()) {
                *last = None;
            }
        }
        if let Some(host) = &mut self.host {
            // Section 8.4: the flush bit ends what others remember of the old ones.
            host.claim.announce_again(now);
        }
    }
}

/// As many addresses are taken back at a time.
const GONE: usize = 4;
