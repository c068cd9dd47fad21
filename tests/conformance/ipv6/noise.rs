//! Packets that are nearly right, thousands of them: whatever they do, the stack comes to rest after each, and
//! answers afterwards.

use core::time::Duration;

use cygnet::wire::mld::{self, MldShort};
use cygnet::wire::{Sum, TcpHeader, pseudo_header};
use cygnet::{MulticastSources, TcpListener};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng as _, SeedableRng as _};

use super::*;

/// One of each kind, for the changes to start from.
fn originals() -> Vec<Vec<u8>> {
    let dst = OURS.into();
    let syn = TcpHeader {
        src_port: 40_000,
        dst_port: 80,
        flags: cygnet::wire::TcpFlags::SYN,
        window: 1_000,
        ..TcpHeader::default()
    };
    let mut segment = vec![0; syn.len()];
    let mode = cygnet::wire::ChecksumMode::Full;
    syn.emit(&mut segment, PEER.into(), dst, (&[], &[]), mode);
    let mut datagram = vec![0; 24];
    cygnet::wire::UdpHeader::emit(
        &mut datagram,
        9,
        5_000,
        PEER.into(),
        dst,
        (&[7; 16], &[]),
        mode,
    );
    let echo = echo_request(PEER, OURS);
    let behind =
        |first, headers: &[u8]| packet(PEER, OURS, first, &[headers, &echo[40..]].concat());
    let router = [
        134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4, 64, 0xc0, 0, 1, 0x51, 0x80, 0, 0,
        0x38, 0x40, 0, 0, 0, 0, 0x20, 1, 0xd, 0xb8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let mut advertised = packet(ip("fe80::2"), ALL_NODES, IpProtocol::ICMPV6, &router);
    advertised[7] = 255;
    let too_big = Icmpv6Message::PacketTooBig {
        mtu: 1_300,
        quote: &packet(OURS, PEER, IpProtocol::UDP, &datagram),
    };
    let everything = groups::question(Ipv6Addr::UNSPECIFIED, &[PEER]);
    let about_one = groups::older_question(solicited_node(OURS), 500);
    let report = mld::emit_v1(MldShort::Report, solicited_node(OURS));
    let about_groups = |message: &[u8]| groups::mld_packet(ip("fe80::2"), ALL_NODES, message);
    vec![
        about_groups(&everything),
        about_groups(&about_one),
        about_groups(&report),
        solicitation(OURS),
        probe(OURS, Some(&[1, 2, 3, 4, 5, 6])),
        advertisement(PEER, OURS, SOLICITED),
        advertised,
        icmp(PEER, OURS, &too_big),
        packet(PEER, OURS, IpProtocol::TCP, &segment),
        packet(PEER, OURS, IpProtocol::UDP, &datagram),
        behind(IpProtocol::HOP_BY_HOP, &[58, 0, 5, 2, 0, 0, 1, 0]),
        behind(
            IpProtocol::DESTINATION_OPTIONS,
            &[58, 0, 0xc1, 0, 1, 2, 0, 0],
        ),
        behind(IpProtocol::ROUTING, &[58, 0, 3, 0, 0, 0, 0, 0]),
        behind(IpProtocol::FRAGMENT, &[58, 0, 0, 1, 0, 0, 0, 9]),
        behind(IpProtocol::FRAGMENT, &[58, 0, 0, 0x18, 0, 0, 0, 9]),
        echo,
    ]
}

/// Makes the checksum right of what is directly behind the header, so that more than the checksum is tried.
fn repair(packet: &mut [u8]) {
    let Ok((header, payload)) = Ipv6Header::parse(packet) else {
        return;
    };
    // Options for routers go before what is said about groups.
    let (protocol, start) = match (header.next_header, payload) {
        (IpProtocol::HOP_BY_HOP, [protocol, 0, _, _, _, _, _, _, ..]) => {
            (IpProtocol(*protocol), 48)
        }
        (protocol, _) => (protocol, 40),
    };
    let at = match protocol {
        IpProtocol::TCP => 16,
        IpProtocol::UDP => 6,
        IpProtocol::ICMPV6 => 2,
        _ => return,
    };
    let end = 40 + payload.len();
    let (src, dst) = (header.src.into(), header.dst.into());
    let pseudo = pseudo_header(src, dst, protocol, end - start);
    let payload = &mut packet[start..end];
    if let Some(field) = payload.get_mut(at..at + 2) {
        field.fill(0);
        let checksum = pseudo.add(Sum::of(payload)).finish();
        payload[at..at + 2].copy_from_slice(&checksum.to_be_bytes());
    }
}

#[test]
fn the_stack_outlives_packets_that_are_nearly_right() {
    let originals = originals();
    for seed in 0..20 {
        let mut host = Host::up();
        let pool = Box::leak(Box::new(cygnet::TcpPool::<2, 512, 512>::new()));
        let pool = host.stack().add_pool(pool).expect("room for a pool");
        let _listener = TcpListener::bind(host.stack(), 80, pool).expect("a free port");
        let mut socket = udp_socket(&host);
        let sources = [PEER.into()];
        socket
            .listen_multicast(ip("ff15::1"), MulticastSources::Only(&sources))
            .expect("room");
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        for _ in 0..1_000 {
            let which = random.next_u32() as usize % originals.len();
            let mut packet = originals[which].clone();
            for _ in 0..random.next_u32() % 4 {
                // The start, where headers are, more often than the rest.
                let range = if random.next_u32() % 2 == 0 {
                    packet.len().min(64)
                } else {
                    packet.len()
                };
                let at = random.next_u32() as usize % range;
                packet[at] = match random.next_u32() % 3 {
                    0 => [0, 1, 43, 44, 58, 59, 60, 255][random.next_u32() as usize % 8],
                    1 => packet[at] ^ 1 << (random.next_u32() % 8),
                    _ => random.next_u32() as u8,
                };
            }
            if random.next_u32() % 8 == 0 {
                packet.truncate(random.next_u32() as usize % (packet.len() + 1));
            }
            repair(&mut packet);
            let mac = match packet.get(24) {
                Some(0xff) => EthernetAddress::for_ipv6_multicast(ALL_NODES),
                _ => OUR_MAC,
            };
            host.transmit(&framed_to(mac, &packet));
            while host.bench.receive(Duration::ZERO).is_some() {}
            if random.next_u32() % 16 == 0 {
                host.let_pass(Duration::from_millis(u64::from(random.next_u32() % 3_000)));
            }
        }
        // Whatever is still waited for, such as the rest of fragments, is given up.
        host.let_pass(Duration::from_secs(600));
        host.send(&echo_request(PEER, OURS));
        let heard = host.hear();
        assert!(
            matches!(heard.icmp(), Icmpv6Message::EchoReply { ident: 7, .. }),
            "seed {seed}: {heard:?}"
        );
    }
}
