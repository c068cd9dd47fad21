//! Sums on machines of 32 bits, whose processors read several words at a time where those lie on a word boundary,
//! and add with a carry.

use zerocopy::FromBytes;

use super::Sum;

/// Fields of a header at even offsets, 32 bits of it at a time: the conversion is that with which they are written.
#[derive(Clone, Copy)]
pub(in super::super) struct Fields(Sum);

impl Default for Fields {
    fn default() -> Self {
        Self(Sum::ZERO)
    }
}

impl Fields {
    #[inline]
    pub(in super::super) fn add(&mut self, value: u32) {
        self.0 = self.0.add_u32(value);
    }

    #[inline]
    pub(in super::super) fn sum(self) -> Sum {
        self.0
    }
}

/// [`Sum::of`].
pub(super) fn sum(data: &[u8]) -> Sum {
    let Ok((blocks, end)) = <[[[u32; 4]; 2]]>::ref_from_prefix(data) else {
        return rest(data);
    };
    let mut sum = Wide::default();
    for [first, second] in blocks {
        sum.add(*first);
        sum.add(*second);
        // Blocks that are worked on side by side would need more registers than there are.
        core::hint::black_box(());
    }
    sum.sum().add(rest(end))
}

/// [`Sum::of_header`].
#[inline]
pub(super) fn sum_header<const WORDS: usize>(header: &[[u8; 4]; WORDS]) -> Sum {
    sum_words(header)
}

/// [`Sum::copy`], of slices that are equally long.
pub(super) fn copy(dst: &mut [u8], src: &[u8]) -> Sum {
    // Half as many words as above: each is needed twice.
    let to = <[[u32; 4]]>::mut_from_prefix(&mut *dst).ok();
    let from = <[[u32; 4]]>::ref_from_prefix(src).ok();
    let (Some((to, to_rest)), Some((from, from_rest))) = (to, from) else {
        dst.copy_from_slice(src);
        return rest(src);
    };
    let mut sum = Wide::default();
    for (to, from) in to.iter_mut().zip(from) {
        let block = *from;
        *to = block;
        sum.add(block);
        core::hint::black_box(());
    }
    to_rest.copy_from_slice(from_rest);
    sum.sum().add(rest(from_rest))
}

/// The sum of what is too short for blocks, or not on a word boundary.
#[inline(never)]
fn rest(data: &[u8]) -> Sum {
    let (words, bytes) = data.as_chunks();
    let mut last = [0; 4];
    last[..bytes.len()].copy_from_slice(bytes);
    sum_words(words).add(sum_words(&[last]))
}

#[inline]
fn sum_words(words: &[[u8; 4]]) -> Sum {
    let words = words.iter().map(|word| u32::from_ne_bytes(*word));
    words.fold(Sum::ZERO, |sum, word| sum.add(Sum(word.into())))
}

/// A sum of pairs of words, and how often it overflowed.
#[derive(Default)]
struct Wide {
    sum: u64,
    carries: u32,
}

impl Wide {
    #[inline(always)]
    fn add(&mut self, [a, b, c, d]: [u32; 4]) {
        self.add_pair(a, b);
        self.add_pair(c, d);
    }

    #[inline(always)]
    fn add_pair(&mut self, low: u32, high: u32) {
        let pair = u64::from(low) | u64::from(high) << 32;
        let (sum, carry) = self.sum.overflowing_add(pair);
        self.sum = sum;
        self.carries += u32::from(carry);
    }

    fn sum(&self) -> Sum {
        let (low, high) = (self.sum as u32, (self.sum >> 32) as u32);
        Sum(low.into())
            .add(Sum(high.into()))
            .add(Sum(self.carries.into()))
    }
}
