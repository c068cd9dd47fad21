//! DHCPv6 (RFC 8415): a host without an address on a virtual clock, and a server that its test plays frame
//! by frame.

use core::net::Ipv6Addr;
use core::time::Duration;

use cygnet::wire::dhcpv6::{ALL_SERVERS, CLIENT_PORT, SERVER_PORT, option};
use cygnet::wire::ndisc::{self, NeighborFlags};
use cygnet::wire::{
    ChecksumMode, Dhcpv6Message, Dhcpv6MessageKind as Kind, EtherType, EthernetAddress,
    EthernetHeader, Icmpv6Message, IpProtocol, Ipv6Header, NdiscMessage, NdiscOptions, UdpHeader,
};
use cygnet::{
    AddressState, Config, ConfigV6, Dhcpv6Config, Discard, InterfaceIdentifiers, Ipv6Cidr, Stack,
};
use cygnet_link::PortConfig;
use cygnet_tests::Bench;

const OUR_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
const SERVER_MAC: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 2]);
/// The client's link-local address, by its hardware address.
const CLIENT: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 1);
const SERVER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 2);
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const SERVER_ID: [u8; 10] = [0, 3, 0, 1, 2, 0, 0, 0, 0, 2];

/// A host, and the wire to it.
struct Link(Bench);

/// A client's message.
#[derive(Debug)]
struct Said {
    kind: Kind,
    xid: u32,
    client: Vec<u8>,
    iaid: u32,
    addresses: Vec<Ipv6Addr>,
}

fn given(last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, last)
}

fn quick() -> Config {
    let mut config = Config::dhcpv6(Dhcpv6Config::stateful());
    config.interface_identifiers = InterfaceIdentifiers::Eui64;
    config
}

impl Link {
    fn new(config: Config) -> Self {
        let ports = [OUR_MAC, SERVER_MAC].map(|mac| PortConfig::ethernet(mac.0));
        Self(Bench::new(config, ports))
    }

    /// A host that has address 9 for ten minutes.
    fn leased() -> Self {
        let mut link = Self::new(quick());
        link.give(given(9));
        link.let_pass(Duration::from_secs(3));
        assert!(link.stack().is_config_up());
        link
    }

    fn stack(&self) -> Stack<'static> {
        self.0.stack
    }

    fn state(&self, address: Ipv6Addr) -> Option<AddressState> {
        self.stack().address_state(address.into())
    }

    /// The next frame within `patience`, with its packet.
    fn packet(&mut self, patience: Duration) -> Option<(Ipv6Header, Vec<u8>)> {
        let frame = self.0.receive(patience)?;
        let (link, packet) = EthernetHeader::parse(&frame).expect("an Ethernet header");
        assert_eq!(link.ethertype, EtherType::IPV6);
        let (header, payload) = Ipv6Header::parse(packet).expect("an IPv6 packet");
        Some((header, payload.to_vec()))
    }

    /// The client's next message, within two hours.
    fn hear(&mut self) -> Said {
        self.hear_within(Duration::from_secs(7200))
            .expect("a message")
    }

    fn hear_within(&mut self, patience: Duration) -> Option<Said> {
        let end = self.0.now() + patience;
        while self.0.now() <= end {
            let (header, payload) = self.packet(end - self.0.now())?;
            if header.next_header != IpProtocol::UDP {
                continue;
            }
            assert_eq!((header.src, header.dst), (CLIENT, ALL_SERVERS));
            let (src, dst) = (header.src.into(), header.dst.into());
            let (udp, data) = UdpHeader::parse(&payload, src, dst, true).expect("a datagram");
            assert_eq!((udp.src_port, udp.dst_port), (CLIENT_PORT, SERVER_PORT));
            let message = Dhcpv6Message::parse(data).expect("a DHCPv6 message");
            let ia = message.options.associations(option::IA_NA).next();
            let addresses = ia.iter().flat_map(|ia| ia.options.addresses());
            return Some(Said {
                kind: message.kind,
                xid: message.xid,
                client: message
                    .options
                    .first(option::CLIENT_ID)
                    .expect("who")
                    .to_vec(),
                iaid: ia.map_or(0, |ia| ia.iaid),
                addresses: addresses.map(|grant| grant.what).collect(),
            });
        }
        None
    }

    fn expect(&mut self, kind: Kind) -> Said {
        let said = self.hear();
        assert_eq!(said.kind, kind, "{said:?}");
        said
    }

    fn let_pass(&mut self, time: Duration) {
        let end = self.0.now() + time;
        while self.0.now() < end {
            self.0.receive(end - self.0.now());
        }
    }

    /// Answers a message.
    fn answer(&mut self, said: &Said, kind: Kind, options: &[Vec<u8>]) {
        let mut data = said.xid.to_be_bytes().to_vec();
        data[0] = kind as u8;
        data.extend(tlv(option::CLIENT_ID, &said.client));
        data.extend(tlv(option::SERVER_ID, &SERVER_ID));
        data.extend(options.concat());
        let mut payload = vec![0; 8 + data.len()];
        let (src, dst) = (SERVER.into(), CLIENT.into());
        let mode = ChecksumMode::Full;
        UdpHeader::emit(
            &mut payload,
            SERVER_PORT,
            CLIENT_PORT,
            src,
            dst,
            (&data, &[]),
            mode,
        );
        self.send(SERVER, CLIENT, IpProtocol::UDP, &payload);
    }

    fn send(&mut self, src: Ipv6Addr, dst: Ipv6Addr, next_header: IpProtocol, payload: &[u8]) {
        let link_dst = match dst.is_multicast() {
            true => EthernetAddress::for_ipv6_multicast(dst),
            false => OUR_MAC,
        };
        let mut frame = vec![0; 14 + 40];
        EthernetHeader {
            dst: link_dst,
            src: SERVER_MAC,
            ethertype: EtherType::IPV6,
        }
        .emit(&mut frame);
        Ipv6Header {
            src,
            dst,
            next_header,
            hop_limit: 255,
            dscp_ecn: 0,
            flow_label: 0,
            payload_len: payload.len(),
        }
        .emit(&mut frame[14..]);
        frame.extend(payload);
        self.0.transmit(&frame);
    }

    /// Gives an address to who asks for one next, in four messages.
    fn give(&mut self, address: Ipv6Addr) {
        let solicit = self.expect(Kind::Solicit);
        self.answer(
            &solicit,
            Kind::Advertise,
            &[address_for(&solicit, address, 600)],
        );
        let request = self.expect(Kind::Request);
        assert_eq!(request.addresses, [address]);
        self.answer(
            &request,
            Kind::Reply,
            &[address_for(&request, address, 600)],
        );
    }

    /// Somebody else has the address.
    fn claim(&mut self, address: Ipv6Addr) {
        let option = ndisc::target_link_address(SERVER_MAC);
        let message = NdiscMessage::NeighborAdvertisement {
            target: address,
            flags: NeighborFlags {
                router: false,
                solicited: false,
                override_: true,
            },
            options: NdiscOptions::parse(&option).expect("an option"),
        };
        let mut payload = vec![0; message.len()];
        message.emit(&mut payload, address.into(), ALL_NODES.into());
        self.send(address, ALL_NODES, IpProtocol::ICMPV6, &payload);
    }
}

