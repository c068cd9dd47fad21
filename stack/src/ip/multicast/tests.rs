//! What a router would hear. The engine's side of it is told as stories in the suites.

#[cfg(feature = "proto-ipv6")]
mod both_versions;

use core::net::Ipv4Addr;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::filter::TooManySources;
use super::routers::Version;
use super::*;
use crate::rand::{Random, Seed};
use crate::time::Duration;
use crate::wire::group_report::{RecordKind, ReportWriter};

const SOME: Member = Member::Socket(1);
const OTHER: Member = Member::Socket(2);

fn ip(last: u8) -> IpAddress {
    Ipv4Addr::new(10, 0, 0, last).into()
}

fn group(last: u8) -> IpAddress {
    Ipv4Addr::new(239, 0, 0, last).into()
}

/// A host on a link, and its time.
struct Host {
    multicast: Multicast,
    random: Random,
    now: Instant,
    room: usize,
}

/// A record: kind, last byte of the group, last bytes of the sources.
type Record = (u8, u8, Vec<u8>);

impl Host {
    fn new() -> Self {
        let now = Instant::from_secs(100);
        let mut multicast = Multicast::new();
        multicast.start_reports(now, IpVersion::Ipv4);
        Self {
            multicast,
            random: Random::new(Seed::from(1)),
            now,
            room: 512,
        }
    }

    fn listen(&mut self, member: Member, address: IpAddress, filter: Filter) {
        let joined = self.multicast.listen(self.now, (member, address), filter);
        assert_eq!(joined, Ok(()));
    }

    fn only(&mut self, member: Member, address: IpAddress, sources: &[IpAddress]) {
        self.listen(member, address, Filter::only(sources).unwrap());
    }

    fn all_but(&mut self, member: Member, address: IpAddress, sources: &[IpAddress]) {
        self.listen(member, address, Filter::all_but(sources).unwrap());
    }

    fn query(&mut self, version: Version, about: Option<IpAddress>, sources: &[IpAddress]) {
        let query = Query {
            ip: IpVersion::Ipv4,
            version,
            group: about,
            max_response: Duration::from_secs(10),
            robustness: if version == Version::V3 { 2 } else { 0 },
            interval: Duration::ZERO,
        };
        let sources = sources.iter().copied();
        self.multicast
            .on_query(self.now, &mut self.random, &query, sources);
    }

    /// What is sent now: messages of the older versions, and records.
    fn poll(&mut self) -> Option<(Message, Vec<Record>)> {
        let mut buffer = vec![0; self.room];
        let mut writer = ReportWriter::new(&mut buffer);
        let message =
            self.multicast
                .poll((self.now, IpVersion::Ipv4), &mut self.random, &mut writer)?;
        let len = writer.finish_igmp();
        let mut rest = &buffer[8..len];
        let mut records = Vec::new();
        while let [kind, 0, 0, count, _, _, _, last, after @ ..] = rest {
            let (sources, after) = after.split_at(usize::from(*count) * 4);
            let sources = sources.chunks(4).map(|source| source[3]).collect();
            records.push((*kind, *last, sources));
            rest = after;
        }
        Some((message, records))
    }

    fn records(&mut self) -> Vec<Record> {
        let mut all = Vec::new();
        while let Some((message, records)) = self.poll() {
            assert_eq!(message, Message::Records);
            all.extend(records);
        }
        all
    }

    /// Lets time pass up to the next deadline, which is not later than `longest`.
    fn wait(&mut self, longest: Duration) {
        let due = self.multicast.next_deadline().expect("a deadline");
        assert!(due > self.now && due <= self.now + longest, "{due:?}");
        self.now = due;
        self.multicast.on_timeout(self.now);
    }

    fn is_silent(&mut self) {
        assert_eq!(self.multicast.next_deadline(), None);
        assert_eq!(self.poll(), None);
    }
}

const SECOND: Duration = Duration::from_secs(1);
const TEN_SECONDS: Duration = Duration::from_secs(10);

