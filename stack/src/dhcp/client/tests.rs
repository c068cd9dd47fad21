//! RFC 2131, sentence by sentence, and servers that do not keep to it.

use core::net::Ipv4Addr;
use std::vec;
use std::vec::Vec;

use super::*;
use crate::dhcp::MAX_MESSAGE;
use crate::rand::Seed;

const CLIENT: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OTHER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);
const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 9);
const HOUR: u32 = 3600;

/// A client, the time, and what the client's messages held.
struct Story {
    client: DhcpClient,
    random: Random,
    now: Instant,
}

/// What an answer says.
struct Reply {
    kind: DhcpMessageKind,
    address: Ipv4Addr,
    options: Vec<u8>,
    /// What is wrong with the number that it answers.
    xid_change: u32,
}

fn reply(kind: DhcpMessageKind) -> Reply {
    Reply {
        kind,
        address: ADDRESS,
        options: vec![],
        xid_change: 0,
    }
    .from(SERVER)
}

impl Reply {
    fn option(mut self, code: u8, value: &[u8]) -> Self {
        self.options.extend([code, value.len() as u8]);
        self.options.extend_from_slice(value);
        self
    }

    fn from(self, server: Ipv4Addr) -> Self {
        self.option(option::SERVER_ID, &server.octets())
    }

    fn seconds(self, code: u8, seconds: u32) -> Self {
        self.option(code, &seconds.to_be_bytes())
    }
}

impl Story {
    fn new(config: DhcpConfig) -> Self {
        Self {
            client: DhcpClient::new(config, CLIENT),
            random: Random::new(Seed::from(1)),
            now: Instant::from_secs(1000),
        }
    }

    fn plug_in(&mut self) {
        self.client.on_link_up(self.now, &mut self.random);
    }

    /// Time moves on to the next thing to do; what is sent then, if anything, and what changed.
    fn step(&mut self) -> (Option<Outgoing>, Option<Change>) {
        let due = self.client.next_deadline().expect("something to do");
        self.now = self.now.max(due);
        let change = self.client.on_timeout(self.now, &mut self.random);
        (self.client.poll(self.now, &mut self.random), change)
    }

    /// The next message that is sent.
    fn sends(&mut self) -> Outgoing {
        for _ in 0..10 {
            if let (Some(message), _) = self.step() {
                return message;
            }
        }
        panic!("nothing is sent");
    }

    fn receive(&mut self, reply: Reply) -> Result<Option<Change>, Unmatched> {
        let mut bytes = vec![0; 240];
        (bytes[0], bytes[1], bytes[2]) = (2, 1, 6);
        bytes[4..8].copy_from_slice(&(self.client.xid ^ reply.xid_change).to_be_bytes());
        bytes[16..20].copy_from_slice(&reply.address.octets());
        bytes[28..34].copy_from_slice(&CLIENT.0);
        bytes[236..240].copy_from_slice(&[99, 130, 83, 99]);
        bytes.extend([53, 1, reply.kind as u8]);
        bytes.extend(&reply.options);
        bytes.push(255);
        let message = DhcpMessage::parse(&bytes).unwrap();
        self.client.on_message(self.now, &message, &mut self.random)
    }

    fn offer(&mut self) {
        let offer = reply(DhcpMessageKind::Offer).seconds(option::LEASE_TIME, HOUR);
        assert_eq!(self.receive(offer), Ok(None));
    }

    /// With a lease of an hour.
    fn bound() -> Self {
        Self::bound_with(DhcpConfig::new(), |ack| {
            ack.seconds(option::LEASE_TIME, HOUR)
        })
    }

    fn bound_with(config: DhcpConfig, ack: impl FnOnce(Reply) -> Reply) -> Self {
        let mut story = Self::new(config);
        story.plug_in();
        assert_eq!(story.sends().kind, DhcpMessageKind::Discover);
        story.offer();
        assert_eq!(story.sends().kind, DhcpMessageKind::Request);
        let ack = ack(reply(DhcpMessageKind::Ack));
        assert_eq!(story.receive(ack), Ok(Some(Change::Leased)));
        story
    }

