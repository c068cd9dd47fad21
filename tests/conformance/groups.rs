//! Multicast groups (RFC 1112, RFC 2236, RFC 9776).

use core::net::Ipv4Addr;
use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::group_report::RecordKind;
use cygnet::wire::igmp::{ALL_HOSTS, ALL_ROUTERS, IgmpMessage, IgmpShort, V3_ROUTERS};
use cygnet::wire::{
    EtherType, EthernetAddress, IpAddress, IpProtocol, Ipv4Header, Sum, UdpHeader, ipv4,
};
use cygnet_tests::script::{PEER, Packet, Script, TARGET, UdpId, to_target, udp};

use crate::ipv4::packet;

stories! {
    both:
        a_group_is_joined_and_left_by_reports_that_are_repeated,
        sources_are_told_by_records_of_their_own,
        only_groups_that_were_joined_are_heard,
        only_sources_that_are_wanted_are_heard,
        rfc1112_every_host_hears_what_goes_to_all_hosts,
        a_question_about_all_groups_is_answered_in_time,
        a_question_about_a_group_is_answered_if_somebody_is_in_it,
        a_router_of_version_2_gets_its_reports,
        a_router_of_version_1_gets_its_reports,
        in_version_2_the_report_of_another_host_will_do,
        rfc1112_datagrams_to_a_group_stay_on_the_link,
        rfc3376_a_question_of_an_odd_length_is_ignored;
    "Linux trusts whoever asks":
        a_question_from_afar_is_ignored,
        rfc3376_a_question_without_router_alert_is_ignored;
}

const GROUP: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 3);
const OTHER: Ipv4Addr = Ipv4Addr::new(239, 1, 2, 4);
const SOURCE: Ipv4Addr = Ipv4Addr::new(192, 168, 69, 9);
const SECOND: Duration = Duration::from_secs(1);

/// A packet to a group as a frame.
fn to_group(group: Ipv4Addr, packet: &[u8]) -> Vec<u8> {
    let mut frame = to_target(EtherType::IPV4, packet);
    frame[..6].copy_from_slice(&EthernetAddress::for_ipv4_multicast(group).0);
    frame
}

fn datagram(group: Ipv4Addr, src: Ipv4Addr, text: &[u8]) -> Vec<u8> {
    let mut payload = udp((5_000, 7), text)[34..].to_vec();
    payload[6..8].fill(0); // No checksum, which would be that of other addresses.
    let packet = packet(IpProtocol::UDP, &payload, |h| {
        (h.src, h.dst, h.hop_limit) = (src, group, 1);
    });
    to_group(group, &packet)
}

fn with_checksum(mut message: Vec<u8>) -> Vec<u8> {
    let checksum = Sum::of(&message).finish();
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    message
}

/// An IGMP packet with the router alert option.
fn igmp(dst: Ipv4Addr, message: &[u8]) -> Vec<u8> {
    let header = Ipv4Header {
        src: PEER,
        dst,
        protocol: IpProtocol::IGMP,
        hop_limit: 1,
        dscp_ecn: 0xc0,
        ident: 0,
        dont_fragment: true,
        more_fragments: false,
        fragment_offset: 0,
        header_len: ipv4::ROUTER_ALERT_HEADER_LEN,
        payload_len: message.len(),
    };
    let mut packet = vec![0; ipv4::ROUTER_ALERT_HEADER_LEN];
    header.emit_with_router_alert(&mut packet);
    packet.extend(message);
    packet
}

/// A question of version 3 about a group and sources of it, to be answered within a second.
fn question(group: Ipv4Addr, sources: &[Ipv4Addr]) -> Vec<u8> {
    let mut message = vec![0x11, 10, 0, 0];
    message.extend(group.octets());
    message.extend([2, 125, 0, sources.len() as u8]);
    message.extend(sources.iter().flat_map(|source| source.octets()));
    with_checksum(message)
}

/// One of version 1 or 2: with a code of zero, or with the time for the answer.
fn older_question(code: u8) -> Vec<u8> {
    with_checksum(vec![0x11, code, 0, 0, 0, 0, 0, 0])
}

fn ask(script: &Script, dst: Ipv4Addr, message: &[u8]) {
    script.send_frame(&to_group(dst, &igmp(dst, message)));
}

