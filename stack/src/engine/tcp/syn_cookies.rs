//! A connection request for which the table of half-open connections has no room is answered with a
//! cookie (see [`crate::tcp::SynCookies`]). Nothing is kept for it, so no flood can use anything up; and who
//! really means to connect gets through, however many others pretend to.

use crate::engine::Engine;
use crate::engine::config::EcnPolicy;
use crate::engine::tcp::half_open::Request;
use crate::stats::{Counted, Discard};
use crate::storage::Index;
use crate::tcp::{
    CookieArrival, Disposition, FourTuple, HalfOpen, SynCookies, TupleHash, timestamp_value,
};
use crate::time::Instant;
use crate::wire::{SeqNum, TcpFlags, TcpSegment};

impl Engine<'_> {
    /// A request that the table has no room for.
    pub(in crate::engine) fn on_crowded_request(
        &mut self,
        now: Instant,
        request: &Request<'_>,
    ) -> Disposition {
        if request.after.is_some() {
            // Its number has to lie beyond that of its predecessor, which a cookie's may not. It has proved
            // that it knows the predecessor's numbers, and so takes the place of one that has proved
            // nothing.
            if let Some((oldest, _)) = self.tcp.half_open.oldest() {
                self.tcp.half_open.remove(oldest);
                return self.on_request(now, request);
            }
            return Disposition::Discarded(Discard::HalfOpenTableFull);
        }
        let offer = self.offer_for(now, request.listener, request.tuple);
        let mut half_open =
            HalfOpen::new(now, *request.tuple, (), SeqNum::new(0), request.syn, &offer);
        half_open.ecn &= self.tcp.ecn != EcnPolicy::Off;
        self.tcp.cookies.bake(now, &mut half_open);
        let mut header = half_open.answer(now);
        if let Some(timestamps) = &mut header.options.timestamps {
            let stamped = SynCookies::stamp_time(timestamp_value(now, 0), &half_open);
            timestamps.value = stamped.wrapping_add(offer.timestamp_offset);
        }
        self.stats.count(Counted::SynCookieSent);
        Disposition::Answered(None, header)
    }

    /// An acknowledgment to a listener that belongs to no record: it may bring a cookie back. `None` if
    /// there are none out, or it is none that could.
    pub(in crate::engine) fn on_stray_ack(
        &mut self,
        now: Instant,
        listener: Index,
        (tuple, hash): (&FourTuple, TupleHash),
        segment: &TcpSegment<'_>,
    ) -> Option<Disposition> {
        let flags = segment.header.flags;
        let completes = flags.contains(TcpFlags::ACK) && !flags.contains(TcpFlags::SYN);
        if !completes || !self.tcp.cookies.are_out(now) {
            return None;
        }
        let arrival = CookieArrival {
            tuple,
            listener: self.sockets.key(listener),
            offer: self.offer_for(now, listener, tuple),
        };
        let Some(half_open) = self.tcp.cookies.redeem(now, &segment.header, arrival) else {
            return Some(Disposition::Refused(Discard::BadSynCookie));
        };
        let Some(index) = self.slot_for_connection(listener) else {
            return Some(Disposition::Discarded(Discard::NoConnectionSlot));
        };
        self.stats.count(Counted::SynCookieAccepted);
        Some(self.open_passively(now, (listener, index), (&half_open, hash), segment))
    }
}
