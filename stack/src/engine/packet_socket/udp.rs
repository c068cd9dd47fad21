//! UDP sockets (RFC 768). What goes to many of them at once is in `groups`.

#[cfg(feature = "icmp-errors")]
mod errors;
mod groups;
#[cfg(not(feature = "embedded-nal-async"))]
mod no_pool;
#[cfg(feature = "embedded-nal-async")]
mod pool;
#[cfg(feature = "embedded-nal-async")]
mod single;

#[cfg(not(feature = "embedded-nal-async"))]
use no_pool::Lender;
#[cfg(feature = "embedded-nal-async")]
use pool::Lender;
#[cfg(feature = "embedded-nal-async")]
pub(crate) use pool::{UdpBuffers, UdpPoolId, UdpPools};

use crate::engine::outgoing::{IpPacket, Marks, Payload};
use crate::engine::packet_socket::datagram::{Datagrams, Pending, RouteCache};
use crate::engine::packet_socket::{BindError, Fault, PacketKind, QueueError, QueueMemory, Queues};
use crate::engine::received::{Handled, Received};
use crate::engine::sockets::Body;
use crate::engine::{Engine, SocketKey};
use crate::events::Events;
use crate::ip::Destination;
use crate::stats::Discard;
use crate::storage::{Index, PacketMetadata};
use crate::time::Instant;
use crate::wire::{IpAddress, IpEndpoint, IpListenEndpoint, UdpHeader};

/// QueueMemory for what a UDP socket's queue notes about one datagram.
pub type UdpPacketMetadata = PacketMetadata<UdpMetadata>;

/// What goes with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct UdpMetadata {
    /// The other end: where it is from, or goes to.
    pub endpoint: IpEndpoint,
    /// Our end: the address it was sent to, or is to come from. `None` lets the stack choose.
    pub local_address: Option<IpAddress>,
    /// The hop limit it arrived with, or is to be sent with. `None` takes the socket's.
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
    local: IpListenEndpoint,
    remote: Option<IpEndpoint>,
    /// Others that say so too may have the same port.
    is_port_shared: bool,
    /// As its user has chosen it.
    hop_limit: Option<u8>,
    /// That of datagrams to groups.
    multicast_hop_limit: u8,
    /// Those here who are in the group get what is sent to it as well.
    loops_back: bool,
    /// The fault is about a datagram to the connected peer.
    queues: Queues<'d, UdpMetadata>,
    /// Where the buffers go when the handle is gone.
    lender: Lender,
}

impl Datagrams for UdpSocketState<'_> {
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn next_packet(&self, from: usize) -> Option<Pending> {
        let nth = self.queues.tx.next_live(from)?;
        let (meta, _) = self.queues.tx.get(nth)?;
        Some(Pending {
            nth,
            destination: meta.endpoint.addr,
            source: meta.local_address.or(self.source()),
        })
    }

    #[inline]
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
            hop_limit: meta
                .hop_limit
                .or(self.hop_limit_to(meta.endpoint.addr))
                .unwrap_or(marks.hop_limit),
            dscp_ecn: 0,
            ident: marks.ident,
            dont_fragment: false,
            flow_label: marks.flow_label,
            payload,
        })
    }
}

/// The kind of socket.
pub(crate) enum Udp {}

impl PacketKind for Udp {
    type Meta = UdpMetadata;
    type Socket<'d> = UdpSocketState<'d>;

    const TELLS_SENDERS: bool = true;

    #[inline]
    fn of<'e, 'd>(engine: &'e Engine<'d>, key: SocketKey) -> Option<&'e UdpSocketState<'d>> {
        match engine.sockets.body(engine.sockets.index(key)?) {
            Body::Udp(udp) => Some(udp),
            _ => None,
        }
    }

    #[inline]
    fn of_mut<'e, 'd>(
        engine: &'e mut Engine<'d>,
        key: SocketKey,
    ) -> Option<&'e mut UdpSocketState<'d>> {
        let index = engine.sockets.index(key)?;
        match engine.sockets.body_mut(index) {
            Body::Udp(udp) => Some(udp),
            _ => None,
        }
    }

    #[inline]
    fn is_bound(socket: &UdpSocketState<'_>) -> bool {
        socket.local.port != 0
    }

