//! Hosts with several addresses, of both versions of IP.

use core::net::Ipv6Addr;

use super::*;

const OURS_V6: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);
const SECOND_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const BOTH: [IpAddress; 2] = [IpAddress::Ipv4(OURS), IpAddress::Ipv6(OURS_V6)];
const THREE: [IpAddress; 3] = [BOTH[0], BOTH[1], IpAddress::Ipv6(SECOND_V6)];
const AAAA: RecordType = RecordType::AAAA;
const REVERSE: &str = "1.2.0.192.in-addr.arpa";
const REVERSE_V6: &str = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f.ip6.arpa";
const REVERSE_SECOND: &str =
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";

fn settled(addresses: &[IpAddress]) -> Story {
    let mut story = Story::new();
    story.plug_in_any(addresses);
    story.settle();
    story.wait(ms(2000));
    story
}

/// The messages to those who hear each version, which have to say the same.
fn said_twice(sent: &[Sent]) -> Vec<&Sent> {
    let mut once = Vec::new();
    for pair in sent.chunks(2) {
        let [first, second] = pair else {
            panic!("said once: {pair:?}");
        };
        assert_eq!(first.to, Destination::Everybody(IpVersion::Ipv6));
        assert_eq!(second.to, Destination::Everybody(IpVersion::Ipv4));
        assert_eq!(first.bytes, second.bytes);
        assert_eq!(first.at, second.at);
        once.push(first);
    }
    once
}

#[test]
fn whatever_is_said_to_everybody_is_said_over_both_versions() {
    let mut story = Story::new();
    story.plug_in_any(&BOTH);
    let service = story.add(&WEB);
    let sent = story.settle();
    let told = said_twice(&sent);
    assert_eq!(told.iter().filter(|s| s.is_probe()).count(), 6);
    let announced = |name: &str, kind| {
        let tells = |s: &&&Sent| !s.is_probe() && s.has(name, kind);
        told.iter().filter(tells).count()
    };
    for (name, kind) in [
        ("swan.local", A),
        ("swan.local", AAAA),
        (REVERSE, PTR),
        (REVERSE_V6, PTR),
    ] {
        assert!(announced(name, kind) >= 2, "{name}");
    }
    story.wait(ms(2000));
    story.hear(&query(&[("_http._tcp.local", PTR)])).unwrap();
    assert_eq!(said_twice(&story.wait(ms(600))).len(), 1);
    assert!(story.responder.remove_service(service));
    let goodbye = story.wait(ms(600));
    let goodbye = said_twice(&goodbye);
    assert!(goodbye[0].answers().iter().all(|(_, _, ttl)| *ttl == 0));
    assert_eq!(story.responder.instance(service), None);
}

#[test]
fn a_host_without_ipv4_speaks_ipv6() {
    let mut story = Story::new();
    story.plug_in_any(&[]);
    story.plug_in_any(&BOTH[1..]);
    let sent = story.settle();
    let v6 = Destination::Everybody(IpVersion::Ipv6);
    assert!(sent.len() >= 5 && sent.iter().all(|s| s.to == v6));
    story.wait(ms(2000));
    let answer = story.ask(&query(&[("swan.local", A)]));
    let record = answer.read().answers().next().unwrap();
    let RecordData::Other(data) = record.data else {
        panic!("{record:?}");
    };
    // Only AAAA, which is 28.
    assert!(data.ends_with(&[0, 4, 0, 0, 0, 0x08]), "{data:?}");
}

#[test]
fn what_a_name_of_both_does_not_have_is_said() {
    let mut story = settled(&BOTH);
    story.hear(&query(&[("swan.local", TXT)])).unwrap();
    let sent = story.wait(ms(600));
    let record = sent[0].read().answers().next().unwrap();
    let RecordData::Other(data) = record.data else {
        panic!("{record:?}");
    };
    assert!(data.ends_with(&[0, 4, 0x40, 0, 0, 0x08]), "{data:?}");
}

/// Section 6.2.
#[test]
fn addresses_of_one_version_bring_those_of_the_other_along() {
    let mut story = settled(&THREE);
    story.hear(&query(&[("swan.local", A)])).unwrap();
    let sent = story.wait(ms(600));
    let message = sent[0].read();
    assert_eq!(message.answers().count(), 1);
    let more: Vec<_> = message.records().skip(1).map(|r| r.data).collect();
    assert_eq!(
        more,
        [RecordData::Aaaa(OURS_V6), RecordData::Aaaa(SECOND_V6)]
    );
    story.wait(ms(2000));
    story.hear(&query(&[("swan.local", AAAA)])).unwrap();
    let sent = story.wait(ms(600));
    assert_eq!(sent[0].read().answers().count(), 2);
    assert!(sent[0].has("swan.local", A));
    // There are none of the other version.
    let mut story = settled(&BOTH[..1]);
    let answer = story.ask(&query(&[("swan.local", A)]));
    assert!(answer.has("swan.local", RecordType::NSEC));
}

