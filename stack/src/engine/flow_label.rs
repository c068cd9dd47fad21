//! Flow labels (RFC 6437): what routers and links that carry traffic side by side tell flows by, without a
//! look behind the IPv6 header.

use crate::rand::HashKey;
use crate::wire::IpEndpoint;

/// The label of a flow of IPv6; takes no room without it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FlowLabel {
    #[cfg(feature = "proto-ipv6")]
    bits: u32,
}

/// What makes labels hard to guess; takes no room without IPv6.
#[derive(Clone, Copy)]
pub(super) struct FlowKey {
    #[cfg(feature = "proto-ipv6")]
    key: HashKey,
}

impl FlowKey {
    pub(super) fn new(key: HashKey) -> Self {
        #[cfg(not(feature = "proto-ipv6"))]
        let _ = key;
        Self {
            #[cfg(feature = "proto-ipv6")]
            key,
        }
    }
}

impl FlowLabel {
    /// That of packets of IPv4, and of packets that belong to no flow.
    pub(super) const NONE: Self = Self {
        #[cfg(feature = "proto-ipv6")]
        bits: 0,
    };

    /// That of packets from `local` to `remote`. Section 3: "unlikely to be guessed by a third party", and
    /// the same for all packets of a flow, so part of a keyed hash.
    #[cfg(feature = "proto-ipv6")]
    pub(super) fn of(key: FlowKey, local: IpEndpoint, remote: IpEndpoint) -> Self {
        use core::hash::Hasher;

        use crate::wire::IpAddress;

        let (IpAddress::Ipv6(source), IpAddress::Ipv6(destination)) = (local.addr, remote.addr)
        else {
            return Self::NONE;
        };
        let hash = key.key.hash(DOMAIN, |hasher| {
            hasher.write_u128(source.to_bits());
            hasher.write_u128(destination.to_bits());
            hasher.write_u16(local.port);
            hasher.write_u16(remote.port);
        });
        // Zero would say that there is none.
        let bits = (hash >> 44) as u32;
        Self { bits: bits.max(1) }
    }

    #[cfg(not(feature = "proto-ipv6"))]
    pub(super) fn of(_: FlowKey, _: IpEndpoint, _: IpEndpoint) -> Self {
        Self::NONE
    }

    /// The one that a packet's user chose in its place, unless that is 0.
    #[cfg(all(feature = "proto-ipv6", feature = "socket-raw"))]
    pub(super) fn or_chosen(self, bits: u32) -> Self {
        match bits {
            0 => self,
            bits => Self { bits },
        }
    }

    /// Its 20 bits.
    #[cfg(feature = "proto-ipv6")]
    pub(super) fn bits(self) -> u32 {
        self.bits
    }
}

#[cfg(feature = "proto-ipv6")]
const DOMAIN: u8 = b'L';