const IS_IN: u8 = RecordKind::IsInclude as u8;
const IS_EX: u8 = RecordKind::IsExclude as u8;
const TO_IN: u8 = RecordKind::ToInclude as u8;
const TO_EX: u8 = RecordKind::ToExclude as u8;
const ALLOW: u8 = RecordKind::Allow as u8;
const BLOCK: u8 = RecordKind::Block as u8;

#[test]
fn joining_and_leaving_is_told_twice_within_a_second() {
    let mut host = Host::new();
    host.listen(SOME, group(1), Filter::ALL);
    assert_eq!(host.records(), [(TO_EX, 1, vec![])]);
    host.wait(SECOND);
    assert_eq!(host.records(), [(TO_EX, 1, vec![])]);
    host.is_silent();
    host.listen(SOME, group(1), Filter::NOTHING);
    assert_eq!(host.records(), [(TO_IN, 1, vec![])]);
    host.wait(SECOND);
    assert_eq!(host.records(), [(TO_IN, 1, vec![])]);
    host.is_silent();
    assert_eq!(host.multicast.groups().count(), 0);
    assert!(host.multicast.groups.is_empty(), "it is forgotten");
}

/// RFC 3376, section 5.1: the table of records for each change.
#[test]
fn changes_of_sources_are_told_by_records_of_their_own() {
    let mut host = Host::new();
    let settle = |host: &mut Host| {
        let first = host.records();
        host.wait(SECOND);
        assert_eq!(host.records(), first, "and again");
        host.is_silent();
        first
    };
    host.only(SOME, group(1), &[ip(1), ip(2)]);
    assert_eq!(settle(&mut host), [(ALLOW, 1, vec![1, 2])]);
    host.only(SOME, group(1), &[ip(2), ip(3)]);
    assert_eq!(
        settle(&mut host),
        [(ALLOW, 1, vec![3]), (BLOCK, 1, vec![1])]
    );
    host.all_but(SOME, group(1), &[ip(4)]);
    assert_eq!(settle(&mut host), [(TO_EX, 1, vec![4])]);
    host.all_but(SOME, group(1), &[ip(5)]);
    assert_eq!(
        settle(&mut host),
        [(ALLOW, 1, vec![4]), (BLOCK, 1, vec![5])]
    );
    host.only(SOME, group(1), &[ip(6)]);
    assert_eq!(settle(&mut host), [(TO_IN, 1, vec![6])]);
    host.listen(SOME, group(1), Filter::NOTHING);
    assert_eq!(settle(&mut host), [(BLOCK, 1, vec![6])]);
}

#[test]
fn news_that_change_before_they_were_told_again_are_told_as_they_are_then() {
    let mut host = Host::new();
    host.listen(SOME, group(1), Filter::ALL);
    assert_eq!(host.records(), [(TO_EX, 1, vec![])]);
    host.all_but(SOME, group(1), &[ip(9)]);
    assert_eq!(host.records(), [(TO_EX, 1, vec![9])]);
    host.listen(SOME, group(1), Filter::NOTHING);
    assert_eq!(host.records(), [(TO_IN, 1, vec![])]);
    host.wait(SECOND);
    assert_eq!(host.records(), [(TO_IN, 1, vec![])]);
    host.is_silent();
}

/// RFC 3376, section 3.2, with its examples.
#[test]
fn the_interface_wants_what_its_members_want_together() {
    let sources = |last: &[u8]| last.iter().map(|&n| ip(n)).collect::<Vec<_>>();
    let ex = |last: &[u8]| Filter::all_but(&sources(last)).unwrap();
    let inc = |last: &[u8]| Filter::only(&sources(last)).unwrap();
    // From sockets s1: EXCLUDE {a, b, c, d}, s2: EXCLUDE {b, c, d, e}, s3: INCLUDE {d, e, f}.
    let filters = [ex(&[1, 2, 3, 4]), ex(&[2, 3, 4, 5]), inc(&[4, 5, 6])];
    assert_eq!(Filter::merge(filters.iter()), ex(&[2, 3]));
    let filters = [inc(&[1, 2]), inc(&[2, 3])];
    assert_eq!(Filter::merge(filters.iter()), inc(&[1, 2, 3]));
    assert_eq!(Filter::merge([].iter()), Filter::NOTHING);
    let many: Vec<Filter> = (0..=255).map(|n| inc(&[n])).collect();
    assert_eq!(Filter::merge(many.iter()), Filter::ALL, "too many to list");
}

