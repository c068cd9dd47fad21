//! Scopes of IPv6 addresses (RFC 4291 section 2.7, RFC 4007), and the groups that every host is in.

use core::net::Ipv6Addr;

/// How far an address reaches, as the scope field of a group says it.
pub(super) fn scope(address: Ipv6Addr) -> u8 {
    if address.is_multicast() {
        return address.octets()[1] & 0xf;
    }
    // RFC 6724 section 3.1: the loopback address counts as link-local.
    if address.is_unicast_link_local() || address.is_loopback() {
        return LINK_LOCAL;
    }
    // Section 3.2: so do IPv4's.
    if let Some(address) = address.to_ipv4_mapped() {
        return match address.is_link_local() || address.is_loopback() {
            true => LINK_LOCAL,
            false => GLOBAL,
        };
    }
    match address.segments()[0] & 0xffc0 {
        0xfec0 => SITE_LOCAL,
        _ => GLOBAL,
    }
}

/// The group that everybody is in who has `address` or one that ends like it (RFC 4291 section 2.7.1).
pub(crate) fn solicited_node(address: Ipv6Addr) -> Ipv6Addr {
    let [.., high, low] = address.segments();
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | high & 0xff, low)
}

/// Whether a group is that of all hosts, on the link or in this host.
pub(crate) fn is_group_of_all_nodes(group: Ipv6Addr) -> bool {
    group == ALL_NODES || group == ALL_NODES_HERE
}

/// Whether what is sent to a group may go to other hosts.
pub(crate) fn leaves_host(group: Ipv6Addr) -> bool {
    !matches!(scope(group), RESERVED | INTERFACE_LOCAL)
}

/// All hosts on the link.
pub(crate) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
/// All routers on the link.
#[cfg(feature = "slaac")]
pub(crate) const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
/// All interfaces of this host.
const ALL_NODES_HERE: Ipv6Addr = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 1);

/// Reserved: packets to it are not sent, and dropped when they come.
pub(super) const RESERVED: u8 = 0;
/// This host.
pub(super) const INTERFACE_LOCAL: u8 = 1;
pub(super) const LINK_LOCAL: u8 = 2;
/// Deprecated (RFC 3879).
pub(super) const SITE_LOCAL: u8 = 5;
pub(super) const GLOBAL: u8 = 14;

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    #[test]
    fn each_address_has_its_scope() {
        for (address, expected) in [
            ("::1", LINK_LOCAL),
            ("fe80::1", LINK_LOCAL),
            ("febf::1", LINK_LOCAL),
            ("fec0::1", SITE_LOCAL),
            ("fdaa::1", GLOBAL),
            ("2001:db8::1", GLOBAL),
            ("ff01::1", INTERFACE_LOCAL),
            ("ff02::1", LINK_LOCAL),
            ("ff05::2", SITE_LOCAL),
            ("ff0e::1", GLOBAL),
            ("ff00::1", RESERVED),
            ("::ffff:169.254.1.1", LINK_LOCAL),
            ("::ffff:127.0.0.1", LINK_LOCAL),
            ("::ffff:10.0.0.1", GLOBAL),
            ("ff32:30:2001:db8::1", LINK_LOCAL),
        ] {
            assert_eq!(scope(ip(address)), expected, "{address}");
        }
    }

    /// The example of RFC 4291, section 2.7.1.
    #[test]
    fn rfc4291_the_solicited_node_group() {
        assert_eq!(
            solicited_node(ip("4037::1:800:200e:8c6c")),
            ip("ff02::1:ff0e:8c6c")
        );
    }
}
