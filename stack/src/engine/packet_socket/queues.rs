//! The packets of a socket that queues whole ones (UDP, ICMP, raw), in and out, and what became of those that
//! were sent.

#[cfg(feature = "packet-linger")]
use zerocopy::native_endian::U64;

use super::datagram::RouteCache;
use crate::stats::Discard;
use crate::storage::{Buffer, Bytes, PacketMetadata, PacketQueue, PushError};

/// The memory of one direction: records, and bytes.
pub(crate) type QueueMemory<'d, T> = (Buffer<'d, PacketMetadata<T>>, Bytes<'d>);

/// The packets of a socket, in and out.
pub(crate) struct Queues<'d, T> {
    pub(super) rx: PacketQueue<'d, T>,
    pub(super) tx: PacketQueue<'d, T>,
    pub(super) route: RouteCache,
    /// What became of a packet that was sent.
    pub(super) fault: Option<Fault>,
    /// Of a socket whose handle is gone, in microseconds. Not aligned, so that slots need not be.
    #[cfg(feature = "packet-linger")]
    pub(super) lingers_until: U64,
}

/// What the network said about a packet that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// Nobody takes it there.
    #[cfg(feature = "icmp-errors")]
    Refused,
    /// Its destination cannot be reached.
    Unreachable,
    /// The address that the socket is bound to is not ours any more.
    #[cfg(feature = "socket-udp")]
    AddressGone,
}

impl<'d, T: Copy> Queues<'d, T> {
    pub(super) fn new(rx: QueueMemory<'d, T>, tx: QueueMemory<'d, T>) -> Self {
        Self {
            rx: PacketQueue::new(rx.0, rx.1),
            tx: PacketQueue::new(tx.0, tx.1),
            route: RouteCache::default(),
            fault: None,
            #[cfg(feature = "packet-linger")]
            lingers_until: U64::ZERO,
        }
    }

    /// Puts a packet that arrived where its user finds it.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn receive(&mut self, meta: T, data: &[u8]) -> Result<(), Discard> {
        receive(&mut self.rx, meta, data)
    }

    /// The same with a packet of `len` bytes that `write` puts together.
    #[cfg(all(feature = "proto-ipv6", feature = "socket-raw"))]
    pub(super) fn receive_with(
        &mut self,
        meta: T,
        len: usize,
        write: impl FnOnce(&mut [u8]),
    ) -> Result<(), Discard> {
        let queued = self.rx.push_with(meta, len, |room| {
            write(room);
            (len, ())
        });
        queued.map_err(Discard::from)
    }

    /// The same with the packet that was queued for sending last.
    #[cfg(all(feature = "multicast", feature = "socket-udp"))]
    pub(super) fn receive_own(&mut self, meta: T) -> Result<(), Discard> {
        receive(&mut self.rx, meta, self.tx.back().unwrap_or_default())
    }

    /// Removes a packet that was sent or is given up. True if there are others.
    #[inline]
    pub(super) fn remove(&mut self, nth: usize) -> bool {
        self.tx.take(nth);
        !self.tx.is_empty()
    }

    /// Removes what has arrived and is not to be kept.
    #[cfg(feature = "socket-udp")]
    pub(super) fn keep_received(&mut self, is_kept: impl Fn(&T) -> bool) {
        let mut from = 0;
        while let Some(nth) = self.rx.next_live(from) {
            from = nth + 1;
            if self.rx.get(nth).is_some_and(|(meta, _)| !is_kept(meta)) {
                self.rx.take(nth);
                if nth == 0 {
                    // Those behind have moved up.
                    from = 0;
                }
            }
        }
    }

    /// As it was when it was new.
    pub(super) fn clear(&mut self) {
        self.rx.clear();
        self.tx.clear();
        self.route = RouteCache::default();
        self.fault = None;
    }

    /// What became of a packet, told once.
    #[inline]
    pub(crate) fn take_fault(&mut self) -> Option<Fault> {
        let fault = self.fault?;
        self.fault = None;
        Some(fault)
    }

    /// Whether there is a packet, or something to tell about one that was sent.
    pub(crate) fn has_news(&self) -> bool {
        self.fault.is_some() || !self.rx.is_empty()
    }

    pub(crate) fn received(&self) -> &PacketQueue<'d, T> {
        &self.rx
    }

    pub(crate) fn received_mut(&mut self) -> &mut PacketQueue<'d, T> {
        &mut self.rx
    }

    pub(crate) fn to_send(&self) -> &PacketQueue<'d, T> {
        &self.tx
    }
}

#[cfg_attr(target_pointer_width = "64", inline(always))]
fn receive<T: Copy>(rx: &mut PacketQueue<'_, T>, meta: T, data: &[u8]) -> Result<(), Discard> {
    let queued = rx.push_with(meta, data.len(), |room| {
        room.copy_from_slice(data);
        (data.len(), ())
    });
    queued.map_err(Discard::from)
}

impl From<PushError> for Discard {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Full => Self::ReceiveQueueFull,
            PushError::TooLong => Self::TooLongForSocket,
        }
    }
}
