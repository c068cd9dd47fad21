//! Reno's congestion control (RFC 5681, with the recovery of RFC 6582 and byte counting like that of RFC 3465).

use super::window::Window;
use super::{Ack, Growth};

#[derive(Clone, Debug)]
pub(crate) struct NewReno {
    pub(super) window: Window,
    /// Bytes acknowledged since the window last grew in congestion avoidance.
    credit: u32,
}

impl NewReno {
    pub(super) fn new(mss: u32) -> Self {
        Self {
            window: Window::new(mss),
            credit: 0,
        }
    }

    /// RFC 5681, section 3.1. In slow start one acknowledgment is good for eight segments at most: receivers answer once
    /// for many that arrive together or behind a gap, and the two of RFC 3465 would make them pay for it. Eight is what
    /// RFC 9406, section 4.3 gives the slow start of HyStart++ where nothing is paced. While the loss of many is being
    /// repaired it is one (RFC 3465, section 2.3).
    pub(super) fn on_ack(&mut self, ack: &Ack) {
        let limit = match ack.growth {
            Growth::Normal => 8,
            Growth::AfterTimeout => 1,
            Growth::Held => return,
        };
        if !ack.window_limited {
            return;
        }
        let (cwnd, mss) = (self.window.cwnd, self.window.mss());
        if self.window.in_slow_start() {
            self.window.grow(ack.acked.min(limit * mss));
            return;
        }
        self.credit = self.credit.saturating_add(ack.acked);
        if self.credit >= cwnd {
            self.credit -= cwnd;
            self.window.grow(mss);
        }
    }

    /// RFC 5681, section 3.1, equation 4: `ssthresh = max (FlightSize / 2, 2*SMSS)`.
    pub(super) fn on_loss(&mut self, flight: u32) {
        self.window.on_loss(flight / 2);
        self.credit = 0;
    }

    pub(super) fn on_timeout(&mut self, flight: u32, first: bool) {
        self.window.on_timeout(flight / 2, first);
        self.credit = 0;
    }

    pub(super) fn on_spurious(&mut self) {
        self.window.on_spurious();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::congestion::tests::ack;

    const MSS: u32 = 1_000;

    // Requirement: RFC 9293 MUST-19; RFC 5681 3.1a, 3.1f
    #[test]
    fn slow_start_grows_by_what_is_acknowledged_eight_segments_at_most() {
        let mut c = NewReno::new(MSS);
        c.on_ack(&ack(MSS));
        assert_eq!(c.window.cwnd, 11_000);
        c.on_ack(&ack(8 * MSS));
        assert_eq!(c.window.cwnd, 19_000);
        c.on_ack(&ack(9 * MSS));
        assert_eq!(c.window.cwnd, 27_000);
    }

    #[test]
    fn rfc3465_2_3_slow_start_after_a_timeout_grows_by_one_segment_at_most() {
        let mut c = NewReno::new(MSS);
        c.on_timeout(20_000, true);
        c.on_ack(&Ack {
            growth: Growth::AfterTimeout,
            ..ack(9 * MSS)
        });
        assert_eq!(c.window.cwnd, 2_000);
    }

    #[test]
    fn acknowledgments_of_parts_of_a_segment_gain_nothing() {
        let mut c = NewReno::new(MSS);
        for _ in 0..10 {
            c.on_ack(&ack(MSS / 10));
        }
        assert_eq!(c.window.cwnd, 11_000);
    }

    // Requirement: RFC 9293 MUST-19; RFC 5681 3.1h, 3.1i
    #[test]
    fn congestion_avoidance_grows_by_one_segment_a_window() {
        let mut c = NewReno::new(MSS);
        c.window.ssthresh = 10_000;
        for _ in 0..9 {
            c.on_ack(&ack(MSS));
        }
        assert_eq!(c.window.cwnd, 10_000);
        c.on_ack(&ack(MSS));
        assert_eq!(c.window.cwnd, 11_000);
    }

    #[test]
    fn a_window_that_is_not_used_does_not_grow() {
        let mut c = NewReno::new(MSS);
        c.on_ack(&Ack {
            window_limited: false,
            ..ack(MSS)
        });
        assert_eq!(c.window.cwnd, 10_000);
    }

    #[test]
    fn a_window_does_not_grow_while_losses_are_repaired() {
        let mut c = NewReno::new(MSS);
        c.on_ack(&Ack {
            growth: Growth::Held,
            ..ack(MSS)
        });
        assert_eq!(c.window.cwnd, 10_000);
    }

    /// RFC 5681, section 3.1, equation 4, and the loss window of one segment.
    #[test]
    fn a_timeout_leaves_half_of_what_was_in_flight_as_the_threshold() {
        let mut c = NewReno::new(MSS);
        c.on_timeout(11_000, true);
        assert_eq!((c.window.ssthresh, c.window.cwnd), (5_500, 1_000));
    }

    // Requirement: RFC 5681 3.1g, 3.2f, 3.2k
    #[test]
    fn halves_on_loss_but_never_below_two_segments() {
        let mut c = NewReno::new(MSS);
        c.on_loss(10_000);
        assert_eq!((c.window.ssthresh, c.window.cwnd), (5_000, 5_000));
        c.on_loss(1_000);
        assert_eq!(c.window.ssthresh, 2_000);
    }
}
