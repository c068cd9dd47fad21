//! Waiting for neighbors: one list for each that is being looked for, and one of those that wait for any change.

use super::{Index, List, Sockets, lane};
use crate::engine::Engine;
use crate::link::NeighborKey;

/// Those who wait for one neighbor, of which the neighbor cache keeps the list.
pub(in crate::engine) type Waiters = List;

/// The neighbor whose list a slot is in; [`NeighborKey::ANY`] in that of all who try again when anything about neighbors
/// changes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Waits(Option<NeighborKey>);

impl Waits {
    pub(super) const NOT: Self = Self(None);

    const FOR_ANY: Self = Self(Some(NeighborKey::ANY));
}

impl Engine<'_> {
    /// Puts a socket where it is woken from when the neighbor is known, or, without one, when anything
    /// about neighbors changes.
    pub(in crate::engine) fn park(&mut self, index: Index, neighbor: Option<NeighborKey>) {
        let waiters =
            neighbor.and_then(|n| Some((n, self.interface.ethernet.neighbors.waiters_mut(n)?)));
        match waiters {
            Some((neighbor, waiters)) => self.sockets.wait_for(waiters, neighbor, index),
            None => self.sockets.wait_for_any(index),
        }
    }

    /// Takes a socket out of whatever it waits in, because its slot is about to be free.
    pub(in crate::engine) fn stop_waiting(&mut self, index: Index) {
        let Waits(neighbor) = self.sockets.slot(index).waits;
        let waiters = neighbor.and_then(|n| self.interface.ethernet.neighbors.waiters_mut(n));
        self.sockets.stop_waiting(waiters, index);
    }

    /// Something changed for those who wait for a neighbor, and for those who wait for any.
    pub(in crate::engine) fn wake_waiters(&mut self, mut waiters: Waiters) {
        self.sockets.release(&mut waiters);
        self.sockets.release_parked();
    }
}

impl Sockets<'_> {
    /// Puts a slot with the others that wait for one neighbor.
    fn wait_for(&mut self, waiters: &mut Waiters, neighbor: NeighborKey, index: Index) {
        self.unmark_ready(index);
        if waiters.push_back(self.links[lane::WORK], index) {
            self.slot_mut(index).waits = Waits(Some(neighbor));
        }
    }

    /// Puts a slot with those that wait for anything to change.
    fn wait_for_any(&mut self, index: Index) {
        self.unmark_ready(index);
        if self.parked.push_back(self.links[lane::WORK], index) {
            self.slot_mut(index).waits = Waits::FOR_ANY;
        }
    }

    /// The slot is to wait: what it has to send is not taken up before.
    fn unmark_ready(&mut self, index: Index) {
        if !self.slot(index).waits() {
            self.ready.remove(self.links[lane::WORK], index);
        }
    }

    /// Lets all in a list try again.
    fn release(&mut self, waiters: &mut Waiters) {
        while let Some(index) = waiters.pop_front(self.links[lane::WORK]) {
            self.slot_mut(index).waits = Waits::NOT;
            self.mark_ready(index);
        }
    }

    /// Lets all try again that wait for anything to change.
    pub(in crate::engine) fn release_parked(&mut self) {
        let mut parked = core::mem::take(&mut self.parked);
        self.release(&mut parked);
    }

    /// Lets a slot try again, unless it waits for one neighbor.
    #[cfg(any(
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    #[cold]
    pub(super) fn unpark(&mut self, index: Index) {
        if self.slot(index).waits == Waits::FOR_ANY {
            self.stop_waiting(None, index);
        }
    }

    /// Takes a slot out of the list it waits in; `waiters` is that of the neighbor it waits for.
    fn stop_waiting(&mut self, waiters: Option<&mut Waiters>, index: Index) {
        let waits = core::mem::replace(&mut self.slot_mut(index).waits, Waits::NOT);
        match waiters {
            _ if waits == Waits::FOR_ANY => self.parked.remove(self.links[lane::WORK], index),
            Some(waiters) => waiters.remove(self.links[lane::WORK], index),
            None => {}
        }
    }
}
