use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const HARDWARE: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
const START: Instant = Instant::from_secs(100);

/// One whose link is up.
fn started(config: LinkLocalConfig) -> LinkLocal {
    let mut link_local = LinkLocal::new(config, HARDWARE);
    link_local.on_link_up(START);
    link_local
}

fn claim(link_local: &mut LinkLocal) -> (Instant, Ipv4Addr) {
    let due = link_local.next_deadline().expect("something to wait for");
    match link_local.on_timeout(due) {
        Some(Step::Claim(address)) => (due, address),
        step => panic!("{step:?}"),
    }
}

/// One that has an address.
fn held() -> (LinkLocal, Ipv4Addr) {
    let mut link_local = started(LinkLocalConfig::new());
    let (_, address) = claim(&mut link_local);
    link_local.on_claimed(address);
    (link_local, address)
}

#[test]
fn candidates_follow_from_the_hardware_address() {
    let first = |last| {
        let hardware = EthernetAddress([2, 0, 0, 0, 0, last]);
        let mut link_local = LinkLocal::new(LinkLocalConfig::new(), hardware);
        link_local.on_link_up(START);
        claim(&mut link_local).1
    };
    assert_eq!(first(1), first(1), "the same after each start");
    let all: BTreeSet<_> = (0..=255).map(first).collect();
    assert!(all.len() > 250, "hosts differ: {}", all.len());
}

#[test]
fn an_address_from_before_is_tried_first() {
    let mut config = LinkLocalConfig::new();
    let previous = Ipv4Addr::new(169, 254, 7, 7);
    config.previous_address = Some(previous);
    let mut link_local = started(config);
    assert_eq!(claim(&mut link_local).1, previous);
    assert_eq!(
        link_local.on_conflict(START, previous),
        Some(Step::Drop(previous))
    );
    assert_ne!(claim(&mut link_local).1, previous);
}

#[test]
fn an_address_from_before_that_is_reserved_is_not_taken() {
    for reserved in [[169, 254, 0, 1], [169, 254, 255, 1], [10, 0, 0, 1]] {
        let mut config = LinkLocalConfig::new();
        config.previous_address = Some(reserved.into());
        assert!(is_claimable(claim(&mut started(config)).1));
    }
}

#[test]
fn a_fallback_waits() {
    let mut link_local = started(LinkLocalConfig::fallback());
    assert_eq!(link_local.on_timeout(START), None);
    assert_eq!(claim(&mut link_local).0, START + PATIENCE);
}

#[test]
fn after_ten_conflicts_candidates_are_a_minute_apart() {
    let mut link_local = started(LinkLocalConfig::new());
    let mut tried = BTreeSet::new();
    let mut last = START;
    for n in 0..20 {
        let (at, address) = claim(&mut link_local);
        assert!(tried.insert(address), "each is another");
        let apart = at.since(last).as_secs();
        assert_eq!(apart, if n > 10 { 60 } else { 0 }, "candidate {n}");
        last = at;
        link_local.on_conflict(at, address);
    }
    let (at, address) = claim(&mut link_local);
    link_local.on_claimed(address);
    link_local.on_conflict(at, address);
    assert_eq!(claim(&mut link_local).0, at, "a new search is a new count");
}

#[test]
fn a_conflict_over_another_address_is_none() {
    let (mut link_local, address) = held();
    let other = Ipv4Addr::new(10, 0, 0, 1);
    assert_eq!(link_local.on_conflict(START, other), None);
    assert_eq!(link_local.address(), Some(address));
}

#[test]
fn a_routable_address_retires_it_in_time() {
    let (mut link_local, address) = held();
    assert_eq!(link_local.on_routable(START), Some(Step::Retire(address)));
    let due = link_local.next_deadline().unwrap();
    assert_eq!(due, START + LINGER);
    assert_eq!(link_local.on_timeout(due), Some(Step::Drop(address)));
    assert_eq!(link_local.next_deadline(), None);
}

#[test]
fn it_comes_back_when_the_routable_address_goes() {
    let (mut link_local, address) = held();
    link_local.on_routable(START);
    assert_eq!(
        link_local.on_routable_lost(START),
        Some(Step::Resume(address))
    );
    link_local.on_routable(START);
    link_local.on_timeout(START + LINGER);
    assert_eq!(link_local.on_routable_lost(START), None);
    assert_eq!(claim(&mut link_local).1, address, "the one it had");
}

#[test]
fn a_candidate_is_dropped_for_a_routable_address() {
    let mut link_local = started(LinkLocalConfig::new());
    let (at, address) = claim(&mut link_local);
    assert_eq!(link_local.on_routable(at), Some(Step::Drop(address)));
    let mut waiting = started(LinkLocalConfig::fallback());
    assert_eq!(waiting.on_routable(at), None);
    assert_eq!(waiting.next_deadline(), None);
}

#[test]
fn a_cable_that_is_back_brings_the_same_candidate() {
    let (mut link_local, address) = held();
    assert_eq!(link_local.on_link_down(), Some(Step::Drop(address)));
    assert_eq!(link_local.next_deadline(), None);
    link_local.on_link_up(START);
    assert_eq!(claim(&mut link_local).1, address);
}

proptest! {
    #[test]
    fn every_candidate_may_be_chosen(hardware: [u8; 6], conflicts in 0usize..40) {
        let mut link_local = LinkLocal::new(LinkLocalConfig::new(), EthernetAddress(hardware));
        link_local.on_link_up(START);
        for _ in 0..conflicts {
            let (at, address) = claim(&mut link_local);
            prop_assert!(is_claimable(address), "{address}");
            link_local.on_conflict(at, address);
        }
    }
}
