//! The turn of a socket that queues whole packets: it sends what goes the same way, in order, as far as neighbors
//! are known.
//!
//! A packet whose neighbor is being looked for stays where it is, and those behind it to other hosts go
//! ahead: a host that does not answer never delays another.

use super::datagram::{Datagrams, Pending};
use crate::engine::Engine;
use crate::engine::interface::{Interface, Reach};
use crate::engine::outgoing::{Marks, Room, Sending};
use crate::engine::sockets::Body;
use crate::events::Events;
use crate::storage::Index;
use crate::time::Instant;
use crate::wire::IpAddress;

impl Engine<'_> {
    /// The socket's turn to send. False if it has nothing, or cannot.
    pub(in crate::engine) fn transmit_datagram(
        &mut self,
        index: Index,
        room: &mut dyn Room,
        now: Instant,
    ) -> bool {
        let interface = &mut self.interface;
        let turn = match self.sockets.body_mut(index) {
            #[cfg(feature = "socket-udp")]
            Body::Udp(udp) => take_turn(interface, udp, room, now),
            #[cfg(feature = "socket-icmp")]
            Body::Icmp(icmp) => take_turn(interface, icmp, room, now),
            #[cfg(feature = "socket-raw")]
            Body::Raw(raw) => take_turn(interface, raw, room, now),
            #[cfg(feature = "socket-dns")]
            Body::Dns(dns) => take_turn(interface, dns, room, now),
            _ => return false,
        };
        if turn.failed {
            self.count_unreachable(turn.reach);
        }
        let news = match turn {
            Turn { failed: true, .. } => Events::ALL,
            Turn { removed: true, .. } => Events::WRITABLE,
            _ => Events::NONE,
        };
        self.sockets.notify(index, news);
        if turn.more {
            self.sockets.mark_ready(index);
        }
        if (turn.removed || turn.failed) && !turn.more {
            self.on_queue_empty(index);
        }
        #[cfg(feature = "medium-ethernet")]
        if turn.waits && turn.sent == 0 && !turn.more {
            // Whatever changes at any neighbor may be about one of these.
            self.park(index, None);
        }
        for _ in 0..turn.sent {
            self.on_sent();
        }
        turn.sent > 0
    }
}

/// What a socket did with its turn.
struct Turn {
    /// How many frames it has sent.
    sent: u32,
    /// Another turn is worth while.
    more: bool,
    /// Packets wait for their neighbor.
    #[cfg_attr(not(feature = "medium-ethernet"), expect(dead_code))]
    waits: bool,
    /// A packet was given up, because of `reach`.
    failed: bool,
    /// A packet has left its queue.
    removed: bool,
    reach: Reach,
}

/// Sends the first packet whose next hop is in reach; the others keep their order. Gives up on the first
/// packet before it that leads nowhere.
fn take_turn<D: Datagrams>(
    interface: &mut Interface,
    socket: &mut D,
    room: &mut dyn Room,
    now: Instant,
) -> Turn {
    let mut turn = Turn {
        sent: 0,
        more: false,
        waits: false,
        failed: false,
        removed: false,
        reach: Reach::Now,
    };
    let mut from = socket.route().cut.nth();
    while let Some(pending) = socket.next_packet(from) {
        from = pending.nth + 1;
        let route = socket.route();
        turn.reach = route.reach(interface, &pending, now);
        if !matches!(turn.reach, Reach::Now) && route.cut.reset() {
            // Its rest cannot go now, but what was passed over for it may.
            from = 0;
            continue;
        }
        let source = match route.cut.under_way() {
            Some((_, src)) => Some(src),
            None => pending.source.or(route.source),
        };
        let source = source.filter(|source| source.version() == pending.destination.version());
        match (turn.reach, source) {
            (Reach::Now, Some(src)) => {
                send_row(interface, socket, pending, src, room, &mut turn);
                return turn;
            }
            #[cfg(feature = "medium-ethernet")]
            (Reach::Pending(_) | Reach::Exhausted, _) => turn.waits = true,
            _ => {
                socket.on_unreachable(pending.destination);
                turn.failed = true;
                turn.more = socket.remove(pending.nth);
                return turn;
            }
        }
    }
    turn
}

