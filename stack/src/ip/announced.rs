//! Where to ask for names, and the domains to look for them in, as routers tell (RFC 8106).
//!
//! `engine` tells what it hears, and asks when a name is looked for.

use core::net::Ipv6Addr;

use cygnet_config::DNS_MAX_SERVER_COUNT;

use crate::time::Instant;
use crate::wire::dns::{DnsName, DomainList, Name};

/// Name servers and domains, each with its end.
#[derive(Clone, Debug, Default)]
pub(crate) struct AnnouncedNames {
    servers: heapless::Vec<Server, DNS_MAX_SERVER_COUNT>,
    domains: DomainList,
    /// The ends of the domains, in their order.
    domain_ends: heapless::Vec<Instant, MAX_DOMAINS>,
}

#[derive(Clone, Copy, Debug)]
struct Server {
    address: Ipv6Addr,
    expires: Instant,
}

impl AnnouncedNames {
    /// Servers that may be asked until then, which a lifetime of zero ends at once. True if they change.
    pub(crate) fn hear_servers(
        &mut self,
        now: Instant,
        servers: impl Iterator<Item = Ipv6Addr>,
        expires: Instant,
    ) -> bool {
        let mut changed = false;
        for address in servers.filter(is_server) {
            changed |= self.hear_server(now, Server { address, expires });
        }
        changed
    }

    /// Domains in which names may be looked for until then. True if they change.
    pub(crate) fn hear_domains<'a>(
        &mut self,
        now: Instant,
        domains: impl Iterator<Item = DnsName<'a>>,
        expires: Instant,
    ) -> bool {
        let mut changed = false;
        for domain in domains {
            changed |= self.hear_domain(now, domain, expires);
        }
        self.on_timeout(now) || changed
    }

    /// The servers, the one known for longest first.
    pub(crate) fn servers(&self) -> impl Iterator<Item = Ipv6Addr> {
        self.servers.iter().map(|server| server.address)
    }

    /// The `nth` domain.
    pub(crate) fn domain(&self, nth: usize) -> Option<Name> {
        Name::try_from(self.domains.iter().nth(nth)?).ok()
    }

    /// Forgets what is over. True if that was anything.
    pub(crate) fn on_timeout(&mut self, now: Instant) -> bool {
        let servers = self.servers.len();
        self.servers.retain(|server| now < server.expires);
        let changed = self.servers.len() != servers;
        if self.domain_ends.iter().all(|&end| now < end) {
            return changed;
        }
        let (old, ends) = (
            core::mem::take(&mut self.domains),
            core::mem::take(&mut self.domain_ends),
        );
        for (domain, end) in old.iter().zip(ends).filter(|&(_, end)| now < end) {
            self.add_domain(domain, end);
        }
        true
    }

    /// When something is over.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        let servers = self.servers.iter().map(|server| server.expires);
        servers.chain(self.domain_ends.iter().copied()).min()
    }

    /// Section 6.1: "In the case where the DNS Repository is full of RDNSS addresses, the oldest RDNSS address
    /// [...] or the one that expires first" makes room, unless the new one ends before.
    fn hear_server(&mut self, now: Instant, server: Server) -> bool {
        let is_same = |known: &Server| known.address == server.address;
        let known = self.servers.iter().position(is_same);
        if server.expires <= now {
            if let Some(index) = known {
                self.servers.remove(index);
            }
            return known.is_some();
        }
        if let Some(known) = known.and_then(|index| self.servers.get_mut(index)) {
            known.expires = server.expires;
            return false;
        }
        if self.servers.is_full() {
            let first = (self.servers.iter().enumerate()).min_by_key(|(_, known)| known.expires);
            match first.filter(|(_, first)| first.expires < server.expires) {
                Some((index, _)) => {
                    self.servers.remove(index);
                }
                None => return false,
            }
        }
        self.servers.push(server).is_ok()
    }

    fn hear_domain(&mut self, now: Instant, domain: DnsName<'_>, expires: Instant) -> bool {
        let known = self.domains.iter().position(|known| known == domain);
        match known.and_then(|index| self.domain_ends.get_mut(index)) {
            Some(end) => {
                *end = expires;
                false
            }
            None => now < expires && self.add_domain(domain, expires),
        }
    }

    /// False if there is no room.
    fn add_domain(&mut self, domain: DnsName<'_>, expires: Instant) -> bool {
        let Ok(name) = Name::try_from(domain) else {
            return false;
        };
        !self.domain_ends.is_full()
            && self.domains.push(&name)
            && self.domain_ends.push(expires).is_ok()
    }
}

