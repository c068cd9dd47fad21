//! The timers of one connection.

// Where there are many, in little room.
#[cfg_attr(
    not(any(feature = "tcp-rack", feature = "tcp-cubic", feature = "tcp-bbr")),
    path = "timers/plain.rs"
)]
mod table;

pub(crate) use table::Timers;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Segments that others overtook are lost unless they come in by now (RFC 8985, section 6.3).
    #[cfg(feature = "tcp-rack")]
    Reorder,
    /// The tail of what was sent may be lost (RFC 8985, section 7.3), or of what was sent again. Before the
    /// retransmission timer where both are due: it puts that off.
    #[cfg(feature = "tcp-rack")]
    LossProbe,
    /// Data is unacknowledged (RFC 6298), or a SYN or FIN is. With nothing in flight: data waits for a window
    /// that the peer may have forgotten to open (RFC 9293, section 3.8.6.1), or for enough of it to be worth
    /// a segment (section 3.8.6.2.1).
    Retransmit,
    /// Received data waits for its acknowledgment (RFC 9293, section 3.8.6.3).
    DelayedAck,
    /// The next segments may leave.
    #[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
    Pacing,
    /// The peer has been silent (RFC 9293, section 3.8.4).
    #[cfg(feature = "tcp-keep-alive")]
    KeepAlive,
    /// The user's patience ends (RFC 9293, section 3.9.1). In FIN-WAIT-2, where nothing is left to be patient
    /// with: the peer never ends its side (not in the RFC, in every implementation).
    User,
}

const COUNT: usize = ALL.len();
const ALL: &[Timer] = &[
    #[cfg(feature = "tcp-rack")]
    Timer::Reorder,
    #[cfg(feature = "tcp-rack")]
    Timer::LossProbe,
    Timer::Retransmit,
    Timer::DelayedAck,
    #[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
    Timer::Pacing,
    #[cfg(feature = "tcp-keep-alive")]
    Timer::KeepAlive,
    Timer::User,
];

#[cfg(test)]
mod tests;
