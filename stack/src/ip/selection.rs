//! Which of its addresses a host speaks from (RFC 6724 section 5).
//!
//! [`Addresses`](super::Addresses) asks with the usable addresses of the interface that packets leave by,
//! which is what rule 5 would prefer. Rule 4 is about mobile hosts, of which there are none.

use core::cmp::Ordering;
use core::net::Ipv6Addr;

use super::policy::policy;
use super::scope::scope;
use super::{InterfaceAddress, PolicyTableEntry, PrefixFrom};
use crate::wire::{IpCidr, Ipv6Cidr};

/// The source of packets to `destination`; of several that are as good, the first.
pub(super) fn source<'a>(
    candidates: impl Iterator<Item = &'a InterfaceAddress>,
    destination: Ipv6Addr,
    table: &[PolicyTableEntry],
    prefix_from: impl Fn(Ipv6Addr) -> PrefixFrom,
) -> Option<Ipv6Addr> {
    let candidates = candidates.filter_map(|ours| match ours.cidr {
        IpCidr::Ipv6(cidr) => Some(Candidate {
            cidr,
            is_avoided: ours.state.is_avoided(),
            is_temporary: ours.origin.is_temporary(),
            prefix_from: prefix_from(cidr.address()),
        }),
        IpCidr::Ipv4(_) => None,
    });
    let best = candidates.reduce(
        |best, other| match other.compare(&best, destination, table) {
            Ordering::Greater => other,
            Ordering::Less | Ordering::Equal => best,
        },
    )?;
    Some(best.cidr.address())
}

#[derive(Clone, Copy)]
struct Candidate {
    cidr: Ipv6Cidr,
    is_avoided: bool,
    is_temporary: bool,
    prefix_from: PrefixFrom,
}

impl Candidate {
    /// Greater if it is the better source.
    fn compare(&self, other: &Self, destination: Ipv6Addr, table: &[PolicyTableEntry]) -> Ordering {
        let (a, b) = (self.cidr.address(), other.cidr.address());
        // Rule 1: prefer the same address.
        (a == destination)
            .cmp(&(b == destination))
            .then_with(|| compare_scopes(scope(a), scope(b), scope(destination)))
            // Rule 3: avoid deprecated addresses.
            .then_with(|| other.is_avoided.cmp(&self.is_avoided))
            // Rule 5.5: prefer addresses in a prefix advertised by the next-hop.
            .then_with(|| match (self.prefix_from, other.prefix_from) {
                (PrefixFrom::NextHop, PrefixFrom::AnotherRouter) => Ordering::Greater,
                (PrefixFrom::AnotherRouter, PrefixFrom::NextHop) => Ordering::Less,
                _ => Ordering::Equal,
            })
            // Rule 6: prefer a matching label.
            .then_with(|| {
                let label = |address| policy(table, address).label;
                let wanted = label(destination);
                (label(a) == wanted).cmp(&(label(b) == wanted))
            })
            // Rule 7: prefer temporary addresses.
            .then_with(|| self.is_temporary.cmp(&other.is_temporary))
            // Rule 8: use the longest matching prefix.
            .then_with(|| {
                self.common_prefix(destination)
                    .cmp(&other.common_prefix(destination))
            })
    }

    /// CommonPrefixLen (section 2.2): "limited to the length of S's prefix".
    fn common_prefix(&self, destination: Ipv6Addr) -> u32 {
        let common = (self.cidr.address().to_bits() ^ destination.to_bits()).leading_zeros();
        common.min(self.cidr.prefix_len().into())
    }
}

