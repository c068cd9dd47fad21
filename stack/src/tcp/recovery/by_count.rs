//! Loss detection without a clock (RFC 6675): a segment is lost when enough arrived that was sent behind it. What
//! was sent again and is lost once more is left to the retransmission timer.

use super::delivered::Delivered;
use super::scoreboard::Board;
use super::{Circumstances, Detected};
use crate::wire::SeqNum;

/// Nothing: the table says it all.
#[derive(Clone, Debug)]
pub(crate) struct ByCount;

impl ByCount {
    pub(crate) fn new(_: SeqNum) -> Self {
        Self
    }

    /// The round trip of the newest segment that arrived, unless it was sent more than once (Karn's algorithm).
    pub(crate) fn on_delivered(&mut self, now: u32, delivered: &mut Delivered) -> Option<u32> {
        let newest = delivered.newest.filter(|newest| !newest.retransmitted)?;
        Some(now.wrapping_sub(newest.at))
    }

    pub(super) fn on_quiet(&mut self) {}

    pub(super) fn overtakes(&self, _: &Delivered) -> bool {
        false
    }

    pub(super) fn on_reordering(&mut self) {}

    pub(super) fn has_seen_reordering(&self) -> bool {
        false
    }

    /// RFC 6675, section 4, IsLost().
    pub(crate) fn detect(&self, board: &mut Board<'_>, at: &Circumstances) -> Detected {
        Detected {
            bytes: board.lose_overtaken(at.mss),
            look_again: None,
        }
    }

    pub(crate) fn on_report(&mut self, _una: SeqNum, _max: SeqNum, _duplicate: bool) {}

    pub(crate) fn on_recovered(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::super::delivered::Sent;
    use super::*;

    /// RFC 6298, section 3: "RTT samples MUST NOT be made using segments that were retransmitted (and thus for which it is
    /// ambiguous whether the reply was for the first instance of the packet or a later instance)."
    #[test]
    fn rfc6298_3_what_was_sent_again_measures_no_round_trip() {
        for (retransmitted, rtt) in [(false, Some(150)), (true, None)] {
            let newest = Some(Sent {
                at: u32::MAX - 49,
                end: SeqNum::new(1),
                retransmitted,
            });
            let mut delivered = Delivered {
                newest,
                ..Delivered::default()
            };
            let mut detector = ByCount::new(SeqNum::new(0));
            assert_eq!(detector.on_delivered(100, &mut delivered), rtt);
        }
    }
}
