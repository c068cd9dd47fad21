//! Raw sockets: whole IP packets of one version and protocol, both ways.
//!
//! What passed validation and is for us is copied to the socket, and goes its way beside; a protocol that
//! nobody else here knows is taken then. A packet to send is checked where it is queued, so that at its turn
//! it is one: see [`complete`].

pub(in crate::engine) mod state;

pub(crate) use state::Kind;
pub use state::{RawMetadata, RawPacketMetadata};

use crate::engine::icmp::IcmpError;
use crate::engine::packet_socket::queues::{Fault, QueueMemory, Queues};
use crate::engine::packet_socket::{BindError, PacketKind, QueueError};
use crate::engine::received::Received;
use crate::engine::sockets::Body;
use crate::engine::{Engine, SocketKey};
use crate::events::Events;
use crate::ip::Destination;
#[cfg(feature = "proto-ipv6")]
use crate::ip::{Opened, open};
use crate::storage::Index;
use crate::wire::{IpProtocol, IpVersion, Ipv4Header, Quote, ipv4};
#[cfg(feature = "proto-ipv6")]
use crate::wire::{Ipv6Header, ipv6};
use state::RawSocketState;

/// The kind of socket.
pub(crate) enum Raw {}

impl PacketKind for Raw {
    type Meta = RawMetadata;
    type Socket<'d> = RawSocketState<'d>;

    fn of<'e, 'd>(engine: &'e Engine<'d>, key: SocketKey) -> Option<&'e RawSocketState<'d>> {
        match engine.sockets.body(engine.sockets.index(key)?) {
            Body::Raw(raw) => Some(raw),
            _ => None,
        }
    }

    fn of_mut<'e, 'd>(
        engine: &'e mut Engine<'d>,
        key: SocketKey,
    ) -> Option<&'e mut RawSocketState<'d>> {
        let index = engine.sockets.index(key)?;
        match engine.sockets.body_mut(index) {
            Body::Raw(raw) => Some(raw),
            _ => None,
        }
    }

    fn is_bound(socket: &RawSocketState<'_>) -> bool {
        socket.bound.is_some()
    }

    fn queues<'s, 'd: 's>(socket: &'s RawSocketState<'d>) -> &'s Queues<'d, RawMetadata> {
        &socket.queues
    }

    fn queues_mut<'s, 'd: 's>(
        socket: &'s mut RawSocketState<'d>,
    ) -> &'s mut Queues<'d, RawMetadata> {
        &mut socket.queues
    }

    /// The addresses are those of the packet, whatever `meta` says.
    fn send<R>(
        engine: &mut Engine<'_>,
        key: SocketKey,
        meta: &RawMetadata,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, QueueError> {
        let index = engine.sockets.index(key).ok_or(QueueError::NotBound)?;
        let raw = Self::of_mut(engine, key).ok_or(QueueError::NotBound)?;
        let kind = raw.bound.ok_or(QueueError::NotBound)?;
        let tx = &mut raw.queues.tx;
        let result = tx.push_with(*meta, len, write)?;
        let addresses = tx
            .back_mut()
            .ok_or(QueueError::Invalid)
            .and_then(|(meta, packet)| {
                *meta = complete(packet, kind)?;
                Ok((*meta, packet.len(), may_be_cut(packet, kind)))
            });
        let checked = addresses.and_then(|packet| engine.check_raw(packet));
        if let Err(error) = checked {
            if let Some(raw) = Self::of_mut(engine, key) {
                raw.queues.tx.take_back();
            }
            return Err(error);
        }
        engine.sockets.mark_ready_anew(index);
        Ok(result)
    }
}

impl<'d> Engine<'d> {
    pub(crate) fn raw_open(
        &mut self,
        rx: QueueMemory<'d, RawMetadata>,
        tx: QueueMemory<'d, RawMetadata>,
    ) -> Option<SocketKey> {
        let socket = RawSocketState {
            bound: None,
            queues: Queues::new(rx, tx),
        };
        self.open(Body::Raw(socket))
    }

