//! The addresses of the stack's interfaces, and the choice among them for a packet's source.
//!
//! `engine` asks this for every packet in (is it for us?) and for every connection out.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use cygnet_config::IFACE_MAX_ADDR_COUNT;

#[cfg(feature = "proto-ipv6")]
use super::{DEFAULT_POLICY_TABLE, PolicyTableEntry};
use super::{InterfaceId, NextHop};
use crate::wire::{IpAddress, IpCidr, IpVersion};

/// The addresses of all interfaces, at most `N`, in the order they were added.
#[derive(Clone, Debug)]
pub(crate) struct Addresses<const N: usize = IFACE_MAX_ADDR_COUNT> {
    list: heapless::Vec<InterfaceAddress, N>,
    /// Which of them go with which destinations.
    #[cfg(feature = "proto-ipv6")]
    table: &'static [PolicyTableEntry],
}

/// An address of an interface and the prefix that is on its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct InterfaceAddress {
    /// The address, with the prefix length of its subnet.
    pub(crate) cidr: IpCidr,
    /// Whose it is.
    pub(crate) interface: InterfaceId,
    /// Whether it may be used.
    pub(crate) state: AddressState,
    /// Where it came from.
    pub(crate) origin: AddressOrigin,
}

/// Where an address came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum AddressOrigin {
    /// It was given, and its prefix is on the link.
    Configured,
    /// It was made from a prefix. RFC 5942 section 4: whether that is on the link is said elsewhere.
    #[cfg(feature = "slaac")]
    Autoconfigured,
    /// The same, for a while only (RFC 8981).
    #[cfg(feature = "slaac")]
    Temporary,
}

impl AddressOrigin {
    pub(crate) const fn is_temporary(self) -> bool {
        match self {
            Self::Configured => false,
            #[cfg(feature = "slaac")]
            Self::Autoconfigured => false,
            #[cfg(feature = "slaac")]
            Self::Temporary => true,
        }
    }
}

/// How far an address is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum AddressState {
    /// Somebody else may have it: neither a source nor a destination, and no on-link prefix yet
    /// (RFC 5227 section 2.1, RFC 4862 section 5.4).
    Tentative,
    /// Others are asked whether they have it, and it is used meanwhile: for who has no better one, and without telling
    /// anybody to forget who had it before (RFC 4429).
    #[cfg(feature = "proto-ipv6")]
    Optimistic,
    /// Ours.
    Preferred,
    /// Ours for those who use it already; others choose another, if there is one (RFC 3927 section 1.9, RFC
    /// 4862 section 5.5.4).
    Deprecated,
    /// Somebody else has it, so it is not used (RFC 4862 section 5.4.5).
    #[cfg(feature = "proto-ipv6")]
    Duplicate,
}

impl AddressState {
    /// Whether packets may come from the address and go to it.
    pub(crate) const fn is_usable(self) -> bool {
        match self {
            Self::Tentative => false,
            Self::Preferred | Self::Deprecated => true,
            #[cfg(feature = "proto-ipv6")]
            Self::Optimistic => true,
            #[cfg(feature = "proto-ipv6")]
            Self::Duplicate => false,
        }
    }

    /// Whether others may turn out to have it.
    #[cfg(feature = "proto-ipv6")]
    pub(crate) const fn is_in_doubt(self) -> bool {
        matches!(self, Self::Tentative | Self::Optimistic)
    }

    /// Whether another is to be used, if there is one. RFC 4429 section 2.1 has optimistic ones treated as deprecated.
    #[cfg(feature = "proto-ipv6")]
    pub(super) const fn is_avoided(self) -> bool {
        matches!(self, Self::Deprecated | Self::Optimistic)
    }
}

/// Who advertises the prefix of an address.
#[cfg_attr(
    not(feature = "slaac"),
    expect(dead_code, reason = "no router is heard")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrefixFrom {
    /// The next hop of the packets that are to be sent, and perhaps others.
    NextHop,
    /// Others.
    AnotherRouter,
    /// Nobody, as far as is known.
    Nobody,
}

impl<const N: usize> Addresses<N> {
    /// No addresses.
    pub(crate) const fn new() -> Self {
        Self {
            list: heapless::Vec::new(),
            #[cfg(feature = "proto-ipv6")]
            table: DEFAULT_POLICY_TABLE,
        }
    }

