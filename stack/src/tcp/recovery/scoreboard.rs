//! What is known of each segment that was sent and is not acknowledged: when it was sent, whether it
//! arrived (RFC 2018), whether it is taken for lost.
//!
//! ```text
//!        una      end        end        end        end = nxt
//!   ------|--------|----------|----------|----------|------
//!         record 0   record 1   record 2   record 3
//!                    SACKED     LOST       sent again
//! ```
//!
//! A record is nine bytes, and the table lies behind the send buffer, so that it grows with what can be
//! in flight. A buffer that is too small for a table of its own gets by with a few records in the
//! connection. When the table is full, the last record takes the next segment as well: coarser, never
//! wrong.

use zerocopy::little_endian::U32;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::delivered::{Delivered, Sent};
use crate::storage::Reserve;
use crate::wire::{SackBlocks, SeqNum};

/// How the table is used; its memory is handed in.
#[derive(Debug)]
pub(crate) struct Scoreboard {
    head: u16,
    len: u16,
    /// Bytes that arrived ahead of others.
    pub(crate) sacked: u32,
    /// Bytes that are lost and were not sent again since.
    pub(crate) lost: u32,
    few: [Record; FEW],
}

/// One segment, or several that are treated alike.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Record {
    end: U32,
    /// When it was last sent, in the low 32 bits of microseconds.
    sent: U32,
    flags: u8,
}

const SACKED: u8 = 1;
const LOST: u8 = 2;
const RETRANSMITTED: u8 = 4;

/// Records of a connection whose send buffer has no room for a table, and hardly for a second segment.
const FEW: usize = 1;

/// A send buffer has one record for so many bytes: enough for segments a quarter of the usual size.
const BYTES_PER_RECORD: usize = 384;

/// A smaller buffer has no table.
const SMALLEST_WITH_TABLE: usize = 2048;

/// How much of a send buffer of `len` bytes the table takes.
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(crate) const fn table_len(len: usize) -> usize {
    if len < SMALLEST_WITH_TABLE {
        return 0;
    }
    let records = len / BYTES_PER_RECORD;
    let records = if records < MAX_RECORDS {
        records
    } else {
        MAX_RECORDS
    };
    // What is left for data wraps on a word boundary: copies of it then stay aligned, as they started.
    (records * size_of::<Record>()).next_multiple_of(size_of::<u64>())
}

const MAX_RECORDS: usize = 4096;

/// The place of the table: the end of the send buffer.
#[derive(Debug)]
pub(crate) struct RecordTable;

impl Reserve for RecordTable {
    fn reserve(len: usize) -> usize {
        table_len(len)
    }
}

/// How long a send buffer must be to hold `capacity` bytes of data: the table of what is in flight lies
/// behind them in the same buffer, a record of nine bytes for every 384 of them, in whole words of eight bytes.
///
/// A buffer that is just as long as a peer's window leaves the last bit of it unused.
///
/// ```
/// let mut buffer = [0; cygnet::tcp_send_buffer_len(16_384)];
/// assert_eq!(buffer.len(), 16_776);
/// # let _ = &mut buffer;
/// ```
pub const fn send_buffer_len(capacity: usize) -> usize {
    let mut len = capacity.saturating_add(table_len(capacity));
    // The table grows with the buffer, by a record or two.
    while len - table_len(len) < capacity && len < usize::MAX {
        len += 1;
    }
    len
}

/// The scoreboard together with its memory.
pub(crate) struct Board<'a> {
    state: &'a mut Scoreboard,
    records: &'a mut [Record],
    /// Where the first record starts.
    una: SeqNum,
}

/// A lost segment that is to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    nth: u16,
    pub(crate) start: SeqNum,
    pub(crate) end: SeqNum,
}

impl Record {
    fn new(end: SeqNum, at: u32) -> Self {
        Self {
            end: end.get().into(),
            sent: at.into(),
            flags: 0,
        }
    }

    fn end(&self) -> SeqNum {
        SeqNum::new(self.end.get())
    }

    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    fn sent(&self) -> Sent {
        Sent {
            at: self.sent.get(),
            end: self.end(),
            retransmitted: self.has(RETRANSMITTED),
        }
    }
}

