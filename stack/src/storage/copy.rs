//! Copies of payload between an application's memory, a ring and a frame.
//!
//! On 64-bit machines the memory's own copy is the fastest there is. That of small ones moves a word at a time; so
//! here, where both sides lie on a word boundary, eight words go with a few instructions, and a checksum is
//! taken of them while they are in registers.

/// Copies `src` to `dst`, which is as long.
#[cfg(target_pointer_width = "64")]
#[inline]
pub(crate) fn copy(dst: &mut [u8], src: &[u8]) {
    dst.copy_from_slice(src);
}

#[cfg(not(target_pointer_width = "64"))]
pub(crate) use narrow::copy;

#[cfg(any(test, not(target_pointer_width = "64")))]
mod narrow {
    use zerocopy::FromBytes;

    /// As many words as there are registers for them.
    type Block = [u32; 8];

    /// Copies `src` to `dst`, which is as long.
    #[inline(never)]
    pub(crate) fn copy(dst: &mut [u8], src: &[u8]) {
        let blocks = <[Block]>::mut_from_prefix(&mut *dst).ok();
        let (Some((to, to_rest)), Ok((from, from_rest))) =
            (blocks, <[Block]>::ref_from_prefix(src))
        else {
            return copy_bytes(dst, src);
        };
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
            // Else the compiler takes the loop for the copy that it is, and calls the slow one.
            core::hint::black_box(());
        }
        copy_bytes(to_rest, from_rest);
    }

    fn copy_bytes(dst: &mut [u8], src: &[u8]) {
        // So that it need not be asked whether it is as long.
        let len = dst.len().min(src.len());
        dst[..len].copy_from_slice(&src[..len]);
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use zerocopy::IntoBytes;

    #[test]
    fn copies_every_length_between_all_alignments() {
        let words: Vec<u32> = (0..100u32).map(|i| i.wrapping_mul(0x9e37_79b9)).collect();
        for from in 0..4 {
            for to in 0..4 {
                for len in 0..200 {
                    let source = &words.as_bytes()[from..from + len];
                    let mut room = vec![0u32; 100];
                    super::narrow::copy(&mut room.as_mut_bytes()[to..to + len], source);
                    let mut expected = vec![0u8; 400];
                    expected[to..to + len].copy_from_slice(source);
                    assert_eq!(room.as_bytes(), expected);
                }
            }
        }
    }
}
