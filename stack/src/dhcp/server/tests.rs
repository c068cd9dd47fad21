//! RFC 2131 section 4.3, sentence by sentence, and clients that do not keep to it.

use std::collections::BTreeSet;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::rand::Seed;

const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const NOBODY: Ipv4Addr = Ipv4Addr::UNSPECIFIED;
const NOW: Instant = Instant::from_secs(1000);
const STATION: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 0xaa]);

fn origin() -> Origin {
    Origin {
        address: Ipv4Cidr::new(SERVER, 24),
        station: STATION,
    }
}

fn at(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}

fn client(n: u8) -> EthernetAddress {
    EthernetAddress([2, 0, 0, 0, 0, n])
}

/// A client's message.
#[derive(Clone, Debug)]
struct Message {
    kind: DhcpMessageKind,
    from: EthernetAddress,
    broadcast: bool,
    ciaddr: Ipv4Addr,
    giaddr: Ipv4Addr,
    options: Vec<(u8, Vec<u8>)>,
}

fn message(kind: DhcpMessageKind, from: u8) -> Message {
    Message {
        kind,
        from: client(from),
        broadcast: false,
        ciaddr: NOBODY,
        giaddr: NOBODY,
        options: vec![],
    }
}

impl Message {
    fn option(mut self, code: u8, value: &[u8]) -> Self {
        self.options.push((code, value.to_vec()));
        self
    }

    fn requests(self, address: Ipv4Addr) -> Self {
        self.option(option::REQUESTED_ADDRESS, &address.octets())
    }

    fn chooses(self, server: Ipv4Addr) -> Self {
        self.option(option::SERVER_ID, &server.octets())
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; 240];
        (bytes[0], bytes[1], bytes[2]) = (1, 1, 6);
        bytes[7] = 77;
        bytes[10] = if self.broadcast { 0x80 } else { 0 };
        bytes[12..16].copy_from_slice(&self.ciaddr.octets());
        bytes[24..28].copy_from_slice(&self.giaddr.octets());
        bytes[28..34].copy_from_slice(&self.from.0);
        bytes[236..240].copy_from_slice(&[99, 130, 83, 99]);
        bytes.extend([53, 1, self.kind as u8]);
        for (code, value) in &self.options {
            bytes.extend([*code, value.len() as u8]);
            bytes.extend(value);
        }
        bytes.push(255);
        bytes
    }
}

/// A server and the time.
struct Story {
    server: DhcpServer,
    now: Instant,
}

/// An answer, taken apart.
#[derive(Debug)]
struct Answer {
    kind: DhcpMessageKind,
    address: Ipv4Addr,
    to: (Ipv4Addr, EthernetAddress, u16),
    bytes: Vec<u8>,
}

impl Answer {
    fn option(&self, code: u8) -> Option<Vec<u8>> {
        let message = DhcpMessage::parse(&self.bytes).unwrap();
        message.options.first(code).map(<[u8]>::to_vec)
    }

    fn seconds(&self, code: u8) -> Option<u32> {
        DhcpMessage::parse(&self.bytes).unwrap().options.u32(code)
    }
}

impl Story {
    fn new(config: DhcpServerConfig) -> Self {
        let key = Seed::from(1).hash_key();
        Self {
            server: DhcpServer::new(config, key).unwrap(),
            now: NOW,
        }
    }

    /// 192.0.2.10 to 19, which is more than there is room for.
    fn usual() -> Self {
        Self::new(DhcpServerConfig::new(at(10), at(10 + SLOTS as u8 + 1)))
    }

    /// As many addresses as given.
    fn with_pool(addresses: u8) -> Self {
        Self::new(DhcpServerConfig::new(at(10), at(9 + addresses)))
    }

    fn tell(&mut self, message: &Message) -> Result<bool, Ignored> {
        let bytes = message.bytes();
        let message = DhcpMessage::parse(&bytes).unwrap();
        self.server.on_message(self.now, &message, &origin())
    }

