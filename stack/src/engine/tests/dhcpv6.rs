//! What a router says of DHCP is done.

use super::*;
use crate::wire::dhcpv6::{CLIENT_PORT, SERVER_PORT};
use crate::wire::{Dhcpv6Message, Dhcpv6MessageKind, Ipv6Header};

/// What the client says in the next minute, each kind once.
fn said(engine: &mut Engine<'_>, now: &mut Instant) -> Vec<Dhcpv6MessageKind> {
    let end = *now + Duration::from_secs(60);
    let mut kinds = Vec::new();
    while *now < end {
        engine.on_timeout(*now);
        engine.note_changes();
        while let Some(frame) = next_frame(engine, *now) {
            let Ok((_, udp)) = Ipv6Header::parse(&frame[14..]) else {
                continue;
            };
            let ports = [CLIENT_PORT.to_be_bytes(), SERVER_PORT.to_be_bytes()].concat();
            if udp.starts_with(&ports) {
                kinds.push(Dhcpv6Message::parse(&udp[8..]).unwrap().kind);
            }
            engine.note_changes();
        }
        *now = engine
            .next_deadline()
            .max(*now + Duration::from_millis(1))
            .min(end);
    }
    kinds.dedup();
    kinds
}

#[test]
fn routers_say_whether_there_is_dhcp() {
    let mut engine = engine(A, Medium::Ethernet);
    let mut now = Instant::from_secs(1);
    engine.set_config_v6(ConfigV6::LinkLocal).unwrap();
    assert_eq!(said(&mut engine, &mut now), []);
    engine.dhcpv6_follow(true, true);
    assert_eq!(said(&mut engine, &mut now), [Dhcpv6MessageKind::Solicit]);
    engine.dhcpv6_follow(false, true);
    let informs = [Dhcpv6MessageKind::InformationRequest];
    assert_eq!(said(&mut engine, &mut now), informs);
    // The same again is nothing new.
    let due = engine.services.next_deadline();
    engine.dhcpv6_follow(false, true);
    assert_eq!(engine.services.next_deadline(), due);
    engine.dhcpv6_follow(false, false);
    assert_eq!(said(&mut engine, &mut now), []);
}
