//! Sums on machines of 64 bits: words for what is short, and for the rest a form that compilers make vector
//! instructions of.

use super::Sum;

/// [`Sum::of`].
pub(super) fn sum(data: &[u8]) -> Sum {
    if data.len() >= LONG {
        sum_long(data)
    } else {
        sum_short(data)
    }
}

/// [`Sum::copy`], of slices that are equally long.
pub(super) fn copy(dst: &mut [u8], src: &[u8]) -> Sum {
    if src.len() < SHORT {
        return copy_short(dst, src);
    }
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
#[inline]
fn copy_short(dst: &mut [u8], src: &[u8]) -> Sum {
    let (to, to_rest) = dst.as_chunks_mut::<WORD>();
    let (from, from_rest) = src.as_chunks::<WORD>();
    let mut sum = 0;
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
        sum += u128::from(u64::from_ne_bytes(*from));
    }
    // The last bytes as a word that ends with zeros.
    let mut last = [0; WORD];
    for ((to, from), last) in to_rest.iter_mut().zip(from_rest).zip(&mut last) {
        *to = *from;
        *last = *from;
    }
    sum += u128::from(u64::from_ne_bytes(last));
    Sum(fold_wide(sum))
}

#[inline(always)]
fn sum_short(data: &[u8]) -> Sum {
    let (blocks, mut rest) = data.as_chunks::<64>();
    let mut sum = 0;
    if !blocks.is_empty() {
        let mut lanes = [0; LANES];
        for block in blocks {
            add_words(&mut lanes, block);
        }
        sum = fold_lanes(lanes);
    }
    // Each size at most once: a loop over words would cost more than the words.
    if let Some((block, after)) = rest.split_first_chunk::<32>() {
        sum += sum_words(block);
        rest = after;
    }
    if let Some((block, after)) = rest.split_first_chunk::<16>() {
        sum += sum_words(block);
        rest = after;
    }
    if let Some((word, after)) = rest.split_first_chunk::<WORD>() {
        sum += sum_words(word);
        rest = after;
    }
    if let Some((word, after)) = rest.split_first_chunk() {
        sum += u128::from(u32::from_ne_bytes(*word));
        rest = after;
    }
    if let Some((word, after)) = rest.split_first_chunk() {
        sum += u128::from(u16::from_ne_bytes(*word));
        rest = after;
    }
    if let [byte] = rest {
        sum += u128::from(u16::from_ne_bytes([*byte, 0]));
    }
    Sum(fold_wide(sum))
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
    let mut lanes = [0; LANES];
    for block in blocks {
        let Some((vector, rest)) = block.split_first_chunk::<VECTOR>() else {
            continue;
        };
        let (words, _) = vector.as_chunks();
        for ((word, whole), upper) in words.iter().zip(&mut whole).zip(&mut upper) {
            let word = u32::from_ne_bytes(*word);
            *whole = whole.wrapping_add(word);
            *upper += word >> 16;
        }
        if let Some(rest) = rest.first_chunk::<{ BLOCK - VECTOR }>() {
            add_words(&mut lanes, rest);
        }
    }
    let halves = whole.iter().zip(&upper).map(|(whole, &upper)| {
        // Without what the upper halves added, the lower ones are left, whose sum did not overflow.
        let lower = whole.wrapping_sub(upper << 16);
        u64::from(lower) + u64::from(upper)
    });
    Sum(halves.sum()).add(Sum(fold_wide(fold_lanes(lanes))))
}

/// What is wider than words counts the carries of their additions: there is time for 2^64 of them.
fn add_words<const LEN: usize>(lanes: &mut [u128; LANES], block: &[u8; LEN]) {
    for (i, word) in block.chunks_exact(WORD).enumerate() {
        if let Some(word) = word.first_chunk() {
            lanes[i % LANES] += u128::from(u64::from_ne_bytes(*word));
        }
    }
}

fn sum_words<const LEN: usize>(block: &[u8; LEN]) -> u128 {
    let (words, _) = block.as_chunks();
    let words = words.iter().map(|word| u64::from_ne_bytes(*word));
    words.map(u128::from).sum()
}

fn fold_lanes(lanes: [u128; LANES]) -> u128 {
    lanes.iter().sum()
}

const fn fold_wide(sum: u128) -> u64 {
    let (low, carry) = (sum as u64).overflowing_add((sum >> 64) as u64);
    low + carry as u64
}

const WORD: usize = size_of::<u64>();
/// Independent sums, so that an addition need not wait for the one before.
const LANES: usize = 4;
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
