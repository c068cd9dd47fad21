#[cfg(feature = "proto-ipv6")]
mod ndp;
mod soak;

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

fn to(solicit: Option<Solicit>) -> Option<SolicitTo> {
    solicit.map(|solicit| solicit.to)
}

fn state(cache: &Cache, now: Instant) -> Option<NeighborState> {
    cache.state(now, LINK, host(1))
}

mod resolution {
    use super::*;

    #[test]
    fn asks_by_broadcast_and_hands_the_waiters_back() {
        let mut cache = cache();
        park(&mut cache, secs(1), host(1));
        let key = park(&mut cache, secs(1), host(1));

        assert_eq!(
            cache.poll_solicit(secs(1)),
            Some(Solicit {
                interface: LINK,
                target: host(1),
                to: SolicitTo::Broadcast
            })
        );
        assert_eq!(
            reply(&mut cache, millis(1_005), host(1), MAC_A),
            Learned::Resolved(2)
        );
        assert_eq!(cache.waiters_mut(key), None);
        assert_eq!(
            lookup(&mut cache, millis(1_005), host(1)),
            Lookup::Reachable(MAC_A)
        );
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
    }

    #[test]
    fn asks_once_per_second_and_no_more_than_three_times() {
        let mut cache = cache();
        park(&mut cache, secs(1), host(1));

        for second in 1..=3 {
            assert_eq!(cache.next_deadline(), secs(second));
            assert_eq!(cache.on_timeout(secs(second)), None);
            assert!(cache.solicit_due(secs(second)));
            assert!(cache.poll_solicit(secs(second)).is_some());
            assert_eq!(cache.poll_solicit(millis(second * 1000 + 999)), None);
        }
        assert!(!cache.solicit_due(secs(4)));
        assert_eq!(cache.poll_solicit(secs(4)), None);
        assert_eq!(
            cache.on_timeout(secs(4)),
            Some(NeighborFailure {
                interface: LINK,
                address: host(1),
                waiters: 1
            })
        );
        assert_eq!(cache.on_timeout(secs(4)), None);
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
    }

    #[test]
    fn a_request_that_finds_no_room_to_transmit_stays_due() {
        let mut cache = cache();
        park(&mut cache, secs(1), host(1));

        // Long after all three could have been sent, none was, so nothing has failed.
        assert_eq!(cache.on_timeout(secs(60)), None);
        assert_eq!(cache.next_deadline(), secs(1));
        assert!(cache.poll_solicit(secs(60)).is_some());
        assert_eq!(cache.next_deadline(), secs(61));
    }

    #[test]
    fn a_dead_host_is_held_down_for_a_second() {
        let mut cache = cache();
        park(&mut cache, secs(1), host(1));
        for second in 1..=3 {
            cache.poll_solicit(secs(second));
        }
        assert!(cache.on_timeout(secs(4)).is_some());

        assert_eq!(
            lookup(&mut cache, millis(4_999), host(1)),
            Lookup::Unreachable
        );
        assert_eq!(cache.poll_solicit(millis(4_999)), None);
        park(&mut cache, secs(5), host(1));
        assert_eq!(to(cache.poll_solicit(secs(5))), Some(SolicitTo::Broadcast));
    }

    #[test]
    fn a_dead_host_that_speaks_up_is_believed() {
        let mut cache = cache();
        park(&mut cache, secs(1), host(1));
        for second in 1..=3 {
            cache.poll_solicit(secs(second));
        }
        assert!(cache.on_timeout(secs(4)).is_some());

        assert_eq!(
            announce(&mut cache, millis(4_100), host(1), MAC_A),
            Learned::Updated
        );
        assert_eq!(
            lookup(&mut cache, millis(4_200), host(1)),
            Lookup::Reachable(MAC_A)
        );
    }

