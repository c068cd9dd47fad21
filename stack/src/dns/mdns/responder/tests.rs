//! RFC 6762, sentence by sentence.

#[cfg(feature = "proto-ipv6")]
mod addresses;
mod noise;

use core::net::Ipv4Addr;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use super::*;
use crate::rand::Seed;
use crate::time::Duration;
use crate::wire::dns::{
    MDNS_PORT, MdnsMessage, MdnsWriter, OwnData, OwnRecord, Record, RecordData, RecordType,
    Section, TOP_BIT,
};

const NOW: Instant = Instant::from_secs(1000);
const OURS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const EVERYBODY: Destination<u8> = Destination::Everybody(IpVersion::Ipv4);
const OTHER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const WEB: MdnsService<'_> = MdnsService {
    instance: "Swan",
    kind: "_http._tcp",
    port: 80,
    text: &["path=/"],
};

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A responder and the time.
struct Story {
    responder: Responder<u8>,
    random: Random,
    now: Instant,
}

/// A message that was sent.
#[derive(Debug)]
struct Sent {
    at: Instant,
    to: Destination<u8>,
    bytes: Vec<u8>,
}

impl Sent {
    fn read(&self) -> MdnsMessage<'_> {
        MdnsMessage::parse(&self.bytes).expect("a message that can be read")
    }

    /// Each answer's name, type and seconds.
    fn answers(&self) -> Vec<(String, u16, u32)> {
        let of = |r: Record<'_>| (r.name.to_string(), r.kind.0, r.ttl);
        self.read().answers().map(of).collect()
    }

    fn has(&self, name: &str, kind: RecordType) -> bool {
        let mut all = self.read().records();
        all.any(|r| r.name.to_string() == name && r.kind == kind)
    }

    fn is_probe(&self) -> bool {
        !self.read().is_response()
    }
}

/// A message of another host.
struct Message {
    bytes: Vec<u8>,
    port: u16,
    multicast: bool,
}

/// Asks for these.
fn query(questions: &[(&str, RecordType)]) -> Message {
    query_knowing(questions, &[], false)
}

