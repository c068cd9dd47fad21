//! Whether both sides take selective acknowledgments (RFC 2018, section 2).

use crate::wire::TcpOptions;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sack(bool);

impl Sack {
    pub(super) const OFF: Self = Self(false);

    /// What our SYN offers.
    pub(super) const OFFERED: Self = Self(true);

    /// What the options of a peer's SYN allow.
    pub(super) fn permitted_by(options: &TcpOptions) -> Self {
        Self(options.sack_permitted)
    }

    #[cfg(feature = "tcp-syn-cookies")]
    pub(super) fn when(is_on: bool) -> Self {
        Self(is_on)
    }

    pub(super) fn is_on(self) -> bool {
        self.0
    }

    /// Says so in the options of a SYN.
    pub(super) fn put(self, options: &mut TcpOptions) {
        options.sack_permitted = self.0;
    }
}
