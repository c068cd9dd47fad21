//! Buffers for UDP sockets that come and go: lent when a socket is opened, given back when its handle is gone.

use cygnet_config::UDP_POOL_COUNT;

use super::state::{UdpMetadata, UdpPoolId, UdpSocketState};
use crate::engine::packet_socket::queues::QueueMemory;
use crate::engine::sockets::Body;
use crate::engine::{Engine, SocketKey};
use crate::storage::{Buffer, Index, Stock};

/// The buffers of a socket.
pub(crate) struct UdpBuffers<'d> {
    pub(crate) rx: QueueMemory<'d, UdpMetadata>,
    pub(crate) tx: QueueMemory<'d, UdpMetadata>,
}

/// The pools of a stack, from the front. No `heapless::Vec`: its `Drop` would keep stacks from living in local
/// variables.
pub(crate) struct UdpPools<'d> {
    pools: [Option<Stock<'d, UdpBuffers<'d>>>; UDP_POOL_COUNT],
}

impl<'d> UdpPools<'d> {
    pub(crate) const fn new() -> Self {
        Self {
            pools: [const { None }; UDP_POOL_COUNT],
        }
    }

    fn get_mut(&mut self, id: UdpPoolId) -> Option<&mut Stock<'d, UdpBuffers<'d>>> {
        self.pools.get_mut(usize::from(id.0))?.as_mut()
    }

    /// Takes the buffers that a socket was lent, if it was, from it.
    fn take_back(&mut self, socket: &mut UdpSocketState<'d>) {
        let Some(pool) = socket.lender.take().and_then(|id| self.get_mut(id)) else {
            return;
        };
        pool.give_back(UdpBuffers {
            rx: socket.queues.rx.take_memory(),
            tx: socket.queues.tx.take_memory(),
        });
    }
}

impl<'d> Engine<'d> {
    /// Takes a pool into the stack, for good. `None` if it has as many as it can hold.
    pub(crate) fn add_udp_pool(
        &mut self,
        buffers: Buffer<'d, Option<UdpBuffers<'d>>>,
    ) -> Option<UdpPoolId> {
        let index = self.udp_pools.pools.iter().position(Option::is_none)?;
        let id = UdpPoolId(u8::try_from(index).ok()?);
        self.udp_pools.pools[index] = Some(Stock::new(buffers));
        Some(id)
    }

    /// A socket on buffers of a pool. `None` if there are none left, or no slot.
    pub(crate) fn udp_open_pooled(&mut self, id: UdpPoolId) -> Option<SocketKey> {
        let buffers = self.udp_pools.get_mut(id)?.take()?;
        let Some(index) = self.take_slot() else {
            self.udp_pools.get_mut(id)?.give_back(buffers);
            return None;
        };
        let mut socket = UdpSocketState::new(buffers.rx, buffers.tx);
        socket.lender = Some(id);
        *self.sockets.body_mut(index) = Body::Udp(socket);
        Some(self.sockets.key(index))
    }

    /// Whether a pool has buffers, or gets none from sockets that linger.
    pub(crate) fn is_udp_pool_settled(&mut self, id: UdpPoolId) -> bool {
        let pool = self.udp_pools.get_mut(id);
        pool.is_some_and(|pool| !pool.is_empty()) || !self.sockets.any_lingers()
    }

    /// The socket has no use for its buffers any more.
    pub(in crate::engine) fn return_udp_buffers(&mut self, index: Index) {
        let Self {
            sockets, udp_pools, ..
        } = self;
        if let Body::Udp(socket) = sockets.body_mut(index) {
            udp_pools.take_back(socket);
        }
    }
}
