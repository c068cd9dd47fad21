//! One connection: its parts, and what its user asks of it.
//!
//! The calls of the user take no time and start no timer: they leave the connection wanting to send, and
//! [`Connection::poll_segment`], which comes next and knows the time, does the rest.

use core::net::Ipv4Addr;
use core::num::NonZeroU32;

use super::congestion::Controller;
#[cfg(feature = "tcp-ecn")]
use super::ecn::Ecn;
use super::half_open::HalfOpen;
use super::keep_alive::KeepAlive;
use super::loss::micros;
use super::options::{Millis, Options};
use super::output::{Due, Special};
use super::pacing::Pacer;
use super::path_mtu::{PathMss, SegmentSize};
use super::receiver::{Receiver, window_shift};
use super::recovery::Recovery;
use super::rtt::{MinRto, RttEstimator};
use super::sender::{Sender, WindowUpdate};
use super::time_wait::TimeWait;
use super::timers::{Timer, Timers};
use super::timestamps::{LastAck, TimestampOffset, Timestamping};
use super::{ConnectionError, DEFAULT_MSS, FourTuple, Info, State, default_mss};
use crate::events::Events;
use crate::stats::Tally;
use crate::storage::{Bytes, Ring};
use crate::time::{Duration, Instant};
use crate::wire::{IpAddress, IpEndpoint, IpListenEndpoint, SeqNum, TcpOptions};

