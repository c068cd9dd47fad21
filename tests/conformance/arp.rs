//! Who has that address (RFC 826, RFC 1122, section 2.3.2; RFC 5227)?

use core::time::Duration;

use cygnet::wire::{ArpOperation, ArpPacket, EthernetAddress};
use cygnet_tests::script::{
    PEER, PEER_MAC, Packet, Peer, Script, SocketId, TARGET, TARGET_MAC, ack, arp, data, syn,
    syn_ack,
};

use crate::stories::{MSS, PEER_PORT, PORT};

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
    "Linux trusts an answer for 15 to 45 seconds, whatever becomes of its segments":
        shld_10_who_answers_no_syn_is_asked_whether_it_is_the_peer,
        shld_10_who_answers_no_text_is_asked_whether_it_is_the_peer;
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

/// Not the peer's.
const NOBODY_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 0x66]);

/// ARP is the story, after the announcements.
fn begin(script: &Script) {
    if !script.is_linux() {
        script.ignore(Duration::from_secs(10));
    }
    script.script_arp();
}

/// Everybody is asked for the peer.
fn expect_request(script: &Script) {
    assert_request(&script.expect_packet(), EthernetAddress::BROADCAST);
}

fn assert_request(packet: &Packet, to: EthernetAddress) {
    let Packet::Arp(destination, arp) = packet else {
        panic!("a request was expected, not {packet:?}");
    };
    assert_eq!(*destination, to);
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
    script.send_frame(&arp(TARGET_MAC, &reply(NOBODY_MAC)));
    script.connect(PEER_PORT);
    expect_request(script);
    script.send_frame(&arp(TARGET_MAC, &reply(PEER_MAC)));
    script.peer(PEER_PORT, PORT).expect(syn());
}

/// RFC 9293, section 3.8.3 (b): "When the number of transmissions of the same segment reaches or exceeds threshold R1,
/// pass negative advice [...] to the IP layer". ARP has no checksum: a bit that fell over is enough for this.
// Requirement: RFC 9293 SHLD-10
fn shld_10_who_answers_no_syn_is_asked_whether_it_is_the_peer(script: &Script) {
    let (peer, socket) = misled(script);
    peer.expect_after(1_000..1_021, syn());
    peer.expect_after(2_000..2_021, syn());
    // The third silence.
    expect_doubt(script);
    // What was known is forgotten: the next segment looks for the peer.
    assert_request(&next_arp(script), EthernetAddress::BROADCAST);
    script.send_frame(&arp(TARGET_MAC, &reply(PEER_MAC)));
    peer.expect(syn());
    peer.send(syn_ack().mss(MSS));
    peer.expect(ack(1));
    assert_eq!(script.connected(socket), Ok(()));
}

/// The same of a peer that has moved.
// Requirement: RFC 9293 MUST-20, SHLD-10
fn shld_10_who_answers_no_text_is_asked_whether_it_is_the_peer(script: &Script) {
    let (peer, socket) = misled(script);
    peer.send(syn_ack().mss(MSS));
    peer.expect(ack(1));
    script.write(socket, 1..101);
    // At once, and after each of two silences.
    peer.expect(data(1..101));
    peer.expect_after(200..221, data(1..101));
    peer.expect_after(400..421, data(1..101));
    expect_doubt(script);
    assert_request(&next_arp(script), EthernetAddress::BROADCAST);
    script.send_frame(&arp(TARGET_MAC, &reply(PEER_MAC)));
    peer.expect(data(1..101));
}

/// A connection that is being opened through a neighbor who is not the peer.
fn misled(script: &Script) -> (Peer<'_>, SocketId) {
    begin(script);
    let socket = script.connect(PEER_PORT);
    expect_request(script);
    script.send_frame(&arp(TARGET_MAC, &reply(NOBODY_MAC)));
    let peer = script.peer(PEER_PORT, PORT);
    peer.expect(syn());
    (peer, socket)
}

/// Three requests to who was believed to be the peer, between segments.
fn expect_doubt(script: &Script) {
    for _ in 0..3 {
        assert_request(&next_arp(script), NOBODY_MAC);
    }
}

fn next_arp(script: &Script) -> Packet {
    loop {
        let packet = script.expect_packet_within(Duration::from_secs(8));
        if packet.arp().is_some() {
            return packet;
        }
    }
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
