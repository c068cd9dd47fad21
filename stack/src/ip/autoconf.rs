//! The addresses that a host makes from the prefixes that routers advertise (RFC 4862 section 5.5), and
//! temporary ones beside them (RFC 8981).
//!
//! ```text
//!              prefix heard            PreferredLifetime over        ValidLifetime over
//!   (nothing) ─────────────► preferred ──────────────────────► deprecated ─────────────► (nothing)
//!                                 ▲                               │
//!                                 └──────── prefix heard ─────────┘
//! ```
//!
//! `engine` tells what it hears, and does what [`Autoconf::poll`] says until it says nothing. Whether somebody
//! else has an address is looked at elsewhere; [`Autoconf::on_duplicate`] hears of it.

use core::net::Ipv6Addr;

use cygnet_config::IFACE_MAX_ADDR_COUNT;

use super::identifier::{Identity, temporary_address};
use crate::rand::Random;
use crate::time::{Duration, Instant};
use crate::wire::Ipv6Cidr;

/// The addresses, and what they are made from.
#[derive(Clone, Debug)]
pub(crate) struct Autoconf<const N: usize = IFACE_MAX_ADDR_COUNT> {
    list: heapless::Vec<Entry, N>,
    identity: Identity,
    /// Whether there are temporary addresses.
    temporary: bool,
}

#[derive(Clone, Debug)]
struct Entry {
    prefix: Ipv6Cidr,
    address: Ipv6Addr,
    kind: Kind,
    lifetimes: Lifetimes,
    /// What `engine` was told about it.
    told: Told,
    /// Addresses that were taken, in its place.
    attempt: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stable,
    Temporary {
        /// However long the prefix lives (RFC 8981 section 3.4).
        limit: Lifetimes,
        /// Another has taken its place.
        replaced: bool,
    },
}

/// How long a prefix or an address may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Lifetimes {
    /// Until when others than those who use it already may begin to.
    pub(crate) preferred: Instant,
    /// Until when it may be used at all.
    pub(crate) valid: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    Preferred,
    Deprecated,
}

/// Something to do to the addresses of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Step {
    /// Add the address, as soon as nobody else is found to have it.
    Add {
        /// With the length of its prefix, which need not be on the link.
        cidr: Ipv6Cidr,
        /// It is one for a while only, and preferred to others (RFC 6724 section 5, rule 7).
        temporary: bool,
    },
    /// New uses may begin again.
    Prefer(Ipv6Addr),
    /// No new uses begin.
    Deprecate(Ipv6Addr),
    /// It is over.
    Remove(Ipv6Addr),
}

/// There is no room for another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct AutoconfFull;

impl<const N: usize> Autoconf<N> {
    /// No addresses.
    pub(crate) const fn new(identity: Identity, temporary: bool) -> Self {
        Self {
            list: heapless::Vec::new(),
            identity,
            temporary,
        }
    }

    /// A router advertises a prefix to make addresses from (section 5.5.3). Those that say nothing sensible
    /// are ignored, as the RFC has it; so is a prefix of another length than 64 (step d).
    pub(crate) fn on_prefix(
        &mut self,
        now: Instant,
        prefix: Ipv6Cidr,
        told: Lifetimes,
        random: &mut Random,
    ) -> Result<(), AutoconfFull> {
        let prefix = prefix.network();
        // b) and c).
        if prefix.address().is_unicast_link_local() || told.preferred > told.valid {
            return Ok(());
        }
        let (mut is_known, mut has_temporary) = (false, false);
        for entry in self.list.iter_mut().filter(|entry| entry.prefix == prefix) {
            is_known |= entry.kind == Kind::Stable;
            has_temporary |= entry.renewal().is_some();
            entry.extend(now, told);
        }
        let is_multicast = prefix.address().is_multicast();
        if told.valid <= now || prefix.prefix_len() != PREFIX_LEN || is_multicast {
            return Ok(());
        }
        if !is_known {
            let address = self.identity.address(prefix, 0);
            self.push(prefix, address, Kind::Stable, told)?;
        }
        // RFC 8981 section 3.4: "If the host has not configured any temporary address for the corresponding prefix,
        // the host SHOULD create a new temporary address for such prefix."
        if has_temporary {
            return Ok(());
        }
        self.add_temporary(now, prefix, told, random)
    }

