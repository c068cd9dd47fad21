//! RFC 8415, sentence by sentence, and servers that do not keep to it.

mod giving_back;
mod keeping;
mod obtaining;

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
