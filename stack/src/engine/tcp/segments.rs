//! Segments of connections: to which one each belongs, and what leaves for them.

use core::num::NonZeroU8;

use super::{TcpSlot, TcpState};
use crate::engine::Engine;
use crate::engine::interface::{Interface, Reach};
use crate::engine::outgoing::{Content, IpPacket, LinkHeader, Outgoing, Payload, Room};
use crate::engine::received::{Handled, Received};
use crate::engine::sockets::Body;
use crate::ip::{DISCOVERS_PATH_MTU, Destination};
use crate::stats::{Counted, Discard, Stats};
use crate::storage::Index;
use crate::tcp::{Disposition, FourTuple, TupleHash, reset_for};
use crate::time::Instant;
use crate::wire::tcp::MIN_HEADER_LEN;
use crate::wire::{Ecn, IpEndpoint, TcpSegment};

impl<'d> Engine<'d> {
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(in crate::engine) fn on_tcp(
        &mut self,
        received: &mut Received<'_>,
        payload: &[u8],
        now: Instant,
    ) -> Handled {
        // RFC 9293, section 3.9.2.3, MUST-57: "silently discard" what is not to one of our addresses.
        if received.destination != Destination::Local {
            return Err(Discard::NotOurAddress);
        }
        if received.verify && !TcpSegment::verify_checksum(payload, received.src, received.dst) {
            return Err(match payload.len() {
                // Too little for a checksum of its own.
                ..MIN_HEADER_LEN => Discard::Malformed,
                _ => Discard::BadChecksum,
            });
        }
        let mut segment = TcpSegment::default();
        segment.read(payload)?;
        segment.congestion_experienced = received.ecn == Ecn::CE;
        let tuple = FourTuple {
            local: IpEndpoint::new(received.dst, segment.header.dst_port),
            remote: IpEndpoint::new(received.src, segment.header.src_port),
        };
        match self.find_connection(&tuple) {
            Ok(index) => self.on_connection_segment(index, received, &segment, now),
            Err(hash) => self.on_unconnected_segment((&tuple, hash), received, &segment, now),
        }
    }

    /// A segment goes no further, and a reset says so.
    #[cold]
    pub(super) fn refuse(
        &mut self,
        received: &mut Received<'_>,
        segment: &TcpSegment<'_>,
        reason: Discard,
    ) -> Handled {
        self.answer_tcp(received, &reset_for(segment));
        Err(reason)
    }

