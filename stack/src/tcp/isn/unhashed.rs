//! In place of `hashed.rs`, where connections are few and are not found by a hash: only their numbers need one.

use super::{IsnGenerator, number};
use crate::tcp::FourTuple;
use crate::time::Instant;
use crate::wire::SeqNum;

/// Nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TupleHash;

/// Nothing.
pub(crate) struct LastHash(());

impl IsnGenerator {
    pub(crate) fn hash(&self, _: &FourTuple) -> TupleHash {
        TupleHash
    }

    /// The initial number of a connection between these ends.
    pub(crate) fn isn(&self, now: Instant, tuple: &FourTuple, _: TupleHash) -> SeqNum {
        number(now, self.secret(tuple))
    }
}

impl TupleHash {
    pub(crate) fn bucket(self) -> u32 {
        0
    }
}

impl LastHash {
    pub(crate) const NONE: Self = Self(());

    pub(crate) fn of(&mut self, _: &IsnGenerator, _: &FourTuple) -> TupleHash {
        TupleHash
    }
}
