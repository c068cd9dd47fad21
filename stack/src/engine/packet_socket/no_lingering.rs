//! In place of `lingering.rs`: a socket whose handle is gone is over at once, and what it had yet to send is not sent.

use crate::engine::Engine;
use crate::storage::Index;
use crate::time::Instant;

impl Engine<'_> {
    /// The handle of a socket that queues packets is gone.
    pub(in crate::engine) fn packet_socket_drop(&mut self, index: Index) {
        self.give_up(index);
    }

    pub(in crate::engine) fn on_queue_empty(&mut self, _: Index) {}

    pub(in crate::engine) fn on_lingering_timeout(&mut self, _: Index, _: Instant) {}

    pub(in crate::engine) fn end_oldest_lingering(&mut self) {}
}
