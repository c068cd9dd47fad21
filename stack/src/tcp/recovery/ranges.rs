//! In place of `scoreboard.rs` where nothing looks at segments one by one: which bytes of those in flight arrived
//! (RFC 2018), which are lost, and which were sent again. That is all that RFC 6675 and RFC 6582 ask for.
//!
//! ```text
//!        una         resent                 lost_to                nxt
//!   ------|------------|-----------------------|---------------------|------
//!           sent again   lost                    in the network
//!                             ^ but for what arrived ahead of it ^
//! ```
//!
//! There is no table, and of the segments in flight one at a time is timed (RFC 6298, section 3).

use core::num::NonZeroU32;
use core::ops::Range;

use super::delivered::{Delivered, Sent};
use crate::storage::RangeSet;
pub(crate) use crate::storage::Whole as RecordTable;
use crate::wire::{SackBlocks, SeqNum};

#[derive(Debug)]
pub(crate) struct Scoreboard {
    /// What arrived ahead of others, counted from `una`.
    arrived: RangeSet<RANGES>,
    /// Up to here what was lost has been sent again, counted as well.
    resent: u32,
    /// Up to here everything is lost that has not arrived.
    lost_to: u32,
    timed: Option<Timed>,
}

/// A segment that is being timed.
#[derive(Clone, Copy, Debug)]
struct Timed {
    end: SeqNum,
    /// In microseconds. One in seventy minutes is taken for the next, so that nothing timed takes no room.
    at: NonZeroU32,
}

/// As many as tell that what is before them is lost. What does not fit is sent again needlessly. Where peers report
/// nothing, none.
const RANGES: usize = if cfg!(feature = "tcp-sack") { 3 } else { 0 };

/// How long a send buffer must be to hold `capacity` bytes of data: just as long. With one of the features `tcp-rack`,
/// `tcp-undo`, `tcp-bbr` and `tcp-plpmtud` a table of what is in flight lies behind them.
pub const fn send_buffer_len(capacity: usize) -> usize {
    capacity
}

/// The scoreboard and the numbers it is about.
pub(crate) struct Board<'a> {
    state: &'a mut Scoreboard,
    una: SeqNum,
    nxt: SeqNum,
}

/// Lost bytes that are to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) start: SeqNum,
    pub(crate) end: SeqNum,
}

impl Scoreboard {
    pub(crate) const fn new() -> Self {
        Self {
            arrived: RangeSet::new(),
            resent: 0,
            lost_to: 0,
            timed: None,
        }
    }

    /// Bytes that arrived ahead of others.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn sacked(&self) -> u32 {
        self.arrived.len_within(&(0..u32::MAX))
    }

    /// Bytes that are lost and were not sent again since.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn lost(&self) -> u32 {
        let gap = self.resent..self.lost_to;
        if gap.is_empty() {
            return 0;
        }
        (gap.end - gap.start) - self.arrived.len_within(&gap)
    }

    /// Nothing is in flight.
    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    /// The scoreboard for what is in flight, from `una` to `nxt`.
    pub(crate) fn with<'a>(
        &'a mut self,
        _memory: &'a mut [u8],
        una: SeqNum,
        nxt: SeqNum,
    ) -> Board<'a> {
        Board {
            state: self,
            una,
            nxt,
        }
    }
}

