//! Listening: requests are answered from records without buffers, and only a complete handshake takes a
//! slot and a pair of buffers.
//!
//! A listener's backlog is the size of its pool: so many connections wait to be accepted. Beyond it a
//! request is dropped without a word: the peer asks again, and may find room then. A handshake that is
//! completed while no pair or slot is free stays half open; its peer's next segment tries again. Half-open
//! connections do not count, or a few invented requests would shut everybody out: their limit is the
//! table of all listeners, and what happens beyond that is said in `syn_cookies.rs`.

use crate::engine::config::EcnPolicy;
use crate::engine::egress::{Inline, InlinePacket};
use crate::engine::interface::{Path, Reach};
use crate::engine::sockets::Body;
use crate::engine::tcp::pool::PoolId;
use crate::engine::{Engine, SocketKey};
use crate::events::Events;
use crate::stats::{Counted, Discard};
use crate::storage::{Index, List};
use crate::tcp::{
    Disposition, FourTuple, HalfOpen, Offer, Opening, State, SynReply, TimeWaitVerdict, reset_for,
};
use crate::time::Instant;
use crate::wire::{IpListenEndpoint, SeqNum, TcpFlags, TcpHeader, TcpSegment};

/// A slot that listens.
pub(in crate::engine) struct Listener {
    pub(in crate::engine) local: IpListenEndpoint,
    pool: PoolId,
    backlog: u16,
    /// Requests answered and not completed.
    half_open: u16,
    /// Connections complete and not accepted, the oldest first.
    queue: List,
    queued: u16,
    /// How many of them may be there before their handshake is complete.
    #[cfg(feature = "tcp-fast-open")]
    pub(in crate::engine) fast_open: crate::engine::tcp::fast_open::FastOpenLimit,
}

/// A SYN for a listener.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Request<'a> {
    pub(in crate::engine) listener: Index,
    pub(in crate::engine) tuple: &'a FourTuple,
    /// Of the four-tuple.
    pub(in crate::engine) hash: u32,
    pub(in crate::engine) syn: &'a TcpHeader,
    /// What came with it.
    #[cfg_attr(not(feature = "tcp-fast-open"), expect(dead_code))]
    pub(in crate::engine) text: &'a [u8],
    /// Where the numbers of the connection in TIME-WAIT end whose place it takes.
    pub(in crate::engine) after: Option<SeqNum>,
}

/// Why a socket cannot listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ListenError {
    /// The socket is connected or connecting.
    InvalidState,
    /// Port 0 cannot be listened on.
    InvalidPort,
    /// Another listener has the address and port.
    AddrInUse,
    /// There is no free slot for a socket.
    NoSlot,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for ListenError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::InvalidState => "the socket is in use",
            Self::InvalidPort => "port 0 cannot be listened on",
            Self::AddrInUse => "the port is in use",
            Self::NoSlot => "no free socket slot",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for ListenError {}

