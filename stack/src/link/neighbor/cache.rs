//! The table of neighbors, with the state machine of RFC 4861 section 7.3 for each.

use cygnet_config::IFACE_NEIGHBOR_CACHE_COUNT;

#[cfg(test)]
use super::NeighborState;
use super::entry::{Change, Entry, GaveUp, Reclaim, Use};
#[cfg(feature = "proto-ipv6")]
use super::timing::Timing;
use super::timing::{NeighborTiming, Timings};
#[cfg(feature = "proto-ipv6")]
use super::{Advertisement, is_one_station};
use super::{
    Claim, ClaimKind, Learned, Lookup, NeighborCacheFull, NeighborFailure, NeighborKey, Solicit,
};
use crate::ip::InterfaceId;
use crate::rand::Random;
use crate::storage::Uses;
use crate::time::Instant;
use crate::wire::{EthernetAddress, IpAddress};

/// The neighbors of all interfaces, at most `N` at a time.
///
/// `W` is what waits for a resolution, usually a list of sockets. Only a neighbor being resolved has
/// waiters. The cache hands them back when the resolution ends, and until then the entry cannot be
/// evicted.
#[derive(Debug)]
pub(crate) struct NeighborCache<W, const N: usize = IFACE_NEIGHBOR_CACHE_COUNT> {
    pub(super) slots: [Slot<W>; N],
    timings: Timings,
    /// The least deadline of all entries, kept exact by whatever moves one; [`Instant::FAR_FUTURE`] if there is none.
    next_deadline: Instant,
}

#[derive(Debug)]
pub(super) struct Slot<W> {
    uses: Uses,
    pub(super) entry: Option<Entry>,
    /// The default, unless `entry` is Incomplete.
    pub(super) waiters: W,
}

impl<W: Default, const N: usize> NeighborCache<W, N> {
    /// An empty cache. `rand` is any random number, which sets the ReachableTime of this cache.
    pub(crate) fn new(timing: NeighborTiming, rand: u32) -> Self {
        const { assert!(N <= u16::MAX as usize, "a NeighborKey indexes with 16 bits") };
        Self {
            slots: core::array::from_fn(|_| Slot {
                uses: Uses::NONE,
                entry: None,
                waiters: W::default(),
            }),
            timings: Timings::new(timing, rand),
            next_deadline: Instant::FAR_FUTURE,
        }
    }

    /// The same with the constants of RFC 4861 section 10.
    pub(crate) fn with_default_timing(random: &mut Random) -> Self {
        Self::new(NeighborTiming::default(), random.next_u32())
    }

    /// How neighbors of IPv6 are trusted and asked, as routers say it or by default.
    #[cfg(feature = "proto-ipv6")]
    pub(crate) fn ndp_timing_mut(&mut self) -> &mut Timing {
        &mut self.timings.ndp
    }

    /// The link address to send a packet for `address` to, or what to do without one.
    ///
    /// Starts a resolution if there is none, and starts to doubt an address that has not been
    /// confirmed for ReachableTime. `hint` remembers the entry: with a fresh one the cost does not
    /// depend on the size of the table.
    pub(crate) fn lookup(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        address: IpAddress,
        hint: &mut Option<NeighborKey>,
    ) -> Lookup {
        let Some(index) = self
            .hinted(*hint, interface, address)
            .or_else(|| self.find(interface, address))
            .or_else(|| self.start_resolution(now, interface, address))
        else {
            return Lookup::Exhausted;
        };
        let Some(Slot {
            uses,
            entry: Some(entry),
            ..
        }) = self.slots.get_mut(index)
        else {
            return Lookup::Exhausted;
        };
        let key = NeighborKey::new(index, *uses);
        *hint = Some(key);

        let deadline = entry.deadline();
        let outcome = entry.on_use(now, self.timings.of(address).constants());
        if entry.deadline() != deadline {
            self.refresh_deadline();
        }
        match outcome {
            Use::Send(hardware) => Lookup::Reachable(hardware),
            Use::Wait => Lookup::Pending(key),
            Use::Refuse => Lookup::Unreachable,
        }
    }

