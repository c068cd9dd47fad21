//! The frame buffers that all ports share.
//!
//! A buffer has one owner at any time: the pool, or the token to which it was lent. So it is read and
//! written without a lock, and the compiler sees to it that nobody else looks.

use cygnet_driver::Duration;

/// Names one buffer of the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameId(usize);

impl FrameId {
    pub(crate) const FIRST: Self = Self(0);

    #[cfg(test)]
    pub(crate) const fn new(index: usize) -> Self {
        Self(index)
    }
}

/// A buffer and, while a frame in it is on its way, what is known about the frame.
pub(crate) struct Frame<'d> {
    /// `None` while a token has it.
    buffer: Option<&'d mut [u8]>,
    next_free: Option<FrameId>,
    /// How many timelines the frame is on.
    holders: usize,
    info: FrameInfo,
}

/// What is known about a frame on its way, the same for all its receivers.
#[derive(Clone, Copy)]
pub(crate) struct FrameInfo {
    /// Its length in bytes, at most that of its buffer.
    pub(crate) len: usize,
    /// The port that sent it.
    pub(crate) from: usize,
    /// The bit to flip on delivery, counted from the start of the frame.
    pub(crate) flip: Option<usize>,
    /// How long after its first arrival it arrives once more, where it does.
    pub(crate) repeat_after: Duration,
}

impl Frame<'_> {
    pub(crate) const EMPTY: Self = Self {
        buffer: None,
        next_free: None,
        holders: 0,
        info: FrameInfo {
            len: 0,
            from: 0,
            flip: None,
            repeat_after: Duration::ZERO,
        },
    };
}

/// All frame buffers, the free ones in a linked list. The last one freed is the first one lent, for
/// the sake of the cache.
pub(crate) struct Pool<'d> {
    frames: &'d mut [Frame<'d>],
    free: Option<FrameId>,
    available: usize,
}

impl<'d> Pool<'d> {
    /// A pool of those buffers, whose bookkeeping lives in `frames`.
    pub(crate) fn new(
        frames: &'d mut [Frame<'d>],
        buffers: impl Iterator<Item = &'d mut [u8]>,
    ) -> Self {
        let mut pool = Self {
            frames,
            free: None,
            available: 0,
        };
        let count = pool.frames.len();
        for (index, buffer) in buffers.take(count).enumerate() {
            pool.give_back(FrameId(index), buffer);
        }
        pool
    }

    /// How many buffers are free.
    pub(crate) fn available(&self) -> usize {
        self.available
    }

    /// Lends a free buffer.
    pub(crate) fn lend(&mut self) -> Option<(FrameId, &'d mut [u8])> {
        let id = self.free?;
        let frame = &mut self.frames[id.0];
        let buffer = frame.buffer.take()?;
        self.free = frame.next_free.take();
        self.available -= 1;
        Some((id, buffer))
    }

    /// Takes a lent buffer back; it is free again.
    pub(crate) fn give_back(&mut self, id: FrameId, buffer: &'d mut [u8]) {
        self.frames[id.0].buffer = Some(buffer);
        self.free_frame(id);
    }

    /// Takes a lent buffer back with a frame in it, which `holders` timelines now hold.
    pub(crate) fn store(
        &mut self,
        id: FrameId,
        buffer: &'d mut [u8],
        info: FrameInfo,
        holders: usize,
    ) {
        debug_assert!(holders > 0 && info.len <= buffer.len());
        let frame = &mut self.frames[id.0];
        frame.buffer = Some(buffer);
        frame.info = info;
        frame.holders = holders;
    }

    /// What is known about a stored frame.
    pub(crate) fn info(&self, id: FrameId) -> FrameInfo {
        self.frames[id.0].info
    }

    /// Lends the buffer of a stored frame to its only holder; `None` if others hold it too.
    pub(crate) fn lend_stored(&mut self, id: FrameId) -> Option<&'d mut [u8]> {
        let frame = &mut self.frames[id.0];
        if frame.holders != 1 {
            return None;
        }
        frame.holders = 0;
        frame.buffer.take()
    }

    /// Copies a stored frame out, as much of it as fits, and says how much that is.
    pub(crate) fn copy_to(&self, id: FrameId, copy: &mut [u8]) -> usize {
        let frame = &self.frames[id.0];
        let bytes = frame.buffer.as_deref().unwrap_or_default();
        let len = frame.info.len.min(bytes.len()).min(copy.len());
        copy[..len].copy_from_slice(&bytes[..len]);
        len
    }

    /// One timeline less holds the frame; the last one frees it.
    pub(crate) fn let_go(&mut self, id: FrameId) {
        let frame = &mut self.frames[id.0];
        frame.holders = frame.holders.saturating_sub(1);
        if frame.holders == 0 {
            self.free_frame(id);
        }
    }

    fn free_frame(&mut self, id: FrameId) {
        self.frames[id.0].next_free = self.free.replace(id);
        self.available += 1;
    }
}
