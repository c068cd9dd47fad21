//! In place of `recent.rs`, where connections are few: to look at all of them takes hardly longer than to look at one.

use crate::storage::Index;
use crate::tcp::FourTuple;

pub(super) struct Recent;

impl Recent {
    pub(super) const NONE: Self = Self;

    #[inline]
    pub(super) fn last(&self) -> Option<Index> {
        None
    }

    #[inline]
    pub(super) fn likely(&self, _: &FourTuple) -> Option<Index> {
        None
    }

    #[inline]
    pub(super) fn note(&mut self, _: &FourTuple, _: Index) {}
}
