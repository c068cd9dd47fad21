//! The Linux kernel as the target: a tap device in the calling thread's network namespace, in real
//! time.

use core::time::Duration;
use std::io::{self, ErrorKind, Read};
use std::net::{Ipv4Addr, Shutdown, SocketAddrV4, UdpSocket};
use std::os::fd::AsFd;
use std::time::Instant;

use cygnet::{Discard, TcpState};
use cygnet_host::Interface;
use cygnet_tuntap::{Device, Mode};
use rustix::event::{PollFd, PollFlags, poll};
use socket2::{Domain, SockRef, Socket, TcpKeepalive, Type};

use super::packet::{TARGET, TARGET_MAC};
use super::target::{Failure, ListenerId, SocketId, SocketOption, SocketOptions, Target, UdpId};

/// The kernel's end of a tap device, and sockets of this process as its application.
pub(super) struct LinuxTarget {
    device: Device,
    origin: Instant,
    /// `None` once it is closed.
    listeners: Vec<Option<Socket>>,
    sockets: Vec<Connection>,
    udp: Vec<UdpSocket>,
}

struct Connection {
    /// `None` once it is closed.
    socket: Option<Socket>,
    /// How the attempt to connect ended, if it has.
    connected: Option<Result<(), Failure>>,
    /// What is to be said once it is connected.
    unsent: Vec<u8>,
}

impl LinuxTarget {
    pub(super) fn new() -> Self {
        // Choices that a distribution makes, set so that the story is the same everywhere.
        for (name, value) in SYSCTLS {
            // A kernel that does not have one of them behaves as if it were off.
            let _ = std::fs::write(format!("/proc/sys/net/ipv4/{name}"), value);
        }
        let device = Device::open("tap0", Mode::Tap).expect("a tap device");
        let interface = Interface::named(device.name());
        let set_up = || {
            interface
                .set_hardware_address(TARGET_MAC.0)?
                .up()?
                .add_address(TARGET, 24)
        };
        set_up().expect("an interface of one's own can be set up");
        Self {
            device,
            origin: Instant::now(),
            listeners: Vec::new(),
            sockets: Vec::new(),
            udp: Vec::new(),
        }
    }

    fn add(&mut self, socket: Socket, connected: Option<Result<(), Failure>>) -> SocketId {
        socket.set_nonblocking(true).expect("non-blocking mode");
        self.sockets.push(Connection {
            socket: Some(socket),
            connected,
            unsent: Vec::new(),
        });
        SocketId(self.sockets.len() - 1)
    }

    fn socket(&self, id: SocketId) -> &Socket {
        self.sockets[id.0].socket.as_ref().expect("an open socket")
    }

    fn new_socket(options: &SocketOptions) -> Socket {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        if let Some(size) = options.receive_buffer {
            socket.set_recv_buffer_size(size).expect("a buffer size");
        }
        socket.set_nonblocking(true).expect("non-blocking mode");
        socket
    }
}

