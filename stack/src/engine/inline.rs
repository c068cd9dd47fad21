//! What the engine says by itself: packets without a payload in a socket's buffer.

#[cfg(feature = "ip-fragments")]
use core::net::Ipv4Addr;
#[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
use core::net::Ipv6Addr;

use super::flow_label::FlowLabel;
use super::outgoing::{Content, IpPacket, LinkHeader, Outgoing, Payload};
#[cfg(feature = "medium-ethernet")]
use crate::wire::ArpPacket;
#[cfg(feature = "proto-ipv6")]
use crate::wire::Icmpv6Message;
#[cfg(feature = "socket-tcp")]
use crate::wire::TcpHeader;
use crate::wire::{Icmpv4Message, IpAddress};
#[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
use crate::wire::{NdiscMessage, NdiscOptions, ndisc, ndisc::NeighborFlags};

/// The packet, and the header of the frame that it goes in. An answer may repeat part of the received
/// frame, `'f`.
#[derive(Debug)]
pub(crate) struct Inline<'f> {
    pub(super) link: LinkHeader,
    pub(super) packet: InlinePacket<'f>,
}

#[derive(Debug)]
pub(super) enum InlinePacket<'f> {
    #[cfg(feature = "medium-ethernet")]
    Arp(ArpPacket),
    #[cfg(feature = "socket-tcp")]
    Tcp {
        src: IpAddress,
        dst: IpAddress,
        header: TcpHeader,
        flow_label: FlowLabel,
    },
    Icmpv4 {
        src: IpAddress,
        dst: IpAddress,
        message: Icmpv4Message<'f>,
        /// Of a message that may be fragmented on its way.
        ident: Option<u16>,
    },
    #[cfg(feature = "proto-ipv6")]
    Icmpv6 {
        src: IpAddress,
        dst: IpAddress,
        message: Icmpv6Message<'f>,
    },
    #[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
    Ndisc(NdiscPacket),
}

/// A neighbor discovery message of ours, which owns what it says.
#[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
#[derive(Clone, Copy, Debug)]
pub(super) struct NdiscPacket {
    pub(super) src: Ipv6Addr,
    pub(super) dst: Ipv6Addr,
    pub(super) target: Ipv6Addr,
    pub(super) kind: NdiscKind,
    /// An option; zeros if there is none.
    pub(super) option: [u8; 8],
}

#[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
#[derive(Clone, Copy, Debug)]
pub(super) enum NdiscKind {
    #[cfg(feature = "slaac")]
    RouterSolicitation,
    Solicitation,
    Advertisement(NeighborFlags),
}

#[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
impl NdiscPacket {
    pub(super) fn message(&self) -> NdiscMessage<'_> {
        let target = self.target;
        // It was written by us, and is well formed, unless it is none.
        let options = NdiscOptions::parse(&self.option).unwrap_or_default();
        match self.kind {
            #[cfg(feature = "slaac")]
            NdiscKind::RouterSolicitation => NdiscMessage::RouterSolicitation { options },
            NdiscKind::Solicitation => NdiscMessage::NeighborSolicitation { target, options },
            NdiscKind::Advertisement(flags) => NdiscMessage::NeighborAdvertisement {
                target,
                flags,
                options,
            },
        }
    }
}

impl<'f> Inline<'f> {
    /// An ICMP message that must not be fragmented.
    #[cfg(feature = "ip-fragments")]
    pub(super) fn icmpv4(
        link: LinkHeader,
        src: Ipv4Addr,
        dst: Ipv4Addr,
        message: Icmpv4Message<'f>,
    ) -> Self {
        Self {
            link,
            packet: InlinePacket::Icmpv4 {
                src: src.into(),
                dst: dst.into(),
                message,
                ident: None,
            },
        }
    }

    /// The frame for it; `usual_hop_limit` is that of packets to an address.
    #[inline(never)]
    pub(super) fn outgoing(&self, usual_hop_limit: impl FnOnce(IpAddress) -> u8) -> Outgoing<'_> {
        let mut label = FlowLabel::NONE;
        let mut hop_limit = None;
        let (src, dst, payload, ident) = match &self.packet {
            #[cfg(feature = "medium-ethernet")]
            InlinePacket::Arp(packet) => {
                return Outgoing {
                    link: &self.link,
                    content: Content::Arp(packet),
                };
            }
            #[cfg(feature = "socket-tcp")]
            InlinePacket::Tcp {
                src,
                dst,
                header,
                flow_label,
            } => {
                label = *flow_label;
                (*src, *dst, Payload::Tcp(header), None)
            }
            InlinePacket::Icmpv4 {
                src,
                dst,
                message,
                ident,
            } => (*src, *dst, Payload::Icmpv4(*message), *ident),
            #[cfg(feature = "proto-ipv6")]
            InlinePacket::Icmpv6 { src, dst, message } => {
                (*src, *dst, Payload::Icmpv6(*message), None)
            }
            #[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
            InlinePacket::Ndisc(packet) => {
                hop_limit = Some(ndisc::HOP_LIMIT);
                let (src, dst) = (packet.src.into(), packet.dst.into());
                (src, dst, Payload::Ndisc(packet.message()), None)
            }
        };
        Outgoing {
            link: &self.link,
            content: Content::Ip(IpPacket {
                src,
                dst,
                hop_limit: hop_limit.unwrap_or_else(|| usual_hop_limit(dst)),
                dscp_ecn: 0,
                ident: ident.unwrap_or(0),
                dont_fragment: ident.is_none(),
                flow_label: label,
                payload,
            }),
        }
    }
}
