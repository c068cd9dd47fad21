//! What a UDP socket is: its ends, its queues, and how a datagram of its leaves.

use crate::engine::outgoing::{IpPacket, Marks, Payload};
use crate::engine::packet_socket::datagram::{Datagrams, Pending, RouteCache};
use crate::engine::packet_socket::queues::{Fault, QueueMemory, Queues};
use crate::storage::PacketMetadata;
use crate::wire::{IpAddress, IpEndpoint, IpListenEndpoint};

/// Memory for what a UDP socket's queue notes about one datagram.
pub type UdpPacketMetadata = PacketMetadata<UdpMetadata>;

/// What goes with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UdpMetadata {
    /// The other end: where it is from, or goes to.
    pub endpoint: IpEndpoint,
    /// Our end: the address it was sent to, or is to come from. `None` lets the stack choose.
    pub local_address: Option<IpAddress>,
    /// The hop limit it arrived with, or is to be sent with; 0 is taken as 1 then. `None` takes the socket's.
    pub hop_limit: Option<u8>,
}

impl<T: Into<IpEndpoint>> From<T> for UdpMetadata {
    fn from(endpoint: T) -> Self {
        Self {
            endpoint: endpoint.into(),
            local_address: None,
            hop_limit: None,
        }
    }
}

/// A slot that is used for a UDP socket.
pub(crate) struct UdpSocketState<'d> {
    /// Port 0: not bound.
    pub(super) local: IpListenEndpoint,
    pub(super) remote: Option<IpEndpoint>,
    /// Others that say so too may have the same port.
    pub(super) is_port_shared: bool,
    /// As its user has chosen it.
    pub(super) hop_limit: Option<u8>,
    /// That of datagrams to groups.
    pub(super) multicast_hop_limit: u8,
    /// Those here who are in the group get what is sent to it as well.
    pub(super) loops_back: bool,
    /// The fault is about a datagram to the connected peer.
    pub(in crate::engine::packet_socket) queues: Queues<'d, UdpMetadata>,
    /// Where the buffers go when the handle is gone, if they are not its own.
    #[cfg(feature = "embedded-nal-async")]
    pub(super) lender: Option<UdpPoolId>,
}

/// Which of the stack's pools.
#[cfg(feature = "embedded-nal-async")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UdpPoolId(pub(super) u8);

impl Datagrams for UdpSocketState<'_> {
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn next_packet(&self, from: usize) -> Option<Pending> {
        let (nth, meta) = self.queues.tx.next(from)?;
        Some(Pending {
            nth,
            destination: meta.endpoint.addr,
            source: meta.local_address.or(self.source()),
        })
    }

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline)]
    fn remove(&mut self, nth: usize) -> bool {
        self.queues.remove(nth)
    }

    fn on_unreachable(&mut self, destination: IpAddress) {
        if self.remote.is_some_and(|remote| remote.addr == destination) {
            self.queues.fault = Some(Fault::Unreachable);
        }
    }

    fn route(&mut self) -> &mut RouteCache {
        &mut self.queues.route
    }

    fn source_port(&self) -> u16 {
        self.local.port
    }

    #[inline]
    fn packet(&self, nth: usize, src: IpAddress, marks: Marks) -> Option<IpPacket<'_>> {
        let (meta, data) = self.queues.tx.get(nth)?;
        let payload = Payload::Udp {
            src_port: self.local.port,
            dst_port: meta.endpoint.port,
            data,
        };
        Some(IpPacket {
            src,
            dst: meta.endpoint.addr,
            hop_limit: match meta.hop_limit {
                Some(chosen) => chosen.max(1),
                None => (self.hop_limit_to(meta.endpoint.addr)).unwrap_or(marks.hop_limit),
            },
            dscp_ecn: 0,
            ident: marks.ident,
            dont_fragment: false,
            flow_label: marks.flow_label,
            payload,
        })
    }
}

impl<'d> UdpSocketState<'d> {
    pub(super) fn new(rx: QueueMemory<'d, UdpMetadata>, tx: QueueMemory<'d, UdpMetadata>) -> Self {
        Self {
            local: IpListenEndpoint {
                addr: None,
                port: 0,
            },
            remote: None,
            is_port_shared: false,
            hop_limit: None,
            multicast_hop_limit: DEFAULT_MULTICAST_HOP_LIMIT,
            loops_back: true,
            queues: Queues::new(rx, tx),
            #[cfg(feature = "embedded-nal-async")]
            lender: None,
        }
    }
}

impl UdpSocketState<'_> {
    pub(crate) fn local(&self) -> IpListenEndpoint {
        self.local
    }

    pub(crate) fn remote(&self) -> Option<IpEndpoint> {
        self.remote
    }

    pub(crate) fn hop_limit(&self) -> Option<u8> {
        self.hop_limit
    }

    pub(crate) fn set_hop_limit(&mut self, hop_limit: u8) {
        self.hop_limit = Some(hop_limit);
    }

    pub(crate) fn multicast_hop_limit(&self) -> u8 {
        self.multicast_hop_limit
    }

    pub(crate) fn set_multicast_hop_limit(&mut self, hop_limit: u8) {
        self.multicast_hop_limit = hop_limit;
    }

    #[cfg(feature = "multicast")]
    pub(crate) fn set_multicast_loop(&mut self, loops_back: bool) {
        self.loops_back = loops_back;
    }

    pub(crate) fn set_port_shared(&mut self, is_shared: bool) {
        self.is_port_shared = is_shared;
    }

    /// How well a datagram to that address and port of ours, from that end, fits, if it does: a socket that is connected
    /// to its sender comes before one that is bound to the address, and that before one that is bound to the port only.
    #[inline]
    pub(super) fn fitness(
        &self,
        (address, port, from): (IpAddress, u16, IpEndpoint),
    ) -> Option<u8> {
        let bound = match self.local.addr {
            _ if self.local.port != port => return None,
            None => 1,
            Some(bound) if bound == address => 2,
            Some(_) => return None,
        };
        match self.remote {
            None => Some(bound),
            Some(peer) if peer == from => Some(bound + 2),
            Some(_) => None,
        }
    }

    /// Where datagrams come from; one that is bound to a group's address is not from there.
    pub(super) fn source(&self) -> Option<IpAddress> {
        self.local.addr.filter(|address| !address.is_multicast())
    }

    fn hop_limit_to(&self, destination: IpAddress) -> Option<u8> {
        if destination.is_multicast() {
            Some(self.multicast_hop_limit)
        } else {
            self.hop_limit
        }
    }
}

/// RFC 1112, section 6.1: "it should default to 1 for all multicast IP datagrams, so that an explicit choice is
/// required to multicast beyond a single network".
const DEFAULT_MULTICAST_HOP_LIMIT: u8 = 1;

/// What UDP sockets are filed under, see [`crate::engine::Sockets::hash_port`].
pub(in crate::engine) const UDP: u8 = b'u';
