//! Sums on machines of 64 bits: words for what is short, and for the rest a form that compilers make vector
//! instructions of.

use super::Sum;

/// Fields of a header at even offsets, 32 bits of it at a time: so many cost one conversion.
#[derive(Clone, Copy, Default)]
pub(in super::super) struct Fields(u64);

impl Fields {
    #[inline]
    pub(in super::super) fn add(&mut self, value: u32) {
        self.0 += u64::from(value);
    }

    #[inline]
    pub(in super::super) fn sum(self) -> Sum {
        Sum::of_fields(self.0)
    }
}

/// [`Sum::of`].
pub(super) fn sum(data: &[u8]) -> Sum {
    if data.len() >= LONG {
        sum_long(data)
    } else {
        sum_short(data)
    }
}

/// [`Sum::of_header`]. Of a known length, it is the additions alone.
#[inline]
pub(super) fn sum_header<const WORDS: usize>(header: &[[u8; 4]; WORDS]) -> Sum {
    sum_short(header.as_flattened())
}

/// [`Sum::copy`], of slices that are equally long.
#[inline]
pub(super) fn copy(dst: &mut [u8], src: &[u8]) -> Sum {
    if src.len() < SHORT {
        copy_short(dst, src)
    } else {
        copy_long(dst, src)
    }
}

#[inline(never)]
fn copy_long(dst: &mut [u8], src: &[u8]) -> Sum {
    // The memory's own copy is the fastest there is; by pieces that stay in the first-level
    // cache, the sum then reads the data at no further cost.
    let mut sum = Sum::ZERO;
    for (to, from) in dst.chunks_mut(COPY_PIECE).zip(src.chunks(COPY_PIECE)) {
        to.copy_from_slice(from);
        sum = sum.add(Sum::of(from));
    }
    sum
}

/// What is short is summed on its way: calls would cost as much as the words.
#[inline(always)]
fn copy_short(mut dst: &mut [u8], mut src: &[u8]) -> Sum {
    let mut sum = 0;
    sum = copy_piece::<64>(sum, &mut dst, &mut src);
    sum = copy_piece::<32>(sum, &mut dst, &mut src);
    sum = copy_piece::<16>(sum, &mut dst, &mut src);
    sum = copy_piece::<WORD>(sum, &mut dst, &mut src);
    if src.is_empty() {
        return Sum(sum);
    }
    for (to, from) in dst.iter_mut().zip(src) {
        *to = *from;
    }
    Sum(sum).add(Sum(last_bytes(src)))
}

/// Copies so many bytes and adds their words, if there are as many.
#[inline(always)]
fn copy_piece<const LEN: usize>(sum: u64, dst: &mut &mut [u8], src: &mut &[u8]) -> u64 {
    let Some((from, after)) = src.split_first_chunk::<LEN>() else {
        return sum;
    };
    let Some((to, rest)) = core::mem::take(dst).split_first_chunk_mut() else {
        return sum;
    };
    *to = *from;
    (*dst, *src) = (rest, after);
    add_words(sum, from)
}

#[inline(always)]
fn sum_short(data: &[u8]) -> Sum {
    let (blocks, mut rest) = data.as_chunks::<64>();
    let mut sum = 0;
    for block in blocks {
        sum = add_words(sum, block);
    }
    // Each size at most once: a loop over words would cost more than the words.
    if let Some((block, after)) = rest.split_first_chunk::<32>() {
        sum = add_words(sum, block);
        rest = after;
    }
    if let Some((block, after)) = rest.split_first_chunk::<16>() {
        sum = add_words(sum, block);
        rest = after;
    }
    if let Some((word, after)) = rest.split_first_chunk::<WORD>() {
        sum = add_words(sum, word);
        rest = after;
    }
    if rest.is_empty() {
        return Sum(sum);
    }
    Sum(sum).add(Sum(last_bytes(rest)))
}

/// The sum of less than a word.
#[inline(always)]
fn last_bytes(mut data: &[u8]) -> u64 {
    let mut sum = 0;
    if let Some((word, after)) = data.split_first_chunk() {
        sum += u64::from(u32::from_ne_bytes(*word));
        data = after;
    }
    if let Some((word, after)) = data.split_first_chunk() {
        sum += u64::from(u16::from_ne_bytes(*word));
        data = after;
    }
    if let [byte] = data {
        sum += u64::from(u16::from_ne_bytes([*byte, 0]));
    }
    sum
}

// A call of its own, so that what is short does not pay for its registers.
#[inline(never)]
fn sum_long(data: &[u8]) -> Sum {
    let mut sum = Sum::ZERO;
    for piece in data.chunks(LONGEST) {
        let (blocks, rest) = piece.as_chunks();
        // All pieces but the last are whole blocks, so none starts at an odd offset.
        sum = sum.add(sum_blocks(blocks)).add(sum_short(rest));
    }
    sum
}

/// Vectors add many numbers at a time but keep no carries. So each 32-bit word is added twice: whole,
/// where what overflows is lost, and its upper half alone, which tells how much that was. Two more words
/// of each block go through the machine's own adder, which would have nothing to do meanwhile.
fn sum_blocks(blocks: &[[u8; BLOCK]]) -> Sum {
    let (mut whole, mut upper) = ([0_u32; VECTOR / 4], [0_u32; VECTOR / 4]);
    // Wide enough for the carries of 2^64 additions, none of which waits for the one before it in its block.
    let mut lanes = [0_u128; (BLOCK - VECTOR) / WORD];
    for block in blocks {
        let Some((vector, beside)) = block.split_first_chunk::<VECTOR>() else {
            continue;
        };
        let (words, _) = vector.as_chunks();
        for ((word, whole), upper) in words.iter().zip(&mut whole).zip(&mut upper) {
            let word = u32::from_ne_bytes(*word);
            *whole = whole.wrapping_add(word);
            *upper += word >> 16;
        }
        let (words, _) = beside.as_chunks();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane += u128::from(u64::from_ne_bytes(*word));
        }
    }
    let halves = whole.iter().zip(&upper).map(|(whole, &upper)| {
        // Without what the upper halves added, the lower ones are left, whose sum did not overflow.
        let lower = whole.wrapping_sub(upper << 16);
        u64::from(lower) + u64::from(upper)
    });
    let beside: u128 = lanes.iter().sum();
    Sum(halves.sum())
        .add(Sum(beside as u64))
        .add(Sum((beside >> 64) as u64))
}

/// Adds whole words, each with what the one before carried: machines have an instruction for that.
#[inline(always)]
fn add_words<const LEN: usize>(sum: u64, block: &[u8; LEN]) -> u64 {
    let (words, _) = block.as_chunks();
    let (mut sum, mut carry) = (sum, false);
    for word in words {
        let (added, over) = sum.overflowing_add(u64::from_ne_bytes(*word));
        let (carried, over_again) = added.overflowing_add(carry.into());
        (sum, carry) = (carried, over | over_again);
    }
    // All ones and a carry come of nothing but all ones and a carry, which nothing begins with: no overflow.
    sum + u64::from(carry)
}

const WORD: usize = size_of::<u64>();
/// From this length on a vector unit is worth its beginning and end.
const LONG: usize = 256;
/// Up to this length words are copied one by one.
const SHORT: usize = 128;
/// Bytes copied in one go before they are summed.
const COPY_PIECE: usize = 2048;
/// Bytes per turn of the loop.
const BLOCK: usize = VECTOR + 16;
/// Two vectors of sixteen bytes.
const VECTOR: usize = 32;
/// So many bytes that no sum of 16-bit halves overflows 32 bits.
const LONGEST: usize = BLOCK << 16;
