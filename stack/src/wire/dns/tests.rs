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
    assert!(
        !list.push(&name(&["label"; 12].join("."))),
        "64 bytes by default"
    );
    let domains: Vec<_> = list.iter().map(|domain| domain.to_string()).collect();
    assert_eq!(domains, ["example.org", "test"]);
}

proptest! {
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