    fn answer(&mut self) -> Option<Answer> {
        let reply = self.server.poll_reply()?;
        let mut buffer = vec![0xff; MAX_REPLY];
        let len = reply.emit(self.server.config(), &origin(), &mut buffer);
        buffer.truncate(len);
        let read = DhcpMessage::parse(&buffer).expect("an answer that can be read");
        assert!(read.is_reply);
        assert_eq!(read.xid, 77);
        Some(Answer {
            kind: read.kind,
            address: read.yiaddr,
            to: (reply.to, reply.hardware, reply.port),
            bytes: buffer,
        })
    }

    fn ask(&mut self, message: &Message) -> Answer {
        self.tell(message).expect("something to answer");
        self.answer().expect("an answer")
    }

    /// What a new client is offered.
    fn discover(&mut self, from: u8) -> Ipv4Addr {
        let offer = self.ask(&message(DhcpMessageKind::Discover, from));
        assert_eq!(offer.kind, DhcpMessageKind::Offer);
        offer.address
    }

    /// A client takes what it is offered.
    fn join(&mut self, from: u8) -> Ipv4Addr {
        let address = self.discover(from);
        let request = message(DhcpMessageKind::Request, from)
            .requests(address)
            .chooses(SERVER);
        let ack = self.ask(&request);
        assert_eq!((ack.kind, ack.address), (DhcpMessageKind::Ack, address));
        address
    }

    fn renewal(from: u8, address: Ipv4Addr) -> Message {
        let mut renewal = message(DhcpMessageKind::Request, from);
        renewal.ciaddr = address;
        renewal
    }

    fn release(from: u8, address: Ipv4Addr) -> Message {
        Message {
            kind: DhcpMessageKind::Release,
            ..Self::renewal(from, address)
        }
    }

    /// Time passes.
    fn pass(&mut self, time: Duration) {
        self.now += time;
        if self.server.next_deadline().is_some_and(|at| at <= self.now) {
            self.server.on_timeout(self.now);
        }
    }

    fn events(&mut self) -> Vec<DhcpServerEvent> {
        core::iter::from_fn(|| self.server.poll_event()).collect()
    }
}

const SLOTS: usize = DHCP_SERVER_LEASE_COUNT;
const HALF_AN_HOUR: Duration = Duration::from_secs(1800);

#[test]
fn a_client_is_offered_an_address_and_takes_it() {
    let mut config = DhcpServerConfig::new(at(10), at(20));
    config.gateway = Some(SERVER);
    config.dns_servers.push(SERVER).unwrap();
    config.dns_servers.push(OTHER).unwrap();
    config.domain = Some("example.org".try_into().unwrap());
    config.mtu = Some(1400);
    let mut story = Story::new(config);
    let offer = story.ask(&message(DhcpMessageKind::Discover, 1));
    assert_eq!(offer.kind, DhcpMessageKind::Offer);
    assert!((at(10)..=at(20)).contains(&offer.address));
    // Section 4.1: "If the broadcast bit is not set and 'giaddr' is zero and 'ciaddr' is zero, then the
    // server unicasts DHCPOFFER and DHCPACK messages to the client's hardware address and 'yiaddr' address."
    assert_eq!(offer.to, (offer.address, client(1), 68));
    assert_eq!(story.events(), [], "an offer is no lease");
    let request = message(DhcpMessageKind::Request, 1)
        .requests(offer.address)
        .chooses(SERVER);
    let ack = story.ask(&request);
    assert_eq!(
        (ack.kind, ack.address),
        (DhcpMessageKind::Ack, offer.address)
    );
    assert_eq!(ack.option(option::SERVER_ID).unwrap(), SERVER.octets());
    assert_eq!(ack.option(option::SUBNET_MASK).unwrap(), [255, 255, 255, 0]);
    assert_eq!(ack.option(option::ROUTER).unwrap(), SERVER.octets());
    assert_eq!(
        ack.option(option::DNS_SERVERS).unwrap(),
        [192, 0, 2, 1, 192, 0, 2, 2]
    );
    assert_eq!(ack.option(option::DOMAIN_NAME).unwrap(), b"example.org");
    assert_eq!(ack.option(option::INTERFACE_MTU).unwrap(), [5, 120]);
    assert_eq!(ack.seconds(option::LEASE_TIME), Some(1800));
    assert_eq!(ack.seconds(option::RENEWAL_TIME), Some(900));
    assert_eq!(ack.seconds(option::REBINDING_TIME), Some(1575));
    let grant = DhcpGrant {
        address: offer.address,
        hardware: client(1),
        expires: NOW + HALF_AN_HOUR,
    };
    assert_eq!(story.events(), [DhcpServerEvent::Given(grant)]);
    assert_eq!(story.server.leases().collect::<Vec<_>>(), [grant]);
}

