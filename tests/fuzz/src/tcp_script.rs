//! A whole connection: segments relative to its sequence numbers, calls of its user, steps of time.
//!
//! The peer has one stream of bytes, and its segments carry that stream's bytes for their numbers, so that
//! the user must read a prefix of it whatever comes in which order, how often, and with how much overlap.
//! The same the other way round: what the stack sends must be what the user wrote, nothing may be
//! acknowledged that was never sent.

use arbitrary::{Arbitrary, Unstructured};
use cygnet::wire::{
    ChecksumMode, IpProtocol, Ipv4Header, SackBlocks, SeqNum, TcpFlags, TcpHeader, TcpOptions,
    TcpSegment, Timestamps,
};
use cygnet::{CongestionControl, Duration, TcpListener, TcpSocket};
use cygnet_driver::Medium;
use cygnet_tests::{Transport, tcp_segment};

use crate::stand::{Memory, OUR_ADDRESS, PEER_ADDRESS, Stand};

/// An input.
#[derive(Arbitrary, Debug)]
pub struct Script {
    opening: Opening,
    steps: Vec<Step>,
}

/// How the connection begins, and what both sides agree on.
#[derive(Arbitrary, Debug)]
struct Opening {
    /// The stack connects; it listens otherwise.
    active: bool,
    mss: Option<u16>,
    window_scale: Option<u8>,
    sack: bool,
    timestamps: bool,
    receive: u16,
    send: u16,
    window: u16,
    nagle: bool,
    limited: bool,
    /// The peer's numbers begin so far before zero.
    before_zero: u16,
}

#[derive(Arbitrary, Debug)]
enum Step {
    /// What a peer in order would send next: so many bytes, and an acknowledgment of everything.
    Good {
        len: u8,
        window: u16,
    },
    /// Anything else.
    Segment(Segment),
    /// The user's calls.
    Read(u16),
    Peek(u8),
    Write(u16),
    Flush,
    Shutdown,
    Abort,
    Drop,
    KeepAlive(u8),
    Timeout(u8),
    /// Milliseconds, doubled so often.
    Pause(u8, u8),
}

#[derive(Arbitrary, Debug)]
struct Segment {
    flags: u8,
    /// From the number behind the last in order.
    seq: i16,
    /// From the last number that the stack sent.
    ack: i16,
    window: u16,
    len: u16,
    /// From the peer's clock.
    timestamp: i8,
    /// From what is acknowledged: where each block begins, and its length.
    blocks: Vec<(i8, u8)>,
}

/// See the module.
pub fn run(input: &[u8]) {
    let Ok(script) = Script::arbitrary_take_rest(Unstructured::new(input)) else {
        return;
    };
    let mut memory = Memory::new();
    let stand = Stand::new(&mut memory, Medium::Ip);
    let mut play = Play::new(stand, script.opening);
    play.open();
    for step in script.steps {
        play.step(step);
    }
    play.end();
}

struct Play<'d> {
    stand: Stand<'d>,
    opening: Opening,
    listener: Option<TcpListener<'d>>,
    socket: Option<TcpSocket<'d>>,
    our_port: u16,
    iss: SeqNum,
    /// Behind the last that the peer sent in order, and behind the last that it sent at all.
    next: SeqNum,
    most: SeqNum,
    /// The stack's numbers: its first, once known, and the one behind its last.
    irs: Option<SeqNum>,
    last: SeqNum,
    /// What the stack's timestamps last said.
    echo: u32,
    written: u32,
    read: u32,
    /// There was a second SYN, a reset or the like: other connections may follow, and nothing is certain.
    is_blurred: bool,
}

impl<'d> Play<'d> {
    fn new(stand: Stand<'d>, opening: Opening) -> Self {
        let iss = SeqNum::new(u32::from(opening.before_zero).wrapping_neg());
        Self {
            stand,
            listener: None,
            socket: None,
            our_port: 80,
            iss,
            next: iss + 1,
            most: iss + 1,
            irs: None,
            last: SeqNum::new(0),
            echo: 0,
            written: 0,
            read: 0,
            is_blurred: false,
            opening,
        }
    }

