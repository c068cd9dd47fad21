extern crate std;

use std::vec::Vec;

use super::*;
use crate::ip::InterfaceIdentifiers;

const START: Instant = Instant::from_secs(1_000_000);
const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

/// A host, and a clock.
struct Host {
    autoconf: Autoconf<8>,
    random: Random,
    now: Instant,
}

impl Host {
    fn new(temporary: bool) -> Self {
        let identity = Identity {
            kind: InterfaceIdentifiers::default(),
            hardware: None,
            fallback_secret: [7; 16],
        };
        Self {
            autoconf: Autoconf::new(identity, temporary),
            random: Random::new([7; 32].into()),
            now: START,
        }
    }

    /// A prefix is advertised, with its lifetimes in seconds.
    fn hears(&mut self, prefix: &str, preferred: u64, valid: u64) -> Vec<Step> {
        let told = Lifetimes {
            preferred: self.now + Duration::from_secs(preferred),
            valid: self.now + Duration::from_secs(valid),
        };
        let prefix = prefix.parse().unwrap();
        let heard = self
            .autoconf
            .on_prefix(self.now, prefix, told, &mut self.random);
        heard.unwrap();
        self.steps()
    }

    fn steps(&mut self) -> Vec<Step> {
        let steps = core::iter::from_fn(|| self.autoconf.poll(self.now, &mut self.random));
        let steps = steps.take(100).collect();
        if let Some(next) = self.autoconf.next_deadline() {
            assert!(next > self.now, "nothing is due after it was done");
        }
        steps
    }

    /// What happens at the next deadline, and how many seconds from now that is.
    fn next(&mut self) -> (u64, Vec<Step>) {
        let next = self.autoconf.next_deadline().unwrap();
        let passed = next.since(self.now).as_secs();
        self.now = next;
        (passed, self.steps())
    }

    fn pass(&mut self, secs: u64) {
        self.now += Duration::from_secs(secs);
    }

    /// The seconds that an address is valid for, from now on.
    fn valid(&self) -> u64 {
        let (_, lifetimes) = self.autoconf.iter().next().unwrap();
        lifetimes.valid.since(self.now).as_secs()
    }
}

const PREFIX: &str = "2001:db8:1::/64";

fn added(steps: &[Step]) -> Ipv6Addr {
    match *steps {
        [
            Step::Add {
                cidr,
                temporary: false,
            },
        ] => cidr.address(),
        _ => panic!("one address was expected, not {steps:?}"),
    }
}

#[test]
fn rfc4862_an_address_is_preferred_then_deprecated_then_over() {
    let mut host = Host::new(false);
    let address = added(&host.hears(PREFIX, 100, 300));
    assert_eq!(address.segments()[..4], [0x2001, 0xdb8, 1, 0]);
    assert_eq!(host.next(), (100, [Step::Deprecate(address)].into()));
    assert!(host.autoconf.is_deprecated(address));
    assert_eq!(host.next(), (200, [Step::Remove(address)].into()));
    assert_eq!(host.autoconf.next_deadline(), None);
}

#[test]
fn rfc4862_an_address_that_is_advertised_again_is_preferred_again() {
    let mut host = Host::new(false);
    let address = added(&host.hears(PREFIX, 100, 300));
    host.next();
    assert_eq!(host.hears(PREFIX, 100, 300), [Step::Prefer(address)]);
    assert_eq!(host.hears(PREFIX, 0, 300), [Step::Deprecate(address)]);
}

#[test]
fn rfc4862_what_makes_no_sense_is_ignored() {
    let mut host = Host::new(false);
    for (prefix, preferred, valid) in [
        // 5.5.3 b.
        ("fe80::/64", 100, 300),
        // c.
        (PREFIX, 301, 300),
        // d: "and if the Valid Lifetime is not 0".
        (PREFIX, 0, 0),
        // "If the sum of the prefix length and interface identifier length does not equal 128 bits, the Prefix
        // Information option MUST be ignored."
        ("2001:db8:1::/63", 100, 300),
        ("2001:db8:1::/128", 100, 300),
        ("::/0", 100, 300),
        ("ff02::/64", 100, 300),
    ] {
        assert_eq!(host.hears(prefix, preferred, valid), [], "{prefix}");
    }
}

