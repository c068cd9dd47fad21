//! RFC 8415, sentence by sentence, and servers that do not keep to it.

use core::net::Ipv6Addr;
use std::vec;
use std::vec::Vec;

use super::receive::Unmatched;
use super::*;
use crate::rand::Seed;
use crate::wire::dhcpv6::option;
use crate::wire::{Dhcpv6Message, Ipv6Cidr};

const HARDWARE: EthernetAddress = EthernetAddress([2, 0, 0, 0, 0, 1]);
const IAID: u32 = 1;
const SERVER: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0, 9];
const OTHER: &[u8] = &[0, 3, 0, 1, 2, 0, 0, 0, 0, 8];
const ADDRESS: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 9);
const ADDRESS_2: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 10);
const NO_ADDRS: u16 = 2;
const NO_BINDING: u16 = 3;
const NOT_ON_LINK: u16 = 4;

use Dhcpv6MessageKind as Kind;

/// A client, the time, and the number of its latest message.
struct Story {
    client: Dhcpv6Client,
    random: Random,
    now: Instant,
    xid: u32,
}

/// What a client said.
#[derive(Debug)]
struct Said {
    kind: Kind,
    at: Instant,
    xid: u32,
    elapsed: u16,
    server: Option<Vec<u8>>,
    addresses: Option<Vec<Ipv6Addr>>,
    prefixes: Option<Vec<Ipv6Cidr>>,
    wishes: Option<Vec<u16>>,
    is_rapid: bool,
}

/// What a server says.
#[derive(Clone)]
struct Answer {
    kind: Kind,
    options: Vec<u8>,
    wrong_xid: u32,
}

fn tlv(code: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = code.to_be_bytes().to_vec();
    bytes.extend((value.len() as u16).to_be_bytes());
    bytes.extend(value);
    bytes
}

fn ia(t1: u32, t2: u32, inner: &[Vec<u8>]) -> Vec<u8> {
    let mut value = [IAID, t1, t2].map(u32::to_be_bytes).concat();
    value.extend(inner.concat());
    value
}

fn address(address: Ipv6Addr, preferred: u32, valid: u32) -> Vec<u8> {
    let mut value = address.octets().to_vec();
    value.extend([preferred, valid].map(u32::to_be_bytes).concat());
    tlv(option::IA_ADDRESS, &value)
}

fn prefix(prefix: Ipv6Cidr, preferred: u32, valid: u32) -> Vec<u8> {
    let mut value = [preferred, valid].map(u32::to_be_bytes).concat();
    value.push(prefix.prefix_len());
    value.extend(prefix.address().octets());
    tlv(option::IA_PREFIX, &value)
}

fn answer(kind: Kind) -> Answer {
    let options = tlv(option::CLIENT_ID, Duid::link_layer(HARDWARE.0).as_bytes());
    Answer {
        kind,
        options,
        wrong_xid: 0,
    }
}

impl Answer {
    fn with(mut self, code: u16, value: &[u8]) -> Self {
        self.options.extend(tlv(code, value));
        self
    }

    fn from(self, server: &[u8]) -> Self {
        self.with(option::SERVER_ID, server)
    }

    fn status(self, code: u16) -> Self {
        self.with(option::STATUS_CODE, &code.to_be_bytes())
    }

    /// An address for an hour, to be renewed as the server likes.
    fn giving(self, what: Ipv6Addr) -> Self {
        self.with(option::IA_NA, &ia(900, 1440, &[address(what, 1800, 3600)]))
    }

    fn bytes(&self, xid: u32) -> Vec<u8> {
        let mut bytes = (xid + self.wrong_xid).to_be_bytes().to_vec();
        bytes[0] = self.kind as u8;
        bytes.extend(&self.options);
        bytes
    }
}

fn advertise() -> Answer {
    answer(Kind::Advertise).from(SERVER)
}

fn reply() -> Answer {
    answer(Kind::Reply).from(SERVER)
}

impl Story {
    fn new(config: Dhcpv6Config) -> Self {
        let mut random = Random::new(Seed::from(1));
        let mut story = Self {
            client: Dhcpv6Client::new(config, Some(HARDWARE), &mut random),
            random,
            now: Instant::from_secs(1000),
            xid: 0,
        };
        story.client.start(story.now, &mut story.random);
        story
    }

