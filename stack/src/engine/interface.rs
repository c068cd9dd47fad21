//! The interface: its link, its addresses and routes, and how a packet gets to its next hop.

use core::net::Ipv4Addr;

use cygnet_config::{IFACE_MAX_ADDR_COUNT, IFACE_MAX_ROUTE_COUNT};
use cygnet_driver::{Capabilities, HardwareAddress, Medium};

use super::config::{AddressPolicy, Config, ConfigV4, DefensePolicy, StaticConfigV4};
use super::egress::Inline;
use super::outgoing::LinkHeader;
use super::{Engine, earlier};
use crate::ip::{AddressState, Addresses, Delivery, Forwarding, InterfaceAddress, InterfaceId};
use crate::ip::{MIN_PATH_MTU, NextHop, PathMtuCache, Route, RouteTable};
#[cfg(feature = "medium-ethernet")]
use crate::link::{Conflict, ConflictDetector, StartMode};
#[cfg(feature = "medium-ethernet")]
use crate::link::{Lookup, NeighborCache, NeighborKey, NeighborTiming, SolicitTo};
use crate::rand::Random;
#[cfg(feature = "medium-ethernet")]
use crate::storage::List;
#[cfg(feature = "socket-tcp")]
use crate::tcp::PathMss;
use crate::time::Instant;
#[cfg(feature = "medium-ethernet")]
use crate::wire::{ArpOperation, ArpPacket, EtherType, EthernetAddress, EthernetHeader};
use crate::wire::{IpAddress, IpCidr, Ipv4Cidr};

/// The one interface there is today. Whatever refers to an interface already does so by its id.
pub(crate) struct Interface {
    pub(super) medium: Medium,
    /// The longest IP packet in bytes.
    pub(super) ip_mtu: usize,
    /// The same as far as the link is concerned; a configuration may ask for less.
    link_mtu: usize,
    pub(super) link_up: bool,
    pub(super) loopback: bool,
    pub(super) addresses: Addresses,
    pub(super) routes: RouteTable,
    pub(super) path_mtus: PathMtuCache,
    config: Option<StaticConfigV4>,
    /// The routes that came with it.
    config_routes: heapless::Vec<IpCidr, IFACE_MAX_ROUTE_COUNT>,
    /// How its address is guarded.
    config_care: Care,
    /// How all others are.
    care: Care,
    /// Grows whenever the configuration changes.
    changes: u16,
    /// Grows whenever routes or addresses change, so that what was derived from them is derived anew.
    epoch: u16,
    /// The identification of the last packet that may be fragmented on its way.
    ident: u16,
    #[cfg(feature = "medium-ethernet")]
    pub(super) ethernet: Ethernet,
}

/// How an address is guarded against others who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Care {
    pub(super) policy: AddressPolicy,
    pub(super) defense: DefensePolicy,
}

/// A configuration to be put to use.
#[derive(Clone, Debug)]
pub(super) struct Configuration<'a> {
    pub(super) config: StaticConfigV4,
    /// Routes in place of that to the gateway, if there are any.
    pub(super) routes: &'a [(Ipv4Cidr, Option<Ipv4Addr>)],
    pub(super) mtu: Option<u16>,
    /// How its address is guarded; `None` as all others are.
    pub(super) care: Option<Care>,
}

impl From<StaticConfigV4> for Configuration<'_> {
    fn from(config: StaticConfigV4) -> Self {
        Self {
            config,
            routes: &[],
            mtu: None,
            care: None,
        }
    }
}

/// What an Ethernet link needs beyond.
#[cfg(feature = "medium-ethernet")]
pub(super) struct Ethernet {
    pub(super) hardware: EthernetAddress,
    pub(super) neighbors: NeighborCache<List>,
    /// One for each address.
    pub(super) detectors: heapless::Vec<ConflictDetector, IFACE_MAX_ADDR_COUNT>,
}

/// Where a socket's packets go: derived from routes once, and again when they change.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Path {
    next_hop: Option<NextHop>,
    epoch: u16,
    /// The longest packet in bytes that the link takes, or the route.
    route_mtu: u16,
    /// The longest packet that gets all the way, as far as is known.
    path_mtu: u16,
    /// Past all routers, because of the packets' source.
    stays_on_link: bool,
    #[cfg(feature = "medium-ethernet")]
    neighbor: Option<NeighborKey>,
}

