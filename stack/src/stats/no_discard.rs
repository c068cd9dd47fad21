//! In place of `discard`, where nothing counts or tells reasons: all are one, and take no room and no instruction.

/// That a received packet went no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Discard(());

#[allow(non_upper_case_globals, reason = "the names of variants")]
#[allow(dead_code, reason = "some are those of features")]
impl Discard {
    pub(crate) const UnsupportedMedium: Self = Self(());
    pub(crate) const Malformed: Self = Self(());
    pub(crate) const BadChecksum: Self = Self(());
    pub(crate) const NotForUs: Self = Self(());
    pub(crate) const NotOurAddress: Self = Self(());
    pub(crate) const NotOurGroup: Self = Self(());
    pub(crate) const UnwantedSource: Self = Self(());
    pub(crate) const IgnoredIgmp: Self = Self(());
    pub(crate) const IgnoredMld: Self = Self(());
    pub(crate) const Martian: Self = Self(());
    pub(crate) const UnknownEtherType: Self = Self(());
    pub(crate) const UnknownProtocol: Self = Self(());
    pub(crate) const ExtensionHeader: Self = Self(());
    pub(crate) const InvalidNeighborMessage: Self = Self(());
    pub(crate) const TooManyRouters: Self = Self(());
    pub(crate) const TooManyPrefixes: Self = Self(());
    pub(crate) const Fragment: Self = Self(());
    pub(crate) const DuplicateFragment: Self = Self(());
    pub(crate) const FragmentOverlap: Self = Self(());
    pub(crate) const FragmentOfNothing: Self = Self(());
    pub(crate) const FragmentsTooLong: Self = Self(());
    pub(crate) const TooManyFragments: Self = Self(());
    pub(crate) const FragmentsCongested: Self = Self(());
    pub(crate) const FragmentsEvicted: Self = Self(());
    pub(crate) const ReassemblyTimeout: Self = Self(());
    pub(crate) const NoSocket: Self = Self(());
    pub(crate) const ReceiveQueueFull: Self = Self(());
    pub(crate) const TooLongForSocket: Self = Self(());
    pub(crate) const UnmatchedIcmp: Self = Self(());
    pub(crate) const UnknownIcmp: Self = Self(());
    pub(crate) const UnsolicitedNeighbor: Self = Self(());
    pub(crate) const AddressConflict: Self = Self(());
    pub(crate) const NoRoomToReply: Self = Self(());
    pub(crate) const ReplyTooLong: Self = Self(());
    pub(crate) const RateLimited: Self = Self(());
    pub(crate) const OutOfWindow: Self = Self(());
    pub(crate) const DuplicateSegment: Self = Self(());
    pub(crate) const OldTimestamp: Self = Self(());
    pub(crate) const MissingTimestamp: Self = Self(());
    pub(crate) const InexactReset: Self = Self(());
    pub(crate) const UnexpectedSyn: Self = Self(());
    pub(crate) const BadAck: Self = Self(());
    pub(crate) const MissingAck: Self = Self(());
    pub(crate) const NoRoomForData: Self = Self(());
    pub(crate) const DataAfterFin: Self = Self(());
    pub(crate) const DataAfterClose: Self = Self(());
    pub(crate) const BacklogFull: Self = Self(());
    pub(crate) const HalfOpenTableFull: Self = Self(());
    pub(crate) const BadSynCookie: Self = Self(());
    pub(crate) const UnmatchedDhcp: Self = Self(());
    pub(crate) const DhcpPoolExhausted: Self = Self(());
    pub(crate) const UnmatchedDns: Self = Self(());
    pub(crate) const NoConnectionSlot: Self = Self(());
}