    #[test]
    fn two_dead_hosts_fail_one_after_the_other() {
        let mut cache = cache();
        park(&mut cache, secs(1), host(1));
        park(&mut cache, secs(1), host(2));
        for second in 1..=3 {
            assert!(cache.poll_solicit(secs(second)).is_some());
            assert!(cache.poll_solicit(secs(second)).is_some());
            assert!(cache.poll_solicit(secs(second)).is_none());
        }

        assert_eq!(cache.on_timeout(secs(4)).map(|f| f.address), Some(host(1)));
        assert_eq!(cache.on_timeout(secs(4)).map(|f| f.address), Some(host(2)));
        assert_eq!(cache.on_timeout(secs(4)), None);
    }

    #[test]
    fn one_address_on_two_links_is_two_neighbors() {
        let mut cache = cache();
        park(&mut cache, secs(1), host(1));
        cache.lookup(secs(1), OTHER_LINK, host(1), &mut None);

        reply(&mut cache, secs(1), host(1), MAC_A);

        let other = cache.state(secs(1), OTHER_LINK, host(1));
        assert_eq!(other, Some(NeighborState::Incomplete));
    }

    #[test]
    fn any_claim_ends_a_resolution_but_only_an_answer_confirms_it() {
        for (kind, after) in [
            (ClaimKind::Reply, NeighborState::Reachable),
            (ClaimKind::Request, NeighborState::Stale),
            (ClaimKind::Announcement, NeighborState::Stale),
        ] {
            let mut cache = cache();
            park(&mut cache, secs(1), host(1));

            let learned = cache.on_claim(secs(1), &claim(host(1), MAC_A, kind));

            assert_eq!(learned, Learned::Resolved(1));
            assert_eq!(state(&cache, secs(1)), Some(after), "{kind:?}");
        }
    }
}

mod unreachability_detection {
    use super::*;

    #[test]
    fn goes_stale_silently_and_is_probed_only_when_used() {
        let mut cache = reachable(secs(1));

        assert_eq!(
            state(&cache, millis(30_999)),
            Some(NeighborState::Reachable)
        );
        assert_eq!(state(&cache, secs(31)), Some(NeighborState::Stale));
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
        assert_eq!(
            lookup(&mut cache, secs(100), host(1)),
            Lookup::Reachable(MAC_A)
        );
        assert_eq!(state(&cache, secs(100)), Some(NeighborState::Delay));
        assert_eq!(cache.next_deadline(), secs(105));
    }

    #[test]
    fn an_unconfirmed_neighbor_is_asked_by_unicast_and_then_forgotten() {
        let mut cache = stale(secs(1));
        assert_eq!(
            lookup(&mut cache, secs(1), host(1)),
            Lookup::Reachable(MAC_A)
        );

        assert_eq!(cache.poll_solicit(millis(5_999)), None);
        for second in 6..=8 {
            assert_eq!(
                to(cache.poll_solicit(secs(second))),
                Some(SolicitTo::Unicast(MAC_A))
            );
            assert_eq!(cache.poll_solicit(secs(second)), None);
            // It stays in use while it is being asked.
            assert_eq!(
                lookup(&mut cache, secs(second), host(1)),
                Lookup::Reachable(MAC_A)
            );
        }
        assert_eq!(state(&cache, millis(8_999)), Some(NeighborState::Probe));
        assert_eq!(cache.on_timeout(secs(9)).map(|f| f.waiters), Some(0));
        assert_eq!(state(&cache, secs(9)), None);
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
        // The next packet asks everybody, without a hold-down.
        park(&mut cache, secs(9), host(1));
        assert_eq!(to(cache.poll_solicit(secs(9))), Some(SolicitTo::Broadcast));
    }

    #[test]
    fn an_answer_to_a_probe_confirms() {
        let mut cache = stale(secs(1));
        lookup(&mut cache, secs(1), host(1));
        cache.poll_solicit(secs(6));

        assert_eq!(reply(&mut cache, secs(6), host(1), MAC_A), Learned::Updated);
        assert_eq!(state(&cache, secs(35)), Some(NeighborState::Reachable));
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
    }

