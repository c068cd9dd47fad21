//! What a server gives and says, and for how long (RFC 8415, sections 14.2, 18.2.10.1 and 21.4 to 21.23).

use core::net::Ipv6Addr;

use cygnet_config::DNS_MAX_SERVER_COUNT;
use heapless::Vec;

use super::{ADDRESSES, Dhcpv6Config, PREFIXES};
use crate::time::{Duration, Instant};
use crate::wire::dhcpv6::{INFINITY, option};
use crate::wire::dns::{DomainList, Name};
use crate::wire::{Dhcpv6Grant, Dhcpv6Options, Dhcpv6Status, Duid, IpAddress, Ipv6Cidr};

/// What a DHCPv6 server gave and said, as far as the stack has use for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Dhcpv6Lease {
    /// The server.
    pub server: Duid,
    /// The addresses. A client that asks for information alone gets none.
    pub addresses: Vec<Dhcpv6Address, ADDRESSES>,
    /// Prefixes for networks behind this host, if they were asked for.
    pub prefixes: Vec<Dhcpv6Prefix, PREFIXES>,
    /// The DNS servers, the preferred one first.
    pub dns_servers: Vec<Ipv6Addr, DNS_MAX_SERVER_COUNT>,
    /// The domains that names of one label are looked for in.
    pub domains: DomainList,
}

/// An address that a DHCPv6 server gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Dhcpv6Address {
    /// The address. What else is on the link, routers say.
    pub address: Ipv6Addr,
    /// For how long new connections may use it, from when it was given or renewed; `None` for ever.
    pub preferred: Option<Duration>,
    /// For how long it may be used at all; `None` for ever.
    pub valid: Option<Duration>,
}

/// A prefix that a DHCPv6 server delegated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Dhcpv6Prefix {
    /// The prefix.
    pub prefix: Ipv6Cidr,
    /// For how long new connections may use it, from when it was given or renewed; `None` for ever.
    pub preferred: Option<Duration>,
    /// For how long it may be used at all; `None` for ever.
    pub valid: Option<Duration>,
}

impl Dhcpv6Lease {
    pub(super) fn new(server: &Duid, bindings: &Bindings, information: &Information) -> Self {
        let addresses = bindings.addresses.iter().map(|held| Dhcpv6Address {
            address: held.what,
            preferred: held.preferred,
            valid: held.valid,
        });
        let prefixes = bindings.prefixes.iter().map(|held| Dhcpv6Prefix {
            prefix: held.what,
            preferred: held.preferred,
            valid: held.valid,
        });
        Self {
            server: server.clone(),
            addresses: addresses.collect(),
            prefixes: prefixes.collect(),
            dns_servers: information.dns_servers.clone(),
            domains: information.domains.clone(),
        }
    }
}

/// What goes with addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Information {
    dns_servers: Vec<Ipv6Addr, DNS_MAX_SERVER_COUNT>,
    domains: DomainList,
}

impl Information {
    pub(super) fn from_reply(options: &Dhcpv6Options<'_>) -> Self {
        let mut domains = DomainList::new();
        for domain in options.domains() {
            if let Ok(domain) = Name::try_from(domain)
                && !domain.as_name().is_root()
            {
                domains.push(&domain);
            }
        }
        let servers = options.dns_servers();
        let servers = servers.filter(|&server| IpAddress::Ipv6(server).is_unicast());
        Self {
            dns_servers: servers.take(DNS_MAX_SERVER_COUNT).collect(),
            domains,
        }
    }
}

/// The leases that the client has.
#[derive(Clone, Debug)]
pub(super) struct Bindings {
    pub(super) addresses: Vec<Held<Ipv6Addr>, ADDRESSES>,
    pub(super) prefixes: Vec<Held<Ipv6Cidr>, PREFIXES>,
    /// T1.
    pub(super) renew: Instant,
    /// T2.
    pub(super) rebind: Instant,
}

/// An address or a prefix, and its times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held<T> {
    pub(super) what: T,
    pub(super) is_deprecated: bool,
    preferred: Option<Duration>,
    valid: Option<Duration>,
    since: Instant,
}

