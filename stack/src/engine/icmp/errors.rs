//! Reports that something we sent was not delivered: what they mean for what was sent, and who hears of it.

use super::super::Engine;
use super::super::received::{Handled, Received};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::{Icmpv4Message, Icmpv4Unreachable, IpAddress, IpProtocol, Quote};

impl Engine<'_> {
    /// An error message of ICMPv4.
    pub(super) fn on_icmpv4_error(
        &mut self,
        received: &Received<'_>,
        payload: &[u8],
        message: &Icmpv4Message<'_>,
        now: Instant,
    ) -> Handled {
        let (quote, error) = match *message {
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
                (quote, error)
            }
            Icmpv4Message::TimeExceeded { quote, .. }
            | Icmpv4Message::ParameterProblem { quote, .. } => (quote, IcmpError::Soft),
            _ => return Err(Discard::UnknownIcmp),
        };
        self.on_icmp_error(received, payload, quote, error, now)
    }

    /// Somebody could not deliver what we sent. It goes to whoever sent it.
    pub(super) fn on_icmp_error(
        &mut self,
        received: &Received<'_>,
        message: &[u8],
        quote: &[u8],
        error: IcmpError,
        now: Instant,
    ) -> Handled {
        let quote = Quote::parse(quote).ok_or(Discard::Malformed)?;
        if quote.src.version() != received.src.version() {
            return Err(Discard::Malformed);
        }
        if !self.interface.addresses.is_local(quote.src) {
            return Err(Discard::UnmatchedIcmp);
        }
        #[cfg(feature = "proto-ipv6")]
        if let (IcmpError::TooLong { next_hop_mtu }, IpAddress::Ipv6(_)) = (error, quote.src) {
            self.datagram_too_long_v6(&quote, next_hop_mtu, now);
        }
        let matched = match quote.protocol {
            #[cfg(feature = "socket-tcp")]
            IpProtocol::TCP => self.tcp_icmp_error(&quote, error, now),
            #[cfg(feature = "socket-udp")]
            IpProtocol::UDP => {
                let to_socket = self.udp_icmp_error(&quote, error);
                let watched = self
                    .icmp_to_sockets(received, None, Some(quote.src_port()), message)
                    .is_ok();
                to_socket || watched
            }
            protocol if protocol == icmp_of(received.src) => {
                let ident = Some(quote.echo_ident());
                self.icmp_to_sockets(received, ident, None, message).is_ok()
            }
            _ => false,
        };
        let matched = self.raw_icmp_error(&quote, error) || matched;
        let _ = now;
        if matched {
            Ok(())
        } else {
            Err(Discard::UnmatchedIcmp)
        }
    }
}

/// What an ICMP error means for what was sent (RFC 1122, sections 4.1.3.3 and 4.2.3.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum IcmpError {
    /// Nobody is there to take it: port or protocol unreachable.
    Refused,
    /// There is no way there, as far as the network knows now.
    Unreachable,
    /// It is longer than a link on the way takes: this many bytes, or 0 if the router does not say.
    TooLong { next_hop_mtu: u16 },
    /// It did not arrive this time.
    Soft,
}

/// The protocol of ICMP in packets from that address.
pub(super) fn icmp_of(address: IpAddress) -> IpProtocol {
    match address {
        IpAddress::Ipv4(_) => IpProtocol::ICMP,
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(_) => IpProtocol::ICMPV6,
    }
}
