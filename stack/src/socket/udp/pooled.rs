//! What `nal` needs of a UDP socket beyond what everybody does: buffers of a pool, and one local address.

use embassy_sync::blocking_mutex::raw::RawMutex;

use super::UdpSocket;
use crate::engine::{BindError, UdpPoolId};
use crate::socket::packets::Packets;
use crate::socket::stack::Stack;
use crate::wire::{IpEndpoint, IpListenEndpoint, IpVersion};

impl<'d, M: RawMutex> UdpSocket<'d, M> {
    pub(in crate::socket) fn from_pool(
        stack: Stack<'d, M>,
        pool: UdpPoolId,
    ) -> Result<Self, BindError> {
        let packets = Packets::open(stack, |engine| engine.udp_open_pooled(pool))?;
        Ok(Self { packets })
    }

    /// Binds to one address of ours. Returns where it is bound.
    pub(in crate::socket) fn bind_single(
        &self,
        local: IpListenEndpoint,
        version: IpVersion,
    ) -> Result<IpEndpoint, BindError> {
        self.packets
            .with(|engine, key| engine.udp_bind_single(key, local, version))
            .unwrap_or(Err(BindError::Reentrant))
    }

    /// Binds to one address of ours and connects, so that nothing comes in between. Returns where it is bound.
    pub(in crate::socket) fn connect_from(
        &self,
        local: IpListenEndpoint,
        remote: IpEndpoint,
    ) -> Result<IpEndpoint, BindError> {
        self.packets
            .with(|engine, key| engine.udp_connect_from(key, local, remote))
            .unwrap_or(Err(BindError::Reentrant))
    }
}