    /// What is to be done by now; to be called until it is `None`.
    pub(crate) fn poll(&mut self, now: Instant, random: &mut Random) -> Option<Step> {
        let is_over = |entry: &Entry| entry.lifetimes.valid <= now;
        if let Some(index) = self.list.iter().position(is_over) {
            let entry = self.list.remove(index);
            return match entry.told {
                Told::Nothing => self.poll(now, random),
                Told::Preferred | Told::Deprecated => Some(Step::Remove(entry.address)),
            };
        }
        self.renew_temporary(now, random);
        self.list.iter_mut().find_map(|entry| entry.poll(now))
    }

    /// When there is something to do.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.list.iter().map(Entry::deadline).min()
    }

    /// Whether new uses of an address are discouraged.
    pub(crate) fn is_deprecated(&self, address: Ipv6Addr) -> bool {
        let mut entries = self.list.iter();
        let entry = entries.find(|entry| entry.address == address);
        entry.is_some_and(|entry| entry.told == Told::Deprecated)
    }

    /// Somebody else has an address of these. True if another is to be tried in its place, which
    /// [`Self::poll`] says (RFC 7217 section 6, RFC 8981 section 3.4).
    pub(crate) fn on_duplicate(&mut self, address: Ipv6Addr, random: &mut Random) -> bool {
        let identity = self.identity;
        let mut entries = self.list.iter_mut();
        let Some(entry) = entries.find(|entry| entry.address == address) else {
            return false;
        };
        if entry.attempt >= IDGEN_RETRIES {
            return false;
        }
        let attempt = entry.attempt + 1;
        entry.address = match entry.kind {
            Kind::Stable if !identity.has_alternatives() => return false,
            Kind::Stable => identity.address(entry.prefix, attempt),
            Kind::Temporary { .. } => temporary_address(entry.prefix, random),
        };
        entry.attempt = attempt;
        entry.told = Told::Nothing;
        true
    }

    /// There was no room for an address.
    pub(crate) fn forget(&mut self, address: Ipv6Addr) {
        self.list.retain(|entry| entry.address != address);
    }

    /// The link is gone, and may be another when it is back: until a router advertises them again, the
    /// addresses are good for those who use them already.
    pub(crate) fn on_link_down(&mut self, now: Instant) {
        for entry in &mut self.list {
            let preferred = &mut entry.lifetimes.preferred;
            *preferred = now.min(*preferred);
        }
    }

    /// The addresses and how long they may be used; deprecated and tentative ones too.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ipv6Cidr, Lifetimes)> {
        let entries = self.list.iter().filter(|entry| entry.told != Told::Nothing);
        entries.map(|entry| (entry.cidr(), entry.lifetimes))
    }

    fn push(
        &mut self,
        prefix: Ipv6Cidr,
        address: Ipv6Addr,
        kind: Kind,
        lifetimes: Lifetimes,
    ) -> Result<(), AutoconfFull> {
        let entry = Entry {
            prefix,
            address,
            kind,
            lifetimes,
            told: Told::Nothing,
            attempt: 0,
        };
        self.list.push(entry).map_err(|_| AutoconfFull)
    }

    /// RFC 8981 section 3.4: "A temporary address is created only if this calculated Preferred Lifetime is
    /// greater than REGEN_ADVANCE time units."
    fn add_temporary(
        &mut self,
        now: Instant,
        prefix: Ipv6Cidr,
        of_prefix: Lifetimes,
        random: &mut Random,
    ) -> Result<(), AutoconfFull> {
        let desync = Duration::from_secs(random.below(MAX_DESYNC_SECS).into());
        let limit = Lifetimes {
            preferred: now + TEMP_PREFERRED_LIFETIME.saturating_sub(desync),
            valid: now + TEMP_VALID_LIFETIME,
        };
        let lifetimes = of_prefix.at_most(limit);
        if !self.temporary || lifetimes.preferred <= now + REGEN_ADVANCE {
            return Ok(());
        }
        let kind = Kind::Temporary {
            limit,
            replaced: false,
        };
        self.push(prefix, temporary_address(prefix, random), kind, lifetimes)
    }

    /// RFC 8981 section 3.6: another takes the place of one that is about to be deprecated by its age.
    fn renew_temporary(&mut self, now: Instant, random: &mut Random) {
        let Some(old) =
            (self.list.iter_mut()).find(|entry| entry.renewal().is_some_and(|at| at <= now))
        else {
            return;
        };
        if let Kind::Temporary { replaced, .. } = &mut old.kind {
            *replaced = true;
        }
        let prefix = old.prefix;
        let stable = |entry: &&Entry| entry.prefix == prefix && entry.kind == Kind::Stable;
        if let Some(lifetimes) = self.list.iter().find(stable).map(|entry| entry.lifetimes) {
            // Without room, the stable address has to do.
            let _ = self.add_temporary(now, prefix, lifetimes, random);
        }
    }
}

