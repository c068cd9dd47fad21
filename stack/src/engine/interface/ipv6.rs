//! The IPv6 configuration: the link-local address that the stack makes for itself, and a fixed one.

use core::net::Ipv6Addr;

#[cfg(feature = "socket-dhcpv6")]
use cygnet_config::DNS_MAX_SERVER_COUNT;
use cygnet_driver::Medium;

use super::super::Engine;
use super::super::config::{Config, ConfigV6, StaticConfigV6};
use super::discovery::Discovery;
use super::{ConfigError, INTERFACE, Interface};
#[cfg(feature = "socket-dhcpv6")]
use crate::dhcp::Dhcpv6Mode;
use crate::ip::{AddressOrigin, AddressState, Identity, InterfaceIdentifiers};
use crate::rand::Random;
use crate::time::Instant;
#[cfg(feature = "socket-dhcpv6")]
use crate::wire::dns::{DnsName, DomainList};
use crate::wire::{EthernetAddress, IpAddress, IpCidr, Ipv6Cidr};

/// What the interface knows about IPv6.
pub(super) struct Ipv6State {
    config: ConfigV6,
    identifiers: InterfaceIdentifiers,
    /// Of identifiers, where none is configured.
    secret: [u8; 16],
    /// DupAddrDetectTransmits.
    pub(super) probes: u8,
    /// Addresses that are made here are used meanwhile.
    pub(super) is_optimistic: bool,
    /// The link-local address that was made, and how many were taken before.
    link_local: Option<(Ipv6Addr, u8)>,
    /// The DNS servers and the domains that DHCP servers named.
    #[cfg(feature = "socket-dhcpv6")]
    dhcp_names: Names,
    pub(super) discovery: Discovery,
}

/// DNS servers, and domains that names are looked for in.
#[cfg(feature = "socket-dhcpv6")]
type Names = (heapless::Vec<Ipv6Addr, DNS_MAX_SERVER_COUNT>, DomainList);

impl Ipv6State {
    pub(super) fn new(config: &Config, random: &mut Random) -> Self {
        let mut secret = [0; 16];
        for chunk in secret.chunks_exact_mut(8) {
            chunk.copy_from_slice(&random.next_u64().to_be_bytes());
        }
        Self {
            config: ConfigV6::None,
            identifiers: config.interface_identifiers,
            secret,
            probes: config.duplicate_address_probes,
            is_optimistic: config.optimistic_addresses,
            link_local: None,
            #[cfg(feature = "socket-dhcpv6")]
            dhcp_names: Names::default(),
            discovery: Discovery::default(),
        }
    }
}

impl Interface {
    /// Replaces the configuration.
    pub(super) fn configure_v6(
        &mut self,
        config: ConfigV6,
        random: &mut Random,
        now: Instant,
    ) -> Result<(), ConfigError> {
        self.changes = self.changes.wrapping_add(1);
        if let Some(old) = self.config_v6().cloned() {
            if old.gateway.is_some() {
                self.routes.remove(DEFAULT_ROUTE);
            }
            self.remove_address(old.address.address().into());
        }
        self.stop_discovery();
        self.ipv6.config = config;
        match self.ipv6.config {
            ConfigV6::None => {
                if let Some((address, _)) = self.ipv6.link_local.take() {
                    self.remove_address(address.into());
                }
                return Ok(());
            }
            ConfigV6::LinkLocal | ConfigV6::Static(_) => self.make_link_local(random, now)?,
            #[cfg(feature = "socket-dhcpv6")]
            ConfigV6::Dhcp(_) => self.make_link_local(random, now)?,
            #[cfg(feature = "slaac")]
            ConfigV6::Slaac(ref config) => {
                let config = config.clone();
                self.make_link_local(random, now)?;
                self.start_discovery(&config, random, now);
            }
        }
        let Some(StaticConfigV6 {
            address, gateway, ..
        }) = self.config_v6().cloned()
        else {
            return Ok(());
        };
        self.add_address(IpCidr::Ipv6(address), self.care, random, now)?;
        match gateway {
            None => Ok(()),
            Some(gateway) => self
                .routes
                .set_default_gateway(IpAddress::Ipv6(gateway), INTERFACE)
                .map_err(|_| ConfigError::TooManyRoutes),
        }
    }