// Segments for which there is no connection.
impl<'d> Engine<'d> {
    /// `hash` is that of the connection that is not there.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(in crate::engine) fn on_unconnected_segment(
        &mut self,
        now: Instant,
        tuple: &FourTuple,
        hash: u32,
        segment: &TcpSegment<'_>,
    ) -> Disposition {
        if let Some(record) = self.tcp.half_open.find(hash, |h| h.tuple == *tuple) {
            return self.on_half_open_segment(now, record, hash, segment);
        }
        let mut after = None;
        if let Some(record) = self
            .tcp
            .time_wait
            .find(hash, |r| r.connection.tuple == *tuple)
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
                .unwrap_or_else(|| refusal(segment)),
            None => refusal(segment),
        }
    }

    /// Whoever listens for connections to these ends, the most specific first.
    #[inline(never)]
    fn find_listener(&self, tuple: &FourTuple) -> Option<Index> {
        let local = tuple.local;
        let hash = self.sockets.hash_port(LISTENER, local.port);
        self.sockets.find_best(hash, |body| {
            let endpoint = listening_on(body)?;
            match endpoint.addr {
                _ if endpoint.port != local.port => None,
                None => Some(1),
                Some(address) => (address == local.addr).then_some(2),
            }
        })
    }

    /// Whether somebody listens on the port, at any address.
    pub(in crate::engine) fn is_listening(&self, port: u16) -> bool {
        let hash = self.sockets.hash_port(LISTENER, port);
        self.sockets
            .find(hash, |body| {
                listening_on(body).is_some_and(|endpoint| endpoint.port == port)
            })
            .is_some()
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
            && l.queued >= l.backlog
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
        let capacity = self.receive_capacity_of(listener);
        let key = self.sockets.key(listener);
        let mut record = HalfOpen::new(now, *tuple, key, iss, syn, capacity);
        record.ecn &= self.tcp.ecn != EcnPolicy::Off;
        let Ok(record) = self.tcp.half_open.insert(hash, record) else {
            return Disposition::Discarded(Discard::HalfOpenTableFull);
        };
        if let Some(l) = self.sockets.listener_mut(listener) {
            l.half_open += 1;
        }
        match self.next_answer(now, record) {
            Some((_, mut header)) => {
                self.grant_fast_open(now, request, &mut header);
                Disposition::Answered(None, header)
            }
            None => Disposition::Discarded(Discard::NoSocket),
        }
    }

    pub(in crate::engine) fn choose_iss(&self, now: Instant, request: &Request<'_>) -> SeqNum {
        let iss = self.tcp.isn.generate(now, request.tuple);
        match request.after {
            // RFC 1122, section 4.2.2.13: the new connection's numbers are beyond those of the old.
            Some(after) if iss.at_or_before(after) => after + ISS_STEP,
            _ => iss,
        }
    }

    /// The answer to a request that was made again.
    fn answer_again(&self, now: Instant, record: &HalfOpen<SocketKey>) -> Disposition {
        Disposition::Answered(None, record.answer(now, &self.offer_for(&record.tuple)))
    }

    pub(in crate::engine) fn offer_for(&self, tuple: &FourTuple) -> Offer {
        Offer {
            path_mss: self
                .interface
                .path_mss(self.now, tuple.remote.addr)
                .announced,
            timestamp_offset: self.tcp.isn.timestamp_offset(tuple),
        }
    }

    /// The answer to a request; it counts as sent.
    fn next_answer(&mut self, now: Instant, record: Index) -> Option<(FourTuple, TcpHeader)> {
        let offer = self.offer_for(&self.tcp.half_open.get(record)?.tuple);
        let half_open = self.tcp.half_open.get_mut(record)?;
        let header = half_open.poll_answer(now, &offer);
        self.tcp.half_open_due = self.tcp.half_open_due.min(half_open.due);
        Some((half_open.tuple, header))
    }

    fn on_half_open_segment(
        &mut self,
        now: Instant,
        record: Index,
        hash: u32,
        segment: &TcpSegment<'_>,
    ) -> Disposition {
        let Some(half_open) = self.tcp.half_open.get(record) else {
            return Disposition::Discarded(Discard::NoSocket);
        };
        match half_open.on_segment(segment) {
            SynReply::Complete => self.complete(now, record, hash, segment),
            SynReply::AnswerAgain => self.answer_again(now, half_open),
            SynReply::Forget => {
                self.forget_half_open(record);
                Disposition::Accepted
            }
            SynReply::Answer(reason, header) => Disposition::Answered(Some(reason), header),
            SynReply::Discard(reason) => Disposition::Discarded(reason),
        }
    }

    /// The handshake is complete: the record becomes a connection.
    fn complete(
        &mut self,
        now: Instant,
        record: Index,
        hash: u32,
        segment: &TcpSegment<'_>,
    ) -> Disposition {
        let Some(half_open) = self.tcp.half_open.get(record).copied() else {
            return Disposition::Discarded(Discard::NoSocket);
        };
        // The socket that was asked may have been taken by another connection meanwhile.
        let Some(listener) = self.find_listener(&half_open.tuple) else {
            self.forget_half_open(record);
            return refusal(segment);
        };
        let Some(index) = self.slot_for_connection(listener) else {
            return Disposition::Discarded(Discard::NoConnectionSlot);
        };
        self.forget_half_open(record);
        self.open_passively(now, (listener, index), (&half_open, hash), segment)
    }

    /// Makes a connection of a completed handshake, in the slot `index`, and gives it the segment that
    /// completed it.
    pub(in crate::engine) fn open_passively(
        &mut self,
        now: Instant,
        (listener, index): (Index, Index),
        (half_open, hash): (&HalfOpen<SocketKey>, u32),
        segment: &TcpSegment<'_>,
    ) -> Disposition {
        let FourTuple { local, remote } = half_open.tuple;
        let mut path = Path::from_source(Some(local.addr));
        self.interface.resolve(now, remote.addr, &mut path);
        let opening = Opening {
            tuple: half_open.tuple,
            iss: half_open.iss,
            timestamp_offset: self.tcp.isn.timestamp_offset(&half_open.tuple),
            path_mss: path.mss(),
            ecn: half_open.ecn,
        };
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.connection.accept(now, half_open, &opening);
            tcp.path = path;
        }
        self.sockets.file(index, hash);
        self.tcp.last = index;
        self.enqueue_connection(listener, index);
        self.on_connection_segment(now, index, segment)
    }

    /// Where a connection goes: to a new slot with buffers from the listener's pool, or to the very
    /// socket that listens.
    pub(in crate::engine) fn slot_for_connection(&mut self, listener: Index) -> Option<Index> {
        let pool = match self.sockets.body(listener) {
            Body::Tcp(_) => return Some(listener),
            Body::Listener(l) => l.pool,
            _ => return None,
        };
        let pair = self.take_pair(pool)?;
        self.allocate_pooled(pool, pair)
    }

    pub(in crate::engine) fn enqueue_connection(&mut self, listener: Index, index: Index) {
        let key = self.sockets.key(listener);
        let Some(l) = self.sockets.listener_mut(listener) else {
            return;
        };
        l.queued += 1;
        let queue = l.queue;
        let queue = self.sockets.enqueue(queue, index);
        if let Some(l) = self.sockets.listener_mut(listener) {
            l.queue = queue;
        }
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.queued_by = Some(key);
        }
        self.sockets.notify(listener, Events::ALL);
    }

    /// Takes a connection out of its listener's queue.
    pub(in crate::engine) fn unqueue_connection(&mut self, listener: SocketKey, index: Index) {
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.queued_by = None;
        }
        let Some(listener) = self.sockets.index(listener) else {
            return;
        };
        let Some(l) = self.sockets.listener_mut(listener) else {
            return;
        };
        l.queued = l.queued.saturating_sub(1);
        let mut queue = l.queue;
        self.sockets.unqueue(&mut queue, index);
        if let Some(l) = self.sockets.listener_mut(listener) {
            l.queue = queue;
        }
    }

    pub(in crate::engine) fn forget_half_open(&mut self, record: Index) {
        let Some(half_open) = self.tcp.half_open.remove(record) else {
            return;
        };
        if let Some(listener) = self.sockets.index(half_open.listener)
            && let Some(l) = self.sockets.listener_mut(listener)
        {
            l.half_open = l.half_open.saturating_sub(1);
        }
    }

    pub(in crate::engine) fn receive_capacity_of(&self, listener: Index) -> usize {
        match self.sockets.body(listener) {
            Body::Tcp(tcp) => tcp.connection.receive_capacity(),
            Body::Listener(l) => self.pool(l.pool).map_or(0, |pool| pool.receive_capacity),
            _ => 0,
        }
    }

    /// A segment for a connection in TIME-WAIT. `Err` when it asks for a new connection: with the number
    /// that the old one ended at.
    fn on_time_wait_segment(
        &mut self,
        now: Instant,
        record: Index,
        segment: &TcpSegment<'_>,
    ) -> Result<Disposition, SeqNum> {
        let until = now + self.tcp.time_wait_len;
        let Some(remembered) = self.tcp.time_wait.get_mut(record) else {
            return Ok(Disposition::Discarded(Discard::NoSocket));
        };
        match remembered.connection.on_segment(now, segment) {
            TimeWaitVerdict::AcknowledgeAndRestart(header) => {
                remembered.until = until;
                self.tcp.time_wait.renew(record);
                Ok(Disposition::Answered(
                    Some(Discard::DuplicateSegment),
                    header,
                ))
            }
            TimeWaitVerdict::Acknowledge(reason, header) => {
                Ok(Disposition::Answered(Some(reason), header))
            }
            TimeWaitVerdict::NewConnection => {
                let snd_nxt = remembered.connection.snd_nxt;
                self.tcp.time_wait.remove(record);
                Err(snd_nxt)
            }
            TimeWaitVerdict::Forget => {
                self.tcp.time_wait.remove(record);
                Ok(Disposition::Accepted)
            }
            TimeWaitVerdict::Discard(reason) => Ok(Disposition::Discarded(reason)),
        }
    }
}

