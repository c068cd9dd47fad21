//! In place of `out_of_order.rs`: what arrived ahead of a gap is remembered in up to [`BLOCKS`] blocks.
//!
//! The block that changed last is the first, which is the order in which they are reported (RFC 2018, section 4).

use super::Stored;
use crate::storage::{RangeSet, Ring};
use crate::wire::{SackBlocks, SeqNum};

#[derive(Debug)]
pub(super) struct OutOfOrder {
    /// The blocks, counted from RCV.NXT.
    blocks: RangeSet<BLOCKS>,
    /// Where the peer's FIN is, once it was seen; it may be ahead of a gap as well.
    pub(super) fin: SeqNum,
    pub(super) fin_seen: bool,
}

/// The blocks together with the memory that they lie in.
pub(super) struct Queue<'a, 'd> {
    state: &'a mut OutOfOrder,
    ring: &'a mut Ring<'d>,
    /// RCV.NXT, the end of what the ring has in use.
    nxt: SeqNum,
}

impl OutOfOrder {
    pub(super) const fn new() -> Self {
        Self {
            blocks: RangeSet::new(),
            fin: SeqNum::new(0),
            fin_seen: false,
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// Forgets what is ahead: nothing comes behind a FIN.
    pub(super) fn forget_blocks(&mut self) {
        self.blocks = RangeSet::new();
    }

    /// Whether nothing is ahead of a gap.
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The blocks with their memory; what is in use of `ring` ends at `nxt`.
    pub(super) fn with<'a, 'd>(&'a mut self, ring: &'a mut Ring<'d>, nxt: SeqNum) -> Queue<'a, 'd> {
        Queue {
            state: self,
            ring,
            nxt,
        }
    }

    /// What arrived twice is not reported (RFC 2883, section 4: an extension).
    pub(super) fn on_duplicate(&mut self, _left: SeqNum, _right: SeqNum) {}

    /// The blocks are on their way.
    pub(super) fn on_reported(&mut self) {}

    /// Whether there is something to report.
    pub(super) fn has_sack_blocks(&self) -> bool {
        !self.is_empty()
    }

    /// The blocks to report, the latest first (RFC 2018, section 4). One report has room for all, so `later` ones need
    /// not tell of others.
    pub(super) fn sack_blocks(&self, _: &Ring<'_>, nxt: SeqNum, _later: u8) -> SackBlocks {
        let mut blocks = SackBlocks::EMPTY;
        for block in self.blocks.iter() {
            blocks.push(nxt + block.start, nxt + block.end);
        }
        blocks
    }
}

impl Queue<'_, '_> {
    /// Takes text that lies within the window, at `left` or behind it.
    pub(super) fn insert(&mut self, left: SeqNum, text: &[u8]) -> Stored {
        let start = left.distance_from(self.nxt);
        let new = start..start + text.len() as u32;
        let blocks = &mut self.state.blocks;
        let mut gap = blocks.gap(new.clone());
        if gap.is_empty() {
            return Stored::Duplicate;
        }
        let filled = !blocks.is_empty();
        // Only where there is none yet: the first copy of a byte stays.
        while !gap.is_empty() {
            let piece = (gap.start - start) as usize..(gap.end - start) as usize;
            let piece = text.get(piece).unwrap_or_default();
            self.ring.write_ahead(gap.start as usize, piece);
            gap = blocks.gap(gap.end..new.end);
        }
        if start > 0 {
            return match blocks.insert(new) {
                Ok(()) => Stored::Ahead,
                Err(_) => Stored::NoRoom,
            };
        }
        // What it reaches lies ahead of it in one piece.
        let bytes = blocks.gap(new.end..u32::MAX).start;
        blocks.move_start(bytes);
        Stored::InOrder { bytes, filled }
    }
}

/// As many as a report has room for, and as smoltcp has by default.
const BLOCKS: usize = SackBlocks::CAPACITY;

/// How many reports follow the first of those that go out together.
pub(in crate::tcp) const MOST_LATER: u8 = 0;

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::super::Receiver;
    use super::*;
    use crate::rand::{Random, Seed};
    use crate::storage::Bytes;

    fn at(number: u32) -> SeqNum {
        SeqNum::new(u32::MAX - 50) + number
    }

    /// A receiver that expects the first number and offers all of `memory`.
    fn receiver(memory: &mut [u8]) -> Receiver<'_> {
        let mut r = Receiver::new(Bytes::from(memory));
        r.open(at(0) - 1);
        r.advertise_on_syn();
        r
    }

    /// What is ahead, which is what is reported where peers take reports.
    fn report(r: &Receiver<'_>) -> Vec<(u32, u32)> {
        let relative = |n: SeqNum| n.distance_from(at(0));
        let next = relative(r.nxt);
        let ahead = (r.ahead.blocks.iter()).map(|block| (next + block.start, next + block.end));
        let ahead = ahead.collect();
        if cfg!(feature = "tcp-sack") {
            let blocks = r.sack_blocks(0);
            let edges = blocks.iter().map(|(a, b)| (relative(a), relative(b)));
            assert_eq!(edges.collect::<Vec<_>>(), ahead);
        }
        ahead
    }

