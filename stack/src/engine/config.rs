//! What a stack is told when it is created, and may be told anew.

use core::net::Ipv4Addr;
#[cfg(feature = "proto-ipv6")]
use core::net::Ipv6Addr;

use cygnet_config::DNS_MAX_SERVER_COUNT;
use heapless::Vec;

#[cfg(feature = "socket-dhcpv4")]
use crate::dhcp::DhcpConfig;
#[cfg(feature = "socket-dhcpv6")]
use crate::dhcp::Dhcpv6Config;
#[cfg(feature = "proto-ipv6")]
pub use crate::ip::InterfaceIdentifiers;
#[cfg(feature = "ipv4-link-local")]
use crate::ip::LinkLocalConfig;
#[cfg(feature = "proto-ipv6")]
use crate::ip::{DEFAULT_POLICY_TABLE, PolicyTableEntry};
pub use crate::link::DefensePolicy;
#[cfg(feature = "socket-tcp")]
use crate::tcp::{CongestionControl, MinRto};
use crate::time::Duration;
use crate::wire::Ipv4Cidr;
#[cfg(feature = "proto-ipv6")]
use crate::wire::Ipv6Cidr;
#[cfg(any(feature = "socket-dns", feature = "socket-dhcpv4"))]
use crate::wire::dns::{DomainList, Name};

/// How the stack's interface is set up.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Config {
    /// Where the IPv4 address comes from.
    pub ipv4: ConfigV4,
    /// Where the IPv6 addresses come from.
    #[cfg(feature = "proto-ipv6")]
    pub ipv6: ConfigV6,
    /// How the addresses are told from others' that the stack makes for itself, such as the link-local one.
    #[cfg(feature = "proto-ipv6")]
    pub interface_identifiers: InterfaceIdentifiers,
    /// How often others on an Ethernet are asked whether they have an IPv6 address, before it is used
    /// (DupAddrDetectTransmits, RFC 4862, section 5.1): once by default, which takes between one and two
    /// seconds. 0 uses it at once.
    #[cfg(feature = "proto-ipv6")]
    pub duplicate_address_probes: u8,
    /// Whether the addresses that the stack makes for itself are used while others are asked whether they have them
    /// (RFC 4429). Off by default. They are then there a second or two earlier, and whoever has one of them may for
    /// that time get an answer that was meant for this host.
    #[cfg(feature = "proto-ipv6")]
    pub optimistic_addresses: bool,
    /// Which of several addresses packets come from, and which of a host's is tried first, where the other rules of
    /// RFC 6724 leave the choice: the default table of section 2.1, or one of your own.
    #[cfg(feature = "proto-ipv6")]
    pub policy_table: &'static [PolicyTableEntry],
    /// What is done to find out whether somebody else has an IPv4 address.
    pub address_policy: AddressPolicy,
    /// What is done when another host uses one of our IPv4 addresses.
    pub defense: DefensePolicy,
    /// The interface is tied to itself: packets from our own addresses may come in. Set it for a
    /// loopback link, and only there.
    pub loopback: bool,
    /// The maximum segment lifetime (RFC 9293, section 3.4.2): connections are remembered for twice as
    /// long. 30 s by default, like everybody; the RFC's 2 minutes are from slower times. Half an hour counts at most.
    pub max_segment_lifetime: Duration,
    /// Whether TCP connections let routers report congestion (RFC 3168). Without the feature `tcp-ecn` they
    /// never do.
    pub ecn: EcnPolicy,
    /// How new TCP sockets find out how much a path carries; each can be told otherwise. CUBIC where it is
    /// compiled in, else NewReno.
    #[cfg(feature = "socket-tcp")]
    pub congestion_control: CongestionControl,
    /// How long new TCP sockets wait at least before they take all that is unacknowledged for lost
    /// (RFC 6298, section 2.4), between a millisecond and a minute; each can be told otherwise
    /// ([`TcpSocket::set_min_rto`](crate::TcpSocket::set_min_rto)). 200 ms by default, as in Linux.
    #[cfg(feature = "socket-tcp")]
    pub min_rto: Duration,
}

