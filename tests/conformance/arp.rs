//! Who has that address (RFC 826, RFC 1122, section 2.3.2; RFC 5227)?

use core::time::Duration;

use cygnet::wire::{ArpOperation, ArpPacket, EthernetAddress};
use cygnet_tests::script::{PEER, PEER_MAC, Packet, Script, TARGET, TARGET_MAC, arp, syn};

use crate::stories::{PEER_PORT, PORT};

stories! {
    both:
        a_request_is_answered,
        a_request_for_another_is_not_answered,
        the_neighbor_is_asked_for_before_the_first_packet,
        packets_wait_for_their_neighbor_in_order,
        an_unsolicited_reply_is_not_believed;
    "Linux announces nothing unless told to (arp_notify)":
        rfc5227_the_address_is_announced_twice;
    "Linux does not defend its addresses":
        rfc5227_a_conflict_is_answered_with_one_announcement;
}

/// A request by the peer.
fn request(target: core::net::Ipv4Addr) -> ArpPacket {
    ArpPacket {
        operation: ArpOperation::Request,
        sender_hardware: PEER_MAC,
        sender_protocol: PEER,
        target_hardware: EthernetAddress([0; 6]),
        target_protocol: target,
    }
}

/// A reply by whoever has `hardware`, in the peer's name.
fn reply(hardware: EthernetAddress) -> ArpPacket {
    ArpPacket {
        operation: ArpOperation::Reply,
        sender_hardware: hardware,
        sender_protocol: PEER,
        target_hardware: TARGET_MAC,
        target_protocol: TARGET,
    }
}

/// ARP is the story, after the announcements.
fn begin(script: &Script) {
    if !script.is_linux() {
        script.ignore(Duration::from_secs(10));
    }
    script.script_arp();
}

fn expect_request(script: &Script) {
    let packet = script.expect_packet();
    let Packet::Arp(destination, arp) = packet else {
        panic!("a request was expected, not {packet:?}");
    };
    assert!(destination.is_broadcast());
    assert_eq!(arp.operation, ArpOperation::Request);
    assert_eq!(
        (arp.sender_hardware, arp.sender_protocol),
        (TARGET_MAC, TARGET)
    );
    assert_eq!(arp.target_protocol, PEER);
}

fn a_request_is_answered(script: &Script) {
    begin(script);
    script.send_frame(&arp(EthernetAddress::BROADCAST, &request(TARGET)));
    let Packet::Arp(destination, answer) = script.expect_packet() else {
        panic!("a reply was expected");
    };
    assert_eq!(destination, PEER_MAC);
    assert_eq!(answer.operation, ArpOperation::Reply);
    assert_eq!(
        (answer.sender_hardware, answer.sender_protocol),
        (TARGET_MAC, TARGET)
    );
    assert_eq!(
        (answer.target_hardware, answer.target_protocol),
        (PEER_MAC, PEER)
    );
}

fn a_request_for_another_is_not_answered(script: &Script) {
    begin(script);
    let other = core::net::Ipv4Addr::new(192, 168, 69, 77);
    script.send_frame(&arp(EthernetAddress::BROADCAST, &request(other)));
    script.silence(Duration::from_millis(20));
}

fn the_neighbor_is_asked_for_before_the_first_packet(script: &Script) {
    begin(script);
    script.connect(PEER_PORT);
    expect_request(script);
    script.silence(Duration::from_millis(20));
    script.send_frame(&arp(TARGET_MAC, &reply(PEER_MAC)));
    script.peer(PEER_PORT, PORT).expect(syn());
}

/// RFC 1122, section 2.3.2.2: "SHOULD save (rather than discard) at least one (the latest) packet".
fn packets_wait_for_their_neighbor_in_order(script: &Script) {
    begin(script);
    let socket = script.udp_bind(5_000);
    for text in [b"first ", b"second", b"third "] {
        script.udp_send(socket, (PEER, 5_001), text);
    }
    expect_request(script);
    script.silence(Duration::from_millis(20));
    script.send_frame(&arp(TARGET_MAC, &reply(PEER_MAC)));
    for text in [b"first ", b"second", b"third "] {
        let packet = script.expect_packet();
        assert_eq!(packet.udp().expect("a datagram").1, text);
    }
}

fn an_unsolicited_reply_is_not_believed(script: &Script) {
    begin(script);
    script.send_frame(&arp(
        TARGET_MAC,
        &reply(EthernetAddress([2, 0, 0, 0, 0, 0x66])),
    ));
    script.connect(PEER_PORT);
    expect_request(script);
    script.send_frame(&arp(TARGET_MAC, &reply(PEER_MAC)));
    script.peer(PEER_PORT, PORT).expect(syn());
}

fn assert_announcement(packet: &Packet) {
    let Packet::Arp(destination, announcement) = packet else {
        panic!("an announcement was expected, not {packet:?}");
    };
    assert!(destination.is_broadcast());
    assert_eq!(announcement.operation, ArpOperation::Request);
    assert_eq!(announcement.sender_hardware, TARGET_MAC);
    assert_eq!(announcement.sender_protocol, TARGET);
    assert_eq!(announcement.target_protocol, TARGET);
}

/// RFC 5227, section 2.3: ANNOUNCE_NUM times, ANNOUNCE_INTERVAL apart.
fn rfc5227_the_address_is_announced_twice(script: &Script) {
    script.script_arp();
    assert_announcement(&script.expect_packet());
    let first = script.now();
    assert_announcement(&script.expect_packet_within(Duration::from_secs(2)));
    assert_eq!(script.now() - first, Duration::from_secs(2));
    script.silence(Duration::from_secs(60));
}

/// RFC 5227, section 2.4, (b).
fn rfc5227_a_conflict_is_answered_with_one_announcement(script: &Script) {
    begin(script);
    let mut claim = request(TARGET);
    claim.sender_protocol = TARGET;
    script.send_frame(&arp(EthernetAddress::BROADCAST, &claim));
    assert_announcement(&script.expect_packet());
    script.silence(Duration::from_secs(5));
    script.assert_discarded(cygnet::Discard::AddressConflict, 1);
}
