//! A stack without raw sockets: no packet is one's.

use super::Engine;
#[cfg(feature = "icmp-errors")]
use super::icmp::IcmpError;
use super::received::Received;
use crate::wire::IpProtocol;
#[cfg(feature = "proto-ipv6")]
use crate::wire::IpVersion;
#[cfg(feature = "icmp-errors")]
use crate::wire::Quote;

impl Engine<'_> {
    pub(super) fn raw_to_socket(&mut self, _: &Received<'_>, _: IpProtocol) -> bool {
        false
    }

    #[cfg(feature = "icmp-errors")]
    pub(super) fn raw_icmp_error(&mut self, _: &Quote<'_>, _: IcmpError) -> bool {
        false
    }

    #[cfg(feature = "proto-ipv6")]
    pub(super) fn is_raw_bound(&self, _: IpVersion, _: IpProtocol) -> bool {
        false
    }
}