    fn times(&self) -> (u64, u64, u64) {
        let bound = self.client.bound.as_ref().unwrap();
        let from = |at: Instant| at.since(self.client.requested).as_secs();
        (from(bound.renew), from(bound.rebind), from(bound.expires))
    }
}

#[test]
fn discovers_requests_and_has_a_lease() {
    let mut story = Story::new(DhcpConfig::new());
    assert_eq!(story.client.next_deadline(), None, "the link is down");
    story.plug_in();
    let discover = story.sends();
    assert_eq!(discover.kind, DhcpMessageKind::Discover);
    assert_eq!(discover.to, Recipient::Everybody);
    assert_eq!(discover.ciaddr, Ipv4Addr::UNSPECIFIED);
    story.offer();
    let request = story.sends();
    assert_eq!(request.kind, DhcpMessageKind::Request);
    // Table 5 of RFC 2131: in SELECTING both options are a must, and ciaddr is zero.
    assert_eq!(request.server, Some(SERVER));
    assert_eq!(request.requested, Some(ADDRESS));
    assert_eq!(request.ciaddr, Ipv4Addr::UNSPECIFIED);
    assert_eq!(request.xid, discover.xid, "section 4.4.1");
    let ack = reply(DhcpMessageKind::Ack)
        .seconds(option::LEASE_TIME, HOUR)
        .option(option::SUBNET_MASK, &[255, 255, 255, 0])
        .option(option::ROUTER, &[192, 0, 2, 254])
        .option(option::DNS_SERVERS, &[192, 0, 2, 53])
        .option(option::INTERFACE_MTU, &1400u16.to_be_bytes())
        .option(option::NTP_SERVERS, &[192, 0, 2, 123])
        .option(option::DOMAIN_NAME, b"example.org");
    assert_eq!(story.receive(ack), Ok(Some(Change::Leased)));
    let lease = story.client.lease().unwrap();
    assert_eq!(
        (lease.address.address(), lease.address.prefix_len()),
        (ADDRESS, 24)
    );
    assert_eq!(lease.gateway, Some(Ipv4Addr::new(192, 0, 2, 254)));
    assert_eq!(lease.dns_servers[..], [Ipv4Addr::new(192, 0, 2, 53)]);
    assert_eq!(lease.ntp_servers[..], [Ipv4Addr::new(192, 0, 2, 123)]);
    assert_eq!(lease.mtu, Some(1400));
    let domains: Vec<_> = lease.domains.iter().map(|d| std::format!("{d}")).collect();
    assert_eq!(domains, ["example.org"]);
}

#[test]
fn waits_longer_each_time_up_to_64_seconds() {
    let mut story = Story::new(DhcpConfig::new());
    story.plug_in();
    story.sends();
    let mut last = story.now;
    for expected in [4, 8, 16, 32, 64, 64, 64] {
        story.sends();
        let waited = story.now.since(last).as_millis() as i64;
        assert!(
            (waited - expected * 1000).abs() <= 1000,
            "{waited} ms for {expected} s"
        );
        last = story.now;
    }
}

#[test]
fn a_request_without_answer_leads_back_to_discovery() {
    let mut story = Story::new(DhcpConfig::new());
    story.plug_in();
    let first = story.sends();
    story.offer();
    for _ in 0..REQUESTS {
        assert_eq!(story.sends().kind, DhcpMessageKind::Request);
    }
    let again = story.sends();
    assert_eq!(again.kind, DhcpMessageKind::Discover);
    assert_ne!(again.xid, first.xid);
}

