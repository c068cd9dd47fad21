//! Sockets whose handle is gone while packets of theirs are yet to be sent (UDP, ICMP, raw).
//!
//! The packets lie in buffers that were lent for longer than the stack lives, so they can still go: a datagram that was
//! queued leaves, as one does that was written to a socket of an operating system. Such a socket receives nothing, and
//! its port, identifier or protocol is free for another at once. It is over when its queue is empty, when it has had
//! [`LINGER`] for that, or when there is no other slot for a new socket.

use zerocopy::native_endian::U64;

use super::datagram::Datagrams;
use crate::engine::Engine;
use crate::engine::sockets::Body;
use crate::stats::Counted;
use crate::storage::Index;
use crate::time::{Duration, Instant};

impl Engine<'_> {
    /// The handle of a socket that queues packets is gone.
    pub(in crate::engine) fn packet_socket_drop(&mut self, index: Index) {
        if !self.has_packets(index) {
            self.give_up(index);
            return;
        }
        self.sockets.unfile(index);
        self.sockets.linger(index);
        let until = self.now + LINGER;
        if let Some(end) = self.lingers_until(index) {
            *end = until.as_micros().into();
        }
        self.sockets.schedule(index, until);
        self.attention = true;
    }

    /// The queue of a socket is empty.
    #[inline]
    pub(in crate::engine) fn on_queue_empty(&mut self, index: Index) {
        if self.sockets.lingers(index) {
            self.end_lingering(index);
        }
    }

    pub(in crate::engine) fn on_lingering_timeout(&mut self, index: Index, now: Instant) {
        let Some(until) = self.lingers_until(index) else {
            return;
        };
        let until = Instant::from_micros(until.get());
        if !self.sockets.lingers(index) {
            return;
        }
        if now < until {
            self.sockets.schedule(index, until);
        } else {
            self.end_lingering(index);
        }
    }

    /// Gives up the socket that has lingered for longest, for its slot.
    pub(in crate::engine) fn end_oldest_lingering(&mut self) {
        if let Some(oldest) = self.sockets.oldest_lingering() {
            self.end_lingering(oldest);
        }
    }

    fn end_lingering(&mut self, index: Index) {
        while self.abandon_packet(index) {
            self.stats.count(Counted::Abandoned);
        }
        self.sockets.end_lingering(index);
        self.give_up(index);
        // Somebody may wait for its buffers.
        self.on_news();
    }

    fn has_packets(&self, index: Index) -> bool {
        let next = match self.sockets.body(index) {
            #[cfg(feature = "socket-udp")]
            Body::Udp(udp) => udp.next_packet(0),
            #[cfg(feature = "socket-icmp")]
            Body::Icmp(icmp) => icmp.next_packet(0),
            #[cfg(feature = "socket-raw")]
            Body::Raw(raw) => raw.next_packet(0),
            _ => None,
        };
        next.is_some()
    }

    /// Gives up the next packet. False if there is none.
    fn abandon_packet(&mut self, index: Index) -> bool {
        match self.sockets.body_mut(index) {
            #[cfg(feature = "socket-udp")]
            Body::Udp(udp) => remove_next(udp),
            #[cfg(feature = "socket-icmp")]
            Body::Icmp(icmp) => remove_next(icmp),
            #[cfg(feature = "socket-raw")]
            Body::Raw(raw) => remove_next(raw),
            _ => false,
        }
    }

    /// Until when a socket that queues packets lingers, if it does.
    fn lingers_until(&mut self, index: Index) -> Option<&mut U64> {
        match self.sockets.body_mut(index) {
            #[cfg(feature = "socket-udp")]
            Body::Udp(udp) => Some(&mut udp.queues.lingers_until),
            #[cfg(feature = "socket-icmp")]
            Body::Icmp(icmp) => Some(&mut icmp.queues.lingers_until),
            #[cfg(feature = "socket-raw")]
            Body::Raw(raw) => Some(&mut raw.queues.lingers_until),
            _ => None,
        }
    }
}

fn remove_next(socket: &mut impl Datagrams) -> bool {
    let next = socket.next_packet(0);
    if let Some(packet) = next {
        socket.remove(packet.nth);
    }
    next.is_some()
}

/// How long packets may take to leave when nobody is there any more to hear that they cannot. Neighbors that do not
/// answer are given up in three seconds; what takes longer is a link that is down.
const LINGER: Duration = Duration::from_secs(10);
