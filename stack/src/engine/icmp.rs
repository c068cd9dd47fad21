//! ICMPv4 (RFC 792, RFC 1122, section 3.2.2): questions answered, errors sent and taken.

use super::Engine;
use super::ingress::{Handled, Received};
use crate::icmp::{Offender, Payload as OffenderPayload, may_send_error};
use crate::ip::{ArrivalPath, Destination};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::{Icmpv4Message, Icmpv4Unreachable, IpProtocol, Quote};

impl Engine<'_> {
    pub(super) fn on_icmpv4<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
        payload: &'f [u8],
    ) -> Handled<'f> {
        // No device verifies ICMP's checksum.
        let message = Icmpv4Message::parse(payload, true)?;
        match message {
            Icmpv4Message::EchoRequest { ident, seq, data } => {
                self.on_echo_request(received, ident, seq, data)
            }
            Icmpv4Message::EchoReply { ident, .. } => {
                self.icmp_to_sockets(received, Some(ident), None, payload)?;
                Ok(None)
            }
            Icmpv4Message::DestinationUnreachable {
                code,
                next_hop_mtu,
                quote,
            } => {
                let error = match code {
                    Icmpv4Unreachable::FragmentationNeeded => IcmpError::TooLong { next_hop_mtu },
                    Icmpv4Unreachable::Protocol | Icmpv4Unreachable::Port => IcmpError::Refused,
                    _ => IcmpError::Unreachable,
                };
                self.on_icmp_error(now, received, payload, quote, error)
            }
            Icmpv4Message::TimeExceeded { quote, .. } => {
                self.on_icmp_error(now, received, payload, quote, IcmpError::Soft)
            }
            Icmpv4Message::ParameterProblem { quote, .. } => {
                self.on_icmp_error(now, received, payload, quote, IcmpError::Soft)
            }
            Icmpv4Message::Other { .. } => Err(Discard::UnknownIcmp),
        }
    }

    /// RFC 1122, section 3.2.2.6: "Every host MUST implement an ICMP Echo server function"; requests to
    /// a group "MAY be silently discarded".
    #[cfg(feature = "icmp-echo-reply")]
    fn on_echo_request<'f>(
        &mut self,
        received: &Received<'f>,
        ident: u16,
        seq: u16,
        data: &'f [u8],
    ) -> Handled<'f> {
        if received.destination != Destination::Local {
            return Err(Discard::UnknownIcmp);
        }
        let reply = Icmpv4Message::EchoReply { ident, seq, data };
        let ident = self.interface.next_ident(received.src()) as u16;
        self.answer_of_any_length(received.answer_icmp(reply, Some(ident)))
    }

    #[cfg(not(feature = "icmp-echo-reply"))]
    fn on_echo_request<'f>(
        &mut self,
        _received: &Received<'f>,
        _ident: u16,
        _seq: u16,
        _data: &'f [u8],
    ) -> Handled<'f> {
        Err(Discard::UnknownIcmp)
    }

    /// Somebody could not deliver what we sent. It goes to whoever sent it.
    fn on_icmp_error<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
        message: &[u8],
        quote: &[u8],
        error: IcmpError,
    ) -> Handled<'f> {
        let quote = Quote::parse(quote).ok_or(Discard::Malformed)?;
        if !self.interface.addresses.is_local(quote.src.into()) {
            return Err(Discard::UnmatchedIcmp);
        }
        let matched = match quote.protocol {
            #[cfg(feature = "socket-tcp")]
            IpProtocol::TCP => self.tcp_icmp_error(now, &quote, error),
            #[cfg(feature = "socket-udp")]
            IpProtocol::UDP => {
                let to_socket = self.udp_icmp_error(&quote, error);
                let watched = self
                    .icmp_to_sockets(received, None, Some(quote.src_port()), message)
                    .is_ok();
                to_socket || watched
            }
            IpProtocol::ICMP => {
                let ident = match quote.transport.get(4..6) {
                    Some(&[high, low]) => Some(u16::from_be_bytes([high, low])),
                    _ => None,
                };
                self.icmp_to_sockets(received, ident, None, message).is_ok()
            }
            _ => false,
        };
        let _ = (now, error);
        if matched {
            Ok(None)
        } else {
            Err(Discard::UnmatchedIcmp)
        }
    }

    /// Hands a message to the socket bound to that identifier, or to that UDP port.
    #[cfg(not(feature = "socket-icmp"))]
    fn icmp_to_sockets(
        &mut self,
        _received: &Received<'_>,
        _ident: Option<u16>,
        _udp_port: Option<u16>,
        _message: &[u8],
    ) -> Result<(), Discard> {
        Err(Discard::UnmatchedIcmp)
    }

    /// RFC 1122, section 3.2.2.1: "a Destination Unreachable message with code 2 (Protocol
    /// Unreachable)".
    pub(super) fn protocol_unreachable<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
    ) -> Handled<'f> {
        self.unreachable(
            now,
            received,
            Icmpv4Unreachable::Protocol,
            Discard::UnknownProtocol,
        )
    }

    /// RFC 1122, section 4.1.3.1: "If a datagram arrives addressed to a UDP port for which there is no
    /// pending LISTEN call, UDP SHOULD send an ICMP Port Unreachable message".
    #[cfg(feature = "socket-udp")]
    pub(super) fn port_unreachable<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
    ) -> Handled<'f> {
        self.unreachable(now, received, Icmpv4Unreachable::Port, Discard::NoSocket)
    }

    fn unreachable<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
        code: Icmpv4Unreachable,
        reason: Discard,
    ) -> Handled<'f> {
        let offender = Offender {
            source: received.header.src,
            destination: received.header.dst,
            is_to_group: received.destination != Destination::Local,
            is_link_group: received.path == ArrivalPath::LinkGroup,
            fragment_offset: received.header.fragment_offset,
            payload: OffenderPayload::Other,
        };
        if may_send_error(&offender).is_err() {
            return Err(reason);
        }
        if !self.icmp_errors.allow(now) {
            return Err(Discard::RateLimited);
        }
        self.stats.discard(reason);
        let quote = &received.packet[..received.packet.len().min(MAX_QUOTE)];
        let message = Icmpv4Message::DestinationUnreachable {
            code,
            next_hop_mtu: 0,
            quote,
        };
        Ok(Some(received.answer_icmp(message, None)))
    }
}

/// What an ICMP error means for what was sent (RFC 1122, sections 4.1.3.3 and 4.2.3.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IcmpError {
    /// Nobody is there to take it: port or protocol unreachable.
    Refused,
    /// There is no way there, as far as the network knows now.
    Unreachable,
    /// It is longer than a link on the way takes: this many bytes, or 0 if the router does not say.
    TooLong { next_hop_mtu: u16 },
    /// It did not arrive this time.
    Soft,
}

/// RFC 1812, section 4.3.2.3: "the ICMP datagram SHOULD contain as much of the original datagram as
/// possible without the length of the ICMP datagram exceeding 576 bytes".
pub(super) const MAX_QUOTE: usize = 576 - 20 - 8;