#[test]
fn only_answers_to_what_was_asked_count() {
    let mut story = Story::new(DhcpConfig::new());
    story.plug_in();
    story.sends();
    let ack = || reply(DhcpMessageKind::Ack).seconds(option::LEASE_TIME, HOUR);
    assert_eq!(
        story.receive(ack()),
        Err(Unmatched),
        "nothing was requested"
    );
    let no_time = reply(DhcpMessageKind::Offer);
    assert_eq!(story.receive(no_time), Err(Unmatched), "for no time");
    let mut nobody = reply(DhcpMessageKind::Offer).seconds(option::LEASE_TIME, HOUR);
    for address in [
        Ipv4Addr::UNSPECIFIED,
        Ipv4Addr::BROADCAST,
        Ipv4Addr::LOCALHOST,
    ] {
        nobody.address = address;
        let nobody = Reply {
            options: nobody.options.clone(),
            ..nobody
        };
        assert_eq!(story.receive(nobody), Err(Unmatched), "{address}");
    }
    story.offer();
    story.sends();
    let mut other = ack();
    other.address = OTHER;
    assert_eq!(story.receive(other), Err(Unmatched), "not what was offered");
    let mut stranger = ack();
    stranger.options.clear();
    let stranger = stranger.from(OTHER).seconds(option::LEASE_TIME, HOUR);
    assert_eq!(
        story.receive(stranger),
        Err(Unmatched),
        "not who offered it"
    );
    let mut late = ack();
    late.xid_change = 1;
    assert_eq!(story.receive(late), Err(Unmatched), "not this exchange");
    assert_eq!(story.receive(ack()), Ok(Some(Change::Leased)));
}

#[test]
fn renews_with_its_server_at_half_time() {
    let mut story = Story::bound();
    let (renew, rebind, expires) = story.times();
    assert!((1800 - 113..=1800).contains(&renew), "{renew}");
    assert_eq!((rebind, expires), (3150, 3600));
    let request = story.sends();
    assert_eq!(request.to, Recipient::Server(SERVER));
    // Table 5: in RENEWING neither option may be there, and ciaddr must.
    assert_eq!((request.requested, request.server), (None, None));
    assert_eq!(request.ciaddr, ADDRESS);
    let ack = reply(DhcpMessageKind::Ack).seconds(option::LEASE_TIME, 2 * HOUR);
    assert_eq!(story.receive(ack), Ok(Some(Change::Leased)));
    assert_eq!(story.times().2, 7200, "from when it was asked for");
}

#[test]
fn rebinds_with_anybody_and_stops_when_the_lease_is_over() {
    let mut story = Story::bound();
    let mut kinds = vec![];
    let lost = loop {
        let (message, change) = story.step();
        kinds.extend(message.map(|m| m.to));
        if let Some(change) = change {
            break change;
        }
    };
    assert_eq!(lost, Change::Lost);
    let unicast = kinds
        .iter()
        .filter(|to| **to == Recipient::Server(SERVER))
        .count();
    let broadcast = kinds.len() - unicast;
    // Half of what is left each time, at least a minute: 1350 s, 675 s ... and 450 s, 225 s ...
    assert!((4..=7).contains(&unicast), "{unicast}");
    assert!((3..=5).contains(&broadcast), "{broadcast}");
    assert!(
        kinds[..unicast]
            .iter()
            .all(|to| *to != Recipient::Everybody)
    );
    assert_eq!(story.client.lease(), None);
    assert_eq!(story.sends().kind, DhcpMessageKind::Discover);
}

#[test]
fn a_refusal_ends_the_lease_at_once() {
    let mut story = Story::bound();
    story.sends();
    let nak = reply(DhcpMessageKind::Nak);
    assert_eq!(story.receive(nak), Ok(Some(Change::Lost)));
    let discover = story.sends();
    assert_eq!(
        (discover.kind, discover.requested),
        (DhcpMessageKind::Discover, None)
    );
}

