//! ICMPv6 (RFC 4443): questions answered, errors sent and taken.

use super::super::Engine;
use super::super::interface::INTERFACE;
use super::super::outgoing::Payload;
use super::super::received::{Handled, Received};
use super::IcmpError;
use crate::icmp::{ErrorReach, OffenderV6, may_send_error_v6};
use crate::ip::{ArrivalPath, Destination, HeaderProblem};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::icmpv6::is_error;
use crate::wire::{
    Icmpv6Message, Icmpv6ParameterProblem, Icmpv6Unreachable, IpAddress, IpProtocol, IpVersion,
    NdiscMessage, Quote, ipv6,
};

impl Engine<'_> {
    pub(in crate::engine) fn on_icmpv6(
        &mut self,
        received: &mut Received<'_>,
        payload: &[u8],
        now: Instant,
    ) -> Handled {
        // No device verifies ICMP's checksum.
        let message = Icmpv6Message::parse(payload, received.src, received.dst, true)?;
        match message {
            Icmpv6Message::EchoRequest { ident, seq, data } => {
                self.on_echo_request_v6(received, (ident, seq), data, now)
            }
            Icmpv6Message::EchoReply { ident, .. } => {
                self.icmp_to_sockets(received, Some(ident), None, payload)?;
                Ok(())
            }
            Icmpv6Message::DestinationUnreachable { code, quote } => {
                let error = match code {
                    Icmpv6Unreachable::Port => IcmpError::Refused,
                    _ => IcmpError::Unreachable,
                };
                self.on_icmp_error(received, payload, quote, error, now)
            }
            Icmpv6Message::PacketTooBig { mtu, quote } => {
                // RFC 8201, section 4: a host that gets one with less "must discard it".
                if mtu < u32::from(ipv6::MIN_MTU) {
                    return Err(Discard::Malformed);
                }
                let next_hop_mtu = u16::try_from(mtu).unwrap_or(u16::MAX);
                let error = IcmpError::TooLong { next_hop_mtu };
                self.on_icmp_error(received, payload, quote, error, now)
            }
            Icmpv6Message::TimeExceeded { quote, .. } => {
                self.on_icmp_error(received, payload, quote, IcmpError::Soft, now)
            }
            Icmpv6Message::ParameterProblem { code, quote, .. } => {
                let error = match code {
                    // It does not know the protocol at all.
                    Icmpv6ParameterProblem::NextHeader => IcmpError::Refused,
                    _ => IcmpError::Soft,
                };
                self.on_icmp_error(received, payload, quote, error, now)
            }
            Icmpv6Message::Other { .. } => match NdiscMessage::parse(payload)? {
                Some(message) => self.on_ndisc(received, &message, now),
                None => self.on_mld(received, payload, now),
            },
        }
    }

    /// A router did not pass on a datagram, because the next link takes shorter packets only. If that is
    /// credible, no longer ones are sent there (RFC 8201); TCP sees to its own segments.
    pub(super) fn datagram_too_long_v6(&mut self, quote: &Quote<'_>, mtu: u16, now: Instant) {
        let is_ours = match quote.protocol {
            #[cfg(feature = "socket-udp")]
            IpProtocol::UDP => self.is_udp_port_bound(quote.src_port()),
            #[cfg(feature = "socket-icmp")]
            IpProtocol::ICMPV6 => self.is_icmp_ident_bound(quote.echo_ident()),
            protocol => self.is_raw_bound(IpVersion::Ipv6, protocol),
        };
        let interface = &mut self.interface;
        let is_news = interface
            .path_mtu(quote.dst, now)
            .is_some_and(|known| mtu < known);
        if is_ours && is_news && quote.total_len > mtu {
            interface
                .path_mtus
                .on_report(now, INTERFACE, quote.dst, mtu);
            interface.on_routes_changed();
        }
    }

    /// RFC 4443, section 4.2: "Every node MUST implement an ICMPv6 Echo responder function"; a reply to a
    /// request to a group is a MAY ("SHOULD be sent"), which would tell everybody who is there.
    #[cfg(feature = "icmp-echo-reply")]
    fn on_echo_request_v6(
        &mut self,
        received: &mut Received<'_>,
        (ident, seq): (u16, u16),
        data: &[u8],
        _now: Instant,
    ) -> Handled {
        if received.destination != Destination::Local {
            return Err(Discard::UnknownIcmp);
        }
        let message = Icmpv6Message::EchoReply { ident, seq, data };
        self.answer_icmpv6(received, received.dst, message);
        Ok(())
    }

    #[cfg(not(feature = "icmp-echo-reply"))]
    fn on_echo_request_v6(
        &mut self,
        _received: &mut Received<'_>,
        _ident_and_seq: (u16, u16),
        _data: &[u8],
        _now: Instant,
    ) -> Handled {
        Err(Discard::UnknownIcmp)
    }

    pub(in crate::engine) fn unreachable_v6(
        &mut self,
        received: &mut Received<'_>,
        code: Icmpv6Unreachable,
        reason: Discard,
        now: Instant,
    ) -> Handled {
        let quote = quote_of(received);
        let message = Icmpv6Message::DestinationUnreachable { code, quote };
        self.icmpv6_error(received, message, ErrorReach::OneHost, reason, now)
    }

    /// What the extension headers demand.
    pub(in crate::engine) fn on_header_problem(
        &mut self,
        received: &mut Received<'_>,
        problem: HeaderProblem,
        now: Instant,
    ) -> Handled {
        match problem {
            HeaderProblem::Truncated => Err(Discard::Malformed),
            HeaderProblem::Silent => Err(Discard::ExtensionHeader),
            HeaderProblem::Report {
                code,
                pointer,
                even_to_group,
            } => {
                let reach = match even_to_group {
                    true => ErrorReach::Groups,
                    false => ErrorReach::OneHost,
                };
                let message = Icmpv6Message::ParameterProblem {
                    code,
                    pointer,
                    quote: quote_of(received),
                };
                self.icmpv6_error(received, message, reach, Discard::ExtensionHeader, now)
            }
        }
    }

    /// RFC 8200, section 4: "If [...] the Next Header value [...] is unrecognized by the node, it should
    /// discard the packet and send an ICMP Parameter Problem message [...] with an ICMP Code value of 1".
    pub(in crate::engine) fn next_header_unknown(
        &mut self,
        received: &mut Received<'_>,
        announced_at: usize,
        now: Instant,
    ) -> Handled {
        let message = Icmpv6Message::ParameterProblem {
            code: Icmpv6ParameterProblem::NextHeader,
            pointer: announced_at as u32,
            quote: quote_of(received),
        };
        let (reach, reason) = (ErrorReach::OneHost, Discard::UnknownProtocol);
        self.icmpv6_error(received, message, reach, reason, now)
    }

    pub(in crate::engine) fn icmpv6_error(
        &mut self,
        received: &mut Received<'_>,
        message: Icmpv6Message<'_>,
        reach: ErrorReach,
        reason: Discard,
        now: Instant,
    ) -> Handled {
        let IpAddress::Ipv6(source) = received.src else {
            return Err(reason);
        };
        let offender = OffenderV6 {
            source,
            is_to_group: received.destination != Destination::Local,
            is_link_group: received.path == ArrivalPath::LinkGroup,
            is_error: is_icmp_error(received.packet),
            reach,
        };
        if may_send_error_v6(&offender).is_err() {
            return Err(reason);
        }
        // RFC 4443, section 2.2: from the address that the packet was for, or one to reach its source from.
        let src = match received.destination {
            Destination::Local => received.dst,
            _ => match self.interface.route(received.src, now) {
                Some((_, src)) => src,
                None => return Err(reason),
            },
        };
        if !self.icmp_errors.allow(now) {
            return Err(Discard::RateLimited);
        }
        self.answer_icmpv6(received, src, message);
        Err(reason)
    }

    fn answer_icmpv6(
        &mut self,
        received: &mut Received<'_>,
        src: IpAddress,
        message: Icmpv6Message<'_>,
    ) {
        let payload = Payload::Icmpv6(message);
        let packet = self.interface.own_packet(src, received.src, payload);
        self.answer(&mut received.back, &packet);
    }
}

/// "As much of invoking packet as possible without the ICMPv6 packet exceeding the minimum IPv6 MTU" (RFC
/// 4443, section 3.1).
fn quote_of<'f>(received: &Received<'f>) -> &'f [u8] {
    let packet = received.packet;
    packet.get(..MAX_QUOTE).unwrap_or(packet)
}

/// Whether the packet is an ICMPv6 error or a redirect. One that is too short to tell is neither.
pub(in crate::engine) fn is_icmp_error(packet: &[u8]) -> bool {
    let Some(quote) = Quote::parse(packet) else {
        return false;
    };
    let is_icmp = quote.protocol == IpProtocol::ICMPV6;
    let kind = quote.transport.first();
    is_icmp && kind.is_none_or(|&kind| is_error(kind) || kind == KIND_REDIRECT)
}

pub(in crate::engine) const MAX_QUOTE: usize = ipv6::MIN_MTU as usize - ipv6::HEADER_LEN - 8;

const KIND_REDIRECT: u8 = 137;
