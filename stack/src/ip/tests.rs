//! The examples of RFC 6724, section 10: candidates for the source, a destination or several, and what is chosen.
//! Those about mobile hosts are left out, of which there are none.

use std::string::{String, ToString};
use std::vec::Vec;

use super::{
    AddressOrigin, AddressState, Addresses, Candidate, DEFAULT_POLICY_TABLE, Delivery,
    InterfaceAddress, InterfaceId, NextHop, PolicyTableEntry, sort_destinations,
};
use crate::wire::IpAddress;

/// An interface with these addresses, each of which may be "deprecated" or "temporary".
fn with(candidates: &[&str], table: &'static [PolicyTableEntry]) -> Addresses<4> {
    let mut addresses = Addresses::new();
    addresses.set_policy_table(table);
    for candidate in candidates {
        let (address, what) = candidate.split_once(' ').unwrap_or((candidate, ""));
        let prefix_len = if address.contains(':') { 64 } else { 24 };
        let state = match what {
            "deprecated" => AddressState::Deprecated,
            _ => AddressState::Preferred,
        };
        let origin = match what {
            #[cfg(feature = "slaac")]
            "temporary" => AddressOrigin::Temporary,
            _ => AddressOrigin::Configured,
        };
        let added = addresses.add(InterfaceAddress {
            cidr: std::format!("{address}/{prefix_len}").parse().unwrap(),
            interface: InterfaceId(0),
            state,
            origin,
        });
        assert!(added.is_ok());
    }
    addresses
}

fn source(addresses: &Addresses<4>, destination: IpAddress) -> Option<InterfaceAddress> {
    let next_hop = NextHop {
        interface: InterfaceId(0),
        address: destination,
        delivery: Delivery::Neighbor,
    };
    let source = addresses.source_for(&next_hop, destination)?;
    let mut all = addresses.usable();
    all.find(|ours| ours.cidr.address() == source).copied()
}

/// From which of the candidates packets to the destination come, whichever was there first.
#[track_caller]
fn comes_from(destination: &str, candidates: [&str; 2], expected: &str) {
    let backwards = [candidates[1], candidates[0]];
    for candidates in [candidates, backwards] {
        let addresses = with(&candidates, DEFAULT_POLICY_TABLE);
        let source = source(&addresses, destination.parse().unwrap()).unwrap();
        assert_eq!(source.cidr.address(), expected.parse().unwrap());
    }
}

/// In which order the destinations are tried and from where, whichever the server named first.
#[track_caller]
fn tried(
    table: &'static [PolicyTableEntry],
    destinations: [&str; 2],
    candidates: &[&str],
    expected: [(&str, &str); 2],
) {
    let addresses = with(candidates, table);
    let backwards = [destinations[1], destinations[0]];
    for destinations in [destinations, backwards] {
        let mut list: Vec<_> = destinations
            .iter()
            .map(|destination| {
                let destination = destination.parse().unwrap();
                Candidate {
                    destination,
                    source: source(&addresses, destination),
                }
            })
            .collect();
        sort_destinations(&mut list, table);
        let found: Vec<(String, String)> = list
            .iter()
            .map(|c| {
                let source = c.source.expect("a source").cidr.address();
                (c.destination.to_string(), source.to_string())
            })
            .collect();
        let expected = expected.map(|(to, from)| (to.to_string(), from.to_string()));
        assert_eq!(found, expected);
    }
}

// Section 10.1: default source address selection.

#[test]
fn section_10_1_prefer_appropriate_scope() {
    let candidates = ["2001:db8:3::1", "fe80::1"];
    comes_from("2001:db8:1::1", candidates, "2001:db8:3::1");
    comes_from("ff05::1", candidates, "2001:db8:3::1");
    comes_from(
        "fe80::1",
        ["fe80::2 deprecated", "2001:db8:1::1"],
        "fe80::2",
    );
}

#[test]
fn section_10_1_prefer_same_address() {
    comes_from(
        "2001:db8:1::1",
        ["2001:db8:1::1 deprecated", "2001:db8:2::1"],
        "2001:db8:1::1",
    );
}

#[test]
fn section_10_1_longest_matching_prefix() {
    comes_from(
        "2001:db8:1::1",
        ["2001:db8:1::2", "2001:db8:3::2"],
        "2001:db8:1::2",
    );
}

#[cfg(feature = "slaac")]
#[test]
fn section_10_1_prefer_matching_label() {
    comes_from(
        "2002:c633:6401::1",
        [
            "2002:c633:6401::d5e3:7953:13eb:22e8 temporary",
            "2001:db8:1::2",
        ],
        "2002:c633:6401::d5e3:7953:13eb:22e8",
    );
}

#[cfg(feature = "slaac")]
#[test]
fn section_10_1_prefer_temporary_address() {
    comes_from(
        "2001:db8:1::d5e3:0:0:1",
        ["2001:db8:1::2", "2001:db8:1::d5e3:7953:13eb:22e8 temporary"],
        "2001:db8:1::d5e3:7953:13eb:22e8",
    );
}

// Section 10.2: default destination address selection.

const BOTH: [&str; 2] = ["2001:db8:1::1", "198.51.100.121"];
const DEFAULT: &[PolicyTableEntry] = DEFAULT_POLICY_TABLE;

#[test]
fn section_10_2_prefer_matching_scope() {
    tried(
        DEFAULT,
        BOTH,
        &["2001:db8:1::2", "fe80::1", "169.254.13.78"],
        [
            ("2001:db8:1::1", "2001:db8:1::2"),
            ("198.51.100.121", "169.254.13.78"),
        ],
    );
    tried(
        DEFAULT,
        BOTH,
        &["fe80::1", "198.51.100.117"],
        [
            ("198.51.100.121", "198.51.100.117"),
            ("2001:db8:1::1", "fe80::1"),
        ],
    );
}

