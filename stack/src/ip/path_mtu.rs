//! What routers reported about how long packets to a destination may be: path MTU discovery (RFC 1191,
//! RFC 8201).
//!
//! `engine` tells a report once it is sure that it is about a packet of ours (RFC 5927, section 7), and
//! asks whenever it routes anew. A report is forgotten after ten minutes, because the path may have become
//! wider and nobody says so.

use cygnet_config::PATH_MTU_COUNT;

use super::InterfaceId;
use crate::time::{Duration, Instant};
use crate::wire::IpAddress;

/// The path MTUs that are narrower than the link, at most `N`. When all are taken, the one that was asked
/// for longest ago makes room.
#[derive(Clone, Debug)]
pub(crate) struct PathMtuCache<const N: usize = PATH_MTU_COUNT> {
    /// The one asked for last is at the end.
    entries: heapless::Vec<Entry, N>,
    /// When the first of them is forgotten.
    due: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    interface: InterfaceId,
    destination: IpAddress,
    mtu: u16,
    expires: Instant,
}

impl<const N: usize> PathMtuCache<N> {
    /// Nothing is known.
    pub(crate) const fn new() -> Self {
        Self {
            entries: heapless::Vec::new(),
            due: Instant::FAR_FUTURE,
        }
    }

    /// A router reported that packets to `destination` longer than `mtu` bytes do not pass. What is narrower
    /// than [`min_path_mtu`] counts as that.
    #[cfg_attr(
        not(any(feature = "socket-tcp", feature = "proto-ipv6")),
        expect(
            dead_code,
            reason = "reports about UDP: none, its packets may be fragmented"
        )
    )]
    pub(crate) fn on_report(
        &mut self,
        now: Instant,
        interface: InterfaceId,
        destination: IpAddress,
        mtu: u16,
    ) {
        if let Some(known) = self.position(interface, destination) {
            self.entries.remove(known);
        } else if self.entries.is_full() {
            self.entries.remove(0);
        }
        let entry = Entry {
            interface,
            destination,
            mtu: mtu.max(min_path_mtu(destination)),
            expires: now + LIFETIME,
        };
        // There is room: an entry was removed if there was none.
        let _ = self.entries.push(entry);
        self.refresh_due();
    }

    /// How long packets to `destination` may be, if that is less than the link takes.
    pub(crate) fn lookup(&mut self, interface: InterfaceId, destination: IpAddress) -> Option<u16> {
        let known = self.position(interface, destination)?;
        self.entries.get_mut(known..)?.rotate_left(1);
        self.entries.last().map(|entry| entry.mtu)
    }

    /// As [`Self::lookup`], for who only wants to know.
    pub(crate) fn peek(&self, interface: InterfaceId, destination: IpAddress) -> Option<u16> {
        let known = self.position(interface, destination)?;
        self.entries.get(known).map(|entry| entry.mtu)
    }

    /// Forgets what has had its time; true if there was any.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> bool {
        if now < self.due {
            return false;
        }
        self.entries.retain(|entry| now < entry.expires);
        self.refresh_due();
        true
    }

    /// When [`Self::on_timeout`] is to be called.
    pub(crate) fn next_deadline(&self) -> Instant {
        self.due
    }

    fn position(&self, interface: InterfaceId, destination: IpAddress) -> Option<usize> {
        self.entries
            .iter()
            .position(|e| e.destination == destination && e.interface == interface)
    }

    fn refresh_due(&mut self) {
        let due = self.entries.iter().map(|entry| entry.expires).min();
        self.due = due.unwrap_or(Instant::FAR_FUTURE);
    }
}

/// Packets that are too long for a path are not fragmented on it: their senders hear of it.
pub(crate) const DISCOVERS_PATH_MTU: bool = true;

/// What a router that does not say how much fits (RFC 1191, section 5) most likely means, for a packet of
/// `len` bytes: the next lower value that is common (section 7.1).
pub(crate) fn plateau_below(len: u16) -> u16 {
    PLATEAUS
        .into_iter()
        .find(|&plateau| plateau < len)
        .unwrap_or(MIN_PATH_MTU)
}

