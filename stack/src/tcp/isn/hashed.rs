//! Connections are found by the hash of their four-tuple, which their numbers follow from as well.

use super::{IsnGenerator, number};
use crate::tcp::FourTuple;
use crate::time::Instant;
use crate::wire::SeqNum;

/// The hash of a four-tuple. Both halves are as good as random to whoever does not know the key, and so is each to
/// who knows the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TupleHash(u64);

/// The last ends that were hashed: those of a request come again with the segment that completes the handshake.
pub(crate) struct LastHash(Option<(FourTuple, TupleHash)>);

impl IsnGenerator {
    pub(crate) fn hash(&self, tuple: &FourTuple) -> TupleHash {
        TupleHash(self.secret(tuple))
    }

    /// The initial number of a connection between these ends, whose hash is that.
    pub(crate) fn isn(&self, now: Instant, _: &FourTuple, hash: TupleHash) -> SeqNum {
        number(now, hash.0)
    }
}

impl TupleHash {
    /// What the connection is filed under.
    pub(crate) fn bucket(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

impl LastHash {
    pub(crate) const NONE: Self = Self(None);

    pub(crate) fn of(&mut self, isn: &IsnGenerator, tuple: &FourTuple) -> TupleHash {
        match &self.0 {
            Some((last, hash)) if last.is(tuple) => *hash,
            _ => {
                let hash = isn.hash(tuple);
                self.0 = Some((*tuple, hash));
                hash
            }
        }
    }
}
