//! The rules of RFC 4861, sections 7.2.3 and 7.2.5, one by one.

use core::net::Ipv6Addr;

use super::*;

const NEIGHBOR: IpAddress = IpAddress::Ipv6(Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2));

/// An advertisement that names `hardware`, with the flags given as letters: Solicited, Override.
fn advertise(
    cache: &mut Cache,
    now: Instant,
    hardware: Option<EthernetAddress>,
    flags: &str,
) -> Learned<u32> {
    cache.on_advertisement(
        now,
        &Advertisement {
            interface: LINK,
            address: NEIGHBOR,
            hardware,
            solicited: flags.contains('S'),
            override_: flags.contains('O'),
        },
    )
}

fn solicit(cache: &mut Cache, now: Instant, hardware: EthernetAddress) -> Learned<u32> {
    cache.on_claim(now, &claim(NEIGHBOR, hardware, ClaimKind::Solicitation))
}

fn state(cache: &Cache, now: Instant) -> Option<NeighborState> {
    cache.state(now, LINK, NEIGHBOR)
}

/// What a packet would be sent to.
fn hardware(cache: &mut Cache, now: Instant) -> EthernetAddress {
    match lookup(cache, now, NEIGHBOR) {
        Lookup::Reachable(hardware) => hardware,
        other => panic!("{other:?}"),
    }
}

/// A cache in which the neighbor is reachable at [`MAC_A`] from second 1 on.
fn reachable() -> Cache {
    let mut cache = cache();
    park(&mut cache, secs(1), NEIGHBOR);
    assert_eq!(
        advertise(&mut cache, secs(1), Some(MAC_A), "SO"),
        Learned::Resolved(1)
    );
    assert_eq!(state(&cache, secs(1)), Some(NeighborState::Reachable));
    cache
}

/// One in which it is stale.
fn stale() -> Cache {
    let mut cache = cache();
    assert_eq!(solicit(&mut cache, secs(1), MAC_A), Learned::Updated);
    assert_eq!(state(&cache, secs(1)), Some(NeighborState::Stale));
    cache
}

#[test]
fn without_an_entry_an_advertisement_is_discarded() {
    let mut cache = cache();
    let learned = advertise(&mut cache, secs(1), Some(MAC_A), "SO");
    assert_eq!(learned, Learned::Unchanged);
    assert_eq!(state(&cache, secs(1)), None);
}

#[test]
fn incomplete_an_advertisement_without_link_address_is_discarded() {
    let mut cache = cache();
    park(&mut cache, secs(1), NEIGHBOR);
    let learned = advertise(&mut cache, secs(1), None, "SO");
    assert_eq!(learned, Learned::Unchanged);
    assert_eq!(state(&cache, secs(1)), Some(NeighborState::Incomplete));
}

#[test]
fn incomplete_a_solicited_advertisement_makes_it_reachable_with_or_without_override() {
    for flags in ["S", "SO"] {
        let mut cache = cache();
        park(&mut cache, secs(1), NEIGHBOR);
        let learned = advertise(&mut cache, secs(1), Some(MAC_A), flags);
        assert_eq!(learned, Learned::Resolved(1));
        assert_eq!(state(&cache, secs(1)), Some(NeighborState::Reachable));
    }
}

#[test]
fn incomplete_an_unsolicited_advertisement_makes_it_stale() {
    let mut cache = cache();
    park(&mut cache, secs(1), NEIGHBOR);
    let learned = advertise(&mut cache, secs(1), Some(MAC_A), "O");
    assert_eq!(learned, Learned::Resolved(1));
    assert_eq!(state(&cache, secs(1)), Some(NeighborState::Stale));
}

#[test]
fn without_override_another_link_address_makes_a_reachable_neighbor_stale_and_no_more() {
    let mut cache = reachable();
    let learned = advertise(&mut cache, secs(2), Some(MAC_B), "S");
    assert_eq!(learned, Learned::Contested);
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Stale));
    assert_eq!(hardware(&mut cache, secs(2)), MAC_A);
}

#[test]
fn without_override_another_link_address_is_ignored_in_other_states() {
    let mut cache = stale();
    let learned = advertise(&mut cache, secs(2), Some(MAC_B), "S");
    assert_eq!(learned, Learned::Unchanged);
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Stale));
    assert_eq!(hardware(&mut cache, secs(2)), MAC_A);
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Delay));
    let learned = advertise(&mut cache, secs(2), Some(MAC_B), "S");
    assert_eq!(learned, Learned::Unchanged);
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Delay));
}

#[test]
fn with_override_another_link_address_replaces_the_known_one() {
    let mut cache = reachable();
    assert_eq!(
        advertise(&mut cache, secs(2), Some(MAC_B), "O"),
        Learned::Updated
    );
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Stale));
    assert_eq!(hardware(&mut cache, secs(2)), MAC_B);
    assert_eq!(
        advertise(&mut cache, secs(2), Some(MAC_A), "SO"),
        Learned::Updated
    );
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Reachable));
    assert_eq!(hardware(&mut cache, secs(2)), MAC_A);
}

