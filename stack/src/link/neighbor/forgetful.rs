//! In place of `cache.rs`: neighbors are never asked whether they are still there. What is known of one is forgotten
//! [`LIFETIME`] after it was heard of last (RFC 1122 section 2.3.2.1), and the last who claims an address has it, as in
//! RFC 826.
//!
//! ```text
//!             answer           claims, and progress of an upper layer
//!   Asked ───────────► Known ◄──┐
//!    │  ▲                │ └────┘
//!    │  └── next packet ─┴─ time over, or an upper layer without answers
//!    ▼      after a second
//!   Silent ──┘
//! ```

use cygnet_config::IFACE_NEIGHBOR_CACHE_COUNT;
use zerocopy::native_endian::U64;

use super::{
    Claim, ClaimKind, Learned, Lookup, NeighborCacheFull, NeighborFailure, NeighborKey, Solicit,
    SolicitTo,
};
use crate::ip::InterfaceId;
use crate::rand::Random;
use crate::storage::Uses;
use crate::time::{Duration, Instant};
use crate::wire::{EthernetAddress, IpAddress};

/// The neighbors of all interfaces, at most `N` at a time.
///
/// `W` is what waits for a resolution, usually a list of sockets. Only a neighbor that is asked for has
/// waiters. The cache hands them back when the resolution ends, and until then the entry cannot be
/// evicted.
#[derive(Debug)]
pub(crate) struct NeighborCache<W, const N: usize = IFACE_NEIGHBOR_CACHE_COUNT> {
    slots: [Slot<W>; N],
    /// When a request is due next; [`Instant::FAR_FUTURE`] if none is.
    next_deadline: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Slot<W> {
    address: IpAddress,
    interface: InterfaceId,
    state: State,
    /// When the state ends: that of who is asked with the next request, or without one more; that of who was
    /// configured never. In microseconds, and not aligned: as far as alignment goes a slot has no hole then.
    until: U64,
    uses: Uses,
    waiters: W,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    /// So many requests were sent.
    Asked(u8),
    Known(EthernetAddress),
    /// Did not answer.
    Silent,
}

impl<W: Copy + Default, const N: usize> NeighborCache<W, N> {
    /// An empty cache.
    pub(crate) fn with_default_timing(_random: &mut Random) -> Self {
        const { assert!(N <= u16::MAX as usize, "a NeighborKey indexes with 16 bits") };
        Self {
            slots: [Slot {
                address: NOBODY,
                interface: InterfaceId::FIRST,
                state: State::Free,
                until: U64::ZERO,
                uses: Uses::NONE,
                waiters: W::default(),
            }; N],
            next_deadline: Instant::FAR_FUTURE,
        }
    }

    /// The link address to send a packet for `address` to, or what to do without one.
    ///
    /// Starts a resolution if there is none. `hint` remembers the entry.
    pub(crate) fn lookup(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        address: IpAddress,
        hint: &mut Option<NeighborKey>,
    ) -> Lookup {
        let found = self.find_or_claim(interface, address, Instant::FAR_FUTURE);
        let Some((index, slot)) = found else {
            return Lookup::Exhausted;
        };
        let key = NeighborKey::new(index, slot.uses);
        *hint = Some(key);
        match slot.state {
            State::Known(hardware) if now < slot.until() => return Lookup::Reachable(hardware),
            State::Silent if now < slot.until() => return Lookup::Unreachable,
            State::Asked(_) => {}
            State::Free | State::Known(_) | State::Silent => {
                slot.state = State::Asked(0);
                slot.set_until(now);
                self.refresh_deadline();
            }
        }
        Lookup::Pending(key)
    }

    /// Whether a packet may go to a neighbor, as a lookup would say. Says no where only a lookup knows.
    #[inline]
    pub(crate) fn use_confirmed(&mut self, now: Instant, key: NeighborKey) -> bool {
        self.slot(key)
            .is_some_and(|slot| matches!(slot.state, State::Known(_)) && now < slot.until())
    }

    /// The link address of a neighbor that a lookup has just found reachable.
    // By reference: moved out of its state it would be read back in other pieces than it was written.
    #[inline]
    pub(crate) fn hardware(&self, key: NeighborKey) -> Option<&EthernetAddress> {
        match &self.slots.get(key.index())?.state {
            State::Known(hardware) => Some(hardware),
            _ => None,
        }
    }

