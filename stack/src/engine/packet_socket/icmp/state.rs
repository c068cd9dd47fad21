//! What an ICMP socket is: which messages it receives, its queues, and how a message of its leaves.

use crate::engine::outgoing::{IpPacket, Marks, Payload};
use crate::engine::packet_socket::datagram::{Datagrams, Pending, RouteCache};
use crate::engine::packet_socket::queues::{Fault, Queues};
use crate::storage::PacketMetadata;
use crate::wire::IpAddress;

/// Memory for what an ICMP socket's queue notes about one message.
pub type IcmpPacketMetadata = PacketMetadata<IcmpMetadata>;

/// What goes with an ICMP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IcmpMetadata {
    /// The other end: where it is from, or goes to.
    pub address: IpAddress,
    /// Our end: the address it was sent to, or is to come from. `None` lets the stack choose.
    pub local_address: Option<IpAddress>,
    /// The hop limit it arrived with, or is to be sent with; 0 is taken as 1 then. `None` takes the socket's.
    pub hop_limit: Option<u8>,
}

impl From<IpAddress> for IcmpMetadata {
    fn from(address: IpAddress) -> Self {
        Self {
            address,
            local_address: None,
            hop_limit: None,
        }
    }
}

/// Which messages an ICMP socket receives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum IcmpEndpoint {
    /// None yet.
    #[default]
    Unbound,
    /// Echo replies with this identifier, and errors about echo requests with it.
    Ident(u16),
    /// Errors about datagrams sent from this UDP port.
    UdpPort(u16),
}

/// A slot that is used for an ICMP socket.
pub(crate) struct IcmpSocketState<'d> {
    pub(super) endpoint: IcmpEndpoint,
    /// As its user has chosen it.
    pub(super) hop_limit: Option<u8>,
    pub(in crate::engine::packet_socket) queues: Queues<'d, IcmpMetadata>,
}

impl Datagrams for IcmpSocketState<'_> {
    #[inline]
    fn next_packet(&self, from: usize) -> Option<Pending> {
        let (nth, meta) = self.queues.tx.next(from)?;
        Some(Pending {
            nth,
            destination: meta.address,
            source: meta.local_address,
        })
    }

    #[inline]
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
        match self.endpoint {
            IcmpEndpoint::Unbound => 0,
            IcmpEndpoint::Ident(ident) => ident,
            IcmpEndpoint::UdpPort(port) => port,
        }
    }

    fn packet(&self, nth: usize, src: IpAddress, marks: Marks) -> Option<IpPacket<'_>> {
        let (meta, message) = self.queues.tx.get(nth)?;
        Some(IpPacket {
            src,
            dst: meta.address,
            hop_limit: meta
                .hop_limit
                .or(self.hop_limit)
                .map_or(marks.hop_limit, |chosen| chosen.max(1)),
            dscp_ecn: 0,
            ident: marks.ident,
            dont_fragment: false,
            flow_label: marks.flow_label,
            payload: Payload::IcmpRaw(message),
        })
    }
}

impl IcmpSocketState<'_> {
    pub(crate) fn endpoint(&self) -> IcmpEndpoint {
        self.endpoint
    }

    pub(crate) fn set_hop_limit(&mut self, hop_limit: u8) {
        self.hop_limit = Some(hop_limit);
    }
}
