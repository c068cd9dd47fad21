//! What a DHCP server is told.

use core::net::Ipv4Addr;

use heapless::{String, Vec};

use crate::time::Duration;

/// What a DHCP server gives (RFC 2131).
///
/// The addresses lie in the subnet of the stack's fixed IPv4 address, whose mask clients are told. Those of
/// the stack itself, of the gateway and of the DNS servers are left out of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct DhcpServerConfig {
    /// The first address that is given.
    pub first: Ipv4Addr,
    /// The last.
    pub last: Ipv4Addr,
    /// Where clients send packets beyond the subnet.
    pub gateway: Option<Ipv4Addr>,
    /// The DNS servers that clients are told, the preferred one first.
    pub dns_servers: Vec<Ipv4Addr, 4>,
    /// The domain that clients look for names of one label in.
    pub domain: Option<String<63>>,
    /// The longest packet in bytes that clients are to send.
    pub mtu: Option<u16>,
    /// How long an address is given for: half an hour unless a client asks for less, and never less than a
    /// minute. [`Duration::MAX`] is for ever.
    pub lease_time: Duration,
    /// There is no other server on this link, and this one answers clients that it does not know from before
    /// it was switched on: they keep their addresses, or hear at once that they cannot. Without, RFC 2131
    /// section 4.3.2 has it keep silent, and they ask anew in their own time.
    pub authoritative: bool,
}

/// No addresses to give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct PoolError;

impl core::fmt::Display for PoolError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the last address of the pool is before the first")
    }
}

impl core::error::Error for PoolError {}

impl DhcpServerConfig {
    /// Addresses for half an hour, and nothing with them.
    pub const fn new(first: Ipv4Addr, last: Ipv4Addr) -> Self {
        Self {
            first,
            last,
            gateway: None,
            dns_servers: Vec::new(),
            domain: None,
            mtu: None,
            lease_time: Duration::from_secs(1800),
            authoritative: false,
        }
    }

    /// Whether the pool has the address, whoever else does.
    pub(super) fn contains(&self, address: Ipv4Addr) -> bool {
        (self.first..=self.last).contains(&address) && !self.is_named(address)
    }

    /// Whether clients are told that this is somebody's.
    fn is_named(&self, address: Ipv4Addr) -> bool {
        self.gateway == Some(address) || self.dns_servers.contains(&address)
    }

    /// The addresses of the pool from the `start`th on, around its end, `most` at most.
    pub(super) fn addresses(&self, start: u64, most: u32) -> impl Iterator<Item = Ipv4Addr> {
        let first = self.first.to_bits();
        let size = u64::from(self.last.to_bits().saturating_sub(first)) + 1;
        let most = u64::from(most).min(size);
        // Both are below 2^32.
        let nth =
            move |n| Ipv4Addr::from_bits(first.wrapping_add(((start % size + n) % size) as u32));
        (0..most).map(nth)
    }
}