/// Where the IPv4 configuration comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
// A configuration lies about once in a program.
#[allow(clippy::large_enum_variant)]
pub enum ConfigV4 {
    /// There is none.
    #[default]
    None,
    /// It is fixed.
    Static(StaticConfigV4),
    /// A DHCP server gives it. Needs an Ethernet link; on others nothing happens.
    #[cfg(feature = "socket-dhcpv4")]
    Dhcp(DhcpConfig),
    /// Nobody gives it: it is one of 169.254/16, good on its link alone. Needs an Ethernet link.
    #[cfg(feature = "ipv4-link-local")]
    LinkLocal(LinkLocalConfig),
    /// A DHCP server gives it, and until it does, it is a link-local one
    /// ([`LinkLocalConfig::fallback`]). Servers are looked for all the time. Connections from the link-local
    /// address live on beside the lease for ten minutes, if there is room for two addresses.
    #[cfg(all(feature = "socket-dhcpv4", feature = "ipv4-link-local"))]
    DhcpOrLinkLocal(DhcpConfig, LinkLocalConfig),
}

/// Where the IPv6 configuration comes from.
#[cfg(feature = "proto-ipv6")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
// A configuration lies about once in a program.
#[allow(clippy::large_enum_variant)]
pub enum ConfigV6 {
    /// There is none: no packet of IPv6 comes in or goes out.
    #[default]
    None,
    /// The stack makes itself a link-local address, and has no other (RFC 4862, section 5.3).
    LinkLocal,
    /// A link-local address, and one that is fixed.
    Static(StaticConfigV6),
    /// A link-local address, and what a DHCP server gives. Its addresses come without a subnet or routes,
    /// which routers advertise ([`Stack::add_route`](crate::Stack::add_route) where there are none).
    #[cfg(feature = "socket-dhcpv6")]
    Dhcp(Dhcpv6Config),
    /// A link-local address, and those that the stack makes from what routers advertise (RFC 4862). Fixed ones
    /// can be had beside ([`Stack::add_address`](crate::Stack::add_address)). Needs an Ethernet link; on others
    /// no router is heard.
    #[cfg(feature = "slaac")]
    Slaac(SlaacConfig),
}

/// How a host configures itself by what routers advertise.
#[cfg(feature = "slaac")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct SlaacConfig {
    /// Whether each prefix also gives a temporary address (RFC 8981), from which connections to others go out:
    /// random, and another each day, so that nobody can tell the host by it for long. Off by default. Old ones
    /// stay for another day: up to four addresses for each prefix, beside the link-local one
    /// (`IFACE_MAX_ADDR_COUNT`).
    pub temporary_addresses: bool,
}

#[cfg(feature = "slaac")]
impl SlaacConfig {
    /// Without temporary addresses.
    pub const fn new() -> Self {
        Self {
            temporary_addresses: false,
        }
    }
}

#[cfg(feature = "slaac")]
impl From<SlaacConfig> for ConfigV6 {
    fn from(config: SlaacConfig) -> Self {
        Self::Slaac(config)
    }
}

#[cfg(feature = "proto-ipv6")]
impl From<Option<StaticConfigV6>> for ConfigV6 {
    fn from(config: Option<StaticConfigV6>) -> Self {
        config.map_or(Self::None, Self::Static)
    }
}

#[cfg(feature = "proto-ipv6")]
impl From<StaticConfigV6> for ConfigV6 {
    fn from(config: StaticConfigV6) -> Self {
        Self::Static(config)
    }
}

#[cfg(feature = "socket-dhcpv6")]
impl From<Dhcpv6Config> for ConfigV6 {
    fn from(config: Dhcpv6Config) -> Self {
        Self::Dhcp(config)
    }
}

impl From<Option<StaticConfigV4>> for ConfigV4 {
    fn from(config: Option<StaticConfigV4>) -> Self {
        config.map_or(Self::None, Self::Static)
    }
}

impl From<StaticConfigV4> for ConfigV4 {
    fn from(config: StaticConfigV4) -> Self {
        Self::Static(config)
    }
}

#[cfg(feature = "socket-dhcpv4")]
impl From<DhcpConfig> for ConfigV4 {
    fn from(config: DhcpConfig) -> Self {
        Self::Dhcp(config)
    }
}

#[cfg(feature = "ipv4-link-local")]
impl From<LinkLocalConfig> for ConfigV4 {
    fn from(config: LinkLocalConfig) -> Self {
        Self::LinkLocal(config)
    }
}

impl Config {
    /// No addresses yet.
    pub const fn new() -> Self {
        Self::with(ConfigV4::None, NO_IPV6)
    }

