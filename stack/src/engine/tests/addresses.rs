//! What becomes of addresses, and what goes with them.

use super::*;

#[test]
fn a_request_is_not_answered_again_from_an_address_that_is_gone() {
    let mut pair = Pair::new(Medium::Ip);
    let (client, server) = (pair.socket(0), pair.socket(1));
    pair.engines[1]
        .tcp_listen(server, IpListenEndpoint::from(80))
        .unwrap();
    let remote = IpEndpoint::new(B.into(), 80);
    pair.engines[0]
        .tcp_connect(client, remote, IpListenEndpoint::from(0))
        .unwrap();
    let request = next_frame(&mut pair.engines[0], pair.now).unwrap();
    let (_, answer) = receive(&mut pair.engines[1], pair.now, &request, RxMeta::new());
    assert!(answer.is_some(), "which is lost");

    let server = &mut pair.engines[1];
    // By which the peer is in reach all the same.
    let other = Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, 3), 24);
    server.add_address(IpCidr::Ipv4(other)).unwrap();
    assert!(server.remove_address(B.into()));
    for second in 2..100 {
        let now = Instant::from_secs(second);
        server.on_timeout(now);
        assert_eq!(next_frame(server, now), None, "after {second} s");
    }
}

#[cfg(feature = "proto-ipv6")]
#[test]
fn a_link_local_address_that_found_no_room_or_was_removed_is_made_when_it_is_asked_for() {
    let mut engine = engine(A, Medium::Ip);
    let other = |n: usize| Ipv4Addr::new(10, 0, n as u8, 1);
    for n in 1..cygnet_config::IFACE_MAX_ADDR_COUNT {
        let cidr = Ipv4Cidr::new(other(n), 24);
        engine.add_address(IpCidr::Ipv4(cidr)).unwrap();
    }
    let full = engine.set_config_v6(ConfigV6::LinkLocal);
    assert_eq!(full, Err(ConfigError::TooManyAddresses));
    assert_eq!(engine.link_local_v6(), None);

    assert!(engine.remove_address(other(1).into()));
    for _ in 0..2 {
        engine.set_config_v6(ConfigV6::LinkLocal).unwrap();
        let ours = IpAddress::from(engine.link_local_v6().unwrap());
        assert!(engine.address_state(ours).is_some());
        assert!(engine.remove_address(ours));
        assert_eq!(engine.link_local_v6(), None);
    }
}

#[cfg(feature = "proto-ipv6")]
#[test]
fn a_gateway_is_a_host_of_the_version_of_ip_that_goes_through_it() {
    let mut engine = engine(A, Medium::Ethernet);
    let beyond = IpCidr::Ipv4(Ipv4Cidr::new(Ipv4Addr::new(192, 0, 2, 0), 24));
    let router = IpAddress::Ipv6(core::net::Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1));
    for gateway in [router, Ipv4Addr::new(224, 0, 0, 2).into()] {
        let added = engine.add_route(beyond, Some(gateway));
        assert_eq!(added, Err(ConfigError::NotUnicast));
    }
    assert!(!engine.remove_route(beyond));
    engine.add_route(beyond, Some(B.into())).unwrap();
}

// RFC 3927 section 2.5: "All ARP packets (*replies* as well as requests) that contain a Link-Local 'sender IP
// address' MUST be sent using link-layer broadcast instead of link-layer unicast."
#[cfg(feature = "medium-ethernet")]
#[test]
fn arp_packets_of_a_link_local_address_are_for_all_to_see() {
    let link_local = Ipv4Addr::new(169, 254, 1, 1);
    for (asked, destination) in [(A, [2, 0, 0, 0, 0, 2]), (link_local, [0xff; 6])] {
        let mut engine = engine(A, Medium::Ethernet);
        engine
            .add_address(IpCidr::Ipv4(Ipv4Cidr::new(link_local, 16)))
            .unwrap();
        let request = crate::wire::ArpPacket {
            operation: crate::wire::ArpOperation::Request,
            sender_hardware: crate::wire::EthernetAddress([2, 0, 0, 0, 0, 2]),
            sender_protocol: B,
            target_hardware: crate::wire::EthernetAddress([0; 6]),
            target_protocol: asked,
        };
        let now = Instant::from_secs(1);
        let mut frame = Vec::new();
        let everybody = &crate::wire::EthernetAddress::BROADCAST;
        engine.send_arp(&mut Some(Token(&mut frame)), everybody, &request);
        let (_, answer) = receive(&mut engine, now, &frame, RxMeta::new());
        let answer = answer.expect("an answer");
        assert_eq!(answer[..6], destination, "{asked}");
    }
}
