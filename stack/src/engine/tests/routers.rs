//! What routers say, and how often they are asked.

use core::net::Ipv6Addr;

use super::*;
use crate::wire::ipv6::HEADER_LEN;
use crate::wire::ndisc::{HOP_LIMIT, RouterAdvertisement};
use crate::wire::{IpProtocol, Ipv6Header, NdiscMessage, NdiscOptions};

const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 2);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// An advertisement of a router that is a default router for that many seconds, with options.
fn advertisement(lifetime: u16, options: &[u8]) -> Vec<u8> {
    let message = NdiscMessage::RouterAdvertisement {
        router: RouterAdvertisement {
            hop_limit: 0,
            flags: 0,
            lifetime,
            reachable_time: 0,
            retrans_timer: 0,
        },
        options: NdiscOptions::parse(options).unwrap(),
    };
    let mut frame = vec![0; 14 + HEADER_LEN + message.len()];
    frame[..14].copy_from_slice(&[0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xdd]);
    let header = Ipv6Header {
        src: ROUTER,
        dst: ALL_NODES,
        next_header: IpProtocol::ICMPV6,
        hop_limit: HOP_LIMIT,
        dscp_ecn: 0,
        flow_label: 0,
        payload_len: message.len(),
    };
    header.emit(&mut frame[14..]);
    message.emit(
        &mut frame[14 + HEADER_LEN..],
        ROUTER.into(),
        ALL_NODES.into(),
    );
    frame
}

/// How often routers are asked in so many seconds.
fn solicitations(engine: &mut Engine<'_>, now: &mut Instant, seconds: u64) -> usize {
    let end = *now + Duration::from_secs(seconds);
    let mut count = 0;
    while *now < end {
        engine.on_timeout(*now);
        while let Some(frame) = next_frame(engine, *now) {
            count += usize::from(frame[20] == IpProtocol::ICMPV6.0 && frame[54] == 133);
        }
        *now += Duration::from_millis(100);
    }
    count
}

/// RFC 4191, section 3.1: a route to everywhere overrides what the header of its advertisement says. That is no reason
/// to search anew (RFC 7559, section 2).
#[test]
fn rfc4191_3_1_a_default_router_by_its_route_alone_is_not_lost_with_each_advertisement() {
    let route = [24, 1, 0, 0, 0, 0, 7, 8];
    let (mut engine, mut now) = (engine(A, Medium::Ethernet), Instant::from_secs(1));
    let slaac = ConfigV6::Slaac(crate::engine::config::SlaacConfig::new());
    engine.set_config_v6(slaac).unwrap();
    let mut asked = 0;
    for _ in 0..30 {
        let heard = receive(&mut engine, now, &advertisement(0, &route), RxMeta::new());
        assert_eq!(heard.0, Ok(()));
        asked += solicitations(&mut engine, &mut now, 10);
    }
    // After 4, 8, 16 s and so on.
    assert!(asked <= 8, "{asked}");
}

/// Section 6.3.7 of RFC 4861: with the last default router gone, others are looked for.
#[test]
fn rfc7559_the_search_begins_anew_when_the_last_router_is_gone() {
    let (mut engine, mut now) = (engine(A, Medium::Ethernet), Instant::from_secs(1));
    let slaac = ConfigV6::Slaac(crate::engine::config::SlaacConfig::new());
    engine.set_config_v6(slaac).unwrap();
    for (lifetime, asks) in [(1_800, false), (0, true), (1_800, false)] {
        let heard = receive(
            &mut engine,
            now,
            &advertisement(lifetime, &[]),
            RxMeta::new(),
        );
        assert_eq!(heard.0, Ok(()));
        assert_eq!(
            solicitations(&mut engine, &mut now, 10) > 0,
            asks,
            "{lifetime}"
        );
    }
}
