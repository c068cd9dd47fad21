//! How much may be in flight, and how fast it goes out: one seam for all algorithms, chosen per socket.
//!
//! A controller owns `cwnd` and `ssthresh` and is told what happened; it never looks at segments, timers
//! or sequence numbers. What is lost, and when, is [`super::recovery`]'s to find out; how a rate becomes
//! times of departure is the connection's pacing.
//!
//! | event | call |
//! | --- | --- |
//! | anything arrived, or was found lost | [`Controller::on_ack`] |
//! | the first loss of a round was found | [`Controller::on_loss`] |
//! | all that was out at that time arrived | [`Controller::on_recovered`] |
//! | the retransmission timer expired | [`Controller::on_timeout`] |
//! | the last reduction was a mistake | [`Controller::on_spurious`] |
//! | data follows a silence | [`Controller::on_idle`] |

#[cfg(feature = "tcp-bbr")]
mod bbr;
#[cfg_attr(
    not(any(feature = "tcp-undo", feature = "tcp-cubic")),
    path = "no_before.rs"
)]
mod before;
#[cfg(feature = "tcp-cubic")]
mod cubic;
#[cfg(feature = "tcp-cubic")]
mod hystart;
mod newreno;
#[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
mod rate;
mod window;

#[cfg(feature = "tcp-bbr")]
use bbr::Bbr;
#[cfg(feature = "tcp-cubic")]
use cubic::Cubic;
use newreno::NewReno;

use super::CongestionControl;
use super::recovery::Prr;
use crate::time::Instant;
#[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
pub(super) use rate::{LONGEST_US, Rate};

/// The congestion controller of one connection.
#[derive(Clone, Debug)]
pub(crate) enum Controller {
    /// No limit.
    None,
    NewReno(NewReno),
    #[cfg(feature = "tcp-cubic")]
    Cubic(Cubic),
    #[cfg(feature = "tcp-bbr")]
    Bbr(Bbr),
}

/// What an acknowledgment says, or the passing of the time in which one should have come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ack {
    pub(crate) now: Instant,
    /// Bytes that let a window grow: those acknowledged in order or, on a path that reorders, those that arrived.
    pub(crate) acked: u32,
    /// Bytes that arrived, in whatever order.
    #[cfg(feature = "tcp-bbr")]
    pub(crate) delivered: u32,
    /// Bytes that turned out to be lost, as far as congestion can be the reason.
    #[cfg(feature = "tcp-bbr")]
    pub(crate) lost: u32,
    /// Bytes believed to be in the network now.
    pub(crate) in_flight: u32,
    /// The round trip that this measured, in microseconds.
    pub(crate) rtt: Option<u32>,
    /// The smoothed round trip in microseconds, 0 before there is one.
    pub(crate) srtt: u32,
    /// When the newest of what arrived was sent, in the low 32 bits of microseconds.
    #[cfg(feature = "tcp-bbr")]
    pub(crate) newest_sent: Option<u32>,
    /// Neither the window nor the peer holds the sender back: it has nothing to send.
    #[cfg(feature = "tcp-bbr")]
    pub(crate) app_limited: bool,
    /// Whether the congestion window was what held the sender back; a window that is not used must not
    /// grow (RFC 7661, section 4.3).
    pub(crate) window_limited: bool,
    pub(crate) growth: Growth,
}

/// What the state of the recovery means for a window that grows with acknowledgments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// Nothing is being repaired.
    Normal,
    /// What a timeout took for lost is being sent again.
    AfterTimeout,
    /// Not with this one: it repairs losses, or finds one, or acknowledges nothing.
    Held,
}

impl Controller {
    pub(crate) fn new(kind: CongestionControl, mss: u32) -> Self {
        match kind {
            CongestionControl::None => Self::None,
            CongestionControl::NewReno => Self::NewReno(NewReno::new(mss)),
            #[cfg(feature = "tcp-cubic")]
            CongestionControl::Cubic => Self::Cubic(Cubic::new(mss)),
            #[cfg(feature = "tcp-bbr")]
            CongestionControl::Bbr => Self::Bbr(Bbr::new(mss)),
        }
    }

