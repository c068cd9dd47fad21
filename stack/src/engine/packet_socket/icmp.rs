//! ICMP sockets: echo requests and replies of one identifier, or the errors about one UDP port.

pub(in crate::engine) mod state;

pub use state::{IcmpEndpoint, IcmpMetadata, IcmpPacketMetadata};

use crate::engine::packet_socket::queues::{QueueMemory, Queues};
use crate::engine::packet_socket::{PacketKind, QueueError};
use crate::engine::received::Received;
use crate::engine::sockets::Body;
use crate::engine::{Engine, SocketKey};
use crate::events::Events;
use crate::stats::Discard;
use crate::storage::Index;
use state::IcmpSocketState;

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
        meta: &IcmpMetadata,
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
        if len > engine.interface.longest_payload(meta.address, known, now) {
            return Err(QueueError::TooLong);
        }
        let is_odd = meta
            .local_address
            .is_some_and(|own| own.version() != meta.address.version());
        if is_odd || engine.interface.route(meta.address, now).is_none() {
            return Err(QueueError::NoRoute);
        }
        let Body::Icmp(icmp) = engine.sockets.body_mut(index) else {
            return Err(QueueError::NotBound);
        };
        let result = icmp.queues.tx.push_with(*meta, len, write)?;
        engine.sockets.mark_ready_anew(index);
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
        let index = self.find_icmp(endpoint).ok_or(Discard::UnmatchedIcmp)?;
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
        self.find_icmp(IcmpEndpoint::Ident(ident)).is_some()
    }

    fn find_icmp(&self, endpoint: IcmpEndpoint) -> Option<Index> {
        self.sockets
            .find(self.hash_icmp(endpoint), |body| match body {
                Body::Icmp(icmp) => icmp.endpoint == endpoint,
                _ => false,
            })
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
        let is_free = self.find_icmp(endpoint).is_none() && endpoint != IcmpEndpoint::Unbound;
        let Some(index) = self.sockets.index(key).filter(|_| is_free) else {
            return false;
        };
        match self.sockets.body_mut(index) {
            Body::Icmp(icmp) if icmp.endpoint == IcmpEndpoint::Unbound => icmp.endpoint = endpoint,
            _ => return false,
        }
        self.sockets.file(index, hash);
        true
    }
}

/// What ICMP sockets are filed under, see [`crate::engine::Sockets::hash_port`].
const ICMP_IDENT: u8 = b'e';
const ICMP_PORT: u8 = b'p';
