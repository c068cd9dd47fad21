//! Router discovery (RFC 4861, section 6.3), redirects (section 8), and what follows from the advertisements:
//! routes, the link's parameters, addresses (RFC 4862, section 5.5) and name servers (RFC 8106).
//!
//! The tables are `ip`'s. This file hears the messages, puts what they say into effect, and asks for routers:
//!
//! - [`routes`]: where packets go, and from where;
//! - [`autoconf`]: what becomes of addresses.

mod autoconf;
mod routes;

use core::net::Ipv6Addr;

use super::super::Engine;
use super::super::config::{SlaacConfig, StaticConfigV6};
use super::super::outgoing::DEFAULT_HOP_LIMIT;
use super::super::received::Handled;
use super::{INTERFACE, Interface};
use crate::ip::{
    AddressState, AnnouncedNames, Autoconf, LearnedRoute, LearnedRoutes, Lifetimes, Redirects,
    RouterSolicitor,
};
use crate::rand::Random;
use crate::stats::Discard;
use crate::time::{Duration, Instant};
use crate::wire::ndisc::{NdiscOption, PrefixInformation, RouterAdvertisement};
use crate::wire::{IpAddress, Ipv6Cidr, NdiscOptions, ipv6};

/// What routers said, and the search for them.
#[derive(Default)]
pub(super) struct Discovery {
    routes: LearnedRoutes,
    redirects: Redirects,
    solicitor: RouterSolicitor,
    /// None while routers are not listened to.
    autoconf: Option<Autoconf>,
    names: AnnouncedNames,
    flags: RouterFlags,
    /// What the link takes, as far as routers say less.
    mtu: Option<u16>,
    /// CurHopLimit.
    hop_limit: Option<u8>,
    /// A router that is to be asked whether it answers again.
    probe: Option<Ipv6Addr>,
}

/// What routers say is to be had by DHCPv6 (RFC 4861, section 4.2): as the last advertisement had it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RouterFlags {
    /// Addresses, and all else.
    pub managed: bool,
    /// All but addresses, such as name servers.
    pub other: bool,
}

// What the interface asks.
impl Interface {
    /// The longest packet of IPv6 in bytes that the link takes.
    pub(super) fn mtu_v6(&self) -> usize {
        let told = self.ipv6.discovery.mtu;
        told.map_or(self.link_mtu, |mtu| mtu.min(self.link_mtu))
            .into()
    }

    /// The hop limit of packets to a destination whose sender has chosen none: CurHopLimit, where a router said
    /// one.
    #[inline]
    pub(in crate::engine) fn hop_limit(&self, destination: IpAddress) -> u8 {
        match (destination, self.ipv6.discovery.hop_limit) {
            (IpAddress::Ipv6(_), Some(told)) => told,
            _ => DEFAULT_HOP_LIMIT,
        }
    }

    /// The servers to ask for names that routers told of.
    pub(super) fn announced_servers(&self) -> impl Iterator<Item = Ipv6Addr> {
        self.ipv6.discovery.names.servers()
    }

    /// The `nth` domain to look for names in that routers told of.
    pub(in crate::engine) fn announced_domain(&self, nth: usize) -> Option<crate::wire::dns::Name> {
        self.ipv6.discovery.names.domain(nth)
    }

    /// The configuration that routers gave: the first address that may be used, and what goes with it.
    pub(super) fn discovered_config(&self, now: Instant) -> Option<StaticConfigV6> {
        let discovery = &self.ipv6.discovery;
        let rank = |cidr: &Ipv6Cidr| match self.addresses.state(INTERFACE, cidr.address().into())? {
            AddressState::Preferred => Some(1),
            AddressState::Deprecated | AddressState::Optimistic => Some(0),
            AddressState::Tentative | AddressState::Duplicate => None,
        };
        let cidrs = discovery.autoconf.iter().flat_map(Autoconf::iter);
        let (_, address) = cidrs
            .filter_map(|(cidr, _)| Some((rank(&cidr)?, cidr)))
            .reduce(|best, other| if other.0 > best.0 { other } else { best })?;
        let mut config = StaticConfigV6::new(address);
        config.gateway = discovery.routes.default_router(now);
        config.dns_servers.extend(discovery.names.servers());
        Some(config)
    }
}

// What the interface tells.
impl Interface {
    pub(super) fn start_discovery(
        &mut self,
        config: &SlaacConfig,
        random: &mut Random,
        now: Instant,
    ) {
        if !self.has_neighbors() {
            return;
        }
        let autoconf = Autoconf::new(self.identity(), config.temporary_addresses);
        self.ipv6.discovery.autoconf = Some(autoconf);
        if self.link_up {
            self.ipv6.discovery.solicitor.start(now, random);
        }
    }

    /// Forgets all that came from routers.
    pub(super) fn stop_discovery(&mut self) {
        let discovery = core::mem::take(&mut self.ipv6.discovery);
        for (cidr, _) in discovery.autoconf.iter().flat_map(Autoconf::iter) {
            self.remove_address(cidr.address().into());
        }
        self.reset_ndp_timing();
        self.on_routes_changed();
    }

