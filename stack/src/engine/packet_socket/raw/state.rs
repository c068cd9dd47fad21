//! What a raw socket is: which packets are its, its queues, and how a packet of its leaves.

use crate::engine::outgoing::{IpPacket, Marks, Payload};
use crate::engine::packet_socket::datagram::{Datagrams, Pending, RouteCache};
use crate::engine::packet_socket::queues::{Fault, Queues};
use crate::storage::PacketMetadata;
#[cfg(feature = "proto-ipv6")]
use crate::wire::Ipv6Header;
use crate::wire::{IpAddress, IpProtocol, IpVersion, Ipv4Header};

/// Memory for what a raw socket's queue notes about one packet.
pub type RawPacketMetadata = PacketMetadata<RawMetadata>;

/// The addresses in a packet's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RawMetadata {
    /// From whom.
    pub source: IpAddress,
    /// To whom.
    pub destination: IpAddress,
}

/// A slot that is used for a raw socket.
pub(crate) struct RawSocketState<'d> {
    pub(super) bound: Option<Kind>,
    pub(in crate::engine::packet_socket) queues: Queues<'d, RawMetadata>,
}

/// The packets of a raw socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) version: IpVersion,
    pub(crate) protocol: IpProtocol,
}

impl Datagrams for RawSocketState<'_> {
    fn next_packet(&self, from: usize) -> Option<Pending> {
        let (nth, meta) = self.queues.tx.next(from)?;
        Some(Pending {
            nth,
            destination: meta.destination,
            source: Some(meta.source).filter(|source| !source.is_unspecified()),
        })
    }

    fn remove(&mut self, nth: usize) -> bool {
        self.queues.remove(nth)
    }

    fn on_unreachable(&mut self, _: IpAddress) {
        self.queues.fault = Some(Fault::Unreachable);
    }

    fn route(&mut self) -> &mut RouteCache {
        &mut self.queues.route
    }

    fn source_port(&self) -> u16 {
        0
    }

    fn packet(&self, nth: usize, src: IpAddress, marks: Marks) -> Option<IpPacket<'_>> {
        let (meta, packet) = self.queues.tx.get(nth)?;
        match meta.destination {
            IpAddress::Ipv4(_) => {
                let (header, payload) = Ipv4Header::parse(packet, false).ok()?;
                Some(IpPacket {
                    src,
                    dst: meta.destination,
                    hop_limit: or_own(header.hop_limit, marks.hop_limit),
                    dscp_ecn: header.dscp_ecn,
                    ident: or_own(header.ident, marks.ident),
                    dont_fragment: header.dont_fragment,
                    flow_label: marks.flow_label,
                    payload: Payload::Written(header.protocol, payload),
                })
            }
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => {
                let (header, payload) = Ipv6Header::parse(packet).ok()?;
                Some(IpPacket {
                    src,
                    dst: meta.destination,
                    hop_limit: or_own(header.hop_limit, marks.hop_limit),
                    dscp_ecn: header.dscp_ecn,
                    ident: marks.ident,
                    dont_fragment: false,
                    flow_label: marks.flow_label.or_chosen(header.flow_label),
                    payload: Payload::Written(header.next_header, payload),
                })
            }
        }
    }
}

/// What a header says, or what the stack says where it has zero.
fn or_own<T: Default + PartialEq>(chosen: T, own: T) -> T {
    if chosen == T::default() { own } else { chosen }
}

impl RawSocketState<'_> {
    pub(crate) fn bound(&self) -> Option<Kind> {
        self.bound
    }
}
