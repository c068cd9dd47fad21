//! Buffers for connections, lent in pairs and given back when a connection is over.

use core::num::NonZeroU8;

use crate::engine::Engine;
use crate::storage::{Buffer, Bytes, List, Stock};

/// A receive and a send buffer.
#[derive(Debug)]
pub(crate) struct BufferPair<'d> {
    pub(crate) receive: Bytes<'d>,
    pub(crate) send: Bytes<'d>,
}

/// Which of the stack's pools, counted from one: to have none takes no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PoolId(NonZeroU8);

impl PoolId {
    pub(in crate::engine) fn index(self) -> usize {
        usize::from(self.0.get() - 1)
    }
}

/// A pool.
pub(in crate::engine) struct Pool<'d> {
    pairs: Stock<'d, BufferPair<'d>>,
    /// What a connection from this pool can receive at a time, in bytes.
    pub(in crate::engine) receive_capacity: usize,
    /// Connections without a handle that still close in the background, the oldest first.
    pub(in crate::engine) lingering: List,
}

impl<'d> Pool<'d> {
    fn new(pairs: Buffer<'d, Option<BufferPair<'d>>>) -> Self {
        // All are equally long.
        let one = pairs.first().and_then(Option::as_ref);
        Self {
            receive_capacity: one.map_or(0, |pair| pair.receive.len()),
            pairs: Stock::new(pairs),
            lingering: List::new(),
        }
    }

    pub(in crate::engine) fn give_back(&mut self, pair: BufferPair<'d>) {
        self.pairs.give_back(pair);
    }

    /// How many pairs it has, lent ones included.
    pub(in crate::engine) fn size(&self) -> usize {
        self.pairs.size()
    }
}

impl<'d> Engine<'d> {
    /// Takes a pool into the stack, for good. `None` if it has as many as it can hold.
    pub(crate) fn add_pool(&mut self, pairs: Buffer<'d, Option<BufferPair<'d>>>) -> Option<PoolId> {
        let index = self.tcp.pools.iter().position(Option::is_none)?;
        let id = PoolId(NonZeroU8::MIN.checked_add(u8::try_from(index).ok()?)?);
        self.tcp.pools[index] = Some(Pool::new(pairs));
        Some(id)
    }

    pub(in crate::engine) fn pool(&self, id: PoolId) -> Option<&Pool<'d>> {
        self.tcp.pools.get(id.index())?.as_ref()
    }

    pub(in crate::engine) fn pool_mut(&mut self, id: PoolId) -> Option<&mut Pool<'d>> {
        self.tcp.pools.get_mut(id.index())?.as_mut()
    }

    /// How many pairs a pool has.
    pub(crate) fn pool_size(&self, id: PoolId) -> usize {
        self.pool(id).map_or(0, Pool::size)
    }

    /// Lends a pair. When all are lent, the oldest connection that closes in the background is aborted
    /// for its buffers.
    pub(in crate::engine) fn take_pair(&mut self, id: PoolId) -> Option<BufferPair<'d>> {
        if let Some(pair) = self.pool_mut(id)?.pairs.take() {
            return Some(pair);
        }
        let mut lingering = self.pool_mut(id)?.lingering;
        let oldest = self.sockets.dequeue(&mut lingering);
        self.pool_mut(id)?.lingering = lingering;
        let oldest = oldest?;
        let tcp = self.sockets.tcp_mut(oldest)?;
        tcp.pool = None;
        tcp.connection.abort();
        let (receive, send) = tcp.connection.take_buffers();
        self.settle_tcp(oldest);
        Some(BufferPair { receive, send })
    }
}
