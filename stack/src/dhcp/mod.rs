//! The Dynamic Host Configuration Protocol: an address and what goes with it, for a while.

mod client;
mod config;
mod lease;

pub(crate) use client::{Change, DhcpClient, MAX_MESSAGE, Outgoing, Recipient};
pub use config::DhcpConfig;
pub use lease::DhcpLease;
