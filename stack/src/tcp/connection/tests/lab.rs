//! A connection under test and the peer that it talks to, without an engine between them: what goes out of one step,
//! what comes in, and all that the connection holds of it.
//!
//! Both sides begin at 0, so that the first byte of either is 1. A round trip takes [`RTT`], and a segment of ours is
//! [`MSS`] bytes long.

use core::net::Ipv4Addr;
use core::ops::Range;
use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use super::timers::Timer;
use super::{Connection, Disposition, Opening, PathMss};
use crate::events::Events;
use crate::storage::Bytes;
use crate::tcp::sack::Sack;
use crate::tcp::{CongestionControl, FourTuple, MinRto, Options, State};
use crate::time::{Duration, Instant};
#[cfg(feature = "tcp-timestamps")]
use crate::wire::Timestamps;
use crate::wire::{IpEndpoint, SackBlocks, SeqNum, TcpFlags, TcpHeader, TcpOptions, TcpSegment};

pub(super) const MSS: u32 = 1_000;

/// In milliseconds.
pub(super) const RTT: u64 = 100;

/// The connection, and what its peer says unless a test says otherwise.
pub(super) struct Lab {
    pub(super) connection: Connection<'static>,
    pub(super) now: Instant,
    /// The next header of the peer: its numbers, its window.
    pub(super) peer: TcpHeader,
    /// What the path takes.
    pub(super) path: PathMss,
}

/// A segment of the connection's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    /// In milliseconds since the step began.
    pub(super) at: u64,
    pub(super) header: TcpHeader,
    pub(super) sack: SackBlocks,
    /// The numbers of its bytes.
    pub(super) data: Range<u32>,
}

/// What a peer says in its SYN that reports what arrives, and takes a larger window than 64 KiB.
pub(super) fn modern() -> TcpOptions {
    let mut options = TcpOptions {
        mss: Some(MSS as u16),
        window_scale: Some(4),
        ..TcpOptions::default()
    };
    Sack::OFFERED.put(&mut options);
    options
}

/// What a peer says in its SYN that knows no options but the first.
pub(super) fn plain() -> TcpOptions {
    TcpOptions {
        mss: Some(MSS as u16),
        ..TcpOptions::default()
    }
}

impl Lab {
    /// A connection that is not open yet.
    pub(super) fn closed(congestion: CongestionControl, buffer: usize) -> Self {
        let memory = |len: usize| Bytes::from(Box::leak(vec![0; len].into_boxed_slice()));
        let send = memory(crate::tcp::send_buffer_len(buffer));
        let options = Options::new(congestion, MinRto::from(MinRto::DEFAULT));
        Self {
            connection: Connection::new(memory(buffer), send, options),
            now: Instant::from_secs(1_000),
            peer: TcpHeader {
                src_port: 80,
                dst_port: 40_000,
                flags: TcpFlags::ACK,
                window: 60_000,
                ..TcpHeader::default()
            },
            path: PathMss {
                announced: 1_460,
                usable: 1_460,
            },
        }
    }

    /// A connection that asked for another, and got no answer yet.
    pub(super) fn requesting(congestion: CongestionControl) -> Self {
        let mut lab = Self::closed(congestion, 256 * 1_024);
        lab.request();
        lab
    }

    /// Asks the peer for a connection.
    pub(super) fn request(&mut self) -> TcpHeader {
        let opening = self.opening();
        self.connection.connect(self.now, &opening);
        let request = self.sent();
        assert_eq!(request.len(), 1);
        request[0].header
    }

    /// A connection that a peer with these options has answered, a round trip later.
    pub(super) fn established(congestion: CongestionControl, options: TcpOptions) -> Self {
        let mut lab = Self::requesting(congestion);
        lab.wait(RTT);
        lab.answer(options);
        assert_eq!(lab.connection.state(), State::Established);
        assert_eq!(lab.sent().len(), 1, "an acknowledgment");
        #[cfg(feature = "tcp-timestamps")]
        {
            lab.peer.options.timestamps = options.timestamps;
        }
        lab.connection.take_events();
        lab.connection.take_tally();
        lab
    }

    /// What one is opened with.
    pub(super) fn opening(&self) -> Opening {
        let end = |host, port| IpEndpoint::new(Ipv4Addr::new(10, 0, 0, host).into(), port);
        Opening {
            tuple: FourTuple {
                local: end(1, 40_000),
                remote: end(2, 80),
            },
            iss: SeqNum::new(0),
            timestamp_offset: Default::default(),
            path_mss: self.path,
            ecn: false,
        }
    }

