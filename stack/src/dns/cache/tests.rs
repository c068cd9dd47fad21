use std::vec;
use std::vec::Vec;

use super::*;
use crate::wire::dns::{Name, emit_query};

const NOW: Instant = Instant::from_secs(100);

fn question(name: &str, kind: RecordType) -> Vec<u8> {
    let mut bytes = vec![0; 300];
    let name = Name::from_text(name).unwrap();
    let len = emit_query(&mut bytes, name.as_bytes(), kind, None).unwrap();
    bytes.truncate(len);
    bytes
}

/// An answer with that many addresses.
fn answer(name: &str, ttl: u8, addresses: u8) -> Vec<u8> {
    let mut bytes = question(name, RecordType::A);
    bytes[2] = 0x81;
    bytes[7] = addresses;
    for last in 0..addresses {
        bytes.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, ttl, 0, 4, 192, 0, 2, last]);
    }
    bytes
}

/// That there is no such name, as a zone says with these two numbers; `None`: without a zone's record.
fn nothing(name: &str, soa: Option<(u8, u8)>) -> Vec<u8> {
    let mut bytes = question(name, RecordType::A);
    (bytes[2], bytes[3]) = (0x81, 3);
    if let Some((ttl, minimum)) = soa {
        bytes[9] = 1;
        bytes.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, ttl, 0, 22, 0, 0]);
        bytes.extend([0; 19]);
        bytes.push(minimum);
    }
    bytes
}

fn put<const N: usize>(cache: &mut Cache<N>, now: Instant, bytes: &[u8]) {
    cache.put(now, &DnsMessage::parse(bytes).unwrap());
}

fn get<const N: usize>(cache: &Cache<N>, now: Instant, name: &str) -> Option<Vec<u8>> {
    let mut room = [0; 1000];
    let len = cache.get(now, &question(name, RecordType::A), &mut room)?;
    Some(room[..len].to_vec())
}

#[test]
fn an_answer_holds_as_long_as_it_says() {
    let mut cache = Cache::<512>::new();
    put(&mut cache, NOW, &answer("example.org", 60, 2));
    for (after, ttl) in [(0, Some(60)), (59, Some(1)), (60, None)] {
        let found = get(&cache, Instant::from_secs(100 + after), "ExAmPlE.org");
        let found = found.map(|bytes| {
            let message = DnsMessage::parse(&bytes).unwrap();
            assert_eq!(message.answers().count(), 2);
            message.answers().next().unwrap().ttl
        });
        assert_eq!(found, ttl, "after {after} s");
    }
    assert_eq!(get(&cache, NOW, "www.example.org"), None);
    let other = question("example.org", RecordType::AAAA);
    assert_eq!(cache.get(NOW, &other, &mut [0; 512]), None, "another type");
    let query = question("example.org", RecordType::A);
    assert_eq!(cache.get(NOW, &query, &mut [0; 20]), None, "no room");
}

#[test]
fn a_question_comes_back_in_the_letters_it_was_asked_in() {
    let mut cache = Cache::<512>::new();
    put(&mut cache, NOW, &answer("A.oRG", 60, 1));
    let found = get(&cache, NOW, "a.Org").unwrap();
    assert_eq!(found, answer("a.Org", 60, 1));
}

#[test]
fn types_that_look_like_letters_are_no_letters() {
    // 'A' and 'a' differ in case alone, 65 and 97 do not.
    let mut cache = Cache::<512>::new();
    let mut bytes = answer("example.org", 60, 1);
    let at = question("example.org", RecordType::A).len() - 3;
    bytes[at] = b'A';
    put(&mut cache, NOW, &bytes);
    let query = question("example.org", RecordType(u16::from(b'a')));
    assert_eq!(cache.get(NOW, &query, &mut [0; 512]), None);
}

#[test]
fn that_there_is_nothing_holds_as_long_as_the_zone_says() {
    let mut cache = Cache::<512>::new();
    put(&mut cache, NOW, &nothing("a.org", Some((30, 60))));
    put(&mut cache, NOW, &nothing("b.org", Some((60, 30))));
    put(&mut cache, NOW, &nothing("c.org", None));
    for name in ["a.org", "b.org"] {
        assert!(get(&cache, Instant::from_secs(129), name).is_some());
        assert_eq!(get(&cache, Instant::from_secs(130), name), None);
    }
    assert_eq!(get(&cache, NOW, "c.org"), None, "RFC 2308 section 5");
}

