//! A stack without Fast Open: a request is never a connection at once.

use super::tcp_listen::Request;
use super::{Engine, TcpState};
use crate::storage::Index;
use crate::tcp::{Connection, Disposition, FastOpen, SegmentPlan};
use crate::time::Instant;
use crate::wire::{TcpHeader, TcpSegment};

impl Engine<'_> {
    pub(super) fn open_fast(&mut self, _: Instant, _: &Request<'_>) -> Option<Disposition> {
        None
    }

    pub(super) fn grant_fast_open(&self, _: Instant, _: &Request<'_>, _: &mut TcpHeader) {}

    pub(super) fn forget_fast_open(&mut self, _: Index) {}

    pub(super) fn settle_fast_open(&mut self, _: Index) {}

    pub(super) fn awaits_fast_open(&self, _: Index, _: &TcpSegment<'_>) -> FastOpen {
        FastOpen::Off
    }

    pub(super) fn learn_fast_open(&mut self, _: Instant, _: (Index, FastOpen), _: &TcpSegment<'_>) {
    }
}

impl TcpState<'_> {
    #[inline]
    pub(super) fn mark_fast_open(
        &self,
        _: Instant,
        _: (&Connection<'_>, FastOpen),
        _: &SegmentPlan,
    ) -> Option<TcpHeader> {
        None
    }
}
