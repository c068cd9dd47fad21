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
            let key = HashKey(weak, i as u64);
            let mut message = Message::new(&key);
            message.write_u64(weak);
            chunk.copy_from_slice(&message.finish().to_le_bytes());
        }
        Self(bytes)
    }
}

impl Seed {
    #[cfg(test)]
    pub(crate) fn hash_key(self) -> HashKey {
        self.split().1
    }

    /// What the stack draws from, and what it hashes with.
    pub(crate) fn split(self) -> (Random, HashKey) {
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(self.0.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let [a, b, c, d] = words;
        let random = Random {
            stream: HashKey(a, b),
            counter: 0,
        };
        (random, HashKey(c, d))
    }
}

/// The stack's source of randomness.
#[derive(Clone)]
pub(crate) struct Random {
    stream: HashKey,
    counter: u64,
}

/// A keyed hash.
#[derive(Clone, Copy, Default)]
pub(crate) struct HashKey(u64, u64);

impl Random {
    #[cfg_attr(
        not(any(test, feature = "ipv4-link-local")),
        expect(dead_code, reason = "a stack needs both halves of its seed")
    )]
    pub(crate) fn new(seed: Seed) -> Self {
        seed.split().0
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        let mut message = Message::new(&self.stream);
        message.write_u64(self.counter);
        self.counter = self.counter.wrapping_add(1);
        message.finish()
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    /// A number below `bound`, 0 if that is 0. The bias is below 2^-32 for the small bounds used here.
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(self.next_u32()) * u64::from(bound)) >> 32) as u32
    }
}

#[cfg(feature = "proto-ipv6")]
impl From<[u8; 16]> for HashKey {
    fn from(secret: [u8; 16]) -> Self {
        let key = u128::from_le_bytes(secret);
        Self(key as u64, (key >> 64) as u64)
    }
}

impl HashKey {
    /// The hash of what `write` feeds in. `domain` keeps the uses of the key apart. It comes last, so that numbers
    /// lie where they are read again as they were written.
    pub(crate) fn hash(&self, domain: u8, write: impl FnOnce(&mut Message<'_>)) -> u64 {
        let mut message = Message::new(self);
        write(&mut message);
        message.finish_in(domain)
    }
}

/// What is to be hashed, put together first: the hash takes it all at once, which costs a fraction of feeding it
/// field by field.
pub(crate) struct Message<'k> {
    key: &'k HashKey,
    bytes: [u8; MESSAGE_LEN],
    len: usize,
}

impl<'k> Message<'k> {
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn new(key: &'k HashKey) -> Self {
        Self {
            key,
            bytes: [0; MESSAGE_LEN],
            len: 0,
        }
    }

    /// The hash in that domain.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn finish_in(&mut self, domain: u8) -> u64 {
        self.write_u8(domain);
        self.finish()
    }

    /// Takes a number, whose length the compiler knows.
    #[inline]
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        match self.bytes.get_mut(self.len..self.len + N) {
            Some(room) if cfg!(target_pointer_width = "64") => {
                room.copy_from_slice(&bytes);
                self.len += N;
            }
            _ => self.write(&bytes),
        }
    }

    /// Goes on behind the hash of what there is so far (a cascade, which is a pseudo-random function where the
    /// hash is one).
    #[cold]
    fn fold(&mut self) {
        let hash = self.finish().to_le_bytes();
        self.bytes[..hash.len()].copy_from_slice(&hash);
        self.len = hash.len();
    }
}

impl Hasher for Message<'_> {
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(room) = self.bytes.get_mut(self.len..) {
            let len = rest.len().min(room.len());
            let (now, later) = rest.split_at(len);
            room[..len].copy_from_slice(now);
            self.len += len;
            if later.is_empty() {
                return;
            }
            rest = later;
            self.fold();
        }
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.put([number]);
    }

    #[inline]
    fn write_u16(&mut self, number: u16) {
        self.put(number.to_ne_bytes());
    }

    #[inline]
    fn write_u32(&mut self, number: u32) {
        self.put(number.to_ne_bytes());
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.put(number.to_ne_bytes());
    }

    #[inline]
    fn write_u128(&mut self, number: u128) {
        self.put(number.to_ne_bytes());
    }

    #[inline(never)]
    fn finish(&self) -> u64 {
        // Whole words, which takes less code. The domain is never zero: what fills them up is told from it.
        let words = self.len.div_ceil(8).min(MESSAGE_LEN / 8);
        let (message, _) = self.bytes.split_at(8 * words);
        SipHasher24::new_with_keys(self.key.0, self.key.1).hash(message)
    }
}

/// Room for two endpoints of IPv6 and what is said of them.
const MESSAGE_LEN: usize = 64;

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
    fn every_byte_of_a_message_counts_however_long_it_is() {
        let key = Seed::from(1).hash_key();
        let hash = |bytes: &[u8]| key.hash(0, |message| message.write(bytes));
        for len in [1, 13, MESSAGE_LEN - 2, MESSAGE_LEN - 1, MESSAGE_LEN, 255] {
            let bytes = [0xaa; 255];
            let plain = hash(&bytes[..len]);
            assert_ne!(plain, hash(&bytes[..len - 1]));
            for at in 0..len {
                let mut other = bytes;
                other[at] = 0;
                assert_ne!(plain, hash(&other[..len]), "byte {at} of {len}");
            }
            let halves = key.hash(0, |message| {
                message.write(&bytes[..len / 2]);
                message.write(&bytes[len / 2..len]);
            });
            assert_eq!(plain, halves);
        }
    }

    #[test]
    fn below_stays_below() {
        let mut random = Random::new(Seed::from(1));
        assert!((0..1000).all(|_| random.below(7) < 7));
        assert_eq!(random.below(0), 0);
    }
}