impl Path {
    /// A path for packets from that address.
    ///
    /// RFC 3927 section 2.7: a packet "whose source and/or destination address is in the 169.254/16 prefix
    /// MUST NOT be sent to any router for forwarding".
    pub(super) fn from_source(source: Option<IpAddress>) -> Self {
        Self {
            stays_on_link: matches!(source, Some(IpAddress::Ipv4(source)) if source.is_link_local()),
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

#[cfg(feature = "socket-tcp")]
impl Path {
    /// The longest TCP payload, without options, that the path takes.
    pub(super) fn mss(&self) -> PathMss {
        PathMss {
            announced: mss_of(self.route_mtu),
            usable: mss_of(self.path_mtu),
        }
    }

    /// Whether part of the path may be so narrow that routers have to cut what we send.
    pub(super) fn needs_fragments(&self) -> bool {
        self.path_mtu <= MIN_PATH_MTU && self.path_mtu < self.route_mtu
    }
}

#[cfg(all(feature = "medium-ethernet", feature = "socket-tcp"))]
impl Path {
    /// The neighbor that packets went to last.
    pub(super) fn neighbor(&self) -> Option<NeighborKey> {
        self.neighbor
    }
}

/// Whether a packet can go now.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reach {
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

/// Why a configuration was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no room for another address (`IFACE_MAX_ADDR_COUNT`).
    TooManyAddresses,
    /// There is no room for another route (`IFACE_MAX_ROUTE_COUNT`).
    TooManyRoutes,
    /// There is no room for another neighbor (`IFACE_NEIGHBOR_CACHE_COUNT`), or the link has none.
    TooManyNeighbors,
    /// The address is not one that a host can have.
    NotUnicast,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::TooManyAddresses => "no room for another address (IFACE_MAX_ADDR_COUNT)",
            Self::TooManyRoutes => "no room for another route (IFACE_MAX_ROUTE_COUNT)",
            Self::TooManyNeighbors => "no room for another neighbor (IFACE_NEIGHBOR_CACHE_COUNT)",
            Self::NotUnicast => "not an address that a host can have",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for ConfigError {}

/// The one interface.
pub(super) const INTERFACE: InterfaceId = InterfaceId(0);

impl Interface {
    pub(super) fn new(
        capabilities: Capabilities,
        hardware: HardwareAddress,
        config: &Config,
        random: &mut Random,
    ) -> Self {
        #[cfg(not(feature = "medium-ethernet"))]
        let _ = (hardware, random.next_u32());
        let link_mtu = capabilities.ip_mtu().min(usize::from(u16::MAX));
        let care = Care {
            policy: config.address_policy,
            defense: config.defense,
        };
        let mut interface = Self {
            medium: capabilities.medium,
            ip_mtu: link_mtu,
            link_mtu,
            link_up: false,
            loopback: config.loopback,
            addresses: Addresses::new(),
            routes: RouteTable::new(),
            path_mtus: PathMtuCache::new(),
            config: None,
            config_routes: heapless::Vec::new(),
            config_care: care,
            care,
            changes: 0,
            epoch: 0,
            ident: random.next_u32() as u16,
            #[cfg(feature = "medium-ethernet")]
            ethernet: Ethernet::new(hardware, random),
        };
        if let ConfigV4::Static(ipv4) = &config.ipv4 {
            let configured = interface.configure(Instant::ZERO, Some(ipv4.clone().into()), random);
            if configured.is_err() {
                crate::log::debug!("the IPv4 address is none that a host can have");
            }
        }
        interface
    }

    /// Replaces the configuration.
    pub(super) fn configure(
        &mut self,
        now: Instant,
        configuration: Option<Configuration<'_>>,
        random: &mut Random,
    ) -> Result<(), ConfigError> {
        self.changes = self.changes.wrapping_add(1);
        if let Some(old) = self.take_config() {
            self.remove_address(IpAddress::Ipv4(old.address.address()));
        }
        let Some(new) = configuration else {
            return Ok(());
        };
        self.config_care = new.care.unwrap_or(self.care);
        let (address, care) = (IpCidr::Ipv4(new.config.address), self.config_care);
        self.add_address(now, address, care, random)?;
        if let Some(mtu) = new.mtu {
            self.ip_mtu = self.link_mtu.min(mtu.into());
        }
        let gateway = new.config.gateway;
        self.config = Some(new.config);
        if let (Some(gateway), []) = (gateway, new.routes) {
            let _ = self.config_routes.push(DEFAULT_ROUTE);
            self.routes
                .set_default_gateway(now, IpAddress::Ipv4(gateway), INTERFACE)
                .map_err(|_| ConfigError::TooManyRoutes)?;
        }
        for &(destination, router) in new.routes {
            self.add_config_route(now, IpCidr::Ipv4(destination), router)?;
        }
        Ok(())
    }

    /// The configuration is over, with all but its address.
    fn take_config(&mut self) -> Option<StaticConfigV4> {
        let config = self.config.take()?;
        while let Some(route) = self.config_routes.pop() {
            self.routes.remove(route);
        }
        self.ip_mtu = self.link_mtu;
        Some(config)
    }

    /// Ends the configuration, but leaves its address to those who use it. False if the next one would find
    /// no room beside it.
    #[cfg(feature = "ipv4-link-local")]
    pub(super) fn retire_config(&mut self) -> bool {
        if self.addresses.is_full() {
            return false;
        }
        if let Some(config) = self.take_config() {
            let address = IpAddress::Ipv4(config.address.address());
            self.set_address_state(address, AddressState::Deprecated);
        }
        true
    }

    /// Whether the configuration gives that address.
    #[cfg(feature = "ipv4-link-local")]
    pub(super) fn is_configured(&self, address: Ipv4Addr) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.address.address() == address)
    }

    fn add_config_route(
        &mut self,
        now: Instant,
        destination: IpCidr,
        gateway: Option<Ipv4Addr>,
    ) -> Result<(), ConfigError> {
        let route = Route {
            destination,
            gateway: gateway.map(IpAddress::Ipv4),
            interface: INTERFACE,
            expires: None,
            mtu: None,
        };
        let _ = self.config_routes.push(destination);
        match self.routes.add(now, route) {
            Ok(_) => Ok(()),
            Err(_) => Err(ConfigError::TooManyRoutes),
        }
    }

    fn add_address(
        &mut self,
        now: Instant,
        cidr: IpCidr,
        care: Care,
        random: &mut Random,
    ) -> Result<(), ConfigError> {
        if !cidr.address().is_unicast() {
            return Err(ConfigError::NotUnicast);
        }
        let state = if self.probes(care) {
            AddressState::Tentative
        } else {
            AddressState::Usable
        };
        self.addresses
            .add(InterfaceAddress {
                cidr,
                interface: INTERFACE,
                state,
            })
            .map_err(|_| ConfigError::TooManyAddresses)?;
        self.on_routes_changed();
        self.guard(now, cidr.address(), care, random);
        Ok(())
    }

    /// False if it was not there.
    fn remove_address(&mut self, address: IpAddress) -> bool {
        #[cfg(all(feature = "medium-ethernet", feature = "proto-ipv4"))]
        self.ethernet
            .detectors
            .retain(|detector| IpAddress::Ipv4(detector.address()) != address);
        self.on_routes_changed();
        self.addresses.remove(INTERFACE, address).is_some()
    }

    pub(super) fn on_routes_changed(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// Whether an address has to prove unused before it may be used.
    fn probes(&self, care: Care) -> bool {
        self.medium == Medium::Ethernet
            && !self.loopback
            && care.policy == AddressPolicy::Probe
            && cfg!(feature = "medium-ethernet")
    }

    /// Announces or probes an address, and from then on watches for others that use it.
    #[cfg(all(feature = "medium-ethernet", feature = "proto-ipv4"))]
    fn guard(&mut self, now: Instant, address: IpAddress, care: Care, random: &mut Random) {
        let IpAddress::Ipv4(address) = address else {
            return;
        };
        if self.medium != Medium::Ethernet || self.loopback {
            return;
        }
        let mode = match care.policy {
            AddressPolicy::Announce => StartMode::Announce,
            AddressPolicy::Probe => StartMode::Probe,
        };
        let detectors = &mut self.ethernet.detectors;
        let known = detectors.iter().position(|d| d.address() == address);
        let index = known.unwrap_or_else(|| {
            // There is room for as many as there are addresses.
            let detector = ConflictDetector::new(self.ethernet.hardware, care.defense);
            let _ = detectors.push(detector);
            detectors.len() - 1
        });
        if let Some(detector) = detectors.get_mut(index) {
            detector.start(now, address, mode, random.next_u32());
        }
    }

    #[cfg(not(all(feature = "medium-ethernet", feature = "proto-ipv4")))]
    fn guard(&mut self, _now: Instant, _address: IpAddress, _care: Care, _random: &mut Random) {}

    /// Starts over with all addresses, because the link is back and may be another.
    fn guard_all(&mut self, now: Instant, random: &mut Random) {
        let addresses: heapless::Vec<_, IFACE_MAX_ADDR_COUNT> =
            self.addresses.iter().map(|a| a.cidr.address()).collect();
        for &address in &addresses {
            let configured = self
                .config
                .as_ref()
                .map(|c| IpAddress::Ipv4(c.address.address()));
            let care = if configured == Some(address) {
                self.config_care
            } else {
                self.care
            };
            if self.probes(care) {
                // RFC 5227, section 2.1: on "link-layer connectivity change" the address is in doubt.
                self.set_address_state(address, AddressState::Tentative);
            }
            self.guard(now, address, care, random);
        }
    }

    fn set_address_state(&mut self, address: IpAddress, state: AddressState) {
        self.addresses.set_state(INTERFACE, address, state);
        self.on_routes_changed();
    }

    /// Whether the stack can talk: the link is up and it has an address that it may use.
    pub(super) fn is_config_up(&self) -> bool {
        self.link_up && self.addresses.usable().next().is_some()
    }

    pub(super) fn config(&self) -> Option<&StaticConfigV4> {
        self.config.as_ref()
    }

    /// Whether a configuration is in use already.
    #[cfg(feature = "socket-dhcpv4")]
    pub(super) fn is_configured_as(
        &self,
        config: &StaticConfigV4,
        routes: &[(Ipv4Cidr, Option<Ipv4Addr>)],
        mtu: Option<u16>,
    ) -> bool {
        let mtu = mtu.map_or(self.link_mtu, |mtu| self.link_mtu.min(mtu.into()));
        let destinations = routes
            .iter()
            .map(|(destination, _)| IpCidr::Ipv4(*destination));
        let same_routes = match routes {
            [] => true,
            _ => destinations.eq(self.config_routes.iter().copied()),
        };
        self.config.as_ref() == Some(config) && same_routes && mtu == self.ip_mtu
    }

    /// A number that is another after the configuration changed.
    pub(super) fn changes(&self) -> u16 {
        self.changes
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        #[cfg(feature = "medium-ethernet")]
        {
            let path_mtus = self.path_mtus.next_deadline();
            // Nobody is asked while the link is down, and nobody fails to answer.
            if !self.link_up {
                return path_mtus;
            }
            let neighbors = self.ethernet.neighbors.next_deadline();
            let detectors = self.ethernet.detectors.iter();
            let detectors = detectors.filter_map(ConflictDetector::next_deadline);
            let next = neighbors.into_iter().chain(detectors).min();
            earlier(next, path_mtus)
        }
        #[cfg(not(feature = "medium-ethernet"))]
        self.path_mtus.next_deadline()
    }

    pub(super) fn next_ident(&mut self) -> u16 {
        self.ident = self.ident.wrapping_add(1);
        self.ident
    }

    /// The source address and the next hop for packets to `destination`.
    pub(super) fn route(
        &self,
        now: Instant,
        destination: IpAddress,
    ) -> Option<(NextHop, IpAddress)> {
        let next_hop = self.next_hop(now, destination)?;
        Some((next_hop, self.addresses.source_for(&next_hop)?))
    }

    /// The source of packets along a path.
    #[cfg(any(feature = "socket-udp", feature = "socket-icmp"))]
    pub(super) fn source_on(&self, path: &Path) -> Option<IpAddress> {
        self.addresses.source_for(&path.next_hop?)
    }

    fn next_hop(&self, now: Instant, destination: IpAddress) -> Option<NextHop> {
        let forwarding = Forwarding {
            addresses: &self.addresses,
            routes: &self.routes,
        };
        forwarding.resolve(now, destination, None).ok()
    }

    /// The longest packet in bytes to `destination` that the link takes, or the route.
    fn route_mtu(&self, now: Instant, destination: IpAddress, next_hop: &NextHop) -> u16 {
        let link = self.ip_mtu as u16;
        let is_taken = |route: &&Route| {
            next_hop.delivery == Delivery::Neighbor
                && next_hop.address == route.gateway.unwrap_or(destination)
        };
        let route = self.routes.lookup(now, destination, None).filter(is_taken);
        route
            .and_then(|route| route.mtu)
            .map_or(link, |mtu| mtu.min(link))
    }

    /// The longest packet in bytes that gets to `destination` in one piece, as far as is known.
    pub(super) fn path_mtu(&self, now: Instant, destination: IpAddress) -> Option<u16> {
        let next_hop = self.next_hop(now, destination)?;
        let route = self.route_mtu(now, destination, &next_hop);
        let reported = self.path_mtus.peek(next_hop.interface, destination);
        Some(reported.map_or(route, |mtu| mtu.min(route)))
    }

    /// The longest TCP payload, without options, that a peer is told to send, and that may be sent to it.
    #[cfg(feature = "socket-tcp")]
    pub(super) fn path_mss(&self, now: Instant, destination: IpAddress) -> PathMss {
        let Some(next_hop) = self.next_hop(now, destination) else {
            let mss = mss_of(self.ip_mtu as u16);
            return PathMss {
                announced: mss,
                usable: mss,
            };
        };
        let route = self.route_mtu(now, destination, &next_hop);
        let reported = self.path_mtus.peek(next_hop.interface, destination);
        PathMss {
            announced: mss_of(route),
            usable: mss_of(reported.map_or(route, |mtu| mtu.min(route))),
        }
    }

    /// Whether a path that packets took leads on as it did, and they need not be routed anew.
    #[cfg(any(feature = "socket-udp", feature = "socket-icmp"))]
    pub(super) fn is_current(&self, path: &Path) -> bool {
        path.next_hop.is_some() && path.epoch == self.epoch
    }

    /// Whether a packet to `destination` can go now.
    #[inline]
    pub(super) fn reach(&mut self, now: Instant, destination: IpAddress, path: &mut Path) -> Reach {
        if path.next_hop.is_none() || path.epoch != self.epoch {
            self.resolve(now, destination, path);
        }
        if path.next_hop.is_none() {
            return Reach::NoRoute;
        }
        match self.medium {
            #[cfg(feature = "medium-ethernet")]
            Medium::Ethernet => match path.neighbor {
                Some(key) if self.ethernet.neighbors.use_confirmed(now, key) => Reach::Now,
                _ => self.reach_neighbor(now, path),
            },
            #[cfg(feature = "medium-ip")]
            Medium::Ip => Reach::Now,
            _ => Reach::NoRoute,
        }
    }

    /// As [`Self::reach`], for a path that was routed before and stays as it is, whatever routes say now.
    #[cfg(feature = "socket-dhcpv4")]
    pub(super) fn reach_as_before(
        &mut self,
        now: Instant,
        destination: IpAddress,
        path: &mut Path,
    ) -> Reach {
        path.epoch = self.epoch;
        self.reach(now, destination, path)
    }

    /// The link header for a packet along a path whose next hop has just been found in reach.
    #[inline]
    pub(super) fn link_header(&self, path: &Path) -> Option<LinkHeader> {
        match self.medium {
            #[cfg(feature = "medium-ethernet")]
            Medium::Ethernet => self.ethernet_header(path).map(LinkHeader::Ethernet),
            _ => Some(LinkHeader::None),
        }
    }

    /// Routes anew.
    fn resolve(&mut self, now: Instant, destination: IpAddress, path: &mut Path) {
        let routed = self.next_hop(now, destination);
        *path = Path {
            next_hop: routed.map(|routed| path.next_hop_to(destination, routed)),
            epoch: self.epoch,
            stays_on_link: path.stays_on_link,
            ..Path::default()
        };
        if let Some(next_hop) = &path.next_hop {
            path.route_mtu = self.route_mtu(now, destination, next_hop);
            let reported = self.path_mtus.lookup(next_hop.interface, destination);
            path.path_mtu = reported.map_or(path.route_mtu, |mtu| mtu.min(path.route_mtu));
        }
    }

    /// The link header for a packet to everybody, or to a station whose address is known.
    #[cfg(feature = "socket-dhcpv4")]
    pub(super) fn ipv4_header_to(&self, dst: EthernetAddress) -> LinkHeader {
        LinkHeader::Ethernet(EthernetHeader {
            dst,
            src: self.ethernet.hardware,
            ethertype: EtherType::IPV4,
        })
    }

    #[cfg(feature = "medium-ethernet")]
    fn reach_neighbor(&mut self, now: Instant, path: &mut Path) -> Reach {
        let Some(next_hop) = path.next_hop else {
            return Reach::NoRoute;
        };
        if next_hop.delivery != Delivery::Neighbor {
            return Reach::Now;
        }
        let neighbors = &mut self.ethernet.neighbors;
        let (interface, address) = (next_hop.interface, next_hop.address);
        match neighbors.lookup(now, interface, address, &mut path.neighbor) {
            Lookup::Reachable(_) => Reach::Now,
            Lookup::Pending(neighbor) => Reach::Pending(neighbor),
            Lookup::Unreachable => Reach::Unreachable,
            Lookup::Exhausted => Reach::Exhausted,
        }
    }

    #[cfg(feature = "medium-ethernet")]
    #[inline]
    fn ethernet_header(&self, path: &Path) -> Option<EthernetHeader> {
        let next_hop = path.next_hop.as_ref()?;
        let dst = match next_hop.delivery {
            Delivery::Neighbor => self.ethernet.neighbors.hardware(path.neighbor?)?,
            Delivery::Local => self.ethernet.hardware,
            Delivery::Broadcast => EthernetAddress::BROADCAST,
            Delivery::Multicast => match next_hop.address {
                IpAddress::Ipv4(group) => EthernetAddress::for_ipv4_multicast(group),
                #[cfg(feature = "proto-ipv6")]
                IpAddress::Ipv6(_) => return None,
            },
        };
        let ethertype = match next_hop.address {
            IpAddress::Ipv4(_) => EtherType::IPV4,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => EtherType::IPV6,
        };
        Some(EthernetHeader {
            dst,
            src: self.ethernet.hardware,
            ethertype,
        })
    }
}

#[cfg(feature = "medium-ethernet")]
impl Ethernet {
    fn new(hardware: HardwareAddress, random: &mut Random) -> Self {
        let hardware = EthernetAddress(match hardware {
            HardwareAddress::Ethernet(address) => address,
            _ => [0; 6],
        });
        Self {
            hardware,
            neighbors: NeighborCache::new(NeighborTiming::default(), random.next_u32()),
            detectors: heapless::Vec::new(),
        }
    }
}

impl Engine<'_> {
    /// The link is up, or down. True if that is news. The runner says so whenever it comes by.
    pub(crate) fn set_link_up(&mut self, now: Instant, up: bool) -> bool {
        self.now = now;
        self.attention = false;
        if self.interface.link_up == up {
            return false;
        }
        self.interface.link_up = up;
        #[cfg(feature = "medium-ethernet")]
        self.interface.ethernet.neighbors.flush(INTERFACE);
        if up {
            self.interface.guard_all(now, &mut self.random);
        }
        self.services_link_changed(now, up);
        true
    }

    /// The address of this end of the link.
    pub(crate) fn hardware_address(&self) -> HardwareAddress {
        match self.interface.medium {
            #[cfg(feature = "medium-ethernet")]
            Medium::Ethernet => HardwareAddress::Ethernet(self.interface.ethernet.hardware.0),
            _ => HardwareAddress::Ip,
        }
    }

    /// Whether the link is up.
    pub(crate) fn is_link_up(&self) -> bool {
        self.interface.link_up
    }

    /// Whether the stack can talk.
    pub(crate) fn is_config_up(&self) -> bool {
        self.interface.is_config_up()
    }

    /// The IPv4 configuration in use.
    pub(crate) fn config_v4(&self) -> Option<StaticConfigV4> {
        self.interface.config().cloned()
    }

    /// A number that is another after the configuration changed.
    pub(crate) fn config_changes(&self) -> u16 {
        self.interface.changes()
    }

    /// Replaces the IPv4 configuration. Connections from an address that goes away end with an error.
    pub(crate) fn set_config_v4(&mut self, config: ConfigV4) -> Result<(), ConfigError> {
        self.stop_configuring();
        let now = self.now;
        match config {
            ConfigV4::None => self.configure(now, None),
            ConfigV4::Static(config) => self.configure(now, Some(config.into())),
            #[cfg(feature = "socket-dhcpv4")]
            ConfigV4::Dhcp(dhcp) => {
                self.configure(now, None)?;
                self.start_dhcp(now, dhcp);
                Ok(())
            }
            #[cfg(feature = "ipv4-link-local")]
            ConfigV4::LinkLocal(link_local) => {
                self.configure(now, None)?;
                self.start_link_local(now, link_local);
                Ok(())
            }
            #[cfg(all(feature = "socket-dhcpv4", feature = "ipv4-link-local"))]
            ConfigV4::DhcpOrLinkLocal(dhcp, link_local) => {
                self.configure(now, None)?;
                self.start_dhcp(now, dhcp);
                self.start_link_local(now, link_local);
                Ok(())
            }
        }
    }

    /// Puts a configuration to use in place of the one before.
    pub(super) fn configure(
        &mut self,
        now: Instant,
        configuration: Option<Configuration<'_>>,
    ) -> Result<(), ConfigError> {
        #[cfg(feature = "socket-dns")]
        self.dns_forget();
        let old = self.interface.config().map(|c| c.address.address());
        let new = configuration.as_ref().map(|c| c.config.address.address());
        let result = self
            .interface
            .configure(now, configuration, &mut self.random);
        if let Some(old) = old.filter(|_| old != new) {
            self.on_address_gone(old.into());
        }
        result
    }

    /// Adds an address to the interface.
    pub(crate) fn add_address(&mut self, cidr: IpCidr) -> Result<(), ConfigError> {
        let (now, care) = (self.now, self.interface.care);
        self.interface
            .add_address(now, cidr, care, &mut self.random)
    }

    /// Removes an address; false if it was not there. Connections from it end with an error.
    pub(crate) fn remove_address(&mut self, address: IpAddress) -> bool {
        let was_there = self.interface.remove_address(address);
        if was_there {
            self.on_address_gone(address);
        }
        was_there
    }

    /// Adds a route, or replaces that to the same destination.
    pub(crate) fn add_route(
        &mut self,
        destination: IpCidr,
        gateway: Option<IpAddress>,
    ) -> Result<(), ConfigError> {
        let now = self.now;
        let route = Route {
            destination: destination.network(),
            gateway,
            interface: INTERFACE,
            expires: None,
            mtu: None,
        };
        self.interface.on_routes_changed();
        match self.interface.routes.add(now, route) {
            Ok(_) => Ok(()),
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
        let mtu = mtu.map(|mtu| mtu.max(SMALLEST_MTU));
        self.interface.routes.set_mtu(destination, mtu)
    }

    /// The longest packet in bytes that gets to `destination` in one piece, as far as is known.
    pub(crate) fn path_mtu(&self, destination: IpAddress) -> Option<u16> {
        self.interface.path_mtu(self.now, destination)
    }

    pub(super) fn on_interface_timeout(&mut self, now: Instant) {
        if self.interface.path_mtus.on_timeout(now) {
            self.interface.on_routes_changed();
        }
        // Who waited asks once more, and is told.
        #[cfg(feature = "medium-ethernet")]
        while let Some(failure) = self.interface.ethernet.neighbors.on_timeout(now) {
            self.wake_waiters(failure.waiters);
        }
    }

    /// What the interface itself has to send: requests for neighbors, probes and announcements.
    pub(super) fn poll_interface(&mut self, now: Instant) -> Option<Inline<'static>> {
        #[cfg(feature = "medium-ethernet")]
        {
            if self.interface.medium != Medium::Ethernet {
                return None;
            }
            if let Some(packet) = self.poll_detector(now) {
                return Some(self.arp_to(EthernetAddress::BROADCAST, packet));
            }
            self.poll_solicit(now)
        }
        #[cfg(not(feature = "medium-ethernet"))]
        {
            let _ = now;
            None
        }
    }

    /// Whether [`Self::poll_interface`] has something.
    pub(super) fn interface_wants_to_send(&self, now: Instant) -> bool {
        #[cfg(feature = "medium-ethernet")]
        {
            let ethernet = &self.interface.ethernet;
            if ethernet
                .detectors
                .iter()
                .any(|d| d.next_deadline().is_some_and(|at| at <= now))
            {
                return true;
            }
            ethernet.neighbors.solicit_due(now)
        }
        #[cfg(not(feature = "medium-ethernet"))]
        {
            let _ = now;
            false
        }
    }
}

#[cfg(feature = "medium-ethernet")]
impl Engine<'_> {
    fn poll_solicit(&mut self, now: Instant) -> Option<Inline<'static>> {
        let solicit = self.interface.ethernet.neighbors.poll_solicit(now)?;
        let target = match solicit.target {
            IpAddress::Ipv4(target) => target,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => return None,
        };
        let source = self.source_for_neighbor(solicit.target);
        let to = match solicit.to {
            SolicitTo::Broadcast => EthernetAddress::BROADCAST,
            SolicitTo::Unicast(address) => self.arp_destination(source, address),
        };
        let packet = ArpPacket {
            operation: ArpOperation::Request,
            sender_hardware: self.interface.ethernet.hardware,
            sender_protocol: source,
            target_hardware: EthernetAddress([0; 6]),
            target_protocol: target,
        };
        Some(self.arp_to(to, packet))
    }

    /// The address of ours that a neighbor is asked from.
    fn source_for_neighbor(&self, neighbor: IpAddress) -> Ipv4Addr {
        let next_hop = NextHop {
            interface: INTERFACE,
            address: neighbor,
            delivery: Delivery::Neighbor,
        };
        match self.interface.addresses.source_for(&next_hop) {
            Some(IpAddress::Ipv4(source)) => source,
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }

    /// Where an ARP packet from `sender` goes that is meant for `hardware`.
    ///
    /// RFC 3927 section 2.5: "All ARP packets (*replies* as well as requests) that contain a Link-Local
    /// 'sender IP address' MUST be sent using link-layer broadcast instead of link-layer unicast."
    pub(super) fn arp_destination(
        &self,
        sender: Ipv4Addr,
        hardware: EthernetAddress,
    ) -> EthernetAddress {
        match sender.is_link_local() {
            true => EthernetAddress::BROADCAST,
            false => hardware,
        }
    }

    pub(super) fn arp_to(&self, dst: EthernetAddress, packet: ArpPacket) -> Inline<'static> {
        Inline {
            link: LinkHeader::Ethernet(EthernetHeader {
                dst,
                src: self.interface.ethernet.hardware,
                ethertype: EtherType::ARP,
            }),
            packet: super::egress::InlinePacket::Arp(packet),
        }
    }
}

