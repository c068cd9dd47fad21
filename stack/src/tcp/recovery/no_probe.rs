//! Without RACK-TLP nothing is probed for.

use crate::wire::SeqNum;

/// Nothing.
#[derive(Clone, Debug)]
pub(crate) struct Probe;

/// What became of a tail loss probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProbeOutcome {
    /// None is out.
    Unknown,
    Repaired,
}

impl Probe {
    pub(super) fn new(_: SeqNum) -> Self {
        Self
    }

    pub(super) fn outcome(&mut self, _: SeqNum, _duplicate: bool) -> ProbeOutcome {
        ProbeOutcome::Unknown
    }

    pub(super) fn on_arrival(&mut self) {}

    pub(super) fn on_recovery(&mut self) {}

    pub(super) fn give_up(&mut self) {}
}
