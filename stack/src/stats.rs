//! What the stack counts: frames and packets that pass, and the name of every one that does not.

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

/// How many there are.
const DISCARDS: usize = Discard::NoConnectionSlot as usize + 1;

/// Counters since the stack was created. All wrap around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Stats {
    /// Frames taken from the driver.
    pub received: u32,
    /// Frames handed to the driver.
    pub sent: u32,
    /// Packets given up because their next hop did not answer.
    pub unreachable: u32,
    /// Packets given up because there is no route to their destination.
    pub no_route: u32,
    /// TCP segments sent more than once.
    pub retransmits: u32,
    /// Connection requests that found the table of half-open connections full, and were answered with a
    /// SYN cookie.
    #[cfg(feature = "tcp-syn-cookies")]
    pub syn_cookies_sent: u32,
    /// Connections that came about by such a cookie.
    #[cfg(feature = "tcp-syn-cookies")]
    pub syn_cookies_accepted: u32,
    /// Connections that came about by data on a connection request (RFC 7413).
    #[cfg(feature = "tcp-fast-open")]
    pub fast_opens: u32,
    /// Retransmission timeouts of TCP (RFC 6298): nothing else showed that something was lost.
    pub timeouts: u32,
    /// Times that TCP began to repair a loss which later arrivals had shown (fast recovery).
    pub fast_recoveries: u32,
    /// Tail loss probes (RFC 8985, section 7).
    pub tail_probes: u32,
    /// Probes of a receive window that is closed, or too small to be worth a segment.
    pub window_probes: u32,
    /// Times that TCP segments were found to have overtaken others on their way (RFC 8985, section 6.2).
    pub reorderings: u32,
    /// Times that a peer threw away what it had reported as received (RFC 2018, section 8).
    pub reneges: u32,
    /// Times that a repair turned out needless, because the peer reported that everything sent again had
    /// arrived twice (RFC 3708): the congestion window is what it was before.
    pub undos_by_dsack: u32,
    /// The same because acknowledgments were for what was sent first, by their timestamps (RFC 3522) or
    /// their order (RFC 5682).
    pub undos_by_acks: u32,
    discarded: Discarded,
}

/// Arrays beyond 32 elements have no `Default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Discarded([u32; DISCARDS]);

impl Default for Discarded {
    fn default() -> Self {
        Self([0; DISCARDS])
    }
}

impl Stats {
    /// How many received packets went no further for that reason.
    pub fn discarded(&self, reason: Discard) -> u32 {
        self.discarded.0[reason as usize]
    }

    /// How many received packets went no further for any reason.
    pub fn discarded_total(&self) -> u32 {
        self.discarded
            .0
            .iter()
            .fold(0, |sum, n| sum.wrapping_add(*n))
    }

    /// Adds what a connection noted.
    pub(crate) fn add(&mut self, tally: Tally) {
        for (bit, counter) in [
            (Tally::TIMEOUT, &mut self.timeouts),
            (Tally::FAST_RECOVERY, &mut self.fast_recoveries),
            #[cfg(feature = "tcp-rack")]
            (Tally::TAIL_PROBE, &mut self.tail_probes),
            (Tally::WINDOW_PROBE, &mut self.window_probes),
            #[cfg(feature = "tcp-rack")]
            (Tally::REORDERING, &mut self.reorderings),
            (Tally::RENEGE, &mut self.reneges),
            #[cfg(feature = "tcp-undo")]
            (Tally::UNDO_BY_DSACK, &mut self.undos_by_dsack),
            #[cfg(feature = "tcp-undo")]
            (Tally::UNDO_BY_ACKS, &mut self.undos_by_acks),
        ] {
            *counter = counter.wrapping_add(u32::from(tally.contains(bit)));
        }
    }

    pub(crate) fn discard(&mut self, reason: Discard) {
        let counter = &mut self.discarded.0[reason as usize];
        *counter = counter.wrapping_add(1);
    }
}

/// What a connection has for the counters since it was last asked, as a set: seldom anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally(u8);

impl Tally {
    /// The retransmission timer expired.
    pub(crate) const TIMEOUT: Self = Self(1);
    /// A loss was found by what arrived later.
    pub(crate) const FAST_RECOVERY: Self = Self(2);
    /// A tail loss probe was sent.
    pub(crate) const TAIL_PROBE: Self = Self(4);
    /// A closed window was probed.
    pub(crate) const WINDOW_PROBE: Self = Self(8);
    /// Segments overtook each other.
    pub(crate) const REORDERING: Self = Self(16);
    /// The peer threw away what it had reported as received.
    pub(crate) const RENEGE: Self = Self(32);
    /// Everything sent again had arrived twice.
    pub(crate) const UNDO_BY_DSACK: Self = Self(64);
    /// What was sent first was acknowledged.
    pub(crate) const UNDO_BY_ACKS: Self = Self(128);

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn contains(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl core::ops::BitOrAssign for Tally {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}
