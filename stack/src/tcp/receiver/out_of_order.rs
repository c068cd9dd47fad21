//! What arrived ahead of a gap, and what the peer is told of it (RFC 2018, section 4; RFC 2883).
//!
//! ```text
//!        nxt                 at least 8              at least 8
//!   ------|..........[######]AAAAAAAA...[###########]BBBBBBBB.......[####]......|---
//!             any     first             second                      third      edge
//!                     in the struct     A: where it is              B: where it is
//! ```
//!
//! The bytes of a hole have not come yet, so a hole is where the list is kept, as RFC 815 does with fragments: behind
//! each block lie the edges of the next. Nothing is set aside for them, and a connection remembers as many blocks as
//! its receive buffer is long. Only the first block's edges are in the connection itself, so that the hole before it may
//! be of any length. The others have room for eight bytes: text that would leave less of a hole is cut where it comes
//! too near. What was cut off is not reported, and so sent again.
//!
//! New text mostly goes behind the last block, or into the first hole; neither looks at the blocks between. What does
//! looks at no more than [`MAX_BLOCKS`].
//!
//! The receiver is the only one to call this.

use super::Stored;
use crate::storage::Ring;
use crate::wire::{SackBlocks, SeqNum};

#[derive(Debug)]
pub(super) struct OutOfOrder {
    /// The first block, if there are any.
    first: Block,
    /// Where the edges of the last block lie: behind the one before it, or at RCV.NXT if it is the first.
    last: SeqNum,
    /// The blocks that changed last, the latest first; empty ones at the end.
    recent: [Block; RECENT],
    /// What arrived twice, to be reported once (RFC 2883); empty if there is nothing.
    duplicate: Block,
    /// Where the peer's FIN is, once it was seen; it may be ahead of a gap as well.
    pub(super) fin: SeqNum,
    pub(super) fin_seen: bool,
    /// How many blocks there are.
    len: u8,
}

/// Numbers from the left edge up to but not including the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) left: SeqNum,
    pub(super) right: SeqNum,
}

/// The blocks together with the memory that they lie in.
pub(super) struct Queue<'a, 'd> {
    state: &'a mut OutOfOrder,
    ring: &'a mut Ring<'d>,
    /// RCV.NXT, the end of what the ring has in use.
    nxt: SeqNum,
}

/// The same, to be read.
#[derive(Clone, Copy)]
struct View<'a, 'd> {
    state: &'a OutOfOrder,
    ring: &'a Ring<'d>,
    nxt: SeqNum,
}

/// A place in the list.
#[derive(Clone, Copy)]
struct Link {
    /// Where the edges of the block lie, or would if there were one.
    at: SeqNum,
    block: Option<Block>,
}

