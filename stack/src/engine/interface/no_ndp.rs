//! In place of `ndp`, where no link has neighbors to discover.

use core::convert::Infallible;
use core::net::Ipv6Addr;

use super::super::Engine;
use super::super::ingress::{Handled, Received};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::NdiscMessage;

/// There is none.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct NdiscPacket {
    pub(in crate::engine) src: Ipv6Addr,
    pub(in crate::engine) dst: Ipv6Addr,
    never: Infallible,
}

impl NdiscPacket {
    pub(in crate::engine) fn message(&self) -> NdiscMessage<'_> {
        match self.never {}
    }
}

impl Engine<'_> {
    pub(in crate::engine) fn on_ndisc<'f>(
        &mut self,
        _now: Instant,
        _received: &Received<'f>,
        _message: &NdiscMessage<'_>,
    ) -> Handled<'f> {
        Err(Discard::UnknownIcmp)
    }
}
