//! Was it a mistake? Segments that were only late, or whose acknowledgments were, are sent again for
//! nothing, and a congestion window that was cut for them is restored.
//!
//! | what shows it | RFC | needs |
//! | --- | --- | --- |
//! | the first acknowledgment echoes a timestamp from before the retransmission | 3522, 4015 (Eifel) | timestamps |
//! | the peer reports every retransmission as a duplicate | 2883, 3708 | D-SACK |
//! | after a timeout, what was sent only once still arrives | 5682 (F-RTO) | SACK |

/// What was sent again since the window was last cut, and what came back of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suspicion {
    /// The timestamp of the first retransmission, if it had one.
    stamp: u32,
    has_stamp: bool,
    /// Retransmissions that were not reported as duplicates. The last one settles it; [`TOO_MANY`] are not
    /// counted any more, and nothing is taken back for them.
    unreported: u8,
    cut: Cut,
    frto: Frto,
}

/// Whether there is something to take back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Cut {
    #[default]
    Not,
    /// A window was cut, and nothing was acknowledged since. What is reported to have arrived twice while
    /// the first hole is open was there before.
    Now,
    /// A window was cut, and something was acknowledged since.
    Before,
}

/// Where F-RTO stands (RFC 5682, section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Frto {
    /// There was no timeout, or it was settled.
    #[default]
    Off,
    /// The oldest segment was sent again; the next acknowledgment is the first since.
    FirstAck,
    /// It advanced. New data goes out in place of retransmissions, and what that brings decides.
    NewData,
}

impl Suspicion {
    /// The window is about to be cut because segments seem to be lost.
    pub(crate) fn start() -> Self {
        Self {
            cut: Cut::Now,
            ..Self::default()
        }
    }

    /// The retransmission timer expired. `again`: after it had before, so that the retransmission itself
    /// was lost or late; F-RTO leaves that alone.
    pub(crate) fn on_timeout(&mut self, again: bool) {
        self.frto = if again { Frto::Off } else { Frto::FirstAck };
    }

    /// A segment goes out again, with that timestamp if it has one.
    pub(crate) fn on_retransmitted(&mut self, timestamp: Option<u32>) {
        self.unreported = self.unreported.saturating_add(1);
        if let Some(timestamp) = timestamp.filter(|_| !self.has_stamp) {
            self.stamp = timestamp;
            self.has_stamp = true;
        }
    }

    /// New data is acknowledged.
    pub(crate) fn on_progress(&mut self) {
        if self.cut == Cut::Now {
            self.cut = Cut::Before;
        }
    }

    /// The peer reports a segment as received twice. True if that was the last of all that were sent
    /// again: none was needed.
    pub(crate) fn on_duplicate_reported(&mut self) -> bool {
        if self.cut != Cut::Before {
            return false;
        }
        let is_last = self.unreported == 1;
        if self.unreported != TOO_MANY {
            self.unreported = self.unreported.saturating_sub(1);
        }
        is_last
    }

    /// New data is acknowledged while losses are repaired; `echo`: the timestamp that came back. True if
    /// the answer is to what was sent before the first retransmission.
    pub(crate) fn is_older_than_retransmission(&self, echo: Option<u32>) -> bool {
        let Some(echo) = echo.filter(|_| self.cut != Cut::Not && self.has_stamp) else {
            return false;
        };
        (echo.wrapping_sub(self.stamp) as i32) < 0
    }

    /// An acknowledgment after a timeout. `original`: it covers something that was sent only once, before
    /// the timeout; `advances`: it acknowledges in order, but not everything. True if the timeout was a
    /// mistake.
    pub(crate) fn on_ack_after_timeout(&mut self, original: bool, advances: bool) -> bool {
        let before = self.frto;
        self.frto = match before {
            Frto::FirstAck if advances && !self.has_stamp => Frto::NewData,
            _ => Frto::Off,
        };
        before != Frto::Off && original && self.cut != Cut::Not
    }

