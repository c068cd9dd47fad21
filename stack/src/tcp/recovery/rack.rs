//! RACK (RFC 8985, section 6): a segment is lost when one that was sent sufficiently later has arrived.

use super::scoreboard::{Board, Delivered, Sent};
use crate::wire::SeqNum;

/// What time has shown.
#[derive(Clone, Debug)]
pub(crate) struct Rack {
    /// RACK.xmit_ts and RACK.end_seq: of all segments that arrived, the one sent last.
    newest: Option<Sent>,
    /// RACK.rtt, in microseconds.
    rtt: u32,
    /// The shortest round trip, in microseconds.
    min_rtt: u32,
    /// RACK.fack: the highest number that arrived.
    highest: SeqNum,
    /// Segments have overtaken each other.
    reordering_seen: bool,
}

/// How much of the table is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Detected {
    pub(crate) bytes: u32,
    /// When to look again, in microseconds from now: some may only be late.
    pub(crate) look_again: Option<u32>,
}

/// What the reordering window depends on beside RACK's own state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances {
    /// In microseconds, low 32 bits.
    pub(crate) now: u32,
    /// In microseconds.
    pub(crate) srtt: u32,
    pub(crate) in_recovery: bool,
    /// At least three segments arrived ahead of others.
    pub(crate) three_ahead: bool,
}

impl Rack {
    pub(crate) fn new(iss: SeqNum) -> Self {
        Self {
            newest: None,
            rtt: 0,
            min_rtt: u32::MAX,
            highest: iss,
            reordering_seen: false,
        }
    }

    /// Steps 1 to 3: takes note of what arrived. The round-trip time of the segment sent last, if that is
    /// certain, in microseconds.
    pub(crate) fn on_delivered(&mut self, now: u32, delivered: &Delivered) -> Option<u32> {
        self.reordering_seen |= self.overtakes(delivered);
        if let Some(highest) = delivered.highest_original {
            self.highest = self.highest.max(highest);
        }
        let newest = delivered.newest?;
        let rtt = now.wrapping_sub(newest.at);
        if newest.retransmitted && rtt < self.min_rtt {
            // What arrived is more likely the original: the answer came too soon for the other.
            return None;
        }
        self.rtt = rtt;
        if self.newest.is_none_or(|known| newest.after(known)) {
            self.newest = Some(newest);
        }
        if newest.retransmitted {
            return None;
        }
        self.min_rtt = self.min_rtt.min(rtt);
        Some(rtt)
    }

    /// Whether what arrived was overtaken by what arrived before (section 6.2, step 3).
    pub(super) fn overtakes(&self, delivered: &Delivered) -> bool {
        delivered
            .lowest_original
            .is_some_and(|lowest| lowest.before(self.highest))
    }

    /// Steps 4 and 5: takes for lost what was sent long enough before something that arrived.
    pub(crate) fn detect(&self, board: &mut Board<'_>, at: &Circumstances) -> Detected {
        let Some(newest) = self.newest else {
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

    /// Section 6.2, step 4: a quarter of the shortest round trip for segments to overtake each other, and
    /// no time at all where none has and the loss is plain.
    fn reordering_window(&self, at: &Circumstances) -> u32 {
        if !self.reordering_seen && (at.in_recovery || at.three_ahead) {
            return 0;
        }
        (self.min_rtt / 4).min(at.srtt)
    }
}
