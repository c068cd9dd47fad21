//! In place of `errors.rs`: what others report is not believed.

use super::super::Engine;
use super::super::received::{Handled, Received};
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::Icmpv4Message;

impl Engine<'_> {
    pub(super) fn on_icmpv4_error(
        &mut self,
        _: &Received<'_>,
        _: &[u8],
        _: &Icmpv4Message<'_>,
        _: Instant,
    ) -> Handled {
        Err(Discard::UnmatchedIcmp)
    }
}