fn query_knowing(
    questions: &[(&str, RecordType)],
    known: &[(&str, u32, OwnData<'_>)],
    unicast: bool,
) -> Message {
    write(false, |writer| {
        for &(text, kind) in questions {
            let class = 1 | if unicast { TOP_BIT } else { 0 };
            assert!(writer.question(&name(text), kind, class));
        }
        put(writer, Section::Answer, known);
    })
}

/// Tells these.
fn response(records: &[(&str, u32, OwnData<'_>)]) -> Message {
    write(true, |writer| put(writer, Section::Answer, records))
}

/// Is about to claim these.
fn probe(of: &str, records: &[(&str, u32, OwnData<'_>)]) -> Message {
    write(false, |writer| {
        assert!(writer.question(&name(of), RecordType::ANY, 1));
        put(writer, Section::Authority, records);
    })
}

fn put(writer: &mut MdnsWriter<'_>, section: Section, records: &[(&str, u32, OwnData<'_>)]) {
    for &(text, ttl, data) in records {
        let record = OwnRecord {
            name: &name(text),
            class: 1,
            ttl,
            data,
        };
        assert!(writer.record(section, &record));
    }
}

fn write(response: bool, fill: impl FnOnce(&mut MdnsWriter<'_>)) -> Message {
    let mut buffer = vec![0; 1400];
    let mut writer = MdnsWriter::new(&mut buffer, 0, response);
    fill(&mut writer);
    let len = writer.finish();
    buffer.truncate(len);
    Message {
        bytes: buffer,
        port: MDNS_PORT,
        multicast: true,
    }
}

impl Story {
    fn new() -> Self {
        let mut story = Self {
            responder: Responder::new(),
            random: Random::new(Seed::from(1)),
            now: NOW,
        };
        story.set_host("swan");
        story.plug_in(&[OURS]);
        story
    }

    /// With a host's name that is its own, and a service.
    fn settled() -> Self {
        let mut story = Self::new();
        story.add(&WEB);
        story.settle();
        story.wait(ms(2000));
        story
    }

    fn set_host(&mut self, name: &str) {
        let set = self
            .responder
            .set_host(self.now, Some(name), &mut self.random);
        assert_eq!(set, Ok(()));
    }

    fn add(&mut self, service: &MdnsService<'_>) -> MdnsServiceId {
        let added = self
            .responder
            .add_service(self.now, service, &mut self.random);
        added.expect("room")
    }

    fn plug_in(&mut self, addresses: &[Ipv4Addr]) {
        let addresses: Vec<_> = addresses.iter().map(|&address| address.into()).collect();
        self.plug_in_any(&addresses);
    }

    fn plug_in_any(&mut self, addresses: &[IpAddress]) {
        let versions = Versions::of(addresses.iter().copied());
        let addresses = addresses.iter().copied();
        self.responder
            .set_addresses(self.now, addresses, versions, &mut self.random);
    }

    /// What is sent in that time.
    fn wait(&mut self, time: Duration) -> Vec<Sent> {
        let end = self.now + time;
        let mut sent = Vec::new();
        while let Some(due) = self.responder.next_deadline().filter(|&due| due <= end) {
            self.now = self.now.max(due);
            let mut buffer = [0xff; 1400];
            if let Some((len, to)) = self.responder.poll(self.now, &mut buffer) {
                let at = self.now;
                let bytes = buffer[..len].to_vec();
                sent.push(Sent { at, to, bytes });
            }
            assert!(sent.len() < 1000, "it never ends");
        }
        self.now = end;
        sent
    }

    fn settle(&mut self) -> Vec<Sent> {
        let sent = self.wait(ms(5000));
        assert!(self.responder.is_settled());
        sent
    }

    fn hear(&mut self, message: &Message) -> Result<(), Ignored> {
        let read = MdnsMessage::parse(&message.bytes).unwrap();
        let from = From {
            endpoint: IpEndpoint::from((OTHER, message.port)),
            link: 7,
            multicast: message.multicast,
            on_link: true,
        };
        self.responder
            .on_message(self.now, &read, &from, &mut self.random)
    }

    /// The one answer to a question.
    fn ask(&mut self, message: &Message) -> Sent {
        assert_eq!(self.hear(message), Ok(()));
        let mut sent = self.wait(ms(600));
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0)
    }

    fn host(&self) -> String {
        self.responder.host().unwrap().as_str().into()
    }
}

const A: RecordType = RecordType::A;
const PTR: RecordType = RecordType::PTR;
const SRV: RecordType = RecordType::SRV;
const TXT: RecordType = RecordType::TXT;

#[test]
fn names_are_probed_for_and_then_announced() {
    let mut story = Story::new();
    story.add(&WEB);
    let sent = story.settle();
    let probes: Vec<_> = sent.iter().filter(|s| s.is_probe()).collect();
    assert_eq!(probes.len(), 6, "three for each name");
    for probe in &probes {
        let question = probe.read().questions().next().unwrap();
        assert!(question.unicast && question.kind == RecordType::ANY);
        assert!(probe.read().authorities().all(|r| r.name == question.name));
        assert!(probe.read().authorities().next().is_some());
        assert!(probe.read().authorities().all(|r| !r.flushes_cache()));
    }
    let told: Vec<_> = sent.iter().filter(|s| !s.is_probe()).collect();
    for (name, kind, ttl) in [
        ("swan.local", A, 120),
        ("_http._tcp.local", PTR, 4500),
        ("Swan._http._tcp.local", SRV, 120),
        ("Swan._http._tcp.local", TXT, 4500),
        ("_services._dns-sd._udp.local", PTR, 4500),
    ] {
        let times = told
            .iter()
            .filter(|s| s.answers().contains(&(name.into(), kind.0, ttl)));
        let times: Vec<_> = times.map(|s| s.at).collect();
        assert!(times.len() >= 2, "{name}");
        assert!(times[1].since(times[0]) >= ms(1000));
    }
    // Section 10.2: what is ours alone flushes caches, what is shared must not.
    for record in told
        .iter()
        .flat_map(|s| s.read().answers().collect::<Vec<_>>())
    {
        let is_reverse = record.name.is_within(&[b"arpa"]);
        assert_eq!(record.flushes_cache(), record.kind != PTR || is_reverse);
    }
    assert!(sent.iter().all(|s| s.to == EVERYBODY));
}

#[test]
fn a_question_for_an_address_is_answered_at_once() {
    let mut story = Story::settled();
    let before = story.now;
    let answer = story.ask(&query(&[("SWAN.local", A)]));
    assert_eq!(answer.at, before);
    assert_eq!(answer.answers(), [("swan.local".into(), 1, 120)]);
    assert_eq!(answer.to, EVERYBODY);
    assert_eq!(answer.read().questions().count(), 0, "section 6");
}

#[test]
fn a_question_for_a_type_is_answered_with_all_that_is_needed() {
    let mut story = Story::settled();
    let before = story.now;
    let answer = story.ask(&query(&[("_http._tcp.local", PTR)]));
    let delay = answer.at.since(before);
    assert!((ms(20)..=ms(120)).contains(&delay), "others may answer too");
    assert_eq!(answer.answers(), [("_http._tcp.local".into(), 12, 4500)]);
    assert!(answer.has("Swan._http._tcp.local", SRV));
    assert!(answer.has("Swan._http._tcp.local", TXT));
    assert!(answer.has("swan.local", A));
}

#[test]
fn each_type_is_listed_once() {
    let mut story = Story::settled();
    let second = story.add(&MdnsService { port: 81, ..WEB });
    story.settle();
    story.wait(ms(2000));
    assert_eq!(
        story.responder.instance(second).unwrap(),
        "Swan (2)",
        "a name of its own"
    );
    let answer = story.ask(&query(&[("_services._dns-sd._udp.local", PTR)]));
    assert_eq!(answer.read().answers().count(), 1);
    story.wait(ms(2000));
    let answer = story.ask(&query(&[("_http._tcp.local", PTR)]));
    assert_eq!(answer.read().answers().count(), 2);
}

#[test]
fn what_a_name_does_not_have_is_said() {
    let mut story = Story::settled();
    for (name, types) in [
        ("swan.local", &[0, 1, 0x40][..]),
        ("Swan._http._tcp.local", &[0, 5, 0, 0, 0x80, 0, 0x40]),
    ] {
        let answer = story.ask(&query(&[(name, RecordType::AAAA)]));
        let record = answer.read().answers().next().unwrap();
        assert_eq!(record.kind, RecordType::NSEC);
        let RecordData::Other(data) = record.data else {
            panic!("{record:?}");
        };
        assert!(data.ends_with(types), "{data:?}");
    }
    assert_eq!(story.hear(&query(&[("duck.local", A)])), Ok(()));
    assert!(story.wait(ms(600)).is_empty(), "not ours");
}

#[test]
fn what_the_asker_knows_is_not_told() {
    let mut story = Story::settled();
    let instance = name("Swan._http._tcp.local");
    let known = |ttl| [("_http._tcp.local", ttl, OwnData::Ptr(&instance))];
    let question = [("_http._tcp.local", PTR)];
    story
        .hear(&query_knowing(&question, &known(2250), false))
        .unwrap();
    assert!(story.wait(ms(600)).is_empty());
    story.ask(&query_knowing(&question, &known(2249), false));
}

#[test]
fn known_answers_may_follow_in_messages_of_their_own() {
    let mut story = Story::settled();
    let instance = name("Swan._http._tcp.local");
    let truncated = write(false, |writer| {
        writer.question(&name("_http._tcp.local"), PTR, 1);
        writer.set_truncated();
    });
    story.hear(&truncated).unwrap();
    assert!(story.wait(ms(350)).is_empty(), "section 7.2: 400 to 500 ms");
    let more = query_knowing(
        &[],
        &[("_http._tcp.local", 4500, OwnData::Ptr(&instance))],
        false,
    );
    story.hear(&more).unwrap();
    assert!(story.wait(ms(600)).is_empty());
    story.hear(&truncated).unwrap();
    assert_eq!(story.wait(ms(600)).len(), 1);
}

#[test]
fn what_another_host_has_just_told_is_not_told_again() {
    let mut story = Story::settled();
    let instance = name("Swan._http._tcp.local");
    story.hear(&query(&[("_http._tcp.local", PTR)])).unwrap();
    let same = [("_http._tcp.local", 4500, OwnData::Ptr(&instance))];
    story.hear(&response(&same)).unwrap();
    assert!(story.wait(ms(600)).is_empty());
}

#[test]
fn a_record_is_multicast_once_a_second_at_most() {
    let mut story = Story::settled();
    let question = query(&[("swan.local", A)]);
    story.ask(&question);
    story.hear(&question).unwrap();
    assert!(story.wait(ms(300)).is_empty());
    story.wait(ms(200));
    story.ask(&question);
}

#[test]
fn answers_to_several_questions_go_together() {
    let mut story = Story::settled();
    story.hear(&query(&[("_http._tcp.local", PTR)])).unwrap();
    let answer = story.ask(&query(&[
        ("swan.local", A),
        ("_services._dns-sd._udp.local", PTR),
    ]));
    assert_eq!(answer.answers().len(), 3);
}

#[test]
fn who_asks_for_it_is_answered_by_unicast() {
    let mut story = Story::settled();
    let mut question = query_knowing(&[("swan.local", A)], &[], true);
    let to_other = Destination::One(IpEndpoint::from((OTHER, MDNS_PORT)), 7);
    assert_eq!(story.ask(&question).to, to_other);
    // "If the responder has not multicast that record recently (within one quarter of its TTL), then the
    // responder SHOULD instead multicast the response".
    story.wait(ms(31_000));
    assert_eq!(story.ask(&question).to, EVERYBODY);
    question.multicast = false;
    story.wait(ms(31_000));
    assert_eq!(story.ask(&question).to, to_other, "section 5.5");
}

#[test]
fn a_plain_resolver_gets_a_plain_answer() {
    let mut story = Story::settled();
    let mut question = query(&[("swan.local", A)]);
    (question.port, question.bytes[1]) = (40_000, 99);
    let answer = story.ask(&question);
    assert_eq!(
        answer.to,
        Destination::One(IpEndpoint::from((OTHER, 40_000)), 7)
    );
    let read = answer.read();
    assert_eq!(read.id(), 99);
    let asked = read.questions().next().unwrap();
    assert!(asked.name == name("swan.local").as_name() && asked.kind == A && asked.class == 1);
    assert!(read.records().all(|r| !r.flushes_cache() && r.ttl <= 10));
}

#[test]
fn a_name_that_somebody_has_is_left_to_them() {
    let mut story = Story::new();
    story.wait(ms(300));
    let theirs = response(&[("swan.local", 120, OwnData::A(OTHER.octets()))]);
    story.hear(&theirs).unwrap();
    story.settle();
    assert_eq!(story.host(), "swan-2");
    let answer = story.ask(&query(&[("swan-2.local", A)]));
    assert_eq!(answer.answers().len(), 1);
}

#[test]
fn a_name_of_ours_that_somebody_claims_is_defended_by_another_look() {
    let mut story = Story::settled();
    let theirs = response(&[("swan.local", 120, OwnData::A(OTHER.octets()))]);
    story.hear(&theirs).unwrap();
    assert!(!story.responder.is_settled());
    let sent = story.wait(ms(200));
    assert!(sent.iter().all(Sent::is_probe));
    assert_eq!(story.host(), "swan", "it may be a mistake");
    story.hear(&theirs).unwrap();
    story.settle();
    assert_eq!(story.host(), "swan-2");
    // A goodbye and a record of another type are none of our business.
    let other = response(&[
        ("swan-2.local", 0, OwnData::A(OTHER.octets())),
        ("swan-2.local", 120, OwnData::Txt(b"\x01x")),
    ]);
    story.hear(&other).unwrap();
    assert!(story.responder.is_settled());
}

/// Section 8.1: a conflict counts "from the time the first probe packet is sent", so that two records of one message are
/// one.
#[test]
fn before_it_has_asked_nobody_has_the_name() {
    let mut story = Story::settled();
    let theirs = response(&[
        ("Swan._http._tcp.local", 4500, OwnData::Txt(b"\x01x")),
        (
            "Swan._http._tcp.local",
            120,
            OwnData::Srv {
                port: 81,
                target: &name("other.local"),
            },
        ),
    ]);
    story.hear(&theirs).unwrap();
    // The same comes by the other version of IP.
    story.hear(&theirs).unwrap();
    let sent = story.settle();
    assert!(sent.iter().any(Sent::is_probe), "it looks again");
    let announced = |s: &Sent| s.has("Swan._http._tcp.local", SRV) && !s.is_probe();
    assert!(sent.iter().any(announced), "nobody else has it");
}

/// Section 6.6: as when the last other host with a service of that type says goodbye.
#[test]
fn a_record_of_ours_that_somebody_makes_short_lived_is_told_anew() {
    let types = "_services._dns-sd._udp.local";
    let web = name("_http._tcp.local");
    let theirs = |ttl| response(&[(types, ttl, OwnData::Ptr(&web))]);
    let mut story = Story::settled();
    story.hear(&theirs(4500 / 2)).unwrap();
    assert!(story.wait(ms(2000)).is_empty(), "that is long enough");
    for ttl in [4500 / 2 - 1, 0] {
        for _ in 0..5 {
            story.hear(&theirs(ttl)).unwrap();
        }
        let sent = story.wait(ms(500));
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert_eq!(sent[0].answers(), [(types.into(), 12, 4500)]);
        story.wait(ms(1000));
    }
    // No more than once a second.
    let mut sent = 0;
    for _ in 0..30 {
        story.hear(&theirs(0)).unwrap();
        sent += story.wait(ms(100)).len();
    }
    assert!((2..=4).contains(&sent), "{sent}");
    // What is not ours any more, or not yet, is not told.
    let _ = story.responder.set_host(story.now, None, &mut story.random);
    story.wait(ms(100));
    story.set_host("goose");
    story.hear(&theirs(0)).unwrap();
    assert!(story.wait(ms(600)).iter().all(Sent::is_probe));
}

#[test]
fn a_probe_for_a_name_of_ours_is_answered_at_once() {
    let mut story = Story::settled();
    story.ask(&query(&[("swan.local", A)]));
    story.wait(ms(1000));
    let before = story.now;
    let theirs = probe(
        "swan.local",
        &[("swan.local", 120, OwnData::A(OTHER.octets()))],
    );
    let answer = story.ask(&theirs);
    assert_eq!(answer.at, before);
    assert_eq!(story.host(), "swan");
    assert!(story.responder.is_settled());
}

#[test]
fn of_two_that_probe_the_lesser_waits() {
    let theirs = |last| {
        let address = OwnData::A([192, 0, 2, last]);
        probe("swan.local", &[("swan.local", 120, address)])
    };
    let probes_after = |last| {
        let mut story = Story::new();
        let first = story.wait(ms(260));
        assert!(first[0].is_probe());
        story.hear(&theirs(last)).unwrap();
        story.wait(ms(900)).iter().filter(|s| s.is_probe()).count()
    };
    assert!(probes_after(9) == 0, "it waits a second");
    assert!(probes_after(0) > 0, "it has won");
    assert!(probes_after(1) > 0, "that is ourselves");
}

#[test]
fn a_service_that_is_removed_is_taken_back() {
    let mut story = Story::new();
    let service = story.add(&WEB);
    story.settle();
    story.wait(ms(2000));
    assert!(story.responder.remove_service(service));
    assert!(!story.responder.remove_service(service));
    let sent = story.wait(ms(100));
    assert_eq!(sent.len(), 1);
    let told = sent[0].answers();
    assert!(told.iter().all(|(_, _, ttl)| *ttl == 0), "section 10.1");
    assert!(
        told.iter()
            .any(|(name, kind, _)| name == "_http._tcp.local" && *kind == 12)
    );
    story.hear(&query(&[("_http._tcp.local", PTR)])).unwrap();
    assert!(story.wait(ms(600)).is_empty());
    let again = story.add(&WEB);
    assert_eq!(again.place, service.place, "its place is free");
    assert_eq!(story.responder.instance(service), None);
    assert!(!story.responder.remove_service(service));
}

#[test]
fn nothing_is_said_without_an_address() {
    let mut story = Story::settled();
    story.plug_in(&[]);
    assert_eq!(story.responder.next_deadline(), None);
    story.hear(&query(&[("swan.local", A)])).unwrap();
    assert!(story.wait(ms(600)).is_empty());
    story.plug_in(&[OURS]);
    let sent = story.settle();
    assert!(sent[0].is_probe(), "section 8: all is looked at anew");
}

#[test]
fn other_addresses_are_told() {
    let mut story = Story::settled();
    story.plug_in(&[OTHER]);
    let sent = story.wait(ms(2000));
    let told = |s: &Sent| {
        let record = s.read().answers().next().unwrap();
        record.data == RecordData::A(OTHER) && record.flushes_cache()
    };
    assert_eq!(sent.iter().filter(|s| told(s)).count(), 2);
}

#[test]
fn services_beyond_the_room_are_refused() {
    let mut story = Story::new();
    for _ in 0..MDNS_SERVICE_COUNT {
        story.add(&WEB);
    }
    let one_more = story
        .responder
        .add_service(story.now, &WEB, &mut story.random);
    assert_eq!(one_more, Err(MdnsError::TooManyServices));
}

#[test]
fn messages_from_elsewhere_are_not_looked_at() {
    let mut story = Story::settled();
    let mut theirs = response(&[("swan.local", 120, OwnData::A(OTHER.octets()))]);
    theirs.port = 1000;
    assert_eq!(story.hear(&theirs), Err(Ignored::NotMdns));
    assert!(story.responder.is_settled());
}

#[test]
fn long_answers_go_in_several_messages() {
    let mut story = Story::settled();
    story
        .hear(&query(&[
            ("swan.local", A),
            ("Swan._http._tcp.local", RecordType::ANY),
        ]))
        .unwrap();
    let mut records = 0;
    for _ in 0..3 {
        let mut buffer = [0; 70];
        let (len, _) = story.responder.poll(story.now, &mut buffer).unwrap();
        records += MdnsMessage::parse(&buffer[..len])
            .unwrap()
            .answers()
            .count();
    }
    assert_eq!(records, 3);
    assert!(story.responder.poll(story.now, &mut [0; 70]).is_none());
}
