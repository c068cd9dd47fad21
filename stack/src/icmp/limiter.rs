//! How many ICMP errors may be sent: a token bucket (RFC 1812 section 4.3.2.8, RFC 4443 section
//! 2.4 (f)).
//!
//! `engine` has one for all interfaces and asks it last, so that errors which the
//! [policy](super::may_send_error) forbids cost no tokens.

use cygnet_config::ICMP_ERROR_BURST;

use crate::time::{Duration, Instant};

/// A bucket that holds a burst of errors and fills up at a steady rate.
#[derive(Clone, Debug)]
pub(crate) struct ErrorLimiter<const BURST: usize = ICMP_ERROR_BURST> {
    /// When the bucket is full again; earlier times are as good as now. What is missing is told by how far that
    /// is ahead, so there are no tokens to count.
    full_at: Instant,
}

impl<const BURST: usize> ErrorLimiter<BURST> {
    /// How long an empty bucket takes to fill up, but for one token.
    const DEPTH: Duration = INTERVAL.saturating_mul(BURST as u64 - 1);

    /// A full bucket.
    pub(crate) const fn new() -> Self {
        Self {
            full_at: Instant::ZERO,
        }
    }

    /// Whether an error may be sent now, which then counts as sent.
    pub(crate) fn allow(&mut self, now: Instant) -> bool {
        if self.full_at > now + Self::DEPTH {
            return false;
        }
        self.full_at = self.full_at.max(now) + INTERVAL;
        true
    }
}

/// RFC 1812, section 4.3.2.8: ten errors a second on average.
const INTERVAL: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed_at<const BURST: usize>(
        limiter: &mut ErrorLimiter<BURST>,
        now: Instant,
        tries: usize,
    ) -> usize {
        (0..tries).filter(|_| limiter.allow(now)).count()
    }

    #[test]
    fn a_burst_passes_and_the_rest_is_held() {
        let mut limiter = ErrorLimiter::<3>::new();

        assert_eq!(allowed_at(&mut limiter, Instant::from_secs(1), 10), 3);
    }

    #[test]
    fn tokens_come_back_at_the_refill_rate() {
        let mut limiter = ErrorLimiter::<3>::new();
        allowed_at(&mut limiter, Instant::from_secs(1), 3);

        assert!(!limiter.allow(Instant::from_millis(1_099)));
        assert!(limiter.allow(Instant::from_millis(1_100)));
        assert!(!limiter.allow(Instant::from_millis(1_199)));
        assert_eq!(allowed_at(&mut limiter, Instant::from_millis(1_350), 10), 2);
        // The 50 ms beyond the second token counted towards the third.
        assert!(limiter.allow(Instant::from_millis(1_400)));
    }

    #[test]
    fn an_idle_bucket_holds_no_more_than_a_burst() {
        let mut limiter = ErrorLimiter::<3>::new();
        allowed_at(&mut limiter, Instant::from_secs(1), 3);

        assert_eq!(allowed_at(&mut limiter, Instant::from_secs(60), 10), 3);
        assert_eq!(allowed_at(&mut limiter, Instant::from_secs(1 << 40), 10), 3);
    }

    #[test]
    fn a_first_token_taken_late_is_not_given_back_early() {
        let mut limiter = ErrorLimiter::<1>::new();

        assert!(limiter.allow(Instant::from_millis(1_050)));
        assert!(!limiter.allow(Instant::from_millis(1_100)));
        assert!(limiter.allow(Instant::from_millis(1_150)));
    }

    #[test]
    fn a_clock_that_stands_still_gives_nothing() {
        let mut limiter = ErrorLimiter::<1>::new();
        assert!(limiter.allow(Instant::from_secs(5)));

        assert!(!limiter.allow(Instant::from_secs(5)));
        assert!(!limiter.allow(Instant::from_secs(4)));
    }

    #[test]
    fn the_default_is_the_configured_burst_and_ten_per_second() {
        let mut limiter = ErrorLimiter::<ICMP_ERROR_BURST>::new();
        let start = Instant::from_secs(1);
        let many = ICMP_ERROR_BURST + 100;

        assert_eq!(allowed_at(&mut limiter, start, many), ICMP_ERROR_BURST);
        let sent: usize = (1..=100)
            .map(|step| start + Duration::from_millis(step * 10))
            .map(|now| allowed_at(&mut limiter, now, 1))
            .sum();
        assert_eq!(sent, 10);
    }
}
