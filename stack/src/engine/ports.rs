//! Ephemeral ports (RFC 6056): not to be guessed, and never one in use.

use super::Engine;

/// IANA's dynamic range (RFC 6335, section 6).
const FIRST: u16 = 49_152;
const COUNT: u16 = u16::MAX - FIRST + 1;

impl Engine<'_> {
    /// A port from the dynamic range that `is_free` says yes to. Starts at random and takes the next
    /// free one (RFC 6056, section 3.3.1), so that it finds one if there is one.
    pub(super) fn ephemeral_port(
        &mut self,
        mut is_free: impl FnMut(&Self, u16) -> bool,
    ) -> Option<u16> {
        let start = self.random.below(u32::from(COUNT)) as u16;
        (0..COUNT)
            .map(|step| FIRST + (start + step) % COUNT)
            .find(|&port| is_free(self, port))
    }
}
