//! SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF") of whole words, for machines where flash is
//! dear: its round is in the code once, which the crate `siphasher` writes down eight times.

/// The hash of `words`, which the crate's hasher has as well for their bytes.
pub(super) fn hash(key: (u64, u64), words: &[[u8; 8]]) -> u64 {
    let mut state = [
        key.0 ^ 0x736f_6d65_7073_6575,
        key.1 ^ 0x646f_7261_6e64_6f6d,
        key.0 ^ 0x6c79_6765_6e65_7261,
        key.1 ^ 0x7465_6462_7974_6573,
    ];
    let mut words = words.iter();
    // Behind the words comes one with their length in bytes at its top.
    let mut len = 0;
    loop {
        let next = words.next();
        let word = next.map_or(len << 56, |word| u64::from_le_bytes(*word));
        len += 8;
        state[3] ^= word;
        round(&mut state);
        round(&mut state);
        state[0] ^= word;
        if next.is_none() {
            break;
        }
    }
    state[2] ^= 0xff;
    for _ in 0..4 {
        round(&mut state);
    }
    let [a, b, c, d] = state;
    a ^ b ^ c ^ d
}

/// SipRound.
#[inline(never)]
fn round(state: &mut [u64; 4]) {
    let [mut a, mut b, mut c, mut d] = *state;
    a = a.wrapping_add(b);
    c = c.wrapping_add(d);
    b = b.rotate_left(13) ^ a;
    d = d.rotate_left(16) ^ c;
    a = a.rotate_left(32).wrapping_add(d);
    c = c.wrapping_add(b);
    b = b.rotate_left(17) ^ c;
    d = d.rotate_left(21) ^ a;
    c = c.rotate_left(32);
    *state = [a, b, c, d];
}

#[cfg(test)]
mod tests {
    use core::hash::Hasher;

    use siphasher::sip::SipHasher24;

    proptest::proptest! {
        #[test]
        fn is_that_of_the_crate(key: (u64, u64), words in proptest::collection::vec(proptest::prelude::any::<[u8; 8]>(), 0..10)) {
            let mut hasher = SipHasher24::new_with_keys(key.0, key.1);
            hasher.write(words.as_flattened());
            assert_eq!(super::hash(key, &words), hasher.finish());
        }
    }
}