    /// Whether new data goes before retransmissions. Where there are timestamps, the first acknowledgment
    /// says as much.
    pub(crate) fn prefers_new_data(&self) -> bool {
        self.frto == Frto::NewData
    }
}

/// More than anybody waits for reports of.
const TOO_MANY: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::recovery::reported_duplicate;
    use crate::wire::{SackBlocks, SeqNum};

    #[test]
    fn rfc3708_every_retransmission_was_a_duplicate() {
        let mut suspicion = Suspicion::start();
        suspicion.on_retransmitted(None);
        suspicion.on_retransmitted(None);
        assert!(!suspicion.on_duplicate_reported(), "from before");
        suspicion.on_progress();
        assert!(!suspicion.on_duplicate_reported());
        assert!(suspicion.on_duplicate_reported());
        assert!(!suspicion.on_duplicate_reported(), "a copy made on the way");
    }

    #[test]
    fn more_retransmissions_than_are_counted_are_never_all_reported() {
        let mut suspicion = Suspicion::start();
        suspicion.on_progress();
        for _ in 0..300 {
            suspicion.on_retransmitted(None);
        }
        for nth in 0..300 {
            assert!(!suspicion.on_duplicate_reported(), "{nth}");
        }
    }

    #[test]
    fn nothing_is_taken_back_when_nothing_was_cut() {
        let mut idle = Suspicion::default();
        idle.on_retransmitted(Some(5));
        assert!(!idle.on_duplicate_reported());
        assert!(!idle.is_older_than_retransmission(Some(4)));
    }

    #[test]
    fn rfc3522_the_echo_tells_which_copy_was_acknowledged() {
        let mut suspicion = Suspicion::start();
        suspicion.on_retransmitted(Some(u32::MAX));
        suspicion.on_retransmitted(Some(7));
        assert!(suspicion.is_older_than_retransmission(Some(u32::MAX - 1)));
        assert!(!suspicion.is_older_than_retransmission(Some(u32::MAX)));
        assert!(!suspicion.is_older_than_retransmission(Some(3)));
        assert!(!suspicion.is_older_than_retransmission(None));
    }

    #[test]
    fn rfc5682_3_1_originals_that_arrive_after_a_timeout_show_that_it_was_early() {
        let mut suspicion = Suspicion::start();
        suspicion.on_timeout(false);
        assert!(!suspicion.on_ack_after_timeout(false, true));
        assert!(suspicion.prefers_new_data());
        assert!(suspicion.on_ack_after_timeout(true, true));
    }

    #[test]
    fn rfc5682_3_1_a_duplicate_acknowledgment_leaves_the_timeout_as_it_is() {
        let mut suspicion = Suspicion::start();
        suspicion.on_timeout(false);
        assert!(!suspicion.on_ack_after_timeout(false, false));
        assert!(!suspicion.prefers_new_data());
        assert!(!suspicion.on_ack_after_timeout(true, true), "too late");
    }

    #[test]
    fn rfc5682_a_timeout_after_a_timeout_is_not_doubted() {
        let mut suspicion = Suspicion::start();
        suspicion.on_timeout(true);
        assert!(!suspicion.on_ack_after_timeout(true, true));
    }

    #[test]
    fn rfc2883_4_duplicates_below_the_acknowledgment_and_within_a_block() {
        let blocks = |ranges: &[(u32, u32)]| {
            let mut blocks = SackBlocks::default();
            for &(left, right) in ranges {
                blocks.push(SeqNum::new(left), SeqNum::new(right));
            }
            blocks
        };
        let ack = SeqNum::new(100);
        assert!(reported_duplicate(&blocks(&[(90, 100)]), ack).is_some());
        assert!(reported_duplicate(&blocks(&[(120, 130), (110, 130)]), ack).is_some());
        assert!(reported_duplicate(&blocks(&[(120, 130), (110, 115)]), ack).is_none());
        assert!(reported_duplicate(&blocks(&[(110, 130)]), ack).is_none());
        assert!(reported_duplicate(&blocks(&[]), ack).is_none());
    }
}