/// RFC 1191, section 7.1, table 7-1, with what tunnels leave of an Ethernet.
const PLATEAUS: [u16; 9] = [
    32_000, 17_914, 8_166, 4_352, 2_002, 1_492, 1_400, 1_006, 576,
];

/// The least that a path to `destination` is believed to take, in bytes.
pub(crate) fn min_path_mtu(destination: IpAddress) -> u16 {
    match destination {
        IpAddress::Ipv4(_) => MIN_PATH_MTU,
        // RFC 8201, section 4: "A node MUST NOT reduce its estimate of the Path MTU below the IPv6 minimum
        // link MTU."
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(_) => crate::wire::ipv6::MIN_MTU,
    }
}

/// As Linux: no path of today is narrower, and whoever claims so may want us to send many small packets. A
/// packet of this length goes without "don't fragment" along a path that is said to be narrower.
const MIN_PATH_MTU: u16 = 552;

/// RFC 1191, section 6.3: "The recommended setting for this timeout is twice [...] (10 minutes)".
const LIFETIME: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    const LINK: InterfaceId = InterfaceId(0);

    fn host(n: u8) -> IpAddress {
        IpAddress::Ipv4(Ipv4Addr::new(192, 0, 2, n))
    }

    #[test]
    fn a_report_is_kept_for_ten_minutes() {
        let mut cache = PathMtuCache::<2>::new();
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
        cache.on_report(Instant::from_secs(1), LINK, host(1), 1_400);
        assert_eq!(cache.lookup(LINK, host(1)), Some(1_400));
        assert_eq!(cache.lookup(LINK, host(2)), None);
        assert_eq!(cache.next_deadline(), Instant::from_secs(601));
        assert!(!cache.on_timeout(Instant::from_secs(600)));
        assert!(cache.on_timeout(Instant::from_secs(601)));
        assert_eq!(cache.peek(LINK, host(1)), None);
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
    }

    #[test]
    fn a_new_report_replaces_the_old_one_and_lasts_as_long() {
        let mut cache = PathMtuCache::<2>::new();
        cache.on_report(Instant::from_secs(0), LINK, host(1), 1_400);
        cache.on_report(Instant::from_secs(100), LINK, host(1), 1_300);
        cache.on_timeout(Instant::from_secs(650));
        assert_eq!(cache.peek(LINK, host(1)), Some(1_300));
    }

    #[test]
    fn the_destination_asked_for_longest_ago_makes_room() {
        let mut cache = PathMtuCache::<2>::new();
        cache.on_report(Instant::ZERO, LINK, host(1), 1_400);
        cache.on_report(Instant::ZERO, LINK, host(2), 1_400);
        cache.lookup(LINK, host(1));
        cache.on_report(Instant::ZERO, LINK, host(3), 1_400);
        assert_eq!(cache.peek(LINK, host(2)), None);
        assert!(cache.peek(LINK, host(1)).is_some() && cache.peek(LINK, host(3)).is_some());
    }

    #[test]
    fn nothing_is_narrower_than_the_narrowest() {
        let mut cache = PathMtuCache::<2>::new();
        cache.on_report(Instant::ZERO, LINK, host(1), 68);
        assert_eq!(cache.peek(LINK, host(1)), Some(MIN_PATH_MTU));
    }

    #[cfg(feature = "proto-ipv6")]
    #[test]
    fn rfc8201_no_path_of_ipv6_is_narrower_than_its_least() {
        let host = IpAddress::Ipv6("2001:db8::1".parse().unwrap());
        let mut cache = PathMtuCache::<2>::new();
        cache.on_report(Instant::ZERO, LINK, host, 600);
        assert_eq!(cache.peek(LINK, host), Some(1280));
    }

    #[test]
    fn rfc1191_a_router_that_names_no_mtu_means_the_next_plateau() {
        assert_eq!(plateau_below(1_500), 1_492);
        assert_eq!(plateau_below(1_492), 1_400);
        assert_eq!(plateau_below(600), 576);
        assert_eq!(plateau_below(68), MIN_PATH_MTU);
    }
}
