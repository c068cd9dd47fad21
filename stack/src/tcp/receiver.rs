//! The receive sequence space (RFC 9293, section 3.3.1) and the bytes in it.
//!
//! ```text
//!       read by     readable       nxt    ahead of a gap          edge
//!      the user  |   (ring)         |....[#####]....[###]..........|
//!   -------------|------------------|------------------------------|------
//!                 <------------- capacity of the ring -----------------> or less
//! ```
//!
//! `edge` is what the peer was last told that it may send up to. It only ever moves right: the window is
//! never shrunk (RFC 9293, section 3.8.6, SHLD-14), and it moves in steps worth a segment (section
//! 3.8.6.2.2, the receiver's silly window avoidance).
//!
//! All of the buffer is offered from the start. Hosts that offer little at first, and more as the user reads,
//! do so because their buffers share a memory that grows on demand; here a connection has its buffer for
//! itself, and what is not offered would be of use to nobody.

#[cfg_attr(not(feature = "tcp-many-gaps"), path = "receiver/few_gaps.rs")]
mod out_of_order;

pub(super) use out_of_order::MOST_LATER;
use out_of_order::OutOfOrder;

use super::MAX_WINDOW_SHIFT;
use crate::storage::{Bytes, Ring};
use crate::wire::{SackBlocks, SeqNum};

#[derive(Debug)]
pub(crate) struct Receiver<'d> {
    /// RCV.NXT: the next number expected.
    pub(crate) nxt: SeqNum,
    /// RCV.NXT + RCV.WND as the peer knows it.
    edge: SeqNum,
    /// How far our window field is shifted.
    pub(crate) shift: u8,
    pub(crate) ring: Ring<'d>,
    /// What arrived ahead of a gap, the FIN too, or twice.
    ahead: OutOfOrder,
    /// Bytes received since the last acknowledgment was sent, as far as 16 bits count: one segment more than
    /// one is acknowledged at once.
    pub(crate) unacknowledged: u16,
    /// Segments that are still acknowledged at once, so that the peer's slow start is not held up.
    pub(crate) quick_acks: u8,
}

/// What became of a segment's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    /// It was next, and made this many bytes readable. `filled`: it filled a gap, or part of one.
    InOrder { bytes: u32, filled: bool },
    /// It is ahead of a gap.
    Ahead,
    /// All of it was there before.
    Duplicate,
    /// There was no room for it.
    NoRoom,
}

impl<'d> Receiver<'d> {
    pub(crate) fn new(buffer: Bytes<'d>) -> Self {
        Self {
            nxt: SeqNum::new(0),
            edge: SeqNum::new(0),
            shift: 0,
            ring: Ring::new(buffer),
            ahead: OutOfOrder::new(),
            unacknowledged: 0,
            quick_acks: 0,
        }
    }

    /// Starts a connection, after [`Self::reset`]: the peer's SYN has number `irs`.
    pub(crate) fn open(&mut self, irs: SeqNum) {
        self.nxt = irs + 1;
        self.edge = self.nxt;
    }

    /// Forgets an earlier connection, and what it left unread.
    pub(crate) fn reset(&mut self) {
        self.ring.clear();
        self.ahead.clear();
        self.edge = self.nxt;
    }

    /// The window in bytes that the peer knows of.
    pub(crate) fn window(&self) -> u32 {
        self.edge.distance_from(self.nxt)
    }

    /// Whether the peer's FIN arrived and everything before it as well.
    pub(crate) fn is_finished(&self) -> bool {
        self.ahead.fin_seen && self.nxt == self.ahead.fin + 1
    }

    /// The window field to send now, which moves the edge right if that is worth it.
    pub(crate) fn advertise(&mut self, mss: u16) -> u16 {
        if let Some(edge) = self.better_edge(mss) {
            self.edge = edge;
        }
        self.window_field()
    }

