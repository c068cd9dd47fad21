//! What an Ethernet link needs beyond: the neighbors' link addresses, and headers to them.

use cygnet_config::IFACE_MAX_ADDR_COUNT;
use cygnet_driver::{HardwareAddress, Medium};

use super::super::Engine;
use super::super::outgoing::{LinkHeader, Room};
use super::super::sockets::Waiters;
use super::{ConfigError, INTERFACE, Interface, Path, Reach};
use crate::ip::Delivery;
#[cfg(feature = "proto-ipv6")]
use crate::link::DuplicateDetector;
use crate::link::{ConflictDetector, Lookup, NeighborCache};
use crate::rand::Random;
use crate::time::Instant;
use crate::wire::{EtherType, EthernetAddress, EthernetHeader, IpAddress};

/// What an Ethernet link needs beyond.
pub(in crate::engine) struct Ethernet {
    pub(in crate::engine) hardware: EthernetAddress,
    pub(in crate::engine) neighbors: NeighborCache<Waiters>,
    /// One for each address.
    pub(in crate::engine) detectors: heapless::Vec<ConflictDetector, IFACE_MAX_ADDR_COUNT>,
    /// One for each tentative address of IPv6.
    #[cfg(feature = "proto-ipv6")]
    pub(super) duplicates: heapless::Vec<DuplicateDetector, IFACE_MAX_ADDR_COUNT>,
}

impl Interface {
    /// The link header for what goes to that station, or to several.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(in crate::engine) fn header_to(
        &self,
        dst: &EthernetAddress,
        ethertype: EtherType,
    ) -> LinkHeader {
        LinkHeader::Ethernet(EthernetHeader {
            dst: *dst,
            src: self.ethernet.hardware,
            ethertype,
        })
    }

    pub(super) fn reach_neighbor(&mut self, path: &mut Path, now: Instant) -> Reach {
        let Some(next_hop) = path.next_hop else {
            return Reach::NoRoute;
        };
        if next_hop.delivery != Delivery::Neighbor {
            return Reach::Now;
        }
        let neighbors = &mut self.ethernet.neighbors;
        let (interface, address) = (next_hop.interface, next_hop.address);
        match neighbors.lookup(now, interface, address, &mut path.neighbor) {
            Lookup::Reachable(_) => Reach::Now,
            Lookup::Pending(neighbor) => Reach::Pending(neighbor),
            Lookup::Unreachable => Reach::Unreachable,
            Lookup::Exhausted => Reach::Exhausted,
        }
    }

    /// The link header for the packets of a turn. Once for all of them, it is not to take registers from what is done for
    /// each.
    #[cfg_attr(target_pointer_width = "32", inline)]
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    pub(super) fn ethernet_header(&self, path: &Path) -> Option<LinkHeader> {
        let next_hop = path.next_hop.as_ref()?;
        let group;
        let dst = match next_hop.delivery {
            Delivery::Neighbor => self.ethernet.neighbors.hardware(path.neighbor?)?,
            Delivery::Local => &self.ethernet.hardware,
            Delivery::Broadcast => &EthernetAddress::BROADCAST,
            Delivery::Multicast => {
                group = match next_hop.address {
                    IpAddress::Ipv4(group) => EthernetAddress::for_ipv4_multicast(group),
                    #[cfg(feature = "proto-ipv6")]
                    IpAddress::Ipv6(group) => EthernetAddress::for_ipv6_multicast(group),
                };
                &group
            }
        };
        let ethertype = match next_hop.address {
            IpAddress::Ipv4(_) => EtherType::IPV4,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => EtherType::IPV6,
        };
        Some(self.header_to(dst, ethertype))
    }
}

impl Ethernet {
    pub(super) fn new(hardware: HardwareAddress, random: &mut Random) -> Self {
        let hardware = EthernetAddress(match hardware {
            HardwareAddress::Ethernet(address) => address,
            _ => [0; 6],
        });
        Self {
            hardware,
            neighbors: NeighborCache::with_default_timing(random),
            detectors: heapless::Vec::new(),
            #[cfg(feature = "proto-ipv6")]
            duplicates: heapless::Vec::new(),
        }
    }
}

impl Ethernet {
    /// Whether a request, a probe or an announcement is due.
    pub(super) fn wants_to_send(&self, now: Instant) -> bool {
        let mut deadlines = self.detectors.iter().filter_map(|d| d.next_deadline());
        #[cfg(feature = "proto-ipv6")]
        if self.duplicates.iter().any(|d| d.probe_due(now)) {
            return true;
        }
        deadlines.any(|at| at <= now) || self.neighbors.solicit_due(now)
    }

    /// When the detection of duplicates goes on.
    #[cfg(feature = "proto-ipv6")]
    pub(super) fn duplicates_deadline(&self) -> Option<Instant> {
        let detectors = self.duplicates.iter();
        detectors.map(DuplicateDetector::next_deadline).min()
    }
}

impl Engine<'_> {
    /// Sends the next request, probe or announcement that is due. False if there is none.
    pub(super) fn transmit_ethernet(&mut self, room: &mut dyn Room, now: Instant) -> bool {
        if self.interface.medium != Medium::Ethernet {
            return false;
        }
        if let Some(packet) = self.poll_detector(now) {
            self.send_arp(room, &EthernetAddress::BROADCAST, &packet);
            return true;
        }
        #[cfg(feature = "proto-ipv6")]
        if let Some(probe) = self.poll_probe(now) {
            self.send_ndisc(room, &probe);
            return true;
        }
        #[cfg(feature = "slaac")]
        if let Some(solicitation) = self.poll_router_solicitation(now) {
            self.send_ndisc(room, &solicitation);
            return true;
        }
        let Some(solicit) = self.interface.ethernet.neighbors.poll_solicit(now) else {
            return false;
        };
        match solicit.target {
            IpAddress::Ipv4(target) => self.send_arp_request(room, &solicit, target),
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(target) => {
                let Some(solicitation) = self.interface.neighbor_solicitation(&solicit, target)
                else {
                    return false;
                };
                self.send_ndisc(room, &solicitation);
            }
        }
        true
    }

    /// Fixes a neighbor's link address.
    pub(crate) fn add_neighbor(
        &mut self,
        address: IpAddress,
        hardware: EthernetAddress,
    ) -> Result<(), ConfigError> {
        if self.interface.medium != Medium::Ethernet {
            return Err(ConfigError::TooManyNeighbors);
        }
        let now = self.now;
        let neighbors = &mut self.interface.ethernet.neighbors;
        let waiters = neighbors
            .add_permanent(now, INTERFACE, address, hardware)
            .map_err(|_| ConfigError::TooManyNeighbors)?;
        self.wake_waiters(waiters.unwrap_or_default());
        Ok(())
    }

    /// Forgets a neighbor; whoever waits for it asks anew.
    pub(crate) fn remove_neighbor(&mut self, address: IpAddress) {
        let neighbors = &mut self.interface.ethernet.neighbors;
        let waiters = neighbors.remove(INTERFACE, address);
        self.wake_waiters(waiters.unwrap_or_default());
    }
}
