//! The memory of a stack.

use embassy_sync::blocking_mutex::Mutex;
use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};

use super::shared::{Locked, Shared};
use super::wakers::SocketWakers;
#[cfg(feature = "ip-fragments")]
use crate::engine::FragmentBuffers;
#[cfg(feature = "socket-tcp")]
use crate::engine::TcpTables;
use crate::engine::{Engine, LANES, Slot};
use crate::storage::{BucketMemory, DeadlineMemory, Link, List};

/// The memory of a stack with up to `N` sockets, listeners and connections together.
///
/// The application places it: in a `StaticCell`, in a local variable, in a `Box`. Buffers given to
/// sockets must outlive it, so declare them first.
///
/// ```
/// # use cygnet::Resources;
/// # use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
/// // For one executor:
/// let mut resources = Resources::<8>::new();
/// // For handles that are used from several executors or threads:
/// let mut shared = Resources::<8, CriticalSectionRawMutex>::new();
/// # let _ = (&mut resources, &mut shared);
/// ```
pub struct Resources<'d, const N: usize, M: RawMutex = NoopRawMutex> {
    pub(super) slots: [Slot<'d>; N],
    pub(super) links: [[Link; N]; LANES],
    pub(super) buckets: BucketMemory<N>,
    pub(super) deadlines: DeadlineMemory<N>,
    pub(super) wakers: [SocketWakers; N],
    pub(super) put_off: [u8; N],
    #[cfg(feature = "socket-tcp")]
    pub(super) tcp: TcpTables,
    #[cfg(feature = "ip-fragments")]
    pub(super) fragments: FragmentBuffers,
    /// Large, and so in a place of its own, where it is moved to once.
    pub(super) engine: Option<Engine<'d>>,
    pub(super) shared: Option<Shared<'d>>,
    pub(super) locked: Option<Mutex<M, Locked<'d>>>,
}

impl<const N: usize, M: RawMutex> Resources<'_, N, M> {
    /// Room for `N` sockets, at most 65,535.
    pub const fn new() -> Self {
        const {
            assert!(
                N <= List::MAX_SLOTS,
                "a stack has at most 65,535 sockets, without the feature `many-sockets` 64"
            )
        };
        Self {
            slots: [const { Slot::EMPTY }; N],
            links: [[Link::NONE; N]; LANES],
            buckets: BucketMemory::new(),
            deadlines: DeadlineMemory::new(),
            wakers: [const { SocketWakers::EMPTY }; N],
            put_off: [0; N],
            #[cfg(feature = "socket-tcp")]
            tcp: TcpTables::new(),
            #[cfg(feature = "ip-fragments")]
            fragments: FragmentBuffers::new(),
            engine: None,
            shared: None,
            locked: None,
        }
    }
}

impl<const N: usize, M: RawMutex> Default for Resources<'_, N, M> {
    fn default() -> Self {
        Self::new()
    }
}