/// Rule 2, prefer appropriate scope: "If Scope(SA) < Scope(SB): If Scope(SA) < Scope(D), then prefer SB and
/// otherwise prefer SA."
fn compare_scopes(a: u8, b: u8, destination: u8) -> Ordering {
    match a.cmp(&b) {
        Ordering::Equal => Ordering::Equal,
        Ordering::Less if a < destination => Ordering::Less,
        Ordering::Less => Ordering::Greater,
        Ordering::Greater if b < destination => Ordering::Greater,
        Ordering::Greater => Ordering::Less,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;
    use crate::ip::{AddressOrigin, AddressState, DEFAULT_POLICY_TABLE, InterfaceId};

    fn chosen(candidates: &[(&str, AddressState)], destination: &str) -> Ipv6Addr {
        let candidates: Vec<_> = candidates
            .iter()
            .map(|(cidr, state)| InterfaceAddress {
                cidr: cidr.parse().unwrap(),
                interface: InterfaceId(0),
                state: *state,
                origin: AddressOrigin::Configured,
            })
            .collect();
        let destination = destination.parse().unwrap();
        let nobody = |_| PrefixFrom::Nobody;
        let forwards =
            source(candidates.iter(), destination, DEFAULT_POLICY_TABLE, nobody).unwrap();
        // The order matters only among equals.
        let backwards = source(
            candidates.iter().rev(),
            destination,
            DEFAULT_POLICY_TABLE,
            nobody,
        );
        assert_eq!(backwards, Some(forwards));
        forwards
    }

    fn preferred(candidates: &[&str], destination: &str) -> Ipv6Addr {
        let candidates: Vec<_> = candidates
            .iter()
            .map(|cidr| (*cidr, AddressState::Preferred))
            .collect();
        chosen(&candidates, destination)
    }

    fn ip(text: &str) -> Ipv6Addr {
        text.parse().unwrap()
    }

    #[test]
    fn rule_2_prefer_appropriate_scope() {
        let candidates = ["2001:db8:3::1/64", "fe80::1/64"];
        assert_eq!(preferred(&candidates, "2001:db8:1::1"), ip("2001:db8:3::1"));
        assert_eq!(preferred(&candidates, "fe80::2"), ip("fe80::1"));
        assert_eq!(preferred(&candidates, "ff05::1"), ip("2001:db8:3::1"));
        assert_eq!(preferred(&candidates, "ff02::1"), ip("fe80::1"));
    }

    #[test]
    fn rule_1_prefer_the_same_address() {
        let candidates = [
            ("2001:db8:1::1/64", AddressState::Deprecated),
            ("2001:db8:2::1/64", AddressState::Preferred),
        ];
        assert_eq!(chosen(&candidates, "2001:db8:1::1"), ip("2001:db8:1::1"));
    }

    #[test]
    fn rule_3_avoid_deprecated_addresses() {
        let candidates = [
            ("2001:db8:1::2/64", AddressState::Deprecated),
            ("2001:db8:3::2/64", AddressState::Preferred),
        ];
        assert_eq!(chosen(&candidates, "2001:db8:1::1"), ip("2001:db8:3::2"));
    }

    #[test]
    fn rfc4429_an_optimistic_address_is_treated_as_a_deprecated_one() {
        let candidates = [
            ("2001:db8:1::2/64", AddressState::Optimistic),
            ("2001:db8:3::2/64", AddressState::Preferred),
        ];
        assert_eq!(chosen(&candidates, "2001:db8:1::1"), ip("2001:db8:3::2"));
    }

    #[test]
    fn rule_6_prefer_a_matching_label() {
        let candidates = ["2002:c633:6401::2/64", "2001:db8:1::2/64"];
        assert_eq!(
            preferred(&candidates, "2002:c633:6401::d5e3:7953:13eb:22e8"),
            ip("2002:c633:6401::2")
        );
        assert_eq!(preferred(&candidates, "2400::1"), ip("2001:db8:1::2"));
        let candidates = ["fdaa::1/64", "2001:db8:1::2/64"];
        assert_eq!(preferred(&candidates, "fd11::1"), ip("fdaa::1"));
        assert_eq!(preferred(&candidates, "2400::1"), ip("2001:db8:1::2"));
    }

    #[test]
    fn rule_8_use_the_longest_matching_prefix() {
        let candidates = ["2001:db8:1::2/64", "2001:db8:3::2/64"];
        assert_eq!(preferred(&candidates, "2001:db8:1::1"), ip("2001:db8:1::2"));
        assert_eq!(preferred(&candidates, "2001:db8:3::9"), ip("2001:db8:3::2"));
    }

    #[test]
    fn the_prefix_that_matches_is_no_longer_than_the_sources() {
        let both = [
            InterfaceAddress {
                cidr: "2001:db8::1/32".parse().unwrap(),
                interface: InterfaceId(0),
                state: AddressState::Preferred,
                origin: AddressOrigin::Configured,
            },
            InterfaceAddress {
                cidr: "2001:db8::ff:0/32".parse().unwrap(),
                interface: InterfaceId(0),
                state: AddressState::Preferred,
                origin: AddressOrigin::Configured,
            },
        ];
        // The second has more bits in common, but not of its prefix: both are as good.
        let destination = ip("2001:db8::ff:1");
        let chosen = source(both.iter(), destination, DEFAULT_POLICY_TABLE, |_| {
            PrefixFrom::Nobody
        });
        assert_eq!(chosen, Some(ip("2001:db8::1")));
    }

    #[test]
    fn without_addresses_there_is_none() {
        let ipv4 = InterfaceAddress {
            cidr: "192.0.2.1/24".parse().unwrap(),
            interface: InterfaceId(0),
            state: AddressState::Preferred,
            origin: AddressOrigin::Configured,
        };
        let none = source(
            [ipv4].iter(),
            ip("2001:db8::1"),
            DEFAULT_POLICY_TABLE,
            |_| PrefixFrom::Nobody,
        );
        assert_eq!(none, None);
    }
}
