//! The rate of recovery without proportional rate reduction (RFC 6675, section 5): what the reduced window has
//! room for, once what is in flight has come down to it, and one segment at once.

use super::PrrAck;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prr {
    /// What may be sent now.
    allowance: u32,
}

impl Prr {
    /// Recovery starts; one segment of `mss` bytes goes at once (section 5, step 4.3).
    pub(crate) fn start(_flight: u32, mss: u32) -> Self {
        Self { allowance: mss }
    }

    /// An acknowledgment. What went out at once does not go out again for it: `allowance` was used up by then.
    pub(crate) fn on_ack(&mut self, ack: &PrrAck) {
        let room = ack.ssthresh.saturating_sub(ack.pipe);
        self.allowance = self.allowance.max(room);
    }

    /// Lets one segment of `mss` bytes out, whatever the arithmetic says.
    pub(crate) fn force(&mut self, mss: u32) {
        self.allowance = self.allowance.max(mss);
    }

    pub(crate) fn on_sent(&mut self, bytes: u32) {
        self.allowance = self.allowance.saturating_sub(bytes);
    }

    pub(crate) fn allowance(&self) -> u32 {
        self.allowance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ack(pipe: u32) -> PrrAck {
        PrrAck {
            delivered: 1_000,
            pipe,
            ssthresh: 5_000,
            mss: 1_000,
            safe: false,
        }
    }

    #[test]
    fn rfc6675_5_one_segment_at_once_and_then_what_the_halved_window_has_room_for() {
        let mut rate = Prr::start(10_000, 1_000);
        assert_eq!(rate.allowance(), 1_000);
        rate.on_sent(1_000);
        rate.on_ack(&ack(6_000));
        assert_eq!(rate.allowance(), 0);
        rate.on_ack(&ack(3_500));
        assert_eq!(rate.allowance(), 1_500);
        rate.force(1_000);
        assert_eq!(rate.allowance(), 1_500);
        rate.on_sent(2_000);
        rate.force(1_000);
        assert_eq!(rate.allowance(), 1_000);
    }
}