/// Whether a host may have that address, and packets can go there.
fn is_server(address: &Ipv6Addr) -> bool {
    !address.is_unspecified() && !address.is_multicast() && !address.is_loopback()
}

/// Most hosts look in six at most, whatever they are told.
const MAX_DOMAINS: usize = 6;

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::{String, ToString};
    use std::vec::Vec;

    use super::*;
    use crate::time::Duration;

    const START: Instant = Instant::from_secs(100);

    fn at(secs: u64) -> Instant {
        START + Duration::from_secs(secs)
    }

    fn server(n: u16) -> Ipv6Addr {
        Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n)
    }

    fn hear(names: &mut AnnouncedNames, servers: &[u16], expires: u64) -> bool {
        let servers = servers.iter().map(|&n| server(n));
        names.hear_servers(START, servers, at(expires))
    }

    fn hear_domain(names: &mut AnnouncedNames, domain: &str, expires: u64) -> bool {
        let name = Name::from_text(domain).unwrap();
        names.hear_domains(START, [name.as_name()].into_iter(), at(expires))
    }

    fn domains(names: &AnnouncedNames) -> Vec<String> {
        names
            .domains
            .iter()
            .map(|domain| domain.to_string())
            .collect()
    }

    #[test]
    fn rfc8106_servers_are_asked_for_their_lifetime() {
        let mut names = AnnouncedNames::default();
        assert!(hear(&mut names, &[1, 2], 60));
        assert!(!hear(&mut names, &[2], 90));
        assert!(names.servers().eq([server(1), server(2)]));
        assert_eq!(names.next_deadline(), Some(at(60)));
        assert!(!names.on_timeout(at(59)) && names.on_timeout(at(60)));
        assert!(names.servers().eq([server(2)]));
        assert!(hear(&mut names, &[2], 0) && !hear(&mut names, &[3], 0));
        assert_eq!(names.next_deadline(), None);
    }

    #[test]
    fn rfc8106_the_one_that_ends_first_makes_room() {
        let mut names = AnnouncedNames::default();
        for n in 0..DNS_MAX_SERVER_COUNT as u16 {
            hear(&mut names, &[n], 60 + u64::from(n));
        }
        assert!(!hear(&mut names, &[100], 60));
        assert!(hear(&mut names, &[100], 61));
        assert!(!names.servers().any(|known| known == server(0)));
        assert_eq!(names.servers().count(), DNS_MAX_SERVER_COUNT);
    }

    #[test]
    fn nobody_is_asked_who_is_no_host() {
        let mut names = AnnouncedNames::default();
        let nobody = ["::", "::1", "ff02::1"].map(|text| text.parse().unwrap());
        assert!(!names.hear_servers(START, nobody.into_iter(), at(60)));
    }

    #[test]
    fn rfc8106_domains_come_and_go() {
        let mut names = AnnouncedNames::default();
        assert!(hear_domain(&mut names, "one.example", 60));
        assert!(hear_domain(&mut names, "two.example", 90));
        assert!(!hear_domain(&mut names, "ONE.example", 60));
        assert_eq!(
            names.domain(1).unwrap().as_name().to_string(),
            "two.example"
        );
        assert!(names.on_timeout(at(60)));
        assert_eq!(domains(&names), ["two.example"]);
        assert!(hear_domain(&mut names, "two.example", 0));
        assert_eq!(domains(&names), [] as [String; 0]);
        assert!(!hear_domain(&mut names, "two.example", 0), "no news");
    }

    #[test]
    fn a_flood_of_domains_finds_no_room() {
        let mut names = AnnouncedNames::default();
        let taken = (0..100).filter(|n| hear_domain(&mut names, &std::format!("d{n}.example"), 60));
        assert!(taken.count() <= MAX_DOMAINS);
        assert_eq!(names.domain_ends.len(), names.domains.iter().count());
    }
}
