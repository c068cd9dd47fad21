//! What follows for addresses from what routers advertise (RFC 4862, section 5.5).

use core::net::Ipv6Addr;

use super::super::Interface;
use crate::engine::Engine;
use crate::ip::{AddressOrigin, AddressState, AutoconfStep};
use crate::rand::Random;
use crate::stats::Discard;
use crate::time::Instant;
use crate::wire::{IpCidr, Ipv6Cidr};

impl Interface {
    /// Whether an address is to be deprecated as soon as it is found to be unique.
    pub(in crate::engine::interface) fn is_past_preference(&self, address: Ipv6Addr) -> bool {
        let autoconf = self.ipv6.discovery.autoconf.as_ref();
        autoconf.is_some_and(|autoconf| autoconf.is_deprecated(address))
    }

    /// An address that was made turned out to be taken. True if another takes its place.
    pub(in crate::engine::interface) fn retry_autoconf(
        &mut self,
        address: Ipv6Addr,
        random: &mut Random,
        now: Instant,
    ) -> bool {
        let Some(autoconf) = &mut self.ipv6.discovery.autoconf else {
            return false;
        };
        if !autoconf.on_duplicate(address, random) {
            return false;
        }
        self.remove_address(address.into());
        // The next timeout adds the other, which is due.
        debug_assert!(self.discovery_deadline().is_some_and(|at| at <= now));
        true
    }
}

impl Engine<'_> {
    /// Does what follows for addresses. Each step belongs to an address or ends one, so there are not many.
    pub(super) fn step_autoconf(&mut self, now: Instant) {
        loop {
            let Some(autoconf) = &mut self.interface.ipv6.discovery.autoconf else {
                return;
            };
            let Some(step) = autoconf.poll(now, &mut self.random) else {
                return;
            };
            match step {
                AutoconfStep::Add { cidr, temporary } => {
                    if !self.add_autoconf(cidr, temporary, now) {
                        continue;
                    }
                }
                AutoconfStep::Prefer(address) => {
                    self.change_autoconf(address, AddressState::Preferred);
                }
                AutoconfStep::Deprecate(address) => {
                    self.change_autoconf(address, AddressState::Deprecated);
                }
                AutoconfStep::Remove(address) => {
                    self.remove_address(address.into());
                }
            }
            self.interface.on_configuration_changed();
        }
    }

    /// False if the address is there already, given by hand, or finds no room. Then it is none of these.
    fn add_autoconf(&mut self, cidr: Ipv6Cidr, temporary: bool, now: Instant) -> bool {
        let address = cidr.address();
        let is_known = self.address_state(address.into()).is_some();
        let origin = match temporary {
            true => AddressOrigin::Temporary,
            false => AddressOrigin::Autoconfigured,
        };
        let interface = &mut self.interface;
        let (given, care) = ((IpCidr::Ipv6(cidr), origin), interface.care);
        let is_added = !is_known
            && interface
                .add_address_of(given, care, &mut self.random, now)
                .is_ok();
        if !is_added {
            if let Some(autoconf) = &mut interface.ipv6.discovery.autoconf {
                autoconf.forget(address);
            }
            if !is_known {
                self.stats.discard(Discard::TooManyPrefixes);
            }
            return false;
        }
        #[cfg(feature = "multicast")]
        self.services.multicast.changed();
        true
    }

    /// One that is not in use yet, or not any more, stays as it is.
    fn change_autoconf(&mut self, address: Ipv6Addr, state: AddressState) {
        let known = self.address_state(address.into());
        if known.is_some_and(|known| known.is_usable() && !known.is_in_doubt()) {
            self.interface.set_address_state(address.into(), state);
        }
    }
}
