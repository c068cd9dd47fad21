//! A connection request for which the table of half-open connections has no room is answered with a
//! cookie (see [`crate::tcp::SynCookies`]). Nothing is kept for it, so no flood can use anything up; and who
//! really means to connect gets through, however many others pretend to.

use crate::engine::Engine;
use crate::engine::config::EcnPolicy;
use crate::engine::received::{Handled, Received};
use crate::engine::tcp::half_open::Request;
use crate::stats::{Counted, Discard};
use crate::storage::Index;
use crate::tcp::{CookieArrival, FourTuple, HalfOpen, SynCookies, TupleHash, timestamp_value};
use crate::time::Instant;
use crate::wire::{SeqNum, TcpFlags, TcpSegment};

impl Engine<'_> {
    /// A request that the table has no room for.
    pub(in crate::engine) fn on_crowded_request(
        &mut self,
        received: &mut Received<'_>,
        request: &Request<'_>,
        now: Instant,
    ) -> Handled {
        if request.after.is_some() {
            // Its number has to lie beyond that of its predecessor, which a cookie's may not. It has proved
            // that it knows the predecessor's numbers, and so takes the place of one that has proved
            // nothing.
            if let Some((oldest, _)) = self.tcp.half_open.oldest() {
                self.tcp.half_open.remove(oldest);
                return self.on_request(received, request, now);
            }
            return Err(Discard::HalfOpenTableFull);
        }
        let offer = self.offer_for(request.listener, request.tuple, now);
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
        self.answer_tcp(received, &header);
        Ok(())
    }

    /// An acknowledgment to a listener that belongs to no record: it may bring a cookie back, if there are some out.
    pub(in crate::engine) fn on_stray_ack(
        &mut self,
        (listener, tuple, hash): (Index, &FourTuple, TupleHash),
        received: &mut Received<'_>,
        segment: &TcpSegment<'_>,
        now: Instant,
    ) -> Handled {
        let flags = segment.header.flags;
        let completes = flags.contains(TcpFlags::ACK) && !flags.contains(TcpFlags::SYN);
        if !completes || !self.tcp.cookies.are_out(now) {
            return self.refuse(received, segment, Discard::NoSocket);
        }
        let arrival = CookieArrival {
            tuple,
            listener: self.sockets.key(listener),
            offer: self.offer_for(listener, tuple, now),
        };
        let Some(half_open) = self.tcp.cookies.redeem(now, &segment.header, arrival) else {
            return self.refuse(received, segment, Discard::BadSynCookie);
        };
        let Some(index) = self.slot_for_connection(listener) else {
            return Err(Discard::NoConnectionSlot);
        };
        self.stats.count(Counted::SynCookieAccepted);
        self.open_passively((listener, index), (&half_open, hash), now);
        self.on_connection_segment(index, received, segment, now)
    }
}
