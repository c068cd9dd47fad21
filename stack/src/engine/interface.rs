//! The interface: its link, its addresses and routes, and how a packet gets to its next hop.

use core::net::Ipv4Addr;

use cygnet_driver::{Capabilities, HardwareAddress, Medium};

use super::config::{AddressPolicy, Config, StaticConfigV4};
use super::outgoing::LinkHeader;
use super::{Engine, Transmit};
#[cfg(feature = "medium-ethernet")]
use super::egress::Inline;
use crate::ip::{AddressState, Addresses, Delivery, Forwarding, InterfaceAddress, InterfaceId};
use crate::ip::{NextHop, RouteTable};
#[cfg(feature = "medium-ethernet")]
use crate::link::{Lookup, NeighborCache, NeighborKey, NeighborTiming, SolicitTo};
#[cfg(feature = "medium-ethernet")]
use crate::link::{ConflictDetector, DefensePolicy, StartMode};
use crate::rand::Random;
#[cfg(feature = "medium-ethernet")]
use crate::storage::List;
use crate::time::Instant;
use crate::wire::{IpAddress, IpCidr};
#[cfg(feature = "medium-ethernet")]
use crate::wire::{ArpOperation, ArpPacket, EtherType, EthernetAddress, EthernetHeader};

/// The one interface there is today. Whatever refers to an interface already does so by its id.
pub(crate) struct Interface {
    pub(super) medium: Medium,
    /// The longest IP packet in bytes.
    pub(super) ip_mtu: usize,
    pub(super) link_up: bool,
    pub(super) loopback: bool,
    pub(super) addresses: Addresses,
    pub(super) routes: RouteTable,
    config: Option<StaticConfigV4>,
    policy: AddressPolicy,
    /// Grows whenever routes or addresses change, so that what was derived from them is derived anew.
    epoch: u16,
    /// The identification of the last packet that may be fragmented on its way.
    ident: u16,
    #[cfg(feature = "medium-ethernet")]
    pub(super) ethernet: Ethernet,
}

/// What an Ethernet link needs beyond.
#[cfg(feature = "medium-ethernet")]
pub(super) struct Ethernet {
    pub(super) hardware: EthernetAddress,
    pub(super) neighbors: NeighborCache<List>,
    pub(super) detector: ConflictDetector,
}

/// Where a socket's packets go: derived from routes once, and again when they change.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Path {
    next_hop: Option<NextHop>,
    epoch: u16,
    #[cfg(feature = "medium-ethernet")]
    neighbor: Option<NeighborKey>,
}

#[cfg(all(feature = "medium-ethernet", feature = "socket-tcp"))]
impl Path {
    /// The neighbor that packets went to last.
    pub(super) fn neighbor(&self) -> Option<NeighborKey> {
        self.neighbor
    }
}

