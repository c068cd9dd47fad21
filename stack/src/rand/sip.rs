//! SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) of a message that is there as a whole.

use super::HashKey;

/// The hash of `message`.
pub(super) fn hash(key: HashKey, message: &[u8]) -> u64 {
    let HashKey(k0, k1) = key;
    // "somepseudorandomlygeneratedbytes"
    let mut state = State {
        v0: k0 ^ 0x736f_6d65_7073_6575,
        v1: k1 ^ 0x646f_7261_6e64_6f6d,
        v2: k0 ^ 0x6c79_6765_6e65_7261,
        v3: k1 ^ 0x7465_6462_7974_6573,
    };
    let (words, rest) = message.as_chunks();
    for word in words {
        state.absorb(u64::from_le_bytes(*word));
    }
    // The last word ends with the length.
    let bytes = rest.iter().rev();
    let last = bytes.fold(0, |word, &byte| word << 8 | u64::from(byte));
    state.absorb(last | (message.len() as u64) << 56);
    state.v2 ^= 0xff;
    state.rounds(4);
    state.v0 ^ state.v1 ^ state.v2 ^ state.v3
}

struct State {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

impl State {
    fn absorb(&mut self, word: u64) {
        self.v3 ^= word;
        self.rounds(2);
        self.v0 ^= word;
    }

    /// `count` times SipRound.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn rounds(&mut self, count: u32) {
        for _ in 0..count {
            self.v0 = self.v0.wrapping_add(self.v1);
            self.v2 = self.v2.wrapping_add(self.v3);
            self.v1 = self.v1.rotate_left(13) ^ self.v0;
            self.v3 = self.v3.rotate_left(16) ^ self.v2;
            self.v0 = self.v0.rotate_left(32);
            self.v2 = self.v2.wrapping_add(self.v1);
            self.v0 = self.v0.wrapping_add(self.v3);
            self.v1 = self.v1.rotate_left(17) ^ self.v2;
            self.v3 = self.v3.rotate_left(21) ^ self.v0;
            self.v2 = self.v2.rotate_left(32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appendix A of the paper, and of the authors' test vectors the first, the ninth and the last: of the numbers from 0
    /// on, with the key of the first sixteen.
    #[test]
    fn is_what_its_authors_say() {
        let key = HashKey(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        let message: [u8; 63] = core::array::from_fn(|at| at as u8);
        for (len, expected) in [
            (0, 0x726f_db47_dd0e_0e31),
            (8, 0x93f5_f579_9a93_2462),
            (15, 0xa129_ca61_49be_45e5),
            (63, 0x958a_324c_eb06_4572),
        ] {
            assert_eq!(hash(key, &message[..len]), expected, "{len}");
        }
    }
}
