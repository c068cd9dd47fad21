//! Routes, and where a socket's packets go.

use core::net::{Ipv4Addr, Ipv6Addr};

use cygnet_driver::Medium;

use super::super::Engine;
use super::super::flow_label::FlowLabel;
use super::super::outgoing::LinkHeader;
use super::{ConfigError, INTERFACE, Interface};
#[cfg(feature = "proto-ipv6")]
use crate::ip::leaves_host;
use crate::ip::{Delivery, Forwarding, NextHop, Route, min_path_mtu};
#[cfg(feature = "medium-ethernet")]
use crate::link::NeighborKey;
#[cfg(feature = "socket-tcp")]
use crate::tcp::PathMss;
use crate::time::Instant;
#[cfg(feature = "proto-ipv6")]
use crate::wire::ipv6;
use crate::wire::{IpAddress, IpCidr, IpEndpoint, IpVersion};

/// Where a socket's packets go: derived from routes once, and again when they change.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct Path {
    pub(super) next_hop: Option<NextHop>,
    epoch: u16,
    /// The longest packet in bytes that the link takes, or the route.
    route_mtu: u16,
    /// The longest packet that gets all the way, as far as is known.
    #[cfg(feature = "path-mtu")]
    path_mtu: u16,
    /// None as long as nothing was sent.
    flow_label: FlowLabel,
    /// Past all routers, because of the packets' source.
    stays_on_link: bool,
    /// The packets' source, for the router that its prefix is from.
    #[cfg(feature = "slaac")]
    source: Option<Ipv6Addr>,
    #[cfg(feature = "medium-ethernet")]
    pub(super) neighbor: Option<NeighborKey>,
}

impl Path {
    /// A path for packets from that address.
    ///
    /// RFC 3927 section 2.7: a packet "whose source and/or destination address is in the 169.254/16 prefix
    /// MUST NOT be sent to any router for forwarding".
    pub(in crate::engine) fn from_source(source: Option<IpAddress>) -> Self {
        Self {
            stays_on_link: matches!(source, Some(IpAddress::Ipv4(source)) if source.is_link_local()),
            #[cfg(feature = "slaac")]
            source: match source {
                Some(IpAddress::Ipv6(source)) => Some(source),
                _ => None,
            },
            ..Self::default()
        }
    }

    /// The longest packet that gets all the way, as far as is known: that of the route, if routers are not asked.
    fn usable_mtu(&self) -> u16 {
        #[cfg(feature = "path-mtu")]
        return self.path_mtu;
        #[cfg(not(feature = "path-mtu"))]
        self.route_mtu
    }

    pub(super) fn source(&self) -> Option<Ipv6Addr> {
        #[cfg(feature = "slaac")]
        return self.source;
        #[cfg(not(feature = "slaac"))]
        None
    }

    /// Not routed yet, for the same packets.
    fn unrouted(&self) -> Self {
        Self {
            stays_on_link: self.stays_on_link,
            #[cfg(feature = "slaac")]
            source: self.source,
            ..Self::default()
        }
    }

    /// The next hop, where routes lead to `routed`.
    fn next_hop_to(&self, destination: IpAddress, routed: NextHop) -> NextHop {
        match routed.delivery {
            Delivery::Neighbor if self.stays_on_link => NextHop {
                address: destination,
                ..routed
            },
            _ => routed,
        }
    }
}

#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
impl Path {
    /// The longest packet in bytes that gets all the way, as far as is known.
    pub(in crate::engine) fn mtu(&self) -> usize {
        self.usable_mtu().into()
    }
}

#[cfg(feature = "socket-tcp")]
impl Path {
    /// The longest TCP payload, without options, that a peer there is told to send, and that may be sent to it.
    pub(in crate::engine) fn mss(&self, destination: IpAddress) -> PathMss {
        PathMss {
            announced: mss_of(self.route_mtu, destination),
            usable: mss_of(self.usable_mtu(), destination),
        }
    }

    /// Somebody of the version that the destination is of.
    fn destination(&self) -> IpAddress {
        self.next_hop
            .map_or(IpAddress::Ipv4(Ipv4Addr::UNSPECIFIED), |hop| hop.address)
    }

    /// Whether part of the path may be so narrow that routers have to cut what we send.
    pub(in crate::engine) fn needs_fragments(&self) -> bool {
        self.usable_mtu() <= min_path_mtu(self.destination()) && self.usable_mtu() < self.route_mtu
    }
}

#[cfg(all(feature = "medium-ethernet", feature = "socket-tcp"))]
impl Path {
    /// The neighbor that packets went to last.
    pub(in crate::engine) fn neighbor(&self) -> Option<NeighborKey> {
        self.neighbor
    }
}

/// Whether a packet can go now.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) enum Reach {
    /// Behind [`Interface::link_header`].
    Now,
    /// When the neighbor is known.
    #[cfg(feature = "medium-ethernet")]
    Pending(NeighborKey),
    /// When there is room to look for the neighbor.
    #[cfg(feature = "medium-ethernet")]
    Exhausted,
    /// The neighbor did not answer.
    #[cfg(feature = "medium-ethernet")]
    Unreachable,
    /// Nothing leads there.
    NoRoute,
}

