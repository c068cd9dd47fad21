//! Segments of connections: to which one each belongs, what leaves for them, and what the network says of it.

use crate::engine::Engine;
use crate::engine::icmp::IcmpError;
use crate::engine::interface::{INTERFACE, Reach, mss_of};
use crate::engine::outgoing::{Content, IpPacket, Outgoing, Payload, Room};
use crate::engine::received::{Handled, Received};
use crate::engine::sockets::Body;
use crate::ip::{DISCOVERS_PATH_MTU, Destination, min_path_mtu, plateau_below};
use crate::stats::{Counted, Discard};
use crate::storage::Index;
use crate::tcp::{ConnectionError, Disposition, FourTuple, TupleHash};
use crate::time::Instant;
use crate::wire::tcp::MIN_HEADER_LEN;
use crate::wire::{Ecn, IpEndpoint, Quote, TcpSegment};

impl<'d> Engine<'d> {
    pub(in crate::engine) fn on_tcp<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
        payload: &'f [u8],
    ) -> Handled<'f> {
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
        let disposition = match self.find_connection(&tuple) {
            Ok(index) => self.on_connection_segment(now, index, &segment),
            Err(hash) => self.on_unconnected_segment(now, &tuple, hash, &segment),
        };
        match disposition {
            Disposition::Accepted => Ok(None),
            Disposition::Discarded(reason) => Err(reason),
            Disposition::Answered(reason, header) => {
                if let Some(reason) = reason {
                    self.stats.discard(reason);
                }
                let flow_label = self.interface.flow_label(tuple.local, tuple.remote);
                Ok(Some(received.answer_tcp(header, flow_label)))
            }
        }
    }

    pub(in crate::engine) fn on_connection_segment(
        &mut self,
        now: Instant,
        index: Index,
        segment: &TcpSegment<'_>,
    ) -> Disposition {
        let fast_open = self.awaits_fast_open(index, segment);
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return Disposition::Discarded(Discard::NoSocket);
        };
        let disposition = tcp.connection.on_segment(now, segment);
        self.learn_fast_open(now, (index, fast_open), segment);
        self.settle(index, false);
        disposition
    }

    /// The connection between these ends, or their hash.
    fn find_connection(&mut self, tuple: &FourTuple) -> Result<Index, TupleHash> {
        let is_it = |body: &Body<'_>| match body {
            Body::Tcp(tcp) => tcp.connection.tuple == *tuple,
            _ => false,
        };
        let last = self.tcp.last;
        if self.sockets.filed_under(last).is_some() && is_it(self.sockets.body(last)) {
            return Ok(last);
        }
        let hash = self.hash_connection(tuple);
        match self.sockets.find(hash.bucket(), is_it) {
            Some(index) => {
                self.tcp.last = index;
                Ok(index)
            }
            None => Err(hash),
        }
    }

    fn hash_connection(&mut self, tuple: &FourTuple) -> TupleHash {
        match &self.tcp.last_hash {
            Some((last, hash)) if last == tuple => *hash,
            _ => {
                let hash = self.tcp.isn.hash(tuple);
                self.tcp.last_hash = Some((*tuple, hash));
                hash
            }
        }
    }

    /// The connection's turn to send. False if it has nothing, or cannot.
    pub(in crate::engine) fn transmit_segment(
        &mut self,
        now: Instant,
        index: Index,
        room: &mut dyn Room,
    ) -> bool {
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return false;
        };
        let destination = tcp.connection.tuple.remote.addr;
        let reach = self.interface.reach(now, destination, &mut tcp.path);
        if !matches!(reach, Reach::Now) {
            self.on_tcp_out_of_reach(now, index, reach);
            return false;
        }
        let planned = tcp.connection.poll_segment(now, tcp.path.mss(destination));
        let (Some(plan), Some(link)) = (planned, self.interface.link_header(&tcp.path)) else {
            self.settle_tcp(index);
            return false;
        };
        let tuple = &tcp.connection.tuple;
        let flow_label = self
            .interface
            .flow_label_on(&mut tcp.path, tuple.local, tuple.remote);
        let marked = self
            .tcp
            .mark_fast_open(now, (&tcp.connection, tcp.fast_open), &plan);
        let chosen = tcp.connection.options.hop_limit;
        let segment = Outgoing {
            link,
            content: Content::Ip(IpPacket {
                src: tcp.connection.tuple.local.addr,
                dst: destination,
                hop_limit: chosen.unwrap_or_else(|| self.interface.hop_limit(destination)),
                dscp_ecn: tcp.connection.options.dscp << 2 | plan.ecn().0,
                ident: plan.fragment_ident(),
                dont_fragment: DISCOVERS_PATH_MTU && !tcp.path.needs_fragments(),
                flow_label,
                payload: match &marked {
                    None => Payload::Segment(now, &tcp.connection, &plan),
                    Some(header) => Payload::Marked(header, &tcp.connection, &plan),
                },
            }),
        };
        room.send(&segment);
        tcp.connection.on_transmitted(&plan);
        if plan.repeated {
            self.stats.count(Counted::Retransmit);
        }
        self.on_sent();
        self.settle(index, false);
        true
    }

    /// A connection cannot send now: it waits for its next hop, or hears that there is none.
    #[cold]
    fn on_tcp_out_of_reach(&mut self, now: Instant, index: Index, reach: Reach) {
        match reach {
            #[cfg(feature = "medium-ethernet")]
            Reach::Pending(neighbor) => self.park(index, Some(neighbor)),
            #[cfg(feature = "medium-ethernet")]
            Reach::Exhausted => self.park(index, None),
            unreachable => {
                if let Some(tcp) = self.sockets.tcp_mut(index) {
                    tcp.connection.on_unreachable(now);
                }
                self.count_unreachable(unreachable);
                self.settle(index, true);
            }
        }
    }

    pub(in crate::engine) fn on_tcp_timeout(&mut self, now: Instant, index: Index) {
        if let Some(tcp) = self.sockets.tcp_mut(index) {
            tcp.connection.on_timeout(now);
            self.settle_tcp(index);
        }
    }

    /// An ICMP error quotes a segment of ours.
    pub(in crate::engine) fn tcp_icmp_error(
        &mut self,
        now: Instant,
        quote: &Quote<'_>,
        error: IcmpError,
    ) -> bool {
        let tuple = FourTuple {
            local: IpEndpoint::new(quote.src, quote.src_port()),
            remote: IpEndpoint::new(quote.dst, quote.dst_port()),
        };
        let Ok(index) = self.find_connection(&tuple) else {
            return false;
        };
        let (error, hard) = match error {
            IcmpError::TooLong { .. } if !DISCOVERS_PATH_MTU => return false,
            IcmpError::TooLong { next_hop_mtu } => {
                return self.on_too_long(now, index, quote, next_hop_mtu);
            }
            IcmpError::Refused => (ConnectionError::Refused, true),
            IcmpError::Unreachable | IcmpError::Soft => (ConnectionError::Unreachable, false),
        };
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return false;
        };
        let matched = tcp.connection.on_icmp_error(quote.tcp_seq(), error, hard);
        self.settle_tcp(index);
        matched
    }

    /// A router did not pass a segment on, because the next link takes shorter packets only (RFC 1191). If
    /// that is credible, all connections to the destination take note when they send next; this one sends
    /// what was too long again at once.
    fn on_too_long(
        &mut self,
        now: Instant,
        index: Index,
        quote: &Quote<'_>,
        next_hop_mtu: u16,
    ) -> bool {
        let Some(tcp) = self.sockets.tcp_mut(index) else {
            return false;
        };
        let mtu = match next_hop_mtu {
            0 => plateau_below(quote.total_len),
            mtu => mtu,
        };
        let mtu = mtu.max(min_path_mtu(quote.dst));
        let mss = mss_of(mtu, quote.dst);
        if quote.total_len <= mtu || !tcp.connection.believes_path(quote.tcp_seq(), mss) {
            return false;
        }
        tcp.connection.on_narrower_path();
        let interface = &mut self.interface;
        interface
            .path_mtus
            .on_report(now, INTERFACE, quote.dst, mtu);
        interface.on_routes_changed();
        self.settle_tcp(index);
        true
    }
}
