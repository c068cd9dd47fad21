//! Multicast groups of IPv6, and what routers are told of them (RFC 2710, RFC 9777).

use core::time::Duration;

use cygnet::wire::group_report::RecordKind;
use cygnet::wire::mld::{self, MldMessage, MldShort};
use cygnet::wire::{ChecksumMode, Sum, UdpHeader, ipv6, pseudo_header};
use cygnet::{Discard, IpAddress, IpCidr, MulticastSources, UdpSocket};

use super::*;

const GROUP: Ipv6Addr = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0, 0x1234);
const OTHER: Ipv6Addr = Ipv6Addr::new(0xff15, 0, 0, 0, 0, 0, 0, 0x1235);
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);
const LINK_LOCAL: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1);
const SOURCE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9);
const SECOND: Duration = Duration::from_secs(1);
const TEN_SECONDS: Duration = Duration::from_secs(10);
/// Longer than a second, within which all is said that is said without being asked.
const SETTLED: Duration = Duration::from_millis(1_200);

/// A record of a report: its kind, group and sources.
type Record = (u8, Ipv6Addr, Vec<Ipv6Addr>);

fn record(kind: RecordKind, group: Ipv6Addr, sources: &[Ipv6Addr]) -> Record {
    (kind as u8, group, sources.to_vec())
}

/// A host whose addresses are in use, and that has told of their groups.
fn settled() -> Host {
    let mut host = Host::up();
    host.let_pass(SETTLED);
    host.tells_groups = true;
    host
}

/// With a socket in the group, which has been told as well.
fn member(sources: MulticastSources<'_>) -> (Host, UdpSocket<'static>) {
    let mut host = settled();
    let mut socket = udp_socket(&host);
    listen(&mut host, &mut socket, GROUP, sources);
    host.let_pass(SETTLED);
    (host, socket)
}

fn listen(
    host: &mut Host,
    socket: &mut UdpSocket<'static>,
    group: Ipv6Addr,
    sources: MulticastSources<'_>,
) {
    socket.listen_multicast(group, sources).expect("room");
    host.bench.settle();
}

const ALL: MulticastSources<'_> = MulticastSources::AllBut(&[]);
const NOBODY: MulticastSources<'_> = MulticastSources::Only(&[]);

impl Heard {
    /// An MLD message: RFC 3810, section 5: with a hop limit of 1, and with a router alert option.
    fn mld(&self) -> &[u8] {
        assert_eq!(self.header.next_header, IpProtocol::HOP_BY_HOP);
        assert_eq!(self.header.hop_limit, 1);
        assert_eq!(self.payload[..8], [58, 0, 5, 2, 0, 0, 1, 0]);
        let group = EthernetAddress::for_ipv6_multicast(self.header.dst);
        assert_eq!(self.link.dst, group);
        let message = &self.payload[8..];
        let (src, dst) = (self.header.src.into(), self.header.dst.into());
        let pseudo = pseudo_header(src, dst, IpProtocol::ICMPV6, message.len());
        assert!(pseudo.add(Sum::of(message)).is_valid(), "a checksum");
        message
    }

    /// The records of a report of version 2, which goes to all routers that speak it.
    fn records(&self) -> Vec<Record> {
        assert_eq!(self.header.dst, mld::V2_ROUTERS);
        let message = self.mld();
        assert_eq!(MldMessage::parse(message), Ok(MldMessage::ReportV2));
        let mut rest = &message[8..];
        let mut records = Vec::new();
        while let [kind, 0, high, low, after @ ..] = rest {
            let count = usize::from(u16::from_be_bytes([*high, *low]));
            let (addresses, after) = after.split_at(16 * (1 + count));
            let mut addresses = addresses.chunks(16).map(|address| {
                let octets: [u8; 16] = address.try_into().expect("an address");
                Ipv6Addr::from(octets)
            });
            let group = addresses.next().expect("a group");
            records.push((*kind, group, addresses.collect()));
            rest = after;
        }
        assert_eq!(records.len(), usize::from(message[7]));
        records
    }
}

impl Host {
    /// The report that comes within `patience` is from the link-local address and has those records.
    fn reports(&mut self, patience: Duration, expected: &[Record]) {
        let heard = self.hear_within(patience).expect("a report");
        assert_eq!(heard.header.src, LINK_LOCAL);
        assert_eq!(heard.records(), expected);
    }

    /// The message of version 1 that comes within `patience`.
    fn says(&mut self, patience: Duration, (dst, kind): (Ipv6Addr, MldShort)) {
        let heard = self.hear_within(patience).expect("a message");
        let (mut expected, message) = (mld::emit_v1(kind, GROUP).to_vec(), heard.mld());
        expected[2..4].copy_from_slice(&message[2..4]);
        assert_eq!((heard.header.dst, message), (dst, expected.as_slice()));
    }
}