    /// Has an address, since now.
    fn bound() -> Self {
        Self::bound_to(Dhcpv6Config::stateful(), reply().giving(ADDRESS))
    }

    fn bound_to(config: Dhcpv6Config, reply: Answer) -> Self {
        let mut story = Self::new(config);
        story.expect(Kind::Solicit);
        let change = story.hear(&reply.with(option::RAPID_COMMIT, &[]));
        assert_eq!(change, Ok(Some(Change::Leased)));
        story
    }

    /// Time moves on to the next thing to do; what is said then, if anything, and what changed.
    fn step(&mut self) -> (Option<Said>, Option<Change>) {
        let due = self.client.next_deadline().expect("something to do");
        self.now = self.now.max(due);
        let change = self.client.on_timeout(self.now, &mut self.random);
        let mut buffer = [0; MAX_MESSAGE];
        let len = self.client.poll(self.now, &mut self.random, &mut buffer);
        let said = len.map(|len| Said::parse(&buffer[..len], self.now));
        if let Some(said) = &said {
            self.xid = said.xid;
        }
        (said, change)
    }

    /// What is said next.
    fn says(&mut self) -> Said {
        for _ in 0..20 {
            if let (Some(said), _) = self.step() {
                return said;
            }
        }
        panic!("nothing is said in {:?}", self.client.state);
    }

    fn expect(&mut self, kind: Kind) -> Said {
        let said = self.says();
        assert_eq!(said.kind, kind, "{said:?}");
        said
    }

    fn hear(&mut self, answer: &Answer) -> Result<Option<Change>, Unmatched> {
        let bytes = answer.bytes(self.xid);
        let message = Dhcpv6Message::parse(&bytes).expect("a message");
        self.client.on_message(self.now, &message, &mut self.random)
    }

    fn addresses(&self) -> Vec<(Ipv6Addr, bool)> {
        self.client.addresses().collect()
    }

    /// T1 and T2 in seconds from now.
    fn times(&self) -> (u64, u64) {
        let bindings = &self.client.bindings;
        let from_now = |at: Instant| at.since(self.now).as_secs();
        (from_now(bindings.renew), from_now(bindings.rebind))
    }

    /// The waits in ms between the next messages, and the last of them.
    fn waits(&mut self, count: usize) -> Vec<u64> {
        let mut last = self.now;
        let mut waits = vec![];
        for _ in 0..count {
            let said = self.says();
            waits.push(said.at.since(last).as_millis());
            last = said.at;
        }
        waits
    }
}

impl Said {
    fn parse(bytes: &[u8], at: Instant) -> Self {
        let message = Dhcpv6Message::parse(bytes).expect("a message");
        let options = message.options;
        let client = options.duid(option::CLIENT_ID).expect("who asks");
        assert_eq!(client, Duid::link_layer(HARDWARE.0).as_bytes());
        let elapsed = options.first(option::ELAPSED_TIME).expect("for how long");
        let ia = options.associations(option::IA_NA).next();
        let pd = options.associations(option::IA_PD).next();
        let wishes = options.first(option::OPTION_REQUEST).map(|codes| {
            let codes = codes.chunks(2);
            codes.map(|c| u16::from_be_bytes([c[0], c[1]])).collect()
        });
        Self {
            kind: message.kind,
            at,
            xid: message.xid,
            elapsed: u16::from_be_bytes(elapsed.try_into().expect("16 bits")),
            server: options.duid(option::SERVER_ID).map(<[u8]>::to_vec),
            addresses: ia.map(|ia| ia.options.addresses().map(|grant| grant.what).collect()),
            prefixes: pd.map(|pd| pd.options.prefixes().map(|grant| grant.what).collect()),
            wishes,
            is_rapid: options.first(option::RAPID_COMMIT).is_some(),
        }
    }
}

fn four_messages() -> Dhcpv6Config {
    let mut config = Dhcpv6Config::stateful();
    config.rapid_commit = false;
    config
}

