//! The slots: who is in them, and the lists they are in.

#[cfg(feature = "medium-ethernet")]
#[cfg_attr(not(feature = "many-sockets"), path = "sockets/few_waiting.rs")]
mod waiting;

use super::SocketKey;
#[cfg(feature = "socket-icmp")]
use super::packet_socket::icmp::state::IcmpSocketState;
#[cfg(feature = "socket-raw")]
use super::packet_socket::raw::state::RawSocketState;
#[cfg(feature = "socket-udp")]
use super::packet_socket::udp::state::UdpSocketState;
#[cfg(feature = "socket-dns")]
use super::services::dns::slot::DnsSlot;
#[cfg(feature = "socket-tcp")]
use super::tcp::TcpSlot;
#[cfg(feature = "socket-tcp")]
use super::tcp::listener::Listener;
#[cfg(feature = "mdns")]
use crate::dns::mdns::Browse;
use crate::events::Events;
use crate::storage::{Buckets, Deadlines, Index, Link, List, Uses};
use crate::time::Instant;
#[cfg(feature = "medium-ethernet")]
pub(super) use waiting::Waiters;

/// The lists a slot can be in, one of each kind at a time.
pub(super) mod lane {
    /// It has something to send, or waits for a neighbor to send it to; or, of a free slot, that it is free.
    pub(in crate::engine) const WORK: usize = 0;
    /// Something happened to it.
    pub(in crate::engine) const EVENT: usize = 1;
    /// Its hash bucket.
    pub(in crate::engine) const BUCKET: usize = 2;
    /// A socket without a handle: a connection that waits to be accepted or closes in the background, packets that are
    /// yet to be sent.
    pub(in crate::engine) const QUEUE: usize = 3;
    pub(in crate::engine) const COUNT: usize = 4;
}

/// How many lanes of links slots have.
pub(crate) const LANES: usize = lane::COUNT;

/// A place for a socket.
pub(crate) struct Slot<'d> {
    pub(super) body: Body<'d>,
    events: Events,
    /// The list of those who wait for neighbors that it is in.
    #[cfg(feature = "medium-ethernet")]
    waits: waiting::Waits,
    uses: Uses,
}

/// What a slot is used for.
// The sizes differ, but a slot has to be able to become the largest.
#[allow(clippy::large_enum_variant)]
// The tag of the first is zero, and so is all of a free slot.
#[repr(u8)]
pub(super) enum Body<'d> {
    Free,
    #[cfg(feature = "socket-tcp")]
    Tcp(TcpSlot<'d>),
    #[cfg(feature = "socket-tcp")]
    Listener(Listener),
    #[cfg(feature = "socket-udp")]
    Udp(UdpSocketState<'d>),
    #[cfg(feature = "socket-icmp")]
    Icmp(IcmpSocketState<'d>),
    #[cfg(feature = "socket-raw")]
    Raw(RawSocketState<'d>),
    #[cfg(feature = "socket-dns")]
    Dns(DnsSlot<'d>),
    #[cfg(feature = "mdns")]
    Browse(Browse<'d>),
    /// No kind of socket is compiled in.
    #[cfg(not(any(
        feature = "socket-tcp",
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    )))]
    #[expect(dead_code)]
    Nothing(core::marker::PhantomData<&'d ()>),
}

impl Slot<'_> {
    pub(crate) const EMPTY: Self = Self {
        body: Body::Free,
        events: Events::NONE,
        #[cfg(feature = "medium-ethernet")]
        waits: waiting::Waits::NOT,
        uses: Uses::NONE,
    };

    /// Whether it waits for a neighbor, or for any.
    fn waits(&self) -> bool {
        #[cfg(feature = "medium-ethernet")]
        return self.waits != waiting::Waits::NOT;
        #[cfg(not(feature = "medium-ethernet"))]
        false
    }
}

/// All slots and the lists through them.
// In this order: what is called with a list finds it near the front.
#[repr(C)]
pub(crate) struct Sockets<'d> {
    pub(super) free: List,
    ready: List,
    events: List,
    /// Those who wait for a change at any neighbor.
    #[cfg(feature = "medium-ethernet")]
    parked: List,
    /// Those whose handle is gone and that have packets to send, the oldest first.
    #[cfg(all(
        feature = "packet-linger",
        any(
            feature = "socket-udp",
            feature = "socket-icmp",
            feature = "socket-raw"
        )
    ))]
    lingering: List,
    buckets: Buckets<'d>,
    pub(super) slots: &'d mut [Slot<'d>],
    links: [&'d mut [Link]; LANES],
    deadlines: Deadlines<'d>,
}

