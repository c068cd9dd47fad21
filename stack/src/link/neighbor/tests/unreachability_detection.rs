//! What was known and is not sure any more is asked again (RFC 4861, section 7.3).

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
fn doubts_of_an_upper_layer_start_the_probe() {
    for (mut cache, was) in [
        (reachable(secs(1)), NeighborState::Reachable),
        (stale(secs(1)), NeighborState::Delay),
    ] {
        let key = key_of(&mut cache);
        assert_eq!(state(&cache, secs(2)), Some(was));

        cache.doubt(secs(2), key);

        assert_eq!(state(&cache, secs(2)), Some(NeighborState::Probe));
        let first = cache.poll_solicit(secs(2));
        assert_eq!(to(first), Some(SolicitTo::Unicast(MAC_A)));
        // Asking started already: doubts that go on do not start it over.
        cache.doubt(millis(2_500), key);
        assert_eq!(cache.next_deadline(), secs(3));
        cache.poll_solicit(secs(3));
        cache.poll_solicit(secs(4));
        assert!(cache.on_timeout(secs(5)).is_some());
        assert_eq!(state(&cache, secs(5)), None);
        // A key of somebody who was forgotten says nothing.
        cache.doubt(secs(5), key);
        assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
    }
}

#[test]
fn doubts_keep_the_distance_between_requests() {
    let mut cache = cache();
    let key = park(&mut cache, secs(1), host(1));
    cache.poll_solicit(secs(1));
    cache.doubt(millis(1_100), key);
    assert_eq!(state(&cache, secs(1)), Some(NeighborState::Incomplete));
    reply(&mut cache, millis(1_200), host(1), MAC_A);

    cache.doubt(millis(1_300), key);

    assert_eq!(cache.poll_solicit(millis(1_999)), None);
    let next = cache.poll_solicit(secs(2));
    assert_eq!(to(next), Some(SolicitTo::Unicast(MAC_A)));
}

#[test]
fn who_was_configured_is_not_doubted() {
    let mut cache = cache();
    let added = cache.add_permanent(secs(1), LINK, host(1), MAC_A);
    assert_eq!(added, Ok(None));
    let key = key_of(&mut cache);

    cache.doubt(secs(2), key);

    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Permanent));
    assert_eq!(cache.next_deadline(), Instant::FAR_FUTURE);
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