/// Whether a packet can go now.
#[derive(Debug)]
pub(super) enum Reach {
    /// Behind this header.
    Now(LinkHeader),
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
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::TooManyAddresses => "no room for another address (IFACE_MAX_ADDR_COUNT)",
            Self::TooManyRoutes => "no room for another route (IFACE_MAX_ROUTE_COUNT)",
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
        let mut interface = Self {
            medium: capabilities.medium,
            ip_mtu: capabilities.ip_mtu().min(usize::from(u16::MAX)),
            link_up: false,
            loopback: config.loopback,
            addresses: Addresses::new(),
            routes: RouteTable::new(),
            config: None,
            policy: config.address_policy,
            epoch: 0,
            ident: random.next_u32() as u16,
            #[cfg(feature = "medium-ethernet")]
            ethernet: Ethernet::new(hardware, random),
        };
        if let Some(ipv4) = &config.ipv4 {
            // An empty table takes one address and one route.
            let _ = interface.configure(Instant::ZERO, Some(ipv4.clone()), random);
        }
        interface
    }

    /// Replaces the static configuration.
    fn configure(
        &mut self,
        now: Instant,
        config: Option<StaticConfigV4>,
        random: &mut Random,
    ) -> Result<(), ConfigError> {
        self.epoch = self.epoch.wrapping_add(1);
        self.routes.flush(INTERFACE);
        if let Some(old) = self.config.take() {
            self.addresses
                .remove(INTERFACE, IpAddress::Ipv4(old.address.address()));
        }
        let Some(new) = config else {
            #[cfg(all(feature = "medium-ethernet", feature = "proto-ipv4"))]
            self.ethernet.detector.stop();
            return Ok(());
        };
        let probes = self.probes();
        self.addresses
            .add(InterfaceAddress {
                cidr: IpCidr::Ipv4(new.address),
                interface: INTERFACE,
                state: if probes {
                    AddressState::Tentative
                } else {
                    AddressState::Usable
                },
            })
            .map_err(|_| ConfigError::TooManyAddresses)?;
        if let Some(gateway) = new.gateway {
            self.routes
                .set_default_gateway(now, IpAddress::Ipv4(gateway), INTERFACE)
                .map_err(|_| ConfigError::TooManyRoutes)?;
        }
        self.config = Some(new);
        self.start_detection(now, random);
        Ok(())
    }

    /// Whether an address has to prove unused before it may be used.
    fn probes(&self) -> bool {
        self.medium == Medium::Ethernet
            && !self.loopback
            && self.policy == AddressPolicy::Probe
            && cfg!(all(feature = "medium-ethernet", feature = "proto-ipv4"))
    }

    /// Announces or probes the address, now or when the link comes up.
    #[cfg(all(feature = "medium-ethernet", feature = "proto-ipv4"))]
    fn start_detection(&mut self, now: Instant, random: &mut Random) {
        let Some(config) = &self.config else {
            return;
        };
        if self.medium != Medium::Ethernet || self.loopback {
            return;
        }
        let mode = match self.policy {
            AddressPolicy::Announce => StartMode::Announce,
            AddressPolicy::Probe => StartMode::Probe,
        };
        let address = config.address.address();
        self.ethernet
            .detector
            .start(now, address, mode, random.next_u32());
    }

    #[cfg(not(all(feature = "medium-ethernet", feature = "proto-ipv4")))]
    fn start_detection(&mut self, _now: Instant, _random: &mut Random) {}

    /// Whether the stack can talk: the link is up and it has an address that it may use.
    pub(super) fn is_config_up(&self) -> bool {
        self.link_up && self.addresses.usable().next().is_some()
    }

    pub(super) fn config(&self) -> Option<&StaticConfigV4> {
        self.config.as_ref()
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        #[cfg(feature = "medium-ethernet")]
        {
            let neighbors = self.ethernet.neighbors.next_deadline();
            #[cfg(feature = "proto-ipv4")]
            if self.link_up {
                let detector = self.ethernet.detector.next_deadline();
                return neighbors.into_iter().chain(detector).min();
            }
            neighbors
        }
        #[cfg(not(feature = "medium-ethernet"))]
        None
    }

    pub(super) fn next_ident(&mut self) -> u16 {
        self.ident = self.ident.wrapping_add(1);
        self.ident
    }

    /// The source address and the next hop for packets to `destination`.
    pub(super) fn route(&self, now: Instant, destination: IpAddress) -> Option<(NextHop, IpAddress)> {
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

    /// The longest TCP payload, without options, that fits the link.
    #[cfg(feature = "socket-tcp")]
    pub(super) fn path_mss(&self) -> u16 {
        u16::try_from(self.ip_mtu.saturating_sub(IP_AND_TCP_HEADERS)).unwrap_or(u16::MAX)
    }

    /// Whether a packet to `destination` can go now, and behind which link header.
    pub(super) fn reach(&mut self, now: Instant, destination: IpAddress, path: &mut Path) -> Reach {
        if path.next_hop.is_none() || path.epoch != self.epoch {
            path.next_hop = self.next_hop(now, destination);
            path.epoch = self.epoch;
        }
        let Some(next_hop) = path.next_hop else {
            return Reach::NoRoute;
        };
        match self.medium {
            #[cfg(feature = "medium-ethernet")]
            Medium::Ethernet => self.reach_neighbor(now, &next_hop, path),
            #[cfg(feature = "medium-ip")]
            Medium::Ip => Reach::Now(LinkHeader::None),
            _ => {
                let _ = next_hop;
                Reach::NoRoute
            }
        }
    }

    #[cfg(feature = "medium-ethernet")]
    fn reach_neighbor(&mut self, now: Instant, next_hop: &NextHop, path: &mut Path) -> Reach {
        let dst = match next_hop.delivery {
            Delivery::Local => self.ethernet.hardware,
            Delivery::Broadcast => EthernetAddress::BROADCAST,
            Delivery::Multicast => match next_hop.address {
                IpAddress::Ipv4(group) => EthernetAddress::for_ipv4_multicast(group),
                #[cfg(feature = "proto-ipv6")]
                IpAddress::Ipv6(_) => return Reach::NoRoute,
            },
            Delivery::Neighbor => {
                let found = self.ethernet.neighbors.lookup(
                    now,
                    next_hop.interface,
                    next_hop.address,
                    &mut path.neighbor,
                );
                match found {
                    Lookup::Reachable(hardware) => hardware,
                    Lookup::Pending(neighbor) => return Reach::Pending(neighbor),
                    Lookup::Unreachable => return Reach::Unreachable,
                    Lookup::Exhausted => return Reach::Exhausted,
                }
            }
        };
        let ethertype = match next_hop.address {
            IpAddress::Ipv4(_) => EtherType::IPV4,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => EtherType::IPV6,
        };
        Reach::Now(LinkHeader::Ethernet(EthernetHeader {
            dst,
            src: self.ethernet.hardware,
            ethertype,
        }))
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
            // A static address is what others find the host by.
            detector: ConflictDetector::new(hardware, DefensePolicy::NeverGiveUp),
        }
    }
}

