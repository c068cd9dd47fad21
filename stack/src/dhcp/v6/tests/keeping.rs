//! How a lease is kept: renewed, rebound, confirmed (RFC 8415, sections 18.2.3 to 18.2.5), and how it ends.

use super::*;

#[test]
fn renews_with_its_server_and_then_rebinds_with_any_until_all_is_over() {
    let mut story = Story::bound();
    let began = story.now;
    let mut said = vec![];
    let mut deprecated = None;
    loop {
        let (message, change) = story.step();
        said.extend(message);
        match change {
            Some(Change::Lost) => break,
            Some(Change::Leased) => deprecated = Some(story.now.since(began).as_secs()),
            None => {}
        }
    }
    assert_eq!(deprecated, Some(1800), "the preferred lifetime");
    assert_eq!(story.now.since(began).as_secs(), 3600, "the valid one");
    let renews: Vec<_> = said
        .iter()
        .filter(|said| said.kind == Kind::Renew)
        .collect();
    let rebinds: Vec<_> = said
        .iter()
        .filter(|said| said.kind == Kind::Rebind)
        .collect();
    assert_eq!(renews.len() + rebinds.len(), said.len());
    let from = |said: &Said| said.at.since(began).as_secs();
    assert_eq!((from(renews[0]), from(rebinds[0])), (900, 1440));
    assert!(renews.len() >= 4 && rebinds.len() >= 6, "{said:?}");
    let renews_are_right = |said: &&Said| said.server.as_deref() == Some(SERVER);
    assert!(renews.iter().all(renews_are_right));
    assert!(rebinds.iter().all(|said| said.server.is_none()));
    assert!(
        said.iter()
            .all(|said| said.addresses == Some(vec![ADDRESS]))
    );
    assert_eq!(story.client.lease(), None);
    assert_eq!(story.expect(Kind::Solicit).addresses, Some(vec![]));
}

#[test]
fn a_renewal_begins_the_times_anew() {
    let mut story = Story::bound();
    story.expect(Kind::Renew);
    let stranger = answer(Kind::Reply).from(OTHER).giving(ADDRESS);
    assert_eq!(story.hear(&stranger), Err(Unmatched));
    // UnspecFail: it asks again, no sooner than it would have.
    assert_eq!(story.hear(&reply().status(1)), Ok(None));
    let waits = story.waits(1);
    assert!((9_000..=11_000).contains(&waits[0]), "{waits:?}");
    assert_eq!(
        story.hear(&reply().giving(ADDRESS)),
        Ok(Some(Change::Leased))
    );
    assert_eq!(story.times(), (900, 1440));
    story.expect(Kind::Renew);
    while story.expect_any(&[Kind::Renew, Kind::Rebind]) != Kind::Rebind {}
    assert_eq!(
        story.hear(&stranger),
        Ok(Some(Change::Leased)),
        "any server"
    );
    assert_eq!(story.expect(Kind::Renew).server.as_deref(), Some(OTHER));
}

#[test]
fn a_server_that_forgot_is_asked_anew() {
    let mut story = Story::bound();
    story.expect(Kind::Renew);
    let status = tlv(option::STATUS_CODE, &NO_BINDING.to_be_bytes());
    let forgot = reply().with(option::IA_NA, &ia(0, 0, &[status]));
    assert_eq!(story.hear(&forgot), Ok(None));
    assert_eq!(story.addresses(), [(ADDRESS, false)], "in use meanwhile");
    let request = story.expect(Kind::Request);
    assert_eq!(request.server.as_deref(), Some(SERVER));
    assert_eq!(request.addresses, Some(vec![ADDRESS]));
    story.hear(&reply().giving(ADDRESS_2)).unwrap();
    assert_eq!(story.addresses(), [(ADDRESS_2, false)]);
}

#[test]
fn lifetimes_of_zero_take_an_address_back() {
    let mut story = Story::bound();
    story.expect(Kind::Renew);
    let both = [address(ADDRESS, 0, 0), address(ADDRESS_2, 1800, 3600)];
    let renumbered = reply().with(option::IA_NA, &ia(900, 1440, &both));
    assert_eq!(story.hear(&renumbered), Ok(Some(Change::Leased)));
    assert_eq!(story.addresses(), [(ADDRESS_2, false)]);
    story.expect(Kind::Renew);
    let nothing = reply().with(option::IA_NA, &ia(0, 0, &[address(ADDRESS_2, 0, 0)]));
    assert_eq!(story.hear(&nothing), Ok(Some(Change::Lost)));
    story.expect(Kind::Solicit);
}

#[test]
fn on_a_link_that_is_back_the_addresses_are_confirmed() {
    let mut story = Story::bound();
    story.client.stop();
    story.now += Duration::from_secs(60);
    story.client.start(story.now, &mut story.random);
    let confirm = story.expect(Kind::Confirm);
    assert_eq!(
        (confirm.server, confirm.addresses),
        (None, Some(vec![ADDRESS]))
    );
    assert_eq!(confirm.wishes, None);
    assert_eq!(story.hear(&reply().status(0)), Ok(None));
    assert_eq!(story.times(), (900 - 61, 1440 - 61), "as before");
    story.expect(Kind::Renew);

    let mut story = Story::bound();
    story.client.start(story.now, &mut story.random);
    story.expect(Kind::Confirm);
    assert_eq!(
        story.hear(&reply().status(NOT_ON_LINK)),
        Ok(Some(Change::Lost))
    );
    assert_eq!(story.addresses(), []);
    story.expect(Kind::Solicit);
}

/// Section 18.2.3: without an answer in CNF_MAX_RD, 10 s, the addresses stay.
#[test]
fn addresses_that_nobody_confirms_stay() {
    let mut story = Story::bound();
    story.client.start(story.now, &mut story.random);
    let first = story.expect(Kind::Confirm).at;
    let said = loop {
        let said = story.says();
        if said.kind != Kind::Confirm {
            break said;
        }
        assert!(said.at.since(first) < Duration::from_secs(10));
    };
    assert_eq!(said.kind, Kind::Renew);
    assert_eq!(story.addresses(), [(ADDRESS, false)]);
}

#[test]
fn an_address_is_over_while_there_is_no_link() {
    let mut story = Story::bound();
    story.client.stop();
    assert_eq!(story.step(), (None, Some(Change::Leased)), "deprecated");
    assert_eq!(story.addresses(), [(ADDRESS, true)]);
    assert_eq!(story.step(), (None, Some(Change::Lost)));
    assert_eq!(story.client.next_deadline(), None);
}
