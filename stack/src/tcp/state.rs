//! The states of RFC 9293, section 3.3.2, how a connection ends, and what can be asked about it.

use crate::time::Duration;

/// The state of a connection.
///
/// ```text
///                              +---------+ ---------\      active OPEN
///                              |  CLOSED |            \    -----------
///                              +---------+<---------\   \   create TCB
///                                |     ^              \   \  snd SYN
///                   passive OPEN |     |   CLOSE        \   \
///                                V     |                  \   \
///           rcv SYN (half-open +---------+                 |    V
///           record)            |  LISTEN |          +---------+
///                   -----------|         |          | SYN-SENT|
///                  |           +---------+          +---------+
///                  V                                  |     |
///          +-----------+   rcv SYN, snd SYN+ACK       |     |
///          |SYN-RECEIVED|<-----------------------------     |
///          +-----------+                                    |
///             |    rcv ACK    +---------+   rcv SYN+ACK     |
///              -------------->|  ESTAB  |<------------------
///     CLOSE, snd FIN          +---------+          rcv FIN, snd ACK
///         +-------------------|         |-------------------+
///         V                   +---------+                   V
///    +---------+  rcv FIN    +-----------+             +-----------+
///    |FINWAIT-1|------------>|  CLOSING  |             |CLOSE-WAIT |
///    +---------+             +-----------+             +-----------+
///  ACK | of FIN                    | ACK of FIN    CLOSE | snd FIN
///      V                           V                     V
///    +---------+  rcv FIN    +-----------+             +-----------+
///    |FINWAIT-2|------------>| TIME-WAIT |             | LAST-ACK  |--> CLOSED
///    +---------+             +-----------+             +-----------+
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum State {
    // In the order in which sides are there: none, one, both; before those that send, the one where all of it is
    // acknowledged. Nearly each question about them is a comparison then.
    /// No connection.
    #[default]
    Closed,
    /// Both sides are done. A record without buffers answers late segments for two maximum segment
    /// lifetimes; the socket itself is free to be used again.
    TimeWait,
    /// Waiting for a peer to connect.
    Listen,
    /// A connection request was sent.
    SynSent,
    /// Connection requests crossed each other (simultaneous open).
    SynReceived,
    /// Our side is done sending; the peer may go on.
    FinWait2,
    /// Data flows both ways.
    Established,
    /// Our side is done sending; the peer has not acknowledged that yet.
    FinWait1,
    /// The peer is done sending; our side may go on.
    CloseWait,
    /// Both sides are done; the peer has not acknowledged that yet.
    Closing,
    /// Both sides are done, the peer first; it has not acknowledged our end yet.
    LastAck,
}

impl State {
    /// Whether there is no connection any more, or none yet.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Listen | Self::TimeWait)
    }

    /// Whether both sides know each other's sequence numbers.
    pub(crate) fn is_synchronized(self) -> bool {
        !matches!(self, Self::SynSent | Self::SynReceived) && !self.is_over()
    }

    /// Whether the peer can still send data.
    pub(crate) fn can_receive(self) -> bool {
        matches!(self, Self::Established | Self::FinWait1 | Self::FinWait2)
    }

    /// Whether the user can still send data.
    pub(crate) fn can_send(self) -> bool {
        matches!(
            self,
            Self::SynSent | Self::SynReceived | Self::Established | Self::CloseWait
        )
    }
}

/// How a connection ended when it did not end orderly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ConnectionError {
    /// The peer refused the connection.
    Refused,
    /// The peer reset the connection.
    Reset,
    /// The connection was aborted on this side.
    Aborted,
    /// The peer stopped answering.
    TimedOut,
    /// The network reported that the peer cannot be reached.
    Unreachable,
    /// The local address is gone.
    AddressGone,
}

impl core::fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Refused => "connection refused by the peer",
            Self::Reset => "connection reset by the peer",
            Self::Aborted => "connection aborted on this side",
            Self::TimedOut => "the peer stopped answering",
            Self::Unreachable => "the peer cannot be reached",
            Self::AddressGone => "the local address is gone",
        })
    }
}

impl core::error::Error for ConnectionError {}

/// A look into a connection, for diagnosis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Info {
    /// Where the connection is in its life.
    pub state: State,
    /// Smoothed round-trip time (RFC 6298), `None` before the first measurement.
    pub srtt: Option<Duration>,
    /// Variation of the round-trip time.
    pub rttvar: Duration,
    /// Retransmission timeout as it is now, backed off.
    pub rto: Duration,
    /// Congestion window in bytes.
    pub cwnd: u32,
    /// Slow start threshold in bytes.
    pub ssthresh: u32,
    /// Bytes sent and not acknowledged.
    pub in_flight: u32,
    /// Segments retransmitted since the connection was opened; always 0 without the feature `stats`.
    pub retransmits: u32,
    /// The peer's receive window in bytes.
    pub send_window: u32,
    /// Our receive window in bytes, as last advertised.
    pub receive_window: u32,
    /// The longest payload in bytes that is sent in one segment.
    pub mss: u16,
    /// Bytes written and not yet acknowledged.
    pub send_queue: usize,
    /// Bytes received and not yet read.
    pub receive_queue: usize,
    /// Whether both sides send timestamps (RFC 7323).
    pub timestamps: bool,
    /// Whether both sides accept selective acknowledgments (RFC 2018).
    pub sack: bool,
    /// Whether both sides understand congestion notification (RFC 3168).
    pub ecn: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9293, section 3.3.2.
    #[test]
    fn what_can_be_said_of_each_state() {
        for (state, is_over, is_synchronized, can_receive, can_send) in [
            (State::Closed, true, false, false, false),
            (State::Listen, true, false, false, false),
            (State::TimeWait, true, false, false, false),
            (State::SynSent, false, false, false, true),
            (State::SynReceived, false, false, false, true),
            (State::Established, false, true, true, true),
            (State::FinWait1, false, true, true, false),
            (State::FinWait2, false, true, true, false),
            (State::CloseWait, false, true, false, true),
            (State::Closing, false, true, false, false),
            (State::LastAck, false, true, false, false),
        ] {
            let said = (
                state.is_over(),
                state.is_synchronized(),
                state.can_receive(),
                state.can_send(),
            );
            let expected = (is_over, is_synchronized, can_receive, can_send);
            assert_eq!(said, expected, "{state:?}");
        }
    }
}
