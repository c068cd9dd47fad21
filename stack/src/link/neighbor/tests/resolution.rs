//! Addresses that are looked for: how often, how long, and what becomes of those who wait (RFC 1122, section 2.3.2).

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
