use std::collections::VecDeque;
use std::vec::Vec;

use super::super::Receiver;
use super::*;
use crate::rand::{Random, Seed};
use crate::storage::Bytes;

/// A receiver that expects `first`, and offers all of `memory`.
fn receiver(memory: &mut [u8], first: SeqNum) -> Receiver<'_> {
    let mut r = Receiver::new(Bytes::from(memory));
    r.open(first - 1);
    r.advertise_on_syn();
    r
}

fn at(number: u32) -> SeqNum {
    SeqNum::new(1000 + number)
}

fn blocks(r: &Receiver<'_>) -> Vec<(u32, u32)> {
    report(r, 0)
}

/// What a report says that `later` others follow.
fn report(r: &Receiver<'_>, later: u8) -> Vec<(u32, u32)> {
    let relative = |n: SeqNum| n.distance_from(at(0));
    let blocks = r.sack_blocks(later);
    blocks
        .iter()
        .map(|b| (relative(b.0), relative(b.1)))
        .collect()
}

#[test]
fn reports_the_latest_first_then_those_before_it_and_the_first_of_all() {
    let mut memory = [0; 200];
    let mut r = receiver(&mut memory, at(0));
    for left in [10, 40, 70, 100, 130] {
        assert_eq!(r.store(at(left), &[1; 10]), Stored::Ahead);
    }
    assert!(r.has_sack_blocks());
    assert_eq!(blocks(&r), [(130, 140), (100, 110), (70, 80), (10, 20)]);
    r.store(at(80), &[1; 5]);
    assert_eq!(blocks(&r), [(70, 85), (130, 140), (100, 110), (10, 20)]);
    r.store(at(50), &[1; 20]);
    assert_eq!(blocks(&r), [(40, 85), (130, 140), (100, 110), (10, 20)]);
}

#[test]
fn reports_that_go_out_together_tell_of_different_blocks() {
    let mut memory = [0; 400];
    let mut r = receiver(&mut memory, at(0));
    let block = |n: u32| (n * 30, n * 30 + 10);
    for n in 1..=8 {
        let (left, _) = block(n);
        assert_eq!(r.store(at(left), &[1; 10]), Stored::Ahead);
    }
    assert_eq!(report(&r, 2), [1, 2, 3].map(block));
    assert_eq!(report(&r, 1), [4, 5].map(block));
    assert_eq!(report(&r, 0), [8, 7, 6, 1].map(block));
    // Where there is nothing else to say, the same is said again, but not what arrived twice.
    r.store(at(0), &[1; 230]);
    r.store(at(240), &[1; 10]);
    assert_eq!(report(&r, 1), [block(8)]);
    assert_eq!(report(&r, 0), [block(8), block(8)]);
}

#[test]
fn what_was_reported_long_ago_is_reported_again_when_all_else_is_there() {
    let mut memory = [0; 200];
    let mut r = receiver(&mut memory, at(0));
    for left in [150, 10, 40, 70] {
        r.store(at(left), &[1; 10]);
    }
    r.store(at(0), &[1; 100]);
    r.on_reported();
    assert_eq!(blocks(&r), [(150, 160)]);
}

#[test]
fn keeps_as_many_blocks_as_the_buffer_has_room_for() {
    let mut memory = [0; 1000];
    let mut r = receiver(&mut memory, at(0));
    let lefts = || (0..55).map(|nth| 9 + nth * 18);
    for left in lefts() {
        assert_eq!(r.store(at(left), &[7; 9]), Stored::Ahead);
    }
    for left in lefts() {
        let gap = r.store(at(left - 9), &[8; 9]);
        let stored = Stored::InOrder {
            bytes: 18,
            filled: true,
        };
        assert_eq!(gap, stored);
    }
    assert!(!r.has_gaps());
    let (a, b) = r.ring.slices(0, r.ring.len());
    let read = [a, b].concat();
    assert!(
        read.chunks(9)
            .enumerate()
            .all(|(n, c)| c == [8 - (n % 2) as u8; 9])
    );
}

#[test]
fn a_hole_at_the_front_may_be_of_any_length_and_others_have_room_for_edges() {
    let mut memory = [0; 100];
    let mut r = receiver(&mut memory, at(0));
    assert_eq!(r.store(at(1), b"b"), Stored::Ahead);
    assert_eq!(r.store(at(5), b"fghijklmn"), Stored::Ahead, "from 10 on");
    assert_eq!(blocks(&r), [(10, 14), (1, 2)]);
    assert_eq!(r.store(at(9), b"j"), Stored::NoRoom, "too near");
    assert_eq!(r.store(at(2), b"cd"), Stored::NoRoom, "too near, too");
    assert_eq!(r.store(at(30), b"E"), Stored::Ahead);
    assert_eq!(r.store(at(15), b"pqrstuvwxyzABC"), Stored::NoRoom);
    assert_eq!(r.store(at(14), b"opqrstuvwxyzABC"), Stored::Ahead, "to 22");
    assert_eq!(blocks(&r)[0], (10, 22));
    r.store(at(0), b"abcdefghij");
    r.on_reported();
    assert_eq!(blocks(&r), [(30, 31)]);
    r.store(at(22), b"wxyzABCD");
    let (read, _) = r.ring.slices(0, r.ring.len());
    assert_eq!(read, b"abcdefghijklmnopqrstuvwxyzABCDE");
}

