//! In place of `timestamps.rs`: the option is neither offered nor accepted, and what a peer sends of it is skipped.

use super::FourTuple;
use super::isn::IsnGenerator;
use crate::stats::Discard;
use crate::time::{Duration, Instant};
use crate::wire::{SeqNum, TcpHeader, TcpOptions};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TimestampOffset;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamping;

#[derive(Clone, Copy, Debug)]
pub(super) struct LastAck;

impl LastAck {
    pub(super) fn of(_: SeqNum) -> Self {
        Self
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PeerTimestamp;

impl Timestamping {
    pub(super) const OFF: Self = Self;

    pub(super) fn offered(_: Instant, _: TimestampOffset) -> Self {
        Self
    }

    pub(super) fn answered(_: Instant, _: TimestampOffset, _: PeerTimestamp) -> Self {
        Self
    }

    pub(super) fn on_syn(&mut self, _: Instant, _: &TcpHeader) {}

    pub(super) fn is_on(&self) -> bool {
        false
    }

    pub(super) fn header_len(&self) -> u8 {
        0
    }

    pub(super) fn value(&self, _: Instant) -> Option<u32> {
        None
    }

    pub(super) fn put(&self, _: Instant, _: &mut TcpOptions) {}

    pub(super) fn check(&self, _: Instant, _: &TcpHeader) -> Result<(), BadTimestamp> {
        Ok(())
    }

    pub(super) fn note(&mut self, _: Instant, _: &TcpHeader, _: LastAck) {}

    pub(super) fn echo(&self, _: &TcpOptions) -> Option<u32> {
        None
    }

    pub(super) fn echo_age(&self, _: Instant, _: &TcpOptions) -> Option<Duration> {
        None
    }

    pub(super) fn is_old(&self, _: &TcpOptions) -> bool {
        false
    }

    pub(super) fn follows(&self, _: &TcpOptions) -> Option<bool> {
        None
    }
}

impl PeerTimestamp {
    pub(super) fn of(_: &TcpHeader) -> Self {
        Self
    }

    pub(super) fn put(self, _: Instant, _: TimestampOffset, _: &mut TcpOptions) {}

    pub(super) fn check(self, _: &TcpOptions) -> Result<(), BadTimestamp> {
        Ok(())
    }
}

/// There is nothing that could be wrong.
#[derive(Clone, Copy, Debug)]
pub(super) enum BadTimestamp {}

impl BadTimestamp {
    pub(super) fn is_old(self) -> bool {
        match self {}
    }
}

impl From<BadTimestamp> for Discard {
    fn from(bad: BadTimestamp) -> Self {
        match bad {}
    }
}

impl IsnGenerator {
    pub(crate) fn timestamp_offset(&self, _: &FourTuple) -> TimestampOffset {
        TimestampOffset
    }
}