    /// Who waits for the resolution of `key`; `None` once it has ended and they were handed back.
    pub(crate) fn waiters_mut(&mut self, key: NeighborKey) -> Option<&mut W> {
        let slot = self.slot(key)?;
        slot.is_asked().then_some(&mut slot.waiters)
    }

    /// A packet from the link says who has an address. RFC 826: who asks for our address is likely to be answered
    /// next, so it gets an entry; but a neighbor in use never makes room for it, or a flood of requests could
    /// empty the table.
    pub(crate) fn on_claim(&mut self, now: Instant, claim: &Claim) -> Learned<W> {
        if !claim.names_neighbor() {
            return Learned::Unchanged;
        }
        let in_place_of = match claim.kind {
            ClaimKind::Request => now,
            ClaimKind::Reply | ClaimKind::Announcement => Instant::ZERO,
        };
        let slot = match self.find_or_claim(claim.interface, claim.address, in_place_of) {
            Some((_, slot)) if !slot.is_permanent() => slot,
            _ => return Learned::Unchanged,
        };
        let was_asked = slot.is_asked();
        slot.state = State::Known(claim.hardware);
        slot.set_until(now + LIFETIME);
        if !was_asked {
            return Learned::Updated;
        }
        let waiters = core::mem::take(&mut slot.waiters);
        self.refresh_deadline();
        Learned::Resolved(waiters)
    }

    /// An upper layer got an answer to what it sent through this neighbor, such as a TCP
    /// acknowledgment of new data: as good as an answer to a request. False: no entry is kept for a doubt.
    pub(crate) fn confirm_reachability(&mut self, now: Instant, key: NeighborKey) -> bool {
        self.believe_until(key, now + LIFETIME);
        false
    }

    /// An upper layer has sent through this neighbor again and again, and nothing was answered (RFC 1122 section
    /// 3.3.1.4): the next packet asks everybody.
    pub(crate) fn doubt(&mut self, now: Instant, key: NeighborKey) {
        self.believe_until(key, now);
    }

    /// A neighbor that is known is so until then, unless it is for ever.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn believe_until(&mut self, key: NeighborKey, until: Instant) {
        if let Some(slot) = self.slot(key)
            && matches!(slot.state, State::Known(_))
            && !slot.is_permanent()
        {
            slot.set_until(until);
        }
    }

    /// The next request that is due, which counts as sent: ask only with room to transmit it.
    pub(crate) fn poll_solicit(&mut self, now: Instant) -> Option<Solicit> {
        let slot = self.due(now, false)?;
        if let State::Asked(sent) = &mut slot.state {
            *sent += 1;
        }
        slot.set_until(now + RETRANS_TIMER);
        let solicit = Solicit {
            interface: slot.interface,
            target: slot.address,
            to: SolicitTo::Broadcast,
        };
        self.refresh_deadline();
        Some(solicit)
    }

    /// Whether [`Self::poll_solicit`] has something to send, so that room to transmit is wanted.
    pub(crate) fn solicit_due(&self, now: Instant) -> bool {
        self.first_due(now, false).is_some()
    }

