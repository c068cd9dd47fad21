//! The place of IPv4 link-local addresses in the stack: on the interface, as fallback or alone.
//!
//! The address is the interface's configuration while there is no better one. A lease takes its place, and
//! leaves it beside for the connections that have it.

use core::net::Ipv4Addr;

use cygnet_driver::Medium;

use crate::engine::Engine;
use crate::engine::config::{AddressPolicy, Config, ConfigV4, DefensePolicy, StaticConfigV4};
use crate::engine::interface::{Care, Configuration, Interface};
use crate::ip::{LinkLocal, LinkLocalConfig, LinkLocalStep};
use crate::time::Instant;
use crate::wire::{IpAddress, Ipv4Cidr};

/// The choice of the address, if there is to be one.
pub(in crate::engine) struct LinkLocalState {
    choice: Option<LinkLocal>,
}

impl LinkLocalState {
    pub(in crate::engine) fn new(interface: &Interface, config: &Config) -> Self {
        let config = config.ipv4.link_local();
        Self {
            choice: config.and_then(|config| choice(interface, config.clone())),
        }
    }

    pub(in crate::engine) fn next_deadline(&self) -> Option<Instant> {
        self.choice.as_ref()?.next_deadline()
    }
}

impl ConfigV4 {
    fn link_local(&self) -> Option<&LinkLocalConfig> {
        match self {
            Self::LinkLocal(config) => Some(config),
            #[cfg(feature = "socket-dhcpv4")]
            Self::DhcpOrLinkLocal(_, config) => Some(config),
            #[cfg(feature = "socket-dhcpv4")]
            Self::Dhcp(_) => None,
            Self::None | Self::Static(_) => None,
        }
    }
}

/// RFC 3927 section 2.2.1: on links without ARP it "is outside the scope of this document".
fn choice(interface: &Interface, config: LinkLocalConfig) -> Option<LinkLocal> {
    (interface.medium == Medium::Ethernet)
        .then(|| LinkLocal::new(config, interface.ethernet.hardware))
}

impl Engine<'_> {
    pub(in crate::engine) fn start_link_local(&mut self, config: LinkLocalConfig, now: Instant) {
        self.services.link_local.choice = choice(&self.interface, config);
        if self.interface.link_up {
            self.link_local_link_changed(true, now);
        }
        self.attention = true;
    }

    /// The address goes with the configuration, or alone if it is retired.
    pub(in crate::engine) fn stop_link_local(&mut self) {
        let choice = self.services.link_local.choice.take();
        let address = choice.and_then(|choice| choice.address());
        if let Some(address) = address.filter(|&address| !self.interface.is_configured(address)) {
            self.remove_address(IpAddress::Ipv4(address));
        }
    }

    pub(in crate::engine) fn link_local_link_changed(&mut self, up: bool, now: Instant) {
        let is_routable = self.interface.config().is_some_and(|config| {
            // A lease outlives the link for a while.
            !config.address.address().is_link_local()
        });
        self.step_link_local(now, |choice| {
            if !up {
                return choice.on_link_down();
            }
            choice.on_link_up(now);
            if is_routable {
                choice.on_routable(now)
            } else {
                None
            }
        });
    }

    pub(in crate::engine) fn link_local_conflict(&mut self, address: IpAddress, now: Instant) {
        if let IpAddress::Ipv4(address) = address {
            self.step_link_local(now, |choice| choice.on_conflict(now, address));
        }
    }

    pub(in crate::engine) fn link_local_claimed(&mut self, address: IpAddress) {
        if let (Some(choice), IpAddress::Ipv4(address)) =
            (&mut self.services.link_local.choice, address)
        {
            choice.on_claimed(address);
        }
    }

    /// There is a lease, which is about to be put to use.
    pub(in crate::engine) fn link_local_give_way(&mut self, now: Instant) {
        self.step_link_local(now, |choice| choice.on_routable(now));
    }

    /// The lease is gone.
    pub(in crate::engine) fn link_local_step_in(&mut self, now: Instant) {
        self.step_link_local(now, |choice| choice.on_routable_lost(now));
    }

    pub(in crate::engine) fn on_link_local_timeout(&mut self, now: Instant) {
        self.step_link_local(now, |choice| choice.on_timeout(now));
    }

    fn step_link_local(
        &mut self,
        now: Instant,
        decide: impl FnOnce(&mut LinkLocal) -> Option<LinkLocalStep>,
    ) {
        let Some(step) = self.services.link_local.choice.as_mut().and_then(decide) else {
            return;
        };
        match step {
            LinkLocalStep::Claim(address) => {
                self.use_link_local(address, AddressPolicy::Probe, now)
            }
            LinkLocalStep::Resume(address) => {
                self.use_link_local(address, AddressPolicy::Announce, now);
            }
            LinkLocalStep::Retire(address) => {
                if !self.interface.retire_config() {
                    self.drop_link_local(address, now);
                }
            }
            LinkLocalStep::Drop(address) => self.drop_link_local(address, now),
        }
    }

    /// RFC 3927 section 2.6.2: a packet with such a source goes "directly to its destination on the same
    /// physical link", whatever that is: everybody is on the link.
    fn use_link_local(&mut self, address: Ipv4Addr, policy: AddressPolicy, now: Instant) {
        // Section 2.5 (b), which lets connections live through an accident.
        let defense = DefensePolicy::DefendOnce;
        let everywhere = Ipv4Cidr::new(Ipv4Addr::UNSPECIFIED, 0);
        let configured = self.configure(
            Some(Configuration {
                config: StaticConfigV4::new(Ipv4Cidr::new(address, PREFIX_LEN)),
                routes: &[(everywhere, None)],
                mtu: None,
                care: Some(Care { policy, defense }),
            }),
            now,
        );
        if configured.is_err() {
            crate::log::debug!("there is no room for a link-local address");
        }
    }

    fn drop_link_local(&mut self, address: Ipv4Addr, now: Instant) {
        if self.interface.is_configured(address) {
            let _ = self.configure(None, now);
        } else {
            self.remove_address(IpAddress::Ipv4(address));
        }
    }
}

/// 169.254/16.
const PREFIX_LEN: u8 = 16;
