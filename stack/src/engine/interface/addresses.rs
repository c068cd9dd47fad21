//! The addresses of the interface: added, guarded against others who use them, and removed.

use core::net::Ipv4Addr;

use cygnet_config::IFACE_MAX_ADDR_COUNT;
use cygnet_driver::Medium;

use super::super::Engine;
use super::super::config::{AddressPolicy, DefensePolicy};
use super::{INTERFACE, Interface};
use crate::ip::{AddressOrigin, AddressState, InterfaceAddress};
#[cfg(feature = "medium-ethernet")]
use crate::link::{ConflictDetector, StartMode};
use crate::rand::Random;
use crate::time::Instant;
use crate::wire::{IpAddress, IpCidr};

/// How an address is guarded against others who use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Care {
    pub(in crate::engine) policy: AddressPolicy,
    pub(in crate::engine) defense: DefensePolicy,
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

impl Interface {
    pub(in crate::engine) fn add_address(
        &mut self,
        cidr: IpCidr,
        care: Care,
        random: &mut Random,
        now: Instant,
    ) -> Result<(), ConfigError> {
        self.add_address_of((cidr, AddressOrigin::Configured), care, random, now)
    }

    pub(super) fn add_address_of(
        &mut self,
        (cidr, origin): (IpCidr, AddressOrigin),
        care: Care,
        random: &mut Random,
        now: Instant,
    ) -> Result<(), ConfigError> {
        if !cidr.address().is_unicast() {
            return Err(ConfigError::NotUnicast);
        }
        let state = if self.is_in_doubt(cidr.address(), care) {
            self.doubt(cidr.address(), origin)
        } else {
            AddressState::Preferred
        };
        self.addresses
            .add(InterfaceAddress {
                cidr,
                interface: INTERFACE,
                state,
                origin,
            })
            .map_err(|_| ConfigError::TooManyAddresses)?;
        self.on_routes_changed();
        self.guard(cidr.address(), care, random, now);
        Ok(())
    }

    /// False if it was not there.
    pub(super) fn remove_address(&mut self, address: IpAddress) -> bool {
        #[cfg(all(feature = "medium-ethernet", feature = "proto-ipv4"))]
        self.ethernet
            .detectors
            .retain(|detector| IpAddress::Ipv4(detector.address()) != address);
        #[cfg(feature = "proto-ipv6")]
        if let IpAddress::Ipv6(address) = address {
            #[cfg(feature = "medium-ethernet")]
            self.forget_detector(address);
            self.forget_link_local(address);
        }
        self.on_routes_changed();
        self.addresses.remove(INTERFACE, address).is_some()
    }

    pub(in crate::engine) fn on_routes_changed(&mut self) {
        self.epoch = self.epoch.wrapping_add(1);
    }

    /// Whether an address has to prove unused before it may be used.
    fn is_in_doubt(&self, address: IpAddress, care: Care) -> bool {
        let is_asked_for = match address {
            IpAddress::Ipv4(_) => care.policy.probes(),
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => self.ipv6.probes > 0,
        };
        is_asked_for && self.has_neighbors()
    }

    /// The state of an address that others may have.
    fn doubt(&self, address: IpAddress, origin: AddressOrigin) -> AddressState {
        match address {
            IpAddress::Ipv4(_) => AddressState::Tentative,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(address) => self.doubtful_state(address, origin),
        }
    }

    /// Whether there may be others with an address of ours.
    pub(super) fn has_neighbors(&self) -> bool {
        cfg!(feature = "medium-ethernet") && self.medium == Medium::Ethernet && !self.loopback
    }

    /// Sees to it that nobody else uses an address.
    fn guard(&mut self, address: IpAddress, care: Care, random: &mut Random, now: Instant) {
        match address {
            IpAddress::Ipv4(address) => self.guard_v4(address, care, random, now),
            #[cfg(all(feature = "medium-ethernet", feature = "proto-ipv6"))]
            IpAddress::Ipv6(address) if self.is_in_doubt(address.into(), care) => {
                self.detect_duplicates(address, random, now);
            }
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => {}
        }
    }

    /// Announces or probes an address, and from then on watches for others that use it.
    #[cfg(all(feature = "medium-ethernet", feature = "proto-ipv4"))]
    fn guard_v4(&mut self, address: Ipv4Addr, care: Care, random: &mut Random, now: Instant) {
        if !self.has_neighbors() {
            return;
        }
        let mode = match care.policy {
            AddressPolicy::Announce => StartMode::Announce,
            #[cfg(feature = "ipv4-conflict")]
            AddressPolicy::Probe => StartMode::Probe,
        };
        let detectors = &mut self.ethernet.detectors;
        let known = detectors.iter().position(|d| d.address() == address);
        let index = known.or_else(|| {
            // There is room for as many as there are addresses.
            let detector = ConflictDetector::new(self.ethernet.hardware, care.defense)?;
            detectors.push(detector).ok()?;
            detectors.len().checked_sub(1)
        });
        if let Some(detector) = index.and_then(|index| detectors.get_mut(index)) {
            detector.start(now, address, mode, random.next_u32());
        }
    }

    #[cfg(not(all(feature = "medium-ethernet", feature = "proto-ipv4")))]
    fn guard_v4(&mut self, _address: Ipv4Addr, _care: Care, _random: &mut Random, _now: Instant) {}

    /// Starts over with all addresses, because the link is back and may be another.
    pub(super) fn guard_all(&mut self, random: &mut Random, now: Instant) {
        // Changing their states moves none of them.
        for nth in 0..IFACE_MAX_ADDR_COUNT {
            let ours = self.addresses.iter().nth(nth);
            let Some((address, origin)) = ours.map(|ours| (ours.cidr.address(), ours.origin))
            else {
                return;
            };
            let configured = self
                .config
                .as_ref()
                .map(|c| IpAddress::Ipv4(c.address.address()));
            let care = if configured == Some(address) {
                self.config_care
            } else {
                self.care
            };
            if self.is_in_doubt(address, care) {
                // RFC 5227, section 2.1: on "link-layer connectivity change" the address is in doubt.
                self.set_address_state(address, self.doubt(address, origin));
            }
            self.guard(address, care, random, now);
        }
    }

    pub(in crate::engine) fn set_address_state(&mut self, address: IpAddress, state: AddressState) {
        self.addresses.set_state(INTERFACE, address, state);
        self.on_routes_changed();
    }
}

impl Engine<'_> {
    /// Adds an address to the interface.
    pub(crate) fn add_address(&mut self, cidr: IpCidr) -> Result<(), ConfigError> {
        let (now, care) = (self.now, self.interface.care);
        self.attention = true;
        self.interface
            .add_address(cidr, care, &mut self.random, now)
    }

    /// Removes an address; false if it was not there. Connections from it end with an error.
    pub(crate) fn remove_address(&mut self, address: IpAddress) -> bool {
        let was_there = self.interface.remove_address(address);
        if was_there {
            self.on_address_gone(address);
            self.attention = true;
        }
        was_there
    }

    /// How far an address is ours.
    pub(crate) fn address_state(&self, address: IpAddress) -> Option<AddressState> {
        self.interface.addresses.state(INTERFACE, address)
    }
}
