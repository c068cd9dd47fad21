//! Multicast groups: who joins them, and what is received for them (RFC 1112, RFC 4291). What routers are told
//! is in `igmp` and `mld`.

mod igmp;
#[cfg(feature = "proto-ipv6")]
mod mld;

use cygnet_driver::Medium;

use super::outgoing::{Content, GroupReport, LinkHeader, Outgoing, Room};
use super::{Config, Engine, Interface};
#[cfg(feature = "medium-ethernet")]
use crate::ip::GROUP_COUNT;
use crate::ip::{Filter, GroupTableFull, Member, Multicast};
use crate::storage::Index;
use crate::time::Instant;
use crate::wire::igmp::{ALL_HOSTS, LEN};
#[cfg(feature = "medium-ethernet")]
use crate::wire::{EtherType, EthernetAddress, EthernetHeader};
use crate::wire::{IpAddress, IpVersion};

/// Which sources of a group are wanted (RFC 3376, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MulticastSources<'a> {
    /// Only these. None of them at all is not to be in the group.
    Only(&'a [IpAddress]),
    /// All but these.
    AllBut(&'a [IpAddress]),
}

/// Why a group was not joined or left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MulticastError {
    /// There is no room for another membership (`IFACE_MAX_MULTICAST_GROUP_COUNT`).
    GroupTableFull,
    /// More sources than a membership can name (`MULTICAST_SOURCE_COUNT`).
    TooManySources,
    /// Not the address of a group.
    Unaddressable,
    /// The call came from within a closure that the stack itself called.
    Reentrant,
}

impl core::fmt::Display for MulticastError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::GroupTableFull => {
                "no room for another membership (IFACE_MAX_MULTICAST_GROUP_COUNT)"
            }
            Self::TooManySources => "too many sources (MULTICAST_SOURCE_COUNT)",
            Self::Unaddressable => "not the address of a multicast group",
            Self::Reentrant => "the stack was called from within one of its own calls",
        })
    }
}

impl core::error::Error for MulticastError {}

/// The groups of the interface.
pub(super) struct MulticastState {
    groups: Multicast,
    /// There is somebody to report to: not on a link to oneself.
    is_shared: bool,
    /// What is known of the addresses of IPv6.
    #[cfg(feature = "proto-ipv6")]
    addresses: mld::KnownAddresses,
    /// The driver's filter has yet to hear of the latest.
    #[cfg(feature = "medium-ethernet")]
    is_filter_stale: bool,
}

/// The link addresses of groups: those in the table, and those that every host is in.
#[cfg(feature = "medium-ethernet")]
pub(crate) type GroupAddresses = heapless::Vec<[u8; 6], { GROUP_COUNT + ALL_HOSTS_GROUPS }>;

/// One of each version of IP.
#[cfg(feature = "medium-ethernet")]
const ALL_HOSTS_GROUPS: usize = if cfg!(feature = "proto-ipv6") { 2 } else { 1 };

impl MulticastState {
    pub(super) fn new(interface: &Interface, _: &Config) -> Self {
        Self {
            groups: Multicast::new(),
            is_shared: !interface.loopback,
            #[cfg(feature = "proto-ipv6")]
            addresses: mld::KnownAddresses::default(),
            #[cfg(feature = "medium-ethernet")]
            is_filter_stale: true,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.groups.next_deadline()
    }

    pub(super) fn wants_to_send(&self, now: Instant) -> bool {
        #[cfg(feature = "proto-ipv6")]
        if self.groups.wants_to_send(now, IpVersion::Ipv6) {
            return true;
        }
        self.groups.wants_to_send(now, IpVersion::Ipv4)
    }

    pub(super) fn on_timeout(&mut self, now: Instant) {
        self.groups.on_timeout(now);
    }

    pub(super) fn on_link_changed(&mut self, up: bool, now: Instant) {
        #[cfg(feature = "proto-ipv6")]
        {
            self.addresses = mld::KnownAddresses::default();
            self.groups.stop_reports(IpVersion::Ipv6);
        }
        if up && self.is_shared {
            self.groups.start_reports(now, IpVersion::Ipv4);
        } else {
            self.groups.stop_reports(IpVersion::Ipv4);
        }
    }

    /// What the driver is to let through may be something else.
    pub(super) fn changed(&mut self) {
        #[cfg(feature = "medium-ethernet")]
        {
            self.is_filter_stale = true;
        }
    }
}

// What handles ask for.
impl Engine<'_> {
    /// Sets which sources of a group a member wants to hear.
    pub(crate) fn listen_multicast(
        &mut self,
        member: Member,
        group: IpAddress,
        sources: MulticastSources<'_>,
    ) -> Result<(), MulticastError> {
        if !group.is_multicast() {
            return Err(MulticastError::Unaddressable);
        }
        let filter = match sources {
            MulticastSources::Only(sources) => Filter::only(sources),
            MulticastSources::AllBut(sources) => Filter::all_but(sources),
        };
        let filter = filter.map_err(|_| MulticastError::TooManySources)?;
        if is_all_hosts(group) {
            // RFC 1112, section 7.2: every host is in it, always.
            return Ok(());
        }
        let now = self.now;
        let multicast = &mut self.services.multicast;
        multicast
            .groups
            .listen(now, (member, group), filter)
            .map_err(|GroupTableFull| MulticastError::GroupTableFull)?;
        multicast.changed();
        self.attention = true;
        Ok(())
    }