#[test]
fn a_client_that_hears_no_unicast_is_answered_by_broadcast() {
    let mut story = Story::usual();
    let mut discover = message(DhcpMessageKind::Discover, 1);
    discover.broadcast = true;
    let offer = story.ask(&discover);
    assert_eq!(
        offer.to,
        (Ipv4Addr::BROADCAST, EthernetAddress::BROADCAST, 68)
    );
}

#[test]
fn a_lease_is_renewed_with_whom_has_it() {
    let mut story = Story::usual();
    let address = story.join(1);
    story.events();
    story.pass(Duration::from_secs(900));
    let ack = story.ask(&Story::renewal(1, address));
    assert_eq!((ack.kind, ack.address), (DhcpMessageKind::Ack, address));
    assert_eq!(ack.to, (address, client(1), 68));
    assert_eq!(story.events(), [], "it has it already");
    story.pass(Duration::from_secs(1700));
    assert_eq!(
        story.server.leases().count(),
        1,
        "for half an hour from then"
    );
    let nak = story.ask(&Story::renewal(2, at(99)).chooses(SERVER));
    assert_eq!(nak.kind, DhcpMessageKind::Nak);
}

#[test]
fn a_lease_that_is_not_renewed_ends_and_its_client_gets_it_again() {
    let mut story = Story::usual();
    let address = story.join(1);
    story.events();
    assert_eq!(story.server.next_deadline(), Some(NOW + HALF_AN_HOUR));
    story.pass(HALF_AN_HOUR);
    assert_eq!(story.server.leases().count(), 0);
    assert!(
        matches!(story.events()[..], [DhcpServerEvent::Ended(grant)] if grant.address == address)
    );
    assert_eq!(story.server.next_deadline(), None);
    story.join(2);
    assert_eq!(story.discover(1), address);
}

#[test]
fn an_address_that_is_given_back_is_free() {
    let mut story = Story::with_pool(1);
    let address = story.join(1);
    story.events();
    let release = Story::release(1, address);
    assert_eq!(story.tell(&release), Ok(true));
    assert!(story.answer().is_none(), "nobody waits for an answer");
    assert!(matches!(story.events()[..], [DhcpServerEvent::Ended(_)]));
    assert_eq!(story.tell(&release), Err(Ignored::NotForUs));
    assert_eq!(story.discover(2), address);
}

#[test]
fn an_offer_that_is_not_taken_hides_no_event() {
    let mut story = Story::usual();
    let address = story.join(1);
    story.events();
    let release = Story::release(1, address);
    assert_eq!(story.tell(&release), Ok(true));
    assert_eq!(story.discover(1), address);
    story.pass(Duration::from_secs(60));
    assert!(matches!(story.events()[..], [DhcpServerEvent::Ended(_)]));
}

#[test]
fn nobody_gives_back_what_is_anothers() {
    let mut story = Story::usual();
    let address = story.join(1);
    let release = Story::release(2, address);
    assert_eq!(story.tell(&release), Err(Ignored::NotForUs));
    assert_eq!(story.server.leases().count(), 1);
}

#[test]
fn an_address_that_is_declined_is_nobodys_for_an_hour() {
    let mut story = Story::with_pool(2);
    let address = story.join(1);
    story.events();
    let decline = message(DhcpMessageKind::Decline, 1)
        .requests(address)
        .chooses(SERVER);
    assert_eq!(story.tell(&decline), Ok(true));
    assert!(matches!(story.events()[..], [DhcpServerEvent::Declined(_)]));
    let other = story.join(1);
    assert_ne!(other, address);
    let discover = message(DhcpMessageKind::Discover, 2);
    assert_eq!(story.tell(&discover), Err(Ignored::Exhausted));
    story.pass(Duration::from_secs(3600));
    assert!([address, other].contains(&story.discover(2)));
}