    /// The window field that says what the peer knows.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn window_field(&self) -> u16 {
        u16::try_from(self.window() >> self.shift).unwrap_or(u16::MAX)
    }

    /// The window field of a segment with SYN, which is never shifted (RFC 7323, section 2.2).
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn advertise_on_syn(&mut self) -> u16 {
        let window = u16::try_from(self.ring.free()).unwrap_or(u16::MAX);
        self.edge = self.edge.max(self.nxt + u32::from(window));
        window
    }

    /// Whether the user has made so much room that the peer should hear of it: at least two segments or
    /// half the buffer, or any worthwhile room after there was none.
    pub(crate) fn wants_update(&self, mss: u16) -> bool {
        let Some(edge) = self.better_edge(mss) else {
            return false;
        };
        let gain = edge.distance_from(self.edge);
        let enough = (2 * u32::from(mss)).min(self.ring.capacity() as u32 / 2);
        gain >= enough || self.window() < u32::from(mss)
    }

    /// RFC 9293, section 3.8.6.2.2: the edge moves by at least `min (Fr * RCV.BUFF, Eff.snd.MSS)`, with
    /// Fr = 1/2.
    fn better_edge(&self, mss: u16) -> Option<SeqNum> {
        let free = self.ring.free() as u32;
        // What the field can say: in units of the shift, and no more than 16 bits of them.
        let window = ((free >> self.shift).min(u32::from(u16::MAX))) << self.shift;
        let edge = self.nxt + window;
        let step = u32::from(mss).min(self.ring.capacity() as u32 / 2).max(1);
        (edge.after(self.edge) && edge.distance_from(self.edge) >= step).then_some(edge)
    }

    /// Whether a segment that takes `len` numbers from `seq` on shares any with the window, or touches
    /// its start without text (RFC 9293, section 3.10.7.4, first check). A window of zero takes what
    /// starts right at it, so that its acknowledgment counts; its text finds no room.
    pub(crate) fn accepts(&self, seq: SeqNum, len: u32) -> bool {
        let end = seq + len;
        let starts_within = seq.at_or_before(self.edge);
        let ends_within = if len == 0 {
            end.at_or_after(self.nxt)
        } else {
            end.after(self.nxt)
        };
        starts_within && ends_within
    }

    /// Takes a segment's text.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn store(&mut self, seq: SeqNum, text: &[u8]) -> Stored {
        let (seq, text) = if seq.before(self.nxt) {
            let old = self.nxt.distance_from(seq) as usize;
            let Some(text @ [_, ..]) = text.get(old..) else {
                self.ahead.on_duplicate(seq, seq + text.len() as u32);
                return Stored::Duplicate;
            };
            self.ahead.on_duplicate(seq, self.nxt);
            (self.nxt, text)
        } else {
            (seq, text)
        };
        let room = self.window().saturating_sub(seq.distance_from(self.nxt)) as usize;
        let text = &text[..text.len().min(room)];
        if text.is_empty() {
            return Stored::NoRoom;
        }
        // Few gaps are looked through quickly enough, whether there are any or not, where flash is dear.
        let looks_through = cfg!(not(any(
            feature = "tcp-many-gaps",
            feature = "many-sockets"
        )));
        if looks_through || !self.ahead.is_empty() || seq != self.nxt {
            let mut queue = self.ahead.with(&mut self.ring, self.nxt);
            let stored = queue.insert(seq, text);
            if let Stored::InOrder { bytes, .. } = stored {
                self.take(bytes);
            }
            return stored;
        }
        self.ring.write_ahead(0, text);
        let bytes = text.len() as u32;
        self.take(bytes);
        Stored::InOrder {
            bytes,
            filled: false,
        }
    }

    fn take(&mut self, bytes: u32) {
        self.ring.claim(bytes as usize);
        self.nxt += bytes;
    }

    /// Takes note of a FIN at `seq`, behind the segment's text. When it is next everything is there, whatever somebody
    /// may have said of an end elsewhere.
    pub(crate) fn note_fin(&mut self, seq: SeqNum) {
        if !self.ahead.fin_seen || seq == self.nxt {
            self.ahead.fin = seq;
            self.ahead.fin_seen = true;
        }
    }

    /// Steps over the FIN if it is next; true if this call did it.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn reach_fin(&mut self) -> bool {
        if !self.ahead.fin_seen || self.ahead.fin != self.nxt {
            return false;
        }
        self.ahead.forget_blocks();
        self.nxt += 1;
        self.edge = self.edge.max(self.nxt);
        true
    }

    /// Takes note that a segment arrived whose numbers were all there before.
    pub(crate) fn on_duplicate(&mut self, seq: SeqNum, len: u32) {
        self.ahead.on_duplicate(seq, seq + len);
    }

    /// Whether there are gaps.
    pub(crate) fn has_gaps(&self) -> bool {
        !self.ahead.is_empty()
    }

    /// The blocks to report, see [`OutOfOrder::sack_blocks`].
    pub(crate) fn sack_blocks(&self, later: u8) -> SackBlocks {
        self.ahead.sack_blocks(&self.ring, self.nxt, later)
    }

    /// The blocks are on their way.
    pub(crate) fn on_reported(&mut self) {
        self.ahead.on_reported();
    }

    /// Whether there is something to report in blocks.
    pub(crate) fn has_sack_blocks(&self) -> bool {
        self.ahead.has_sack_blocks()
    }
}

