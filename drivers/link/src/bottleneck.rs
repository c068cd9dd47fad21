//! The bandwidth limit of one direction and the drop-tail queue in front of it.

use cygnet_driver::{Duration, Instant};

use crate::impairments::QueueLimit;
use crate::ring::Ring;

/// A frame that has not left the limiter entirely.
#[derive(Clone, Copy)]
pub(crate) struct Departure {
    at: Instant,
    len: usize,
}

impl Departure {
    pub(crate) const EMPTY: Self = Self {
        at: Instant::ZERO,
        len: 0,
    };
}

/// One frame at a time passes here, each for as long as its bits take.
///
/// Nothing runs in here: a frame's departure is computed when it is sent. The queue is the list of
/// departures still to come, kept only where a limit needs it.
pub(crate) struct Bottleneck<'d> {
    /// When the last frame accepted has left.
    free_at: Instant,
    /// The part of a microsecond by which `free_at` is too early, in units of 1/rate µs, so that
    /// rounding does not add up over a busy period.
    remainder: u64,
    waiting: Ring<'d, Departure>,
    waiting_bytes: usize,
}

impl<'d> Bottleneck<'d> {
    pub(crate) const fn new() -> Self {
        Self {
            free_at: Instant::ZERO,
            remainder: 0,
            waiting: Ring::new(),
            waiting_bytes: 0,
        }
    }

    pub(crate) fn place(&mut self, memory: &'d mut [Departure]) {
        self.waiting.place(memory);
    }

    /// Forgets everything under way.
    pub(crate) fn reset(&mut self) {
        self.free_at = Instant::ZERO;
        self.remainder = 0;
        self.waiting.clear();
        self.waiting_bytes = 0;
    }

    /// Whether a frame of `len` bytes more would exceed the limit.
    pub(crate) fn is_full(&mut self, now: Instant, limit: QueueLimit, len: usize) -> bool {
        if limit == QueueLimit::Unlimited {
            return false;
        }
        self.let_depart(now);
        if self.waiting.len() == 0 {
            return false;
        }
        self.waiting.is_full()
            || match limit {
                QueueLimit::Unlimited => false,
                QueueLimit::Frames(frames) => self.waiting.len() >= frames,
                QueueLimit::Bytes(bytes) => self.waiting_bytes.saturating_add(len) > bytes,
            }
    }

    /// When the frame in front leaves, if a frame waits.
    pub(crate) fn next_departure(&self) -> Option<Instant> {
        self.waiting.front().map(|departure| departure.at)
    }

    /// Sends a frame through at `rate` bits per second, which is not 0. Returns when its last bit is
    /// out, in whole microseconds rounded down.
    pub(crate) fn pass(
        &mut self,
        now: Instant,
        len: usize,
        rate: u64,
        limit: QueueLimit,
    ) -> Instant {
        if self.free_at < now {
            self.free_at = now;
            self.remainder = 0;
        }
        let bits = u64::try_from(len).unwrap_or(u64::MAX).saturating_mul(8);
        let work = bits
            .saturating_mul(MICROS_PER_SECOND)
            .saturating_add(self.remainder);
        self.free_at += Duration::from_micros(work / rate);
        self.remainder = work % rate;
        if limit != QueueLimit::Unlimited {
            let departure = Departure {
                at: self.free_at,
                len,
            };
            if self.waiting.push_back(departure) {
                self.waiting_bytes = self.waiting_bytes.saturating_add(len);
            }
        }
        self.free_at
    }

    /// Strikes off the frames that have left by now.
    fn let_depart(&mut self, now: Instant) {
        while self.next_departure().is_some_and(|at| at <= now) {
            let len = self.waiting.pop_front().map_or(0, |gone| gone.len);
            self.waiting_bytes = self.waiting_bytes.saturating_sub(len);
        }
    }
}

const MICROS_PER_SECOND: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_does_not_add_up() {
        let mut limiter = Bottleneck::new();
        // 1,500 bytes at 1 Gbit/s are exactly 12 µs, 1,514 bytes are 12.112 µs.
        let mut last = Instant::ZERO;
        for _ in 0..1_000 {
            last = limiter.pass(Instant::ZERO, 1_514, 1_000_000_000, QueueLimit::Unlimited);
        }
        assert_eq!(last, Instant::from_micros(12_112));
    }

    #[test]
    fn an_idle_limiter_starts_now() {
        let mut limiter = Bottleneck::new();
        let rate = 8_000_000; // a byte in a microsecond
        assert_eq!(
            limiter.pass(Instant::from_micros(100), 50, rate, QueueLimit::Unlimited),
            Instant::from_micros(150)
        );
        assert_eq!(
            limiter.pass(Instant::from_micros(500), 50, rate, QueueLimit::Unlimited),
            Instant::from_micros(550)
        );
    }

    #[test]
    fn the_queue_empties_as_frames_leave() {
        let mut memory = [Departure::EMPTY; 8];
        let mut limiter = Bottleneck::new();
        limiter.place(&mut memory);
        let (rate, limit) = (8_000_000, QueueLimit::Bytes(100));
        limiter.pass(Instant::ZERO, 60, rate, limit);
        assert!(!limiter.is_full(Instant::ZERO, limit, 40));
        assert!(limiter.is_full(Instant::ZERO, limit, 41));
        assert!(limiter.is_full(Instant::from_micros(59), limit, 41));
        assert!(!limiter.is_full(Instant::from_micros(60), limit, 41));
    }

    #[test]
    fn an_empty_queue_takes_a_frame_above_the_limit() {
        let mut memory = [Departure::EMPTY; 8];
        let mut limiter = Bottleneck::new();
        limiter.place(&mut memory);
        assert!(!limiter.is_full(Instant::ZERO, QueueLimit::Bytes(10), 1_000));
        assert!(!limiter.is_full(Instant::ZERO, QueueLimit::Frames(0), 1));
    }

    #[test]
    fn no_length_or_rate_overflows() {
        let mut limiter = Bottleneck::new();
        limiter.pass(Instant::FAR_FUTURE, usize::MAX, 1, QueueLimit::Unlimited);
        limiter.pass(Instant::ZERO, usize::MAX, u64::MAX, QueueLimit::Unlimited);
        assert_eq!(limiter.free_at, Instant::FAR_FUTURE);
    }
}