fn tlv(code: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = code.to_be_bytes().to_vec();
    bytes.extend((value.len() as u16).to_be_bytes());
    bytes.extend(value);
    bytes
}

/// An address for so many seconds, preferred for half of them; the client chooses when to renew.
fn address_for(said: &Said, address: Ipv6Addr, valid: u32) -> Vec<u8> {
    let mut inner = address.octets().to_vec();
    inner.extend((valid / 2).to_be_bytes());
    inner.extend(valid.to_be_bytes());
    let mut value = [said.iaid, 0, 0].map(u32::to_be_bytes).concat();
    value.extend(tlv(option::IA_ADDRESS, &inner));
    tlv(option::IA_NA, &value)
}

#[test]
fn a_host_gets_its_address_and_what_goes_with_it() {
    let mut link = Link::new(quick());
    let solicit = link.expect(Kind::Solicit);
    assert_eq!(link.state(CLIENT), Some(AddressState::Preferred), "by now");
    link.answer(
        &solicit,
        Kind::Advertise,
        &[address_for(&solicit, given(9), 600)],
    );
    let request = link.expect(Kind::Request);
    let options = [
        address_for(&request, given(9), 600),
        tlv(option::DNS_SERVERS, &given(53).octets()),
        tlv(option::DOMAIN_LIST, b"\x07example\x03org\0"),
    ];
    link.answer(&request, Kind::Reply, &options);
    assert_eq!(link.state(given(9)), Some(AddressState::Tentative));
    assert!(!link.stack().is_config_up());
    link.let_pass(Duration::from_secs(3));
    assert_eq!(link.state(given(9)), Some(AddressState::Preferred));
    assert!(link.stack().is_config_up());
    let config = link.stack().config_v6().expect("a configuration");
    assert_eq!(config.address, Ipv6Cidr::new(given(9), 128));
    assert_eq!(config.dns_servers[..], [given(53)]);
    let lease = link.stack().dhcpv6_lease().expect("a lease");
    assert_eq!(lease.server.as_bytes(), SERVER_ID);
    assert_eq!(lease.domains.iter().count(), 1);
}

#[test]
fn an_address_is_renewed_and_goes_when_nobody_renews_it() {
    let mut link = Link::leased();
    let renew = link.expect(Kind::Renew);
    assert_eq!(renew.addresses, [given(9)]);
    let from = link.0.now();
    link.answer(&renew, Kind::Reply, &[address_for(&renew, given(9), 600)]);
    assert!(link.hear_within(Duration::from_secs(149)).is_none());
    // Half the lifetime is gone when others are to choose another address.
    let mut kinds = vec![];
    while link.0.now() < from + Duration::from_secs(301) {
        let left = from + Duration::from_secs(301) - link.0.now();
        kinds.extend(link.hear_within(left).map(|said| said.kind));
    }
    assert_eq!(link.state(given(9)), Some(AddressState::Deprecated));
    assert!(
        kinds.contains(&Kind::Renew) && kinds.contains(&Kind::Rebind),
        "{kinds:?}"
    );
    let solicit = loop {
        let said = link.hear();
        if said.kind != Kind::Rebind {
            break said;
        }
    };
    assert_eq!(solicit.kind, Kind::Solicit);
    let after = (link.0.now() - from).as_secs();
    assert!((600..=601).contains(&after), "{after}");
    assert_eq!(link.state(given(9)), None);
    assert!(!link.stack().is_config_up());
    assert_eq!(link.stack().dhcpv6_lease(), None);
}

