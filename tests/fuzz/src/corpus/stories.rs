//! Short stories for `frames`, each about one protocol: what a peer would send, and what the user does.

use std::net::{Ipv4Addr, Ipv6Addr};

use cygnet::wire::igmp::IgmpShort;
use cygnet::wire::{
    ArpOperation, ArpPacket, ChecksumMode, EtherType, EthernetAddress, EthernetHeader,
    Icmpv4Message, Icmpv4Unreachable, Icmpv6Message, Icmpv6Unreachable, IpProtocol, SeqNum,
    TcpFlags, TcpHeader, TcpOptions,
};

use super::messages::{self, Dhcp};
use crate::frames::{Call, Cut, Record};
use crate::packets::{framed, ipv4, ipv6, udp_packet};
use crate::stand::{
    GROUP_V4, OUR_ADDRESS, OUR_ADDRESS_V6, OURS, PEER_ADDRESS, PEER_ADDRESS_V6, PEER_LINK_LOCAL,
    PEERS, STRANGER_V6,
};

/// All of them by their names.
pub(super) fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("arp-and-link-local", arp_and_link_local()),
        ("dhcp-client", dhcp_client()),
        ("dhcp-server", dhcp_server()),
        ("dns", dns()),
        ("dns-none", dns_none()),
        ("icmp", icmp()),
        ("igmp", igmp()),
        ("ipv6-duplicate", ipv6_duplicate()),
        ("ipv6-errors", ipv6_errors()),
        ("ipv6-extensions", ipv6_extensions()),
        ("ipv6-neighbors", ipv6_neighbors()),
        ("ipv6-routers", ipv6_routers()),
        ("ipv6-tcp", ipv6_tcp()),
        ("mdns-browse", mdns_browse()),
        ("mdns-name", mdns_name()),
        ("mdns-resolve", mdns_resolve()),
        ("udp", udp()),
        ("udp-fragments", udp_fragments()),
    ]
}

/// A story that is being written.
#[derive(Default)]
struct Story(Vec<u8>);

impl Story {
    fn call(mut self, call: Call) -> Self {
        Record::Call(call as u16).put(&mut self.0);
        self
    }

    fn pause(mut self, millis: u16) -> Self {
        Record::Pause(millis).put(&mut self.0);
        self
    }

    fn talk(mut self) -> Self {
        Record::Talk(10).put(&mut self.0);
        self
    }

    fn frame(mut self, frame: &[u8]) -> Self {
        Record::Relative(frame).put(&mut self.0);
        self
    }

    fn packet(self, packet: &[u8]) -> Self {
        self.frame(&framed(packet))
    }

    fn cut(mut self, backwards: bool, packet: &[u8]) -> Self {
        let how = Cut {
            backwards,
            units: 0,
        };
        Record::Cut(how, &framed(packet)).put(&mut self.0);
        self
    }
}

const V4: (Ipv4Addr, Ipv4Addr) = (PEER_ADDRESS, OUR_ADDRESS);
const V6: (Ipv6Addr, Ipv6Addr) = (PEER_ADDRESS_V6, OUR_ADDRESS_V6);

fn arp(operation: ArpOperation, sender: Ipv4Addr, target: Ipv4Addr) -> Vec<u8> {
    let mut frame = vec![0; 14 + 28];
    EthernetHeader {
        dst: EthernetAddress::BROADCAST,
        src: PEERS,
        ethertype: EtherType::ARP,
    }
    .emit(&mut frame);
    ArpPacket {
        operation,
        sender_hardware: PEERS,
        sender_protocol: sender,
        target_hardware: OURS,
        target_protocol: target,
    }
    .emit(&mut frame[14..]);
    frame
}

fn arp_and_link_local() -> Vec<u8> {
    let nobody = Ipv4Addr::UNSPECIFIED;
    Story::default()
        .frame(&arp(ArpOperation::Request, PEER_ADDRESS, OUR_ADDRESS))
        .call(Call::SendToStrangerV4)
        .frame(&arp(
            ArpOperation::Reply,
            Ipv4Addr::new(10, 0, 0, 3),
            OUR_ADDRESS,
        ))
        .frame(&arp(ArpOperation::Request, nobody, OUR_ADDRESS))
        .frame(&arp(ArpOperation::Request, OUR_ADDRESS, OUR_ADDRESS))
        .pause(11_000)
        .frame(&arp(ArpOperation::Request, OUR_ADDRESS, OUR_ADDRESS))
        .call(Call::LinkLocalV4)
        .pause(8_000)
        .talk()
        .0
}

