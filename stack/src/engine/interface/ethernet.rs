//! What an Ethernet link needs beyond: the neighbors' link addresses, and headers to them.

use cygnet_config::IFACE_MAX_ADDR_COUNT;
use cygnet_driver::HardwareAddress;

use super::super::Engine;
use super::super::outgoing::LinkHeader;
use super::{ConfigError, INTERFACE, Interface, Path, Reach};
use crate::ip::Delivery;
use crate::link::{ConflictDetector, Lookup, NeighborCache, NeighborTiming};
use crate::rand::Random;
use crate::storage::List;
use crate::time::Instant;
use crate::wire::{EtherType, EthernetAddress, EthernetHeader, IpAddress};

/// What an Ethernet link needs beyond.
pub(in crate::engine) struct Ethernet {
    pub(in crate::engine) hardware: EthernetAddress,
    pub(in crate::engine) neighbors: NeighborCache<List>,
    /// One for each address.
    pub(in crate::engine) detectors: heapless::Vec<ConflictDetector, IFACE_MAX_ADDR_COUNT>,
}

impl Interface {
    /// The link header for a packet to everybody, or to a station whose address is known.
    #[cfg(any(feature = "socket-dhcpv4", feature = "dhcpv4-server"))]
    pub(in crate::engine) fn ipv4_header_to(&self, dst: EthernetAddress) -> LinkHeader {
        LinkHeader::Ethernet(EthernetHeader {
            dst,
            src: self.ethernet.hardware,
            ethertype: EtherType::IPV4,
        })
    }

    pub(super) fn reach_neighbor(&mut self, now: Instant, path: &mut Path) -> Reach {
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

    #[inline]
    pub(super) fn ethernet_header(&self, path: &Path) -> Option<EthernetHeader> {
        let next_hop = path.next_hop.as_ref()?;
        let dst = match next_hop.delivery {
            Delivery::Neighbor => self.ethernet.neighbors.hardware(path.neighbor?)?,
            Delivery::Local => self.ethernet.hardware,
            Delivery::Broadcast => EthernetAddress::BROADCAST,
            Delivery::Multicast => match next_hop.address {
                IpAddress::Ipv4(group) => EthernetAddress::for_ipv4_multicast(group),
                #[cfg(feature = "proto-ipv6")]
                IpAddress::Ipv6(_) => return None,
            },
        };
        let ethertype = match next_hop.address {
            IpAddress::Ipv4(_) => EtherType::IPV4,
            #[cfg(feature = "proto-ipv6")]
            IpAddress::Ipv6(_) => EtherType::IPV6,
        };
        Some(EthernetHeader {
            dst,
            src: self.ethernet.hardware,
            ethertype,
        })
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
            neighbors: NeighborCache::new(NeighborTiming::default(), random.next_u32()),
            detectors: heapless::Vec::new(),
        }
    }
}

impl Engine<'_> {
    /// Fixes a neighbor's link address.
    pub(crate) fn add_neighbor(
        &mut self,
        address: IpAddress,
        hardware: EthernetAddress,
    ) -> Result<(), ConfigError> {
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

    /// Something changed for those who wait for a neighbor, and for those who wait for any.
    pub(in crate::engine) fn wake_waiters(&mut self, mut waiters: List) {
        while let Some(index) = self.sockets.pop_waiter(&mut waiters) {
            self.sockets.mark_ready(index);
        }
        self.sockets.release_parked();
    }
}