/// The smallest shift that lets a 16-bit field describe the whole buffer (RFC 7323, section 2.3).
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(crate) fn window_shift(capacity: usize) -> u8 {
    let bits = usize::BITS - capacity.leading_zeros();
    bits.saturating_sub(u16::BITS).min(MAX_WINDOW_SHIFT.into()) as u8
}

#[cfg(test)]
mod tests {
    use std::vec;

    use super::*;

    fn seq(n: u32) -> SeqNum {
        SeqNum::new(n)
    }

    fn receiver(memory: &mut [u8]) -> Receiver<'_> {
        let mut r = Receiver::new(Bytes::from(memory));
        r.open(seq(99));
        r.advertise_on_syn();
        r
    }

    fn readable(r: &Receiver<'_>) -> std::vec::Vec<u8> {
        let (a, b) = r.ring.slices(0, r.ring.len());
        [a, b].concat()
    }

    #[test]
    fn text_ahead_of_a_gap_is_kept_until_the_gap_is_filled() {
        let mut memory = [0; 16];
        let mut r = receiver(&mut memory);
        assert_eq!(r.store(seq(104), b"efgh"), Stored::Ahead);
        assert!(r.has_gaps());
        #[cfg(feature = "tcp-sack")]
        assert_eq!(r.sack_blocks(0).iter().next(), Some((seq(104), seq(108))));
        assert_eq!(
            r.store(seq(100), b"abcd"),
            Stored::InOrder {
                bytes: 8,
                filled: true
            }
        );
        assert_eq!(readable(&r), b"abcdefgh");
        assert!(!r.has_gaps());
    }

    #[cfg(feature = "tcp-many-gaps")]
    #[test]
    fn the_first_copy_wins_where_segments_overlap() {
        let mut memory = [0; 32];
        let mut r = receiver(&mut memory);
        r.store(seq(102), b"CD");
        r.store(seq(112), b"MN");
        assert_eq!(r.store(seq(101), b"bxxefghijklxxo"), Stored::Ahead);
        r.store(seq(100), b"a");
        assert_eq!(readable(&r), b"abCDefghijklMNo");
    }

    #[cfg(feature = "tcp-many-gaps")]
    #[test]
    fn rfc2883_what_arrives_twice_is_reported_once() {
        let mut memory = [0; 16];
        let mut r = receiver(&mut memory);
        r.store(seq(100), b"abcd");
        assert_eq!(r.store(seq(100), b"abcd"), Stored::Duplicate);
        assert_eq!(r.sack_blocks(0).iter().next(), Some((seq(100), seq(104))));
        r.on_reported();
        assert!(!r.has_sack_blocks());
        r.store(seq(108), b"ij");
        assert_eq!(r.store(seq(108), b"ij"), Stored::Duplicate);
        let blocks = r.sack_blocks(0);
        assert!(
            blocks
                .iter()
                .eq([(seq(108), seq(110)), (seq(108), seq(110))])
        );
    }

    #[test]
    fn text_beyond_the_window_is_cut_off() {
        let mut memory = [0; 4];
        let mut r = receiver(&mut memory);
        assert_eq!(
            r.store(seq(98), b"yzabcdef"),
            Stored::InOrder {
                bytes: 4,
                filled: false
            }
        );
        assert_eq!(readable(&r), b"abcd");
        assert_eq!(r.store(seq(104), b"e"), Stored::NoRoom);
    }

    // Requirement: RFC 9293 SHLD-14
    #[test]
    fn the_edge_never_moves_left_and_moves_right_in_steps() {
        let mut memory = [0; 16];
        let mut r = receiver(&mut memory);
        r.store(seq(100), &[0; 16]);
        assert_eq!(r.advertise(4), 0);
        r.ring.consume(3);
        assert_eq!(r.advertise(4), 0, "three bytes are not worth telling");
        assert!(!r.wants_update(4));
        r.ring.consume(1);
        assert!(r.wants_update(4), "the window was closed");
        assert_eq!(r.advertise(4), 4);
        r.store(seq(116), b"x");
        assert_eq!(r.advertise(4), 3, "the edge stands");
    }

    // Requirement: RFC 9293 SHLD-14; RFC 7323 2.4b
    #[test]
    fn the_edge_stands_where_the_field_cannot_say_it() {
        let mut memory = [0; 16];
        let mut r = receiver(&mut memory);
        r.shift = 3;
        r.store(seq(100), b"x");
        // 15 bytes are free and 8 of them can be told; all 15 were promised.
        assert_eq!((r.advertise(4), r.window()), (1, 15));
        assert!(r.accepts(seq(115), 1));
        // Whole units of eight are told.
        let mut memory = [0; 64];
        let mut r = receiver(&mut memory);
        r.shift = 3;
        r.store(seq(100), &[0; 64]);
        r.ring.consume(47);
        assert_eq!((r.advertise(4), r.window()), (5, 40));
    }

    #[test]
    fn a_fin_ahead_of_a_gap_counts_once_the_gap_is_filled() {
        let mut memory = [0; 16];
        let mut r = receiver(&mut memory);
        r.store(seq(102), b"cd");
        r.note_fin(seq(104));
        assert!(!r.reach_fin());
        r.store(seq(100), b"ab");
        assert!(r.reach_fin());
        assert!(r.is_finished());
        assert!(!r.reach_fin(), "once");
        assert_eq!(r.nxt, seq(105));
    }

    #[test]
    fn rfc9293_the_four_cases_of_acceptability() {
        let mut memory = [0; 8];
        let mut r = receiver(&mut memory); // window 100..108
        assert!(r.accepts(seq(100), 0) && r.accepts(seq(107), 0));
        assert!(!r.accepts(seq(99), 0) && !r.accepts(seq(109), 0));
        assert!(r.accepts(seq(99), 2) && r.accepts(seq(107), 9));
        assert!(!r.accepts(seq(90), 10) && !r.accepts(seq(109), 1));
        r.store(seq(100), &[0; 8]); // window 108..108
        assert!(r.accepts(seq(108), 0));
        assert!(r.accepts(seq(108), 1), "for its acknowledgment");
        assert!(!r.accepts(seq(107), 0) && !r.accepts(seq(109), 1));
    }

    #[test]
    fn the_shift_is_the_smallest_that_describes_the_buffer() {
        assert_eq!(window_shift(65_535), 0);
        assert_eq!(window_shift(65_536), 1);
        assert_eq!(window_shift(1 << 20), 5);
        assert_eq!(window_shift(usize::MAX), 14);
    }

    /// RFC 9293, section 3.8.6.2.2, for the two ways to have made enough room, and for the one to have had none.
    #[test]
    fn an_update_is_due_for_two_segments_or_half_the_buffer_or_after_a_closed_window() {
        for (mss, enough) in [(100, 200), (400, 500)] {
            let mut memory = [0; 1_000];
            let mut r = receiver(&mut memory);
            let left = u32::from(mss);
            r.store(seq(100), &vec![0; 1_000 - usize::from(mss)]);
            assert_eq!(r.window(), left, "one segment is no closed window");
            r.ring.consume(enough - 1);
            assert!(!r.wants_update(mss), "{mss}");
            r.ring.consume(1);
            assert!(r.wants_update(mss), "{mss}");
        }
        let mut memory = [0; 1_000];
        let mut r = receiver(&mut memory);
        r.store(seq(100), &[0; 1_000]);
        r.ring.consume(499);
        assert!(!r.wants_update(800));
        r.ring.consume(1);
        assert!(
            r.wants_update(800),
            "less than a segment, and half the buffer"
        );
        assert_eq!(r.advertise(800), 500);
    }
}