    #[test]
    fn what_is_no_answer_does_not_confirm() {
        let mut cache = stale(secs(1));
        lookup(&mut cache, secs(1), host(1));
        cache.poll_solicit(secs(6));

        for kind in [ClaimKind::Request, ClaimKind::Announcement] {
            let learned = cache.on_claim(secs(6), &claim(host(1), MAC_A, kind));
            assert_eq!(learned, Learned::Unchanged, "{kind:?}");
        }
        assert_eq!(state(&cache, secs(6)), Some(NeighborState::Probe));
    }

    #[test]
    fn progress_of_an_upper_layer_saves_the_probe() {
        let mut cache = stale(secs(1));
        let mut hint = None;
        cache.lookup(secs(1), LINK, host(1), &mut hint);

        cache.confirm_reachability(secs(3), hint.unwrap());

        assert_eq!(state(&cache, secs(32)), Some(NeighborState::Reachable));
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
        assert_eq!(cache.poll_solicit(secs(10)), None);
    }

    #[test]
    fn progress_of_an_upper_layer_resolves_nothing() {
        let mut cache = cache();
        let key = park(&mut cache, secs(1), host(1));

        cache.confirm_reachability(secs(1), key);

        assert_eq!(state(&cache, secs(1)), Some(NeighborState::Incomplete));
    }

    #[test]
    fn reachable_time_is_random_around_the_base() {
        let timing = NeighborTiming::default();

        assert_eq!(timing.reachable_time(0), Duration::from_secs(15));
        assert_eq!(timing.reachable_time(RAND_MIDDLE), Duration::from_secs(30));
        let longest = timing.reachable_time(u32::MAX);
        assert!(longest < Duration::from_secs(45) && longest > Duration::from_millis(44_990));
    }

    #[test]
    #[cfg(feature = "proto-ipv6")]
    fn a_new_reachable_time_counts_for_neighbors_of_ipv6_alone() {
        let mut timings = Timings::new(NeighborTiming::default(), RAND_MIDDLE);
        let v6 = IpAddress::Ipv6("fe80::1".parse().unwrap());
        timings
            .ndp
            .set_reachable_time(Duration::from_secs(10), RAND_MIDDLE);
        timings.ndp.set_retrans_timer(Duration::from_secs(2));
        assert_eq!(timings.of(v6).reachable_time(), Duration::from_secs(10));
        assert_eq!(timings.of(v6).retrans_timer(), Duration::from_secs(2));
        assert_eq!(
            timings.of(host(1)).reachable_time(),
            Duration::from_secs(30)
        );
        assert_eq!(timings.of(host(1)).retrans_timer(), Duration::from_secs(1));
    }
}

mod forged_claims {
    use super::*;

    #[test]
    fn nobody_gets_an_entry_who_was_not_asked_and_did_not_ask() {
        for kind in [ClaimKind::Reply, ClaimKind::Announcement] {
            let mut cache = cache();

            let learned = cache.on_claim(secs(1), &claim(host(1), MAC_A, kind));

            assert_eq!(learned, Learned::Unchanged, "{kind:?}");
            assert_eq!(state(&cache, secs(1)), None, "{kind:?}");
        }
    }

    #[test]
    fn a_confirmed_address_stays_in_use_while_it_answers() {
        for kind in [
            ClaimKind::Reply,
            ClaimKind::Request,
            ClaimKind::Announcement,
        ] {
            let mut cache = reachable(secs(1));

            let learned = cache.on_claim(secs(10), &claim(host(1), MAC_B, kind));

            assert_eq!(learned, Learned::Contested, "{kind:?}");
            assert_eq!(
                to(cache.poll_solicit(secs(10))),
                Some(SolicitTo::Unicast(MAC_A))
            );
            // The forger goes on, and answers in the other's place too.
            assert_eq!(
                reply(&mut cache, secs(10), host(1), MAC_B),
                Learned::Unchanged
            );
            assert_eq!(
                lookup(&mut cache, secs(10), host(1)),
                Lookup::Reachable(MAC_A)
            );
            assert_eq!(
                reply(&mut cache, secs(10), host(1), MAC_A),
                Learned::Updated
            );
            assert_eq!(state(&cache, secs(10)), Some(NeighborState::Reachable));
        }
    }

