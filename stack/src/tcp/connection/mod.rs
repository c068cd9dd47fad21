//! One connection: its parts. What it does with them is in the files beside this one, by occasion.

mod calls;
mod closing;
mod due;
#[cfg(feature = "tcp-ecn")]
mod ecn;
#[cfg_attr(not(feature = "tcp-fast-open"), path = "no_fast_open.rs")]
mod fast_open;
mod input;
#[cfg_attr(not(feature = "tcp-keep-alive"), path = "no_keep_alive.rs")]
mod keep_alive;
#[cfg(test)]
#[path = "tests/lab.rs"]
mod lab;
mod loss;
mod marks;
mod opening;
mod output;
#[cfg_attr(
    not(any(feature = "tcp-cubic", feature = "tcp-bbr")),
    path = "unpaced.rs"
)]
mod pacing;
mod path_mtu;
mod plan;
#[cfg(feature = "tcp-plpmtud")]
mod plpmtud;
#[cfg_attr(not(feature = "tcp-rack"), path = "no_probing.rs")]
mod probing;
mod timeout;
mod timers;

pub(crate) use calls::FollowUp;
pub(crate) use input::Disposition;
pub(crate) use opening::Opening;
pub(crate) use path_mtu::PathMss;
pub(crate) use plan::SegmentPlan;

use core::net::Ipv4Addr;

use due::Due;
#[cfg(feature = "tcp-ecn")]
use ecn::Ecn;
use keep_alive::KeepAlive;
use marks::{Mark, Marks};
use pacing::Pacer;
use path_mtu::SegmentSize;
use timers::Timers;

use crate::events::Events;
use crate::stats::{Count, Tally};
use crate::storage::Bytes;
use crate::tcp::clock::Moment;
use crate::tcp::congestion::Controller;
use crate::tcp::options::Options;
use crate::tcp::receiver::Receiver;
use crate::tcp::recovery::Recovery;
use crate::tcp::rtt::RttEstimator;
use crate::tcp::sack::Sack;
use crate::tcp::sender::Sender;
use crate::tcp::timestamps::{LastAck, Timestamping};
use crate::tcp::{ConnectionError, DEFAULT_MSS, FourTuple, Info, State};
use crate::time::{Duration, Instant};
use crate::wire::{IpAddress, IpEndpoint, SeqNum};

/// A connection, or the place for one: buffers and settings stay from one connection to the next.
///
/// What is looked at most often comes first: processors reach that with shorter instructions.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Connection<'d> {
    state: State,
    due: Due,
    marks: Marks,
    events: Events,
    /// How the connection ended, when it did not end orderly.
    error: Option<ConnectionError>,
    /// What the network reported while it may still recover (RFC 1122, section 4.2.3.9).
    soft_error: Option<ConnectionError>,
    /// Timeouts in a row without an answer.
    retries: u8,
    /// Whether the peer accepts selective acknowledgments.
    sack: Sack,
    tally: Tally,
    /// The longest payload of one segment: what peer and path take, less the options of every segment.
    mss: u16,
    size: SegmentSize,
    snd: Sender<'d>,
    rcv: Receiver<'d>,
    timers: Timers,
    recovery: Recovery,
    congestion: Controller,
    rtt: RttEstimator,
    pub(crate) tuple: FourTuple,
    pacer: Pacer,
    pub(crate) options: Options,
    timestamps: Timestamping,
    #[cfg(feature = "tcp-ecn")]
    ecn: Ecn,
    keep_alive: KeepAlive,
    /// Last.ACK.sent of RFC 7323, section 4.3; takes no room without timestamps.
    last_ack_sent: LastAck,
    /// When data was last sent, in [`ticks`](crate::tcp::clock::ticks).
    last_sent: u32,
    /// When the last challenge or out-of-window acknowledgment was sent, in [`ticks`](crate::tcp::clock::ticks).
    last_challenge: Option<Moment>,
    /// Bytes in the network when data was last sent.
    last_pipe: u32,
    retransmits: Count,
}

