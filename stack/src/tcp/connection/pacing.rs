//! Pacing: segments leave in small bursts spread over the round trip, at the rate that congestion control
//! names, instead of all that one acknowledgment sets free at once.
//!
//! ```text
//!   quantum      quantum      quantum
//!   |###|........|###|........|###|........     # segments, . Timer::Pacing runs
//!       '- quantum / rate -'
//! ```
//!
//! A quantum is what the rate makes of a millisecond, two segments at least; the first one is the initial
//! window. The timer is set when a quantum is used up and no later than that is anything computed, so a
//! segment costs a subtraction. Where a round trip is so short that a quantum is more than the window
//! there is never a timer. Retransmissions are paced as well; acknowledgments and probes are not.
//!
//! Timers ring late, by many milliseconds where a busy machine has other things to do. A quantum that could not leave
//! in time is longer by what should have left meanwhile, in up to a quarter of a round trip: the queue in front of the
//! bottleneck has emptied by as much.

use super::Connection;
use super::timers::Timer;
use crate::tcp::clock::micros;
use crate::tcp::congestion::{LONGEST_US, Rate};
use crate::time::{Duration, Instant};

/// Where a connection stands in its schedule.
#[derive(Clone, Debug)]
pub(crate) struct Pacer {
    /// Bytes that may go at once.
    left: u32,
    /// When the last quantum should be on its way entirely, in the low 32 bits of microseconds.
    due: u32,
}

impl Pacer {
    pub(super) const fn new() -> Self {
        Self { left: 0, due: 0 }
    }

    /// A connection begins: `burst` bytes may go before anything is known of the path.
    pub(super) fn open(&mut self, now: u32, burst: u32) {
        self.left = burst;
        self.due = now;
    }

    /// `len` bytes were sent. Microseconds to wait before the next, if so.
    fn on_sent(
        &mut self,
        now: u32,
        len: u32,
        mss: u32,
        rate: impl FnOnce() -> Option<Rate>,
    ) -> u32 {
        self.left = self.left.saturating_sub(len);
        if self.left > 0 {
            return 0;
        }
        let Some(rate) = rate() else {
            self.left = UNPACED;
            return 0;
        };
        // Who is late catches up, but does not save up. The schedule is never further ahead than its
        // longest quantum lasts: what seems to be lies more than half a turn of the clock back.
        let ahead = self.due.wrapping_sub(now) as i32;
        let is_late = ahead < -SLACK_US || ahead > LONGEST_US as i32;
        if is_late {
            self.due = now.wrapping_sub(SLACK_US as u32);
        }
        let wait = if is_late { 0 } else { ahead.max(0) as u32 };
        self.left = rate.quantum(mss);
        self.due = self.due.wrapping_add(rate.time_for(self.left));
        wait
    }

    /// What waited could have left that many microseconds ago.
    fn on_late(&mut self, late: u32, rate: Rate) {
        self.left = self.left.saturating_add(rate.bytes_in(late));
        self.due = self.due.wrapping_add(late);
    }

    /// Nothing was sent for a while.
    pub(super) fn restart(&mut self, now: u32) {
        self.due = now;
    }
}

impl Connection<'_> {
    /// Whether segments wait for their time.
    pub(super) fn is_held_by_pacing(&self) -> bool {
        self.timers.is_set(Timer::Pacing)
    }

    /// The timer rang, later than it should have by so much.
    pub(super) fn on_pacing_timeout(&mut self, late: Duration) {
        let srtt = self.rtt.srtt().map(|srtt| srtt.as_micros() as u32);
        if let (Some(srtt), Some(rate)) = (srtt, self.congestion.pacing_rate(srtt)) {
            let late = u32::try_from(late.as_micros()).unwrap_or(u32::MAX);
            self.pacer.on_late(late.min(srtt / 4), rate);
        }
    }

    /// A segment with `len` bytes goes out.
    pub(super) fn pace(&mut self, now: Instant, len: u32) {
        if !self.congestion.is_paced() {
            return;
        }
        let srtt = self.rtt.srtt().map(|srtt| srtt.as_micros() as u32);
        let congestion = &self.congestion;
        let mss = u32::from(self.mss);
        let wait = self
            .pacer
            .on_sent(micros(now), len, mss, || congestion.pacing_rate(srtt));
        if wait > 0 {
            let wait = Duration::from_micros(u64::from(wait));
            self.timers.set(Timer::Pacing, now + wait);
        }
    }
}

/// How much of the schedule may be made up for: a coarse timer's delay.
const SLACK_US: i32 = 2_000;

