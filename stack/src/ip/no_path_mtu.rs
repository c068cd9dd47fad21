//! A stack that lets routers cut what is too long for a path: it asks for no reports, and believes none.

use super::InterfaceId;
use crate::time::Instant;
use crate::wire::IpAddress;

/// Nothing.
#[derive(Clone, Debug)]
pub(crate) struct PathMtuCache(());

#[cfg_attr(not(feature = "socket-tcp"), expect(dead_code, reason = "of TCP"))]
impl PathMtuCache {
    pub(crate) const fn new() -> Self {
        Self(())
    }

    pub(crate) fn on_report(&mut self, _: Instant, _: InterfaceId, _: IpAddress, _mtu: u16) {}

    pub(crate) fn lookup(&mut self, _: InterfaceId, _: IpAddress) -> Option<u16> {
        None
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

pub(crate) fn plateau_below(_: u16) -> u16 {
    MIN_PATH_MTU
}

/// As with discovery.
pub(crate) fn min_path_mtu(_: IpAddress) -> u16 {
    MIN_PATH_MTU
}

const MIN_PATH_MTU: u16 = 552;
