//! A ring of bytes whose unused part can be written ahead of its end, as TCP does with segments that
//! arrive out of order.

use core::marker::PhantomData;

use super::{Bytes, copy};

/// The ring: `len` bytes from `head` are in use. `R` says what of the buffer is set aside for another use.
#[derive(Debug)]
pub(crate) struct Ring<'d, R = Whole> {
    buffer: Bytes<'d>,
    head: u32,
    len: u32,
    reserve: PhantomData<R>,
}

/// How many bytes at the end of a buffer are not the ring's.
pub(crate) trait Reserve {
    /// Of a buffer of `len` bytes; at most as many.
    fn reserve(len: usize) -> usize;
}

/// The ring has all of its buffer.
#[derive(Debug)]
pub(crate) struct Whole;

impl Reserve for Whole {
    fn reserve(_: usize) -> usize {
        0
    }
}

impl<'d, R: Reserve> Ring<'d, R> {
    /// An empty ring. Of a buffer beyond 1 GiB only the first GiB is used, the most that TCP can
    /// describe in its window.
    pub(crate) fn new(buffer: Bytes<'d>) -> Self {
        Self {
            buffer,
            head: 0,
            len: 0,
            reserve: PhantomData,
        }
    }

    /// What was set aside.
    pub(crate) fn reserve_mut(&mut self) -> &mut [u8] {
        let len = self.buffer.len();
        &mut self.buffer[len - R::reserve(len)..]
    }

    /// The memory again.
    pub(crate) fn into_buffer(self) -> Bytes<'d> {
        self.buffer
    }

    pub(crate) fn capacity(&self) -> usize {
        let len = self.buffer.len();
        (len - R::reserve(len)).min(MAX_CAPACITY)
    }

    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Room behind the end, in bytes.
    pub(crate) fn free(&self) -> usize {
        self.capacity() - self.len()
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.head = 0;
        self.len = 0;
    }

    /// Appends as much of `data` as there is room for; how much that was.
    pub(crate) fn enqueue(&mut self, data: &[u8]) -> usize {
        let count = data.len().min(self.free());
        self.write_ahead(0, &data[..count]);
        self.claim(count);
        count
    }

    /// Writes `data` into the unused part, `offset` bytes behind the end, without taking it into use.
    /// What does not fit is left out.
    pub(crate) fn write_ahead(&mut self, offset: usize, data: &[u8]) {
        let room = self.free().saturating_sub(offset);
        let data = &data[..data.len().min(room)];
        let at = self.len() + offset;
        let (first, second) = self.slices_mut(at, data.len());
        let Some((head, tail)) = data.split_at_checked(first.len()) else {
            return;
        };
        copy(first, head);
        if !tail.is_empty() {
            copy(second, tail);
        }
    }

    /// Copies out what was written from `offset` bytes behind the end on.
    pub(crate) fn peek_ahead(&self, offset: usize, out: &mut [u8]) {
        self.copy_out(self.len() + offset, out);
    }

    /// Takes `count` bytes behind the end into use, written before by [`Self::write_ahead`].
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn claim(&mut self, count: usize) {
        self.len += count.min(self.free()) as u32;
    }

    /// Copies out and removes as much as fits `out`; how much that was.
    pub(crate) fn dequeue(&mut self, out: &mut [u8]) -> usize {
        let count = self.peek(out);
        self.consume(count);
        count
    }

    /// Copies out as much as fits `out`; how much that was.
    pub(crate) fn peek(&self, out: &mut [u8]) -> usize {
        let count = out.len().min(self.len());
        self.copy_out(0, &mut out[..count]);
        count
    }

    fn copy_out(&self, offset: usize, out: &mut [u8]) {
        let (first, second) = self.slices(offset, out.len());
        let Some((head, tail)) = out.split_at_mut_checked(first.len()) else {
            return;
        };
        copy(head, first);
        if let Some(tail) = tail.get_mut(..second.len())
            && !tail.is_empty()
        {
            copy(tail, second);
        }
    }

    /// Removes `count` bytes from the front.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn consume(&mut self, count: usize) {
        let count = count.min(self.len());
        self.head = self.position(count) as u32;
        self.len -= count as u32;
    }

    /// Lets an empty ring start over, so that the next bytes lie in one piece. What was written ahead is
    /// lost.
    pub(crate) fn restart_if_empty(&mut self) {
        if self.len == 0 {
            self.head = 0;
        }
    }

    /// `len` bytes from `offset` behind the front, in at most two pieces; both lie within the capacity.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn slices(&self, offset: usize, len: usize) -> (&[u8], &[u8]) {
        debug_assert!(len == 0 || offset + len <= self.capacity());
        let memory = self.buffer.get(..self.capacity()).unwrap_or_default();
        let halves = memory.split_at_checked(self.position(offset));
        let (low, high) = halves.unwrap_or_default();
        let first = high.get(..len).unwrap_or(high);
        let rest = len - first.len();
        (first, low.get(..rest).unwrap_or(low))
    }

    /// The front of what is in use, in one piece.
    pub(crate) fn readable(&mut self) -> &mut [u8] {
        let len = self.len();
        self.slices_mut(0, len).0
    }

    /// The room behind the end, in one piece.
    pub(crate) fn writable(&mut self) -> &mut [u8] {
        let (at, free) = (self.len(), self.free());
        self.slices_mut(at, free).0
    }

    fn slices_mut(&mut self, offset: usize, len: usize) -> (&mut [u8], &mut [u8]) {
        debug_assert!(len == 0 || offset + len <= self.capacity());
        let (capacity, start) = (self.capacity(), self.position(offset));
        let memory = self.buffer.get_mut(..capacity).unwrap_or_default();
        let halves = memory.split_at_mut_checked(start);
        let (low, high) = halves.unwrap_or_default();
        let first = len.min(high.len());
        let second = (len - first).min(low.len());
        (&mut high[..first], &mut low[..second])
    }

    /// Where in the buffer the byte `offset` behind the front is; `offset` is at most the capacity.
    fn position(&self, offset: usize) -> usize {
        let at = self.head as usize + offset;
        if at >= self.capacity() {
            at - self.capacity()
        } else {
            at
        }
    }
}