#[test]
fn addresses_lead_to_the_name() {
    let mut story = settled(&THREE);
    for (reverse, other) in [
        (REVERSE, REVERSE_V6),
        (REVERSE_V6, REVERSE_SECOND),
        (REVERSE_SECOND, REVERSE),
    ] {
        story.hear(&query(&[(reverse, PTR)])).unwrap();
        let sent = story.wait(ms(600));
        let message = sent[0].read();
        let records: Vec<_> = message.answers().collect();
        assert_eq!(records.len(), 1);
        assert!(records[0].flushes_cache() && records[0].ttl == 120);
        let host = name("swan.local");
        assert_eq!(records[0].data, RecordData::Ptr(host.as_name()));
        assert!(sent[0].has(reverse, PTR) && !sent[0].has(other, PTR));
        story.wait(ms(1000));
        // To who knows it, or asks for another address, nothing is said.
        let known = [(reverse, 60, OwnData::Ptr(&host))];
        let question = query_knowing(&[(reverse, PTR)], &known, false);
        story.hear(&question).unwrap();
    }
    let elsewhere = "2.2.0.192.in-addr.arpa";
    story.hear(&query(&[(elsewhere, PTR)])).unwrap();
    assert!(story.wait(ms(600)).is_empty());
}

#[test]
fn of_several_addresses_all_have_to_be_known() {
    let mut story = settled(&THREE);
    let question = [("swan.local", AAAA)];
    let known = |ttls: [u32; 2]| {
        let data = [OURS_V6, SECOND_V6].map(|address| OwnData::Aaaa(address.octets()));
        let records = [0, 1].map(|n| ("swan.local", ttls[n], data[n]));
        query_knowing(&question, &records, false)
    };
    story.hear(&known([120, 60])).unwrap();
    assert!(story.wait(ms(600)).is_empty());
    story.hear(&known([120, 59])).unwrap();
    assert_eq!(said_twice(&story.wait(ms(600))).len(), 1);
}

/// A proxy, or another of our own messages that came back.
#[test]
fn one_of_several_addresses_of_ours_is_no_conflict() {
    let mut story = settled(&THREE);
    for address in [OURS_V6, SECOND_V6] {
        let data = OwnData::Aaaa(address.octets());
        story.hear(&response(&[("swan.local", 120, data)])).unwrap();
    }
    assert!(story.responder.is_settled());
    let theirs = OwnData::Aaaa([0x20; 16]);
    story
        .hear(&response(&[("swan.local", 120, theirs)]))
        .unwrap();
    assert!(!story.responder.is_settled());
}

/// Section 6.6.
#[test]
fn one_of_several_addresses_that_somebody_takes_back_is_told_anew() {
    let mut story = settled(&THREE);
    let data = OwnData::Aaaa(SECOND_V6.octets());
    story.hear(&response(&[("swan.local", 0, data)])).unwrap();
    let sent = story.wait(ms(500));
    let told = said_twice(&sent);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].read().answers().count(), 2, "both of IPv6");
    assert!(story.responder.is_settled());
}

/// Section 10.1.
#[test]
fn an_address_that_goes_away_is_taken_back() {
    let mut story = settled(&THREE);
    story.plug_in_any(&BOTH);
    let sent = story.wait(ms(100));
    let told = said_twice(&sent);
    let goodbye = told[0].read();
    let taken: Vec<_> = goodbye.answers().collect();
    assert_eq!(taken.len(), 2);
    assert_eq!(taken[0].data, RecordData::Aaaa(SECOND_V6));
    assert!(taken[1].name == name(REVERSE_SECOND).as_name());
    let host = name("swan.local");
    assert_eq!(taken[1].data, RecordData::Ptr(host.as_name()));
    assert!(taken.iter().all(|r| r.ttl == 0 && !r.flushes_cache()));
    // The others are told anew, and the goodbye once.
    assert!(told[1].has("swan.local", AAAA) && !told[1].has(REVERSE_SECOND, PTR));
    let later = story.wait(ms(3000));
    assert!(later.iter().all(|s| s.answers().iter().all(|a| a.2 > 0)));
    assert!(story.responder.is_settled());
}

