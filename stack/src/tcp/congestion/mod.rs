//! How much may be in flight: one seam for all algorithms, chosen per socket.
//!
//! A controller owns `cwnd` and `ssthresh` and is told what happened; it never looks at segments, timers
//! or sequence numbers. What is lost, and when, is [`super::recovery`]'s to find out.

mod newreno;

use newreno::NewReno;

use super::CongestionControl;

/// The congestion controller of one connection.
#[derive(Clone, Debug)]
pub(crate) enum Controller {
    /// No limit.
    None,
    NewReno(NewReno),
}

/// What an acknowledgment of new data says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acked {
    /// Bytes acknowledged.
    pub(crate) bytes: u32,
    /// Whether the congestion window was what held the sender back; a window that is not used must not
    /// grow (RFC 7661, section 4).
    pub(crate) window_limited: bool,
}

impl Controller {
    pub(crate) fn new(kind: CongestionControl, mss: u32) -> Self {
        match kind {
            CongestionControl::None => Self::None,
            CongestionControl::NewReno => Self::NewReno(NewReno::new(mss)),
        }
    }

    /// Whether it limits anything at all.
    pub(crate) fn is_limiting(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// The congestion window in bytes.
    pub(crate) fn window(&self) -> u32 {
        match self {
            Self::None => UNLIMITED,
            Self::NewReno(c) => c.cwnd,
        }
    }

    /// The slow start threshold in bytes.
    pub(crate) fn ssthresh(&self) -> u32 {
        match self {
            Self::None => UNLIMITED,
            Self::NewReno(c) => c.ssthresh,
        }
    }

    /// The first round trip showed that the handshake was lost at least once (RFC 5681, section 3.1), or
    /// the path takes smaller segments than thought.
    pub(crate) fn restart(&mut self, mss: u32, initial_segments: u32) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.restart(mss, initial_segments),
        }
    }

    /// New data was acknowledged and nothing is being repaired.
    pub(crate) fn on_ack(&mut self, acked: Acked) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.on_ack(acked),
        }
    }

    /// A loss was found, with `flight` bytes out.
    pub(crate) fn on_loss(&mut self, flight: u32) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.on_loss(flight),
        }
    }

    /// Everything that was out when the loss was seen is acknowledged; `flight` bytes are out now.
    pub(crate) fn on_recovered(&mut self, flight: u32) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.on_recovered(flight),
        }
    }

    /// The retransmission timer expired with `flight` bytes out; `first`: for the first time for these.
    pub(crate) fn on_timeout(&mut self, flight: u32, first: bool) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.on_timeout(flight, first),
        }
    }

    /// The last reduction was a mistake.
    pub(crate) fn on_spurious(&mut self) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.on_spurious(),
        }
    }

    /// Nothing was sent for longer than a retransmission timeout (RFC 5681, section 4.1).
    pub(crate) fn on_idle(&mut self) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.on_idle(),
        }
    }
}

/// Beyond any window that TCP can advertise.
const UNLIMITED: u32 = u32::MAX / 2;

/// RFC 6928: ten segments.
pub(crate) const INITIAL_WINDOW_SEGMENTS: u32 = 10;

/// RFC 6928, section 2: `min (10*MSS, max (2*MSS, 14600))`.
fn initial_window(mss: u32) -> u32 {
    (INITIAL_WINDOW_SEGMENTS * mss).min((2 * mss).max(14_600))
}
