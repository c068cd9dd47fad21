//! The messages in the corpus: of DHCP, DNS, Multicast DNS and neighbor discovery.

use std::net::{Ipv4Addr, Ipv6Addr};

use cygnet::wire::dhcpv4::option;
use cygnet::wire::dns::{MdnsWriter, Name, OwnData, OwnRecord, RecordType, Section, emit_query};
use cygnet::wire::{DhcpMessageKind, DhcpReply, DhcpRequest, DhcpWriter, EthernetAddress, ndisc};

use crate::stand::{OUR_ADDRESS_V6, OURS, PEER_ADDRESS, PEER_LINK_LOCAL, PEERS, STRANGER_V6};

/// Which message of DHCP.
#[derive(Clone, Copy, Debug)]
pub(super) enum Dhcp {
    Offer,
    Ack,
    Nak,
    Discover,
    Request,
    Decline,
    Inform,
    Release,
}

impl Dhcp {
    pub(super) const ALL: [Self; 8] = [
        Self::Offer,
        Self::Ack,
        Self::Nak,
        Self::Discover,
        Self::Request,
        Self::Decline,
        Self::Inform,
        Self::Release,
    ];

    pub(super) fn is_reply(self) -> bool {
        matches!(self, Self::Offer | Self::Ack | Self::Nak)
    }
}

