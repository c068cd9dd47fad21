//! Where a frame is while a stack reads or writes it.

use zerocopy::IntoBytes;

use crate::MAX_FRAME_LEN;

/// Memory for one frame each way. It outlives the driver: a `ConstStaticCell` or `StaticCell` is its place.
#[derive(Debug)]
pub struct Buffers {
    pub(crate) receive: FrameBuffer,
    pub(crate) transmit: FrameBuffer,
}

impl Buffers {
    /// Empty ones, all zeros.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            receive: FrameBuffer::new(),
            transmit: FrameBuffer::new(),
        }
    }
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new()
    }
}

/// Words that hold a frame from the third byte of the first one.
#[derive(Debug)]
pub(crate) struct FrameBuffer {
    words: [u32; words_of(MAX_FRAME_LEN)],
}

impl FrameBuffer {
    const fn new() -> Self {
        Self {
            words: [0; words_of(MAX_FRAME_LEN)],
        }
    }

    /// The words of a frame of `len` bytes, which is cut to what fits.
    #[inline]
    pub(crate) fn words(&mut self, len: usize) -> &mut [u32] {
        let count = words_of(len).min(self.words.len());
        &mut self.words[..count]
    }

    /// The bytes of a frame of `len` bytes, which is cut to what fits.
    #[inline]
    pub(crate) fn frame(&mut self, len: usize) -> &mut [u8] {
        let len = len.min(MAX_FRAME_LEN);
        &mut self.words.as_mut_bytes()[FRAME_OFFSET..FRAME_OFFSET + len]
    }
}

/// How many words a frame takes, with the bytes before it.
pub(crate) const fn words_of(len: usize) -> usize {
    (FRAME_OFFSET + len).div_ceil(4)
}

/// Where a frame starts in its first word, so that what follows the Ethernet header is aligned.
pub(crate) const FRAME_OFFSET: usize = 2;
