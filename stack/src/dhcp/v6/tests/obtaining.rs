//! How a lease is obtained: by two messages or four, from the best of several servers (RFC 8415, sections
//! 18.2.1 and 18.2.2).

use super::*;

#[test]
fn four_messages_give_an_address() {
    let mut story = Story::new(four_messages());
    let began = story.now;
    let solicit = story.expect(Kind::Solicit);
    assert!(
        solicit.at.since(began) < Duration::from_secs(1),
        "SOL_MAX_DELAY"
    );
    assert_eq!((solicit.elapsed, solicit.server), (0, None));
    assert_eq!(solicit.addresses, Some(vec![]));
    assert!(!solicit.is_rapid);
    // Section 18.2.1: SOL_MAX_RT has to be asked for.
    assert_eq!(solicit.wishes, Some(vec![82, 23, 24]));
    assert_eq!(story.hear(&advertise().giving(ADDRESS)), Ok(None));
    let request = story.expect(Kind::Request);
    // The first wait is longer than a second, so that other servers are heard.
    let waited = request.at.since(solicit.at).as_millis();
    assert!((1001..=1100).contains(&waited), "{waited} ms");
    assert_eq!(request.server.as_deref(), Some(SERVER));
    assert_eq!(request.addresses, Some(vec![ADDRESS]));
    assert_ne!(request.xid, solicit.xid);
    assert_eq!(request.elapsed, 0, "of this exchange");
    let given = reply()
        .giving(ADDRESS)
        .with(option::DNS_SERVERS, &ADDRESS_2.octets())
        .with(option::DOMAIN_LIST, b"\x07example\x03org\0");
    assert_eq!(story.hear(&given), Ok(Some(Change::Leased)));
    let lease = story.client.lease().expect("a lease");
    assert_eq!(lease.server.as_bytes(), SERVER);
    assert_eq!(lease.addresses[0].address, ADDRESS);
    assert_eq!(lease.addresses[0].valid, Some(Duration::from_secs(3600)));
    assert_eq!(lease.dns_servers[..], [ADDRESS_2]);
    assert_eq!(lease.domains.iter().count(), 1);
    assert_eq!(story.times(), (900, 1440));
}

#[test]
fn two_messages_do_where_both_agree() {
    let mut story = Story::new(Dhcpv6Config::stateful());
    assert!(story.expect(Kind::Solicit).is_rapid);
    let silent = reply().giving(ADDRESS);
    assert_eq!(story.hear(&silent), Err(Unmatched), "it does not say so");
    let rapid = silent.with(option::RAPID_COMMIT, &[]);
    assert_eq!(story.hear(&rapid), Ok(Some(Change::Leased)));
    assert_eq!(story.addresses(), [(ADDRESS, false)]);
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    assert_eq!(story.hear(&rapid), Err(Unmatched), "it was not asked to");
}

/// Section 18.2.1: waits double from a second to SOL_MAX_RT, a tenth more or less.
#[test]
fn solicits_wait_longer_each_time() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    let waits = story.waits(16);
    assert!((1001..=1100).contains(&waits[0]), "{waits:?}");
    for pair in waits.windows(2) {
        let up_to = pair[0] * 21 / 10 + 1;
        let is_doubled = (pair[0] * 19 / 10..=up_to).contains(&pair[1]);
        let is_longest = (3_240_000..=3_960_000).contains(&pair[1]);
        assert!(is_doubled || is_longest, "{waits:?}");
    }
    assert!(waits[15] >= 3_240_000, "{waits:?}");
}

#[test]
fn a_server_without_addresses_says_how_long_waits_may_become() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    let none = advertise().status(NO_ADDRS);
    for (seconds, longest) in [(59u32, 3600), (86_401, 3600), (60, 60)] {
        let none = none
            .clone()
            .with(option::SOL_MAX_RT, &seconds.to_be_bytes());
        assert_eq!(story.hear(&none), Err(Unmatched), "no address");
        let longest = Timing::solicit(&MaxTimeouts::new()).up_to(longest);
        assert_eq!(Timing::solicit(&story.client.timeouts), longest);
    }
    let last = story.waits(12).pop().unwrap();
    assert!((54_000..=66_000).contains(&last), "{last}");
}

#[test]
fn the_best_server_is_chosen_when_all_had_their_time() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    let low = advertise().giving(ADDRESS).with(option::PREFERENCE, &[1]);
    let other = answer(Kind::Advertise).from(OTHER).giving(ADDRESS_2);
    let high = other.clone().with(option::PREFERENCE, &[200]);
    for offer in [low, high, advertise().giving(ADDRESS)] {
        assert_eq!(story.hear(&offer), Ok(None));
    }
    let request = story.expect(Kind::Request);
    assert_eq!(request.server.as_deref(), Some(OTHER));
    assert_eq!(request.addresses, Some(vec![ADDRESS_2]));
}