impl<'d> Sockets<'d> {
    /// Slots that are all free. All slices are equally long.
    pub(crate) fn new(
        slots: &'d mut [Slot<'d>],
        links: [&'d mut [Link]; LANES],
        buckets: Buckets<'d>,
        deadlines: Deadlines<'d>,
    ) -> Self {
        let mut free = List::new();
        let count = slots.len().min(List::MAX_SLOTS);
        for index in 0..count {
            free.push_back(links[lane::WORK], index as Index);
        }
        Self {
            slots,
            links,
            buckets,
            deadlines,
            free,
            ready: List::new(),
            events: List::new(),
            #[cfg(all(
                feature = "packet-linger",
                any(
                    feature = "socket-udp",
                    feature = "socket-icmp",
                    feature = "socket-raw"
                )
            ))]
            lingering: List::new(),
            #[cfg(feature = "medium-ethernet")]
            parked: List::new(),
        }
    }

    pub(super) fn take_free(&mut self) -> Option<Index> {
        self.free.pop_front(self.links[lane::WORK])
    }

    /// Frees a slot: takes it out of all lists but that of the queue lane, which its owner knows, and
    /// makes its keys stale.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn free(&mut self, index: Index) {
        self.unfile(index);
        self.ready.remove(self.links[lane::WORK], index);
        self.events.remove(self.links[lane::EVENT], index);
        self.deadlines.remove(index);
        debug_assert!(!self.links[lane::QUEUE][usize::from(index)].is_linked());
        debug_assert!(!self.slot(index).waits());
        // Field by field: what is left of a body need not be written over.
        let slot = self.slot_mut(index);
        slot.uses.end();
        slot.body = Body::Free;
        slot.events = Events::NONE;
        self.free.push_back(self.links[lane::WORK], index);
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn key(&self, index: Index) -> SocketKey {
        SocketKey(self.slot(index).uses.key(index))
    }

    /// The slot of a key, unless the key is stale.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn index(&self, key: SocketKey) -> Option<Index> {
        let index = key.index();
        let slot = self.slots.get(usize::from(index))?;
        (slot.uses.key(index) == key.0).then_some(index)
    }

    // Not inlined where flash is dear: nearly every function of the engine has use for it.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn slot(&self, index: Index) -> &Slot<'d> {
        &self.slots[usize::from(index)]
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn slot_mut(&mut self, index: Index) -> &mut Slot<'d> {
        &mut self.slots[usize::from(index)]
    }

    #[inline]
    pub(super) fn body(&self, index: Index) -> &Body<'d> {
        &self.slot(index).body
    }

    #[inline]
    pub(super) fn body_mut(&mut self, index: Index) -> &mut Body<'d> {
        &mut self.slot_mut(index).body
    }

    #[cfg(feature = "socket-tcp")]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn tcp(&self, index: Index) -> Option<&TcpSlot<'d>> {
        match self.body(index) {
            Body::Tcp(tcp) => Some(tcp),
            _ => None,
        }
    }

    #[cfg(feature = "socket-tcp")]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn tcp_mut(&mut self, index: Index) -> Option<&mut TcpSlot<'d>> {
        match self.body_mut(index) {
            Body::Tcp(tcp) => Some(tcp),
            _ => None,
        }
    }

    /// The connection of a key, unless the key is stale.
    #[cfg(feature = "socket-tcp")]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn tcp_of(&mut self, key: SocketKey) -> Option<&mut TcpSlot<'d>> {
        let index = self.index(key)?;
        self.tcp_mut(index)
    }

    #[cfg(feature = "socket-tcp")]
    pub(super) fn listener(&self, index: Index) -> Option<&Listener> {
        match self.body(index) {
            Body::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    #[cfg(feature = "socket-tcp")]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn listener_mut(&mut self, index: Index) -> Option<&mut Listener> {
        match self.body_mut(index) {
            Body::Listener(listener) => Some(listener),
            _ => None,
        }
    }

    /// A listener together with the links that its queue is made of.
    #[cfg(feature = "socket-tcp")]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn listener_and_links(
        &mut self,
        index: Index,
    ) -> Option<(&mut Listener, &mut [Link])> {
        match self.slots.get_mut(usize::from(index)) {
            Some(Slot {
                body: Body::Listener(listener),
                ..
            }) => Some((listener, self.links[lane::QUEUE])),
            _ => None,
        }
    }

    // Work.

    /// The slot has something to send. If it waits for a neighbor, that will say so: it stays in its list.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn mark_ready(&mut self, index: Index) {
        self.ready.push_back(self.links[lane::WORK], index);
    }

    /// The slot has something new to send, which may go although the rest waits for neighbors.
    #[cfg(any(
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn mark_ready_anew(&mut self, index: Index) {
        #[cfg(feature = "medium-ethernet")]
        if self.slot(index).waits() {
            self.unpark(index);
        }
        self.mark_ready(index);
    }

    pub(super) fn pop_ready(&mut self) -> Option<Index> {
        self.ready.pop_front(self.links[lane::WORK])
    }

    pub(super) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The first slot that has something to send, or the one behind `after`.
    #[cfg(feature = "socket-tcp")]
    pub(super) fn ready(&self, after: Option<Index>) -> Option<Index> {
        match after {
            Some(index) => List::next(self.links[lane::WORK], index),
            None => self.ready.front(),
        }
    }

    // Events.

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn notify(&mut self, index: Index, events: Events) {
        if !events.is_empty() {
            self.slot_mut(index).events |= events;
            self.events.push_back(self.links[lane::EVENT], index);
        }
    }

    pub(super) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    pub(super) fn poll_event(&mut self) -> Option<(Index, Events)> {
        let index = self.events.pop_front(self.links[lane::EVENT])?;
        let events = core::mem::take(&mut self.slot_mut(index).events);
        Some((index, events))
    }

    // Deadlines.

    pub(super) fn schedule(&mut self, index: Index, at: Instant) {
        self.deadlines.schedule(index, at);
    }

    #[cfg(any(
        feature = "socket-tcp",
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Index> {
        self.deadlines.pop_due(now)
    }

    /// [`Instant::FAR_FUTURE`] if there is none.
    pub(super) fn next_deadline(&self) -> Instant {
        self.deadlines.next()
    }

    // Finding.

    /// The hash of what is filed under a port of ours alone; `kind` keeps their kinds apart. Which those are is not
    /// the peers' choice, so nobody can crowd a bucket with them and a key, as connections have it, would protect
    /// nothing.
    pub(super) fn hash_port(&self, kind: u8, port: u16) -> u32 {
        (u32::from(kind) << 16 | u32::from(port)).wrapping_mul(GOLDEN_RATIO)
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn file(&mut self, index: Index, hash: u32) {
        self.unfile(index);
        self.buckets.insert(self.links[lane::BUCKET], hash, index);
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn unfile(&mut self, index: Index) {
        if self.is_filed(index) {
            self.buckets.remove(self.links[lane::BUCKET], index);
        }
    }

    /// Whether it is filed under anything.
    #[inline]
    pub(super) fn is_filed(&self, index: Index) -> bool {
        let link = self.links[lane::BUCKET].get(usize::from(index));
        link.is_some_and(|link| link.is_linked())
    }

    pub(super) fn filed_under(&self, index: Index) -> Option<u32> {
        self.is_filed(index).then(|| self.buckets.hash(index))
    }

    /// The socket filed under `hash` that `is_it` says yes to.
    pub(super) fn find(
        &self,
        hash: u32,
        mut is_it: impl FnMut(&Body<'d>) -> bool,
    ) -> Option<Index> {
        self.find_best(hash, |body| is_it(body).then_some(0))
    }

    /// A socket that is filed with no other one in its bucket: whatever leads there finds it, or nothing.
    #[cfg(all(feature = "many-sockets", feature = "socket-udp"))]
    #[inline]
    pub(super) fn filed_alone(&self, index: Index) -> Option<&Body<'d>> {
        List::is_alone(self.links[lane::BUCKET], index).then(|| self.body(index))
    }

    /// The first socket filed under `hash`, or the one behind `after`.
    #[cfg(feature = "socket-udp")]
    pub(super) fn filed(&self, hash: u32, after: Option<Index>) -> Option<Index> {
        match after {
            Some(index) => List::next(self.links[lane::BUCKET], index),
            None => self.buckets.chain(self.links[lane::BUCKET], hash).next(),
        }
    }

    /// Two sockets at once, `None` if they are one.
    #[cfg(all(feature = "multicast", feature = "socket-udp"))]
    pub(super) fn two_bodies(&mut self, a: Index, b: Index) -> Option<[&mut Body<'d>; 2]> {
        let slots = [usize::from(a), usize::from(b)];
        let [a, b] = self.slots.get_disjoint_mut(slots).ok()?;
        Some([&mut a.body, &mut b.body])
    }

    /// The socket filed under `hash` that fits best: the highest of what `fitness` says.
    pub(super) fn find_best(
        &self,
        hash: u32,
        mut fitness: impl FnMut(&Body<'d>) -> Option<u8>,
    ) -> Option<Index> {
        self.fittest(hash, &mut fitness)
    }

    // Compiled once for all questions.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn fittest(
        &self,
        hash: u32,
        fitness: &mut dyn FnMut(&Body<'d>) -> Option<u8>,
    ) -> Option<Index> {
        let mut best = None;
        for index in self.buckets.chain(self.links[lane::BUCKET], hash) {
            let fit = fitness(self.body(index));
            if fit.is_some() && fit >= best.map(|(fit, _)| fit) {
                best = fit.map(|fit| (fit, index));
            }
        }
        best.map(|(_, index)| index)
    }

    // The queue lane, whose lists belong to listeners and pools.

    #[cfg(feature = "socket-tcp")]
    pub(super) fn enqueue(&mut self, mut list: List, index: Index) -> List {
        list.push_back(self.links[lane::QUEUE], index);
        list
    }

    #[cfg(feature = "socket-tcp")]
    pub(super) fn dequeue(&mut self, list: &mut List) -> Option<Index> {
        list.pop_front(self.links[lane::QUEUE])
    }

    #[cfg(feature = "socket-tcp")]
    pub(super) fn unqueue(&mut self, list: &mut List, index: Index) {
        list.remove(self.links[lane::QUEUE], index);
    }
}

// Sockets that send packets and whose handle is gone. They are in the queue lane as well.
#[cfg(all(
    feature = "packet-linger",
    any(
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    )
))]
impl Sockets<'_> {
    pub(super) fn linger(&mut self, index: Index) {
        self.lingering.push_back(self.links[lane::QUEUE], index);
    }

    pub(super) fn end_lingering(&mut self, index: Index) {
        self.lingering.remove(self.links[lane::QUEUE], index);
    }

    /// Whether a socket that sends packets lingers.
    #[inline]
    pub(super) fn lingers(&self, index: Index) -> bool {
        let link = self.links[lane::QUEUE].get(usize::from(index));
        !self.lingering.is_empty() && link.is_some_and(|link| link.is_linked())
    }

    pub(super) fn oldest_lingering(&self) -> Option<Index> {
        self.lingering.front()
    }

    #[cfg(feature = "embedded-nal-async")]
    pub(super) fn any_lingers(&self) -> bool {
        !self.lingering.is_empty()
    }
}

/// 2^32 divided by the golden ratio: multiplied by it, neighboring numbers end up far apart (Knuth, The
/// Art of Computer Programming, volume 3, section 6.4).
const GOLDEN_RATIO: u32 = 0x9e37_79b9;
