//! RACK (RFC 8985, section 6): a segment is lost when one that was sent sufficiently later has arrived.

use super::delivered::{Delivered, Sent};
use super::scoreboard::Board;
use super::{Circumstances, Detected};
use crate::wire::SeqNum;

/// What time has shown.
#[derive(Clone, Debug)]
pub(crate) struct Rack {
    /// RACK.xmit_ts and RACK.end_seq: of all segments that arrived, the one sent last; see [`Self::newest`].
    newest_at: u32,
    newest_end: SeqNum,
    /// Whether it had been sent before; `None` while nothing has arrived.
    newest_retransmitted: Option<bool>,
    /// RACK.rtt, in microseconds.
    rtt: u32,
    /// The shortest round trip, in microseconds.
    min_rtt: u32,
    /// RACK.fack: the highest number that arrived.
    highest: SeqNum,
    /// Segments have overtaken each other.
    reordering_seen: bool,
    /// RACK.reo_wnd_mult: how many quarters of a round trip segments may be late.
    quarters: u8,
    /// RACK.reo_wnd_persist: for how many more recoveries without a needless retransmission that stays.
    persist: u8,
    /// RACK.dsack_round: the window has grown for what is in flight up to here, if anything is.
    grown_until: SeqNum,
}

impl Rack {
    pub(crate) fn new(iss: SeqNum) -> Self {
        Self {
            newest_at: 0,
            newest_end: iss,
            newest_retransmitted: None,
            rtt: 0,
            min_rtt: u32::MAX,
            highest: iss,
            reordering_seen: false,
            quarters: 1,
            persist: 0,
            grown_until: iss,
        }
    }

    /// Steps 1 to 3: takes note of what arrived. The round-trip time of the segment sent last, if that is
    /// certain, in microseconds.
    pub(crate) fn on_delivered(&mut self, now: u32, delivered: &mut Delivered) -> Option<u32> {
        if let Some(highest) = delivered.highest_original {
            self.highest = self.highest.max(highest);
        }
        let newest = delivered.newest?;
        let rtt = now.wrapping_sub(newest.at);
        if newest.retransmitted && rtt < self.min_rtt {
            // What arrived is more likely the original: the answer came too soon for the other.
            delivered.newest = None;
            return None;
        }
        self.rtt = rtt;
        if self.newest().is_none_or(|known| newest.after(known)) {
            self.newest_at = newest.at;
            self.newest_end = newest.end;
            self.newest_retransmitted = Some(newest.retransmitted);
        }
        if newest.retransmitted {
            return None;
        }
        self.min_rtt = self.min_rtt.min(rtt);
        Some(rtt)
    }

    /// Nothing is in flight. What arrived says nothing about what is sent next, and is forgotten while its time can still
    /// be compared.
    pub(super) fn on_quiet(&mut self) {
        self.newest_retransmitted = None;
    }

    /// Whether what arrived was overtaken by what arrived before (section 6.2, step 3).
    pub(super) fn overtakes(&self, delivered: &Delivered) -> bool {
        delivered
            .lowest_original
            .is_some_and(|lowest| lowest.before(self.highest))
    }

    /// The path was seen to reorder.
    pub(super) fn on_reordering(&mut self) {
        self.reordering_seen = true;
    }

    /// Whether it ever was.
    pub(super) fn has_seen_reordering(&self) -> bool {
        self.reordering_seen
    }

    /// Of all segments that arrived, the one sent last.
    fn newest(&self) -> Option<Sent> {
        let retransmitted = self.newest_retransmitted?;
        Some(Sent {
            at: self.newest_at,
            end: self.newest_end,
            retransmitted,
        })
    }

    /// Steps 4 and 5: takes for lost what was sent long enough before something that arrived.
    pub(crate) fn detect(&self, board: &mut Board<'_>, at: &Circumstances) -> Detected {
        let Some(newest) = self.newest() else {
            return Detected::default();
        };
        let window = self.reordering_window(at);
        let mut look_again: Option<u32> = None;
        let bytes = board.lose(|sent| {
            if !newest.after(sent) {
                return false;
            }
            let due = sent.at.wrapping_add(self.rtt).wrapping_add(window);
            let remaining = due.wrapping_sub(at.now) as i32;
            if remaining <= 0 {
                return true;
            }
            look_again = Some(look_again.unwrap_or(0).max(remaining as u32));
            false
        });
        Detected { bytes, look_again }
    }