#[test]
fn a_solicited_advertisement_of_the_known_address_or_none_confirms_it() {
    for address in [Some(MAC_A), None] {
        let mut cache = stale();
        let learned = advertise(&mut cache, secs(2), address, "S");
        assert_eq!(learned, Learned::Updated);
        assert_eq!(state(&cache, secs(2)), Some(NeighborState::Reachable));
        assert_eq!(hardware(&mut cache, secs(2)), MAC_A);
    }
}

#[test]
fn an_unsolicited_advertisement_of_the_known_address_changes_nothing() {
    let mut cache = stale();
    let learned = advertise(&mut cache, secs(2), Some(MAC_A), "O");
    assert_eq!(learned, Learned::Agreed);
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Stale));
    let mut cache = reachable();
    let learned = advertise(&mut cache, secs(2), Some(MAC_A), "");
    assert_eq!(learned, Learned::Agreed);
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Reachable));
}

#[test]
fn a_solicitation_creates_a_stale_entry_and_replaces_the_link_address() {
    let mut cache = stale();
    assert_eq!(solicit(&mut cache, secs(2), MAC_A), Learned::Unchanged);
    assert_eq!(solicit(&mut cache, secs(2), MAC_B), Learned::Updated);
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Stale));
    assert_eq!(hardware(&mut cache, secs(2)), MAC_B);
    let mut cache = reachable();
    assert_eq!(solicit(&mut cache, secs(2), MAC_A), Learned::Unchanged);
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Reachable));
    assert_eq!(solicit(&mut cache, secs(2), MAC_B), Learned::Updated);
    assert_eq!(state(&cache, secs(2)), Some(NeighborState::Stale));
}

#[test]
fn a_solicitation_ends_a_resolution() {
    let mut cache = cache();
    park(&mut cache, secs(1), NEIGHBOR);
    assert_eq!(solicit(&mut cache, secs(1), MAC_A), Learned::Resolved(1));
    assert_eq!(state(&cache, secs(1)), Some(NeighborState::Stale));
}

#[test]
fn a_neighbor_that_was_given_up_is_back_when_it_speaks() {
    let mut cache = cache();
    park(&mut cache, secs(1), NEIGHBOR);
    for second in 1..=4 {
        while cache.on_timeout(secs(second)).is_some() {}
        cache.poll_solicit(secs(second));
    }
    assert_eq!(state(&cache, secs(4)), Some(NeighborState::Failed));
    let learned = advertise(&mut cache, secs(4), Some(MAC_A), "SO");
    assert_eq!(learned, Learned::Updated);
    assert_eq!(state(&cache, secs(4)), Some(NeighborState::Stale));
}

#[test]
fn a_group_cannot_be_a_neighbors_link_address() {
    let group = EthernetAddress([0x33, 0x33, 0, 0, 0, 1]);
    let mut cache = reachable();
    for address in [group, EthernetAddress([0; 6])] {
        let learned = advertise(&mut cache, secs(2), Some(address), "SO");
        assert_eq!(learned, Learned::Unchanged);
        assert_eq!(solicit(&mut cache, secs(2), address), Learned::Unchanged);
    }
    assert_eq!(hardware(&mut cache, secs(2)), MAC_A);
}

#[test]
fn a_configured_neighbor_is_not_changed() {
    let mut cache = cache();
    cache.add_permanent(secs(1), LINK, NEIGHBOR, MAC_A).unwrap();
    let learned = advertise(&mut cache, secs(2), Some(MAC_B), "SO");
    assert_eq!(learned, Learned::Unchanged);
    assert_eq!(solicit(&mut cache, secs(2), MAC_B), Learned::Unchanged);
    assert_eq!(hardware(&mut cache, secs(2)), MAC_A);
}

/// Section 7.3.3: from Stale by a packet to Delay, after five seconds to Probe, three unicast solicitations,
/// and gone.
#[test]
fn a_neighbor_that_is_silent_is_probed_and_forgotten() {
    let mut cache = reachable();
    let now = secs(40);
    assert_eq!(hardware(&mut cache, now), MAC_A);
    assert_eq!(state(&cache, now), Some(NeighborState::Delay));
    for second in [45, 46, 47] {
        assert_eq!(cache.on_timeout(secs(second)), None);
        let solicit = cache.poll_solicit(secs(second)).unwrap();
        assert_eq!(solicit.to, SolicitTo::Unicast(MAC_A));
        assert_eq!(state(&cache, secs(second)), Some(NeighborState::Probe));
    }
    assert_eq!(cache.on_timeout(secs(48)).map(|f| f.waiters), Some(0));
    assert_eq!(state(&cache, secs(48)), None);
}