impl Interface {
    /// The source address and the next hop for packets to `destination`.
    pub(in crate::engine) fn route(
        &self,
        destination: IpAddress,
        now: Instant,
    ) -> Option<(NextHop, IpAddress)> {
        let next_hop = self.next_hop(destination, now)?;
        Some((next_hop, self.source(&next_hop, destination)?))
    }

    /// The source of packets along a path.
    #[cfg(any(
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    pub(in crate::engine) fn source_on(
        &self,
        path: &Path,
        destination: IpAddress,
    ) -> Option<IpAddress> {
        self.source(&path.next_hop?, destination)
    }

    pub(super) fn next_hop(&self, destination: IpAddress, now: Instant) -> Option<NextHop> {
        self.next_hop_from(destination, None, now)
    }

    /// The same for packets from that source.
    pub(super) fn next_hop_from(
        &self,
        destination: IpAddress,
        source: Option<Ipv6Addr>,
        now: Instant,
    ) -> Option<NextHop> {
        if !cfg!(feature = "proto-ipv4") && destination.version() == IpVersion::Ipv4 {
            return None;
        }
        // RFC 4291, section 2.7: of use "only for loopback transmission of multicast".
        #[cfg(feature = "proto-ipv6")]
        if let (false, IpAddress::Ipv6(group)) = (self.loopback, destination)
            && group.is_multicast()
            && !leaves_host(group)
        {
            return None;
        }
        let forwarding = Forwarding {
            addresses: &self.addresses,
            routes: &self.routes,
            learned: self.learned_route(destination, source, now),
        };
        let routed = forwarding.resolve(destination, None).ok()?;
        Some(self.redirected(destination, source, routed))
    }

    /// The longest packet in bytes to `destination` that the link takes, or the route.
    fn route_mtu(&self, destination: IpAddress, next_hop: &NextHop) -> u16 {
        let link = self.mtu_to(destination) as u16;
        let is_taken = |route: &&Route| {
            next_hop.delivery == Delivery::Neighbor
                && next_hop.address == route.gateway.unwrap_or(destination)
        };
        let route = self.routes.lookup(destination, None).filter(is_taken);
        route
            .and_then(|route| route.mtu)
            .map_or(link, |mtu| mtu.min(link))
    }

    /// The longest packet in bytes that gets to `destination` in one piece, as far as is known.
    pub(in crate::engine) fn path_mtu(&self, destination: IpAddress, now: Instant) -> Option<u16> {
        let next_hop = self.next_hop(destination, now)?;
        let route = self.route_mtu(destination, &next_hop);
        let reported = self.path_mtus.peek(next_hop.interface, destination);
        Some(reported.map_or(route, |mtu| mtu.min(route)))
    }

    /// The longest payload in bytes of a packet to `destination` that is sent, in fragments if need be, `known`
    /// being the way that the last one took. Without fragments of our own, packets of IPv4 may be fragmented
    /// behind the link, those of IPv6 by nobody (RFC 8200, section 4.5).
    #[cfg(any(
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    pub(in crate::engine) fn longest_payload(
        &self,
        destination: IpAddress,
        known: Option<&Path>,
        now: Instant,
    ) -> usize {
        let longest = match destination {
            _ if cfg!(feature = "ip-fragments") => LONGEST_PACKET,
            IpAddress::Ipv4(_) => self.mtu_to(destination),
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => {
                let mtu = match known.filter(|path| self.is_current(path)) {
                    Some(path) => Some(path.usable_mtu()),
                    None => self.path_mtu(destination, now),
                };
                mtu.map_or(self.mtu_to(destination), usize::from)
            }
        };
        #[cfg(not(feature = "proto-ipv6"))]
        let _ = (now, known);
        longest.saturating_sub(destination.version().header_len())
    }

    /// Whether a path that packets took leads on as it did, and they need not be routed anew.
    #[cfg(any(
        feature = "socket-tcp",
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    pub(in crate::engine) fn is_current(&self, path: &Path) -> bool {
        path.next_hop.is_some() && path.epoch == self.epoch
    }

    /// Whether a packet to `destination` can go now.
    #[inline]
    pub(in crate::engine) fn reach(
        &mut self,
        destination: IpAddress,
        path: &mut Path,
        now: Instant,
    ) -> Reach {
        if path.next_hop.is_none() || path.epoch != self.epoch {
            self.resolve(destination, path, now);
        }
        if path.next_hop.is_none() {
            return Reach::NoRoute;
        }
        match self.medium {
            #[cfg(feature = "medium-ethernet")]
            Medium::Ethernet => match path.neighbor {
                Some(key) if self.ethernet.neighbors.use_confirmed(now, key) => Reach::Now,
                _ => {
                    #[cfg(feature = "slaac")]
                    self.take_detour(destination, path, now);
                    self.reach_neighbor(path, now)
                }
            },
            #[cfg(feature = "medium-ip")]
            Medium::Ip => Reach::Now,
            _ => Reach::NoRoute,
        }
    }

