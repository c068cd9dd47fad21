//! The multicast groups of the interface: those that every host is in (RFC 4291, section 2.8).

use core::net::Ipv6Addr;

use super::Interface;
use crate::ip::{is_group_of_all_nodes, solicited_node};
use crate::wire::IpAddress;

impl Interface {
    /// Whether packets for `group` are for us. Tentative addresses count: who has one as well is heard in
    /// its group (RFC 4862, section 5.4.2).
    pub(in crate::engine) fn is_member(&self, group: Ipv6Addr) -> bool {
        is_group_of_all_nodes(group)
            || self.addresses.iter().any(|ours| match ours.cidr.address() {
                IpAddress::Ipv4(_) => false,
                IpAddress::Ipv6(address) => solicited_node(address) == group,
            })
    }
}
