use std::string::ToString;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::wire::Malformed;

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

#[test]
fn texts_become_names_and_back() {
    for text in [
        "example.org",
        "a.b.c.d",
        "_sip._tcp.example.org",
        "localhost",
    ] {
        assert_eq!(name(text).to_string(), text);
    }
    assert_eq!(name("example.org."), name("example.org"));
    assert_eq!(name("example.org").as_bytes(), b"\x07example\x03org\0");
    assert_eq!(name(".").to_string(), ".");
    assert_eq!(name("wWw.Example.ORG"), name("www.example.org"), "RFC 4343");
    assert_ne!(name("www.example.org"), name("example.org"));
    assert_ne!(name("example.org"), name("www.example.org"));
}

#[test]
fn texts_that_are_no_names_are_refused() {
    let refused = |text: &str| Name::from_text(text).err();
    assert_eq!(refused("a..b"), Some(InvalidName::EmptyLabel));
    assert_eq!(refused(".a"), Some(InvalidName::EmptyLabel));
    assert_eq!(refused(&"a".repeat(64)), Some(InvalidName::LongLabel));
    assert_eq!(refused(&"a".repeat(63)), None);
    // 127 labels of one byte are 255 bytes with the root.
    assert_eq!(refused(&["a"; 127].join(".")), None);
    assert_eq!(refused(&["a"; 128].join(".")), Some(InvalidName::LongName));
}

#[test]
fn a_compressed_name_is_read_where_it_lies() {
    // RFC 1035 section 4.1.4: F.ISI.ARPA, FOO.F.ISI.ARPA, ARPA.
    let message = b"\x01F\x03ISI\x04ARPA\0\x03FOO\xc0\0\xc0\x06";
    let read = |at| DnsName::parse(message, at).map(|(name, end)| (name.to_string(), end));
    assert_eq!(read(0), Ok(("F.ISI.ARPA".to_string(), 12)));
    assert_eq!(read(12), Ok(("FOO.F.ISI.ARPA".to_string(), 18)));
    assert_eq!(read(18), Ok(("ARPA".to_string(), 20)));
}

#[test]
fn pointers_that_do_not_point_back_are_refused() {
    let read = |message: &[u8], at| DnsName::parse(message, at).map(|(_, end)| end);
    assert_eq!(read(b"\xc0\x00", 0), Err(Malformed::BadLength), "to itself");
    assert_eq!(
        read(b"\xc0\x02\xc0\x00", 0),
        Err(Malformed::BadLength),
        "ahead"
    );
    assert_eq!(
        read(b"\xc0\x02\xc0\x00", 2),
        Err(Malformed::BadLength),
        "in a circle"
    );
    assert_eq!(
        read(b"\x01a\xc0\x00", 0),
        Err(Malformed::BadLength),
        "round a label"
    );
    assert_eq!(read(b"\x01a\x01b\xc0\x02", 2), Err(Malformed::BadLength));
    assert_eq!(read(b"\xc0", 0), Err(Malformed::Truncated));
    assert_eq!(read(b"\x05abc", 0), Err(Malformed::Truncated));
    assert_eq!(read(b"", 0), Err(Malformed::Truncated));
    assert_eq!(
        read(b"\x80a", 0),
        Err(Malformed::BadLength),
        "a label of no known type"
    );
}

#[test]
fn names_longer_than_255_bytes_are_refused() {
    let mut message = vec![];
    for _ in 0..127 {
        message.extend(b"\x01a");
    }
    message.push(0);
    assert_eq!(DnsName::parse(&message, 0).map(|(_, end)| end), Ok(255));
    let start = message.len();
    message.extend(b"\x01a\xc0\0");
    let longer = DnsName::parse(&message, start).map(|(_, end)| end);
    assert_eq!(longer, Err(Malformed::BadLength), "by way of a pointer");
}

#[test]
fn a_list_of_domains_keeps_what_fits() {
    let mut list = DomainList::new();
    assert!(list.is_empty());
    assert!(list.push(&name("example.org")));
    assert!(list.push(&name("test")));
    let long = name("a-long-name.example.org");
    let mut room = cygnet_config::DNS_SEARCH_SIZE - 13 - 6;
    while room >= long.as_bytes().len() {
        assert!(list.push(&long));
        room -= long.as_bytes().len();
    }
    assert!(!list.push(&long), "DNS_SEARCH_SIZE");
    let domains: Vec<_> = list.iter().map(|domain| domain.to_string()).collect();
    assert_eq!(domains[..2], ["example.org", "test"]);
    assert!(
        domains[2..]
            .iter()
            .all(|domain| *domain == long.to_string())
    );
}

