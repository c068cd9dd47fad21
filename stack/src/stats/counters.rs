//! The counters, and what connections note for them.

use super::{Counted, Discard};

/// Counters since the stack was created. All wrap around.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Stats {
    /// Frames taken from the driver.
    pub received: u32,
    /// Frames handed to the driver.
    pub sent: u32,
    /// Frames lost because the driver did not take them, although it had said that there was room
    /// (`Driver::transmit_room`): a fault of the driver.
    pub refused: u32,
    /// Packets given up because their next hop did not answer.
    pub unreachable: u32,
    /// Packets given up because there is no route to their destination.
    pub no_route: u32,
    /// Packets given up because their socket had been dropped and they could not leave in time, or another socket
    /// needed its slot.
    pub abandoned: u32,
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
    #[inline(never)]
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

    #[inline]
    pub(crate) fn count(&mut self, what: Counted) {
        let counter = match what {
            Counted::Received => &mut self.received,
            Counted::Sent => &mut self.sent,
            Counted::Refused => {
                self.sent = self.sent.wrapping_sub(1);
                &mut self.refused
            }
            #[cfg(feature = "medium-ethernet")]
            Counted::Unreachable => &mut self.unreachable,
            Counted::NoRoute => &mut self.no_route,
            #[cfg(any(
                feature = "socket-udp",
                feature = "socket-icmp",
                feature = "socket-raw"
            ))]
            Counted::Abandoned => &mut self.abandoned,
            #[cfg(feature = "socket-tcp")]
            Counted::Retransmit => &mut self.retransmits,
            #[cfg(feature = "tcp-syn-cookies")]
            Counted::SynCookieSent => &mut self.syn_cookies_sent,
            #[cfg(feature = "tcp-syn-cookies")]
            Counted::SynCookieAccepted => &mut self.syn_cookies_accepted,
            #[cfg(feature = "tcp-fast-open")]
            Counted::FastOpen => &mut self.fast_opens,
        };
        *counter = counter.wrapping_add(1);
    }

    pub(crate) fn discard(&mut self, reason: Discard) {
        let counter = &mut self.discarded.0[reason as usize];
        *counter = counter.wrapping_add(1);
    }
}

/// How often something happened to one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count(u32);

impl Count {
    pub(crate) fn up(&mut self) {
        self.0 = self.0.wrapping_add(1);
    }

    pub(crate) fn get(self) -> u32 {
        self.0
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

    pub(crate) fn contains(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl core::ops::BitOrAssign for Tally {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// How many there are.
const DISCARDS: usize = Discard::NoConnectionSlot as usize + 1;
