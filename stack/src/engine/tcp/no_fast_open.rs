//! A stack without Fast Open: a request is never a connection at once.

use crate::engine::received::{Handled, Received};
use crate::engine::tcp::half_open::Request;
use crate::engine::{Engine, TcpState};
use crate::storage::Index;
use crate::tcp::{Connection, FastOpen, SegmentPlan};
use crate::time::Instant;
use crate::wire::{TcpHeader, TcpSegment};

impl Engine<'_> {
    pub(in crate::engine) fn open_fast(
        &mut self,
        _: &mut Received<'_>,
        _: &Request<'_>,
        _: Instant,
    ) -> Option<Handled> {
        None
    }

    pub(in crate::engine) fn grant_fast_open(
        &self,
        _: &Request<'_>,
        _: &mut TcpHeader,
        _: Instant,
    ) {
    }

    pub(in crate::engine) fn forget_fast_open(&mut self, _: Index) {}

    pub(in crate::engine) fn settle_fast_open(&mut self, _: Index) {}

    pub(in crate::engine) fn awaits_fast_open(&self, _: Index, _: &TcpSegment<'_>) -> FastOpen {
        FastOpen::Off
    }

    pub(in crate::engine) fn learn_fast_open(
        &mut self,
        _: (Index, FastOpen),
        _: &TcpSegment<'_>,
        _: Instant,
    ) {
    }
}

impl TcpState<'_> {
    #[inline]
    pub(in crate::engine) fn mark_fast_open(
        &self,
        _: (&Connection<'_>, FastOpen),
        _: &SegmentPlan,
        _: Instant,
    ) -> Option<TcpHeader> {
        None
    }
}