/// An answer to a question for A records of `example.org`, with these bytes behind it.
fn answer(flags: u16, counts: [u16; 3], records: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 600];
    let len = emit_query(
        &mut bytes,
        name("example.org").as_bytes(),
        RecordType::A,
        None,
    )
    .unwrap();
    bytes.truncate(len);
    bytes[2..4].copy_from_slice(&(0x8180 | flags).to_be_bytes());
    for (at, count) in [6, 8, 10].into_iter().zip(counts) {
        bytes[at..at + 2].copy_from_slice(&count.to_be_bytes());
    }
    bytes.extend_from_slice(records);
    bytes
}

/// The head of a record of the name that was asked for, with that type and that much data, for a minute.
fn head(kind: RecordType, len: u16) -> Vec<u8> {
    let [k, l] = [kind.0.to_be_bytes(), len.to_be_bytes()];
    vec![0xc0, 12, k[0], k[1], 0, 1, 0, 0, 0, 60, l[0], l[1]]
}

#[test]
fn a_query_asks_for_recursion_and_says_how_long_answers_may_be() {
    let mut bytes = [0xff; 64];
    let len = emit_query(
        &mut bytes,
        name("example.org").as_bytes(),
        RecordType::A,
        Some(1232),
    );
    let len = len.unwrap();
    assert_eq!(len, HEADER_LEN + 13 + 4 + OPT_LEN);
    let query = DnsMessage::parse(&bytes[..len]).unwrap();
    assert!(!query.is_response());
    assert_eq!(bytes[2..4], [1, 0], "recursion desired");
    assert_eq!(query.question(), name("example.org").as_name());
    assert_eq!(query.question_type(), RecordType::A);
    assert_eq!(query.question_bytes(), b"\x07example\x03org\0\0\x01\0\x01");
    let opt = query.all_records().next().unwrap();
    assert_eq!((opt.kind, opt.class), (RecordType::OPT, 1232));
    assert!(opt.name.is_root());
    assert_eq!(
        emit_query(&mut bytes[..20], b"\x07example\0", RecordType::A, None),
        None
    );
}

#[test]
fn records_say_what_they_hold() {
    let mut records = head(RecordType::A, 4);
    records.extend([192, 0, 2, 1]);
    records.extend(head(RecordType::MX, 7));
    records.extend([0, 10, 2, b'm', b'x', 0xc0, 12]);
    records.extend(head(RecordType::SRV, 8));
    records.extend([0, 1, 0, 2, 0x13, 0xc4, 0xc0, 12]);
    records.extend(head(RecordType::TXT, 5));
    records.extend([1, b'a', 2, b'b', b'c']);
    records.extend(head(RecordType::AAAA, 16));
    records.extend([0; 15]);
    records.push(1);
    records.extend(head(RecordType(99), 1));
    records.push(7);
    let bytes = answer(0, [6, 0, 0], &records);
    let message = DnsMessage::parse(&bytes).unwrap();
    let data: Vec<_> = message.answers().map(|record| record.data).collect();
    assert_eq!(data[0], RecordData::A([192, 0, 2, 1].into()));
    let example = message.question();
    match data[1] {
        RecordData::Mx {
            preference,
            exchange,
        } => {
            assert_eq!(
                (preference, exchange.to_string().as_str()),
                (10, "mx.example.org")
            );
        }
        ref other => panic!("{other:?}"),
    }
    let (priority, weight, port, target) = (1, 2, 5060, example);
    let srv = RecordData::Srv {
        priority,
        weight,
        port,
        target,
    };
    assert_eq!(data[2], srv);
    match data[3] {
        RecordData::Txt(strings) => {
            let strings: Vec<_> = strings.iter().collect();
            assert_eq!(strings, [&b"a"[..], b"bc"]);
        }
        ref other => panic!("{other:?}"),
    }
    assert_eq!(data[4], RecordData::Aaaa(core::net::Ipv6Addr::LOCALHOST));
    assert_eq!(data[5], RecordData::Other(&[7]));
    assert!(
        message
            .answers()
            .all(|record| record.ttl == 60 && record.name == example)
    );
}