impl Target for LinuxTarget {
    fn name(&self) -> &'static str {
        "linux"
    }

    fn slack(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn transmit(&mut self, frame: &[u8]) {
        let written = rustix::io::write(&self.device, frame);
        assert_eq!(written, Ok(frame.len()), "a tap takes whole frames");
    }

    fn receive(&mut self, patience: Duration) -> Option<Vec<u8>> {
        let deadline = Instant::now() + patience;
        let mut frame = vec![0; 2_048];
        loop {
            match rustix::io::read(&self.device, &mut frame[..]) {
                Ok(len) => {
                    frame.truncate(len);
                    return Some(frame);
                }
                Err(rustix::io::Errno::AGAIN) => {}
                Err(error) => panic!("the tap is broken: {error}"),
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let timeout = left.try_into().expect("a short time");
            let mut ready = [PollFd::from_borrowed_fd(self.device.as_fd(), PollFlags::IN)];
            match poll(&mut ready, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => panic!("poll: {error}"),
            }
        }
    }

    fn listen(&mut self, port: u16, options: &SocketOptions) -> ListenerId {
        let socket = Self::new_socket(options);
        socket.set_reuse_address(true).expect("an option");
        let address = SocketAddrV4::new(TARGET, port);
        socket.bind(&address.into()).expect("a free port");
        // The kernel queues one connection more than it is told.
        let backlog = options.backlog.saturating_sub(1);
        socket.listen(backlog as i32).expect("a listener");
        self.listeners.push(Some(socket));
        ListenerId(self.listeners.len() - 1)
    }

    fn accept(&mut self, listener: ListenerId) -> Option<SocketId> {
        match self.listeners[listener.0].as_ref()?.accept() {
            Ok((socket, _)) => Some(self.add(socket, Some(Ok(())))),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("accept: {error}"),
        }
    }

    fn connect(&mut self, to: (Ipv4Addr, u16), options: &SocketOptions) -> SocketId {
        let socket = Self::new_socket(options);
        let result = socket.connect(&SocketAddrV4::new(to.0, to.1).into());
        let error = result.expect_err("a handshake takes time");
        assert_eq!(error.raw_os_error(), Some(libc::EINPROGRESS), "{error}");
        self.add(socket, None)
    }

    fn connect_with_data(&mut self, to: (Ipv4Addr, u16), data: &[u8]) -> SocketId {
        let socket = Self::new_socket(&SocketOptions::default());
        let to = SocketAddrV4::new(to.0, to.1).into();
        let unsent = match socket.send_to_with_flags(data, &to, libc::MSG_FASTOPEN) {
            Ok(count) => &data[count..],
            // Without a cookie the data is not even taken.
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => data,
            Err(error) => panic!("MSG_FASTOPEN: {error}"),
        };
        let id = self.add(socket, None);
        self.sockets[id.0].unsent = unsent.to_vec();
        id
    }

    fn connected(&mut self, id: SocketId) -> Option<Result<(), Failure>> {
        let connection = &mut self.sockets[id.0];
        if connection.connected.is_none()
            && let Some(socket) = &connection.socket
        {
            let error = socket.take_error().expect("SO_ERROR");
            connection.connected = match error {
                Some(error) => Some(Err(failure(&error))),
                // It knows its peer as soon as requests cross, and is writable once the handshake is done.
                None => is_writable(socket).then_some(Ok(())),
            };
        }
        let connected = connection.connected;
        if connected == Some(Ok(())) {
            let unsent = core::mem::take(&mut connection.unsent);
            let written = self.write(id, &unsent).expect("a connection");
            assert_eq!(written, unsent.len());
        }
        connected
    }

    fn write(&mut self, id: SocketId, data: &[u8]) -> Result<usize, Failure> {
        let mut written = 0;
        while written < data.len() {
            match self
                .socket(id)
                .send_with_flags(&data[written..], libc::MSG_NOSIGNAL)
            {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(failure(&error)),
            }
        }
        Ok(written)
    }

    fn read(&mut self, id: SocketId, buffer: &mut [u8]) -> Option<Result<usize, Failure>> {
        let mut socket = self.socket(id);
        match socket.read(buffer) {
            Ok(count) => Some(Ok(count)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => Some(Err(failure(&error))),
        }
    }

    fn shutdown_write(&mut self, id: SocketId) {
        self.socket(id).shutdown(Shutdown::Write).expect("shutdown");
    }

    fn close(&mut self, id: SocketId) {
        self.sockets[id.0].socket = None;
    }

    fn abort(&mut self, id: SocketId) {
        let linger = self.socket(id).set_linger(Some(Duration::ZERO));
        linger.expect("SO_LINGER");
        self.close(id);
    }

    fn set(&mut self, id: SocketId, option: SocketOption) {
        let socket = SockRef::from(self.socket(id));
        match option {
            SocketOption::Nagle(enabled) => socket.set_tcp_nodelay(!enabled),
            SocketOption::KeepAlive(time) => {
                socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(time).with_interval(time))
            }
            SocketOption::KeepAliveProbes(probes) => {
                socket.set_tcp_keepalive(&TcpKeepalive::new().with_retries(probes.into()))
            }
            SocketOption::AckDelay(_) => panic!("the kernel chooses the delay itself"),
            SocketOption::Dscp(dscp) => socket.set_tos_v4(u32::from(dscp) << 2),
            SocketOption::HopLimit(limit) => socket.set_ttl_v4(limit.into()),
            SocketOption::UserTimeout(timeout) => socket.set_tcp_user_timeout(Some(timeout)),
        }
        .expect("an option");
    }

    fn udp_bind(&mut self, port: u16) -> UdpId {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, port)).expect("a free port");
        socket.set_nonblocking(true).expect("non-blocking mode");
        // The kernel has no other route for groups.
        let reference = socket2::SockRef::from(&socket);
        let interface = reference.set_multicast_if_v4(&TARGET);
        interface.expect("an interface for groups");
        self.udp.push(socket);
        UdpId(self.udp.len() - 1)
    }

    fn udp_send(&mut self, socket: UdpId, to: (Ipv4Addr, u16), data: &[u8]) {
        let sent = self.udp[socket.0].send_to(data, to);
        assert_eq!(sent.expect("a datagram is sent"), data.len());
    }

    fn udp_receive(&mut self, socket: UdpId) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 65_536];
        match self.udp[socket.0].recv(&mut buffer) {
            Ok(len) => {
                buffer.truncate(len);
                Some(buffer)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("recv: {error}"),
        }
    }

    fn udp_listen(&mut self, socket: UdpId, group: Ipv4Addr, only: Option<&[Ipv4Addr]>) {
        let socket = socket2::SockRef::from(&self.udp[socket.0]);
        match only {
            None => socket.join_multicast_v4(&group, &TARGET),
            Some([]) => socket.leave_multicast_v4(&group, &TARGET),
            Some(sources) => sources
                .iter()
                .try_for_each(|source| socket.join_ssm_v4(source, &group, &TARGET)),
        }
        .expect("a membership");
    }

    fn sysctl(&mut self, name: &str, value: &str) {
        let path = format!("/proc/sys/net/ipv4/{name}");
        std::fs::write(&path, value).unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    fn unlisten(&mut self, listener: ListenerId) {
        self.listeners[listener.0] = None;
    }

    fn state(&mut self, ports: (u16, u16), _socket: Option<SocketId>) -> Option<TcpState> {
        // The namespace of this thread, not that of the process.
        let table =
            std::fs::read_to_string("/proc/thread-self/net/tcp").expect("the kernel's table");
        table
            .lines()
            .skip(1)
            .find_map(|line| entry_between(line, ports))
    }

    fn discarded(&self, _reason: Discard) -> Option<u32> {
        None
    }
}

