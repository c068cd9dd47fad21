//! The names of what goes wrong with packets that arrive.

/// Why a received packet went no further. Every drop has a name and a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Discard {
    /// The link's medium is not compiled in.
    UnsupportedMedium,
    /// A header is cut off, or a length in it cannot be true.
    Malformed,
    /// A checksum does not match.
    BadChecksum,
    /// The frame is for another station.
    NotForUs,
    /// The packet is for an address that is not ours; hosts do not forward.
    NotOurAddress,
    /// The packet is for a multicast group that was not joined.
    NotOurGroup,
    /// The packet is for a multicast group that was joined, from a source that is not wanted.
    UnwantedSource,
    /// A group management message that hosts have no use for, or that cannot be from this link.
    IgnoredIgmp,
    /// The same, of IPv6.
    IgnoredMld,
    /// The source or destination address cannot occur on a wire (RFC 1122, section 3.2.1.3).
    Martian,
    /// The link layer carries a protocol we do not speak.
    UnknownEtherType,
    /// An IP packet of a protocol we do not speak.
    UnknownProtocol,
    /// An extension header, or an option in one, that the packet may not have (RFC 8200, section 4).
    #[cfg(feature = "proto-ipv6")]
    ExtensionHeader,
    /// A neighbor discovery message that cannot come from a neighbor, or contradicts itself (RFC 4861,
    /// sections 6.1, 7.1 and 8.1).
    #[cfg(feature = "proto-ipv6")]
    InvalidNeighborMessage,
    /// A router, or a route behind one, for which a router advertisement found no room (`ROUTER_COUNT`,
    /// `ROUTER_ROUTE_COUNT`). The rest of it is taken.
    #[cfg(feature = "slaac")]
    TooManyRouters,
    /// A prefix, or an address made from it, for which a router advertisement found no room (`PREFIX_COUNT`,
    /// `IFACE_MAX_ADDR_COUNT`). The rest of it is taken.
    #[cfg(feature = "slaac")]
    TooManyPrefixes,
    /// A fragment, for which there is no memory: fragments are not put together.
    Fragment,
    /// A fragment that is there already.
    DuplicateFragment,
    /// A fragment that contradicts another about the content or the length of their datagram, which is
    /// given up (RFC 5722).
    FragmentOverlap,
    /// A fragment of a datagram that was given up.
    FragmentOfNothing,
    /// A fragment of a datagram that is longer than `REASSEMBLY_BUFFER_SIZE`.
    FragmentsTooLong,
    /// A fragment that leaves more gaps than `ASSEMBLER_MAX_SEGMENT_COUNT` allows; its datagram is given up.
    TooManyFragments,
    /// A router marked part of a datagram as congested that does not take part in that; it is dropped whole
    /// (RFC 3168, section 5.3).
    FragmentsCongested,
    /// A datagram in fragments that made room for another (`REASSEMBLY_BUFFER_COUNT`).
    FragmentsEvicted,
    /// A datagram whose last fragment did not come in time.
    ReassemblyTimeout,
    /// No socket is bound to the port.
    NoSocket,
    /// The socket's receive queue is full.
    ReceiveQueueFull,
    /// The datagram does not fit the socket's receive buffer at all.
    TooLongForSocket,
    /// An ICMP error that does not belong to anything we sent, or that nobody listens to.
    UnmatchedIcmp,
    /// An ICMP message of a type we do not act on.
    UnknownIcmp,
    /// Neighbor information that we did not ask for and do not believe.
    UnsolicitedNeighbor,
    /// Somebody else uses one of our addresses.
    AddressConflict,
    /// There was no room to send an answer; the peer will ask again.
    NoRoomToReply,
    /// An answer is longer than one packet and than `FRAGMENTATION_BUFFER_SIZE`.
    ReplyTooLong,
    /// An answer was left out to keep within a rate limit.
    RateLimited,
    /// A TCP segment outside the receive window (RFC 9293, section 3.10.7.4).
    OutOfWindow,
    /// A TCP segment with nothing new in it.
    DuplicateSegment,
    /// A TCP segment with an older timestamp than one before it (RFC 7323, section 5.3).
    OldTimestamp,
    /// A TCP segment without the timestamp that was agreed on (RFC 7323, section 3.2).
    MissingTimestamp,
    /// A reset whose sequence number is not the next expected (RFC 5961, section 3.2).
    InexactReset,
    /// A SYN on an established connection (RFC 5961, section 4.2).
    UnexpectedSyn,
    /// An acknowledgment of something never sent, or too old (RFC 5961, section 5.2).
    BadAck,
    /// A TCP segment without ACK where there must be one.
    MissingAck,
    /// Data for which there is no room, or a gap too many.
    NoRoomForData,
    /// Data after both sides are done.
    DataAfterFin,
    /// Data that arrived after its user had closed the connection.
    DataAfterClose,
    /// A connection request that found its listener's backlog full.
    BacklogFull,
    /// A connection request that found the table of half-open connections full, and got no cookie.
    HalfOpenTableFull,
    /// An acknowledgment that completes no handshake, while connection requests are answered with
    /// cookies: its cookie is forged or too old.
    BadSynCookie,
    /// A DHCP message that answers nothing that was asked, or gives what cannot be used; or, to a server, one
    /// that is for another or from a client that others may know.
    UnmatchedDhcp,
    /// A DHCP client that asked this server for an address when there was none left.
    DhcpPoolExhausted,
    /// What came from a DNS server, to where an answer was expected, and is none to what was asked.
    UnmatchedDns,
    /// A connection was complete but had no buffers or no slot to go to; its peer will try again.
    NoConnectionSlot,
}
