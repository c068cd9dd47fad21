//! The identifications of packets that are fragmented, or may be (RFC 6864 for IPv4, RFC 7739 for IPv6).
//!
//! They must not repeat soon for one destination, or pieces of two packets are taken for one; and nobody may
//! guess them, or forged pieces are taken for ours, and watching one's own tells how much we send to others.
//! RFC 7739, section 5.3: a counter that starts elsewhere for each destination, by a keyed hash. The counters
//! are few and shared, and which destinations share one is a secret too.

use core::hash::Hash;

use crate::rand::HashKey;
use crate::wire::IpAddress;

/// The source of identifications.
#[derive(Clone)]
pub(crate) struct Identifications {
    key: HashKey,
    counters: [u32; COUNTERS],
}

/// Where a destination's identifications start, and which counter they follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    start: u32,
    counter: u32,
}

impl Identifications {
    pub(crate) const fn new(key: HashKey) -> Self {
        Self {
            key,
            counters: [0; COUNTERS],
        }
    }

    /// The key of its hash.
    pub(crate) fn key(&self) -> HashKey {
        self.key
    }

    /// For [`Self::next`], to be kept by who sends more than one packet to a destination.
    pub(crate) fn flow(&self, destination: IpAddress) -> Flow {
        let hash = self.key.hash(DOMAIN, |hasher| destination.hash(hasher));
        Flow {
            start: hash as u32,
            counter: (hash >> 32) as u32,
        }
    }

    /// The next identification of a packet. IPv4 takes the lower half.
    pub(crate) fn next(&mut self, flow: Flow) -> u32 {
        match self.counters.get_mut(flow.counter as usize % COUNTERS) {
            Some(counter) => {
                *counter = counter.wrapping_add(1);
                flow.start.wrapping_add(*counter)
            }
            None => flow.start,
        }
    }
}

const COUNTERS: usize = if cfg!(feature = "many-sockets") { 8 } else { 2 };

/// Keeps this use of the key apart from others.
const DOMAIN: u8 = b'f';

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;
    use std::collections::HashSet;
    use std::vec::Vec;

    use super::*;
    use crate::rand::Seed;

    fn identifications(seed: u64) -> Identifications {
        Identifications::new(Seed::from(seed).hash_key())
    }

    fn host(n: u8) -> IpAddress {
        Ipv4Addr::new(192, 0, 2, n).into()
    }

    #[test]
    fn none_repeats_before_all_were_used() {
        let mut identifications = identifications(1);
        let flow = identifications.flow(host(1));
        let used: HashSet<u16> = (0..=u16::MAX)
            .map(|_| identifications.next(flow) as u16)
            .collect();
        assert_eq!(used.len(), 1 << 16);
    }

    #[test]
    fn those_to_another_destination_start_elsewhere() {
        let mut identifications = identifications(1);
        let starts: Vec<u32> = (0..=255)
            .map(|n| {
                let flow = identifications.flow(host(n));
                identifications.next(flow)
            })
            .collect();
        let distinct: HashSet<&u32> = starts.iter().collect();
        assert_eq!(distinct.len(), starts.len());
        let neighbors = starts.windows(2).filter(|w| w[0].abs_diff(w[1]) < 1 << 16);
        assert!(neighbors.count() < 4, "no pattern that shows");
    }

    #[test]
    fn they_depend_on_the_seed() {
        let first = |seed| {
            let mut identifications = identifications(seed);
            let flow = identifications.flow(host(1));
            identifications.next(flow)
        };
        assert_ne!(first(1), first(2));
    }
}
