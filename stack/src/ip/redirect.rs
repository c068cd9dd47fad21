//! Better first hops, as routers tell them (RFC 4861 section 8): the part of the Destination Cache that routes
//! do not say.
//!
//! A redirect to another router holds for the packets that it was about: those from one source to one destination
//! (RFC 8028), as the other router may take none from other prefixes. That a destination is on the link
//! holds for all.
//!
//! `engine` validates a redirect and adds it here, and asks before it looks at routes.

use core::net::Ipv6Addr;

use cygnet_config::REDIRECT_COUNT;

/// The destinations that routers gave another first hop for, the oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redirects<const N: usize = REDIRECT_COUNT> {
    list: heapless::Vec<Redirect, N>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Redirect {
    destination: Ipv6Addr,
    /// Where the packets come from; `None` for anywhere.
    source: Option<Ipv6Addr>,
    /// The first hop; the destination itself if that is on the link.
    target: Ipv6Addr,
}

impl<const N: usize> Redirects<N> {
    /// Packets from `source` to `destination` are to go to `target`. With no room left, the oldest redirect is
    /// forgotten: its packets take the longer way again. True if the way is news.
    pub(crate) fn hear(
        &mut self,
        source: Ipv6Addr,
        destination: Ipv6Addr,
        target: Ipv6Addr,
    ) -> bool {
        let redirect = Redirect {
            destination,
            source: (target != destination).then_some(source),
            target,
        };
        let changed = !self.list.contains(&redirect);
        self.forget(|known| known.is_replaced_by(&redirect));
        if self.list.is_full() {
            self.list.remove(0);
        }
        // There is room now.
        let _ = self.list.push(redirect);
        changed
    }

    /// The first hop to `destination`, if there is another than routes say. `source` is where the packets come from.
    pub(crate) fn lookup(
        &self,
        destination: Ipv6Addr,
        source: impl Fn() -> Option<Ipv6Addr>,
    ) -> Option<Ipv6Addr> {
        let holds = |known: &&Redirect| {
            known.destination == destination && (known.source.is_none() || known.source == source())
        };
        Some(self.list.iter().find(holds)?.target)
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

impl Redirect {
    fn is_replaced_by(&self, new: &Self) -> bool {
        let is_for_all = self.source.is_none() || new.source.is_none();
        self.destination == new.destination && (is_for_all || self.source == new.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
    const OURS_TOO: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1);

    impl<const N: usize> Redirects<N> {
        fn to(&self, destination: Ipv6Addr) -> Option<Ipv6Addr> {
            self.lookup(destination, || Some(OURS))
        }
    }

    fn ip(n: u16) -> Ipv6Addr {
        Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, n)
    }

    #[test]
    fn a_redirect_holds_until_its_first_hop_fails() {
        let mut redirects = Redirects::<2>::default();
        assert!(redirects.hear(OURS, ip(1), ip(7)));
        assert!(!redirects.hear(OURS, ip(1), ip(7)));
        assert!(redirects.hear(OURS, ip(1), ip(8)));
        assert_eq!(redirects.to(ip(1)), Some(ip(8)));
        assert!(!redirects.forget_target(ip(7)));
        assert!(redirects.forget_target(ip(8)));
        assert_eq!(redirects.to(ip(1)), None);
    }

    #[test]
    fn rfc8028_a_redirect_off_the_link_holds_for_one_source() {
        let mut redirects = Redirects::<3>::default();
        redirects.hear(OURS, ip(1), ip(7));
        let from_ours_too = |redirects: &Redirects<3>| redirects.lookup(ip(1), || Some(OURS_TOO));
        assert_eq!(from_ours_too(&redirects), None);
        redirects.hear(OURS_TOO, ip(1), ip(8));
        assert_eq!(redirects.to(ip(1)), Some(ip(7)));
        assert_eq!(from_ours_too(&redirects), Some(ip(8)));
        // It is on the link, so for everybody.
        redirects.hear(OURS, ip(1), ip(1));
        assert_eq!(redirects.to(ip(1)), Some(ip(1)));
        assert_eq!(from_ours_too(&redirects), Some(ip(1)));
        redirects.hear(OURS, ip(1), ip(7));
        assert_eq!(redirects.to(ip(1)), Some(ip(7)));
        assert_eq!(from_ours_too(&redirects), None);
    }

    #[test]
    fn rfc4861_who_is_no_router_any_more_is_still_a_neighbor() {
        let mut redirects = Redirects::<2>::default();
        redirects.hear(OURS, ip(1), ip(7));
        redirects.hear(OURS, ip(7), ip(7));
        assert!(redirects.forget_router(ip(7)) && !redirects.forget_router(ip(7)));
        assert_eq!(redirects.to(ip(1)), None);
        assert_eq!(redirects.to(ip(7)), Some(ip(7)));
    }

    #[test]
    fn a_flood_takes_the_place_of_the_oldest() {
        let mut redirects = Redirects::<2>::default();
        for n in 1..=9 {
            redirects.hear(OURS, ip(n), ip(100));
        }
        let left = (1..=9).filter(|&n| redirects.to(ip(n)).is_some());
        assert_eq!(left.count(), 2);
        assert!(redirects.to(ip(9)).is_some());
    }
}
