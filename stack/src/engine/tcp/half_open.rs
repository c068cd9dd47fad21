//! Segments for which there is no connection: requests, and records of half-open connections and of those in
//! TIME-WAIT.

use crate::engine::config::EcnPolicy;
use crate::engine::interface::{Path, Reach};
use crate::engine::outgoing::{Payload, Room};
use crate::engine::received::{Handled, Received};
use crate::engine::{Engine, SocketKey, TcpState};
use crate::stats::{Counted, Discard};
use crate::storage::Index;
use crate::tcp::{FourTuple, HalfOpen, Offer, SynReply, TimeWaitVerdict, TupleHash};
use crate::time::{Duration, Instant};
use crate::wire::{SeqNum, TcpFlags, TcpHeader, TcpSegment};

/// A SYN for a listener.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Request<'a> {
    pub(in crate::engine) listener: Index,
    pub(in crate::engine) tuple: &'a FourTuple,
    /// Of the four-tuple.
    pub(in crate::engine) hash: TupleHash,
    pub(in crate::engine) syn: &'a TcpHeader,
    /// What came with it.
    #[cfg_attr(not(feature = "tcp-fast-open"), expect(dead_code))]
    pub(in crate::engine) text: &'a [u8],
    /// Where the numbers of the connection in TIME-WAIT end whose place it takes.
    pub(in crate::engine) after: Option<SeqNum>,
}