/// A connection, or the place for one: buffers and settings stay from one connection to the next.
#[derive(Debug)]
pub(crate) struct Connection<'d> {
    pub(crate) tuple: FourTuple,
    pub(super) state: State,
    /// How the connection ended, when it did not end orderly.
    pub(super) error: Option<ConnectionError>,
    /// What the network reported while it may still recover (RFC 1122, section 4.2.3.9).
    pub(super) soft_error: Option<ConnectionError>,
    pub(super) snd: Sender<'d>,
    pub(super) rcv: Receiver<'d>,
    pub(super) rtt: RttEstimator,
    pub(super) congestion: Controller,
    pub(super) pacer: Pacer,
    pub(super) recovery: Recovery,
    pub(super) timers: Timers,
    pub(crate) options: Options,
    pub(super) timestamps: Timestamping,
    /// Whether the peer accepts selective acknowledgments.
    pub(super) sack: bool,
    /// The longest payload of one segment: what peer and path take, less the options of every segment.
    pub(super) mss: u16,
    pub(super) size: SegmentSize,
    #[cfg(feature = "tcp-ecn")]
    pub(super) ecn: Ecn,
    pub(super) due: Due,
    /// Timeouts in a row without an answer.
    pub(super) retries: u8,
    pub(super) keep_alive: KeepAlive,
    /// Last.ACK.sent of RFC 7323, section 4.3; takes no room without timestamps.
    pub(super) last_ack_sent: LastAck,
    /// When data was last sent, in [`ticks`].
    pub(super) last_sent: u32,
    /// When the last challenge or out-of-window acknowledgment was sent, in [`ticks`].
    pub(super) last_challenge: Option<Moment>,
    /// Bytes in the network when data was last sent.
    pub(super) last_pipe: u32,
    /// The handle is gone: nobody reads what still arrives.
    pub(super) detached: bool,
    pub(super) retransmits: u32,
    /// The user changed something that timers depend on.
    pub(super) touched: bool,
    /// Accepted on this socket, and its user does not know of it yet.
    unclaimed: bool,
    pub(super) events: Events,
    pub(super) tally: Tally,
}

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
            sack: false,
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
            detached: false,
            retransmits: 0,
            touched: false,
            unclaimed: false,
            events: Events::NONE,
            tally: Tally::default(),
        }
    }

    pub(crate) fn receive_capacity(&self) -> usize {
        self.rcv.ring.capacity()
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// How the connection ended, when it did not end orderly.
    pub(crate) fn error(&self) -> Option<ConnectionError> {
        self.error
    }

    /// OPEN call, active (RFC 9293, section 3.10.1). The connection must be over.
    pub(crate) fn connect(&mut self, now: Instant, opening: &Opening) {
        self.open(now, opening);
        self.state = State::SynSent;
        self.timestamps = Timestamping::offered(now, opening.timestamp_offset);
        self.sack = true;
        self.rcv.shift = window_shift(self.rcv.ring.capacity());
        self.due.set(Special::Syn);
    }

    /// OPEN call, passive: waits for the engine to bring a complete handshake.
    pub(crate) fn listen(&mut self, local: IpListenEndpoint) {
        self.clear();
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
    #[cfg_attr(target_pointer_width = "32", inline(never))]
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
        self.unclaimed = true;
        self.snd.on_sent(opening.iss + 1);
        self.last_ack_sent = LastAck::of(self.rcv.nxt);
        let request = TcpOptions {
            mss: half_open.mss,
            window_scale: half_open.shift,
            sack_permitted: half_open.sack,
            ..TcpOptions::default()
        };
        self.timestamps =
            Timestamping::answered(now, opening.timestamp_offset, half_open.timestamp);
        self.negotiate(&request);
        if half_open.shift.is_some() {
            // What was offered, perhaps in the name of another socket.
            self.rcv.shift = window_shift(half_open.receive_capacity as usize);
        }
        if half_open.attempts > 1 {
            self.congestion.restart(u32::from(self.mss), 1);
            self.rtt.on_repeated_handshake();
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
        self.unclaimed = false;
    }

    /// Whether a connection was accepted that the user of the socket does not know of.
    pub(crate) fn is_unclaimed(&self) -> bool {
        self.unclaimed
    }

    /// Our end, if there is a connection.
    pub(crate) fn local_endpoint(&self) -> Option<IpEndpoint> {
        (!self.state.is_over()).then_some(self.tuple.local)
    }

    /// The other end, if there is a connection.
    pub(crate) fn remote_endpoint(&self) -> Option<IpEndpoint> {
        (!self.state.is_over()).then_some(self.tuple.remote)
    }

    /// Whether small segments wait for acknowledgments.
    pub(crate) fn set_nagle(&mut self, enabled: bool) {
        self.options.nagle = enabled;
        self.touch();
    }

    /// Sets for how long an acknowledgment may wait.
    pub(crate) fn set_ack_delay(&mut self, delay: Option<Duration>) {
        self.options.ack_delay = delay.map(|delay| Millis::from(delay.min(MAX_ACK_DELAY)));
    }

    /// Sets how long the retransmission timeout is at least.
    pub(crate) fn set_min_rto(&mut self, min_rto: Duration) {
        self.options.min_rto = MinRto::from(min_rto);
        self.rtt.set_min_rto(self.options.min_rto);
    }

    /// What both ways of opening have in common.
    fn open(&mut self, now: Instant, opening: &Opening) {
        self.clear();
        self.tuple = opening.tuple;
        self.snd.open(opening.iss);
        self.recovery = Recovery::new(opening.iss);
        self.mss = opening.path_mss.usable.max(1);
        self.size = SegmentSize::new(opening.path_mss.usable);
        #[cfg(feature = "tcp-ecn")]
        {
            self.ecn = Ecn::new(opening.ecn);
        }
        self.congestion = Controller::new(self.options.congestion, u32::from(self.mss));
        self.pacer.open(micros(now), self.congestion.window());
        self.keep_alive.on_sign_of_life(now);
        self.last_sent = ticks(now);
        self.rcv.quick_acks = QUICK_ACKS;
        self.detached = false;
    }

    /// Forgets the last connection, not the settings.
    fn clear(&mut self) {
        self.state = State::Closed;
        self.error = None;
        self.soft_error = None;
        self.unclaimed = false;
        self.snd.ring.clear();
        self.snd.open(SeqNum::new(0));
        self.rcv.reset();
        self.rtt = RttEstimator::new(self.options.min_rto);
        self.timers.stop_all();
        self.timestamps = Timestamping::OFF;
        self.sack = false;
        self.due = Due::default();
        self.retries = 0;
        self.touched = false;
        self.rcv.unacknowledged = 0;
        self.last_challenge = None;
        self.last_pipe = 0;
        self.retransmits = 0;
    }

    /// Settles what both sides can do, from the options of the peer's SYN. `self.timestamps` is set
    /// already if we offered or accepted them.
    pub(super) fn negotiate(&mut self, request: &TcpOptions) {
        self.sack = request.sack_permitted;
        match request.window_scale {
            Some(shift) => {
                self.snd.shift = shift.min(super::MAX_WINDOW_SHIFT);
                self.rcv.shift = window_shift(self.rcv.ring.capacity());
            }
            None => {
                self.snd.shift = 0;
                self.rcv.shift = 0;
            }
        }
        let default = default_mss(self.tuple.remote.addr);
        self.on_peer_mss(request.mss.unwrap_or(default));
        self.congestion = Controller::new(self.options.congestion, u32::from(self.mss));
    }

    /// SEND call: queues as much of `data` as there is room for.
    pub(crate) fn write(&mut self, data: &[u8]) -> usize {
        if !self.can_write() {
            return 0;
        }
        self.wake_to_send();
        self.snd.ring.enqueue(data)
    }

    /// SEND call without a copy: `fill` writes into the send buffer and says how much.
    pub(crate) fn write_with<R>(&mut self, fill: impl FnOnce(&mut [u8]) -> (usize, R)) -> R {
        let room = if self.can_write() {
            self.snd.ring.writable()
        } else {
            &mut []
        };
        let len = room.len();
        let (count, result) = fill(room);
        self.snd.ring.claim(count.min(len));
        self.wake_to_send();
        result
    }

    /// Where the window lets nothing out there is nothing to send, and yet a timer to start: the one
    /// that probes the window. While something is in flight its acknowledgment sees to that.
    fn wake_to_send(&mut self) {
        if self.snd.flight() == 0 {
            self.touch();
        }
    }

    /// Has [`Self::poll_segment`] called, which starts the timers that follow from the change. One that
    /// listens has none, and nobody to send to.
    pub(super) fn touch(&mut self) {
        self.touched = !self.state.is_over();
    }

    /// RECEIVE call: takes what was received, as far as it fits.
    pub(crate) fn read(&mut self, out: &mut [u8]) -> usize {
        let count = self.rcv.ring.dequeue(out);
        self.after_read();
        count
    }

    /// As [`Self::read`], but leaves it there.
    pub(crate) fn peek(&self, out: &mut [u8]) -> usize {
        self.rcv.ring.peek(out)
    }

    /// RECEIVE call without a copy: `take` sees the received bytes that lie in one piece and says how
    /// many it is done with.
    pub(crate) fn read_with<R>(&mut self, take: impl FnOnce(&mut [u8]) -> (usize, R)) -> R {
        let (count, result) = take(self.rcv.ring.readable());
        self.rcv.ring.consume(count);
        self.after_read();
        result
    }

    /// Takes the buffers away from a connection that nobody reads any more.
    pub(crate) fn take_buffers(&mut self) -> (Bytes<'d>, Bytes<'d>) {
        let receive = core::mem::replace(&mut self.rcv.ring, Ring::new(Bytes::empty()));
        let send = core::mem::replace(&mut self.snd.ring, Ring::new(Bytes::empty()));
        (receive.into_buffer(), send.into_buffer())
    }

    fn after_read(&mut self) {
        if !self.rcv.has_gaps() {
            self.rcv.ring.restart_if_empty();
        }
        if self.state.can_receive() && self.rcv.wants_update(self.mss) {
            self.due.ack = true;
        }
    }

    /// Bytes that can be read.
    pub(crate) fn receive_queue(&self) -> usize {
        self.rcv.ring.len()
    }

    /// Whether nothing more will become readable.
    pub(crate) fn receive_ended(&self) -> bool {
        self.state.is_over() && self.state != State::Listen || self.rcv.is_finished()
    }

    /// Whether the peer ended its side in order.
    pub(crate) fn is_finished(&self) -> bool {
        self.rcv.is_finished()
    }

    /// Room for bytes to write.
    pub(crate) fn send_room(&self) -> usize {
        self.snd.ring.free()
    }

    pub(crate) fn send_capacity(&self) -> usize {
        self.snd.ring.capacity()
    }

    /// Bytes written and not yet acknowledged.
    pub(crate) fn send_queue(&self) -> usize {
        self.snd.ring.len()
    }

    /// Whether the user may write.
    pub(crate) fn can_write(&self) -> bool {
        self.state.can_send() && !self.snd.closed
    }

    /// Whether everything written was acknowledged, and the end if there is one.
    pub(crate) fn all_acked(&self) -> bool {
        self.snd.all_acked()
    }

    /// CLOSE call (RFC 9293, section 3.10.4): nothing more will be written. What was written is still
    /// sent, and what the peer sends can still be read.
    pub(crate) fn close(&mut self) {
        match self.state {
            State::Listen | State::SynSent => self.end(None),
            State::SynReceived => self.snd.closed = true,
            State::Established => self.start_close(State::FinWait1),
            State::CloseWait => self.start_close(State::LastAck),
            _ => {}
        }
    }

    pub(super) fn start_close(&mut self, state: State) {
        self.snd.closed = true;
        self.state = state;
        self.events |= Events::STATE;
    }

    /// The handle is gone: closes, and from now on nobody reads.
    pub(crate) fn detach(&mut self) {
        self.detached = true;
        self.touched = true;
        self.close();
    }

    /// Whether there is nothing left to do for a connection without a handle.
    pub(crate) fn is_done(&self) -> bool {
        let over = self.state.is_over() && self.state != State::Listen;
        over && !self.due.is_set(Special::Reset) && !self.due.ack
    }

    /// Whether the handle is gone.
    pub(crate) fn is_detached(&self) -> bool {
        self.detached
    }

    /// ABORT call (RFC 9293, section 3.10.5).
    pub(crate) fn abort(&mut self) {
        self.end_with_reset(ConnectionError::Aborted);
    }

    /// Ends the connection and tells the peer, if it knows of it.
    pub(super) fn end_with_reset(&mut self, error: ConnectionError) {
        let known = self.state.is_synchronized() || self.state == State::SynReceived;
        // A peer that has acknowledged our FIN and sent its own has nothing to be told.
        let known = known && !matches!(self.state, State::Closing | State::LastAck);
        self.end(Some(error));
        // One that is due already stays due, when an abort is repeated.
        if known {
            self.due.set(Special::Reset);
        }
    }

    /// Ends the connection without a word to the peer. What was received can still be read.
    #[inline(never)]
    pub(crate) fn end(&mut self, error: Option<ConnectionError>) {
        if self.state.is_over() && self.state != State::Listen {
            return;
        }
        self.state = State::Closed;
        self.error = error;
        self.snd.ring.clear();
        self.timers.stop_all();
        self.due = Due::default();
        self.events = Events::ALL;
    }

    /// Both sides are done (RFC 9293, section 3.6): all that is left to know. Complete once the last
    /// acknowledgment is out, see [`Self::is_done`].
    pub(crate) fn time_wait(&self) -> Option<TimeWait> {
        (self.state == State::TimeWait).then(|| TimeWait {
            tuple: self.tuple,
            snd_nxt: self.snd.max,
            rcv_nxt: self.rcv.nxt,
            window: self.rcv.window() >> self.rcv.shift,
            timestamps: self.timestamps,
        })
    }

    pub(super) fn enter_time_wait(&mut self) {
        self.state = State::TimeWait;
        self.timers.stop_all();
        self.due = Due {
            ack: self.due.ack,
            ..Due::default()
        };
        self.events = Events::ALL;
    }

    /// An ICMP error came back for a segment with number `seq`.
    ///
    /// RFC 5927, section 4: it counts only if the number is one that is in flight. `hard`: it says that
    /// there will never be an answer; that ends a connection which is not up yet (RFC 5461, section 4.1)
    /// and is remembered otherwise (RFC 1122, section 4.2.3.9).
    #[cfg(feature = "icmp-errors")]
    pub(crate) fn on_icmp_error(
        &mut self,
        seq: SeqNum,
        error: ConnectionError,
        hard: bool,
    ) -> bool {
        let in_flight = self.snd.una.at_or_before(seq) && seq.before(self.snd.max);
        if self.state.is_over() || !in_flight {
            return false;
        }
        if hard && self.state == State::SynSent {
            self.end(Some(error));
        } else {
            self.soft_error = Some(match error {
                ConnectionError::Refused => ConnectionError::Unreachable,
                other => other,
            });
        }
        true
    }

    /// The next hop does not answer. The end of a connection that is not up yet; any other waits for it
    /// to come back.
    pub(crate) fn on_unreachable(&mut self, now: Instant) {
        // In a simultaneous open the peer's SYN may come in before ours went out: no timer runs for it.
        let unheard = self.state == State::SynReceived && self.snd.flight() == 0;
        if self.state == State::SynSent || unheard {
            self.end(Some(ConnectionError::Unreachable));
            return;
        }
        self.soft_error = Some(ConnectionError::Unreachable);
        // Nothing can be sent now; what is due by itself is tried again by the timers.
        self.due = Due::default();
        if self.state.is_over() {
            self.events |= Events::STATE;
        }
        self.arm_timers(now);
    }

    /// Sets the time after which unacknowledged data ends the connection.
    pub(crate) fn set_user_timeout(&mut self, timeout: Option<Duration>) {
        self.options.user_timeout = timeout.map(Millis::from);
        self.timers.stop(Timer::User);
        self.touch();
    }

    /// When [`Self::on_timeout`] is to be called.
    pub(crate) fn next_deadline(&self) -> Instant {
        self.timers.next()
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
            retransmits: self.retransmits,
            send_window: self.snd.wnd,
            receive_window: self.rcv.window(),
            mss: self.mss,
            send_queue: self.snd.ring.len(),
            receive_queue: self.rcv.ring.len(),
            timestamps: self.timestamps.is_on(),
            sack: self.sack,
            #[cfg(feature = "tcp-ecn")]
            ecn: self.ecn.is_capable() && self.state.is_synchronized(),
            #[cfg(not(feature = "tcp-ecn"))]
            ecn: false,
        }
    }
}

