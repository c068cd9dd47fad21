//! What servers offer, and whose offer is taken (RFC 8415, section 18.2.9).

use core::net::Ipv6Addr;

use heapless::Vec;

use super::lease::Bindings;
use super::{ADDRESSES, Dhcpv6Config, PREFIXES};
use crate::time::Instant;
use crate::wire::{Dhcpv6Options, Duid, Ipv6Cidr};

/// A server, and what it offered.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) server: Duid,
    pub(super) addresses: Vec<Ipv6Addr, ADDRESSES>,
    pub(super) prefixes: Vec<Ipv6Cidr, PREFIXES>,
    preference: u8,
}

impl Candidate {
    /// What an Advertise offers; `None` if that is nothing: "The client MUST ignore any Advertise message that
    /// contains no addresses [...] and no delegated prefixes".
    pub(super) fn from_advertise(
        now: Instant,
        server: &[u8],
        options: &Dhcpv6Options<'_>,
        iaid: u32,
        config: &Dhcpv6Config,
    ) -> Option<Self> {
        let mut offered = Bindings::new();
        let verdict = offered.take(now, options, iaid, config);
        let candidate = Self::of(&offered, Duid::from_bytes(server)?);
        verdict.granted.then_some(Self {
            preference: options.preference(),
            ..candidate
        })
    }

    /// A server that is asked for what there is already.
    pub(super) fn of(bindings: &Bindings, server: Duid) -> Self {
        Self {
            server,
            addresses: bindings.addresses.iter().map(|held| held.what).collect(),
            prefixes: bindings.prefixes.iter().map(|held| held.what).collect(),
            preference: 0,
        }
    }

    /// "a preference value of 255 [...] the client immediately begins" with that server.
    pub(super) fn is_final(&self) -> bool {
        self.preference == u8::MAX
    }

    /// "Those Advertise messages with the highest server preference value SHOULD be preferred"; among equals,
    /// those with more kinds of lease, and then the first.
    pub(super) fn is_better_than(&self, other: &Self) -> bool {
        let rank = |candidate: &Self| {
            let kinds = [
                candidate.addresses.is_empty(),
                candidate.prefixes.is_empty(),
            ];
            let kinds = kinds.into_iter().filter(|is_empty| !is_empty).count();
            (candidate.preference, kinds)
        };
        rank(self) > rank(other)
    }
}
