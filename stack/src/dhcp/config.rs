//! What a DHCP client is told.

use core::net::Ipv4Addr;

use heapless::{String, Vec};

use crate::time::Duration;

/// How an IPv4 configuration is asked for by DHCP (RFC 2131).
///
/// The default asks for everything the stack can use, says nothing about the host but its hardware
/// address, and makes sure that nobody else has the address before it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct DhcpConfig {
    /// The host's name, for the server's records; up to 63 bytes.
    pub hostname: Option<String<63>>,
    /// What the server knows this client by (RFC 2132 section 9.14), its type in the first byte. `None`
    /// takes the hardware address.
    pub client_id: Option<Vec<u8, 32>>,
    /// What kind of device this is (RFC 2132 section 9.13).
    pub vendor_class: Option<String<63>>,
    /// The address that this host had before it was switched off: it is asked for again, which is quicker
    /// if all is as it was (INIT-REBOOT).
    pub previous_address: Option<Ipv4Addr>,
    /// The longest lease. A longer one is renewed as if it were as long as this. Less than a second, which is what the
    /// protocol counts in, is taken as one.
    pub max_lease: Option<Duration>,
    /// Look for other users of the address before using it, for four to seven seconds (RFC 5227). Without,
    /// the address is used at once, and a conflict found only when the other host speaks up. Whenever one is
    /// found, the address is declined and another asked for.
    pub probe: bool,
    /// Have answers broadcast (RFC 2131 section 4.1). Only for links whose driver hears nothing else before
    /// there is an address.
    pub broadcast: bool,
    /// The longest random time to wait before the first question, so that devices that are switched on
    /// together do not all ask at once. RFC 2131 section 4.4.1 says ten seconds; none by default, because
    /// collisions are resolved by waiting longer anyway.
    pub max_start_delay: Duration,
}

impl DhcpConfig {
    /// The default.
    pub const fn new() -> Self {
        Self {
            hostname: None,
            client_id: None,
            vendor_class: None,
            previous_address: None,
            max_lease: None,
            probe: true,
            broadcast: false,
            max_start_delay: Duration::ZERO,
        }
    }

    pub(super) fn longest_lease(&self) -> Option<Duration> {
        Some(self.max_lease?.max(SHORTEST_LEASE))
    }
}

impl Default for DhcpConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// One that is over at once would be asked for again at once, for ever.
const SHORTEST_LEASE: Duration = Duration::from_secs(1);
