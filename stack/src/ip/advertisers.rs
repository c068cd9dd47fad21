//! Which router advertises which prefix: where there are several of both, a router may pass on only packets from
//! prefixes of its own (RFC 8028).
//!
//! [`LearnedRoutes`](super::LearnedRoutes) has this, and `engine` asks it for the source of packets to a next hop
//! and for the next hop of packets from a source.

use core::net::Ipv6Addr;

use cygnet_config::PREFIX_COUNT;

use super::PrefixFrom;
use crate::time::Instant;
use crate::wire::Ipv6Cidr;

/// Prefixes, each with a router that advertises it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Advertisers(heapless::Vec<Advertiser, ADVERTISER_COUNT>);

#[derive(Clone, Copy, Debug)]
struct Advertiser {
    prefix: Ipv6Cidr,
    router: Ipv6Addr,
    /// When the prefix is no prefix any more.
    expires: Instant,
}

impl Advertisers {
    /// A router advertises a prefix until then, which a lifetime of zero ends at once. With no room left, what is
    /// known stays. True if anything changes but the end.
    pub(crate) fn hear(
        &mut self,
        now: Instant,
        router: Ipv6Addr,
        prefix: Ipv6Cidr,
        expires: Instant,
    ) -> bool {
        let prefix = prefix.network();
        let is_same = |known: &Advertiser| known.prefix == prefix && known.router == router;
        let known = self.0.iter().position(is_same);
        if expires <= now {
            if let Some(index) = known {
                self.0.swap_remove(index);
            }
            return known.is_some();
        }
        match known.and_then(|index| self.0.get_mut(index)) {
            Some(known) => {
                known.expires = expires;
                false
            }
            None => {
                let advertiser = Advertiser {
                    prefix,
                    router,
                    expires,
                };
                self.0.push(advertiser).is_ok()
            }
        }
    }

    /// Who advertises the prefix of an address, to somebody who sends through `router`.
    pub(crate) fn of(&self, address: Ipv6Addr, router: Ipv6Addr) -> PrefixFrom {
        let mut others = false;
        for known in self.0.iter().filter(|a| a.prefix.contains(&address)) {
            if known.router == router {
                return PrefixFrom::NextHop;
            }
            others = true;
        }
        match others {
            true => PrefixFrom::AnotherRouter,
            false => PrefixFrom::Nobody,
        }
    }

    /// Somebody is no router any more.
    pub(crate) fn forget_router(&mut self, router: Ipv6Addr) {
        self.0.retain(|known| known.router != router);
    }

    /// Forgets what has expired. True if that was anything.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> bool {
        let before = self.0.len();
        self.0.retain(|known| now < known.expires);
        self.0.len() != before
    }

    /// When something expires.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.0.iter().map(|known| known.expires).min()
    }
}

/// Each prefix may have two routers.
const ADVERTISER_COUNT: usize = 2 * PREFIX_COUNT;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Duration;

    const START: Instant = Instant::from_secs(100);

    fn at(secs: u64) -> Instant {
        START + Duration::from_secs(secs)
    }

    fn router(n: u16) -> Ipv6Addr {
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, n)
    }

    fn prefix(n: u16) -> Ipv6Cidr {
        Ipv6Cidr::new(Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 0), 64)
    }

    fn address(n: u16) -> Ipv6Addr {
        Ipv6Addr::new(0x2001, 0xdb8, n, 0, 0, 0, 0, 9)
    }

    #[test]
    fn a_prefix_is_that_of_the_routers_that_advertise_it() {
        let mut advertisers = Advertisers::default();
        assert!(advertisers.hear(START, router(1), prefix(1), at(60)));
        assert!(!advertisers.hear(START, router(1), prefix(1), at(90)));
        assert_eq!(advertisers.of(address(1), router(1)), PrefixFrom::NextHop);
        assert_eq!(
            advertisers.of(address(1), router(2)),
            PrefixFrom::AnotherRouter
        );
        assert_eq!(advertisers.of(address(2), router(1)), PrefixFrom::Nobody);
        assert!(advertisers.hear(START, router(2), prefix(1), at(60)));
        assert_eq!(advertisers.of(address(1), router(2)), PrefixFrom::NextHop);
        assert_eq!(advertisers.next_deadline(), Some(at(60)));
        assert!(advertisers.on_timeout(at(60)) && !advertisers.on_timeout(at(60)));
        assert!(advertisers.hear(at(60), router(1), prefix(1), at(60)));
        assert_eq!(advertisers.of(address(1), router(1)), PrefixFrom::Nobody);
    }

    #[test]
    fn who_is_no_router_any_more_advertises_nothing() {
        let mut advertisers = Advertisers::default();
        advertisers.hear(START, router(1), prefix(1), at(60));
        advertisers.forget_router(router(1));
        assert_eq!(advertisers.of(address(1), router(2)), PrefixFrom::Nobody);
    }

    #[test]
    fn a_flood_displaces_nothing_that_is_known() {
        let mut advertisers = Advertisers::default();
        let taken = (0..100).filter(|&n| advertisers.hear(START, router(n), prefix(n), at(60)));
        assert_eq!(taken.count(), ADVERTISER_COUNT);
        assert_eq!(advertisers.of(address(0), router(0)), PrefixFrom::NextHop);
    }
}
