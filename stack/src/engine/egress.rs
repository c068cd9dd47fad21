//! Something to send: whose turn it is, and how it is written down.
//!
//! The runner has room for a frame before it asks, and a socket is asked only when its next hop is
//! known. So whatever is given out is sent, and nothing is ever taken back.

use super::Engine;
use super::interface::{Path, Reach};
use super::outgoing::{Content, IpPacket, LinkHeader, Outgoing, Payload};
use super::sockets::Body;
#[cfg(feature = "medium-ethernet")]
use crate::link::NeighborKey;
use crate::storage::Index;
#[cfg(feature = "socket-tcp")]
use crate::tcp::SegmentPlan;
use crate::time::Instant;
#[cfg(feature = "medium-ethernet")]
use crate::wire::ArpPacket;
#[cfg(feature = "socket-tcp")]
use crate::wire::TcpHeader;
use crate::wire::{Icmpv4Message, IpAddress};

/// What is to be sent next: small, and without a hold on the engine.
#[derive(Debug)]
pub(crate) enum Transmit {
    /// Something without a payload in a socket's buffer.
    Inline(Inline<'static>),
    /// A segment of the connection in that slot.
    #[cfg(feature = "socket-tcp")]
    Segment {
        link: LinkHeader,
        index: Index,
        plan: SegmentPlan,
    },
    /// The `nth` packet in the queue of the socket in that slot.
    #[cfg(any(feature = "socket-udp", feature = "socket-icmp"))]
    Datagram {
        link: LinkHeader,
        index: Index,
        nth: usize,
        src: IpAddress,
        ident: u16,
    },
}

/// A packet without a payload in a socket's buffer: what the engine says by itself. An answer may repeat
/// part of the received frame, `'f`.
#[derive(Debug)]
pub(crate) struct Inline<'f> {
    pub(super) link: LinkHeader,
    pub(super) packet: InlinePacket<'f>,
}

#[derive(Debug)]
pub(super) enum InlinePacket<'f> {
    #[cfg(feature = "medium-ethernet")]
    Arp(ArpPacket),
    #[cfg(feature = "socket-tcp")]
    Tcp {
        src: IpAddress,
        dst: IpAddress,
        header: TcpHeader,
    },
    Icmpv4 {
        src: IpAddress,
        dst: IpAddress,
        message: Icmpv4Message<'f>,
        /// Of a message that may be fragmented on its way.
        ident: Option<u16>,
    },
}