#[test]
fn a_preference_of_255_is_taken_at_once_and_so_is_a_late_answer() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    let now = story.now;
    story
        .hear(&advertise().giving(ADDRESS).with(option::PREFERENCE, &[255]))
        .unwrap();
    assert_eq!(story.expect(Kind::Request).at, now);

    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    story.expect(Kind::Solicit);
    let now = story.now;
    story.hear(&advertise().giving(ADDRESS)).unwrap();
    assert_eq!(story.expect(Kind::Request).at, now);
}

/// Section 18.2.2: REQ_MAX_RC is 10, and REQ_MAX_RT 30 s.
#[test]
fn a_server_that_goes_is_given_up_after_ten_requests() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    story.hear(&advertise().giving(ADDRESS)).unwrap();
    let first = story.expect(Kind::Request);
    for nth in 1..10 {
        let said = story.expect(Kind::Request);
        assert_eq!(said.xid, first.xid);
        let elapsed = said.at.since(first.at).as_millis() / 10;
        assert_eq!(u64::from(said.elapsed), elapsed, "the {nth}th");
    }
    assert_eq!(story.expect(Kind::Solicit).addresses, Some(vec![]));
}

#[test]
fn only_answers_to_what_was_asked_count() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    let mut late = advertise().giving(ADDRESS);
    late.wrong_xid = 1;
    let no_server = answer(Kind::Advertise).giving(ADDRESS);
    let mut not_for_us = advertise().giving(ADDRESS);
    not_for_us.options[9] ^= 1;
    let mut no_client = advertise().giving(ADDRESS);
    no_client.options.drain(..14);
    let reconfigure = answer(Kind::Reconfigure).from(SERVER);
    for bad in [
        late,
        no_server,
        not_for_us,
        no_client,
        reconfigure,
        reply().giving(ADDRESS),
    ] {
        assert_eq!(story.hear(&bad), Err(Unmatched));
    }
    story.hear(&advertise().giving(ADDRESS)).unwrap();
    story.expect(Kind::Request);
    let stranger = answer(Kind::Reply).from(OTHER).giving(ADDRESS);
    assert_eq!(story.hear(&stranger), Err(Unmatched), "another server");
    assert_eq!(
        story.hear(&reply().giving(ADDRESS)),
        Ok(Some(Change::Leased))
    );
    assert_eq!(
        story.hear(&reply().giving(ADDRESS)),
        Err(Unmatched),
        "twice"
    );
}

#[test]
fn what_cannot_be_given_is_not_taken() {
    let link_local: Ipv6Addr = "fe80::1".parse().unwrap();
    for given in [
        // T1 > T2.
        ia(100, 50, &[address(ADDRESS, 1800, 3600)]),
        ia(0, 0, &[address(ADDRESS, 3601, 3600)]),
        ia(0, 0, &[address(ADDRESS, 0, 0)]),
        ia(0, 0, &[address(link_local, 1800, 3600)]),
        ia(0, 0, &[address(Ipv6Addr::UNSPECIFIED, 1800, 3600)]),
        ia(0, 0, &[address(Ipv6Addr::LOCALHOST, 1800, 3600)]),
        ia(0, 0, &[address("ff02::1".parse().unwrap(), 1800, 3600)]),
        ia(0, 0, &[tlv(option::STATUS_CODE, &NO_ADDRS.to_be_bytes())]),
        ia(0, 0, &[]),
    ] {
        let mut story = Story::new(four_messages());
        story.expect(Kind::Solicit);
        let offer = advertise().with(option::IA_NA, &given);
        assert_eq!(story.hear(&offer), Err(Unmatched), "{given:?}");
        story.hear(&advertise().giving(ADDRESS)).unwrap();
        let asked = story.expect(Kind::Request).at;
        assert_eq!(story.hear(&reply().with(option::IA_NA, &given)), Ok(None));
        let again = story.expect(Kind::Solicit).at;
        assert!(again.since(asked) >= Duration::from_secs(4), "not at once");
    }
}

