//! In place of `dhcp`, where it is not compiled in.

use cygnet_driver::TxToken;

use super::Engine;
use super::config::Config;
use super::interface::Interface;
use crate::time::Instant;
use crate::wire::IpAddress;

/// Nothing.
pub(super) struct DhcpState;

impl DhcpState {
    pub(super) fn new(_: &Interface, _: &Config) -> Self {
        Self
    }

    pub(super) fn next_deadline(&self) -> Instant {
        Instant::FAR_FUTURE
    }

    pub(super) fn wants_to_send(&self, _: Instant) -> bool {
        false
    }
}

impl Engine<'_> {
    pub(super) fn stop_dhcp(&mut self) {}

    pub(super) fn dhcp_link_changed(&mut self, _: Instant, _up: bool) {}

    pub(super) fn dhcp_conflict(&mut self, _: Instant, _: IpAddress) {}

    pub(super) fn on_dhcp_timeout(&mut self, _: Instant) {}

    pub(super) fn transmit_dhcp<T: TxToken>(&mut self, _: Instant, tx: T) -> Result<(), T> {
        Err(tx)
    }
}
