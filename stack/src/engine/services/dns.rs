//! DNS queries: a slot asks one question at a time, from a port of its own for each attempt.
//!
//! The slot's buffer holds the question as it goes out and, behind it, room for the answer. The cache is the
//! stack's, and looked into when the runner comes by, which knows the time.

pub(in crate::engine) mod slot;

#[cfg(feature = "mdns")]
use crate::dns::mdns::Versions;
use crate::dns::{Cache, DnsAnswer, Failure, Options, Phase, Query, Verdict};
use crate::dns::{is_local, without_opt};
#[cfg(feature = "icmp-errors")]
use crate::engine::icmp::IcmpError;
use crate::engine::outgoing::Room;
use crate::engine::packet_socket::datagram::RouteCache;
use crate::engine::packet_socket::udp::state::UDP;
use crate::engine::received::Handled;
use crate::engine::sockets::Body;
use crate::engine::{Engine, SocketKey};
use crate::events::Events;
use crate::stats::Discard;
use crate::storage::{Bytes, Index};
use crate::time::Instant;
use crate::wire::dns::{DnsMessage, HEADER_LEN, MDNS_GROUP, Name, OPT_LEN, PORT};
use crate::wire::dns::{RecordType, emit_query};
use crate::wire::{IpAddress, IpEndpoint, Quote};
use slot::DnsSlot;

/// What all DNS sockets share.
pub(in crate::engine) struct DnsState {
    cache: Cache,
}

impl DnsState {
    pub(in crate::engine) const fn new() -> Self {
        Self {
            cache: Cache::new(),
        }
    }
}

/// Why a question cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskError {
    /// The buffer has no room for the question, or for an answer of the least size that is sensible.
    NoRoom,
    /// The slot is gone.
    Gone,
}

// What handles ask for.
impl<'d> Engine<'d> {
    pub(crate) fn dns_open(&mut self, buffer: Bytes<'d>) -> Option<SocketKey> {
        let slot = DnsSlot {
            buffer,
            query_len: 0,
            answer_len: 0,
            query: Query::done(),
            port: 0,
            route: RouteCache::default(),
            shared: false,
            fresh: false,
            #[cfg(feature = "mdns")]
            unasked: Versions::NONE,
            has_opt: false,
            unreachable: false,
        };
        self.open(Body::Dns(slot))
    }

    /// Asks for the records of a name, given in the wire format. `tcp`: a truncated answer can be asked
    /// for again.
    pub(crate) fn dns_ask(
        &mut self,
        key: SocketKey,
        name: &[u8],
        kind: RecordType,
        tcp: bool,
    ) -> Result<(), AskError> {
        let dns = self.dns_mut(key).ok_or(AskError::Gone)?;
        let multicast = is_local(name);
        // Neither everybody's limits nor everybody's connections are of use.
        let (edns, tcp) = (!multicast, tcp && !multicast);
        let len = HEADER_LEN + name.len() + 4 + if edns { OPT_LEN } else { 0 };
        let room = dns.buffer.len().saturating_sub(len).min(LONGEST_ANSWER);
        if room < SHORTEST_ANSWER {
            return Err(AskError::NoRoom);
        }
        let size = edns.then_some(room as u16);
        emit_query(&mut dns.buffer, name, kind, size).ok_or(AskError::NoRoom)?;
        dns.query_len = len;
        dns.has_opt = edns;
        let options = Options {
            edns,
            mix_case: !multicast,
            tcp,
            multicast,
        };
        self.dns_begin(key, options, true);
        Ok(())
    }

    /// Asks the question that lies in the buffer, with `len` bytes, as it is but for its number.
    pub(crate) fn dns_ask_raw(
        &mut self,
        key: SocketKey,
        len: usize,
        tcp: bool,
    ) -> Result<(), AskError> {
        let dns = self.dns_mut(key).ok_or(AskError::Gone)?;
        dns.query_len = len.min(dns.buffer.len());
        if dns.room() < SHORTEST_ANSWER {
            return Err(AskError::NoRoom);
        }
        dns.has_opt = false;
        let name = dns.buffer.get(HEADER_LEN..dns.query_len);
        let multicast = is_local(name.unwrap_or_default());
        let options = Options {
            edns: false,
            mix_case: false,
            tcp: tcp && !multicast,
            multicast,
        };
        self.dns_begin(key, options, false);
        Ok(())
    }