#[test]
fn an_address_of_another_version_is_a_reason_to_ask_anew() {
    let mut story = settled(&BOTH[..1]);
    story.plug_in_any(&BOTH);
    let sent = story.settle();
    let probes = sent.iter().filter(|s| s.is_probe()).count();
    assert_eq!(probes, 6, "others may have the name who hear IPv6 alone");
    // Another of the same version is only told.
    story.plug_in_any(&THREE);
    let sent = story.settle();
    assert!(!sent.is_empty() && !sent.iter().any(Sent::is_probe));
}

/// What is taken back, over both versions: the name, and the data.
fn taken_back(sent: &[Sent]) -> Vec<(String, String)> {
    let goodbyes = sent.iter().filter(|s| !s.is_probe());
    let goodbyes: Vec<_> = goodbyes
        .filter(|s| s.answers().iter().any(|(_, _, ttl)| *ttl == 0))
        .collect();
    let mut taken = Vec::new();
    for pair in goodbyes.chunks(2) {
        assert_eq!(pair[0].bytes, pair[1].bytes, "over both versions");
        for record in pair[0].read().answers() {
            assert_eq!(record.ttl, 0);
            let data = match record.data {
                RecordData::Ptr(name) | RecordData::Srv { target: name, .. } => name.to_string(),
                other => std::format!("{other:?}"),
            };
            taken.push((record.name.to_string(), data));
        }
    }
    taken
}

/// Section 10.1.
#[test]
fn a_host_without_a_name_takes_all_back() {
    let mut story = settled(&THREE);
    story.add(&WEB);
    story.add(&MdnsService {
        instance: "Duck",
        ..WEB
    });
    story.settle();
    story.wait(ms(2000));
    let unset = story.responder.set_host(story.now, None, &mut story.random);
    assert_eq!(unset, Ok(()));
    let taken = taken_back(&story.wait(ms(100)));
    let data = |record: RecordData<'_>| std::format!("{record:?}");
    let swan = || String::from("swan.local");
    for (name, data) in [
        ("swan.local", data(RecordData::A(OURS))),
        ("swan.local", data(RecordData::Aaaa(OURS_V6))),
        ("swan.local", data(RecordData::Aaaa(SECOND_V6))),
        (REVERSE, swan()),
        (REVERSE_V6, swan()),
        (REVERSE_SECOND, swan()),
        ("Swan._http._tcp.local", swan()),
        ("Duck._http._tcp.local", swan()),
        ("_http._tcp.local", "Swan._http._tcp.local".into()),
        ("_http._tcp.local", "Duck._http._tcp.local".into()),
        ("_services._dns-sd._udp.local", "_http._tcp.local".into()),
    ] {
        let is_it = |taken: &&(String, String)| taken.0 == name && taken.1 == data;
        let times = taken.iter().filter(is_it).count();
        assert_eq!(times, 1, "{name} {data}: {taken:?}");
    }
    assert!(story.wait(ms(10_000)).is_empty());
    assert_eq!(story.responder.next_deadline(), None);
}

#[test]
fn a_host_that_takes_another_name_takes_the_old_one_back() {
    let mut story = settled(&BOTH);
    story.set_host("goose");
    let sent = story.settle();
    let taken = taken_back(&sent);
    assert_eq!(taken.len(), 4);
    assert!(taken.contains(&(
        "swan.local".into(),
        std::format!("{:?}", RecordData::A(OURS))
    )));
    assert!(taken.contains(&(REVERSE.into(), "swan.local".into())));
    assert!(sent.iter().any(|s| s.has("goose.local", AAAA)));
    // From now on it is that one.
    story.set_host("duck");
    let taken = taken_back(&story.settle());
    assert!(taken.contains(&(REVERSE.into(), "goose.local".into())));
}

#[test]
fn a_name_that_nobody_was_told_is_not_taken_back() {
    let mut story = Story::new();
    story.plug_in_any(&BOTH);
    story.wait(ms(500));
    story.set_host("goose");
    assert!(taken_back(&story.settle()).is_empty());
}

#[test]
fn what_is_half_taken_back_is_taken_back_anew() {
    let mut story = settled(&BOTH);
    let _ = story.responder.set_host(story.now, None, &mut story.random);
    let mut buffer = [0; 1400];
    let (_, to) = story.responder.poll(story.now, &mut buffer).unwrap();
    assert_eq!(to, Destination::Everybody(IpVersion::Ipv6));
    story.set_host("goose");
    let taken = taken_back(&story.wait(ms(100)));
    assert!(taken.contains(&(REVERSE.into(), "swan.local".into())));
    // Without a link there is nobody to tell.
    let _ = story.responder.set_host(story.now, None, &mut story.random);
    story.plug_in_any(&[]);
    assert_eq!(story.responder.next_deadline(), None);
}