/// The inputs for the target of the same name.
pub(super) fn dns() -> [(&'static str, Vec<u8>); 8] {
    [
        ("address", dns_answer(1)),
        ("address-v6", dns_answer(28)),
        ("none", dns_no_answer(1)),
        ("question", dns_question(1, 0x0100)),
        ("mdns-address", mdns_address("cygnet.local")),
        ("mdns-question", mdns_question("cygnet.local", 255)),
        ("mdns-service", mdns_service(120)),
        ("mdns-services", mdns_question("_http._tcp.local", 12)),
    ]
}

/// The inputs for the target of the same name: of one packet each, from the peer's link-local address.
pub(super) fn ipv6() -> [(&'static str, Vec<u8>); 9] {
    let input = |to: u8, next_header: u8, payload: &[u8]| {
        let len = (payload.len() as u16).to_be_bytes();
        [&[to << 4 | 1, next_header, 255], &len[..], payload].concat()
    };
    let echo = [128, 0, 0, 0, 0, 1, 0, 2];
    let behind = |headers: &[u8]| [headers, &echo].concat();
    let mld = [&[130, 0, 0, 0, 3, 232, 0, 0], &[0; 16][..], &[2, 125, 0, 0]].concat();
    let alert = [58, 0, 5, 2, 0, 0, 1, 0];
    [
        ("echo", input(0, 58, &echo)),
        (
            "solicitation",
            input(3, 58, &solicitation(OUR_ADDRESS_V6, true)),
        ),
        (
            "advertisement",
            input(0, 58, &advertisement(PEER_LINK_LOCAL, 0x60)),
        ),
        ("router", input(2, 58, &router_advertisement())),
        ("redirect", input(0, 58, &redirect())),
        ("listeners", input(2, 0, &[&alert[..], &mld].concat())),
        ("options", input(0, 60, &behind(&[58, 0, 1, 1, 0, 0, 0, 0]))),
        ("routing", input(0, 43, &behind(&[58, 0, 4, 1, 0, 0, 0, 0]))),
        (
            "fragment",
            input(0, 44, &behind(&[58, 0, 0, 1, 0, 0, 0, 9])),
        ),
    ]
}

/// A message of DHCP: a reply for the stack, or a request of another client.
pub(super) fn dhcp(which: Dhcp) -> Vec<u8> {
    let mut buffer = vec![0; 600];
    let kind = match which {
        Dhcp::Offer => DhcpMessageKind::Offer,
        Dhcp::Ack => DhcpMessageKind::Ack,
        Dhcp::Nak => DhcpMessageKind::Nak,
        Dhcp::Discover => DhcpMessageKind::Discover,
        Dhcp::Request => DhcpMessageKind::Request,
        Dhcp::Decline => DhcpMessageKind::Decline,
        Dhcp::Inform => DhcpMessageKind::Inform,
        Dhcp::Release => DhcpMessageKind::Release,
    };
    let kind = [kind as u8];
    let len = match which.is_reply() {
        true => {
            let reply = DhcpReply {
                xid: 0,
                broadcast: false,
                ciaddr: Ipv4Addr::UNSPECIFIED,
                yiaddr: Ipv4Addr::new(10, 0, 0, 77),
                giaddr: Ipv4Addr::UNSPECIFIED,
                chaddr: OURS,
            };
            DhcpWriter::reply(&mut buffer, &reply)
                .option(option::MESSAGE_TYPE, &kind)
                .option(option::SERVER_ID, &PEER_ADDRESS.octets())
                .option(option::LEASE_TIME, &[0, 0, 0, 120])
                .option(option::SUBNET_MASK, &[255, 255, 255, 0])
                .option(option::ROUTER, &PEER_ADDRESS.octets())
                .option(option::DNS_SERVERS, &PEER_ADDRESS.octets())
                .option(option::DOMAIN_NAME, b"example.org")
                .option(option::DOMAIN_SEARCH, b"\x07example\x03org\0")
                .option(option::CLASSLESS_ROUTES, &[8, 11, 10, 0, 0, 1])
                .option(option::INTERFACE_MTU, &[5, 0])
                .finish()
        }
        false => {
            let request = DhcpRequest {
                xid: 7,
                secs: 1,
                broadcast: false,
                ciaddr: Ipv4Addr::UNSPECIFIED,
                chaddr: EthernetAddress([2, 0, 0, 0, 0, 9]),
            };
            DhcpWriter::new(&mut buffer, &request)
                .option(option::MESSAGE_TYPE, &kind)
                .option(option::REQUESTED_ADDRESS, &[10, 0, 0, 101])
                .option(option::SERVER_ID, &crate::stand::OUR_ADDRESS.octets())
                .option(option::CLIENT_ID, b"\0cygnet")
                .option(option::HOSTNAME, b"swan")
                .option(option::PARAMETER_LIST, &[1, 3, 6, 15, 26, 51])
                .finish()
        }
    };
    buffer.truncate(len);
    buffer
}

fn name(text: &str) -> Name {
    Name::from_text(text).expect("a name")
}

/// The answer to what [`Call::Resolve`](crate::frames::Call::Resolve) asks: an alias and its address.
pub(super) fn dns_answer(kind: u16) -> Vec<u8> {
    let mut message = dns_question(kind, 0x8180);
    message[7] = 2;
    // The alias points to what is behind "www." in the question.
    message.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 1, 0, 0, 7, 4]);
    message.extend(b"host\xc0\x10");
    let host = message.len() as u8 - 7;
    let data: &[u8] = match kind {
        1 => &[192, 0, 2, 7],
        _ => &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7],
    };
    message.extend([
        0xc0,
        host,
        0,
        kind as u8,
        0,
        1,
        0,
        0,
        1,
        0,
        0,
        data.len() as u8,
    ]);
    message.extend(data);
    message
}

/// What [`Call::ResolveLocal`](crate::frames::Call::ResolveLocal) asks for, to the asker alone.
pub(super) fn local_answer() -> Vec<u8> {
    let mut message = question("swan.local", 1, 0x8400);
    message[7] = 1;
    message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 10, 0, 4, 10, 0, 0, 9]);
    message
}

/// That there is no such name, and for how long.
pub(super) fn dns_no_answer(kind: u16) -> Vec<u8> {
    let mut message = dns_question(kind, 0x8183);
    message[9] = 1;
    message.extend([0xc0, 16, 0, 6, 0, 1, 0, 0, 1, 0, 0, 24, 0xc0, 16, 0xc0, 16]);
    message.extend([0; 16]);
    message.extend([0, 0, 0, 60]);
    message
}

fn dns_question(kind: u16, flags: u16) -> Vec<u8> {
    question("www.example.org", kind, flags)
}

fn question(text: &str, kind: u16, flags: u16) -> Vec<u8> {
    let mut buffer = vec![0; 600];
    let asked = name(text);
    let len = emit_query(&mut buffer, asked.as_bytes(), RecordType(kind), None);
    buffer.truncate(len.expect("room for a question"));
    buffer[2..4].copy_from_slice(&flags.to_be_bytes());
    buffer
}

