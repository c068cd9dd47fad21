//! Chances in whole millionths: exact, comparable and free of floating point.

use rand_core::Rng;

/// A probability in parts per million, at most one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Probability(u32);

/// `n` in a million; more than a million counts as a million.
pub const fn ppm(n: u32) -> Probability {
    Probability(if n > MILLION { MILLION } else { n })
}

/// `n` in a hundred; more than a hundred counts as a hundred.
pub const fn percent(n: u32) -> Probability {
    ppm(n.saturating_mul(10_000))
}

impl Probability {
    /// It never happens.
    pub const NEVER: Self = Self(0);
    /// It always happens.
    pub const ALWAYS: Self = Self(MILLION);

    /// In parts per million.
    pub const fn as_ppm(self) -> u32 {
        self.0
    }

    /// Whether it can happen at all.
    pub(crate) const fn is_possible(self) -> bool {
        self.0 > 0
    }

    /// Throws the dice. Draws nothing when it never happens, so that an impairment that is off does
    /// not change what the others do.
    pub(crate) fn happens(self, rng: &mut impl Rng) -> bool {
        self.is_possible() && below(rng, u64::from(MILLION)) < u64::from(self.0)
    }
}

/// A uniform number in `0..bound`, and 0 when `bound` is 0.
///
/// The multiply-and-shift method: its bias is `bound` in 2^64, far below what a test could see.
pub(crate) fn below(rng: &mut impl Rng, bound: u64) -> u64 {
    let wide = u128::from(rng.next_u64()) * u128::from(bound);
    (wide >> 64) as u64
}

const MILLION: u32 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;
    use rand_pcg::Pcg32;

    #[test]
    fn out_of_range_chances_become_certainty() {
        assert_eq!(percent(250), Probability::ALWAYS);
        assert_eq!(percent(u32::MAX), Probability::ALWAYS);
        assert_eq!(percent(3), ppm(30_000));
    }

    #[test]
    fn certainty_and_impossibility_are_exact() {
        let mut rng = Pcg32::new(1, 1);
        assert!((0..10_000).all(|_| Probability::ALWAYS.happens(&mut rng)));
        assert!((0..10_000).all(|_| !Probability::NEVER.happens(&mut rng)));
    }

    #[test]
    fn impossible_events_draw_no_number() {
        let (mut used, mut untouched) = (Pcg32::new(1, 1), Pcg32::new(1, 1));
        Probability::NEVER.happens(&mut used);
        assert_eq!(used.next_u64(), untouched.next_u64());
    }

    #[test]
    fn numbers_stay_below_their_bound_and_reach_all_values() {
        let mut rng = Pcg32::new(2, 1);
        let mut seen = [false; 5];
        for _ in 0..1_000 {
            seen[below(&mut rng, 5) as usize] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(below(&mut rng, 0), 0);
    }
}