    /// Section 6.2, step 4: a segment that arrived twice was sent again too soon, and the window grows,
    /// "once per round trip".
    pub(crate) fn on_report(&mut self, una: SeqNum, max: SeqNum, duplicate: bool) {
        if una.before(self.grown_until) {
            return;
        }
        // Stays close to what is in flight, where numbers can be compared.
        self.grown_until = una;
        if duplicate {
            self.grown_until = max;
            self.quarters = self.quarters.saturating_add(1);
            self.persist = PERSISTENCE;
        }
    }

    /// Section 6.2, step 4: the window falls back "after 16 recoveries" without a sign that it is needed.
    pub(crate) fn on_recovered(&mut self) {
        self.persist = self.persist.saturating_sub(1);
        if self.persist == 0 {
            self.quarters = 1;
        }
    }

    /// Section 6.2, step 4: a quarter of the shortest round trip for segments to overtake each other, and
    /// no time at all where none has and the loss is plain.
    fn reordering_window(&self, at: &Circumstances) -> u32 {
        if !self.reordering_seen && (at.in_recovery || at.sacked >= 3 * at.mss) {
            return 0;
        }
        let quarter = self.min_rtt / 4;
        quarter.saturating_mul(self.quarters.into()).min(at.srtt)
    }
}

/// RFC 8985, section 6.2, step 4.
const PERSISTENCE: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(n: u32) -> SeqNum {
        SeqNum::new(n)
    }

    /// Knows a round trip of 40 ms, and that segments overtake each other.
    fn rack() -> Rack {
        Rack {
            min_rtt: 40_000,
            reordering_seen: true,
            ..Rack::new(seq(0))
        }
    }

    fn window(rack: &Rack) -> u32 {
        rack.reordering_window(&Circumstances {
            now: 0,
            srtt: 100_000,
            in_recovery: true,
            mss: 1_000,
            sacked: 3_000,
        })
    }

    // Requirement: RFC 8985 6.2d, 6.2e
    #[test]
    fn rfc8985_6_2_a_quarter_of_the_shortest_round_trip() {
        assert_eq!(window(&rack()), 10_000);
        let in_order = Rack {
            reordering_seen: false,
            ..rack()
        };
        assert_eq!(window(&in_order), 0);
    }

    // Requirement: RFC 8985 3.3.2a, 4a
    #[test]
    fn rfc8985_6_2_the_window_grows_once_a_round_trip_with_duplicates() {
        let mut rack = rack();
        rack.on_report(seq(100), seq(500), true);
        rack.on_report(seq(200), seq(600), true);
        assert_eq!(window(&rack), 20_000, "once for what was in flight");
        rack.on_report(seq(500), seq(900), true);
        assert_eq!(window(&rack), 30_000);
    }

    // Requirement: RFC 8985 6.2c
    #[test]
    fn rfc8985_6_2_the_window_is_a_smoothed_round_trip_at_most() {
        let mut rack = rack();
        for n in 1..300 {
            rack.on_report(seq(n), seq(n), true);
        }
        assert_eq!(window(&rack), 100_000);
    }

    #[test]
    fn rfc8985_6_2_the_window_falls_back_after_sixteen_recoveries() {
        let mut rack = rack();
        rack.on_report(seq(100), seq(500), true);
        for _ in 0..15 {
            rack.on_recovered();
        }
        assert_eq!(window(&rack), 20_000);
        rack.on_recovered();
        assert_eq!(window(&rack), 10_000);
    }

    fn arrived(at: u32, end: u32, retransmitted: bool) -> Delivered {
        let original = (!retransmitted).then(|| seq(end));
        Delivered {
            bytes: 1_000,
            newest: Some(Sent {
                at,
                end: seq(end),
                retransmitted,
            }),
            highest_original: original,
            lowest_original: original,
        }
    }

    /// RFC 8985, section 6.2, step 2: what is acknowledged sooner than ever is rather the original.
    #[test]
    fn rfc8985_6_2_an_answer_that_comes_too_soon_is_not_for_the_retransmission() {
        let mut rack = rack();
        let mut original = arrived(0, 100, true);
        rack.on_delivered(39_999, &mut original);
        assert_eq!((rack.newest(), original.newest), (None, None));
        rack.on_delivered(40_000, &mut arrived(0, 100, true));
        assert!(rack.newest().is_some_and(|newest| newest.retransmitted));
    }

    /// RFC 8985, section 6.2, step 3.
    #[test]
    fn rfc8985_6_2_what_arrives_below_the_highest_was_overtaken() {
        let mut rack = Rack::new(seq(0));
        rack.on_delivered(50_000, &mut arrived(0, 200, false));
        assert!(!rack.overtakes(&arrived(0, 300, false)));
        assert!(!rack.overtakes(&arrived(0, 100, true)), "sent again");
        assert!(rack.overtakes(&arrived(0, 100, false)));
    }
}