/// A time in the low 32 bits of some unit, one of them early at most, so that to have none takes no room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(NonZeroU32);

impl Moment {
    pub(super) fn new(at: u32) -> Self {
        Self(NonZeroU32::new(at).unwrap_or(NonZeroU32::MAX))
    }

    /// How long before `now` it was.
    pub(super) fn age(self, now: u32) -> u32 {
        now.wrapping_sub(self.0.get())
    }
}

/// For what is compared over hours, in steps of [`TICK`].
pub(super) fn ticks(now: Instant) -> u32 {
    (now.as_micros() / u64::from(TICK)) as u32
}

/// How long ago something was that was noted in [`ticks`].
pub(super) fn since_ticks(now: Instant, then: u32) -> Duration {
    Duration::from_micros(u64::from(ticks(now).wrapping_sub(then)) * u64::from(TICK))
}

/// In microseconds: a millisecond, or what comes closest without a division.
pub(super) const TICK: u32 = 1 << 10;

/// For what is compared over days.
#[cfg(any(feature = "tcp-timestamps", feature = "tcp-plpmtud"))]
pub(super) fn seconds(now: Instant) -> u32 {
    (now.as_millis() / 1_000) as u32
}

/// The ends of a connection that was never opened.
const NOWHERE: IpEndpoint = IpEndpoint::new(IpAddress::Ipv4(Ipv4Addr::UNSPECIFIED), 0);

/// RFC 9293, section 3.8.6.3: "the delay MUST be less than 0.5 seconds".
const MAX_ACK_DELAY: Duration = Duration::from_millis(499);

/// As many as Linux: enough to open the peer's congestion window.
const QUICK_ACKS: u8 = 16;

/// How long a connection without a handle waits for the peer to end its side.
pub(super) const FIN_WAIT_2_TIMEOUT: Duration = Duration::from_secs(60);
