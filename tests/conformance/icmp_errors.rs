//! ICMP errors about TCP segments (RFC 1122, section 4.2.3.9; RFC 5461; RFC 5927).

use core::time::Duration;

use cygnet::Discard;
use cygnet::wire::{Icmpv4Message, Icmpv4Unreachable};
use cygnet_tests::script::{Failure, Peer, Script, ack, data, icmp, syn, syn_ack};

use crate::stories::{PEER_PORT, PORT, established};

stories! {
    both:
        a_port_unreachable_refuses_an_attempt_to_connect,
        rfc5927_an_error_about_a_number_not_in_flight_is_ignored,
        an_unreachable_network_does_not_end_a_connection,
        a_port_unreachable_does_not_end_a_connection;
}

fn unreachable(script: &Script, peer: &Peer<'_>, code: Icmpv4Unreachable, seq: u32) {
    script.send_frame(&icmp(&Icmpv4Message::DestinationUnreachable {
        code,
        next_hop_mtu: 0,
        quote: &peer.quote_of(seq),
    }));
}

// Requirement: RFC 9293 MUST-54, SHLD-26
fn a_port_unreachable_refuses_an_attempt_to_connect(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    unreachable(script, &peer, Icmpv4Unreachable::Port, 0);
    assert_eq!(script.connected(socket), Err(Failure::Refused));
}

fn rfc5927_an_error_about_a_number_not_in_flight_is_ignored(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket = script.connect(PEER_PORT);
    peer.expect(syn());
    unreachable(script, &peer, Icmpv4Unreachable::Port, 2);
    unreachable(
        script,
        &peer,
        Icmpv4Unreachable::Port,
        0_u32.wrapping_sub(1),
    );
    script.silence(Duration::from_millis(20));
    assert!(script.is_connecting(socket));
    script.assert_discarded(Discard::UnmatchedIcmp, 2);
    peer.send(syn_ack());
    peer.expect(ack(1));
}

fn survives(script: &Script, code: Icmpv4Unreachable) {
    let (peer, socket) = established(script);
    script.write(socket, 1..101);
    peer.expect(data(1..101));
    unreachable(script, &peer, code, 1);
    peer.send(ack(101));
    peer.send(data(1..11));
    peer.expect(ack(11));
    script.read(socket, 1..11);
}

// Requirement: RFC 9293 MUST-56
fn an_unreachable_network_does_not_end_a_connection(script: &Script) {
    survives(script, Icmpv4Unreachable::Net);
}

fn a_port_unreachable_does_not_end_a_connection(script: &Script) {
    survives(script, Icmpv4Unreachable::Port);
}