#[test]
fn a_server_that_refuses_what_it_offers_is_not_asked_without_end() {
    let mut story = Story::new(DhcpConfig::new());
    story.plug_in();
    story.sends();
    let start = story.now;
    for _ in 0..10 {
        story.offer();
        assert_eq!(story.sends().kind, DhcpMessageKind::Request);
        assert_eq!(story.receive(reply(DhcpMessageKind::Nak)), Ok(None));
        assert_eq!(story.sends().kind, DhcpMessageKind::Discover);
    }
    assert!(story.now.since(start) >= Duration::from_secs(40));
}

#[test]
fn a_conflict_is_declined_and_another_address_asked_for_after_ten_seconds() {
    let mut story = Story::bound();
    assert_eq!(story.client.on_conflict(), Some(Change::Lost));
    let decline = story.sends();
    assert_eq!(decline.kind, DhcpMessageKind::Decline);
    assert_eq!(decline.to, Recipient::Everybody);
    assert_eq!(
        (decline.requested, decline.server),
        (Some(ADDRESS), Some(SERVER))
    );
    let at = story.now;
    assert_eq!(story.sends().kind, DhcpMessageKind::Discover);
    assert!(story.now.since(at) >= Duration::from_secs(10));
}

#[test]
fn a_conflict_that_is_heard_of_without_a_link_leaves_nothing_to_send() {
    let mut story = Story::bound();
    story.client.on_link_down();
    assert_eq!(story.client.on_conflict(), Some(Change::Lost));
    assert_eq!(
        story.client.next_deadline(),
        None,
        "it would be due for ever"
    );
    story.plug_in();
    assert_eq!(story.sends().kind, DhcpMessageKind::Discover);
}

#[test]
fn after_the_link_was_down_the_same_address_is_asked_for() {
    let mut story = Story::bound();
    story.client.on_link_down();
    story.now += Duration::from_secs(60);
    story.plug_in();
    let request = story.sends();
    assert_eq!(request.kind, DhcpMessageKind::Request);
    assert_eq!(request.to, Recipient::Everybody);
    // Table 5: in INIT-REBOOT the address is a must, the server must not be there, ciaddr is zero.
    assert_eq!((request.requested, request.server), (Some(ADDRESS), None));
    assert_eq!(request.ciaddr, Ipv4Addr::UNSPECIFIED);
    assert!(story.client.lease().is_some(), "and in use meanwhile");
    let ack = reply(DhcpMessageKind::Ack).seconds(option::LEASE_TIME, HOUR);
    assert_eq!(story.receive(ack), Ok(Some(Change::Leased)));
}

#[test]
fn another_network_refuses_the_address_of_the_last_one() {
    let mut story = Story::bound();
    story.client.on_link_down();
    story.plug_in();
    story.sends();
    assert_eq!(
        story.receive(reply(DhcpMessageKind::Nak)),
        Ok(Some(Change::Lost))
    );
    assert_eq!(story.sends().kind, DhcpMessageKind::Discover);
}

#[test]
fn without_an_answer_the_lease_stays_while_another_is_looked_for() {
    let mut story = Story::bound();
    story.client.on_link_down();
    story.plug_in();
    for _ in 0..REBOOT_REQUESTS {
        assert_eq!(story.sends().kind, DhcpMessageKind::Request);
    }
    assert_eq!(story.sends().kind, DhcpMessageKind::Discover);
    assert!(story.client.lease().is_some());
    let lost = core::iter::repeat_with(|| story.step().1).find_map(|change| change);
    assert_eq!(lost, Some(Change::Lost), "until it expires");
    assert_eq!(story.sends().kind, DhcpMessageKind::Discover);
}

#[test]
fn a_lease_expires_while_the_link_is_down() {
    let mut story = Story::bound();
    story.client.on_link_down();
    assert_eq!(story.step(), (None, Some(Change::Lost)));
    assert_eq!(story.client.next_deadline(), None);
}

