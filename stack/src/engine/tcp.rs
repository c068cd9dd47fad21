//! TCP sockets: finding the connection of a segment, and what handles ask for.

use cygnet_config::{TCP_HALF_OPEN_COUNT, TCP_POOL_COUNT, TCP_TIME_WAIT_COUNT};

use super::config::{Config, EcnPolicy};
use super::icmp::IcmpError;
use super::ingress::{Handled, Received};
use super::interface::{INTERFACE, Path, Reach, mss_of};
use super::outgoing::{Content, IpPacket, Outgoing, Payload, Room};
use super::pool::{Pool, PoolId};
use super::sockets::Body;
use super::{BufferPair, Engine, SocketKey};
use crate::events::Events;
use crate::ip::{DISCOVERS_PATH_MTU, Delivery, Destination, min_path_mtu, plateau_below};
use crate::rand::HashKey;
use crate::stats::{Counted, Discard};
use crate::storage::{Bytes, Index, Records};
use crate::tcp::{
    Connection, ConnectionError, Disposition, FastOpen, FourTuple, HalfOpen, IsnGenerator, Opening,
    Options, State, TimeWait, hash_tuple,
};
use crate::time::{Duration, Instant};
use crate::wire::tcp::MIN_HEADER_LEN;
use crate::wire::{Ecn, IpAddress, IpEndpoint, IpListenEndpoint, Quote, TcpSegment};

/// What all connections share.
pub(crate) struct TcpState<'d> {
    pub(super) isn: IsnGenerator,
    #[cfg(feature = "tcp-syn-cookies")]
    pub(super) cookies: crate::tcp::SynCookies,
    #[cfg(feature = "tcp-fast-open")]
    pub(super) fast_open_key: crate::tcp::FastOpenKey,
    #[cfg(feature = "tcp-fast-open")]
    pub(super) fast_open_cache: crate::tcp::FastOpenCache<{ cygnet_config::TCP_FAST_OPEN_COUNT }>,
    pub(super) half_open: &'d mut Records<HalfOpen<SocketKey>, TCP_HALF_OPEN_COUNT>,
    /// When the next half-open connection is due; may be too early, never too late.
    pub(super) half_open_due: Instant,
    pub(super) time_wait: &'d mut Records<Remembered, TCP_TIME_WAIT_COUNT>,
    pub(super) time_wait_len: Duration,
    pub(super) ecn: EcnPolicy,
    /// Of new sockets.
    options: Options,
    /// Filled from the front. No `heapless::Vec`: its `Drop` would keep stacks from living in local
    /// variables.
    pub(super) pools: [Option<Pool<'d>>; TCP_POOL_COUNT],
    /// The connection that the last segment was for, which the next is likely for as well.
    pub(super) last: Index,
}

/// The memory for what is not a connection yet, or no longer.
pub(crate) struct TcpTables {
    half_open: Records<HalfOpen<SocketKey>, TCP_HALF_OPEN_COUNT>,
    time_wait: Records<Remembered, TCP_TIME_WAIT_COUNT>,
}

impl TcpTables {
    pub(crate) const fn new() -> Self {
        Self {
            half_open: Records::new(),
            time_wait: Records::new(),
        }
    }
}

/// A connection in TIME-WAIT, and for how long.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) connection: TimeWait,
    pub(super) until: Instant,
}

/// A slot that is used for a connection.
pub(super) struct TcpSlot<'d> {
    pub(super) connection: Connection<'d>,
    pub(super) path: Path,
    /// Where the buffers go when the connection is over.
    pub(super) pool: Option<PoolId>,
    /// The listener in whose queue it waits to be accepted.
    pub(super) queued_by: Option<SocketKey>,
    /// How it opens; takes no room without Fast Open.
    pub(super) fast_open: FastOpen,
    /// The listener for which it was opened with data on its SYN, while its handshake is not complete.
    #[cfg(feature = "tcp-fast-open")]
    pub(super) fast_open_by: Option<SocketKey>,
    /// It is in its pool's list of those without a handle.
    pub(super) lingering: bool,
    /// One of two halves that own it together is gone.
    halved: bool,
}

