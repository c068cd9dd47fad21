//! A queue of whole packets: each keeps its boundaries, lies in one piece, and has metadata beside it.
//!
//! A packet can be taken out from behind the front, because packets to a host that does not answer must
//! not hold up those to other hosts. Its memory is free again when it reaches the front.

#[cfg_attr(not(target_pointer_width = "64"), path = "packet_queue/narrow.rs")]
mod wide;

use super::{Buffer, Bytes};
use wide::{MOST_BYTES, MOST_LEN, Record};

/// Room for the metadata of one packet in a socket's queue.
#[derive(Clone, Copy, Debug)]
pub struct PacketMetadata<M>(Record<M>);

impl<M> PacketMetadata<M> {
    /// Unused room.
    pub const EMPTY: Self = Self(Record::VACANT);
}

/// The queue: `count` records from `head`, their bytes in the same order in `bytes`.
#[derive(Debug)]
pub(crate) struct PacketQueue<'d, M> {
    records: Buffer<'d, PacketMetadata<M>>,
    bytes: Bytes<'d>,
    head: usize,
    count: usize,
    /// How many of the records have not been taken out.
    live: usize,
    /// Where the last packet ends.
    end: usize,
}

/// Why a packet was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// As wide as a place in the queue: one or the other is handed on in registers.
#[repr(usize)]
pub(crate) enum PushError {
    /// There is no room now.
    Full,
    /// There would be no room even if the queue were empty.
    TooLong,
}

impl<'d, M: Copy> PacketQueue<'d, M> {
    pub(crate) fn new(records: Buffer<'d, PacketMetadata<M>>, bytes: Bytes<'d>) -> Self {
        Self {
            records,
            bytes,
            head: 0,
            count: 0,
            live: 0,
            end: 0,
        }
    }

    /// Gives up its memory, and all packets with it.
    #[cfg(all(feature = "embedded-nal-async", feature = "socket-udp"))]
    pub(crate) fn take_memory(&mut self) -> (Buffer<'d, PacketMetadata<M>>, Bytes<'d>) {
        let empty = Self::new(Buffer::empty(), Bytes::empty());
        let full = core::mem::replace(self, empty);
        (full.records, full.bytes)
    }

    /// How many packets there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// The most packets there can be.
    pub(crate) fn packet_capacity(&self) -> usize {
        self.records.len()
    }

    /// The longest packet there can be, in bytes.
    pub(crate) fn byte_capacity(&self) -> usize {
        self.bytes.len().min(MOST_BYTES)
    }

    /// Whether a packet of `len` bytes could be queued now.
    pub(crate) fn can_push(&self, len: usize) -> Result<(), PushError> {
        self.place(len).map(|_| ())
    }

