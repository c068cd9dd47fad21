//! What routers say about where packets go: who is a default router, which other prefixes a router leads to,
//! and which are on the link (RFC 4861 section 6.3.4, RFC 4191 section 3).
//!
//! The table of configured routes is another, so that no flood of advertisements takes its room. `engine`
//! tells what it hears, asks for the way to a destination, and says which routers turn out not to answer.

use core::net::Ipv6Addr;

use cygnet_config::{PREFIX_COUNT, ROUTER_COUNT, ROUTER_ROUTE_COUNT};

use super::{Advertisers, PrefixFrom};
use crate::time::{Duration, Instant};
use crate::wire::Ipv6Cidr;

/// The routers of the link, and what they say is behind them and beside them.
#[derive(Clone, Debug, Default)]
pub(crate) struct LearnedRoutes {
    /// The Default Router List (RFC 4861 section 5.1).
    routers: List<ROUTER_COUNT>,
    /// Routes beside those to everywhere (RFC 4191 section 2.3).
    routes: List<ROUTER_ROUTE_COUNT>,
    /// The Prefix List (RFC 4861 section 5.1).
    on_link: List<PREFIX_COUNT>,
    /// Who advertises which prefix, on the link or not.
    advertisers: Advertisers,
}

/// A prefix and who leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct LearnedRoute {
    pub(crate) destination: Ipv6Cidr,
    /// The router; `None` if the prefix is on the link.
    pub(crate) router: Option<Ipv6Addr>,
    /// 1 high, 0 medium, -1 low.
    pub(crate) preference: i8,
    /// When that is over.
    pub(crate) expires: Instant,
    /// The router did not answer of late.
    suspect: Option<Suspicion>,
}

/// How a router is treated that did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
enum Suspicion {
    /// It is left in peace until then.
    Until(Instant),
    /// It is asked as soon as there is something that it would be sent.
    Due,
}

impl LearnedRoute {
    /// The prefix is on the link.
    pub(crate) fn on_link(destination: Ipv6Cidr, expires: Instant) -> Self {
        Self {
            destination: destination.network(),
            router: None,
            preference: 0,
            expires,
            suspect: None,
        }
    }

    /// A router leads there.
    pub(crate) fn through(
        router: Ipv6Addr,
        destination: Ipv6Cidr,
        preference: i8,
        expires: Instant,
    ) -> Self {
        Self {
            router: Some(router),
            preference,
            ..Self::on_link(destination, expires)
        }
    }

    /// RFC 4191 section 3.2: routers that can be reached come before those that cannot, then the longest prefix counts,
    /// and then the preference.
    fn rank(&self) -> (bool, u8, i8) {
        let (prefix_len, preference) = self.rank_if_reachable();
        (self.suspect.is_none(), prefix_len, preference)
    }

    fn rank_if_reachable(&self) -> (u8, i8) {
        (self.destination.prefix_len(), self.preference)
    }
}

/// There is no room for another router, route or prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct LearnedRoutesFull;

impl LearnedRoutes {
    /// Takes a route over from an advertisement, or forgets it if it has expired by now: that is what a
    /// lifetime of zero means. True if that changes where packets go.
    ///
    /// With no room left, what is known stays: a flood of routers and prefixes displaces none that works.
    pub(crate) fn hear(
        &mut self,
        now: Instant,
        route: LearnedRoute,
    ) -> Result<bool, LearnedRoutesFull> {
        match route.router {
            None => self.on_link.hear(now, route),
            // RFC 4191 section 3.1: a route to everywhere is what a default router is.
            Some(_) if route.destination.prefix_len() == 0 => self.routers.hear(now, route),
            Some(_) => self.routes.hear(now, route),
        }
    }

