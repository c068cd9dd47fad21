//! A script: the target, the wire to it, and everything that was said.

mod observe;

use core::fmt::Display;
use core::fmt::Write as _;
use core::ops::Range;
use core::time::Duration;
use std::cell::RefCell;
use std::net::Ipv4Addr;

use cygnet::Discard;

use super::cygnet_target::CygnetTarget;
use super::packet::{PEER, Packet, arp_answer, summary};
use super::peer::Peer;
use super::segment::pattern;
use super::target::{Failure, ListenerId, SocketId, SocketOption, SocketOptions, Target, UdpId};

/// Tells a story to cygnet.
pub fn on_cygnet(story: impl FnOnce(&Script)) {
    tell(Box::new(CygnetTarget::new()), story);
}

/// Tells a story to the Linux kernel, in a network namespace of its own.
///
/// # Panics
///
/// The story does, or the host allows no namespace; see [`cygnet_host::linux_test`].
#[cfg(target_os = "linux")]
pub fn on_linux(story: impl FnOnce(&Script) + Send) {
    cygnet_host::linux_test(|_| {
        tell(Box::new(super::linux_target::LinuxTarget::new()), story);
    });
}

fn tell(target: Box<dyn Target>, story: impl FnOnce(&Script)) {
    let script = Script {
        conversation: RefCell::new(Conversation {
            start: target.now(),
            target,
            lines: Vec::new(),
            answers_arp: true,
            about_groups: false,
            last_event: None,
        }),
    };
    story(&script);
    script.silence(Duration::ZERO);
}

/// A target and a wire to it. Methods of the application side wait as long as the target's slack
/// allows, which is no time on cygnet.
pub struct Script {
    conversation: RefCell<Conversation>,
}

struct Conversation {
    target: Box<dyn Target>,
    start: Duration,
    lines: Vec<String>,
    /// Whether the peer answers ARP requests by itself, and ARP is not part of the story.
    answers_arp: bool,
    /// Whether what goes to groups is part of the story.
    about_groups: bool,
    /// When the last frame passed either way.
    last_event: Option<Duration>,
}

// The wire.
impl Script {
    /// A host that connects from `port` to the target's port `target_port`, or the other way round.
    pub fn peer(&self, port: u16, target_port: u16) -> Peer<'_> {
        Peer::new(self, port, target_port)
    }

    /// Makes ARP part of the story: the peer answers nothing by itself.
    pub fn script_arp(&self) {
        self.conversation.borrow_mut().answers_arp = false;
    }

    /// Makes what goes to multicast groups part of the story.
    pub fn script_groups(&self) {
        self.conversation.borrow_mut().about_groups = true;
    }

    /// Whatever the target sends in that time is no part of the story.
    pub fn ignore(&self, span: Duration) {
        let end = self.now() + span;
        while self.next_packet(end.saturating_sub(self.now())).is_some() {}
    }

    /// A time that only a virtual clock lets pass at once; none on a real one.
    pub fn if_virtual(&self, span: Duration) -> Duration {
        if self.slack().is_zero() {
            span
        } else {
            Duration::ZERO
        }
    }

    /// Whether the target is the Linux kernel, for the few numbers that no RFC fixes.
    pub fn is_linux(&self) -> bool {
        self.conversation.borrow().target.name() == "linux"
    }

    /// Sends a frame to the target.
    pub fn send_frame(&self, frame: &[u8]) {
        self.send_described(frame, &summary(frame));
    }

    pub(super) fn send_described(&self, frame: &[u8], description: &dyn Display) {
        let mut conversation = self.conversation.borrow_mut();
        conversation.note('>', description);
        conversation.target.transmit(frame);
    }

    /// The next packet that the target sends, at once.
    pub fn expect_packet(&self) -> Packet {
        self.expect_packet_within(Duration::ZERO)
    }

    /// The next packet that the target sends, not later than that.
    pub fn expect_packet_within(&self, patience: Duration) -> Packet {
        match self.next_packet(patience + self.slack()) {
            Some(packet) => packet,
            None => self.fail("nothing came"),
        }
    }

    /// A packet that the target has sent already.
    pub fn try_packet(&self) -> Option<Packet> {
        self.next_packet(Duration::ZERO)
    }

    /// Lets time pass, during which the target must not send anything.
    pub fn silence(&self, span: Duration) {
        if let Some(packet) = self.next_packet(span) {
            self.fail(format_args!(
                "silence expected for {span:?}, but {packet:?} came"
            ));
        }
    }

    /// The next packet that is part of the story; what the target sends is described by whoever
    /// expects it.
    pub(super) fn next_packet(&self, patience: Duration) -> Option<Packet> {
        let mut conversation = self.conversation.borrow_mut();
        let deadline = conversation.target.now() + patience;
        loop {
            let left = deadline.saturating_sub(conversation.target.now());
            let frame = conversation.target.receive(left)?;
            let packet = Packet::parse(&frame);
            if packet.is_noise(conversation.about_groups) {
                continue;
            }
            if let (true, Some(arp)) = (conversation.answers_arp, packet.arp()) {
                if let Some(answer) = arp_answer(&arp) {
                    conversation.target.transmit(&answer);
                }
                continue;
            }
            if packet.tcp().is_none() {
                conversation.note('<', &summary(&frame));
            }
            return Some(packet);
        }
    }

    pub(super) fn note_received(&self, description: &dyn Display) {
        self.conversation.borrow_mut().note('<', description);
    }

    /// The target's time.
    pub fn now(&self) -> Duration {
        self.conversation.borrow().target.now()
    }

    pub(super) fn slack(&self) -> Duration {
        self.conversation.borrow().target.slack()
    }

    /// How long ago the last frame passed.
    pub(super) fn since_last_event(&self) -> Duration {
        let conversation = self.conversation.borrow();
        let now = conversation.target.now();
        now - conversation.last_event.unwrap_or(conversation.start)
    }

    /// Ends the story badly, with all that was said.
    #[track_caller]
    pub(super) fn fail(&self, problem: impl Display) -> ! {
        let conversation = self.conversation.borrow();
        let mut text = format!("{problem}\n  with {}:\n", conversation.target.name());
        for line in &conversation.lines {
            let _ = writeln!(text, "    {line}");
        }
        panic!("{text}");
    }
}