    /// As [`Self::reach`], for a path that was routed before and stays as it is, whatever routes say now.
    #[cfg(any(feature = "socket-dhcpv4", feature = "socket-dhcpv6"))]
    pub(in crate::engine) fn reach_as_before(
        &mut self,
        destination: IpAddress,
        path: &mut Path,
        now: Instant,
    ) -> Reach {
        path.epoch = self.epoch;
        self.reach(destination, path, now)
    }

    /// The link header for a packet along a path whose next hop has just been found in reach.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(in crate::engine) fn link_header(&self, path: &Path) -> Option<LinkHeader> {
        match self.medium {
            #[cfg(feature = "medium-ethernet")]
            Medium::Ethernet => self.ethernet_header(path),
            _ => Some(LinkHeader::None),
        }
    }

    /// The flow label of packets from `local` to `remote`.
    pub(in crate::engine) fn flow_label(&self, local: IpEndpoint, remote: IpEndpoint) -> FlowLabel {
        FlowLabel::of(self.flow_key, local, remote)
    }

    /// The same for who sends many along a path.
    #[inline]
    pub(in crate::engine) fn flow_label_on(
        &self,
        path: &mut Path,
        local: IpEndpoint,
        remote: IpEndpoint,
    ) -> FlowLabel {
        if path.flow_label == FlowLabel::NONE && remote.addr.version() != IpVersion::Ipv4 {
            path.flow_label = self.flow_label(local, remote);
        }
        path.flow_label
    }

    /// Routes anew.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(in crate::engine) fn resolve(
        &mut self,
        destination: IpAddress,
        path: &mut Path,
        now: Instant,
    ) {
        let routed = self.next_hop_from(destination, path.source(), now);
        self.probe_router(destination, now);
        *path = Path {
            next_hop: routed.map(|routed| path.next_hop_to(destination, routed)),
            epoch: self.epoch,
            route_mtu: self.ip_mtu,
            #[cfg(feature = "path-mtu")]
            path_mtu: self.ip_mtu,
            ..path.unrouted()
        };
        if let Some(next_hop) = &path.next_hop {
            path.route_mtu = self.route_mtu(destination, next_hop);
            #[cfg(feature = "path-mtu")]
            {
                let reported = self.path_mtus.lookup(next_hop.interface, destination);
                path.path_mtu = reported.map_or(path.route_mtu, |mtu| mtu.min(path.route_mtu));
            }
        }
    }
}

impl Engine<'_> {
    /// Adds a route, or replaces that to the same destination.
    pub(crate) fn add_route(
        &mut self,
        destination: IpCidr,
        gateway: Option<IpAddress>,
    ) -> Result<(), ConfigError> {
        let is_usable = |gateway: IpAddress| {
            gateway.is_unicast() && gateway.version() == destination.address().version()
        };
        if !gateway.is_none_or(is_usable) {
            return Err(ConfigError::NotUnicast);
        }
        let route = Route {
            destination: destination.network(),
            gateway,
            interface: INTERFACE,
            mtu: None,
        };
        self.interface.on_routes_changed();
        match self.interface.routes.add(route) {
            Ok(()) => Ok(()),
            Err(_) => Err(ConfigError::TooManyRoutes),
        }
    }

    /// Removes a route; false if it was not there.
    pub(crate) fn remove_route(&mut self, destination: IpCidr) -> bool {
        self.interface.on_routes_changed();
        let network = destination.network();
        self.interface.routes.remove(network).is_some()
    }

    /// Sets or forgets how long packets along a route may be; false if there is no such route.
    pub(crate) fn set_route_mtu(&mut self, destination: IpCidr, mtu: Option<u16>) -> bool {
        self.interface.on_routes_changed();
        let smallest = match destination {
            IpCidr::Ipv4(_) => SMALLEST_MTU,
            #[cfg(feature = "proto-ipv6")]
            IpCidr::Ipv6(_) => ipv6::MIN_MTU,
        };
        let mtu = mtu.map(|mtu| mtu.max(smallest));
        self.interface.routes.set_mtu(destination, mtu)
    }

    /// The longest packet in bytes that gets to `destination` in one piece, as far as is known.
    pub(crate) fn path_mtu(&self, destination: IpAddress) -> Option<u16> {
        self.interface.path_mtu(destination, self.now)
    }
}

/// The TCP payload, without options, of a packet of `mtu` bytes to `destination`.
#[cfg(feature = "socket-tcp")]
pub(in crate::engine) fn mss_of(mtu: u16, destination: IpAddress) -> u16 {
    mtu.saturating_sub(destination.version().header_len() as u16 + TCP_HEADER)
}

#[cfg(feature = "socket-tcp")]
const TCP_HEADER: u16 = 20;

/// RFC 791: "Every internet module must be able to forward a datagram of 68 octets without further
/// fragmentation".
const SMALLEST_MTU: u16 = 68;

/// The length of a packet has 16 bits.
#[cfg(any(
    feature = "socket-udp",
    feature = "socket-icmp",
    feature = "socket-raw"
))]
const LONGEST_PACKET: usize = 65_535;