    #[inline]
    fn queues<'s, 'd: 's>(socket: &'s UdpSocketState<'d>) -> &'s Queues<'d, UdpMetadata> {
        &socket.queues
    }

    #[inline]
    fn queues_mut<'s, 'd: 's>(
        socket: &'s mut UdpSocketState<'d>,
    ) -> &'s mut Queues<'d, UdpMetadata> {
        &mut socket.queues
    }

    fn send<R>(
        engine: &mut Engine<'_>,
        key: SocketKey,
        mut meta: UdpMetadata,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, QueueError> {
        let index = engine.sockets.index(key).ok_or(QueueError::NotBound)?;
        let now = engine.now;
        let Body::Udp(udp) = engine.sockets.body_mut(index) else {
            return Err(QueueError::NotBound);
        };
        if udp.local.port == 0 {
            return Err(QueueError::NotBound);
        }
        // An answer to what came to a group, or to everybody, is from an address of ours.
        let is_group = |address: &IpAddress| engine.interface.is_group(*address);
        meta.local_address = meta.local_address.filter(|address| !is_group(address));
        let destination = meta.endpoint;
        let source = meta.local_address.or(udp.local.addr);
        let known = udp.queues.route.known(destination.addr);
        let longest = engine
            .interface
            .longest_payload(now, destination.addr, known);
        if len > longest.saturating_sub(UDP_HEADER) {
            return Err(QueueError::TooLong);
        }
        let routed = known.is_some_and(|path| engine.interface.is_current(path))
            || engine.interface.route(now, destination.addr).is_some();
        let is_odd = source.is_some_and(|own| own.version() != destination.addr.version());
        let is_ours = |own: IpAddress| {
            own.is_loopback() || own.is_multicast() || engine.interface.addresses.is_local(own)
        };
        if source.is_some_and(|own| !is_ours(own)) {
            return Err(QueueError::AddressGone);
        }
        if destination.port == 0 || !routed || is_odd {
            return Err(QueueError::NoRoute);
        }
        let result = udp.queues.tx.push_with(meta, len, write)?;
        engine.sockets.mark_ready(index);
        if destination.addr.is_multicast() {
            engine.loop_back(index, &meta);
        }
        Ok(result)
    }
}

// Datagrams in.
impl<'d> Engine<'d> {
    pub(in crate::engine) fn on_udp<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
        payload: &'f [u8],
    ) -> Handled<'f> {
        let (header, data) =
            UdpHeader::parse(payload, received.src, received.dst, received.verify)?;
        #[cfg(feature = "socket-dhcpv4")]
        if self.is_for_dhcp(header.dst_port) {
            return self.on_dhcp(now, received, header.src_port, data);
        }
        #[cfg(feature = "socket-dhcpv6")]
        if self.is_for_dhcpv6(received, header.dst_port) {
            return self.on_dhcpv6(now, data);
        }
        #[cfg(feature = "dhcpv4-server")]
        if self.is_for_dhcp_server(header.dst_port) {
            return self.on_dhcp_request(now, received, data);
        }
        #[cfg(feature = "mdns")]
        if self.is_for_mdns(header.dst_port) {
            return self.on_mdns(now, received, header.src_port, data);
        }
        if received.destination == Destination::Elsewhere {
            return Err(Discard::NotOurAddress);
        }
        let remote = IpEndpoint::new(received.src, header.src_port);
        let meta = UdpMetadata {
            endpoint: remote,
            local_address: Some(received.dst),
            hop_limit: Some(received.hop_limit),
        };
        if received.destination != Destination::Local {
            return self.deliver_to_all(header.dst_port, &meta, data);
        }
        let Some(index) = self.find_udp(received.dst, header.dst_port, remote) else {
            return self.port_unreachable(now, received);
        };
        match self.sockets.body_mut(index) {
            #[cfg(feature = "socket-dns")]
            Body::Dns(_) => self.on_dns(now, index, remote.addr, data),
            _ => self.deliver(index, &meta, data).map(|()| None),
        }
    }

    /// Puts a datagram into a socket's queue.
    fn deliver(&mut self, index: Index, meta: &UdpMetadata, data: &[u8]) -> Result<(), Discard> {
        let Body::Udp(udp) = self.sockets.body_mut(index) else {
            return Err(Discard::NoSocket);
        };
        udp.queues.receive(*meta, data)?;
        self.sockets.notify(index, Events::RECEIVED);
        Ok(())
    }

    /// The socket that a datagram is for: one that is connected to its sender before one that is bound
    /// to the address, and that before one that is bound to the port only.
    fn find_udp(&self, address: IpAddress, port: u16, remote: IpEndpoint) -> Option<Index> {
        let hash = self.sockets.hash_port(UDP, port);
        self.sockets.find_best(hash, |body| {
            let udp = match body {
                Body::Udp(udp) => udp,
                #[cfg(feature = "socket-dns")]
                Body::Dns(dns) => return dns.expects(port, remote).then_some(u8::MAX),
                _ => return None,
            };
            let bound = match udp.local.addr {
                _ if udp.local.port != port => return None,
                None => 1,
                Some(bound) if bound == address => 2,
                Some(_) => return None,
            };
            match udp.remote {
                None => Some(bound),
                Some(peer) if peer == remote => Some(bound + 2),
                Some(_) => None,
            }
        })
    }
}

// What handles ask for.
impl<'d> Engine<'d> {
    pub(crate) fn udp_open(
        &mut self,
        rx: QueueMemory<'d, UdpMetadata>,
        tx: QueueMemory<'d, UdpMetadata>,
    ) -> Option<SocketKey> {
        self.open(Body::Udp(UdpSocketState::new(rx, tx)))
    }