impl Conversation {
    fn note(&mut self, direction: char, description: &dyn Display) {
        let now = self.target.now();
        let at = (now - self.start).as_secs_f64();
        self.lines
            .push(format!("{at:10.6} {direction} {description}"));
        self.last_event = Some(now);
    }

    fn note_call(&mut self, description: impl Display) {
        let at = (self.target.now() - self.start).as_secs_f64();
        self.lines.push(format!("{at:10.6} | {description}"));
    }
}

// The application.
impl Script {
    /// Listens on a port.
    pub fn listen(&self, port: u16) -> ListenerId {
        self.listen_with(port, &SocketOptions::default())
    }

    /// Listens on a port with buffers and backlog as said.
    pub fn listen_with(&self, port: u16, options: &SocketOptions) -> ListenerId {
        let mut conversation = self.conversation.borrow_mut();
        conversation.note_call(format_args!("listen {port}"));
        conversation.target.listen(port, options)
    }

    /// The connection that waits to be accepted.
    pub fn accept(&self, listener: ListenerId) -> SocketId {
        self.note_call("accept");
        self.wait_for("a connection to accept", |target| target.accept(listener))
    }

    /// Starts to connect to the peer.
    pub fn connect(&self, port: u16) -> SocketId {
        self.connect_with(port, &SocketOptions::default())
    }

    /// Starts to connect to the peer with buffers as said.
    pub fn connect_with(&self, port: u16, options: &SocketOptions) -> SocketId {
        let mut conversation = self.conversation.borrow_mut();
        conversation.note_call(format_args!("connect {port}"));
        conversation.target.connect((PEER, port), options)
    }

    /// Starts to connect to the peer with data to go with the request.
    pub fn connect_with_data(&self, port: u16, numbers: Range<u32>) -> SocketId {
        let mut conversation = self.conversation.borrow_mut();
        conversation.note_call(format_args!("connect {port} with {numbers:?}"));
        let data = pattern(numbers);
        conversation.target.connect_with_data((PEER, port), &data)
    }

    /// How the attempt to connect ended.
    pub fn connected(&self, socket: SocketId) -> Result<(), Failure> {
        self.wait_for("the end of connect", |target| target.connected(socket))
    }

    /// Whether the attempt to connect goes on.
    pub fn is_connecting(&self, socket: SocketId) -> bool {
        self.conversation
            .borrow_mut()
            .target
            .connected(socket)
            .is_none()
    }

    /// Writes the text that has these numbers.
    pub fn write(&self, socket: SocketId, numbers: Range<u32>) {
        self.note_call(format_args!("write {numbers:?}"));
        let text = pattern(numbers);
        let written = self.conversation.borrow_mut().target.write(socket, &text);
        if written != Ok(text.len()) {
            self.fail(format_args!("write returned {written:?}"));
        }
    }

    /// Writes as much text from that number on as there is room for, at most `len` bytes.
    pub fn write_some(&self, socket: SocketId, from: u32, len: u32) -> Result<usize, Failure> {
        self.note_call(format_args!("write {from}.."));
        let text = pattern(from..from + len);
        self.conversation.borrow_mut().target.write(socket, &text)
    }

    /// Reads the text that has these numbers, all of it.
    pub fn read(&self, socket: SocketId, numbers: Range<u32>) {
        self.note_call(format_args!("read {numbers:?}"));
        let text = self.read_bytes(socket, numbers.len());
        if text != pattern(numbers) {
            self.fail("other text was read");
        }
    }