impl<'d> Connection<'d> {
    /// A closed connection with these buffers.
    pub(crate) fn new(receive: Bytes<'d>, send: Bytes<'d>, options: Options) -> Self {
        let zero = SeqNum::new(0);
        Self {
            tuple: FourTuple {
                local: NOWHERE,
                remote: NOWHERE,
            },
            state: State::Closed,
            error: None,
            soft_error: None,
            snd: Sender::new(send),
            rcv: Receiver::new(receive),
            rtt: RttEstimator::new(options.min_rto),
            congestion: Controller::new(options.congestion, u32::from(DEFAULT_MSS)),
            pacer: Pacer::new(),
            recovery: Recovery::new(zero),
            timers: Timers::new(),
            options,
            timestamps: Timestamping::OFF,
            sack: Sack::OFF,
            mss: DEFAULT_MSS,
            size: SegmentSize::new(DEFAULT_MSS),
            #[cfg(feature = "tcp-ecn")]
            ecn: Ecn::OFF,
            due: Due::default(),
            retries: 0,
            keep_alive: KeepAlive::new(),
            last_ack_sent: LastAck::of(zero),
            last_sent: 0,
            last_challenge: None,
            last_pipe: 0,
            retransmits: Count::default(),
            marks: Marks::default(),
            events: Events::NONE,
            tally: Tally::default(),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// How the connection ended, when it did not end orderly.
    pub(crate) fn error(&self) -> Option<ConnectionError> {
        self.error
    }

    /// Our end, if there is a connection.
    pub(crate) fn local_endpoint(&self) -> Option<IpEndpoint> {
        (!self.state.is_over()).then_some(self.tuple.local)
    }

    /// The other end, if there is a connection.
    pub(crate) fn remote_endpoint(&self) -> Option<IpEndpoint> {
        (!self.state.is_over()).then_some(self.tuple.remote)
    }

    /// Has [`Self::poll_segment`] called, which starts the timers that follow from the change. One that
    /// listens has none, and nobody to send to.
    fn touch(&mut self) {
        self.marks.put(Mark::Touched, !self.state.is_over());
    }

    /// When [`Self::on_timeout`] is to be called.
    pub(crate) fn next_deadline(&self, now: Instant) -> Instant {
        self.timers.next(now)
    }

    /// What happened since the last call.
    pub(crate) fn take_events(&mut self) -> Events {
        core::mem::take(&mut self.events)
    }

    /// What is to be counted since the last call.
    pub(crate) fn take_tally(&mut self) -> Tally {
        core::mem::take(&mut self.tally)
    }

    pub(crate) fn info(&self) -> Info {
        Info {
            state: self.state,
            srtt: self.rtt.srtt(),
            rttvar: self.rtt.rttvar(),
            rto: self.rtt.rto(),
            cwnd: self.congestion.window(),
            ssthresh: self.congestion.ssthresh(),
            in_flight: self.snd.flight(),
            retransmits: self.retransmits.get(),
            send_window: self.snd.wnd,
            receive_window: self.rcv.window(),
            mss: self.mss,
            send_queue: self.snd.ring.len(),
            receive_queue: self.rcv.ring.len(),
            timestamps: self.timestamps.is_on(),
            sack: self.sack.is_on(),
            #[cfg(feature = "tcp-ecn")]
            ecn: self.ecn.is_capable() && self.state.is_synchronized(),
            #[cfg(not(feature = "tcp-ecn"))]
            ecn: false,
        }
    }
}

/// The ends of a connection that was never opened.
const NOWHERE: IpEndpoint = IpEndpoint::new(IpAddress::Ipv4(Ipv4Addr::UNSPECIFIED), 0);

/// How long a connection without a handle waits for the peer to end its side.
const FIN_WAIT_2_TIMEOUT: Duration = Duration::from_secs(60);
