//! A packet that arrived, as far as all protocols above IP want to know it, and what it leads to.

#[cfg(feature = "socket-tcp")]
use super::flow_label::FlowLabel;
use super::inline::{Inline, InlinePacket};
use super::outgoing::LinkHeader;
use crate::ip::{ArrivalPath, Destination};
use crate::stats::Discard;
#[cfg(feature = "socket-tcp")]
use crate::wire::TcpHeader;
use crate::wire::{Ecn, Icmpv4Message, IpAddress};
#[cfg(feature = "medium-ethernet")]
use crate::wire::{EthernetAddress, EthernetHeader};

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
    /// The link header for an answer: back to where the frame came from. Answers do not go through the
    /// neighbor cache, so that a flood of questions from invented addresses leaves no trace in it.
    pub(super) back: LinkHeader,
    /// Whether the transport checksum still has to be looked at.
    pub(super) verify: bool,
}

/// The way back, of which the link header is put together where it stays: moved, it would be read in other pieces than
/// it was written in, for which the processor has to wait.
#[derive(Clone, Copy)]
pub(super) struct Back<'a> {
    #[cfg(feature = "medium-ethernet")]
    ethernet: Option<(&'a EthernetHeader, &'a EthernetAddress)>,
    #[cfg(not(feature = "medium-ethernet"))]
    bare: core::marker::PhantomData<&'a ()>,
}

impl<'a> Back<'a> {
    /// The link carries bare packets.
    #[cfg(feature = "medium-ip")]
    pub(super) const BARE: Self = Self {
        #[cfg(feature = "medium-ethernet")]
        ethernet: None,
        #[cfg(not(feature = "medium-ethernet"))]
        bare: core::marker::PhantomData,
    };

    /// To where a frame with `header` came from, from `ours`.
    #[cfg(feature = "medium-ethernet")]
    pub(super) fn from(header: &'a EthernetHeader, ours: &'a EthernetAddress) -> Self {
        Self {
            ethernet: Some((header, ours)),
        }
    }

    /// Writes the link header in place of none.
    #[inline]
    pub(super) fn put(self, link: &mut LinkHeader) {
        #[cfg(feature = "medium-ethernet")]
        if let Some((header, ours)) = self.ethernet {
            link.put_ethernet(&header.src, ours, header.ethertype);
        }
        #[cfg(not(feature = "medium-ethernet"))]
        let _ = (self, link);
    }
}

impl Received<'_> {
    /// A TCP header as answer, from the address that the segment was for.
    #[cfg(feature = "socket-tcp")]
    pub(super) fn answer_tcp<'a>(&self, header: TcpHeader, flow_label: FlowLabel) -> Inline<'a> {
        Inline {
            link: self.back,
            packet: InlinePacket::Tcp {
                src: self.dst,
                dst: self.src,
                header,
                flow_label,
            },
        }
    }

    /// An ICMPv4 message as answer; with an identification it may be fragmented on its way.
    pub(super) fn answer_icmpv4<'a>(
        &self,
        message: Icmpv4Message<'a>,
        ident: Option<u16>,
    ) -> Inline<'a> {
        Inline {
            link: self.back,
            packet: InlinePacket::Icmpv4 {
                src: self.dst,
                dst: self.src,
                message,
                ident,
            },
        }
    }
}