/// The IGMP message that the target sends: where to, and its bytes.
fn expect_igmp(script: &Script, patience: Duration) -> (Ipv4Addr, Vec<u8>) {
    let packet = script.expect_packet_within(patience);
    let Packet::Ipv4(header, payload) = packet else {
        panic!("an IGMP message was expected, not {packet:?}");
    };
    assert_eq!(header.protocol, IpProtocol::IGMP);
    assert_eq!((header.src, header.hop_limit), (TARGET, 1));
    assert_eq!(header.header_len, ipv4::ROUTER_ALERT_HEADER_LEN);
    assert!(Sum::of(&payload).is_valid(), "a checksum");
    (header.dst, payload)
}

/// That the target sends a report of version 3 with that one record.
fn expect_record(
    script: &Script,
    patience: Duration,
    (kind, group, sources): (RecordKind, Ipv4Addr, &[Ipv4Addr]),
) {
    let (dst, message) = expect_igmp(script, patience);
    assert_eq!(dst, V3_ROUTERS);
    let mut expected = vec![0x22, 0, 0, 0, 0, 0, 0, 1, kind as u8, 0, 0];
    expected.push(sources.len() as u8);
    expected.extend(group.octets());
    expected.extend(sources.iter().flat_map(|source| source.octets()));
    assert_eq!(message, with_checksum(expected));
}

fn expect_short(script: &Script, patience: Duration, dst: Ipv4Addr, short: IgmpShort) {
    let expected = (dst, short.emit(GROUP).to_vec());
    assert_eq!(expect_igmp(script, patience), expected);
}

/// A socket in [`GROUP`] of which routers know.
fn member(script: &Script, only: Option<&[Ipv4Addr]>) -> UdpId {
    let socket = script.udp_bind(7);
    script.udp_listen(socket, GROUP, only);
    script.ignore(Duration::from_millis(1_200));
    script.script_groups();
    socket
}

const ALL: Option<&[Ipv4Addr]> = None;
const NOBODY: Option<&[Ipv4Addr]> = Some(&[]);

fn a_group_is_joined_and_left_by_reports_that_are_repeated(script: &Script) {
    script.script_groups();
    let socket = script.udp_bind(7);
    script.udp_listen(socket, GROUP, ALL);
    for _ in 0..2 {
        expect_record(script, SECOND, (RecordKind::ToExclude, GROUP, &[]));
    }
    script.udp_listen(socket, GROUP, NOBODY);
    for _ in 0..2 {
        expect_record(script, SECOND, (RecordKind::ToInclude, GROUP, &[]));
    }
    script.silence(SECOND);
}

fn sources_are_told_by_records_of_their_own(script: &Script) {
    script.script_groups();
    let socket = script.udp_bind(7);
    script.udp_listen(socket, GROUP, Some(&[SOURCE]));
    for _ in 0..2 {
        expect_record(script, SECOND, (RecordKind::Allow, GROUP, &[SOURCE]));
    }
    script.silence(SECOND);
}

fn only_groups_that_were_joined_are_heard(script: &Script) {
    let socket = member(script, ALL);
    script.send_frame(&datagram(OTHER, PEER, b"not for you"));
    script.send_frame(&datagram(GROUP, PEER, b"for you"));
    assert_eq!(script.udp_receive(socket), b"for you");
    assert!(script.udp_is_empty(socket));
    script.assert_discarded(Discard::NotOurGroup, 1);
    script.udp_listen(socket, GROUP, NOBODY);
    script.ignore(Duration::from_millis(1_200));
    script.send_frame(&datagram(GROUP, PEER, b"for you"));
    script.silence(Duration::from_millis(20));
    assert!(script.udp_is_empty(socket));
}

fn only_sources_that_are_wanted_are_heard(script: &Script) {
    let socket = member(script, Some(&[SOURCE]));
    script.send_frame(&datagram(GROUP, PEER, b"an intruder"));
    script.send_frame(&datagram(GROUP, SOURCE, b"the one"));
    assert_eq!(script.udp_receive(socket), b"the one");
    assert!(script.udp_is_empty(socket));
    script.assert_discarded(Discard::UnwantedSource, 1);
}

/// Section 7.2: "every level 2 host must join the 'all-hosts' group (address 224.0.0.1)".
fn rfc1112_every_host_hears_what_goes_to_all_hosts(script: &Script) {
    script.script_groups();
    let socket = script.udp_bind(7);
    script.send_frame(&datagram(ALL_HOSTS, PEER, b"everybody"));
    assert_eq!(script.udp_receive(socket), b"everybody");
    ask(script, ALL_HOSTS, &question(Ipv4Addr::UNSPECIFIED, &[]));
    script.silence(Duration::from_millis(1_200));
}

fn a_question_about_all_groups_is_answered_in_time(script: &Script) {
    member(script, ALL);
    ask(script, ALL_HOSTS, &question(Ipv4Addr::UNSPECIFIED, &[]));
    expect_record(script, SECOND, (RecordKind::IsExclude, GROUP, &[]));
    script.silence(SECOND);
}