/// Why a connection could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConnectError {
    /// The socket is connected, connecting or listening already.
    InvalidState,
    /// The remote address or port is none that can be connected to.
    InvalidAddress,
    /// Nothing leads to the remote address, or there is no local address to come from.
    NoRoute,
    /// There is no free slot for a socket, or no free pair of buffers in the pool.
    NoSlot,
    /// The local port is in use for this remote end, or all ports are.
    AddrInUse,
    /// The peer refused the connection.
    Refused,
    /// The peer did not answer.
    TimedOut,
    /// The network reported that the peer cannot be reached.
    Unreachable,
    /// The connection was aborted from this side while it was being opened.
    Aborted,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for ConnectError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::InvalidState => "the socket is in use",
            Self::InvalidAddress => "not an address that can be connected to",
            Self::NoRoute => "no route to the peer",
            Self::NoSlot => "no free socket slot or buffers",
            Self::AddrInUse => "the local port is in use",
            Self::Refused => "connection refused by the peer",
            Self::TimedOut => "the peer did not answer",
            Self::Unreachable => "the peer cannot be reached",
            Self::Aborted => "connection aborted on this side",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for ConnectError {}

impl From<ConnectionError> for ConnectError {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::Refused | ConnectionError::Reset => Self::Refused,
            ConnectionError::TimedOut => Self::TimedOut,
            ConnectionError::Unreachable => Self::Unreachable,
            ConnectionError::AddressGone => Self::NoRoute,
            ConnectionError::Aborted => Self::Aborted,
        }
    }
}

impl<'d> TcpState<'d> {
    pub(super) fn new(key: HashKey, config: &Config, tables: &'d mut TcpTables) -> Self {
        Self {
            isn: IsnGenerator::new(key),
            #[cfg(feature = "tcp-syn-cookies")]
            cookies: crate::tcp::SynCookies::new(key),
            #[cfg(feature = "tcp-fast-open")]
            fast_open_key: crate::tcp::FastOpenKey::new(key),
            #[cfg(feature = "tcp-fast-open")]
            fast_open_cache: crate::tcp::FastOpenCache::new(),
            half_open: &mut tables.half_open,
            half_open_due: Instant::FAR_FUTURE,
            time_wait: &mut tables.time_wait,
            time_wait_len: config.max_segment_lifetime.saturating_mul(2),
            ecn: config.ecn,
            options: Options::new(config.congestion_control, config.min_rto.into()),
            pools: [const { None }; TCP_POOL_COUNT],
            last: 0,
        }
    }

    /// Whether an answer to a request is due again.
    pub(super) fn wants_to_send(&self, now: Instant) -> bool {
        self.half_open_due <= now
    }

    /// [`Instant::FAR_FUTURE`] if there is none.
    pub(super) fn next_deadline(&self) -> Instant {
        let time_wait = self.time_wait.oldest();
        time_wait.map_or(self.half_open_due, |(_, record)| {
            self.half_open_due.min(record.until)
        })
    }
}

impl<'d> TcpSlot<'d> {
    pub(super) fn new(pair: BufferPair<'d>, pool: Option<PoolId>, options: Options) -> Self {
        Self {
            connection: Connection::new(pair.receive, pair.send, options),
            path: Path::default(),
            pool,
            queued_by: None,
            fast_open: FastOpen::Off,
            #[cfg(feature = "tcp-fast-open")]
            fast_open_by: None,
            lingering: false,
            halved: true,
        }
    }
}