/// What an answer says of the leases that were asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Some were given, or given anew.
    pub(super) granted: bool,
    /// Some association is unknown to the server.
    pub(super) no_binding: bool,
    /// Some address is not good on this link.
    pub(super) not_on_link: bool,
}

impl Bindings {
    pub(super) const fn new() -> Self {
        Self {
            addresses: Vec::new(),
            prefixes: Vec::new(),
            renew: Instant::FAR_FUTURE,
            rebind: Instant::FAR_FUTURE,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.prefixes.is_empty()
    }

    /// False if it was not there.
    pub(super) fn remove_address(&mut self, address: Ipv6Addr) -> bool {
        let before = self.addresses.len();
        self.addresses.retain(|held| held.what != address);
        self.addresses.len() < before
    }

    /// Takes what an answer gives (section 18.2.10.1): "Leave unchanged any information about leases the client
    /// has recorded in the IA but that were not included in the IA from the server."
    pub(super) fn take(
        &mut self,
        now: Instant,
        options: &Dhcpv6Options<'_>,
        iaid: u32,
        config: &Dhcpv6Config,
    ) -> Verdict {
        let mut verdict = Verdict::default();
        let mut times = None;
        for code in [option::IA_NA, option::IA_PD] {
            if code == option::IA_PD && !config.prefix_delegation {
                continue;
            }
            let Some(ia) = options.associations(code).find(|ia| ia.iaid == iaid) else {
                continue;
            };
            match ia.options.status() {
                Dhcpv6Status::Success => {}
                status => {
                    verdict.no_binding |= status == Dhcpv6Status::NoBinding;
                    verdict.not_on_link |= status == Dhcpv6Status::NotOnLink;
                    continue;
                }
            }
            // Section 21.4: "If a client receives an IA_NA with T1 greater than T2 and both T1 and T2 are
            // greater than 0, the client discards the IA_NA option".
            if ia.t1 > ia.t2 && ia.t2 > 0 {
                continue;
            }
            let longest = config.longest_lifetime();
            let mut shortest = Shortest::default();
            if code == option::IA_NA {
                for grant in ia.options.addresses().filter(|grant| is_host(grant.what)) {
                    shortest.add(update(&mut self.addresses, now, &grant, longest));
                }
            } else {
                for grant in ia.options.prefixes() {
                    shortest.add(update(&mut self.prefixes, now, &grant, longest));
                }
            }
            if shortest.is_there {
                verdict.granted = true;
                let (t1, t2) = renewal_times((ia.t1, ia.t2), &shortest);
                let (t1_before, t2_before) = times.unwrap_or((Duration::MAX, Duration::MAX));
                // Section 18.2.4: the client asks for all at once, when the first is due.
                times = Some((t1.min(t1_before), t2.min(t2_before)));
            }
        }
        if let Some((t1, t2)) = times {
            (self.renew, self.rebind) = (now + t1, now + t2);
        }
        verdict
    }

    /// Forgets what is over. True if something is, or is deprecated from now on.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let addresses = expire(&mut self.addresses, now);
        let prefixes = expire(&mut self.prefixes, now);
        addresses || prefixes
    }

    /// When [`Self::expire`] has something to do.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let addresses = self.addresses.iter().map(Held::next_deadline);
        let prefixes = self.prefixes.iter().map(Held::next_deadline);
        addresses.chain(prefixes).min()
    }
}

impl<T> Held<T> {
    fn next_deadline(&self) -> Instant {
        match self.is_deprecated {
            true => self.ends(self.valid),
            false => self.ends(self.preferred).min(self.ends(self.valid)),
        }
    }

    fn ends(&self, lifetime: Option<Duration>) -> Instant {
        self.since + lifetime.unwrap_or(Duration::MAX)
    }
}

fn expire<T, const N: usize>(held: &mut Vec<Held<T>, N>, now: Instant) -> bool {
    let before = held.len();
    held.retain(|held| held.ends(held.valid) > now);
    let mut changed = held.len() < before;
    for held in held {
        if !held.is_deprecated && held.ends(held.preferred) <= now {
            held.is_deprecated = true;
            changed = true;
        }
    }
    changed
}