#[test]
fn section_10_2_prefer_higher_precedence() {
    tried(
        DEFAULT,
        ["2001:db8:1::1", "10.1.2.3"],
        &["2001:db8:1::2", "fe80::1", "10.1.2.4"],
        [("2001:db8:1::1", "2001:db8:1::2"), ("10.1.2.3", "10.1.2.4")],
    );
    tried(
        DEFAULT,
        ["2002:c633:6401::1", "2001:db8:1::1"],
        &["2002:c633:6401::2", "2001:db8:1::2", "fe80::2"],
        [
            ("2001:db8:1::1", "2001:db8:1::2"),
            ("2002:c633:6401::1", "2002:c633:6401::2"),
        ],
    );
}

#[test]
fn section_10_2_prefer_smaller_scope() {
    tried(
        DEFAULT,
        ["2001:db8:1::1", "fe80::1"],
        &["2001:db8:1::2", "fe80::2"],
        [("fe80::1", "fe80::2"), ("2001:db8:1::1", "2001:db8:1::2")],
    );
}

#[test]
fn section_10_2_avoid_deprecated_addresses() {
    tried(
        DEFAULT,
        ["2001:db8:1::1", "fe80::1"],
        &["2001:db8:1::2", "fe80::2 deprecated"],
        [("2001:db8:1::1", "2001:db8:1::2"), ("fe80::1", "fe80::2")],
    );
}

#[test]
fn section_10_2_longest_matching_prefix() {
    tried(
        DEFAULT,
        ["2001:db8:1::1", "2001:db8:3ffe::1"],
        &["2001:db8:1::2", "2001:db8:3f44::2", "fe80::2"],
        [
            ("2001:db8:1::1", "2001:db8:1::2"),
            ("2001:db8:3ffe::1", "2001:db8:3f44::2"),
        ],
    );
}

#[test]
fn section_10_2_prefer_matching_label() {
    tried(
        DEFAULT,
        ["2002:c633:6401::1", "2001:db8:1::1"],
        &["2002:c633:6401::2", "fe80::2"],
        [
            ("2002:c633:6401::1", "2002:c633:6401::2"),
            ("2001:db8:1::1", "2002:c633:6401::2"),
        ],
    );
}

/// The default table with another entry in place of that for its prefix, or beside the others.
fn changed(entries: &[(&str, u8, u8)]) -> &'static [PolicyTableEntry] {
    let mut table = DEFAULT_POLICY_TABLE.to_vec();
    for &(prefix, precedence, label) in entries {
        let prefix = prefix.parse().unwrap();
        table.retain(|entry| entry.prefix != prefix);
        table.push(PolicyTableEntry::new(prefix, precedence, label));
    }
    table.leak()
}

/// Section 10.3: configuring preference for IPv6 or IPv4.
#[test]
fn section_10_3_prefer_ipv4() {
    let ipv4_first = changed(&[("::ffff:0:0/96", 100, 4)]);
    let destinations = ["2001:db8::1", "198.51.100.121"];
    // Unchanged: prefer matching scope.
    tried(
        ipv4_first,
        destinations,
        &["2001:db8::2", "fe80::1", "169.254.13.78"],
        [
            ("2001:db8::1", "2001:db8::2"),
            ("198.51.100.121", "169.254.13.78"),
        ],
    );
    tried(
        ipv4_first,
        destinations,
        &["fe80::1", "198.51.100.117"],
        [
            ("198.51.100.121", "198.51.100.117"),
            ("2001:db8::1", "fe80::1"),
        ],
    );
    // New: prefer higher precedence.
    tried(
        ipv4_first,
        ["2001:db8::1", "10.1.2.3"],
        &["2001:db8::2", "fe80::1", "10.1.2.4"],
        [("10.1.2.3", "10.1.2.4"), ("2001:db8::1", "2001:db8::2")],
    );
}

/// Section 10.4: configuring preference for link-local addresses.
#[test]
fn section_10_4_prefer_global_destinations() {
    let global_first = changed(&[("fe80::/10", 33, 1)]);
    let destinations = ["2001:db8::1", "fe80::1"];
    let candidates = ["2001:db8::2", "fe80::2"];
    let [global, local] = [("2001:db8::1", "2001:db8::2"), ("fe80::1", "fe80::2")];
    tried(DEFAULT, destinations, &candidates, [local, global]);
    tried(global_first, destinations, &candidates, [global, local]);
    // Unchanged: avoid deprecated addresses.
    let candidates = ["2001:db8::2 deprecated", "fe80::2"];
    tried(global_first, destinations, &candidates, [local, global]);
}

/// Section 10.5: configuring a multi-homed site, two of whose prefixes are to be used between them.
#[test]
fn section_10_5_prefer_the_prefixes_of_two_sites_between_them() {
    let sites = changed(&[
        ("2001:db8:70aa::/48", 43, 14),
        ("2001:db8:70bb::/48", 43, 14),
    ]);
    let candidates = ["2001:db8:1aaa::a", "2001:db8:70aa::a", "fe80::a"];
    let destinations = ["2001:db8:1bbb::b", "2001:db8:70bb::b"];
    tried(
        sites,
        destinations,
        &candidates,
        [
            ("2001:db8:70bb::b", "2001:db8:70aa::a"),
            ("2001:db8:1bbb::b", "2001:db8:1aaa::a"),
        ],
    );
    // To others packets do not come from there.
    tried(
        sites,
        ["2001:db8:1ccc::c", "2001:db8:6ccc::c"],
        &candidates,
        [
            ("2001:db8:1ccc::c", "2001:db8:1aaa::a"),
            ("2001:db8:6ccc::c", "2001:db8:1aaa::a"),
        ],
    );
}