#[test]
fn four_messages_give_an_address() {
    let mut story = Story::new(four_messages());
    let began = story.now;
    let solicit = story.expect(Kind::Solicit);
    assert!(
        solicit.at.since(began) < Duration::from_secs(1),
        "SOL_MAX_DELAY"
    );
    assert_eq!((solicit.elapsed, solicit.server), (0, None));
    assert_eq!(solicit.addresses, Some(vec![]));
    assert!(!solicit.is_rapid);
    // Section 18.2.1: SOL_MAX_RT has to be asked for.
    assert_eq!(solicit.wishes, Some(vec![82, 23, 24]));
    assert_eq!(story.hear(&advertise().giving(ADDRESS)), Ok(None));
    let request = story.expect(Kind::Request);
    // The first wait is longer than a second, so that other servers are heard.
    let waited = request.at.since(solicit.at).as_millis();
    assert!((1001..=1100).contains(&waited), "{waited} ms");
    assert_eq!(request.server.as_deref(), Some(SERVER));
    assert_eq!(request.addresses, Some(vec![ADDRESS]));
    assert_ne!(request.xid, solicit.xid);
    assert_eq!(request.elapsed, 0, "of this exchange");
    let given = reply()
        .giving(ADDRESS)
        .with(option::DNS_SERVERS, &ADDRESS_2.octets())
        .with(option::DOMAIN_LIST, b"\x07example\x03org\0");
    assert_eq!(story.hear(&given), Ok(Some(Change::Leased)));
    let lease = story.client.lease().expect("a lease");
    assert_eq!(lease.server.as_bytes(), SERVER);
    assert_eq!(lease.addresses[0].address, ADDRESS);
    assert_eq!(lease.addresses[0].valid, Some(Duration::from_secs(3600)));
    assert_eq!(lease.dns_servers[..], [ADDRESS_2]);
    assert_eq!(lease.domains.iter().count(), 1);
    assert_eq!(story.times(), (900, 1440));
}

#[test]
fn two_messages_do_where_both_agree() {
    let mut story = Story::new(Dhcpv6Config::stateful());
    assert!(story.expect(Kind::Solicit).is_rapid);
    let silent = reply().giving(ADDRESS);
    assert_eq!(story.hear(&silent), Err(Unmatched), "it does not say so");
    let rapid = silent.with(option::RAPID_COMMIT, &[]);
    assert_eq!(story.hear(&rapid), Ok(Some(Change::Leased)));
    assert_eq!(story.addresses(), [(ADDRESS, false)]);
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    assert_eq!(story.hear(&rapid), Err(Unmatched), "it was not asked to");
}

/// Section 18.2.1: waits double from a second to SOL_MAX_RT, a tenth more or less.
#[test]
fn solicits_wait_longer_each_time() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    let waits = story.waits(16);
    assert!((1001..=1100).contains(&waits[0]), "{waits:?}");
    for pair in waits.windows(2) {
        let up_to = pair[0] * 21 / 10 + 1;
        let is_doubled = (pair[0] * 19 / 10..=up_to).contains(&pair[1]);
        let is_longest = (3_240_000..=3_960_000).contains(&pair[1]);
        assert!(is_doubled || is_longest, "{waits:?}");
    }
    assert!(waits[15] >= 3_240_000, "{waits:?}");
}

#[test]
fn a_server_without_addresses_says_how_long_waits_may_become() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    let none = advertise().status(NO_ADDRS);
    for (seconds, longest) in [(59u32, 3600), (86_401, 3600), (60, 60)] {
        let none = none
            .clone()
            .with(option::SOL_MAX_RT, &seconds.to_be_bytes());
        assert_eq!(story.hear(&none), Err(Unmatched), "no address");
        let longest = Timing::solicit(&MaxTimeouts::new()).up_to(longest);
        assert_eq!(Timing::solicit(&story.client.timeouts), longest);
    }
    let last = story.waits(12).pop().unwrap();
    assert!((54_000..=66_000).contains(&last), "{last}");
}

#[test]
fn the_best_server_is_chosen_when_all_had_their_time() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    let low = advertise().giving(ADDRESS).with(option::PREFERENCE, &[1]);
    let other = answer(Kind::Advertise).from(OTHER).giving(ADDRESS_2);
    let high = other.clone().with(option::PREFERENCE, &[200]);
    for offer in [low, high, advertise().giving(ADDRESS)] {
        assert_eq!(story.hear(&offer), Ok(None));
    }
    let request = story.expect(Kind::Request);
    assert_eq!(request.server.as_deref(), Some(OTHER));
    assert_eq!(request.addresses, Some(vec![ADDRESS_2]));
}

