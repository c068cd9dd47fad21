use core::net::Ipv4Addr;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::rand::Seed;
use crate::wire::dns::{Name, RecordType, emit_query};

const NOW: Instant = Instant::from_secs(100);

fn server(last: u8) -> IpAddress {
    IpAddress::Ipv4(Ipv4Addr::new(192, 0, 2, last))
}

/// A question for so many servers, its message, and what chance has in store.
struct Story {
    query: Query,
    message: Vec<u8>,
    random: Random,
}

impl Story {
    fn new(servers: u8) -> Self {
        let options = Options {
            edns: true,
            mix_case: true,
            tcp: true,
            multicast: false,
        };
        let mut message = vec![0; 300];
        let name = Name::from_text("a-long-name-with-many-letters.example.org").unwrap();
        let len = emit_query(&mut message, name.as_bytes(), RecordType::A, Some(1232)).unwrap();
        message.truncate(len);
        let query = Query::new((1..=servers).map(server), options);
        let random = Random::new(Seed::from(3));
        Self {
            query,
            message,
            random,
        }
    }

    /// The next attempt is sent.
    fn send(&mut self, now: Instant) -> Vec<u8> {
        assert_eq!(self.query.phase(), Phase::Due);
        self.query.prepare(&mut self.message, &mut self.random);
        self.query.on_sent();
        assert!(self.query.wait(now).is_some());
        self.message.clone()
    }

    /// An answer with these flags to what was sent.
    fn answer(&self, flags: u16) -> Vec<u8> {
        let mut answer = self.message.clone();
        put(&mut answer, 2, 0x8180 | flags);
        answer
    }

    fn receive(&mut self, from: u8, answer: &[u8]) -> Verdict {
        self.query
            .on_answer(NOW, server(from), &self.message, answer)
    }
}

const SERV_FAIL: u16 = 2;
const TRUNCATED: u16 = 0x0200;

#[test]
fn every_attempt_has_its_own_number_and_capitals() {
    let mut story = Story::new(1);
    let first = story.send(NOW);
    story.query.on_timeout(NOW + FIRST_TIMEOUT);
    let second = story.send(NOW);
    assert_ne!(first[..2], second[..2]);
    assert_ne!(first[12..], second[12..]);
    assert!(first.eq_ignore_ascii_case(&second) || first[..2] != second[..2]);
    assert!(first[12..].eq_ignore_ascii_case(&second[12..]));
    story.query.on_timeout(NOW + FIRST_TIMEOUT.doubled(1));
    let last = story.send(NOW);
    assert!(
        !last[12..].iter().any(u8::is_ascii_uppercase),
        "for servers that cannot"
    );
}

#[test]
fn only_the_server_that_was_asked_may_answer_and_only_that() {
    let mut story = Story::new(2);
    let early = story.answer(0);
    assert_eq!(
        story.receive(1, &early),
        Verdict::Ignore,
        "before it was asked"
    );
    story.send(NOW);
    let good = story.answer(0);
    assert_eq!(story.receive(2, &good), Verdict::Ignore, "another server");
    let query = story.message.clone();
    assert_eq!(story.receive(1, &query), Verdict::Ignore, "a question");
    for at in [0, 1, 14, 20, good.len() - 12] {
        let mut forged = good.clone();
        // Of letters, their case alone.
        forged[at] ^= 0x20;
        assert_eq!(story.receive(1, &forged), Verdict::Ignore, "byte {at}");
    }
    assert_eq!(story.receive(1, &good[..20]), Verdict::Ignore, "cut off");
    assert_eq!(story.receive(1, &good), Verdict::Accept);
    assert_eq!(story.query.phase(), Phase::Done(Ok(())));
    assert_eq!(story.receive(1, &good), Verdict::Ignore, "again");
}

#[test]
fn each_server_is_asked_three_times_with_more_patience() {
    let mut story = Story::new(2);
    let mut now = NOW;
    for (from, seconds) in [(1, 2), (2, 2), (1, 4), (2, 4), (1, 8), (2, 8)] {
        assert_eq!(story.query.server(), Some(server(from)));
        story.send(now);
        assert!(
            !story
                .query
                .on_timeout(now + Duration::from_secs(seconds - 1))
        );
        now += Duration::from_secs(seconds);
        assert!(story.query.on_timeout(now));
    }
    assert_eq!(story.query.phase(), Phase::Done(Err(Failure::TimedOut)));
}

#[test]
fn a_server_that_fails_makes_way_for_the_next_at_once() {
    let mut story = Story::new(2);
    for from in [1, 2] {
        story.send(NOW);
        let failed = story.answer(SERV_FAIL);
        assert_eq!(story.receive(from, &failed), Verdict::Next);
    }
    let failed = Phase::Done(Err(Failure::Refused));
    assert_eq!(story.query.phase(), failed, "all have said so");
}

#[test]
fn one_that_fails_and_one_that_is_silent_are_asked_again() {
    let mut story = Story::new(2);
    story.send(NOW);
    let failed = story.answer(SERV_FAIL);
    story.receive(1, &failed);
    story.send(NOW);
    story.query.on_timeout(NOW + FIRST_TIMEOUT);
    assert_eq!(
        (story.query.phase(), story.query.server()),
        (Phase::Due, Some(server(1)))
    );
}