    /// The next neighbor that does not answer; to be called until it returns `None`.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> Option<NeighborFailure<W>> {
        let slot = self.due(now, true)?;
        slot.state = State::Silent;
        slot.set_until(now + HOLD_DOWN);
        let failure = NeighborFailure {
            interface: slot.interface,
            address: slot.address,
            waiters: core::mem::take(&mut slot.waiters),
        };
        self.refresh_deadline();
        Some(failure)
    }

    /// When [`Self::on_timeout`] and [`Self::poll_solicit`] are next to be called. It lies in the
    /// past as long as a request waits for room to transmit.
    pub(crate) fn next_deadline(&self) -> Instant {
        self.next_deadline
    }

    /// Adds a neighbor that no packet changes and no shortage evicts, in place of what was known.
    ///
    /// Returns who waited for its resolution. A group or zero `hardware` address is taken as it is:
    /// it was configured, not heard.
    pub(crate) fn add_permanent(
        &mut self,
        _now: Instant,
        interface: InterfaceId,
        address: IpAddress,
        hardware: EthernetAddress,
    ) -> Result<Option<W>, NeighborCacheFull> {
        let waiters = self.remove(interface, address);
        // A removed entry's slot is free, so waiters cannot be lost to a full table.
        let claimed = self.find_or_claim(interface, address, Instant::FAR_FUTURE);
        let (_, slot) = claimed.ok_or(NeighborCacheFull)?;
        slot.state = State::Known(hardware);
        slot.set_until(Instant::FAR_FUTURE);
        Ok(waiters)
    }

    /// Forgets a neighbor. Returns who waited for it, if a resolution was under way.
    pub(crate) fn remove(&mut self, interface: InterfaceId, address: IpAddress) -> Option<W> {
        let index = self.find(interface, address)?;
        let slot = self.slots.get_mut(index)?;
        let was_asked = slot.is_asked();
        let waiters = core::mem::take(&mut slot.waiters);
        slot.vacate();
        self.refresh_deadline();
        was_asked.then_some(waiters)
    }

    /// Forgets what was learned on `interface`, because its link went down or its addresses changed.
    ///
    /// Permanent entries stay; resolutions under way start over, and their waiters keep waiting.
    pub(crate) fn flush(&mut self, interface: InterfaceId) {
        for slot in &mut self.slots {
            if slot.interface != interface || slot.is_permanent() {
                continue;
            }
            match &mut slot.state {
                State::Asked(sent) => *sent = 0,
                _ => slot.vacate(),
            }
        }
        self.refresh_deadline();
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn slot(&mut self, key: NeighborKey) -> Option<&mut Slot<W>> {
        let slot = self.slots.get_mut(key.index())?;
        key.is_of(slot.uses).then_some(slot)
    }

    /// A neighbor that is to be asked once more; or, of those who were asked in vain, one whose time is over.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn first_due(&self, now: Instant, in_vain: bool) -> Option<usize> {
        if self.next_deadline > now {
            return None;
        }
        self.places().iter().position(|slot| match slot.state {
            State::Asked(sent) => (sent == REQUESTS) == in_vain && slot.until() <= now,
            _ => false,
        })
    }

    fn due(&mut self, now: Instant, in_vain: bool) -> Option<&mut Slot<W>> {
        let index = self.first_due(now, in_vain)?;
        self.slots.get_mut(index)
    }

    fn find(&self, interface: InterfaceId, address: IpAddress) -> Option<usize> {
        let mut slots = self.slots.iter();
        slots.position(|slot| slot.is_of(interface, address))
    }

    /// The slot of a neighbor, and its number; or else that of the one whose time ends first, if that is before then. A
    /// free one has had its time.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn find_or_claim(
        &mut self,
        interface: InterfaceId,
        address: IpAddress,
        in_place_of: Instant,
    ) -> Option<(usize, &mut Slot<W>)> {
        let mut chosen = None;
        let mut end = in_place_of;
        for (index, slot) in self.places().iter().enumerate() {
            if slot.is_of(interface, address) {
                chosen = Some(index);
                break;
            }
            if !slot.is_asked() && slot.until() < end {
                end = slot.until();
                chosen = Some(index);
            }
        }
        let index = chosen?;
        let slot = self.slots.get_mut(index)?;
        if !slot.is_of(interface, address) {
            slot.vacate();
            slot.interface = interface;
            slot.address = address;
        }
        Some((index, slot))
    }

    /// All places. How many they are is nothing to make use of: each looked at on its own they would take four times the
    /// code.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn places(&self) -> &[Slot<W>] {
        core::hint::black_box(&self.slots)
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn refresh_deadline(&mut self) {
        let mut first = Instant::FAR_FUTURE;
        for slot in self.places() {
            if slot.is_asked() {
                first = first.min(slot.until());
            }
            core::hint::black_box(());
        }
        self.next_deadline = first;
    }
}

impl<W> Slot<W> {
    fn is_of(&self, interface: InterfaceId, address: IpAddress) -> bool {
        !matches!(self.state, State::Free) && self.address == address && self.interface == interface
    }

    fn until(&self) -> Instant {
        Instant::from_micros(self.until.get())
    }

    fn set_until(&mut self, until: Instant) {
        self.until = until.as_micros().into();
    }

    fn is_asked(&self) -> bool {
        matches!(self.state, State::Asked(_))
    }

    fn is_permanent(&self) -> bool {
        self.until() == Instant::FAR_FUTURE
    }

    fn vacate(&mut self) {
        self.state = State::Free;
        self.set_until(Instant::ZERO);
        self.uses.end();
    }
}

const NOBODY: IpAddress = IpAddress::Ipv4(core::net::Ipv4Addr::UNSPECIFIED);

/// How long a neighbor is believed that is not heard of. RFC 1122 section 2.3.2.1: "the timeout should be on the order
/// of a minute".
const LIFETIME: Duration = Duration::from_secs(60);