#[test]
fn text_in_order_is_never_cut() {
    let mut memory = [0; 32];
    let mut r = receiver(&mut memory, at(0));
    r.store(at(5), b"fgh");
    r.store(at(20), b"u");
    for (left, text) in [
        (0, &b"abcd"[..]),
        (4, b"e"),
        (8, b"ijklmnopqrs"),
        (19, b"t"),
    ] {
        assert!(matches!(r.store(at(left), text), Stored::InOrder { .. }));
    }
    let (read, _) = r.ring.slices(0, r.ring.len());
    assert_eq!(read, b"abcdefghijklmnopqrstu");
}

#[test]
fn more_blocks_than_a_segment_may_cost_are_not_begun_but_grow() {
    let mut memory = std::vec![0; 10_000];
    let mut r = receiver(&mut memory, at(0));
    for nth in 0..u32::from(MAX_BLOCKS) {
        assert_eq!(r.store(at(10 + nth * 20), &[1; 5]), Stored::Ahead);
    }
    assert_eq!(r.store(at(9_000), &[1; 5]), Stored::NoRoom);
    assert_eq!(r.store(at(15), &[1; 5]), Stored::Ahead, "one grows");
    assert_eq!(r.store(at(15), &[1; 20]), Stored::Ahead, "two become one");
    assert_eq!(r.store(at(9_000), &[1; 5]), Stored::Ahead);
    assert!(matches!(r.store(at(0), &[1; 10]), Stored::InOrder { .. }));
}

#[test]
fn what_lies_beyond_a_fin_is_forgotten_with_it() {
    let mut memory = [0; 100];
    let mut r = receiver(&mut memory, at(0));
    r.store(at(50), b"x");
    r.note_fin(at(0));
    assert!(r.reach_fin());
    assert!(!r.has_gaps() && !r.has_sack_blocks());
}

#[test]
fn another_connection_knows_nothing_of_the_one_before() {
    let mut memory = [0; 100];
    let mut r = receiver(&mut memory, at(0));
    r.store(at(50), b"x");
    r.store(at(50), b"x");
    r.note_fin(at(60));
    assert!(!r.reach_fin());
    r.reset();
    r.open(at(100) - 1);
    assert!(!r.has_gaps() && !r.has_sack_blocks());
    r.advertise_on_syn();
    r.store(at(120), b"y");
    assert_eq!(blocks(&r), [(120, 121)]);
    r.note_fin(at(100));
    assert!(r.reach_fin(), "not where the other's was");
}

/// The stream at `number`, different from its neighbours and from what the edges of blocks look like.
fn byte(number: u32) -> u8 {
    (number.wrapping_mul(2_654_435_761) >> 13) as u8
}

/// What is known of each byte from `nxt` on, kept as plainly as possible.
struct Model {
    nxt: u32,
    there: VecDeque<bool>,
}

impl Model {
    /// Takes over what the receiver says that it has, which has to be among what it had and what it was given.
    fn follow(&mut self, r: &Receiver<'_>, given: core::ops::Range<u32>, bytes: u32) {
        let mut there = self.there.clone();
        let given = given.start.max(self.nxt)..given.end.max(self.nxt);
        for number in given {
            there[(number - self.nxt) as usize] = true;
        }
        for (left, right) in r.sack_blocks(0).iter() {
            let block = left.get()..right.get();
            let mut ahead = block.filter(|&number| number >= self.nxt);
            assert!(ahead.all(|number| there[(number - self.nxt) as usize]));
        }
        let run = there.iter().take_while(|&&there| there).count() as u32;
        // What was cut off is not there, though it was given: only what comes in order shows it.
        assert!(bytes <= run, "{bytes} of {run}");
        self.nxt += bytes;
        self.there.drain(..bytes as usize);
        self.there.resize(self.there.len() + bytes as usize, false);
        self.note(r);
    }

    /// What is reported is there; what is not may have been cut off.
    fn note(&mut self, r: &Receiver<'_>) {
        for (left, right) in r.sack_blocks(0).iter() {
            for number in left.get().max(self.nxt)..right.get().max(self.nxt) {
                self.there[(number - self.nxt) as usize] = true;
            }
        }
    }
}

/// A stream that arrives in pieces at random, again and again, around a ring that wraps and is read in between.
#[test]
fn any_order_of_pieces_gives_the_stream() {
    for seed in 0..400 {
        let mut random = Random::new(Seed::from(seed));
        let capacity = 20 + random.below(300);
        let longest = 1 + random.below(60);
        let mut memory = std::vec![0; capacity as usize];
        // Not near the end of the numbers, so that the model can count.
        let first = random.below(1 << 30);
        let mut r = receiver(&mut memory, SeqNum::new(first));
        let mut model = Model {
            nxt: first,
            there: std::iter::repeat_n(false, 2 * capacity as usize + 100).collect(),
        };
        let mut read = first;
        for _ in 0..400 {
            let left = match random.below(8) {
                0 => model.nxt,
                _ => (model.nxt + random.below(capacity)).saturating_sub(random.below(10)),
            };
            let right = left + 1 + random.below(longest);
            let text: Vec<u8> = (left..right).map(byte).collect();
            let stored = r.store(SeqNum::new(left), &text);
            r.on_reported();
            let bytes = match stored {
                Stored::InOrder { bytes, .. } => bytes,
                _ => 0,
            };
            model.follow(&r, left..right, bytes);
            assert_eq!(r.nxt.get(), model.nxt, "seed {seed}");
            if random.below(3) == 0 {
                let mut out = std::vec![0; random.below(capacity) as usize];
                let len = r.ring.dequeue(&mut out);
                for &got in &out[..len] {
                    assert_eq!(got, byte(read), "seed {seed} at {read}");
                    read += 1;
                }
                r.advertise(1);
            }
        }
    }
}
