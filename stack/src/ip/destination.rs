//! Which address of a host is tried first (RFC 6724 section 6).
//!
//! A resolver asks, with the source that packets to each of them would have. Rule 4 is about mobile hosts and
//! rule 7 about tunnels, of which there are none.

use core::cmp::Ordering;

use super::policy::policy;
use super::scope::scope;
use super::{InterfaceAddress, PolicyTableEntry};
use crate::wire::{IpAddress, IpCidr};

/// An address of a host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    pub(crate) destination: IpAddress,
    /// Where packets to it would come from; `None` if none can be sent there.
    pub(crate) source: Option<InterfaceAddress>,
}

/// Brings the best first, and leaves those in their order that are as good.
pub(crate) fn sort(candidates: &mut [Candidate], table: &[PolicyTableEntry]) {
    // There are few of them, and no order need come out of rules whose preferences go in circles.
    for end in 1..candidates.len() {
        let mut at = end;
        while let Some([before, here]) = at
            .checked_sub(1)
            .and_then(|from| candidates.get_mut(from..=at))
            && here.compare(before, table) == Ordering::Greater
        {
            core::mem::swap(before, here);
            at -= 1;
        }
    }
}

impl Candidate {
    /// Greater if it is the better destination.
    fn compare(&self, other: &Self, table: &[PolicyTableEntry]) -> Ordering {
        let policy = |address| policy(table, mapped(address));
        let (a, b) = match (self.source, other.source) {
            (Some(a), Some(b)) => (a, b),
            // Rule 1: avoid unusable destinations.
            (a, b) => return a.is_some().cmp(&b.is_some()),
        };
        let (to_a, to_b) = (self.destination, other.destination);
        let (from_a, from_b) = (a.cidr.address(), b.cidr.address());
        let scopes = (scope(mapped(to_a)), scope(mapped(to_b)));
        let policies = (policy(to_a), policy(to_b));
        let labels = (policy(from_a).label, policy(from_b).label);
        // Rule 2: prefer matching scope.
        (scopes.0 == scope(mapped(from_a)))
            .cmp(&(scopes.1 == scope(mapped(from_b))))
            // Rule 3: avoid deprecated addresses.
            .then_with(|| b.state.is_avoided().cmp(&a.state.is_avoided()))
            // Rule 5: prefer matching label.
            .then_with(|| (labels.0 == policies.0.label).cmp(&(labels.1 == policies.1.label)))
            // Rule 6: prefer higher precedence.
            .then_with(|| policies.0.precedence.cmp(&policies.1.precedence))
            // Rule 8: prefer smaller scope.
            .then_with(|| scopes.1.cmp(&scopes.0))
            // Rule 9: use longest matching prefix, of two of one family.
            .then_with(|| match to_a.version() == to_b.version() {
                true => common_prefix(&a, to_a).cmp(&common_prefix(&b, to_b)),
                false => Ordering::Equal,
            })
    }
}

/// CommonPrefixLen (section 2.2) of a source and a destination of its version.
fn common_prefix(source: &InterfaceAddress, destination: IpAddress) -> u32 {
    let common = match (source.cidr, destination) {
        (IpCidr::Ipv4(cidr), IpAddress::Ipv4(destination)) => {
            (cidr.address().to_bits() ^ destination.to_bits()).leading_zeros()
        }
        (IpCidr::Ipv6(cidr), IpAddress::Ipv6(destination)) => {
            (cidr.address().to_bits() ^ destination.to_bits()).leading_zeros()
        }
        _ => 0,
    };
    common.min(source.cidr.prefix_len().into())
}

