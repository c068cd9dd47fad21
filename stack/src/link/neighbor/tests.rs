#[cfg(feature = "proto-ipv6")]
mod forged_claims;
mod ndp;
mod resolution;
mod soak;
mod the_table;
mod unreachability_detection;

use core::net::Ipv4Addr;

use super::timing::NeighborTiming;
#[cfg(feature = "proto-ipv6")]
use super::timing::Timings;
use super::*;
use crate::time::{Duration, Instant};

const LINK: InterfaceId = InterfaceId(0);
const OTHER_LINK: InterfaceId = InterfaceId(1);
const MAC_A: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 0xa]);
const MAC_B: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 0xb]);
/// The random number whose ReachableTime is the base value of 30 s.
const RAND_MIDDLE: u32 = 1 << 31;

/// A cache of four whose waiters are counted.
type Cache = NeighborCache<u32, 4>;

fn cache() -> Cache {
    Cache::new(NeighborTiming::default(), RAND_MIDDLE)
}

fn host(n: u8) -> IpAddress {
    IpAddress::Ipv4(Ipv4Addr::new(192, 0, 2, n))
}

fn secs(n: u64) -> Instant {
    Instant::from_secs(n)
}

fn millis(n: u64) -> Instant {
    Instant::from_millis(n)
}

fn lookup(cache: &mut Cache, now: Instant, address: IpAddress) -> Lookup {
    cache.lookup(now, LINK, address, &mut None)
}

/// Looks up an address that must be unknown, and parks on it.
fn park(cache: &mut Cache, now: Instant, address: IpAddress) -> NeighborKey {
    let Lookup::Pending(key) = lookup(cache, now, address) else {
        panic!("{address} is not being resolved");
    };
    *cache.waiters_mut(key).unwrap() += 1;
    key
}

fn claim(address: IpAddress, hardware: EthernetAddress, kind: ClaimKind) -> Claim {
    Claim {
        interface: LINK,
        address,
        hardware,
        kind,
    }
}

fn reply(
    cache: &mut Cache,
    now: Instant,
    address: IpAddress,
    mac: EthernetAddress,
) -> Learned<u32> {
    cache.on_claim(now, &claim(address, mac, ClaimKind::Reply))
}

fn announce(
    cache: &mut Cache,
    now: Instant,
    address: IpAddress,
    mac: EthernetAddress,
) -> Learned<u32> {
    cache.on_claim(now, &claim(address, mac, ClaimKind::Announcement))
}

/// A cache that knows `host(1)` at `MAC_A` as Reachable since `now`.
fn reachable(now: Instant) -> Cache {
    let mut cache = cache();
    park(&mut cache, now, host(1));
    assert_eq!(to(cache.poll_solicit(now)), Some(SolicitTo::Broadcast));
    assert_eq!(reply(&mut cache, now, host(1), MAC_A), Learned::Resolved(1));
    cache
}

/// The same as Stale.
fn stale(now: Instant) -> Cache {
    let mut cache = cache();
    let request = claim(host(1), MAC_A, ClaimKind::Request);
    assert_eq!(cache.on_claim(now, &request), Learned::Updated);
    cache
}

/// What a sender to `host(1)` remembers.
fn key_of(cache: &mut Cache) -> NeighborKey {
    let mut hint = None;
    cache.lookup(secs(1), LINK, host(1), &mut hint);
    hint.unwrap()
}

fn to(solicit: Option<Solicit>) -> Option<SolicitTo> {
    solicit.map(|solicit| solicit.to)
}

fn state(cache: &Cache, now: Instant) -> Option<NeighborState> {
    cache.state(now, LINK, host(1))
}