impl Board<'_> {
    /// A segment up to `end` is sent for the first time.
    pub(crate) fn on_sent(&mut self, end: SeqNum, at: u32) {
        let at = NonZeroU32::new(at).unwrap_or(NonZeroU32::MIN);
        self.state.timed.get_or_insert(Timed { end, at });
    }

    /// Everything before `ack` arrived, and what is in `blocks`. `max`: one past the highest number sent.
    pub(crate) fn on_ack(&mut self, ack: SeqNum, max: SeqNum, blocks: &SackBlocks) -> Delivered {
        let before = self.state.sacked();
        let mut bytes = 0;
        if ack.after(self.una) {
            bytes = ack.distance_from(self.una);
            self.state.arrived.move_start(bytes);
            self.state.resent = self.state.resent.saturating_sub(bytes);
            self.state.lost_to = self.state.lost_to.saturating_sub(bytes);
            self.una = ack;
        }
        for (left, right) in blocks.iter() {
            if left.before(right) && left.after(self.una) && right.at_or_before(max) {
                let _ = self
                    .state
                    .arrived
                    .insert(self.offset(left)..self.offset(right));
            }
        }
        let timed = self
            .state
            .timed
            .take_if(|timed| timed.end.at_or_before(ack));
        Delivered {
            bytes: (bytes + self.state.sacked()).saturating_sub(before),
            newest: timed.map(|Timed { end, at }| Sent {
                at: at.get(),
                end,
                retransmitted: false,
            }),
            ..Delivered::default()
        }
    }

    /// RFC 6675, section 4, IsLost(): takes for lost what was sent once, and behind which three ranges arrived or
    /// more than two segments' worth of bytes. How many bytes that are.
    pub(crate) fn lose_overtaken(&mut self, mss: u32) -> u32 {
        let arrived = &self.state.arrived;
        let overtaken = arrived.iter().map(|range| range.start).filter(|&start| {
            let above = arrived.iter().filter(|range| range.start >= start);
            let (ranges, bytes) = above.fold((0, 0), |(ranges, bytes), range| {
                (ranges + 1, bytes + (range.end - range.start))
            });
            ranges >= 3 || bytes > 2 * mss
        });
        let to = overtaken.fold(0, u32::max);
        self.lose_to(to)
    }

    /// Takes everything for lost that did not arrive: segments have become too long for the path.
    pub(crate) fn lose_longer(&mut self, _limit: u32) {
        self.state.resent = 0;
        self.lose_to(self.flight());
    }

    /// Takes the oldest segment for lost, unless it was sent again already; bytes that are.
    pub(crate) fn lose_first(&mut self, mss: u32) -> u32 {
        match self.state.resent {
            0 => self.lose_to(mss.min(self.flight())),
            _ => 0,
        }
    }

    /// The retransmission timer expired: everything that is not known to have arrived is lost. A peer
    /// that reported the oldest byte as received and does not acknowledge it has thrown it away
    /// (RFC 2018, section 8), and cannot be believed about the others either: true if it did.
    pub(crate) fn lose_all(&mut self) -> bool {
        let reneged = self.state.arrived.gap(0..1).is_empty();
        if reneged {
            self.state.arrived = RangeSet::new();
        }
        self.state.resent = 0;
        self.lose_to(self.flight());
        reneged
    }

    /// Nothing that is in flight is lost after all.
    pub(crate) fn find_all(&mut self) {
        self.state.lost_to = 0;
    }

    /// Whether something that was sent again has not arrived yet.
    pub(crate) fn awaits_retransmission(&self) -> bool {
        self.state.resent > 0
    }

    /// The first lost bytes.
    pub(crate) fn first_lost(&self) -> Option<Hole> {
        let lost = self.state.resent..self.state.lost_to;
        let Range { start, end } = self.state.arrived.gap(lost);
        (start < end).then(|| Hole {
            start: self.una + start,
            end: self.una + end,
        })
    }

    /// `hole` is sent again, up to `end`.
    pub(crate) fn on_retransmitted(&mut self, _hole: Hole, end: SeqNum, _at: u32) {
        self.state.resent = self.offset(end);
        // Karn's algorithm: what comes in from here on may be the answer to either.
        self.state.timed = None;
    }

    /// Everything up to `to` is lost that did not arrive; bytes that were not known to be.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn lose_to(&mut self, to: u32) -> u32 {
        let before = self.state.lost();
        self.state.lost_to = self.state.lost_to.max(to);
        self.state.lost().saturating_sub(before)
    }

    fn flight(&self) -> u32 {
        self.offset(self.nxt)
    }

    fn offset(&self, number: SeqNum) -> u32 {
        number.distance_from(self.una)
    }
}