impl<'d> Engine<'d> {
    /// `hash` is that of the connection that is not there.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(in crate::engine) fn on_unconnected_segment(
        &mut self,
        (tuple, hash): (&FourTuple, TupleHash),
        received: &mut Received<'_>,
        segment: &TcpSegment<'_>,
        now: Instant,
    ) -> Handled {
        if let Some(record) = self
            .tcp
            .half_open
            .find(hash.bucket(), |h| h.tuple.is(tuple))
        {
            return self.on_half_open_segment((record, hash), received, segment, now);
        }
        let mut after = None;
        if let Some(record) = self.find_time_wait(tuple, hash) {
            match self.on_time_wait_segment(record, received, segment, now) {
                Ok(handled) => return handled,
                Err(snd_nxt) => after = Some(snd_nxt),
            }
        }
        let flags = segment.header.flags;
        if flags.contains(TcpFlags::RST) {
            return Err(Discard::NoSocket);
        }
        let is_request = flags.contains(TcpFlags::SYN) && !flags.contains(TcpFlags::ACK);
        match self.find_listener(tuple) {
            Some(listener) if is_request => {
                let request = Request {
                    listener,
                    tuple,
                    hash,
                    syn: &segment.header,
                    text: segment.payload,
                    after,
                };
                self.on_request(received, &request, now)?;
                // One that is dropped comes again, and its numbers have to be beyond those of the old connection then.
                if after.is_some()
                    && let Some(record) = self.find_time_wait(tuple, hash)
                {
                    self.tcp.time_wait.remove(record);
                }
                Ok(())
            }
            // RFC 9293, section 3.10.7.2, fourth: "drop the segment". One with ACK is answered as if nobody
            // listened.
            Some(_) if !flags.contains(TcpFlags::ACK) => Err(Discard::MissingAck),
            Some(listener) => self.on_stray_ack((listener, tuple, hash), received, segment, now),
            None => self.refuse(received, segment, Discard::NoSocket),
        }
    }

    pub(in crate::engine) fn on_request(
        &mut self,
        received: &mut Received<'_>,
        request: &Request<'_>,
        now: Instant,
    ) -> Handled {
        let Request {
            listener,
            tuple,
            hash,
            syn,
            ..
        } = *request;
        if let Some(l) = self.sockets.listener(listener)
            && l.is_full()
        {
            return Err(Discard::BacklogFull);
        }
        if let Some(opened) = self.open_fast(received, request, now) {
            return opened;
        }
        if self.tcp.half_open.is_full() {
            return self.on_crowded_request(received, request, now);
        }
        let iss = self.choose_iss(request, now);
        let offer = self.offer_for(listener, tuple, now);
        let key = self.sockets.key(listener);
        let may_grant = self.tcp.ecn != EcnPolicy::Off;
        let record = self.tcp.half_open.insert(hash.bucket(), || {
            let mut record = HalfOpen::new(now, *tuple, key, iss, syn, &offer);
            record.ecn &= may_grant;
            record
        });
        let Some((_, record)) = record else {
            return Err(Discard::HalfOpenTableFull);
        };
        let mut header = record.next_answer(now);
        self.tcp.half_open_due = self.tcp.half_open_due.min(record.due.from(now));
        self.grant_fast_open(request, &mut header, now);
        self.answer_tcp(received, &header);
        Ok(())
    }

    pub(in crate::engine) fn choose_iss(&self, request: &Request<'_>, now: Instant) -> SeqNum {
        let iss = self.isn().isn(now, request.tuple, request.hash);
        match request.after {
            // RFC 1122, section 4.2.2.13: the new connection's numbers are beyond those of the old.
            Some(after) if iss.at_or_before(after) => after + ISS_STEP,
            _ => iss,
        }
    }

    /// What a listener offers for a connection between these ends.
    pub(in crate::engine) fn offer_for(
        &mut self,
        listener: Index,
        tuple: &FourTuple,
        now: Instant,
    ) -> Offer {
        let receive_capacity = self.receive_capacity_of(listener);
        let peer = self.peer(tuple, now);
        Offer {
            receive_capacity,
            path_mss: peer.mss().announced,
            timestamp_offset: peer.timestamp_offset,
        }
    }

    fn on_half_open_segment(
        &mut self,
        (record, hash): (Index, TupleHash),
        received: &mut Received<'_>,
        segment: &TcpSegment<'_>,
        now: Instant,
    ) -> Handled {
        let Some(half_open) = self.tcp.half_open.get_mut(record) else {
            return Err(Discard::NoSocket);
        };
        let mut handled = Ok(());
        let header = match half_open.on_segment(segment) {
            SynReply::Complete => {
                return self.complete((record, hash), received, segment, now);
            }
            SynReply::Forget => {
                self.tcp.half_open.remove(record);
                return Ok(());
            }
            SynReply::Refuse(reason) => return self.refuse(received, segment, reason),
            SynReply::Discard(reason) => return Err(reason),
            SynReply::AnswerAgain => half_open.answer(now),
            SynReply::Acknowledge(reason) => {
                handled = Err(reason);
                if !half_open.may_acknowledge(now) {
                    return handled;
                }
                half_open.acknowledgment()
            }
        };
        self.answer_tcp(received, &header);
        handled
    }

    /// The handshake is complete: the record becomes a connection.
    // By itself it takes less room than in the midst of what is done with other segments.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn complete(
        &mut self,
        (record, hash): (Index, TupleHash),
        received: &mut Received<'_>,
        segment: &TcpSegment<'_>,
        now: Instant,
    ) -> Handled {
        let Some(half_open) = &self.tcp.half_open.get(record).copied() else {
            return Err(Discard::NoSocket);
        };
        // Whoever listens by now: the socket that was asked may have been taken by another connection.
        let Some(listener) = self.find_listener(&half_open.tuple) else {
            self.tcp.half_open.remove(record);
            return self.refuse(received, segment, Discard::NoSocket);
        };
        let Some(index) = self.slot_for_connection(listener) else {
            return Err(Discard::NoConnectionSlot);
        };
        self.tcp.half_open.remove(record);
        self.open_passively((listener, index), (half_open, hash), now);
        self.on_connection_segment(index, received, segment, now)
    }

    fn find_time_wait(&self, tuple: &FourTuple, hash: TupleHash) -> Option<Index> {
        let table = &self.tcp.time_wait;
        table.find(hash.bucket(), |r| r.connection.tuple.is(tuple))
    }

    /// A segment for a connection in TIME-WAIT. `Err` when it asks for a new connection: with the number
    /// that the old one ended at.
    fn on_time_wait_segment(
        &mut self,
        record: Index,
        received: &mut Received<'_>,
        segment: &TcpSegment<'_>,
        now: Instant,
    ) -> Result<Handled, SeqNum> {
        let until = self.tcp.remember_until(now);
        let Some(remembered) = self.tcp.time_wait.get_mut(record) else {
            return Ok(Err(Discard::NoSocket));
        };
        let connection = &remembered.connection;
        let (header, snd_nxt) = (connection.acknowledgment(now), connection.snd_nxt);
        let reason = match connection.on_segment(segment) {
            TimeWaitVerdict::AcknowledgeAndRestart => {
                remembered.until = until;
                self.tcp.time_wait.renew(record);
                Discard::DuplicateSegment
            }
            TimeWaitVerdict::Acknowledge(reason) => reason,
            TimeWaitVerdict::NewConnection => return Err(snd_nxt),
            TimeWaitVerdict::Forget => {
                self.tcp.time_wait.remove(record);
                return Ok(Ok(()));
            }
            TimeWaitVerdict::Discard(reason) => return Ok(Err(reason)),
        };
        self.answer_tcp(received, &header);
        Ok(Err(reason))
    }
}