    /// `shared`: the answer may be anybody's, and be kept for others.
    fn dns_begin(&mut self, key: SocketKey, options: Options, shared: bool) {
        let query = match options.multicast {
            true => Query::new(core::iter::once(IpAddress::Ipv4(MDNS_GROUP)), options),
            false => Query::new(self.interface.dns_servers(), options),
        };
        let Some(dns) = self.dns_mut(key) else {
            return;
        };
        dns.query = query;
        dns.answer_len = 0;
        dns.unreachable = false;
        (dns.shared, dns.fresh) = (shared, shared);
        self.dns_settle(key.index());
    }

    /// Nobody waits for the answer any more.
    pub(crate) fn dns_cancel(&mut self, key: SocketKey) {
        let Some(index) = self.sockets.index(key) else {
            return;
        };
        self.stop_waiting(index);
        self.sockets.unfile(index);
        if let Body::Dns(dns) = self.sockets.body_mut(index) {
            dns.query = Query::done();
            dns.port = 0;
        }
    }

    /// How far the question is.
    pub(crate) fn dns_phase(&self, key: SocketKey) -> Option<Phase> {
        Some(self.dns(key)?.query.phase())
    }

    /// Whom the question goes to.
    pub(crate) fn dns_server(&self, key: SocketKey) -> Option<IpEndpoint> {
        Some(IpEndpoint::new(self.dns(key)?.query.server()?, PORT))
    }

    /// The bytes of the question.
    pub(crate) fn dns_question(&self, key: SocketKey) -> Option<&[u8]> {
        let dns = self.dns(key)?;
        dns.buffer.get(..dns.query_len)
    }

    /// The bytes of the answer.
    pub(crate) fn dns_answer_bytes(&self, key: SocketKey) -> Option<&[u8]> {
        Some(self.dns(key)?.answer())
    }

