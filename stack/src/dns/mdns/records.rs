//! The records of a responder, and sets of them.

use cygnet_config::{IFACE_MAX_ADDR_COUNT, MDNS_SERVICE_COUNT};

/// One record, or the addresses of the host of one version, which go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnRecordId {
    /// The host's IPv4 addresses.
    Ipv4,
    /// The host's IPv6 addresses.
    Ipv6,
    /// That the host has no others.
    HostHasNoOther,
    /// From an address to the host.
    Reverse(usize),
    /// From the type of the service to its instance.
    Pointer(usize),
    /// Where the service is.
    Location(usize),
    /// What it says of itself.
    Text(usize),
    /// From the list of all types to that of the service (RFC 6763 section 9).
    Type(usize),
    /// That the instance has no other records.
    InstanceHasNoOther(usize),
}

/// A set of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RecordSet(u64);

impl OwnRecordId {
    /// Where it stands among all.
    pub(super) fn index(self) -> usize {
        match self {
            Self::Ipv4 => 0,
            Self::Ipv6 => 1,
            Self::HostHasNoOther => 2,
            Self::Reverse(n) => 3 + n,
            Self::Pointer(n) => SERVICES + 5 * n,
            Self::Location(n) => SERVICES + 5 * n + 1,
            Self::Text(n) => SERVICES + 5 * n + 2,
            Self::Type(n) => SERVICES + 5 * n + 3,
            Self::InstanceHasNoOther(n) => SERVICES + 5 * n + 4,
        }
    }

    fn at(index: usize) -> Self {
        let Some(index) = index.checked_sub(SERVICES) else {
            return match index {
                0 => Self::Ipv4,
                1 => Self::Ipv6,
                2 => Self::HostHasNoOther,
                _ => Self::Reverse(index - 3),
            };
        };
        let n = index / 5;
        match index % 5 {
            0 => Self::Pointer(n),
            1 => Self::Location(n),
            2 => Self::Text(n),
            3 => Self::Type(n),
            _ => Self::InstanceHasNoOther(n),
        }
    }

    /// Whether others may have such a record too: it is not ours alone (RFC 6762 section 2).
    pub(super) fn is_shared(self) -> bool {
        matches!(self, Self::Pointer(_) | Self::Type(_))
    }

    /// For how many seconds it holds (section 10): two minutes for what names a host, else 75.
    pub(super) fn ttl(self) -> u32 {
        match self {
            Self::Ipv4
            | Self::Ipv6
            | Self::HostHasNoOther
            | Self::Reverse(_)
            | Self::Location(_) => 120,
            Self::Pointer(_) | Self::Text(_) | Self::Type(_) | Self::InstanceHasNoOther(_) => 4500,
        }
    }
}

impl RecordSet {
    pub(super) const EMPTY: Self = Self(0);

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn contains(self, record: OwnRecordId) -> bool {
        self.0 & (1 << record.index()) != 0
    }

    #[must_use]
    pub(super) fn with(self, record: OwnRecordId) -> Self {
        Self(self.0 | (1 << record.index()))
    }

    #[must_use]
    pub(super) fn without(self, record: OwnRecordId) -> Self {
        Self(self.0 & !(1 << record.index()))
    }

    #[must_use]
    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub(super) fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = OwnRecordId> {
        (0..RECORDS)
            .filter(move |index| self.0 & (1 << index) != 0)
            .map(OwnRecordId::at)
    }
}

/// How many there are.
pub(super) const RECORDS: usize = SERVICES + 5 * MDNS_SERVICE_COUNT;

/// Where those of services begin.
const SERVICES: usize = 3 + REVERSES;

/// The addresses that can be asked about; the others have no record that leads from them to the host.
pub(super) const REVERSES: usize = if IFACE_MAX_ADDR_COUNT < 8 {
    IFACE_MAX_ADDR_COUNT
} else {
    8
};

const _: () = assert!(RECORDS <= 64, "a set has a bit for each record");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_knows_its_records() {
        for index in 0..RECORDS {
            let record = OwnRecordId::at(index);
            assert_eq!(record.index(), index);
            let set = RecordSet::EMPTY.with(record);
            assert!(set.iter().eq([record]) && set.contains(record));
            assert!(set.without(record).is_empty());
        }
    }
}
