//! Reno's congestion control (RFC 5681, with the recovery of RFC 6582).

use super::{Acked, initial_window};

#[derive(Clone, Debug)]
pub(crate) struct NewReno {
    pub(super) cwnd: u32,
    pub(super) ssthresh: u32,
    mss: u32,
    /// Bytes acknowledged since the window last grew in congestion avoidance.
    credit: u32,
    /// `cwnd` and `ssthresh` before the last reduction.
    before: (u32, u32),
}

impl NewReno {
    pub(super) fn new(mss: u32) -> Self {
        Self {
            cwnd: initial_window(mss),
            ssthresh: u32::MAX / 2,
            mss,
            credit: 0,
            before: (0, 0),
        }
    }

    pub(super) fn restart(&mut self, mss: u32, initial_segments: u32) {
        self.mss = mss;
        self.cwnd = initial_window(mss).min(initial_segments.saturating_mul(mss));
    }

    /// RFC 5681, section 3.1, with the byte counting of RFC 3465 (L = 2 in slow start).
    pub(super) fn on_ack(&mut self, acked: Acked) {
        if !acked.window_limited {
            return;
        }
        if self.cwnd < self.ssthresh {
            self.grow(acked.bytes.min(2 * self.mss));
            return;
        }
        self.credit = self.credit.saturating_add(acked.bytes);
        if self.credit >= self.cwnd {
            self.credit -= self.cwnd;
            self.grow(self.mss);
        }
    }

    /// RFC 5681, section 3.1, equation 4: `ssthresh = max (FlightSize / 2, 2*SMSS)`. How fast the window
    /// comes down to it is up to the recovery.
    pub(super) fn on_loss(&mut self, flight: u32) {
        self.before = (self.cwnd, self.ssthresh);
        self.ssthresh = (flight / 2).max(2 * self.mss);
        self.cwnd = self.ssthresh;
        self.credit = 0;
    }

    /// RFC 6582, section 3.2, step 3, full acknowledgment, option 1, which avoids a burst.
    pub(super) fn on_recovered(&mut self, flight: u32) {
        self.cwnd = self.ssthresh.min(flight.max(self.mss) + self.mss);
        self.credit = 0;
    }

    /// RFC 5681, section 3.1, equations 4 and LW; a second timeout in a row "MUST NOT" reduce `ssthresh`
    /// once more.
    pub(super) fn on_timeout(&mut self, flight: u32, first: bool) {
        if first {
            self.before = (self.cwnd, self.ssthresh);
            self.ssthresh = (flight / 2).max(2 * self.mss);
        }
        self.cwnd = self.mss;
        self.credit = 0;
    }

    /// Takes the last reduction back.
    pub(super) fn on_spurious(&mut self) {
        self.cwnd = self.cwnd.max(self.before.0);
        self.ssthresh = self.ssthresh.max(self.before.1);
    }

    pub(super) fn on_idle(&mut self) {
        self.cwnd = self.cwnd.min(initial_window(self.mss));
    }

    fn grow(&mut self, bytes: u32) {
        self.cwnd = self.cwnd.saturating_add(bytes).min(MAX_WINDOW);
    }
}

/// RFC 7323, section 2.3: no peer can take more.
const MAX_WINDOW: u32 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u32 = 1_000;

    fn acked(bytes: u32) -> Acked {
        Acked {
            bytes,
            window_limited: true,
        }
    }

    #[test]
    fn rfc6928_starts_with_ten_segments_or_fewer_large_ones() {
        assert_eq!(NewReno::new(1_000).cwnd, 10_000);
        assert_eq!(NewReno::new(1_460).cwnd, 14_600);
        assert_eq!(NewReno::new(9_000).cwnd, 18_000);
    }

    #[test]
    fn slow_start_grows_by_what_is_acknowledged_two_segments_at_most() {
        let mut c = NewReno::new(MSS);
        c.on_ack(acked(MSS));
        assert_eq!(c.cwnd, 11_000);
        c.on_ack(acked(9 * MSS));
        assert_eq!(c.cwnd, 13_000);
    }

    #[test]
    fn congestion_avoidance_grows_by_one_segment_a_window() {
        let mut c = NewReno::new(MSS);
        c.ssthresh = 10_000;
        for _ in 0..9 {
            c.on_ack(acked(MSS));
        }
        assert_eq!(c.cwnd, 10_000);
        c.on_ack(acked(MSS));
        assert_eq!(c.cwnd, 11_000);
    }

    #[test]
    fn a_window_that_is_not_used_does_not_grow() {
        let mut c = NewReno::new(MSS);
        c.on_ack(Acked {
            bytes: MSS,
            window_limited: false,
        });
        assert_eq!(c.cwnd, 10_000);
    }

    #[test]
    fn halves_on_loss_but_never_below_two_segments() {
        let mut c = NewReno::new(MSS);
        c.on_loss(10_000);
        assert_eq!((c.ssthresh, c.cwnd), (5_000, 5_000));
        c.on_recovered(2_000);
        assert_eq!(c.cwnd, 3_000);
        c.on_loss(1_000);
        assert_eq!(c.ssthresh, 2_000);
    }

    #[test]
    fn a_second_timeout_in_a_row_leaves_the_threshold() {
        let mut c = NewReno::new(MSS);
        c.on_timeout(10_000, true);
        assert_eq!((c.ssthresh, c.cwnd), (5_000, 1_000));
        c.on_timeout(1_000, false);
        assert_eq!((c.ssthresh, c.cwnd), (5_000, 1_000));
    }
}
