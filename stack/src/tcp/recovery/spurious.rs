//! Was it a mistake? Segments that were only late, or whose acknowledgments were, are sent again for
//! nothing, and a congestion window that was cut for them is restored.
//!
//! | what shows it | RFC | needs |
//! | --- | --- | --- |
//! | the first acknowledgment echoes a timestamp from before the retransmission | 3522, 4015 (Eifel) | timestamps |
//! | the peer reports every retransmission as a duplicate | 2883, 3708 | D-SACK |
//! | after a timeout, what was sent only once still arrives | 5682 (F-RTO) | SACK |
//!
//! Whether a duplicate that the peer reports is a retransmission or a copy which the network made is "a nearly
//! impossible task" to find out (RFC 3708, section 3). That RFC gives up at the first copy that was certainly the
//! network's, and says that its method is not "the only possible" one. As in Linux (`tcp_check_dsack`), reports are
//! counted, whatever segment they are about, as long as the connection sent at least as many segments again as were
//! reported twice. A network that copies more than it loses is not believed.

use crate::tcp::clock::Moment;

/// What was sent again since the window was last cut, and what came back of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Suspicion {
    /// The timestamp of the first retransmission, if it had one.
    stamp: Option<Moment>,
    /// Retransmissions that were not reported as duplicates. The last one settles it; [`TOO_MANY`] are not
    /// counted any more, and nothing is taken back for them.
    unreported: u8,
    /// How many more segments the connection sent again than were reported as duplicates.
    surplus: i8,
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
    pub(crate) fn start(&mut self) {
        self.settle();
        self.cut = Cut::Now;
    }

    /// There is nothing to take back, or not any more.
    pub(crate) fn settle(&mut self) {
        *self = Self {
            surplus: self.surplus,
            ..Self::default()
        };
    }

    /// The retransmission timer expired. `again`: after it had before, so that the retransmission itself
    /// was lost or late; F-RTO leaves that alone.
    pub(crate) fn on_timeout(&mut self, again: bool) {
        self.frto = if again { Frto::Off } else { Frto::FirstAck };
    }

    /// A segment goes out again, with that timestamp if it has one.
    pub(crate) fn on_retransmitted(&mut self, timestamp: Option<u32>) {
        self.unreported = self.unreported.saturating_add(1);
        self.surplus = self.surplus.saturating_add(1);
        self.stamp = self.stamp.or(timestamp.map(Moment::new));
    }

    /// New data is acknowledged.
    pub(crate) fn on_progress(&mut self) {
        if self.cut == Cut::Now {
            self.cut = Cut::Before;
        }
    }

    /// The peer reports a segment as received twice; `acknowledged`: none before it is missing. True if that was the
    /// last of all that were sent again: none was needed.
    pub(crate) fn on_duplicate_reported(&mut self, acknowledged: bool) -> bool {
        let is_plausible = self.surplus > 0;
        self.surplus = self.surplus.saturating_sub(1);
        if !is_plausible || !acknowledged || self.cut != Cut::Before {
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
        let (Some(echo), Some(stamp)) = (echo, self.stamp) else {
            return false;
        };
        self.cut != Cut::Not && (stamp.age(echo) as i32) < 0
    }

    /// An acknowledgment after a timeout. `original`: it covers something that was sent only once, before
    /// the timeout; `advances`: it acknowledges in order, but not everything. True if the timeout was a
    /// mistake.
    pub(crate) fn on_ack_after_timeout(&mut self, original: bool, advances: bool) -> bool {
        let before = self.frto;
        self.frto = match before {
            Frto::FirstAck if advances && self.stamp.is_none() => Frto::NewData,
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

    fn started() -> Suspicion {
        let mut suspicion = Suspicion::default();
        suspicion.start();
        suspicion
    }

    #[test]
    fn rfc3708_every_retransmission_was_a_duplicate() {
        let mut suspicion = Suspicion::default();
        suspicion.on_retransmitted(None);
        suspicion.start();
        suspicion.on_retransmitted(None);
        suspicion.on_retransmitted(None);
        assert!(!suspicion.on_duplicate_reported(true), "from before");
        suspicion.on_progress();
        assert!(!suspicion.on_duplicate_reported(true));
        assert!(suspicion.on_duplicate_reported(true));
        assert!(
            !suspicion.on_duplicate_reported(true),
            "a copy made on the way"
        );
    }

    /// As in Linux: then a part of them are the network's, and nobody knows which.
    #[test]
    fn reports_of_more_copies_than_were_sent_again_say_nothing() {
        let mut suspicion = Suspicion::default();
        for _ in 0..3 {
            assert!(!suspicion.on_duplicate_reported(true), "of the network's");
        }
        for cut in 0..4 {
            suspicion.start();
            suspicion.on_retransmitted(None);
            suspicion.on_progress();
            let shows = suspicion.on_duplicate_reported(true);
            assert!(!shows, "{cut}: three were the network's, as many are since");
        }
        for cut in 0..4 {
            suspicion.start();
            suspicion.on_retransmitted(None);
            suspicion.on_progress();
            assert_eq!(cut == 3, suspicion.surplus > 0);
        }
        assert!(suspicion.on_duplicate_reported(true));
    }

    #[test]
    fn of_two_reports_and_one_segment_sent_again_one_is_the_networks() {
        let mut suspicion = started();
        suspicion.on_retransmitted(None);
        suspicion.on_progress();
        let beyond_a_gap = false;
        assert!(!suspicion.on_duplicate_reported(beyond_a_gap));
        assert!(!suspicion.on_duplicate_reported(true));
    }

    /// However long a network made copies: a good hundred segments sent again make up for them.
    #[test]
    fn a_network_that_stopped_making_copies_is_believed_again() {
        let mut suspicion = started();
        for _ in 0..1_000 {
            suspicion.on_duplicate_reported(false);
        }
        suspicion.on_progress();
        for _ in 0..129 {
            suspicion.on_retransmitted(None);
        }
        assert!(!suspicion.on_duplicate_reported(true), "of 129");
        suspicion.start();
        suspicion.on_progress();
        suspicion.on_retransmitted(None);
        assert!(suspicion.on_duplicate_reported(true));
    }

    #[test]
    fn more_retransmissions_than_are_counted_are_never_all_reported() {
        let mut suspicion = started();
        suspicion.on_progress();
        for _ in 0..300 {
            suspicion.on_retransmitted(None);
        }
        for nth in 0..300 {
            assert!(!suspicion.on_duplicate_reported(true), "{nth}");
        }
    }

    #[test]
    fn nothing_is_taken_back_when_nothing_was_cut() {
        let mut idle = Suspicion::default();
        idle.on_retransmitted(Some(5));
        assert!(!idle.on_duplicate_reported(true));
        assert!(!idle.is_older_than_retransmission(Some(4)));
    }

    #[test]
    fn rfc3522_the_echo_tells_which_copy_was_acknowledged() {
        let mut suspicion = started();
        suspicion.on_retransmitted(Some(u32::MAX));
        suspicion.on_retransmitted(Some(7));
        assert!(suspicion.is_older_than_retransmission(Some(u32::MAX - 1)));
        assert!(!suspicion.is_older_than_retransmission(Some(u32::MAX)));
        assert!(!suspicion.is_older_than_retransmission(Some(3)));
        assert!(!suspicion.is_older_than_retransmission(None));
    }

    #[test]
    fn rfc5682_3_1_originals_that_arrive_after_a_timeout_show_that_it_was_early() {
        let mut suspicion = started();
        suspicion.on_timeout(false);
        assert!(!suspicion.on_ack_after_timeout(false, true));
        assert!(suspicion.prefers_new_data());
        assert!(suspicion.on_ack_after_timeout(true, true));
    }

    #[test]
    fn rfc5682_3_1_a_duplicate_acknowledgment_leaves_the_timeout_as_it_is() {
        let mut suspicion = started();
        suspicion.on_timeout(false);
        assert!(!suspicion.on_ack_after_timeout(false, false));
        assert!(!suspicion.prefers_new_data());
        assert!(!suspicion.on_ack_after_timeout(true, true), "too late");
    }

    #[test]
    fn rfc5682_a_timeout_after_a_timeout_is_not_doubted() {
        let mut suspicion = started();
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