#[test]
fn a_pool_that_is_used_up_keeps_silent() {
    let mut story = Story::with_pool(3);
    let given: BTreeSet<_> = (1..=3).map(|n| story.join(n)).collect();
    assert_eq!(given, [at(10), at(11), at(12)].into());
    let discover = message(DhcpMessageKind::Discover, 4);
    assert_eq!(story.tell(&discover), Err(Ignored::Exhausted));
    assert!(story.answer().is_none());
}

#[test]
fn a_table_that_is_full_keeps_silent_and_then_forgets_the_oldest() {
    let mut story = Story::usual();
    for n in 0..SLOTS {
        story.join(n as u8);
        story.pass(Duration::from_secs(1));
    }
    let discover = message(DhcpMessageKind::Discover, 200);
    assert_eq!(story.tell(&discover), Err(Ignored::Exhausted));
    story.pass(HALF_AN_HOUR);
    story.events();
    story.join(200);
    assert_eq!(story.server.leases().count(), 1);
}

#[test]
fn an_offer_stands_for_a_minute() {
    let mut story = Story::with_pool(1);
    let address = story.discover(1);
    let discover = message(DhcpMessageKind::Discover, 2);
    assert_eq!(story.tell(&discover), Err(Ignored::Exhausted));
    story.pass(Duration::from_secs(60));
    assert_eq!(story.discover(2), address);
    assert_eq!(story.events(), []);
}

#[test]
fn an_offer_ends_when_the_client_chooses_another_server() {
    let mut story = Story::with_pool(1);
    let address = story.discover(1);
    let request = message(DhcpMessageKind::Request, 1)
        .requests(at(77))
        .chooses(OTHER);
    assert_eq!(story.tell(&request), Err(Ignored::NotForUs));
    assert_eq!(story.discover(2), address);
}

#[test]
fn a_client_asks_for_the_address_that_it_wants() {
    let mut story = Story::usual();
    let discover = message(DhcpMessageKind::Discover, 1).requests(at(13));
    assert_eq!(story.ask(&discover).address, at(13));
    let mut second = discover.clone();
    second.from = client(2);
    assert_ne!(story.ask(&second).address, at(13));
    second.from = client(3);
    second.options[0].1 = vec![192, 0, 2, 200];
    assert_ne!(story.ask(&second).address, at(200), "not in the pool");
}

#[test]
fn a_client_that_was_away_hears_whether_its_address_is_still_good() {
    let mut story = Story::usual();
    let address = story.join(1);
    let reboot = |from, address| message(DhcpMessageKind::Request, from).requests(address);
    let ack = story.ask(&reboot(1, address));
    assert_eq!((ack.kind, ack.address), (DhcpMessageKind::Ack, address));
    let nak = story.ask(&reboot(1, at(15)));
    // Section 4.3.2: "If 'giaddr' is 0x0 in the DHCPREQUEST message, [...] the server MUST broadcast the
    // DHCPNAK message to the 0xffffffff broadcast address".
    assert_eq!(nak.kind, DhcpMessageKind::Nak);
    assert_eq!(
        nak.to,
        (Ipv4Addr::BROADCAST, EthernetAddress::BROADCAST, 68)
    );
    assert_eq!(nak.address, NOBODY);
    assert_eq!(nak.option(option::LEASE_TIME), None);
    let elsewhere = Ipv4Addr::new(10, 0, 0, 1);
    assert_eq!(story.ask(&reboot(2, elsewhere)).kind, DhcpMessageKind::Nak);
    // "If the DHCP server has no record of this client, then it MUST remain silent".
    assert_eq!(story.tell(&reboot(2, at(15))), Err(Ignored::Unknown));
}

