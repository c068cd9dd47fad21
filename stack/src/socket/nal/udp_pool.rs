//! Buffers for UDP sockets that come and go.

use core::marker::PhantomData;

use embassy_sync::blocking_mutex::raw::RawMutex;

use crate::engine::{UdpBuffers, UdpPacketMetadata, UdpPoolId};
use crate::socket::pool_error::PoolError;
use crate::socket::stack::Stack;
use crate::storage::{Buffer, Bytes};

/// Memory for `N` UDP sockets, each with a queue of up to `PACKETS` datagrams for either direction: of `RX` bytes
/// in all for those that arrive, and of `TX` for those to send.
///
/// Give it to a stack with [`Stack::add_udp_pool`]; [`UdpSockets`](crate::UdpSockets) then draws on it. A socket
/// that is dropped gives its buffers back as soon as what it has queued is sent.
pub struct UdpPool<'d, const N: usize, const PACKETS: usize, const RX: usize, const TX: usize> {
    received: [([UdpPacketMetadata; PACKETS], [u8; RX]); N],
    to_send: [([UdpPacketMetadata; PACKETS], [u8; TX]); N],
    buffers: [Option<UdpBuffers<'d>>; N],
}

/// A pool that belongs to a stack: `Copy`, for any number of [`UdpSockets`](crate::UdpSockets).
#[derive(Debug)]
pub struct UdpBufferPool<'d> {
    pub(super) id: UdpPoolId,
    lifetime: PhantomData<&'d ()>,
}

impl Clone for UdpBufferPool<'_> {
    fn clone(&self) -> Self {
        *self
    }
}

impl Copy for UdpBufferPool<'_> {}

impl<const N: usize, const PACKETS: usize, const RX: usize, const TX: usize>
    UdpPool<'_, N, PACKETS, RX, TX>
{
    /// Buffers that nobody has.
    pub const fn new() -> Self {
        Self {
            received: [const { ([UdpPacketMetadata::EMPTY; PACKETS], [0; RX]) }; N],
            to_send: [const { ([UdpPacketMetadata::EMPTY; PACKETS], [0; TX]) }; N],
            buffers: [const { None }; N],
        }
    }
}

impl<const N: usize, const PACKETS: usize, const RX: usize, const TX: usize> Default
    for UdpPool<'_, N, PACKETS, RX, TX>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<'d, M: RawMutex> Stack<'d, M> {
    /// Gives a pool of buffers for UDP sockets to the stack, for good.
    ///
    /// # Errors
    ///
    /// [`PoolError`] if the stack has no room for another pool.
    pub fn add_udp_pool<const N: usize, const PACKETS: usize, const RX: usize, const TX: usize>(
        &self,
        pool: &'d mut UdpPool<'d, N, PACKETS, RX, TX>,
    ) -> Result<UdpBufferPool<'d>, PoolError> {
        let UdpPool {
            received,
            to_send,
            buffers,
        } = pool;
        for ((place, rx), tx) in buffers.iter_mut().zip(received).zip(to_send) {
            *place = Some(UdpBuffers {
                rx: (Buffer::Borrowed(&mut rx.0), Bytes::Borrowed(&mut rx.1)),
                tx: (Buffer::Borrowed(&mut tx.0), Bytes::Borrowed(&mut tx.1)),
            });
        }
        let id = self
            .with(|s| s.engine.add_udp_pool(buffers.as_mut_slice().into()))
            .map_err(|_| PoolError::Reentrant)?
            .ok_or(PoolError::TooMany)?;
        Ok(UdpBufferPool {
            id,
            lifetime: PhantomData,
        })
    }
}