impl Engine<'_> {
    /// The link came up or went down. True if that is news.
    pub(crate) fn set_link_up(&mut self, now: Instant, up: bool) -> bool {
        self.now = now;
        if self.interface.link_up == up {
            return false;
        }
        self.interface.link_up = up;
        #[cfg(feature = "medium-ethernet")]
        self.interface.ethernet.neighbors.flush(INTERFACE);
        if up {
            // RFC 5227, section 2.1: on "link-layer connectivity change" the address is in doubt again.
            if self.interface.probes() {
                self.set_addresses(AddressState::Tentative);
            }
            self.interface.start_detection(now, &mut self.random);
        }
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

    /// Replaces the IPv4 configuration. Connections from an address that goes away end with an error.
    pub(crate) fn set_config_v4(
        &mut self,
        config: Option<StaticConfigV4>,
    ) -> Result<(), ConfigError> {
        let old = self.interface.config().map(|c| c.address.address());
        let new = config.as_ref().map(|c| c.address.address());
        let now = self.now;
        let result = self.interface.configure(now, config, &mut self.random);
        if let Some(old) = old.filter(|_| old != new) {
            self.on_address_gone(old);
        }
        result
    }

    fn set_addresses(&mut self, state: AddressState) {
        if let Some(config) = &self.interface.config {
            let address = IpAddress::Ipv4(config.address.address());
            self.interface
                .addresses
                .set_state(INTERFACE, address, state);
            self.interface.epoch = self.interface.epoch.wrapping_add(1);
        }
    }

    pub(super) fn on_interface_timeout(&mut self, now: Instant) {
        #[cfg(feature = "medium-ethernet")]
        while let Some(failure) = self.interface.ethernet.neighbors.on_timeout(now) {
            let mut waiters = failure.waiters;
            while let Some(index) = self.sockets.pop_waiter(&mut waiters) {
                // It asks once more, and is told.
                self.sockets.mark_ready(index);
            }
            self.sockets.release_parked();
        }
        #[cfg(not(feature = "medium-ethernet"))]
        let _ = now;
    }

    /// What the interface itself has to send: requests for neighbors, probes and announcements.
    pub(super) fn poll_interface(&mut self, now: Instant) -> Option<Transmit> {
        #[cfg(feature = "medium-ethernet")]
        {
            if self.interface.medium != Medium::Ethernet {
                return None;
            }
            #[cfg(feature = "proto-ipv4")]
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
            #[cfg(feature = "proto-ipv4")]
            if ethernet.detector.next_deadline().is_some_and(|at| at <= now) {
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
    fn poll_solicit(&mut self, now: Instant) -> Option<Transmit> {
        let solicit = self.interface.ethernet.neighbors.poll_solicit(now)?;
        let target = match solicit.target {
            IpAddress::Ipv4(target) => target,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => return None,
        };
        let source = self.source_for_neighbor(solicit.target);
        let to = match solicit.to {
            SolicitTo::Broadcast => EthernetAddress::BROADCAST,
            SolicitTo::Unicast(address) => address,
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

    pub(super) fn arp_to(&self, dst: EthernetAddress, packet: ArpPacket) -> Transmit {
        Transmit::Inline(Inline {
            link: LinkHeader::Ethernet(EthernetHeader {
                dst,
                src: self.interface.ethernet.hardware,
                ethertype: EtherType::ARP,
            }),
            packet: super::egress::InlinePacket::Arp(packet),
        })
    }
}

#[cfg(feature = "medium-ethernet")]
impl Engine<'_> {
    fn poll_detector(&mut self, now: Instant) -> Option<ArpPacket> {
        let detector = &mut self.interface.ethernet.detector;
        let was_usable = detector.is_usable();
        let packet = detector.poll_arp(now);
        if !was_usable && detector.is_usable() {
            self.set_addresses(AddressState::Usable);
        }
        packet
    }

    /// Somebody else has our address and we do not insist.
    pub(super) fn give_up_address(&mut self, address: Ipv4Addr) {
        self.set_addresses(AddressState::Tentative);
        self.on_address_gone(address);
    }
}

#[cfg(feature = "socket-tcp")]
const IP_AND_TCP_HEADERS: usize = 40;