    #[test]
    fn a_host_that_moved_is_found_when_its_old_address_is_silent() {
        let mut cache = reachable(secs(1));
        announce(&mut cache, secs(10), host(1), MAC_B);

        for second in 10..=12 {
            assert_eq!(
                to(cache.poll_solicit(secs(second))),
                Some(SolicitTo::Unicast(MAC_A))
            );
        }
        assert_eq!(cache.on_timeout(secs(13)).map(|f| f.waiters), Some(0));
        park(&mut cache, secs(13), host(1));
        assert_eq!(to(cache.poll_solicit(secs(13))), Some(SolicitTo::Broadcast));
        assert_eq!(
            reply(&mut cache, secs(13), host(1), MAC_B),
            Learned::Resolved(1)
        );
        assert_eq!(
            lookup(&mut cache, secs(13), host(1)),
            Lookup::Reachable(MAC_B)
        );
    }

    #[test]
    fn a_contest_does_not_speed_up_requests() {
        let mut cache = reachable(millis(1_000));

        assert_eq!(
            announce(&mut cache, millis(1_100), host(1), MAC_B),
            Learned::Contested
        );
        assert_eq!(cache.poll_solicit(millis(1_999)), None);
        assert!(cache.poll_solicit(millis(2_000)).is_some());
        reply(&mut cache, millis(2_001), host(1), MAC_A);
        announce(&mut cache, millis(2_002), host(1), MAC_B);
        assert_eq!(cache.poll_solicit(millis(2_999)), None);
        assert!(cache.poll_solicit(millis(3_000)).is_some());
    }

    #[test]
    fn progress_of_an_upper_layer_settles_a_contest() {
        let mut cache = reachable(secs(1));
        let mut hint = None;
        cache.lookup(secs(2), LINK, host(1), &mut hint);
        announce(&mut cache, secs(2), host(1), MAC_B);

        cache.confirm_reachability(secs(2), hint.unwrap());

        assert_eq!(state(&cache, secs(2)), Some(NeighborState::Reachable));
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
    }

    #[test]
    fn an_address_in_delay_is_asked_before_it_is_replaced() {
        let mut cache = stale(secs(1));
        lookup(&mut cache, secs(1), host(1));

        assert_eq!(
            announce(&mut cache, secs(2), host(1), MAC_B),
            Learned::Contested
        );
        assert_eq!(
            to(cache.poll_solicit(secs(2))),
            Some(SolicitTo::Unicast(MAC_A))
        );
    }

    #[test]
    fn an_idle_stale_address_follows_the_latest_claim() {
        let mut cache = stale(secs(1));

        assert_eq!(
            announce(&mut cache, secs(2), host(1), MAC_B),
            Learned::Updated
        );
        assert_eq!(state(&cache, secs(2)), Some(NeighborState::Stale));
        assert_eq!(
            lookup(&mut cache, secs(2), host(1)),
            Lookup::Reachable(MAC_B)
        );
    }

    #[test]
    fn a_group_or_zero_link_address_is_nobodys() {
        for octets in [[0xff; 6], [0x01, 0, 0x5e, 0, 0, 1], [0; 6]] {
            let mut cache = cache();
            park(&mut cache, secs(1), host(1));

            let learned = reply(&mut cache, secs(1), host(1), EthernetAddress(octets));

            assert_eq!(learned, Learned::Unchanged, "{octets:?}");
            assert_eq!(state(&cache, secs(1)), Some(NeighborState::Incomplete));
        }
    }

    #[test]
    fn a_probe_or_a_group_gets_no_entry() {
        for address in [
            Ipv4Addr::UNSPECIFIED,
            Ipv4Addr::BROADCAST,
            Ipv4Addr::new(224, 0, 0, 1),
        ] {
            let mut cache = cache();
            let request = claim(IpAddress::Ipv4(address), MAC_A, ClaimKind::Request);

            assert_eq!(cache.on_claim(secs(1), &request), Learned::Unchanged);
        }
    }

