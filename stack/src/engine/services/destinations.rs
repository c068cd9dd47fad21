//! Which addresses of a name are of use, and which of them is the best: the resolver asks.

use cygnet_config::DNS_MAX_RESULT_COUNT;

use crate::engine::Engine;
#[cfg(feature = "proto-ipv6")]
use crate::ip::{Candidate, sort_destinations};
use crate::wire::{IpAddress, IpVersion};

impl Engine<'_> {
    /// Whether addresses of that version are worth asking for: the stack has one itself, and for names that are
    /// not the link's alone (`is_local`) one that is good for more than its link. A stack that has none yet asks
    /// for all.
    pub(crate) fn resolves_to(&self, version: IpVersion, is_local: bool) -> bool {
        let usable = || {
            let ours = self.interface.addresses.usable();
            ours.map(|ours| ours.cidr.address()).filter(|ours| {
                is_local || ours.version() == IpVersion::Ipv4 || !ours.is_link_local()
            })
        };
        usable().any(|ours| ours.version() == version) || usable().next().is_none()
    }

    /// Adds addresses of one version to those that were found: `DNS_MAX_RESULT_COUNT` of them, and if there are more,
    /// the best. Those of IPv4 stay as the server has them.
    pub(crate) fn best_destinations(
        &self,
        addresses: impl Iterator<Item = IpAddress>,
        found: &mut heapless::Vec<IpAddress, MAX_FOUND>,
    ) {
        #[cfg(feature = "proto-ipv6")]
        let addresses = {
            let mut best = heapless::Vec::<Candidate, { DNS_MAX_RESULT_COUNT + 1 }>::new();
            let table = self.interface.addresses.policy_table();
            for address in addresses {
                if best.is_full() {
                    best.pop();
                }
                let _ = best.push(self.candidate(address));
                if address.version() == IpVersion::Ipv6 {
                    sort_destinations(&mut best, table);
                }
            }
            best.into_iter().map(|candidate| candidate.destination)
        };
        for address in addresses.take(DNS_MAX_RESULT_COUNT) {
            // There is room for as many of either version.
            let _ = found.push(address);
        }
    }

    /// Brings the best to talk to first (RFC 6724 section 6). Those of IPv4 alone stay as the server has them,
    /// who may balance load.
    #[cfg(feature = "proto-ipv6")]
    pub(crate) fn order_destinations(&self, addresses: &mut [IpAddress]) {
        if addresses
            .iter()
            .all(|address| address.version() == IpVersion::Ipv4)
        {
            return;
        }
        let mut candidates: heapless::Vec<Candidate, MAX_FOUND> = addresses
            .iter()
            .take(MAX_FOUND)
            .map(|&destination| self.candidate(destination))
            .collect();
        sort_destinations(&mut candidates, self.interface.addresses.policy_table());
        for (address, candidate) in addresses.iter_mut().zip(candidates) {
            *address = candidate.destination;
        }
    }

    #[cfg(not(feature = "proto-ipv6"))]
    pub(crate) fn order_destinations(&self, _: &mut [IpAddress]) {}

    #[cfg(feature = "proto-ipv6")]
    fn candidate(&self, destination: IpAddress) -> Candidate {
        Candidate {
            destination,
            source: self.source_to(destination),
        }
    }

    #[cfg(feature = "proto-ipv6")]
    fn source_to(&self, destination: IpAddress) -> Option<crate::ip::InterfaceAddress> {
        let (_, source) = self.interface.route(destination, self.now)?;
        let mut ours = self.interface.addresses.usable();
        ours.find(|ours| ours.cidr.address() == source).copied()
    }
}

/// The most addresses of a name: as many of either version.
pub(crate) const MAX_FOUND: usize = 2 * DNS_MAX_RESULT_COUNT;