// Segments in, segments out.
impl<'d> Engine<'d> {
    pub(super) fn on_tcp<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
        payload: &'f [u8],
    ) -> Handled<'f> {
        // RFC 9293, section 3.9.2.3, MUST-57: "silently discard" what is not to one of our addresses.
        if received.destination != Destination::Local {
            return Err(Discard::NotOurAddress);
        }
        if received.verify && !TcpSegment::verify_checksum(payload, received.src, received.dst) {
            return Err(match payload.len() {
                // Too little for a checksum of its own.
                ..MIN_HEADER_LEN => Discard::Malformed,
                _ => Discard::BadChecksum,
            });
        }
        let mut segment = TcpSegment::default();
        segment.read(payload)?;
        segment.congestion_experienced = received.ecn == Ecn::CE;
        let tuple = FourTuple {
            local: IpEndpoint::new(received.dst, segment.header.dst_port),
            remote: IpEndpoint::new(received.src, segment.header.src_port),
        };
        let disposition = match self.find_connection(&tuple) {
            Ok(index) => self.on_connection_segment(now, index, &segment),
            Err(hash) => self.on_unconnected_segment(now, &tuple, hash, &segment),
        };
        match disposition {
            Disposition::Accepted => Ok(None),
            Disposition::Discarded(reason) => Err(reason),
            Disposition::Answered(reason, header) => {
                if let Some(reason) = reason {
                    self.stats.discard(reason);
                }
                let flow_label = self.interface.flow_label(tuple.local, tuple.remote);
                Ok(Some(received.answer_tcp(header, flow_label)))
            }
        }
    }

    pub(super) fn on_connection_segment(
        &mut self,
        now: Instant,
        index: Index,
        segment: &TcpSegment<'_>,
    ) -> Disposition {
        let fast_open = self.awaits_fast_open(index, segment);
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return Disposition::Discarded(Discard::NoSocket);
        };
        let disposition = tcp.connection.on_segment(now, segment);
        self.learn_fast_open(now, (index, fast_open), segment);
        self.settle_tcp(index);
        disposition
    }

    /// The connection between these ends, or the hash under which it would be.
    fn find_connection(&mut self, tuple: &FourTuple) -> Result<Index, u32> {
        let is_it = |body: &Body<'_>| match body {
            Body::Tcp(tcp) => tcp.connection.tuple == *tuple,
            _ => false,
        };
        let last = self.tcp.last;
        if self.sockets.filed_under(last).is_some() && is_it(self.sockets.body(last)) {
            return Ok(last);
        }
        let hash = self.hash_connection(tuple);
        match self.sockets.find(hash, is_it) {
            Some(index) => {
                self.tcp.last = index;
                Ok(index)
            }
            None => Err(hash),
        }
    }

    pub(super) fn hash_connection(&self, tuple: &FourTuple) -> u32 {
        self.sockets.hash(CONNECTION, |h| hash_tuple(h, tuple))
    }

    /// The connection's turn to send. False if it has nothing, or cannot.
    pub(super) fn transmit_segment(
        &mut self,
        now: Instant,
        index: Index,
        room: &mut dyn Room,
    ) -> bool {
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return false;
        };
        let destination = tcp.connection.tuple.remote.addr;
        let reach = self.interface.reach(now, destination, &mut tcp.path);
        if !matches!(reach, Reach::Now) {
            self.on_tcp_out_of_reach(now, index, reach);
            return false;
        }
        let planned = tcp.connection.poll_segment(now, tcp.path.mss());
        let (Some(plan), Some(link)) = (planned, self.interface.link_header(&tcp.path)) else {
            self.settle_tcp(index);
            return false;
        };
        let tuple = &tcp.connection.tuple;
        let flow_label = self
            .interface
            .flow_label_on(&mut tcp.path, tuple.local, tuple.remote);
        let marked = self
            .tcp
            .mark_fast_open(now, (&tcp.connection, tcp.fast_open), &plan);
        let chosen = tcp.connection.options.hop_limit;
        let segment = Outgoing {
            link,
            content: Content::Ip(IpPacket {
                src: tcp.connection.tuple.local.addr,
                dst: destination,
                hop_limit: chosen.unwrap_or_else(|| self.interface.hop_limit(destination)),
                dscp_ecn: tcp.connection.options.dscp << 2 | plan.ecn().0,
                ident: plan.fragment_ident(),
                dont_fragment: DISCOVERS_PATH_MTU && !tcp.path.needs_fragments(),
                flow_label,
                payload: match &marked {
                    None => Payload::Segment(now, &tcp.connection, &plan),
                    Some(header) => Payload::Marked(header, &tcp.connection, &plan),
                },
            }),
        };
        room.send(&segment);
        tcp.connection.on_transmitted(&plan);
        if plan.repeated {
            self.stats.count(Counted::Retransmit);
        }
        self.on_sent();
        self.settle_tcp(index);
        true
    }

    /// A connection cannot send now: it waits for its next hop, or hears that there is none.
    #[cold]
    fn on_tcp_out_of_reach(&mut self, now: Instant, index: Index, reach: Reach) {
        match reach {
            #[cfg(feature = "medium-ethernet")]
            Reach::Pending(neighbor) => self.park(index, Some(neighbor)),
            #[cfg(feature = "medium-ethernet")]
            Reach::Exhausted => self.park(index, None),
            unreachable => {
                if let Some(tcp) = self.sockets.tcp_mut(index) {
                    tcp.connection.on_unreachable(now);
                }
                self.count_unreachable(unreachable);
                self.settle(index, true);
            }
        }
    }

    pub(super) fn on_tcp_timeout(&mut self, now: Instant, index: Index) {
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.connection.on_timeout(now);
            self.settle_tcp(index);
        }
    }

    /// An ICMP error quotes a segment of ours.
    pub(super) fn tcp_icmp_error(
        &mut self,
        now: Instant,
        quote: &Quote<'_>,
        error: IcmpError,
    ) -> bool {
        let tuple = FourTuple {
            local: IpEndpoint::new(quote.src, quote.src_port()),
            remote: IpEndpoint::new(quote.dst, quote.dst_port()),
        };
        let Ok(index) = self.find_connection(&tuple) else {
            return false;
        };
        let (error, hard) = match error {
            IcmpError::TooLong { .. } if !DISCOVERS_PATH_MTU => return false,
            IcmpError::TooLong { next_hop_mtu } => {
                return self.on_too_long(now, index, quote, next_hop_mtu);
            }
            IcmpError::Refused => (ConnectionError::Refused, true),
            IcmpError::Unreachable | IcmpError::Soft => (ConnectionError::Unreachable, false),
        };
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return false;
        };
        let matched = tcp.connection.on_icmp_error(quote.tcp_seq(), error, hard);
        self.settle_tcp(index);
        matched
    }

    /// A router did not pass a segment on, because the next link takes shorter packets only (RFC 1191). If
    /// that is credible, all connections to the destination take note when they send next; this one sends
    /// what was too long again at once.
    fn on_too_long(
        &mut self,
        now: Instant,
        index: Index,
        quote: &Quote<'_>,
        next_hop_mtu: u16,
    ) -> bool {
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return false;
        };
        let mtu = match next_hop_mtu {
            0 => plateau_below(quote.total_len),
            mtu => mtu,
        };
        let mtu = mtu.max(min_path_mtu(quote.dst));
        let mss = mss_of(mtu, quote.dst);
        if quote.total_len <= mtu || !tcp.connection.believes_path(quote.tcp_seq(), mss) {
            return false;
        }
        tcp.connection.on_narrower_path();
        let interface = &mut self.interface;
        interface
            .path_mtus
            .on_report(now, INTERFACE, quote.dst, mtu);
        interface.on_routes_changed();
        self.settle_tcp(index);
        true
    }
}