    /// The peer takes the request.
    pub(super) fn answer(&mut self, options: TcpOptions) {
        let answer = TcpHeader {
            flags: TcpFlags::SYN | TcpFlags::ACK,
            ack: SeqNum::new(1),
            options,
            ..self.peer
        };
        assert_eq!(self.receive(answer, &[]), Disposition::Accepted);
        self.peer.seq = SeqNum::new(1);
        self.peer.ack = SeqNum::new(1);
    }

    /// The user writes so many bytes; how many were taken.
    pub(super) fn write(&mut self, len: u32) -> u32 {
        self.connection.write(&vec![7; len as usize]) as u32
    }

    /// What goes out now.
    pub(super) fn sent(&mut self) -> Vec<Sent> {
        self.wait(0)
    }

    /// The numbers of the bytes that go out now.
    pub(super) fn data(&mut self) -> Vec<Range<u32>> {
        data(self.sent())
    }

    /// What goes out within so many milliseconds.
    pub(super) fn wait(&mut self, millis: u64) -> Vec<Sent> {
        let (start, end) = (self.now, self.now + Duration::from_millis(millis));
        let mut all = Vec::new();
        loop {
            while self.connection.wants_to_send() {
                let Some(plan) = self.connection.poll_segment(self.now, self.path) else {
                    break;
                };
                let header = self.connection.header(self.now, &plan);
                let sack = self.connection.sack_blocks(plan.kind);
                self.connection.on_transmitted(&plan);
                let header_len = header.len_with_sack(&sack);
                let len = (plan.segment_len() - header_len) as u32;
                let first = header.seq.get() + u32::from(header.flags.contains(TcpFlags::SYN));
                all.push(Sent {
                    at: self.now.since(start).as_micros() / 1_000,
                    header,
                    sack,
                    data: first..first + len,
                });
                assert!(all.len() < 10_000, "it sends for ever");
            }
            let next = self.connection.next_deadline(self.now);
            if next > end {
                self.now = end;
                return all;
            }
            self.now = self.now.max(next);
            self.connection.on_timeout(self.now);
        }
    }

    /// The peer acknowledges everything before `ack`.
    pub(super) fn ack(&mut self, ack: u32) -> Disposition {
        self.report(ack, &[])
    }

    /// When the timer is due, in milliseconds from now.
    pub(super) fn due(&self, timer: Timer) -> Option<u64> {
        let timers = &self.connection.timers;
        let is_set = timers.is_set(timer);
        is_set.then(|| timers.due(timer, self.now).since(self.now).as_millis())
    }

    /// The peer acknowledges everything before `ack`, and reports what arrived beyond.
    pub(super) fn report(&mut self, ack: u32, blocks: &[Range<u32>]) -> Disposition {
        let mut sack = SackBlocks::default();
        for block in blocks {
            sack.push(SeqNum::new(block.start), SeqNum::new(block.end));
        }
        self.peer.ack = SeqNum::new(ack);
        let segment = TcpSegment {
            header: self.peer,
            sack,
            ..TcpSegment::default()
        };
        self.connection.on_segment(&segment, self.now)
    }

    /// The peer sends so many bytes.
    pub(super) fn text(&mut self, len: usize) -> Disposition {
        let disposition = self.receive(self.peer, &vec![7; len]);
        self.peer.seq += len as u32;
        disposition
    }

    /// A segment from the peer.
    pub(super) fn receive(&mut self, header: TcpHeader, payload: &[u8]) -> Disposition {
        let segment = TcpSegment {
            header,
            payload,
            ..TcpSegment::default()
        };
        self.connection.on_segment(&segment, self.now)
    }

    /// What happened since the last step.
    pub(super) fn events(&mut self) -> Events {
        self.connection.take_events()
    }

    /// The timestamp that the peer sends from now on, and what it echoes.
    #[cfg(feature = "tcp-timestamps")]
    pub(super) fn stamp(&mut self, value: u32, echo: u32) {
        self.peer.options.timestamps = Some(Timestamps { value, echo });
    }
}

/// The numbers of the bytes of segments that have some.
pub(super) fn data(sent: Vec<Sent>) -> Vec<Range<u32>> {
    let data = sent.into_iter().map(|sent| sent.data);
    data.filter(|data| !data.is_empty()).collect()
}

/// The numbers of the `nth` segment of [`MSS`] bytes, counted from 0.
pub(super) fn nth(n: u32) -> Range<u32> {
    1 + n * MSS..1 + (n + 1) * MSS
}

/// The numbers of these segments, each by itself.
pub(super) fn segments(range: Range<u32>) -> Vec<Range<u32>> {
    range.map(nth).collect()
}

/// Everything before the `nth` segment.
pub(super) fn before(n: u32) -> u32 {
    nth(n).start
}