impl Scoreboard {
    pub(crate) const fn new() -> Self {
        const EMPTY: Record = Record {
            end: U32::new(0),
            sent: U32::new(0),
            flags: 0,
        };
        Self {
            head: 0,
            len: 0,
            sacked: 0,
            lost: 0,
            few: [EMPTY; FEW],
        }
    }

    /// Bytes that arrived ahead of others.
    #[inline]
    pub(crate) fn sacked(&self) -> u32 {
        self.sacked
    }

    /// Bytes that are lost and were not sent again since.
    #[inline]
    pub(crate) fn lost(&self) -> u32 {
        self.lost
    }

    /// Nothing is in flight.
    pub(crate) fn clear(&mut self) {
        self.head = 0;
        self.len = 0;
        self.sacked = 0;
        self.lost = 0;
    }

    /// The scoreboard with its memory; what is in flight starts at `una`, and ends where the last record does.
    pub(crate) fn with<'a>(
        &'a mut self,
        memory: &'a mut [u8],
        una: SeqNum,
        _nxt: SeqNum,
    ) -> Board<'a> {
        let table = <[Record]>::mut_from_prefix(memory).map_or(&mut [][..], |(table, _)| table);
        Board {
            state: self,
            records: table,
            una,
        }
    }
}

impl Board<'_> {
    /// A segment up to `end` is sent for the first time.
    pub(crate) fn on_sent(&mut self, end: SeqNum, at: u32) {
        if self.len() == self.capacity() {
            // The last record takes it as well. To forget what became of that only costs sending again.
            let last = self.len() - 1;
            let record = self.get(last);
            let start = self.start(last);
            let len = record.end().distance_from(start);
            self.forget(&record, len);
            self.set(last, Record::new(end, at));
            return;
        }
        self.state.len += 1;
        self.set(self.len() - 1, Record::new(end, at));
    }

    /// Everything before `ack` arrived, and what is in `blocks`. `max`: one past the highest number sent.
    pub(crate) fn on_ack(&mut self, ack: SeqNum, max: SeqNum, blocks: &SackBlocks) -> Delivered {
        let mut delivered = Delivered::default();
        while self.len() > 0 {
            let record = self.get(0);
            if record.end().after(ack) {
                break;
            }
            let len = record.end().distance_from(self.una);
            delivered.count(&record, len);
            self.forget(&record, len);
            self.una = record.end();
            self.pop();
        }
        if self.len() > 0 && ack.after(self.una) {
            let mut record = self.get(0);
            let len = ack.distance_from(self.una);
            if !record.has(SACKED) {
                delivered.bytes += len;
            }
            self.forget(&record, len);
            self.una = ack;
            if record.flags == RETRANSMITTED {
                // No more than fits a segment was sent again of it, and that has arrived.
                record.flags |= LOST;
                self.state.lost += record.end().distance_from(ack);
                self.set(0, record);
            }
        }
        if !blocks.is_empty() {
            self.on_blocks(max, blocks, &mut delivered);
        }
        delivered
    }

    fn on_blocks(&mut self, max: SeqNum, blocks: &SackBlocks, delivered: &mut Delivered) {
        let una = self.una;
        let is_sane = |&(left, right): &(SeqNum, SeqNum)| {
            left.before(right) && left.at_or_after(una) && right.at_or_before(max)
        };
        let mut start = una;
        for nth in 0..self.len() {
            let mut record = self.get(nth);
            let end = record.end();
            let covers = |(left, right): (SeqNum, SeqNum)| {
                left.at_or_before(start) && end.at_or_before(right)
            };
            if !record.has(SACKED) && blocks.iter().filter(is_sane).any(covers) {
                let len = end.distance_from(start);
                delivered.count(&record, len);
                self.forget(&record, len);
                record.flags = (record.flags & !LOST) | SACKED;
                self.state.sacked += len;
                self.set(nth, record);
            }
            start = end;
        }
    }

    /// RFC 6675, section 4, IsLost(): takes a segment for lost that was sent once, and behind which three segments
    /// arrived or more than two segments' worth of bytes. How many bytes that are.
    #[cfg(any(test, not(feature = "tcp-rack")))]
    pub(crate) fn lose_overtaken(&mut self, mss: u32) -> u32 {
        let mut start = self.una;
        let (mut above, mut bytes) = (self.state.sacked, 0);
        let mut segments = (0..self.len())
            .filter(|&nth| self.get(nth).has(SACKED))
            .count();
        for nth in 0..self.len() {
            let mut record = self.get(nth);
            let len = record.end().distance_from(start);
            start = record.end();
            if record.has(SACKED) {
                above = above.saturating_sub(len);
                segments -= 1;
            } else if record.flags == 0 && (above > 2 * mss || segments >= 3) {
                record.flags = LOST;
                self.set(nth, record);
                bytes += len;
            }
        }
        self.state.lost += bytes;
        bytes
    }

    /// Takes segments for lost of which `is_lost` says so; bytes that are.
    #[cfg(any(test, feature = "tcp-rack"))]
    pub(crate) fn lose(&mut self, mut is_lost: impl FnMut(Sent) -> bool) -> u32 {
        let mut start = self.una;
        let mut bytes = 0;
        for nth in 0..self.len() {
            let mut record = self.get(nth);
            let end = record.end();
            if !record.has(SACKED) && !record.has(LOST) && is_lost(record.sent()) {
                record.flags |= LOST;
                self.set(nth, record);
                bytes += end.distance_from(start);
            }
            start = end;
        }
        self.state.lost += bytes;
        bytes
    }

    /// Takes every segment for lost that is longer than `limit` bytes: it does not fit the path.
    pub(crate) fn lose_longer(&mut self, limit: u32) {
        let mut start = self.una;
        for nth in 0..self.len() {
            let mut record = self.get(nth);
            let len = record.end().distance_from(start);
            if len > limit && !record.has(SACKED) && !record.has(LOST) {
                record.flags |= LOST;
                self.set(nth, record);
                self.state.lost += len;
            }
            start = record.end();
        }
    }

    /// How long the oldest segment is.
    #[cfg(feature = "tcp-plpmtud")]
    pub(crate) fn oldest_len(&self) -> u32 {
        if self.len() == 0 {
            return 0;
        }
        self.get(0).end().distance_from(self.una)
    }

    /// Takes the oldest segment for lost, unless it was sent again already; bytes that are.
    pub(crate) fn lose_first(&mut self, _mss: u32) -> u32 {
        if self.len() == 0 {
            return 0;
        }
        let mut record = self.get(0);
        if record.flags != 0 {
            return 0;
        }
        record.flags |= LOST;
        let len = record.end().distance_from(self.una);
        self.set(0, record);
        self.state.lost += len;
        len
    }

    /// The retransmission timer expired: everything that is not known to have arrived is lost. A peer
    /// that reported the oldest segment as received and does not acknowledge it has thrown it away
    /// (RFC 2018, section 8), and cannot be believed about the others either: true if it did.
    pub(crate) fn lose_all(&mut self) -> bool {
        let reneged = self.len() > 0 && self.get(0).has(SACKED);
        let mut start = self.una;
        self.state.lost = 0;
        for nth in 0..self.len() {
            let mut record = self.get(nth);
            if reneged {
                record.flags &= !SACKED;
            }
            if !record.has(SACKED) {
                record.flags |= LOST;
                self.state.lost += record.end().distance_from(start);
            }
            self.set(nth, record);
            start = record.end();
        }
        if reneged {
            self.state.sacked = 0;
        }
        reneged
    }

    /// Nothing that is in flight is lost after all.
    pub(crate) fn find_all(&mut self) {
        for nth in 0..self.len() {
            let mut record = self.get(nth);
            record.flags &= !LOST;
            self.set(nth, record);
        }
        self.state.lost = 0;
    }

    /// Whether something that was sent again has not arrived yet.
    pub(crate) fn awaits_retransmission(&self) -> bool {
        (0..self.len()).any(|nth| {
            let record = self.get(nth);
            record.has(RETRANSMITTED) && !record.has(SACKED)
        })
    }

    /// The first lost segment.
    pub(crate) fn first_lost(&self) -> Option<Hole> {
        if self.state.lost == 0 {
            return None;
        }
        let nth = (0..self.len()).find(|&nth| self.get(nth).has(LOST))?;
        Some(self.hole(nth))
    }

    /// The last segment, if it is not known to have arrived.
    #[cfg(any(test, feature = "tcp-rack"))]
    pub(crate) fn last(&self) -> Option<Hole> {
        let nth = self.len().checked_sub(1)?;
        (!self.get(nth).has(SACKED)).then(|| self.hole(nth))
    }

    /// `hole` is sent again, up to `end`.
    pub(crate) fn on_retransmitted(&mut self, hole: Hole, end: SeqNum, at: u32) {
        let nth = usize::from(hole.nth);
        let record = self.get(nth);
        let len = hole.end.distance_from(hole.start);
        self.forget(&record, len);
        let mut first = Record::new(hole.end, at);
        first.flags = RETRANSMITTED;
        if end.before(hole.end) && self.len() < self.capacity() {
            // Only part of it fits a segment: the rest keeps its fate.
            self.insert(
                nth,
                Record {
                    end: end.get().into(),
                    ..first
                },
            );
            if record.has(LOST) {
                self.state.lost += hole.end.distance_from(end);
            }
        } else {
            self.set(nth, first);
        }
    }

    fn hole(&self, nth: usize) -> Hole {
        Hole {
            nth: nth as u16,
            start: self.start(nth),
            end: self.get(nth).end(),
        }
    }

    fn start(&self, nth: usize) -> SeqNum {
        match nth.checked_sub(1) {
            Some(before) => self.get(before).end(),
            None => self.una,
        }
    }

    /// Takes `len` bytes of a record out of the sums.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn forget(&mut self, record: &Record, len: u32) {
        if record.has(SACKED) {
            self.state.sacked = self.state.sacked.saturating_sub(len);
        }
        if record.has(LOST) {
            self.state.lost = self.state.lost.saturating_sub(len);
        }
    }

    /// Puts a record before the `nth`; there is room.
    fn insert(&mut self, nth: usize, record: Record) {
        self.state.len += 1;
        for at in (nth..self.len() - 1).rev() {
            self.set(at + 1, self.get(at));
        }
        self.set(nth, record);
    }

    fn pop(&mut self) {
        self.state.len -= 1;
        self.state.head += 1;
        if usize::from(self.state.head) == self.capacity() || self.state.len == 0 {
            self.state.head = 0;
        }
    }

    fn len(&self) -> usize {
        usize::from(self.state.len)
    }

    fn capacity(&self) -> usize {
        self.table().len()
    }

    fn table(&self) -> &[Record] {
        if self.records.is_empty() {
            &self.state.few
        } else {
            self.records
        }
    }

    fn get(&self, nth: usize) -> Record {
        let table = self.table();
        table[position(self.state.head, nth, table.len())]
    }

    fn set(&mut self, nth: usize, record: Record) {
        let at = position(self.state.head, nth, self.capacity());
        if self.records.is_empty() {
            self.state.few[at] = record;
        } else {
            self.records[at] = record;
        }
    }
}

fn position(head: u16, nth: usize, capacity: usize) -> usize {
    let at = usize::from(head) + nth;
    if at >= capacity { at - capacity } else { at }
}

impl Delivered {
    fn count(&mut self, record: &Record, len: u32) {
        if record.has(SACKED) {
            return;
        }
        self.bytes += len;
        let sent = record.sent();
        if self.newest.is_none_or(|newest| sent.after(newest)) {
            self.newest = Some(sent);
        }
        if !sent.retransmitted {
            let (low, high) = (self.lowest_original, self.highest_original);
            self.lowest_original = Some(low.map_or(sent.end, |low| low.min(sent.end)));
            self.highest_original = Some(high.map_or(sent.end, |high| high.max(sent.end)));
        }
    }
}

#[cfg(test)]
mod tests;
