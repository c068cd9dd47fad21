//! What the engine says by itself: packets without a payload in a socket's buffer, unasked and in answer.

use super::Engine;
use super::flow_label::FlowLabel;
use super::interface::Interface;
use super::outgoing::{Content, IpPacket, LinkHeader, Outgoing, Payload, Room};
use super::received::{Back, Received};
use crate::stats::Discard;
#[cfg(feature = "socket-tcp")]
use crate::wire::TcpHeader;
#[cfg(feature = "medium-ethernet")]
use crate::wire::{EtherType, EthernetAddress};
use crate::wire::{IpAddress, IpEndpoint};

impl Interface {
    /// A packet of the engine's own, which nobody is to cut on its way.
    #[inline]
    pub(super) fn own_packet<'a>(
        &self,
        src: IpAddress,
        dst: IpAddress,
        payload: Payload<'a>,
    ) -> IpPacket<'a> {
        IpPacket {
            src,
            dst,
            hop_limit: self.hop_limit(dst),
            dscp_ecn: 0,
            ident: 0,
            dont_fragment: true,
            flow_label: match &payload {
                Payload::Tcp(header) => self.flow_label(
                    IpEndpoint::new(src, header.src_port),
                    IpEndpoint::new(dst, header.dst_port),
                ),
                _ => FlowLabel::NONE,
            },
            payload,
        }
    }

    /// The link header for an answer.
    pub(super) fn link_back(&self, back: &Back<'_>) -> LinkHeader {
        match back.header {
            #[cfg(feature = "medium-ethernet")]
            Some(&[_, _, _, _, _, _, ref source @ .., high, low]) => self.header_to(
                &EthernetAddress(*source),
                EtherType(u16::from_be_bytes([high, low])),
            ),
            _ => LinkHeader::None,
        }
    }
}

impl Engine<'_> {
    /// Sends a packet along a link header, and counts it: there is room for it.
    pub(super) fn send_own(
        &mut self,
        room: &mut dyn Room,
        link: &LinkHeader,
        packet: &IpPacket<'_>,
    ) {
        let content = Content::Ip(packet);
        room.send(&Outgoing { link, content });
        self.on_sent();
    }

    /// Sends a frame in answer to another, if there is room.
    pub(super) fn answer_frame(&mut self, room: &mut dyn Room, answer: &Outgoing<'_>) {
        if room.has_more() {
            room.send(answer);
            self.on_sent();
        } else {
            self.stats.discard(Discard::NoRoomToReply);
        }
    }

    /// Sends a packet in answer to another, to where that came from.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn answer(&mut self, back: &mut Back<'_>, packet: &IpPacket<'_>) {
        let link = &self.interface.link_back(back);
        if self.keep_answer(back, link, packet) {
            return;
        }
        if let Some(room) = &mut back.room {
            let content = Content::Ip(packet);
            self.answer_frame(*room, &Outgoing { link, content });
        }
    }

    /// A TCP header as answer, from the address that the segment was for.
    #[cfg(feature = "socket-tcp")]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn answer_tcp(&mut self, received: &mut Received<'_>, header: &TcpHeader) {
        let payload = Payload::Tcp(header);
        let packet = (self.interface).own_packet(received.dst, received.src, payload);
        self.answer(&mut received.back, &packet);
    }
}
