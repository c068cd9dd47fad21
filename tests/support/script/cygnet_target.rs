//! cygnet as the target: a stack on a virtual link, in virtual time, polled by hand.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::net::Ipv4Addr;

use cygnet::{
    BufferPool, Config, CongestionControl, ConnectError, Discard, Ipv4Cidr, MulticastSources,
    StaticConfigV4, TcpError, TcpListener, TcpPool, TcpSocket, TcpState, UdpMetadata,
    UdpPacketMetadata, UdpSocket,
};
use cygnet_link::PortConfig;

use crate::Bench;

use super::packet::{PEER_MAC, TARGET, TARGET_MAC};
use super::target::{Failure, ListenerId, SocketId, SocketOption, SocketOptions, Target, UdpId};

/// A stack and an application.
pub(super) struct CygnetTarget {
    bench: Bench,
    listeners: Vec<Listener>,
    sockets: Vec<Socket>,
    udp: Vec<UdpSocket<'static>>,
}

enum Listener {
    Pooled(TcpListener<'static>),
    /// A socket of its own buffers, until it was accepted.
    Single(SocketId),
    Gone,
}

type Attempt<E> = Pin<Box<dyn Future<Output = (Result<(), E>, TcpSocket<'static>)>>>;

enum Socket {
    Connecting(Attempt<ConnectError>),
    Accepting(Attempt<cygnet::ListenError>),
    Open(TcpSocket<'static>),
    Failed(Failure),
    Gone,
}

impl CygnetTarget {
    pub(super) fn new() -> Self {
        let ports = [
            PortConfig::ethernet(TARGET_MAC.0),
            PortConfig::ethernet(PEER_MAC.0),
        ];
        let mut config = Config::ipv4_static(StaticConfigV4::new(Ipv4Cidr::new(TARGET, 24)));
        // The stories are those of RFC 5681, whose figures are easily told in segments.
        config.congestion_control = CongestionControl::NewReno;
        Self {
            bench: Bench::new(config, ports),
            listeners: Vec::new(),
            sockets: Vec::new(),
            udp: Vec::new(),
        }
    }

    fn pool(&self, backlog: usize) -> BufferPool<'static> {
        let pool = match backlog {
            1 => self
                .bench
                .stack
                .add_pool(leak(TcpPool::<1, POOLED_BUFFER, POOLED_BUFFER>::new())),
            2 => self
                .bench
                .stack
                .add_pool(leak(TcpPool::<2, POOLED_BUFFER, POOLED_BUFFER>::new())),
            _ => self
                .bench
                .stack
                .add_pool(leak(TcpPool::<4, POOLED_BUFFER, POOLED_BUFFER>::new())),
        };
        pool.expect("room for a pool")
    }

    fn own_buffers(&self, options: &SocketOptions) -> TcpSocket<'static> {
        let receive = options.receive_buffer.unwrap_or(DEFAULT_BUFFER);
        let memory = |len| vec![0; len].leak();
        TcpSocket::new(self.bench.stack, memory(receive), memory(DEFAULT_BUFFER))
            .expect("a free slot")
    }

    fn add(&mut self, socket: Socket) -> SocketId {
        self.sockets.push(socket);
        SocketId(self.sockets.len() - 1)
    }

    /// Polls attempts to connect and to accept.
    fn poll_attempt(&mut self, id: SocketId) -> Option<Result<(), Failure>> {
        let cx = &mut Context::from_waker(Waker::noop());
        let (result, next) = match &mut self.sockets[id.0] {
            Socket::Open(_) => return Some(Ok(())),
            Socket::Failed(failure) => return Some(Err(*failure)),
            Socket::Gone => return Some(Err(Failure::Closed)),
            Socket::Connecting(attempt) => match attempt.as_mut().poll(cx) {
                Poll::Pending => return None,
                Poll::Ready((Ok(()), socket)) => (Ok(()), Socket::Open(socket)),
                Poll::Ready((Err(error), _)) => {
                    let failure = connect_failure(error);
                    (Err(failure), Socket::Failed(failure))
                }
            },
            Socket::Accepting(attempt) => match attempt.as_mut().poll(cx) {
                Poll::Pending => return None,
                Poll::Ready((result, socket)) => {
                    result.expect("listening cannot fail here");
                    (Ok(()), Socket::Open(socket))
                }
            },
        };
        self.sockets[id.0] = next;
        self.bench.settle();
        Some(result)
    }

    fn open(&mut self, id: SocketId) -> Result<&mut TcpSocket<'static>, Failure> {
        let attempt = self.poll_attempt(id);
        match &mut self.sockets[id.0] {
            Socket::Open(socket) => Ok(socket),
            Socket::Failed(failure) => Err(*failure),
            Socket::Gone => Err(Failure::Closed),
            _ => panic!("the socket is not connected: {attempt:?}"),
        }
    }
}