/// RFC 7323, section 2.3: the window is at most 2^30 bytes. Where addresses have 32 bits no slice is so long that its
/// numbers could not be told apart.
const MAX_CAPACITY: usize = if cfg!(target_pointer_width = "64") {
    1 << 30
} else {
    usize::MAX
};

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::vec::Vec;

    #[test]
    fn an_empty_buffer_holds_nothing_and_panics_at_nothing() {
        let mut ring = Ring::<Whole>::new(Bytes::empty());
        assert_eq!(ring.enqueue(b"x"), 0);
        ring.write_ahead(3, b"x");
        ring.claim(1);
        ring.consume(1);
        assert_eq!(ring.dequeue(&mut [0; 4]), 0);
        assert!(ring.readable().is_empty() && ring.writable().is_empty());
    }

    #[test]
    fn bytes_written_ahead_appear_when_claimed() {
        let mut memory = [0; 8];
        let mut ring = Ring::<Whole>::new(Bytes::from(&mut memory));
        ring.enqueue(b"abcde");
        ring.consume(4);
        ring.write_ahead(2, b"yz"); // wraps
        ring.write_ahead(0, b"wx");
        ring.claim(4);
        let mut out = [0; 8];
        assert_eq!(ring.dequeue(&mut out), 5);
        assert_eq!(&out[..5], b"ewxyz");
    }

    #[test]
    fn bytes_written_ahead_survive_that_the_ring_runs_empty() {
        let mut memory = [0; 8];
        let mut ring = Ring::<Whole>::new(Bytes::from(&mut memory));
        ring.enqueue(b"abc");
        ring.write_ahead(1, b"z");
        ring.consume(3);
        ring.write_ahead(0, b"y");
        ring.claim(2);
        let mut out = [0; 2];
        ring.dequeue(&mut out);
        assert_eq!(&out, b"yz");
    }

    proptest::proptest! {
        #[test]
        fn behaves_like_a_deque(capacity in 0usize..20, ops in proptest::collection::vec((0u8..3, 0usize..25), 0..200)) {
            let mut memory = [0u8; 20];
            let mut ring = Ring::<Whole>::new(Bytes::from(&mut memory[..capacity]));
            let mut model = VecDeque::new();
            let mut next = 0u8;
            for (op, n) in ops {
                match op {
                    0 => {
                        let data: Vec<u8> = (0..n).map(|i| next.wrapping_add(i as u8)).collect();
                        let taken = ring.enqueue(&data);
                        assert_eq!(taken, n.min(capacity - model.len()));
                        model.extend(&data[..taken]);
                        next = next.wrapping_add(taken as u8);
                    }
                    1 => {
                        let mut out = std::vec![0; n];
                        let got = ring.dequeue(&mut out);
                        let want: Vec<u8> = model.drain(..n.min(model.len())).collect();
                        assert_eq!(&out[..got], want);
                    }
                    _ => {
                        ring.consume(n);
                        model.drain(..n.min(model.len()));
                    }
                }
                let (first, second) = ring.slices(0, ring.len());
                assert!(first.iter().chain(second).eq(model.iter()));
                assert_eq!(ring.writable().is_empty(), ring.free() == 0);
            }
        }
    }
}
