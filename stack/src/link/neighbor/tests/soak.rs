//! Long random runs, in which what must hold in every state is checked after each step.

use super::*;

const STEPS: u32 = 50_000;

/// A linear congruential generator: the run is the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn host(&mut self, hosts: u64) -> IpAddress {
        host(self.roll(hosts) as u8)
    }

    fn claim(&mut self, hosts: u64) -> Claim {
        let kind = match self.roll(3) {
            0 => ClaimKind::Reply,
            1 => ClaimKind::Request,
            _ => ClaimKind::Announcement,
        };
        let mac = if self.roll(2) == 0 { MAC_A } else { MAC_B };
        claim(self.host(hosts), mac, kind)
    }
}

#[test]
fn no_neighbor_is_asked_twice_in_a_second() {
    const HOSTS: u64 = 8;
    // Shorter than RetransTimer, so that only the pacing holds the first probe back.
    let timing = NeighborTiming {
        delay_first_probe_time: Duration::from_millis(100),
        ..NeighborTiming::default()
    };
    let mut cache = NeighborCache::<u32, { HOSTS as usize }>::new(timing, 0);
    let mut dice = Dice(1);
    let mut now = Instant::ZERO;
    let mut last_asked = [None::<Instant>; HOSTS as usize];
    let mut hints = [None; HOSTS as usize];
    let mut asked = 0;

    for _ in 0..STEPS {
        now += Duration::from_millis(dice.roll(200));
        match dice.roll(6) {
            0 | 1 => {
                let n = dice.roll(HOSTS) as u8;
                cache.lookup(now, LINK, host(n), &mut hints[usize::from(n)]);
            }
            2 => {
                let claim = dice.claim(HOSTS);
                cache.on_claim(now, &claim);
            }
            3 => {
                if let Some(key) = hints[dice.roll(HOSTS) as usize] {
                    cache.confirm_reachability(now, key);
                }
            }
            4 => while cache.on_timeout(now).is_some() {},
            _ => {
                while let Some(solicit) = cache.poll_solicit(now) {
                    let n = (0..HOSTS as u8).find(|n| host(*n) == solicit.target);
                    let last = &mut last_asked[usize::from(n.unwrap())];
                    let since = last.map(|last| now.since(last));
                    assert!(since.is_none_or(|since| since >= Duration::from_secs(1)));
                    *last = Some(now);
                    asked += 1;
                }
                assert!(!cache.solicit_due(now));
            }
        }
    }
    assert!(asked > 1_000, "the run asked only {asked} times");
}

#[test]
fn every_waiter_comes_back_once() {
    let mut cache = cache();
    let mut dice = Dice(2);
    let mut now = Instant::ZERO;
    let mut waiting = 0;
    let mut failed = 0;
    let mut resolved = 0;

    for _ in 0..STEPS {
        now += Duration::from_millis(dice.roll(400));
        match dice.roll(8) {
            0..=2 => {
                let address = dice.host(9);
                if let Lookup::Pending(key) = lookup(&mut cache, now, address) {
                    *cache.waiters_mut(key).unwrap() += 1;
                    waiting += 1;
                }
            }
            3 => {
                let claim = dice.claim(9);
                if let Learned::Resolved(waiters) = cache.on_claim(now, &claim) {
                    resolved += waiters;
                }
            }
            4 if dice.roll(20) == 0 => {
                let address = dice.host(9);
                failed += cache.remove(LINK, address).unwrap_or(0);
            }
            5 if dice.roll(100) == 0 => cache.flush(LINK),
            6 => {
                while let Some(failure) = cache.on_timeout(now) {
                    failed += failure.waiters;
                }
            }
            _ => while cache.poll_solicit(now).is_some() {},
        }
        let held: u32 = cache.slots.iter().map(|slot| slot.waiters).sum();
        assert_eq!(waiting, held + failed + resolved);
        let deadlines = cache.slots.iter().filter_map(|s| s.entry?.deadline());
        let exact = deadlines.min().unwrap_or(Instant::FAR_FUTURE);
        assert_eq!(cache.next_deadline(), exact);
    }
    assert!(failed > 100 && resolved > 100, "{failed} and {resolved}");
}
