//! The interface: its link, its addresses and routes, and how a packet gets to its next hop.
//!
//! One file for each subject:
//!
//! - `addresses`: the addresses, and how they are guarded;
//! - `ipv4`: the IPv4 configuration;
//! - `path`: routes, and where a socket's packets go;
//! - `ethernet`: what an Ethernet link needs beyond, with `arp`.

mod addresses;
#[cfg(feature = "medium-ethernet")]
mod arp;
#[cfg(feature = "medium-ethernet")]
mod ethernet;
mod ipv4;
mod path;

use cygnet_config::IFACE_MAX_ROUTE_COUNT;
use cygnet_driver::{Capabilities, HardwareAddress, Medium};

pub(super) use self::addresses::Care;
pub use self::addresses::ConfigError;
#[cfg(feature = "medium-ethernet")]
use self::ethernet::Ethernet;
pub(super) use self::ipv4::Configuration;
#[cfg(feature = "socket-tcp")]
pub(super) use self::path::IP_AND_TCP_HEADERS;
pub(super) use self::path::{Path, Reach};
use super::Engine;
use super::config::{Config, ConfigV4, StaticConfigV4};
use super::egress::Inline;
use crate::ip::{Addresses, Arrival, Destination, Flow, Identifications, InterfaceId, Martian};
use crate::ip::{PathMtuCache, RouteTable, classify};
#[cfg(feature = "medium-ethernet")]
use crate::link::ConflictDetector;
use crate::rand::Random;
use crate::time::Instant;
#[cfg(feature = "medium-ethernet")]
use crate::wire::EthernetAddress;
use crate::wire::{IpAddress, IpCidr};

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
    /// How the last packet for us came in, and in which epoch.
    last_arrival: Option<(Arrival, u16)>,
    identifications: Identifications,
    #[cfg(feature = "medium-ethernet")]
    pub(super) ethernet: Ethernet,
}

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
            last_arrival: None,
            identifications: Identifications::new(random.hash_key()),
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

    /// Whether the stack can talk: the link is up and it has an address that it may use.
    pub(super) fn is_config_up(&self) -> bool {
        self.link_up && self.addresses.usable().next().is_some()
    }

    /// A number that is another after the configuration changed.
    pub(super) fn changes(&self) -> u16 {
        self.changes
    }

    /// A number that is another after routes or addresses changed.
    #[cfg(any(feature = "config-events", feature = "mdns"))]
    pub(super) fn epoch(&self) -> u16 {
        self.epoch
    }

    /// [`Instant::FAR_FUTURE`] if there is none.
    pub(super) fn next_deadline(&self) -> Instant {
        let next = self.path_mtus.next_deadline();
        // Nobody is asked while the link is down, and nobody fails to answer.
        #[cfg(feature = "medium-ethernet")]
        if self.link_up {
            let neighbors = self.ethernet.neighbors.next_deadline();
            let detectors = self.ethernet.detectors.iter();
            return (detectors.filter_map(ConflictDetector::next_deadline))
                .chain(neighbors)
                .fold(next, Instant::min);
        }
        next
    }

    /// Whom a packet is for. Most come from where the last one came from, and nothing else need be asked
    /// about them.
    #[inline]
    pub(super) fn classify(&mut self, arrival: &Arrival) -> Result<Destination, Martian> {
        if self.last_arrival == Some((*arrival, self.epoch)) {
            return Ok(Destination::Local);
        }
        let destination = classify(arrival, &self.addresses)?;
        if destination == Destination::Local {
            self.last_arrival = Some((*arrival, self.epoch));
        }
        Ok(destination)
    }

    /// The identification of a packet that may be fragmented. IPv4 takes the lower half.
    pub(super) fn next_ident(&mut self, destination: IpAddress) -> u32 {
        self.next_ident_in(self.identifications.flow(destination))
    }

    /// The same, for who keeps the flow.
    pub(super) fn next_ident_in(&mut self, flow: Flow) -> u32 {
        self.identifications.next(flow)
    }

    #[cfg(any(feature = "socket-udp", feature = "socket-icmp"))]
    pub(super) fn flow(&self, destination: IpAddress) -> Flow {
        self.identifications.flow(destination)
    }

    /// Whether an address is that of several hosts, from which no packet comes.
    #[cfg(feature = "socket-udp")]
    pub(super) fn is_group(&self, address: IpAddress) -> bool {
        let is_subnets = match address {
            IpAddress::Ipv4(address) => self.addresses.is_subnet_broadcast(INTERFACE, address),
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => false,
        };
        address.is_multicast() || address.is_broadcast() || is_subnets
    }

    /// The longest packet in bytes that a socket may send: in fragments, if need be.
    #[cfg(any(feature = "socket-udp", feature = "socket-icmp"))]
    pub(super) fn longest_sent(&self) -> usize {
        if cfg!(feature = "ip-fragments") {
            LONGEST_PACKET
        } else {
            self.ip_mtu
        }
    }

    /// The longest packet in bytes to `destination` that is not cut, for who has no [`Path`].
    #[cfg(feature = "ip-fragments")]
    pub(super) fn cut_at(&self, destination: IpAddress) -> usize {
        let reported = self.path_mtus.peek(INTERFACE, destination);
        reported.map_or(self.ip_mtu, |mtu| self.ip_mtu.min(mtu.into()))
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
        self.fragments.on_link_changed();
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

    /// A number that is another after the configuration changed.
    pub(crate) fn config_changes(&self) -> u16 {
        self.interface.changes()
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

/// The length of a packet has 16 bits.
#[cfg(any(feature = "socket-udp", feature = "socket-icmp"))]
const LONGEST_PACKET: usize = 65_535;