    pub(crate) fn raw_bind(&mut self, key: SocketKey, kind: Kind) -> Result<(), BindError> {
        let taken = self.find_raw(kind).is_some();
        let index = self.sockets.index(key).ok_or(BindError::InvalidState)?;
        let hash = self.sockets.hash_port(RAW, name(kind));
        match self.sockets.body_mut(index) {
            Body::Raw(raw) if raw.bound.is_none() && !taken => raw.bound = Some(kind),
            Body::Raw(raw) if raw.bound.is_none() => return Err(BindError::AddrInUse),
            _ => return Err(BindError::InvalidState),
        }
        self.sockets.file(index, hash);
        Ok(())
    }

    /// Whether a packet whose header is in order can be sent: from an address of ours, to where a route leads,
    /// and as long as it may be.
    fn check_raw(&self, packet: (RawMetadata, usize, bool)) -> Result<(), QueueError> {
        let (
            RawMetadata {
                source,
                destination,
            },
            len,
            may_be_cut,
        ) = packet;
        let now = self.now;
        if !source.is_unspecified() && !self.interface.addresses.is_local(source) {
            return Err(QueueError::Invalid);
        }
        if self.interface.route(destination, now).is_none() {
            return Err(QueueError::NoRoute);
        }
        let longest = match may_be_cut {
            true => {
                let payload = self.interface.longest_payload(destination, None, now);
                payload + destination.version().header_len()
            }
            false => self
                .interface
                .path_mtu(destination, now)
                .map_or(0, usize::from),
        };
        match len <= longest {
            true => Ok(()),
            false => Err(QueueError::TooLong),
        }
    }

    /// Copies a packet to the socket of its protocol. True if there is one.
    pub(in crate::engine) fn raw_to_socket(
        &mut self,
        received: &Received<'_>,
        protocol: IpProtocol,
    ) -> bool {
        if received.destination == Destination::Elsewhere {
            return false;
        }
        let version = received.src.version();
        let Some(index) = self.find_raw(Kind { version, protocol }) else {
            return false;
        };
        let Body::Raw(raw) = self.sockets.body_mut(index) else {
            return false;
        };
        let meta = RawMetadata {
            source: received.src,
            destination: received.dst,
        };
        let packet = received.packet;
        #[cfg(feature = "proto-ipv6")]
        let queued = match without_fragment_header(packet) {
            Some((header, payload)) => {
                let len = header.len() + payload.len();
                raw.queues.receive_with(meta, len, |room| {
                    let (front, back) = room.split_at_mut(header.len());
                    front.copy_from_slice(&header);
                    back.copy_from_slice(payload);
                })
            }
            None => raw.queues.receive(meta, packet),
        };
        #[cfg(not(feature = "proto-ipv6"))]
        let queued = raw.queues.receive(meta, packet);
        match queued {
            Ok(()) => self.sockets.notify(index, Events::RECEIVED),
            Err(reason) => self.stats.discard(reason),
        }
        true
    }

    /// An ICMP error quotes a packet of a raw socket's protocol.
    pub(in crate::engine) fn raw_icmp_error(
        &mut self,
        quote: &Quote<'_>,
        error: IcmpError,
    ) -> bool {
        let Some(index) = self.find_raw(Kind {
            version: quote.src.version(),
            protocol: quote.protocol,
        }) else {
            return false;
        };
        let Some(fault) = Fault::of(error) else {
            return true;
        };
        if let Body::Raw(raw) = self.sockets.body_mut(index) {
            raw.queues.fault = Some(fault);
            self.sockets.notify(index, Events::RECEIVED);
        }
        true
    }

    /// Whether a packet of that protocol may have come from us.
    #[cfg(feature = "proto-ipv6")]
    pub(in crate::engine) fn is_raw_bound(&self, version: IpVersion, protocol: IpProtocol) -> bool {
        self.find_raw(Kind { version, protocol }).is_some()
    }