#[test]
fn a_known_address_is_asked_for_first() {
    let mut config = DhcpConfig::new();
    config.previous_address = Some(OTHER);
    let mut story = Story::new(config);
    story.plug_in();
    let request = story.sends();
    assert_eq!(request.kind, DhcpMessageKind::Request);
    assert_eq!(request.requested, Some(OTHER));
    story.sends();
    let discover = story.sends();
    assert_eq!(discover.kind, DhcpMessageKind::Discover);
    assert_eq!(discover.requested, Some(OTHER), "as a wish");
}

#[test]
fn times_that_cannot_be_are_replaced() {
    for (t1, t2) in [
        (3000, 2000),
        (1800, 4000),
        (0, 3150),
        (u32::MAX, u32::MAX),
        (3600, 3600),
    ] {
        let story = Story::bound_with(DhcpConfig::new(), |ack| {
            ack.seconds(option::LEASE_TIME, HOUR)
                .seconds(option::RENEWAL_TIME, t1)
                .seconds(option::REBINDING_TIME, t2)
        });
        let (renew, rebind, expires) = story.times();
        assert!((1687..=1800).contains(&renew), "T1 {t1}, T2 {t2}: {renew}");
        assert_eq!((rebind, expires), (3150, 3600), "T1 {t1}, T2 {t2}");
    }
    let story = Story::bound_with(DhcpConfig::new(), |ack| {
        ack.seconds(option::LEASE_TIME, HOUR)
            .seconds(option::RENEWAL_TIME, 16)
            .seconds(option::REBINDING_TIME, 20)
    });
    let (renew, rebind, expires) = story.times();
    assert!((15..=16).contains(&renew), "{renew}");
    assert_eq!((rebind, expires), (20, 3600));
}

#[test]
fn leases_are_as_long_as_the_configuration_allows() {
    let mut config = DhcpConfig::new();
    config.max_lease = Some(Duration::from_secs(600));
    for seconds in [HOUR, u32::MAX] {
        let story = Story::bound_with(config.clone(), |ack| {
            ack.seconds(option::LEASE_TIME, seconds)
        });
        assert_eq!(story.times().2, 600);
    }
    config.max_lease = Some(Duration::ZERO);
    let story = Story::bound_with(config, |ack| ack.seconds(option::LEASE_TIME, HOUR));
    assert_eq!(story.times().2, 1, "none shorter is asked for");
    let forever = Story::bound_with(DhcpConfig::new(), |ack| {
        ack.seconds(option::LEASE_TIME, u32::MAX)
    });
    assert_eq!(forever.client.lease().unwrap().duration, None);
    let century = Instant::from_secs(100 * 365 * 86_400);
    assert!(forever.client.next_deadline().unwrap() > century);
}

#[test]
fn classless_routes_take_the_place_of_the_router() {
    let story = Story::bound_with(DhcpConfig::new(), |ack| {
        ack.seconds(option::LEASE_TIME, HOUR).option(
            option::CLASSLESS_ROUTES,
            &[8, 10, 192, 0, 2, 7, 0, 192, 0, 2, 8],
        )
    });
    let routes = &story.client.lease().unwrap().routes;
    assert_eq!(routes.len(), 2);
    assert_eq!(routes[0].1, Some(Ipv4Addr::new(192, 0, 2, 7)));
}

#[test]
fn a_search_list_may_be_compressed() {
    // RFC 3397's example: eng.apple.com. and marketing.apple.com.
    let list = b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04";
    let story = Story::bound_with(DhcpConfig::new(), |ack| {
        ack.seconds(option::LEASE_TIME, HOUR)
            .option(option::DOMAIN_SEARCH, list)
    });
    let domains = &story.client.lease().unwrap().domains;
    let domains: Vec<_> = domains.iter().map(|d| std::format!("{d}")).collect();
    assert_eq!(domains, ["eng.apple.com", "marketing.apple.com"]);
}

