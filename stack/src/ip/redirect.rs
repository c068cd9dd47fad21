//! Better first hops, as routers tell them (RFC 4861 section 8): the part of the Destination Cache that routes
//! do not say.
//!
//! `engine` validates a redirect and adds it here, and asks before it looks at routes.

use core::net::Ipv6Addr;

use cygnet_config::REDIRECT_COUNT;

/// The destinations that routers gave another first hop for, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redirects<const N: usize = REDIRECT_COUNT> {
    list: heapless::Vec<Redirect, N>,
}

#[derive(Clone, Copy, Debug)]
struct Redirect {
    destination: Ipv6Addr,
    /// The first hop; the destination itself if that is on the link.
    target: Ipv6Addr,
}

impl<const N: usize> Redirects<N> {
    /// Packets to `destination` are to go to `target`. With no room left, the oldest redirect is forgotten:
    /// its packets take the longer way again. True if the way is news.
    pub(crate) fn hear(&mut self, destination: Ipv6Addr, target: Ipv6Addr) -> bool {
        let changed = self.lookup(destination) != Some(target);
        self.forget(|known| known.destination == destination);
        if self.list.is_full() {
            self.list.remove(0);
        }
        // There is room now.
        let _ = self.list.push(Redirect {
            destination,
            target,
        });
        changed
    }

    /// The first hop to `destination`, if there is another than routes say.
    pub(crate) fn lookup(&self, destination: Ipv6Addr) -> Option<Ipv6Addr> {
        let known = self
            .list
            .iter()
            .find(|known| known.destination == destination)?;
        Some(known.target)
    }

    /// A first hop does not answer. True if packets went there.
    pub(crate) fn forget_target(&mut self, target: Ipv6Addr) -> bool {
        self.forget(|known| known.target == target)
    }

    /// A neighbor is no router any more. True if packets for others went there (RFC 4861 section 7.3.3).
    pub(crate) fn forget_router(&mut self, router: Ipv6Addr) -> bool {
        self.forget(|known| known.target == router && known.destination != router)
    }

    fn forget(&mut self, which: impl Fn(&Redirect) -> bool) -> bool {
        let before = self.list.len();
        self.list.retain(|known| !which(known));
        self.list.len() != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(n: u16) -> Ipv6Addr {
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, n)
    }

    #[test]
    fn a_redirect_holds_until_its_first_hop_fails() {
        let mut redirects = Redirects::<2>::default();
        assert!(redirects.hear(ip(1), ip(7)));
        assert!(!redirects.hear(ip(1), ip(7)));
        assert!(redirects.hear(ip(1), ip(8)));
        assert_eq!(redirects.lookup(ip(1)), Some(ip(8)));
        assert!(!redirects.forget_target(ip(7)));
        assert!(redirects.forget_target(ip(8)));
        assert_eq!(redirects.lookup(ip(1)), None);
    }

    #[test]
    fn rfc4861_who_is_no_router_any_more_is_still_a_neighbor() {
        let mut redirects = Redirects::<2>::default();
        redirects.hear(ip(1), ip(7));
        redirects.hear(ip(7), ip(7));
        assert!(redirects.forget_router(ip(7)) && !redirects.forget_router(ip(7)));
        assert_eq!(redirects.lookup(ip(1)), None);
        assert_eq!(redirects.lookup(ip(7)), Some(ip(7)));
    }

    #[test]
    fn a_flood_takes_the_place_of_the_oldest() {
        let mut redirects = Redirects::<2>::default();
        for n in 1..=9 {
            redirects.hear(ip(n), ip(100));
        }
        let left = (1..=9).filter(|&n| redirects.lookup(ip(n)).is_some());
        assert_eq!(left.count(), 2);
        assert!(redirects.lookup(ip(9)).is_some());
    }
}
