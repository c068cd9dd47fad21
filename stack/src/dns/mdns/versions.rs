//! Over which versions of IP everybody is talked to.
//!
//! RFC 6762 section 20: a host with both "can participate in both ".local." zones, and should register its
//! name(s) and perform its lookups both using IPv4 and IPv6". So it has one set of names, and says whatever it
//! says to everybody twice.

use crate::wire::{IpAddress, IpVersion};

/// A set of versions of IP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    ipv4: bool,
    ipv6: bool,
}

impl Versions {
    pub(crate) const NONE: Self = Self {
        ipv4: false,
        ipv6: false,
    };

    /// The versions of these addresses.
    pub(crate) fn of(addresses: impl Iterator<Item = IpAddress>) -> Self {
        addresses.fold(Self::default(), |mut versions, address| {
            *versions.bit(address.version()) = true;
            versions
        })
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    pub(crate) fn has(mut self, version: IpVersion) -> bool {
        *self.bit(version)
    }

    /// Whether it has some that `other` has not.
    pub(crate) fn has_more_than(self, other: Self) -> bool {
        (self.ipv4 && !other.ipv4) || (self.ipv6 && !other.ipv6)
    }

    /// The one that has its turn.
    pub(crate) fn first(self) -> Option<IpVersion> {
        match self {
            #[cfg(feature = "proto-ipv6")]
            Self { ipv6: true, .. } => Some(IpVersion::Ipv6),
            Self { ipv4: true, .. } => Some(IpVersion::Ipv4),
            _ => None,
        }
    }

    /// Those that have their turn after the first.
    #[must_use]
    pub(crate) fn rest(mut self) -> Self {
        if let Some(first) = self.first() {
            *self.bit(first) = false;
        }
        self
    }

    fn bit(&mut self, version: IpVersion) -> &mut bool {
        match version {
            IpVersion::Ipv4 => &mut self.ipv4,
            #[cfg(feature = "proto-ipv6")]
            IpVersion::Ipv6 => &mut self.ipv6,
        }
    }
}
