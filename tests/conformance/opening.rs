//! Requests that come to nothing, and requests from and to nobody (RFC 9293, sections 3.5 and
//! 3.9.2.3).

use core::net::Ipv4Addr;
use core::time::Duration;

use cygnet::wire::{ChecksumMode, EtherType, IpAddress, IpProtocol, SeqNum, TcpFlags, TcpHeader};
use cygnet_tests::script::{
    Failure, PEER, Script, SocketId, TARGET, ack, rst, rst_ack, syn, syn_ack, to_target,
};

use crate::ipv4::packet;
use crate::stories::{MSS, PEER_PORT, PORT};

stories! {
    both:
        a_request_that_is_taken_back_leaves_the_listener,
        must_11_a_reset_refuses_an_attempt_that_crossed_another,
        a_syn_from_nobody_is_dropped,
        a_syn_to_everybody_is_dropped;
}

// Requirement: RFC 9293 MUST-11
/// After a passive open a reset "returns this connection to the LISTEN state".
fn a_request_that_is_taken_back_leaves_the_listener(script: &Script) {
    let listener = script.listen(PORT);
    let peer = script.peer(PEER_PORT, PORT);
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(rst(1));
    // Nobody knows the connection any more.
    peer.send(ack(1).seq(1));
    peer.expect(rst(1));
    let again = peer.again(5_000);
    again.send(syn().mss(MSS));
    again.expect(syn_ack());
    again.send(ack(1));
    script.accept(listener);
}

// Requirement: RFC 9293 MUST-11
/// After an active open it is the end: "The user should be informed that the connection was refused".
fn must_11_a_reset_refuses_an_attempt_that_crossed_another(script: &Script) {
    let peer = script.peer(PEER_PORT, PORT);
    let socket: SocketId = script.connect(PEER_PORT);
    peer.expect(syn());
    peer.send(syn().mss(MSS));
    peer.expect(syn_ack());
    peer.send(rst_ack(1, 1));
    let expected = match script.is_linux() {
        true => Failure::Reset,
        false => Failure::Refused,
    };
    assert_eq!(script.connected(socket), Err(expected));
}

/// A request with addresses of one's own.
fn stray_syn(script: &Script, src: Ipv4Addr, dst: Ipv4Addr) {
    let header = TcpHeader {
        src_port: PEER_PORT,
        dst_port: PORT,
        seq: SeqNum::new(77),
        flags: TcpFlags::SYN,
        window: 1_000,
        ..TcpHeader::default()
    };
    let mut segment = vec![0; header.len()];
    let (from, to): (IpAddress, IpAddress) = (src.into(), dst.into());
    header.emit(&mut segment, from, to, (&[], &[]), ChecksumMode::Full);
    let packet = packet(IpProtocol::TCP, &segment, |header| {
        header.src = src;
        header.dst = dst;
    });
    script.send_frame(&to_target(EtherType::IPV4, &packet));
}

// Requirement: RFC 9293 MUST-63
fn a_syn_from_nobody_is_dropped(script: &Script) {
    script.listen(PORT);
    let nobody = [
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(224, 0, 0, 1),
        Ipv4Addr::new(192, 168, 69, 255),
        Ipv4Addr::LOCALHOST,
        Ipv4Addr::UNSPECIFIED,
    ];
    for source in nobody {
        if script.is_linux() && source == Ipv4Addr::new(192, 168, 69, 255) {
            // The kernel would answer.
            continue;
        }
        stray_syn(script, source, TARGET);
    }
    script.silence(Duration::from_millis(50));
}

// Requirement: RFC 9293 MUST-57
fn a_syn_to_everybody_is_dropped(script: &Script) {
    script.listen(PORT);
    let everybody = [
        Ipv4Addr::BROADCAST,
        Ipv4Addr::new(192, 168, 69, 255),
        Ipv4Addr::new(224, 0, 0, 1),
    ];
    for destination in everybody {
        stray_syn(script, PEER, destination);
    }
    script.silence(Duration::from_millis(50));
}