fn dhcp_client() -> Vec<u8> {
    let reply = |kind| messages::dhcp(kind);
    let send = |data: &[u8]| udp_packet((PEER_ADDRESS, Ipv4Addr::BROADCAST), (67, 68), data);
    Story::default()
        .call(Call::Dhcp)
        .pause(10)
        .packet(&send(&reply(Dhcp::Offer)))
        .packet(&send(&reply(Dhcp::Ack)))
        .pause(10_000)
        .talk()
        .pause(60_000)
        .packet(&send(&reply(Dhcp::Ack)))
        .pause(60_000)
        .packet(&send(&reply(Dhcp::Nak)))
        .talk()
        .0
}

fn dhcp_server() -> Vec<u8> {
    let send = |kind| {
        let data = messages::dhcp(kind);
        let ends = (Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST);
        udp_packet(ends, (68, 67), &data)
    };
    Story::default()
        .call(Call::StartDhcpServer)
        .packet(&send(Dhcp::Discover))
        .pause(3_000)
        .packet(&send(Dhcp::Request))
        .pause(1_000)
        .packet(&send(Dhcp::Inform))
        .packet(&send(Dhcp::Decline))
        .packet(&send(Dhcp::Release))
        .0
}

fn dns() -> Vec<u8> {
    let send = |data: &[u8]| udp_packet(V4, (53, 1), data);
    Story::default()
        .call(Call::Resolve)
        .packet(&send(&messages::dns_answer(28)))
        .packet(&send(&messages::dns_answer(1)))
        .pause(10)
        .0
}

fn dns_none() -> Vec<u8> {
    let send = |data: &[u8]| udp_packet(V4, (53, 1), data);
    Story::default()
        .call(Call::Resolve)
        .packet(&send(&messages::dns_no_answer(28)))
        .packet(&send(&messages::dns_no_answer(1)))
        .pause(10)
        .0
}

fn mdns(data: &[u8]) -> Vec<u8> {
    let group = cygnet::wire::dns::MDNS_GROUP;
    udp_packet((PEER_ADDRESS, group), (5_353, 5_353), data)
}

fn mdns_name() -> Vec<u8> {
    Story::default()
        .call(Call::Name)
        .call(Call::AddService)
        .pause(3_000)
        .packet(&mdns(&messages::mdns_question("cygnet.local", 1)))
        .pause(1_500)
        .packet(&mdns(&messages::mdns_question("_http._tcp.local", 12)))
        .pause(1_500)
        .packet(&mdns(&messages::mdns_address("cygnet.local")))
        .pause(3_000)
        .call(Call::RemoveServices)
        .call(Call::NoName)
        .pause(1_000)
        .0
}

fn mdns_browse() -> Vec<u8> {
    let mut story = Story::default()
        .call(Call::Browse)
        .pause(200)
        .packet(&mdns(&messages::mdns_service(120)))
        .talk()
        .pause(60_000)
        .packet(&mdns(&messages::mdns_service(0)));
    for _ in 0..3 {
        story = story.pause(1_100).talk();
    }
    story.0
}

fn mdns_resolve() -> Vec<u8> {
    let mut story = Story::default().call(Call::ResolveLocal).pause(200);
    // IPv6 addresses are asked for first, and nobody has any.
    for _ in 0..8 {
        story = story
            .packet(&mdns(&messages::mdns_address("swan.local")))
            .packet(&udp_packet(V4, (5_353, 1), &messages::local_answer()))
            .pause(2_000)
            .talk();
    }
    story.0
}

fn echo_v4(data: &[u8]) -> Vec<u8> {
    let message = Icmpv4Message::EchoRequest {
        ident: 1,
        seq: 2,
        data,
    };
    let mut payload = vec![0; message.len()];
    message.emit(&mut payload);
    ipv4(V4, IpProtocol::ICMP, 64, &payload)
}

fn icmp() -> Vec<u8> {
    let sent = udp_packet((OUR_ADDRESS, PEER_ADDRESS), (7, 9), &[0x5a; 10]);
    let message = Icmpv4Message::DestinationUnreachable {
        code: Icmpv4Unreachable::Port,
        next_hop_mtu: 0,
        quote: &sent,
    };
    let mut payload = vec![0; message.len()];
    message.emit(&mut payload);
    let reply = Icmpv4Message::EchoReply {
        ident: 1,
        seq: 2,
        data: b"cygnet",
    };
    let mut replied = vec![0; reply.len()];
    reply.emit(&mut replied);
    Story::default()
        .packet(&echo_v4(b"cygnet"))
        .cut(true, &echo_v4(&[7; 200]))
        .call(Call::SendV4)
        .packet(&ipv4(V4, IpProtocol::ICMP, 64, &payload))
        .packet(&ipv4(V4, IpProtocol::ICMP, 64, &replied))
        .packet(&udp_packet(V4, (9, 10), b"nobody"))
        .talk()
        .0
}

