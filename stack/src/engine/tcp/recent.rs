//! The connections that the last segments were for, which the next are likely for as well.
//!
//! A guess by the ports alone, which costs a fraction of the keyed hash that finds a connection for certain. Whoever
//! asks compares all of the ends. So peers that crowd one place take nothing from others but the guess. Where connections
//! are many, most guesses would be wrong: the ports are told here, so that no other connection's memory is touched.

use crate::storage::Index;
use crate::tcp::FourTuple;

pub(super) struct Recent {
    last: Index,
    /// The last one of those whose ports lead to the same place.
    by_ports: [Guess; PLACES],
}

#[derive(Clone, Copy)]
struct Guess {
    ports: [u16; 2],
    index: Index,
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
        by_ports: [Guess {
            ports: [0; 2],
            index: 0,
        }; PLACES],
    };

    /// The connection that the last segment was for.
    #[inline]
    pub(super) fn last(&self) -> Option<Index> {
        Some(self.last)
    }

    /// Which one a segment between these ends may be for, if not that.
    #[inline]
    pub(super) fn likely(&self, tuple: &FourTuple) -> Option<Index> {
        let guess = self.by_ports[place(tuple)];
        (guess.ports == ports(tuple)).then_some(guess.index)
    }

    /// A segment between these ends is for that connection.
    pub(super) fn note(&mut self, tuple: &FourTuple, index: Index) {
        self.last = index;
        let ports = ports(tuple);
        self.by_ports[place(tuple)] = Guess { ports, index };
    }
}

fn ports(tuple: &FourTuple) -> [u16; 2] {
    [tuple.local.port, tuple.remote.port]
}

fn place(tuple: &FourTuple) -> usize {
    let [local, remote] = ports(tuple);
    usize::from(local ^ remote) % PLACES
}