    fn find_raw(&self, kind: Kind) -> Option<Index> {
        let hash = self.sockets.hash_port(RAW, name(kind));
        self.sockets.find(hash, |body| match body {
            Body::Raw(raw) => raw.bound == Some(kind),
            _ => false,
        })
    }
}

/// Fills in what its user need not know of a packet's header, which is then one of `kind`: the length. Checksum,
/// identification and a hop limit that is 0 come with the packet's turn.
fn complete(packet: &mut [u8], kind: Kind) -> Result<RawMetadata, QueueError> {
    let meta = match kind.version {
        IpVersion::Ipv4 => complete_v4(packet, kind.protocol),
        #[cfg(feature = "proto-ipv6")]
        IpVersion::Ipv6 => complete_v6(packet, kind.protocol),
    };
    meta.ok_or(QueueError::Invalid)
}

fn complete_v4(packet: &mut [u8], protocol: IpProtocol) -> Option<RawMetadata> {
    let len = u16::try_from(packet.len()).ok()?;
    packet.get_mut(2..4)?.copy_from_slice(&len.to_be_bytes());
    let (header, _) = Ipv4Header::parse(packet, false).ok()?;
    let is_whole = !header.more_fragments && header.fragment_offset == 0;
    let is_ours = header.protocol == protocol && header.header_len == ipv4::MIN_HEADER_LEN;
    (is_whole && is_ours).then_some(RawMetadata {
        source: header.src.into(),
        destination: header.dst.into(),
    })
}

#[cfg(feature = "proto-ipv6")]
fn complete_v6(packet: &mut [u8], protocol: IpProtocol) -> Option<RawMetadata> {
    let len = u16::try_from(packet.len().checked_sub(ipv6::HEADER_LEN)?).ok()?;
    packet.get_mut(4..6)?.copy_from_slice(&len.to_be_bytes());
    let (header, payload) = Ipv6Header::parse(packet).ok()?;
    match open(header.next_header, payload) {
        Ok(Opened::Payload {
            protocol: found, ..
        }) if found == protocol => Some(RawMetadata {
            source: header.src.into(),
            destination: header.dst.into(),
        }),
        _ => None,
    }
}

/// Whether a packet may go in fragments. What extension headers there are would have to be in each of them, so
/// packets with any go whole.
fn may_be_cut(packet: &[u8], kind: Kind) -> bool {
    match kind.version {
        IpVersion::Ipv4 => Ipv4Header::parse(packet, false).is_ok_and(|(h, _)| !h.dont_fragment),
        #[cfg(feature = "proto-ipv6")]
        IpVersion::Ipv6 => {
            Ipv6Header::parse(packet).is_ok_and(|(h, _)| h.next_header == kind.protocol)
        }
    }
}

/// A packet of IPv6 that came in fragments, with a header as it would be had it come in one piece; `None` if it
/// did.
#[cfg(feature = "proto-ipv6")]
fn without_fragment_header(packet: &[u8]) -> Option<([u8; ipv6::HEADER_LEN], &[u8])> {
    let (header, rest) = Ipv6Header::parse(packet).ok()?;
    if header.next_header != IpProtocol::FRAGMENT {
        return None;
    }
    let payload = rest.get(ipv6::FRAGMENT_HEADER_LEN..)?;
    let mut whole = [0; ipv6::HEADER_LEN];
    let header = Ipv6Header {
        next_header: IpProtocol(*rest.first()?),
        payload_len: payload.len(),
        ..header
    };
    header.emit(&mut whole);
    Some((whole, payload))
}

/// What a socket is filed under, see [`crate::engine::Sockets::hash_port`].
fn name(kind: Kind) -> u16 {
    let version = match kind.version {
        IpVersion::Ipv4 => 4,
        #[cfg(feature = "proto-ipv6")]
        IpVersion::Ipv6 => 6,
    };
    version << 8 | u16::from(kind.protocol.0)
}

const RAW: u8 = b'r';
