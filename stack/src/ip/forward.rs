//! From a destination to the next hop: the decision before every packet out.
//!
//! RFC 1122 section 3.3.1.1: a destination on a connected network is sent to directly, everything
//! else to a gateway. `engine` asks once per connection and again when routes or addresses change;
//! only a [`Delivery::Neighbor`] needs the neighbor cache then.

#[cfg(test)]
mod tests;

use core::fmt;
use core::net::Ipv4Addr;

#[cfg(feature = "proto-ipv6")]
use super::scope::{RESERVED, scope};
use super::{Addresses, InterfaceAddress, InterfaceId, Route, RouteTable};
use crate::wire::IpAddress;

/// What forwarding decisions are made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forwarding<'a, const A: usize, const R: usize> {
    /// Our addresses, whose prefixes are on the links.
    pub(crate) addresses: &'a Addresses<A>,
    /// The routes beyond them.
    pub(crate) routes: &'a RouteTable<R>,
    /// The best route to the destination that a router told of, if there is one.
    pub(crate) learned: Option<Route>,
}

/// Where a packet goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct NextHop {
    /// Where it leaves.
    pub(crate) interface: InterfaceId,
    /// The neighbor to hand it to: a gateway, or else the destination itself, which may be a group.
    pub(crate) address: IpAddress,
    /// How it gets there.
    pub(crate) delivery: Delivery,
}

/// How a packet gets to its next hop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Delivery {
    /// It does not leave this host.
    Local,
    /// To one neighbor, whose link address must be known.
    Neighbor,
    /// To every host on the link.
    Broadcast,
    /// To those who listen to the group.
    Multicast,
}