/// Section 21.4 leaves times of 0 to the client; those that end too late are a server's mistake.
#[test]
fn times_that_are_missing_or_cannot_be_are_replaced() {
    let forever = u32::MAX;
    for ((t1, t2), (preferred, valid), expected) in [
        ((0, 0), (1800, 3600), (900, 1440)),
        ((600, 0), (1800, 3600), (600, 1440)),
        ((1600, 0), (1800, 3600), (1600, 1600)),
        ((0, 700), (1800, 3600), (700, 700)),
        ((0, 1700), (1800, 3600), (900, 1700)),
        ((900, 3600), (1800, 3600), (900, 1440)),
        ((900, 9000), (1800, 3600), (900, 1440)),
        ((9000, 9000), (20, 40), (10, 16)),
        // Deprecated from the start.
        ((0, 0), (0, 3600), (1800, 2880)),
        ((10, 20), (forever, forever), (10, 20)),
    ] {
        let given = ia(t1, t2, &[address(ADDRESS, preferred, valid)]);
        let story = Story::bound_to(
            Dhcpv6Config::stateful(),
            reply().with(option::IA_NA, &given),
        );
        assert_eq!(
            story.times(),
            expected,
            "T1 {t1}, T2 {t2}, {preferred} {valid}"
        );
    }
    let given = ia(forever, forever, &[address(ADDRESS, forever, forever)]);
    let story = Story::bound_to(
        Dhcpv6Config::stateful(),
        reply().with(option::IA_NA, &given),
    );
    let century = Instant::from_secs(100 * 365 * 86_400);
    assert!(story.client.next_deadline().unwrap() > century);
    assert_eq!(story.client.lease().unwrap().addresses[0].valid, None);
    let mut config = Dhcpv6Config::stateful();
    config.max_lifetime = Some(Duration::from_secs(100));
    let story = Story::bound_to(config, reply().with(option::IA_NA, &given));
    assert_eq!(story.times(), (50, 80));
}

#[test]
fn a_longest_lifetime_of_nothing_is_a_second() {
    let mut config = Dhcpv6Config::stateful();
    config.max_lifetime = Some(Duration::ZERO);
    let mut story = Story::bound_to(config.clone(), reply().giving(ADDRESS));
    assert_eq!(story.says().kind, Kind::Renew, "it is not over at once");
    assert_eq!(story.addresses(), [(ADDRESS, false)]);
    config.mode = Dhcpv6Mode::Stateless;
    let mut story = Story::new(config);
    story.expect(Kind::InformationRequest);
    story.hear(&reply()).unwrap();
    let (now, next) = (story.now, story.client.next_deadline());
    assert_eq!(next, Some(now + Duration::from_secs(1)));
}

#[test]
fn a_prefix_is_asked_for_beside_the_address() {
    let delegated = Ipv6Cidr::new("2001:db8:8000::".parse().unwrap(), 56);
    let mut config = Dhcpv6Config::stateful();
    config.prefix_delegation = true;
    let given = reply().giving(ADDRESS).with(
        option::IA_PD,
        &ia(300, 480, &[prefix(delegated, 600, 1200)]),
    );
    let mut story = Story::bound_to(config, given);
    assert_eq!(story.times(), (300, 480), "the earlier ones");
    let lease = story.client.lease().unwrap();
    assert_eq!(lease.prefixes[0].prefix, delegated);
    assert_eq!(lease.prefixes[0].valid, Some(Duration::from_secs(1200)));
    let renew = story.expect(Kind::Renew);
    assert_eq!(renew.prefixes, Some(vec![delegated]));
    assert_eq!(renew.addresses, Some(vec![ADDRESS]));
    // Section 18.2.12: a prefix cannot be confirmed.
    story.client.start(story.now, &mut story.random);
    let first = story.expect(Kind::Rebind);
    let second = story.expect(Kind::Rebind);
    assert!(
        second.at.since(first.at) < Duration::from_secs(2),
        "as a Confirm"
    );
}

#[test]
fn information_alone_is_asked_for_again_when_it_is_old() {
    let mut story = Story::new(Dhcpv6Config::stateless());
    let said = story.expect(Kind::InformationRequest);
    assert_eq!((said.addresses, said.server), (None, None));
    assert_eq!(said.wishes, Some(vec![83, 32, 23, 24]));
    let told = reply().with(option::DNS_SERVERS, &ADDRESS.octets());
    // IRT_DEFAULT, IRT_MINIMUM, and what the server says.
    for (seconds, expected) in [(None, 86_400), (Some(1u32), 600), (Some(7200), 7200)] {
        let told = match seconds {
            Some(seconds) => {
                let seconds = seconds.to_be_bytes();
                told.clone()
                    .with(option::INFORMATION_REFRESH_TIME, &seconds)
            }
            None => told.clone(),
        };
        assert_eq!(story.hear(&told), Ok(Some(Change::Leased)));
        let heard = story.now;
        let lease = story.client.lease().unwrap();
        assert_eq!(lease.dns_servers[..], [ADDRESS]);
        assert!(lease.addresses.is_empty());
        let waited = story
            .expect(Kind::InformationRequest)
            .at
            .since(heard)
            .as_secs();
        assert!((expected..=expected + 1).contains(&waited), "{waited}");
    }
    let forever = told.with(option::INFORMATION_REFRESH_TIME, &[0xff; 4]);
    story.hear(&forever).unwrap();
    let century = Instant::from_secs(100 * 365 * 86_400);
    assert!(story.client.next_deadline().unwrap() > century);
}