/// Everybody is asked.
pub(super) fn mdns_question(text: &str, kind: u16) -> Vec<u8> {
    mdns(false, |writer| {
        assert!(writer.question(&name(text), RecordType(kind), 1));
    })
}

/// Somebody has that name.
pub(super) fn mdns_address(text: &str) -> Vec<u8> {
    let name = name(text);
    let record = OwnRecord {
        name: &name,
        class: 0x8001,
        ttl: 120,
        data: OwnData::A([10, 0, 0, 9]),
    };
    mdns(true, |writer| {
        assert!(writer.record(Section::Answer, &record));
    })
}

/// Somebody has a service for so many seconds.
pub(super) fn mdns_service(ttl: u32) -> Vec<u8> {
    let (kind, instance, host) = (
        name("_http._tcp.local"),
        name("swan._http._tcp.local"),
        name("swan.local"),
    );
    let record = |name, data| OwnRecord {
        name,
        class: 1,
        ttl,
        data,
    };
    mdns(true, |writer| {
        let address = OwnData::Srv {
            port: 80,
            target: &host,
        };
        assert!(writer.record(Section::Answer, &record(&kind, OwnData::Ptr(&instance))));
        for data in [address, OwnData::Txt(b"\x06path=/")] {
            assert!(writer.record(Section::Additional, &record(&instance, data)));
        }
        let address = record(&host, OwnData::A([10, 0, 0, 9]));
        assert!(writer.record(Section::Additional, &address));
    })
}

fn mdns(response: bool, write: impl FnOnce(&mut MdnsWriter<'_>)) -> Vec<u8> {
    let mut buffer = vec![0; 600];
    let mut writer = MdnsWriter::new(&mut buffer, 0, response);
    write(&mut writer);
    let len = writer.finish();
    buffer.truncate(len);
    buffer
}

pub(super) const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// The group of those whose address ends like the stack's.
pub(super) const SOLICITED_NODE: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 2);

/// Who has that address? Without a link address it is a probe.
pub(super) fn solicitation(target: Ipv6Addr, has_link_address: bool) -> Vec<u8> {
    let mut message = [&[135, 0, 0, 0, 0, 0, 0, 0], &target.octets()[..]].concat();
    if has_link_address {
        message.extend(ndisc::source_link_address(PEERS));
    }
    message
}

/// The peer has that address.
pub(super) fn advertisement(target: Ipv6Addr, flags: u8) -> Vec<u8> {
    let option = ndisc::target_link_address(PEERS);
    [
        &[136, 0, 0, 0, flags, 0, 0, 0],
        &target.octets()[..],
        &option,
    ]
    .concat()
}

/// A router with every option that there is.
pub(super) fn router_advertisement() -> Vec<u8> {
    let mut message = vec![134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0x75, 0x30, 0, 0, 3, 0xe8];
    message.extend(ndisc::source_link_address(PEERS));
    message.extend([5, 1, 0, 0, 0, 0, 5, 0]);
    let prefix = Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 0).octets();
    message.extend([3, 4, 64, 0xc0, 0, 0, 14, 16, 0, 0, 7, 8, 0, 0, 0, 0]);
    message.extend(prefix);
    message.extend([24, 2, 48, 8, 0, 0, 7, 8]);
    message.extend(&prefix[..8]);
    message.extend([25, 3, 0, 0, 0, 0, 7, 8]);
    message.extend(PEER_LINK_LOCAL.octets());
    message
}

/// The stranger is on the link.
pub(super) fn redirect() -> Vec<u8> {
    let mut message = vec![137, 0, 0, 0, 0, 0, 0, 0];
    message.extend(STRANGER_V6.octets());
    message.extend(STRANGER_V6.octets());
    message.extend(ndisc::target_link_address(PEERS));
    message.extend([4, 6, 0, 0, 0, 0, 0, 0, 0x60, 0, 0, 0, 0, 0, 59, 64]);
    message.extend(OUR_ADDRESS_V6.octets());
    message.extend(STRANGER_V6.octets());
    message
}
