//! What a server gives: an address, for how long, and what goes with it.

use core::net::Ipv4Addr;

use cygnet_config::{DNS_MAX_SERVER_COUNT, IFACE_MAX_ROUTE_COUNT};
use heapless::Vec;

use crate::time::Duration;
use crate::wire::dhcpv4::option;
use crate::wire::dns::{DnsName, DomainList, Name};
use crate::wire::{DhcpMessage, Ipv4Cidr};

/// A lease: what a DHCP server gave, as far as the stack has use for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct DhcpLease {
    /// The address, with the prefix of its subnet.
    pub address: Ipv4Cidr,
    /// The server.
    pub server: Ipv4Addr,
    /// Where packets beyond the subnet go. Not used if there are `routes` (RFC 3442).
    pub gateway: Option<Ipv4Addr>,
    /// Classless static routes: destinations and their routers, `None` for those on the link.
    pub routes: Vec<(Ipv4Cidr, Option<Ipv4Addr>), IFACE_MAX_ROUTE_COUNT>,
    /// The DNS servers, the preferred one first.
    pub dns_servers: Vec<Ipv4Addr, DNS_MAX_SERVER_COUNT>,
    /// The domains that names of one label are looked for in.
    pub domains: DomainList,
    /// The time servers, the preferred one first.
    pub ntp_servers: Vec<Ipv4Addr, NTP_SERVERS>,
    /// The longest packet in bytes, if the server says.
    pub mtu: Option<u16>,
    /// How long the address may be used from when it was asked for; `None` for ever.
    pub duration: Option<Duration>,
    /// When the client begins to ask the server for more time, from when it asked for the address.
    pub renewal: Duration,
    /// When it begins to ask every server.
    pub rebinding: Duration,
}

impl DhcpLease {
    /// What an acknowledgment gives; `None` if it lacks what there can be no lease without.
    pub(crate) fn from_ack(ack: &DhcpMessage<'_>, longest: Option<Duration>) -> Option<Self> {
        let options = &ack.options;
        let duration = match options.u32(option::LEASE_TIME)? {
            0 => return None,
            u32::MAX => None,
            seconds => Some(Duration::from_secs(seconds.into())),
        };
        let duration = duration.into_iter().chain(longest).min();
        let (renewal, rebinding) = renewal_times(ack, duration);
        if !is_host(&ack.yiaddr) {
            return None;
        }
        let routes = options
            .classless_routes()
            .map(|(to, router)| (to, Some(router).filter(|router| !router.is_unspecified())))
            .filter(|(_, router)| router.as_ref().is_none_or(is_host));
        let prefix_len = options.prefix_len().unwrap_or_else(|| classful(ack.yiaddr));
        Some(Self {
            address: Ipv4Cidr::new(ack.yiaddr, prefix_len),
            server: options.address(option::SERVER_ID)?,
            gateway: options.addresses(option::ROUTER).find(is_host),
            routes: take(routes),
            dns_servers: take(options.addresses(option::DNS_SERVERS).filter(is_host)),
            domains: domains(ack),
            ntp_servers: take(options.addresses(option::NTP_SERVERS).filter(is_host)),
            mtu: options
                .u16(option::INTERFACE_MTU)
                .filter(|&mtu| mtu >= MIN_MTU),
            duration,
            renewal,
            rebinding,
        })
    }
}

/// T1 and T2. A server's are taken if they come in order before the end; else the defaults of RFC 2131
/// section 4.4.5: a half and seven eighths of the lease.
fn renewal_times(ack: &DhcpMessage<'_>, duration: Option<Duration>) -> (Duration, Duration) {
    let Some(duration) = duration else {
        return (Duration::MAX, Duration::MAX);
    };
    let told = |code| {
        let seconds = ack.options.u32(code)?;
        Some(Duration::from_secs(seconds.into()))
    };
    let default = (
        duration.divided_by(2),
        duration.saturating_sub(duration.divided_by(8)),
    );
    let t1 = told(option::RENEWAL_TIME).unwrap_or(default.0);
    let t2 = told(option::REBINDING_TIME).unwrap_or(default.1);
    if Duration::ZERO < t1 && t1 < t2 && t2 < duration {
        (t1, t2)
    } else {
        default
    }
}

/// RFC 3397's search list, or else the one domain of RFC 2132.
fn domains(ack: &DhcpMessage<'_>) -> DomainList {
    let mut found = DomainList::new();
    let list: Vec<u8, LONGEST_LIST> = take(ack.options.bytes(option::DOMAIN_SEARCH));
    let mut at = 0;
    while let Ok((name, next)) = DnsName::parse(&list, at) {
        if let Ok(name) = Name::try_from(name)
            && !name.as_name().is_root()
        {
            found.push(&name);
        }
        at = next;
    }
    if !found.is_empty() {
        return found;
    }
    let domain = ack.options.first(option::DOMAIN_NAME).unwrap_or_default();
    // Some servers end it with a zero, as in C.
    let domain = domain.strip_suffix(&[0]).unwrap_or(domain);
    if let Ok(name) = Name::from_ascii(domain)
        && !name.as_name().is_root()
    {
        found.push(&name);
    }
    found
}

/// Whether a host can have the address: it is not in 0.0.0.0/8 or 127.0.0.0/8, no group's and not reserved.
fn is_host(address: &Ipv4Addr) -> bool {
    let first = address.octets()[0];
    first != 0 && first < 224 && !address.is_loopback()
}

/// As many as there is room for.
fn take<T, const N: usize>(items: impl Iterator<Item = T>) -> Vec<T, N> {
    items.take(N).collect()
}

/// The prefix of a network whose server does not say, by the classes of old (RFC 791 section 2.3).
fn classful(address: Ipv4Addr) -> u8 {
    match address.octets()[0] {
        0..=127 => 8,
        128..=191 => 16,
        _ => 24,
    }
}

/// The time servers that are kept.
const NTP_SERVERS: usize = 2;

/// RFC 2132 section 5.1: "The minimum legal value for the MTU is 68."
const MIN_MTU: u16 = 68;

/// As much of a search list as is looked at.
const LONGEST_LIST: usize = 255;