#[test]
fn records_that_lie_about_their_length_are_refused() {
    let refused = |records: &[u8]| {
        let bytes = answer(0, [1, 0, 0], records);
        DnsMessage::parse(&bytes).map(|_| ()).err()
    };
    let with = |kind, len, data: &[u8]| {
        let mut records = head(kind, len);
        records.extend_from_slice(data);
        records
    };
    let a = RecordType::A;
    assert_eq!(refused(&with(a, 4, &[1, 2, 3, 4])), None);
    assert_eq!(refused(&with(a, 4, &[1, 2, 3])), Some(Malformed::Truncated));
    assert_eq!(refused(&with(a, 3, &[1, 2, 3])), Some(Malformed::BadLength));
    assert_eq!(
        refused(&with(RecordType::AAAA, 4, &[0; 4])),
        Some(Malformed::BadLength)
    );
    let cname = RecordType::CNAME;
    assert_eq!(refused(&with(cname, 2, &[0xc0, 12])), None);
    assert_eq!(
        refused(&with(cname, 3, &[0xc0, 12, 0])),
        Some(Malformed::BadLength)
    );
    assert_eq!(
        refused(&with(cname, 2, &[0xc0, 200])),
        Some(Malformed::BadLength),
        "ahead"
    );
    assert_eq!(
        refused(&with(RecordType::TXT, 2, &[5, 1])),
        Some(Malformed::BadLength)
    );
    assert_eq!(
        refused(&with(RecordType::MX, 1, &[0])),
        Some(Malformed::BadLength)
    );
    assert_eq!(
        refused(&with(RecordType::SOA, 4, &[0, 0, 0, 0])),
        Some(Malformed::BadLength)
    );
    assert_eq!(
        refused(&[]),
        Some(Malformed::Truncated),
        "fewer records than it says"
    );
}

#[test]
fn of_a_truncated_message_what_is_cut_off_does_not_count() {
    let mut records = head(RecordType::A, 4);
    records.extend([192, 0]);
    let bytes = answer(0x0200, [2, 0, 0], &records);
    let message = DnsMessage::parse(&bytes).unwrap();
    assert!(message.is_truncated());
    assert_eq!(message.answers().count(), 0);
}

#[test]
fn a_message_without_its_one_question_is_refused() {
    let mut bytes = answer(0, [0, 0, 0], &[]);
    for count in [0, 2] {
        bytes[5] = count;
        assert_eq!(DnsMessage::parse(&bytes), Err(Malformed::Unsupported));
    }
    bytes[5] = 1;
    let cut = DnsMessage::parse(&bytes[..bytes.len() - 1]);
    assert_eq!(cut, Err(Malformed::Truncated), "half a class");
}

#[cfg(feature = "socket-dns")]
#[test]
fn records_grow_older() {
    let mut records = head(RecordType::A, 4);
    records.extend([192, 0, 2, 1]);
    records.extend([0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 0]);
    let mut bytes = answer(0, [1, 0, 1], &records);
    for (seconds, left) in [(0, 60), (20, 40), (50, 0)] {
        age(&mut bytes, seconds);
        let message = DnsMessage::parse(&bytes).unwrap();
        let ttls: Vec<_> = message.all_records().map(|record| record.ttl).collect();
        assert_eq!(ttls, [left, 0x8000], "an OPT record has flags there");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_message_or_refused(
        flags: u16, counts in proptest::array::uniform3(0u16..5),
        records in proptest::collection::vec(
            prop_oneof![Just(0xc0u8), Just(12u8), 0u8..20, any::<u8>()], 0..200),
    ) {
        let mut bytes = answer(flags, counts, &records);
        for round in 0..2 {
            if let Ok(message) = DnsMessage::parse(&bytes) {
                let whole: usize = counts.iter().map(|&count| usize::from(count)).sum();
                let read = message.all_records().count();
                assert!(read == whole || (read == 0 && message.is_truncated()));
                let _ = std::format!("{:?}", message.all_records().collect::<Vec<_>>());
            }
            #[cfg(feature = "socket-dns")]
            age(&mut bytes, 7);
            if round == 0 {
                bytes.drain(..12);
            }
        }
    }

    #[test]
    fn any_bytes_are_a_name_or_refused(
        // Mostly what makes labels and pointers.
        bytes in proptest::collection::vec(prop_oneof![0u8..8, 0xc0u8..=0xc0, any::<u8>()], 0..300),
        at in 0usize..300,
    ) {
        if let Ok((name, end)) = DnsName::parse(&bytes, at) {
            assert!(end > at && end <= bytes.len());
            let len: usize = name.labels().map(|label| label.len() + 1).sum();
            assert!(len < 255);
            let copy = Name::try_from(name).unwrap();
            assert_eq!(copy.as_name(), name);
            assert_eq!(copy.as_bytes().len(), len + 1);
            let (again, end) = DnsName::parse(copy.as_bytes(), 0).unwrap();
            assert_eq!((again, end), (name, len + 1));
        }
    }
}