#[cfg(feature = "medium-ethernet")]
impl Engine<'_> {
    fn poll_detector(&mut self, now: Instant) -> Option<ArpPacket> {
        let detectors = &mut self.interface.ethernet.detectors;
        let (packet, usable) = detectors.iter_mut().find_map(|detector| {
            let was_usable = detector.is_usable();
            let packet = detector.poll_arp(now)?;
            let usable = (!was_usable && detector.is_usable()).then(|| detector.address());
            Some((packet, usable))
        })?;
        if let Some(address) = usable {
            let address = IpAddress::Ipv4(address);
            self.interface
                .set_address_state(address, AddressState::Usable);
            self.services_claimed(address);
        }
        Some(packet)
    }

    /// Shows an ARP packet to who watches for conflicts. True if it is one.
    pub(super) fn detect_conflict(&mut self, now: Instant, packet: &ArpPacket) -> bool {
        let detectors = &mut self.interface.ethernet.detectors;
        let Some((address, conflict)) = detectors
            .iter_mut()
            .find_map(|d| Some((d.address(), d.on_arp(now, packet)?)))
        else {
            return false;
        };
        if conflict == Conflict::GiveUp {
            let address = IpAddress::Ipv4(address);
            self.interface
                .set_address_state(address, AddressState::Tentative);
            self.on_address_gone(address);
            self.services_conflict(now, address);
        }
        true
    }

    /// Fixes a neighbor's link address.
    pub(crate) fn add_neighbor(
        &mut self,
        address: IpAddress,
        hardware: EthernetAddress,
    ) -> Result<(), ConfigError> {
        let now = self.now;
        let neighbors = &mut self.interface.ethernet.neighbors;
        let waiters = neighbors
            .add_permanent(now, INTERFACE, address, hardware)
            .map_err(|_| ConfigError::TooManyNeighbors)?;
        self.wake_waiters(waiters.unwrap_or_default());
        Ok(())
    }

    /// Forgets a neighbor; whoever waits for it asks anew.
    pub(crate) fn remove_neighbor(&mut self, address: IpAddress) {
        let neighbors = &mut self.interface.ethernet.neighbors;
        let waiters = neighbors.remove(INTERFACE, address);
        self.wake_waiters(waiters.unwrap_or_default());
    }
}

#[cfg(feature = "medium-ethernet")]
impl Engine<'_> {
    /// Something changed for those who wait for a neighbor, and for those who wait for any.
    pub(super) fn wake_waiters(&mut self, mut waiters: List) {
        while let Some(index) = self.sockets.pop_waiter(&mut waiters) {
            self.sockets.mark_ready(index);
        }
        self.sockets.release_parked();
    }
}

/// Where everything goes that has no better route.
const DEFAULT_ROUTE: IpCidr = IpCidr::Ipv4(Ipv4Cidr::new(Ipv4Addr::UNSPECIFIED, 0));

#[cfg(feature = "socket-tcp")]
fn mss_of(mtu: u16) -> u16 {
    mtu.saturating_sub(IP_AND_TCP_HEADERS)
}

#[cfg(feature = "socket-tcp")]
pub(super) const IP_AND_TCP_HEADERS: u16 = 40;

/// RFC 791: "Every internet module must be able to forward a datagram of 68 octets without further
/// fragmentation".
const SMALLEST_MTU: u16 = 68;
