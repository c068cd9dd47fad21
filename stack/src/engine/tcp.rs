//! TCP sockets: what the engine keeps of connections, of those that are not yet, and of those that are no longer.

mod endings;
#[cfg(feature = "icmp-errors")]
mod errors;
#[cfg(feature = "tcp-fast-open")]
mod fast_open;
mod half_open;
pub(super) mod listen;
pub(super) mod listener;
#[cfg(not(feature = "tcp-fast-open"))]
mod no_fast_open;
mod peer;
pub(super) mod pool;
#[cfg_attr(not(feature = "many-sockets"), path = "tcp/no_recent.rs")]
mod recent;
mod requests;
mod segments;
#[cfg(feature = "tcp-syn-cookies")]
mod syn_cookies;
#[cfg(not(feature = "tcp-syn-cookies"))]
mod syn_eviction;

use super::config::{Config, EcnPolicy};
use super::interface::Path;
use super::{BufferPair, Engine, SocketKey};
use crate::rand::HashKey;
use crate::storage::Records;
use crate::tcp::{
    CongestionControl, Connection, ConnectionError, FastOpen, HalfOpen, IsnGenerator, LastHash,
    MinRto, Options, Soon, TimeWait,
};
use crate::time::{Duration, Instant};
use cygnet_config::{TCP_HALF_OPEN_COUNT, TCP_POOL_COUNT, TCP_TIME_WAIT_COUNT};
use peer::LastPeer;
use pool::{Pool, PoolId};
use recent::Recent;

/// What all connections share.
pub(crate) struct TcpState<'d> {
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
    /// In microseconds.
    time_wait_len: u32,
    /// When the oldest connection in TIME-WAIT has had its time; may be too early, never too late.
    pub(super) time_wait_due: Instant,
    pub(super) ecn: EcnPolicy,
    /// Of new sockets.
    congestion: CongestionControl,
    min_rto: MinRto,
    /// Filled from the front. No `heapless::Vec`: its `Drop` would keep stacks from living in local
    /// variables.
    pub(super) pools: [Option<Pool<'d>>; TCP_POOL_COUNT],
    recent: Recent,
    last_hash: LastHash,
    peer: LastPeer,
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
// In this order: what is not aligned, as the ends of the connection, does not come where a table's mark ends, or the
// compiler moves it together with the bytes between.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Remembered {
    pub(super) until: Soon,
    pub(super) connection: TimeWait,
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
        #[cfg(not(any(feature = "tcp-syn-cookies", feature = "tcp-fast-open")))]
        let _ = key;
        let lifetime = config.max_segment_lifetime.min(LONGEST_LIFETIME);
        Self {
            #[cfg(feature = "tcp-syn-cookies")]
            cookies: crate::tcp::SynCookies::new(key),
            #[cfg(feature = "tcp-fast-open")]
            fast_open_key: crate::tcp::FastOpenKey::new(key),
            #[cfg(feature = "tcp-fast-open")]
            fast_open_cache: crate::tcp::FastOpenCache::new(),
            half_open: &mut tables.half_open,
            half_open_due: Instant::FAR_FUTURE,
            time_wait: &mut tables.time_wait,
            time_wait_len: lifetime.as_micros() as u32 * 2,
            time_wait_due: Instant::FAR_FUTURE,
            ecn: config.ecn,
            congestion: config.congestion_control,
            min_rto: config.min_rto.into(),
            pools: [const { None }; TCP_POOL_COUNT],
            recent: Recent::NONE,
            last_hash: LastHash::NONE,
            peer: LastPeer::NONE,
        }
    }

    /// Whether an answer to a request is due again.
    pub(super) fn wants_to_send(&self, now: Instant) -> bool {
        self.half_open_due <= now
    }

    /// Until when a connection is remembered that is over now.
    pub(super) fn remember_until(&self, now: Instant) -> Soon {
        Soon::after(now, self.time_wait_len)
    }

    /// [`Instant::FAR_FUTURE`] if there is none.
    pub(super) fn next_deadline(&self) -> Instant {
        self.half_open_due.min(self.time_wait_due)
    }
}

impl Engine<'_> {
    /// Where the numbers of connections come from, and what they are found by.
    pub(super) fn isn(&self) -> IsnGenerator {
        IsnGenerator::new(self.interface.hash_key())
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
            halved: true,
        }
    }

    /// A handle is gone. Whether it was the last: of two halves, that is the second.
    pub(super) fn loses_last_handle(&mut self) -> bool {
        core::mem::replace(&mut self.halved, true)
    }
}

/// Twice as long is as far as [`Soon`] goes.
const LONGEST_LIFETIME: Duration = Duration::from_micros(Soon::FARTHEST.as_micros() / 2);