// Answers that are due again, and records that have had their time.
impl Engine<'_> {
    pub(in crate::engine) fn on_listen_timeout(&mut self, now: Instant) {
        while let Some((oldest, record)) = self.tcp.time_wait.oldest()
            && record.until <= now
        {
            self.tcp.time_wait.remove(oldest);
        }
        if self.tcp.half_open_due > now {
            return;
        }
        if !self.interface.link_up {
            // What is due meanwhile counts as sent and lost: it comes neither later nor all at once.
            let is_due = |h: &HalfOpen<_>| h.due <= now && !h.is_exhausted();
            while let Some(record) = self.tcp.half_open.search(is_due) {
                self.next_answer(now, record);
            }
        }
        // The table is small, and this happens about once a second while it is in use.
        let has_had_its_time = |h: &HalfOpen<_>| h.due <= now && h.is_exhausted();
        while let Some(record) = self.tcp.half_open.search(has_had_its_time) {
            self.forget_half_open(record);
        }
        self.refresh_half_open_due();
    }

    fn refresh_half_open_due(&mut self) {
        let due = self.tcp.half_open.iter().map(|(_, h)| h.due).min();
        self.tcp.half_open_due = due.unwrap_or(Instant::FAR_FUTURE);
    }

    /// The next answer that is due again.
    pub(in crate::engine) fn poll_listen(&mut self, now: Instant) -> Option<Inline<'static>> {
        while self.tcp.half_open_due <= now {
            let is_due = |h: &HalfOpen<_>| h.due <= now && !h.is_exhausted();
            let Some(record) = self.tcp.half_open.search(is_due) else {
                self.on_listen_timeout(now);
                return None;
            };
            let tuple = self.tcp.half_open.get(record)?.tuple;
            let remote = tuple.remote.addr;
            let mut path = Path::from_source(Some(tuple.local.addr));
            let reach = self.interface.reach(now, remote, &mut path);
            #[cfg(feature = "medium-ethernet")]
            if matches!(reach, Reach::Pending(_)) {
                // The first answer went back to where the request came from; this is the first packet
                // that needs the neighbor. Where no neighbor can be asked for, because too many are, the
                // answer counts as lost: a flood in the name of the whole subnet costs no polls.
                self.tcp.half_open.get_mut(record)?.due = now + NEIGHBOR_WAIT;
                self.refresh_half_open_due();
                continue;
            }
            let (tuple, header) = self.next_answer(now, record)?;
            self.refresh_half_open_due();
            if let (Reach::Now, Some(link)) = (reach, self.interface.link_header(&path)) {
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

// What handles ask for.
impl<'d> Engine<'d> {
    /// A listener that draws on a pool.
    pub(crate) fn listener_bind(
        &mut self,
        local: IpListenEndpoint,
        pool: PoolId,
    ) -> Result<SocketKey, ListenError> {
        self.check_listen(local)?;
        let backlog = u16::try_from(self.pool_size(pool)).unwrap_or(u16::MAX);
        let listener = Listener {
            local,
            pool,
            backlog,
            half_open: 0,
            queue: List::new(),
            queued: 0,
            #[cfg(feature = "tcp-fast-open")]
            fast_open: Default::default(),
        };
        let key = self
            .open(Body::Listener(listener))
            .ok_or(ListenError::NoSlot)?;
        let hash = self.sockets.hash_port(LISTENER, local.port);
        self.sockets.file(key.index, hash);
        Ok(key)
    }

    /// Two listeners may share a port only if their addresses tell them apart. Sockets that each take
    /// one connection may share all of it.
    fn check_listen(&self, local: IpListenEndpoint) -> Result<(), ListenError> {
        if local.port == 0 {
            return Err(ListenError::InvalidPort);
        }
        let hash = self.sockets.hash_port(LISTENER, local.port);
        let taken = self.sockets.find(hash, |body| match body {
            Body::Listener(l) => l.local == local,
            _ => false,
        });
        match taken {
            Some(_) => Err(ListenError::AddrInUse),
            None => Ok(()),
        }
    }

    /// The oldest connection that waits to be accepted.
    pub(crate) fn listener_accept(&mut self, key: SocketKey) -> Option<SocketKey> {
        let listener = self.sockets.index(key)?;
        let l = self.sockets.listener_mut(listener)?;
        let mut queue = l.queue;
        let index = self.sockets.dequeue(&mut queue)?;
        if let Some(l) = self.sockets.listener_mut(listener) {
            l.queue = queue;
            l.queued = l.queued.saturating_sub(1);
        }
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.queued_by = None;
        }
        Some(self.sockets.key(index))
    }

    /// Stops listening. Connections that nobody accepted are reset.
    pub(in crate::engine) fn listener_close(&mut self, key: SocketKey) {
        let Some(listener) = self.sockets.index(key) else {
            return;
        };
        while let Some(connection) = self.listener_accept(key) {
            self.tcp_with(connection, |c| c.abort());
            self.tcp_detach(connection);
        }
        while let Some(record) = self.tcp.half_open.search(|h| h.listener == key) {
            self.forget_half_open(record);
        }
        self.sockets.free(listener);
    }

    /// How many connections a listener has: half-open, waiting to be accepted.
    pub(crate) fn listener_load(&self, key: SocketKey) -> Option<(u16, u16)> {
        match self.sockets.body(self.sockets.index(key)?) {
            Body::Listener(l) => Some((l.half_open, l.queued)),
            _ => None,
        }
    }

    /// Where a listener listens.
    pub(crate) fn listener_local(&self, key: SocketKey) -> Option<IpListenEndpoint> {
        match self.sockets.body(self.sockets.index(key)?) {
            Body::Listener(l) => Some(l.local),
            _ => None,
        }
    }

    /// Lets a socket wait for one connection on its own buffers.
    pub(crate) fn tcp_listen(
        &mut self,
        key: SocketKey,
        local: IpListenEndpoint,
    ) -> Result<(), ListenError> {
        let index = self.sockets.index(key).ok_or(ListenError::InvalidState)?;
        if !self.tcp(key).is_some_and(|c| c.state().is_over()) {
            return Err(ListenError::InvalidState);
        }
        self.check_listen(local)?;
        self.close_listen(index);
        self.finish_tcp(index);
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.connection.listen(local);
        }
        let hash = self.sockets.hash_port(LISTENER, local.port);
        self.sockets.file(index, hash);
        Ok(())
    }

    /// Ends a wait for a connection, if the socket is in one.
    pub(in crate::engine) fn close_listen(&mut self, index: Index) {
        if let Some(tcp) = self.sockets.tcp_mut(index)
            && tcp.connection.state() == State::Listen
        {
            tcp.connection.end(None);
            self.sockets.unfile(index);
        }
    }
}

/// What a socket listens on, if it does.
fn listening_on(body: &Body<'_>) -> Option<IpListenEndpoint> {
    match body {
        Body::Listener(l) => Some(l.local),
        Body::Tcp(tcp) => tcp.connection.listens_on(),
        _ => None,
    }
}

/// What answers a segment for which nobody is there.
fn refusal(segment: &TcpSegment<'_>) -> Disposition {
    Disposition::Answered(Some(Discard::NoSocket), reset_for(segment))
}

/// What listeners are filed under, see [`crate::engine::Sockets::hash`].
const LISTENER: u8 = b'l';

/// How soon an answer is tried again whose neighbor is being asked for. That ends by itself: a neighbor
/// that does not answer is unreachable, and then the answer counts as lost.
#[cfg(feature = "medium-ethernet")]
const NEIGHBOR_WAIT: crate::time::Duration = crate::time::Duration::from_millis(20);

/// How far a connection's numbers start behind those of its predecessor between the same ends.
const ISS_STEP: u32 = 128_000;
