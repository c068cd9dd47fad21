//! In place of `multicast`, where it is not compiled in: this host is in the group of all hosts, and in no other
//! (RFC 1112's level 1).

use super::Engine;
use super::received::{Handled, Received};
use crate::stats::Discard;
use crate::storage::Index;
use crate::time::Instant;
use crate::wire::igmp::ALL_HOSTS;
use crate::wire::{IpAddress, Ipv4Header};

impl Engine<'_> {
    pub(super) fn check_group(&self, header: &Ipv4Header) -> Result<(), Discard> {
        if header.dst == ALL_HOSTS {
            Ok(())
        } else {
            Err(Discard::NotOurGroup)
        }
    }

    pub(super) fn is_in_group(&self, _: Index, group: IpAddress, _: IpAddress) -> bool {
        match group {
            IpAddress::Ipv4(group) => group == ALL_HOSTS,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(group) => crate::ip::is_group_of_all_nodes(group),
        }
    }

    pub(super) fn on_igmp(&mut self, _: &Received<'_>, _: &[u8], _: Instant) -> Handled {
        Err(Discard::IgnoredIgmp)
    }

    #[cfg(feature = "proto-ipv6")]
    pub(super) fn is_member_v6(&self, group: core::net::Ipv6Addr) -> bool {
        self.interface.is_member(group)
    }

    #[cfg(feature = "proto-ipv6")]
    pub(super) fn check_source(
        &self,
        _: &Received<'_>,
        _: crate::wire::IpProtocol,
    ) -> Result<(), Discard> {
        Ok(())
    }

    #[cfg(feature = "proto-ipv6")]
    pub(super) fn on_mld(&mut self, _: &Received<'_>, _: &[u8], _: Instant) -> Handled {
        Err(Discard::UnknownIcmp)
    }

    pub(super) fn leave_groups(&mut self, _: Index) {}

    #[cfg(feature = "socket-udp")]
    pub(super) fn loop_back(&mut self, _: Index, _: &super::UdpMetadata) {}
}