impl OutOfOrder {
    pub(super) const fn new() -> Self {
        Self {
            first: Block::EMPTY,
            last: SeqNum::new(0),
            recent: [Block::EMPTY; RECENT],
            duplicate: Block::EMPTY,
            fin: SeqNum::new(0),
            fin_seen: false,
            len: 0,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.forget_blocks();
        self.duplicate = Block::EMPTY;
        self.fin_seen = false;
    }

    /// Forgets what is ahead: nothing comes behind a FIN.
    pub(super) fn forget_blocks(&mut self) {
        self.len = 0;
        self.recent = [Block::EMPTY; RECENT];
    }

    /// Whether nothing is ahead of a gap.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The blocks with their memory; what is in use of `ring` ends at `nxt`.
    pub(super) fn with<'a, 'd>(&'a mut self, ring: &'a mut Ring<'d>, nxt: SeqNum) -> Queue<'a, 'd> {
        Queue {
            state: self,
            ring,
            nxt,
        }
    }

    /// Takes note of what arrived twice.
    pub(super) fn on_duplicate(&mut self, left: SeqNum, right: SeqNum) {
        self.duplicate = Block { left, right };
    }

    /// The blocks are on their way.
    pub(super) fn on_reported(&mut self) {
        self.duplicate = Block::EMPTY;
    }

    /// Whether there is something to report.
    pub(super) fn has_sack_blocks(&self) -> bool {
        !self.duplicate.is_empty() || !self.is_empty()
    }

    /// The blocks to report, the latest first (RFC 2018, section 4), and before them once what arrived twice
    /// (RFC 2883, section 4). Where there is room left, the first of all: it may have been reported long ago.
    ///
    /// When much arrived together, several reports go out together, and `later` of them after this one. The last
    /// is the one above; those before it tell of the blocks that it has no room for. What a peer does not hear of
    /// soon it takes for lost, or, when it hears of it late, for reordered.
    pub(super) fn sack_blocks(&self, ring: &Ring<'_>, nxt: SeqNum, later: u8) -> SackBlocks {
        if later > 0 {
            let others = self.earlier_blocks(ring, nxt, later);
            if !others.is_empty() {
                return others;
            }
        }
        let mut blocks = SackBlocks::default();
        let duplicate = (later == 0).then_some(self.duplicate);
        let known = self.recent.contains(&self.first) || self.is_empty();
        let first = (!known).then_some(self.first);
        for block in duplicate.into_iter().chain(self.recent).chain(first) {
            if !block.is_empty() {
                blocks.push(block.left, block.right);
            }
        }
        blocks
    }

    /// What a report says that `later` others follow: blocks that changed before those of the last report did. All
    /// reports together go from the lowest number to the highest, for the peer takes a block below those that it
    /// knows for text that was overtaken.
    #[inline(never)]
    fn earlier_blocks(&self, ring: &Ring<'_>, nxt: SeqNum, later: u8) -> SackBlocks {
        let view = View {
            state: self,
            ring,
            nxt,
        };
        let others = view.blocks().filter(|block| !self.recent.contains(block));
        let told = usize::from(MOST_LATER.saturating_sub(later)) * RECENT;
        let mut blocks = SackBlocks::default();
        for block in others.skip(told).take(RECENT) {
            blocks.push(block.left, block.right);
        }
        blocks
    }

    /// `block` grew, and is where those that it has in it were; it is `ahead` of a gap or not any more.
    fn on_change(&mut self, block: Block, ahead: bool) {
        let others = self.recent;
        let others = others
            .into_iter()
            .filter(|other| !other.is_empty() && !block.has(other.left));
        let newest = ahead.then_some(block).into_iter();
        let mut recent = newest.chain(others);
        self.recent = core::array::from_fn(|_| recent.next().unwrap_or(Block::EMPTY));
    }
}

impl<'d> Queue<'_, 'd> {
    fn view(&self) -> View<'_, 'd> {
        View {
            state: self.state,
            ring: self.ring,
            nxt: self.nxt,
        }
    }

    /// Takes text that lies within the window, at `left` or behind it. Where it overlaps what is there, the first
    /// copy wins.
    pub(super) fn insert(&mut self, left: SeqNum, text: &[u8]) -> Stored {
        let right = left + text.len() as u32;
        let place = self.view().find(left);
        if place
            .block
            .is_some_and(|known| known.left.at_or_before(left) && right.at_or_before(known.right))
        {
            self.state.on_duplicate(left, right);
            return Stored::Duplicate;
        }
        let in_order = left == self.nxt;
        let joins = |known: Block| known.left.at_or_before(right);
        if !in_order && self.state.len >= MAX_BLOCKS && !place.block.is_some_and(joins) {
            return Stored::NoRoom;
        }
        let start = if place.at == self.nxt {
            left
        } else {
            left.max(place.at + EDGES_LEN)
        };
        if start.at_or_after(right) {
            return Stored::NoRoom;
        }
        let before = self.state.len;
        let (joined, next) = self.join(place, Block { left, right }, start, text);
        if joined.is_empty() || place.block == Some(joined) {
            self.state.len = before;
            return Stored::NoRoom;
        }
        self.state.on_change(joined, !in_order);
        let bytes = joined.right.distance_from(self.nxt);
        if in_order {
            self.nxt = joined.right;
        } else {
            self.state.len += 1;
            self.put(place.at, joined);
        }
        self.relink(place, joined, next);
        if in_order {
            Stored::InOrder {
                bytes,
                filled: true,
            }
        } else {
            Stored::Ahead
        }
    }

    /// Writes what is not there yet of `text`, which has the numbers of `block`, from `start` on. The block that it is
    /// part of then, which is none that is in the list; and the next one.
    fn join(&mut self, place: Link, block: Block, start: SeqNum, text: &[u8]) -> (Block, Link) {
        let mut joined = Block {
            left: start,
            right: start,
        };
        let mut link = place;
        while let Some(known) = link.block.filter(|k| k.left.at_or_before(block.right)) {
            // Before the hole behind it is filled.
            let next = self.view().next(link, known);
            self.write(block.left, text, joined.right, known.left);
            let twice = Block {
                left: known.left.max(block.left),
                right: known.right.min(block.right),
            };
            if twice.left.before(twice.right) {
                self.state.duplicate = twice;
            }
            joined.left = joined.left.min(known.left);
            joined.right = joined.right.max(known.right);
            self.state.len -= 1;
            link = next;
        }
        let end = match link.block {
            // Not where the hole is the first one then.
            Some(next) if start != self.nxt => block.right.min(next.left - EDGES_LEN),
            _ => block.right,
        };
        self.write(block.left, text, joined.right, end);
        joined.right = joined.right.max(end);
        (joined, link)
    }