#[test]
fn messages_say_what_the_configuration_says() {
    let mut config = DhcpConfig::new();
    config.hostname = Some("swan".try_into().unwrap());
    config.vendor_class = Some("bird".try_into().unwrap());
    config.max_lease = Some(Duration::from_secs(600));
    let mut story = Story::new(config.clone());
    story.plug_in();
    let discover = story.sends();
    let mut buffer = [0; MAX_MESSAGE];
    let len = story.client.emit(&discover, 1500, &mut buffer);
    let message = DhcpMessage::parse(&buffer[..len]).unwrap();
    let option = |code| message.options.first(code);
    assert_eq!(option(option::HOSTNAME), Some(&b"swan"[..]));
    assert_eq!(option(option::VENDOR_CLASS), Some(&b"bird"[..]));
    assert_eq!(option(option::LEASE_TIME), Some(&600u32.to_be_bytes()[..]));
    assert_eq!(option(option::CLIENT_ID), Some(&[1, 2, 0, 0, 0, 0, 1][..]));
    assert_eq!(option(option::MAX_MESSAGE_SIZE), Some(&[5, 220][..]));
    let asked = option(option::PARAMETER_LIST).unwrap();
    let place = |code| asked.iter().position(|&c| c == code).unwrap();
    assert!(
        place(option::CLASSLESS_ROUTES) < place(option::ROUTER),
        "RFC 3442"
    );

    config.client_id = Some([0; 32].into());
    config.hostname = Some(core::iter::repeat_n('h', 63).collect());
    config.vendor_class = Some(core::iter::repeat_n('v', 63).collect());
    let mut story = Story::new(config);
    story.plug_in();
    story.sends();
    story.offer();
    let request = story.sends();
    let len = story.client.emit(&request, 1500, &mut buffer);
    assert!(
        len < MAX_MESSAGE,
        "there is room for all at their longest: {len}"
    );
    assert!(DhcpMessage::parse(&buffer[..len]).is_ok());
}

#[test]
fn a_release_names_the_address_and_its_server() {
    let mut story = Story::bound();
    let release = story.client.release(story.now, &mut story.random).unwrap();
    assert_eq!(release.kind, DhcpMessageKind::Release);
    assert_eq!((release.ciaddr, release.server), (ADDRESS, Some(SERVER)));
    assert_eq!(release.to, Recipient::Server(SERVER));
    let mut buffer = [0; MAX_MESSAGE];
    let len = story.client.emit(&release, 1500, &mut buffer);
    let message = DhcpMessage::parse(&buffer[..len]).unwrap();
    // Table 5: what must not be in a DHCPRELEASE.
    for code in [
        option::REQUESTED_ADDRESS,
        option::LEASE_TIME,
        option::PARAMETER_LIST,
        option::MAX_MESSAGE_SIZE,
    ] {
        assert_eq!(message.options.first(code), None);
    }
}

proptest::proptest! {
    /// Whatever answers come, whenever: the client neither panics nor spins.
    #[test]
    fn any_server_is_survived(ops in proptest::collection::vec((0u8..9, 0u32..5000, 0u32..5000), 0..80)) {
        let mut story = Story::new(DhcpConfig::new());
        story.plug_in();
        for (op, a, b) in ops {
            match op {
                0 => story.client.on_link_down(),
                1 => story.plug_in(),
                2 => { story.client.on_conflict(); }
                3 if story.client.next_deadline().is_some() => { story.step(); }
                4 => story.now += Duration::from_secs(a.into()),
                5 | 6 => {
                    let kind = if op == 5 { DhcpMessageKind::Offer } else { DhcpMessageKind::Ack };
                    let _ = story.receive(reply(kind)
                        .seconds(option::LEASE_TIME, a)
                        .seconds(option::RENEWAL_TIME, b)
                        .seconds(option::REBINDING_TIME, a ^ b));
                }
                7 => { let _ = story.receive(reply(DhcpMessageKind::Nak)); }
                _ => {}
            }
            // Nothing stays due for ever.
            for turn in 0.. {
                if story.client.next_deadline().is_none_or(|due| due > story.now) { break; }
                story.step();
                assert!(turn < 10, "{:?}", story.client.state);
            }
        }
    }
}