    /// The handshake.
    fn open(&mut self) {
        let stack = self.stand.stack;
        let (receive, send) = (self.opening.receive.into(), self.opening.send.into());
        if self.opening.active {
            self.our_port = 4_000;
            let socket = TcpSocket::new(stack, vec![0; receive], vec![0; send]);
            let mut socket = socket.expect("a free slot");
            {
                let mut connect =
                    std::pin::pin!(socket.connect_from(4_000, (PEER_ADDRESS, PEER_PORT)));
                self.stand.ask(connect.as_mut());
                self.look();
                self.send(TcpFlags::SYN | TcpFlags::ACK, self.iss, self.last, 0, &[]);
                self.stand.ask(connect.as_mut());
            }
            self.socket = Some(socket);
            self.look();
        } else {
            let pool = stack.add_owned_pool(1, receive, send).expect("a pool");
            let listener = TcpListener::bind(stack, 80, pool).expect("a free port");
            self.send(TcpFlags::SYN, self.iss, self.last, 0, &[]);
            self.look();
            self.send(TcpFlags::ACK, self.next, self.last, 0, &[]);
            self.look();
            let accepted = self.stand.ask(listener.accept());
            self.socket = accepted.map(|socket| socket.expect("one task accepts"));
            self.listener = Some(listener);
        }
        if let Some(socket) = &mut self.socket {
            socket.set_nagle_enabled(self.opening.nagle);
            if !self.opening.limited {
                socket.set_congestion_control(CongestionControl::None);
            }
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Good { len, window } => {
                self.opening.window = window;
                let (seq, ack) = (self.next, self.last);
                self.send(TcpFlags::ACK, seq, ack, len.into(), &[]);
                self.next = seq + u32::from(len);
            }
            Step::Segment(segment) => self.send_any(&segment),
            Step::Read(len) => self.read(len.into()),
            Step::Peek(len) => {
                let Some(socket) = &mut self.socket else {
                    return;
                };
                let mut buffer = vec![0; len.into()];
                if let Some(Ok(len)) = self.stand.ask(socket.peek(&mut buffer)) {
                    self.check(&buffer[..len]);
                }
            }
            Step::Write(len) => self.write(len.into()),
            Step::Flush => {
                let Some(socket) = &mut self.socket else {
                    return;
                };
                self.stand.ask(socket.flush());
            }
            Step::Shutdown => {
                let Some(socket) = &mut self.socket else {
                    return;
                };
                socket.shutdown_write();
            }
            Step::Abort => {
                let Some(socket) = &mut self.socket else {
                    return;
                };
                self.stand.ask(socket.abort());
            }
            Step::Drop => self.socket = None,
            Step::KeepAlive(seconds) => {
                let Some(socket) = &mut self.socket else {
                    return;
                };
                // Whoever asks for a thousand questions a second gets them.
                let seconds = 1 + u64::from(seconds);
                socket.set_keep_alive(Some(Duration::from_secs(seconds)));
            }
            Step::Timeout(seconds) => {
                let Some(socket) = &mut self.socket else {
                    return;
                };
                socket.set_timeout(Some(Duration::from_secs(seconds.into())));
            }
            Step::Pause(millis, doublings) => {
                let span = Duration::from_millis(millis.into());
                self.stand.pass(span.doubled(u32::from(doublings % 20)));
            }
        }
        self.stand.settle();
        self.look();
    }

    fn send_any(&mut self, segment: &Segment) {
        let flags = TcpFlags::from_bits(segment.flags);
        // What resets or opens may end this connection and begin another.
        self.is_blurred |= flags.intersects(TcpFlags::SYN | TcpFlags::RST);
        let relative = |base: SeqNum, offset: i16| {
            SeqNum::new(base.get().wrapping_add(i32::from(offset) as u32))
        };
        let (seq, ack) = (
            relative(self.next, segment.seq),
            relative(self.last, segment.ack),
        );
        self.opening.window = segment.window;
        let mut blocks = Vec::new();
        for &(left, len) in segment.blocks.iter().take(SackBlocks::CAPACITY) {
            let left = relative(ack, i16::from(left));
            blocks.push((left, left + u32::from(len)));
        }
        let clock = self.opening.timestamps;
        self.opening.timestamps &= segment.timestamp != i8::MIN;
        self.send(flags, seq, ack, usize::from(segment.len) % 1_400, &blocks);
        self.opening.timestamps = clock;
    }

