//! The interface: its link, its addresses and routes, and how a packet gets to its next hop.
//!
//! One file for each subject:
//!
//! - `addresses`: the addresses, and how they are guarded;
//! - `ipv4`: the IPv4 configuration;
//! - `path`: routes, and where a socket's packets go;
//! - `ethernet`: what an Ethernet link needs beyond, with `arp` and `ndp`;
//! - `ipv6`: the IPv6 configuration;
//! - `discovery`: what routers say about the link, and the addresses made from it;
//! - `groups`: the multicast groups.

mod addresses;
#[cfg(feature = "medium-ethernet")]
mod arp;
#[cfg(feature = "slaac")]
mod discovery;
#[cfg(not(feature = "slaac"))]
#[path = "interface/no_discovery.rs"]
mod discovery;
#[cfg(feature = "medium-ethernet")]
mod ethernet;
#[cfg(feature = "proto-ipv6")]
mod groups;
mod ipv4;
#[cfg(feature = "proto-ipv6")]
mod ipv6;
#[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
mod ndp;
#[cfg(all(not(feature = "medium-ethernet"), feature = "proto-ipv6"))]
mod no_ndp;
mod path;

use cygnet_config::IFACE_MAX_ROUTE_COUNT;
use cygnet_driver::{Capabilities, HardwareAddress, Medium};

pub(super) use self::addresses::Care;
pub use self::addresses::ConfigError;
#[cfg(feature = "slaac")]
pub use self::discovery::RouterFlags;
#[cfg(feature = "medium-ethernet")]
use self::ethernet::Ethernet;
pub(super) use self::ipv4::Configuration;
#[cfg(feature = "proto-ipv6")]
use self::ipv6::Ipv6State;
#[cfg(feature = "socket-tcp")]
pub(super) use self::path::mss_of;
pub(super) use self::path::{Path, Reach};
use super::Engine;
use super::config::{Config, ConfigV4, StaticConfigV4};
use super::flow_label::FlowKey;
use super::outgoing::Room;
use crate::ip::{Addresses, Arrival, Destination, Flow, Identifications, InterfaceId, Martian};
use crate::ip::{PathMtuCache, RouteTable, classify};
#[cfg(feature = "medium-ethernet")]
use crate::link::ConflictDetector;
use crate::rand::{HashKey, Random};
use crate::time::Instant;
use crate::wire::{IpAddress, IpCidr};

/// The one interface there is today. Whatever refers to an interface already does so by its id.
pub(crate) struct Interface {
    pub(super) medium: Medium,
    /// The longest packet of IPv4 in bytes.
    pub(super) ip_mtu: u16,
    /// The same as far as the link is concerned; a configuration may ask for less.
    link_mtu: u16,
    pub(super) link_up: bool,
    pub(super) loopback: bool,
    pub(super) addresses: Addresses,
    pub(super) routes: RouteTable,
    pub(super) path_mtus: PathMtuCache,
    config: Option<StaticConfigV4>,
    /// The routes that came with it.
    config_routes: heapless::Vec<IpCidr, CONFIG_ROUTES>,
    /// How its address is guarded.
    config_care: Care,
    /// How all others are.
    care: Care,
    /// Grows whenever the configuration changes.
    changes: u16,
    /// Grows whenever routes or addresses change, so that what was derived from them is derived anew.
    epoch: u16,
    /// How the last packet for us came in, and in which epoch.
    #[cfg(feature = "many-sockets")]
    last_arrival: Option<(Arrival, u16)>,
    identifications: Identifications,
    /// Of flow labels.
    flow_key: FlowKey,
    #[cfg(feature = "proto-ipv6")]
    ipv6: Ipv6State,
    #[cfg(feature = "medium-ethernet")]
    pub(super) ethernet: Ethernet,
}

/// The most routes that come with a configuration: only a DHCP server gives others than that through the gateway.
const CONFIG_ROUTES: usize = if cfg!(feature = "socket-dhcpv4") {
    IFACE_MAX_ROUTE_COUNT
} else {
    1
};

/// The one interface.
pub(super) const INTERFACE: InterfaceId = InterfaceId::FIRST;

impl Interface {
    pub(super) fn new(
        (capabilities, hardware): (Capabilities, HardwareAddress),
        config: &Config,
        hash_key: HashKey,
        random: &mut Random,
    ) -> Self {
        #[cfg(not(feature = "medium-ethernet"))]
        let _ = (hardware, &random);
        let link_mtu = u16::try_from(capabilities.ip_mtu()).unwrap_or(u16::MAX);
        let care = Care {
            policy: config.address_policy,
            defense: config.defense,
        };
        Self {
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
            #[cfg(feature = "many-sockets")]
            last_arrival: None,
            identifications: Identifications::new(hash_key),
            flow_key: FlowKey::new(hash_key),
            #[cfg(feature = "proto-ipv6")]
            ipv6: Ipv6State::new(config, random),
            #[cfg(feature = "medium-ethernet")]
            ethernet: Ethernet::new(hardware, random),
        }
    }

