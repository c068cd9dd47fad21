//! The IPv4 configuration: an address with its routes and MTU, fixed or leased.

use core::net::Ipv4Addr;

use super::super::Engine;
use super::super::config::{ConfigV4, StaticConfigV4};
use super::{Care, ConfigError, INTERFACE, Interface};
use crate::ip::{AddressState, Route};
use crate::rand::Random;
use crate::time::Instant;
#[cfg(feature = "socket-dns")]
use crate::wire::dns::DnsName;
use crate::wire::{IpAddress, IpCidr, Ipv4Cidr};

/// A configuration to be put to use.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Configuration<'a> {
    pub(in crate::engine) config: StaticConfigV4,
    /// Routes in place of that to the gateway, if there are any.
    pub(in crate::engine) routes: &'a [(Ipv4Cidr, Option<Ipv4Addr>)],
    pub(in crate::engine) mtu: Option<u16>,
    /// How its address is guarded; `None` as all others are.
    pub(in crate::engine) care: Option<Care>,
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

impl Interface {
    /// Replaces the configuration.
    pub(in crate::engine) fn configure(
        &mut self,
        configuration: Option<Configuration<'_>>,
        random: &mut Random,
        now: Instant,
    ) -> Result<(), ConfigError> {
        self.changes = self.changes.wrapping_add(1);
        if let Some(old) = self.take_config() {
            self.remove_address(IpAddress::Ipv4(old.address.address()));
        }
        match configuration {
            Some(new) => self.put_to_use(new, random, now),
            None => Ok(()),
        }
    }

    /// A configuration after none.
    pub(super) fn put_to_use(
        &mut self,
        new: Configuration<'_>,
        random: &mut Random,
        now: Instant,
    ) -> Result<(), ConfigError> {
        self.config_care = new.care.unwrap_or(self.care);
        let (address, care) = (IpCidr::Ipv4(new.config.address), self.config_care);
        self.add_address(address, care, random, now)?;
        if let Some(mtu) = new.mtu {
            self.ip_mtu = self.link_mtu.min(mtu);
        }
        let gateway = new.config.gateway;
        self.config = Some(new.config);
        if let (Some(gateway), []) = (gateway, new.routes) {
            let _ = self.config_routes.push(DEFAULT_ROUTE);
            self.routes
                .set_default_gateway(IpAddress::Ipv4(gateway), INTERFACE)
                .map_err(|_| ConfigError::TooManyRoutes)?;
        }
        for &(destination, router) in new.routes {
            self.add_config_route(IpCidr::Ipv4(destination), router)?;
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
    pub(in crate::engine) fn retire_config(&mut self) -> bool {
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
    pub(in crate::engine) fn is_configured(&self, address: Ipv4Addr) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.address.address() == address)
    }

    fn add_config_route(
        &mut self,
        destination: IpCidr,
        gateway: Option<Ipv4Addr>,
    ) -> Result<(), ConfigError> {
        let route = Route {
            destination,
            gateway: gateway.map(IpAddress::Ipv4),
            interface: INTERFACE,
            mtu: None,
        };
        let _ = self.config_routes.push(destination);
        match self.routes.add(route) {
            Ok(()) => Ok(()),
            Err(_) => Err(ConfigError::TooManyRoutes),
        }
    }

    pub(in crate::engine) fn config(&self) -> Option<&StaticConfigV4> {
        self.config.as_ref()
    }

    /// The servers to ask for names, the preferred one first.
    #[cfg(feature = "socket-dns")]
    pub(in crate::engine) fn dns_servers(&self) -> impl Iterator<Item = IpAddress> {
        let ipv4 = self.config.iter().flat_map(|config| &config.dns_servers);
        let servers = ipv4.copied().map(IpAddress::Ipv4);
        #[cfg(feature = "proto-ipv6")]
        let servers = self.dns_servers_v6().map(IpAddress::Ipv6).chain(servers);
        servers
    }

    /// The domains that names of one label are looked for in.
    #[cfg(feature = "socket-dns")]
    pub(in crate::engine) fn domains(&self) -> impl Iterator<Item = DnsName<'_>> {
        let domains = self.config.iter().flat_map(|config| config.domains.iter());
        #[cfg(feature = "socket-dhcpv6")]
        let domains = domains.chain(self.domains_v6());
        domains
    }

    /// Whether a configuration is in use already.
    #[cfg(feature = "socket-dhcpv4")]
    pub(in crate::engine) fn is_configured_as(
        &self,
        config: &StaticConfigV4,
        routes: &[(Ipv4Cidr, Option<Ipv4Addr>)],
        mtu: Option<u16>,
    ) -> bool {
        let mtu = mtu.map_or(self.link_mtu, |mtu| self.link_mtu.min(mtu));
        let destinations = routes
            .iter()
            .map(|(destination, _)| IpCidr::Ipv4(*destination));
        let same_routes = match routes {
            [] => true,
            _ => destinations.eq(self.config_routes.iter().copied()),
        };
        self.config.as_ref() == Some(config) && same_routes && mtu == self.ip_mtu
    }
}

impl Engine<'_> {
    /// The IPv4 configuration in use.
    pub(crate) fn config_v4(&self) -> Option<StaticConfigV4> {
        self.interface.config().cloned()
    }

    /// Replaces the IPv4 configuration. Connections from an address that goes away end with an error.
    pub(crate) fn set_config_v4(&mut self, config: ConfigV4) -> Result<(), ConfigError> {
        self.stop_configuring();
        // To announce the address, and whatever depends on it.
        self.attention = true;
        let now = self.now;
        match config {
            ConfigV4::None => self.configure(None, now),
            ConfigV4::Static(config) => self.configure(Some(config.into()), now),
            #[cfg(feature = "socket-dhcpv4")]
            ConfigV4::Dhcp(dhcp) => {
                self.configure(None, now)?;
                self.start_dhcp(dhcp, now);
                Ok(())
            }
            #[cfg(feature = "ipv4-link-local")]
            ConfigV4::LinkLocal(link_local) => {
                self.configure(None, now)?;
                self.start_link_local(link_local, now);
                Ok(())
            }
            #[cfg(all(feature = "socket-dhcpv4", feature = "ipv4-link-local"))]
            ConfigV4::DhcpOrLinkLocal(dhcp, link_local) => {
                self.configure(None, now)?;
                self.start_dhcp(dhcp, now);
                self.start_link_local(link_local, now);
                Ok(())
            }
        }
    }

    /// Puts a configuration to use in place of the one before.
    pub(in crate::engine) fn configure(
        &mut self,
        configuration: Option<Configuration<'_>>,
        now: Instant,
    ) -> Result<(), ConfigError> {
        #[cfg(feature = "socket-dns")]
        self.dns_forget();
        let old = self.interface.config().map(|c| c.address.address());
        let new = configuration.as_ref().map(|c| c.config.address.address());
        let result = self
            .interface
            .configure(configuration, &mut self.random, now);
        if let Some(old) = old.filter(|_| old != new) {
            self.on_address_gone(old.into());
        }
        result
    }
}

/// Where everything goes that has no better route.
const DEFAULT_ROUTE: IpCidr = IpCidr::Ipv4(Ipv4Cidr::new(Ipv4Addr::UNSPECIFIED, 0));