/// Section 3.2: "IPv4 addresses are treated as IPv4-mapped".
fn mapped(address: IpAddress) -> core::net::Ipv6Addr {
    match address {
        IpAddress::Ipv4(address) => address.to_ipv6_mapped(),
        IpAddress::Ipv6(address) => address,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;
    use crate::ip::{AddressState, DEFAULT_POLICY_TABLE, InterfaceId};

    fn address(cidr: &str, state: AddressState) -> InterfaceAddress {
        InterfaceAddress {
            cidr: cidr.parse().unwrap(),
            interface: InterfaceId(0),
            state,
            origin: crate::ip::AddressOrigin::Configured,
        }
    }

    /// Sorts destinations, each with its source, and returns the destinations. The other way round they must
    /// come out the same: the order that they were in decides nothing.
    fn sorted(pairs: &[(&str, Option<&str>)]) -> Vec<IpAddress> {
        let sort = |pairs: &mut dyn Iterator<Item = &(&str, Option<&str>)>| -> Vec<_> {
            let mut candidates: Vec<_> = pairs
                .map(|(destination, source)| Candidate {
                    destination: destination.parse().unwrap(),
                    source: source.map(|source| match source.strip_prefix("old ") {
                        Some(source) => address(source, AddressState::Deprecated),
                        None => address(source, AddressState::Preferred),
                    }),
                })
                .collect();
            super::sort(&mut candidates, DEFAULT_POLICY_TABLE);
            candidates.iter().map(|c| c.destination).collect()
        };
        let forwards = sort(&mut pairs.iter());
        assert_eq!(sort(&mut pairs.iter().rev()), forwards);
        forwards
    }

    #[track_caller]
    fn prefers(first: (&str, Option<&str>), second: (&str, Option<&str>)) {
        let expected = [first.0.parse().unwrap(), second.0.parse().unwrap()];
        assert_eq!(sorted(&[second, first]), expected);
    }

    #[test]
    fn rule_1_avoid_unusable_destinations() {
        prefers(
            ("198.51.100.121", Some("198.51.100.117/24")),
            ("2001:db8:1::1", None),
        );
    }

    #[test]
    fn rule_2_prefer_matching_scope() {
        prefers(
            ("2001:db8:1::1", Some("2001:db8:1::2/64")),
            ("198.51.100.121", Some("169.254.13.78/16")),
        );
        prefers(
            ("198.51.100.121", Some("198.51.100.117/24")),
            ("2001:db8:1::1", Some("fe80::1/64")),
        );
    }

    #[test]
    fn rule_3_avoid_deprecated_addresses() {
        prefers(
            ("2001:db8:1::1", Some("2001:db8:1::2/64")),
            ("fe80::1", Some("old fe80::2/64")),
        );
    }

    #[test]
    fn rule_5_prefer_matching_label() {
        prefers(
            ("2002:c633:6401::1", Some("2002:c633:6401::2/64")),
            ("2001:db8:1::1", Some("2002:c633:6401::2/64")),
        );
        // A site's own addresses are of no use to who has none of them.
        prefers(
            ("198.51.100.121", Some("198.51.100.117/24")),
            ("fdaa::1", Some("2001:db8:1::2/64")),
        );
    }

    #[test]
    fn rule_6_prefer_higher_precedence() {
        prefers(
            ("2001:db8:1::1", Some("2001:db8:1::2/64")),
            ("10.1.2.3", Some("10.1.2.4/24")),
        );
        prefers(
            ("2001:db8:1::1", Some("2001:db8:1::2/64")),
            ("2002:c633:6401::1", Some("2002:c633:6401::2/64")),
        );
        prefers(
            ("10.1.2.3", Some("10.1.2.4/24")),
            ("fdaa::1", Some("fdaa::2/64")),
        );
    }

    #[test]
    fn rule_8_prefer_smaller_scope() {
        prefers(
            ("fe80::1", Some("fe80::2/64")),
            ("2001:db8:1::1", Some("2001:db8:1::2/64")),
        );
    }

    #[test]
    fn rule_9_use_the_longest_matching_prefix() {
        prefers(
            ("2001:db8:1::1", Some("2001:db8:1::2/64")),
            ("2001:db8:3ffe::1", Some("2001:db8:3f44::2/64")),
        );
        prefers(
            ("10.1.2.3", Some("10.1.2.4/24")),
            ("198.51.100.121", Some("10.1.2.4/24")),
        );
    }

    #[test]
    fn rule_10_leaves_the_order_of_those_that_are_as_good() {
        let source = Some(address("2001:db8:1::2/64", AddressState::Preferred));
        let ip = |last: u16| {
            IpAddress::Ipv6(core::net::Ipv6Addr::new(0x2001, 0xdb9, 0, 0, 0, 0, 0, last))
        };
        let mut candidates = [3, 1, 2].map(|last| Candidate {
            destination: ip(last),
            source,
        });
        super::sort(&mut candidates, DEFAULT_POLICY_TABLE);
        assert_eq!(candidates.map(|c| c.destination), [ip(3), ip(1), ip(2)]);
    }

    #[test]
    fn many_are_sorted() {
        let found = sorted(&[
            ("2001:db8:9::1", None),
            ("10.1.2.3", Some("10.1.2.4/24")),
            ("2002:c633:6401::1", Some("2001:db8:1::2/64")),
            ("2001:db8:1::1", Some("2001:db8:1::2/64")),
            ("fe80::1", Some("fe80::2/64")),
        ]);
        let expected = [
            "fe80::1",
            "2001:db8:1::1",
            "10.1.2.3",
            "2002:c633:6401::1",
            "2001:db8:9::1",
        ];
        assert_eq!(found, expected.map(|text| text.parse().unwrap()));
    }
}