    /// Binds to a port, 0 for any.
    pub(crate) fn udp_bind(
        &mut self,
        key: SocketKey,
        mut local: IpListenEndpoint,
    ) -> Result<(), BindError> {
        let index = self.sockets.index(key).ok_or(BindError::InvalidState)?;
        if Udp::of(self, key).is_none_or(|udp| udp.local.port != 0) {
            return Err(BindError::InvalidState);
        }
        let is_shared = Udp::of(self, key).is_some_and(|udp| udp.is_port_shared);
        local.port = match local.port {
            0 => self
                .ephemeral_port(|engine, port| engine.is_udp_port_free(local.addr, port))
                .ok_or(BindError::AddrInUse)?,
            port if self.can_have_udp_port(local.addr, port, is_shared) => port,
            _ => return Err(BindError::AddrInUse),
        };
        if let Body::Udp(udp) = self.sockets.body_mut(index) {
            udp.local = local;
        }
        let hash = self.sockets.hash_port(UDP, local.port);
        self.sockets.file(index, hash);
        Ok(())
    }

    /// Whether a datagram of ours may have come from that port.
    #[cfg(feature = "proto-ipv6")]
    pub(in crate::engine) fn is_udp_port_bound(&self, port: u16) -> bool {
        !self.is_udp_port_free(None, port)
    }

    /// Whether no socket has the port at that address, or at any.
    pub(in crate::engine) fn is_udp_port_free(
        &self,
        address: Option<IpAddress>,
        port: u16,
    ) -> bool {
        self.can_have_udp_port(address, port, false)
    }

    /// The same, or those that have it share it with a socket that does so too.
    fn can_have_udp_port(&self, address: Option<IpAddress>, port: u16, is_shared: bool) -> bool {
        let hash = self.sockets.hash_port(UDP, port);
        let taken = self.sockets.find(hash, |body| match body {
            Body::Udp(udp) => {
                udp.local.port == port
                    && !(is_shared && udp.is_port_shared)
                    && (udp.local.addr.is_none() || address.is_none() || udp.local.addr == address)
            }
            #[cfg(feature = "socket-dns")]
            Body::Dns(dns) => dns.port() == port,
            _ => false,
        });
        taken.is_none()
    }

    /// Sets the one peer to talk to; binds first if need be.
    pub(crate) fn udp_connect(
        &mut self,
        key: SocketKey,
        remote: IpEndpoint,
    ) -> Result<(), BindError> {
        if remote.port == 0 || remote.addr.is_unspecified() {
            return Err(BindError::InvalidAddress);
        }
        let now = self.now;
        self.interface
            .route(now, remote.addr)
            .ok_or(BindError::NoRoute)?;
        if Udp::of(self, key).is_some_and(|udp| udp.local.port == 0) {
            self.udp_bind(key, IpListenEndpoint::from(0))?;
        }
        let udp = Udp::of_mut(self, key).ok_or(BindError::InvalidState)?;
        udp.remote = Some(remote);
        udp.queues.fault = None;
        Ok(())
    }

    /// The socket is not bound any more; what it had not sent is not sent.
    pub(crate) fn udp_close(&mut self, key: SocketKey) {
        let Some(index) = self.sockets.index(key) else {
            return;
        };
        self.stop_waiting(index);
        self.leave_groups(index);
        self.sockets.unfile(index);
        if let Body::Udp(udp) = self.sockets.body_mut(index) {
            udp.local = IpListenEndpoint::from(0);
            udp.remote = None;
            udp.queues.clear();
        }
        self.sockets.notify(index, Events::ALL);
    }

    /// The handle is gone.
    pub(in crate::engine) fn udp_drop(&mut self, key: SocketKey) {
        if let Some(index) = self.sockets.index(key) {
            self.leave_groups(index);
        }
        self.packet_socket_drop(key);
    }
}

impl<'d> UdpSocketState<'d> {
    fn new(rx: QueueMemory<'d, UdpMetadata>, tx: QueueMemory<'d, UdpMetadata>) -> Self {
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
            lender: Lender::default(),
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

    /// Where datagrams come from; one that is bound to a group's address is not from there.
    fn source(&self) -> Option<IpAddress> {
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

impl Engine<'_> {
    /// Sockets that are bound to an address which is not ours any more hear of it. As with connections, that is rare
    /// enough to look at all sockets.
    pub(in crate::engine) fn udp_address_gone(&mut self, address: IpAddress) {
        for index in 0..self.sockets.slots.len() {
            let index = index as Index;
            if let Body::Udp(udp) = self.sockets.body_mut(index)
                && udp.local.addr == Some(address)
            {
                udp.queues.fault = Some(Fault::AddressGone);
                self.sockets.notify(index, Events::ALL);
            }
        }
    }
}

/// RFC 1112, section 6.1: "it should default to 1 for all multicast IP datagrams, so that an explicit choice is
/// required to multicast beyond a single network".
const DEFAULT_MULTICAST_HOP_LIMIT: u8 = 1;

/// What UDP sockets are filed under, see [`crate::engine::Sockets::hash_port`].
pub(in crate::engine) const UDP: u8 = b'u';

const UDP_HEADER: usize = 8;
