//! The impairments of one direction at work: decides the fate of each frame that a port sends.

use cygnet_driver::{Duration, Instant};
use rand_core::SeedableRng;
use rand_pcg::Pcg32;

use crate::bottleneck::{Bottleneck, Departure};
use crate::impairments::{Impairments, WhenFull};
use crate::probability::below;

/// What becomes of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Arrives(Passage),
    /// Lost on the wire.
    Lost,
    /// The queue was full.
    QueueFull,
}

/// How a frame arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passage {
    /// When; [`Instant::ZERO`] for at once.
    pub(crate) due: Instant,
    /// Which bit is flipped.
    pub(crate) flip: Option<usize>,
    /// How long after `due` it arrives again.
    pub(crate) repeat_after: Option<Duration>,
    /// It is held back, so that later frames overtake it.
    pub(crate) reordered: bool,
}

impl Passage {
    const UNTOUCHED: Self = Self {
        due: Instant::ZERO,
        flip: None,
        repeat_after: None,
        reordered: false,
    };
}

/// One direction of a link: what one port sends.
pub(crate) struct Direction<'d> {
    impairments: Impairments,
    /// `None` on a perfect link, where nothing else is looked at.
    rng: Option<Pcg32>,
    in_bad_spell: bool,
    /// When the last frame that was not held back arrives.
    last_due: Instant,
    bottleneck: Bottleneck<'d>,
}

impl<'d> Direction<'d> {
    pub(crate) const fn new() -> Self {
        Self {
            impairments: Impairments::new(),
            rng: None,
            in_bad_spell: false,
            last_due: Instant::ZERO,
            bottleneck: Bottleneck::new(),
        }
    }

    pub(crate) fn place(&mut self, memory: &'d mut [Departure]) {
        self.bottleneck.place(memory);
    }

    /// Starts anew with other impairments. `port` makes the random numbers differ between ports of
    /// the same seed.
    pub(crate) fn set(&mut self, impairments: Impairments, port: usize) {
        self.impairments = impairments;
        self.rng = (!impairments.is_none()).then(|| {
            let offset = (port as u64).wrapping_mul(GOLDEN_RATIO);
            Pcg32::seed_from_u64(impairments.seed.wrapping_add(offset))
        });
        self.in_bad_spell = false;
        self.last_due = Instant::ZERO;
        self.bottleneck.reset();
    }

    /// When there is room for a frame, if there is none now.
    pub(crate) fn blocked_until(&mut self, now: impl FnOnce() -> Instant) -> Option<Instant> {
        let Impairments {
            bandwidth,
            queue_limit,
            when_full,
            ..
        } = self.impairments;
        if self.rng.is_none() || bandwidth == 0 || when_full == WhenFull::Drop {
            return None;
        }
        if !self.bottleneck.is_full(now(), queue_limit, 1) {
            return None;
        }
        self.bottleneck.next_departure()
    }

    /// Decides about a frame of `len` bytes. The clock is read only if the time matters.
    pub(crate) fn decide(&mut self, len: usize, now: impl FnOnce() -> Instant) -> Fate {
        // The order of the draws below is part of what a seed means.
        let Some(mut rng) = self.rng.take() else {
            return Fate::Arrives(Passage::UNTOUCHED);
        };
        let fate = self.decide_with(&mut rng, len, now);
        self.rng = Some(rng);
        fate
    }

    fn decide_with(&mut self, rng: &mut Pcg32, len: usize, now: impl FnOnce() -> Instant) -> Fate {
        let departure = if self.impairments.is_timed() {
            let Some(departure) = self.depart(len, now()) else {
                return Fate::QueueFull;
            };
            Some(departure)
        } else {
            None
        };
        if self.loses(rng) {
            return Fate::Lost;
        }
        let impairments = &self.impairments;
        let mut passage = Passage::UNTOUCHED;
        if len > 0 && impairments.corruption.happens(rng) {
            let bits = (len as u64).saturating_mul(8);
            passage.flip = usize::try_from(below(rng, bits)).ok();
        }
        if impairments.duplication.happens(rng) {
            passage.repeat_after = Some(up_to(rng, impairments.jitter));
        }
        if let Some(departure) = departure {
            let due = departure + impairments.delay + up_to(rng, impairments.jitter);
            self.last_due = self.last_due.max(due);
            passage.due = self.last_due;
            passage.reordered =
                !impairments.reordering_delay.is_zero() && impairments.reordering.happens(rng);
            if passage.reordered {
                passage.due += impairments.reordering_delay;
            }
        }
        Fate::Arrives(passage)
    }

    /// Queue and bandwidth: when the frame is on the wire, `None` if the queue was full.
    fn depart(&mut self, len: usize, now: Instant) -> Option<Instant> {
        let Impairments {
            bandwidth,
            queue_limit,
            when_full,
            ..
        } = self.impairments;
        if bandwidth == 0 {
            return Some(now);
        }
        // A blocking queue had its say before the frame was written.
        if when_full == WhenFull::Drop && self.bottleneck.is_full(now, queue_limit, len) {
            return None;
        }
        Some(self.bottleneck.pass(now, len, bandwidth, queue_limit))
    }

    /// Whether the wire loses a frame, by either model of loss.
    fn loses(&mut self, rng: &mut Pcg32) -> bool {
        let lost = self.impairments.loss.happens(rng);
        let burst = self.impairments.burst_loss;
        let turn = if self.in_bad_spell {
            burst.leave
        } else {
            burst.enter
        };
        self.in_bad_spell ^= turn.happens(rng);
        let lost_in_burst = self.in_bad_spell && burst.loss.happens(rng);
        lost || lost_in_burst
    }
}

/// A uniform span of at most `longest`.
fn up_to(rng: &mut Pcg32, longest: Duration) -> Duration {
    if longest.is_zero() {
        return Duration::ZERO;
    }
    Duration::from_micros(below(rng, longest.as_micros().saturating_add(1)))
}

/// 2^64 over the golden ratio: keeps the seeds of neighbouring ports far apart.
const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
