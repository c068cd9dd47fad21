//! Random choices in the words that plans use.

use cygnet::Duration;
use rand_core::Rng;
use rand_pcg::Pcg32;

/// A source of choices; each part of a world has one of its own, so that a choice here does not change
/// those made elsewhere.
pub(crate) struct Dice(Pcg32);

impl Dice {
    /// The dice of the part with that number.
    pub(crate) fn new(seed: u64, part: u64) -> Self {
        Self(Pcg32::new(seed, part))
    }

    /// Below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    /// From `least` to `most`, each as likely.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// From `least`, which is not 0, to about `most`, each order of magnitude as likely.
    pub(crate) fn scale(&mut self, least: u64, most: u64) -> u64 {
        let doublings = (most / least).max(1).ilog2();
        let base = least << self.below(u64::from(doublings) + 1);
        (base + self.below(base)).min(most)
    }

    /// So often in a hundred.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }

    /// A span between these, in microseconds, each order of magnitude as likely.
    pub(crate) fn span(&mut self, least: Duration, most: Duration) -> Duration {
        Duration::from_micros(self.scale(least.as_micros(), most.as_micros()))
    }
}
