//! The policy table of address selection (RFC 6724 section 2.1): which addresses go together, and which are to be
//! preferred.

use core::net::Ipv6Addr;

use crate::wire::Ipv6Cidr;

/// What a policy table says about the addresses in a prefix (RFC 6724, section 2.1). Those of IPv4 are in
/// `::ffff:0:0/96`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PolicyTableEntry {
    /// The addresses that it is about, as far as no entry has a longer prefix.
    pub prefix: Ipv6Cidr,
    /// Destinations of a higher one are preferred.
    pub precedence: u8,
    /// A source is preferred that has the destination's, and so is a destination.
    pub label: u8,
}

impl PolicyTableEntry {
    /// An entry.
    pub const fn new(prefix: Ipv6Cidr, precedence: u8, label: u8) -> Self {
        Self {
            prefix,
            precedence,
            label,
        }
    }
}

/// What the table says about an address: the entry of the longest prefix that contains it.
pub(super) fn policy(table: &[PolicyTableEntry], address: Ipv6Addr) -> Policy {
    let entries = table.iter().filter(|entry| entry.prefix.contains(&address));
    let entry = entries.max_by_key(|entry| entry.prefix.prefix_len());
    entry.map_or(EVERYTHING_ELSE, |entry| Policy {
        precedence: entry.precedence,
        label: entry.label,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) precedence: u8,
    pub(super) label: u8,
}

/// Of addresses that a table says nothing about.
const EVERYTHING_ELSE: Policy = Policy {
    precedence: 40,
    label: 1,
};

/// The default policy table (RFC 6724, section 2.1).
pub const DEFAULT_POLICY_TABLE: &[PolicyTableEntry] = &[
    entry([0, 0, 0, 0, 0, 0, 0, 1], 128, 50, 0),
    entry([0; 8], 0, 40, 1),
    entry([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, 35, 4),
    entry([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, 30, 2),
    entry([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, 5, 5),
    entry([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, 3, 13),
    entry([0; 8], 96, 1, 3),
    entry([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, 1, 11),
    entry([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16, 1, 12),
];

const fn entry(segments: [u16; 8], len: u8, precedence: u8, label: u8) -> PolicyTableEntry {
    let [a, b, c, d, e, f, g, h] = segments;
    let prefix = Ipv6Cidr::new(Ipv6Addr::new(a, b, c, d, e, f, g, h), len);
    PolicyTableEntry::new(prefix, precedence, label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_those_of_the_table() {
        for (address, precedence, label) in [
            ("::1", 50, 0),
            ("2400::1", 40, 1),
            ("::ffff:192.0.2.1", 35, 4),
            ("2002::1", 30, 2),
            ("2001::1", 5, 5),
            ("2001:db8::1", 40, 1),
            ("fdaa::1", 3, 13),
            ("::192.0.2.1", 1, 3),
            ("fec0::1", 1, 11),
            ("3ffe::1", 1, 12),
        ] {
            let expected = Policy { precedence, label };
            let found = policy(DEFAULT_POLICY_TABLE, address.parse().unwrap());
            assert_eq!(found, expected, "{address}");
        }
    }

    #[test]
    fn the_longest_prefix_has_the_say_wherever_it_stands() {
        let short = entry([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, 10, 7);
        let long = entry([0x2001, 0xdb8, 1, 0, 0, 0, 0, 0], 48, 20, 8);
        for table in [[short, long], [long, short]] {
            let label = |address: &str| policy(&table, address.parse().unwrap()).label;
            assert_eq!(label("2001:db8:1::1"), 8);
            assert_eq!(label("2001:db8:2::1"), 7);
            assert_eq!(label("2400::1"), EVERYTHING_ELSE.label);
        }
    }
}
