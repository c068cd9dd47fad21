//! What becomes of a connection request for which the table of half-open connections has no room, in a
//! stack without SYN cookies: it takes the place of one that was answered twice in vain, or is dropped.

use crate::engine::Engine;
use crate::engine::received::{Handled, Received};
use crate::engine::tcp::half_open::Request;
use crate::stats::Discard;
use crate::storage::Index;
use crate::tcp::{FourTuple, TupleHash};
use crate::time::Instant;
use crate::wire::TcpSegment;

impl Engine<'_> {
    /// A request that the table has no room for.
    pub(in crate::engine) fn on_crowded_request(
        &mut self,
        received: &mut Received<'_>,
        request: &Request<'_>,
        now: Instant,
    ) -> Handled {
        match self.tcp.half_open.search(&|h| h.attempts > 1) {
            Some(oldest) => {
                self.tcp.half_open.remove(oldest);
                self.on_request(received, request, now)
            }
            None => Err(Discard::HalfOpenTableFull),
        }
    }

    /// An acknowledgment to a listener that belongs to no record is nothing special.
    pub(in crate::engine) fn on_stray_ack(
        &mut self,
        _for: (Index, &FourTuple, TupleHash),
        received: &mut Received<'_>,
        segment: &TcpSegment<'_>,
        _now: Instant,
    ) -> Handled {
        self.refuse(received, segment, Discard::NoSocket)
    }
}