fn a_question_about_a_group_is_answered_if_somebody_is_in_it(script: &Script) {
    member(script, Some(&[SOURCE]));
    ask(script, GROUP, &question(GROUP, &[]));
    expect_record(script, SECOND, (RecordKind::IsInclude, GROUP, &[SOURCE]));
    ask(script, GROUP, &question(GROUP, &[PEER, SOURCE]));
    expect_record(script, SECOND, (RecordKind::IsInclude, GROUP, &[SOURCE]));
    ask(script, GROUP, &question(GROUP, &[PEER]));
    ask(script, OTHER, &question(OTHER, &[]));
    script.silence(Duration::from_millis(1_200));
}

fn a_router_of_version_2_gets_its_reports(script: &Script) {
    let socket = member(script, ALL);
    ask(script, ALL_HOSTS, &older_question(10));
    expect_short(script, SECOND, GROUP, IgmpShort::ReportV2);
    script.silence(SECOND);
    script.udp_listen(socket, GROUP, NOBODY);
    expect_short(script, SECOND, ALL_ROUTERS, IgmpShort::Leave);
}

fn a_router_of_version_1_gets_its_reports(script: &Script) {
    let socket = member(script, ALL);
    let ten_seconds = Duration::from_secs(10);
    let message = older_question(0);
    let packet = packet(IpProtocol::IGMP, &message, |h| {
        (h.dst, h.hop_limit) = (ALL_HOSTS, 1);
    });
    script.send_frame(&to_group(ALL_HOSTS, &packet));
    expect_short(script, ten_seconds, GROUP, IgmpShort::ReportV1);
    script.udp_listen(socket, GROUP, NOBODY);
    script.silence(SECOND);
}

/// RFC 2236, section 3; and the group is then left without a word.
fn in_version_2_the_report_of_another_host_will_do(script: &Script) {
    let socket = member(script, ALL);
    ask(script, ALL_HOSTS, &older_question(100));
    ask(script, GROUP, &IgmpShort::ReportV2.emit(GROUP));
    script.silence(script.if_virtual(Duration::from_secs(11)));
    script.udp_listen(socket, GROUP, NOBODY);
    script.silence(SECOND);
}

/// Section 6.1.
fn rfc1112_datagrams_to_a_group_stay_on_the_link(script: &Script) {
    script.script_groups();
    let socket = script.udp_bind(7);
    script.udp_send(socket, (GROUP, 9), b"cygnet");
    let packet = script.expect_packet();
    let Packet::Ipv4(header, payload) = &packet else {
        panic!("a datagram was expected, not {packet:?}");
    };
    assert_eq!((header.src, header.dst), (TARGET, GROUP));
    assert_eq!(header.hop_limit, 1);
    let (src, dst): (IpAddress, IpAddress) = (TARGET.into(), GROUP.into());
    let (_, data) = UdpHeader::parse(payload, src, dst, true).expect("a datagram");
    assert_eq!(data, b"cygnet");
}

fn a_question_from_afar_is_ignored(script: &Script) {
    member(script, ALL);
    let mut packet = igmp(ALL_HOSTS, &question(Ipv4Addr::UNSPECIFIED, &[]));
    packet[8] = 2;
    packet[10..12].fill(0);
    let checksum = Sum::of(&packet[..24]).finish();
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
    script.send_frame(&to_group(ALL_HOSTS, &packet));
    script.silence(SECOND);
    script.assert_discarded(Discard::IgnoredIgmp, 1);
}

/// Section 9.1.
fn rfc3376_a_question_without_router_alert_is_ignored(script: &Script) {
    member(script, ALL);
    let message = question(Ipv4Addr::UNSPECIFIED, &[]);
    let packet = packet(IpProtocol::IGMP, &message, |h| {
        (h.dst, h.hop_limit) = (ALL_HOSTS, 1);
    });
    script.send_frame(&to_group(ALL_HOSTS, &packet));
    script.silence(SECOND);
    script.assert_discarded(Discard::IgnoredIgmp, 1);
}

/// Section 7.1.
fn rfc3376_a_question_of_an_odd_length_is_ignored(script: &Script) {
    member(script, ALL);
    let message = with_checksum(vec![0x11, 10, 0, 0, 0, 0, 0, 0, 2, 0]);
    assert!(IgmpMessage::parse(&message).is_err());
    ask(script, ALL_HOSTS, &message);
    script.silence(SECOND);
    script.assert_discarded(Discard::Malformed, 1);
}