#[test]
fn a_preference_of_255_is_taken_at_once_and_so_is_a_late_answer() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    let now = story.now;
    story
        .hear(&advertise().giving(ADDRESS).with(option::PREFERENCE, &[255]))
        .unwrap();
    assert_eq!(story.expect(Kind::Request).at, now);

    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    story.expect(Kind::Solicit);
    let now = story.now;
    story.hear(&advertise().giving(ADDRESS)).unwrap();
    assert_eq!(story.expect(Kind::Request).at, now);
}

/// Section 18.2.2: REQ_MAX_RC is 10, and REQ_MAX_RT 30 s.
#[test]
fn a_server_that_goes_is_given_up_after_ten_requests() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    story.hear(&advertise().giving(ADDRESS)).unwrap();
    let first = story.expect(Kind::Request);
    for nth in 1..10 {
        let said = story.expect(Kind::Request);
        assert_eq!(said.xid, first.xid);
        let elapsed = said.at.since(first.at).as_millis() / 10;
        assert_eq!(u64::from(said.elapsed), elapsed, "the {nth}th");
    }
    assert_eq!(story.expect(Kind::Solicit).addresses, Some(vec![]));
}

#[test]
fn only_answers_to_what_was_asked_count() {
    let mut story = Story::new(four_messages());
    story.expect(Kind::Solicit);
    let mut late = advertise().giving(ADDRESS);
    late.wrong_xid = 1;
    let no_server = answer(Kind::Advertise).giving(ADDRESS);
    let mut not_for_us = advertise().giving(ADDRESS);
    not_for_us.options[9] ^= 1;
    let mut no_client = advertise().giving(ADDRESS);
    no_client.options.drain(..14);
    let reconfigure = answer(Kind::Reconfigure).from(SERVER);
    for bad in [
        late,
        no_server,
        not_for_us,
        no_client,
        reconfigure,
        reply().giving(ADDRESS),
    ] {
        assert_eq!(story.hear(&bad), Err(Unmatched));
    }
    story.hear(&advertise().giving(ADDRESS)).unwrap();
    story.expect(Kind::Request);
    let stranger = answer(Kind::Reply).from(OTHER).giving(ADDRESS);
    assert_eq!(story.hear(&stranger), Err(Unmatched), "another server");
    assert_eq!(
        story.hear(&reply().giving(ADDRESS)),
        Ok(Some(Change::Leased))
    );
    assert_eq!(
        story.hear(&reply().giving(ADDRESS)),
        Err(Unmatched),
        "twice"
    );
}

#[test]
fn what_cannot_be_given_is_not_taken() {
    let link_local: Ipv6Addr = "fe80::1".parse().unwrap();
    for given in [
        // T1 > T2.
        ia(100, 50, &[address(ADDRESS, 1800, 3600)]),
        ia(0, 0, &[address(ADDRESS, 3601, 3600)]),
        ia(0, 0, &[address(ADDRESS, 0, 0)]),
        ia(0, 0, &[address(link_local, 1800, 3600)]),
        ia(0, 0, &[address(Ipv6Addr::UNSPECIFIED, 1800, 3600)]),
        ia(0, 0, &[address(Ipv6Addr::LOCALHOST, 1800, 3600)]),
        ia(0, 0, &[address("ff02::1".parse().unwrap(), 1800, 3600)]),
        ia(0, 0, &[tlv(option::STATUS_CODE, &NO_ADDRS.to_be_bytes())]),
        ia(0, 0, &[]),
    ] {
        let mut story = Story::new(four_messages());
        story.expect(Kind::Solicit);
        let offer = advertise().with(option::IA_NA, &given);
        assert_eq!(story.hear(&offer), Err(Unmatched), "{given:?}");
        story.hear(&advertise().giving(ADDRESS)).unwrap();
        let asked = story.expect(Kind::Request).at;
        assert_eq!(story.hear(&reply().with(option::IA_NA, &given)), Ok(None));
        let again = story.expect(Kind::Solicit).at;
        assert!(again.since(asked) >= Duration::from_secs(4), "not at once");
    }
}

