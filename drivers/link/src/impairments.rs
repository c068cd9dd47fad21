//! What a link does to the frames of one direction; the user's description, without any state.

use cygnet_driver::Duration;

use crate::Probability;

/// What happens to the frames that one port sends. None of it by default.
///
/// A frame passes the stages in this order:
///
/// ```text
/// queue limit > bandwidth > loss > corruption > duplication > delay and jitter > reordering
/// ```
///
/// so a lost frame has used its share of the bandwidth, as on a real wire. Two runs with the same
/// seed, the same frames and the same clock readings are alike in every bit. Each port draws from
/// its own sequence, also when all ports have the same seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impairments {
    pub(crate) seed: u64,
    pub(crate) loss: Probability,
    pub(crate) burst_loss: BurstLoss,
    pub(crate) corruption: Probability,
    pub(crate) duplication: Probability,
    pub(crate) reordering: Probability,
    pub(crate) reordering_delay: Duration,
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    pub(crate) bandwidth: u64,
    pub(crate) queue_limit: QueueLimit,
    pub(crate) when_full: WhenFull,
}

/// Losses that come in bursts: the model of Gilbert and Elliott.
///
/// The link is in a good state, where this model loses nothing, or in a bad one. It may change its
/// state at every frame. A bad spell lasts `1 / leave` frames on average.
///
/// ```text
///            enter
///    .---------------->.
///  GOOD               BAD   loses with probability `loss`
///    `<----------------'
///            leave
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BurstLoss {
    /// The chance, at each frame, to go from good to bad.
    pub enter: Probability,
    /// The chance, at each frame, to go from bad to good.
    pub leave: Probability,
    /// The chance to lose a frame in the bad state.
    pub loss: Probability,
}

/// How much may wait in front of the bandwidth limit, the frame on the wire included.
///
/// An empty queue takes any frame. A network remembers at most as many waiting frames as it has
/// buffers, so that is a second limit wherever one is set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum QueueLimit {
    /// As much as the network has buffers.
    #[default]
    Unlimited,
    /// That many frames.
    Frames(usize),
    /// That many bytes.
    Bytes(usize),
}

/// What happens to a frame for which the queue has no room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// It is dropped, as a router does.
    #[default]
    Drop,
    /// It is not accepted: the port has no room to transmit until the queue has, as a network card
    /// does. A queue limited in bytes may exceed its limit by part of one frame.
    Block,
}

impl Impairments {
    /// A perfect link.
    pub const fn new() -> Self {
        Self {
            seed: 0,
            loss: Probability::NEVER,
            burst_loss: BurstLoss {
                enter: Probability::NEVER,
                leave: Probability::NEVER,
                loss: Probability::NEVER,
            },
            corruption: Probability::NEVER,
            duplication: Probability::NEVER,
            reordering: Probability::NEVER,
            reordering_delay: Duration::ZERO,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            bandwidth: 0,
            queue_limit: QueueLimit::Unlimited,
            when_full: WhenFull::Drop,
        }
    }

    /// Where the random numbers start.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Loses each frame with that probability, independently of the others.
    pub const fn loss(mut self, probability: Probability) -> Self {
        self.loss = probability;
        self
    }

    /// Loses frames in bursts, besides those of [`Self::loss`].
    pub const fn burst_loss(mut self, model: BurstLoss) -> Self {
        self.burst_loss = model;
        self
    }

    /// Flips one random bit of a frame with that probability.
    pub const fn corruption(mut self, probability: Probability) -> Self {
        self.corruption = probability;
        self
    }

    /// Delivers a frame twice with that probability; the second copy comes right after the first, or
    /// up to [`Self::jitter`] later.
    pub const fn duplication(mut self, probability: Probability) -> Self {
        self.duplication = probability;
        self
    }

    /// Holds a frame back by `delay` with that probability, so that those sent after it in that time
    /// overtake it.
    pub const fn reordering(mut self, probability: Probability, delay: Duration) -> Self {
        self.reordering = probability;
        self.reordering_delay = delay;
        self
    }

    /// Every frame takes that long, after it has left the bandwidth limit.
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Every frame takes up to that much longer, uniformly. Jitter alone does not reorder: a frame
    /// never arrives before the one in front of it.
    pub const fn jitter(mut self, jitter: Duration) -> Self {
        self.jitter = jitter;
        self
    }

    /// Serialises frames at that many bits per second; 0 is unlimited. Only the frame's own bytes
    /// count, no preamble, check sequence or gap.
    pub const fn bandwidth(mut self, bits_per_second: u64) -> Self {
        self.bandwidth = bits_per_second;
        self
    }

    /// Limits the queue in front of [`Self::bandwidth`]. Without a bandwidth nothing ever waits.
    pub const fn queue_limit(mut self, limit: QueueLimit) -> Self {
        self.queue_limit = limit;
        self
    }

    /// What a full queue does with one more frame.
    pub const fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }

    /// Whether every frame passes, untouched and at once.
    pub fn is_none(&self) -> bool {
        !self.is_random() && !self.is_timed()
    }

    /// Whether the moment of sending matters.
    pub(crate) fn is_timed(&self) -> bool {
        !self.delay.is_zero()
            || !self.jitter.is_zero()
            || self.bandwidth > 0
            || (self.reordering.is_possible() && !self.reordering_delay.is_zero())
    }

    fn is_random(&self) -> bool {
        self.loss.is_possible()
            || self.burst_loss.enter.is_possible()
            || self.corruption.is_possible()
            || self.duplication.is_possible()
    }
}

impl Default for Impairments {
    fn default() -> Self {
        Self::new()
    }
}
