//! Frames into a live stack that listens, is connected, and has UDP and ICMP sockets.
//!
//! An input is a sequence of records, each one byte of kind, two of length or number, and its bytes:
//!
//! | kind | meaning |
//! | --- | --- |
//! | 0 | a frame as it is |
//! | 1 | a frame, its checksums repaired |
//! | 2 | as 1, and what a TCP segment acknowledges counts from what the stack sent last to its port |
//! | 3 | so many milliseconds pass |
//! | 4 | the user accepts, reads what there is and writes so many bytes |
//! | 5 | the user closes the oldest connection, or drops it if the number is odd |

use cygnet::wire::{SeqNum, TcpSegment};
use cygnet::{
    Duration, IcmpEndpoint, IcmpPacketMetadata, IcmpSocket, TcpListener, TcpSocket,
    UdpPacketMetadata, UdpSocket,
};
use cygnet_driver::Medium;
use cygnet_tests::{repair_checksums, tcp_segment};

use crate::stand::{Memory, PEER_ADDRESS, SLOTS, Stand};

/// One record of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A frame as it is.
    Raw(&'a [u8]),
    /// A frame whose checksums are repaired.
    Repaired(&'a [u8]),
    /// A frame whose acknowledgment is relative as well.
    Relative(&'a [u8]),
    /// Milliseconds.
    Pause(u16),
    /// The user reads, and writes so many bytes.
    Talk(u16),
    /// The user closes, or drops.
    End(u16),
}

impl<'a> Record<'a> {
    /// Takes the next record from an input.
    fn take(input: &mut &'a [u8]) -> Option<Self> {
        let (&[kind, high, low], rest) = input.split_first_chunk()?;
        let number = u16::from_be_bytes([high, low]);
        *input = rest;
        let mut frame = || {
            let len = usize::from(number).min(rest.len());
            let (frame, rest) = rest.split_at(len);
            *input = rest;
            frame
        };
        Some(match kind % 6 {
            0 => Self::Raw(frame()),
            1 => Self::Repaired(frame()),
            2 => Self::Relative(frame()),
            3 => Self::Pause(number),
            4 => Self::Talk(number),
            _ => Self::End(number),
        })
    }

    /// Adds the record to an input.
    pub fn put(self, input: &mut Vec<u8>) {
        let (kind, number, frame): (u8, u16, &[u8]) = match self {
            Self::Raw(frame) => (0, frame.len() as u16, frame),
            Self::Repaired(frame) => (1, frame.len() as u16, frame),
            Self::Relative(frame) => (2, frame.len() as u16, frame),
            Self::Pause(number) => (3, number, &[]),
            Self::Talk(number) => (4, number, &[]),
            Self::End(number) => (5, number, &[]),
        };
        input.push(kind);
        input.extend(number.to_be_bytes());
        input.extend(frame);
    }
}

/// See the module.
pub fn run(mut input: &[u8]) {
    let mut memory = Memory::new();
    let mut user = User::new(Stand::new(&mut memory, Medium::Ethernet));
    while let Some(record) = Record::take(&mut input) {
        match record {
            Record::Raw(frame) => user.receive(frame),
            Record::Repaired(frame) => {
                let mut frame = frame.to_vec();
                repair_checksums(Medium::Ethernet, &mut frame);
                user.receive(&frame);
            }
            Record::Relative(frame) => {
                let mut frame = frame.to_vec();
                user.make_absolute(&mut frame);
                repair_checksums(Medium::Ethernet, &mut frame);
                user.receive(&frame);
            }
            Record::Pause(millis) => user.stand.pass(Duration::from_millis(millis.into())),
            Record::Talk(len) => user.talk(len.into()),
            Record::End(number) => user.end(number),
        }
    }
    user.leave();
}

/// Who uses the stack.
struct User<'d> {
    stand: Stand<'d>,
    listener: Option<TcpListener<'d>>,
    sockets: Vec<TcpSocket<'d>>,
    udp: Option<UdpSocket<'d>>,
    icmp: Option<IcmpSocket<'d>>,
    /// Of the last segments that the stack sent: the port they went to, and the number behind them.
    last: Vec<(u16, SeqNum)>,
    /// Bytes of all frames so far.
    fed: usize,
    /// Bytes read.
    read: usize,
}

impl<'d> User<'d> {
    fn new(mut stand: Stand<'d>) -> Self {
        let stack = stand.stack;
        let pool = stack.add_owned_pool(2, 2_048, 2_048).expect("a pool");
        let mut socket = TcpSocket::new(stack, vec![0; 1_024], vec![0; 1_024]).expect("a slot");
        // The connection attempt is given up when its future is dropped: what it leaves is a slot.
        stand.ask(socket.connect_from(4_000, (PEER_ADDRESS, 4_001)));
        let meta = || vec![UdpPacketMetadata::EMPTY; 4];
        let udp = UdpSocket::new(stack, meta(), vec![0; 2_048], meta(), vec![0; 2_048]);
        let mut udp = udp.expect("a slot");
        udp.bind(7).expect("a free port");
        let meta = || vec![IcmpPacketMetadata::EMPTY; 4];
        let icmp = IcmpSocket::new(stack, meta(), vec![0; 2_048], meta(), vec![0; 2_048]);
        let mut icmp = icmp.expect("a slot");
        icmp.bind(IcmpEndpoint::Ident(1))
            .expect("a free identifier");
        Self {
            listener: Some(TcpListener::bind(stack, 80, pool).expect("a free port")),
            stand,
            sockets: vec![socket],
            udp: Some(udp),
            icmp: Some(icmp),
            last: Vec::new(),
            fed: 0,
            read: 0,
        }
    }

    fn receive(&mut self, frame: &[u8]) {
        self.fed += frame.len();
        self.stand.receive(frame);
        let sent = self.stand.sent();
        // A frame has its answer, and may open a window: it never lets loose a flood.
        assert!(sent.len() <= 64, "{} frames for one", sent.len());
        self.look_at(sent);
    }

    fn look_at(&mut self, sent: Vec<Vec<u8>>) {
        for frame in sent {
            let Some((header, range)) = tcp_segment(Medium::Ethernet, &frame) else {
                continue;
            };
            let bytes = &frame[range];
            let (src, dst) = (header.src.into(), header.dst.into());
            assert!(TcpSegment::verify_checksum(bytes, src, dst));
            let segment = TcpSegment::parse(bytes).expect("the stack sends whole segments");
            let port = segment.header.dst_port;
            let end = segment.header.seq + segment.segment_len();
            self.last.retain(|(known, _)| *known != port);
            self.last.push((port, end));
        }
    }

    /// What the segment acknowledges counts from what the stack sent last.
    fn make_absolute(&self, frame: &mut [u8]) {
        let Some((_, range)) = tcp_segment(Medium::Ethernet, frame) else {
            return;
        };
        let segment = &mut frame[range];
        let port = u16::from_be_bytes([segment[0], segment[1]]);
        let Some((_, end)) = self.last.iter().find(|(known, _)| *known == port) else {
            return;
        };
        let relative = u32::from_be_bytes([segment[8], segment[9], segment[10], segment[11]]);
        segment[8..12].copy_from_slice(&end.get().wrapping_add(relative).to_be_bytes());
    }

    fn talk(&mut self, len: usize) {
        if let Some(listener) = &self.listener
            && let Some(Ok(socket)) = self.stand.ask(listener.accept())
        {
            self.sockets.push(socket);
        }
        let mut buffer = [0; 2_048];
        for socket in &mut self.sockets {
            if let Some(Ok(len)) = self.stand.ask(socket.read(&mut buffer)) {
                self.read += len;
            }
            let data = &buffer[..len.min(2_048)];
            let _ = self.stand.ask(socket.write(data));
        }
        if let Some(udp) = &self.udp {
            let _ = self.stand.ask(udp.recv_from(&mut buffer));
        }
        if let Some(icmp) = &self.icmp {
            let _ = self.stand.ask(icmp.recv_from(&mut buffer));
        }
        assert!(self.read <= self.fed, "more was read than came in");
        let sent = self.stand.sent();
        self.look_at(sent);
    }

    fn end(&mut self, number: u16) {
        if self.sockets.is_empty() {
            return;
        }
        if number.is_multiple_of(2) {
            self.sockets[0].shutdown_write();
        } else {
            self.sockets.remove(0);
        }
        self.stand.settle();
    }

    /// Drops everything. Some hours later nothing is left.
    fn leave(mut self) {
        self.sockets.clear();
        (self.listener, self.udp, self.icmp) = (None, None, None);
        self.stand.pass(Duration::from_secs(3 * 60 * 60));
        self.stand.sent();
        assert_eq!(self.stand.clock.next_alarm(), None, "a timer is left");
        let stack = self.stand.stack;
        let sockets: Vec<_> =
            std::iter::from_fn(|| TcpSocket::new(stack, vec![], vec![]).ok()).collect();
        assert_eq!(sockets.len(), SLOTS, "slots that came back");
    }
}
