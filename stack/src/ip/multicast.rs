//! Which multicast groups this host is in, and what it tells routers of it (RFC 9776 for IPv4, RFC 9777 for
//! IPv6). Sections are cited from RFC 3376, which the first of them follows.
//!
//! Sans-io. `engine` asks about every packet to a group, hands in what routers ask and other hosts report,
//! and sends what [`Multicast::poll`] writes. One value serves one version of IP. The rules are the same for
//! both: MLD's versions 1 and 2 are IGMP's 2 and 3, in other packets.
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

#[cfg(test)]
mod tests;

use cygnet_config::IFACE_MAX_MULTICAST_GROUP_COUNT;
use heapless::Vec;

pub(crate) use filter::Filter;
use group::Group;
use reporter::Compatibility;
pub(crate) use reporter::{Message, Query, Version};

use crate::storage::Index;
use crate::time::Instant;
use crate::wire::IpAddress;

/// The memberships of one version of IP, and the state of each of its groups.
#[derive(Debug)]
pub(crate) struct Multicast {
    memberships: Vec<Membership, IFACE_MAX_MULTICAST_GROUP_COUNT>,
    /// Those that are wanted, and those that were until lately, as long as that has to be told.
    groups: Vec<Group, IFACE_MAX_MULTICAST_GROUP_COUNT>,
    compatibility: Compatibility,
    /// When the answer to a question about all groups is due.
    general_due: Option<Instant>,
}

/// Who is a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// The stack, for all sockets that are no members themselves.
    Stack,
    /// The socket in that slot.
    Socket(Index),
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
            compatibility: Compatibility::new(),
            general_due: None,
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

    /// A member is gone, and all its memberships.
    pub(crate) fn leave_all(&mut self, now: Instant, member: Member) {
        let of = |m: &Membership| m.member == member;
        while let Some(index) = self.memberships.iter().position(of) {
            let membership = self.memberships.swap_remove(index);
            self.update(now, membership.group);
        }
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
        let of = self.memberships.iter().filter(|m| m.group == address);
        let filter = Filter::merge(of.map(|m| &m.filter));
        let terms = self.compatibility.terms(now);
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

    /// A group that nobody is in is forgotten when nothing is left to tell of it.
    fn forget_left(&mut self) {
        self.groups.retain(|group| !group.is_over());
    }
}
