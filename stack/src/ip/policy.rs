//! The default policy table of address selection (RFC 6724 section 2.1): which addresses go together, and which
//! are to be preferred.

use core::net::Ipv6Addr;

/// What the table says about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Policy {
    /// Higher is better, of destinations.
    pub(super) precedence: u8,
    /// Source and destination are to have the same.
    pub(super) label: u8,
}

/// That of the longest prefix in the table that contains `address`.
pub(super) fn policy(address: Ipv6Addr) -> Policy {
    let bits = address.to_bits();
    TABLE
        .iter()
        .find(|(prefix, len, ..)| (bits ^ prefix).leading_zeros() >= *len)
        .map_or(DEFAULT, |&(_, _, precedence, label)| Policy {
            precedence,
            label,
        })
}

/// Prefix, its length in bits, precedence and label; longer prefixes first.
const TABLE: [(u128, u32, u8, u8); 8] = [
    (1, 128, 50, 0),
    (0xffff << 32, 96, 35, 4),
    (0, 96, 1, 3),
    (0x2001 << 112, 32, 5, 5),
    (0x2002 << 112, 16, 30, 2),
    (0x3ffe << 112, 16, 1, 12),
    (0xfec0 << 112, 10, 1, 11),
    (0xfc00 << 112, 7, 3, 13),
];

/// Of everything else.
const DEFAULT: Policy = Policy {
    precedence: 40,
    label: 1,
};

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
            assert_eq!(policy(address.parse().unwrap()), expected, "{address}");
        }
    }
}