/// While no round trip was measured; then we look again.
const UNPACED: u32 = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::CongestionControl;
    use crate::tcp::connection::lab::{Lab, RTT, before, modern};

    const MSS: u32 = 1_000;

    /// What leaves when of a backlog of segments, as pairs of microseconds and bytes so far.
    fn schedule(rate: Rate, pacer: &mut Pacer, until: u32) -> std::vec::Vec<(u32, u32)> {
        let (mut now, mut sent, mut left) = (0, 0, std::vec::Vec::new());
        while now < until {
            sent += MSS;
            let wait = pacer.on_sent(now, MSS, MSS, || Some(rate));
            if wait > 0 {
                left.push((now, sent));
                now += wait;
            }
        }
        left
    }

    #[test]
    fn the_first_window_leaves_at_once_and_the_rest_in_quanta() {
        // 100 segments in 100 ms: one in a millisecond, so quanta of two.
        let rate = Rate::new(100_000, 100_000);
        let mut pacer = Pacer::new();
        pacer.open(0, 10 * MSS);
        let left = schedule(rate, &mut pacer, 20_000);
        assert_eq!(left[0], (0, 12_000));
        assert_eq!(left[1], (2_000, 14_000));
        assert_eq!(left[2], (4_000, 16_000));
    }

    #[test]
    fn a_quantum_of_a_fast_path_is_a_millisecond() {
        let rate = Rate::new(10_000_000, 100_000);
        let mut pacer = Pacer::new();
        pacer.open(0, 10 * MSS);
        let left = schedule(rate, &mut pacer, 10_000);
        assert_eq!(
            &left[..3],
            &[(0, 110_000), (1_000, 210_000), (2_000, 310_000)]
        );
    }

    #[test]
    fn over_time_the_rate_is_kept() {
        let rate = Rate::new(123_456, 77_777);
        let mut pacer = Pacer::new();
        pacer.open(0, 10 * MSS);
        let (at, sent) = *schedule(rate, &mut pacer, 10_000_000).last().unwrap();
        let expected = u64::from(at) * 123_456 / 77_777;
        assert!(
            u64::from(sent).abs_diff(expected) < expected / 500,
            "{sent} {expected}"
        );
    }

    #[test]
    fn a_late_timer_is_made_up_for() {
        let rate = Rate::new(100_000, 100_000);
        let mut pacer = Pacer::new();
        pacer.open(0, MSS);
        assert_eq!(pacer.on_sent(0, MSS, MSS, || Some(rate)), 0);
        pacer.on_sent(0, MSS, MSS, || Some(rate));
        assert_eq!(pacer.on_sent(0, MSS, MSS, || Some(rate)), 2_000);
        // A millisecond late: the next quantum is due a millisecond earlier.
        pacer.on_sent(3_000, MSS, MSS, || Some(rate));
        assert_eq!(pacer.on_sent(3_000, MSS, MSS, || Some(rate)), 1_000);
    }

    #[test]
    fn a_quantum_that_leaves_late_is_longer_by_what_should_have_left() {
        let rate = Rate::new(100_000, 100_000);
        let mut pacer = Pacer::new();
        pacer.open(0, MSS);
        assert_eq!(pacer.on_sent(0, MSS, MSS, || Some(rate)), 0);
        pacer.on_sent(0, MSS, MSS, || Some(rate));
        assert_eq!(pacer.on_sent(0, MSS, MSS, || Some(rate)), 2_000);
        // Twenty milliseconds late: two segments, and twenty.
        pacer.on_late(20_000, rate);
        for _ in 0..21 {
            assert_eq!(pacer.on_sent(22_000, MSS, MSS, || Some(rate)), 0);
        }
        // From then on as before.
        assert_eq!(pacer.on_sent(22_000, MSS, MSS, || Some(rate)), 2_000);
        pacer.on_sent(24_000, MSS, MSS, || Some(rate));
        assert_eq!(pacer.on_sent(24_000, MSS, MSS, || Some(rate)), 2_000);
    }

    #[test]
    fn a_pause_does_not_save_up_more_than_the_slack() {
        let rate = Rate::new(100_000, 100_000);
        let mut pacer = Pacer::new();
        pacer.open(0, 2 * MSS);
        let mut burst = 0;
        while pacer.on_sent(5_000_000, MSS, MSS, || Some(rate)) == 0 {
            burst += MSS;
        }
        assert!(burst <= 5 * MSS, "{burst}");
    }

    #[test]
    fn a_silence_of_any_length_does_not_hold_up_what_follows() {
        let rate = Rate::new(100_000, 100_000);
        for pause in (0..=u32::MAX).step_by(10_000_019) {
            let mut pacer = Pacer::new();
            pacer.open(0, MSS);
            pacer.restart(pause);
            assert_eq!(pacer.on_sent(pause, MSS, MSS, || Some(rate)), 0);
        }
    }

    #[test]
    fn a_schedule_of_any_age_does_not_hold_up_what_follows() {
        let rate = Rate::new(100_000, 100_000);
        for now in (0..=u32::MAX).step_by(10_000_019) {
            let mut pacer = Pacer::new();
            pacer.open(0, MSS);
            assert_eq!(pacer.on_sent(now, MSS, MSS, || Some(rate)), 0);
            let next = pacer.on_sent(now, 2 * MSS, MSS, || Some(rate));
            assert!(next <= 2_000, "{next} microseconds");
        }
    }

    #[test]
    fn without_a_round_trip_nothing_waits() {
        let mut pacer = Pacer::new();
        pacer.open(0, MSS);
        for _ in 0..1_000 {
            assert_eq!(pacer.on_sent(7, MSS, MSS, || None), 0);
        }
    }

    #[test]
    fn a_window_within_a_quantum_is_never_held_up() {
        // A link within a machine: 256 KiB in 50 microseconds.
        let rate = Rate::new(262_144, 50);
        let mut pacer = Pacer::new();
        pacer.open(0, 10 * MSS);
        let mut waited = 0;
        for n in 0..100_000u32 {
            waited += pacer.on_sent(n, MSS, MSS, || Some(rate));
        }
        assert_eq!(waited, 0);
    }

    /// A connection whose window has grown to twenty segments: 40,000 bytes in a round trip of 100 ms are two segments in
    /// five milliseconds.
    #[cfg(feature = "tcp-cubic")]
    fn twenty() -> Lab {
        let mut lab = Lab::established(CongestionControl::Cubic, modern());
        lab.write(60 * MSS);
        assert_eq!(lab.data().len(), 10, "the first window goes at once");
        lab.wait(RTT);
        lab.ack(before(8));
        lab.ack(before(10));
        assert_eq!(lab.connection.congestion.window(), 20 * MSS);
        lab
    }

    #[cfg(feature = "tcp-cubic")]
    #[test]
    fn segments_leave_in_bursts_at_the_rate_of_the_window() {
        let mut lab = twenty();
        let sent = lab.wait(99);
        let at: std::vec::Vec<_> = sent.iter().map(|sent| sent.at).collect();
        // What is left of the first burst, which was for longer segments, and a quantum; of the time since, two
        // milliseconds are saved up.
        assert_eq!(at[..11], [0, 0, 0, 0, 0, 0, 0, 3, 3, 8, 8]);
        assert!(at.len() == 20 && at[19] < 50, "{at:?}");
    }

    #[cfg(feature = "tcp-cubic")]
    #[test]
    fn who_is_held_by_pacing_sends_when_the_timer_says_so() {
        let mut lab = twenty();
        lab.sent();
        assert!(lab.connection.is_held_by_pacing());
        assert!(!lab.connection.wants_to_send());
        lab.ack(before(11));
        assert_eq!(lab.data().len(), 0, "an acknowledgment sets nothing free");
        lab.wait(3);
        assert!(lab.wait(5).len() == 2);
        // And nobody else is.
        let mut lab = Lab::established(CongestionControl::NewReno, modern());
        lab.write(60 * MSS);
        lab.sent();
        lab.ack(before(10));
        assert_eq!(lab.data().len(), 18);
        assert!(!lab.connection.is_held_by_pacing());
    }

    /// Four segments in ten milliseconds.
    #[cfg(feature = "tcp-cubic")]
    #[test]
    fn a_timer_that_rings_late_lets_more_go_at_once() {
        let bursts = [3, 13, 28].map(|late| {
            let mut lab = twenty();
            lab.sent();
            lab.now += Duration::from_millis(late);
            lab.data().len()
        });
        assert_eq!(bursts, [2, 6, 12]);
    }

    #[cfg(feature = "tcp-cubic")]
    #[test]
    fn a_quarter_of_a_round_trip_is_the_most_that_is_made_up_for() {
        for (late, bytes) in [(10, 4_000), (25, 10_000), (26, 10_000), (400, 10_000)] {
            let mut lab = twenty();
            let left = lab.connection.pacer.left;
            lab.connection
                .on_pacing_timeout(Duration::from_millis(late));
            assert_eq!(lab.connection.pacer.left - left, bytes, "{late} ms late");
        }
    }

    /// A window of which a quantum is more is never held up, whatever the clock.
    #[test]
    fn a_restart_begins_the_schedule_now() {
        let rate = Rate::new(100_000, 100_000);
        let mut pacer = Pacer::new();
        pacer.open(0, MSS);
        pacer.restart(1_500);
        assert_eq!(pacer.on_sent(1_000, MSS, MSS, || Some(rate)), 500);
    }

    /// Up to two milliseconds late count as if they were not, one microsecond more does not; and a schedule that lies a
    /// second ahead is the furthest there is.
    #[test]
    fn who_is_late_catches_up_two_milliseconds() {
        let rate = Rate::new(100_000, 100_000);
        for (due, wait, next) in [
            (8_000, 0, 10_000),
            (7_999, 0, 10_000),
            (8_001, 0, 10_001),
            (10_700, 700, 12_700),
            (1_010_000, 1_000_000, 1_012_000),
            (1_010_001, 0, 10_000),
        ] {
            let mut pacer = Pacer { left: 1, due };
            assert_eq!(pacer.on_sent(10_000, 1, MSS, || Some(rate)), wait, "{due}");
            assert_eq!((pacer.left, pacer.due), (2_000, next), "{due}");
        }
        let mut pacer = Pacer {
            left: 1_001,
            due: 5,
        };
        assert_eq!(pacer.on_sent(10_000, 1_000, MSS, || Some(rate)), 0);
        assert_eq!(
            (pacer.left, pacer.due),
            (1, 5),
            "within the quantum nothing is computed"
        );
    }
}