    /// Sends a segment with the stream's bytes for its numbers.
    fn send(
        &mut self,
        flags: TcpFlags,
        seq: SeqNum,
        ack: SeqNum,
        len: usize,
        blocks: &[(SeqNum, SeqNum)],
    ) {
        let syn = flags.contains(TcpFlags::SYN);
        let mut sack = SackBlocks::default();
        for &(left, right) in blocks {
            sack.push(left, right);
        }
        let timestamps = self.opening.timestamps.then(|| Timestamps {
            value: 1 + cygnet_driver::Clock::now(&self.stand.clock).as_millis() as u32,
            echo: self.echo,
        });
        let header = TcpHeader {
            src_port: PEER_PORT,
            dst_port: self.our_port,
            seq,
            ack,
            flags,
            window: self.opening.window,
            urgent: 0,
            options: TcpOptions {
                mss: self.opening.mss.filter(|_| syn),
                window_scale: self.opening.window_scale.filter(|_| syn),
                sack_permitted: self.opening.sack && syn,
                timestamps,
                ..TcpOptions::default()
            },
        };
        let first = seq + u32::from(syn);
        let text: Vec<u8> = (0..len as u32)
            .map(|n| theirs((first + n).get().wrapping_sub((self.iss + 1).get())))
            .collect();
        let fin = u32::from(flags.contains(TcpFlags::FIN));
        self.most = self.most.max(first + len as u32 + fin);
        let segment_len = header.len_with_sack(&sack) + len;
        let ip = Ipv4Header {
            src: PEER_ADDRESS,
            dst: OUR_ADDRESS,
            protocol: IpProtocol::TCP,
            hop_limit: 64,
            dscp_ecn: 0,
            ident: 0,
            dont_fragment: true,
            more_fragments: false,
            fragment_offset: 0,
            header_len: 20,
            payload_len: segment_len,
        };
        let mut packet = vec![0; 20 + segment_len];
        ip.emit(&mut packet);
        let (src, dst) = (PEER_ADDRESS.into(), OUR_ADDRESS.into());
        let mode = ChecksumMode::Full;
        header.emit_with_sack(&sack, &mut packet[20..], src, dst, (&text, &[]), mode);
        self.stand.receive(&packet);
    }

    fn read(&mut self, len: usize) {
        let Some(socket) = &mut self.socket else {
            return;
        };
        let mut buffer = vec![0; len.max(1)];
        if let Some(Ok(len)) = self.stand.ask(socket.read(&mut buffer)) {
            self.check(&buffer[..len]);
            self.read += len as u32;
        }
    }

    /// What the user sees is what comes next in the peer's stream.
    fn check(&self, bytes: &[u8]) {
        for (byte, n) in bytes.iter().zip(self.read..) {
            assert_eq!(*byte, theirs(n), "byte {n} of the peer's stream");
        }
    }

    fn write(&mut self, len: usize) {
        let Some(socket) = &mut self.socket else {
            return;
        };
        let data: Vec<u8> = (0..len as u32).map(|n| ours(self.written + n)).collect();
        if let Some(Ok(len)) = self.stand.ask(socket.write(&data)) {
            self.written += len as u32;
        }
    }

    /// Looks at what the stack sent.
    fn look(&mut self) {
        let sent = self.stand.sent();
        for frame in sent {
            let Some(Transport { range, .. }) = tcp_segment(Medium::Ip, &frame) else {
                continue;
            };
            let segment = TcpSegment::parse(&frame[range]).expect("a whole segment");
            self.look_at(&segment);
        }
    }

    fn look_at(&mut self, segment: &TcpSegment<'_>) {
        let header = &segment.header;
        if header.flags.contains(TcpFlags::RST) {
            return;
        }
        if let Some(timestamps) = header.options.timestamps {
            self.echo = timestamps.value;
        }
        let end = header.seq + segment.segment_len();
        if header.flags.contains(TcpFlags::SYN) {
            self.irs = Some(header.seq);
            self.last = end;
            return;
        }
        let Some(irs) = self.irs.filter(|_| !self.is_blurred) else {
            self.last = self.last.max(end);
            return;
        };
        self.last = self.last.max(end);
        assert!(
            header.ack.at_or_before(self.most),
            "acknowledges {:?} of {:?}",
            header.ack,
            self.most
        );
        let first = header.seq.get().wrapping_sub((irs + 1).get());
        for (byte, n) in segment.payload.iter().zip(first..) {
            assert!(n < self.written, "byte {n} was never written");
            assert_eq!(*byte, ours(n), "byte {n} of the user's stream");
        }
    }

    /// Everybody leaves. Some hours later nothing is left.
    fn end(mut self) {
        for _ in 0..4 {
            self.read(2_048);
        }
        self.socket = None;
        self.listener = None;
        self.stand.pass(Duration::from_secs(3 * 60 * 60));
        self.look();
        assert_eq!(self.stand.clock.next_alarm(), None, "a timer is left");
    }
}

/// The peer's stream.
fn theirs(n: u32) -> u8 {
    (n.wrapping_mul(0x9e37_79b1) >> 24) as u8
}

/// The user's.
fn ours(n: u32) -> u8 {
    (n.wrapping_mul(0x85eb_ca6b) >> 24) as u8
}

const PEER_PORT: u16 = 4_001;
