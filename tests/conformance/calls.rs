//! What an application asks of a connection, and what the network tells it (RFC 9293, section 3.9).

use core::time::Duration;

use cygnet::wire::{Icmpv4Message, Sum};
use cygnet_tests::script::{
    Packet, Peer, Script, SocketOption, ack, data, icmp, ip_packet, to_target,
};

use crate::stories::established;

stories! {
    both:
        the_hop_limit_is_the_applications,
        must_48_the_code_point_is_the_applications,
        must_55_a_source_quench_is_nothing,
        must_56_time_exceeded_and_parameter_problem_end_nothing;
    "Linux has no such option":
        must_40_no_application_delays_acknowledgments_for_half_a_second;
}

// Requirement: RFC 9293 MUST-49
fn the_hop_limit_is_the_applications(script: &Script) {
    let (peer, socket) = established(script);
    script.set(socket, SocketOption::HopLimit(9));
    script.write(socket, 1..11);
    let Packet::Ipv4(header, _) = script.expect_packet() else {
        panic!("no IPv4 packet");
    };
    assert_eq!(header.hop_limit, 9);
    peer.send(ack(11));
}

// Requirement: RFC 9293 MUST-48, SHLD-21, SHLD-22
fn must_48_the_code_point_is_the_applications(script: &Script) {
    let (peer, socket) = established(script);
    for (number, dscp) in [(1, 46), (11, 8)] {
        script.set(socket, SocketOption::Dscp(dscp));
        script.write(socket, number..number + 10);
        let Packet::Ipv4(header, _) = script.expect_packet() else {
            panic!("no IPv4 packet");
        };
        assert_eq!(header.dscp_ecn >> 2, dscp);
        peer.send(ack(number + 10));
    }
}

/// That a connection goes on with what is in flight.
fn goes_on(script: &Script, peer: &Peer<'_>) {
    script.silence(Duration::from_millis(20));
    peer.send(ack(101));
    peer.send(data(1..11));
    peer.expect(ack(11));
}

// Requirement: RFC 9293 MUST-55
fn must_55_a_source_quench_is_nothing(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..101);
    peer.expect(data(1..101));
    let mut message = vec![4, 0, 0, 0, 0, 0, 0, 0];
    message.extend(peer.quote_of(1));
    let checksum = Sum::of(&message).finish();
    message[2..4].copy_from_slice(&checksum.to_be_bytes());
    let packet = ip_packet(cygnet::wire::IpProtocol::ICMP, &message);
    script.send_frame(&to_target(cygnet::wire::EtherType::IPV4, &packet));
    goes_on(script, &peer);
}

// Requirement: RFC 9293 MUST-56
fn must_56_time_exceeded_and_parameter_problem_end_nothing(script: &Script) {
    let (peer, socket) = established(script);
    script.write(socket, 1..101);
    peer.expect(data(1..101));
    let quote = &peer.quote_of(1);
    script.send_frame(&icmp(&Icmpv4Message::TimeExceeded { code: 0, quote }));
    script.send_frame(&icmp(&Icmpv4Message::ParameterProblem {
        pointer: 0,
        quote,
    }));
    goes_on(script, &peer);
}

// Requirement: RFC 9293 MUST-40
fn must_40_no_application_delays_acknowledgments_for_half_a_second(script: &Script) {
    let (peer, socket) = established(script);
    script.set(socket, SocketOption::AckDelay(Duration::from_secs(5)));
    // The first are acknowledged at once, whatever was asked for.
    for n in 1..17 {
        peer.send(data(n..n + 1));
        peer.expect(ack(n + 1));
    }
    peer.send(data(17..27));
    peer.expect_after(499..500, ack(27));
}
