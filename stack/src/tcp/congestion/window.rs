//! The congestion window and its threshold, as all controllers have them that grow a window with
//! acknowledgments and cut it with losses.

use core::num::NonZeroU32;

use super::before::Before;
use super::{MAX_WINDOW, UNLIMITED};
use crate::tcp::recovery::Prr;

/// In bytes, all of it.
#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(super) cwnd: u32,
    pub(super) ssthresh: u32,
    mss: NonZeroU32,
    /// What may be sent while a loss is repaired.
    pub(super) prr: Prr,
    /// What the two were before the last reduction.
    undo: Before,
}

impl Window {
    pub(super) fn new(mss: u32) -> Self {
        Self {
            cwnd: initial_window(mss),
            ssthresh: UNLIMITED,
            mss: at_least_one(mss),
            prr: Prr::default(),
            undo: Before::default(),
        }
    }

    #[inline]
    pub(super) fn mss(&self) -> u32 {
        self.mss.get()
    }

    pub(super) fn set_mss(&mut self, mss: u32) {
        self.mss = at_least_one(mss);
    }

    pub(super) fn restart(&mut self) {
        self.cwnd = self.mss();
    }

    pub(super) fn in_slow_start(&self) -> bool {
        self.cwnd < self.ssthresh
    }

    pub(super) fn grow(&mut self, bytes: u32) {
        self.cwnd = (self.cwnd + bytes).min(MAX_WINDOW);
    }

    /// Fast recovery starts, with `ssthresh` as its target. How fast what is in flight comes down to it
    /// is up to the recovery.
    pub(super) fn on_loss(&mut self, ssthresh: u32) {
        self.remember();
        self.ssthresh = ssthresh.max(2 * self.mss());
        self.cwnd = self.ssthresh;
    }

    /// RFC 5681, section 3.1: the loss window "equal to 1 full-sized segment". A second timeout in a row
    /// "MUST NOT" reduce `ssthresh` once more.
    pub(super) fn on_timeout(&mut self, ssthresh: u32, first: bool) {
        if first {
            self.remember();
            self.ssthresh = ssthresh.max(2 * self.mss());
        }
        self.cwnd = self.mss();
    }

    /// Takes the last reduction back.
    pub(super) fn on_spurious(&mut self) {
        self.undo.restore(&mut self.cwnd, &mut self.ssthresh);
    }

    /// What the window was before the last reduction.
    #[cfg(feature = "tcp-cubic")]
    pub(super) fn before(&self) -> u32 {
        self.undo.window()
    }

    /// A window that was not used for a while says little about the path (RFC 5681, section 4.1), the less
    /// the longer: as Linux, half of it goes with each timeout, down to the initial window. RFC 7661,
    /// section 4.4.3: the threshold "retains the capacity" that was there.
    pub(super) fn on_idle(&mut self, timeouts: u32) {
        let restart = initial_window(self.mss()).min(self.cwnd);
        self.ssthresh = self.ssthresh.max(self.cwnd - self.cwnd / 4);
        self.cwnd = (self.cwnd >> timeouts.min(31)).max(restart);
    }

    fn remember(&mut self) {
        self.undo = Before::of(self.cwnd, self.ssthresh);
    }
}

/// Never zero, so that there may be no window without taking room.
fn at_least_one(mss: u32) -> NonZeroU32 {
    NonZeroU32::new(mss).unwrap_or(NonZeroU32::MIN)
}

/// RFC 6928, section 2: `min (10*MSS, max (2*MSS, 14600))`.
#[cfg_attr(target_pointer_width = "32", inline(never))]
pub(super) fn initial_window(mss: u32) -> u32 {
    (INITIAL_WINDOW_SEGMENTS * mss).min((2 * mss).max(14_600))
}

/// RFC 6928: ten segments.
const INITIAL_WINDOW_SEGMENTS: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const MSS: u32 = 1_000;

    // Requirement: RFC 5681 3.1b
    #[test]
    fn rfc6928_starts_with_ten_segments_or_fewer_large_ones() {
        assert_eq!(Window::new(1_000).cwnd, 10_000);
        assert_eq!(Window::new(1_460).cwnd, 14_600);
        assert_eq!(Window::new(9_000).cwnd, 18_000);
    }

    // Requirement: RFC 5681 3.1k, 3.1l, 3.1m
    #[test]
    fn rfc5681_3_1_a_second_timeout_in_a_row_leaves_the_threshold() {
        let mut window = Window::new(MSS);
        window.on_timeout(5_000, true);
        assert_eq!((window.ssthresh, window.cwnd), (5_000, 1_000));
        window.on_timeout(500, false);
        assert_eq!((window.ssthresh, window.cwnd), (5_000, 1_000));
    }

    // Requirement: RFC 5681 3.2f
    #[test]
    fn the_threshold_is_two_segments_at_least() {
        let mut window = Window::new(MSS);
        window.on_loss(500);
        assert_eq!((window.ssthresh, window.cwnd), (2_000, 2_000));
        window.on_timeout(500, true);
        assert_eq!((window.ssthresh, window.cwnd), (2_000, 1_000));
    }

    #[cfg(any(feature = "tcp-undo", feature = "tcp-cubic"))]
    #[test]
    fn a_spurious_reduction_is_taken_back() {
        let mut window = Window::new(MSS);
        window.grow(30_000);
        window.on_loss(20_000);
        window.on_spurious();
        assert_eq!((window.cwnd, window.ssthresh), (40_000, UNLIMITED));
    }

    #[cfg(any(feature = "tcp-undo", feature = "tcp-cubic"))]
    #[test]
    fn a_spurious_timeout_is_taken_back_however_often_it_was_repeated() {
        let mut window = Window::new(MSS);
        window.on_loss(8_000);
        window.on_timeout(4_000, true);
        window.on_timeout(500, false);
        window.on_spurious();
        assert_eq!((window.cwnd, window.ssthresh), (8_000, 8_000));
    }

    // Requirement: RFC 5681 4.1a
    #[test]
    fn rfc5681_4_1_an_idle_window_halves_with_each_timeout_down_to_the_initial_one() {
        let mut window = Window::new(MSS);
        window.grow(54_000);
        window.ssthresh = 20_000;
        window.on_idle(1);
        assert_eq!((window.cwnd, window.ssthresh), (32_000, 48_000));
        window.on_idle(40);
        assert_eq!((window.cwnd, window.ssthresh), (10_000, 48_000));
    }

    #[test]
    fn an_idle_window_below_the_initial_one_stays() {
        let mut window = Window::new(MSS);
        window.on_timeout(5_000, true);
        window.on_idle(3);
        assert_eq!(window.cwnd, 1_000);
    }
}
