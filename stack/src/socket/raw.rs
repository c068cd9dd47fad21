//! Raw sockets.

use core::task::{Context, Poll};

use embassy_sync::blocking_mutex::raw::{NoopRawMutex, RawMutex};

use super::packets::{Packets, RecvError, SendError};
use super::stack::Stack;
use crate::engine::{BindError, Raw, RawKind, RawMetadata, RawPacketMetadata};
use crate::storage::{Buffer, Bytes, PacketQueue};
use crate::wire::{IpAddress, IpProtocol, IpVersion};

/// A raw socket: sends and receives whole IP packets of one version and protocol, by `&self`, from up to two
/// tasks that receive and one that sends at a time.
///
/// It gets a copy of each such packet to this host or its groups whose IP header is in order, put together if
/// it came in fragments; what its payload says was not looked at. The stack deals with the packet as well,
/// except that nobody is told that the protocol is unknown. What is sent is a packet with its header, of which
/// these may be 0 for the stack to fill in:
///
/// - the length and the header checksum, which are filled in whatever they say;
/// - the source address, which otherwise is one of the stack's;
/// - the hop limit (64), and in IPv4 the identification, in IPv6 the flow label.
///
/// IPv4 packets have no options, and none is a fragment. What is too long for its path leaves in fragments,
/// unless it says that it must not, or has IPv6 extension headers. Every future is cancellation safe: no packet
/// is lost or sent twice when it is dropped. What becomes of packets that are queued when the socket is dropped is told
/// at `UdpSocket`.
pub struct RawSocket<'d, M: RawMutex = NoopRawMutex> {
    packets: Packets<'d, M, Raw>,
}

impl<'d, M: RawMutex> RawSocket<'d, M> {
    /// A socket on buffers of one's own, as for UDP.
    ///
    /// # Errors
    ///
    /// [`BindError::NoSlot`] if the stack has no slot left.
    pub fn new(
        stack: Stack<'d, M>,
        rx_meta: impl Into<Buffer<'d, RawPacketMetadata>>,
        rx_buffer: impl Into<Bytes<'d>>,
        tx_meta: impl Into<Buffer<'d, RawPacketMetadata>>,
        tx_buffer: impl Into<Bytes<'d>>,
    ) -> Result<Self, BindError> {
        let rx = (rx_meta.into(), rx_buffer.into());
        let tx = (tx_meta.into(), tx_buffer.into());
        let packets = Packets::open(stack, |engine| engine.raw_open(rx, tx))?;
        Ok(Self { packets })
    }

    /// Says which packets are the socket's. In IPv6 the protocol is that behind the extension headers.
    ///
    /// # Errors
    ///
    /// [`BindError::AddrInUse`] if another socket has them, [`BindError::InvalidState`] if this one is bound
    /// already.
    pub fn bind(&mut self, version: IpVersion, protocol: IpProtocol) -> Result<(), BindError> {
        let kind = RawKind { version, protocol };
        self.packets
            .with(|engine, key| engine.raw_bind(key, kind))
            .unwrap_or(Err(BindError::Reentrant))
    }

    /// What the socket is bound to.
    pub fn bound(&self) -> Option<(IpVersion, IpProtocol)> {
        let kind = self.packets.look(|raw| raw.bound()).flatten()?;
        Some((kind.version, kind.protocol))
    }

    /// Receives a packet: its length, and the addresses in its header.
    ///
    /// # Errors
    ///
    /// [`RecvError::Truncated`] if the packet is longer than `buffer`; [`RecvError::Refused`] and
    /// [`RecvError::Unreachable`] if one that was sent before cannot be delivered.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, RawMetadata), RecvError> {
        self.packets.recv_from(buffer).await
    }

    /// As [`Self::recv_from`], for adapters. Of those who poll, the last is woken; they have one of the two places
    /// together, and keep it until a packet comes.
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<(usize, RawMetadata), RecvError>> {
        self.packets.poll_recv_from(cx, buffer)
    }

    /// Receives a packet without a copy: `f` sees it where it lies. Calls into the stack from within `f` fail
    /// with `Reentrant`.
    ///
    /// # Errors
    ///
    /// As [`Self::recv_from`], without the length.
    pub async fn recv_with<R>(
        &self,
        f: impl FnOnce(&mut [u8], RawMetadata) -> R,
    ) -> Result<R, RecvError> {
        self.packets.recv_with(f).await
    }

    /// Queues a packet for sending to where its header says, waits for room if there is none.
    ///
    /// # Errors
    ///
    /// [`SendError`]; [`SendError::InvalidPacket`] if its header is not one that the socket sends.
    pub async fn send(&self, packet: &[u8]) -> Result<(), SendError> {
        self.packets.send(packet, UNKNOWN).await
    }

    /// As [`Self::send`], for adapters. Of those who poll, the last is woken; they have the one place together, and
    /// keep it until there is room.
    pub fn poll_send(&self, cx: &mut Context<'_>, packet: &[u8]) -> Poll<Result<(), SendError>> {
        self.packets.poll_send(cx, packet, UNKNOWN)
    }

    /// Queues a packet of at most `len` bytes without a copy: `f` writes it where it will lie, and returns its
    /// length and a result. Calls into the stack from within `f` fail with `Reentrant`.
    ///
    /// # Errors
    ///
    /// As [`Self::send`].
    pub async fn send_with<R>(
        &self,
        len: usize,
        f: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, SendError> {
        self.packets.send_with(len, UNKNOWN, f).await
    }

    /// Waits until everything queued was handed to the driver.
    ///
    /// # Errors
    ///
    /// [`SendError::TooManyWaiters`] if another task waits to send.
    pub async fn flush(&self) -> Result<(), SendError> {
        self.packets.flush().await
    }

    /// Whether there is a packet, or an error, to receive.
    pub fn may_recv(&self) -> bool {
        self.packets.may_recv()
    }

    /// The longest packet in bytes that can be received.
    pub fn packet_recv_capacity(&self) -> usize {
        self.packets.received(PacketQueue::byte_capacity)
    }

    /// The longest packet in bytes that fits the send buffer.
    pub fn packet_send_capacity(&self) -> usize {
        self.packets.to_send(PacketQueue::byte_capacity)
    }
}

/// Until the packet's header has been read.
const UNKNOWN: RawMetadata = RawMetadata {
    source: IpAddress::Ipv4(core::net::Ipv4Addr::UNSPECIFIED),
    destination: IpAddress::Ipv4(core::net::Ipv4Addr::UNSPECIFIED),
};
