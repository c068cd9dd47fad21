//! In place of `counters`, where they are not compiled in: nothing is counted or noted.

use super::{Counted, Discard};

#[derive(Default)]
pub(crate) struct Stats(());

impl Stats {
    pub(crate) fn add(&mut self, _: Tally) {}

    pub(crate) fn count(&mut self, _: Counted) {}

    pub(crate) fn discard(&mut self, _: Discard) {}
}

/// Takes no room in a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count(());

impl Count {
    pub(crate) fn up(&mut self) {}

    pub(crate) fn get(self) -> u32 {
        0
    }
}

/// Takes no room either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(());

impl Tally {
    pub(crate) const TIMEOUT: Self = Self(());
    pub(crate) const FAST_RECOVERY: Self = Self(());
    pub(crate) const TAIL_PROBE: Self = Self(());
    pub(crate) const WINDOW_PROBE: Self = Self(());
    pub(crate) const REORDERING: Self = Self(());
    pub(crate) const RENEGE: Self = Self(());
    pub(crate) const UNDO_BY_DSACK: Self = Self(());
    pub(crate) const UNDO_BY_ACKS: Self = Self(());

    pub(crate) fn is_empty(self) -> bool {
        true
    }
}

impl core::ops::BitOrAssign for Tally {
    fn bitor_assign(&mut self, _: Self) {}
}
