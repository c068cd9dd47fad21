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
pub(in crate::engine) mod state;

#[cfg(feature = "embedded-nal-async")]
pub(crate) use pool::{UdpBuffers, UdpPools};
use state::UDP;
#[cfg(feature = "embedded-nal-async")]
pub(crate) use state::UdpPoolId;
pub(crate) use state::UdpSocketState;
pub use state::{UdpMetadata, UdpPacketMetadata};

use crate::engine::packet_socket::queues::{Fault, QueueMemory, Queues};
use crate::engine::packet_socket::{BindError, PacketKind, QueueError};
use crate::engine::received::{Handled, Received};
use crate::engine::sockets::Body;
use crate::engine::{Engine, SocketKey};
use crate::events::Events;
use crate::ip::Destination;
use crate::stats::Discard;
use crate::storage::Index;
use crate::time::Instant;
use crate::wire::{IpAddress, IpEndpoint, IpListenEndpoint, UdpHeader};

/// The kind of socket.
pub(crate) enum Udp {}

impl PacketKind for Udp {
    type Meta = UdpMetadata;
    type Socket<'d> = UdpSocketState<'d>;

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
        meta: &UdpMetadata,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, QueueError> {
        let index = engine.sockets.index(key).ok_or(QueueError::NotBound)?;
        let now = engine.now;
        let Body::Udp(udp) = engine.sockets.body_mut(index) else {
            return Err(QueueError::NotBound);
        };
        if let Some(fault) = udp.queues.take_fault() {
            return Err(QueueError::Fault(fault));
        }
        if udp.local.port == 0 {
            return Err(QueueError::NotBound);
        }
        // An answer to what came to a group, or to everybody, is from an address of ours.
        let is_group = |address: &IpAddress| engine.interface.is_group(*address);
        let mut meta = *meta;
        meta.local_address = meta.local_address.filter(|address| !is_group(address));
        let destination = meta.endpoint;
        let source = meta.local_address.or(udp.local.addr);
        let known = udp.queues.route.known(destination.addr);
        let longest = engine
            .interface
            .longest_payload(destination.addr, known, now);
        if len > longest.saturating_sub(UDP_HEADER) {
            return Err(QueueError::TooLong);
        }
        // Routes know all there is to know; what the last datagram found is quicker to ask.
        let is_known = cfg!(not(target_pointer_width = "32"))
            && known.is_some_and(|path| engine.interface.is_current(path));
        let routed = is_known || engine.interface.route(destination.addr, now).is_some();
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
        engine.sockets.mark_ready_anew(index);
        if destination.addr.is_multicast() {
            engine.loop_back(index, &meta);
        }
        Ok(result)
    }
}

// Datagrams in.
impl<'d> Engine<'d> {
    pub(in crate::engine) fn on_udp(
        &mut self,
        received: &mut Received<'_>,
        payload: &[u8],
        now: Instant,
    ) -> Handled {
        let (header, data) =
            UdpHeader::parse(payload, received.src, received.dst, received.verify)?;
        #[cfg(feature = "socket-dhcpv4")]
        if self.is_for_dhcp(header.dst_port) {
            return self.on_dhcp(received, header.src_port, data, now);
        }
        #[cfg(feature = "socket-dhcpv6")]
        if self.is_for_dhcpv6(received, header.dst_port) {
            return self.on_dhcpv6(data, now);
        }
        #[cfg(feature = "dhcpv4-server")]
        if self.is_for_dhcp_server(header.dst_port) {
            return self.on_dhcp_request(received, data, now);
        }
        #[cfg(feature = "mdns")]
        if self.is_for_mdns(header.dst_port) {
            return self.on_mdns(received, header.src_port, data, now);
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
            return self.port_unreachable(received, now);
        };
        match self.sockets.body_mut(index) {
            #[cfg(feature = "socket-dns")]
            Body::Dns(_) => self.on_dns(index, remote.addr, data, now),
            _ => self.deliver(index, &meta, data),
        }
    }

    /// Puts a datagram into a socket's queue.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn deliver(&mut self, index: Index, meta: &UdpMetadata, data: &[u8]) -> Result<(), Discard> {
        let Body::Udp(udp) = self.sockets.body_mut(index) else {
            return Err(Discard::NoSocket);
        };
        udp.queues.receive(*meta, data)?;
        self.sockets.notify(index, Events::RECEIVED);
        Ok(())
    }

    /// The socket that a datagram is for.
    fn find_udp(&mut self, address: IpAddress, port: u16, remote: IpEndpoint) -> Option<Index> {
        let arrival = (address, port, remote);
        // The one that had the last datagram, if it has that port and a bucket to itself: there is no other to compare
        // with, nor any way that a change could be missed.
        #[cfg(feature = "many-sockets")]
        if let Some(Body::Udp(udp)) = self.sockets.filed_alone(self.last_udp)
            && udp.local.port == port
        {
            return udp.fitness(arrival).map(|_| self.last_udp);
        }
        let hash = self.sockets.hash_port(UDP, port);
        let found = self.sockets.find_best(hash, |body| match body {
            Body::Udp(udp) => udp.fitness(arrival),
            #[cfg(feature = "socket-dns")]
            Body::Dns(dns) => dns.expects(port, remote).then_some(u8::MAX),
            _ => None,
        })?;
        #[cfg(feature = "many-sockets")]
        {
            self.last_udp = found;
        }
        Some(found)
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
        let is_shared = match self.sockets.body(index) {
            Body::Udp(udp) if udp.local.port == 0 => udp.is_port_shared,
            _ => return Err(BindError::InvalidState),
        };
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
            .route(remote.addr, now)
            .ok_or(BindError::NoRoute)?;
        if Udp::of(self, key).is_some_and(|udp| udp.local.port == 0) {
            self.udp_bind(key, IpListenEndpoint::from(0))?;
        }
        let udp = Udp::of_mut(self, key).ok_or(BindError::InvalidState)?;
        udp.remote = Some(remote);
        udp.queues.fault = None;
        udp.queues.keep_received(|meta| meta.endpoint == remote);
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
    pub(in crate::engine) fn udp_drop(&mut self, index: Index) {
        self.leave_groups(index);
        self.packet_socket_drop(index);
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

const UDP_HEADER: usize = 8;
