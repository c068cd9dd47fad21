//! The retransmission timeout (RFC 6298), in microseconds.

use super::connection::Moment;
use crate::time::{Duration, Instant};

/// Round-trip time, its variation, and the timeout that follows from them.
#[derive(Clone, Debug)]
pub(crate) struct RttEstimator {
    /// 0 before the first measurement. In microseconds, as are the others.
    srtt: u32,
    rttvar: u32,
    rto: u32,
    /// How often the timeout was doubled since the last acknowledgment of new data.
    backoff: u8,
    /// When the SYN was sent that is being timed, in the low 32 bits of microseconds: the first
    /// acknowledgment of anything new is its.
    timed: Option<Moment>,
}

impl RttEstimator {
    pub(crate) const fn new() -> Self {
        Self {
            srtt: 0,
            rttvar: 0,
            rto: INITIAL_RTO,
            backoff: 0,
            timed: None,
        }
    }

    /// Starts timing a SYN. Segments with data have their time on the scoreboard.
    pub(crate) fn on_send(&mut self, now: Instant) {
        if self.timed.is_none() {
            self.timed = Some(Moment::new(now.as_micros() as u32));
        }
    }

    /// Karn's algorithm (RFC 6298, section 3): "RTT samples MUST NOT be made using segments that were
    /// retransmitted".
    pub(crate) fn on_retransmit(&mut self) {
        self.timed = None;
    }

    /// New data was acknowledged. `echoed`: how old the timestamp is that came back, which
    /// measures even where Karn's algorithm forbids timing.
    pub(crate) fn on_ack(&mut self, now: Instant, echoed: Option<Duration>) {
        self.backoff = 0;
        match self.timed.take() {
            Some(sent) => {
                let rtt = sent.age(now.as_micros() as u32);
                self.sample(Duration::from_micros(u64::from(rtt)));
            }
            // The scoreboard measures better; this is for where it may not (Karn's algorithm).
            None if self.srtt == 0 => {
                if let Some(age) = echoed {
                    self.sample(age);
                }
            }
            _ => {}
        }
    }

    /// The handshake was repeated and gave no measurement. RFC 6298, section 5.7: "the RTO MUST be
    /// re-initialized to 3 seconds when data transmission begins".
    pub(crate) fn on_repeated_handshake(&mut self) {
        if self.srtt == 0 {
            self.rto = FALLBACK_RTO;
        }
    }

    /// RFC 6298, section 5.5: "The host MUST set RTO <- RTO * 2".
    pub(crate) fn back_off(&mut self) {
        self.backoff = self.backoff.saturating_add(1);
    }

    /// The timeout for what is sent now.
    pub(crate) fn rto(&self) -> Duration {
        let backed_off = u64::from(self.rto) << self.backoff.min(32);
        Duration::from_micros(backed_off.min(u64::from(MAX_RTO)))
    }

    pub(crate) fn srtt(&self) -> Option<Duration> {
        (self.srtt != 0).then(|| Duration::from_micros(u64::from(self.srtt)))
    }

    pub(crate) fn rttvar(&self) -> Duration {
        Duration::from_micros(u64::from(self.rttvar))
    }

    /// RFC 6298, sections 2.2 to 2.4.
    pub(crate) fn sample(&mut self, rtt: Duration) {
        let r = u32::try_from(rtt.as_micros())
            .unwrap_or(MAX_RTO)
            .min(MAX_RTO);
        // A round trip of no time at all still is a measurement.
        let r = r.max(1);
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
        let rto = self.srtt.saturating_add((4 * self.rttvar).max(GRANULARITY));
        self.rto = rto.clamp(MIN_RTO, MAX_RTO);
    }
}

/// RFC 6298, section 2.1: "the sender SHOULD set RTO <- 1 second".
const INITIAL_RTO: u32 = 1_000_000;
/// RFC 6298, section 5.7.
const FALLBACK_RTO: u32 = 3_000_000;
/// Below the 1 s that RFC 6298, section 2.4 recommends: like Linux, low enough for today's paths and
/// above what delayed acknowledgments take.
const MIN_RTO: u32 = 200_000;
/// RFC 6298, section 2.5: at least 60 s.
const MAX_RTO: u32 = 60_000_000;
/// The clock's granularity G as far as the protocol is concerned.
const GRANULARITY: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(samples: &[u64]) -> RttEstimator {
        let mut rtt = RttEstimator::new();
        let mut now = Instant::from_secs(1);
        for &micros in samples {
            rtt.on_send(now);
            now += Duration::from_micros(micros);
            rtt.on_ack(now, None);
        }
        rtt
    }

    // Requirement: RFC 6298 2.1
    #[test]
    fn rfc6298_2_1_starts_at_one_second() {
        assert_eq!(RttEstimator::new().rto(), Duration::from_secs(1));
        assert_eq!(RttEstimator::new().srtt(), None);
    }

    // Requirement: RFC 6298 2.2
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

    // Requirement: RFC 9293 MUST-19; RFC 6298 5.5
    #[test]
    fn rfc6298_5_5_backs_off_until_new_data_is_acknowledged() {
        let mut rtt = measured(&[400_000]);
        rtt.back_off();
        rtt.back_off();
        assert_eq!(rtt.rto(), Duration::from_millis(4_800));
        for _ in 0..100 {
            rtt.back_off();
        }
        assert_eq!(rtt.rto(), Duration::from_secs(60));
        rtt.on_ack(Instant::from_secs(9), None);
        assert_eq!(rtt.rto(), Duration::from_millis(1_200));
    }

    // Requirement: RFC 9293 MUST-18; RFC 6298 3a
    #[test]
    fn karn_a_retransmitted_segment_is_not_timed() {
        let mut rtt = RttEstimator::new();
        rtt.on_send(Instant::from_secs(1));
        rtt.on_retransmit();
        rtt.on_ack(Instant::from_secs(4), None);
        assert_eq!(rtt.srtt(), None);
    }

    #[test]
    fn an_echoed_timestamp_measures_a_retransmission() {
        let mut rtt = RttEstimator::new();
        rtt.on_ack(Instant::from_secs(4), Some(Duration::from_millis(30)));
        assert_eq!(rtt.srtt(), Some(Duration::from_millis(30)));
    }
}