    pub(super) fn discovery_deadline(&self) -> Option<Instant> {
        let discovery = &self.ipv6.discovery;
        let autoconf = discovery.autoconf.as_ref();
        let deadlines = [
            discovery.routes.next_deadline(),
            discovery.solicitor.next_deadline(),
            autoconf.and_then(Autoconf::next_deadline),
            discovery.names.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    fn reset_ndp_timing(&mut self) {
        let timing = self.ethernet.neighbors.ndp_timing_mut();
        timing.reset();
    }

    fn on_configuration_changed(&mut self) {
        self.changes = self.changes.wrapping_add(1);
        self.on_routes_changed();
    }
}

// Messages in.
impl Engine<'_> {
    /// A router advertisement, of which section 6.1.2 asks that it come from a link-local address.
    pub(super) fn on_router_advertisement(
        &mut self,
        src: Ipv6Addr,
        router: RouterAdvertisement,
        options: NdiscOptions<'_>,
        now: Instant,
    ) -> Handled {
        if !src.is_unicast_link_local() {
            return Err(Discard::InvalidNeighborMessage);
        }
        if self.interface.ipv6.discovery.autoconf.is_none() {
            return Err(Discard::UnknownIcmp);
        }
        self.on_link_address(src, options.source_link_address(), now);
        self.on_router(src, router, options, now);
        self.on_link_parameters(router);
        for option in options {
            match option {
                NdiscOption::Prefix(prefix) => self.on_prefix(src, prefix, now),
                NdiscOption::Route(route) => {
                    let expires = until(now, route.lifetime);
                    let (destination, preference) = (route.prefix, route.preference);
                    self.learn_route(
                        LearnedRoute::through(src, destination, preference, expires),
                        now,
                    );
                }
                NdiscOption::Mtu(told) => self.on_mtu(told.mtu),
                NdiscOption::RecursiveDns(dns) => {
                    let names = &mut self.interface.ipv6.discovery.names;
                    if names.hear_servers(now, dns.servers(), until(now, dns.lifetime)) {
                        self.on_names_changed();
                    }
                }
                NdiscOption::SearchList(list) => {
                    let names = &mut self.interface.ipv6.discovery.names;
                    if names.hear_domains(now, list.domains(), until(now, list.lifetime)) {
                        self.on_names_changed();
                    }
                }
                NdiscOption::SourceLinkAddress(_)
                | NdiscOption::TargetLinkAddress(_)
                | NdiscOption::RedirectedHeader(_)
                | NdiscOption::Nonce(_)
                | NdiscOption::Other { .. } => {}
            }
        }
        self.step_autoconf(now);
        Ok(())
    }

    /// The router itself (section 6.3.4), and what it says about DHCPv6.
    fn on_router(
        &mut self,
        src: Ipv6Addr,
        router: RouterAdvertisement,
        options: NdiscOptions<'_>,
        now: Instant,
    ) {
        // RFC 4191, section 3.1: what a route to everywhere says overrides "the preference and lifetime values in the
        // Router Advertisement header".
        let to_everywhere = |option| match option {
            NdiscOption::Route(route) if route.prefix.prefix_len() == 0 => Some(route),
            _ => None,
        };
        let (preference, expires) = match options.into_iter().filter_map(to_everywhere).last() {
            Some(route) => (route.preference, until(now, route.lifetime)),
            None => (
                router.preference(),
                now + Duration::from_secs(router.lifetime.into()),
            ),
        };
        let route = LearnedRoute::through(src, EVERYWHERE, preference, expires);
        let discovery = &mut self.interface.ipv6.discovery;
        let is_back = discovery.routes.on_reachable(src);
        if router.lifetime > 0 {
            // RFC 7559, section 2.1: until "an RA with a non-zero Router Lifetime" comes.
            discovery.solicitor.stop();
        }
        let flags = RouterFlags {
            managed: router.managed(),
            other: router.other(),
        };
        let changed = core::mem::replace(&mut discovery.flags, flags) != flags;
        let had_router = discovery.routes.has_router();
        self.learn_route(route, now);
        if had_router {
            self.search_again(now);
        }
        if changed || is_back {
            self.interface.on_configuration_changed();
        }
        if changed {
            self.services_router_flags_changed(flags);
        }
    }

    /// Section 6.3.4: each of them is as the last router said that had something to say. What would keep a host
    /// from its neighbors is no sensible value.
    fn on_link_parameters(&mut self, router: RouterAdvertisement) {
        let interface = &mut self.interface;
        if router.hop_limit > 0 {
            interface.ipv6.discovery.hop_limit = Some(router.hop_limit);
        }
        let timing = interface.ethernet.neighbors.ndp_timing_mut();
        let millis = |millis: u32| Duration::from_millis(millis.into());
        if (1..=MAX_REACHABLE_TIME).contains(&router.reachable_time) {
            let random = self.random.next_u32();
            timing.set_reachable_time(millis(router.reachable_time), random);
        }
        if RETRANS_TIMERS.contains(&router.retrans_timer) {
            timing.set_retrans_timer(millis(router.retrans_timer));
        }
    }

    /// "If the MTU option is present, hosts SHOULD copy the option's value into LinkMTU so long as the value is
    /// greater than or equal to the minimum link MTU \[IPv6\] and does not exceed the maximum LinkMTU value".
    fn on_mtu(&mut self, told: u32) {
        let interface = &mut self.interface;
        let Ok(mtu) = u16::try_from(told) else {
            return;
        };
        let is_sensible = mtu >= ipv6::MIN_MTU && mtu <= interface.link_mtu;
        if is_sensible && interface.ipv6.discovery.mtu.replace(mtu) != Some(mtu) {
            interface.on_configuration_changed();
        }
    }

    /// Section 6.3.4 for the on-link flag, and RFC 4862, section 5.5.3 for the autonomous one.
    fn on_prefix(&mut self, router: Ipv6Addr, told: PrefixInformation, now: Instant) {
        let address = told.prefix.network().address();
        if address.is_unicast_link_local() || address.is_multicast() {
            return;
        }
        let lifetimes = Lifetimes {
            preferred: until(now, told.preferred_lifetime),
            valid: until(now, told.valid_lifetime),
        };
        let expires = lifetimes.valid;
        let routes = &mut self.interface.ipv6.discovery.routes;
        if routes.hear_prefix(now, router, told.prefix, expires) {
            self.interface.on_routes_changed();
        }
        if told.on_link {
            self.learn_route(LearnedRoute::on_link(told.prefix, lifetimes.valid), now);
        }
        let autoconf = self.interface.ipv6.discovery.autoconf.as_mut();
        if let Some(autoconf) = autoconf.filter(|_| told.autonomous) {
            let heard = autoconf.on_prefix(now, told.prefix, lifetimes, &mut self.random);
            if heard.is_err() {
                self.stats.discard(Discard::TooManyPrefixes);
            }
        }
    }

    fn learn_route(&mut self, route: LearnedRoute, now: Instant) {
        match self.interface.ipv6.discovery.routes.hear(now, route) {
            Ok(false) => {}
            Ok(true) => self.interface.on_configuration_changed(),
            Err(_) => self.stats.discard(match route.router {
                Some(_) => Discard::TooManyRouters,
                None => Discard::TooManyPrefixes,
            }),
        }
    }

    fn on_names_changed(&mut self) {
        #[cfg(feature = "socket-dns")]
        self.dns_forget();
        self.interface.changes = self.interface.changes.wrapping_add(1);
    }
}

// What is due.
impl Engine<'_> {
    pub(super) fn discovery_link_changed(&mut self, up: bool, now: Instant) {
        let discovery = &mut self.interface.ipv6.discovery;
        let Some(autoconf) = &mut discovery.autoconf else {
            return;
        };
        if up {
            discovery.solicitor.start(now, &mut self.random);
            return;
        }
        // Another link may come next: what was said of this one does not hold there.
        discovery.solicitor.stop();
        discovery.routes = LearnedRoutes::default();
        discovery.redirects = Redirects::default();
        discovery.probe = None;
        discovery.mtu = None;
        discovery.hop_limit = None;
        autoconf.on_link_down(now);
        self.interface.reset_ndp_timing();
        self.interface.on_routes_changed();
        self.step_autoconf(now);
    }

