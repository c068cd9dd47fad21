//! What is given back: duplicates are declined, and a lease is released (RFC 8415, sections 18.2.7 and
//! 18.2.8).

use super::*;

#[test]
fn a_duplicate_is_declined_and_another_asked_for() {
    let mut story = Story::bound();
    let change = story
        .client
        .on_duplicate(story.now, ADDRESS, &mut story.random);
    assert_eq!(change, Some(Change::Lost));
    let decline = story.expect(Kind::Decline);
    assert_eq!(decline.server.as_deref(), Some(SERVER));
    assert_eq!(decline.addresses, Some(vec![ADDRESS]));
    assert_eq!(story.hear(&reply().status(0)), Ok(None));
    let declined = story.now;
    let solicit = story.expect(Kind::Solicit);
    assert!(solicit.at.since(declined) >= Duration::from_secs(4));
    // Nobody answers: DEC_MAX_RC is 4.
    let mut story = Story::bound();
    story
        .client
        .on_duplicate(story.now, ADDRESS, &mut story.random);
    for _ in 0..4 {
        story.expect(Kind::Decline);
    }
    story.expect(Kind::Solicit);
    let unknown = story
        .client
        .on_duplicate(story.now, ADDRESS_2, &mut story.random);
    assert_eq!(unknown, None, "not ours");
}

#[test]
fn one_of_two_addresses_may_be_a_duplicate() {
    let both = [address(ADDRESS, 1800, 3600), address(ADDRESS_2, 1800, 3600)];
    let given = reply().with(option::IA_NA, &ia(900, 1440, &both));
    let mut story = Story::bound_to(Dhcpv6Config::stateful(), given);
    let change = story
        .client
        .on_duplicate(story.now, ADDRESS, &mut story.random);
    assert_eq!(change, Some(Change::Leased));
    assert_eq!(story.expect(Kind::Decline).addresses, Some(vec![ADDRESS]));
    story.hear(&reply()).unwrap();
    assert_eq!(story.expect(Kind::Renew).addresses, Some(vec![ADDRESS_2]));
}

#[test]
fn what_it_has_is_given_back_four_times_at_most() {
    let mut story = Story::bound();
    assert!(story.client.release(story.now, &mut story.random));
    for _ in 0..4 {
        let release = story.expect(Kind::Release);
        assert_eq!(release.server.as_deref(), Some(SERVER));
        assert_eq!(release.addresses, Some(vec![ADDRESS]));
        assert_eq!((release.wishes, release.prefixes), (None, None));
        assert!(!story.client.has_released());
    }
    assert_eq!(story.step(), (None, None));
    assert!(story.client.has_released());
    let mut story = Story::bound();
    story.client.release(story.now, &mut story.random);
    story.expect(Kind::Release);
    assert_eq!(story.hear(&reply().status(NO_BINDING)), Ok(None));
    assert!(story.client.has_released(), "whatever it says");
    let mut idle = Story::new(Dhcpv6Config::stateful());
    assert!(!idle.client.release(idle.now, &mut idle.random));
}
