//! The outside view of a network: cables, impairments and counters, while stacks own the ports.

use cygnet_driver::LinkState;
use embassy_sync::blocking_mutex::raw::RawMutex;

use crate::shared::Shared;
use crate::{Counters, Impairments};

/// A handle to a network, apart from its ports.
///
/// Ports are named by their index in the array that [`Network::split`](crate::Network::split)
/// returned. Of a port that does not exist everything reads as zero, and nothing can be set.
pub struct Control<'d, M: RawMutex> {
    shared: &'d Shared<'d, M>,
}

impl<'d, M: RawMutex> Control<'d, M> {
    pub(crate) fn new(shared: &'d Shared<'d, M>) -> Self {
        Self { shared }
    }

    /// Plugs a port in or pulls its cable.
    ///
    /// While a port's link is down, what it sends and what others send to it is dropped, and counted
    /// as such for the sender. Pulling the cable also drops what was on its way to the port. The
    /// state of the other ports does not change.
    pub fn set_link_state(&self, port: usize, state: LinkState) {
        self.shared
            .lock_and_wake(|network| network.set_link(port, state));
    }

    /// Changes what happens to the frames that a port sends from now on; those on their way arrive as
    /// they would have. The random numbers start anew from the seed, and the queue in front of the
    /// bandwidth limit is empty.
    pub fn set_impairments(&self, port: usize, impairments: Impairments) {
        self.shared
            .lock_and_wake(|network| network.set_impairments(port, impairments));
    }

    /// What happened so far to the frames that a port sent.
    pub fn counters(&self, port: usize) -> Counters {
        self.shared.lock(|network| network.counters(port))
    }

    /// How many frames are on their way to a port, those included that it could take now.
    pub fn in_flight(&self, port: usize) -> usize {
        self.shared.lock(|network| network.in_flight(port))
    }

    /// How many frame buffers are free: neither in flight nor in a token.
    pub fn free_frames(&self) -> usize {
        self.shared.lock(|network| network.free_frames())
    }
}

impl<M: RawMutex> Clone for Control<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: RawMutex> Copy for Control<'_, M> {}
