//! The connections that the last segments were for, which the next are likely for as well.
//!
//! A guess by the ports alone, which costs a fraction of the keyed hash that finds a connection for certain. Whoever
//! asks compares all of the ends. So peers that crowd one place take nothing from others but the guess.

use crate::storage::Index;
use crate::tcp::FourTuple;

pub(super) struct Recent {
    last: Index,
    /// The last one of those whose ports lead to the same place.
    by_ports: [Index; PLACES],
}

/// A few for each of the connections that have segments at a time.
const PLACES: usize = if cfg!(target_pointer_width = "64") {
    256
} else {
    16
};

impl Recent {
    pub(super) const NONE: Self = Self {
        last: 0,
        by_ports: [0; PLACES],
    };

    /// The connection that the last segment was for.
    #[inline]
    pub(super) fn last(&self) -> Option<Index> {
        Some(self.last)
    }

    /// Which one a segment between these ends may be for, if not that.
    #[inline]
    pub(super) fn likely(&self, tuple: &FourTuple) -> Option<Index> {
        Some(self.by_ports[place(tuple)])
    }

    /// A segment between these ends is for that connection.
    pub(super) fn note(&mut self, tuple: &FourTuple, index: Index) {
        self.last = index;
        self.by_ports[place(tuple)] = index;
    }
}

fn place(tuple: &FourTuple) -> usize {
    usize::from(tuple.local.port ^ tuple.remote.port) % PLACES
}
