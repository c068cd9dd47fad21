//! What UDP and ICMP sockets have in common: queues of whole packets, sent in order as far as their
//! neighbors are known.
//!
//! A packet whose neighbor is being looked for stays where it is, and those behind it to other hosts go
//! ahead: a host that does not answer never delays another.

use cygnet_driver::TxToken;

use super::Engine;
use super::interface::{Interface, Path, Reach};
use super::outgoing::{Content, IpPacket, Outgoing};
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

    /// The way that packets went last.
    fn route(&self) -> &RouteCache;

    /// As [`Self::route`], to change it.
    fn route_mut(&mut self) -> &mut RouteCache;

    /// The packet as it goes out.
    fn packet(&self, nth: usize, src: IpAddress, ident: u16) -> Option<IpPacket<'_>>;
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

    fn path_to(&mut self, destination: IpAddress) -> &mut Path {
        if self.destination != Some(destination) {
            *self = Self {
                destination: Some(destination),
                path: Path::default(),
            };
        }
        &mut self.path
    }
}

impl Body<'_> {
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
    /// The socket's turn to send. Gives the room back if it has nothing, or cannot.
    #[inline]
    pub(super) fn transmit_datagram<T: TxToken>(
        &mut self,
        now: Instant,
        index: Index,
        tx: T,
    ) -> Result<(), T> {
        let Some((nth, src)) = self.poll_datagrams(now, index) else {
            return Err(tx);
        };
        let ident = self.interface.next_ident();
        let link = &self.interface;
        let more = match self.sockets.body_mut(index) {
            #[cfg(feature = "socket-udp")]
            Body::Udp(udp) => send(link, udp, nth, src, ident, tx)?,
            #[cfg(feature = "socket-icmp")]
            Body::Icmp(icmp) => send(link, icmp, nth, src, ident, tx)?,
            _ => return Err(tx),
        };
        self.sockets.notify(index, Events::WRITABLE);
        if more {
            self.sockets.mark_ready(index);
        }
        Ok(())
    }

    /// The next packet that can go, and the address that it comes from.
    fn poll_datagrams(&mut self, now: Instant, index: Index) -> Option<(usize, IpAddress)> {
        #[cfg(feature = "medium-ethernet")]
        let mut waits = false;
        let mut from = 0;
        loop {
            let socket = self.sockets.body_mut(index).datagrams_mut()?;
            let Some(pending) = socket.next_packet(from) else {
                break;
            };
            from = pending.nth + 1;
            let path = socket.route_mut().path_to(pending.destination);
            let reach = self.interface.reach(now, pending.destination, path);
            let source = pending.source.or_else(|| self.interface.source_on(path));
            match (reach, source) {
                (Reach::Now, Some(src)) => {
                    return Some((pending.nth, src));
                }
                #[cfg(feature = "medium-ethernet")]
                (Reach::Pending(_) | Reach::Exhausted, _) => waits = true,
                (unreachable, _) => {
                    socket.on_unreachable(pending.destination);
                    socket.remove(pending.nth);
                    self.count_unreachable(unreachable);
                    self.sockets.notify(index, Events::ALL);
                    // Removing from the front moves the others up.
                    from = 0;
                }
            }
        }
        // Nothing can go now. Whatever changes at any neighbor may be about one of these.
        #[cfg(feature = "medium-ethernet")]
        if waits {
            self.park(index, None);
        }
        None
    }
}

/// Sends the `nth` packet of a socket, and takes it out. True if there are more.
#[inline]
fn send<T: TxToken, D: Datagrams>(
    interface: &Interface,
    socket: &mut D,
    nth: usize,
    src: IpAddress,
    ident: u16,
    tx: T,
) -> Result<bool, T> {
    let Some(link) = interface.link_header(&socket.route().path) else {
        return Err(tx);
    };
    let Some(packet) = socket.packet(nth, src, ident) else {
        return Err(tx);
    };
    let content = Content::Ip(packet);
    Outgoing { link, content }.send(tx);
    socket.remove(nth);
    Ok(socket.next_packet(0).is_some())
}
