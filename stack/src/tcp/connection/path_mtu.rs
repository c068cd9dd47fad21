//! How long a segment may be: what the peer takes, and what the path takes as far as routers tell (RFC 9293,
//! section 3.7.1; RFC 1191). What is found out without their help is the matter of `plpmtud.rs`.
//!
//! The engine knows the path, and brings what it takes with every call for a segment. When that has become
//! less, what is in flight and too long cannot have arrived: it is sent again at once, in smaller segments,
//! and says nothing about congestion.

use super::Connection;
use super::marks::Mark;
#[cfg(feature = "tcp-plpmtud")]
use super::plpmtud::Search;
use crate::tcp::MIN_MSS;
use crate::wire::SeqNum;

/// The longest TCP payload, without options, that a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PathMss {
    /// The first hop alone: what the peer is told, for the way back may be wider than the way there
    /// (RFC 6691).
    pub(crate) announced: u16,
    /// The whole path, as far as is known.
    pub(crate) usable: u16,
}

/// What the length of segments follows from.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentSize {
    /// The peer's MSS option.
    peer: u16,
    /// [`PathMss::usable`].
    pub(super) path: u16,
    /// About the longest segment that ever arrived. Errs on the long side, where one acknowledgment is for
    /// several.
    #[cfg(feature = "path-mtu")]
    proven: u16,
    #[cfg(feature = "tcp-plpmtud")]
    pub(super) search: Search,
}

impl SegmentSize {
    pub(super) fn new(path: u16) -> Self {
        Self {
            peer: u16::MAX,
            path,
            #[cfg(feature = "path-mtu")]
            proven: 0,
            #[cfg(feature = "tcp-plpmtud")]
            search: Search::OFF,
        }
    }

    /// `acked` bytes were acknowledged at once, in segments of at most `mss`.
    #[inline]
    #[cfg(feature = "path-mtu")]
    pub(super) fn on_acked(&mut self, acked: u32, mss: u16) {
        let longest = acked.min(u32::from(mss)) as u16;
        self.proven = self.proven.max(longest);
    }
}

impl Connection<'_> {
    /// What is known about the path, now that a segment is to be sent.
    #[inline]
    pub(super) fn on_path(&mut self, path: PathMss) {
        if path.usable != self.size.path {
            self.size.path = path.usable;
            self.refit();
        }
    }

    /// The peer's SYN says what it takes. One that claims next to nothing would make every byte cost forty.
    pub(super) fn on_peer_mss(&mut self, mss: u16) {
        self.size.peer = mss.max(MIN_MSS);
        self.mss = self.longest_segment();
    }

    /// The longest payload of a segment as far as peer and routers say, less the options that every segment
    /// has.
    pub(super) fn longest_segment(&self) -> u16 {
        let options = u16::from(self.timestamps.header_len());
        let whole = self.size.peer.min(self.size.path);
        whole.saturating_sub(options).max(1)
    }

    /// Brings the length of segments in line with what is known.
    pub(super) fn refit(&mut self) {
        if !self.state.is_synchronized() {
            return;
        }
        let longest = self.longest_segment();
        #[cfg(feature = "tcp-plpmtud")]
        let longest = self.search_within(longest);
        self.set_mss(longest);
    }

    /// From now on segments are no longer than `mss`. Those in flight that are can only be lost.
    pub(super) fn set_mss(&mut self, mss: u16) {
        let shorter = mss < self.mss;
        self.mss = mss;
        self.congestion.set_mss(u32::from(mss));
        if shorter {
            self.snd.board().lose_longer(u32::from(mss));
        }
    }

    /// A router claims not to have passed on a segment with number `seq`, because it takes no more than `mss`
    /// bytes of payload and options. Whether that is to be believed (RFC 5927, section 7.2): the segment is in
    /// flight, was longer, and nothing as long has arrived. Something has, when the path became narrower
    /// later: then only if the segment is not acknowledged in spite of a timeout, so that nobody can make us
    /// send small segments by guessing numbers.
    #[cfg(feature = "path-mtu")]
    pub(crate) fn believes_path(&self, seq: SeqNum, mss: u16) -> bool {
        let in_flight = self.snd.una.at_or_before(seq) && seq.before(self.snd.max());
        let narrower = mss < self.size.path && !self.state.is_over();
        in_flight && narrower && (mss > self.size.proven || self.retries > 0)
    }

    /// The path has become narrower: what was too long is sent again.
    #[cfg(feature = "path-mtu")]
    pub(crate) fn on_narrower_path(&mut self) {
        self.marks.put(Mark::Touched, true);
    }
}

#[cfg(test)]
#[cfg(feature = "path-mtu")]
mod tests {
    use super::*;
    use crate::tcp::connection::lab::{Lab, MSS, before, plain};
    use crate::tcp::{CongestionControl, State};

    /// RFC 5927, section 7.2: a claim is about something in flight that is longer than what it says, and nothing as long
    /// has arrived, or there was a timeout since.
    #[test]
    fn rfc5927_7_2_a_claim_is_believed_that_may_be_true() {
        let believes = |seq: u32, mss: u16, trial: fn(&mut Lab)| {
            let mut lab = Lab::established(CongestionControl::NewReno, plain());
            lab.write(3 * MSS);
            lab.sent();
            trial(&mut lab);
            lab.connection.believes_path(SeqNum::new(seq), mss)
        };
        let nothing = |_: &mut Lab| {};
        assert!(believes(before(0), 900, nothing));
        assert!(believes(before(3) - 1, 900, nothing));
        assert!(!believes(before(0) - 1, 900, nothing), "it has arrived");
        assert!(!believes(before(3), 900, nothing), "it was not sent");
        assert!(believes(before(0), 1_459, nothing));
        assert!(!believes(before(0), 1_460, nothing), "that is known");
        assert!(!believes(before(0), 900, |lab| lab.connection.state = State::TimeWait));
        let arrived = |lab: &mut Lab| _ = lab.ack(before(1));
        assert!(!believes(before(1), 999, arrived));
        assert!(!believes(before(1), 1_000, arrived), "just as long");
        assert!(believes(before(1), 1_001, arrived), "nothing as long has");
        let timed_out = |lab: &mut Lab| {
            lab.ack(before(1));
            lab.connection.retries = 1;
        };
        assert!(believes(before(1), 900, timed_out));
    }
}
