//! The retransmission timeout (RFC 6298), in microseconds.

use crate::time::{Duration, Instant};

/// Round-trip time, its variation, and the timeout that follows from them.
#[derive(Clone, Debug)]
pub(crate) struct RttEstimator {
    /// 0 before the first measurement. In microseconds, as are the others.
    srtt: u32,
    /// RTTVAR. Before the first measurement: when the SYN was sent, in the low 32 bits of microseconds.
    rttvar: u32,
    /// How often the timeout was doubled since the last measurement.
    backoff: u8,
    syn: Syn,
    min_rto: MinRto,
}

/// What the handshake says about the round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Syn {
    /// Nothing, or it is known.
    Untimed,
    /// The SYN is being timed.
    Timed,
    /// The handshake is over, was repeated and gave no measurement.
    Unmeasured,
}

/// The shortest timeout, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MinRto(u16);

impl MinRto {
    /// Below the 1 s that RFC 6298, section 2.4 recommends: like Linux, low enough for today's paths and
    /// above what delayed acknowledgments take.
    pub(crate) const DEFAULT: Duration = Duration::from_millis(200);

    fn as_micros(self) -> u32 {
        u32::from(self.0) * 1_000
    }
}

impl From<Duration> for MinRto {
    /// Rounds up; between a millisecond and a minute.
    fn from(span: Duration) -> Self {
        // In 32 bits from here on: small processors divide no longer numbers.
        let micros = span.as_micros().min(MAX_RTO.into()) as u32;
        Self(micros.div_ceil(1_000).max(1) as u16)
    }
}

impl RttEstimator {
    pub(crate) const fn new(min_rto: MinRto) -> Self {
        Self {
            srtt: 0,
            rttvar: 0,
            backoff: 0,
            syn: Syn::Untimed,
            min_rto,
        }
    }

    /// The timeout is never shorter than this, from now on.
    pub(crate) fn set_min_rto(&mut self, min_rto: MinRto) {
        self.min_rto = min_rto;
    }

    /// Starts timing a SYN. Segments with data have their time on the scoreboard.
    pub(crate) fn on_syn(&mut self, now: Instant) {
        debug_assert_eq!(self.srtt, 0, "a SYN comes first");
        self.syn = Syn::Timed;
        self.rttvar = now.as_micros() as u32;
    }

    /// Karn's algorithm (RFC 6298, section 3): "RTT samples MUST NOT be made using segments that were
    /// retransmitted".
    pub(crate) fn on_syn_again(&mut self) {
        if self.is_timing() {
            self.syn = Syn::Untimed;
            self.rttvar = 0;
        }
    }

    /// Whether a SYN is being timed.
    pub(crate) fn is_timing(&self) -> bool {
        self.syn == Syn::Timed
    }

    /// Something new was acknowledged: the SYN, if that is being timed.
    pub(crate) fn on_ack(&mut self, now: Instant) {
        if self.is_timing() {
            self.sample((now.as_micros() as u32).wrapping_sub(self.rttvar));
        }
    }

    /// The handshake is over. One that was repeated gave no measurement. RFC 6298, section 5.7: "the RTO MUST be
    /// re-initialized to 3 seconds when data transmission begins".
    pub(crate) fn on_repeated_handshake(&mut self) {
        if self.srtt == 0 {
            self.syn = Syn::Unmeasured;
            self.backoff = 0;
        }
    }

    /// RFC 6298, section 5.5: "The host MUST set RTO <- RTO * 2".
    pub(crate) fn back_off(&mut self) {
        self.backoff = (self.backoff + 1).min(MOST_BACKOFF);
    }

    /// What did not come in before is no measure of the path any more: a window opened.
    pub(crate) fn forget_backoff(&mut self) {
        self.backoff = 0;
    }

    /// The timeout for what is sent now.
    #[inline]
    pub(crate) fn rto(&self) -> Duration {
        Duration::from_micros(u64::from(self.rto_micros()))
    }

    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn rto_micros(&self) -> u32 {
        let rto = match (self.srtt, self.syn) {
            (0, Syn::Unmeasured) => FALLBACK_RTO,
            (0, _) => INITIAL_RTO,
            (srtt, _) => srtt + (4 * self.rttvar).max(GRANULARITY),
        };
        let rto = rto.max(self.min_rto.as_micros());
        if rto > MAX_RTO >> self.backoff {
            return MAX_RTO;
        }
        rto << self.backoff
    }

    pub(crate) fn srtt(&self) -> Option<Duration> {
        (self.srtt != 0).then(|| Duration::from_micros(u64::from(self.srtt)))
    }

    pub(crate) fn rttvar(&self) -> Duration {
        let rttvar = if self.srtt == 0 { 0 } else { self.rttvar };
        Duration::from_micros(u64::from(rttvar))
    }

    /// RFC 6298, sections 2.2 to 2.4. A measurement, and nothing less, ends the doubling (section 5, last
    /// paragraph): who resets it with every acknowledgment never learns that the path has become slower than
    /// the timeout, where all that is acknowledged was sent twice.
    ///
    /// A round trip, in microseconds, of no time at all still is a measurement.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn sample(&mut self, rtt: u32) {
        let r = rtt.clamp(1, MAX_RTO);
        self.backoff = 0;
        self.syn = Syn::Untimed;
        self.srtt = match self.srtt {
            0 => {
                self.rttvar = r / 2;
                r
            }
            srtt => {
                self.rttvar = self.rttvar - self.rttvar / 4 + srtt.abs_diff(r) / 4;
                (srtt - srtt / 8 + r / 8).max(1)
            }
        };
    }
}

