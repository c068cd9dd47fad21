//! In place of `waiting.rs`, for a few sockets: whatever changes at any neighbor, all who wait for one try again.

use super::{Index, Sockets, lane};
use crate::engine::Engine;
use crate::link::NeighborKey;

/// Those who wait for one neighbor: the neighbor cache need not know them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine) struct Waiters;

/// Whether a slot is in the list of those who wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Waits(bool);

impl Waits {
    pub(super) const NOT: Self = Self(false);
}

impl Engine<'_> {
    /// Puts a socket where it is woken from when anything about neighbors changes, whichever it waits for.
    pub(in crate::engine) fn park(&mut self, index: Index, _: Option<NeighborKey>) {
        self.sockets.wait(index);
    }

    /// Takes a socket out of whatever it waits in, because its slot is about to be free.
    pub(in crate::engine) fn stop_waiting(&mut self, index: Index) {
        self.sockets.unpark(index);
    }

    /// Something changed for those who wait for a neighbor.
    pub(in crate::engine) fn wake_waiters(&mut self, _: Waiters) {
        self.sockets.release_parked();
    }
}

impl Sockets<'_> {
    /// Puts a slot, which has just had its turn, with those who wait.
    fn wait(&mut self, index: Index) {
        if self.parked.push_back(self.links[lane::WORK], index) {
            self.slot_mut(index).waits = Waits(true);
        }
    }

    /// Lets all try again who wait.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(in crate::engine) fn release_parked(&mut self) {
        while let Some(index) = self.parked.pop_front(self.links[lane::WORK]) {
            self.slot_mut(index).waits = Waits::NOT;
            self.mark_ready(index);
        }
    }

    /// Takes a slot out of the list of those who wait, if it is there.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn unpark(&mut self, index: Index) {
        let slot = self.slot_mut(index);
        if slot.waits() {
            slot.waits = Waits::NOT;
            self.parked.remove(self.links[lane::WORK], index);
        }
    }
}