#[test]
fn each_member_hears_what_it_wants() {
    let mut host = Host::new();
    host.only(SOME, group(1), &[ip(1)]);
    host.all_but(OTHER, group(1), &[ip(1)]);
    let multicast = &host.multicast;
    assert!(multicast.wants_for(SOME, group(1), ip(1)));
    assert!(!multicast.wants_for(SOME, group(1), ip(2)));
    assert!(!multicast.wants_for(OTHER, group(1), ip(1)));
    assert!(multicast.wants(group(1), ip(1)) && multicast.wants(group(1), ip(2)));
    let third = Member::Socket(3);
    assert!(!multicast.wants_for(third, group(1), ip(1)), "no member");
    host.listen(Member::Stack, group(1), Filter::ALL);
    assert!(host.multicast.wants_for(third, group(1), ip(1)));
    assert!(!host.multicast.wants_for(SOME, group(1), ip(2)));
}

#[test]
fn one_member_less_is_no_news_as_long_as_another_wants_the_same() {
    let mut host = Host::new();
    host.listen(SOME, group(1), Filter::ALL);
    host.listen(OTHER, group(1), Filter::ALL);
    host.records();
    host.wait(SECOND);
    host.records();
    host.is_silent();
    host.multicast.leave_all(host.now, SOME);
    host.is_silent();
    host.multicast.leave_all(host.now, OTHER);
    assert_eq!(host.records(), [(TO_IN, 1, vec![])]);
}

fn settled(host: &mut Host) {
    while host.multicast.next_deadline().is_some() {
        host.records();
        if let Some(due) = host.multicast.next_deadline() {
            host.now = due;
        }
    }
}

#[test]
fn a_question_about_all_is_answered_once_for_all_within_its_time() {
    let mut host = Host::new();
    host.listen(SOME, group(1), Filter::ALL);
    host.only(SOME, group(2), &[ip(1)]);
    settled(&mut host);
    host.query(Version::V3, None, &[]);
    host.query(Version::V3, None, &[]);
    assert_eq!(host.poll(), None);
    host.wait(TEN_SECONDS);
    let expected = [(IS_EX, 1, vec![]), (IS_IN, 2, vec![1])];
    assert_eq!(host.records(), expected);
    host.is_silent();
}

#[test]
fn records_that_do_not_fit_one_report_go_into_the_next() {
    let mut host = Host::new();
    host.room = 8 + 3 * 8;
    for n in 0..8 {
        host.listen(SOME, group(n), Filter::ALL);
    }
    let mut reports = Vec::new();
    while let Some((_, records)) = host.poll() {
        reports.push(records.len());
    }
    assert_eq!(reports, [3, 3, 2]);
    settled(&mut host);
    host.query(Version::V3, None, &[]);
    host.wait(TEN_SECONDS);
    let records = host.records();
    assert!((0..8).all(|n| records.contains(&(IS_EX, n, vec![]))));
    assert_eq!(records.len(), 8);
}

/// RFC 3376, section 5.2.
#[test]
fn a_question_about_sources_is_answered_with_those_that_are_wanted() {
    let mut host = Host::new();
    host.only(SOME, group(1), &[ip(1), ip(2)]);
    host.all_but(SOME, group(2), &[ip(1), ip(2)]);
    settled(&mut host);
    for (about, expected) in [
        (1, vec![(IS_IN, 1, vec![2])]),
        (2, vec![(IS_IN, 2, vec![3])]),
    ] {
        host.query(Version::V3, Some(group(about)), &[ip(2), ip(3)]);
        host.wait(TEN_SECONDS);
        assert_eq!(host.records(), expected);
    }
    // None of them: no answer.
    host.query(Version::V3, Some(group(1)), &[ip(7)]);
    host.wait(TEN_SECONDS);
    assert_eq!(host.records(), []);
    // About all, then about one: the answer is about all.
    host.query(Version::V3, Some(group(1)), &[]);
    host.query(Version::V3, Some(group(1)), &[ip(1)]);
    host.wait(TEN_SECONDS);
    assert_eq!(host.records(), [(IS_IN, 1, vec![1, 2])]);
    // About one, then another: one answer about both.
    host.query(Version::V3, Some(group(1)), &[ip(1)]);
    host.query(Version::V3, Some(group(1)), &[ip(2)]);
    host.wait(TEN_SECONDS);
    assert_eq!(host.records(), [(IS_IN, 1, vec![1, 2])]);
    // About a group that nobody is in: nothing.
    host.query(Version::V3, Some(group(9)), &[]);
    host.is_silent();
}