#[test]
fn rfc4862_infinite_lifetimes_never_end() {
    let mut host = Host::new(false);
    let told = Lifetimes {
        preferred: Instant::FAR_FUTURE,
        valid: Instant::FAR_FUTURE,
    };
    let prefix = PREFIX.parse().unwrap();
    host.autoconf
        .on_prefix(START, prefix, told, &mut host.random)
        .unwrap();
    added(&host.steps());
    assert_eq!(host.autoconf.next_deadline(), Some(Instant::FAR_FUTURE));
    host.pass(1_000_000 * DAY);
    assert_eq!(host.steps(), []);
}

#[test]
fn rfc4862_nobody_ends_an_address_within_two_hours() {
    let mut host = Host::new(false);
    host.hears(PREFIX, DAY, DAY);
    // 5.5.3 e 3.
    host.hears(PREFIX, 0, 1);
    assert_eq!(host.valid(), 2 * HOUR);
    // 2.
    host.pass(HOUR);
    host.hears(PREFIX, 0, 10);
    assert_eq!(host.valid(), HOUR);
    host.hears(PREFIX, 0, 0);
    assert_eq!(host.valid(), HOUR);
    // 1.
    host.hears(PREFIX, 0, HOUR + 1);
    assert_eq!(host.valid(), HOUR + 1);
    host.hears(PREFIX, 0, 2 * HOUR + 1);
    assert_eq!(host.valid(), 2 * HOUR + 1);
    host.hears(PREFIX, 0, 2 * HOUR);
    assert_eq!(host.valid(), 2 * HOUR);
}

#[test]
fn rfc7217_an_address_that_is_taken_is_followed_by_three_others() {
    let mut host = Host::new(false);
    let mut address = added(&host.hears(PREFIX, 100, 300));
    for _ in 0..3 {
        assert!(host.autoconf.on_duplicate(address, &mut host.random));
        let next = added(&host.steps());
        assert_ne!(next, address);
        address = next;
    }
    assert!(!host.autoconf.on_duplicate(address, &mut host.random));
    // It is not made anew with each advertisement.
    assert_eq!(host.hears(PREFIX, 100, 300), []);
}

#[test]
fn rfc4862_an_address_from_the_hardware_has_no_alternative() {
    let mut host = Host::new(false);
    host.autoconf.identity.kind = InterfaceIdentifiers::Eui64;
    host.autoconf.identity.hardware = Some(crate::wire::EthernetAddress([2, 0, 0, 0, 0, 1]));
    let address = added(&host.hears(PREFIX, 100, 300));
    assert_eq!(
        address,
        "2001:db8:1::ff:fe00:1".parse::<Ipv6Addr>().unwrap()
    );
    assert!(!host.autoconf.on_duplicate(address, &mut host.random));
}

#[test]
fn a_link_that_went_leaves_addresses_to_those_who_use_them() {
    let mut host = Host::new(false);
    let address = added(&host.hears(PREFIX, 100, 300));
    host.autoconf.on_link_down(host.now);
    assert_eq!(host.steps(), [Step::Deprecate(address)]);
    assert_eq!(host.hears(PREFIX, 100, 300), [Step::Prefer(address)]);
}

#[test]
fn prefixes_beyond_the_room_are_refused_and_the_known_ones_live_on() {
    let mut host = Host::new(false);
    for n in 0..8 {
        added(&host.hears(&std::format!("2001:db8:{n}::/64"), 100, 300));
    }
    let told = Lifetimes {
        preferred: START,
        valid: START + Duration::from_secs(9),
    };
    let prefix = "2001:db8:8::/64".parse().unwrap();
    let refused = host
        .autoconf
        .on_prefix(START, prefix, told, &mut host.random);
    assert_eq!(refused, Err(AutoconfFull));
    assert_eq!(host.steps(), []);
    assert_eq!(host.hears("2001:db8:7::/64", 0, 300).len(), 1);
}

/// Both addresses of a prefix.
fn pair(host: &mut Host, preferred: u64, valid: u64) -> [Ipv6Addr; 2] {
    match host.hears(PREFIX, preferred, valid)[..] {
        [
            Step::Add {
                cidr: stable,
                temporary: false,
            },
            Step::Add {
                cidr: temporary,
                temporary: true,
            },
        ] => [stable.address(), temporary.address()],
        ref steps => panic!("two addresses were expected, not {steps:?}"),
    }
}