impl Entry {
    /// Section 5.5.3 e.
    fn extend(&mut self, now: Instant, told: Lifetimes) {
        let known = &mut self.lifetimes;
        let remaining = known.valid.since(now);
        // "1. If the received Valid Lifetime is greater than 2 hours or greater than RemainingLifetime, set the
        // valid lifetime of the corresponding address to the advertised Valid Lifetime. 2. If RemainingLifetime
        // is less than or equal to 2 hours, ignore the Prefix Information option with regards to the valid
        // lifetime [...]. 3. Otherwise, reset the valid lifetime of the corresponding address to 2 hours."
        if told.valid.since(now) > TWO_HOURS || told.valid > known.valid {
            known.valid = told.valid;
        } else if remaining > TWO_HOURS {
            known.valid = now + TWO_HOURS;
        }
        known.preferred = told.preferred;
        if let Kind::Temporary { limit, .. } = self.kind {
            *known = known.at_most(limit);
        }
    }

    fn poll(&mut self, now: Instant) -> Option<Step> {
        let told = match now < self.lifetimes.preferred {
            true => Told::Preferred,
            false => Told::Deprecated,
        };
        let before = self.told;
        let step = match (before, told) {
            (Told::Nothing, _) => {
                // That it is deprecated is said next.
                self.told = Told::Preferred;
                return Some(Step::Add {
                    cidr: self.cidr(),
                    temporary: self.kind != Kind::Stable,
                });
            }
            (Told::Preferred, Told::Deprecated) => Step::Deprecate(self.address),
            (Told::Deprecated, Told::Preferred) => Step::Prefer(self.address),
            (Told::Preferred | Told::Deprecated, _) => return None,
        };
        self.told = told;
        Some(step)
    }

    fn deadline(&self) -> Instant {
        let next = match self.told {
            Told::Nothing => Instant::ZERO,
            Told::Preferred => self.lifetimes.preferred.min(self.lifetimes.valid),
            Told::Deprecated => self.lifetimes.valid,
        };
        self.renewal().map_or(next, |at| next.min(at))
    }

    /// When a temporary address is to be replaced.
    fn renewal(&self) -> Option<Instant> {
        match self.kind {
            Kind::Temporary {
                limit,
                replaced: false,
            } => Some(limit.preferred - REGEN_ADVANCE),
            _ => None,
        }
    }

    fn cidr(&self) -> Ipv6Cidr {
        Ipv6Cidr::new(self.address, self.prefix.prefix_len())
    }
}

impl Lifetimes {
    fn at_most(self, limit: Self) -> Self {
        Self {
            preferred: self.preferred.min(limit.preferred),
            valid: self.valid.min(limit.valid),
        }
    }
}

/// Section 5.5.3 d: "the sum of the prefix length and interface identifier length" is 128.
const PREFIX_LEN: u8 = 64;
const TWO_HOURS: Duration = Duration::from_secs(2 * 60 * 60);
/// IDGEN_RETRIES (RFC 7217 section 7), TEMP_IDGEN_RETRIES (RFC 8981 section 3.8).
const IDGEN_RETRIES: u8 = 3;
/// RFC 8981 section 3.8.
const TEMP_VALID_LIFETIME: Duration = Duration::from_secs(2 * 24 * 60 * 60);
const TEMP_PREFERRED_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// MAX_DESYNC_FACTOR: 0.4 times TEMP_PREFERRED_LIFETIME.
const MAX_DESYNC_SECS: u32 = 24 * 60 * 60 / 10 * 4;
/// `2 + (TEMP_IDGEN_RETRIES * DupAddrDetectTransmits * RetransTimer / 1000)`.
const REGEN_ADVANCE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests;
