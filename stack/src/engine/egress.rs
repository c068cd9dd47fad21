//! Something to send: whose turn it is, and how it is written down.
//!
//! The runner has room for a frame before it asks, and a socket is asked only when its next hop is
//! known. So whatever is given out is sent, and nothing is ever taken back.

use super::Engine;
use super::interface::Reach;
use super::outgoing::Room;
use super::sockets::Body;
use crate::stats::Counted;
#[cfg(not(feature = "medium-ethernet"))]
use crate::storage::Index;
use crate::time::Instant;

impl Engine<'_> {
    /// Whether [`Self::transmit`] is worth calling. Errs on the side of yes.
    pub(crate) fn wants_to_transmit(&self, now: Instant) -> bool {
        self.interface.link_up && (self.sockets.has_ready() || self.wants_to_send_own(now))
    }

    /// Whether the runner should come by, as far as is known without a clock; with `blocked`, although
    /// nothing can be sent now. What a handle asked for may have to do with time, which passes without a link as well.
    pub(crate) fn wants_attention(&self, blocked: bool) -> bool {
        let can_send = self.interface.link_up && !blocked;
        self.attention || can_send && self.sockets.has_ready()
    }

    /// Whether an answer is on its way in fragments, and another would find no room.
    #[inline]
    pub(crate) fn is_answer_leaving(&self) -> bool {
        self.fragments.wants_to_send()
    }

    /// Sends the next thing there is to send, in the room for it, and counts it. False if there is nothing.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn transmit(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        self.now = now;
        if !self.interface.link_up {
            return false;
        }
        // Asked once in a row of frames: there are many to ask.
        if !self.only_sockets_send {
            if self.wants_to_send_own(now) && self.transmit_own(room, now) {
                return true;
            }
            self.only_sockets_send = true;
        }
        let sent = self.transmit_of_sockets(room, now);
        // What a socket waits for may be what is sent next.
        self.only_sockets_send &= sent;
        sent
    }

    /// The next socket that has something gets its turn. False if none has.
    fn transmit_of_sockets(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        // A socket that turns out to have nothing costs a turn; so many in a row, and the runner comes
        // back later.
        for _ in 0..IDLE_TURNS {
            let Some(index) = self.sockets.pop_ready() else {
                return false;
            };
            let sent = match self.sockets.body(index) {
                #[cfg(feature = "socket-tcp")]
                Body::Tcp(_) => self.transmit_segment(index, room, now),
                #[cfg(feature = "socket-udp")]
                Body::Udp(_) => self.transmit_datagram(index, room, now),
                #[cfg(feature = "socket-icmp")]
                Body::Icmp(_) => self.transmit_datagram(index, room, now),
                #[cfg(feature = "socket-raw")]
                Body::Raw(_) => self.transmit_datagram(index, room, now),
                #[cfg(feature = "socket-dns")]
                Body::Dns(_) => self.transmit_query(index, room, now),
                #[cfg(feature = "mdns")]
                Body::Browse(_) => self.transmit_browse(index, room, now),
                _ => false,
            };
            if sent {
                return true;
            }
        }
        false
    }

    /// Whether something is due that is not a socket's.
    fn wants_to_send_own(&self, now: Instant) -> bool {
        #[cfg(feature = "socket-tcp")]
        if self.tcp.wants_to_send(now) {
            return true;
        }
        self.interface_wants_to_send(now)
            || self.fragments.wants_to_send()
            || self.services.want_to_send(now)
    }

    /// What is not a socket's goes before those.
    #[cold]
    fn transmit_own(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        // RFC 4862, section 5.4.2: who asks for an address is in its group before.
        #[cfg(feature = "multicast")]
        if self.transmit_group_report(room, now) {
            return true;
        }
        #[cfg(feature = "socket-tcp")]
        if self.transmit_listen(room, now) {
            return true;
        }
        self.transmit_interface(room, now)
            || self.transmit_fragment(room)
            || self.transmit_services(room, now)
    }

    /// Counts that nothing leads to a destination, or that the next hop does not answer.
    pub(super) fn count_unreachable(&mut self, reach: Reach) {
        match reach {
            Reach::NoRoute => self.stats.count(Counted::NoRoute),
            #[cfg(feature = "medium-ethernet")]
            Reach::Unreachable => self.stats.count(Counted::Unreachable),
            _ => {}
        }
    }

    /// Takes a socket out of whatever it waits in: on this medium, in nothing.
    #[cfg(not(feature = "medium-ethernet"))]
    pub(super) fn stop_waiting(&mut self, _: Index) {}
}

/// Sockets without work that are passed over in one call.
const IDLE_TURNS: usize = 32;