    #[test]
    fn a_flood_of_requests_does_not_displace_neighbors_in_use() {
        let mut cache = reachable(secs(1));
        for n in [2, 3] {
            park(&mut cache, secs(1), host(n));
            reply(&mut cache, secs(1), host(n), MAC_A);
        }
        park(&mut cache, secs(1), host(4));

        for n in 10..=200 {
            cache.on_claim(secs(2), &claim(host(n), MAC_B, ClaimKind::Request));
        }

        for n in 1..=3 {
            let state = cache.state(secs(2), LINK, host(n));
            assert_eq!(state, Some(NeighborState::Reachable), "{n}");
        }
        let pending = cache.state(secs(2), LINK, host(4));
        assert_eq!(pending, Some(NeighborState::Incomplete));
    }
}

mod the_table {
    use super::*;

    /// Makes `host(n)` Reachable.
    fn resolve(cache: &mut Cache, now: Instant, n: u8) {
        park(cache, now, host(n));
        assert_eq!(reply(cache, now, host(n), MAC_A), Learned::Resolved(1));
    }

    #[test]
    fn the_least_recently_used_neighbor_makes_room() {
        let mut cache = cache();
        for n in 1..=4 {
            resolve(&mut cache, secs(n.into()), n);
        }
        lookup(&mut cache, secs(5), host(1));

        park(&mut cache, secs(6), host(5));

        assert_eq!(cache.state(secs(6), LINK, host(2)), None);
        assert_eq!(state(&cache, secs(6)), Some(NeighborState::Reachable));
    }

    #[test]
    fn a_failed_neighbor_makes_room_first_and_a_stale_one_next() {
        let mut cache = cache();
        park(&mut cache, secs(1), host(1));
        for second in 1..=3 {
            cache.poll_solicit(secs(second));
        }
        assert!(cache.on_timeout(secs(4)).is_some());
        resolve(&mut cache, secs(4), 2);
        cache.on_claim(secs(5), &claim(host(3), MAC_A, ClaimKind::Request));
        resolve(&mut cache, secs(5), 4);

        park(&mut cache, secs(6), host(5));
        assert_eq!(state(&cache, secs(6)), None);
        park(&mut cache, secs(6), host(6));
        assert_eq!(cache.state(secs(6), LINK, host(3)), None);
        park(&mut cache, secs(6), host(7));
        assert_eq!(cache.state(secs(6), LINK, host(2)), None);
    }

    #[test]
    fn nobody_who_is_waited_for_makes_room() {
        let mut cache = cache();
        for n in 1..=4 {
            park(&mut cache, secs(1), host(n));
        }

        assert_eq!(lookup(&mut cache, secs(1), host(5)), Lookup::Exhausted);
        let request = claim(host(5), MAC_B, ClaimKind::Request);
        assert_eq!(cache.on_claim(secs(1), &request), Learned::Unchanged);
        for n in 1..=4 {
            assert_eq!(
                reply(&mut cache, secs(1), host(n), MAC_A),
                Learned::Resolved(1)
            );
        }
    }

    #[test]
    fn a_table_of_none_is_exhausted() {
        let mut cache = NeighborCache::<u32, 0>::new(NeighborTiming::default(), 0);

        let answer = cache.lookup(secs(1), LINK, host(1), &mut None);

        assert_eq!(answer, Lookup::Exhausted);
    }

    #[test]
    fn a_hint_is_followed_and_renewed() {
        let mut cache = reachable(secs(1));
        let mut hint = None;
        cache.lookup(secs(1), LINK, host(1), &mut hint);
        let first = hint.unwrap();

        cache.lookup(secs(2), LINK, host(1), &mut hint);
        assert_eq!(hint, Some(first));
        cache.remove(LINK, host(1));
        let answer = cache.lookup(secs(3), LINK, host(1), &mut hint);
        assert_eq!(answer, Lookup::Pending(hint.unwrap()));
        assert_ne!(hint, Some(first));
    }

