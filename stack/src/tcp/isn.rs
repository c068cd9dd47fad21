//! What follows from a four-tuple by a keyed hash: where a connection is filed, and its initial sequence numbers
//! (RFC 6528).

#[cfg_attr(not(feature = "many-sockets"), path = "isn/unhashed.rs")]
mod hashed;

use core::hash::Hasher;

pub(crate) use hashed::{LastHash, TupleHash};

use super::FourTuple;
use crate::rand::{HashKey, Message};
use crate::time::Instant;
use crate::wire::{IpAddress, SeqNum};

/// Hashes four-tuples: `F(localip, localport, remoteip, remoteport, secretkey)`.
#[derive(Clone, Copy)]
pub(crate) struct IsnGenerator {
    pub(super) key: HashKey,
}

impl IsnGenerator {
    pub(crate) fn new(key: HashKey) -> Self {
        Self { key }
    }

    fn secret(&self, tuple: &FourTuple) -> u64 {
        self.key.hash(ISN_DOMAIN, |h| hash_tuple(h, tuple))
    }
}

/// `ISN = M + F`. RFC 6528, section 3: M "is the 4 microsecond timer".
fn number(now: Instant, f: u64) -> SeqNum {
    let m = (now.as_micros() / 4) as u32;
    SeqNum::new(m.wrapping_add(f as u32))
}

/// Puts a four-tuple into what is to be hashed.
pub(super) fn hash_tuple(message: &mut Message<'_>, tuple: &FourTuple) {
    hash_addresses(message, tuple);
    message.write_u32(u32::from(tuple.local.port) << 16 | u32::from(tuple.remote.port));
}

/// Puts its addresses alone into what is to be hashed.
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(super) fn hash_addresses(message: &mut Message<'_>, tuple: &FourTuple) {
    match (tuple.local.addr, tuple.remote.addr) {
        // As one number, because the hash reads it as one.
        (IpAddress::Ipv4(local), IpAddress::Ipv4(remote)) => {
            message.write_u64(u64::from(local.to_bits()) << 32 | u64::from(remote.to_bits()));
        }
        #[cfg(feature = "proto-ipv6")]
        (IpAddress::Ipv6(local), IpAddress::Ipv6(remote)) => {
            message.write_u128(local.to_bits());
            message.write_u128(remote.to_bits());
        }
        #[cfg(feature = "proto-ipv6")]
        _ => debug_assert!(false, "both ends are of one version"),
    }
}

const ISN_DOMAIN: u8 = b'i';

#[cfg(test)]
mod tests {
    use core::net::Ipv4Addr;

    use super::*;
    use crate::rand::Seed;
    use crate::time::Duration;
    use crate::wire::IpEndpoint;

    impl IsnGenerator {
        fn at(&self, now: Instant, tuple: &FourTuple) -> SeqNum {
            self.isn(now, tuple, self.hash(tuple))
        }
    }

    fn generator(seed: u64) -> IsnGenerator {
        IsnGenerator::new(Seed::from(seed).hash_key())
    }

    fn tuple(local: (u8, u16), remote: (u8, u16)) -> FourTuple {
        let end = |(host, port)| IpEndpoint::new(Ipv4Addr::new(10, 0, 0, host).into(), port);
        FourTuple {
            local: end(local),
            remote: end(remote),
        }
    }

    /// The same ends with addresses of the other version.
    #[cfg(feature = "proto-ipv6")]
    fn over_v6(tuple: FourTuple) -> FourTuple {
        let end = |end: IpEndpoint| match end.addr {
            IpAddress::Ipv4(addr) => IpEndpoint::new(addr.to_ipv6_mapped().into(), end.port),
            IpAddress::Ipv6(_) => end,
        };
        FourTuple {
            local: end(tuple.local),
            remote: end(tuple.remote),
        }
    }

    fn here_and_there() -> FourTuple {
        tuple((1, 40_000), (2, 80))
    }

    // Requirement: RFC 9293 MUST-8; RFC 6528 3a
    #[test]
    fn must_8_numbers_move_on_with_a_clock_of_four_microseconds() {
        let isn = generator(1);
        let start = Instant::from_secs(1_000);
        let first = isn.at(start, &here_and_there());
        let after = |span| isn.at(start + span, &here_and_there()).distance_from(first);
        assert_eq!(after(Duration::from_micros(4)), 1);
        assert_eq!(after(Duration::from_secs(1)), 250_000);
    }

    // Requirement: RFC 9293 SHLD-1; RFC 6528 3b
    #[test]
    fn every_connection_has_a_number_space_of_its_own() {
        let isn = generator(1);
        let now = Instant::from_secs(1_000);
        let all = [
            here_and_there(),
            tuple((3, 40_000), (2, 80)),
            tuple((1, 40_001), (2, 80)),
            tuple((1, 40_000), (4, 80)),
            tuple((1, 40_000), (2, 81)),
        ];
        #[cfg(feature = "proto-ipv6")]
        let all = [all, all.map(over_v6)].concat();
        for (index, one) in all.iter().enumerate() {
            for other in &all[..index] {
                let distance = isn.at(now, one).distance_from(isn.at(now, other));
                // Not merely one clock tick or one port number apart.
                let near = distance.min(distance.wrapping_neg());
                assert!(near > 100_000, "{one:?} {other:?}");
            }
        }
    }

    // Requirement: RFC 9293 MUST-9; RFC 6528 3c
    #[test]
    fn must_9_numbers_depend_on_a_secret() {
        let now = Instant::from_secs(1_000);
        let number = |seed| generator(seed).at(now, &here_and_there());
        assert_eq!(number(1), number(1));
        assert_ne!(number(1), number(2));
    }
}
