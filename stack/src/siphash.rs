//! SipHash (Aumasson and Bernstein, 2012): a keyed hash of short messages that nobody can predict without the
//! key. `rand.rs` makes everything of it that must not be guessed.
//!
//! One function does all rounds of all uses, so that the stack carries some three hundred bytes of it.

use core::hash::Hasher;

/// A message on its way through the hash.
#[derive(Clone, Debug)]
pub(crate) struct SipHasher {
    state: [u64; 4],
    rounds: Rounds,
    /// The bytes that do not fill a word yet, the first lowest.
    tail: u64,
    /// Bytes so far.
    len: u32,
}

/// How many rounds follow each word of the message, and how many the last. [`Rounds::FAST`] is what hash tables use,
/// [`Rounds::SAFE`] what the paper proposes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    word: u8,
    end: u8,
}

impl Rounds {
    pub(crate) const FAST: Self = Self { word: 1, end: 3 };
    pub(crate) const SAFE: Self = Self { word: 2, end: 4 };
}

impl SipHasher {
    #[inline(never)]
    pub(crate) fn new(rounds: Rounds, (k0, k1): (u64, u64)) -> Self {
        Self {
            state: [
                k0 ^ 0x736f_6d65_7073_6575,
                k1 ^ 0x646f_7261_6e64_6f6d,
                k0 ^ 0x6c79_6765_6e65_7261,
                k1 ^ 0x7465_6462_7974_6573,
            ],
            rounds,
            tail: 0,
            len: 0,
        }
    }

    /// Appends the lowest `count` bytes of a number, 8 at most, the lowest first. The others are zero.
    fn push(&mut self, number: u64, count: u32) {
        let fill = self.len % 8 * 8;
        self.len += count;
        self.tail |= number << fill;
        if fill + count * 8 >= 64 {
            self.absorb(self.tail);
            self.tail = number.checked_shr(64 - fill).unwrap_or(0);
        }
    }

    fn absorb(&mut self, word: u64) {
        self.state[3] ^= word;
        self.mix(self.rounds.word);
        self.state[0] ^= word;
    }

    fn mix(&mut self, rounds: u8) {
        let [mut a, mut b, mut c, mut d] = self.state;
        for _ in 0..rounds {
            a = a.wrapping_add(b);
            b = b.rotate_left(13) ^ a;
            a = a.rotate_left(32);
            c = c.wrapping_add(d);
            d = d.rotate_left(16) ^ c;
            a = a.wrapping_add(d);
            d = d.rotate_left(21) ^ a;
            c = c.wrapping_add(b);
            b = b.rotate_left(17) ^ c;
            c = c.rotate_left(32);
        }
        self.state = [a, b, c, d];
    }
}

impl Hasher for SipHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.push(byte.into(), 1);
        }
    }

    fn write_u8(&mut self, number: u8) {
        self.push(number.into(), 1);
    }

    fn write_u16(&mut self, number: u16) {
        self.push(number.into(), 2);
    }

    fn write_u32(&mut self, number: u32) {
        self.push(number.into(), 4);
    }

    fn write_u64(&mut self, number: u64) {
        self.push(number, 8);
    }

    fn write_u128(&mut self, number: u128) {
        self.push(number as u64, 8);
        self.push((number >> 64) as u64, 8);
    }

    fn finish(&self) -> u64 {
        let mut end = self.clone();
        end.absorb(self.tail | u64::from(self.len) << 56);
        end.state[2] ^= 0xff;
        end.mix(self.rounds.end);
        end.state.into_iter().fold(0, |all, word| all ^ word)
    }
}

#[cfg(test)]
mod tests {
    use siphasher::sip::{SipHasher13, SipHasher24};

    use super::*;

    /// Appendix A of the paper.
    #[test]
    fn the_example_of_the_paper() {
        let key = (0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let mut hasher = SipHasher::new(Rounds::SAFE, key);
        hasher.write(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
        assert_eq!(hasher.finish(), 0xa129_ca61_49be_45e5);
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_another_implementation(
            key in proptest::array::uniform2(0u64..),
            numbers in proptest::collection::vec((0u8..6, 0u128..), 0..20),
        ) {
            let mut ours = [Rounds::FAST, Rounds::SAFE].map(|rounds| SipHasher::new(rounds, (key[0], key[1])));
            let mut fast = SipHasher13::new_with_keys(key[0], key[1]);
            let mut safe = SipHasher24::new_with_keys(key[0], key[1]);
            let all: [&mut dyn Hasher; 4] = {
                let [a, b] = &mut ours;
                [a, b, &mut fast, &mut safe]
            };
            for hasher in all {
                for &(kind, number) in &numbers {
                    // Number by number here, byte by byte there.
                    match kind {
                        0 => hasher.write(&[number as u8]),
                        1 => hasher.write_u8(number as u8),
                        2 => hasher.write_u16(number as u16),
                        3 => hasher.write_u32(number as u32),
                        4 => hasher.write_u64(number as u64),
                        _ => hasher.write_u128(number),
                    }
                }
            }
            assert_eq!(ours[0].finish(), fast.finish());
            assert_eq!(ours[1].finish(), safe.finish());
        }
    }
}
