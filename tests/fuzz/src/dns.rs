//! Messages of DNS and Multicast DNS: whatever is read can be read to its end and written again the same, and
//! a stack that waits for an answer, or answers for its own name, takes anything.

use cygnet::wire::dns::{
    DnsMessage, DnsName, MDNS_GROUP, MDNS_PORT, MdnsMessage, MdnsWriter, Name, OwnData, OwnRecord,
    PORT, Record, RecordData, RecordType, Section, emit_query,
};
use cygnet_driver::Medium;

use crate::frames::{Call, User};
use crate::packets::{framed, udp_packet};
use crate::stand::{Memory, OUR_ADDRESS, PEER_ADDRESS, Stand};

/// An input is a message.
pub fn run(input: &[u8]) {
    for at in 0..input.len().min(NAMES) {
        read_name(input, at);
    }
    let is_dns = DnsMessage::parse(input).map(|message| read(&message));
    let is_mdns = MdnsMessage::parse(input).map(|message| write_again(&message));
    if is_dns.is_ok() || is_mdns.is_ok() {
        send(input);
    }
}

fn read_name(message: &[u8], at: usize) {
    let Ok((name, after)) = DnsName::parse(message, at) else {
        return;
    };
    assert!(at < after && after <= message.len());
    let labels: Vec<_> = name.labels().collect();
    let len: usize = labels.iter().map(|label| label.len() + 1).sum();
    assert!(len < 255 && labels.iter().all(|l| (1..=63).contains(&l.len())));
    assert_eq!(name.is_root(), labels.is_empty());
    assert!(!name.to_string().is_empty());
    if let Ok(copy) = Name::try_from(name) {
        assert_eq!(copy.as_name(), name);
        assert_eq!(copy.as_bytes().len(), len + 1);
    }
}

fn read(message: &DnsMessage<'_>) {
    let all = message.all_records().count();
    let answers = message.answers().count();
    assert!(answers + message.authorities().count() <= all);
    assert!(message.as_bytes().len() >= 12 + 10 * all);
    for record in message.all_records() {
        look_at(&record);
    }
    let Ok(name) = Name::try_from(message.question()) else {
        return;
    };
    let mut buffer = [0; 600];
    let len = emit_query(
        &mut buffer,
        name.as_bytes(),
        message.question_type(),
        Some(1_232),
    );
    let len = len.expect("room for a question");
    let again = DnsMessage::parse(&buffer[..len]).expect("our own question");
    assert_eq!(again.question(), message.question());
    assert_eq!(again.question_type(), message.question_type());
}

fn look_at(record: &Record<'_>) {
    match record.data {
        RecordData::Txt(text) => {
            let len: usize = text.iter().map(|string| string.len() + 1).sum();
            assert_eq!(len, text.as_bytes().len());
        }
        RecordData::Cname(name)
        | RecordData::Ptr(name)
        | RecordData::Mx { exchange: name, .. }
        | RecordData::Srv { target: name, .. } => {
            assert!(name.labels().map(|label| label.len() + 1).sum::<usize>() < 255);
        }
        _ => {}
    }
}

/// Writes what can be written of a message, and reads it again.
fn write_again(message: &MdnsMessage<'_>) {
    let mut buffer = vec![0; 60_000];
    let mut writer = MdnsWriter::new(&mut buffer, message.id(), message.is_response());
    let mut questions = Vec::new();
    for question in message.questions() {
        if let Ok(name) = Name::try_from(question.name)
            && writer.question(&name, question.kind, question.class)
        {
            questions.push((name, question.kind, question.class));
        }
    }
    let mut records = Vec::new();
    let (answers, authorities) = (message.answers().count(), message.authorities().count());
    for (nth, record) in message.records().enumerate() {
        look_at(&record);
        let section = match nth {
            nth if nth < answers => Section::Answer,
            nth if nth < answers + authorities => Section::Authority,
            _ => Section::Additional,
        };
        if write_record(&mut writer, section, &record) {
            records.push(record);
        }
    }
    let len = writer.finish();
    let again = MdnsMessage::parse(&buffer[..len]).expect("our own message");
    assert_eq!(
        (again.id(), again.is_response()),
        (message.id(), message.is_response())
    );
    let read = again
        .questions()
        .map(|q| (Name::try_from(q.name).expect("ours"), q.kind, q.class));
    assert!(read.eq(questions));
    assert!(again.records().eq(records));
}

fn write_record(writer: &mut MdnsWriter<'_>, section: Section, record: &Record<'_>) -> bool {
    let Ok(name) = Name::try_from(record.name) else {
        return false;
    };
    let target;
    let octets;
    let data = match record.data {
        RecordData::A(address) => OwnData::A(address.octets()),
        RecordData::Aaaa(address) => {
            octets = address.octets();
            OwnData::Other(RecordType::AAAA, &octets)
        }
        RecordData::Ptr(name) => match Name::try_from(name) {
            Ok(name) => {
                target = name;
                OwnData::Ptr(&target)
            }
            Err(_) => return false,
        },
        RecordData::Srv {
            port,
            target: name,
            priority: 0,
            weight: 0,
        } => match Name::try_from(name) {
            Ok(name) => {
                target = name;
                OwnData::Srv {
                    port,
                    target: &target,
                }
            }
            Err(_) => return false,
        },
        RecordData::Txt(text) => OwnData::Txt(text.as_bytes()),
        RecordData::Other(data) => OwnData::Other(record.kind, data),
        _ => return false,
    };
    let own = OwnRecord {
        name: &name,
        class: record.class,
        ttl: record.ttl,
        data,
    };
    writer.record(section, &own)
}

/// To a stack that asked a server, and has a name and a service of its own under `.local`.
fn send(message: &[u8]) {
    if message.len() > 1_472 {
        return;
    }
    let mut memory = Memory::new();
    let mut user = User::new(Stand::new(&mut memory, Medium::Ethernet));
    for call in [Call::Resolve, Call::Name, Call::AddService, Call::Browse] {
        user.call(call);
    }
    // While the name is probed for, and when it is in use.
    for wait in [10, 2_000] {
        user.pass(cygnet::Duration::from_millis(wait));
        let answer = udp_packet((PEER_ADDRESS, OUR_ADDRESS), (PORT, 1), message);
        let answer = user.make_absolute(&framed(&answer));
        user.receive(&answer);
        for (dst, port) in [(MDNS_GROUP, MDNS_PORT), (OUR_ADDRESS, 40_000)] {
            let ports = (port, MDNS_PORT);
            user.receive(&framed(&udp_packet((PEER_ADDRESS, dst), ports, message)));
            user.pass(cygnet::Duration::from_millis(200));
        }
        user.talk(0);
    }
    user.leave();
}

/// At so many places of a message a name is looked for.
const NAMES: usize = 512;
