//! What a script needs of the implementation under test: frames in and out, and an application.

use core::fmt;
use core::time::Duration;
use std::net::Ipv4Addr;

use cygnet::{Discard, TcpState};

/// An implementation of TCP/IP with an application on top that does as it is told.
///
/// No call of the application waits: what is not there yet is `None`.
pub(super) trait Target {
    /// How its conversations are headed.
    fn name(&self) -> &'static str;

    /// How much later than specified things may happen; zero where time is virtual.
    fn slack(&self) -> Duration;

    /// Its time.
    fn now(&self) -> Duration;

    /// A frame for it.
    fn transmit(&mut self, frame: &[u8]);

    /// The next frame from it, if one comes within `patience` of its time.
    fn receive(&mut self, patience: Duration) -> Option<Vec<u8>>;

    fn listen(&mut self, port: u16, options: &SocketOptions) -> ListenerId;
    fn accept(&mut self, listener: ListenerId) -> Option<SocketId>;
    fn connect(&mut self, to: (Ipv4Addr, u16), options: &SocketOptions) -> SocketId;
    /// Connects with data to go with the request, if the peer takes it.
    fn connect_with_data(&mut self, to: (Ipv4Addr, u16), data: &[u8]) -> SocketId;
    /// How the attempt to connect ended.
    fn connected(&mut self, socket: SocketId) -> Option<Result<(), Failure>>;
    /// Takes as much as there is room for.
    fn write(&mut self, socket: SocketId, data: &[u8]) -> Result<usize, Failure>;
    /// Zero bytes are the end of the stream.
    fn read(&mut self, socket: SocketId, buffer: &mut [u8]) -> Option<Result<usize, Failure>>;
    fn shutdown_write(&mut self, socket: SocketId);
    /// The application is done with the socket, as when a process closes its descriptor.
    fn close(&mut self, socket: SocketId);
    fn abort(&mut self, socket: SocketId);
    fn set(&mut self, socket: SocketId, option: SocketOption);

    fn udp_bind(&mut self, port: u16) -> UdpId;
    fn udp_send(&mut self, socket: UdpId, to: (Ipv4Addr, u16), data: &[u8]);
    fn udp_receive(&mut self, socket: UdpId) -> Option<Vec<u8>>;
    /// Listens to a group: to all who send to it, or only to some; to nobody is to leave it.
    fn udp_listen(&mut self, socket: UdpId, group: Ipv4Addr, only: Option<&[Ipv4Addr]>);

    /// Makes a choice that a distribution makes, where there is one to be made.
    fn sysctl(&mut self, _name: &str, _value: &str) {}
    /// Stops to listen.
    fn unlisten(&mut self, listener: ListenerId);
    /// Where the connection between these ports (the target's first) is in its life, as far as the
    /// target tells: a socket that was asked for, or an entry in the kernel's table.
    fn state(&mut self, ports: (u16, u16), socket: Option<SocketId>) -> Option<TcpState>;

    /// How many packets were dropped for that reason, where it is counted.
    fn discarded(&self, reason: Discard) -> Option<u32>;
}

/// A listening socket of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerId(pub(super) usize);

/// A TCP socket of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketId(pub(super) usize);

/// A UDP socket of the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpId(pub(super) usize);

/// What a socket is made with.
#[derive(Clone, Debug)]
pub struct SocketOptions {
    /// The size of the receive buffer in bytes; the kernel rounds as it pleases. `None` is 64 KiB.
    pub receive_buffer: Option<usize>,
    /// How many connections a listener keeps before they are accepted.
    pub backlog: usize,
    /// How many connections of a listener may be opened by Fast Open at a time. Linux: the sysctl decides.
    pub fast_open: u16,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self {
            receive_buffer: None,
            backlog: 8,
            fast_open: 0,
        }
    }
}

/// What can be set on a connection.
#[derive(Clone, Copy, Debug)]
pub enum SocketOption {
    /// Whether small segments wait for acknowledgments.
    Nagle(bool),
    /// The silence after which the peer is probed, and the interval of further probes; whole seconds.
    KeepAlive(Duration),
    /// How many probes may stay unanswered.
    KeepAliveProbes(u8),
    /// How long an acknowledgment may wait; on cygnet only.
    AckDelay(Duration),
    /// The differentiated services code point.
    Dscp(u8),
    /// How many routers what is sent may pass.
    HopLimit(u8),
    /// How long data may stay unacknowledged.
    UserTimeout(Duration),
}

/// How a call on a socket failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The peer refused the connection.
    Refused,
    /// The peer reset the connection.
    Reset,
    /// The peer did not answer.
    TimedOut,
    /// The network said that there is no way there.
    Unreachable,
    /// The sending side is closed.
    Closed,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