#[test]
fn an_address_that_somebody_has_is_declined() {
    let mut link = Link::new(quick());
    link.give(given(9));
    link.claim(given(9));
    assert_eq!(link.state(given(9)), None);
    let decline = link.expect(Kind::Decline);
    assert_eq!(decline.addresses, [given(9)]);
    link.answer(&decline, Kind::Reply, &[]);
    link.give(given(10));
    link.let_pass(Duration::from_secs(3));
    assert_eq!(link.state(given(10)), Some(AddressState::Preferred));
}

#[test]
fn a_configuration_that_is_replaced_gives_its_addresses_back() {
    let mut link = Link::leased();
    link.stack().set_config_v6(ConfigV6::LinkLocal).unwrap();
    assert_eq!(link.state(given(9)), None);
    assert_eq!(link.stack().dhcpv6_lease(), None);
    let release = link.expect(Kind::Release);
    assert_eq!(release.addresses, [given(9)]);
    let again = link.expect(Kind::Release);
    assert_eq!(again.xid, release.xid);
    link.answer(&again, Kind::Reply, &[]);
    assert!(link.hear_within(Duration::from_secs(60)).is_none());

    // Without an address to hear the answer at, it is said once.
    let mut link = Link::leased();
    link.stack().set_config_v6(ConfigV6::None).unwrap();
    link.expect(Kind::Release);
    assert!(link.hear_within(Duration::from_secs(60)).is_none());
    link.stack()
        .set_config_v6(Dhcpv6Config::stateful())
        .unwrap();
    link.give(given(10));
}

#[test]
fn information_comes_without_an_address() {
    let mut config = Config::dhcpv6(Dhcpv6Config::stateless());
    config.interface_identifiers = InterfaceIdentifiers::Eui64;
    let mut link = Link::new(config);
    let said = link.expect(Kind::InformationRequest);
    assert!(link.stack().is_config_up(), "the link-local address is all");
    let dns = tlv(option::DNS_SERVERS, &given(53).octets());
    link.answer(&said, Kind::Reply, &[dns]);
    let lease = link.stack().dhcpv6_lease().expect("information");
    assert_eq!(lease.dns_servers[..], [given(53)]);
    assert!(
        link.hear_within(Duration::from_secs(86_390)).is_none(),
        "a day"
    );
    link.expect(Kind::InformationRequest);
}

#[test]
fn an_address_that_is_fixed_as_well_stays_when_the_lease_is_over() {
    let mut link = Link::new(quick());
    let fixed = Ipv6Cidr::new(given(9), 64);
    link.stack().add_address(fixed.into()).unwrap();
    link.give(given(9));
    link.let_pass(Duration::from_secs(3));
    link.stack().set_config_v6(ConfigV6::LinkLocal).unwrap();
    link.expect(Kind::Release);
    assert_eq!(link.state(given(9)), Some(AddressState::Preferred));
}

#[test]
fn messages_that_answer_nothing_are_counted() {
    let mut link = Link::leased();
    let said = Said {
        kind: Kind::Renew,
        xid: 1,
        client: vec![0, 3, 0, 1, 2, 0, 0, 0, 0, 1],
        iaid: 1,
        addresses: vec![],
    };
    let before = link.stack().stats().discarded(Discard::UnmatchedDhcp);
    let other = address_for(&said, given(66), 600);
    link.answer(&said, Kind::Reply, std::slice::from_ref(&other));
    link.answer(&said, Kind::Reconfigure, &[other]);
    let after = link.stack().stats().discarded(Discard::UnmatchedDhcp);
    assert_eq!(after - before, 2);
    assert_eq!(link.state(given(66)), None);
}

/// What a packet of the host to the server's network looks like is the routers' business: there is no route.
#[test]
fn an_address_alone_leads_nowhere() {
    let mut link = Link::leased();
    let echo = Icmpv6Message::EchoRequest {
        ident: 1,
        seq: 1,
        data: b"?",
    };
    let mut payload = vec![0; echo.len()];
    let from = given(77);
    echo.emit(&mut payload, from.into(), given(9).into());
    link.send(from, given(9), IpProtocol::ICMPV6, &payload);
    // An answer goes back where the question came from.
    let (header, _) = link.packet(Duration::ZERO).expect("an answer");
    assert_eq!((header.src, header.dst), (given(9), from));
    assert_eq!(link.stack().path_mtu(from.into()), None);
}