    #[test]
    fn a_hint_to_another_neighbor_is_not_believed() {
        let mut cache = reachable(secs(1));
        let mut hint = None;
        cache.lookup(secs(1), LINK, host(1), &mut hint);

        let answer = cache.lookup(secs(1), LINK, host(2), &mut hint);

        assert_eq!(answer, Lookup::Pending(hint.unwrap()));
        assert_eq!(
            lookup(&mut cache, secs(1), host(1)),
            Lookup::Reachable(MAC_A)
        );
    }

    #[test]
    fn a_stale_key_confirms_nobody_else() {
        let mut cache = cache();
        let key = park(&mut cache, secs(1), host(1));
        assert_eq!(cache.remove(LINK, host(1)), Some(1));
        cache.on_claim(secs(1), &claim(host(2), MAC_B, ClaimKind::Request));

        cache.confirm_reachability(secs(1), key);

        let other = cache.state(secs(1), LINK, host(2));
        assert_eq!(other, Some(NeighborState::Stale));
        assert_eq!(cache.waiters_mut(key), None);
    }

    #[test]
    fn a_stale_key_waits_for_nobody_else() {
        let mut cache = cache();
        let old = park(&mut cache, secs(1), host(1));
        cache.remove(LINK, host(1));
        let new = park(&mut cache, secs(1), host(2));

        assert_eq!(cache.waiters_mut(old), None);
        assert_eq!(cache.waiters_mut(new), Some(&mut 1));
    }

    #[test]
    fn a_permanent_neighbor_is_moved_by_nothing() {
        let mut cache = cache();
        assert_eq!(cache.add_permanent(secs(1), LINK, host(1), MAC_A), Ok(None));

        announce(&mut cache, secs(1), host(1), MAC_B);
        cache.flush(LINK);
        for n in 2..=5 {
            lookup(&mut cache, secs(2), host(n));
        }

        assert_eq!(
            lookup(&mut cache, secs(1_000), host(1)),
            Lookup::Reachable(MAC_A)
        );
        assert_eq!(state(&cache, secs(1_000)), Some(NeighborState::Permanent));
    }

    #[test]
    fn adding_a_permanent_neighbor_ends_its_resolution() {
        let mut cache = cache();
        park(&mut cache, secs(1), host(1));

        let waiters = cache.add_permanent(secs(1), LINK, host(1), MAC_A);

        assert_eq!(waiters, Ok(Some(1)));
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
    }

    #[test]
    fn permanent_neighbors_can_fill_the_table() {
        let mut cache = cache();
        for n in 1..=4 {
            assert!(cache.add_permanent(secs(1), LINK, host(n), MAC_A).is_ok());
        }

        let fifth = cache.add_permanent(secs(1), LINK, host(5), MAC_A);

        assert_eq!(fifth, Err(NeighborCacheFull));
        assert_eq!(lookup(&mut cache, secs(1), host(5)), Lookup::Exhausted);
    }

    #[test]
    fn a_flush_forgets_one_link_and_restarts_its_resolutions() {
        let mut cache = reachable(secs(1));
        let key = park(&mut cache, secs(1), host(2));
        cache.poll_solicit(secs(1));
        cache.poll_solicit(secs(2));
        cache.lookup(secs(2), OTHER_LINK, host(3), &mut None);

        cache.flush(LINK);

        assert_eq!(state(&cache, secs(2)), None);
        assert!(cache.state(secs(2), OTHER_LINK, host(3)).is_some());
        assert_eq!(cache.waiters_mut(key), Some(&mut 1));
        // Three more requests, of which the first keeps its distance to the one before the flush.
        cache.remove(OTHER_LINK, host(3));
        assert_eq!(cache.poll_solicit(millis(2_999)), None);
        for second in 3..=5 {
            assert!(cache.poll_solicit(secs(second)).is_some());
        }
        assert_eq!(cache.on_timeout(secs(6)).map(|f| f.waiters), Some(1));
    }
}
