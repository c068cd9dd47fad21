//! ICMP: what its messages mean for what was sent, and what cannot be delivered here. One file for each
//! version of the protocol.

mod v4;
#[cfg(feature = "proto-ipv6")]
mod v6;

#[cfg(feature = "ip-fragments")]
pub(super) use self::v4::MAX_QUOTE;
#[cfg(all(feature = "ip-fragments", feature = "proto-ipv6"))]
pub(super) use self::v6::MAX_QUOTE as MAX_QUOTE_V6;
use super::Engine;
use super::received::{Handled, Received};
use crate::stats::Discard;
use crate::time::Instant;
#[cfg(feature = "proto-ipv6")]
use crate::wire::Icmpv6Unreachable;
use crate::wire::{Icmpv4Unreachable, IpAddress, IpProtocol, Quote};

impl Engine<'_> {
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
        if quote.src.version() != received.src.version() {
            return Err(Discard::Malformed);
        }
        if !self.interface.addresses.is_local(quote.src) {
            return Err(Discard::UnmatchedIcmp);
        }
        #[cfg(feature = "proto-ipv6")]
        if let (IcmpError::TooLong { next_hop_mtu }, IpAddress::Ipv6(_)) = (error, quote.src) {
            self.datagram_too_long_v6(now, &quote, next_hop_mtu);
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
            protocol if protocol == icmp_of(received.src) => {
                let ident = Some(quote.echo_ident());
                self.icmp_to_sockets(received, ident, None, message).is_ok()
            }
            _ => false,
        };
        let matched = self.raw_icmp_error(&quote, error) || matched;
        let _ = now;
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

    /// RFC 1122, section 4.1.3.1: "If a datagram arrives addressed to a UDP port for which there is no
    /// pending LISTEN call, UDP SHOULD send an ICMP Port Unreachable message".
    #[cfg(feature = "socket-udp")]
    pub(super) fn port_unreachable<'f>(
        &mut self,
        now: Instant,
        received: &Received<'f>,
    ) -> Handled<'f> {
        let reason = Discard::NoSocket;
        match received.src {
            IpAddress::Ipv4(_) => {
                self.unreachable_v4(now, received, Icmpv4Unreachable::Port, reason)
            }
            // RFC 4443, section 3.1: "a destination node SHOULD originate" one with code 4.
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => {
                self.unreachable_v6(now, received, Icmpv6Unreachable::Port, reason)
            }
        }
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

/// The protocol of ICMP in packets from that address.
fn icmp_of(address: IpAddress) -> IpProtocol {
    match address {
        IpAddress::Ipv4(_) => IpProtocol::ICMP,
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(_) => IpProtocol::ICMPV6,
    }
}