/// How often everybody is asked before a resolution fails.
const REQUESTS: u8 = 3;

/// The least time between two requests to one neighbor.
const RETRANS_TIMER: Duration = Duration::from_secs(1);

/// How long lookups of a silent neighbor are refused before the next resolution.
const HOLD_DOWN: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::*;
    use crate::rand::Seed;

    const LINK: InterfaceId = InterfaceId(0);
    const OTHER_LINK: InterfaceId = InterfaceId(1);
    const MAC_A: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 0xa]);
    const MAC_B: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 0xb]);

    /// A cache of four whose waiters are counted.
    type Cache = NeighborCache<u32, 4>;

    fn cache() -> Cache {
        Cache::with_default_timing(&mut Random::new(Seed::from(0)))
    }

    fn host(n: u8) -> IpAddress {
        IpAddress::Ipv4(Ipv4Addr::new(192, 0, 2, n))
    }

    fn secs(n: u64) -> Instant {
        Instant::from_secs(n)
    }

    fn lookup(cache: &mut Cache, now: Instant, n: u8) -> Lookup {
        cache.lookup(now, LINK, host(n), &mut None)
    }

    /// Looks up an address that is not known, and parks on it.
    fn park(cache: &mut Cache, now: Instant, n: u8) -> NeighborKey {
        let Lookup::Pending(key) = lookup(cache, now, n) else {
            panic!("{n} is not asked for");
        };
        *cache.waiters_mut(key).unwrap() += 1;
        key
    }

    fn claim(
        cache: &mut Cache,
        now: Instant,
        n: u8,
        hardware: EthernetAddress,
        kind: ClaimKind,
    ) -> Learned<u32> {
        let claim = Claim {
            interface: LINK,
            address: host(n),
            hardware,
            kind,
        };
        cache.on_claim(now, &claim)
    }

    fn resolve(cache: &mut Cache, now: Instant, n: u8) -> NeighborKey {
        let key = park(cache, now, n);
        let answer = claim(cache, now, n, MAC_A, ClaimKind::Reply);
        assert_eq!(answer, Learned::Resolved(1));
        key
    }

    #[test]
    fn asks_everybody_and_hands_the_waiters_back() {
        let mut cache = cache();
        let key = park(&mut cache, secs(1), 1);
        assert!(cache.solicit_due(secs(1)));
        let request = Solicit {
            interface: LINK,
            target: host(1),
            to: SolicitTo::Broadcast,
        };
        assert_eq!(cache.poll_solicit(secs(1)), Some(request));
        assert!(!cache.use_confirmed(secs(1), key));

        let answer = claim(&mut cache, secs(1), 1, MAC_A, ClaimKind::Reply);
        assert_eq!(answer, Learned::Resolved(1));
        assert_eq!(lookup(&mut cache, secs(2), 1), Lookup::Reachable(MAC_A));
        assert!(cache.use_confirmed(secs(2), key));
        assert_eq!(cache.hardware(key), Some(&MAC_A));
        assert_eq!(cache.waiters_mut(key), None);
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
    }

    // RFC 1122, section 2.3.2.1: "The recommended maximum rate is 1 per second per destination."
    #[test]
    fn asks_once_per_second_and_no_more_than_three_times() {
        let mut cache = cache();
        park(&mut cache, secs(1), 1);
        for second in 1..=3 {
            let almost = secs(second) - Duration::from_micros(1);
            assert_eq!(cache.poll_solicit(almost), None);
            assert!(cache.poll_solicit(secs(second)).is_some());
            assert_eq!(cache.poll_solicit(secs(second)), None);
            assert_eq!(cache.on_timeout(secs(second)), None);
        }
        assert_eq!(cache.next_deadline(), secs(4));
        assert_eq!(cache.poll_solicit(secs(4)), None);
        let failure = cache.on_timeout(secs(4)).unwrap();
        assert_eq!((failure.address, failure.waiters), (host(1), 1));
        assert_eq!(cache.on_timeout(secs(4)), None);
        assert_eq!(lookup(&mut cache, secs(4), 1), Lookup::Unreachable);
        assert!(matches!(lookup(&mut cache, secs(5), 1), Lookup::Pending(_)));
        assert!(cache.poll_solicit(secs(5)).is_some());
    }

    #[test]
    fn a_silent_host_that_speaks_up_is_believed() {
        let mut cache = cache();
        park(&mut cache, secs(1), 1);
        for second in 1..=3 {
            cache.poll_solicit(secs(second));
        }
        assert!(!cache.solicit_due(secs(4)), "what is due is to give up");
        assert!(cache.on_timeout(secs(5)).is_some(), "late as it is");
        let heard = claim(&mut cache, secs(5), 1, MAC_A, ClaimKind::Announcement);
        assert_eq!(heard, Learned::Updated);
        assert_eq!(lookup(&mut cache, secs(5), 1), Lookup::Reachable(MAC_A));
    }

    #[test]
    fn is_forgotten_after_a_minute_without_a_sign() {
        let mut cache = cache();
        let key = resolve(&mut cache, secs(1), 1);
        let last = secs(61) - Duration::from_micros(1);
        assert_eq!(lookup(&mut cache, last, 1), Lookup::Reachable(MAC_A));
        cache.confirm_reachability(last, key);
        assert_eq!(lookup(&mut cache, secs(61), 1), Lookup::Reachable(MAC_A));
        claim(&mut cache, secs(100), 1, MAC_A, ClaimKind::Announcement);
        assert!(cache.use_confirmed(secs(159), key));
        assert!(!cache.use_confirmed(secs(160), key));
        assert_eq!(lookup(&mut cache, secs(160), 1), Lookup::Pending(key));
        assert!(cache.poll_solicit(secs(160)).is_some());
    }

    #[test]
    fn doubts_of_an_upper_layer_make_the_next_packet_ask() {
        let mut cache = cache();
        let key = resolve(&mut cache, secs(1), 1);

        cache.doubt(secs(2), key);

        assert!(!cache.use_confirmed(secs(2), key));
        assert_eq!(lookup(&mut cache, secs(2), 1), Lookup::Pending(key));
        assert!(cache.poll_solicit(secs(2)).is_some());
        // It is being asked already.
        cache.doubt(secs(2), key);
        assert!(cache.poll_solicit(secs(2)).is_none());
        claim(&mut cache, secs(3), 1, MAC_B, ClaimKind::Reply);
        assert_eq!(lookup(&mut cache, secs(3), 1), Lookup::Reachable(MAC_B));
    }

    #[test]
    fn who_was_configured_is_not_doubted() {
        let mut cache = cache();
        let added = cache.add_permanent(secs(1), LINK, host(1), MAC_A);
        assert_eq!(added, Ok(None));
        let mut hint = None;
        cache.lookup(secs(1), LINK, host(1), &mut hint);

        cache.doubt(secs(2), hint.unwrap());

        assert_eq!(lookup(&mut cache, secs(2), 1), Lookup::Reachable(MAC_A));
    }

    #[test]
    fn progress_of_an_upper_layer_resolves_nothing() {
        let mut cache = cache();
        let key = park(&mut cache, secs(1), 1);
        cache.confirm_reachability(secs(1), key);
        assert_eq!(lookup(&mut cache, secs(1), 1), Lookup::Pending(key));
        assert!(cache.poll_solicit(secs(1)).is_some());
    }

    #[test]
    fn the_last_who_claims_an_address_has_it() {
        let mut cache = cache();
        resolve(&mut cache, secs(1), 1);
        let moved = claim(&mut cache, secs(2), 1, MAC_B, ClaimKind::Announcement);
        assert_eq!(moved, Learned::Updated);
        assert_eq!(lookup(&mut cache, secs(2), 1), Lookup::Reachable(MAC_B));
    }

    #[test]
    fn nobody_gets_an_entry_who_was_not_asked_and_did_not_ask() {
        let mut cache = cache();
        for kind in [ClaimKind::Reply, ClaimKind::Announcement] {
            let heard = claim(&mut cache, secs(1), 1, MAC_A, kind);
            assert_eq!(heard, Learned::Unchanged);
        }
        let asked = claim(&mut cache, secs(1), 1, MAC_A, ClaimKind::Request);
        assert_eq!(asked, Learned::Updated);
        assert_eq!(lookup(&mut cache, secs(1), 1), Lookup::Reachable(MAC_A));
    }

    #[test]
    fn a_group_or_zero_link_address_is_nobodys() {
        let mut cache = cache();
        park(&mut cache, secs(1), 1);
        for hardware in [EthernetAddress::BROADCAST, EthernetAddress([0; 6])] {
            let heard = claim(&mut cache, secs(1), 1, hardware, ClaimKind::Reply);
            assert_eq!(heard, Learned::Unchanged);
        }
    }

    #[test]
    fn a_flood_of_requests_does_not_displace_neighbors_in_use() {
        let mut cache = cache();
        resolve(&mut cache, secs(1), 1);
        for n in 2..200 {
            claim(&mut cache, secs(2), n, MAC_B, ClaimKind::Request);
        }
        assert_eq!(lookup(&mut cache, secs(2), 1), Lookup::Reachable(MAC_A));
        // What is over makes room.
        let asked = claim(&mut cache, secs(62), 200, MAC_B, ClaimKind::Request);
        assert_eq!(asked, Learned::Updated);
    }

    #[test]
    fn who_was_not_heard_of_for_longest_makes_room_and_nobody_who_is_waited_for() {
        let mut cache = cache();
        let first = park(&mut cache, secs(1), 1);
        for n in 2..=4 {
            resolve(&mut cache, secs(n.into()), n);
        }
        let kept = |cache: &mut Cache, n| cache.find(LINK, host(n)).is_some();
        park(&mut cache, secs(5), 5);
        assert!(!kept(&mut cache, 2) && kept(&mut cache, 3));
        park(&mut cache, secs(5), 6);
        park(&mut cache, secs(5), 7);
        assert_eq!(lookup(&mut cache, secs(5), 8), Lookup::Exhausted);
        assert_eq!(cache.waiters_mut(first), Some(&mut 1));
        let mut none =
            NeighborCache::<u32, 0>::with_default_timing(&mut Random::new(Seed::from(0)));
        let found = none.lookup(secs(1), LINK, host(1), &mut None);
        assert_eq!(found, Lookup::Exhausted);
    }

    #[test]
    fn a_stale_key_is_nobody_elses() {
        let mut cache = cache();
        let key = resolve(&mut cache, secs(1), 1);
        cache.remove(LINK, host(1));
        assert_eq!(park(&mut cache, secs(1), 2).index(), key.index());
        assert_eq!(cache.waiters_mut(key), None);
        claim(&mut cache, secs(1), 2, MAC_B, ClaimKind::Reply);
        assert!(!cache.use_confirmed(secs(1), key));
    }

    #[test]
    fn a_permanent_neighbor_is_moved_by_nothing() {
        let mut cache = cache();
        let key = park(&mut cache, secs(1), 1);
        let waited = cache.add_permanent(secs(1), LINK, host(1), MAC_A);
        assert_eq!(waited, Ok(Some(1)));
        assert_eq!(cache.waiters_mut(key), None);
        let heard = claim(&mut cache, secs(2), 1, MAC_B, ClaimKind::Announcement);
        assert_eq!(heard, Learned::Unchanged);
        cache.flush(LINK);
        for n in 2..=9 {
            let _ = lookup(&mut cache, secs(3), n);
        }
        let now = secs(1_000_000);
        assert_eq!(lookup(&mut cache, now, 1), Lookup::Reachable(MAC_A));
        assert_eq!(cache.remove(LINK, host(1)), None);
        assert_eq!(cache.find(LINK, host(1)), None);
    }

    #[test]
    fn permanent_neighbors_can_fill_the_table() {
        let mut cache = cache();
        for n in 1..=4 {
            assert_eq!(cache.add_permanent(secs(1), LINK, host(n), MAC_A), Ok(None));
        }
        let fifth = cache.add_permanent(secs(1), LINK, host(5), MAC_A);
        assert_eq!(fifth, Err(NeighborCacheFull));
    }

    #[test]
    fn a_flush_forgets_one_link_and_restarts_its_resolutions() {
        let mut cache = cache();
        resolve(&mut cache, secs(1), 1);
        let waiting = park(&mut cache, secs(1), 2);
        cache.poll_solicit(secs(1));
        let elsewhere = cache.lookup(secs(1), OTHER_LINK, host(2), &mut None);
        assert_ne!(elsewhere, Lookup::Pending(waiting));
        cache.flush(LINK);
        assert_eq!(cache.find(LINK, host(1)), None);
        assert_eq!(cache.waiters_mut(waiting), Some(&mut 1));
        assert!(cache.find(OTHER_LINK, host(2)).is_some());
        // Not sooner than it would have been, and three times again.
        cache.flush(OTHER_LINK);
        cache.remove(OTHER_LINK, host(2));
        for second in 2..=4 {
            assert!(cache.poll_solicit(secs(second)).is_some());
        }
        assert!(cache.on_timeout(secs(5)).is_some());
    }
}
