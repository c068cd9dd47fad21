//! When which address of a host is tried (RFC 8305, "Happy Eyeballs").
//!
//! The connector says what it hears, answers about names and failures of attempts, and asks what to do next. The
//! untried addresses are kept in the order of RFC 6724 section 6, which the caller sees to, and taken from there
//! in turns of the two versions.
//!
//! ```text
//!            AAAA answered, or both, or RESOLUTION_DELAY since the answer about A
//!   asking ───────────────────────────────────────────────────────────────────────▶ trying
//!                                          one more at once, when one fails, and every ATTEMPT_DELAY
//! ```

use heapless::Vec;

use crate::time::{Duration, Instant};
use crate::wire::{IpAddress, IpVersion};

/// The addresses of a host, at most `N`, and how far they have been tried.
pub(crate) struct Eyeballs<const N: usize> {
    /// The best first.
    untried: Vec<IpAddress, N>,
    /// The versions whose question has no answer yet.
    unanswered: Vec<IpVersion, 2>,
    /// The version of the last that was tried.
    last: Option<IpVersion>,
    /// Not before that: it waits for the better question's answer, or gives the last attempt its time.
    next: Option<Instant>,
}

impl<const N: usize> Eyeballs<N> {
    /// Nothing is known, and these questions have been asked.
    pub(crate) fn new(versions: impl Iterator<Item = IpVersion>) -> Self {
        Self {
            untried: Vec::new(),
            unanswered: versions.take(2).collect(),
            last: None,
            next: None,
        }
    }

    /// The addresses of one version have been found, or that there are none. The caller brings
    /// [`Self::untried_mut`] into order then.
    pub(crate) fn on_answer(&mut self, now: Instant, version: IpVersion, found: &[IpAddress]) {
        self.unanswered.retain(|unanswered| *unanswered != version);
        for &address in found {
            // There is room: the caller looks for no more.
            let _ = self.untried.push(address);
        }
        if self.last.is_some() {
            return;
        }
        // Section 3: "If a positive A response is received first [...] the client SHOULD wait a short time for
        // the AAAA response"; one about AAAA is not waited with.
        let waits = version == IpVersion::Ipv4 && !self.unanswered.is_empty();
        self.next = (waits && !found.is_empty()).then(|| now + RESOLUTION_DELAY);
    }

    /// What has not been tried yet.
    pub(crate) fn untried_mut(&mut self) -> &mut [IpAddress] {
        &mut self.untried
    }

    /// An attempt failed: the next need not wait.
    pub(crate) fn on_failure(&mut self) {
        self.next = None;
    }

    /// Whether an address is to be tried now.
    pub(crate) fn is_attempt_due(&self, now: Instant) -> bool {
        !self.untried.is_empty() && self.next.is_none_or(|next| next <= now)
    }

    /// The address to try now, if one is to be tried. Section 4: "interleaving of address families", with a First
    /// Address Family Count of 1.
    pub(crate) fn poll_attempt(&mut self, now: Instant) -> Option<IpAddress> {
        if !self.is_attempt_due(now) {
            return None;
        }
        let other = |address: &IpAddress| Some(address.version()) != self.last;
        let at = self.untried.iter().position(other).unwrap_or(0);
        let address = self.untried.remove(at);
        self.last = Some(address.version());
        self.next = Some(now + ATTEMPT_DELAY);
        Some(address)
    }

    /// When to ask [`Self::poll_attempt`] again, if nothing happens before.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.next.filter(|_| !self.untried.is_empty())
    }

    /// Whether everything that there will be has been tried.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.untried.is_empty() && self.unanswered.is_empty()
    }
}

/// Section 8: "Resolution Delay [...] The recommended value is 50 milliseconds."
const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// Section 8: "Connection Attempt Delay [...] The recommended value is 250 milliseconds."
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

