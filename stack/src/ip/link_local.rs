//! An IPv4 address without anybody to give one: link-local addresses (RFC 3927).
//!
//! [`LinkLocal`] says which address of 169.254/16 to claim and when. `engine` claims it (RFC 5227's probes
//! are those of RFC 3927 section 2.2), and says here what became of it.
//!
//! ```text
//!  Stopped ── link up ──► Waiting ── delay over ──► Claiming ── probes unanswered ──► Held
//!     ▲                   ▲  ▲ ▲                       │                             │  ▲
//!     │                   │  │ └────── conflict ───────┘                   routable  │  │ routable
//!  link down              │  └──────── conflict ───────────────────────    address   ▼  │ address lost
//!                         └──────── routable address lost ◄── Retired ◄──────────── Retiring
//! ```

#[cfg(test)]
mod tests;

use core::net::Ipv4Addr;

use crate::rand::{Random, Seed};
use crate::time::{Duration, Instant};
use crate::wire::EthernetAddress;

/// How an IPv4 link-local address is chosen (RFC 3927): one of 169.254.1.0 to 169.254.254.255 that nobody
/// else on the link has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct LinkLocalConfig {
    /// The address that this host had before it was switched off: the first that is tried. Without, and
    /// after it, candidates follow from the hardware address: mostly the same after each start.
    pub previous_address: Option<Ipv4Addr>,
    /// How long to wait for something better after the link came up.
    pub delay: Duration,
}

impl LinkLocalConfig {
    /// An address as soon as the link is up and probes found nobody who has it.
    pub const fn new() -> Self {
        Self {
            previous_address: None,
            delay: Duration::ZERO,
        }
    }

    /// The same, when ten seconds were not enough to get an address by other means.
    pub const fn fallback() -> Self {
        Self {
            previous_address: None,
            delay: PATIENCE,
        }
    }
}

impl Default for LinkLocalConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// The choice of a link-local address for one Ethernet interface.
#[derive(Clone)]
pub(crate) struct LinkLocal {
    config: LinkLocalConfig,
    /// Section 2.1: "If the host has access to persistent information that is different for each host, such
    /// as its IEEE 802 MAC address, then the pseudo-random number generator SHOULD be seeded using a value
    /// derived from this information."
    candidates: Random,
    /// The first to try next time.
    preferred: Ipv4Addr,
    state: State,
    /// Conflicts since an address was last held.
    conflicts: u8,
    /// When the latest candidate was first probed.
    attempted: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The link is down.
    Stopped,
    /// A candidate is claimed at that time.
    Waiting(Instant),
    /// Being probed.
    Claiming(Ipv4Addr),
    /// Ours.
    Held(Ipv4Addr),
    /// Still ours for those who use it already, until then.
    Retiring(Ipv4Addr, Instant),
    /// A routable address is there.
    Retired,
}

/// What to do about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Probe it, and use it if nobody has it.
    Claim(Ipv4Addr),
    /// Use it again like before: it was defended all the time.
    Resume(Ipv4Addr),
    /// Go on with it only for those who use it.
    Retire(Ipv4Addr),
    /// Give it up.
    Drop(Ipv4Addr),
}

impl LinkLocal {
    /// Starts when the link is up.
    pub(crate) fn new(config: LinkLocalConfig, hardware: EthernetAddress) -> Self {
        let [a, b, c, d, e, f] = hardware.0;
        let mut candidates = Random::new(Seed::from(u64::from_be_bytes([0, 0, a, b, c, d, e, f])));
        let previous = config
            .previous_address
            .filter(|&address| is_claimable(address));
        Self {
            preferred: previous.unwrap_or_else(|| candidate(&mut candidates)),
            config,
            candidates,
            state: State::Stopped,
            conflicts: 0,
            attempted: Instant::ZERO,
        }
    }

    /// The link came up. An address that was ours is to be probed anew; it stays the first choice.
    pub(crate) fn on_link_up(&mut self, now: Instant) {
        self.state = State::Waiting(now + self.config.delay);
    }

    /// The link went down: nothing is known of who will be on it next.
    pub(crate) fn on_link_down(&mut self) -> Option<Step> {
        let address = self.address();
        self.state = State::Stopped;
        address.map(Step::Drop)
    }

