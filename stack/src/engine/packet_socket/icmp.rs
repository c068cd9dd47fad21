//! ICMP sockets: echo requests and replies of one identifier, or the errors about one UDP port.

use crate::engine::outgoing::{IpPacket, Marks, Payload};
use crate::engine::packet_socket::datagram::{Datagrams, Pending, RouteCache};
use crate::engine::packet_socket::{Fault, PacketKind, QueueError, QueueMemory, Queues};
use crate::engine::received::Received;
use crate::engine::sockets::Body;
use crate::engine::{Engine, SocketKey};
use crate::events::Events;
use crate::stats::Discard;
use crate::storage::PacketMetadata;
use crate::wire::IpAddress;

/// QueueMemory for what an ICMP socket's queue notes about one message.
pub type IcmpPacketMetadata = PacketMetadata<IcmpMetadata>;

/// What goes with an ICMP message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct IcmpMetadata {
    /// The other end: where it is from, or goes to.
    pub address: IpAddress,
    /// Our end: the address it was sent to, or is to come from. `None` lets the stack choose.
    pub local_address: Option<IpAddress>,
    /// The hop limit it arrived with, or is to be sent with. `None` takes the socket's.
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
    endpoint: IcmpEndpoint,
    /// As its user has chosen it.
    hop_limit: Option<u8>,
    queues: Queues<'d, IcmpMetadata>,
}

impl Datagrams for IcmpSocketState<'_> {
    #[inline]
    fn next_packet(&self, from: usize) -> Option<Pending> {
        let nth = self.queues.tx.next_live(from)?;
        let (meta, _) = self.queues.tx.get(nth)?;
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
            hop_limit: meta.hop_limit.or(self.hop_limit).unwrap_or(marks.hop_limit),
            dscp_ecn: 0,
            ident: marks.ident,
            dont_fragment: false,
            flow_label: marks.flow_label,
            payload: Payload::IcmpRaw(message),
        })
    }
}

/// The kind of socket.
pub(crate) enum Icmp {}

impl PacketKind for Icmp {
    type Meta = IcmpMetadata;
    type Socket<'d> = IcmpSocketState<'d>;

    fn of<'e, 'd>(engine: &'e Engine<'d>, key: SocketKey) -> Option<&'e IcmpSocketState<'d>> {
        match engine.sockets.body(engine.sockets.index(key)?) {
            Body::Icmp(icmp) => Some(icmp),
            _ => None,
        }
    }

    fn of_mut<'e, 'd>(
        engine: &'e mut Engine<'d>,
        key: SocketKey,
    ) -> Option<&'e mut IcmpSocketState<'d>> {
        let index = engine.sockets.index(key)?;
        match engine.sockets.body_mut(index) {
            Body::Icmp(icmp) => Some(icmp),
            _ => None,
        }
    }

    fn is_bound(socket: &IcmpSocketState<'_>) -> bool {
        socket.endpoint != IcmpEndpoint::Unbound
    }

    fn queues<'s, 'd: 's>(socket: &'s IcmpSocketState<'d>) -> &'s Queues<'d, IcmpMetadata> {
        &socket.queues
    }

    fn queues_mut<'s, 'd: 's>(
        socket: &'s mut IcmpSocketState<'d>,
    ) -> &'s mut Queues<'d, IcmpMetadata> {
        &mut socket.queues
    }

    fn send<R>(
        engine: &mut Engine<'_>,
        key: SocketKey,
        meta: IcmpMetadata,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, QueueError> {
        let index = engine.sockets.index(key).ok_or(QueueError::NotBound)?;
        let now = engine.now;
        let Body::Icmp(icmp) = engine.sockets.body_mut(index) else {
            return Err(QueueError::NotBound);
        };
        if icmp.endpoint == IcmpEndpoint::Unbound {
            return Err(QueueError::NotBound);
        }
        icmp.queues.tx.can_push(len)?;
        let known = icmp.queues.route.known(meta.address);
        if len > engine.interface.longest_payload(now, meta.address, known) {
            return Err(QueueError::TooLong);
        }
        let is_odd = meta
            .local_address
            .is_some_and(|own| own.version() != meta.address.version());
        if is_odd || engine.interface.route(now, meta.address).is_none() {
            return Err(QueueError::NoRoute);
        }
        let Body::Icmp(icmp) = engine.sockets.body_mut(index) else {
            return Err(QueueError::NotBound);
        };
        let result = icmp.queues.tx.push_with(meta, len, write)?;
        engine.sockets.mark_ready(index);
        Ok(result)
    }
}

