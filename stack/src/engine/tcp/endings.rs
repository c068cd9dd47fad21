//! What follows from a change of a connection: the lists that it is in, and its end.

use super::Remembered;
use crate::engine::{BufferPair, Engine};
use crate::events::Events;
use crate::storage::Index;
use crate::tcp::{ConnectionError, State, TimeWait};
use crate::time::Instant;
use crate::wire::IpAddress;

impl<'d> Engine<'d> {
    /// Brings all lists in line with what a connection wants. Called after everything that may have
    /// changed it.
    #[inline(never)]
    pub(in crate::engine) fn settle_tcp(&mut self, index: Index) {
        self.settle(index, false);
    }

    /// As [`Self::settle_tcp`]. If its next hop does not answer, the connection is `blocked`: it sends again
    /// when a timer says so.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn settle(&mut self, index: Index, blocked: bool) {
        self.settle_with(index, blocked.then_some(false));
    }

    /// The same, for who may know whether the connection wants to send at once.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn settle_with(&mut self, index: Index, wants_to_send: Option<bool>) {
        self.settle_fast_open(index);
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return;
        };
        let connection = &mut tcp.connection;
        let tally = connection.take_tally();
        if !tally.is_empty() {
            self.stats.add(tally);
        }
        let events = connection.take_events();
        if connection.is_done() {
            self.sockets.notify(index, events);
            self.finish_tcp(index);
            return;
        }
        let deadline = connection.next_deadline(self.now);
        let wants_to_send = wants_to_send.unwrap_or_else(|| connection.wants_to_send());
        if !events.is_empty() {
            #[cfg(feature = "medium-ethernet")]
            if events.contains(Events::WRITABLE) {
                let neighbor = tcp.path.neighbor();
                self.confirm_neighbor(neighbor);
            }
            self.sockets.notify(index, events);
        }
        self.sockets.schedule(index, deadline);
        if wants_to_send {
            self.sockets.mark_ready(index);
        }
    }

    /// A connection is over and everything about it is said.
    pub(in crate::engine) fn finish_tcp(&mut self, index: Index) {
        let Some(tcp) = self.sockets.tcp(index) else {
            return;
        };
        if let Some(hash) = self.sockets.filed_under(index) {
            if let Some(connection) = tcp.connection.time_wait() {
                self.remember(hash, connection);
            }
            self.sockets.unfile(index);
            self.stop_waiting(index);
        }
        let Some(tcp) = self.sockets.tcp(index) else {
            return;
        };
        if let Some(listener) = tcp.queued_by {
            self.unqueue_connection(listener, index);
            self.free_tcp(index);
        } else if tcp.connection.is_detached() {
            self.free_tcp(index);
        }
    }

    /// `hash` is that of the four-tuple.
    fn remember(&mut self, hash: u32, connection: TimeWait) {
        let until = self.tcp.remember_until(self.now);
        self.tcp.time_wait_due = self.tcp.time_wait_due.min(until.from(self.now));
        let table = &mut self.tcp.time_wait;
        if table.is_full()
            && let Some((oldest, _)) = table.oldest()
        {
            table.remove(oldest);
        }
        // A table without any room remembers nothing.
        let _ = table.insert(hash, || Remembered { connection, until });
    }

    /// Gives the buffers back, and the slot.
    pub(in crate::engine) fn free_tcp(&mut self, index: Index) {
        self.stop_waiting(index);
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return;
        };
        let pool = tcp.pool;
        let (receive, send) = tcp.connection.take_buffers();
        if let Some(id) = pool
            && let Some(Some(pool)) = self.tcp.pools.get_mut(id.index())
        {
            pool.give_back(BufferPair { receive, send });
            // If it closed in the background; in no other list of the lane by now.
            self.sockets.unqueue(&mut pool.lingering, index);
        }
        self.sockets.free(index);
    }

    #[cfg(feature = "medium-ethernet")]
    fn confirm_neighbor(&mut self, neighbor: Option<crate::link::NeighborKey>) {
        if let Some(neighbor) = neighbor {
            let now = self.now;
            let neighbors = &mut self.interface.ethernet.neighbors;
            if neighbors.confirm_reachability(now, neighbor) {
                self.sockets.release_parked();
            }
        }
    }

    /// The link is gone. Connections that have something to send wait for it, but no longer than their users do; and
    /// who waits until an end is said does not wait for it. The link goes seldom enough to look at all sockets.
    pub(in crate::engine) fn tcp_link_gone(&mut self, now: Instant) {
        for index in 0..self.sockets.slots.len() {
            let index = index as Index;
            self.hold_back(index, now);
            let connection = self.sockets.tcp(index).map(|tcp| &tcp.connection);
            if connection.is_some_and(|c| c.state().is_over() && !c.is_done()) {
                self.sockets.notify(index, Events::STATE);
            }
        }
    }

    /// Handles have asked for something while there is no link: what they left to send waits, as what was there before.
    #[cold]
    pub(in crate::engine) fn tcp_waits_for_link(&mut self, now: Instant) {
        let mut ready = self.sockets.ready(None);
        while let Some(index) = ready {
            ready = self.sockets.ready(Some(index));
            self.hold_back(index, now);
        }
    }

    /// A connection cannot send for now.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn hold_back(&mut self, index: Index, now: Instant) {
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.connection.on_held_back(now);
            self.settle_tcp(index);
        }
    }

    /// Ends the connections from an address that is gone, half-open ones included: nothing is sent from there any more.
    /// A change of addresses is rare enough to look at all sockets.
    pub(in crate::engine) fn tcp_address_gone(&mut self, address: IpAddress) {
        let half_open = &mut self.tcp.half_open;
        while let Some(record) = half_open.search(&|h| h.tuple.local.addr == address) {
            half_open.remove(record);
        }
        for index in 0..self.sockets.slots.len() {
            let index = index as Index;
            let Some(tcp) = self.sockets.tcp_mut(index) else {
                continue;
            };
            let connection = &mut tcp.connection;
            if connection.tuple.local.addr == address && connection.state() != State::Listen {
                connection.end(Some(ConnectionError::AddressGone));
                self.settle_tcp(index);
            }
        }
    }
}