// Answers that are due again, and records that have had their time.
impl Engine<'_> {
    pub(in crate::engine) fn on_listen_timeout(&mut self, now: Instant) {
        if self.tcp.time_wait_due <= now {
            self.end_time_wait(now);
        }
        if self.interface.link_up {
            return;
        }
        // What is due meanwhile counts as sent and lost: it comes neither later nor all at once.
        while let Some(half_open) = self.tcp.next_half_open(now) {
            half_open.on_answered(now);
        }
    }

    /// Forgets the connections in TIME-WAIT that have had their time.
    fn end_time_wait(&mut self, now: Instant) {
        let table = &mut self.tcp.time_wait;
        self.tcp.time_wait_due = loop {
            match table.oldest() {
                Some((oldest, record)) if record.until.wait(now) == 0 => table.remove(oldest),
                Some((_, record)) => break record.until.from(now),
                None => break Instant::FAR_FUTURE,
            };
        };
    }

    /// Sends the next answer that is due again. False if none is.
    pub(in crate::engine) fn transmit_listen(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        while let Some(half_open) = self.tcp.next_half_open(now) {
            let tuple = half_open.tuple;
            let mut path = Path::from_source(Some(tuple.local.addr));
            let reach = self.interface.reach(tuple.remote.addr, &mut path, now);
            #[cfg(feature = "medium-ethernet")]
            if matches!(reach, Reach::Pending(_)) {
                // The first answer went back to where the request came from; this is the first packet
                // that needs the neighbor. Where no neighbor can be asked for, because too many are, the
                // answer counts as lost: a flood in the name of the whole subnet costs no polls.
                half_open.put_off(now, NEIGHBOR_WAIT);
                continue;
            }
            let answer = half_open.next_answer(now);
            if let (Reach::Now, Some(link)) = (reach, &self.interface.link_header(&path)) {
                self.stats.count(Counted::Retransmit);
                let (src, dst) = (tuple.local.addr, tuple.remote.addr);
                let packet = self.interface.own_packet(src, dst, Payload::Tcp(&answer));
                self.send_own(room, link, &packet);
                return true;
            }
        }
        false
    }
}

impl TcpState<'_> {
    /// A half-open connection whose answer is due again. Those that were answered often enough are forgotten.
    ///
    /// The table is small, and this happens about once a second while it is in use.
    fn next_half_open(&mut self, now: Instant) -> Option<&mut HalfOpen<SocketKey>> {
        while self.half_open_due <= now {
            let mut next = (u32::MAX, None);
            for (record, half_open) in self.half_open.iter() {
                let wait = half_open.due.wait(now);
                if wait < next.0 {
                    next = (wait, Some((record, half_open.is_exhausted())));
                }
            }
            self.half_open_due = match next {
                (_, None) => Instant::FAR_FUTURE,
                (0, Some((record, false))) => return self.half_open.get_mut(record),
                (0, Some((record, true))) => {
                    self.half_open.remove(record);
                    continue;
                }
                (wait, _) => now + Duration::from_micros(wait.into()),
            };
        }
        None
    }
}

/// How soon an answer is tried again whose neighbor is being asked for. That ends by itself: a neighbor
/// that does not answer is unreachable, and then the answer counts as lost. In microseconds.
#[cfg(feature = "medium-ethernet")]
const NEIGHBOR_WAIT: u32 = 20_000;

/// How far a connection's numbers start behind those of its predecessor between the same ends.
const ISS_STEP: u32 = 128_000;
