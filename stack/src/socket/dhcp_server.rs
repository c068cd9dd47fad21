//! The stack as a DHCP server.

use cygnet_config::DHCP_SERVER_LEASE_COUNT;
use embassy_sync::blocking_mutex::raw::RawMutex;
use heapless::Vec;

use super::stack::{Reentrant, Stack};
use crate::dhcp::{DhcpGrant, DhcpServerConfig, DhcpServerEvent, PoolError};

/// Why a DHCP server was not started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DhcpServerError {
    /// The last address of the pool is before the first.
    EmptyPool,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for DhcpServerError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::EmptyPool => PoolError.fmt(f),
            Self::Reentrant => Reentrant.fmt(f),
        }
    }
}

impl core::error::Error for DhcpServerError {}

impl<'d, M: RawMutex> Stack<'d, M> {
    /// Gives addresses to others on the link (RFC 2131): for a device that is an access point. It answers as
    /// long as the stack has a fixed IPv4 address in the subnet of the pool. At most
    /// `DHCP_SERVER_LEASE_COUNT` clients have an address at a time; when there is none left, a client hears
    /// nothing, and [`Discard::DhcpPoolExhausted`](crate::Discard::DhcpPoolExhausted) counts it.
    ///
    /// A server that runs already is replaced, and its leases are forgotten. Needs an Ethernet link. A UDP
    /// socket on port 67 hears nothing while it runs.
    ///
    /// # Errors
    ///
    /// [`DhcpServerError`] if the pool is empty or the call is re-entrant.
    pub fn start_dhcp_server(&self, config: DhcpServerConfig) -> Result<(), DhcpServerError> {
        match self.with(|s| s.engine.start_dhcp_server(config)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(PoolError)) => Err(DhcpServerError::EmptyPool),
            Err(Reentrant) => Err(DhcpServerError::Reentrant),
        }
    }

    /// Gives no addresses any more. Clients keep theirs until their time is over.
    ///
    /// # Errors
    ///
    /// [`DhcpServerError::Reentrant`].
    pub fn stop_dhcp_server(&self) -> Result<(), DhcpServerError> {
        self.with(|s| s.engine.stop_dhcp_server())
            .map_err(|Reentrant| DhcpServerError::Reentrant)
    }

    /// Waits for a client to be given an address, or to lose it. Cancellation safe: what nobody waited for is
    /// not lost. Each address has its latest event alone, so that nothing piles up where nobody asks; of a
    /// lease that ended and whose place another client took, only the latter's is told.
    ///
    /// Without a server it waits for one.
    pub async fn wait_dhcp_server_event(&self) -> DhcpServerEvent {
        self.wait_until(|engine| engine.dhcp_server_event()).await
    }

    /// The clients that have an address. None from within a closure that the stack called.
    pub fn dhcp_server_leases(&self) -> Vec<DhcpGrant, DHCP_SERVER_LEASE_COUNT> {
        self.with(|s| s.engine.dhcp_server_leases().collect())
            .unwrap_or_default()
    }
}
