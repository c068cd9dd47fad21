//! The routing table: which gateway leads to which prefix (RFC 1122 section 3.3.1).
//!
//! It holds only what was configured beyond the links; the prefixes on the links come from the interfaces' addresses,
//! and what routers tell is in `LearnedRoutes`. [`Forwarding`](super::Forwarding) brings them together.

use core::fmt;
use core::net::Ipv4Addr;
#[cfg(feature = "proto-ipv6")]
use core::net::Ipv6Addr;

use cygnet_config::IFACE_MAX_ROUTE_COUNT;

use super::InterfaceId;
#[cfg(feature = "proto-ipv6")]
use crate::wire::Ipv6Cidr;
use crate::wire::{IpAddress, IpCidr, Ipv4Cidr};

/// Where packets for a prefix go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
// On small machines in words, so that it is moved in words.
#[cfg_attr(target_pointer_width = "32", repr(align(4)))]
pub(crate) struct Route {
    /// The prefix. Bits beyond its length do not matter.
    pub(crate) destination: IpCidr,
    /// Who takes the packets on; `None` if the prefix is on the link itself.
    pub(crate) gateway: Option<IpAddress>,
    /// Where the packets leave.
    pub(crate) interface: InterfaceId,
    /// The longest packet in bytes that it takes, if that is less than the link does.
    pub(crate) mtu: Option<u16>,
}

impl Route {
    /// The route for everything that has no other, in the gateway's family.
    pub(crate) fn default_via(gateway: IpAddress, interface: InterfaceId) -> Self {
        Self {
            destination: everything_like(gateway),
            gateway: Some(gateway),
            interface,
            mtu: None,
        }
    }
}

/// At most `N` routes, no two for one prefix.
#[derive(Clone, Debug)]
pub(crate) struct RouteTable<const N: usize = IFACE_MAX_ROUTE_COUNT> {
    routes: heapless::Vec<Route, N>,
}

impl<const N: usize> RouteTable<N> {
    /// No routes.
    pub(crate) const fn new() -> Self {
        Self {
            routes: heapless::Vec::new(),
        }
    }

    /// Adds a route, in place of the one for the same prefix if there is one.
    pub(crate) fn add(&mut self, route: Route) -> Result<(), RouteTableFull> {
        match self.find_mut(route.destination) {
            Some(known) => *known = route,
            None => self.routes.push(route).map_err(|_| RouteTableFull)?,
        }
        Ok(())
    }

    /// Removes the route for a prefix and returns it, `None` if there is none.
    pub(crate) fn remove(&mut self, destination: IpCidr) -> Option<Route> {
        let index = self
            .routes
            .iter()
            .position(|known| known.destination.is_same_network(&destination))?;
        Some(self.routes.remove(index))
    }

    /// Removes the routes that leave through `interface`.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the one interface there is never goes away")
    )]
    pub(crate) fn flush(&mut self, interface: InterfaceId) {
        self.routes.retain(|route| route.interface != interface);
    }

    /// Sets or forgets how long packets along a route may be; false if there is no such route.
    pub(crate) fn set_mtu(&mut self, destination: IpCidr, mtu: Option<u16>) -> bool {
        let Some(route) = self.find_mut(destination) else {
            return false;
        };
        route.mtu = mtu;
        true
    }

    fn find_mut(&mut self, destination: IpCidr) -> Option<&mut Route> {
        let mut routes = self.routes.iter_mut();
        routes.find(|known| known.destination.is_same_network(&destination))
    }

    /// Sends everything that has no other route, in the gateway's family, to `gateway`.
    pub(crate) fn set_default_gateway(
        &mut self,
        gateway: IpAddress,
        interface: InterfaceId,
    ) -> Result<(), RouteTableFull> {
        self.add(Route::default_via(gateway, interface))
    }

    /// All routes.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    /// The route with the longest prefix that contains `destination`, through `via` only if
    /// that is given.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn lookup(
        &self,
        destination: IpAddress,
        via: Option<InterfaceId>,
    ) -> Option<&Route> {
        self.routes
            .iter()
            .filter(|route| route.destination.contains(&destination))
            .filter(|route| via.is_none_or(|interface| route.interface == interface))
            // The compiler writes down what `max_by_key` goes through twice.
            .fold(None, |best: Option<&Route>, route| match best {
                Some(best) if best.destination.prefix_len() > route.destination.prefix_len() => {
                    Some(best)
                }
                _ => Some(route),
            })
    }
}

impl<const N: usize> Default for RouteTable<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// The prefix of length zero.
fn everything_like(address: IpAddress) -> IpCidr {
    match address {
        IpAddress::Ipv4(_) => IpCidr::Ipv4(Ipv4Cidr::new(Ipv4Addr::UNSPECIFIED, 0)),
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(_) => IpCidr::Ipv6(Ipv6Cidr::new(Ipv6Addr::UNSPECIFIED, 0)),
    }
}

/// There is no room for another route (`IFACE_MAX_ROUTE_COUNT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct RouteTableFull;

impl fmt::Display for RouteTableFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no room for another route")
    }
}

impl core::error::Error for RouteTableFull {}
