//! Whether a tail loss probe is out (RFC 8985, section 7), and what the peer's silence was taken for. A probe makes
//! the peer acknowledge, and so shows what is lost.

use crate::wire::SeqNum;

/// The probe of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    state: State,
    /// TLP.end_seq, while a probe is out; in halves, which leave no gap in a connection.
    end: [u16; 2],
    /// How often the peer's silence was taken for a loss during this recovery, since it last spoke.
    silences: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// None is out.
    None,
    NewData,
    /// The last segment again, because there was nothing new.
    Repeated,
}

/// What became of a tail loss probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeOutcome {
    /// None is out, or nothing is known yet.
    Unknown,
    /// Nothing was lost.
    Needless,
    /// It repaired a loss that nobody would have seen otherwise.
    Repaired,
}

impl Probe {
    pub(super) fn new(iss: SeqNum) -> Self {
        Self {
            state: State::None,
            end: halves(iss),
            silences: 0,
        }
    }

    /// Whether one is out.
    pub(crate) fn is_out(&self) -> bool {
        self.state != State::None
    }

    /// One is sent; `repeated`: for want of new data it repeats the last segment.
    pub(crate) fn on_sent(&mut self, end: SeqNum, repeated: bool) {
        self.state = match repeated {
            true => State::Repeated,
            false => State::NewData,
        };
        self.end = halves(end);
    }

    /// See [`super::Recovery::probe_outcome`].
    pub(super) fn outcome(&mut self, ack: SeqNum, duplicate: bool) -> ProbeOutcome {
        if !self.is_out() || ack.before(self.end()) {
            return ProbeOutcome::Unknown;
        }
        match core::mem::replace(&mut self.state, State::None) {
            State::Repeated if !duplicate => ProbeOutcome::Repaired,
            _ => ProbeOutcome::Needless,
        }
    }

    fn end(&self) -> SeqNum {
        let [high, low] = self.end;
        SeqNum::new(u32::from(high) << 16 | u32::from(low))
    }

    /// How often the peer's silence was taken for a loss, see [`Self::on_silence`].
    pub(crate) fn silences(&self) -> u8 {
        self.silences
    }

    /// Losses are being repaired, and the peer said nothing for longer than an answer takes.
    pub(crate) fn on_silence(&mut self) {
        self.silences = self.silences.saturating_add(1);
    }

    /// The peer spoke.
    pub(super) fn on_arrival(&mut self) {
        self.silences = 0;
    }

    /// A loss was found without it.
    pub(super) fn on_recovery(&mut self) {
        self.state = State::None;
        self.silences = 0;
    }

    /// The retransmission timer was first.
    pub(super) fn give_up(&mut self) {
        self.state = State::None;
    }
}

fn halves(number: SeqNum) -> [u16; 2] {
    [(number.get() >> 16) as u16, number.get() as u16]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers go around while it is out.
    fn sent(repeated: bool) -> (Probe, SeqNum) {
        let end = SeqNum::new(0x0001_0003);
        let mut probe = Probe::new(SeqNum::new(u32::MAX));
        probe.on_sent(end, repeated);
        (probe, end)
    }

    #[test]
    fn rfc8985_7_4_2_what_it_was_shows_when_its_end_is_acknowledged() {
        for (repeated, duplicate, expected) in [
            (true, false, ProbeOutcome::Repaired),
            (true, true, ProbeOutcome::Needless),
            (false, false, ProbeOutcome::Needless),
        ] {
            let (mut probe, end) = sent(repeated);
            assert_eq!(probe.outcome(end - 1, duplicate), ProbeOutcome::Unknown);
            assert!(probe.is_out());
            assert_eq!(probe.outcome(end, duplicate), expected);
            assert!(!probe.is_out());
            assert_eq!(probe.outcome(end, duplicate), ProbeOutcome::Unknown, "once");
        }
    }

    /// RFC 8985, section 7.4.2: TLP.is_retrans is for a probe that is out, and a loss found otherwise ends it.
    #[test]
    fn none_is_out_once_a_loss_was_found_or_the_retransmission_timer_expired() {
        for end_it in [Probe::on_recovery, Probe::give_up] {
            let (mut probe, end) = sent(true);
            end_it(&mut probe);
            assert!(!probe.is_out());
            assert_eq!(probe.outcome(end, false), ProbeOutcome::Unknown);
        }
    }

    #[test]
    fn silences_count_until_the_peer_speaks_or_the_next_loss() {
        for end_it in [Probe::on_recovery, Probe::on_arrival] {
            let (mut probe, _) = sent(true);
            probe.on_silence();
            probe.on_silence();
            assert_eq!(probe.silences(), 2);
            end_it(&mut probe);
            assert_eq!(probe.silences(), 0);
        }
    }
}