// What follows from a change.
impl<'d> Engine<'d> {
    /// Brings all lists in line with what a connection wants. Called after everything that may have
    /// changed it.
    pub(super) fn settle_tcp(&mut self, index: Index) {
        self.settle(index, false);
    }

    /// As [`Self::settle_tcp`]. If its next hop does not answer, the connection is `blocked`: it sends again
    /// when a timer says so.
    fn settle(&mut self, index: Index, blocked: bool) {
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
        let deadline = connection.next_deadline();
        let wants_to_send = !blocked && connection.wants_to_send();
        #[cfg(feature = "medium-ethernet")]
        if events.contains(Events::WRITABLE) {
            let neighbor = tcp.path.neighbor();
            self.confirm_neighbor(neighbor);
        }
        self.sockets.notify(index, events);
        self.sockets.schedule(index, deadline);
        if wants_to_send {
            self.sockets.mark_ready(index);
        }
    }

    /// A connection is over and everything about it is said.
    pub(super) fn finish_tcp(&mut self, index: Index) {
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
        let record = Remembered {
            connection,
            until: self.now + self.tcp.time_wait_len,
        };
        let Err(record) = self.tcp.time_wait.insert(hash, record) else {
            return;
        };
        if let Some((oldest, _)) = self.tcp.time_wait.oldest() {
            self.tcp.time_wait.remove(oldest);
            let _ = self.tcp.time_wait.insert(hash, record);
        }
    }

    /// Gives the buffers back, and the slot.
    pub(super) fn free_tcp(&mut self, index: Index) {
        self.stop_waiting(index);
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return;
        };
        let (pool, lingering) = (tcp.pool, tcp.lingering);
        let (receive, send) = tcp.connection.take_buffers();
        if let Some(id) = pool
            && let Some(Some(pool)) = self.tcp.pools.get_mut(id.index())
        {
            pool.give_back(BufferPair { receive, send });
            if lingering {
                self.sockets.unqueue(&mut pool.lingering, index);
            }
        }
        self.sockets.free(index);
    }

    #[cfg(feature = "medium-ethernet")]
    fn confirm_neighbor(&mut self, neighbor: Option<crate::link::NeighborKey>) {
        if let Some(neighbor) = neighbor {
            let now = self.now;
            self.interface
                .ethernet
                .neighbors
                .confirm_reachability(now, neighbor);
        }
    }
}