    /// The answer.
    pub(crate) fn dns_answer(&self, key: SocketKey) -> Option<DnsAnswer<'_>> {
        let message = DnsMessage::parse(self.dns(key)?.answer()).ok()?;
        Some(DnsAnswer::new(message))
    }

    /// Writes a piece of a question into the buffer. False if it does not fit.
    pub(crate) fn dns_write(&mut self, key: SocketKey, at: usize, piece: &[u8]) -> bool {
        let room = self
            .dns_mut(key)
            .and_then(|dns| dns.buffer.get_mut(at..at + piece.len()));
        let Some(room) = room else { return false };
        room.copy_from_slice(piece);
        true
    }

    /// Two bytes of the question.
    pub(crate) fn dns_piece(
        &self,
        key: SocketKey,
        range: core::ops::Range<usize>,
    ) -> Option<[u8; 2]> {
        self.dns(key)?.buffer.get(range)?.try_into().ok()
    }

    /// The bytes of the answer, to change in place.
    pub(crate) fn dns_with_answer(&mut self, key: SocketKey, f: impl FnOnce(&mut [u8])) {
        if let Some(dns) = self.dns_mut(key) {
            let end = dns.query_len + dns.answer_len;
            f(dns.buffer.get_mut(dns.query_len..end).unwrap_or_default());
        }
    }

    /// The `nth` of the domains that names of one label are looked for in.
    pub(crate) fn search_domain(&self, nth: usize) -> Option<Name> {
        let mut configured = self.interface.domains();
        let count = configured.by_ref().take(nth).count();
        match configured.next() {
            Some(domain) => Name::try_from(domain).ok(),
            None => self.interface.announced_domain(nth - count),
        }
    }

    /// Writes a piece of an answer that comes over TCP. False if it does not fit.
    pub(crate) fn dns_tcp_piece(&mut self, key: SocketKey, at: usize, piece: &[u8]) -> bool {
        let start = self.dns(key).map_or(0, |dns| dns.query_len) + at;
        self.dns_write(key, start, piece)
    }

    /// An answer that comes over TCP finds no room. No other server has a shorter one.
    pub(crate) fn dns_tcp_too_long(&mut self, key: SocketKey) {
        if let Some(dns) = self.dns_mut(key)
            && matches!(dns.query.phase(), Phase::Tcp(_))
        {
            dns.query.fail(Failure::TooLong);
            self.dns_settle(key.index());
        }
    }

    /// An answer came over TCP, with that length; 0 if none came.
    pub(crate) fn dns_tcp_done(&mut self, key: SocketKey, len: usize) {
        let now = self.now;
        let Some(index) = self.sockets.index(key) else {
            return;
        };
        let Body::Dns(dns) = self.sockets.body_mut(index) else {
            return;
        };
        let (query, room) = dns.buffer.split_at_mut(dns.query_len);
        let answer = room.get(..len).unwrap_or_default();
        let verdict = match dns.query.server() {
            Some(server) => dns.query.on_answer(now, server, query, answer),
            None => Verdict::Ignore,
        };
        match verdict {
            Verdict::Accept => {
                dns.answer_len = len;
                let answer = room.get_mut(..len).unwrap_or_default();
                dns.query.restore_case(answer);
                if dns.shared
                    && let Ok(answer) = DnsMessage::parse(answer)
                {
                    self.dns.cache.put(now, &answer);
                }
            }
            // Not what was asked for: no better than nothing.
            Verdict::Ignore => dns.query.on_tcp_failed(),
            Verdict::Next => {}
        }
        self.dns_settle(index);
    }

    fn dns(&self, key: SocketKey) -> Option<&DnsSlot<'d>> {
        match self.sockets.body(self.sockets.index(key)?) {
            Body::Dns(dns) => Some(dns),
            _ => None,
        }
    }

    fn dns_mut(&mut self, key: SocketKey) -> Option<&mut DnsSlot<'d>> {
        let index = self.sockets.index(key)?;
        match self.sockets.body_mut(index) {
            Body::Dns(dns) => Some(dns),
            _ => None,
        }
    }
}