    /// A fixed IPv4 address.
    pub const fn ipv4_static(ipv4: StaticConfigV4) -> Self {
        Self::with(ConfigV4::Static(ipv4), NO_IPV6)
    }

    /// An IPv4 address from a DHCP server.
    #[cfg(feature = "socket-dhcpv4")]
    pub const fn dhcpv4(dhcp: DhcpConfig) -> Self {
        Self::with(ConfigV4::Dhcp(dhcp), NO_IPV6)
    }

    /// A fixed IPv6 address, and a link-local one.
    #[cfg(feature = "proto-ipv6")]
    pub const fn ipv6_static(ipv6: StaticConfigV6) -> Self {
        Self::with(ConfigV4::None, ConfigV6::Static(ipv6))
    }

    /// IPv6 addresses from what routers advertise.
    #[cfg(feature = "slaac")]
    pub const fn slaac(slaac: SlaacConfig) -> Self {
        Self::with(ConfigV4::None, ConfigV6::Slaac(slaac))
    }

    /// A link-local IPv6 address.
    #[cfg(feature = "proto-ipv6")]
    pub const fn ipv6_link_local() -> Self {
        Self::with(ConfigV4::None, ConfigV6::LinkLocal)
    }

    /// IPv6 addresses from a DHCP server, or information alone; and a link-local address.
    #[cfg(feature = "socket-dhcpv6")]
    pub const fn dhcpv6(dhcp: Dhcpv6Config) -> Self {
        Self::with(ConfigV4::None, ConfigV6::Dhcp(dhcp))
    }

    /// An IPv4 address from a DHCP server, or else a link-local one after ten seconds.
    #[cfg(all(feature = "socket-dhcpv4", feature = "ipv4-link-local"))]
    pub const fn dhcpv4_or_link_local(dhcp: DhcpConfig) -> Self {
        Self::with(
            ConfigV4::DhcpOrLinkLocal(dhcp, LinkLocalConfig::fallback()),
            NO_IPV6,
        )
    }

    /// An IPv4 link-local address.
    #[cfg(feature = "ipv4-link-local")]
    pub const fn ipv4_link_local(link_local: LinkLocalConfig) -> Self {
        Self::with(ConfigV4::LinkLocal(link_local), NO_IPV6)
    }

    /// An interface that is tied to itself, with the address 127.0.0.1/8, and ::1 where IPv6 is compiled in.
    pub const fn loopback() -> Self {
        let ipv4 = StaticConfigV4::new(Ipv4Cidr::new(Ipv4Addr::LOCALHOST, 8));
        let mut config = Self::with(ConfigV4::Static(ipv4), LOOPBACK_IPV6);
        config.loopback = true;
        config
    }

    const fn with(ipv4: ConfigV4, ipv6: Ipv6) -> Self {
        #[cfg(not(feature = "proto-ipv6"))]
        let () = ipv6;
        Self {
            ipv4,
            #[cfg(feature = "proto-ipv6")]
            ipv6,
            #[cfg(feature = "proto-ipv6")]
            interface_identifiers: InterfaceIdentifiers::Opaque { secret: None },
            #[cfg(feature = "proto-ipv6")]
            duplicate_address_probes: 1,
            #[cfg(feature = "proto-ipv6")]
            optimistic_addresses: false,
            #[cfg(feature = "proto-ipv6")]
            policy_table: DEFAULT_POLICY_TABLE,
            address_policy: AddressPolicy::Announce,
            defense: DefensePolicy::NeverGiveUp,
            loopback: false,
            max_segment_lifetime: Duration::from_secs(30),
            ecn: EcnPolicy::Accept,
            #[cfg(feature = "socket-tcp")]
            congestion_control: CongestionControl::DEFAULT,
            #[cfg(feature = "socket-tcp")]
            min_rto: MinRto::DEFAULT,
        }
    }
}

/// [`Config::ipv6`], if it is there.
#[cfg(feature = "proto-ipv6")]
type Ipv6 = ConfigV6;
#[cfg(not(feature = "proto-ipv6"))]
type Ipv6 = ();

#[cfg(feature = "proto-ipv6")]
const NO_IPV6: Ipv6 = ConfigV6::None;
#[cfg(not(feature = "proto-ipv6"))]
const NO_IPV6: Ipv6 = ();