impl Target for CygnetTarget {
    fn name(&self) -> &'static str {
        "cygnet"
    }

    fn slack(&self) -> Duration {
        Duration::ZERO
    }

    fn now(&self) -> Duration {
        self.bench.now()
    }

    fn transmit(&mut self, frame: &[u8]) {
        self.bench.transmit(frame);
    }

    fn receive(&mut self, patience: Duration) -> Option<Vec<u8>> {
        self.bench.receive(patience)
    }

    fn listen(&mut self, port: u16, options: &SocketOptions) -> ListenerId {
        let listener = if options.receive_buffer.is_some() {
            let mut socket = self.own_buffers(options);
            let mut attempt: Attempt<_> =
                Box::pin(async move { (socket.accept(port).await, socket) });
            let polled = attempt
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending(), "nobody has connected yet");
            Listener::Single(self.add(Socket::Accepting(attempt)))
        } else {
            let pool = self.pool(options.backlog);
            let listener = TcpListener::bind(self.bench.stack, port, pool).expect("a free port");
            listener.set_fast_open(options.fast_open);
            Listener::Pooled(listener)
        };
        self.listeners.push(listener);
        ListenerId(self.listeners.len() - 1)
    }

    fn accept(&mut self, listener: ListenerId) -> Option<SocketId> {
        match &self.listeners[listener.0] {
            Listener::Pooled(listener) => {
                let cx = &mut Context::from_waker(Waker::noop());
                match listener.poll_accept(cx) {
                    Poll::Ready(socket) => {
                        let socket = socket.expect("few tasks wait");
                        Some(self.add(Socket::Open(socket)))
                    }
                    Poll::Pending => None,
                }
            }
            &Listener::Single(id) => self.poll_attempt(id).map(|_| id),
            Listener::Gone => None,
        }
    }

    fn connect(&mut self, to: (Ipv4Addr, u16), options: &SocketOptions) -> SocketId {
        let mut socket = self.own_buffers(options);
        let attempt = Box::pin(async move { (socket.connect(to).await, socket) });
        let id = self.add(Socket::Connecting(attempt));
        self.poll_attempt(id);
        self.bench.settle();
        id
    }

    fn connect_with_data(&mut self, to: (Ipv4Addr, u16), data: &[u8]) -> SocketId {
        let mut socket = self.own_buffers(&SocketOptions::default());
        let data = data.to_vec();
        let attempt = Box::pin(async move {
            let connected = socket.connect_with_data(to, &data).await;
            (connected.map(|taken| assert_eq!(taken, data.len())), socket)
        });
        let id = self.add(Socket::Connecting(attempt));
        self.poll_attempt(id);
        self.bench.settle();
        id
    }

    fn connected(&mut self, socket: SocketId) -> Option<Result<(), Failure>> {
        self.poll_attempt(socket)
    }

    fn write(&mut self, socket: SocketId, data: &[u8]) -> Result<usize, Failure> {
        let mut written = 0;
        while written < data.len() {
            let cx = &mut Context::from_waker(Waker::noop());
            match self.open(socket)?.poll_write(cx, &data[written..]) {
                Poll::Ready(Ok(count)) => written += count,
                Poll::Ready(Err(error)) => return Err(failure(error)),
                Poll::Pending => break,
            }
        }
        self.bench.settle();
        Ok(written)
    }

    fn read(&mut self, socket: SocketId, buffer: &mut [u8]) -> Option<Result<usize, Failure>> {
        let cx = &mut Context::from_waker(Waker::noop());
        let open = match self.open(socket) {
            Ok(open) => open,
            Err(failure) => return Some(Err(failure)),
        };
        let polled = open.poll_read(cx, buffer);
        self.bench.settle();
        match polled {
            Poll::Ready(result) => Some(result.map_err(failure)),
            Poll::Pending => None,
        }
    }

    fn shutdown_write(&mut self, socket: SocketId) {
        self.open(socket).expect("an open socket").shutdown_write();
        self.bench.settle();
    }

    fn close(&mut self, socket: SocketId) {
        self.sockets[socket.0] = Socket::Gone;
        self.bench.settle();
    }

    fn abort(&mut self, socket: SocketId) {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut open = match self.open(socket) {
            Ok(_) => match core::mem::replace(&mut self.sockets[socket.0], Socket::Gone) {
                Socket::Open(open) => open,
                _ => return,
            },
            Err(_) => return,
        };
        let _ = core::pin::pin!(open.abort()).poll(cx);
        self.bench.settle();
        drop(open);
        self.bench.settle();
    }

    fn set(&mut self, socket: SocketId, option: SocketOption) {
        let open = self.open(socket).expect("an open socket");
        match option {
            SocketOption::Nagle(enabled) => open.set_nagle_enabled(enabled),
            SocketOption::KeepAlive(interval) => open.set_keep_alive(Some(interval.into())),
            SocketOption::KeepAliveProbes(probes) => open.set_keep_alive_probes(probes),
            SocketOption::AckDelay(delay) => open.set_ack_delay(Some(delay.into())),
            SocketOption::Dscp(dscp) => open.set_dscp(dscp),
            SocketOption::HopLimit(limit) => open.set_hop_limit(limit),
            SocketOption::UserTimeout(timeout) => open.set_timeout(Some(timeout.into())),
        }
        self.bench.settle();
    }

    fn udp_bind(&mut self, port: u16) -> UdpId {
        let memory = |len| vec![0; len].leak();
        let metadata = || leak([UdpPacketMetadata::EMPTY; 16]).as_mut_slice();
        let mut socket = UdpSocket::new(
            self.bench.stack,
            metadata(),
            memory(131_072),
            metadata(),
            memory(131_072),
        )
        .expect("a free slot");
        socket.bind(port).expect("a free port");
        self.udp.push(socket);
        UdpId(self.udp.len() - 1)
    }

    fn udp_send(&mut self, socket: UdpId, to: (Ipv4Addr, u16), data: &[u8]) {
        let cx = &mut Context::from_waker(Waker::noop());
        let to = UdpMetadata::from(cygnet::IpEndpoint::from(to));
        let polled = self.udp[socket.0].poll_send_to(cx, data, to);
        assert_eq!(polled, Poll::Ready(Ok(())));
        self.bench.settle();
    }

    fn udp_receive(&mut self, socket: UdpId) -> Option<Vec<u8>> {
        let cx = &mut Context::from_waker(Waker::noop());
        let mut buffer = vec![0; 65_536];
        match self.udp[socket.0].poll_recv_from(cx, &mut buffer) {
            Poll::Ready(Ok((len, _))) => {
                buffer.truncate(len);
                Some(buffer)
            }
            _ => None,
        }
    }

    fn udp_listen(&mut self, socket: UdpId, group: Ipv4Addr, only: Option<&[Ipv4Addr]>) {
        let sources: Vec<_> = only.into_iter().flatten().map(|&s| s.into()).collect();
        let sources = match only {
            Some(_) => MulticastSources::Only(&sources),
            None => MulticastSources::AllBut(&[]),
        };
        let listens = self.udp[socket.0].listen_multicast(group, sources);
        listens.expect("room for a group");
        self.bench.settle();
    }

    fn unlisten(&mut self, listener: ListenerId) {
        let listener = core::mem::replace(&mut self.listeners[listener.0], Listener::Gone);
        if let Listener::Single(id) = listener
            && let Socket::Accepting(_) = self.sockets[id.0]
        {
            self.sockets[id.0] = Socket::Gone;
        }
        self.bench.settle();
    }

    fn state(&mut self, _ports: (u16, u16), socket: Option<SocketId>) -> Option<TcpState> {
        match &self.sockets[socket?.0] {
            Socket::Open(socket) => Some(socket.state()),
            _ => None,
        }
    }

    fn discarded(&self, reason: Discard) -> Option<u32> {
        Some(self.bench.stack.stats().discarded(reason))
    }
}

fn leak<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}

fn failure(error: TcpError) -> Failure {
    match error {
        TcpError::Reset => Failure::Reset,
        TcpError::TimedOut => Failure::TimedOut,
        TcpError::Unreachable => Failure::Unreachable,
        _ => Failure::Closed,
    }
}

fn connect_failure(error: ConnectError) -> Failure {
    match error {
        ConnectError::Refused => Failure::Refused,
        ConnectError::TimedOut => Failure::TimedOut,
        ConnectError::Unreachable => Failure::Unreachable,
        _ => Failure::Closed,
    }
}

const DEFAULT_BUFFER: usize = 65_535;

/// Smaller: a pool is made on the stack of a test's thread before it moves to the heap.
const POOLED_BUFFER: usize = 32_768;
