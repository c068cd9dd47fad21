//! What routers say about where packets go: who is a default router, which other prefixes a router leads to,
//! and which are on the link (RFC 4861 section 6.3.4, RFC 4191 section 3).
//!
//! The table of configured routes is another, so that no flood of advertisements takes its room. `engine`
//! tells what it hears, asks for the way to a destination, and says which routers turn out not to answer.

use core::net::Ipv6Addr;

use cygnet_config::{PREFIX_COUNT, ROUTER_COUNT, ROUTER_ROUTE_COUNT};

use crate::time::Instant;
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
    suspect: bool,
}

impl LearnedRoute {
    /// The prefix is on the link.
    pub(crate) fn on_link(destination: Ipv6Cidr, expires: Instant) -> Self {
        Self {
            destination: destination.network(),
            router: None,
            preference: 0,
            expires,
            suspect: false,
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

    /// RFC 4191 section 3.2: "the host first prefers reachable routers over non-reachable routers, second uses
    /// the longest-matching-prefix rule, and third uses route preference values".
    fn rank(&self) -> (bool, u8, i8) {
        (
            !self.suspect,
            self.destination.prefix_len(),
            self.preference,
        )
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

    /// The best route to `destination`; of several that are as good, the one known for longest.
    pub(crate) fn lookup(&self, now: Instant, destination: Ipv6Addr) -> Option<&LearnedRoute> {
        self.iter()
            .filter(|route| now < route.expires && route.destination.contains(&destination))
            .reduce(|best, other| match other.rank() > best.rank() {
                true => other,
                false => best,
            })
    }

    /// The router that takes whatever has no better route.
    pub(crate) fn default_router(&self, now: Instant) -> Option<Ipv6Addr> {
        self.lookup(now, Ipv6Addr::UNSPECIFIED)?.router
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
    pub(crate) fn on_unreachable(&mut self, router: Ipv6Addr) -> bool {
        let routers = self.routers.on_unreachable(router);
        self.routes.on_unreachable(router) || routers
    }

    /// A router answers. True if that changes where packets go.
    pub(crate) fn on_reachable(&mut self, router: Ipv6Addr) -> bool {
        let mut changed = false;
        for route in self.iter_mut().filter(|route| route.is_through(router)) {
            changed |= core::mem::take(&mut route.suspect);
        }
        changed
    }

    /// Somebody is no router any more (RFC 4861 section 7.3.3). True if it was one.
    pub(crate) fn forget_router(&mut self, router: Ipv6Addr) -> bool {
        let routers = self.routers.forget(|route| route.is_through(router));
        self.routes.forget(|route| route.is_through(router)) || routers
    }

    /// Forgets what has expired. True if that was anything.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> bool {
        let is_over = |route: &LearnedRoute| route.expires <= now;
        let routers = self.routers.forget(is_over);
        let routes = self.routes.forget(is_over);
        self.on_link.forget(is_over) || routes || routers
    }

    /// When something expires.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.iter().map(|route| route.expires).min()
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
                let changed = known.rank() != route.rank();
                *known = route;
                Ok(changed)
            }
            None => match self.0.push(route) {
                Ok(()) => Ok(true),
                Err(_) => Err(LearnedRoutesFull),
            },
        }
    }

    fn on_unreachable(&mut self, router: Ipv6Addr) -> bool {
        let mut changed = false;
        // Each is looked at once.
        let mut at = 0;
        for _ in 0..self.0.len() {
            match self.0.get(at) {
                Some(route) if route.is_through(router) => {
                    let mut route = self.0.remove(at);
                    route.suspect = true;
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

#[cfg(test)]
mod tests;