/// Sends a packet, and those right behind it that go the same way, while there is room.
fn send_row<D: Datagrams>(
    interface: &mut Interface,
    socket: &mut D,
    first: Pending,
    src: IpAddress,
    room: &mut dyn Room,
    turn: &mut Turn,
) {
    let port = socket.source_port();
    let route = socket.route();
    let flow_label = route.flow_label(interface, (src, port), first.destination);
    let hop_limit = interface.hop_limit(first.destination);
    let (path, flow) = (route.path, route.flow);
    let mut cut = route.cut;
    let mut nth = first.nth;
    // Looked at where it is, not copied: it is as long as a frame's header.
    let link = interface.link_header(&path);
    let Some(link) = &link else {
        return give_up(socket, nth, turn);
    };
    loop {
        let ident = match cut.under_way() {
            Some((ident, _)) => ident,
            None => interface.next_ident_in(flow),
        };
        let marks = Marks {
            ident: ident as u16,
            flow_label,
            hop_limit,
        };
        let Some(packet) = socket.packet(nth, src, marks) else {
            return give_up(socket, nth, turn);
        };
        let sending = Sending {
            link,
            packet: &packet,
            nth,
            mtu: path.mtu(),
            ident,
        };
        let has_more;
        (cut, has_more) = cut.send(sending, room);
        turn.sent += 1;
        socket.route().cut = cut;
        turn.removed |= cut.is_done();
        turn.more = !cut.is_done() || socket.remove(nth);
        if !turn.more || !room.goes_on(has_more) {
            return;
        }
        match socket.next_packet(nth) {
            Some(next) if next.goes_with(&first) => nth = next.nth,
            _ => return,
        }
    }
}

/// Removes a packet that cannot be written down, or its socket would have turns for ever.
#[cold]
fn give_up<D: Datagrams>(socket: &mut D, nth: usize, turn: &mut Turn) {
    socket.route().cut.reset();
    turn.removed = true;
    turn.more = socket.remove(nth);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::outgoing::{IpPacket, Outgoing};
    use crate::engine::packet_socket::datagram::RouteCache;
    use crate::engine::tests::engine;
    use core::net::Ipv4Addr;
    use cygnet_driver::Medium;

    /// So many packets, none of which can be written down.
    struct Unwritable(usize, RouteCache);

    impl Datagrams for Unwritable {
        fn next_packet(&self, from: usize) -> Option<Pending> {
            (from < self.0).then_some(Pending {
                nth: from,
                destination: Ipv4Addr::new(10, 0, 0, 2).into(),
                source: None,
            })
        }

        fn remove(&mut self, _: usize) -> bool {
            self.0 -= 1;
            self.0 > 0
        }

        fn on_unreachable(&mut self, _: IpAddress) {}

        fn route(&mut self) -> &mut RouteCache {
            &mut self.1
        }

        fn source_port(&self) -> u16 {
            0
        }

        fn packet(&self, _: usize, _: IpAddress, _: Marks) -> Option<IpPacket<'_>> {
            None
        }
    }

    struct NoRoom;

    impl Room for NoRoom {
        fn send(&mut self, _: &Outgoing<'_>) -> bool {
            panic!("there is nothing to send");
        }

        fn has_more(&mut self) -> bool {
            true
        }
    }

    #[test]
    fn what_cannot_be_written_down_is_given_up() {
        let mut engine = engine(Ipv4Addr::new(10, 0, 0, 1), Medium::Ip);
        let mut socket = Unwritable(2, RouteCache::default());
        let now = Instant::from_secs(1);
        for left in [1, 0] {
            let turn = take_turn(&mut engine.interface, &mut socket, &mut NoRoom, now);
            assert!(turn.removed);
            assert_eq!((turn.sent, turn.more, socket.0), (0, left > 0, left));
        }
    }
}
