//! One name that is to be this host's alone: is it free, and whose is it when two want it (RFC 6762
//! sections 8 and 9).
//!
//! ```text
//!  Idle ── start ──► Probing ── three probes unanswered ──► Announcing ── second time ──► Held
//!                     ▲  ▲ │ lost against another probe:          │                        │
//!                     │  └─┘ once more, a second later            │                        │
//!                     └────────────────── conflict ───────────────┴────────────────────────┘
//! ```

use crate::rand::Random;
use crate::time::{Duration, Instant};

/// The claim to a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    state: State,
    /// Conflicts in a row, less than [`CALM`] apart.
    conflicts: u8,
    conflicted: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// `due` is the next probe or, when none is left, the end of the wait for answers.
    Probing {
        sent: u8,
        due: Instant,
    },
    Announcing {
        sent: u8,
        due: Instant,
    },
    Held,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Ask whether somebody has the name.
    Probe,
    /// Tell everybody that it is ours.
    Announce,
}

impl Claim {
    pub(super) const fn new() -> Self {
        Self {
            state: State::Idle,
            conflicts: 0,
            conflicted: Instant::ZERO,
        }
    }

    /// Sets out to use the name.
    ///
    /// Section 8.1: "the host should first wait for a short random delay time, uniformly distributed in the
    /// range 0-250 ms".
    pub(super) fn start(&mut self, now: Instant, random: &mut Random) {
        let delay = Duration::from_millis(random.below(PROBE_WAIT_MS).into());
        self.state = State::Probing {
            sent: 0,
            due: now + delay,
        };
    }

    pub(super) fn stop(&mut self) {
        self.state = State::Idle;
    }

    /// Whether the name is ours to answer for.
    pub(super) fn is_ours(&self) -> bool {
        matches!(self.state, State::Announcing { .. } | State::Held)
    }

    /// Whether everybody was told.
    pub(super) fn is_settled(&self) -> bool {
        self.state == State::Held
    }

    /// Whether others may still have it.
    pub(super) fn is_probing(&self) -> bool {
        matches!(self.state, State::Probing { .. })
    }

    /// Whether others were asked, and what they say counts.
    ///
    /// Section 8.1: "from the time the first probe packet is sent until 250 ms after the third probe".
    pub(super) fn has_asked(&self) -> bool {
        matches!(self.state, State::Probing { sent: 1.., .. })
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Probing { due, .. } | State::Announcing { due, .. } => Some(due),
            State::Idle | State::Held => None,
        }
    }

    /// What is due, which counts as done.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Due> {
        match self.state {
            State::Probing { sent, due } if due <= now && sent < PROBES => {
                self.state = State::Probing {
                    sent: sent + 1,
                    due: now + PROBE_INTERVAL,
                };
                Some(Due::Probe)
            }
            State::Probing { due, .. } if due <= now => Some(self.announce(now, 1)),
            State::Announcing { sent, due } if due <= now => Some(self.announce(now, sent + 1)),
            _ => None,
        }
    }

    fn announce(&mut self, now: Instant, sent: u8) -> Due {
        self.state = if sent < ANNOUNCEMENTS {
            State::Announcing {
                sent,
                due: now + ANNOUNCE_INTERVAL,
            }
        } else {
            State::Held
        };
        Due::Announce
    }

    /// Our records changed: tells everybody anew.
    pub(super) fn announce_again(&mut self, now: Instant) {
        if self.is_ours() {
            self.state = State::Announcing { sent: 0, due: now };
        }
    }

    /// Another host probes for the name too, and its records come later in the order.
    ///
    /// Section 8.2: it "defers to the winning host by waiting one second, and then begins probing for this
    /// record again".
    pub(super) fn on_lost_tie(&mut self, now: Instant) {
        if self.is_probing() {
            self.state = State::Probing {
                sent: 0,
                due: now + TIE_WAIT,
            };
        }
    }

    /// Another host has the name: it is probed for anew, or another is.
    ///
    /// Section 8.1: "If fifteen conflicts occur within any ten-second period, then the host MUST wait at
    /// least five seconds before each successive additional probe attempt."
    pub(super) fn on_conflict(&mut self, now: Instant, random: &mut Random) {
        if self.state == State::Idle {
            return;
        }
        if now.since(self.conflicted) > CALM {
            self.conflicts = 0;
        }
        self.conflicts = self.conflicts.saturating_add(1);
        self.conflicted = now;
        self.start(now, random);
        if let State::Probing { due, .. } = &mut self.state
            && self.conflicts >= MAX_CONFLICTS
        {
            *due += CONFLICT_WAIT;
        }
    }
}

const PROBES: u8 = 3;
const PROBE_WAIT_MS: u32 = 250;
const PROBE_INTERVAL: Duration = Duration::from_millis(250);
const ANNOUNCEMENTS: u8 = 2;
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(1);
const TIE_WAIT: Duration = Duration::from_secs(1);
const MAX_CONFLICTS: u8 = 15;
const CALM: Duration = Duration::from_secs(10);
const CONFLICT_WAIT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rand::Seed;

    const NOW: Instant = Instant::from_secs(100);

    fn step(claim: &mut Claim) -> (Instant, Due) {
        let due = claim.next_deadline().expect("something to do");
        (due, claim.poll(due).expect("what is due"))
    }

    #[test]
    fn a_name_is_probed_for_three_times_and_announced_twice() {
        let mut random = Random::new(Seed::from(1));
        let mut claim = Claim::new();
        assert_eq!(claim.next_deadline(), None);
        claim.start(NOW, &mut random);
        let (mut last, due) = step(&mut claim);
        assert!(due == Due::Probe && last.since(NOW) < PROBE_INTERVAL);
        for _ in 0..2 {
            let (at, due) = step(&mut claim);
            assert_eq!((at.since(last), due), (PROBE_INTERVAL, Due::Probe));
            last = at;
            assert!(!claim.is_ours());
        }
        let (at, due) = step(&mut claim);
        assert_eq!((at.since(last), due), (PROBE_INTERVAL, Due::Announce));
        assert!(claim.is_ours());
        let (again, due) = step(&mut claim);
        assert_eq!((again.since(at), due), (ANNOUNCE_INTERVAL, Due::Announce));
        assert!(claim.is_settled() && claim.next_deadline().is_none());
    }

    #[test]
    fn who_loses_a_tie_asks_again_a_second_later() {
        let mut random = Random::new(Seed::from(1));
        let mut claim = Claim::new();
        claim.start(NOW, &mut random);
        let (at, _) = step(&mut claim);
        claim.on_lost_tie(at);
        for _ in 0..3 {
            assert_eq!(step(&mut claim).1, Due::Probe);
        }
        assert!(claim.next_deadline().unwrap() >= at + TIE_WAIT);
        assert_eq!(step(&mut claim).1, Due::Announce);
    }

    #[test]
    fn after_fifteen_conflicts_attempts_are_five_seconds_apart() {
        let mut random = Random::new(Seed::from(1));
        let mut claim = Claim::new();
        claim.start(NOW, &mut random);
        for n in 1..30 {
            let (at, _) = step(&mut claim);
            claim.on_conflict(at, &mut random);
            let wait = claim.next_deadline().unwrap().since(at);
            assert_eq!(wait >= CONFLICT_WAIT, n >= 15, "conflict {n}");
        }
    }
}
