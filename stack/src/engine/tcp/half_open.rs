//! Segments for which there is no connection: requests, and records of half-open connections and of those in
//! TIME-WAIT.

use crate::engine::config::EcnPolicy;
use crate::engine::inline::{Inline, InlinePacket};
use crate::engine::interface::{Path, Reach};
use crate::engine::{Engine, SocketKey};
use crate::stats::{Counted, Discard};
use crate::storage::Index;
use crate::tcp::{Disposition, FourTuple, HalfOpen, Offer, SynReply, TimeWaitVerdict, TupleHash};
use crate::time::Instant;
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
        now: Instant,
        tuple: &FourTuple,
        hash: TupleHash,
        segment: &TcpSegment<'_>,
    ) -> Disposition {
        if let Some(record) = self
            .tcp
            .half_open
            .find(hash.bucket(), |h| h.tuple.is(tuple))
        {
            return self.on_half_open_segment(now, record, hash, segment);
        }
        let mut after = None;
        if let Some(record) = self
            .tcp
            .time_wait
            .find(hash.bucket(), |r| r.connection.tuple.is(tuple))
        {
            match self.on_time_wait_segment(now, record, segment) {
                Ok(disposition) => return disposition,
                Err(snd_nxt) => after = Some(snd_nxt),
            }
        }
        let flags = segment.header.flags;
        if flags.contains(TcpFlags::RST) {
            return Disposition::Discarded(Discard::NoSocket);
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
                self.on_request(now, &request)
            }
            // RFC 9293, section 3.10.7.2, fourth: "drop the segment". One with ACK is answered as if nobody
            // listened.
            Some(_) if !flags.contains(TcpFlags::ACK) => {
                Disposition::Discarded(Discard::MissingAck)
            }
            Some(listener) => self
                .on_stray_ack(now, listener, (tuple, hash), segment)
                .unwrap_or(REFUSAL),
            None => REFUSAL,
        }
    }

    pub(in crate::engine) fn on_request(
        &mut self,
        now: Instant,
        request: &Request<'_>,
    ) -> Disposition {
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
            return Disposition::Discarded(Discard::BacklogFull);
        }
        if let Some(opened) = self.open_fast(now, request) {
            return opened;
        }
        if self.tcp.half_open.is_full() {
            return self.on_crowded_request(now, request);
        }
        let iss = self.choose_iss(now, request);
        let offer = self.offer_for(now, listener, tuple);
        let key = self.sockets.key(listener);
        let mut record = HalfOpen::new(now, *tuple, key, iss, syn, &offer);
        record.ecn &= self.tcp.ecn != EcnPolicy::Off;
        let Some(record) = self.tcp.half_open.insert(hash.bucket(), record) else {
            return Disposition::Discarded(Discard::HalfOpenTableFull);
        };
        let mut answer = self.next_answer(now, record);
        if let Disposition::Answered(_, header) = &mut answer {
            self.grant_fast_open(now, request, header);
        }
        answer
    }

    pub(in crate::engine) fn choose_iss(&self, now: Instant, request: &Request<'_>) -> SeqNum {
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
        now: Instant,
        listener: Index,
        tuple: &FourTuple,
    ) -> Offer {
        let receive_capacity = self.receive_capacity_of(listener);
        let peer = self.peer(now, tuple);
        Offer {
            receive_capacity,
            path_mss: peer.mss().announced,
            timestamp_offset: peer.timestamp_offset,
        }
    }

    /// The answer to a request; it counts as sent.
    fn next_answer(&mut self, now: Instant, record: Index) -> Disposition {
        let Some(half_open) = self.tcp.half_open.get_mut(record) else {
            return Disposition::Discarded(Discard::NoSocket);
        };
        half_open.on_answered(now);
        self.tcp.half_open_due = self.tcp.half_open_due.min(half_open.due(now));
        Disposition::Answered(None, half_open.answer(now))
    }

    fn on_half_open_segment(
        &mut self,
        now: Instant,
        record: Index,
        hash: TupleHash,
        segment: &TcpSegment<'_>,
    ) -> Disposition {
        let Some(half_open) = self.tcp.half_open.get(record).copied() else {
            return Disposition::Discarded(Discard::NoSocket);
        };
        match half_open.on_segment(segment) {
            SynReply::Complete => self.complete(now, record, (&half_open, hash), segment),
            SynReply::AnswerAgain => Disposition::Answered(None, half_open.answer(now)),
            SynReply::Forget => {
                self.tcp.half_open.remove(record);
                Disposition::Accepted
            }
            SynReply::Acknowledge(reason) => {
                Disposition::Answered(Some(reason), half_open.acknowledgment())
            }
            SynReply::Refuse(reason) => Disposition::Refused(reason),
            SynReply::Discard(reason) => Disposition::Discarded(reason),
        }
    }

    /// The handshake is complete: the record becomes a connection.
    fn complete(
        &mut self,
        now: Instant,
        record: Index,
        (half_open, hash): (&HalfOpen<SocketKey>, TupleHash),
        segment: &TcpSegment<'_>,
    ) -> Disposition {
        // Whoever listens by now: the socket that was asked may have been taken by another connection.
        let Some(listener) = self.find_listener(&half_open.tuple) else {
            self.tcp.half_open.remove(record);
            return REFUSAL;
        };
        let Some(index) = self.slot_for_connection(listener) else {
            return Disposition::Discarded(Discard::NoConnectionSlot);
        };
        self.tcp.half_open.remove(record);
        self.open_passively(now, (listener, index), (half_open, hash), segment)
    }

    /// A segment for a connection in TIME-WAIT. `Err` when it asks for a new connection: with the number
    /// that the old one ended at.
    fn on_time_wait_segment(
        &mut self,
        now: Instant,
        record: Index,
        segment: &TcpSegment<'_>,
    ) -> Result<Disposition, SeqNum> {
        let until = self.tcp.remember_until(now);
        let Some(remembered) = self.tcp.time_wait.get_mut(record) else {
            return Ok(Disposition::Discarded(Discard::NoSocket));
        };
        let connection = remembered.connection;
        let reason = match connection.on_segment(segment) {
            TimeWaitVerdict::AcknowledgeAndRestart => {
                remembered.until = until;
                self.tcp.time_wait.renew(record);
                Discard::DuplicateSegment
            }
            TimeWaitVerdict::Acknowledge(reason) => reason,
            TimeWaitVerdict::NewConnection => {
                self.tcp.time_wait.remove(record);
                return Err(connection.snd_nxt);
            }
            TimeWaitVerdict::Forget => {
                self.tcp.time_wait.remove(record);
                return Ok(Disposition::Accepted);
            }
            TimeWaitVerdict::Discard(reason) => return Ok(Disposition::Discarded(reason)),
        };
        Ok(Disposition::Answered(
            Some(reason),
            connection.acknowledgment(now),
        ))
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
        while let Some((_, half_open)) = self.next_half_open(now) {
            half_open.on_answered(now);
        }
    }

    /// Forgets the connections in TIME-WAIT that have had their time.
    fn end_time_wait(&mut self, now: Instant) {
        let table = &mut self.tcp.time_wait;
        self.tcp.time_wait_due = loop {
            match table.oldest() {
                Some((oldest, record)) => match record.until.from(now) {
                    until if until > now => break until,
                    _ => table.remove(oldest),
                },
                None => break Instant::FAR_FUTURE,
            };
        };
    }

    /// A half-open connection whose answer is due again. Those that were answered often enough are forgotten.
    ///
    /// The table is small, and this happens about once a second while it is in use.
    fn next_half_open(&mut self, now: Instant) -> Option<(Index, &mut HalfOpen<SocketKey>)> {
        while self.tcp.half_open_due <= now {
            let table = &mut self.tcp.half_open;
            let Some(record) = table.search(&|h| h.due(now) <= now) else {
                let next = table.iter().map(|(_, h)| h.due(now)).min();
                self.tcp.half_open_due = next.unwrap_or(Instant::FAR_FUTURE);
                break;
            };
            if !table.get(record)?.is_exhausted() {
                return Some((record, self.tcp.half_open.get_mut(record)?));
            }
            table.remove(record);
        }
        None
    }

    /// The next answer that is due again.
    pub(in crate::engine) fn poll_listen(&mut self, now: Instant) -> Option<Inline<'static>> {
        while let Some((record, half_open)) = self.next_half_open(now) {
            let tuple = half_open.tuple;
            let mut path = Path::from_source(Some(tuple.local.addr));
            let reach = self.interface.reach(now, tuple.remote.addr, &mut path);
            #[cfg(feature = "medium-ethernet")]
            if matches!(reach, Reach::Pending(_)) {
                // The first answer went back to where the request came from; this is the first packet
                // that needs the neighbor. Where no neighbor can be asked for, because too many are, the
                // answer counts as lost: a flood in the name of the whole subnet costs no polls.
                let half_open = self.tcp.half_open.get_mut(record)?;
                half_open.put_off(now, NEIGHBOR_WAIT);
                continue;
            }
            let answer = self.next_answer(now, record);
            if let (Reach::Now, Some(link), Disposition::Answered(_, header)) =
                (reach, self.interface.link_header(&path), answer)
            {
                self.stats.count(Counted::Retransmit);
                return Some(Inline {
                    link,
                    packet: InlinePacket::Tcp {
                        src: tuple.local.addr,
                        dst: tuple.remote.addr,
                        header,
                        flow_label: self.interface.flow_label(tuple.local, tuple.remote),
                    },
                });
            }
        }
        None
    }
}

/// What becomes of a segment for which nobody is there.
const REFUSAL: Disposition = Disposition::Refused(Discard::NoSocket);

/// How soon an answer is tried again whose neighbor is being asked for. That ends by itself: a neighbor
/// that does not answer is unreachable, and then the answer counts as lost. In microseconds.
#[cfg(feature = "medium-ethernet")]
const NEIGHBOR_WAIT: u32 = 20_000;

/// How far a connection's numbers start behind those of its predecessor between the same ends.
const ISS_STEP: u32 = 128_000;
