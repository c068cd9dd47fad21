//! The table: who makes room, hints, keys that went stale, permanent neighbors.

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
