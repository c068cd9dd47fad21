//! What is believed of those who say that an address is theirs, and of whom.

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