// The world happened.
impl Engine<'_> {
    /// The names of another network are others.
    pub(in crate::engine) fn dns_forget(&mut self) {
        self.dns.cache.clear();
    }

    /// A datagram came for the slot.
    pub(in crate::engine) fn on_dns(
        &mut self,
        index: Index,
        from: IpAddress,
        data: &[u8],
        now: Instant,
    ) -> Handled {
        let is_neighbor = self.interface.addresses.is_neighbor(from);
        let Body::Dns(dns) = self.sockets.body_mut(index) else {
            return Err(Discard::NoSocket);
        };
        // RFC 6762 section 11: nobody beyond the link was asked.
        if dns.query.is_multicast() && !is_neighbor {
            return Err(Discard::UnmatchedDns);
        }
        let (query, room) = dns.buffer.split_at_mut(dns.query_len);
        match dns.query.on_answer(now, from, query, data) {
            Verdict::Ignore => return Err(Discard::UnmatchedDns),
            Verdict::Next => {}
            Verdict::Accept => match room.get_mut(..data.len()) {
                Some(room) => {
                    room.copy_from_slice(data);
                    dns.answer_len = data.len();
                    dns.query.restore_case(room);
                    if dns.shared
                        && let Ok(answer) = DnsMessage::parse(room)
                    {
                        self.dns.cache.put(now, &answer);
                    }
                }
                None => dns.query.fail(Failure::TooLong),
            },
        }
        self.dns_settle(index);
        Ok(())
    }

    /// An ICMP error quotes a question: nobody is there to answer it.
    #[cfg(feature = "icmp-errors")]
    pub(in crate::engine) fn dns_icmp_error(
        &mut self,
        quote: &Quote<'_>,
        error: IcmpError,
    ) -> bool {
        let remote = IpEndpoint::new(quote.dst, quote.dst_port());
        let hash = self.sockets.hash_port(UDP, quote.src_port());
        let Some(index) = self.sockets.find(hash, |body| match body {
            Body::Dns(dns) => dns.expects(quote.src_port(), remote),
            _ => false,
        }) else {
            return false;
        };
        if let Body::Dns(dns) = self.sockets.body_mut(index)
            && error != IcmpError::Soft
        {
            dns.query.on_unreachable();
            self.dns_settle(index);
        }
        true
    }

    pub(in crate::engine) fn on_dns_timeout(&mut self, index: Index, now: Instant) {
        let Body::Dns(dns) = self.sockets.body_mut(index) else {
            return;
        };
        if dns.query.on_timeout(now) {
            self.dns_settle(index);
        } else if let Some(deadline) = dns.query.deadline() {
            self.sockets.schedule(index, deadline);
        }
    }

    /// The slot's turn to send. False if it has nothing, or cannot.
    pub(in crate::engine) fn transmit_query(
        &mut self,
        index: Index,
        room: &mut dyn Room,
        now: Instant,
    ) -> bool {
        let Body::Dns(dns) = self.sockets.body_mut(index) else {
            return false;
        };
        if core::mem::take(&mut dns.fresh) && dns.query.phase() == Phase::Due {
            let (query, answer) = dns.buffer.split_at_mut(dns.query_len);
            if let Some(len) = self.dns.cache.get(now, query, answer) {
                dns.answer_len = len;
                dns.query.restore_case(answer);
                dns.query = Query::done();
                self.dns_settle(index);
                return false;
            }
        }
        let sent = self.transmit_datagram(index, room, now);
        if let Body::Dns(dns) = self.sockets.body_mut(index) {
            if core::mem::take(&mut dns.unreachable) {
                dns.query.on_unreachable();
                self.dns_settle(index);
            } else if let Some(deadline) = dns.query.wait(now) {
                self.sockets.schedule(index, deadline);
            }
        }
        sent
    }

    /// Sees to what the question's phase asks for, when it may have changed.
    fn dns_settle(&mut self, index: Index) {
        let Body::Dns(dns) = self.sockets.body_mut(index) else {
            return;
        };
        match dns.query.phase() {
            Phase::Due => {
                if dns.has_opt && !dns.query.edns() {
                    dns.has_opt = false;
                    let query = dns.buffer.get_mut(..dns.query_len).unwrap_or_default();
                    dns.query_len = without_opt(query);
                }
                self.dns_attempt(index);
            }
            Phase::Waiting(_) => {}
            Phase::Tcp(deadline) => {
                self.dns_unbind(index);
                self.sockets.schedule(index, deadline);
                self.sockets.notify(index, Events::ALL);
            }
            Phase::Done(_) => {
                self.dns_unbind(index);
                self.sockets.notify(index, Events::ALL);
            }
        }
    }

    fn dns_attempt(&mut self, index: Index) {
        self.stop_waiting(index);
        #[cfg(feature = "mdns")]
        let versions = self.mdns_versions();
        let port = self.ephemeral_port(|engine, port| engine.is_udp_port_free(None, port));
        let Body::Dns(dns) = self.sockets.body_mut(index) else {
            return;
        };
        let query = dns.buffer.get_mut(..dns.query_len).unwrap_or_default();
        dns.query.prepare(query, &mut self.random);
        #[cfg(feature = "mdns")]
        {
            dns.unasked = match dns.query.is_multicast() {
                true => versions,
                false => Versions::NONE,
            };
        }
        // Were all ports taken, no answer would be for it, and it would time out.
        dns.port = port.unwrap_or(0);
        let port = dns.port;
        let hash = self.sockets.hash_port(UDP, port);
        self.sockets.file(index, hash);
        self.sockets.mark_ready_anew(index);
    }

    fn dns_unbind(&mut self, index: Index) {
        self.sockets.unfile(index);
        if let Body::Dns(dns) = self.sockets.body_mut(index) {
            dns.port = 0;
        }
    }
}

/// RFC 1035 section 4.2.1: what every server may send without being told otherwise.
const SHORTEST_ANSWER: usize = 512;

/// The answer that EDNS asks for at most: it fits every path that IPv6 may take (DNS flag day 2020).
const LONGEST_ANSWER: usize = 1232;