/// An MLD message in the packet that it has to be in.
pub(super) fn mld_packet(src: Ipv6Addr, dst: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    let mut packet = vec![0; ipv6::ROUTER_ALERT_HEADER_LEN];
    Ipv6Header {
        src,
        dst,
        next_header: IpProtocol::ICMPV6,
        hop_limit: 1,
        dscp_ecn: 0,
        flow_label: 0,
        payload_len: message.len(),
    }
    .emit_with_router_alert(&mut packet);
    packet.extend(with_checksum(src, dst, message));
    packet
}

fn with_checksum(src: Ipv6Addr, dst: Ipv6Addr, message: &[u8]) -> Vec<u8> {
    let mut message = message.to_vec();
    message[2..4].fill(0);
    let pseudo = pseudo_header(src.into(), dst.into(), IpProtocol::ICMPV6, message.len());
    let checksum = pseudo.add(Sum::of(&message)).finish();
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// A question of version 2 about a group and sources of it, to be answered within a second.
pub(super) fn question(group: Ipv6Addr, sources: &[Ipv6Addr]) -> Vec<u8> {
    let mut message = older_question(group, 1_000);
    message.extend([2, 125, 0, sources.len() as u8]);
    message.extend(sources.iter().flat_map(|source| source.octets()));
    message
}

/// One of version 1, to be answered within so many milliseconds.
pub(super) fn older_question(group: Ipv6Addr, millis: u16) -> Vec<u8> {
    let mut message = vec![130, 0, 0, 0];
    message.extend(millis.to_be_bytes());
    message.extend([0, 0]);
    message.extend(group.octets());
    message
}

const EVERYTHING: Ipv6Addr = Ipv6Addr::UNSPECIFIED;

fn ask(host: &mut Host, dst: Ipv6Addr, message: &[u8]) {
    host.send(&mld_packet(ROUTER, dst, message));
}

fn datagram(src: Ipv6Addr, group: Ipv6Addr, text: &[u8]) -> Vec<u8> {
    let mut payload = vec![0; 8 + text.len()];
    let (from, to) = (src.into(), group.into());
    let mode = ChecksumMode::Full;
    UdpHeader::emit(&mut payload, 9, 5_000, from, to, (text, &[]), mode);
    packet(src, group, IpProtocol::UDP, &payload)
}

/// What a socket has received.
fn texts(socket: &UdpSocket<'static>) -> Vec<Vec<u8>> {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut all = Vec::new();
    let mut buffer = [0; 256];
    while let Poll::Ready(received) = socket.poll_recv_from(cx, &mut buffer) {
        let (len, _) = received.expect("a datagram");
        all.push(buffer[..len].to_vec());
    }
    all
}

/// RFC 4291, section 2.8, and RFC 3590, section 4: as long as there is no address to speak from, from none, and
/// once more when there is.
#[test]
fn rfc3590_the_groups_of_addresses_are_told_before_and_after_they_are_in_use() {
    let mut host = Host::new(fixed());
    host.tells_groups = true;
    // Both addresses end alike.
    let group = solicited_node(OURS);
    assert_eq!(group, solicited_node(LINK_LOCAL));
    let told = [record(RecordKind::ToExclude, group, &[])];
    let first = host.hear();
    assert_eq!(first.header.src, Ipv6Addr::UNSPECIFIED);
    assert_eq!(first.records(), told, "before the first probe");
    let mut sources = Vec::new();
    while let Some(heard) = host.hear_within(Duration::from_secs(5)) {
        if heard.header.next_header == IpProtocol::HOP_BY_HOP {
            assert_eq!(heard.records(), told);
            sources.push(heard.header.src);
        }
    }
    assert_eq!(sources, [Ipv6Addr::UNSPECIFIED, LINK_LOCAL, LINK_LOCAL]);
    ask(&mut host, ALL_NODES, &question(EVERYTHING, &[]));
    host.reports(SECOND, &[record(RecordKind::IsExclude, group, &[])]);
    host.silence(TEN_SECONDS);
}

#[test]
fn rfc4291_the_solicited_node_groups_follow_the_addresses() {
    let mut host = settled();
    let added = ip("2001:db8::abcd:1234");
    let stack = host.stack();
    stack
        .add_address(IpCidr::from(Ipv6Cidr::new(added, 64)))
        .unwrap();
    host.bench.settle();
    let joined = record(RecordKind::ToExclude, solicited_node(added), &[]);
    host.reports(Duration::ZERO, &[joined]);
    host.let_pass(Duration::from_secs(3));
    assert_eq!(stack.remove_address(added.into()), Ok(true));
    host.bench.settle();
    let left = record(RecordKind::ToInclude, solicited_node(added), &[]);
    host.reports(Duration::ZERO, std::slice::from_ref(&left));
    host.reports(SECOND, &[left]);
    // One that ends like another is in the same group.
    let twin = ip("2001:db8:7::1");
    assert_eq!(solicited_node(twin), solicited_node(OURS));
    stack
        .add_address(IpCidr::from(Ipv6Cidr::new(twin, 64)))
        .unwrap();
    host.let_pass(Duration::from_secs(3));
    assert_eq!(stack.remove_address(twin.into()), Ok(true));
    host.bench.settle();
    host.silence(SETTLED);
    host.send(&solicitation(OURS));
    assert_eq!(host.hear().advertisement().0, OURS);
}

#[test]
fn a_group_is_joined_and_left_by_reports_that_are_repeated() {
    let mut host = settled();
    let mut socket = udp_socket(&host);
    for (sources, kind) in [
        (ALL, RecordKind::ToExclude),
        (NOBODY, RecordKind::ToInclude),
    ] {
        listen(&mut host, &mut socket, GROUP, sources);
        for _ in 0..2 {
            host.reports(SECOND, &[record(kind, GROUP, &[])]);
        }
        host.silence(SECOND);
    }
}

#[test]
fn sources_are_told_by_records_of_their_own() {
    let mut host = settled();
    let mut socket = udp_socket(&host);
    let sources = [IpAddress::Ipv6(SOURCE)];
    listen(
        &mut host,
        &mut socket,
        GROUP,
        MulticastSources::Only(&sources),
    );
    for _ in 0..2 {
        host.reports(SECOND, &[record(RecordKind::Allow, GROUP, &[SOURCE])]);
    }
    host.silence(SECOND);
}

/// RFC 3810, section 6: of groups that stay within the host, and of all nodes, nobody is told.
#[test]
fn rfc3810_groups_that_need_no_router_are_not_told() {
    let mut host = settled();
    let mut socket = udp_socket(&host);
    for group in [ALL_NODES, ip("ff01::1234")] {
        listen(&mut host, &mut socket, group, ALL);
        assert!(host.stack().has_multicast_group(group));
        ask(&mut host, group, &question(group, &[]));
    }
    host.silence(SETTLED);
    // Nor are they sent to from here.
    for group in [ip("ff01::1234"), ip("ff00::1234")] {
        let sent = send_datagram(&mut host, &socket, (group, 9), b"here");
        assert_eq!(sent, Err(SendError::NoRoute));
    }
    host.silence(SETTLED);
}

#[test]
fn only_groups_that_were_joined_are_heard() {
    let (mut host, mut socket) = member(ALL);
    host.drops(&datagram(PEER, OTHER, b"not for you"), Discard::NotOurGroup);
    host.send(&datagram(PEER, GROUP, b"for you"));
    host.send(&datagram(PEER, ALL_NODES, b"for all"));
    assert_eq!(texts(&socket), [b"for you", b"for all"]);
    listen(&mut host, &mut socket, GROUP, NOBODY);
    host.let_pass(SETTLED);
    host.drops(&datagram(PEER, GROUP, b"for you"), Discard::NotOurGroup);
}

#[test]
fn only_sources_that_are_wanted_are_heard() {
    let (mut host, socket) = member(MulticastSources::Only(&[IpAddress::Ipv6(SOURCE)]));
    let intruder = datagram(PEER, GROUP, b"an intruder");
    host.drops(&intruder, Discard::UnwantedSource);
    host.send(&datagram(SOURCE, GROUP, b"the one"));
    assert_eq!(texts(&socket), [b"the one"]);
}

#[test]
fn datagrams_to_a_group_stay_on_the_link_and_come_back_to_members() {
    let (mut host, mut socket) = member(ALL);
    send_datagram(&mut host, &socket, (GROUP, 5_000), b"cygnet").unwrap();
    let heard = host.hear();
    assert_eq!((heard.header.src, heard.header.dst), (OURS, GROUP));
    assert_eq!(heard.header.hop_limit, 1);
    assert_eq!(heard.link.dst, EthernetAddress::for_ipv6_multicast(GROUP));
    assert_eq!(texts(&socket), [b"cygnet"]);
    socket.set_multicast_loop(false);
    // RFC 6724: to a group on the link, from the address on the link.
    send_datagram(&mut host, &socket, (ip("ff02::1234"), 9), b"cygnet").unwrap();
    assert_eq!(host.hear().header.src, LINK_LOCAL);
    assert!(texts(&socket).is_empty());
}

#[test]
fn a_question_about_a_group_is_answered_if_somebody_is_in_it() {
    let (mut host, _socket) = member(MulticastSources::Only(&[IpAddress::Ipv6(SOURCE)]));
    for sources in [&[][..], &[PEER, SOURCE]] {
        ask(&mut host, GROUP, &question(GROUP, sources));
        host.reports(SECOND, &[record(RecordKind::IsInclude, GROUP, &[SOURCE])]);
    }
    ask(&mut host, GROUP, &question(GROUP, &[PEER]));
    ask(&mut host, OTHER, &question(OTHER, &[]));
    host.silence(SETTLED);
}

/// RFC 3810, section 5.1.15: "a node MUST accept and process any Query" to an address of its own.
#[test]
fn rfc3810_a_question_to_this_host_alone_is_answered() {
    let (mut host, _socket) = member(ALL);
    ask(&mut host, LINK_LOCAL, &question(GROUP, &[]));
    host.reports(SECOND, &[record(RecordKind::IsExclude, GROUP, &[])]);
}

/// RFC 3810, section 8.2.1.
#[test]
fn a_router_of_version_1_gets_its_reports() {
    let (mut host, mut socket) = member(ALL);
    ask(&mut host, GROUP, &older_question(GROUP, 1_000));
    host.says(SECOND, (GROUP, MldShort::Report));
    host.silence(SECOND);
    listen(&mut host, &mut socket, GROUP, NOBODY);
    host.says(SECOND, (mld::ALL_ROUTERS, MldShort::Done));
    // Once it is gone, version 2 is spoken again: two intervals of 125 s and an answer later.
    host.let_pass(Duration::from_secs(252));
    listen(&mut host, &mut socket, GROUP, ALL);
    host.reports(SECOND, &[record(RecordKind::ToExclude, GROUP, &[])]);
}

/// RFC 2710, section 4; and the group is then left without a word.
#[test]
fn in_version_1_the_report_of_another_host_will_do() {
    let (mut host, mut socket) = member(ALL);
    ask(&mut host, GROUP, &older_question(GROUP, 10_000));
    let report = mld::emit_v1(MldShort::Report, GROUP);
    host.send(&mld_packet(ip("fe80::3"), GROUP, &report));
    host.silence(TEN_SECONDS);
    listen(&mut host, &mut socket, GROUP, NOBODY);
    host.silence(SECOND);
}

/// A router does not heed a report from no address (RFC 3590, section 5), so it still waits for ours.
#[test]
fn rfc3590_the_report_of_a_host_without_an_address_will_not_do() {
    let (mut host, _socket) = member(ALL);
    ask(&mut host, GROUP, &older_question(GROUP, 10_000));
    let report = mld::emit_v1(MldShort::Report, GROUP);
    let packet = mld_packet(Ipv6Addr::UNSPECIFIED, GROUP, &report);
    host.drops(&packet, Discard::IgnoredMld);
    host.says(TEN_SECONDS, (GROUP, MldShort::Report));
}

/// RFC 3810, section 6.2.
#[test]
fn rfc3810_a_question_that_no_router_on_the_link_asks_is_ignored() {
    let (mut host, _socket) = member(ALL);
    let no_group = question(PEER, &[]);
    let question = question(EVERYTHING, &[]);
    let mut from_afar = mld_packet(ROUTER, ALL_NODES, &question);
    from_afar[7] = 2;
    host.drops(&from_afar, Discard::IgnoredMld);
    let global = mld_packet(PEER, ALL_NODES, &question);
    host.drops(&global, Discard::IgnoredMld);
    let message = with_checksum(ROUTER, ALL_NODES, &question);
    let mut silent = packet(ROUTER, ALL_NODES, IpProtocol::ICMPV6, &message);
    silent[7] = 1;
    host.drops(&silent, Discard::IgnoredMld);
    let mut other_alert = mld_packet(ROUTER, ALL_NODES, &question);
    other_alert[45] = 1; // RSVP
    host.drops(&other_alert, Discard::IgnoredMld);
    let no_group = mld_packet(ROUTER, ALL_NODES, &no_group);
    host.drops(&no_group, Discard::IgnoredMld);
    let odd = mld_packet(ROUTER, ALL_NODES, &question[..26]);
    host.drops(&odd, Discard::Malformed);
    let done = mld_packet(ROUTER, GROUP, &mld::emit_v1(MldShort::Done, GROUP));
    host.drops(&done, Discard::IgnoredMld);
    host.silence(SETTLED);
}
