//! What IPv6 brings: chains of extension headers, neighbor discovery and its options, ICMPv6, listener
//! discovery. What is read is written again the same, and a live stack takes anything.
//!
//! An input is a sequence of packets, each five bytes and a payload: who speaks to whom, the next header, the
//! hop limit, and the payload's length in two. Checksums are made right.

use std::net::Ipv6Addr;

use cygnet::Duration;
use cygnet::wire::ipv6::Ipv6Options;
use cygnet::wire::mld::MldMessage;
use cygnet::wire::{
    Extension, ExtensionHeaders, Icmpv6Message, IpProtocol, Ipv6Header, NdiscMessage, NdiscOption,
};
use cygnet_driver::Medium;
use cygnet_tests::{Transport, repair_checksums, transport};

use crate::frames::{Call, User};
use crate::packets::{framed, ipv6};
use crate::stand::{
    GROUP_V6, Memory, OUR_ADDRESS_V6, OUR_LINK_LOCAL, PEER_ADDRESS_V6, PEER_LINK_LOCAL,
    STRANGER_V6, Stand,
};

/// See the module.
pub fn run(mut input: &[u8]) {
    let mut packets = Vec::new();
    while packets.len() < PACKETS
        && let Some(packet) = take(&mut input)
    {
        read(&packet);
        packets.push(packet);
    }
    if packets.is_empty() {
        return;
    }
    let mut memory = Memory::new();
    let mut user = User::new(Stand::new(&mut memory, Medium::Ethernet));
    user.call(Call::Join);
    user.call(Call::SendToStrangerV6);
    for packet in &packets {
        let mut frame = framed(packet);
        repair_checksums(Medium::Ethernet, &mut frame);
        user.receive(&frame);
        user.pass(Duration::from_millis(100));
        user.talk(0);
        user.call(Call::SendV6);
    }
    user.leave();
}

/// The next packet of an input.
fn take(input: &mut &[u8]) -> Option<Vec<u8>> {
    let (&[who, next_header, hop_limit, high, low], rest) = input.split_first_chunk()?;
    let len = usize::from(u16::from_be_bytes([high, low])).min(rest.len());
    let (payload, rest) = rest.split_at(len.min(1_460));
    *input = rest;
    let src = SOURCES[usize::from(who & 15) % SOURCES.len()];
    let dst = DESTINATIONS[usize::from(who >> 4) % DESTINATIONS.len()];
    Some(ipv6(
        (src, dst),
        IpProtocol(next_header),
        hop_limit,
        payload,
    ))
}

fn read(packet: &[u8]) {
    let (header, payload) = Ipv6Header::parse(packet).expect("a header of our own");
    let mut again = [0; 40];
    header.emit(&mut again);
    assert_eq!(again, packet[..40]);
    walk(packet, header.next_header, payload);
    if let Some(found) = transport(Medium::Ip, packet)
        && found.protocol == IpProtocol::ICMPV6
    {
        read_icmp(&found, &packet[found.range.clone()]);
    }
}

/// A chain comes to an end within the packet, and says where it stands.
fn walk(packet: &[u8], next_header: IpProtocol, payload: &[u8]) {
    let mut headers = ExtensionHeaders::new(next_header, payload);
    let mut steps = 0;
    while let Some(step) = headers.next() {
        steps += 1;
        assert!(steps <= 16, "a chain of {steps}");
        let Ok(extension) = step else { break };
        assert_eq!(headers.offset() + headers.rest().len(), packet.len());
        assert_eq!(packet[headers.pointer()], headers.next_header().0);
        match extension {
            Extension::HopByHop(options) | Extension::Destination(options) => {
                read_options(packet, options);
            }
            Extension::Routing(routing) => assert_eq!(packet[routing.kind_offset], routing.kind),
            Extension::Fragment(fragment) => {
                assert_eq!(fragment.data_offset, headers.offset());
                assert!(fragment.offset.is_multiple_of(8));
                let mut again = [0; 8];
                fragment.emit(&mut again);
                let there = &packet[fragment.data_offset - 8..fragment.data_offset];
                // Reserved bits are not written.
                assert_eq!(again[..1], there[..1]);
                assert_eq!((again[2], again[3]), (there[2], there[3] & 0xf9));
                assert_eq!(again[4..], there[4..]);
            }
        }
    }
    assert!(headers.next().is_none());
}

fn read_options(packet: &[u8], options: Ipv6Options<'_>) {
    let mut end = 0;
    for option in options {
        let Ok(option) = option else { break };
        assert!(option.offset >= end);
        assert_eq!(packet[option.offset], option.kind);
        assert_eq!(usize::from(packet[option.offset + 1]), option.data.len());
        end = option.offset + 2 + option.data.len();
        assert!(end <= packet.len());
    }
}

fn read_icmp(found: &Transport, message: &[u8]) {
    let (src, dst) = (found.src, found.dst);
    if let Ok(parsed) = Icmpv6Message::parse(message, src, dst, false) {
        let mut again = vec![0; parsed.len()];
        parsed.emit(&mut again, src, dst);
        assert_eq!(Icmpv6Message::parse(&again, src, dst, true), Ok(parsed));
    }
    if let Ok(Some(parsed)) = NdiscMessage::parse(message) {
        let mut again = vec![0; parsed.len()];
        parsed.emit(&mut again, src, dst);
        assert_eq!(NdiscMessage::parse(&again), Ok(Some(parsed)));
        read_ndisc_options(&parsed);
    }
    if let Ok(MldMessage::Query(query)) = MldMessage::parse(message) {
        assert!(query.sources().count() * 16 <= message.len());
        assert!(query.max_response <= 0x1fff << 10);
    }
}

fn read_ndisc_options(message: &NdiscMessage<'_>) {
    let (NdiscMessage::RouterSolicitation { options }
    | NdiscMessage::RouterAdvertisement { options, .. }
    | NdiscMessage::NeighborSolicitation { options, .. }
    | NdiscMessage::NeighborAdvertisement { options, .. }
    | NdiscMessage::Redirect { options, .. }) = *message;
    assert!(options.into_iter().count() * 8 <= options.as_bytes().len());
    for option in options {
        match option {
            NdiscOption::Prefix(prefix) => assert!(prefix.prefix.prefix_len() <= 128),
            NdiscOption::Route(route) => {
                assert!((-1..=1).contains(&route.preference));
                assert!(route.prefix.prefix_len() <= 128);
            }
            NdiscOption::RecursiveDns(servers) => assert!(servers.servers().count() < 128),
            _ => {}
        }
    }
}

/// More packets of one input are left out.
const PACKETS: usize = 16;

const SOURCES: [Ipv6Addr; 7] = [
    PEER_ADDRESS_V6,
    PEER_LINK_LOCAL,
    STRANGER_V6,
    Ipv6Addr::UNSPECIFIED,
    OUR_ADDRESS_V6,
    Ipv6Addr::LOCALHOST,
    GROUP_V6,
];

const DESTINATIONS: [Ipv6Addr; 7] = [
    OUR_ADDRESS_V6,
    OUR_LINK_LOCAL,
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
    // The group of those whose address ends like the stack's.
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 2),
    GROUP_V6,
    Ipv6Addr::LOCALHOST,
    STRANGER_V6,
];
