//! The option of selective acknowledgments (RFC 2018 §3).

use super::super::Malformed;
use super::super::seq::SeqNum;
use super::options;

/// Up to four ranges of sequence numbers that arrived beyond a gap (RFC 2018 §3), each from its first
/// number to the one after its last. Nothing is known about them: a peer can claim any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SackBlocks {
    edges: [(SeqNum, SeqNum); 4],
    len: u8,
}

impl SackBlocks {
    /// How many blocks there is room for.
    pub const CAPACITY: usize = 4;
    /// No block at all.
    pub const EMPTY: Self = Self {
        edges: [(SeqNum::new(0), SeqNum::new(0)); Self::CAPACITY],
        len: 0,
    };

    /// Adds the block from `left` up to but not including `right` and tells whether there was room.
    pub fn push(&mut self, left: SeqNum, right: SeqNum) -> bool {
        let Some(edges) = self.edges.get_mut(usize::from(self.len)) else {
            return false;
        };
        *edges = (left, right);
        self.len += 1;
        true
    }

    /// The left and right edges, in the order in which they were pushed or received: the first block
    /// is the one that arrived last.
    pub fn iter(&self) -> impl Iterator<Item = (SeqNum, SeqNum)> + '_ {
        self.edges.iter().copied().take(self.len())
    }

    /// How many blocks there are.
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The length in bytes, with its padding, of the option that has as many of them as fit beside options that are
    /// `beside` bytes long.
    pub(crate) const fn option_len(&self, beside: usize) -> usize {
        let room = options::MAX_LEN.saturating_sub(beside + 4) / 8;
        let blocks = if self.len() < room { self.len() } else { room };
        if blocks == 0 { 0 } else { 4 + 8 * blocks }
    }

    /// Reads the body of an option. What was there before is gone.
    pub(super) fn read(&mut self, body: &[u8]) -> Result<(), Malformed> {
        let (blocks, []) = body.as_chunks() else {
            return Err(Malformed::BadOption);
        };
        *self = Self::EMPTY;
        for block in blocks {
            let [left, right] = options::words(*block);
            self.push(SeqNum::new(left), SeqNum::new(right));
            // Side by side they would take more code, and not less time.
            core::hint::black_box(());
        }
        Ok(())
    }
}