#[cfg(test)]
#[cfg(feature = "proto-ipv6")]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(1_000 + millis)
    }

    fn ip(text: &str) -> IpAddress {
        text.parse().unwrap()
    }

    fn asked() -> Eyeballs<8> {
        Eyeballs::new([IpVersion::Ipv6, IpVersion::Ipv4].into_iter())
    }

    #[test]
    fn an_answer_about_aaaa_is_not_waited_with() {
        let mut eyeballs = asked();
        assert_eq!(eyeballs.poll_attempt(at(0)), None);
        assert_eq!(eyeballs.next_deadline(), None);
        eyeballs.on_answer(at(0), IpVersion::Ipv6, &[ip("2001:db8::1")]);
        assert_eq!(eyeballs.poll_attempt(at(0)), Some(ip("2001:db8::1")));
        assert!(!eyeballs.is_exhausted());
        eyeballs.on_answer(at(1), IpVersion::Ipv4, &[ip("192.0.2.1")]);
        assert_eq!(eyeballs.poll_attempt(at(249)), None);
        assert_eq!(eyeballs.next_deadline(), Some(at(250)));
        assert_eq!(eyeballs.poll_attempt(at(250)), Some(ip("192.0.2.1")));
        assert!(eyeballs.is_exhausted());
    }

    #[test]
    fn an_answer_about_a_waits_50_ms_for_that_about_aaaa() {
        let mut eyeballs = asked();
        eyeballs.on_answer(at(0), IpVersion::Ipv4, &[ip("192.0.2.1")]);
        assert_eq!(eyeballs.poll_attempt(at(49)), None);
        assert_eq!(eyeballs.next_deadline(), Some(at(50)));
        assert_eq!(eyeballs.poll_attempt(at(50)), Some(ip("192.0.2.1")));
        assert!(!eyeballs.is_exhausted(), "AAAA may still be answered");

        let mut eyeballs = asked();
        eyeballs.on_answer(at(0), IpVersion::Ipv4, &[ip("192.0.2.1")]);
        eyeballs.on_answer(at(20), IpVersion::Ipv6, &[]);
        assert_eq!(eyeballs.poll_attempt(at(20)), Some(ip("192.0.2.1")));
        assert!(eyeballs.is_exhausted());
    }

    #[test]
    fn that_there_is_no_a_keeps_nobody_waiting() {
        let mut eyeballs = asked();
        eyeballs.on_answer(at(0), IpVersion::Ipv4, &[]);
        assert_eq!(eyeballs.next_deadline(), None);
        eyeballs.on_answer(at(500), IpVersion::Ipv6, &[ip("2001:db8::1")]);
        assert_eq!(eyeballs.poll_attempt(at(500)), Some(ip("2001:db8::1")));
    }

    #[test]
    fn versions_take_turns_and_late_addresses_join() {
        let mut eyeballs = asked();
        let (a, b) = (ip("192.0.2.1"), ip("192.0.2.2"));
        eyeballs.on_answer(at(0), IpVersion::Ipv4, &[a, b]);
        assert_eq!(eyeballs.poll_attempt(at(50)), Some(a));
        let (c, d) = (ip("2001:db8::1"), ip("2001:db8::2"));
        eyeballs.on_answer(at(60), IpVersion::Ipv6, &[c, d]);
        eyeballs
            .untried_mut()
            .sort_by_key(|address| address.version() == IpVersion::Ipv4);
        assert_eq!(
            eyeballs.poll_attempt(at(60)),
            None,
            "the first has its time"
        );
        assert_eq!(eyeballs.poll_attempt(at(300)), Some(c));
        assert_eq!(eyeballs.poll_attempt(at(550)), Some(b));
        assert_eq!(eyeballs.poll_attempt(at(800)), Some(d));
        assert_eq!(eyeballs.poll_attempt(at(1050)), None);
        assert!(eyeballs.is_exhausted());
        assert_eq!(eyeballs.next_deadline(), None);
    }

    #[test]
    fn a_failure_lets_the_next_begin_at_once() {
        let mut eyeballs = asked();
        eyeballs.on_answer(
            at(0),
            IpVersion::Ipv6,
            &[ip("2001:db8::1"), ip("2001:db8::2")],
        );
        eyeballs.poll_attempt(at(0)).unwrap();
        eyeballs.on_failure();
        assert_eq!(eyeballs.poll_attempt(at(3)), Some(ip("2001:db8::2")));
    }
}
