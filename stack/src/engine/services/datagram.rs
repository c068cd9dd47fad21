//! How services send: a datagram by itself, on a way that its service has looked up, past sockets and their queues.

use crate::engine::Engine;
use crate::engine::flow_label::FlowLabel;
use crate::engine::outgoing::{IpPacket, LinkHeader, Payload, Room};
use crate::wire::IpEndpoint;

/// A datagram of a service.
pub(super) struct ServiceDatagram<'a> {
    pub(super) from: IpEndpoint,
    pub(super) to: IpEndpoint,
    pub(super) hop_limit: u8,
    pub(super) flow_label: FlowLabel,
    pub(super) data: &'a [u8],
}

impl Engine<'_> {
    /// Sends a datagram behind a link header, and counts it.
    pub(super) fn send_for_service(
        &mut self,
        link: LinkHeader,
        datagram: &ServiceDatagram<'_>,
        room: &mut dyn Room,
    ) {
        let packet = IpPacket {
            src: datagram.from.addr,
            dst: datagram.to.addr,
            hop_limit: datagram.hop_limit,
            dscp_ecn: 0,
            ident: self.interface.next_ident(datagram.to.addr) as u16,
            dont_fragment: false,
            flow_label: datagram.flow_label,
            payload: Payload::Udp {
                src_port: datagram.from.port,
                dst_port: datagram.to.port,
                data: datagram.data,
            },
        };
        self.send_own(room, &link, &packet);
    }
}
