use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::wire::dns::RecordData;

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

#[test]
fn what_is_written_is_read_back() {
    let (host, kind, instance) = (
        name("swan.local"),
        name("_http._tcp.local"),
        name("Swan._http._tcp.local"),
    );
    let mut buffer = [0xff; 512];
    let mut writer = MdnsWriter::new(&mut buffer, 7, true);
    assert!(writer.question(&host, RecordType::ANY, 1 | TOP_BIT));
    let mut record = |section, name, data| {
        let record = OwnRecord {
            name,
            class: 1 | TOP_BIT,
            ttl: 120,
            data,
        };
        assert!(writer.record(section, &record));
    };
    record(Section::Answer, &kind, OwnData::Ptr(&instance));
    let srv = OwnData::Srv {
        port: 80,
        target: &host,
    };
    record(Section::Authority, &instance, srv);
    record(Section::Additional, &instance, OwnData::Txt(b"\x03a=b"));
    record(Section::Additional, &host, OwnData::A([192, 0, 2, 1]));
    let nsec = OwnData::Nsec {
        next: &host,
        types: &[0x40],
    };
    record(Section::Additional, &host, nsec);
    let len = writer.finish();
    let read = MdnsMessage::parse(&buffer[..len]).unwrap();
    assert!(read.is_response() && !read.is_truncated());
    assert_eq!(read.id(), 7);
    let questions: Vec<_> = read.questions().collect();
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0].name, host.as_name());
    assert!(questions[0].unicast);
    assert_eq!(
        (questions[0].kind, questions[0].class),
        (RecordType::ANY, 1)
    );
    let all: Vec<_> = read.records().collect();
    assert_eq!(all.len(), 5);
    assert!(
        all.iter()
            .all(|r| r.flushes_cache() && r.mdns_class() == 1 && r.ttl == 120)
    );
    assert!(matches!(all[0].data, RecordData::Ptr(to) if to == instance.as_name()));
    assert!(
        matches!(all[1].data, RecordData::Srv { port: 80, target, .. } if target == host.as_name())
    );
    assert!(matches!(all[2].data, RecordData::Txt(text) if text.iter().eq([b"a=b"])));
    assert_eq!(all[3].data, RecordData::A([192, 0, 2, 1].into()));
    assert_eq!(all[4].kind, RecordType::NSEC);
    assert_eq!(read.answers().count(), 1);
    assert!(read.authorities().eq([all[1]]));
}

#[test]
fn names_are_pointed_to_once_they_are_written() {
    let mut buffer = [0; 512];
    let mut writer = MdnsWriter::new(&mut buffer, 0, false);
    writer.question(&name("a.example.local"), RecordType::A, 1);
    let first = writer.len;
    writer.question(&name("b.EXAMPLE.local"), RecordType::A, 1);
    assert_eq!(
        writer.len - first,
        2 + 2 + 4,
        "a label, a pointer, type and class"
    );
    writer.question(&name("a.example.local"), RecordType::A, 1);
    assert_eq!(writer.len - first, 8 + 6);
    let len = writer.finish();
    let read = MdnsMessage::parse(&buffer[..len]).unwrap();
    let names: Vec<_> = read.questions().map(|q| q.name).collect();
    assert!(names[0] == names[2] && names[1] == name("b.example.local").as_name());
}

#[test]
fn what_does_not_fit_leaves_nothing_behind() {
    let host = name("swan.local");
    let record = OwnRecord {
        name: &host,
        class: 1,
        ttl: 1,
        data: OwnData::A([192, 0, 2, 1]),
    };
    let mut buffer = [0; 60];
    let mut writer = MdnsWriter::new(&mut buffer, 0, true);
    let mut fitted = 0;
    while writer.record(Section::Answer, &record) {
        fitted += 1;
    }
    assert_eq!(writer.count(1), fitted);
    let len = writer.finish();
    let read = MdnsMessage::parse(&buffer[..len]).unwrap();
    assert_eq!(read.answers().count(), usize::from(fitted));
}

#[test]
fn other_opcodes_and_errors_are_not_for_us() {
    for flags in [0x0800u16, 0x8003] {
        let mut bytes = vec![0; 12];
        bytes[2..4].copy_from_slice(&flags.to_be_bytes());
        assert_eq!(MdnsMessage::parse(&bytes), Err(Malformed::Unsupported));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(message) = MdnsMessage::parse(&bytes) {
            let _ = message.questions().count();
            for record in message.records() {
                let _ = std::format!("{record:?}");
            }
        }
    }

    #[test]
    fn any_change_to_a_message_is_read_or_refused(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<proptest::sample::Index>(),
    ) {
        let (kind, instance) = (name("_http._tcp.local"), name("Swan._http._tcp.local"));
        let mut buffer = [0; 256];
        let mut writer = MdnsWriter::new(&mut buffer, 0, false);
        writer.question(&kind, RecordType::PTR, 1);
        let ptr = OwnRecord { name: &kind, class: 1, ttl: 9, data: OwnData::Ptr(&instance) };
        writer.record(Section::Answer, &ptr);
        let srv = OwnData::Srv { port: 1, target: &instance };
        writer.record(Section::Authority, &OwnRecord { data: srv, ..ptr });
        let len = writer.finish();
        let mut bytes = buffer[..len].to_vec();
        for (at, value) in changes {
            let at = at.index(len);
            bytes[at] = value;
        }
        bytes.truncate(cut.index(len + 1));
        if let Ok(message) = MdnsMessage::parse(&bytes) {
            let _ = message.questions().count();
            let _ = std::format!("{:?}", message.records().collect::<Vec<_>>());
        }
    }
}
