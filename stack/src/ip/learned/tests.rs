use super::*;
use crate::time::Duration;

const START: Instant = Instant::from_secs(100);
const EVERYWHERE: &str = "::/0";

fn at(secs: u64) -> Instant {
    START + Duration::from_secs(secs)
}

fn ip(text: &str) -> Ipv6Addr {
    text.parse().unwrap()
}

fn router(n: usize) -> Ipv6Addr {
    ip(&std::format!("fe80::{n:x}"))
}

fn through(n: usize, destination: &str, preference: i8, expires: u64) -> LearnedRoute {
    LearnedRoute::through(
        router(n),
        destination.parse().unwrap(),
        preference,
        at(expires),
    )
}

fn on_link(prefix: &str, expires: u64) -> LearnedRoute {
    LearnedRoute::on_link(prefix.parse().unwrap(), at(expires))
}

/// Two default routers that are as good, for half an hour.
fn two() -> LearnedRoutes {
    let mut learned = LearnedRoutes::default();
    assert_eq!(
        learned.hear(START, through(1, EVERYWHERE, 0, 1_800)),
        Ok(true)
    );
    assert_eq!(
        learned.hear(START, through(2, EVERYWHERE, 0, 1_800)),
        Ok(true)
    );
    learned
}

fn next(learned: &LearnedRoutes, destination: &str) -> Option<Ipv6Addr> {
    learned.lookup(START, ip(destination), None)?.router
}

#[test]
fn rfc4861_a_router_is_one_for_its_lifetime() {
    let mut learned = LearnedRoutes::default();
    assert_eq!(learned.next_deadline(), None);
    learned.hear(START, through(1, EVERYWHERE, 0, 30)).unwrap();
    assert_eq!(learned.default_router(at(29)), Some(router(1)));
    assert_eq!(learned.default_router(at(30)), None);
    assert_eq!(learned.next_deadline(), Some(at(30)));
    assert!(!learned.on_timeout(at(29)) && learned.on_timeout(at(30)));
    assert!(!learned.has_router());
}

#[test]
fn rfc4861_a_lifetime_of_zero_ends_it_at_once() {
    let mut learned = two();
    assert_eq!(learned.hear(START, through(1, EVERYWHERE, 0, 0)), Ok(true));
    assert_eq!(learned.default_router(START), Some(router(2)));
    // Nobody becomes one by it.
    assert_eq!(learned.hear(START, through(3, EVERYWHERE, 0, 0)), Ok(false));
    assert_eq!(learned.routers().count(), 1);
}

#[test]
fn what_is_said_again_changes_nothing_but_its_end() {
    let mut learned = two();
    assert_eq!(
        learned.hear(at(5), through(1, EVERYWHERE, 0, 9_000)),
        Ok(false)
    );
    assert_eq!(learned.default_router(at(8_999)), Some(router(1)));
}

#[test]
fn rfc4191_the_preferred_router_is_taken() {
    let mut learned = two();
    assert_eq!(learned.default_router(START), Some(router(1)));
    learned
        .hear(START, through(2, EVERYWHERE, 1, 1_800))
        .unwrap();
    assert_eq!(learned.default_router(START), Some(router(2)));
    learned
        .hear(START, through(2, EVERYWHERE, -1, 1_800))
        .unwrap();
    assert_eq!(learned.default_router(START), Some(router(1)));
}

#[test]
fn rfc4191_a_longer_prefix_comes_before_a_preference() {
    let mut learned = two();
    learned
        .hear(START, through(1, EVERYWHERE, 1, 1_800))
        .unwrap();
    learned
        .hear(START, through(2, "2001:db8:7::/48", -1, 600))
        .unwrap();
    assert_eq!(next(&learned, "2001:db8:7::1"), Some(router(2)));
    assert_eq!(next(&learned, "2001:db8:8::1"), Some(router(1)));
    // It is a route although its router is no default router any more.
    learned.hear(START, through(2, EVERYWHERE, 0, 0)).unwrap();
    assert_eq!(next(&learned, "2001:db8:7::1"), Some(router(2)));
}

#[test]
fn rfc4861_a_prefix_on_the_link_needs_no_router() {
    let mut learned = two();
    learned
        .hear(START, on_link("2001:db8:1::/64", 600))
        .unwrap();
    assert_eq!(next(&learned, "2001:db8:1::9"), None);
    assert!(learned.lookup(START, ip("2001:db8:1::9"), None).is_some());
    assert_eq!(next(&learned, "2001:db8:2::9"), Some(router(1)));
}

#[test]
fn rfc4861_reachable_routers_are_preferred_and_the_others_take_turns() {
    let mut learned = two();
    learned
        .hear(START, through(1, EVERYWHERE, 1, 1_800))
        .unwrap();
    assert!(learned.on_unreachable(START, router(1)));
    assert_eq!(learned.default_router(START), Some(router(2)));
    assert!(learned.on_unreachable(START, router(2)));
    learned
        .hear(START, through(3, EVERYWHERE, -1, 1_800))
        .unwrap();
    assert_eq!(learned.default_router(START), Some(router(3)));
    assert!(learned.on_reachable(router(1)) && !learned.on_reachable(router(1)));
    assert_eq!(learned.default_router(START), Some(router(1)));
    assert!(!learned.on_unreachable(START, router(9)));
}

