//! Listening: requests are answered from records without buffers, and only a complete handshake takes a
//! slot and a pair of buffers.
//!
//! A listener's backlog is the size of its pool: so many connections wait to be accepted. Beyond it a
//! request is dropped without a word: the peer asks again, and may find room then. A handshake that is
//! completed while no pair or slot is free stays half open; its peer's next segment tries again. Half-open
//! connections do not count, or a few invented requests would shut everybody out: their limit is the
//! table of all listeners, and what happens beyond that is said in `syn_cookies.rs`.

use super::listener::Listener;
use crate::engine::sockets::Body;
use crate::engine::tcp::pool::PoolId;
use crate::engine::{Engine, SocketKey};
use crate::events::Events;
use crate::storage::{Index, List};
use crate::tcp::{FourTuple, HalfOpen, Opening, State, TupleHash};
use crate::time::Instant;
use crate::wire::IpListenEndpoint;

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

// What half-open connections ask of listeners.
impl<'d> Engine<'d> {
    /// Whoever listens for connections to these ends, the most specific first.
    #[inline(never)]
    pub(super) fn find_listener(&self, tuple: &FourTuple) -> Option<Index> {
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

    /// Makes a connection of a completed handshake, in the slot `index`. The segment that completed it is for that.
    pub(in crate::engine) fn open_passively(
        &mut self,
        (listener, index): (Index, Index),
        (half_open, hash): (&HalfOpen<SocketKey>, TupleHash),
        now: Instant,
    ) {
        let peer = self.peer(&half_open.tuple, now);
        let path = peer.path;
        let opening = Opening {
            tuple: half_open.tuple,
            iss: half_open.iss,
            timestamp_offset: peer.timestamp_offset,
            path_mss: peer.mss(),
            ecn: half_open.ecn,
        };
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.connection.accept(now, half_open, &opening);
            tcp.path = path;
        }
        self.sockets.file(index, hash.bucket());
        self.tcp.recent.note(&half_open.tuple, index);
        self.enqueue_connection(listener, index);
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
        let Some((l, links)) = self.sockets.listener_and_links(listener) else {
            return;
        };
        l.queued += 1;
        l.queue.push_back(links, index);
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
        if let Some((l, links)) = self.sockets.listener_and_links(listener) {
            l.queued = l.queued.saturating_sub(1);
            l.queue.remove(links, index);
        }
    }

    pub(in crate::engine) fn receive_capacity_of(&self, listener: Index) -> usize {
        match self.sockets.body(listener) {
            Body::Tcp(tcp) => tcp.connection.receive_capacity(),
            Body::Listener(l) => self.pool(l.pool).map_or(0, |pool| pool.receive_capacity),
            _ => 0,
        }
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
            queue: List::new(),
            queued: 0,
            #[cfg(feature = "tcp-fast-open")]
            fast_open: Default::default(),
        };
        let key = self
            .open(Body::Listener(listener))
            .ok_or(ListenError::NoSlot)?;
        let hash = self.sockets.hash_port(LISTENER, local.port);
        self.sockets.file(key.index(), hash);
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
        let index = self.accept_from(listener)?;
        Some(self.sockets.key(index))
    }

    /// As [`Self::listener_accept`], by the number of the slot.
    fn accept_from(&mut self, listener: Index) -> Option<Index> {
        let (l, links) = self.sockets.listener_and_links(listener)?;
        let index = l.queue.pop_front(links)?;
        l.queued = l.queued.saturating_sub(1);
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.queued_by = None;
            tcp.connection.claim();
        }
        Some(index)
    }

    /// Stops listening. Connections that nobody accepted are reset.
    pub(in crate::engine) fn listener_close(&mut self, listener: Index) {
        while let Some(connection) = self.accept_from(listener) {
            if let Some(tcp) = self.sockets.tcp_mut(connection) {
                tcp.connection.abort();
            }
            self.tcp_detach(connection);
        }
        let key = self.sockets.key(listener);
        while let Some(record) = self.tcp.half_open.search(&|h| h.listener == key) {
            self.tcp.half_open.remove(record);
        }
        self.sockets.free(listener);
    }

    /// How many connections a listener has: half-open, waiting to be accepted.
    pub(crate) fn listener_load(&self, key: SocketKey) -> Option<(usize, usize)> {
        match self.sockets.body(self.sockets.index(key)?) {
            Body::Listener(l) => {
                let records = self.tcp.half_open.iter();
                let half_open = records.filter(|(_, h)| h.listener == key).count();
                Some((half_open, usize::from(l.queued)))
            }
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

    /// Lets a socket wait for one connection on its own buffers, unless it has one that its user does not know of.
    pub(crate) fn tcp_listen(
        &mut self,
        key: SocketKey,
        local: IpListenEndpoint,
    ) -> Result<(), ListenError> {
        let index = self.sockets.index(key).ok_or(ListenError::InvalidState)?;
        match self.sockets.tcp(index) {
            Some(tcp) if tcp.connection.is_unclaimed() => return Ok(()),
            Some(tcp) if tcp.connection.state().is_over() => {}
            _ => return Err(ListenError::InvalidState),
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
pub(super) fn listening_on(body: &Body<'_>) -> Option<IpListenEndpoint> {
    match body {
        Body::Listener(l) => Some(l.local),
        Body::Tcp(tcp) => tcp.connection.listens_on(),
        _ => None,
    }
}

/// What listeners are filed under, see [`crate::engine::Sockets::hash_port`].
const LISTENER: u8 = b'l';