    pub(super) fn on_discovery_timeout(&mut self, now: Instant) {
        if self
            .interface
            .discovery_deadline()
            .is_none_or(|at| now < at)
        {
            return;
        }
        let discovery = &mut self.interface.ipv6.discovery;
        let had_router = discovery.routes.has_router();
        let routes = discovery.routes.on_timeout(now);
        if discovery.names.on_timeout(now) {
            self.on_names_changed();
        }
        if routes {
            self.interface.on_configuration_changed();
        }
        if had_router {
            self.search_again(now);
        }
        self.step_autoconf(now);
    }

    /// Asks for routers when the last one is gone.
    fn search_again(&mut self, now: Instant) {
        let discovery = &mut self.interface.ipv6.discovery;
        if !discovery.routes.has_router() && self.interface.link_up {
            discovery.solicitor.start(now, &mut self.random);
        }
    }

    /// What routers say is to be had by DHCPv6.
    pub(crate) fn router_flags(&self) -> RouterFlags {
        self.interface.ipv6.discovery.flags
    }
}

/// When a lifetime in seconds ends that begins now; `u32::MAX` is for ever.
fn until(now: Instant, lifetime: u32) -> Instant {
    match lifetime {
        u32::MAX => Instant::FAR_FUTURE,
        _ => now + Duration::from_secs(lifetime.into()),
    }
}

/// Where everything goes that has no better route.
const EVERYWHERE: Ipv6Cidr = Ipv6Cidr::new(Ipv6Addr::UNSPECIFIED, 0);

/// AdvReachableTime "MUST be no greater than 3,600,000 milliseconds" (section 6.2.1).
const MAX_REACHABLE_TIME: u32 = 3_600_000;
/// In milliseconds. Shorter ones would flood the link, longer ones keep addresses from being found unique.
const RETRANS_TIMERS: core::ops::RangeInclusive<u32> = 100..=60_000;