/// Section 21.4 leaves times of 0 to the client; those that end too late are a server's mistake.
#[test]
fn times_that_are_missing_or_cannot_be_are_replaced() {
    let forever = u32::MAX;
    for ((t1, t2), (preferred, valid), expected) in [
        ((0, 0), (1800, 3600), (900, 1440)),
        ((600, 0), (1800, 3600), (600, 1440)),
        ((1600, 0), (1800, 3600), (1600, 1600)),
        ((0, 700), (1800, 3600), (700, 700)),
        ((0, 1700), (1800, 3600), (900, 1700)),
        ((900, 3600), (1800, 3600), (900, 1440)),
        ((900, 9000), (1800, 3600), (900, 1440)),
        ((9000, 9000), (20, 40), (10, 16)),
        // Deprecated from the start.
        ((0, 0), (0, 3600), (1800, 2880)),
        ((10, 20), (forever, forever), (10, 20)),
    ] {
        let given = ia(t1, t2, &[address(ADDRESS, preferred, valid)]);
        let story = Story::bound_to(
            Dhcpv6Config::stateful(),
            reply().with(option::IA_NA, &given),
        );
        assert_eq!(
            story.times(),
            expected,
            "T1 {t1}, T2 {t2}, {preferred} {valid}"
        );
    }
    let given = ia(forever, forever, &[address(ADDRESS, forever, forever)]);
    let story = Story::bound_to(
        Dhcpv6Config::stateful(),
        reply().with(option::IA_NA, &given),
    );
    let century = Instant::from_secs(100 * 365 * 86_400);
    assert!(story.client.next_deadline().unwrap() > century);
    assert_eq!(story.client.lease().unwrap().addresses[0].valid, None);
    let mut config = Dhcpv6Config::stateful();
    config.max_lifetime = Some(Duration::from_secs(100));
    let story = Story::bound_to(config, reply().with(option::IA_NA, &given));
    assert_eq!(story.times(), (50, 80));
}

#[test]
fn renews_with_its_server_and_then_rebinds_with_any_until_all_is_over() {
    let mut story = Story::bound();
    let began = story.now;
    let mut said = vec![];
    let mut deprecated = None;
    loop {
        let (message, change) = story.step();
        said.extend(message);
        match change {
            Some(Change::Lost) => break,
            Some(Change::Leased) => deprecated = Some(story.now.since(began).as_secs()),
            None => {}
        }
    }
    assert_eq!(deprecated, Some(1800), "the preferred lifetime");
    assert_eq!(story.now.since(began).as_secs(), 3600, "the valid one");
    let renews: Vec<_> = said
        .iter()
        .filter(|said| said.kind == Kind::Renew)
        .collect();
    let rebinds: Vec<_> = said
        .iter()
        .filter(|said| said.kind == Kind::Rebind)
        .collect();
    assert_eq!(renews.len() + rebinds.len(), said.len());
    let from = |said: &Said| said.at.since(began).as_secs();
    assert_eq!((from(renews[0]), from(rebinds[0])), (900, 1440));
    assert!(renews.len() >= 4 && rebinds.len() >= 6, "{said:?}");
    let renews_are_right = |said: &&Said| said.server.as_deref() == Some(SERVER);
    assert!(renews.iter().all(renews_are_right));
    assert!(rebinds.iter().all(|said| said.server.is_none()));
    assert!(
        said.iter()
            .all(|said| said.addresses == Some(vec![ADDRESS]))
    );
    assert_eq!(story.client.lease(), None);
    assert_eq!(story.expect(Kind::Solicit).addresses, Some(vec![]));
}

#[test]
fn a_renewal_begins_the_times_anew() {
    let mut story = Story::bound();
    story.expect(Kind::Renew);
    let stranger = answer(Kind::Reply).from(OTHER).giving(ADDRESS);
    assert_eq!(story.hear(&stranger), Err(Unmatched));
    // UnspecFail: it asks again, no sooner than it would have.
    assert_eq!(story.hear(&reply().status(1)), Ok(None));
    let waits = story.waits(1);
    assert!((9_000..=11_000).contains(&waits[0]), "{waits:?}");
    assert_eq!(
        story.hear(&reply().giving(ADDRESS)),
        Ok(Some(Change::Leased))
    );
    assert_eq!(story.times(), (900, 1440));
    story.expect(Kind::Renew);
    while story.expect_any(&[Kind::Renew, Kind::Rebind]) != Kind::Rebind {}
    assert_eq!(
        story.hear(&stranger),
        Ok(Some(Change::Leased)),
        "any server"
    );
    assert_eq!(story.expect(Kind::Renew).server.as_deref(), Some(OTHER));
}