    pub(in crate::engine) fn config_v6(&self) -> Option<&StaticConfigV6> {
        match &self.ipv6.config {
            ConfigV6::Static(config) => Some(config),
            #[cfg(feature = "slaac")]
            ConfigV6::Slaac(_) => None,
            ConfigV6::None | ConfigV6::LinkLocal => None,
            #[cfg(feature = "socket-dhcpv6")]
            ConfigV6::Dhcp(_) => None,
        }
    }

    #[cfg(feature = "socket-dns")]
    pub(super) fn dns_servers_v6(&self) -> impl Iterator<Item = Ipv6Addr> {
        let config = self.config_v6().into_iter();
        let servers = config.flat_map(|config| config.dns_servers.iter().copied());
        #[cfg(feature = "socket-dhcpv6")]
        let servers = servers.chain(self.ipv6.dhcp_names.0.iter().copied());
        servers.chain(self.announced_servers())
    }

    /// The domains that names are looked for in.
    #[cfg(all(feature = "socket-dns", feature = "socket-dhcpv6"))]
    pub(super) fn domains_v6(&self) -> impl Iterator<Item = DnsName<'_>> {
        self.ipv6.dhcp_names.1.iter()
    }

    /// The names that DHCP servers gave are these from now on.
    #[cfg(feature = "socket-dhcpv6")]
    pub(in crate::engine) fn set_dhcpv6_names(&mut self, names: Names) {
        self.ipv6.dhcp_names = names;
        self.changes = self.changes.wrapping_add(1);
    }

    /// The link-local address that was made, whether it may be used yet or not.
    pub(in crate::engine) fn link_local_v6(&self) -> Option<Ipv6Addr> {
        Some(self.ipv6.link_local?.0)
    }

    /// An address is taken off the interface. If it is the link-local one, there is none until another is made.
    pub(super) fn forget_link_local(&mut self, address: Ipv6Addr) {
        self.ipv6.link_local = self.ipv6.link_local.filter(|(ours, _)| *ours != address);
    }

    /// Whether packets of IPv6 come in.
    pub(in crate::engine) fn speaks_v6(&self) -> bool {
        !matches!(self.ipv6.config, ConfigV6::None)
            || self.addresses.iter().any(|ours| is_v6(ours.cidr))
    }

    /// Whether the link-local address is all that was asked for.
    pub(super) fn is_link_local_only(&self) -> bool {
        match &self.ipv6.config {
            ConfigV6::LinkLocal => true,
            ConfigV6::None | ConfigV6::Static(_) => false,
            #[cfg(feature = "socket-dhcpv6")]
            ConfigV6::Dhcp(dhcp) => dhcp.mode == Dhcpv6Mode::Stateless,
            #[cfg(feature = "slaac")]
            ConfigV6::Slaac(_) => false,
        }
    }

    /// RFC 4862, section 5.3: a link-local address "whenever an interface becomes enabled".
    fn make_link_local(&mut self, random: &mut Random, now: Instant) -> Result<(), ConfigError> {
        if self.loopback || self.ipv6.link_local.is_some() {
            return Ok(());
        }
        self.add_link_local(0, random, now)
    }

    fn add_link_local(
        &mut self,
        attempt: u8,
        random: &mut Random,
        now: Instant,
    ) -> Result<(), ConfigError> {
        let address = self.identity().address(LINK_LOCAL, attempt);
        self.ipv6.link_local = Some((address, attempt));
        let cidr = IpCidr::Ipv6(Ipv6Cidr::new(address, LINK_LOCAL.prefix_len()));
        let added = self.add_address(cidr, self.care, random, now);
        if added.is_err() {
            // It is made when there is room.
            self.ipv6.link_local = None;
        }
        added
    }

    /// The state of an address that others may have. RFC 4429, section 3.1: one that was entered by hand is not used
    /// before it is known to be unique, one that is most likely unique may be.
    pub(super) fn doubtful_state(&self, address: Ipv6Addr, origin: AddressOrigin) -> AddressState {
        let is_link_local = self.link_local_v6() == Some(address);
        let is_made = is_link_local || origin != AddressOrigin::Configured;
        match self.ipv6.is_optimistic && is_made {
            true => AddressState::Optimistic,
            false => AddressState::Tentative,
        }
    }

    /// A link-local address that nobody else has.
    pub(in crate::engine) fn settled_link_local(&self) -> Option<IpAddress> {
        let mut settled = self
            .addresses
            .usable()
            .filter(|ours| !ours.state.is_in_doubt());
        let is_it = |address: &IpAddress| match address {
            IpAddress::Ipv6(address) => address.is_unicast_link_local(),
            IpAddress::Ipv4(_) => false,
        };
        settled.find_map(|ours| Some(ours.cidr.address()).filter(is_it))
    }

    /// What addresses are made from.
    pub(super) fn identity(&self) -> Identity {
        Identity {
            kind: self.ipv6.identifiers,
            hardware: self.hardware_for_identifiers(),
            fallback_secret: self.ipv6.secret,
        }
    }

    pub(in crate::engine) fn hardware_for_identifiers(&self) -> Option<EthernetAddress> {
        match self.medium {
            #[cfg(feature = "medium-ethernet")]
            Medium::Ethernet => Some(self.ethernet.hardware),
            _ => None,
        }
    }

    /// Somebody else has an address that was about to be ours. RFC 7217, section 6: of an identifier that is
    /// made up, there is another to try.
    pub(super) fn on_duplicate(&mut self, address: Ipv6Addr, random: &mut Random, now: Instant) {
        self.changes = self.changes.wrapping_add(1);
        if self.retry_autoconf(address, random, now) {
            return;
        }
        let can_retry = self.identity().has_alternatives();
        match self.ipv6.link_local {
            Some((ours, attempt)) if ours == address && can_retry && attempt < IDGEN_RETRIES => {
                self.remove_address(address.into());
                // There is room: one was just removed.
                let _ = self.add_link_local(attempt + 1, random, now);
            }
            _ => self.set_address_state(address.into(), AddressState::Duplicate),
        }
    }
}

