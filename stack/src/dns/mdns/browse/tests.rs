use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::rand::Seed;

const NOW: Instant = Instant::from_secs(1000);
const KIND: &str = "_http._tcp.local";

fn name(text: &str) -> Name {
    Name::from_text(text).unwrap()
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn ipv4() -> Versions {
    Versions::of(core::iter::once(
        core::net::Ipv4Addr::new(192, 0, 2, 1).into(),
    ))
}

struct Story {
    browse: Browse<'static>,
    now: Instant,
}

/// A question that was sent: when, whether by unicast, and which answers were known.
type Asked = (Instant, bool, Vec<(String, u32)>);

impl Story {
    fn with_buffer(len: usize) -> Self {
        let buffer: Bytes<'static> = vec![0; len].into();
        let mut browse = Browse::new(name(KIND), RecordType::PTR, buffer);
        assert_eq!(browse.next_deadline(), None);
        browse.start(NOW, ipv4(), &mut Random::new(Seed::from(1)));
        Self { browse, now: NOW }
    }

    fn new() -> Self {
        Self::with_buffer(500)
    }

    /// What is asked in that time.
    fn wait(&mut self, time: Duration) -> Vec<Asked> {
        let end = self.now + time;
        let mut asked = Vec::new();
        for _ in 0..1000 {
            let Some(due) = self.browse.next_deadline().filter(|&due| due <= end) else {
                self.now = end;
                return asked;
            };
            self.now = self.now.max(due);
            self.browse.on_timeout(self.now);
            let mut buffer = [0; 600];
            if let Some((len, IpVersion::Ipv4)) = self.browse.poll(self.now, &mut buffer) {
                let message = MdnsMessage::parse(&buffer[..len]).unwrap();
                let question = message.questions().next().unwrap();
                assert!(question.name == name(KIND).as_name());
                let known = message.answers().map(|r| match r.data {
                    RecordData::Ptr(to) => (to.to_string(), r.ttl),
                    other => panic!("{other:?}"),
                });
                asked.push((self.now, question.unicast, known.collect()));
            }
        }
        panic!("it never ends");
    }

    fn hear(&mut self, records: &[(&str, u32)]) {
        let mut buffer = [0; 1000];
        let mut writer = MdnsWriter::new(&mut buffer, 0, true);
        for &(to, ttl) in records {
            let record = OwnRecord {
                name: &name(KIND),
                class: 1,
                ttl,
                data: OwnData::Ptr(&name(to)),
            };
            assert!(writer.record(Section::Answer, &record));
        }
        let len = writer.finish();
        let message = MdnsMessage::parse(&buffer[..len]).unwrap();
        self.browse.on_response(self.now, &message);
    }

    /// All there is to tell: `+` and `-` and the name.
    fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(text) = self.browse.tell(|found| match found {
            MdnsFound::Added(RecordData::Ptr(to)) => std::format!("+{to}"),
            MdnsFound::Removed(RecordData::Ptr(to)) => std::format!("-{to}"),
            other => panic!("{other:?}"),
        }) {
            told.push(text);
        }
        assert!(!self.browse.has_news());
        told
    }
}

#[test]
fn it_asks_less_and_less_often() {
    let mut story = Story::new();
    let asked = story.wait(secs(100));
    let first = asked[0].0.since(NOW).as_millis();
    assert!((20..=120).contains(&first));
    assert!(
        asked[0].1 && asked[1..].iter().all(|asked| !asked.1),
        "QU first"
    );
    let pauses: Vec<_> = asked
        .windows(2)
        .map(|w| w[1].0.since(w[0].0).as_secs())
        .collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32]);
    assert_eq!(
        story.wait(secs(50_000)).len() / 10,
        1,
        "an hour apart at last"
    );
}

#[test]
fn what_comes_and_goes_is_told_once() {
    let mut story = Story::new();
    story.hear(&[("a.local", 120), ("b.local", 120)]);
    story.hear(&[("A.local", 120)]);
    assert_eq!(story.told(), ["+a.local", "+b.local"]);
    story.hear(&[("a.local", 0), ("c.local", 0)]);
    story.wait(Duration::from_millis(900));
    assert_eq!(story.told(), [""; 0], "a goodbye takes a second");
    story.wait(Duration::from_millis(200));
    assert_eq!(story.told(), ["-a.local"]);
    story.wait(secs(120));
    assert_eq!(story.told(), ["-b.local"]);
}

#[test]
fn a_goodbye_that_is_taken_back_is_none() {
    let mut story = Story::new();
    story.hear(&[("a.local", 120)]);
    story.told();
    story.hear(&[("a.local", 0)]);
    story.hear(&[("a.local", 120)]);
    story.wait(secs(5));
    assert_eq!(story.told(), [""; 0]);
    story.hear(&[("a.local", 0)]);
    story.wait(secs(2));
    story.hear(&[("a.local", 120)]);
    assert_eq!(story.told(), [""; 0], "nobody had heard that it was gone");
}

