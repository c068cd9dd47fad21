//! In place of `sack.rs`: the option is neither offered nor accepted, and peers count acknowledgments instead.

use crate::wire::TcpOptions;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sack;

impl Sack {
    pub(super) const OFF: Self = Self;

    pub(super) const OFFERED: Self = Self;

    pub(super) fn permitted_by(_: &TcpOptions) -> Self {
        Self
    }

    #[cfg(feature = "tcp-syn-cookies")]
    pub(super) fn when(_: bool) -> Self {
        Self
    }

    pub(super) fn is_on(self) -> bool {
        false
    }

    pub(super) fn put(self, _: &mut TcpOptions) {}
}
