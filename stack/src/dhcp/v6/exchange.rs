//! How often a message is sent, and when (RFC 8415, section 15).

use super::Dhcpv6MessageKind;
use crate::rand::Random;
use crate::time::{Duration, Instant};
use crate::wire::Dhcpv6Options;
use crate::wire::dhcpv6::option;

/// A question that is repeated until it is answered, or it is over.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    /// The number that ties answers to it, of 24 bits.
    pub(super) xid: u32,
    /// When it is sent next, or is over.
    pub(super) due: Instant,
    timing: Timing,
    /// When it was sent first.
    first: Option<Instant>,
    /// RT: from the latest to the next.
    wait: Duration,
    sent: u8,
}

/// The parameters of section 7.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timing {
    /// IRT.
    initial: Duration,
    /// MRT.
    longest: Option<Duration>,
    /// MRC.
    count: Option<u8>,
    /// MRD.
    duration: Option<Duration>,
    /// What the first wait is like.
    first_wait: FirstWait,
}

/// How the first wait differs from IRT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FirstWait {
    /// By a tenth at most, either way.
    Spread,
    /// By a tenth at most, and longer: in it servers are heard (section 18.2.1).
    Longer,
}

impl Timing {
    pub(super) const REQUEST: Self = Self::new(1).up_to(30).times(10);
    pub(super) const CONFIRM: Self = Self::new(1).up_to(4).within(10);
    /// Its end is T2.
    pub(super) const RENEW: Self = Self::new(10).up_to(600);
    /// Its end is that of all that there is.
    pub(super) const REBIND: Self = Self::new(10).up_to(600);
    pub(super) const RELEASE: Self = Self::new(1).times(4);
    pub(super) const DECLINE: Self = Self::new(1).times(4);

    pub(super) fn solicit(timeouts: &MaxTimeouts) -> Self {
        Self {
            longest: Some(timeouts.solicit),
            first_wait: FirstWait::Longer,
            ..Self::new(1)
        }
    }

    pub(super) fn inform(timeouts: &MaxTimeouts) -> Self {
        Self {
            longest: Some(timeouts.inform),
            ..Self::new(1)
        }
    }

    const fn new(seconds: u64) -> Self {
        Self {
            initial: Duration::from_secs(seconds),
            longest: None,
            count: None,
            duration: None,
            first_wait: FirstWait::Spread,
        }
    }

    pub(super) const fn up_to(mut self, seconds: u64) -> Self {
        self.longest = Some(Duration::from_secs(seconds));
        self
    }

    const fn times(mut self, count: u8) -> Self {
        self.count = Some(count);
        self
    }

    const fn within(mut self, seconds: u64) -> Self {
        self.duration = Some(Duration::from_secs(seconds));
        self
    }
}

impl Exchange {
    /// One that begins at once.
    pub(super) fn new(due: Instant, timing: Timing, random: &mut Random) -> Self {
        Self {
            xid: random.next_u32() >> 8,
            due,
            timing,
            first: None,
            wait: Duration::ZERO,
            sent: 0,
        }
    }

    /// One that begins within a second, so that hosts that are switched on together do not all ask at once
    /// (SOL_MAX_DELAY, CNF_MAX_DELAY, INF_MAX_DELAY).
    pub(super) fn delayed(now: Instant, timing: Timing, random: &mut Random) -> Self {
        let delay = Duration::from_millis(random.below(MAX_DELAY_MS).into());
        Self::new(now + delay, timing, random)
    }

    pub(super) fn was_sent(&self) -> bool {
        self.first.is_some()
    }

    /// Whether servers have had their time to answer the first message, and the first answer is taken.
    pub(super) fn takes_first_answer(&self) -> bool {
        self.sent > 1
    }

    /// When it is sent again, or is over.
    pub(super) fn next_deadline(&self) -> Instant {
        self.due.min(self.end().unwrap_or(Instant::FAR_FUTURE))
    }

    /// Whether "the message exchange fails", for there is no answer.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let is_counted_out = self.timing.count.is_some_and(|count| self.sent >= count);
        is_counted_out && self.due <= now || self.end().is_some_and(|end| end <= now)
    }

    /// The server has said how long waits may become, which counts from the next one on.
    pub(super) fn set_longest(&mut self, timing: Timing) {
        self.timing.longest = timing.longest;
    }

    fn end(&self) -> Option<Instant> {
        Some(self.first? + self.timing.duration?)
    }

    /// Counts one more that is sent. Returns for how long it has been going on.
    pub(super) fn count(&mut self, now: Instant, random: &mut Random) -> Duration {
        let elapsed = now.since(*self.first.get_or_insert(now));
        self.wait = match self.sent {
            0 => match self.timing.first_wait {
                FirstWait::Spread => spread(self.timing.initial, random),
                FirstWait::Longer => {
                    let tenth = millis(self.timing.initial.divided_by(10));
                    let more = Duration::from_millis(random.below(tenth).into());
                    self.timing.initial + more + Duration::from_millis(1)
                }
            },
            // RT = 2*RTprev + RAND*RTprev.
            _ => {
                let previous = self.wait;
                (spread(previous, random) + previous).min(LONGEST)
            }
        };
        if let Some(longest) = self.timing.longest.filter(|longest| self.wait > *longest) {
            self.wait = spread(longest, random);
        }
        self.sent = self.sent.saturating_add(1);
        self.due = now + self.wait;
        elapsed
    }
}

/// A tenth more or less, at most.
fn spread(wait: Duration, random: &mut Random) -> Duration {
    let tenth = wait.divided_by(10);
    let up_to = millis(tenth).saturating_mul(2).saturating_add(1);
    wait.saturating_sub(tenth) + Duration::from_millis(random.below(up_to).into())
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// How long waits may become where servers are not there: they can say so themselves, which they do to
/// keep clients from asking too often (sections 21.24 and 21.25).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MaxTimeouts {
    solicit: Duration,
    inform: Duration,
}

impl MaxTimeouts {
    pub(super) const fn new() -> Self {
        Self {
            solicit: Duration::from_secs(3600),
            inform: Duration::from_secs(3600),
        }
    }

    /// Section 18.2.9: "The client MUST process any SOL_MAX_RT option [...] and INF_MAX_RT option [...] present in an
    /// Advertise message", even if all else in it is of no use.
    pub(super) fn learn(&mut self, options: &Dhcpv6Options<'_>, kind: Dhcpv6MessageKind) {
        if !matches!(
            kind,
            Dhcpv6MessageKind::Advertise | Dhcpv6MessageKind::Reply
        ) {
            return;
        }
        let told = |code| {
            // Section 21.24: values "less than 60 or more than 86400" are ignored.
            let seconds = options.u32(code).filter(|s| (60..=86_400).contains(s))?;
            Some(Duration::from_secs(seconds.into()))
        };
        self.solicit = told(option::SOL_MAX_RT).unwrap_or(self.solicit);
        self.inform = told(option::INF_MAX_RT).unwrap_or(self.inform);
    }
}

const MAX_DELAY_MS: u32 = 1000;

/// Where nothing bounds a wait, so that doubling ends.
const LONGEST: Duration = Duration::from_secs(86_400);
