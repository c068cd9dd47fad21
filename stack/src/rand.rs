//! Everything that an attacker must not guess: sequence numbers, ports, identifiers, hash keys.
//!
//! One 256-bit seed, two keys of SipHash, which is a pseudo-random function: one key hashes (flows into
//! buckets, four-tuples into initial sequence numbers), the other turns a counter into a stream of
//! numbers. So the stack carries one primitive of a few hundred bytes of code and 40 bytes of state,
//! where a buffered stream cipher would take kilobytes of flash and 300 bytes of RAM for the same job.

use core::hash::Hasher;

use siphasher::sip::SipHasher24;

/// The seed of a stack: 256 bits from the best source the platform has.
///
/// Two stacks must never start with the same seed.
#[derive(Clone, Copy)]
pub struct Seed([u8; 32]);

impl From<[u8; 32]> for Seed {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl From<u64> for Seed {
    /// For code that has no more than 64 bits to give, such as what was written for embassy-net. Weaker
    /// than a whole seed: who tries all 2^64 values learns the stack's sequence numbers and ports.
    fn from(weak: u64) -> Self {
        let mut bytes = [0; 32];
        for (i, chunk) in bytes.chunks_exact_mut(8).enumerate() {
            let mut hasher = KeyedHasher::new((weak, i as u64));
            hasher.write_u64(weak);
            chunk.copy_from_slice(&hasher.finish().to_le_bytes());
        }
        Self(bytes)
    }
}

/// The stack's source of randomness.
#[derive(Clone)]
pub(crate) struct Random {
    stream: (u64, u64),
    counter: u64,
    hash: HashKey,
}

/// A keyed hash.
#[derive(Clone, Copy, Default)]
pub(crate) struct HashKey(u64, u64);

impl Random {
    pub(crate) fn new(seed: Seed) -> Self {
        let mut words = [0; 4];
        for (word, chunk) in words.iter_mut().zip(seed.0.chunks_exact(8)) {
            *word = chunk.iter().rev().fold(0, |w, &b| (w << 8) | u64::from(b));
        }
        let [a, b, c, d] = words;
        Self {
            stream: (a, b),
            counter: 0,
            hash: HashKey(c, d),
        }
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        let mut hasher = KeyedHasher::new(self.stream);
        hasher.write_u64(self.counter);
        self.counter = self.counter.wrapping_add(1);
        hasher.finish()
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    /// A number below `bound`, 0 if that is 0. The bias is below 2^-32 for the small bounds used here.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(bound)) >> 32) as u32
    }

    pub(crate) fn hash_key(&self) -> HashKey {
        self.hash
    }
}

impl HashKey {
    /// The hash of what `write` feeds in. `domain` keeps the uses of the key apart.
    pub(crate) fn hash(self, domain: u8, write: impl FnOnce(&mut KeyedHasher)) -> u64 {
        let mut hasher = KeyedHasher::new((self.0, self.1));
        hasher.write_u8(domain);
        write(&mut hasher);
        hasher.finish()
    }

    /// As [`Self::hash`], for messages of any length.
    #[cfg(feature = "dhcpv4-server")]
    pub(crate) fn hash_bytes(self, domain: u8, bytes: impl Iterator<Item = u8>) -> u64 {
        let mut hasher = SipHasher24::new_with_keys(self.0, self.1);
        hasher.write_u8(domain);
        bytes.for_each(|byte| hasher.write_u8(byte));
        hasher.finish()
    }
}

/// A short message and the key that it is hashed with: put together first and hashed in one go, so that the rounds
/// of the hash are there once.
pub(crate) struct KeyedHasher {
    key: (u64, u64),
    message: [u8; LONGEST_MESSAGE],
    len: usize,
}

impl KeyedHasher {
    pub(crate) fn new(key: (u64, u64)) -> Self {
        Self {
            key,
            message: [0; LONGEST_MESSAGE],
            len: 0,
        }
    }
}

impl Hasher for KeyedHasher {
    #[inline(never)]
    fn write(&mut self, bytes: &[u8]) {
        let room = self.message.get_mut(self.len..self.len + bytes.len());
        debug_assert!(room.is_some(), "no message is that long");
        if let Some(room) = room {
            room.copy_from_slice(bytes);
            self.len += bytes.len();
        }
    }

    #[inline(never)]
    fn finish(&self) -> u64 {
        let (k0, k1) = self.key;
        SipHasher24::new_with_keys(k0, k1).hash(&self.message[..self.len])
    }
}

/// A SYN cookie's of IPv6: two endpoints, fifteen bytes more, and the domain.
const LONGEST_MESSAGE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers_and_another_does_not() {
        let draw = |seed: Seed| {
            let mut random = Random::new(seed);
            [random.next_u64(), random.next_u64()]
        };
        assert_eq!(draw(Seed::from(7)), draw(Seed::from(7)));
        assert_ne!(draw(Seed::from(7)), draw(Seed::from(8)));
        let [first, second] = draw(Seed::from([3; 32]));
        assert_ne!(first, second);
    }

    #[test]
    fn below_stays_below() {
        let mut random = Random::new(Seed::from(1));
        assert!((0..1000).all(|_| random.below(7) < 7));
        assert_eq!(random.below(0), 0);
    }
}