#[cfg(feature = "tcp-sack")]
#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u32 = 100;

    fn seq(offset: u32) -> SeqNum {
        // So that the numbers wrap in the middle of what is in flight.
        SeqNum::new(u32::MAX - 250) + offset
    }

    fn blocks(ranges: &[(u32, u32)]) -> SackBlocks {
        let mut blocks = SackBlocks::EMPTY;
        for &(left, right) in ranges {
            blocks.push(seq(left), seq(right));
        }
        blocks
    }

    fn hole(start: u32, end: u32) -> Option<Hole> {
        Some(Hole {
            start: seq(start),
            end: seq(end),
        })
    }

    /// Ten segments of `MSS` bytes in flight, sent a microsecond apart.
    fn ten_in_flight(state: &mut Scoreboard) -> Board<'_> {
        let mut board = state.with(&mut [], seq(0), seq(1_000));
        for nth in 1..=10 {
            board.on_sent(seq(nth * MSS), nth);
        }
        board
    }

    // RFC 6675, section 4, IsLost(): "either when DupThresh discontiguous SACKed sequences have arrived above 'SeqNum'
    // or more than (DupThresh - 1) * SMSS bytes with sequence numbers greater than 'SeqNum' have been SACKed".
    #[test]
    fn rfc6675_4_lost_is_what_three_ranges_or_more_than_two_segments_overtook() {
        let mut state = Scoreboard::new();
        let mut board = ten_in_flight(&mut state);
        board.on_ack(seq(0), seq(1_000), &blocks(&[(100, 300)]));
        assert_eq!(board.lose_overtaken(MSS), 0, "two segments are not enough");
        board.on_ack(seq(0), seq(1_000), &blocks(&[(100, 301)]));
        assert_eq!(board.lose_overtaken(MSS), 100);
        assert_eq!(board.first_lost(), hole(0, 100));

        let mut state = Scoreboard::new();
        let mut board = ten_in_flight(&mut state);
        let sparse = blocks(&[(700, 710), (500, 510), (300, 310)]);
        assert_eq!(board.on_ack(seq(0), seq(1_000), &sparse).bytes, 30);
        assert_eq!(board.lose_overtaken(MSS), 300);
        assert_eq!(board.lose_overtaken(MSS), 0, "it is known by now");
    }

    #[test]
    fn what_was_lost_is_sent_again_around_what_arrived() {
        let mut state = Scoreboard::new();
        let mut board = ten_in_flight(&mut state);
        board.on_ack(seq(0), seq(1_000), &blocks(&[(600, 1_000), (200, 400)]));
        assert_eq!(board.lose_overtaken(MSS), 400);
        for (start, end) in [(0, 200), (400, 600)] {
            let Some(first) = board.first_lost() else {
                panic!("bytes are lost");
            };
            assert_eq!(Some(first), hole(start, end));
            let middle = seq(start + 100);
            board.on_retransmitted(first, middle, 20);
            assert_eq!(board.first_lost(), hole(start + 100, end));
            board.on_retransmitted(first, seq(end), 20);
        }
        assert_eq!(board.first_lost(), None);
        // It is not lost once more, whatever arrives: that is for the timer to say.
        board.on_ack(seq(0), seq(1_000), &blocks(&[(500, 1_000)]));
        assert_eq!(board.lose_overtaken(MSS), 0);
        assert!(board.lose_first(MSS) == 0 && board.awaits_retransmission());
        assert!(!board.lose_all());
        assert_eq!((state.sacked(), state.lost()), (700, 300));
    }

    #[test]
    fn an_acknowledgment_delivers_what_had_not_been_reported() {
        let mut state = Scoreboard::new();
        let mut board = ten_in_flight(&mut state);
        board.on_ack(seq(0), seq(1_000), &blocks(&[(200, 500)]));
        board.lose_overtaken(MSS);
        let delivered = board.on_ack(seq(300), seq(1_000), &blocks(&[(600, 700)]));
        assert_eq!(delivered.bytes, 200 + 100);
        assert_eq!(board.first_lost(), None);
        assert_eq!((state.sacked(), state.lost()), (300, 0));
    }

    #[test]
    fn one_segment_at_a_time_is_timed_and_none_that_was_sent_again() {
        let mut state = Scoreboard::new();
        let mut board = ten_in_flight(&mut state);
        let nothing = SackBlocks::EMPTY;
        let newest = board.on_ack(seq(200), seq(1_000), &nothing).newest;
        assert_eq!(newest.map(|sent| (sent.at, sent.end)), Some((1, seq(100))));
        assert_eq!(board.on_ack(seq(300), seq(1_000), &nothing).newest, None);

        board.on_sent(seq(1_100), 11);
        assert_eq!(board.lose_first(MSS), 100);
        let Some(first) = board.first_lost() else {
            panic!("bytes are lost");
        };
        board.on_retransmitted(first, first.end, 12);
        assert_eq!(board.on_ack(seq(1_100), seq(1_100), &nothing).newest, None);
    }

    // RFC 2018, section 8: "the data sender [...] MUST NOT discard data [...] until it has been acknowledged".
    #[test]
    fn a_peer_that_threw_away_what_it_reported_gets_it_again() {
        let mut state = Scoreboard::new();
        let mut board = ten_in_flight(&mut state);
        board.on_ack(seq(0), seq(1_000), &blocks(&[(100, 400)]));
        board.on_ack(seq(100), seq(1_000), &SackBlocks::EMPTY);
        assert!(board.lose_all(), "it does not acknowledge what it reported");
        assert_eq!(board.first_lost(), hole(100, 1_000));
        assert_eq!((state.sacked(), state.lost()), (0, 900));
    }

    #[test]
    fn blocks_of_what_was_never_sent_are_ignored() {
        let mut state = Scoreboard::new();
        let mut board = ten_in_flight(&mut state);
        let lies = blocks(&[(900, 1_001), (300, 200), (0, 100)]);
        assert_eq!(
            board.on_ack(seq(0), seq(1_000), &lies),
            Delivered::default()
        );
        assert_eq!((state.sacked(), state.lost()), (0, 0));
    }

    #[test]
    fn a_narrower_path_loses_everything_that_did_not_arrive() {
        let mut state = Scoreboard::new();
        let mut board = ten_in_flight(&mut state);
        board.on_ack(seq(0), seq(1_000), &blocks(&[(100, 400)]));
        board.lose_longer(50);
        assert_eq!(board.first_lost(), hole(0, 100));
        assert_eq!((state.sacked(), state.lost()), (300, 700));
    }
}
