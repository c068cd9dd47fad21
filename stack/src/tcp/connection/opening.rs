//! How a connection opens: OPEN call (RFC 9293, section 3.10.1), and what both sides settle with their SYNs.

use core::num::NonZeroU16;

use super::due::{Due, Special};
#[cfg(feature = "tcp-ecn")]
use super::ecn::Ecn;
use super::marks::{Mark, Marks};
use super::path_mtu::{PathMss, SegmentSize};
use super::{Connection, NOWHERE};
use crate::stats::Count;
use crate::tcp::clock::{micros, ticks};
use crate::tcp::congestion::Controller;
use crate::tcp::handshake::HalfOpen;
use crate::tcp::receiver::window_shift;
use crate::tcp::recovery::Recovery;
use crate::tcp::rtt::RttEstimator;
use crate::tcp::sack::Sack;
use crate::tcp::sender::WindowUpdate;
use crate::tcp::timestamps::{LastAck, TimestampOffset, Timestamping};
use crate::tcp::{FourTuple, MAX_WINDOW_SHIFT, State, default_mss};
use crate::time::Instant;
use crate::wire::{IpEndpoint, IpListenEndpoint, SeqNum};

/// What is chosen when a connection is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) tuple: FourTuple,
    pub(crate) iss: SeqNum,
    pub(crate) timestamp_offset: TimestampOffset,
    /// What the path takes.
    pub(crate) path_mss: PathMss,
    /// Whether to ask for congestion notification (RFC 3168), or that it was granted.
    #[cfg_attr(not(feature = "tcp-ecn"), expect(dead_code, reason = "always false"))]
    pub(crate) ecn: bool,
}

impl Connection<'_> {
    /// OPEN call, active (RFC 9293, section 3.10.1). The connection must be over.
    pub(crate) fn connect(&mut self, now: Instant, opening: &Opening) {
        self.open(now, opening);
        self.state = State::SynSent;
        self.timestamps = Timestamping::offered(now, opening.timestamp_offset);
        self.sack = Sack::OFFERED;
        self.rcv.shift = window_shift(self.rcv.ring.capacity());
        self.due.set(Special::Syn);
    }

    /// OPEN call, passive: waits for the engine to bring a complete handshake.
    pub(crate) fn listen(&mut self, local: IpListenEndpoint) {
        self.clear(SeqNum::new(0));
        self.tuple = FourTuple {
            local: IpEndpoint {
                addr: local.addr.unwrap_or(NOWHERE.addr),
                port: local.port,
            },
            remote: NOWHERE,
        };
        self.state = State::Listen;
    }

    /// Where the connection is waited for, if it is.
    pub(crate) fn listens_on(&self) -> Option<IpListenEndpoint> {
        let IpEndpoint { addr, port } = self.tuple.local;
        (self.state == State::Listen).then_some(IpListenEndpoint {
            addr: Some(addr).filter(|addr| !addr.is_unspecified()),
            port,
        })
    }

    /// The handshake that `half_open` kept is complete. The segment that completed it comes next, through
    /// [`Self::on_segment`].
    pub(crate) fn accept<K: Copy>(
        &mut self,
        now: Instant,
        half_open: &HalfOpen<K>,
        opening: &Opening,
    ) {
        self.open(now, opening);
        self.rcv.open(half_open.irs);
        self.rcv.advertise_on_syn();
        self.state = State::SynReceived;
        self.marks.put(Mark::Unclaimed, true);
        self.snd.on_sent(opening.iss + 1);
        self.last_ack_sent = LastAck::of(self.rcv.nxt);
        self.timestamps =
            Timestamping::answered(now, opening.timestamp_offset, half_open.timestamp);
        let mss = half_open.mss.map(NonZeroU16::get);
        self.negotiate(mss, half_open.shift, half_open.sack);
        if half_open.shift.is_some() {
            // What was offered, perhaps in the name of another socket.
            self.rcv.shift = half_open.offered_shift;
        }
        if half_open.attempts > 1 {
            self.on_repeated_handshake();
        }
        self.snd.set_window(WindowUpdate {
            seq: half_open.irs,
            ack: opening.iss,
            window: u32::from(half_open.window),
        });
        self.arm_timers(now);
    }

    /// The user of the socket knows of the connection.
    pub(crate) fn claim(&mut self) {
        self.marks.put(Mark::Unclaimed, false);
    }

    /// Whether a connection was accepted that the user of the socket does not know of.
    pub(crate) fn is_unclaimed(&self) -> bool {
        self.marks.has(Mark::Unclaimed)
    }

    /// What both ways of opening have in common.
    fn open(&mut self, now: Instant, opening: &Opening) {
        self.clear(opening.iss);
        self.timers.start_at(now);
        self.tuple = opening.tuple;
        self.recovery = Recovery::new(opening.iss);
        self.mss = opening.path_mss.usable.max(1);
        self.size = SegmentSize::new(opening.path_mss.usable);
        #[cfg(feature = "tcp-ecn")]
        {
            self.ecn = Ecn::new(opening.ecn);
        }
        self.start_congestion();
        self.pacer.open(micros(now), self.congestion.window());
        self.keep_alive.on_sign_of_life(now);
        self.last_sent = ticks(now);
        self.rcv.quick_acks = QUICK_ACKS;
    }

    /// Forgets the last connection, not the settings. The numbers of the next start with `iss`.
    fn clear(&mut self, iss: SeqNum) {
        self.state = State::Closed;
        self.error = None;
        self.soft_error = None;
        self.marks = Marks::default();
        self.snd.ring.clear();
        self.snd.open(iss);
        self.rcv.reset();
        self.rtt = RttEstimator::new(self.options.min_rto);
        self.timers.stop_all();
        self.timestamps = Timestamping::OFF;
        self.sack = Sack::OFF;
        self.due = Due::default();
        self.retries = 0;
        self.rcv.unacknowledged = 0;
        self.last_challenge = None;
        self.last_pipe = 0;
        self.retransmits = Count::default();
    }

    /// Settles what both sides can do, from the options of the peer's SYN. `self.timestamps` is set
    /// already if we offered or accepted them.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn negotiate(&mut self, mss: Option<u16>, shift: Option<u8>, sack: Sack) {
        self.sack = sack;
        match shift {
            Some(shift) => {
                self.snd.shift = shift.min(MAX_WINDOW_SHIFT);
                self.rcv.shift = window_shift(self.rcv.ring.capacity());
            }
            None => {
                self.snd.shift = 0;
                self.rcv.shift = 0;
            }
        }
        let default = default_mss(self.tuple.remote.addr);
        self.on_peer_mss(mss.unwrap_or(default));
        self.start_congestion();
    }

    /// The handshake was lost at least once. Once it is settled how long segments are.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    pub(super) fn on_repeated_handshake(&mut self) {
        self.congestion.restart();
        self.rtt.on_repeated_handshake();
    }

    /// Nothing is known of the path but how long segments may be.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn start_congestion(&mut self) {
        self.congestion = Controller::new(self.options.congestion, u32::from(self.mss));
    }
}

/// As many as Linux: enough to open the peer's congestion window.
const QUICK_ACKS: u8 = 16;

#[cfg(test)]
mod tests;