#[test]
fn a_server_without_edns_is_asked_without() {
    let mut story = Story::new(1);
    story.send(NOW);
    let answer = story.answer(1);
    assert_eq!(story.receive(1, &answer), Verdict::Next);
    assert!(!story.query.edns());
    assert_eq!(
        (story.query.phase(), story.query.server()),
        (Phase::Due, Some(server(1)))
    );
    let len = without_opt(&mut story.message);
    story.message.truncate(len);
    let message = DnsMessage::parse(&story.message).unwrap();
    assert_eq!(message.all_records().count(), 0);
    story.send(NOW);
    let answer = story.answer(1);
    story.receive(1, &answer);
    assert_eq!(story.query.phase(), Phase::Done(Err(Failure::Refused)));
}

/// Old servers and some boxes do not repeat the question that they do not understand.
#[test]
fn a_server_without_edns_may_say_so_without_the_question() {
    let mut story = Story::new(2);
    story.send(NOW);
    let mut header = story.answer(1)[..HEADER_LEN].to_vec();
    header[4..].fill(0);
    let mut other = header.clone();
    other[0] ^= 1;
    assert_eq!(story.receive(1, &other), Verdict::Ignore, "another number");
    assert_eq!(story.receive(2, &header), Verdict::Ignore, "another server");
    let longer = [&header[..], &[0]].concat();
    assert_eq!(story.receive(1, &longer), Verdict::Ignore);
    for flags in [0x0101, 0x8182] {
        let mut other = header.clone();
        put(&mut other, 2, flags);
        assert_eq!(story.receive(1, &other), Verdict::Ignore, "{flags:x}");
    }
    assert_eq!(story.receive(1, &header), Verdict::Next);
    assert!(!story.query.edns());
    let now = (story.query.phase(), story.query.server());
    assert_eq!(now, (Phase::Due, Some(server(1))));
    // It does not know less than that.
    story.send(NOW);
    header[..2].copy_from_slice(&story.message[..2]);
    assert_eq!(story.receive(1, &header), Verdict::Ignore);
}

#[test]
fn what_is_truncated_is_asked_for_over_tcp() {
    let mut story = Story::new(2);
    story.send(NOW);
    let truncated = story.answer(TRUNCATED);
    assert_eq!(story.receive(1, &truncated), Verdict::Next);
    let Phase::Tcp(deadline) = story.query.phase() else {
        panic!("{:?}", story.query.phase());
    };
    let whole = story.answer(0);
    let mut slow = story.query.clone();
    assert!(slow.on_timeout(deadline));
    assert_eq!((slow.phase(), slow.server()), (Phase::Due, Some(server(2))));
    assert_eq!(story.receive(1, &whole), Verdict::Accept);
}

#[test]
fn without_tcp_a_truncated_answer_has_to_do() {
    let mut story = Story::new(1);
    story.query.options.tcp = false;
    story.send(NOW);
    let truncated = story.answer(TRUNCATED);
    assert_eq!(story.receive(1, &truncated), Verdict::Accept);
}

#[test]
fn without_servers_there_is_no_answer() {
    assert_eq!(
        Story::new(0).query.phase(),
        Phase::Done(Err(Failure::NoServers))
    );
}

proptest::proptest! {
    /// Whatever comes back: it ends.
    #[test]
    fn any_servers_are_survived(
        servers in 0u8..5,
        ops in proptest::collection::vec((0u8..6, proptest::num::u16::ANY), 0..40),
        noise in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
    ) {
        let mut story = Story::new(servers);
        let mut now = NOW;
        for (op, flags) in ops {
            if story.query.phase() == Phase::Due { story.send(now); }
            let from = story.query.server();
            match (op, from) {
                (0..=2, Some(from)) => {
                    let answer = story.answer(flags);
                    story.query.on_answer(now, from, &story.message, &answer);
                }
                (3, Some(from)) => {
                    story.query.on_answer(now, from, &story.message, &noise);
                }
                (4, _) => story.query.on_tcp_failed(),
                _ => {}
            }
            if let Some(deadline) = story.query.deadline() {
                now = now.max(deadline);
                assert!(story.query.on_timeout(now));
            }
        }
        for _ in 0..40 {
            if story.query.phase() == Phase::Due { story.send(now); }
            if let Some(deadline) = story.query.deadline() {
                now = deadline;
                story.query.on_timeout(now);
            }
        }
        proptest::prop_assert!(matches!(story.query.phase(), Phase::Done(_)));
    }
}

#[test]
fn nobody_on_the_link_says_that_there_is_no_such_name() {
    let mut story = Story::new(1);
    story.query.options = Options {
        edns: false,
        mix_case: false,
        tcp: false,
        multicast: true,
    };
    story.send(NOW);
    for rcode in 1..16 {
        let error = story.answer(rcode);
        assert_eq!(story.receive(9, &error), Verdict::Ignore, "code {rcode}");
    }
    assert!(matches!(story.query.phase(), Phase::Waiting(_)));
    assert_eq!(story.receive(9, &story.answer(0)), Verdict::Accept);
}
