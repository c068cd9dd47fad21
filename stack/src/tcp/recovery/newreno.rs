//! Loss recovery without selective acknowledgments: fast retransmit, NewReno's fast recovery (RFC 6582)
//! and limited transmit (RFC 3042).

use crate::wire::SeqNum;

/// What duplicate and partial acknowledgments have shown so far.
#[derive(Clone, Debug)]
pub(crate) struct Recovery {
    /// Duplicate acknowledgments in a row.
    duplicates: u8,
    fast: bool,
    /// Nothing below this is evidence of a new loss: the highest number sent when the last one was seen.
    recover: SeqNum,
    /// The segment at SND.UNA is to be sent again now.
    retransmit: bool,
}

/// What an acknowledgment means for the congestion window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AckOutcome {
    /// Nothing is being repaired.
    Normal,
    /// Fast recovery starts.
    LossDetected,
    /// A further duplicate during fast recovery.
    Inflate,
    /// Fast recovery goes on: the next hole is known.
    Partial,
    /// Fast recovery is complete.
    Recovered,
}

impl Recovery {
    /// RFC 6582, section 3.2, step 1: "`recover` is set to the initial send sequence number".
    pub(crate) fn new(iss: SeqNum) -> Self {
        Self {
            duplicates: 0,
            fast: false,
            recover: iss,
            retransmit: false,
        }
    }

    /// New data up to `ack` was acknowledged.
    pub(crate) fn on_new_ack(&mut self, ack: SeqNum) -> AckOutcome {
        self.duplicates = 0;
        self.retransmit = false;
        if !self.fast {
            return AckOutcome::Normal;
        }
        if ack.at_or_after(self.recover) {
            self.fast = false;
            return AckOutcome::Recovered;
        }
        self.retransmit = true;
        AckOutcome::Partial
    }

    /// A duplicate acknowledgment (RFC 5681, section 2) of `una` arrived; the highest number sent is `max`.
    pub(crate) fn on_duplicate_ack(&mut self, una: SeqNum, max: SeqNum) -> AckOutcome {
        if self.fast {
            return AckOutcome::Inflate;
        }
        self.duplicates = self.duplicates.saturating_add(1);
        // RFC 6582, section 3.2, step 2: only when the acknowledgment "covers more than recover", or
        // the duplicates are echoes of what was retransmitted needlessly.
        if self.duplicates != THRESHOLD || una.before(self.recover) {
            return AckOutcome::Normal;
        }
        self.fast = true;
        self.recover = max;
        self.retransmit = true;
        AckOutcome::LossDetected
    }

    /// The retransmission timer expired (RFC 6582, section 3.2, step 4).
    pub(crate) fn on_timeout(&mut self, max: SeqNum) {
        self.duplicates = 0;
        self.fast = false;
        self.recover = max;
        self.retransmit = false;
    }

    /// Whether the segment at SND.UNA is due; asks once.
    pub(crate) fn take_retransmit(&mut self) -> bool {
        core::mem::take(&mut self.retransmit)
    }

    pub(crate) fn wants_retransmit(&self) -> bool {
        self.retransmit
    }

    /// How many segments beyond the congestion window may go out (RFC 3042: one for each of the first
    /// two duplicates, to keep the acknowledgments coming).
    pub(crate) fn extra_segments(&self) -> u32 {
        if self.fast {
            0
        } else {
            u32::from(self.duplicates.min(THRESHOLD - 1))
        }
    }
}

/// RFC 5681, section 3.2: "The TCP sender SHOULD use the 'fast retransmit' algorithm [...] based on
/// incoming duplicate ACKs [...] the arrival of 3 duplicate ACKs".
const THRESHOLD: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn seq(n: u32) -> SeqNum {
        SeqNum::new(n)
    }

    #[test]
    fn the_third_duplicate_starts_fast_recovery() {
        let mut r = Recovery::new(seq(0));
        assert_eq!(r.on_duplicate_ack(seq(1), seq(100)), AckOutcome::Normal);
        assert_eq!(r.extra_segments(), 1);
        assert_eq!(r.on_duplicate_ack(seq(1), seq(100)), AckOutcome::Normal);
        assert_eq!(r.extra_segments(), 2);
        assert_eq!(r.on_duplicate_ack(seq(1), seq(100)), AckOutcome::LossDetected);
        assert!(r.take_retransmit());
        assert!(!r.take_retransmit(), "once");
        assert_eq!(r.on_duplicate_ack(seq(1), seq(100)), AckOutcome::Inflate);
    }

    #[test]
    fn a_partial_acknowledgment_names_the_next_hole() {
        let mut r = Recovery::new(seq(0));
        for _ in 0..3 {
            r.on_duplicate_ack(seq(1), seq(100));
        }
        r.take_retransmit();
        assert_eq!(r.on_new_ack(seq(50)), AckOutcome::Partial);
        assert!(r.take_retransmit());
        assert_eq!(r.on_new_ack(seq(100)), AckOutcome::Recovered);
        assert!(!r.wants_retransmit());
    }

    #[test]
    fn duplicates_after_a_timeout_do_not_start_recovery_again() {
        let mut r = Recovery::new(seq(0));
        r.on_timeout(seq(100));
        for _ in 0..5 {
            assert_eq!(r.on_duplicate_ack(seq(50), seq(120)), AckOutcome::Normal);
        }
        assert_eq!(r.on_new_ack(seq(100)), AckOutcome::Normal);
        for _ in 0..2 {
            r.on_duplicate_ack(seq(100), seq(200));
        }
        assert_eq!(r.on_duplicate_ack(seq(100), seq(200)), AckOutcome::LossDetected);
    }
}
