//! What the stack counts: frames and packets that pass, and the name of every one that does not.
//!
//! The counters are there with the feature `stats`, the names where something counts or tells them.

#[cfg(feature = "stats")]
mod counters;
#[cfg_attr(
    not(any(feature = "stats", feature = "log", feature = "defmt", test)),
    path = "stats/no_discard.rs"
)]
mod discard;
#[cfg(not(feature = "stats"))]
mod no_counters;

#[cfg(feature = "stats")]
pub use self::counters::Stats;
#[cfg(feature = "stats")]
pub(crate) use self::counters::{Count, Tally};
#[cfg(any(feature = "stats", feature = "log", feature = "defmt", test))]
pub use self::discard::Discard;
#[cfg(not(any(feature = "stats", feature = "log", feature = "defmt", test)))]
pub(crate) use self::discard::Discard;
#[cfg(not(feature = "stats"))]
pub(crate) use self::no_counters::{Count, Stats, Tally};

/// What is counted and no drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// A frame was taken from the driver.
    Received,
    /// A frame was handed to the driver.
    Sent,
    /// It did not take it, although it had said that there was room.
    Refused,
    /// A packet was given up because its next hop did not answer.
    #[cfg(feature = "medium-ethernet")]
    Unreachable,
    /// A packet was given up because there is no route.
    NoRoute,
    /// A packet was given up whose socket was dropped.
    #[cfg(any(
        feature = "socket-udp",
        feature = "socket-icmp",
        feature = "socket-raw"
    ))]
    Abandoned,
    /// A TCP segment was sent once more.
    #[cfg(feature = "socket-tcp")]
    Retransmit,
    /// A connection request was answered with a SYN cookie.
    #[cfg(feature = "tcp-syn-cookies")]
    SynCookieSent,
    /// A connection came about by one.
    #[cfg(feature = "tcp-syn-cookies")]
    SynCookieAccepted,
    /// A connection came about by data on its request.
    #[cfg(feature = "tcp-fast-open")]
    FastOpen,
}
