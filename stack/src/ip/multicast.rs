//! Which multicast groups this host is in, and what it tells routers of it (RFC 9776 for IPv4, RFC 9777 for
//! IPv6). Sections are cited from RFC 3376, which the first of them follows.
//!
//! Sans-io. `engine` asks about every packet to a group, hands in what routers ask and other hosts report,
//! and sends what [`Multicast::poll`] writes. The rules are the same for both versions of IP: MLD's versions 1
//! and 2 are IGMP's 2 and 3, in other packets. One table holds the groups of both, and each has its own routers.
//!
//! - [`filter`]: which sources are wanted;
//! - [`group`]: one group of the interface: its filter, and what is to be told of it;
//! - [`reporter`]: queries, timers and reports.
//!
//! A membership belongs to a socket, or to the stack, which joins for all sockets. The interface's filter for a
//! group is what all memberships together want. Everything is of fixed size, and each shortage errs on the side
//! of receiving more than was asked for: each membership's own filter has the last word.

mod filter;
mod group;
mod reporter;
mod routers;

#[cfg(test)]
mod tests;

#[cfg(feature = "proto-ipv6")]
use cygnet_config::IFACE_MAX_ADDR_COUNT;
use cygnet_config::IFACE_MAX_MULTICAST_GROUP_COUNT;
use heapless::Vec;

pub(crate) use filter::Filter;
use group::Group;
pub(crate) use reporter::Message;
use reporter::Reporter;
pub(crate) use routers::{Query, Version};

use crate::storage::Index;
use crate::time::Instant;
use crate::wire::{IpAddress, IpVersion};

/// The memberships, and the state of each group.
#[derive(Debug)]
pub(crate) struct Multicast {
    memberships: Vec<Membership, GROUP_COUNT>,
    /// Those that are wanted, and those that were until lately, as long as that has to be told.
    groups: Vec<Group, GROUP_COUNT>,
    ipv4: Reporter,
    #[cfg(feature = "proto-ipv6")]
    ipv6: Reporter,
}

/// Beside what is asked for, each address of IPv6 brings a group.
#[cfg(feature = "proto-ipv6")]
pub(crate) const GROUP_COUNT: usize = IFACE_MAX_MULTICAST_GROUP_COUNT + IFACE_MAX_ADDR_COUNT;
#[cfg(not(feature = "proto-ipv6"))]
pub(crate) const GROUP_COUNT: usize = IFACE_MAX_MULTICAST_GROUP_COUNT;

/// Who is a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// The stack, for all sockets that are no members themselves.
    Stack,
    /// The socket in that slot.
    Socket(Index),
    /// Multicast DNS, which listens without a socket.
    #[cfg(feature = "mdns")]
    Mdns,
    /// The interface, which has an address of IPv6 in that solicited-node group.
    #[cfg(feature = "proto-ipv6")]
    Address,
}

impl Member {
    /// Whether room is kept for it.
    fn has_reserved_room(self) -> bool {
        #[cfg(feature = "proto-ipv6")]
        return self == Self::Address;
        #[cfg(not(feature = "proto-ipv6"))]
        false
    }
}

#[derive(Debug)]
struct Membership {
    member: Member,
    group: IpAddress,
    filter: Filter,
}

/// Why a group was not joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GroupTableFull;

impl Multicast {
    pub(crate) const fn new() -> Self {
        Self {
            memberships: Vec::new(),
            groups: Vec::new(),
            ipv4: Reporter::new(),
            #[cfg(feature = "proto-ipv6")]
            ipv6: Reporter::new(),
        }
    }

    /// Sets which sources a member wants to hear in a group: "IPMulticastListen" of RFC 3376, section 2.
    /// [`Filter::NOTHING`] ends the membership.
    pub(crate) fn listen(
        &mut self,
        now: Instant,
        (member, group): (Member, IpAddress),
        filter: Filter,
    ) -> Result<(), GroupTableFull> {
        let is_it = |m: &Membership| m.member == member && m.group == group;
        let known = self.memberships.iter().position(is_it);
        match known {
            Some(index) if filter.is_nothing() => {
                self.memberships.swap_remove(index);
            }
            Some(index) => {
                if let Some(membership) = self.memberships.get_mut(index) {
                    membership.filter = filter;
                }
            }
            None if filter.is_nothing() => return Ok(()),
            None if !self.has_room(member) => return Err(GroupTableFull),
            None => {
                let membership = Membership {
                    member,
                    group,
                    filter,
                };
                self.memberships
                    .push(membership)
                    .map_err(|_| GroupTableFull)?;
            }
        }
        self.update(now, group);
        Ok(())
    }

    fn has_room(&self, member: Member) -> bool {
        let is_alike = |m: &&Membership| m.member.has_reserved_room() == member.has_reserved_room();
        let alike = self.memberships.iter().filter(is_alike).count();
        member.has_reserved_room() || alike < IFACE_MAX_MULTICAST_GROUP_COUNT
    }

    /// A member is gone, and all its memberships. True if there were any.
    pub(crate) fn leave_all(&mut self, now: Instant, member: Member) -> bool {
        let of = |m: &Membership| m.member == member;
        let mut any = false;
        while let Some(index) = self.memberships.iter().position(of) {
            let membership = self.memberships.swap_remove(index);
            self.update(now, membership.group);
            any = true;
        }
        any
    }

