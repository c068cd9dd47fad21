//! Proportional rate reduction (RFC 9937): during recovery as much is sent as arrives, scaled so that
//! what is in flight comes down to the new threshold by the end.

use super::PrrAck;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prr {
    /// RecoverFS: what was in flight when the loss was seen.
    flight: u32,
    delivered: u32,
    out: u32,
    /// What may be sent now.
    allowance: u32,
}

impl Prr {
    /// Recovery starts with `flight` bytes in flight; one segment of `mss` bytes goes at once.
    pub(crate) fn start(flight: u32, mss: u32) -> Self {
        Self {
            flight: flight.max(1),
            delivered: 0,
            out: 0,
            allowance: mss,
        }
    }

    /// An acknowledgment, or a timer that found losses.
    pub(crate) fn on_ack(&mut self, ack: &PrrAck) {
        let &PrrAck {
            delivered,
            pipe,
            ssthresh,
            mss,
            safe,
        } = ack;
        self.delivered = self.delivered.saturating_add(delivered);
        self.allowance = if pipe > ssthresh {
            let share = u64::from(self.delivered) * u64::from(ssthresh);
            let share = share.div_ceil(u64::from(self.flight));
            u32::try_from(share)
                .unwrap_or(u32::MAX)
                .saturating_sub(self.out)
        } else {
            let mut limit = self.delivered.saturating_sub(self.out).max(delivered);
            if safe {
                limit += mss;
            }
            (ssthresh - pipe).min(limit)
        };
        if self.out == 0 {
            // The segment that is sent again at once.
            self.force(mss);
        }
    }

    /// Lets one segment of `mss` bytes out, whatever the arithmetic says.
    pub(crate) fn force(&mut self, mss: u32) {
        self.allowance = self.allowance.max(mss);
    }

    pub(crate) fn on_sent(&mut self, bytes: u32) {
        self.out = self.out.saturating_add(bytes);
        self.allowance = self.allowance.saturating_sub(bytes);
    }

    pub(crate) fn allowance(&self) -> u32 {
        self.allowance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(pipe: u32, safe: bool) -> PrrAck {
        PrrAck {
            delivered: 1_000,
            pipe,
            ssthresh: 10_000,
            mss: 1_000,
            safe,
        }
    }

    #[test]
    fn rfc9937_below_the_threshold_an_ack_that_is_not_safe_keeps_what_is_in_flight() {
        let mut prr = Prr::start(20_000, 1_000);
        prr.on_sent(1_000);
        prr.on_ack(&ack(4_000, false));
        assert_eq!(prr.allowance(), 1_000, "as much as arrived");
        prr.on_ack(&ack(4_000, true));
        assert_eq!(prr.allowance(), 2_000, "and a segment more");
        prr.on_ack(&ack(9_500, true));
        assert_eq!(prr.allowance(), 500, "not beyond the threshold");
    }

    #[test]
    fn halves_what_is_in_flight_over_one_round_trip() {
        let mut prr = Prr::start(20_000, 1_000);
        prr.on_sent(1_000);
        let (mut pipe, mut sent) = (19_000, 1);
        for _ in 0..19 {
            pipe -= 1_000;
            prr.on_ack(&ack(pipe, true));
            while prr.allowance() >= 1_000 {
                prr.on_sent(1_000);
                pipe += 1_000;
                sent += 1;
            }
        }
        assert!((10..=11).contains(&sent), "{sent}");
        assert!((9_000..=10_000).contains(&pipe), "{pipe}");
    }

    /// What has arrived times ssthresh / RecoverFS, rounded up, less what went out.
    #[test]
    fn rfc9937_above_the_threshold_the_share_that_has_arrived_is_sent() {
        let mut prr = Prr::start(20_000, 1_000);
        prr.on_sent(1_000);
        prr.on_ack(&PrrAck {
            delivered: 9_001,
            ..ack(11_000, true)
        });
        assert_eq!(prr.allowance(), 4_501 - 1_000);
    }

    /// What is in flight has come down, and does not come back up.
    #[test]
    fn rfc9937_at_the_threshold_nothing_is_sent() {
        let mut prr = Prr::start(20_000, 1_000);
        prr.on_sent(1_000);
        prr.on_ack(&PrrAck {
            delivered: 9_000,
            ..ack(10_000, true)
        });
        assert_eq!(prr.allowance(), 0);
    }
}