#[test]
fn a_server_that_forgot_is_asked_anew() {
    let mut story = Story::bound();
    story.expect(Kind::Renew);
    let status = tlv(option::STATUS_CODE, &NO_BINDING.to_be_bytes());
    let forgot = reply().with(option::IA_NA, &ia(0, 0, &[status]));
    assert_eq!(story.hear(&forgot), Ok(None));
    assert_eq!(story.addresses(), [(ADDRESS, false)], "in use meanwhile");
    let request = story.expect(Kind::Request);
    assert_eq!(request.server.as_deref(), Some(SERVER));
    assert_eq!(request.addresses, Some(vec![ADDRESS]));
    story.hear(&reply().giving(ADDRESS_2)).unwrap();
    assert_eq!(story.addresses(), [(ADDRESS_2, false)]);
}

#[test]
fn lifetimes_of_zero_take_an_address_back() {
    let mut story = Story::bound();
    story.expect(Kind::Renew);
    let both = [address(ADDRESS, 0, 0), address(ADDRESS_2, 1800, 3600)];
    let renumbered = reply().with(option::IA_NA, &ia(900, 1440, &both));
    assert_eq!(story.hear(&renumbered), Ok(Some(Change::Leased)));
    assert_eq!(story.addresses(), [(ADDRESS_2, false)]);
    story.expect(Kind::Renew);
    let nothing = reply().with(option::IA_NA, &ia(0, 0, &[address(ADDRESS_2, 0, 0)]));
    assert_eq!(story.hear(&nothing), Ok(Some(Change::Lost)));
    story.expect(Kind::Solicit);
}

#[test]
fn on_a_link_that_is_back_the_addresses_are_confirmed() {
    let mut story = Story::bound();
    story.client.stop();
    story.now += Duration::from_secs(60);
    story.client.start(story.now, &mut story.random);
    let confirm = story.expect(Kind::Confirm);
    assert_eq!(
        (confirm.server, confirm.addresses),
        (None, Some(vec![ADDRESS]))
    );
    assert_eq!(confirm.wishes, None);
    assert_eq!(story.hear(&reply().status(0)), Ok(None));
    assert_eq!(story.times(), (900 - 61, 1440 - 61), "as before");
    story.expect(Kind::Renew);

    let mut story = Story::bound();
    story.client.start(story.now, &mut story.random);
    story.expect(Kind::Confirm);
    assert_eq!(
        story.hear(&reply().status(NOT_ON_LINK)),
        Ok(Some(Change::Lost))
    );
    assert_eq!(story.addresses(), []);
    story.expect(Kind::Solicit);
}

/// Section 18.2.3: without an answer in CNF_MAX_RD, 10 s, the addresses stay.
#[test]
fn addresses_that_nobody_confirms_stay() {
    let mut story = Story::bound();
    story.client.start(story.now, &mut story.random);
    let first = story.expect(Kind::Confirm).at;
    let said = loop {
        let said = story.says();
        if said.kind != Kind::Confirm {
            break said;
        }
        assert!(said.at.since(first) < Duration::from_secs(10));
    };
    assert_eq!(said.kind, Kind::Renew);
    assert_eq!(story.addresses(), [(ADDRESS, false)]);
}

#[test]
fn a_duplicate_is_declined_and_another_asked_for() {
    let mut story = Story::bound();
    let change = story
        .client
        .on_duplicate(story.now, ADDRESS, &mut story.random);
    assert_eq!(change, Some(Change::Lost));
    let decline = story.expect(Kind::Decline);
    assert_eq!(decline.server.as_deref(), Some(SERVER));
    assert_eq!(decline.addresses, Some(vec![ADDRESS]));
    assert_eq!(story.hear(&reply().status(0)), Ok(None));
    let declined = story.now;
    let solicit = story.expect(Kind::Solicit);
    assert!(solicit.at.since(declined) >= Duration::from_secs(4));
    // Nobody answers: DEC_MAX_RC is 4.
    let mut story = Story::bound();
    story
        .client
        .on_duplicate(story.now, ADDRESS, &mut story.random);
    for _ in 0..4 {
        story.expect(Kind::Decline);
    }
    story.expect(Kind::Solicit);
    let unknown = story
        .client
        .on_duplicate(story.now, ADDRESS_2, &mut story.random);
    assert_eq!(unknown, None, "not ours");
}