    #[test]
    fn reports_the_latest_first() {
        let mut memory = [0; 200];
        let mut r = receiver(&mut memory);
        for left in [10, 40, 70, 100] {
            assert_eq!(r.store(at(left), &[1; 10]), Stored::Ahead);
        }
        assert_eq!(report(&r), [(100, 110), (70, 80), (40, 50), (10, 20)]);
        assert_eq!(r.store(at(50), &[1; 5]), Stored::Ahead);
        assert_eq!(report(&r), [(40, 55), (100, 110), (70, 80), (10, 20)]);
        assert_eq!(r.store(at(55), &[1; 15]), Stored::Ahead);
        assert_eq!(report(&r), [(40, 80), (100, 110), (10, 20)]);
    }

    #[test]
    fn a_fifth_gap_finds_no_room_and_a_filled_one_makes_some() {
        let mut memory = [0; 200];
        let mut r = receiver(&mut memory);
        for left in [10, 40, 70, 100] {
            r.store(at(left), &[1; 10]);
        }
        assert_eq!(r.store(at(130), &[1; 10]), Stored::NoRoom);
        assert_eq!(report(&r), [(100, 110), (70, 80), (40, 50), (10, 20)]);
        let filled = Stored::InOrder {
            bytes: 20,
            filled: true,
        };
        assert_eq!(r.store(at(0), &[1; 10]), filled);
        assert_eq!(r.store(at(130), &[1; 10]), Stored::Ahead);
        let part = Stored::InOrder {
            bytes: 5,
            filled: true,
        };
        assert_eq!(r.store(at(20), &[1; 5]), part, "with four blocks ahead");
        assert_eq!(report(&r), [(130, 140), (100, 110), (70, 80), (40, 50)]);
    }

    #[test]
    fn what_arrives_twice_is_told_and_not_reported() {
        let mut memory = [0; 200];
        let mut r = receiver(&mut memory);
        r.store(at(10), &[1; 10]);
        assert_eq!(r.store(at(12), &[1; 3]), Stored::Duplicate);
        assert_eq!(report(&r), [(10, 20)]);
        assert_eq!(r.store(at(15), &[1; 10]), Stored::Ahead);
        assert_eq!(report(&r), [(10, 25)]);
    }

    /// RFC 9293, section 4: FIN "indicates that the sender will send no more data or control occupying sequence space", so
    /// nothing that came from behind it is reported any more.
    #[test]
    fn nothing_is_ahead_of_the_end() {
        let mut memory = [0; 200];
        let mut r = receiver(&mut memory);
        assert_eq!(r.store(at(10), &[1; 10]), Stored::Ahead);
        r.note_fin(at(0));
        assert!(r.reach_fin());
        assert!(!r.has_gaps());
        assert_eq!(report(&r), []);
    }

    #[test]
    fn the_first_copy_of_a_byte_stays() {
        let mut memory = [0; 200];
        let mut r = receiver(&mut memory);
        r.store(at(10), &[1; 10]);
        r.store(at(30), &[2; 10]);
        assert_eq!(r.store(at(5), &[3; 40]), Stored::Ahead);
        r.store(at(0), &[4; 50]);
        let (a, b) = r.ring.slices(0, r.ring.len());
        let pieces = [
            &[4; 5][..],
            &[3; 5],
            &[1; 10],
            &[3; 10],
            &[2; 10],
            &[3; 5],
            &[4; 5],
        ];
        assert_eq!([a, b].concat(), pieces.concat());
    }

    #[test]
    fn text_in_any_order_is_read_as_it_was_sent() {
        let mut random = Random::new(Seed::from(1));
        let sent: Vec<u8> = (0..=255).collect();
        for _ in 0..200 {
            let mut memory = [0; 256];
            let mut r = receiver(&mut memory);
            while r.ring.len() < sent.len() {
                let from = random.below(256);
                let to = (from + 1 + random.below(40)).min(256);
                let segment = &sent[from as usize..to as usize];
                let before = r.ring.len();
                match r.store(at(from), segment) {
                    Stored::InOrder { bytes, .. } => {
                        assert_eq!(r.ring.len(), before + bytes as usize);
                    }
                    _ => assert_eq!(r.ring.len(), before),
                }
                let reported = report(&r);
                let known = |&(left, right): &(u32, u32)| left < right && right <= 256;
                assert!(reported.iter().all(known), "{reported:?}");
            }
            let (a, b) = r.ring.slices(0, r.ring.len());
            assert_eq!([a, b].concat(), sent);
            assert!(!r.has_gaps());
        }
    }
}
