//! When a host asks for routers (RFC 4861 section 6.3.7), again and again until there is one (RFC 7559).
//!
//! `engine` starts it when the link comes up or the last router is gone, sends a router solicitation when
//! [`RouterSolicitor::poll`] says so, and stops it when a router has made itself known.

use crate::rand::Random;
use crate::time::{Duration, Instant};

/// The state of the search.
#[derive(Clone, Debug, Default)]
pub(crate) struct RouterSolicitor {
    search: Option<Search>,
    /// No solicitation leaves before: RTR_SOLICITATION_INTERVAL after the last one, in whichever search.
    quiet_until: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Search {
    /// When the next solicitation is due.
    at: Instant,
    /// RT of RFC 7559, if one is out already.
    timeout: Option<Duration>,
}

impl RouterSolicitor {
    /// Begins anew. RFC 4861 section 6.3.7: "a host SHOULD delay the transmission for a random amount of time
    /// between 0 and MAX_RTR_SOLICITATION_DELAY."
    pub(crate) fn start(&mut self, now: Instant, random: &mut Random) {
        let delay = Duration::from_micros(random.below(MAX_DELAY_MICROS).into());
        self.search = Some(Search {
            at: (now + delay).max(self.quiet_until),
            timeout: None,
        });
    }

    /// There is a router, or no link.
    pub(crate) fn stop(&mut self) {
        self.search = None;
    }

    /// Whether a solicitation is due, which counts as sent.
    pub(crate) fn poll(&mut self, now: Instant, random: &mut Random) -> bool {
        let Some(search) = self.search.as_mut().filter(|search| search.at <= now) else {
            return false;
        };
        let timeout = next_timeout(search.timeout, random);
        *search = Search {
            at: now + timeout,
            timeout: Some(timeout),
        };
        self.quiet_until = now + INTERVAL;
        true
    }

    /// When a solicitation is due.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        Some(self.search.as_ref()?.at)
    }
}

/// RFC 8415 section 15, as RFC 7559 section 2 takes it: IRT first, then twice as long each time up to MRT, each
/// a tenth more or less at random.
fn next_timeout(before: Option<Duration>, random: &mut Random) -> Duration {
    let mut around = |time: Duration| {
        let tenth = time.divided_by(10);
        let share = u64::from(random.next_u32() >> 16);
        time.saturating_sub(tenth) + tenth.saturating_mul(2 * share).divided_by(1 << 16)
    };
    match before {
        None => around(INTERVAL),
        Some(before) if before.doubled(1) > MAX_INTERVAL => around(MAX_INTERVAL),
        // "RT = 2*RTprev + RAND*RTprev": half of the spread.
        Some(before) => before + around(before),
    }
}

/// MAX_RTR_SOLICITATION_DELAY.
const MAX_DELAY_MICROS: u32 = 1_000_000;
/// RTR_SOLICITATION_INTERVAL, which is IRT.
const INTERVAL: Duration = Duration::from_secs(4);
/// MRT.
const MAX_INTERVAL: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_secs(100);

    fn random() -> Random {
        Random::new([7; 32].into())
    }

    #[test]
    fn rfc4861_the_first_one_is_delayed_by_up_to_a_second() {
        let mut random = random();
        for _ in 0..100 {
            let mut solicitor = RouterSolicitor::default();
            solicitor.start(START, &mut random);
            let at = solicitor.next_deadline().unwrap();
            assert!(at.since(START) < Duration::from_secs(1));
            assert!(solicitor.poll(at, &mut random) && !solicitor.poll(at, &mut random));
        }
    }

    #[test]
    fn rfc7559_they_come_more_and_more_seldom_and_never_end() {
        let mut random = random();
        let mut solicitor = RouterSolicitor::default();
        solicitor.start(START, &mut random);
        let mut now = solicitor.next_deadline().unwrap();
        let mut expected = 4_000;
        let mut last = None;
        for _ in 0..20 {
            assert!(solicitor.poll(now, &mut random));
            let next = solicitor.next_deadline().unwrap();
            let gap = next.since(now);
            let base = match last {
                None => Duration::from_millis(expected),
                Some(last) => Duration::doubled(last, 1).min(Duration::from_secs(3_600)),
            };
            let tenth = base.divided_by(10);
            assert!(
                base.saturating_sub(tenth) <= gap && gap <= base + tenth,
                "{gap:?}"
            );
            expected = gap.as_millis();
            (now, last) = (next, Some(gap));
        }
        assert!(expected > 3_200_000);
    }

    #[test]
    fn a_search_that_is_stopped_sends_nothing() {
        let mut random = random();
        let mut solicitor = RouterSolicitor::default();
        solicitor.start(START, &mut random);
        solicitor.stop();
        assert_eq!(solicitor.next_deadline(), None);
        assert!(!solicitor.poll(Instant::from_secs(9_999), &mut random));
    }

    #[test]
    fn however_often_it_begins_the_link_is_not_flooded() {
        let mut random = random();
        let mut solicitor = RouterSolicitor::default();
        solicitor.start(START, &mut random);
        let first = solicitor.next_deadline().unwrap();
        solicitor.poll(first, &mut random);
        solicitor.start(first, &mut random);
        assert_eq!(
            solicitor.next_deadline(),
            Some(first + Duration::from_secs(4))
        );
    }
}