#[test]
fn the_only_server_takes_clients_that_it_does_not_know() {
    let mut config = DhcpServerConfig::new(at(10), at(20));
    config.authoritative = true;
    let mut story = Story::new(config);
    let ack = story.ask(&Story::renewal(1, at(15)));
    assert_eq!((ack.kind, ack.address), (DhcpMessageKind::Ack, at(15)));
    let taken = story.ask(&Story::renewal(2, at(15)));
    assert_eq!(taken.kind, DhcpMessageKind::Nak);
    let beyond = story.ask(&Story::renewal(2, at(99)));
    assert_eq!(beyond.kind, DhcpMessageKind::Nak);
}

#[test]
fn addresses_that_are_somebodys_are_not_given() {
    let mut config = DhcpServerConfig::new(at(0), at(255));
    config.first = at(0);
    config.last = at(4);
    config.gateway = Some(at(3));
    config.dns_servers.push(at(2)).unwrap();
    let mut story = Story::new(config);
    assert_eq!(story.join(1), at(4));
    let discover = message(DhcpMessageKind::Discover, 2);
    assert_eq!(story.tell(&discover), Err(Ignored::Exhausted));
}

#[test]
fn a_client_gets_the_same_address_from_a_server_that_was_off() {
    for n in 0..20 {
        assert_eq!(Story::usual().discover(n), Story::usual().discover(n));
    }
}

#[test]
fn a_client_is_known_by_its_identifier() {
    let mut story = Story::usual();
    let discover = |n: u8| message(DhcpMessageKind::Discover, n);
    let first = story.ask(&discover(1).option(option::CLIENT_ID, b"swan"));
    let again = story.ask(&discover(2).option(option::CLIENT_ID, b"swan"));
    assert_eq!(
        first.address, again.address,
        "another interface of the same"
    );
    // RFC 6842 section 3.
    assert_eq!(first.option(option::CLIENT_ID).unwrap(), b"swan");
    assert_ne!(story.discover(1), first.address);
}

#[test]
fn a_client_may_ask_for_a_shorter_lease_but_not_for_a_longer() {
    let mut story = Story::usual();
    for (asked, given) in [(600, 600), (7200, 1800), (1, 60), (u32::MAX, 1800)] {
        let discover = message(DhcpMessageKind::Discover, 1)
            .option(option::LEASE_TIME, &u32::to_be_bytes(asked));
        let offer = story.ask(&discover);
        assert_eq!(offer.seconds(option::LEASE_TIME), Some(given));
    }
    let mut config = DhcpServerConfig::new(at(10), at(20));
    config.lease_time = Duration::MAX;
    let mut story = Story::new(config);
    let offer = story.ask(&message(DhcpMessageKind::Discover, 1));
    assert_eq!(
        offer.seconds(option::LEASE_TIME),
        Some(u32::MAX),
        "for ever"
    );
    assert_eq!(offer.option(option::RENEWAL_TIME), None);
}

#[test]
fn what_a_relay_says_goes_back_to_it_as_the_last_option() {
    let mut story = Story::usual();
    let mut discover = message(DhcpMessageKind::Discover, 1)
        .option(option::RELAY_AGENT, &[1, 2, 7, 8])
        .option(option::CLIENT_ID, b"x");
    discover.giaddr = at(50);
    let offer = story.ask(&discover);
    assert_eq!(offer.to, (at(50), STATION, 67));
    assert_eq!(offer.option(option::RELAY_AGENT).unwrap(), [1, 2, 7, 8]);
    let end = offer.bytes.iter().rposition(|&b| b == 255).unwrap();
    assert_eq!(offer.bytes[end - 6..end], [82, 4, 1, 2, 7, 8]);
    discover.giaddr = Ipv4Addr::new(10, 0, 0, 1);
    assert_eq!(
        story.tell(&discover),
        Err(Ignored::NotForUs),
        "of a subnet that is not ours"
    );
    let long = message(DhcpMessageKind::Discover, 1).option(option::RELAY_AGENT, &[0; 200]);
    assert_eq!(story.tell(&long), Err(Ignored::TooLong));
}

#[test]
fn who_cannot_be_told_of_it_is_given_nothing() {
    let mut story = Story::usual();
    let address = story.discover(1);
    let request = message(DhcpMessageKind::Request, 1).chooses(SERVER);
    let request = request.requests(address);
    let long = request.option(option::RELAY_AGENT, &[0; 200]);
    assert_eq!(story.tell(&long), Err(Ignored::TooLong));
    assert_eq!(story.server.leases().count(), 0);
    story.pass(Duration::from_secs(3600));
    assert!(story.events().is_empty());
}

