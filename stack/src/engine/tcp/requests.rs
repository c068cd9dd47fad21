//! What handles ask for: sockets, connections, their beginning and their giving up.

use super::pool::PoolId;
use super::segments::is_between;
use super::{ConnectError, TcpSlot};
use crate::engine::config::EcnPolicy;
use crate::engine::sockets::Body;
use crate::engine::{BufferPair, Engine, SocketKey};
use crate::ip::Delivery;
use crate::storage::{Bytes, Index};
use crate::tcp::{Connection, FollowUp, FourTuple, Opening, Options, TupleHash};
use crate::wire::{IpEndpoint, IpListenEndpoint};

impl<'d> Engine<'d> {
    /// A socket on its user's buffers.
    pub(crate) fn tcp_open(&mut self, receive: Bytes<'d>, send: Bytes<'d>) -> Option<SocketKey> {
        let index = self.take_slot()?;
        self.fill_slot(index, BufferPair { receive, send }, None);
        Some(self.sockets.key(index))
    }

    /// A socket on buffers from a pool.
    pub(crate) fn tcp_open_pooled(&mut self, pool: PoolId) -> Option<SocketKey> {
        let pair = self.take_pair(pool)?;
        let index = self.allocate_pooled(pool, pair)?;
        Some(self.sockets.key(index))
    }

    /// A slot for a pair from a pool, which goes back if there is no slot.
    pub(in crate::engine) fn allocate_pooled(
        &mut self,
        pool: PoolId,
        pair: BufferPair<'d>,
    ) -> Option<Index> {
        let Some(index) = self.take_slot() else {
            self.pool_mut(pool)?.give_back(pair);
            return None;
        };
        self.fill_slot(index, pair, Some(pool));
        Some(index)
    }

    /// A connection on these buffers, in a slot that was taken for it.
    #[inline(never)]
    fn fill_slot(&mut self, index: Index, pair: BufferPair<'d>, pool: Option<PoolId>) {
        let options = Options::new(self.tcp.congestion, self.tcp.min_rto);
        let body = self.sockets.body_mut(index);
        // It is free already. Where the compiler sees that, it builds the new one in its place instead of moving it there.
        *body = Body::Free;
        *body = Body::Tcp(TcpSlot::new(pair, pool, options));
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
        let tcp = self.sockets.tcp_of(key)?;
        let answer = ask(&mut tcp.connection);
        if answer.is_some() {
            let follow_up = tcp.connection.follow_up();
            self.follow_up(key.index(), follow_up);
        }
        Some(answer)
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn follow_up(&mut self, index: Index, follow_up: FollowUp) {
        match follow_up {
            FollowUp::None => return,
            FollowUp::Send => self.sockets.mark_ready(index),
            FollowUp::Settle => self.settle_tcp(index),
        }
        // Without a link no turn comes, in which it would be found out until when this may wait.
        self.attention |= !self.interface.link_up;
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
            .route(remote.addr, now)
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
        let mut tuple = FourTuple {
            local: IpEndpoint::new(address, local.port),
            remote,
        };
        let hash = (self.choose_port(&mut tuple)).ok_or(ConnectError::AddrInUse)?;
        self.start(index, &tuple, hash);
        Ok(())
    }

    /// Fills in a local port with which `tuple` is free, unless it has one, and returns the hash. `None` if it is
    /// not, or none is.
    fn choose_port(&mut self, tuple: &mut FourTuple) -> Option<TupleHash> {
        let mut hash = None;
        let mut is_free = |engine: &Self, tuple: &FourTuple| {
            hash = Some(engine.isn().hash(tuple))
                .filter(|hash| engine.is_tuple_free(tuple, hash.bucket()));
            hash.is_some()
        };
        if tuple.local.port != 0 {
            is_free(self, tuple);
        } else {
            self.ephemeral_port(|engine, port| {
                tuple.local.port = port;
                !engine.is_listening(port) && is_free(engine, tuple)
            })?;
        }
        hash
    }

    /// Whether no connection, half-open or remembered ones included, has these ends.
    fn is_tuple_free(&self, tuple: &FourTuple, hash: u32) -> bool {
        let connected = self.sockets.find(hash, |body| is_between(body, tuple));
        connected.is_none()
            && self
                .tcp
                .half_open
                .find(hash, |h| h.tuple.is(tuple))
                .is_none()
            && self
                .tcp
                .time_wait
                .find(hash, |r| r.connection.tuple.is(tuple))
                .is_none()
    }

    /// `hash` is that of the four-tuple.
    fn start(&mut self, index: Index, tuple: &FourTuple, hash: TupleHash) {
        let now = self.now;
        let ecn = self.tcp.ecn == EcnPolicy::Request;
        let iss = self.isn().isn(now, tuple, hash);
        let peer = self.peer(tuple, now);
        let path = peer.path;
        let opening = Opening {
            tuple: *tuple,
            iss,
            timestamp_offset: peer.timestamp_offset,
            path_mss: peer.mss(),
            ecn,
        };
        // What the last connection on this slot still had to say is not said any more.
        self.finish_tcp(index);
        self.forget_fast_open(index);
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.connection.connect(now, &opening);
            tcp.path = path;
        }
        self.sockets.file(index, hash.bucket());
        self.tcp.recent.note(tuple, index);
        self.settle_tcp(index);
        self.attention |= !self.interface.link_up;
    }

    /// The handle is gone: the connection closes in the background.
    pub(in crate::engine) fn tcp_detach(&mut self, index: Index) {
        self.close_listen(index);
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return;
        };
        tcp.connection.detach();
        if let Some(id) = tcp.pool
            && let Some(Some(pool)) = self.tcp.pools.get_mut(id.index())
        {
            pool.lingering = self.sockets.enqueue(pool.lingering, index);
        }
        self.settle_tcp(index);
    }

    /// An attempt to connect or to accept is given up, unless it has accepted a connection.
    pub(in crate::engine) fn tcp_give_up(&mut self, index: Index) {
        self.close_listen(index);
        // Who connected never saw it succeed; what was accepted is there for the next call.
        if let Some(tcp) = self.sockets.tcp_mut(index)
            && !tcp.connection.is_unclaimed()
        {
            tcp.connection.abort();
            self.settle_tcp(index);
        }
    }

    /// Two halves own the connection together from now on.
    pub(in crate::engine) fn tcp_split(&mut self, index: Index) {
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.halved = false;
        }
    }

    /// The sending side is closed.
    pub(in crate::engine) fn tcp_shutdown(&mut self, index: Index) {
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.connection.close();
            let follow_up = tcp.connection.follow_up();
            self.follow_up(index, follow_up);
        }
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
}
