//! In place of `fragments`, where it is not compiled in: fragments are dropped, and nothing is cut.

use core::marker::PhantomData;

use super::outgoing::{Content, IpPacket, LinkHeader, Outgoing, Room, Sending};
use super::received::{Back, Handled, Received};
use super::{Engine, Interface};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::{IpAddress, Ipv4Header};
#[cfg(feature = "proto-ipv6")]
use crate::wire::{Ipv6Header, ipv6::FragmentHeader};

/// Nothing.
pub(super) struct FragmentState<'d>(PhantomData<&'d ()>);

/// Nothing: every packet goes in one piece.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cut;

impl FragmentState<'_> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        None
    }

    pub(super) fn wants_to_send(&self) -> bool {
        false
    }

    pub(super) fn on_link_changed(&mut self) {}
}

impl Cut {
    pub(super) fn nth(&self) -> usize {
        0
    }

    pub(super) fn reset(&mut self) -> bool {
        false
    }

    pub(super) fn under_way(&self) -> Option<(u32, IpAddress)> {
        None
    }

    pub(super) fn send(self, outgoing: Sending<'_>, room: &mut dyn Room) -> (Self, bool) {
        let (link, content) = (outgoing.link, Content::Ip(outgoing.packet));
        (self, room.send(&Outgoing { link, content }))
    }

    pub(super) fn is_done(&self) -> bool {
        true
    }
}

impl Engine<'_> {
    pub(super) fn on_fragment(
        &mut self,
        _: &mut Received<'_>,
        _: &Ipv4Header,
        _: &[u8],
        _: Instant,
    ) -> Handled {
        Err(Discard::Fragment)
    }

    #[cfg(feature = "proto-ipv6")]
    pub(super) fn on_fragment_v6(
        &mut self,
        _: &mut Received<'_>,
        _: &Ipv6Header,
        _: &FragmentHeader,
        _: Instant,
    ) -> Handled {
        Err(Discard::Fragment)
    }

    #[inline]
    pub(super) fn keep_answer(&mut self, _: &Back<'_>, _: &LinkHeader, _: &IpPacket<'_>) -> bool {
        false
    }

    pub(super) fn transmit_fragment(&mut self, _: &mut dyn Room) -> bool {
        false
    }

    pub(super) fn on_fragment_timeout(&mut self, _: Instant) {}
}