#[cfg(feature = "proto-ipv6")]
const LOOPBACK_IPV6: Ipv6 =
    ConfigV6::Static(StaticConfigV6::new(Ipv6Cidr::new(Ipv6Addr::LOCALHOST, 128)));
#[cfg(not(feature = "proto-ipv6"))]
const LOOPBACK_IPV6: Ipv6 = ();

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// A fixed IPv4 configuration, or the one in use wherever it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StaticConfigV4 {
    /// The address and the prefix of its subnet.
    pub address: Ipv4Cidr,
    /// Where packets beyond the subnet go.
    pub gateway: Option<Ipv4Addr>,
    /// The DNS servers, the preferred one first.
    pub dns_servers: Vec<Ipv4Addr, DNS_MAX_SERVER_COUNT>,
    /// The domains that names of one label are looked for in.
    #[cfg(any(feature = "socket-dns", feature = "socket-dhcpv4"))]
    pub domains: DomainList,
}

impl StaticConfigV4 {
    /// An address without a gateway.
    pub const fn new(address: Ipv4Cidr) -> Self {
        Self {
            address,
            gateway: None,
            dns_servers: Vec::new(),
            #[cfg(any(feature = "socket-dns", feature = "socket-dhcpv4"))]
            domains: DomainList::new(),
        }
    }

    /// The same with a gateway.
    #[must_use]
    pub const fn with_gateway(mut self, gateway: Ipv4Addr) -> Self {
        self.gateway = Some(gateway);
        self
    }

    /// The same with one more DNS server. Those beyond `DNS_MAX_SERVER_COUNT` are left out.
    #[must_use]
    pub fn with_dns_server(mut self, server: Ipv4Addr) -> Self {
        let _ = self.dns_servers.push(server);
        self
    }

    /// The same with one more domain that names of one label are looked for in. Those that do not fit
    /// `DNS_SEARCH_SIZE` are left out.
    #[cfg(any(feature = "socket-dns", feature = "socket-dhcpv4"))]
    #[must_use]
    pub fn with_domain(mut self, domain: &Name) -> Self {
        self.domains.push(domain);
        self
    }
}

/// A fixed IPv6 configuration, or the one in use wherever it came from.
#[cfg(feature = "proto-ipv6")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct StaticConfigV6 {
    /// The address and the prefix of its subnet.
    pub address: Ipv6Cidr,
    /// Where packets beyond the subnet go.
    pub gateway: Option<Ipv6Addr>,
    /// The DNS servers, the preferred one first. They are asked before those of the IPv4 configuration.
    pub dns_servers: Vec<Ipv6Addr, DNS_MAX_SERVER_COUNT>,
}

#[cfg(feature = "proto-ipv6")]
impl StaticConfigV6 {
    /// An address without a gateway.
    pub const fn new(address: Ipv6Cidr) -> Self {
        Self {
            address,
            gateway: None,
            dns_servers: Vec::new(),
        }
    }

    /// The same with a gateway.
    #[must_use]
    pub const fn with_gateway(mut self, gateway: Ipv6Addr) -> Self {
        self.gateway = Some(gateway);
        self
    }

    /// The same with one more DNS server. Those beyond `DNS_MAX_SERVER_COUNT` are left out.
    #[must_use]
    pub fn with_dns_server(mut self, server: Ipv6Addr) -> Self {
        let _ = self.dns_servers.push(server);
        self
    }
}

/// What is done on Ethernet to find out whether somebody else has an IPv4 address (RFC 5227). Without the feature
/// `ipv4-conflict` it is used, and that is all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum AddressPolicy {
    /// The address is used at once and announced. A conflict is found when the other host speaks up.
    #[default]
    Announce,
    /// The address is used when probing for some seconds found nobody.
    #[cfg(feature = "ipv4-conflict")]
    Probe,
}

impl AddressPolicy {
    /// Whether an address is probed for before it is used.
    pub(super) fn probes(self) -> bool {
        match self {
            Self::Announce => false,
            #[cfg(feature = "ipv4-conflict")]
            Self::Probe => true,
        }
    }
}

/// Whether TCP connections let routers mark packets in place of dropping them (RFC 3168).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum EcnPolicy {
    /// Never.
    Off,
    /// Where the peer asks for it. As Linux.
    #[default]
    Accept,
    /// Where the peer asks for it, and it is asked for. Some networks drop the requests: then the first one
    /// costs a second.
    Request,
}