    /// The address, claimed or held.
    pub(crate) fn address(&self) -> Option<Ipv4Addr> {
        match self.state {
            State::Claiming(address) | State::Held(address) | State::Retiring(address, _) => {
                Some(address)
            }
            State::Stopped | State::Waiting(_) | State::Retired => None,
        }
    }

    /// Nobody answered the probes.
    pub(crate) fn on_claimed(&mut self, address: Ipv4Addr) {
        if self.state == State::Claiming(address) {
            self.state = State::Held(address);
            self.conflicts = 0;
        }
    }

    /// Somebody else has the address: it is no longer ours.
    ///
    /// Section 2.2.1: "if the number of conflicts exceeds MAX_CONFLICTS then the host MUST limit the rate at
    /// which it probes for new addresses to no more than one new address per RATE_LIMIT_INTERVAL."
    pub(crate) fn on_conflict(&mut self, now: Instant, address: Ipv4Addr) -> Option<Step> {
        if self.address() != Some(address) {
            return None;
        }
        self.conflicts = self.conflicts.saturating_add(1);
        self.preferred = candidate(&mut self.candidates);
        self.state = match self.state {
            State::Retiring(..) => State::Retired,
            _ if self.conflicts > MAX_CONFLICTS => {
                State::Waiting(now.max(self.attempted + RATE_LIMIT_INTERVAL))
            }
            _ => State::Waiting(now),
        };
        Some(Step::Drop(address))
    }

    /// The host has a routable address.
    ///
    /// Section 1.9: it "SHOULD continue to use the IPv4 Link-Local address for communications already
    /// underway".
    pub(crate) fn on_routable(&mut self, now: Instant) -> Option<Step> {
        match self.state {
            State::Held(address) => {
                self.state = State::Retiring(address, now + LINGER);
                Some(Step::Retire(address))
            }
            State::Claiming(address) => {
                self.state = State::Retired;
                Some(Step::Drop(address))
            }
            State::Waiting(_) => {
                self.state = State::Retired;
                None
            }
            State::Stopped | State::Retiring(..) | State::Retired => None,
        }
    }

    /// It has none any more.
    pub(crate) fn on_routable_lost(&mut self, now: Instant) -> Option<Step> {
        match self.state {
            State::Retiring(address, _) => {
                self.state = State::Held(address);
                Some(Step::Resume(address))
            }
            State::Retired => {
                self.state = State::Waiting(now + self.config.delay);
                None
            }
            State::Stopped | State::Waiting(_) | State::Claiming(_) | State::Held(_) => None,
        }
    }

    /// When [`Self::on_timeout`] has something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Waiting(due) | State::Retiring(_, due) => Some(due),
            State::Stopped | State::Claiming(_) | State::Held(_) | State::Retired => None,
        }
    }

    /// Time passed.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> Option<Step> {
        match self.state {
            State::Waiting(due) if due <= now => {
                self.attempted = now;
                self.state = State::Claiming(self.preferred);
                Some(Step::Claim(self.preferred))
            }
            State::Retiring(address, due) if due <= now => {
                self.state = State::Retired;
                Some(Step::Drop(address))
            }
            _ => None,
        }
    }
}

/// One of the addresses that a host may choose, each as likely as the other.
///
/// Section 2.1: "The first 256 and last 256 addresses in the 169.254/16 prefix are reserved for future use
/// and MUST NOT be selected".
fn candidate(random: &mut Random) -> Ipv4Addr {
    let n = 0x0100 + random.below(CLAIMABLE);
    Ipv4Addr::new(169, 254, (n >> 8) as u8, n as u8)
}

/// Whether a host may choose the address.
fn is_claimable(address: Ipv4Addr) -> bool {
    address.is_link_local() && (1..=254).contains(&address.octets()[2])
}

/// 169.254.1.0 to 169.254.254.255.
const CLAIMABLE: u32 = 254 * 256;

/// What a DHCP client has for two or three questions.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long an address that has been replaced serves its connections.
const LINGER: Duration = Duration::from_secs(600);

// Section 9.
const MAX_CONFLICTS: u8 = 10;
const RATE_LIMIT_INTERVAL: Duration = Duration::from_secs(60);