    /// The best route to `destination` for packets from `source`, if that is known; of several that are as good, the
    /// one known for longest.
    ///
    /// RFC 8028: of default routers one that advertises the prefix of the source comes before one that
    /// does not, whichever is preferred.
    pub(crate) fn lookup(
        &self,
        now: Instant,
        destination: Ipv6Addr,
        source: Option<Ipv6Addr>,
    ) -> Option<&LearnedRoute> {
        let rank = |route: &LearnedRoute| {
            let (is_reachable, prefix_len, preference) = route.rank();
            let is_sources = self.advertises(route, source);
            (is_reachable, prefix_len, is_sources, preference)
        };
        self.to(now, destination)
            .reduce(|best, other| match rank(other) > rank(best) {
                true => other,
                false => best,
            })
    }

    fn advertises(&self, route: &LearnedRoute, source: Option<Ipv6Addr>) -> bool {
        match (route.router, source) {
            (Some(router), Some(source)) => {
                self.advertisers.of(source, router) == PrefixFrom::NextHop
            }
            _ => false,
        }
    }

    /// Who advertises the prefix of an address, to somebody who sends through `router`.
    pub(crate) fn prefix_from(&self, address: Ipv6Addr, router: Ipv6Addr) -> PrefixFrom {
        self.advertisers.of(address, router)
    }

    /// A router advertises a prefix. True if that changes where packets go.
    pub(crate) fn hear_prefix(
        &mut self,
        now: Instant,
        router: Ipv6Addr,
        prefix: Ipv6Cidr,
        expires: Instant,
    ) -> bool {
        self.advertisers.hear(now, router, prefix, expires)
    }

    /// The router that takes whatever has no better route.
    pub(crate) fn default_router(&self, now: Instant) -> Option<Ipv6Addr> {
        self.lookup(now, Ipv6Addr::UNSPECIFIED, None)?.router
    }

    /// A packet goes to `destination`. Returns the router that would take it if it answered, when it is time to ask
    /// that again, which counts as done.
    ///
    /// RFC 4191 section 3.5: such a router is to be probed with a single solicitation, at most once a minute, and
    /// never without anything to send to it.
    pub(crate) fn poll_probe(&mut self, now: Instant, destination: Ipv6Addr) -> Option<Ipv6Addr> {
        let best = self.to(now, destination).reduce(|best, other| {
            match other.rank_if_reachable() > best.rank_if_reachable() {
                true => other,
                false => best,
            }
        })?;
        let router = best
            .router
            .filter(|_| best.suspect == Some(Suspicion::Due))?;
        self.suspect(now, router);
        Some(router)
    }

    /// Whether a router did not answer of late.
    pub(crate) fn is_suspect(&self, router: Ipv6Addr) -> bool {
        let mut through = self.iter().filter(|route| route.is_through(router));
        through.any(|route| route.suspect.is_some())
    }

    /// Whether there is a default router.
    pub(crate) fn has_router(&self) -> bool {
        !self.routers.0.is_empty()
    }

    /// The default routers, in no particular order.
    #[cfg(test)]
    pub(crate) fn routers(&self) -> impl Iterator<Item = Ipv6Addr> {
        self.routers.0.iter().filter_map(|route| route.router)
    }

    /// A router does not answer: others are preferred until it does. RFC 4861 section 6.3.6: with no reachable
    /// one, "routers SHOULD be selected in a round-robin fashion", so it goes to the end of the line. True if
    /// that changes where packets go.
    pub(crate) fn on_unreachable(&mut self, now: Instant, router: Ipv6Addr) -> bool {
        let routers = self.routers.move_to_end(router);
        let changed = self.routes.move_to_end(router) || routers;
        self.suspect(now, router);
        changed
    }

    fn suspect(&mut self, now: Instant, router: Ipv6Addr) {
        for route in self.iter_mut().filter(|route| route.is_through(router)) {
            route.suspect = Some(Suspicion::Until(now + PROBE_INTERVAL));
        }
    }

