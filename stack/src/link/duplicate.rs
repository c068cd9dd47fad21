//! Duplicate address detection (RFC 4862 section 5.4), which knows its own solicitations again when a link
//! echoes them (RFC 7527).
//!
//! ```text
//!   start ── up to 1 s ──► solicitation ── RetransTimer ──► ... ──► unique
//!                │                  │
//!                └── advertisement, or another's solicitation ──► duplicate
//! ```
//!
//! `engine` has one for each tentative address, feeds it the neighbor messages about that address, and sends
//! what [`DuplicateDetector::poll_probe`] returns: from `::` to the address's solicited-node group.

use core::net::Ipv6Addr;

use crate::time::{Duration, Instant};

/// Finds out whether somebody else has an address.
#[derive(Clone, Debug)]
pub(crate) struct DuplicateDetector {
    address: Ipv6Addr,
    /// Solicitations to send, of which `sent` are out.
    transmits: u8,
    sent: u8,
    /// When the next one is due, or the verdict.
    deadline: Instant,
    /// What the nonces are made from.
    nonce: [u8; NONCE_LEN],
    /// Whether an echo has been heard.
    echoed: bool,
}

/// A solicitation to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Probe {
    /// The address that is asked for.
    pub(crate) target: Ipv6Addr,
    /// The number by which it is known again.
    pub(crate) nonce: [u8; NONCE_LEN],
}

/// What a message about the address says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Heard {
    /// Our own solicitation came back.
    Echo,
    /// Somebody else has the address, or is about to take it.
    Duplicate,
}

impl DuplicateDetector {
    /// Begins to look for others with `address`. `transmits` is DupAddrDetectTransmits and not 0; `random` is
    /// any random number.
    pub(crate) fn new(now: Instant, address: Ipv6Addr, transmits: u8, random: u64) -> Self {
        let [n0, n1, n2, n3, n4, n5, delay @ ..] = random.to_be_bytes();
        // Section 5.4.2: "delayed by a random delay between 0 and MAX_RTR_SOLICITATION_DELAY", so that hosts
        // which start together do not all ask at once.
        let delay = MAX_DELAY
            .saturating_mul(u64::from(u16::from_be_bytes(delay)))
            .divided_by(1 << 16);
        Self {
            address,
            transmits,
            sent: 0,
            deadline: now + delay,
            nonce: [n0, n1, n2, n3, n4, n5],
            echoed: false,
        }
    }

    /// The address that is looked for.
    pub(crate) fn address(&self) -> Ipv6Addr {
        self.address
    }

    /// The next solicitation that is due, which counts as sent.
    /// `retrans_timer` is RetransTimer, which a router may have set.
    pub(crate) fn poll_probe(&mut self, now: Instant, retrans_timer: Duration) -> Option<Probe> {
        if now < self.deadline || self.sent >= self.transmits {
            return None;
        }
        self.sent += 1;
        self.deadline = now + retrans_timer;
        Some(Probe {
            target: self.address,
            nonce: self.nonce_of(self.sent),
        })
    }

    /// Whether a solicitation is due.
    pub(crate) fn probe_due(&self, now: Instant) -> bool {
        self.deadline <= now && self.sent < self.transmits
    }

    /// Whether nobody spoke up in time: the address is ours.
    pub(crate) fn is_unique(&self, now: Instant) -> bool {
        self.sent >= self.transmits && self.deadline <= now
    }

    /// When there is something to send, or a verdict.
    pub(crate) fn next_deadline(&self) -> Instant {
        self.deadline
    }

    /// A solicitation for the address came from `::`: who sent it looks for others with it as well.
    pub(crate) fn on_solicitation(&mut self, nonce: Option<&[u8]>) -> Heard {
        let is_own = (1..=self.sent).any(|nth| nonce == Some(self.nonce_of(nth).as_slice()));
        if !is_own {
            return Heard::Duplicate;
        }
        // RFC 7527 section 4.1: more solicitations, once, so that an answer is not missed in the noise.
        if !self.echoed {
            self.echoed = true;
            self.transmits = self.sent.saturating_add(MAX_MULTICAST_SOLICIT);
        }
        Heard::Echo
    }

    /// Each solicitation has its own.
    fn nonce_of(&self, nth: u8) -> [u8; NONCE_LEN] {
        let [rest @ .., last] = self.nonce;
        let [n0, n1, n2, n3, n4] = rest;
        [n0, n1, n2, n3, n4, last ^ nth]
    }
}