#[test]
fn one_of_two_addresses_may_be_a_duplicate() {
    let both = [address(ADDRESS, 1800, 3600), address(ADDRESS_2, 1800, 3600)];
    let given = reply().with(option::IA_NA, &ia(900, 1440, &both));
    let mut story = Story::bound_to(Dhcpv6Config::stateful(), given);
    let change = story
        .client
        .on_duplicate(story.now, ADDRESS, &mut story.random);
    assert_eq!(change, Some(Change::Leased));
    assert_eq!(story.expect(Kind::Decline).addresses, Some(vec![ADDRESS]));
    story.hear(&reply()).unwrap();
    assert_eq!(story.expect(Kind::Renew).addresses, Some(vec![ADDRESS_2]));
}

#[test]
fn what_it_has_is_given_back_four_times_at_most() {
    let mut story = Story::bound();
    assert!(story.client.release(story.now, &mut story.random));
    for _ in 0..4 {
        let release = story.expect(Kind::Release);
        assert_eq!(release.server.as_deref(), Some(SERVER));
        assert_eq!(release.addresses, Some(vec![ADDRESS]));
        assert_eq!((release.wishes, release.prefixes), (None, None));
        assert!(!story.client.has_released());
    }
    assert_eq!(story.step(), (None, None));
    assert!(story.client.has_released());
    let mut story = Story::bound();
    story.client.release(story.now, &mut story.random);
    story.expect(Kind::Release);
    assert_eq!(story.hear(&reply().status(NO_BINDING)), Ok(None));
    assert!(story.client.has_released(), "whatever it says");
    let mut idle = Story::new(Dhcpv6Config::stateful());
    assert!(!idle.client.release(idle.now, &mut idle.random));
}

#[test]
fn a_prefix_is_asked_for_beside_the_address() {
    let delegated = Ipv6Cidr::new("2001:db8:8000::".parse().unwrap(), 56);
    let mut config = Dhcpv6Config::stateful();
    config.prefix_delegation = true;
    let given = reply().giving(ADDRESS).with(
        option::IA_PD,
        &ia(300, 480, &[prefix(delegated, 600, 1200)]),
    );
    let mut story = Story::bound_to(config, given);
    assert_eq!(story.times(), (300, 480), "the earlier ones");
    let lease = story.client.lease().unwrap();
    assert_eq!(lease.prefixes[0].prefix, delegated);
    assert_eq!(lease.prefixes[0].valid, Some(Duration::from_secs(1200)));
    let renew = story.expect(Kind::Renew);
    assert_eq!(renew.prefixes, Some(vec![delegated]));
    assert_eq!(renew.addresses, Some(vec![ADDRESS]));
    // Section 18.2.12: a prefix cannot be confirmed.
    story.client.start(story.now, &mut story.random);
    let first = story.expect(Kind::Rebind);
    let second = story.expect(Kind::Rebind);
    assert!(
        second.at.since(first.at) < Duration::from_secs(2),
        "as a Confirm"
    );
}

#[test]
fn information_alone_is_asked_for_again_when_it_is_old() {
    let mut story = Story::new(Dhcpv6Config::stateless());
    let said = story.expect(Kind::InformationRequest);
    assert_eq!((said.addresses, said.server), (None, None));
    assert_eq!(said.wishes, Some(vec![83, 32, 23, 24]));
    let told = reply().with(option::DNS_SERVERS, &ADDRESS.octets());
    // IRT_DEFAULT, IRT_MINIMUM, and what the server says.
    for (seconds, expected) in [(None, 86_400), (Some(1u32), 600), (Some(7200), 7200)] {
        let told = match seconds {
            Some(seconds) => {
                let seconds = seconds.to_be_bytes();
                told.clone()
                    .with(option::INFORMATION_REFRESH_TIME, &seconds)
            }
            None => told.clone(),
        };
        assert_eq!(story.hear(&told), Ok(Some(Change::Leased)));
        let heard = story.now;
        let lease = story.client.lease().unwrap();
        assert_eq!(lease.dns_servers[..], [ADDRESS]);
        assert!(lease.addresses.is_empty());
        let waited = story
            .expect(Kind::InformationRequest)
            .at
            .since(heard)
            .as_secs();
        assert!((expected..=expected + 1).contains(&waited), "{waited}");
    }
    let forever = told.with(option::INFORMATION_REFRESH_TIME, &[0xff; 4]);
    story.hear(&forever).unwrap();
    let century = Instant::from_secs(100 * 365 * 86_400);
    assert!(story.client.next_deadline().unwrap() > century);
}

