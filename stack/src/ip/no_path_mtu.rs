//! A stack that lets routers cut what is too long for a path: it asks for no reports, and believes none.

use super::InterfaceId;
use crate::time::Instant;
use crate::wire::IpAddress;

/// Nothing.
#[derive(Clone, Debug)]
pub(crate) struct PathMtuCache(());

impl PathMtuCache {
    pub(crate) const fn new() -> Self {
        Self(())
    }

    pub(crate) fn peek(&self, _: InterfaceId, _: IpAddress) -> Option<u16> {
        None
    }

    pub(crate) fn on_timeout(&mut self, _: Instant) -> bool {
        false
    }

    pub(crate) fn next_deadline(&self) -> Instant {
        Instant::FAR_FUTURE
    }
}

/// See the module.
pub(crate) const DISCOVERS_PATH_MTU: bool = false;

/// As with discovery.
pub(crate) fn min_path_mtu(_: IpAddress) -> u16 {
    MIN_PATH_MTU
}

const MIN_PATH_MTU: u16 = 552;