    /// Whether the stack can talk: the link is up and it has an address that it may use. One of IPv6 that is
    /// good for the link alone does not count, unless no other was asked for.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn is_config_up(&self) -> bool {
        self.link_up
            && self.addresses.usable().any(|ours| match ours.cidr {
                IpCidr::Ipv4(_) => true,
                #[cfg(feature = "proto-ipv6")]
                IpCidr::Ipv6(cidr) => {
                    !cidr.address().is_unicast_link_local() || self.is_link_local_only()
                }
            })
    }

    /// A number that is another after the configuration changed.
    pub(super) fn changes(&self) -> u16 {
        self.changes
    }

    /// How addresses are guarded that are nobody's in particular.
    pub(super) fn care(&self) -> Care {
        self.care
    }

    /// A number that is another after routes or addresses changed.
    #[cfg(any(
        feature = "config-events",
        feature = "mdns",
        feature = "socket-dhcpv6",
        all(feature = "multicast", feature = "proto-ipv6")
    ))]
    pub(super) fn epoch(&self) -> u16 {
        self.epoch
    }

    /// [`Instant::FAR_FUTURE`] if there is none.
    pub(super) fn next_deadline(&self) -> Instant {
        let next = self.path_mtus.next_deadline();
        #[cfg(feature = "slaac")]
        let next = (self.discovery_deadline()).map_or(next, |at| next.min(at));
        // Nobody is asked while the link is down, and nobody fails to answer.
        #[cfg(feature = "medium-ethernet")]
        if self.link_up {
            let next = next.min(self.ethernet.neighbors.next_deadline());
            let detectors = self.ethernet.detectors.iter();
            let deadlines = detectors.filter_map(ConflictDetector::next_deadline);
            #[cfg(feature = "proto-ipv6")]
            let deadlines = deadlines.chain(self.ethernet.duplicates_deadline());
            return deadlines.fold(next, Instant::min);
        }
        next
    }

    /// Whom a packet is for. Most come from where the last one came from, and nothing else need be asked
    /// about them.
    #[cfg(feature = "many-sockets")]
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

    /// Whom a packet is for.
    #[cfg(not(feature = "many-sockets"))]
    pub(super) fn classify(&self, arrival: &Arrival) -> Result<Destination, Martian> {
        classify(arrival, &self.addresses)
    }

    /// What the stack hashes with. It is here, where most is hashed, and nowhere else.
    pub(super) fn hash_key(&self) -> HashKey {
        self.identifications.key()
    }

    /// The identification of a packet that may be fragmented. IPv4 takes the lower half.
    pub(super) fn next_ident(&mut self, destination: IpAddress) -> u32 {
        self.next_ident_in(self.identifications.flow(destination))
    }

    /// The same, for who keeps the flow.
    pub(super) fn next_ident_in(&mut self, flow: Flow) -> u32 {
        self.identifications.next(flow)
    }

    #[cfg(any(
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
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

    /// The longest packet in bytes of the version of `destination` that the interface sends. What a
    /// configuration of IPv4 asks for is no concern of IPv6.
    fn mtu_to(&self, destination: IpAddress) -> usize {
        match destination {
            IpAddress::Ipv4(_) => self.ip_mtu.into(),
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => self.mtu_v6(),
        }
    }

    /// The longest packet in bytes to `destination` that is not cut, for who has no [`Path`].
    #[cfg(feature = "ip-fragments")]
    pub(super) fn cut_at(&self, destination: IpAddress) -> usize {
        let reported = self.path_mtus.peek(INTERFACE, destination);
        let link = self.mtu_to(destination);
        reported.map_or(link, |mtu| link.min(mtu.into()))
    }
}

impl Engine<'_> {
    /// Puts the first configuration to use, as far as it is fixed. Where the engine stays: it is large.
    pub(crate) fn start_interface(&mut self, config: Config) {
        #[cfg(feature = "proto-ipv6")]
        (self.interface.addresses).set_policy_table(config.policy_table);
        if let ConfigV4::Static(ipv4) = config.ipv4 {
            let interface = &mut self.interface;
            let configured = interface.put_to_use(ipv4.into(), &mut self.random, self.now);
            if configured.is_err() {
                crate::log::debug!("the IPv4 address is none that a host can have");
            }
        }
        #[cfg(feature = "proto-ipv6")]
        if (self.interface)
            .configure_v6(config.ipv6, &mut self.random, self.now)
            .is_err()
        {
            crate::log::debug!("the IPv6 configuration cannot be used");
        }
    }

    /// The link is up, or down, and was not before.
    pub(crate) fn set_link_up(&mut self, up: bool, now: Instant) {
        self.now = now;
        self.interface.link_up = up;
        self.on_news();
        #[cfg(feature = "medium-ethernet")]
        {
            self.interface.ethernet.neighbors.flush(INTERFACE);
            self.sockets.release_parked();
        }
        if up {
            self.interface.guard_all(&mut self.random, now);
        }
        #[cfg(feature = "slaac")]
        self.discovery_link_changed(up, now);
        self.fragments.on_link_changed();
        self.services_link_changed(up, now);
        #[cfg(feature = "socket-tcp")]
        if !up {
            self.tcp_link_gone(now);
        }
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
            self.interface.on_neighbor_failed(failure.address, now);
            self.wake_waiters(failure.waiters);
        }
        #[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
        if self.interface.link_up {
            self.on_duplicates_timeout(now);
        }
        #[cfg(feature = "slaac")]
        self.on_discovery_timeout(now);
    }

    /// Sends what the interface itself has to say: requests for neighbors, probes and announcements. False if that is
    /// nothing.
    pub(super) fn transmit_interface(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        #[cfg(feature = "medium-ethernet")]
        {
            self.transmit_ethernet(room, now)
        }
        #[cfg(not(feature = "medium-ethernet"))]
        {
            let _ = (now, room);
            false
        }
    }

    /// Whether [`Self::transmit_interface`] has something.
    pub(super) fn interface_wants_to_send(&self, now: Instant) -> bool {
        #[cfg(feature = "medium-ethernet")]
        {
            self.interface.ethernet.wants_to_send(now)
                || self.interface.wants_router_solicitation(now)
        }
        #[cfg(not(feature = "medium-ethernet"))]
        {
            let _ = now;
            false
        }
    }
}