#[test]
fn a_host_with_an_address_is_told_the_rest() {
    let mut config = DhcpServerConfig::new(at(10), at(20));
    config.gateway = Some(SERVER);
    let mut story = Story::new(config);
    let mut inform = message(DhcpMessageKind::Inform, 1);
    inform.ciaddr = at(99);
    let ack = story.ask(&inform);
    // Section 4.3.5: "The server MUST NOT send a lease expiration time to the client and SHOULD NOT fill in
    // 'yiaddr'."
    assert_eq!((ack.kind, ack.address), (DhcpMessageKind::Ack, NOBODY));
    assert_eq!(ack.to, (at(99), client(1), 68));
    assert_eq!(ack.option(option::LEASE_TIME), None);
    assert_eq!(ack.option(option::ROUTER).unwrap(), SERVER.octets());
    assert_eq!(story.server.leases().count(), 0);
}

#[test]
fn a_burst_that_cannot_be_answered_is_named() {
    let mut story = Story::usual();
    let results: Vec<_> = (0..6)
        .map(|n| story.tell(&message(DhcpMessageKind::Discover, n)))
        .collect();
    assert_eq!(results[REPLIES - 1], Ok(false));
    assert_eq!(results[REPLIES], Err(Ignored::Busy));
}

#[test]
fn a_pool_without_addresses_is_refused() {
    let key = Seed::from(1).hash_key();
    assert!(DhcpServer::new(DhcpServerConfig::new(at(20), at(10)), key).is_err());
}

fn any_message() -> impl Strategy<Value = Message> {
    let address = || {
        prop_oneof![
            Just(NOBODY),
            (0u8..20).prop_map(at),
            any::<u32>().prop_map(Ipv4Addr::from)
        ]
    };
    let server = prop_oneof![Just(None), Just(Some(SERVER)), Just(Some(OTHER))];
    let fixed = (1u8..=8, 0u8..12, any::<bool>(), address());
    (fixed, address(), proptest::option::of(address()), server).prop_map(
        |((kind, from, broadcast, ciaddr), giaddr, requested, server)| {
            let kind = [
                DhcpMessageKind::Discover,
                DhcpMessageKind::Request,
                DhcpMessageKind::Decline,
                DhcpMessageKind::Release,
                DhcpMessageKind::Inform,
                DhcpMessageKind::Request,
                DhcpMessageKind::Discover,
                DhcpMessageKind::Request,
            ][usize::from(kind) - 1];
            let mut message = message(kind, from);
            (message.broadcast, message.ciaddr) = (broadcast, ciaddr);
            if giaddr == at(7) {
                message.giaddr = giaddr;
            }
            if let Some(requested) = requested {
                message = message.requests(requested);
            }
            match server {
                Some(server) => message.chooses(server),
                None => message,
            }
        },
    )
}

proptest! {
    #[test]
    fn no_two_clients_have_one_address(
        messages in proptest::collection::vec((any_message(), 0u64..400), 0..200),
        authoritative: bool,
    ) {
        let mut config = DhcpServerConfig::new(at(5), at(16));
        config.authoritative = authoritative;
        config.gateway = Some(at(9));
        let mut story = Story::new(config);
        for (message, pause) in messages {
            story.pass(Duration::from_secs(pause));
            let told = story.tell(&message);
            if let Some(answer) = story.answer() {
                prop_assert!(told.is_ok());
                if !answer.address.is_unspecified() {
                    prop_assert!((at(5)..=at(16)).contains(&answer.address));
                    prop_assert_ne!(answer.address, at(9));
                }
            }
            let leases: Vec<_> = story.server.leases().collect();
            let addresses: BTreeSet<_> = leases.iter().map(|l| l.address).collect();
            prop_assert_eq!(addresses.len(), leases.len());
            prop_assert!(leases.iter().all(|l| l.expires > story.now));
        }
    }
}