#[test]
fn an_alias_to_nothing_holds_no_longer_than_the_alias() {
    let mut cache = Cache::<512>::new();
    let mut bytes = question("a.org", RecordType::A);
    (bytes[2], bytes[3], bytes[7], bytes[9]) = (0x81, 3, 1, 1);
    // a.org is b.org for 20 seconds; there is no b.org for 60.
    bytes.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 20, 0, 4, 1, b'b', 0xc0, 14]);
    bytes.extend([0xc0, 14, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0]);
    bytes.extend([0; 19]);
    bytes.push(60);
    put(&mut cache, NOW, &bytes);
    assert!(get(&cache, Instant::from_secs(119), "a.org").is_some());
    assert_eq!(get(&cache, Instant::from_secs(120), "a.org"), None);
}

#[test]
fn what_another_class_has_is_no_answer() {
    let mut cache = Cache::<512>::new();
    let mut bytes = answer("a.org", 60, 1);
    let class = question("a.org", RecordType::A).len() - 1;
    bytes[class] = 3;
    put(&mut cache, NOW, &bytes);
    assert_eq!(get(&cache, NOW, "a.org"), None);
    put(&mut cache, NOW, &answer("a.org", 60, 2));
    assert_eq!(cache.entries().count(), 2, "beside each other");
}

#[test]
fn what_must_not_be_kept_is_not() {
    let mut cache = Cache::<512>::new();
    put(&mut cache, NOW, &answer("a.org", 0, 1));
    let mut truncated = answer("b.org", 60, 1);
    truncated[2] |= 2;
    put(&mut cache, NOW, &truncated);
    let mut failed = answer("c.org", 60, 1);
    failed[3] = 2;
    put(&mut cache, NOW, &failed);
    put(&mut cache, NOW, &answer("too.long.org", 60, 40));
    assert_eq!(cache.used, 0);
}

#[test]
fn the_oldest_make_room() {
    let mut cache = Cache::<150>::new();
    for name in ["a.org", "b.org", "c.org"] {
        put(&mut cache, NOW, &answer(name, 60, 1));
    }
    // 10 + 23 + 16 bytes each: three fit.
    assert!(
        ["a.org", "b.org", "c.org"]
            .iter()
            .all(|name| get(&cache, NOW, name).is_some())
    );
    put(&mut cache, NOW, &answer("d.org", 60, 1));
    assert_eq!(get(&cache, NOW, "a.org"), None);
    assert!(
        ["b.org", "c.org", "d.org"]
            .iter()
            .all(|name| get(&cache, NOW, name).is_some())
    );
    put(&mut cache, NOW, &answer("b.org", 60, 1));
    assert_eq!(cache.entries().count(), 3, "not twice");
    cache.clear();
    assert_eq!(get(&cache, NOW, "d.org"), None);
}

proptest::proptest! {
    #[test]
    fn what_is_found_is_what_was_put(
        ops in proptest::collection::vec((0u8..6, 0u8..4, 0u8..30), 0..100),
    ) {
        let mut cache = Cache::<200>::new();
        let mut last = std::collections::BTreeMap::new();
        let mut now = 0u64;
        for (name, addresses, ttl) in ops {
            now += u64::from(ttl) / 4;
            let text = std::format!("n{name}.org");
            let at = Instant::from_secs(now);
            put(&mut cache, at, &answer(&text, ttl, addresses));
            if addresses > 0 && ttl > 0 {
                last.insert(name, (addresses, now + u64::from(ttl)));
            }
            for (name, (addresses, until)) in &last {
                if let Some(found) = get(&cache, at, &std::format!("n{name}.org")) {
                    let message = DnsMessage::parse(&found).unwrap();
                    assert_eq!(message.answers().count(), usize::from(*addresses));
                    assert!(now < *until);
                }
            }
        }
    }
}