    /// Whether a packet may go to a neighbor about whose link address there is no doubt, as a lookup would
    /// say. Says no where only a lookup knows.
    #[inline]
    pub(crate) fn use_confirmed(&mut self, now: Instant, key: NeighborKey) -> bool {
        let entry = slot(&mut self.slots, key).and_then(|slot| slot.entry.as_mut());
        entry.is_some_and(|entry| entry.use_confirmed(now))
    }

    /// The link address of a neighbor that a lookup has just found reachable.
    // By reference: moved out of its state it would be read back in other pieces than it was written.
    #[inline]
    pub(crate) fn hardware(&self, key: NeighborKey) -> Option<&EthernetAddress> {
        let slot = self.slots.get(key.index())?;
        slot.entry.as_ref()?.hardware()
    }

    /// Whether the link address of a neighbor is known, confirmed of late or not.
    #[cfg(feature = "slaac")]
    pub(crate) fn knows(&self, interface: InterfaceId, address: IpAddress) -> bool {
        let slot = self.find(interface, address);
        let slot = slot.and_then(|index| self.slots.get(index));
        let entry = slot.and_then(|slot| slot.entry.as_ref());
        entry.is_some_and(|entry| entry.hardware().is_some())
    }

    /// Who waits for the resolution of `key`; `None` once it has ended and they were handed back.
    pub(crate) fn waiters_mut(&mut self, key: NeighborKey) -> Option<&mut W> {
        let slot = slot(&mut self.slots, key)?;
        let resolving = slot.entry.as_ref().is_some_and(Entry::is_resolving);
        resolving.then_some(&mut slot.waiters)
    }

    /// A packet from the link says who has an address. [`ClaimKind`] tells what is believed when.
    pub(crate) fn on_claim(&mut self, now: Instant, claim: &Claim) -> Learned<W> {
        if !claim.names_neighbor() {
            return Learned::Unchanged;
        }
        let Some(index) = self.find(claim.interface, claim.address) else {
            return self.learn_stranger(now, claim);
        };
        let reachable_time = self.timings.of(claim.address).reachable_time();
        self.change(index, |entry| {
            entry.on_claim(now, claim.hardware, claim.kind, reachable_time)
        })
    }

    /// A neighbor advertisement. Section 7.2.5: "If no entry exists, the advertisement SHOULD be silently
    /// discarded."
    #[cfg(feature = "proto-ipv6")]
    pub(crate) fn on_advertisement(
        &mut self,
        now: Instant,
        advertisement: &Advertisement,
    ) -> Learned<W> {
        let is_honest = advertisement.hardware.is_none_or(is_one_station);
        let known = self.find(advertisement.interface, advertisement.address);
        let (Some(index), true) = (known, is_honest) else {
            return Learned::Unchanged;
        };
        let reachable_time = self.timings.of(advertisement.address).reachable_time();
        self.change(index, |entry| {
            entry.on_advertisement(now, advertisement, reachable_time)
        })
    }

    /// Does something to an entry, and sees to what follows.
    fn change(&mut self, index: usize, f: impl FnOnce(&mut Entry) -> Change) -> Learned<W> {
        let Some(Slot {
            entry: Some(entry),
            waiters,
            ..
        }) = self.slots.get_mut(index)
        else {
            return Learned::Unchanged;
        };
        let learned = match f(entry) {
            Change::Unchanged => return Learned::Unchanged,
            #[cfg(feature = "proto-ipv6")]
            Change::Agreed => return Learned::Agreed,
            Change::Updated => Learned::Updated,
            Change::Contested => Learned::Contested,
            Change::Resolved => Learned::Resolved(core::mem::take(waiters)),
        };
        self.refresh_deadline();
        learned
    }

    /// RFC 826: who asks for our address is likely to be answered next, so it gets an entry; but a
    /// neighbor in use never makes room for it, or a flood of requests could empty the table.
    fn learn_stranger(&mut self, now: Instant, claim: &Claim) -> Learned<W> {
        match claim.kind {
            ClaimKind::Request => {}
            #[cfg(feature = "proto-ipv6")]
            ClaimKind::Solicitation => {}
            ClaimKind::Reply | ClaimKind::Announcement => return Learned::Unchanged,
        }
        let entry = Entry::stale(now, claim.interface, claim.address, claim.hardware);
        match self.insert(entry, now, Reclaim::Stale) {
            Some(_) => Learned::Updated,
            None => Learned::Unchanged,
        }
    }