fn is_writable(socket: &Socket) -> bool {
    let mut ready = [PollFd::new(socket, PollFlags::OUT)];
    let now = rustix::event::Timespec::default();
    poll(&mut ready, Some(&now)).is_ok_and(|count| count > 0)
}

/// The state in a line of the kernel's table, if it is of the connection between these ports.
fn entry_between(line: &str, (local, remote): (u16, u16)) -> Option<TcpState> {
    let mut fields = line.split_whitespace().skip(1);
    let mut port = || {
        let (_, port) = fields.next()?.split_once(':')?;
        u16::from_str_radix(port, 16).ok()
    };
    if (port()?, port()?) != (local, remote) {
        return None;
    }
    // include/net/tcp_states.h
    match fields.next()? {
        "01" => Some(TcpState::Established),
        "02" => Some(TcpState::SynSent),
        "03" | "0C" => Some(TcpState::SynReceived),
        "04" => Some(TcpState::FinWait1),
        "05" => Some(TcpState::FinWait2),
        "06" => Some(TcpState::TimeWait),
        "08" => Some(TcpState::CloseWait),
        "09" => Some(TcpState::LastAck),
        "0B" => Some(TcpState::Closing),
        _ => None,
    }
}

fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        ErrorKind::ConnectionRefused => Failure::Refused,
        ErrorKind::ConnectionReset => Failure::Reset,
        ErrorKind::TimedOut => Failure::TimedOut,
        ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => Failure::Unreachable,
        ErrorKind::BrokenPipe | ErrorKind::NotConnected => Failure::Closed,
        _ => panic!("an error that no story knows: {error}"),
    }
}

/// No path metrics from one connection to the next, one congestion control, no autocorking.
const SYSCTLS: [(&str, &str); 7] = [
    ("tcp_no_metrics_save", "1"),
    ("tcp_congestion_control", "reno"),
    ("tcp_autocorking", "0"),
    ("tcp_ecn", "2"),
    ("tcp_slow_start_after_idle", "0"),
    ("tcp_syncookies", "0"),
    ("icmp_ratelimit", "1000"),
];