/// RFC 6298, section 2.1: "the sender SHOULD set RTO <- 1 second".
const INITIAL_RTO: u32 = 1_000_000;
/// RFC 6298, section 5.7.
const FALLBACK_RTO: u32 = 3_000_000;
/// RFC 6298, section 2.5: at least 60 s.
const MAX_RTO: u32 = 60_000_000;
/// What is doubled that often is more than [`MAX_RTO`], however short it was.
const MOST_BACKOFF: u8 = 16;
/// The clock's granularity G as far as the protocol is concerned.
const GRANULARITY: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn estimator() -> RttEstimator {
        RttEstimator::new(MinRto::DEFAULT.into())
    }

    fn measured(samples: &[u32]) -> RttEstimator {
        let mut rtt = estimator();
        for &micros in samples {
            rtt.sample(micros);
        }
        rtt
    }

    // Requirement: RFC 6298 2.1
    #[test]
    fn rfc6298_2_1_starts_at_one_second() {
        assert_eq!(estimator().rto(), Duration::from_secs(1));
        assert_eq!(estimator().srtt(), None);
    }

    // Requirement: RFC 6298 2.2
    #[test]
    fn a_syn_is_timed_until_it_is_acknowledged() {
        let mut rtt = estimator();
        let sent = Instant::from_micros(u64::from(u32::MAX));
        rtt.on_syn(sent);
        assert!(rtt.is_timing());
        rtt.on_ack(sent + Duration::from_millis(400));
        assert!(!rtt.is_timing());
        assert_eq!(rtt.srtt(), Some(Duration::from_millis(400)));
        assert_eq!(rtt.rttvar(), Duration::from_millis(200));
        rtt.on_ack(sent + Duration::from_secs(9));
        assert_eq!(rtt.srtt(), Some(Duration::from_millis(400)));
    }

    #[test]
    fn rfc6298_2_2_first_measurement() {
        let rtt = measured(&[400_000]);
        assert_eq!(rtt.srtt(), Some(Duration::from_millis(400)));
        assert_eq!(rtt.rttvar(), Duration::from_millis(200));
        assert_eq!(rtt.rto(), Duration::from_millis(1_200));
    }

    // Requirement: RFC 9293 MUST-18; RFC 6298 2.3a, 2.3b
    #[test]
    fn rfc6298_2_3_later_measurements() {
        let rtt = measured(&[400_000, 800_000]);
        // RTTVAR = 3/4 * 200 + 1/4 * |400 - 800| = 250; SRTT = 7/8 * 400 + 1/8 * 800 = 450
        assert_eq!(rtt.rttvar(), Duration::from_millis(250));
        assert_eq!(rtt.srtt(), Some(Duration::from_millis(450)));
        assert_eq!(rtt.rto(), Duration::from_millis(1_450));
    }

    // Requirement: RFC 6298 2.5
    #[test]
    fn the_timeout_stays_within_its_bounds() {
        assert_eq!(measured(&[50; 40]).rto(), Duration::from_millis(200));
        assert_eq!(measured(&[90_000_000]).rto(), Duration::from_secs(60));
    }

    #[test]
    fn the_lower_bound_can_be_chosen() {
        let mut rtt = measured(&[5_000; 40]);
        for (chosen, bound) in [
            (Duration::from_millis(30), Duration::from_millis(30)),
            (Duration::from_micros(30_001), Duration::from_millis(31)),
            (Duration::from_secs(2), Duration::from_secs(2)),
            (Duration::from_secs(3_600), Duration::from_secs(60)),
        ] {
            rtt.set_min_rto(chosen.into());
            assert_eq!(rtt.rto(), bound);
        }
        // What was measured is kept: 5 ms, and a millisecond for the clock.
        rtt.set_min_rto(Duration::from_micros(0).into());
        assert_eq!(rtt.rto(), Duration::from_millis(6));
        assert_eq!(MinRto::from(Duration::from_micros(0)), MinRto(1));
    }

    // Requirement: RFC 9293 MUST-19; RFC 6298 5.5
    #[test]
    fn rfc6298_5_5_backs_off_until_a_round_trip_is_measured() {
        let mut rtt = measured(&[400_000]);
        rtt.back_off();
        rtt.back_off();
        assert_eq!(rtt.rto(), Duration::from_millis(4_800));
        for _ in 0..100 {
            rtt.back_off();
        }
        assert_eq!(rtt.rto(), Duration::from_secs(60));
        rtt.on_ack(Instant::from_secs(9));
        assert_eq!(rtt.rto(), Duration::from_secs(60), "Karn's algorithm");
        rtt.sample(400_000);
        assert_eq!(rtt.rto(), Duration::from_millis(1_000));
    }

    // Requirement: RFC 9293 MUST-18; RFC 6298 3a
    #[test]
    fn karn_a_retransmitted_segment_is_not_timed() {
        let mut rtt = estimator();
        rtt.on_syn(Instant::from_secs(1));
        rtt.on_syn_again();
        rtt.on_ack(Instant::from_secs(4));
        assert_eq!(rtt.srtt(), None);
    }

    #[test]
    fn what_was_measured_outlives_a_timeout() {
        let mut rtt = measured(&[400_000]);
        rtt.on_syn_again();
        assert_eq!(rtt.rttvar(), Duration::from_millis(200));
        assert_eq!(rtt.rto(), Duration::from_millis(1_200));
    }

    // Requirement: RFC 6298 5.7
    #[test]
    fn rfc6298_5_7_three_seconds_after_a_handshake_that_was_repeated() {
        let mut rtt = estimator();
        rtt.on_syn(Instant::from_secs(1));
        rtt.on_syn_again();
        rtt.back_off();
        rtt.on_repeated_handshake();
        assert_eq!(rtt.rto(), Duration::from_secs(3));
        rtt.sample(400_000);
        assert_eq!(rtt.rto(), Duration::from_millis(1_200));
    }
}