#[test]
fn an_address_is_over_while_there_is_no_link() {
    let mut story = Story::bound();
    story.client.stop();
    assert_eq!(story.step(), (None, Some(Change::Leased)), "deprecated");
    assert_eq!(story.addresses(), [(ADDRESS, true)]);
    assert_eq!(story.step(), (None, Some(Change::Lost)));
    assert_eq!(story.client.next_deadline(), None);
}

#[test]
fn the_longest_message_has_room() {
    let mut config = Dhcpv6Config::stateful();
    config.duid = Duid::from_bytes(&[7; 130]);
    config.prefix_delegation = true;
    let mut random = Random::new(Seed::from(1));
    let mut client = Dhcpv6Client::new(config, None, &mut random);
    let delegated = Ipv6Cidr::new("2001:db8:8000::".parse().unwrap(), 56);
    client.candidate = Some(Candidate::of(
        &Bindings::new(),
        Duid::from_bytes(&[8; 130]).unwrap(),
    ));
    let candidate = client.candidate.as_mut().unwrap();
    candidate.addresses = Vec::from([ADDRESS, ADDRESS_2]).into_iter().collect();
    candidate.prefixes = core::iter::repeat_n(delegated, PREFIXES).collect();
    client.request(Instant::ZERO, &mut random);
    let mut buffer = [0; MAX_MESSAGE];
    let len = client
        .poll(Instant::ZERO, &mut random, &mut buffer)
        .unwrap();
    assert!(Dhcpv6Message::parse(&buffer[..len]).is_ok());
    assert!((400..MAX_MESSAGE).contains(&len), "{len}");
}

#[test]
fn without_a_hardware_address_an_identifier_is_made_up() {
    let mut random = Random::new(Seed::from(1));
    let client = Dhcpv6Client::new(Dhcpv6Config::stateful(), None, &mut random);
    let bytes = client.duid.as_bytes();
    assert_eq!((bytes.len(), &bytes[..2]), (18, &[0, 4][..]));
    assert_eq!(
        (bytes[8] >> 4, bytes[10] >> 6),
        (4, 2),
        "version and variant"
    );
}

impl PartialEq for Said {
    fn eq(&self, other: &Self) -> bool {
        (self.kind, self.xid, self.at) == (other.kind, other.xid, other.at)
    }
}

impl Story {
    fn expect_any(&mut self, kinds: &[Kind]) -> Kind {
        let said = self.says();
        assert!(kinds.contains(&said.kind), "{said:?}");
        said.kind
    }
}

proptest::proptest! {
    /// Whatever answers come, whenever: the client neither panics nor spins.
    #[test]
    fn any_server_is_survived(
        ops in proptest::collection::vec((0u8..12, 0u32..5000, 0u32..5000, 0u16..7), 0..80),
        pd in proptest::bool::ANY,
    ) {
        let mut config = Dhcpv6Config::stateful();
        config.prefix_delegation = pd;
        let mut story = Story::new(config);
        for (op, a, b, code) in ops {
            let given = ia(b, a ^ b, &[
                address(if a % 2 == 0 { ADDRESS } else { ADDRESS_2 }, a.min(b), a),
                tlv(option::STATUS_CODE, &(if op < 8 { 0 } else { code }).to_be_bytes()),
            ]);
            match op {
                0 => story.client.stop(),
                1 => story.client.start(story.now, &mut story.random),
                2 => { story.client.on_duplicate(story.now, ADDRESS, &mut story.random); }
                3 | 4 if story.client.next_deadline().is_some() => { story.step(); }
                5 => story.now += Duration::from_secs(a.into()),
                6 => { let _ = story.hear(&advertise().with(option::IA_NA, &given)); }
                7 | 8 => {
                    let reply = reply().with(option::IA_NA, &given).with(option::RAPID_COMMIT, &[]);
                    let _ = story.hear(&reply.with(option::IA_PD, &ia(a, b, &[])));
                }
                9 => { let _ = story.hear(&reply().status(code)); }
                _ => {}
            }
            // Nothing stays due for ever, and a lease has something in it.
            for turn in 0.. {
                if story.client.next_deadline().is_none_or(|due| due > story.now) { break; }
                story.step();
                assert!(turn < 10, "{:?}", story.client.state);
            }
            let lease = story.client.lease();
            assert!(lease.is_none_or(|lease| !lease.addresses.is_empty() || !lease.prefixes.is_empty()));
        }
    }
}
