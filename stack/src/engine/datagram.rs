//! What UDP and ICMP sockets have in common: queues of whole packets, sent in order as far as their
//! neighbors are known.
//!
//! A packet whose neighbor is being looked for stays where it is, and those behind it to other hosts go
//! ahead: a host that does not answer never delays another.

use super::Engine;
use super::egress::{Transmit, Turn};
use super::interface::Path;
use super::outgoing::IpPacket;
use super::sockets::Body;
use crate::events::Events;
use crate::storage::{Index, PushError};
use crate::time::Instant;
use crate::wire::IpAddress;

/// The sending side of a socket that sends packets.
pub(super) trait Datagrams {
    /// The first packet at or behind the `from`th record.
    fn next_packet(&self, from: usize) -> Option<Pending>;

    /// Removes a packet that was sent or is given up.
    fn remove(&mut self, nth: usize);

    /// A packet could not be sent to where it should go.
    fn on_unreachable(&mut self, destination: IpAddress);

    fn route(&mut self) -> &mut RouteCache;

    /// The packet as it goes out.
    fn packet(&self, nth: usize, src: IpAddress) -> Option<IpPacket<'_>>;
}

/// A packet that waits to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) nth: usize,
    pub(super) destination: IpAddress,
    /// Where it comes from, if its user said.
    pub(super) source: Option<IpAddress>,
}

/// Where the last packet went, for the next to the same destination.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RouteCache {
    destination: Option<IpAddress>,
    path: Path,
}

/// Why a datagram was not queued for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueError {
    /// There is no room now.
    Full,
    /// It does not fit the socket's buffer, or the link.
    TooLong,
    /// Nothing leads there.
    NoRoute,
    /// The socket is not bound.
    NotBound,
}

impl From<PushError> for QueueError {
    fn from(error: PushError) -> Self {
        match error {
            PushError::Full => Self::Full,
            PushError::TooLong => Self::TooLong,
        }
    }
}

impl RouteCache {
    /// The path to `destination`, if the last packet went there.
    pub(super) fn known(&self, destination: IpAddress) -> Option<&Path> {
        (self.destination == Some(destination)).then_some(&self.path)
    }

    fn path_to(&self, destination: IpAddress) -> Path {
        self.known(destination).copied().unwrap_or_default()
    }
}

impl Body<'_> {
    fn datagrams(&self) -> Option<&dyn Datagrams> {
        match self {
            #[cfg(feature = "socket-udp")]
            Self::Udp(udp) => Some(udp),
            #[cfg(feature = "socket-icmp")]
            Self::Icmp(icmp) => Some(icmp),
            _ => None,
        }
    }

    fn datagrams_mut(&mut self) -> Option<&mut dyn Datagrams> {
        match self {
            #[cfg(feature = "socket-udp")]
            Self::Udp(udp) => Some(udp),
            #[cfg(feature = "socket-icmp")]
            Self::Icmp(icmp) => Some(icmp),
            _ => None,
        }
    }
}

impl Engine<'_> {
    /// The socket's turn to send.
    pub(super) fn poll_datagrams(&mut self, now: Instant, index: Index) -> Option<Transmit> {
        #[cfg(feature = "medium-ethernet")]
        let mut waits_for = None;
        let mut from = 0;
        loop {
            let socket = self.sockets.body_mut(index).datagrams_mut()?;
            let Some(pending) = socket.next_packet(from) else {
                break;
            };
            from = pending.nth + 1;
            let mut path = socket.route().path_to(pending.destination);
            let turn = self.reach(now, pending.destination, &mut path);
            let source = pending.source.or_else(|| self.interface.source_on(&path));
            let socket = self.sockets.body_mut(index).datagrams_mut()?;
            match (turn, source) {
                (Turn::Go(link), Some(src)) => {
                    *socket.route() = RouteCache {
                        destination: Some(pending.destination),
                        path,
                    };
                    return Some(Transmit::Datagram {
                        link,
                        index,
                        nth: pending.nth,
                        src,
                        ident: self.interface.next_ident(),
                    });
                }
                #[cfg(feature = "medium-ethernet")]
                (Turn::Wait(neighbor), _) => {
                    waits_for.get_or_insert(neighbor);
                }
                (Turn::Unreachable, _) | (_, None) => {
                    socket.on_unreachable(pending.destination);
                    socket.remove(pending.nth);
                    self.sockets.notify(index, Events::ALL);
                    // Removing from the front moves the others up.
                    from = 0;
                }
            }
        }
        // Nothing can go now. Whatever changes at any neighbor may be about one of these.
        #[cfg(feature = "medium-ethernet")]
        if waits_for.is_some() {
            self.park(index, None);
        }
        None
    }

    pub(super) fn datagram(
        &self,
        index: Index,
        nth: usize,
        src: IpAddress,
    ) -> Option<IpPacket<'_>> {
        self.sockets.body(index).datagrams()?.packet(nth, src)
    }

    pub(super) fn on_datagram_sent(&mut self, index: Index, nth: usize) {
        let Some(socket) = self.sockets.body_mut(index).datagrams_mut() else {
            return;
        };
        socket.remove(nth);
        let more = socket.next_packet(0).is_some();
        self.sockets.notify(index, Events::WRITABLE);
        if more {
            self.sockets.mark_ready(index);
        }
    }
}