    pub(in crate::engine) fn on_connection_segment(
        &mut self,
        index: Index,
        received: &mut Received<'_>,
        segment: &TcpSegment<'_>,
        now: Instant,
    ) -> Handled {
        let fast_open = self.awaits_fast_open(index, segment);
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return Err(Discard::NoSocket);
        };
        let disposition = tcp.connection.on_segment(segment, now);
        let last = match disposition {
            Disposition::Accepted => tcp.connection.take_last_acknowledgment(now),
            Disposition::Discarded(_) | Disposition::Refused(_) => None,
        };
        self.learn_fast_open((index, fast_open), segment, now);
        self.settle(index, false);
        if let Some(header) = &last {
            self.answer_tcp(received, header);
        }
        match disposition {
            Disposition::Accepted => Ok(()),
            Disposition::Discarded(reason) => Err(reason),
            Disposition::Refused(reason) => self.refuse(received, segment, reason),
        }
    }

    /// The connection between these ends, or their hash.
    #[inline]
    pub(super) fn find_connection(&mut self, tuple: &FourTuple) -> Result<Index, TupleHash> {
        if let Some(last) = self.tcp.recent.last()
            && self.is_connection(last, tuple)
        {
            return Ok(last);
        }
        self.find_other_connection(tuple)
    }

    /// Whether a slot is in use for the connection between these ends.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn is_connection(&self, index: Index, tuple: &FourTuple) -> bool {
        self.sockets.is_filed(index) && is_between(self.sockets.body(index), tuple)
    }

    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn find_other_connection(&mut self, tuple: &FourTuple) -> Result<Index, TupleHash> {
        if let Some(likely) = self.tcp.recent.likely(tuple)
            && self.is_connection(likely, tuple)
        {
            self.tcp.recent.note(tuple, likely);
            return Ok(likely);
        }
        let is_it = |body: &Body<'_>| is_between(body, tuple);
        let isn = self.isn();
        let hash = self.tcp.last_hash.of(&isn, tuple);
        match self.sockets.find(hash.bucket(), is_it) {
            Some(index) => {
                self.tcp.recent.note(tuple, index);
                Ok(index)
            }
            None => Err(hash),
        }
    }

    /// The connection's turn to send: as much as it has, while there is room. False if it has nothing, or
    /// cannot.
    pub(in crate::engine) fn transmit_segment(
        &mut self,
        index: Index,
        room: &mut dyn Room,
        now: Instant,
    ) -> bool {
        let Self {
            sockets,
            interface,
            tcp: state,
            stats,
            ..
        } = self;
        let Some(tcp) = sockets.tcp_mut(index) else {
            return false;
        };
        let destination = tcp.connection.tuple.remote.addr;
        let reach = interface.reach(destination, &mut tcp.path, now);
        if !matches!(reach, Reach::Now) {
            self.on_tcp_out_of_reach(index, reach, now);
            return false;
        }
        let link = interface.link_header(&tcp.path);
        let mut sent = false;
        let wants_to_send = loop {
            let way = (link.as_ref(), &mut *room);
            let Some(has_more) = send_segment((interface, state, stats), tcp, way, now) else {
                break tcp.connection.wants_to_send();
            };
            sent = true;
            if !tcp.connection.wants_to_send() {
                break false;
            }
            if !room.goes_on(has_more) {
                break true;
            }
        };
        self.settle_with(index, Some(wants_to_send));
        sent
    }

    /// A connection cannot send now: it waits for its next hop, or hears that there is none.
    #[cold]
    fn on_tcp_out_of_reach(&mut self, index: Index, reach: Reach, now: Instant) {
        match reach {
            #[cfg(feature = "medium-ethernet")]
            Reach::Pending(neighbor) => {
                self.park(index, Some(neighbor));
                self.hold_back(index, now);
            }
            #[cfg(feature = "medium-ethernet")]
            Reach::Exhausted => {
                self.park(index, None);
                self.hold_back(index, now);
            }
            unreachable => {
                if let Some(tcp) = self.sockets.tcp_mut(index) {
                    tcp.connection.on_unreachable(now);
                }
                self.count_unreachable(unreachable);
                self.settle(index, true);
            }
        }
    }

    pub(in crate::engine) fn on_tcp_timeout(&mut self, index: Index, now: Instant) {
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return;
        };
        tcp.connection.on_timeout(now);
        #[cfg(feature = "medium-ethernet")]
        if tcp.connection.doubts_path()
            && let Some(neighbor) = tcp.path.neighbor()
        {
            self.interface.ethernet.neighbors.doubt(now, neighbor);
        }
        self.settle_tcp(index);
    }
}

/// Sends the next segment of a connection whose next hop is known, and returns what [`Room::send`] does. `None` if there
/// is no segment.
#[inline(always)]
fn send_segment(
    (interface, state, stats): (&mut Interface, &mut TcpState<'_>, &mut Stats),
    tcp: &mut TcpSlot<'_>,
    (link, room): (Option<&LinkHeader>, &mut (dyn Room + '_)),
    now: Instant,
) -> Option<bool> {
    let destination = tcp.connection.tuple.remote.addr;
    let planned = tcp.connection.poll_segment(now, tcp.path.mss(destination));
    // Where it is: a plan that is moved has to be put together again.
    let (Some(plan), Some(link)) = (&planned, link) else {
        return None;
    };
    let tuple = &tcp.connection.tuple;
    let flow_label = interface.flow_label_on(&mut tcp.path, tuple.local, tuple.remote);
    let marked = state.mark_fast_open((&tcp.connection, tcp.fast_open), plan, now);
    let chosen = tcp.connection.options.hop_limit;
    let segment = Outgoing {
        link,
        content: Content::Ip(&IpPacket {
            src: tcp.connection.tuple.local.addr,
            dst: destination,
            hop_limit: chosen.map_or_else(|| interface.hop_limit(destination), NonZeroU8::get),
            dscp_ecn: tcp.connection.options.dscp << 2 | plan.ecn().0,
            ident: plan.fragment_ident(),
            dont_fragment: DISCOVERS_PATH_MTU && !tcp.path.needs_fragments(),
            flow_label,
            payload: Payload::segment(now, &tcp.connection, plan, marked.as_ref()),
        }),
    };
    let has_more = room.send(&segment);
    tcp.connection.on_transmitted(plan);
    if plan.repeated {
        stats.count(Counted::Retransmit);
    }
    stats.count(Counted::Sent);
    Some(has_more)
}

/// Whether a slot has the connection between these ends.
pub(super) fn is_between(body: &Body<'_>, tuple: &FourTuple) -> bool {
    match body {
        Body::Tcp(tcp) => tcp.connection.tuple.is(tuple),
        _ => false,
    }
}