#[test]
fn rfc8981_a_temporary_address_is_there_beside() {
    let mut host = Host::new(true);
    let [stable, temporary] = pair(&mut host, 100, 300);
    assert_ne!(stable, temporary);
    let (passed, steps) = host.next();
    assert_eq!(passed, 100);
    assert_eq!(steps, [Step::Deprecate(stable), Step::Deprecate(temporary)]);
    assert_eq!(
        host.next().1,
        [Step::Remove(stable), Step::Remove(temporary)]
    );
}

#[test]
fn rfc8981_it_is_replaced_before_it_is_deprecated_and_gone_after_two_days() {
    let mut host = Host::new(true);
    let mut born = Vec::from([(pair(&mut host, 100 * DAY, 100 * DAY)[1], START)]);
    let mut gone = 0;
    while host.now < START + Duration::from_secs(10 * DAY) {
        let (_, steps) = host.next();
        for step in steps {
            let age = |address| {
                let (_, birth) = born.iter().find(|(known, _)| *known == address).unwrap();
                host.now.since(*birth).as_secs()
            };
            match step {
                Step::Add { cidr, temporary } => {
                    assert!(temporary);
                    born.push((cidr.address(), host.now));
                }
                Step::Deprecate(address) => {
                    // A day, less DESYNC_FACTOR.
                    assert!((DAY * 6 / 10..=DAY).contains(&age(address)));
                    assert_eq!(age(born.last().unwrap().0), 5);
                }
                Step::Remove(address) => {
                    assert_eq!(age(address), 2 * DAY);
                    gone += 1;
                }
                Step::Prefer(_) => panic!("{step:?}"),
            }
        }
        assert!(host.autoconf.iter().count() <= 5);
    }
    assert!(gone >= 8, "{gone}");
}

#[test]
fn rfc8981_advertisements_do_not_prolong_it_beyond_its_limits() {
    let mut host = Host::new(true);
    let [_, temporary] = pair(&mut host, DAY, 2 * DAY);
    host.pass(HOUR);
    host.hears(PREFIX, 100 * DAY, 100 * DAY);
    let (_, lifetimes) = host
        .autoconf
        .iter()
        .find(|(cidr, _)| cidr.address() == temporary)
        .unwrap();
    assert_eq!(lifetimes.valid, START + TEMP_VALID_LIFETIME);
    assert!(lifetimes.preferred <= START + TEMP_PREFERRED_LIFETIME);
}

#[test]
fn rfc8981_none_is_made_for_five_seconds() {
    let mut host = Host::new(true);
    added(&host.hears(PREFIX, 5, 300));
}

#[test]
fn rfc8981_a_temporary_address_that_is_taken_is_followed_by_another() {
    let mut host = Host::new(true);
    let [_, temporary] = pair(&mut host, 100, 300);
    assert!(host.autoconf.on_duplicate(temporary, &mut host.random));
    let [
        Step::Add {
            temporary: true, ..
        },
    ] = host.steps()[..]
    else {
        panic!("another was expected");
    };
}

/// Section 3.4: "If the host has not configured any temporary address for the corresponding prefix, the host SHOULD create
/// a new temporary address for such prefix."
#[test]
fn rfc8981_3_4_a_prefix_that_is_preferred_again_has_a_temporary_address_again() {
    let is_temporary = |step: &Step| {
        matches!(
            step,
            Step::Add {
                temporary: true,
                ..
            }
        )
    };
    let mut host = Host::new(true);
    added(&host.hears(PREFIX, 0, 10 * DAY)[..1]);
    assert!(host.hears(PREFIX, DAY, 10 * DAY).iter().any(is_temporary));
    // The link is down when it should be replaced.
    host.autoconf.on_link_down(host.now);
    host.steps();
    host.pass(DAY);
    assert!(!host.steps().iter().any(is_temporary));
    assert!(host.hears(PREFIX, DAY, 10 * DAY).iter().any(is_temporary));
    assert!(!host.hears(PREFIX, DAY, 10 * DAY).iter().any(is_temporary));
}

#[test]
fn a_stable_address_that_was_given_by_hand_has_one_temporary_address_beside() {
    let mut host = Host::new(true);
    for n in 0..3 {
        let steps = host.hears(PREFIX, 100, 300);
        let Step::Add { cidr, .. } = steps[0] else {
            panic!("{steps:?}");
        };
        host.autoconf.forget(cidr.address());
        assert_eq!(steps.len(), if n == 0 { 2 } else { 1 }, "{steps:?}");
    }
}