    /// Whether it limits anything at all.
    pub(crate) fn is_limiting(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Proportional rate reduction, which meters what goes out during fast recovery. A controller that has
    /// a model of the path goes by that instead.
    pub(crate) fn prr(&self) -> Option<&Prr> {
        match self {
            Self::None => None,
            Self::NewReno(c) => Some(&c.window.prr),
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => Some(&c.window.prr),
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(_) => None,
        }
    }

    /// As [`Self::prr`], to tell it what happens.
    pub(crate) fn prr_mut(&mut self) -> Option<&mut Prr> {
        match self {
            Self::None => None,
            Self::NewReno(c) => Some(&mut c.window.prr),
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => Some(&mut c.window.prr),
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(_) => None,
        }
    }

    /// Whether what goes out is spread over time.
    #[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
    pub(crate) fn is_paced(&self) -> bool {
        match self {
            Self::None | Self::NewReno(_) => false,
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(_) => true,
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(_) => true,
        }
    }

    /// How fast segments may leave, with `srtt` in microseconds. `None`: as fast as they can.
    #[cfg(any(feature = "tcp-cubic", feature = "tcp-bbr"))]
    pub(crate) fn pacing_rate(&self, srtt: Option<u32>) -> Option<Rate> {
        match self {
            Self::None | Self::NewReno(_) => None,
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => Some(c.pacing_rate(srtt?)),
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(c) => c.pacing_rate(srtt),
        }
    }

    /// The congestion window in bytes.
    pub(crate) fn window(&self) -> u32 {
        match self {
            Self::None => UNLIMITED,
            Self::NewReno(c) => c.window.cwnd,
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => c.window.cwnd,
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(c) => c.window(),
        }
    }

    /// The slow start threshold in bytes.
    pub(crate) fn ssthresh(&self) -> u32 {
        match self {
            Self::None => UNLIMITED,
            Self::NewReno(c) => c.window.ssthresh,
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => c.window.ssthresh,
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(_) => UNLIMITED,
        }
    }

    /// The handshake was lost at least once: the initial window is one segment (RFC 5681, section 3.1).
    pub(crate) fn restart(&mut self) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.window.restart(),
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => c.window.restart(),
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(c) => c.restart(),
        }
    }

    /// Segments are `mss` bytes long from now on, for another reason than congestion: the window stays.
    pub(crate) fn set_mss(&mut self, mss: u32) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.window.set_mss(mss),
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => c.window.set_mss(mss),
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(c) => c.set_mss(mss),
        }
    }

    /// Something arrived, or was found to be lost.
    pub(crate) fn on_ack(&mut self, ack: &Ack) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.on_ack(ack),
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => c.on_ack(ack),
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(c) => c.on_ack(ack),
        }
    }

    /// A loss was found, with `flight` bytes out.
    pub(crate) fn on_loss(&mut self, flight: u32) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.on_loss(flight),
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => c.on_loss(flight),
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(c) => c.on_loss(),
        }
    }

    /// The peer reports that a router marked a packet (RFC 3168), with `flight` bytes out; once a window.
    #[cfg(feature = "tcp-ecn")]
    pub(crate) fn on_ecn(&mut self, flight: u32) {
        self.on_loss(flight);
    }

    /// Everything that was out when the loss was seen is acknowledged.
    pub(crate) fn on_recovered(&mut self) {
        match self {
            // RFC 9937, section 6: the window is the threshold that proportional rate reduction aimed at,
            // and has been since the loss was seen.
            Self::None | Self::NewReno(_) => {}
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(_) => {}
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(c) => c.on_recovered(),
        }
    }

    /// The retransmission timer expired with `flight` bytes out; `first`: for the first time for these.
    pub(crate) fn on_timeout(&mut self, flight: u32, first: bool) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.on_timeout(flight, first),
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => c.on_timeout(flight, first),
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(c) => c.on_timeout(first),
        }
    }

    /// Nothing was lost after all: the last [`Self::on_loss`] or [`Self::on_timeout`] answered to segments
    /// that were only late (RFC 3522, RFC 4015, RFC 5682, RFC 3708).
    pub(crate) fn on_spurious(&mut self) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.on_spurious(),
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => c.on_spurious(),
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(c) => c.on_spurious(),
        }
    }

    /// Data is sent after a silence of `timeouts` retransmission timeouts, at least one.
    pub(crate) fn on_idle(&mut self, timeouts: u32) {
        match self {
            Self::None => {}
            Self::NewReno(c) => c.window.on_idle(timeouts),
            #[cfg(feature = "tcp-cubic")]
            Self::Cubic(c) => c.window.on_idle(timeouts),
            // RFC 7661 is about windows that grow with acknowledgments. BBR knows the rate of the path,
            // and paces.
            #[cfg(feature = "tcp-bbr")]
            Self::Bbr(_) => {}
        }
    }
}

/// Beyond any window that TCP can advertise.
const UNLIMITED: u32 = u32::MAX / 2;

/// RFC 7323, section 2.3: no peer can take more.
const MAX_WINDOW: u32 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    /// All that limit something.
    const KINDS: &[CongestionControl] = &[
        CongestionControl::NewReno,
        #[cfg(feature = "tcp-cubic")]
        CongestionControl::Cubic,
        #[cfg(feature = "tcp-bbr")]
        CongestionControl::Bbr,
    ];

    /// RFC 5681, section 3.1: what a timeout leaves is one segment, as long as segments are by then.
    #[test]
    fn a_timeout_leaves_a_segment_of_the_length_that_they_have() {
        for &kind in KINDS {
            let mut controller = Controller::new(kind, 1_000);
            let window = controller.window();
            controller.set_mss(500);
            assert_eq!(controller.window(), window, "{kind:?}");
            controller.on_timeout(10_000, true);
            assert_eq!(controller.window(), 500, "{kind:?}");
        }
    }

    #[test]
    fn a_window_that_was_cut_to_repair_something_is_whole_again() {
        for &kind in KINDS {
            let mut controller = Controller::new(kind, 1_000);
            let window = controller.window();
            controller.on_timeout(10_000, true);
            controller.on_recovered();
            #[cfg(feature = "tcp-bbr")]
            if kind == CongestionControl::Bbr {
                assert_eq!(controller.window(), window, "it goes by its model");
                continue;
            }
            assert!(controller.window() < window, "{kind:?}");
        }
    }

    /// An acknowledgment of so many bytes in the midst of a busy connection.
    pub(super) fn ack(bytes: u32) -> Ack {
        Ack {
            now: Instant::from_secs(100),
            acked: bytes,
            #[cfg(feature = "tcp-bbr")]
            delivered: bytes,
            #[cfg(feature = "tcp-bbr")]
            lost: 0,
            in_flight: 10 * bytes,
            rtt: Some(100_000),
            srtt: 100_000,
            #[cfg(feature = "tcp-bbr")]
            newest_sent: None,
            #[cfg(feature = "tcp-bbr")]
            app_limited: false,
            window_limited: true,
            growth: Growth::Normal,
        }
    }
}