#[test]
fn rfc4861_without_a_reachable_router_they_take_turns() {
    let mut learned = two();
    for n in [1, 2] {
        learned.on_unreachable(START, router(n));
    }
    for n in [1, 2, 1, 2] {
        assert_eq!(learned.default_router(START), Some(router(n)));
        learned.on_unreachable(START, router(n));
    }
}

#[test]
fn rfc4861_who_is_no_router_any_more_leads_nowhere() {
    let mut learned = two();
    learned
        .hear(START, through(1, "2001:db8:7::/48", 0, 600))
        .unwrap();
    assert!(learned.forget_router(router(1)));
    assert!(!learned.forget_router(router(1)));
    assert_eq!(next(&learned, "2001:db8:7::1"), Some(router(2)));
}

#[test]
fn a_flood_displaces_nothing_that_is_known() {
    let mut learned = two();
    let heard = |learned: &mut LearnedRoutes, kind: fn(usize) -> LearnedRoute| {
        (0..1_000)
            .filter(|n| learned.hear(START, kind(100 + n)).is_ok())
            .count()
    };
    assert_eq!(
        heard(&mut learned, |n| through(n, EVERYWHERE, 1, 9_000)),
        ROUTER_COUNT - 2
    );
    let prefix = |n| std::format!("2001:db8:{n:x}::/64");
    assert_eq!(
        heard(&mut learned, |n| on_link(
            &std::format!("2001:db8:{n:x}::/64"),
            9
        )),
        PREFIX_COUNT
    );
    assert_eq!(
        heard(&mut learned, |n| through(
            1,
            &std::format!("2001:db8:{n:x}::/60"),
            1,
            9
        )),
        ROUTER_ROUTE_COUNT
    );
    assert!(learned.routers().any(|known| known == router(1)));
    // What is known is heard all the same.
    assert!(learned.hear(START, on_link(&prefix(100), 0)).is_ok());
    assert_eq!(
        learned.hear(START, on_link("2001:db8:ffff::/64", 9)),
        Ok(true)
    );
}

#[test]
fn rfc4191_a_router_that_does_not_answer_is_asked_once_a_minute_if_it_were_taken() {
    let mut learned = two();
    let afar = ip("2001:db8:7::1");
    learned.on_unreachable(START, router(2));
    assert_eq!(learned.next_deadline(), Some(at(60)));
    assert_eq!(learned.poll_probe(at(59), afar), None);
    assert!(learned.on_timeout(at(60)) && !learned.on_timeout(at(60)));
    assert_eq!(learned.poll_probe(at(60), afar), None, "it is as good");
    learned
        .hear(at(60), through(2, EVERYWHERE, 1, 1_800))
        .unwrap();
    assert_eq!(learned.default_router(at(60)), Some(router(1)));
    assert_eq!(learned.next_deadline(), Some(at(1_800)), "without a packet");
    assert_eq!(learned.poll_probe(at(200), afar), Some(router(2)));
    assert!(learned.is_suspect(router(2)));
    assert_eq!(learned.poll_probe(at(259), afar), None);
    assert_eq!(learned.next_deadline(), Some(at(260)));
    assert!(learned.on_timeout(at(260)));
    assert_eq!(learned.poll_probe(at(260), afar), Some(router(2)));
    assert!(learned.on_reachable(router(2)));
    assert!(!learned.is_suspect(router(2)));
    assert_eq!(learned.default_router(at(260)), Some(router(2)));
    assert_eq!(learned.poll_probe(at(400), afar), None);
}

#[test]
fn rfc8028_packets_go_to_a_router_that_advertises_their_prefix() {
    let mut learned = two();
    let source = |n: usize| Some(ip(&std::format!("2001:db8:{n}::9")));
    let next = |learned: &LearnedRoutes, n| {
        let route = learned.lookup(START, ip("2400::1"), source(n)).unwrap();
        route.router
    };
    for n in [1, 2] {
        let prefix = std::format!("2001:db8:{n}::/64").parse().unwrap();
        assert!(learned.hear_prefix(START, router(n), prefix, at(600)));
    }
    // Whichever is preferred.
    learned
        .hear(START, through(1, EVERYWHERE, 1, 1_800))
        .unwrap();
    assert_eq!(next(&learned, 1), Some(router(1)));
    assert_eq!(next(&learned, 2), Some(router(2)));
    assert_eq!(next(&learned, 3), Some(router(1)), "nobody's");
    // One that does not answer is of no use.
    learned.on_unreachable(START, router(2));
    assert_eq!(next(&learned, 2), Some(router(1)));
    learned.on_reachable(router(2));
    learned.forget_router(router(2));
    assert_eq!(next(&learned, 2), Some(router(1)));
    assert_eq!(learned.next_deadline(), Some(at(600)));
}
