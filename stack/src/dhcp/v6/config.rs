//! What a DHCPv6 client is told.

use crate::time::Duration;
use crate::wire::Duid;

/// How an IPv6 configuration is asked for by DHCP (RFC 8415).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Dhcpv6Config {
    /// What servers are asked for.
    pub mode: Dhcpv6Mode,
    /// What servers know this host by. `None` takes the hardware address; where there is none, one is made
    /// up from the stack's seed, and is another after each start.
    pub duid: Option<Duid>,
    /// The number of this interface among those of the host with the same DUID. `None` takes the end of the
    /// hardware address, or else 1.
    pub iaid: Option<u32>,
    /// Take what the first server gives, in two messages in place of four (RFC 8415, section 18.2.1), if it
    /// agrees. Where several servers do, all but one keep an address for nobody.
    pub rapid_commit: bool,
    /// Ask for a prefix as well, for networks behind this host (IA_PD): see
    /// [`Dhcpv6Lease::prefixes`](crate::Dhcpv6Lease::prefixes). The stack itself has no use for it.
    pub prefix_delegation: bool,
    /// The longest lifetime. What is given for longer is renewed as if it were as long as this. Less than a second,
    /// which is what the protocol counts in, is taken as one.
    pub max_lifetime: Option<Duration>,
}

/// What a DHCPv6 client asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Dhcpv6Mode {
    /// An address, and what goes with it. Servers give no routes: those come from routers' advertisements,
    /// or are fixed.
    #[default]
    Stateful,
    /// DNS servers and domains alone (RFC 8415, section 6.1), for a host whose addresses come from elsewhere.
    Stateless,
}

impl Dhcpv6Config {
    /// An address.
    pub const fn stateful() -> Self {
        Self {
            mode: Dhcpv6Mode::Stateful,
            duid: None,
            iaid: None,
            rapid_commit: true,
            prefix_delegation: false,
            max_lifetime: None,
        }
    }

    /// DNS servers and domains alone.
    pub const fn stateless() -> Self {
        let mut config = Self::stateful();
        config.mode = Dhcpv6Mode::Stateless;
        config
    }

    pub(super) fn longest_lifetime(&self) -> Option<Duration> {
        Some(self.max_lifetime?.max(SHORTEST_LIFETIME))
    }
}

impl Default for Dhcpv6Config {
    fn default() -> Self {
        Self::stateful()
    }
}

/// What is over at once would be asked for again at once, for ever.
const SHORTEST_LIFETIME: Duration = Duration::from_secs(1);