impl<const A: usize, const R: usize> Forwarding<'_, A, R> {
    /// The next hop to `destination`, through `via` only if that is given.
    ///
    /// Broadcasts and multicasts to no particular interface leave where the default route does, or
    /// else through the interface of the first address. Without addresses, as in a DHCP client, only
    /// `via` says where.
    pub(crate) fn resolve(
        &self,
        destination: IpAddress,
        via: Option<InterfaceId>,
    ) -> Result<NextHop, NoRoute> {
        if is_nobody(destination) {
            return Err(NoRoute);
        }
        if let Some(delivery) = group_delivery(destination) {
            let interface = via
                .or_else(|| Some(self.routes.lookup(destination, None)?.interface))
                .or_else(|| Some(self.addresses.usable().next()?.interface))
                .ok_or(NoRoute)?;
            return Ok(NextHop {
                interface,
                address: destination,
                delivery,
            });
        }
        let connected = self.connected(destination, via);
        if let Some(interface) = self.own_interface(destination, connected) {
            return Ok(NextHop {
                interface,
                address: destination,
                delivery: Delivery::Local,
            });
        }
        if destination.is_loopback() {
            return Err(NoRoute);
        }
        if destination.is_link_local() {
            return self.on_link(destination, connected, via);
        }
        self.beyond(destination, connected, via)
    }

    /// The most specific of the prefixes on our links that contains `destination`.
    fn connected(
        &self,
        destination: IpAddress,
        via: Option<InterfaceId>,
    ) -> Option<&InterfaceAddress> {
        self.addresses
            .usable()
            .filter(|ours| via.is_none_or(|interface| ours.interface == interface))
            .filter(|ours| ours.connects(&destination))
            // The compiler writes down what `max_by_key` goes through twice.
            .fold(None, |best: Option<&InterfaceAddress>, ours| match best {
                Some(best) if best.cidr.prefix_len() > ours.cidr.prefix_len() => Some(best),
                _ => Some(ours),
            })
    }

    /// The interface of an address that is our own, whatever `via` says. All of a loopback
    /// interface's prefix is.
    fn own_interface(
        &self,
        destination: IpAddress,
        connected: Option<&InterfaceAddress>,
    ) -> Option<InterfaceId> {
        let ours = self
            .addresses
            .local(destination)
            .or(connected.filter(|_| destination.is_loopback()))?;
        Some(ours.interface)
    }

    /// RFC 3927 section 2.6.2: "If the destination address is in the 169.254/16 prefix (excluding the
    /// address 169.254.255.255 [...]), then the sender MUST ARP for the destination address and then send
    /// its packet directly to the destination on the same physical link", whatever routes there are. IPv6's
    /// are on every link as well, and no router passes their packets on (RFC 4291 section 2.5.6).
    fn on_link(
        &self,
        destination: IpAddress,
        connected: Option<&InterfaceAddress>,
        via: Option<InterfaceId>,
    ) -> Result<NextHop, NoRoute> {
        let any = || {
            let mut on = self.addresses.usable();
            on.find(|ours| {
                via.is_none_or(|interface| ours.interface == interface)
                    && ours.cidr.address().version() == destination.version()
            })
        };
        let ours = connected.or_else(any).ok_or(NoRoute)?;
        let is_broadcast = destination == IpAddress::Ipv4(LINK_LOCAL_BROADCAST);
        Ok(NextHop {
            interface: ours.interface,
            address: destination,
            delivery: if is_broadcast {
                Delivery::Broadcast
            } else {
                Delivery::Neighbor
            },
        })
    }

    fn beyond(
        &self,
        destination: IpAddress,
        connected: Option<&InterfaceAddress>,
        via: Option<InterfaceId>,
    ) -> Result<NextHop, NoRoute> {
        let route = self.best_route(destination, via);
        // Of two prefixes of one length, the connected one is preferred.
        let more_specific = |ours: &&InterfaceAddress| {
            route.is_none_or(|route| ours.cidr.prefix_len() >= route.destination.prefix_len())
        };
        if let Some(ours) = connected.filter(more_specific) {
            let is_broadcast = ours.subnet_broadcast().map(IpAddress::Ipv4) == Some(destination);
            return Ok(NextHop {
                interface: ours.interface,
                address: destination,
                delivery: if is_broadcast {
                    Delivery::Broadcast
                } else {
                    Delivery::Neighbor
                },
            });
        }
        let route = route.ok_or(NoRoute)?;
        Ok(NextHop {
            interface: route.interface,
            address: route.gateway.unwrap_or(destination),
            delivery: Delivery::Neighbor,
        })
    }

    /// The longest prefix wins, and of two that are as long the one that was configured.
    fn best_route(&self, destination: IpAddress, via: Option<InterfaceId>) -> Option<Route> {
        let configured = self.routes.lookup(destination, via).copied();
        let learned =
            (self.learned).filter(|route| via.is_none_or(|interface| route.interface == interface));
        match (configured, learned) {
            (Some(configured), Some(learned))
                if learned.destination.prefix_len() > configured.destination.prefix_len() =>
            {
                Some(learned)
            }
            (configured, learned) => configured.or(learned),
        }
    }
}

fn group_delivery(destination: IpAddress) -> Option<Delivery> {
    if destination.is_broadcast() {
        Some(Delivery::Broadcast)
    } else if destination.is_multicast() {
        Some(Delivery::Multicast)
    } else {
        None
    }
}

/// Whether an address can be nobody's: "this network" (RFC 1122 section 3.2.1.3), class E (RFC 1112
/// section 4) and the unspecified address.
fn is_nobody(address: IpAddress) -> bool {
    match address {
        IpAddress::Ipv4(Ipv4Addr::BROADCAST) => false,
        IpAddress::Ipv4(address) => {
            let [first, ..] = address.octets();
            first == 0 || first >= 240
        }
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(address) => {
            // RFC 4291 section 2.7: "Nodes must not originate a packet to a multicast address whose scop field
            // contains the reserved value 0".
            let is_reserved = address.is_multicast() && scope(address) == RESERVED;
            is_reserved || address.is_unspecified() || address.to_ipv4_mapped().is_some()
        }
    }
}

/// All hosts on the link, as those with link-local addresses say it.
const LINK_LOCAL_BROADCAST: Ipv4Addr = Ipv4Addr::new(169, 254, 255, 255);

/// Nothing leads to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct NoRoute;

impl fmt::Display for NoRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no route to the destination")
    }
}

impl core::error::Error for NoRoute {}