#[test]
fn with_a_router_of_version_2_reports_and_leaves_are_its() {
    let mut host = Host::new();
    host.query(Version::V2, None, &[]);
    host.listen(SOME, group(1), Filter::ALL);
    let report = (Message::Report(Version::V2, group(1)), vec![]);
    assert_eq!(host.poll(), Some(report.clone()));
    assert_eq!(host.poll(), None);
    host.wait(TEN_SECONDS);
    assert_eq!(host.poll(), Some(report.clone()), "and again");
    host.query(Version::V2, None, &[]);
    host.wait(TEN_SECONDS);
    assert_eq!(host.poll(), Some(report));
    host.listen(SOME, group(1), Filter::NOTHING);
    assert_eq!(host.poll(), Some((Message::Leave(group(1)), vec![])));
    assert_eq!(host.poll(), None);
}

/// RFC 3376, section 7.2.1: the timer of version 2 is set "whenever an IGMPv2 General Query is received".
#[test]
fn rfc3376_7_2_1_a_question_of_version_2_about_one_group_changes_no_version() {
    let mut host = Host::new();
    host.listen(SOME, group(1), Filter::ALL);
    settled(&mut host);
    host.query(Version::V2, Some(group(1)), &[]);
    host.wait(TEN_SECONDS);
    assert_eq!(host.records(), [(IS_EX, 1, vec![])]);
    host.is_silent();
}

/// RFC 2236, section 3.
#[test]
fn in_version_2_the_report_of_another_will_do() {
    let mut host = Host::new();
    host.query(Version::V2, None, &[]);
    host.listen(SOME, group(1), Filter::ALL);
    host.poll();
    host.multicast.on_report(host.now, group(1));
    host.query(Version::V2, Some(group(1)), &[]);
    host.multicast.on_report(host.now, group(1));
    host.listen(SOME, group(1), Filter::NOTHING);
    assert_eq!(host.poll(), None, "the other one will tell");
}

#[test]
fn with_a_router_of_version_1_nobody_says_that_a_group_is_left() {
    let mut host = Host::new();
    host.query(Version::V1, None, &[]);
    host.query(Version::V2, None, &[]);
    host.listen(SOME, group(1), Filter::ALL);
    let report = (Message::Report(Version::V1, group(1)), vec![]);
    assert_eq!(host.poll(), Some(report));
    host.listen(SOME, group(1), Filter::NOTHING);
    assert_eq!(host.poll(), None);
}

/// RFC 3376, section 7.2.1, and 8.12 for the time.
#[test]
fn an_older_router_counts_for_two_intervals_and_an_answer() {
    let mut host = Host::new();
    host.listen(SOME, group(1), Filter::ALL);
    settled(&mut host);
    host.query(Version::V2, None, &[]);
    host.wait(TEN_SECONDS);
    assert!(matches!(host.poll(), Some((Message::Report(..), _))));
    host.now = Instant::from_secs(100 + 249);
    host.query(Version::V3, None, &[]);
    host.wait(TEN_SECONDS);
    let (message, _) = host.poll().expect("an answer");
    assert_eq!(message, Message::Report(Version::V2, group(1)));
    let gone = Duration::from_secs(300);
    host.wait(gone);
    host.query(Version::V3, None, &[]);
    host.wait(TEN_SECONDS);
    assert_eq!(host.records(), [(IS_EX, 1, vec![])]);
}

