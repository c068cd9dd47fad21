//! ICMP: what its messages mean for what was sent, and what cannot be delivered here. One file for each
//! version of the protocol.

#[cfg_attr(not(feature = "icmp-errors"), path = "icmp/no_errors.rs")]
mod errors;
mod v4;
#[cfg(feature = "proto-ipv6")]
mod v6;

#[cfg(feature = "icmp-errors")]
pub(super) use self::errors::IcmpError;
#[cfg(feature = "ip-fragments")]
pub(super) use self::v4::MAX_QUOTE;
#[cfg(all(feature = "ip-fragments", feature = "proto-ipv6"))]
pub(super) use self::v6::{MAX_QUOTE as MAX_QUOTE_V6, is_icmp_error};
use super::Engine;
use super::received::{Handled, Received};
use crate::stats::Discard;
use crate::time::Instant;
#[cfg(feature = "proto-ipv6")]
use crate::wire::Icmpv6Unreachable;
use crate::wire::{Icmpv4Unreachable, IpAddress};

impl Engine<'_> {
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
    pub(super) fn port_unreachable(
        &mut self,
        received: &mut Received<'_>,
        now: Instant,
    ) -> Handled {
        let reason = Discard::NoSocket;
        match received.src {
            IpAddress::Ipv4(_) => {
                self.unreachable_v4(received, Icmpv4Unreachable::Port, reason, now)
            }
            // RFC 4443, section 3.1: "a destination node SHOULD originate" one with code 4.
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => {
                self.unreachable_v6(received, Icmpv6Unreachable::Port, reason, now)
            }
        }
    }
}