// What handles ask for.
impl<'d> Engine<'d> {
    /// A socket on its user's buffers.
    pub(crate) fn tcp_open(&mut self, receive: Bytes<'d>, send: Bytes<'d>) -> Option<SocketKey> {
        let index = self.open_slot(BufferPair { receive, send }, None).ok()?;
        Some(self.sockets.key(index))
    }

    /// A socket on buffers from a pool.
    pub(crate) fn tcp_open_pooled(&mut self, pool: PoolId) -> Option<SocketKey> {
        let pair = self.take_pair(pool)?;
        let index = self.allocate_pooled(pool, pair)?;
        Some(self.sockets.key(index))
    }

    /// A slot for a pair from a pool, which goes back if there is no slot.
    pub(super) fn allocate_pooled(&mut self, pool: PoolId, pair: BufferPair<'d>) -> Option<Index> {
        match self.open_slot(pair, Some(pool)) {
            Ok(index) => Some(index),
            Err(pair) => {
                self.pool_mut(pool)?.give_back(pair);
                None
            }
        }
    }

    /// A slot on these buffers, which come back if there is none.
    #[inline(never)]
    fn open_slot(
        &mut self,
        pair: BufferPair<'d>,
        pool: Option<PoolId>,
    ) -> Result<Index, BufferPair<'d>> {
        let Some(index) = self.sockets.take_free() else {
            return Err(pair);
        };
        *self.sockets.body_mut(index) = Body::Tcp(TcpSlot::new(pair, pool, self.tcp.options));
        Ok(index)
    }

    /// Runs `f` on a connection, and sees to what follows. `None` if the key is stale.
    pub(crate) fn tcp_with<R>(
        &mut self,
        key: SocketKey,
        f: impl FnOnce(&mut Connection<'d>) -> R,
    ) -> Option<R> {
        self.tcp_ask(key, |connection| Some(f(connection)))?
    }

    /// As [`Self::tcp_with`], for what changes the connection only if it has an answer.
    pub(crate) fn tcp_ask<R>(
        &mut self,
        key: SocketKey,
        ask: impl FnOnce(&mut Connection<'d>) -> Option<R>,
    ) -> Option<Option<R>> {
        let index = self.sockets.index(key)?;
        let tcp = self.sockets.tcp_mut(index)?;
        let answer = ask(&mut tcp.connection);
        if answer.is_some() {
            self.settle_tcp(index);
        }
        Some(answer)
    }

    /// A look at a connection.
    pub(crate) fn tcp(&self, key: SocketKey) -> Option<&Connection<'d>> {
        let index = self.sockets.index(key)?;
        match self.sockets.body(index) {
            Body::Tcp(tcp) => Some(&tcp.connection),
            _ => None,
        }
    }

    /// Starts to connect. `local` may leave address and port (0) to us.
    pub(crate) fn tcp_connect(
        &mut self,
        key: SocketKey,
        remote: IpEndpoint,
        local: IpListenEndpoint,
    ) -> Result<(), ConnectError> {
        let index = self.sockets.index(key).ok_or(ConnectError::InvalidState)?;
        self.close_listen(index);
        if !self.tcp(key).is_some_and(|c| c.state().is_over()) {
            return Err(ConnectError::InvalidState);
        }
        // RFC 9293, section 3.9.2.3, MUST-46: no broadcast or multicast.
        if remote.port == 0 || !remote.addr.is_unicast() {
            return Err(ConnectError::InvalidAddress);
        }
        let now = self.now;
        let (next_hop, source) = self
            .interface
            .route(now, remote.addr)
            .ok_or(ConnectError::NoRoute)?;
        // A subnet's broadcast address looks like any other, but the route knows.
        if matches!(next_hop.delivery, Delivery::Broadcast | Delivery::Multicast) {
            return Err(ConnectError::InvalidAddress);
        }
        let address = match local.addr {
            None => source,
            Some(address) if address.version() != remote.addr.version() => {
                return Err(ConnectError::NoRoute);
            }
            Some(address) if self.interface.addresses.is_local(address) => address,
            Some(_) => return Err(ConnectError::NoRoute),
        };
        let (tuple, hash) = self.choose_tuple(address, local.port, remote)?;
        self.start(index, tuple, hash);
        Ok(())
    }

    /// A four-tuple that is free, and its hash.
    fn choose_tuple(
        &mut self,
        address: IpAddress,
        port: u16,
        remote: IpEndpoint,
    ) -> Result<(FourTuple, u32), ConnectError> {
        let tuple = |port| FourTuple {
            local: IpEndpoint::new(address, port),
            remote,
        };
        let mut hash = 0;
        let mut is_free = |engine: &Self, port: u16| {
            let tuple = tuple(port);
            hash = engine.hash_connection(&tuple);
            engine.is_tuple_free(&tuple, hash)
        };
        let port = if port != 0 {
            Some(port).filter(|&port| is_free(self, port))
        } else {
            self.ephemeral_port(|engine, port| !engine.is_listening(port) && is_free(engine, port))
        };
        Ok((tuple(port.ok_or(ConnectError::AddrInUse)?), hash))
    }

    /// Whether no connection, half-open or remembered ones included, has these ends.
    fn is_tuple_free(&self, tuple: &FourTuple, hash: u32) -> bool {
        let connected = self.sockets.find(hash, |body| match body {
            Body::Tcp(tcp) => tcp.connection.tuple == *tuple,
            _ => false,
        });
        connected.is_none()
            && self
                .tcp
                .half_open
                .find(hash, |h| h.tuple == *tuple)
                .is_none()
            && self
                .tcp
                .time_wait
                .find(hash, |r| r.connection.tuple == *tuple)
                .is_none()
    }

    /// `hash` is that of the four-tuple.
    fn start(&mut self, index: Index, tuple: FourTuple, hash: u32) {
        let now = self.now;
        let mut path = Path::from_source(Some(tuple.local.addr));
        self.interface.resolve(now, tuple.remote.addr, &mut path);
        let opening = Opening {
            tuple,
            iss: self.tcp.isn.generate(now, &tuple),
            timestamp_offset: self.tcp.isn.timestamp_offset(&tuple),
            path_mss: path.mss(),
            ecn: self.tcp.ecn == EcnPolicy::Request,
        };
        // What the last connection on this slot still had to say is not said any more.
        self.finish_tcp(index);
        self.forget_fast_open(index);
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.connection.connect(now, &opening);
            tcp.path = path;
        }
        self.sockets.file(index, hash);
        self.settle_tcp(index);
    }

    /// The handle is gone: the connection closes in the background.
    pub(super) fn tcp_detach(&mut self, key: SocketKey) {
        let Some(index) = self.sockets.index(key) else {
            return;
        };
        self.close_listen(index);
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return;
        };
        tcp.connection.detach();
        if let Some(id) = tcp.pool {
            tcp.lingering = true;
            if let Some(Some(pool)) = self.tcp.pools.get_mut(id.index()) {
                pool.lingering = self.sockets.enqueue(pool.lingering, index);
            }
        }
        self.settle_tcp(index);
    }

    /// An attempt to connect or to accept is given up, unless it has accepted a connection.
    pub(crate) fn tcp_give_up(&mut self, key: SocketKey) {
        let Some(index) = self.sockets.index(key) else {
            return;
        };
        self.close_listen(index);
        self.tcp_with(key, |c| {
            // Who connected never saw it succeed; what was accepted is there for the next call.
            if !c.is_unclaimed() {
                c.abort();
            }
        });
    }

    /// Two halves own the connection together from now on.
    pub(crate) fn tcp_split(&mut self, key: SocketKey) {
        if let Some(index) = self.sockets.index(key)
            && let Some(tcp) = self.sockets.tcp_mut(index)
        {
            tcp.halved = false;
        }
    }

    /// A handle is gone; of two halves, only with the second.
    pub(super) fn tcp_drop(&mut self, key: SocketKey) {
        let Some(index) = self.sockets.index(key) else {
            return;
        };
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return;
        };
        if !core::mem::replace(&mut tcp.halved, true) {
            return;
        }
        self.tcp_detach(key);
    }

    /// Gives up the socket and gives back its buffers, if its connection is over and they are its user's.
    pub(crate) fn tcp_release(&mut self, key: SocketKey) -> Option<(Bytes<'d>, Bytes<'d>)> {
        let index = self.sockets.index(key)?;
        self.close_listen(index);
        let tcp = self.sockets.tcp_mut(index)?;
        if tcp.pool.is_some() || !tcp.connection.is_done() {
            return None;
        }
        self.finish_tcp(index);
        let tcp = self.sockets.tcp_mut(index)?;
        let buffers = tcp.connection.take_buffers();
        self.free_tcp(index);
        Some(buffers)
    }

    /// Ends the connections from an address that is gone. A change of addresses is rare enough to look
    /// at all sockets.
    pub(super) fn tcp_address_gone(&mut self, address: IpAddress) {
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

/// What connections are filed under, see [`super::Sockets::hash`].
const CONNECTION: u8 = b'c';