/// Takes one address or prefix. Returns its lifetimes if it may be used.
fn update<T: Copy + PartialEq, const N: usize>(
    all: &mut Vec<Held<T>, N>,
    now: Instant,
    grant: &Dhcpv6Grant<'_, T>,
    longest: Option<Duration>,
) -> Option<(Duration, Duration)> {
    // Section 21.6: "The client MUST discard any addresses for which the preferred lifetime is greater than the
    // valid lifetime."
    if grant.preferred > grant.valid || grant.options.status() != Dhcpv6Status::Success {
        return None;
    }
    if grant.valid == 0 {
        // Section 18.2.10.1: "Discard any leases from the IA [...] that have a valid lifetime of 0".
        all.retain(|held| held.what != grant.what);
        return None;
    }
    let lifetime = |seconds| lifetime(seconds).into_iter().chain(longest).min();
    let new = Held {
        what: grant.what,
        is_deprecated: grant.preferred == 0,
        preferred: lifetime(grant.preferred),
        valid: lifetime(grant.valid),
        since: now,
    };
    match all.iter_mut().find(|held| held.what == grant.what) {
        Some(held) => *held = new,
        None => all.push(new).ok()?,
    }
    Some((
        new.preferred.unwrap_or(Duration::MAX),
        new.valid.unwrap_or(Duration::MAX),
    ))
}

/// The shortest lifetimes of an association.
#[derive(Clone, Copy, Debug)]
struct Shortest {
    is_there: bool,
    preferred: Duration,
    valid: Duration,
}

impl Default for Shortest {
    fn default() -> Self {
        Self {
            is_there: false,
            preferred: Duration::MAX,
            valid: Duration::MAX,
        }
    }
}

impl Shortest {
    fn add(&mut self, lifetimes: Option<(Duration, Duration)>) {
        let Some((preferred, valid)) = lifetimes else {
            return;
        };
        self.is_there = true;
        // What is deprecated already says nothing of when to ask.
        let preferred = if preferred.is_zero() {
            valid
        } else {
            preferred
        };
        self.preferred = self.preferred.min(preferred);
        self.valid = self.valid.min(valid);
    }
}

/// T1 and T2. A server's are taken if both come before the end; where it leaves one to the client (0), it is
/// what servers are told to choose (section 21.4): "0.5 and 0.8 times the shortest preferred lifetime".
fn renewal_times((t1, t2): (u32, u32), shortest: &Shortest) -> (Duration, Duration) {
    let preferred = shortest.preferred;
    let default = match preferred == Duration::MAX {
        true => (Duration::MAX, Duration::MAX),
        false => (
            preferred.divided_by(2),
            preferred.divided_by(5).saturating_mul(4),
        ),
    };
    let told = |seconds| lifetime(seconds).unwrap_or(Duration::MAX);
    let (t1, t2) = match (t1, t2) {
        (0, 0) => default,
        (0, t2) => (default.0.min(told(t2)), told(t2)),
        (t1, 0) => (told(t1), default.1.max(told(t1))),
        (t1, t2) => (told(t1), told(t2)),
    };
    let is_in_time = t2 < shortest.valid || shortest.valid == Duration::MAX;
    let (t1, t2) = if is_in_time { (t1, t2) } else { default };
    (t1.max(LEAST), t2.max(LEAST))
}

/// `None` for ever (section 7.7).
fn lifetime(seconds: u32) -> Option<Duration> {
    (seconds != INFINITY).then(|| Duration::from_secs(seconds.into()))
}

/// Whether a server may give the address to a host.
fn is_host(address: Ipv6Addr) -> bool {
    let is_link_local = address.is_unicast_link_local();
    IpAddress::Ipv6(address).is_unicast() && !address.is_loopback() && !is_link_local
}

/// Servers are not asked more often than this, whatever they say.
const LEAST: Duration = Duration::from_millis(500);