impl<'d> Engine<'d> {
    /// Hands a message to the socket bound to that identifier, or to that UDP port.
    pub(in crate::engine) fn icmp_to_sockets(
        &mut self,
        received: &Received<'_>,
        ident: Option<u16>,
        udp_port: Option<u16>,
        message: &[u8],
    ) -> Result<(), Discard> {
        let endpoint = match (ident, udp_port) {
            (Some(ident), _) => IcmpEndpoint::Ident(ident),
            (None, Some(port)) => IcmpEndpoint::UdpPort(port),
            (None, None) => return Err(Discard::UnmatchedIcmp),
        };
        let index = self
            .sockets
            .find(self.hash_icmp(endpoint), |body| match body {
                Body::Icmp(icmp) => icmp.endpoint == endpoint,
                _ => false,
            })
            .ok_or(Discard::UnmatchedIcmp)?;
        let Body::Icmp(icmp) = self.sockets.body_mut(index) else {
            return Err(Discard::UnmatchedIcmp);
        };
        let meta = IcmpMetadata {
            address: received.src,
            local_address: Some(received.dst),
            hop_limit: Some(received.hop_limit),
        };
        let queued = icmp.queues.receive(meta, message);
        self.sockets.notify(index, Events::RECEIVED);
        queued
    }

    /// Whether a message with that identifier may have come from us.
    #[cfg(feature = "proto-ipv6")]
    pub(in crate::engine) fn is_icmp_ident_bound(&self, ident: u16) -> bool {
        let endpoint = IcmpEndpoint::Ident(ident);
        let bound = self
            .sockets
            .find(self.hash_icmp(endpoint), |body| match body {
                Body::Icmp(icmp) => icmp.endpoint == endpoint,
                _ => false,
            });
        bound.is_some()
    }

    fn hash_icmp(&self, endpoint: IcmpEndpoint) -> u32 {
        match endpoint {
            IcmpEndpoint::Unbound => 0,
            IcmpEndpoint::Ident(ident) => self.sockets.hash_port(ICMP_IDENT, ident),
            IcmpEndpoint::UdpPort(port) => self.sockets.hash_port(ICMP_PORT, port),
        }
    }

    pub(crate) fn icmp_open(
        &mut self,
        rx: QueueMemory<'d, IcmpMetadata>,
        tx: QueueMemory<'d, IcmpMetadata>,
    ) -> Option<SocketKey> {
        let socket = IcmpSocketState {
            endpoint: IcmpEndpoint::Unbound,
            hop_limit: None,
            queues: Queues::new(rx, tx),
        };
        self.open(Body::Icmp(socket))
    }

    /// Binds to an identifier or port; false if another socket has it, or this one is bound already.
    pub(crate) fn icmp_bind(&mut self, key: SocketKey, endpoint: IcmpEndpoint) -> bool {
        let hash = self.hash_icmp(endpoint);
        let taken = self.sockets.find(hash, |body| match body {
            Body::Icmp(icmp) => icmp.endpoint == endpoint,
            _ => false,
        });
        let Some(index) = self.sockets.index(key) else {
            return false;
        };
        let Body::Icmp(icmp) = self.sockets.body_mut(index) else {
            return false;
        };
        if taken.is_some()
            || icmp.endpoint != IcmpEndpoint::Unbound
            || endpoint == IcmpEndpoint::Unbound
        {
            return false;
        }
        icmp.endpoint = endpoint;
        self.sockets.file(index, hash);
        true
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

/// What ICMP sockets are filed under, see [`crate::engine::Sockets::hash`].
const ICMP_IDENT: u8 = b'e';
const ICMP_PORT: u8 = b'p';