/// As [`crate::wire::ndisc::NONCE_LEN`].
const NONCE_LEN: usize = crate::wire::ndisc::NONCE_LEN;

/// MAX_RTR_SOLICITATION_DELAY (RFC 4861 section 10).
const MAX_DELAY: Duration = Duration::from_secs(1);
/// MAX_MULTICAST_SOLICIT (RFC 4861 section 10).
const MAX_MULTICAST_SOLICIT: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 7);
    const RETRANS_TIMER: Duration = Duration::from_secs(1);
    const START: Instant = Instant::from_secs(100);

    fn detector(transmits: u8) -> DuplicateDetector {
        // A delay of half a second.
        DuplicateDetector::new(START, ADDRESS, transmits, 0x0102_0304_0506_8000)
    }

    fn at(millis: u64) -> Instant {
        START + Duration::from_millis(millis)
    }

    #[test]
    fn rfc4862_the_first_solicitation_is_delayed_at_random() {
        let mut detector = detector(1);
        assert_eq!(detector.next_deadline(), at(500));
        assert_eq!(detector.poll_probe(at(499), RETRANS_TIMER), None);
        assert!(!detector.probe_due(at(499)) && detector.probe_due(at(500)));
        let probe = detector.poll_probe(at(500), RETRANS_TIMER).unwrap();
        assert_eq!(probe.target, ADDRESS);
        let delays = [0, 0xffff]
            .map(|random| DuplicateDetector::new(START, ADDRESS, 1, random).next_deadline());
        assert!(delays[0] == START && delays[1] < at(1_000) && delays[1] > at(999));
    }

    #[test]
    fn rfc4862_the_address_is_unique_when_nobody_answers_within_retrans_timer() {
        let mut detector = detector(1);
        detector.poll_probe(at(500), RETRANS_TIMER).unwrap();
        assert_eq!(detector.next_deadline(), at(1_500));
        assert!(!detector.is_unique(at(1_499)));
        assert!(detector.is_unique(at(1_500)));
        assert_eq!(detector.poll_probe(at(1_500), RETRANS_TIMER), None);
    }

    #[test]
    fn nothing_is_unique_before_it_was_asked_for() {
        // As when there was no room to transmit.
        assert!(!detector(1).is_unique(at(10_000)));
    }

    #[test]
    fn as_many_solicitations_are_sent_as_asked_for() {
        let mut detector = detector(3);
        let sent = [500, 1_500, 2_500]
            .map(|millis| detector.poll_probe(at(millis), RETRANS_TIMER).unwrap());
        assert!(sent[0].nonce != sent[1].nonce && sent[1].nonce != sent[2].nonce);
        assert_eq!(detector.poll_probe(at(3_500), RETRANS_TIMER), None);
        assert!(detector.is_unique(at(3_500)));
    }

    #[test]
    fn rfc4862_anothers_solicitation_is_a_duplicate() {
        let mut detector = detector(1);
        // Even before ours is out.
        assert_eq!(detector.on_solicitation(None), Heard::Duplicate);
        detector.poll_probe(at(500), RETRANS_TIMER).unwrap();
        assert_eq!(detector.on_solicitation(None), Heard::Duplicate);
        let other = [9, 9, 9, 9, 9, 9];
        assert_eq!(detector.on_solicitation(Some(&other)), Heard::Duplicate);
    }

    #[test]
    fn rfc7527_an_echo_is_no_duplicate_and_has_more_solicitations_sent() {
        let mut detector = detector(1);
        let probe = detector.poll_probe(at(500), RETRANS_TIMER).unwrap();
        assert_eq!(detector.on_solicitation(Some(&probe.nonce)), Heard::Echo);
        assert!(!detector.is_unique(at(1_500)));
        for millis in [1_500, 2_500, 3_500] {
            let probe = detector.poll_probe(at(millis), RETRANS_TIMER).unwrap();
            // All come back, and nobody asks for ever.
            assert_eq!(detector.on_solicitation(Some(&probe.nonce)), Heard::Echo);
        }
        assert_eq!(detector.poll_probe(at(4_500), RETRANS_TIMER), None);
        assert!(detector.is_unique(at(4_500)));
    }
}