    /// `next` comes behind `joined`, which took `place`.
    fn relink(&mut self, place: Link, joined: Block, next: Link) {
        match next.block {
            Some(block) => {
                self.put(joined.right, block);
                if next.at == self.state.last {
                    self.state.last = joined.right;
                }
            }
            None => self.state.last = place.at,
        }
    }

    /// Writes the edges of `block` at `at`.
    fn put(&mut self, at: SeqNum, block: Block) {
        if at == self.nxt {
            self.state.first = block;
            return;
        }
        let [a, b, c, d] = block.left.get().to_ne_bytes();
        let [e, f, g, h] = block.right.get().to_ne_bytes();
        let offset = self.offset(at);
        self.ring.write_ahead(offset, &[a, b, c, d, e, f, g, h]);
    }

    /// Writes the part of `text`, which starts at `left`, that lies between `from` and `to`.
    fn write(&mut self, left: SeqNum, text: &[u8], from: SeqNum, to: SeqNum) {
        if !from.before(to) {
            return;
        }
        let part = from.distance_from(left) as usize..to.distance_from(left) as usize;
        if let Some(part) = text.get(part) {
            let offset = self.offset(from);
            self.ring.write_ahead(offset, part);
        }
    }

    fn offset(&self, at: SeqNum) -> usize {
        at.distance_from(self.nxt) as usize
    }
}

impl<'a, 'd> View<'a, 'd> {
    /// All blocks, the first one first.
    fn blocks(self) -> impl Iterator<Item = Block> + use<'a, 'd> {
        let first = (!self.state.is_empty()).then(|| self.link(self.nxt));
        let next = move |link: &Link| link.block.map(|known| self.next(*link, known));
        core::iter::successors(first, next).map_while(|link| link.block)
    }

    /// The first block that ends at `left` or behind it.
    fn find(self, left: SeqNum) -> Link {
        let last = self.state.last;
        let mut link = if self.state.is_empty() {
            Link {
                at: self.nxt,
                block: None,
            }
        } else if left.after(last) {
            self.link(last)
        } else {
            self.link(self.nxt)
        };
        while let Some(known) = link.block.filter(|known| known.right.before(left)) {
            link = self.next(link, known);
        }
        link
    }

    /// What comes behind the block `known`, whose edges are found by `link`.
    fn next(self, link: Link, known: Block) -> Link {
        if link.at == self.state.last {
            return Link {
                at: known.right,
                block: None,
            };
        }
        self.link(known.right)
    }

    /// Reads the edges that lie at `at`.
    fn link(self, at: SeqNum) -> Link {
        if at == self.nxt {
            return Link {
                at,
                block: Some(self.state.first),
            };
        }
        let mut edges = [0; EDGES_LEN as usize];
        self.ring
            .peek_ahead(at.distance_from(self.nxt) as usize, &mut edges);
        let [a, b, c, d, e, f, g, h] = edges;
        Link {
            at,
            block: Some(Block {
                left: SeqNum::new(u32::from_ne_bytes([a, b, c, d])),
                right: SeqNum::new(u32::from_ne_bytes([e, f, g, h])),
            }),
        }
    }
}

impl Block {
    const EMPTY: Self = Self {
        left: SeqNum::new(0),
        right: SeqNum::new(0),
    };

    fn is_empty(&self) -> bool {
        self.left == self.right
    }

    fn has(&self, number: SeqNum) -> bool {
        number.in_window(self.left, self.right.distance_from(self.left))
    }
}

/// What the edges of a block take.
const EDGES_LEN: u32 = 8;

/// How many blocks an acknowledgment with a timestamp has room for.
const RECENT: usize = 3;

/// How many reports follow the first of those that go out together. Linux holds back none of the first three.
pub(in crate::tcp) const MOST_LATER: u8 = 2;

/// So many blocks are no accident: a segment costs no more than a look at each of them.
const MAX_BLOCKS: u8 = 128;

#[cfg(test)]
mod tests;
