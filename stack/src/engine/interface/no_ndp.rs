//! In place of `ndp`, where no link has neighbors to discover.

use super::super::Engine;
use super::super::received::{Handled, Received};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::NdiscMessage;

impl Engine<'_> {
    pub(in crate::engine) fn on_ndisc(
        &mut self,
        _received: &mut Received<'_>,
        _message: &NdiscMessage<'_>,
        _now: Instant,
    ) -> Handled {
        Err(Discard::UnknownIcmp)
    }
}