    /// Which of them go with which destinations.
    #[cfg(all(feature = "proto-ipv6", feature = "socket-dns"))]
    pub(crate) fn policy_table(&self) -> &'static [PolicyTableEntry] {
        self.table
    }

    #[cfg(feature = "proto-ipv6")]
    pub(crate) fn set_policy_table(&mut self, table: &'static [PolicyTableEntry]) {
        self.table = table;
    }

    /// Adds an address, or changes the prefix and state of one that the interface has.
    pub(crate) fn add(&mut self, address: InterfaceAddress) -> Result<(), AddressesFull> {
        if let Some(known) = self.find_mut(address.interface, address.cidr.address()) {
            *known = address;
            return Ok(());
        }
        self.list.push(address).map_err(|_| AddressesFull)
    }

    /// Removes an address from an interface. Returns what it was, `None` if it was not there.
    pub(crate) fn remove(
        &mut self,
        interface: InterfaceId,
        address: IpAddress,
    ) -> Option<InterfaceAddress> {
        let index = self
            .list
            .iter()
            .position(|known| known.is(interface, address))?;
        Some(self.list.remove(index))
    }

    /// Changes whether an address may be used. Returns the state before, `None` if it is not there.
    pub(crate) fn set_state(
        &mut self,
        interface: InterfaceId,
        address: IpAddress,
        state: AddressState,
    ) -> Option<AddressState> {
        let known = self.find_mut(interface, address)?;
        Some(core::mem::replace(&mut known.state, state))
    }

    /// Whether there is no room for another.
    pub(crate) fn is_full(&self) -> bool {
        self.list.is_full()
    }

    /// All addresses, tentative ones too.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &InterfaceAddress> {
        self.list.iter()
    }

    /// The addresses that may be used, deprecated ones too.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn usable(&self) -> impl Iterator<Item = &InterfaceAddress> {
        self.iter().filter(|address| address.state.is_usable())
    }

    /// Whether packets for `address` are for this host. Which interface has it does not matter: the
    /// "weak ES model" of RFC 1122 section 3.3.4.2.
    pub(crate) fn is_local(&self, address: IpAddress) -> bool {
        self.local(address).is_some()
    }

    /// The address among ours.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn local(&self, address: IpAddress) -> Option<&InterfaceAddress> {
        self.usable().find(|ours| ours.cidr.address() == address)
    }

    /// Whether an address is that of a host on one of our links.
    pub(crate) fn is_neighbor(&self, address: IpAddress) -> bool {
        let is_link_local = matches!(address, IpAddress::Ipv4(ipv4) if ipv4.is_link_local());
        is_link_local || self.usable().any(|ours| ours.connects(&address))
    }

    /// Whether `address` is the directed broadcast address of a subnet on `interface`.
    pub(crate) fn is_subnet_broadcast(&self, interface: InterfaceId, address: Ipv4Addr) -> bool {
        self.usable()
            .filter(|ours| ours.interface == interface)
            .any(|ours| ours.subnet_broadcast() == Some(address))
    }

    /// The source of packets to `destination` through `next_hop`, `None` if its interface has no usable
    /// address.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(crate) fn source_for(
        &self,
        next_hop: &NextHop,
        destination: IpAddress,
    ) -> Option<IpAddress> {
        self.source_by(next_hop, destination, |_| PrefixFrom::Nobody)
    }

    /// The same where routers tell which prefixes are theirs.
    pub(crate) fn source_by(
        &self,
        next_hop: &NextHop,
        destination: IpAddress,
        prefix_from: impl Fn(Ipv6Addr) -> PrefixFrom,
    ) -> Option<IpAddress> {
        #[cfg(not(feature = "proto-ipv6"))]
        let _ = prefix_from;
        // Packets to ourselves come from where they go to, as far as that is one of our addresses.
        if self.is_local(destination) {
            return Some(destination);
        }
        let candidates = || {
            self.usable()
                .filter(|ours| ours.interface == next_hop.interface)
        };
        match destination {
            // The address on the subnet of the next hop, or else the interface's first, and a deprecated one
            // only where there is no other: RFC 1122 section 3.3.4.3 leaves the choice open.
            IpAddress::Ipv4(_) => {
                let rank = |ours: &InterfaceAddress| match ours.state {
                    AddressState::Preferred if ours.cidr.contains(&next_hop.address) => 2,
                    AddressState::Preferred => 1,
                    _ => 0,
                };
                let mut best: Option<(u8, IpAddress)> = None;
                for ours in candidates() {
                    let (rank, address) = (rank(ours), ours.cidr.address());
                    if address.version() == IpVersion::Ipv4
                        && best.is_none_or(|(best, _)| rank > best)
                    {
                        best = Some((rank, address));
                    }
                }
                best.map(|(_, address)| address)
            }
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(destination) => {
                super::selection::source(candidates(), destination, self.table, prefix_from)
                    .map(IpAddress::Ipv6)
            }
        }
    }

    /// The state of an address, `None` if it is not there.
    pub(crate) fn state(&self, interface: InterfaceId, address: IpAddress) -> Option<AddressState> {
        let known = self
            .list
            .iter()
            .find(|known| known.is(interface, address))?;
        Some(known.state)
    }

    fn find_mut(
        &mut self,
        interface: InterfaceId,
        address: IpAddress,
    ) -> Option<&mut InterfaceAddress> {
        self.list
            .iter_mut()
            .find(|known| known.is(interface, address))
    }
}

impl<const N: usize> Default for Addresses<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl InterfaceAddress {
    /// The address that reaches every host of the subnet, if it has one.
    pub(crate) fn subnet_broadcast(&self) -> Option<Ipv4Addr> {
        match self.cidr {
            IpCidr::Ipv4(cidr) => cidr.broadcast(),
            #[cfg(feature = "proto-ipv6")]
            IpCidr::Ipv6(_) => None,
        }
    }

    /// Whether another address is on the link because this one is.
    pub(crate) fn connects(&self, other: &IpAddress) -> bool {
        let is_on_link = match self.origin {
            AddressOrigin::Configured => true,
            #[cfg(feature = "slaac")]
            AddressOrigin::Autoconfigured | AddressOrigin::Temporary => false,
        };
        match is_on_link {
            true => self.cidr.contains(other),
            false => self.cidr.address() == *other,
        }
    }

    fn is(&self, interface: InterfaceId, address: IpAddress) -> bool {
        self.interface == interface && self.cidr.address() == address
    }
}

/// There is no room for another address (`IFACE_MAX_ADDR_COUNT`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct AddressesFull;

impl fmt::Display for AddressesFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no room for another interface address")
    }
}

impl core::error::Error for AddressesFull {}
