//! What a user can set about a connection.

use core::num::{NonZeroU8, NonZeroU16, NonZeroU32};

use super::rtt::MinRto;
use crate::time::Duration;

/// The settings of one socket; they survive from one connection to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Give up when sent data stays unacknowledged for this long (RFC 9293, section 3.9.1, user timeout).
    pub(crate) user_timeout: Option<Millis>,
    /// Probe a peer that was silent for this long (RFC 9293, section 3.8.4).
    #[cfg(feature = "tcp-keep-alive")]
    pub(super) keep_alive: Option<Millis>,
    /// Give up after this many unanswered probes.
    #[cfg(feature = "tcp-keep-alive")]
    pub(super) keep_alive_probes: u8,
    /// As its user has chosen it.
    pub(crate) hop_limit: Option<NonZeroU8>,
    /// Differentiated services code point (RFC 9293, section 3.9.1.9), six bits.
    pub(crate) dscp: u8,
    /// Hold back small segments while data is unacknowledged (RFC 9293, section 3.7.4).
    pub(crate) nagle: bool,
    /// Acknowledge at latest after this long.
    pub(crate) ack_delay: Option<AckDelay>,
    pub(crate) congestion: CongestionControl,
    /// The retransmission timeout is at least this long (RFC 6298, section 2.4).
    pub(crate) min_rto: MinRto,
}

impl Options {
    pub(crate) const fn new(congestion: CongestionControl, min_rto: MinRto) -> Self {
        Self {
            user_timeout: None,
            #[cfg(feature = "tcp-keep-alive")]
            keep_alive: None,
            #[cfg(feature = "tcp-keep-alive")]
            keep_alive_probes: 8,
            hop_limit: None,
            dscp: 0,
            nagle: true,
            ack_delay: AckDelay::DEFAULT,
            congestion,
            min_rto,
        }
    }
}

/// How a connection finds out how much the path carries.
///
/// Which of them there are is up to features. The default is CUBIC where it is compiled in, as with most
/// hosts on the Internet, and NewReno otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CongestionControl {
    /// No limit but the peer's window. Only for links that are not shared with anybody.
    None,
    /// Reno with the recovery of RFC 6582 (RFC 5681). Small, and careful on long or fast paths.
    NewReno,
    /// CUBIC (RFC 9438) with HyStart++ (RFC 9406), paced.
    #[cfg(feature = "tcp-cubic")]
    Cubic,
    /// BBR (draft-ietf-ccwg-bbr), paced: goes by a model of the path, so that losses which are not due to
    /// congestion hardly slow it down, and fills links without filling their queues.
    #[cfg(feature = "tcp-bbr")]
    Bbr,
}

impl CongestionControl {
    #[cfg(feature = "tcp-cubic")]
    pub(crate) const DEFAULT: Self = Self::Cubic;
    #[cfg(not(feature = "tcp-cubic"))]
    pub(crate) const DEFAULT: Self = Self::NewReno;
}

impl Default for CongestionControl {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How long an acknowledgment may wait, in milliseconds. RFC 9293, section 3.8.6.3: "MUST be less than 0.5 seconds".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AckDelay(NonZeroU16);

impl AckDelay {
    /// As Linux.
    const DEFAULT: Option<Self> = match NonZeroU16::new(40) {
        Some(millis) => Some(Self(millis)),
        None => None,
    };
}

impl From<Duration> for AckDelay {
    /// Rounds up, to one at least: no delay becomes none.
    fn from(span: Duration) -> Self {
        let millis = span.as_micros().div_ceil(1_000).clamp(1, LONGEST_ACK_DELAY);
        Self(NonZeroU16::new(millis as u16).unwrap_or(NonZeroU16::MIN))
    }
}

impl From<AckDelay> for Duration {
    fn from(delay: AckDelay) -> Self {
        Self::from_millis(delay.0.get().into())
    }
}

/// In milliseconds.
const LONGEST_ACK_DELAY: u64 = 499;

/// A span in milliseconds, in four bytes: settings need neither more range nor more resolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Millis(NonZeroU32);

impl From<Duration> for Millis {
    /// Rounds up, to one at least: no span becomes none. Half of the range at most, so that a clock of as many bits
    /// tells what is to come from what is over.
    fn from(span: Duration) -> Self {
        let millis = span.as_micros().div_ceil(1_000);
        let millis = millis.min(u64::from(u32::MAX / 2)) as u32;
        Self(NonZeroU32::new(millis).unwrap_or(NonZeroU32::MIN))
    }
}

impl From<Millis> for Duration {
    fn from(millis: Millis) -> Self {
        Self::from_millis(u64::from(millis.0.get()))
    }
}