    /// A router answers. True if that changes where packets go.
    pub(crate) fn on_reachable(&mut self, router: Ipv6Addr) -> bool {
        let mut changed = false;
        for route in self.iter_mut().filter(|route| route.is_through(router)) {
            changed |= route.suspect.take().is_some();
        }
        changed
    }

    /// Somebody is no router any more (RFC 4861 section 7.3.3). True if it was one.
    pub(crate) fn forget_router(&mut self, router: Ipv6Addr) -> bool {
        self.advertisers.forget_router(router);
        let routers = self.routers.forget(|route| route.is_through(router));
        self.routes.forget(|route| route.is_through(router)) || routers
    }

    /// Forgets what has expired. True if that was anything, or if a router is to be asked when the next packet would
    /// go to it: whoever sends has to look up its route anew.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> bool {
        let is_over = |route: &LearnedRoute| route.expires <= now;
        let routers = self.routers.forget(is_over);
        let routes = self.routes.forget(is_over);
        let advertisers = self.advertisers.on_timeout(now);
        let mut changed = self.on_link.forget(is_over) || routes || routers || advertisers;
        for route in self.iter_mut() {
            if matches!(route.suspect, Some(Suspicion::Until(end)) if end <= now) {
                route.suspect = Some(Suspicion::Due);
                changed = true;
            }
        }
        changed
    }

    /// When something expires, or a router may be asked again.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let ends = self.iter().map(|route| match route.suspect {
            Some(Suspicion::Until(end)) => end.min(route.expires),
            _ => route.expires,
        });
        ends.chain(self.advertisers.next_deadline()).min()
    }

    /// The routes that lead to `destination`.
    fn to(&self, now: Instant, destination: Ipv6Addr) -> impl Iterator<Item = &LearnedRoute> {
        self.iter()
            .filter(move |route| now < route.expires && route.destination.contains(&destination))
    }

    fn iter(&self) -> impl Iterator<Item = &LearnedRoute> {
        (self.routers.0.iter())
            .chain(&self.routes.0)
            .chain(&self.on_link.0)
    }

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut LearnedRoute> {
        (self.routers.0.iter_mut()).chain(&mut self.routes.0)
    }
}

impl LearnedRoute {
    fn is_through(&self, router: Ipv6Addr) -> bool {
        self.router == Some(router)
    }
}

/// Routes, the one known for longest first.
#[derive(Clone, Debug, Default)]
struct List<const N: usize>(heapless::Vec<LearnedRoute, N>);

impl<const N: usize> List<N> {
    fn hear(&mut self, now: Instant, route: LearnedRoute) -> Result<bool, LearnedRoutesFull> {
        let is_same = |known: &LearnedRoute| {
            known.destination == route.destination && known.router == route.router
        };
        let known = self.0.iter().position(is_same);
        if route.expires <= now {
            if let Some(index) = known {
                self.0.remove(index);
            }
            return Ok(known.is_some());
        }
        match known.and_then(|index| self.0.get_mut(index)) {
            Some(known) => {
                let before = known.rank();
                *known = LearnedRoute {
                    suspect: known.suspect,
                    ..route
                };
                let changed = known.rank() != before;
                Ok(changed)
            }
            None => match self.0.push(route) {
                Ok(()) => Ok(true),
                Err(_) => Err(LearnedRoutesFull),
            },
        }
    }

    fn move_to_end(&mut self, router: Ipv6Addr) -> bool {
        let mut changed = false;
        // Each is looked at once.
        let mut at = 0;
        for _ in 0..self.0.len() {
            match self.0.get(at) {
                Some(route) if route.is_through(router) => {
                    let route = self.0.remove(at);
                    // There is room: it was just removed.
                    let _ = self.0.push(route);
                    changed = true;
                }
                _ => at += 1,
            }
        }
        changed
    }

    fn forget(&mut self, which: impl Fn(&LearnedRoute) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|route| !which(route));
        self.0.len() != before
    }
}

/// RFC 4191 section 3.5: a router is probed once a minute at most.
const PROBE_INTERVAL: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests;