impl Engine<'_> {
    /// The IPv6 configuration in use.
    pub(crate) fn config_v6(&self) -> Option<StaticConfigV6> {
        let configured = self.interface.config_v6().cloned();
        #[cfg(feature = "socket-dhcpv6")]
        let configured = configured.or_else(|| self.dhcpv6_config());
        configured.or_else(|| self.interface.discovered_config(self.now))
    }

    /// Replaces the IPv6 configuration. Connections from an address that goes away end with an error.
    pub(crate) fn set_config_v6(&mut self, config: ConfigV6) -> Result<(), ConfigError> {
        #[cfg(feature = "socket-dns")]
        self.dns_forget();
        #[cfg(feature = "socket-dhcpv6")]
        self.stop_dhcpv6();
        #[cfg(feature = "socket-dhcpv6")]
        if let ConfigV6::Dhcp(dhcp) = &config {
            self.start_dhcpv6(dhcp.clone());
        }
        let now = self.now;
        let before: heapless::Vec<IpAddress, { cygnet_config::IFACE_MAX_ADDR_COUNT }> = self
            .interface
            .addresses
            .iter()
            .map(|ours| ours.cidr.address())
            .collect();
        let configured = self.interface.configure_v6(config, &mut self.random, now);
        for address in before {
            let state = self.interface.addresses.state(INTERFACE, address);
            if state.is_none() {
                self.on_address_gone(address);
            }
        }
        self.attention = true;
        configured
    }

    /// The link-local address that the stack made for itself.
    pub(crate) fn link_local_v6(&self) -> Option<Ipv6Addr> {
        self.interface.link_local_v6()
    }
}

fn is_v6(cidr: IpCidr) -> bool {
    matches!(cidr, IpCidr::Ipv6(_))
}

/// RFC 4291, section 2.5.6.
const LINK_LOCAL: Ipv6Cidr = Ipv6Cidr::new(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 64);

/// Where everything goes that has no better route.
const DEFAULT_ROUTE: IpCidr = IpCidr::Ipv6(Ipv6Cidr::new(Ipv6Addr::UNSPECIFIED, 0));

/// IDGEN_RETRIES (RFC 7217, section 7).
const IDGEN_RETRIES: u8 = 3;