fn igmp() -> Vec<u8> {
    let all = Ipv4Addr::new(224, 0, 0, 1);
    let send = |dst, message: &[u8]| {
        // With a router alert, without which nobody listens.
        let mut packet = ipv4((PEER_ADDRESS, dst), IpProtocol::IGMP, 1, message);
        packet.splice(20..20, [0x94, 4, 0, 0]);
        packet[0] = 0x46;
        packet[3] += 4;
        packet
    };
    let group = GROUP_V4.octets();
    let query = |code: u8, rest: &[u8]| [&[0x11, code, 0, 0], &group[..], rest].concat();
    let general = [0x11, 10, 0, 0, 0, 0, 0, 0, 2, 125, 0, 0];
    let by_source = [&[2, 125, 0, 1][..], &PEER_ADDRESS.octets()].concat();
    Story::default()
        .call(Call::Join)
        .pause(2_000)
        .packet(&udp_packet((PEER_ADDRESS, GROUP_V4), (9, 7), b"all"))
        .packet(&send(all, &general))
        .packet(&send(GROUP_V4, &query(10, &by_source)))
        .pause(2_000)
        .call(Call::JoinSource)
        .packet(&send(all, &query(10, &[])))
        .packet(&send(GROUP_V4, &IgmpShort::ReportV2.emit(GROUP_V4)))
        .packet(&send(all, &query(0, &[])))
        .pause(12_000)
        .call(Call::Leave)
        .talk()
        .0
}

fn icmpv6(ends: (Ipv6Addr, Ipv6Addr), hop_limit: u8, message: &[u8]) -> Vec<u8> {
    ipv6(ends, IpProtocol::ICMPV6, hop_limit, message)
}

fn echo_v6(data: &[u8]) -> Vec<u8> {
    [&[128, 0, 0, 0, 0, 1, 0, 2], data].concat()
}

fn ipv6_duplicate() -> Vec<u8> {
    let all = messages::ALL_NODES;
    let claim = messages::advertisement(OUR_ADDRESS_V6, 0x20);
    let probe = messages::solicitation(OUR_ADDRESS_V6, false);
    let nobody = Ipv6Addr::UNSPECIFIED;
    let group = messages::SOLICITED_NODE;
    Story::default()
        .packet(&icmpv6((nobody, group), 255, &probe))
        .call(Call::NoV6)
        .call(Call::StaticV6)
        .pause(10)
        .packet(&icmpv6((PEER_LINK_LOCAL, all), 255, &claim))
        .pause(3_000)
        .call(Call::LinkLocalV6)
        .packet(&icmpv6((nobody, group), 255, &probe))
        .pause(3_000)
        .talk()
        .0
}

fn ipv6_neighbors() -> Vec<u8> {
    let question = messages::solicitation(OUR_ADDRESS_V6, true);
    let stranger = (STRANGER_V6, OUR_ADDRESS_V6);
    let answer = messages::advertisement(STRANGER_V6, 0x60);
    Story::default()
        .packet(&icmpv6(
            (PEER_ADDRESS_V6, messages::SOLICITED_NODE),
            255,
            &question,
        ))
        .packet(&icmpv6(V6, 255, &question))
        .call(Call::SendToStrangerV6)
        .pause(10)
        .packet(&icmpv6(stranger, 255, &answer))
        .pause(40_000)
        .call(Call::SendToStrangerV6)
        .pause(6_000)
        .packet(&icmpv6(stranger, 255, &answer))
        .pause(10)
        .0
}

fn ipv6_routers() -> Vec<u8> {
    let to_all = |message: &[u8]| icmpv6((PEER_LINK_LOCAL, messages::ALL_NODES), 255, message);
    let query = |rest: &[u8]| [&[130, 0, 0, 0, 3, 232, 0, 0], &[0; 16][..], rest].concat();
    // Behind a router alert.
    let listeners = |message: &[u8]| {
        let payload = [&[58, 0, 5, 2, 0, 0, 1, 0], message].concat();
        let ends = (PEER_LINK_LOCAL, messages::ALL_NODES);
        ipv6(ends, IpProtocol::HOP_BY_HOP, 1, &payload)
    };
    Story::default()
        .packet(&to_all(&messages::router_advertisement()))
        .pause(1_000)
        .packet(&icmpv6(
            (PEER_LINK_LOCAL, OUR_ADDRESS_V6),
            255,
            &messages::redirect(),
        ))
        .call(Call::Join)
        .packet(&listeners(&query(&[])))
        .packet(&listeners(&query(&[2, 125, 0, 0])))
        .pause(2_000)
        .0
}

