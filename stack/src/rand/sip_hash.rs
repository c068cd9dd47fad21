//! SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"), for messages that are there as a whole.
//!
//! ```text
//!            key, constants            each word m               after the last
//!   v0..v3 ◄───────────────   v3 ^= m; 2 rounds; v0 ^= m   v2 ^= 0xff; 4 rounds; v0 ^ v1 ^ v2 ^ v3
//! ```
//!
//! The last word is what is left of the message, and its length in the highest byte.

/// The hash of `message` under a key.
pub(super) fn sip_hash([k0, k1]: [u64; 2], message: &[u8]) -> u64 {
    // "somepseudorandomlygeneratedbytes"
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let mut rest = message;
    loop {
        let word = match rest.split_first_chunk() {
            Some((&word, behind)) => {
                rest = behind;
                u64::from_le_bytes(word)
            }
            None => {
                absorb(&mut v, last_word(rest, message.len()));
                break;
            }
        };
        absorb(&mut v, word);
    }
    v[2] ^= 0xff;
    rounds(&mut v, 4);
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

fn last_word(rest: &[u8], len: usize) -> u64 {
    let mut bytes = [0; 8];
    for (byte, &value) in bytes.iter_mut().zip(rest) {
        *byte = value;
    }
    bytes[7] = len as u8;
    u64::from_le_bytes(bytes)
}

fn absorb(v: &mut [u64; 4], word: u64) {
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
}

/// There once where flash is dear.
#[cfg_attr(target_pointer_width = "32", inline(never))]
fn rounds(v: &mut [u64; 4], count: u32) {
    let [mut v0, mut v1, mut v2, mut v3] = *v;
    for _ in 0..count {
        v0 = v0.wrapping_add(v1);
        v1 = v1.rotate_left(13) ^ v0;
        v0 = v0.rotate_left(32);
        v2 = v2.wrapping_add(v3);
        v3 = v3.rotate_left(16) ^ v2;
        v0 = v0.wrapping_add(v3);
        v3 = v3.rotate_left(21) ^ v0;
        v2 = v2.wrapping_add(v1);
        v1 = v1.rotate_left(17) ^ v2;
        v2 = v2.rotate_left(32);
    }
    *v = [v0, v1, v2, v3];
}

#[cfg(test)]
mod tests {
    use super::*;
    use siphasher::sip::SipHasher24;

    /// Appendix A of the paper.
    #[test]
    fn the_example_of_its_authors() {
        let key = [0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908];
        let message: [u8; 15] = core::array::from_fn(|i| i as u8);
        assert_eq!(sip_hash(key, &message), 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn agrees_with_another_implementation() {
        let message: [u8; 300] = core::array::from_fn(|i| (i * 7) as u8);
        for len in 0..message.len() {
            let key = [
                (len as u64).wrapping_mul(0x0123_4567_89ab_cdef),
                !(len as u64),
            ];
            let other = SipHasher24::new_with_keys(key[0], key[1]).hash(&message[..len]);
            assert_eq!(sip_hash(key, &message[..len]), other, "{len} bytes");
        }
    }
}
