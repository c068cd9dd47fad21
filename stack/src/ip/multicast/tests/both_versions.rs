//! Groups of IPv4 and IPv6 in one table, each version with its own routers.

use core::net::Ipv6Addr;

use super::*;

fn group_v6(last: u16) -> IpAddress {
    Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0, last).into()
}

fn solicited(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, last)
}

/// What is told to routers of IPv6 now: messages, and the number of records.
fn poll_v6(host: &mut Host) -> Option<(Message, u16)> {
    let mut buffer = [0; 1024];
    let mut writer = ReportWriter::new(&mut buffer);
    let due = (host.now, IpVersion::Ipv6);
    let message = host.multicast.poll(due, &mut host.random, &mut writer)?;
    writer.finish_mld();
    Some((message, u16::from_be_bytes([buffer[6], buffer[7]])))
}

fn query_v6(host: &mut Host, version: Version) {
    let query = Query {
        ip: IpVersion::Ipv6,
        version,
        group: None,
        max_response: SECOND,
        robustness: 0,
        interval: Duration::ZERO,
    };
    let none = core::iter::empty();
    host.multicast
        .on_query(host.now, &mut host.random, &query, none);
}

fn start(host: &mut Host) {
    host.multicast.start_reports(host.now, IpVersion::Ipv6);
}

#[test]
fn each_version_tells_its_own_groups() {
    let mut host = Host::new();
    start(&mut host);
    host.listen(SOME, group(1), Filter::ALL);
    host.listen(SOME, group_v6(1), Filter::ALL);
    assert_eq!(host.records(), [(TO_EX, 1, vec![])]);
    assert_eq!(poll_v6(&mut host), Some((Message::Records, 1)));
    assert_eq!((host.poll(), poll_v6(&mut host)), (None, None));
}

#[test]
fn an_older_router_of_one_version_is_none_of_the_other() {
    let mut host = Host::new();
    start(&mut host);
    query_v6(&mut host, Version::V2);
    host.listen(SOME, group(1), Filter::ALL);
    host.listen(SOME, group_v6(1), Filter::ALL);
    assert_eq!(host.records(), [(TO_EX, 1, vec![])]);
    let report = Message::Report(Version::V2, group_v6(1));
    assert_eq!(poll_v6(&mut host), Some((report, 0)));
    host.multicast.on_report(host.now, group(1));
    host.wait(TEN_SECONDS);
    assert_eq!(host.records(), [(TO_EX, 1, vec![])], "no report will do");
}

#[test]
fn a_question_of_one_version_is_answered_for_its_groups() {
    let mut host = Host::new();
    start(&mut host);
    for joined in [group(1), group_v6(1), group_v6(2)] {
        host.listen(SOME, joined, Filter::ALL);
    }
    for _ in 0..4 {
        host.records();
        while poll_v6(&mut host).is_some() {}
        host.now += SECOND;
    }
    host.is_silent();
    query_v6(&mut host, Version::V3);
    host.wait(SECOND);
    assert_eq!(host.poll(), None);
    assert_eq!(poll_v6(&mut host), Some((Message::Records, 2)));
    host.is_silent();
}

#[test]
fn nothing_is_told_where_there_is_nobody() {
    let mut host = Host::new();
    host.listen(SOME, group_v6(1), Filter::ALL);
    assert_eq!(host.multicast.next_deadline(), None);
    assert!(!host.multicast.wants_to_send(host.now, IpVersion::Ipv6));
    start(&mut host);
    assert!(host.multicast.wants_to_send(host.now, IpVersion::Ipv6));
    host.multicast.stop_reports(IpVersion::Ipv6);
    assert_eq!(host.multicast.next_deadline(), None);
}

#[test]
fn addresses_have_room_for_their_groups_and_leave_that_of_others() {
    let mut host = Host::new();
    for n in 0..IFACE_MAX_MULTICAST_GROUP_COUNT as u16 {
        host.listen(SOME, group_v6(n), Filter::ALL);
    }
    let wanted: Vec<_> = (0..IFACE_MAX_ADDR_COUNT as u16).map(solicited).collect();
    assert!(host.multicast.set_solicited_nodes(host.now, &wanted));
    assert!(
        !host.multicast.set_solicited_nodes(host.now, &wanted),
        "no news"
    );
    assert_eq!(host.multicast.groups().count(), GROUP_COUNT);
    let beyond = (SOME, group_v6(999));
    let full = host.multicast.listen(host.now, beyond, Filter::ALL);
    assert_eq!(full, Err(GroupTableFull));
    assert!(host.multicast.set_solicited_nodes(host.now, &[]));
    let full = host.multicast.listen(host.now, beyond, Filter::ALL);
    assert_eq!(full, Err(GroupTableFull), "that room is kept");
    // A socket does not hear what only the interface listens to, and leaves it nothing less.
    host.multicast
        .set_solicited_nodes(host.now, &[solicited(1)]);
    let ours = IpAddress::Ipv6(solicited(1));
    assert!(!host.multicast.wants_for(SOME, ours, ip(1)));
    host.multicast.leave_all(host.now, SOME);
    assert!(host.multicast.wants(ours, ip(1)));
}

#[test]
fn groups_that_stay_within_the_host_are_not_told() {
    let mut host = Host::new();
    start(&mut host);
    let here: IpAddress = Ipv6Addr::new(0xff01, 0, 0, 0, 0, 0, 0, 0x99).into();
    host.listen(SOME, here, Filter::ALL);
    host.is_silent();
    assert!(host.multicast.is_member(here));
    assert_eq!(host.multicast.groups().count(), 0);
}

/// All that may be told of a group fits a report that is as long as engines make them.
#[test]
fn the_longest_news_fit() {
    let mut host = Host::new();
    start(&mut host);
    let source = |last| IpAddress::Ipv6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, last));
    let count = cygnet_config::MULTICAST_SOURCE_COUNT as u16;
    let old: Vec<_> = (0..count).map(source).collect();
    let new: Vec<_> = (count..2 * count).map(source).collect();
    host.only(SOME, group_v6(1), &old);
    host.only(SOME, group_v6(1), &new);
    assert_eq!(poll_v6(&mut host), Some((Message::Records, 2)));
}