    /// The interface is in these groups, for its addresses, and in no other. True if that is news.
    #[cfg(feature = "proto-ipv6")]
    pub(crate) fn set_solicited_nodes(
        &mut self,
        now: Instant,
        wanted: &[core::net::Ipv6Addr],
    ) -> bool {
        let is_of = |m: &Membership| m.member == Member::Address;
        let is_wanted = |group: IpAddress| wanted.iter().any(|w| IpAddress::Ipv6(*w) == group);
        let mut is_news = false;
        let is_over = |m: &Membership| is_of(m) && !is_wanted(m.group);
        while let Some(index) = self.memberships.iter().position(is_over) {
            let membership = self.memberships.swap_remove(index);
            self.update(now, membership.group);
            is_news = true;
        }
        for &group in wanted {
            let group = IpAddress::Ipv6(group);
            if !self
                .memberships
                .iter()
                .any(|m| is_of(m) && m.group == group)
            {
                // There is room for as many as there are addresses.
                let _ = self.listen(now, (Member::Address, group), Filter::ALL);
                is_news = true;
            }
        }
        is_news
    }

    /// Whether somebody here is in the group.
    pub(crate) fn is_member(&self, group: IpAddress) -> bool {
        self.memberships.iter().any(|m| m.group == group)
    }

    /// Whether somebody here wants what `source` sends to the group.
    pub(crate) fn wants(&self, group: IpAddress, source: IpAddress) -> bool {
        let of = |m: &&Membership| m.group == group;
        let mut of_group = self.memberships.iter().filter(of);
        of_group.any(|m| m.filter.allows(source))
    }

    /// Whether a member wants what `source` sends to the group. One that is not in the group gets what the
    /// stack joined for.
    pub(crate) fn wants_for(&self, member: Member, group: IpAddress, source: IpAddress) -> bool {
        let of = |who| move |m: &&Membership| m.group == group && m.member == who;
        let own = self.memberships.iter().find(of(member));
        let membership = own.or_else(|| self.memberships.iter().find(of(Member::Stack)));
        membership.is_some_and(|m| m.filter.allows(source))
    }

    /// The groups that somebody is in, each once.
    pub(crate) fn groups(&self) -> impl Iterator<Item = IpAddress> + '_ {
        let wanted = self.groups.iter().filter(|g| !g.filter().is_nothing());
        wanted.map(Group::address)
    }

    /// Derives the interface's filter for a group anew (RFC 3376, section 3.2).
    fn update(&mut self, now: Instant, address: IpAddress) {
        if !is_reported(address) {
            return;
        }
        let of = self.memberships.iter().filter(|m| m.group == address);
        let filter = Filter::merge(of.map(|m| &m.filter));
        let terms = self.reporter(address.version()).terms(now);
        let known = self.groups.iter().position(|g| g.address() == address);
        let index = match known {
            Some(index) => index,
            None if filter.is_nothing() => return,
            None => {
                // There are no more groups than memberships, but for those that only wait to tell that they
                // were left.
                if self.groups.is_full() {
                    let left = self.groups.iter().position(|g| g.filter().is_nothing());
                    if let Some(left) = left {
                        self.groups.swap_remove(left);
                    }
                }
                let _ = self.groups.push(Group::new(address));
                self.groups.len().saturating_sub(1)
            }
        };
        if let Some(group) = self.groups.get_mut(index) {
            group.set_filter(now, filter, &terms);
        }
        self.forget_left();
    }

    /// After each change: a group that nobody is in is forgotten when nothing is left to tell of it.
    fn forget_left(&mut self) {
        self.groups.retain(|group| !group.is_over());
        self.ipv4.set_due(&self.groups, IpVersion::Ipv4);
        #[cfg(feature = "proto-ipv6")]
        self.ipv6.set_due(&self.groups, IpVersion::Ipv6);
    }

    fn reporter(&self, version: IpVersion) -> &Reporter {
        match version {
            IpVersion::Ipv4 => &self.ipv4,
            #[cfg(feature = "proto-ipv6")]
            IpVersion::Ipv6 => &self.ipv6,
        }
    }

    fn reporter_mut(&mut self, version: IpVersion) -> &mut Reporter {
        match version {
            IpVersion::Ipv4 => &mut self.ipv4,
            #[cfg(feature = "proto-ipv6")]
            IpVersion::Ipv6 => &mut self.ipv6,
        }
    }

    /// The groups of one version of IP.
    fn groups_mut(&mut self, version: IpVersion) -> impl Iterator<Item = &mut Group> {
        self.groups
            .iter_mut()
            .filter(move |g| g.version() == version)
    }
}

/// Whether routers are told of a group. RFC 2710, section 5: "MLD messages are never sent for multicast addresses
/// whose scope is 0 (reserved) or 1 (node-local)." The groups of all hosts get no further than `engine`.
fn is_reported(group: IpAddress) -> bool {
    match group {
        IpAddress::Ipv4(_) => true,
        #[cfg(feature = "proto-ipv6")]
        IpAddress::Ipv6(group) => super::scope::leaves_host(group),
    }
}
