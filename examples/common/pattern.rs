//! A stream of bytes that looks random and that both ends of a connection can make for themselves, to
//! compare what arrives with what was sent without keeping it.

/// The stream, from where it has been read to.
///
/// Each position has its own value, so that a byte lost, repeated or moved anywhere is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern {
    seed: u64,
    position: u64,
}

impl Pattern {
    /// The stream of that seed, from its beginning.
    pub const fn new(seed: u64) -> Self {
        Self { seed, position: 0 }
    }

    /// How many bytes have been read.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Reads the next bytes into `buffer`.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        let (head, body) = buffer.split_at_mut(self.to_boundary(buffer.len()));
        self.fill_within_word(head);
        let mut words = body.chunks_exact_mut(WORD);
        for word in &mut words {
            word.copy_from_slice(&self.word());
            self.position += WORD as u64;
        }
        self.fill_within_word(words.into_remainder());
    }

    /// Reads as many bytes as `data` has, and tells whether they are those.
    pub fn matches(&mut self, data: &[u8]) -> bool {
        let mut expected = [0; 512];
        data.chunks(expected.len()).all(|chunk| {
            let expected = &mut expected[..chunk.len()];
            self.fill(expected);
            expected == chunk
        })
    }

    /// How many bytes, of `len`, are left of the current word; none at its beginning.
    fn to_boundary(self, len: usize) -> usize {
        let into = (self.position % WORD as u64) as usize;
        len.min((WORD - into) % WORD)
    }

    fn fill_within_word(&mut self, bytes: &mut [u8]) {
        let into = (self.position % WORD as u64) as usize;
        bytes.copy_from_slice(&self.word()[into..into + bytes.len()]);
        self.position += bytes.len() as u64;
    }

    /// The word at the current position: SplitMix64 of its index.
    fn word(&self) -> [u8; WORD] {
        let index = self.position / WORD as u64 + 1;
        let mut z = self
            .seed
            .wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_le_bytes()
    }
}

const WORD: usize = size_of::<u64>();

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_matter_in_which_pieces_it_is_read() {
        let mut whole = [0; 1000];
        Pattern::new(7).fill(&mut whole);
        let mut pieces = Pattern::new(7);
        let mut rest = &whole[..];
        for len in (0..).take_while(|n| n * (n + 1) / 2 <= 1000) {
            let (piece, after) = rest.split_at(len);
            let mut read = [0; 100];
            pieces.fill(&mut read[..len]);
            assert_eq!(&read[..len], piece);
            rest = after;
        }
    }

    #[test]
    fn a_byte_lost_repeated_or_changed_is_found() {
        let mut bytes = [0; 100];
        Pattern::new(1).fill(&mut bytes);
        assert!(Pattern::new(1).matches(&bytes));
        assert!(!Pattern::new(2).matches(&bytes));
        assert!(!Pattern::new(1).matches(&bytes[1..]));
        let mut moved = Pattern::new(1);
        assert!(moved.matches(&bytes[..50]));
        assert!(!moved.matches(&bytes[49..]));
        bytes[99] ^= 1;
        assert!(!Pattern::new(1).matches(&bytes));
    }
}
