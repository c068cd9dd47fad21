//! The records of a responder, and sets of them.

use cygnet_config::MDNS_SERVICE_COUNT;

/// One record, or the addresses of the host, which go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnRecordId {
    /// The host's addresses.
    Addresses,
    /// That the host has no others.
    HostHasNoOther,
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
            Self::Addresses => 0,
            Self::HostHasNoOther => 1,
            Self::Pointer(n) => 2 + 5 * n,
            Self::Location(n) => 3 + 5 * n,
            Self::Text(n) => 4 + 5 * n,
            Self::Type(n) => 5 + 5 * n,
            Self::InstanceHasNoOther(n) => 6 + 5 * n,
        }
    }

    fn at(index: usize) -> Self {
        match (
            index,
            index.saturating_sub(2) / 5,
            index.saturating_sub(2) % 5,
        ) {
            (0, ..) => Self::Addresses,
            (1, ..) => Self::HostHasNoOther,
            (_, n, 0) => Self::Pointer(n),
            (_, n, 1) => Self::Location(n),
            (_, n, 2) => Self::Text(n),
            (_, n, 3) => Self::Type(n),
            (_, n, _) => Self::InstanceHasNoOther(n),
        }
    }

    /// Whether others may have such a record too: it is not ours alone (RFC 6762 section 2).
    pub(super) fn is_shared(self) -> bool {
        matches!(self, Self::Pointer(_) | Self::Type(_))
    }

    /// For how many seconds it holds (section 10): two minutes for what names a host, else 75.
    pub(super) fn ttl(self) -> u32 {
        match self {
            Self::Addresses | Self::HostHasNoOther | Self::Location(_) => 120,
            Self::Pointer(_) | Self::Text(_) | Self::Type(_) | Self::InstanceHasNoOther(_) => 4500,
        }
    }
}

impl RecordSet {
    pub(super) const EMPTY: Self = Self(0);

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
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
pub(super) const RECORDS: usize = 2 + 5 * MDNS_SERVICE_COUNT;

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
            assert!(set.iter().eq([record]));
            assert!(set.without(record).is_empty());
        }
    }
}
