//! The Dynamic Host Configuration Protocol: an address and what goes with it, for a while. A client, and a
//! server for a device that others join.

#[cfg(feature = "socket-dhcpv4")]
mod client;
#[cfg(feature = "socket-dhcpv4")]
mod config;
#[cfg(feature = "socket-dhcpv4")]
mod lease;
#[cfg(feature = "dhcpv4-server")]
mod server;
#[cfg(feature = "socket-dhcpv6")]
pub(crate) mod v6;

#[cfg(feature = "socket-dhcpv4")]
pub(crate) use client::{Change, DhcpClient, MAX_MESSAGE, Outgoing, Recipient};
#[cfg(feature = "socket-dhcpv4")]
pub use config::DhcpConfig;
#[cfg(feature = "socket-dhcpv4")]
pub use lease::DhcpLease;
#[cfg(feature = "dhcpv4-server")]
pub use server::{DhcpGrant, DhcpServerConfig, DhcpServerEvent};
#[cfg(feature = "dhcpv4-server")]
pub(crate) use server::{DhcpServer, Ignored, MAX_REPLY, Origin, PoolError};
#[cfg(feature = "socket-dhcpv6")]
pub use v6::{Dhcpv6Address, Dhcpv6Config, Dhcpv6Lease, Dhcpv6Mode, Dhcpv6Prefix};