    /// An upper layer got an answer to what it sent through this neighbor, such as a TCP
    /// acknowledgment of new data: as good as an answer to a request (RFC 4861 section 7.3.1). True if there was some
    /// doubt, for which the entry may have been kept.
    pub(crate) fn confirm_reachability(&mut self, now: Instant, key: NeighborKey) -> bool {
        let Some(entry) = slot(&mut self.slots, key).and_then(|slot| slot.entry.as_mut()) else {
            return false;
        };
        let deadline = entry.deadline();
        let reachable_time = self.timings.of(entry.address).reachable_time();
        entry.on_forward_progress(now + reachable_time);
        let was_in_doubt = entry.deadline() != deadline;
        if was_in_doubt {
            self.refresh_deadline();
        }
        was_in_doubt
    }

    /// An upper layer has sent through this neighbor again and again, and nothing was answered (RFC 1122 section
    /// 3.3.1.4): it is asked at once whether it has the address that is known.
    pub(crate) fn doubt(&mut self, _now: Instant, key: NeighborKey) {
        if let Some(entry) = slot(&mut self.slots, key).and_then(|slot| slot.entry.as_mut()) {
            entry.on_doubt();
            self.refresh_deadline();
        }
    }

    /// The next request that is due, which counts as sent: ask only with room to transmit it.
    pub(crate) fn poll_solicit(&mut self, now: Instant) -> Option<Solicit> {
        if !self.is_due(now) {
            return None;
        }
        let mut entries = self.slots.iter_mut().filter_map(|slot| slot.entry.as_mut());
        let solicit = entries.find_map(|entry| {
            Some(Solicit {
                to: entry.poll_solicit(now, self.timings.of(entry.address).constants())?,
                interface: entry.interface,
                target: entry.address,
            })
        })?;
        self.refresh_deadline();
        Some(solicit)
    }

    /// Whether [`Self::poll_solicit`] has something to send, so that room to transmit is wanted.
    pub(crate) fn solicit_due(&self, now: Instant) -> bool {
        self.is_due(now)
            && self
                .slots
                .iter()
                .filter_map(|slot| slot.entry.as_ref())
                .any(|entry| entry.solicit_due(now, self.timings.of(entry.address).constants()))
    }

