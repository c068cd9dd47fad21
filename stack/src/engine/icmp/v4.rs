//! ICMPv4 (RFC 792, RFC 1122, section 3.2.2): questions answered, errors sent and taken.

use super::super::Engine;
use super::super::outgoing::{IpPacket, Payload};
use super::super::received::{Handled, Received};
use crate::icmp::{Offender, Payload as OffenderPayload, may_send_error};
use crate::ip::{ArrivalPath, Destination};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::{Icmpv4Message, Icmpv4Unreachable, IpAddress};

impl Engine<'_> {
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(in crate::engine) fn on_icmpv4(
        &mut self,
        received: &mut Received<'_>,
        payload: &[u8],
        now: Instant,
    ) -> Handled {
        // No device verifies ICMP's checksum.
        let message = Icmpv4Message::parse(payload, true)?;
        match message {
            Icmpv4Message::EchoRequest { ident, seq, data } => {
                self.on_echo_request(received, ident, seq, data)
            }
            Icmpv4Message::EchoReply { ident, .. } => {
                self.icmp_to_sockets(received, Some(ident), None, payload)?;
                Ok(())
            }
            Icmpv4Message::Other { .. } => Err(Discard::UnknownIcmp),
            error => self.on_icmpv4_error(received, payload, &error, now),
        }
    }

    /// RFC 1122, section 3.2.2.6: "Every host MUST implement an ICMP Echo server function"; requests to
    /// a group "MAY be silently discarded".
    #[cfg(feature = "icmp-echo-reply")]
    fn on_echo_request(
        &mut self,
        received: &mut Received<'_>,
        ident: u16,
        seq: u16,
        data: &[u8],
    ) -> Handled {
        if received.destination != Destination::Local {
            return Err(Discard::UnknownIcmp);
        }
        let reply = Icmpv4Message::EchoReply { ident, seq, data };
        let ident = self.interface.next_ident(received.src) as u16;
        // It may be as long as what it answers, and be fragmented on its way.
        let packet = IpPacket {
            ident,
            dont_fragment: false,
            ..(self.interface).own_packet(
                received.dst,
                received.src,
                Payload::Icmpv4(reply.to_send()),
            )
        };
        self.answer(&mut received.back, &packet);
        Ok(())
    }

    #[cfg(not(feature = "icmp-echo-reply"))]
    fn on_echo_request(
        &mut self,
        _received: &mut Received<'_>,
        _ident: u16,
        _seq: u16,
        _data: &[u8],
    ) -> Handled {
        Err(Discard::UnknownIcmp)
    }

    /// RFC 1122, section 3.2.2.1: "a Destination Unreachable message with code 2 (Protocol
    /// Unreachable)".
    pub(in crate::engine) fn protocol_unreachable(
        &mut self,
        received: &mut Received<'_>,
        now: Instant,
    ) -> Handled {
        self.unreachable_v4(
            received,
            Icmpv4Unreachable::Protocol,
            Discard::UnknownProtocol,
            now,
        )
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn unreachable_v4(
        &mut self,
        received: &mut Received<'_>,
        code: Icmpv4Unreachable,
        reason: Discard,
        now: Instant,
    ) -> Handled {
        let (IpAddress::Ipv4(source), IpAddress::Ipv4(destination)) = (received.src, received.dst)
        else {
            return Err(reason);
        };
        let offender = Offender {
            source,
            destination,
            is_to_group: received.destination != Destination::Local,
            is_link_group: received.path == ArrivalPath::LinkGroup,
            fragment_offset: 0,
            payload: OffenderPayload::Other,
        };
        if may_send_error(&offender).is_err() {
            return Err(reason);
        }
        if !self.icmp_errors.allow(now) {
            return Err(Discard::RateLimited);
        }
        let quote = &received.packet[..received.packet.len().min(MAX_QUOTE)];
        let message = Icmpv4Message::DestinationUnreachable {
            code,
            next_hop_mtu: 0,
            quote,
        };
        let payload = Payload::Icmpv4(message.to_send());
        let packet = (self.interface).own_packet(received.dst, received.src, payload);
        self.answer(&mut received.back, &packet);
        Err(reason)
    }
}

/// RFC 1812, section 4.3.2.3: "the ICMP datagram SHOULD contain as much of the original datagram as
/// possible without the length of the ICMP datagram exceeding 576 bytes".
pub(in crate::engine) const MAX_QUOTE: usize = 576 - 20 - 8;
