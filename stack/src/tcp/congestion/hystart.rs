//! HyStart++ (RFC 9406): leaves slow start when round trips become longer, before the queue overflows.
//!
//! ```text
//!   slow start --- RTT rose by MIN_RTT/8 ---> conservative slow start --- five rounds ---> avoidance
//!              <---- RTT fell again --------   (a quarter of the growth)
//! ```

/// The first slow start of a connection, in rounds.
#[derive(Clone, Debug)]
pub(crate) struct HyStart {
    /// Bytes of this round that are not acknowledged yet. A round is what was in flight when it began:
    /// when so much is acknowledged, `windowEnd` of the RFC is.
    round_left: u32,
    /// lastRoundMinRTT and currentRoundMinRTT, in microseconds.
    last_round: u32,
    this_round: u32,
    /// Samples in this round.
    samples: u8,
    /// Rounds in conservative slow start.
    rounds: u8,
    /// cssBaselineMinRtt, in microseconds, while in conservative slow start.
    baseline: Option<core::num::NonZeroU32>,
}

/// What slow start does with an acknowledgment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    /// Grow by so many bytes.
    Grow(u32),
    /// Slow start is over.
    Leave,
}

impl HyStart {
    pub(super) const fn new() -> Self {
        Self {
            round_left: 0,
            last_round: u32::MAX,
            this_round: u32::MAX,
            samples: 0,
            rounds: 0,
            baseline: None,
        }
    }

    /// So many bytes were acknowledged, with `in_flight` left, and measured that round trip.
    ///
    /// Section 4.3: "L = infinity" for senders that pace, as this one's do.
    pub(super) fn on_ack(&mut self, acked: u32, in_flight: u32, rtt: Option<u32>) -> Advice {
        if let Some(rtt) = rtt {
            self.this_round = self.this_round.min(rtt);
            self.samples = self.samples.saturating_add(1);
        }
        let growth = match self.baseline {
            None => {
                self.look_for_delay();
                acked
            }
            Some(baseline) => {
                if self.samples >= SAMPLES && self.this_round < baseline.get() {
                    // It was jitter: "resume slow start including HyStart++".
                    self.baseline = None;
                }
                acked / GROWTH_DIVISOR
            }
        };
        self.round_left = self.round_left.saturating_sub(acked);
        if self.round_left == 0 && self.end_round(in_flight) {
            return Advice::Leave;
        }
        Advice::Grow(growth)
    }

    /// Section 4.2: a delay that rose by RttThresh ends slow start, for the time being.
    fn look_for_delay(&mut self) {
        if self.samples < SAMPLES || self.last_round == u32::MAX {
            return;
        }
        let threshold = (self.last_round / RTT_DIVISOR).clamp(MIN_THRESHOLD, MAX_THRESHOLD);
        if self.this_round >= self.last_round.saturating_add(threshold) {
            self.baseline = core::num::NonZeroU32::new(self.this_round);
            self.rounds = 0;
        }
    }

    /// True if that was the last round of slow start.
    fn end_round(&mut self, in_flight: u32) -> bool {
        self.round_left = in_flight;
        self.last_round = self.this_round;
        self.this_round = u32::MAX;
        self.samples = 0;
        if self.baseline.is_some() {
            self.rounds += 1;
        }
        self.rounds >= ROUNDS && self.baseline.is_some()
    }
}

/// N_RTT_SAMPLE.
const SAMPLES: u8 = 8;

/// MIN_RTT_DIVISOR.
const RTT_DIVISOR: u32 = 8;

/// MIN_RTT_THRESH and MAX_RTT_THRESH, in microseconds.
const MIN_THRESHOLD: u32 = 4_000;
const MAX_THRESHOLD: u32 = 16_000;

/// CSS_GROWTH_DIVISOR.
const GROWTH_DIVISOR: u32 = 4;

/// CSS_ROUNDS.
const ROUNDS: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const FLIGHT: u32 = 20_000;

    /// A round of 20 acknowledgments that all measure `rtt` milliseconds; the growth it allows.
    fn round(hystart: &mut HyStart, rtt: u32) -> Option<u32> {
        let mut growth = 0;
        for _ in 0..20 {
            match hystart.on_ack(FLIGHT / 20, FLIGHT, Some(1_000 * rtt)) {
                Advice::Grow(bytes) => growth += bytes,
                Advice::Leave => return None,
            }
        }
        Some(growth)
    }

    /// As far as the end of the first round.
    fn started(rtt: u32) -> HyStart {
        let mut hystart = HyStart::new();
        hystart.on_ack(1_000, FLIGHT, Some(1_000 * rtt));
        hystart
    }

    #[test]
    fn without_delay_all_that_is_acknowledged_is_growth() {
        let mut hystart = started(50);
        for _ in 0..10 {
            assert_eq!(round(&mut hystart, 50), Some(FLIGHT));
        }
    }

    // Requirement: RFC 9438 4.10b
    #[test]
    fn a_rise_by_an_eighth_slows_growth_down_after_eight_samples() {
        let mut hystart = started(80);
        round(&mut hystart, 80);
        // Eight samples grow as before, the other twelve by a quarter.
        assert_eq!(round(&mut hystart, 90), Some(8_000 + 12_000 / 4));
    }

    #[test]
    fn a_smaller_rise_does_not() {
        let mut hystart = started(80);
        round(&mut hystart, 80);
        assert_eq!(round(&mut hystart, 89), Some(FLIGHT));
    }

    #[test]
    fn the_threshold_lies_between_4_and_16_ms() {
        for (rtt, too_little, enough) in [(8, 11, 12), (1_000, 1_015, 1_016)] {
            let mut hystart = started(rtt);
            round(&mut hystart, rtt);
            assert_eq!(round(&mut hystart.clone(), too_little), Some(FLIGHT));
            assert!(round(&mut hystart, enough).unwrap() < FLIGHT);
        }
    }

    #[test]
    fn too_few_samples_say_nothing() {
        let mut hystart = started(50);
        round(&mut hystart, 50);
        for _ in 0..7 {
            assert_eq!(
                hystart.on_ack(1_000, FLIGHT, Some(90_000)),
                Advice::Grow(1_000)
            );
        }
    }

    // Requirement: RFC 9438 4.10b
    #[test]
    fn slow_start_ends_after_five_rounds_of_delay() {
        let mut hystart = started(50);
        round(&mut hystart, 50);
        let mut rounds = 0;
        while round(&mut hystart, 70).is_some() {
            rounds += 1;
        }
        // The one in which the delay showed, and four more; the fifth ends it.
        assert_eq!(rounds, 4);
    }

    #[test]
    fn delay_that_goes_away_was_jitter() {
        let mut hystart = started(50);
        round(&mut hystart, 50);
        round(&mut hystart, 70);
        // Eight samples to be sure, one of them grows by a quarter still.
        assert_eq!(round(&mut hystart, 50), Some(8 * 250 + 12_000));
        for _ in 0..10 {
            assert_eq!(round(&mut hystart, 50), Some(FLIGHT));
        }
    }
}