fn ipv6_errors() -> Vec<u8> {
    let sent = udp_packet((OUR_ADDRESS_V6, PEER_ADDRESS_V6), (7, 9), &[0x5a; 10]);
    let (src, dst) = (PEER_ADDRESS_V6.into(), OUR_ADDRESS_V6.into());
    let error = |message: Icmpv6Message<'_>| {
        let mut payload = vec![0; message.len()];
        message.emit(&mut payload, src, dst);
        icmpv6(V6, 64, &payload)
    };
    Story::default()
        .call(Call::SendV6)
        .packet(&error(Icmpv6Message::DestinationUnreachable {
            code: Icmpv6Unreachable::Port,
            quote: &sent,
        }))
        .talk()
        .packet(&error(Icmpv6Message::PacketTooBig {
            mtu: 1_300,
            quote: &sent,
        }))
        .call(Call::SendLongV6)
        .packet(&error(Icmpv6Message::TimeExceeded {
            code: 0,
            quote: &sent,
        }))
        .packet(&udp_packet(V6, (9, 10), b"nobody"))
        .packet(&ipv6(V6, IpProtocol(200), 64, b"nothing"))
        .talk()
        .0
}

fn ipv6_extensions() -> Vec<u8> {
    let echo = echo_v6(b"cygnet");
    let behind =
        |next_header, headers: &[u8]| ipv6(V6, next_header, 64, &[headers, &echo].concat());
    let options = [60, 0, 1, 4, 0, 0, 0, 0];
    let unknown = [58, 0, 0x9e, 4, 0, 0, 0, 0];
    let routing = [58, 0, 4, 0, 0, 0, 0, 0];
    let atomic = [58, 0, 0, 0, 0, 0, 0, 9];
    Story::default()
        .packet(&icmpv6(V6, 64, &echo))
        .packet(&behind(
            IpProtocol::HOP_BY_HOP,
            &[options, [58, 0, 1, 2, 0, 0, 0, 0]].concat(),
        ))
        .packet(&behind(IpProtocol::DESTINATION_OPTIONS, &unknown))
        .packet(&behind(IpProtocol::ROUTING, &routing))
        .packet(&behind(IpProtocol::FRAGMENT, &atomic))
        .cut(false, &icmpv6(V6, 64, &echo_v6(&[7; 300])))
        .talk()
        .0
}

fn ipv6_tcp() -> Vec<u8> {
    let segment = |flags, seq, ack, text: &[u8]| {
        let options = TcpOptions {
            mss: Some(1_000),
            ..TcpOptions::default()
        };
        let header = TcpHeader {
            src_port: 4_000,
            dst_port: 80,
            seq: SeqNum::new(seq),
            ack: SeqNum::new(ack),
            flags,
            window: 5_000,
            urgent: 0,
            options,
        };
        let mut payload = vec![0; header.len() + text.len()];
        let (src, dst) = (PEER_ADDRESS_V6.into(), OUR_ADDRESS_V6.into());
        let mode = ChecksumMode::Full;
        header.emit(&mut payload, src, dst, (text, &[]), mode);
        ipv6(V6, IpProtocol::TCP, 64, &payload)
    };
    let ack = TcpFlags::ACK;
    Story::default()
        .packet(&segment(TcpFlags::SYN, 100, 0, &[]))
        .packet(&segment(ack, 101, 0, &[]))
        .packet(&segment(ack, 101, 0, b"cygnet"))
        .talk()
        .talk()
        .cut(false, &segment(ack, 107, 0, &[7; 100]))
        .pause(1_000)
        .talk()
        .packet(&segment(ack | TcpFlags::FIN, 207, 0, &[]))
        .talk()
        .0
}

fn udp() -> Vec<u8> {
    Story::default()
        .packet(&udp_packet(V4, (9, 7), b"over IPv4"))
        .packet(&udp_packet(V6, (9, 7), b"over IPv6"))
        .talk()
        .talk()
        .call(Call::SendV4)
        .call(Call::SendV6)
        .call(Call::SendLongV4)
        .call(Call::SendLongV6)
        .0
}

fn udp_fragments() -> Vec<u8> {
    let text = [0x5a; 250];
    Story::default()
        .cut(false, &udp_packet(V4, (9, 7), &text))
        .cut(true, &udp_packet(V6, (9, 7), &text))
        .talk()
        .talk()
        .0
}