impl Engine<'_> {
    /// Whether [`Self::poll_transmit`] is worth asking. Errs on the side of yes.
    pub(crate) fn wants_to_transmit(&self, now: Instant) -> bool {
        if !self.interface.link_up {
            return false;
        }
        #[cfg(feature = "socket-tcp")]
        if self.tcp.wants_to_send(now) {
            return true;
        }
        self.sockets.has_ready() || self.interface_wants_to_send(now)
    }

    /// Whether the runner should come by, as far as is known without a clock.
    pub(crate) fn wants_attention(&self) -> bool {
        self.interface.link_up && self.sockets.has_ready()
    }

    /// The next thing to send. It counts as sent: the caller has room for it, and after writing it down
    /// calls [`Self::on_transmitted`].
    pub(crate) fn poll_transmit(&mut self, now: Instant) -> Option<Transmit> {
        self.now = now;
        if !self.interface.link_up {
            return None;
        }
        if let Some(transmit) = self.poll_interface(now) {
            return Some(transmit);
        }
        #[cfg(feature = "socket-tcp")]
        if let Some(transmit) = self.poll_listen(now) {
            return Some(transmit);
        }
        // A socket that turns out to have nothing costs a turn; so many in a row, and the runner comes
        // back later.
        for _ in 0..IDLE_TURNS {
            let index = self.sockets.pop_ready()?;
            let transmit = match self.sockets.body(index) {
                #[cfg(feature = "socket-tcp")]
                Body::Tcp(_) => self.poll_tcp(now, index),
                #[cfg(feature = "socket-udp")]
                Body::Udp(_) => self.poll_datagrams(now, index),
                #[cfg(feature = "socket-icmp")]
                Body::Icmp(_) => self.poll_datagrams(now, index),
                _ => None,
            };
            if transmit.is_some() {
                return transmit;
            }
        }
        None
    }

    /// The frame for a [`Transmit`].
    pub(crate) fn outgoing<'a>(&'a self, transmit: &'a Transmit) -> Option<Outgoing<'a>> {
        match transmit {
            Transmit::Inline(inline) => Some(inline.outgoing()),
            #[cfg(feature = "socket-tcp")]
            Transmit::Segment { link, index, plan } => {
                let Body::Tcp(tcp) = self.sockets.body(*index) else {
                    return None;
                };
                let payload = Payload::Tcp(&plan.header, tcp.connection.payload(plan));
                let tuple = &tcp.connection.tuple;
                let hop_limit = tcp.connection.options.hop_limit;
                let mut packet =
                    IpPacket::unfragmented(tuple.local.addr, tuple.remote.addr, payload);
                packet.hop_limit = hop_limit;
                Some(Outgoing::ip(*link, packet))
            }
            #[cfg(any(feature = "socket-udp", feature = "socket-icmp"))]
            Transmit::Datagram {
                link,
                index,
                nth,
                src,
                ident,
            } => {
                let mut outgoing = Outgoing::ip(*link, self.datagram(*index, *nth, *src)?);
                outgoing.allow_fragments(*ident);
                Some(outgoing)
            }
        }
    }

    /// The frame for `transmit` was written down.
    pub(crate) fn on_transmitted(&mut self, transmit: &Transmit) {
        self.stats.sent = self.stats.sent.wrapping_add(1);
        match transmit {
            Transmit::Inline(_) => {}
            #[cfg(feature = "socket-tcp")]
            Transmit::Segment { index, .. } => self.settle_tcp(*index),
            #[cfg(any(feature = "socket-udp", feature = "socket-icmp"))]
            Transmit::Datagram { index, nth, .. } => self.on_datagram_sent(*index, *nth),
        }
    }

    /// Whether a packet to `destination` can go now.
    pub(super) fn reach(&mut self, now: Instant, destination: IpAddress, path: &mut Path) -> Turn {
        match self.interface.reach(now, destination, path) {
            Reach::Now(link) => Turn::Go(link),
            Reach::NoRoute => {
                self.stats.no_route = self.stats.no_route.wrapping_add(1);
                Turn::Unreachable
            }
            #[cfg(feature = "medium-ethernet")]
            Reach::Unreachable => {
                self.stats.unreachable = self.stats.unreachable.wrapping_add(1);
                Turn::Unreachable
            }
            #[cfg(feature = "medium-ethernet")]
            Reach::Pending(neighbor) => Turn::Wait(Some(neighbor)),
            #[cfg(feature = "medium-ethernet")]
            Reach::Exhausted => Turn::Wait(None),
        }
    }

    /// Puts a socket where it is woken from when the neighbor is known, or, without one, when anything
    /// about neighbors changes.
    #[cfg(feature = "medium-ethernet")]
    pub(super) fn park(&mut self, index: Index, neighbor: Option<NeighborKey>) {
        let waiters =
            neighbor.and_then(|n| Some((n, self.interface.ethernet.neighbors.waiters_mut(n)?)));
        match waiters {
            Some((neighbor, waiters)) => self.sockets.wait_for(waiters, neighbor, index),
            None => self.sockets.wait_for_any(index),
        }
    }

    /// Takes a socket out of whatever it waits in, because its slot is about to be free.
    pub(super) fn stop_waiting(&mut self, index: Index) {
        #[cfg(feature = "medium-ethernet")]
        {
            let waiters = self
                .sockets
                .waits_for(index)
                .and_then(|neighbor| self.interface.ethernet.neighbors.waiters_mut(neighbor));
            self.sockets.stop_waiting(waiters, index);
        }
        #[cfg(not(feature = "medium-ethernet"))]
        let _ = index;
    }
}

/// Whether a socket whose turn it is can send.
pub(super) enum Turn {
    /// Behind this header.
    Go(LinkHeader),
    /// Not before the neighbor is known, or, without one, before there is room to look for it.
    #[cfg(feature = "medium-ethernet")]
    Wait(Option<NeighborKey>),
    /// The next hop did not answer, or there is none.
    Unreachable,
}

impl Inline<'_> {
    /// The frame for it.
    pub(crate) fn outgoing(&self) -> Outgoing<'_> {
        let (src, dst, payload, ident) = match &self.packet {
            #[cfg(feature = "medium-ethernet")]
            InlinePacket::Arp(packet) => {
                return Outgoing {
                    link: self.link,
                    content: Content::Arp(packet),
                };
            }
            #[cfg(feature = "socket-tcp")]
            InlinePacket::Tcp { src, dst, header } => {
                (src, dst, Payload::Tcp(header, (&[], &[])), None)
            }
            InlinePacket::Icmpv4 {
                src,
                dst,
                message,
                ident,
            } => (src, dst, Payload::Icmpv4(*message), *ident),
        };
        let packet = IpPacket::unfragmented(*src, *dst, payload);
        let mut outgoing = Outgoing::ip(self.link, packet);
        if let Some(ident) = ident {
            outgoing.allow_fragments(ident);
        }
        outgoing
    }
}

impl<'a> Outgoing<'a> {
    pub(super) fn ip(link: LinkHeader, packet: IpPacket<'a>) -> Self {
        Self {
            link,
            content: Content::Ip(packet),
        }
    }
}

impl<'a> IpPacket<'a> {
    /// A packet of the usual hop limit that must not be fragmented on its way.
    pub(super) fn unfragmented(src: IpAddress, dst: IpAddress, payload: Payload<'a>) -> Self {
        Self {
            src,
            dst,
            hop_limit: DEFAULT_HOP_LIMIT,
            ident: 0,
            dont_fragment: true,
            payload,
        }
    }
}

/// What IANA recommends today (RFC 1700 had it first).
pub(super) const DEFAULT_HOP_LIMIT: u8 = 64;

/// Sockets without work that are passed over in one call.
const IDLE_TURNS: usize = 32;