    /// The next neighbor that does not answer; to be called until it returns `None`.
    ///
    /// Nobody waits for those whose known address stopped answering: they are forgotten, and the next packet
    /// for them starts a resolution.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> Option<NeighborFailure<W>> {
        if !self.is_due(now) {
            return None;
        }
        let mut failure = None;
        for slot in &mut self.slots {
            let Some(entry) = slot.entry.as_mut() else {
                continue;
            };
            match entry.on_timeout(now, self.timings.of(entry.address).constants()) {
                None => {}
                Some(GaveUp::Probing) => {
                    failure = Some(NeighborFailure {
                        interface: entry.interface,
                        address: entry.address,
                        waiters: W::default(),
                    });
                    slot.vacate();
                    break;
                }
                Some(GaveUp::Resolving) => {
                    failure = Some(NeighborFailure {
                        interface: entry.interface,
                        address: entry.address,
                        waiters: core::mem::take(&mut slot.waiters),
                    });
                    break;
                }
            }
        }
        self.refresh_deadline();
        failure
    }

    /// When [`Self::on_timeout`] and [`Self::poll_solicit`] are next to be called. It lies in the
    /// past as long as a request waits for room to transmit.
    pub(crate) fn next_deadline(&self) -> Instant {
        self.next_deadline
    }

    /// The state of the neighbor's entry, for diagnostics; `None` if it has none.
    #[cfg(test)]
    pub(crate) fn state(
        &self,
        now: Instant,
        interface: InterfaceId,
        address: IpAddress,
    ) -> Option<NeighborState> {
        let slot = self.slots.get(self.find(interface, address)?)?;
        Some(slot.entry.as_ref()?.state(now))
    }

    /// Adds a neighbor that no packet changes and no shortage evicts, in place of what was known.
    ///
    /// Returns who waited for its resolution. A group or zero `hardware` address is taken as it is:
    /// it was configured, not heard.
    pub(crate) fn add_permanent(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        address: IpAddress,
        hardware: EthernetAddress,
    ) -> Result<Option<W>, NeighborCacheFull> {
        let waiters = self.remove(interface, address);
        let entry = Entry::permanent(now, interface, address, hardware);
        // A removed entry's slot is free, so waiters cannot be lost to a full table.
        match self.insert(entry, now, Reclaim::InUse) {
            Some(_) => Ok(waiters),
            None => Err(NeighborCacheFull),
        }
    }

    /// Forgets a neighbor. Returns who waited for it, if a resolution was under way.
    pub(crate) fn remove(&mut self, interface: InterfaceId, address: IpAddress) -> Option<W> {
        let index = self.find(interface, address)?;
        let slot = self.slots.get_mut(index)?;
        let resolving = slot.entry.as_ref().is_some_and(Entry::is_resolving);
        let waiters = core::mem::take(&mut slot.waiters);
        slot.vacate();
        self.refresh_deadline();
        resolving.then_some(waiters)
    }

    /// Forgets what was learned on `interface`, because its link went down or its addresses changed.
    ///
    /// Permanent entries stay; resolutions under way start over, and their waiters keep waiting.
    pub(crate) fn flush(&mut self, interface: InterfaceId) {
        for slot in &mut self.slots {
            match slot.entry.as_mut() {
                Some(entry) if entry.interface != interface || entry.is_permanent() => {}
                Some(entry) if entry.is_resolving() => entry.restart(),
                Some(_) => slot.vacate(),
                None => {}
            }
        }
        self.refresh_deadline();
    }

    fn hinted(
        &self,
        hint: Option<NeighborKey>,
        interface: InterfaceId,
        address: IpAddress,
    ) -> Option<usize> {
        let index = hint?.index();
        let entry = self.slots.get(index)?.entry.as_ref()?;
        // An address has one entry at most, so it says more than the generation could.
        entry.is(interface, address).then_some(index)
    }

    fn find(&self, interface: InterfaceId, address: IpAddress) -> Option<usize> {
        self.slots.iter().position(|slot| {
            slot.entry
                .as_ref()
                .is_some_and(|entry| entry.is(interface, address))
        })
    }

    fn start_resolution(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        address: IpAddress,
    ) -> Option<usize> {
        let entry = Entry::resolving(now, interface, address);
        self.insert(entry, now, Reclaim::InUse)
    }

    /// Puts `entry` into a free slot or, least recently used first, into that of an entry no more
    /// valuable than `at_most`.
    fn insert(&mut self, entry: Entry, now: Instant, at_most: Reclaim) -> Option<usize> {
        let free = self.slots.iter().position(|slot| slot.entry.is_none());
        let index = free.or_else(|| {
            self.slots
                .iter()
                .enumerate()
                .filter_map(|(index, slot)| {
                    let victim = slot.entry.as_ref()?;
                    let value = victim.reclaim(now).filter(|value| *value <= at_most)?;
                    Some((value, victim.last_used, index))
                })
                .min()
                .map(|(_, _, index)| index)
        })?;
        let slot = self.slots.get_mut(index)?;
        slot.vacate();
        slot.entry = Some(entry);
        self.refresh_deadline();
        Some(index)
    }

    fn is_due(&self, now: Instant) -> bool {
        self.next_deadline <= now
    }

    fn refresh_deadline(&mut self) {
        let entries = self.slots.iter().filter_map(|slot| slot.entry.as_ref());
        let next = entries.filter_map(Entry::deadline).min();
        self.next_deadline = next.unwrap_or(Instant::FAR_FUTURE);
    }
}

/// The slot of an entry that still lives.
#[inline]
fn slot<W>(slots: &mut [Slot<W>], key: NeighborKey) -> Option<&mut Slot<W>> {
    let slot = slots.get_mut(key.index())?;
    key.is_of(slot.uses).then_some(slot)
}

impl<W> Slot<W> {
    fn vacate(&mut self) {
        if self.entry.take().is_some() {
            self.uses.end();
        }
    }
}