    /// Whether the host is in a group.
    pub(crate) fn has_multicast_group(&self, group: IpAddress) -> bool {
        is_all_hosts(group) || self.services.multicast.groups.is_member(group)
    }

    /// A socket is gone, or closed.
    pub(super) fn leave_groups(&mut self, index: Index) {
        let now = self.now;
        let multicast = &mut self.services.multicast;
        if multicast.groups.leave_all(now, Member::Socket(index)) {
            multicast.changed();
            self.attention = true;
        }
    }

    /// The link addresses that the driver is to let through, if they have changed since the last call.
    #[cfg(feature = "medium-ethernet")]
    pub(crate) fn take_multicast_filter(&mut self) -> Option<GroupAddresses> {
        let multicast = &mut self.services.multicast;
        let is_stale = core::mem::take(&mut multicast.is_filter_stale);
        if !is_stale || self.interface.medium != Medium::Ethernet {
            return None;
        }
        let mut addresses = GroupAddresses::new();
        let mut let_through = |group| {
            let address = link_address(group).0;
            if !addresses.contains(&address) {
                let _ = addresses.push(address);
            }
        };
        multicast.groups.groups().for_each(&mut let_through);
        let_through(IpAddress::Ipv4(ALL_HOSTS));
        #[cfg(feature = "proto-ipv6")]
        if self.interface.speaks_v6() {
            let_through(IpAddress::Ipv6(crate::ip::ALL_NODES));
        }
        Some(addresses)
    }
}

// Packets in, and reports out.
impl Engine<'_> {
    /// Whether a socket is to get what `source` sends to a group.
    pub(super) fn is_in_group(&self, index: Index, group: IpAddress, source: IpAddress) -> bool {
        let groups = &self.services.multicast.groups;
        is_all_hosts(group) || groups.wants_for(Member::Socket(index), group, source)
    }

    /// Sends what a router is to be told. False if that is nothing.
    pub(super) fn transmit_group_report(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        let groups = &self.services.multicast.groups;
        #[cfg(feature = "proto-ipv6")]
        if groups.wants_to_send(now, IpVersion::Ipv6) {
            return self.transmit_mld(room, now);
        }
        if groups.wants_to_send(now, IpVersion::Ipv4) {
            return self.transmit_igmp(room, now);
        }
        false
    }

    fn send_group_report(&mut self, report: GroupReport<'_>, room: &mut dyn Room) {
        let link = match self.interface.medium {
            #[cfg(feature = "medium-ethernet")]
            Medium::Ethernet => LinkHeader::Ethernet(EthernetHeader {
                dst: link_address(report.dst),
                src: self.interface.ethernet.hardware,
                ethertype: match report.dst {
                    IpAddress::Ipv4(_) => EtherType::IPV4,
                    #[cfg(feature = "proto-ipv6")]
                    IpAddress::Ipv6(_) => EtherType::IPV6,
                },
            }),
            _ => LinkHeader::None,
        };
        let content = Content::GroupReport(report);
        room.send(&Outgoing {
            link: &link,
            content,
        });
        self.on_sent();
    }
}

#[cfg(feature = "medium-ethernet")]
fn link_address(group: IpAddress) -> EthernetAddress {
    match group {
        IpAddress::Ipv4(group) => EthernetAddress::for_ipv4_multicast(group),
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(group) => EthernetAddress::for_ipv6_multicast(group),
    }
}

fn is_all_hosts(group: IpAddress) -> bool {
    match group {
        IpAddress::Ipv4(group) => group == ALL_HOSTS,
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(group) => crate::ip::is_group_of_all_nodes(group),
    }
}

/// The longest report in bytes, for any link; what does not fit goes into the next.
const LONGEST_REPORT: usize = if LONGEST_NEWS > 512 {
    LONGEST_NEWS
} else {
    512
};

/// All that can be told of one group: two records, for the sources of two lists.
const LONGEST_NEWS: usize =
    LEN + 2 * (4 + ADDRESS_LEN * (1 + cygnet_config::MULTICAST_SOURCE_COUNT));

/// Of either version of IP, in bytes.
const ADDRESS_LEN: usize = if cfg!(feature = "proto-ipv6") { 16 } else { 4 };
