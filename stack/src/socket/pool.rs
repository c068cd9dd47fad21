//! Buffers for connections that come and go.

use core::marker::PhantomData;

use embassy_sync::blocking_mutex::raw::RawMutex;

use super::pool_error::PoolError;
use super::stack::Stack;
use crate::engine::{BufferPair, PoolId};
use crate::storage::{Buffer, Bytes};

/// Memory for `N` pairs of a receive buffer of `RX` bytes and a send buffer of `TX` bytes.
///
/// Give it to a stack with [`Stack::add_pool`]; listeners and sockets then borrow pairs from it. A
/// connection gives its pair back when it is over. When all pairs are lent, the connection that has been
/// closing in the background for longest is aborted for its pair.
///
/// ```
/// # use cygnet::TcpPool;
/// # fn example<'d>(stack: cygnet::Stack<'d>, pool: &'d mut TcpPool<'d, 4, 1024, 1024>)
/// #     -> Result<(), Box<dyn std::error::Error>> {
/// let pool = stack.add_pool(pool)?;
/// let listener = cygnet::TcpListener::bind(stack, 80, pool)?;
/// # Ok(()) }
/// ```
pub struct TcpPool<'d, const N: usize, const RX: usize, const TX: usize> {
    receive: [[u8; RX]; N],
    send: [[u8; TX]; N],
    pairs: [Option<BufferPair<'d>>; N],
}

/// A pool that belongs to a stack: `Copy`, to be given to any number of listeners and sockets.
#[derive(Debug)]
pub struct BufferPool<'d> {
    pub(super) id: PoolId,
    lifetime: PhantomData<&'d ()>,
}

impl Clone for BufferPool<'_> {
    fn clone(&self) -> Self {
        *self
    }
}

impl Copy for BufferPool<'_> {}

impl<const N: usize, const RX: usize, const TX: usize> TcpPool<'_, N, RX, TX> {
    /// Buffers that nobody has.
    pub const fn new() -> Self {
        Self {
            receive: [[0; RX]; N],
            send: [[0; TX]; N],
            pairs: [const { None }; N],
        }
    }
}

impl<const N: usize, const RX: usize, const TX: usize> Default for TcpPool<'_, N, RX, TX> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'d, M: RawMutex> Stack<'d, M> {
    /// Gives a pool of buffers to the stack, for good.
    ///
    /// # Errors
    ///
    /// [`PoolError`] if the stack has no room for another pool.
    pub fn add_pool<const N: usize, const RX: usize, const TX: usize>(
        &self,
        pool: &'d mut TcpPool<'d, N, RX, TX>,
    ) -> Result<BufferPool<'d>, PoolError> {
        let TcpPool {
            receive,
            send,
            pairs,
        } = pool;
        for ((pair, receive), send) in pairs.iter_mut().zip(receive).zip(send) {
            *pair = Some(BufferPair {
                receive: Bytes::Borrowed(receive),
                send: Bytes::Borrowed(send),
            });
        }
        self.add_pairs(pairs.as_mut_slice().into())
    }

    /// Gives a pool of `count` pairs from the heap to the stack, for good: a receive buffer of `receive`
    /// bytes and a send buffer of `send` bytes each. For sizes that are known only at run time.
    ///
    /// # Errors
    ///
    /// As [`Self::add_pool`].
    #[cfg(feature = "alloc")]
    pub fn add_owned_pool(
        &self,
        count: usize,
        receive: usize,
        send: usize,
    ) -> Result<BufferPool<'d>, PoolError> {
        let pair = || BufferPair {
            receive: alloc::vec![0; receive].into(),
            send: alloc::vec![0; send].into(),
        };
        let pairs: alloc::vec::Vec<_> = core::iter::repeat_with(|| Some(pair()))
            .take(count)
            .collect();
        self.add_pairs(pairs.into())
    }

    fn add_pairs(
        &self,
        pairs: Buffer<'d, Option<BufferPair<'d>>>,
    ) -> Result<BufferPool<'d>, PoolError> {
        let id = self
            .with(|s| s.engine.add_pool(pairs))
            .map_err(|_| PoolError::Reentrant)?
            .ok_or(PoolError::TooMany)?;
        Ok(BufferPool {
            id,
            lifetime: PhantomData,
        })
    }
}
