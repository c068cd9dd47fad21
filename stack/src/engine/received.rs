//! A packet that arrived, as far as all protocols above IP want to know it, and what it leads to.

#[cfg(feature = "socket-tcp")]
use super::flow_label::FlowLabel;
use super::inline::{Inline, InlinePacket};
use super::outgoing::LinkHeader;
use crate::ip::{ArrivalPath, Destination};
use crate::stats::Discard;
#[cfg(feature = "socket-tcp")]
use crate::wire::TcpHeader;
use crate::wire::{Ecn, EthernetAddress, EthernetHeader, Icmpv4Message, IpAddress, ethernet};

/// What an arriving packet leads to: an answer, or nothing more.
pub(super) type Handled<'f> = Result<Option<Inline<'f>>, Discard>;

/// What is known of a packet before its transport header is read.
#[derive(Clone, Copy)]
pub(super) struct Received<'f> {
    pub(super) src: IpAddress,
    pub(super) dst: IpAddress,
    pub(super) hop_limit: u8,
    pub(super) ecn: Ecn,
    /// The whole packet, for error messages that quote it.
    pub(super) packet: &'f [u8],
    pub(super) destination: Destination,
    pub(super) path: ArrivalPath,
    pub(super) back: Back<'f>,
    /// Whether the transport checksum still has to be looked at.
    pub(super) verify: bool,
}

/// The way back to where a frame came from, for an answer. Answers do not go through the neighbor cache, so that a
/// flood of questions from invented addresses leaves no trace in it.
#[derive(Clone, Copy)]
pub(super) struct Back<'f> {
    /// The link header that the frame came with, if links have any. Few frames are answered, so it is read no earlier.
    pub(super) header: Option<&'f [u8; ethernet::HEADER_LEN]>,
    /// Our own address on the link.
    pub(super) hardware: EthernetAddress,
}

impl Back<'_> {
    /// Over a link without link headers.
    #[cfg(feature = "medium-ip")]
    pub(super) const NONE: Self = Self {
        header: None,
        hardware: EthernetAddress([0; 6]),
    };

    /// The link header for an answer.
    pub(super) fn link(&self) -> LinkHeader {
        let header = self
            .header
            .and_then(|header| EthernetHeader::parse(header).ok());
        header.map_or(LinkHeader::None, |(header, _)| {
            LinkHeader::Ethernet(EthernetHeader {
                dst: header.src,
                src: self.hardware,
                ethertype: header.ethertype,
            })
        })
    }
}

impl Received<'_> {
    /// A TCP header as answer, from the address that the segment was for.
    #[cfg(feature = "socket-tcp")]
    pub(super) fn answer_tcp<'a>(&self, header: TcpHeader, flow_label: FlowLabel) -> Inline<'a> {
        Inline {
            link: self.back.link(),
            packet: InlinePacket::Tcp {
                src: self.dst,
                dst: self.src,
                header,
                flow_label,
            },
        }
    }

    /// An ICMPv4 message as answer; with an identification it may be fragmented on its way.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn answer_icmpv4<'a>(
        &self,
        message: Icmpv4Message<'a>,
        ident: Option<u16>,
    ) -> Inline<'a> {
        Inline {
            link: self.back.link(),
            packet: InlinePacket::Icmpv4 {
                src: self.dst,
                dst: self.src,
                message,
                ident,
            },
        }
    }
}