#[test]
fn what_is_known_goes_with_the_question() {
    let mut story = Story::new();
    story.hear(&[("a.local", 4500), ("b.local", 10)]);
    let asked = story.wait(Duration::from_millis(500));
    let known: Vec<_> = asked[0].2.iter().map(|known| known.0.as_str()).collect();
    assert_eq!(known, ["a.local", "b.local"]);
    let later = story.wait(secs(9));
    let known = &later.last().unwrap().2;
    assert_eq!(known.len(), 1, "not what is past half its time: {known:?}");
}

#[test]
fn it_asks_again_before_an_answer_runs_out() {
    let mut story = Story::new();
    story.wait(secs(5000));
    story.hear(&[("a.local", 1000)]);
    let from = story.now;
    let asked = story.wait(secs(1001));
    let at: Vec<_> = asked
        .iter()
        .map(|asked| asked.0.since(from).as_secs())
        .collect();
    for percent in [800, 850, 900, 950] {
        assert!(at.contains(&percent), "{at:?}");
    }
    assert_eq!(story.told(), [""; 0], "nobody heard of it, and it is gone");
}

#[test]
fn what_does_not_fit_is_counted() {
    let mut story = Story::with_buffer(60);
    story.hear(&[("a.local", 120), ("b.local", 120), ("c.local", 120)]);
    assert_eq!(story.told(), ["+a.local", "+b.local"]);
    assert_eq!(story.browse.lost(), 1);
}

#[test]
fn a_new_record_replaces_those_that_were_to_be_flushed() {
    let srv = |port, flush: u16| {
        let mut buffer = vec![0; 300];
        let mut writer = MdnsWriter::new(&mut buffer, 0, true);
        let data = OwnData::Srv {
            port,
            target: &name("swan.local"),
        };
        let record = OwnRecord {
            name: &name("Swan.local"),
            class: 1 | flush,
            ttl: 120,
            data,
        };
        writer.record(Section::Answer, &record);
        let len = writer.finish();
        buffer.truncate(len);
        buffer
    };
    let mut browse = Browse::new(name("swan.local"), RecordType::SRV, vec![0; 300].into());
    let mut hear = |at, bytes: &[u8]| {
        browse.on_timeout(at);
        browse.on_response(at, &MdnsMessage::parse(bytes).unwrap());
        let mut told = Vec::new();
        browse.on_timeout(at + secs(1));
        while let Some((added, port)) = browse.tell(|found| match found {
            MdnsFound::Added(RecordData::Srv { port, .. }) => (true, port),
            MdnsFound::Removed(RecordData::Srv { port, .. }) => (false, port),
            other => panic!("{other:?}"),
        }) {
            told.push((added, port));
        }
        told
    };
    assert_eq!(hear(NOW, &srv(80, 0)), [(true, 80)]);
    assert_eq!(hear(NOW + secs(5), &srv(81, 0)), [(true, 81)], "both");
    assert_eq!(
        hear(NOW + secs(10), &srv(82, TOP_BIT)),
        [(false, 80), (false, 81), (true, 82)]
    );
}

#[test]
fn it_is_quiet_while_the_link_is_down() {
    let mut story = Story::new();
    story.hear(&[("a.local", 120)]);
    story.told();
    story.browse.stop();
    assert!(story.wait(secs(119)).is_empty());
    assert_eq!(story.told(), [""; 0]);
    story.wait(secs(1));
    assert_eq!(story.told(), ["-a.local"]);
    assert_eq!(story.browse.next_deadline(), None);
}

proptest! {
    #[test]
    fn who_listens_knows_who_is_there(
        len in 0usize..400,
        events in proptest::collection::vec((0u8..6, 0u32..30, 0u64..20_000, any::<bool>()), 0..100),
    ) {
        let mut story = Story::with_buffer(len);
        let mut there = std::collections::BTreeSet::new();
        for (who, ttl, pause, listens) in events {
            let who = std::format!("host-{who}.local");
            story.hear(&[(who.as_str(), ttl)]);
            story.wait(Duration::from_millis(pause));
            if !listens {
                continue;
            }
            for told in story.told() {
                match told.split_at(1) {
                    ("+", name) => prop_assert!(there.insert(name.to_string()), "twice {name}"),
                    (_, name) => prop_assert!(there.remove(name), "never there: {name}"),
                }
            }
        }
        story.wait(secs(60));
        for told in story.told() {
            prop_assert!(there.remove(&told[1..]), "{told}");
        }
        prop_assert!(there.is_empty());
    }
}

#[cfg(feature = "proto-ipv6")]
#[test]
fn everybody_is_asked_over_both_versions() {
    let addresses = [
        core::net::Ipv4Addr::new(192, 0, 2, 1).into(),
        core::net::Ipv6Addr::LOCALHOST.into(),
    ];
    let mut random = Random::new(Seed::from(1));
    let mut browse = Story::new().browse;
    browse.start(NOW, Versions::of(addresses.into_iter()), &mut random);
    for _ in 0..2 {
        let at = browse.next_deadline().unwrap();
        let mut asked = Vec::new();
        while browse.wants_to_send(at) {
            let mut buffer = [0; 600];
            let (len, version) = browse.poll(at, &mut buffer).unwrap();
            asked.push((buffer[..len].to_vec(), version));
        }
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[0].1, IpVersion::Ipv6);
        assert_eq!(asked[1].1, IpVersion::Ipv4);
        assert_eq!(asked[0].0, asked[1].0);
    }
}