#[test]
fn a_router_says_how_often_to_repeat() {
    let mut host = Host::new();
    let query = Query {
        ip: IpVersion::Ipv4,
        version: Version::V3,
        group: None,
        max_response: SECOND,
        robustness: 4,
        interval: Duration::from_secs(20),
    };
    host.multicast
        .on_query(host.now, &mut host.random, &query, core::iter::empty());
    host.wait(SECOND);
    assert_eq!(host.records(), []);
    host.listen(SOME, group(1), Filter::ALL);
    for _ in 0..4 {
        assert_eq!(host.records(), [(TO_EX, 1, vec![])]);
        if host.multicast.next_deadline().is_some() {
            host.wait(SECOND);
        }
    }
    host.is_silent();
}

#[test]
fn another_link_hears_of_all_groups() {
    let mut host = Host::new();
    host.listen(SOME, group(1), Filter::ALL);
    settled(&mut host);
    host.query(Version::V1, None, &[]);
    host.multicast.start_reports(host.now, IpVersion::Ipv4);
    assert_eq!(host.records(), [(TO_EX, 1, vec![])]);
}

#[test]
fn a_table_that_is_full_refuses_and_keeps_what_it_has() {
    let mut host = Host::new();
    for n in 0..IFACE_MAX_MULTICAST_GROUP_COUNT {
        host.listen(SOME, group(n as u8), Filter::ALL);
    }
    let beyond = host
        .multicast
        .listen(host.now, (SOME, group(255)), Filter::ALL);
    assert_eq!(beyond, Err(GroupTableFull));
    assert_eq!(
        host.multicast.groups().count(),
        IFACE_MAX_MULTICAST_GROUP_COUNT
    );
    // What was left a moment ago makes room, although that is still being told.
    host.listen(SOME, group(0), Filter::NOTHING);
    host.listen(SOME, group(255), Filter::ALL);
    assert!(host.multicast.groups().any(|g| g == group(255)));
    assert!(Filter::only(&[ip(1); 100]).is_ok(), "the same one");
    let many: Vec<IpAddress> = (0..100).map(ip).collect();
    assert_eq!(Filter::only(&many), Err(TooManySources));
}

/// A router that keeps the state of one group by RFC 3376, section 6.4, without its timers and queries.
#[derive(Debug, Default, PartialEq)]
struct Router {
    excludes: bool,
    named: Vec<u8>,
}

impl Router {
    fn on_record(&mut self, (kind, _, sources): &Record) {
        let is_in = |s: &&u8| sources.contains(*s);
        match *kind {
            TO_IN | IS_IN => (self.excludes, self.named) = (false, sources.clone()),
            TO_EX | IS_EX => (self.excludes, self.named) = (true, sources.clone()),
            ALLOW if self.excludes => self.named.retain(|s| !sources.contains(s)),
            BLOCK if !self.excludes => self.named.retain(|s| !sources.contains(s)),
            _ => {
                let new: Vec<u8> = sources
                    .iter()
                    .filter(|s| !self.named.iter().filter(is_in).any(|n| n == *s))
                    .copied()
                    .collect();
                self.named.extend(new);
            }
        }
        self.named.sort_unstable();
    }
}

proptest! {
    /// Whatever members want in turn, a router that misses no report knows it all.
    #[test]
    fn a_router_learns_what_is_wanted(
        steps in proptest::collection::vec(
            (1u16..4, any::<bool>(), proptest::collection::vec(0u8..6, 0..4), any::<bool>()), 1..40),
    ) {
        let (mut host, mut router) = (Host::new(), Router::default());
        for (member, exclude, sources, waits) in steps {
            let sources: Vec<IpAddress> = sources.into_iter().map(ip).collect();
            let filter = if exclude { Filter::all_but(&sources) } else { Filter::only(&sources) };
            host.listen(Member::Socket(member), group(1), filter.unwrap());
            let reports = if waits { 1 } else { 9 };
            for _ in 0..reports {
                for record in host.records() {
                    router.on_record(&record);
                }
                if let Some(due) = host.multicast.next_deadline() {
                    host.now = due;
                }
            }
            for last in 0..8 {
                let wanted = router.named.contains(&last) != router.excludes;
                prop_assert_eq!(wanted, host.multicast.wants(group(1), ip(last)));
            }
        }
    }
}