    /// Reads that many bytes.
    pub fn read_bytes(&self, socket: SocketId, len: usize) -> Vec<u8> {
        let mut text = vec![0; len];
        let mut have = 0;
        while have < len {
            let rest = &mut text[have..];
            match self.wait_for("text to read", |target| target.read(socket, rest)) {
                Ok(count) if count > 0 => have += count,
                other => self.fail(format_args!("read returned {other:?} after {have} bytes")),
            }
        }
        text
    }

    /// Reads what there is without waiting, up to `limit` bytes; zero if there is nothing.
    pub fn read_some(&self, socket: SocketId, limit: usize) -> usize {
        let mut text = vec![0; limit];
        let mut have = 0;
        loop {
            let mut conversation = self.conversation.borrow_mut();
            match conversation.target.read(socket, &mut text[have..]) {
                Some(Ok(count)) if count > 0 => have += count,
                _ => break,
            }
        }
        self.note_call(format_args!("read some: {have}"));
        have
    }

    /// Reads the end of the stream.
    pub fn read_end(&self, socket: SocketId) {
        self.note_call("read the end");
        let result = self.wait_for("the end", |target| target.read(socket, &mut [0; 1]));
        if result != Ok(0) {
            self.fail(format_args!("read returned {result:?} instead of the end"));
        }
    }

    /// What a read fails with.
    pub fn read_failure(&self, socket: SocketId) -> Failure {
        let result = self.wait_for("an error", |target| target.read(socket, &mut [0; 1]));
        match result {
            Err(failure) => failure,
            Ok(count) => self.fail(format_args!(
                "read returned {count} bytes instead of failing"
            )),
        }
    }

    /// Nothing is there to be read.
    pub fn nothing_to_read(&self, socket: SocketId) {
        let result = self
            .conversation
            .borrow_mut()
            .target
            .read(socket, &mut [0; 1]);
        if let Some(result) = result {
            self.fail(format_args!("read returned {result:?} instead of waiting"));
        }
    }

    /// Closes the sending side.
    pub fn shutdown_write(&self, socket: SocketId) {
        self.note_call("shutdown write");
        self.conversation.borrow_mut().target.shutdown_write(socket);
    }

    /// The application is done with the socket.
    pub fn close(&self, socket: SocketId) {
        self.note_call("close");
        self.conversation.borrow_mut().target.close(socket);
    }

    /// Ends the connection with a reset.
    pub fn abort(&self, socket: SocketId) {
        self.note_call("abort");
        self.conversation.borrow_mut().target.abort(socket);
    }

    /// Sets an option.
    pub fn set(&self, socket: SocketId, option: SocketOption) {
        self.note_call(format_args!("set {option:?}"));
        self.conversation.borrow_mut().target.set(socket, option);
    }

    /// Sets one of Linux's `net.ipv4` sysctls, for what cygnet does anyway.
    pub fn sysctl(&self, name: &str, value: &str) {
        self.conversation.borrow_mut().target.sysctl(name, value);
    }

    /// Binds a UDP socket.
    pub fn udp_bind(&self, port: u16) -> UdpId {
        self.conversation.borrow_mut().target.udp_bind(port)
    }

    /// Sends a datagram.
    pub fn udp_send(&self, socket: UdpId, to: (Ipv4Addr, u16), data: &[u8]) {
        let mut conversation = self.conversation.borrow_mut();
        conversation.target.udp_send(socket, to, data);
    }

    /// The next datagram.
    pub fn udp_receive(&self, socket: UdpId) -> Vec<u8> {
        self.wait_for("a datagram", |target| target.udp_receive(socket))
    }

    /// Listens to a multicast group: to all who send to it, or only to some; to nobody is to leave it.
    pub fn udp_listen(&self, socket: UdpId, group: Ipv4Addr, only: Option<&[Ipv4Addr]>) {
        self.note_call(format_args!("listen to {group} from {only:?}"));
        let mut conversation = self.conversation.borrow_mut();
        conversation.target.udp_listen(socket, group, only);
    }

    /// Whether no datagram is there.
    pub fn udp_is_empty(&self, socket: UdpId) -> bool {
        let mut conversation = self.conversation.borrow_mut();
        conversation.target.udp_receive(socket).is_none()
    }

    /// That this many packets were dropped for that reason; not known of the kernel.
    pub fn assert_discarded(&self, reason: Discard, count: u32) {
        let counted = self.conversation.borrow().target.discarded(reason);
        if counted.is_some_and(|counted| counted != count) {
            self.fail(format_args!(
                "{counted:?} packets counted as {reason:?}, not {count}"
            ));
        }
    }

    fn note_call(&self, description: impl Display) {
        self.conversation.borrow_mut().note_call(description);
    }

    /// Asks again until there is an answer or the slack is used up.
    fn wait_for<T>(&self, what: &str, mut ask: impl FnMut(&mut dyn Target) -> Option<T>) -> T {
        let deadline = self.now() + self.slack();
        loop {
            let answer = ask(&mut *self.conversation.borrow_mut().target);
            if let Some(answer) = answer {
                return answer;
            }
            if self.now() >= deadline {
                self.fail(format_args!("waited in vain for {what}"));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