    /// Queues a packet of `len` bytes that `write` fills in and may shorten by returning less.
    ///
    /// Inlined where there is room for it: `meta`, which its caller has in registers, is written down once then, and
    /// not read back in pieces of other sizes.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(crate) fn push_with<R>(
        &mut self,
        meta: M,
        len: usize,
        write: impl FnOnce(&mut [u8]) -> (usize, R),
    ) -> Result<R, PushError> {
        let offset = self.place(len)?;
        let room = self.bytes.get_mut(offset..offset + len);
        // It is there, since there is a place.
        let (used, result) = write(room.ok_or(PushError::Full)?);
        self.put(meta, offset, used.min(len));
        Ok(result)
    }

    /// Notes a packet that was written where it is.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn put(&mut self, meta: M, offset: usize, len: usize) {
        let slot = self.slot(self.count);
        if let Some(record) = self.records.get_mut(slot) {
            record.0.set(meta, offset, len);
            self.end = offset + len;
            self.count += 1;
            self.live += 1;
        }
    }

    /// The `nth` packet that has not been taken out, counted over all records from the front; `None`
    /// past the last. Records that were taken out are passed over by [`Self::next_live`].
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn get(&self, nth: usize) -> Option<(&M, &[u8])> {
        if nth >= self.count {
            return None;
        }
        let (meta, start, len) = self.records.get(self.slot(nth))?.0.get()?;
        Some((meta, self.bytes.get(start..start + len)?))
    }

    /// As [`Self::get`], to change in place.
    pub(crate) fn get_mut(&mut self, nth: usize) -> Option<(&mut M, &mut [u8])> {
        if nth >= self.count {
            return None;
        }
        let slot = self.slot(nth);
        let (meta, start, len) = self.records.get_mut(slot)?.0.get_mut()?;
        Some((meta, self.bytes.get_mut(start..start + len)?))
    }

    /// The number of the first packet at or behind the `from`th record.
    pub(crate) fn next_live(&self, from: usize) -> Option<usize> {
        if from == 0 {
            // A front that is taken goes at once.
            return (self.count > 0).then_some(0);
        }
        (from..self.count).find(|&nth| !self.is_vacant(self.slot(nth)))
    }

    /// The first packet at or behind the `from`th record: its number, and what goes with it.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(crate) fn next(&self, from: usize) -> Option<(usize, &M)> {
        (from..self.count).find_map(|nth| self.get(nth).map(|(meta, _)| (nth, meta)))
    }

    /// The packet that was queued last, if it is still there.
    #[cfg(feature = "multicast")]
    pub(crate) fn back(&self) -> Option<&[u8]> {
        self.get(self.count.checked_sub(1)?).map(|(_, data)| data)
    }

    /// The same, to change in place.
    #[cfg(feature = "socket-raw")]
    pub(crate) fn back_mut(&mut self) -> Option<(&mut M, &mut [u8])> {
        self.get_mut(self.count.checked_sub(1)?)
    }

    /// Removes the packet that was queued last.
    #[cfg(feature = "socket-raw")]
    pub(crate) fn take_back(&mut self) {
        let Some(last) = self.count.checked_sub(1) else {
            return;
        };
        if let Some(record) = self.records.get(self.slot(last))
            && !record.0.is_vacant()
        {
            self.end = record.0.offset();
            self.count = last;
            self.live -= 1;
        }
    }

    /// The packet at the front.
    #[cfg(test)]
    pub(crate) fn front(&self) -> Option<(&M, &[u8])> {
        self.get(0)
    }

    /// The packet at the front, to change in place.
    pub(crate) fn front_mut(&mut self) -> Option<(&mut M, &mut [u8])> {
        self.get_mut(0)
    }

    /// Removes the packet at the front, and with it what was taken out behind it.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    #[cfg_attr(not(target_pointer_width = "32"), inline)]
    pub(crate) fn pop(&mut self) {
        if self.count == 0 {
            return;
        }
        self.live -= 1;
        self.pass();
        while self.count > self.live && self.is_vacant(self.head) {
            self.pass();
        }
    }

    /// The record at the front is that of no packet any more.
    #[inline]
    fn pass(&mut self) {
        self.head = self.slot(1);
        self.count -= 1;
    }

    /// Removes the `nth` packet.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn take(&mut self, nth: usize) {
        if nth == 0 {
            self.pop();
        } else if nth < self.count {
            let slot = self.slot(nth);
            if let Some(record) = self.records.get_mut(slot)
                && !record.0.is_vacant()
            {
                record.0 = Record::VACANT;
                self.live -= 1;
            }
        }
    }

    /// Removes everything.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.live = 0;
    }

    /// Where `len` bytes in one piece would go.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn place(&self, len: usize) -> Result<usize, PushError> {
        let capacity = self.byte_capacity();
        if len > capacity.min(MOST_LEN) || self.records.is_empty() {
            return Err(PushError::TooLong);
        }
        if self.count == self.records.len() {
            return Err(PushError::Full);
        }
        if self.count == 0 {
            return Ok(0);
        }
        // It is not vacant.
        let first = self
            .records
            .get(self.head)
            .map_or(0, |front| front.0.offset());
        let end = self.end;
        if end < first || (end == first && self.has_bytes()) {
            // The packets wrap around: the room is between the last and the first.
            return if first.saturating_sub(end) >= len {
                Ok(end)
            } else {
                Err(PushError::Full)
            };
        }
        if capacity - end >= len {
            Ok(end)
        } else if first >= len {
            Ok(0)
        } else {
            Err(PushError::Full)
        }
    }

    /// Whether one of the packets is not empty. Where the last ends at the first, the room is full then, and free
    /// otherwise.
    #[inline(never)]
    fn has_bytes(&self) -> bool {
        (0..self.count).any(|nth| self.get(nth).is_some_and(|(_, data)| !data.is_empty()))
    }

    fn is_vacant(&self, slot: usize) -> bool {
        self.records
            .get(slot)
            .is_none_or(|record| record.0.is_vacant())
    }

    fn slot(&self, nth: usize) -> usize {
        let at = self.head + nth;
        if at >= self.records.len() {
            at - self.records.len()
        } else {
            at
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;
    use std::vec;
    use std::vec::Vec;

    fn push(queue: &mut PacketQueue<'_, u16>, meta: u16, data: &[u8]) -> Result<(), PushError> {
        queue.push_with(meta, data.len(), |room| {
            room.copy_from_slice(data);
            (data.len(), ())
        })
    }

    #[test]
    fn says_why_there_is_no_room() {
        let mut records = [PacketMetadata::EMPTY; 2];
        let mut bytes = [0; 8];
        let mut queue = PacketQueue::new(Buffer::from(&mut records), Bytes::from(&mut bytes));
        assert_eq!(push(&mut queue, 1, &[0; 9]), Err(PushError::TooLong));
        assert_eq!(push(&mut queue, 1, &[0; 5]), Ok(()));
        assert_eq!(push(&mut queue, 2, &[0; 4]), Err(PushError::Full));
        assert_eq!(
            push(&mut queue, 2, &[]),
            Ok(()),
            "an empty packet is a packet"
        );
        assert_eq!(push(&mut queue, 3, &[]), Err(PushError::Full));
        let mut none = PacketQueue::<u16>::new(Buffer::empty(), Bytes::empty());
        assert_eq!(push(&mut none, 1, &[]), Err(PushError::TooLong));
    }

    #[test]
    fn empty_packets_take_no_bytes() {
        for start in [0, 5] {
            let mut records = [PacketMetadata::EMPTY; 4];
            let mut bytes = [0; 8];
            let mut queue = PacketQueue::new(Buffer::from(&mut records), Bytes::from(&mut bytes));
            push(&mut queue, 1, &vec![1; start]).unwrap();
            for meta in [2, 3] {
                push(&mut queue, meta, &[]).unwrap();
            }
            queue.pop();
            assert_eq!(push(&mut queue, 4, &[4; 5]), Ok(()), "from {start} on");
            assert_eq!(push(&mut queue, 5, &[5; 4]), Err(PushError::Full));
            for (meta, len) in [(2, 0), (3, 0), (4, 5)] {
                assert_eq!(queue.front(), Some((&meta, &[4; 5][..len])));
                queue.pop();
            }
        }
    }

    #[test]
    fn a_packet_taken_from_the_middle_leaves_the_others_in_order() {
        let mut records = [PacketMetadata::EMPTY; 4];
        let mut bytes = [0; 8];
        let mut queue = PacketQueue::new(Buffer::from(&mut records), Bytes::from(&mut bytes));
        for meta in 0..3 {
            push(&mut queue, meta, &[meta as u8; 2]).unwrap();
        }
        queue.take(1);
        assert_eq!(queue.len(), 2);
        assert_eq!(queue.next_live(1), Some(2));
        assert_eq!(queue.front(), Some((&0, &[0, 0][..])));
        queue.pop();
        assert_eq!(
            queue.front(),
            Some((&2, &[2, 2][..])),
            "the gap went with the front"
        );
    }

    proptest::proptest! {
        #[test]
        fn keeps_packets_whole_and_in_order(
            packets in 0usize..6, capacity in 0usize..24,
            ops in proptest::collection::vec((0u8..4, 0usize..10), 0..200),
        ) {
            let mut records = vec![PacketMetadata::EMPTY; packets];
            let mut bytes = vec![0; capacity];
            let mut queue = PacketQueue::new(Buffer::from(&mut records[..]), Bytes::from(&mut bytes[..]));
            let mut model: VecDeque<(u16, Vec<u8>)> = VecDeque::new();
            let mut next = 0u16;
            for (op, n) in ops {
                if op < 2 {
                    next += 1;
                    let data = vec![next as u8; n];
                    if push(&mut queue, next, &data).is_ok() {
                        model.push_back((next, data));
                    } else {
                        assert!(n > capacity || !model.is_empty() || packets == 0, "an empty queue takes what fits");
                    }
                } else if op == 2 {
                    queue.pop();
                    model.pop_front();
                } else if let Some(nth) = (0..n + 1).try_fold(None, |at: Option<usize>, _| {
                    queue.next_live(at.map_or(0, |a| a + 1)).map(Some)
                }).flatten() {
                    queue.take(nth);
                    model.remove(n);
                }
                assert_eq!(queue.len(), model.len());
                let mut at = 0;
                for (meta, data) in &model {
                    let nth = queue.next_live(at).unwrap();
                    assert_eq!(queue.get(nth), Some((meta, &data[..])));
                    at = nth + 1;
                }
            }
        }
    }
}
