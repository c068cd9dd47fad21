//! Hosts on a virtual network: one broadcast domain of 10.0.0.0/24.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use cygnet::{
    BufferPool, Config, IcmpPacketMetadata, IcmpSocket, IpEndpoint, Ipv4Cidr, RawPacketMetadata,
    RawSocket, Resources, Stack, StaticConfigV4, TcpListener, TcpPool, TcpSocket,
    UdpPacketMetadata, UdpSocket,
};
use cygnet_driver::Driver;
use cygnet_link::{Control, Impairments, Port, PortConfig};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;

use crate::{Executor, Spawned, VirtualClock};

/// `N` hosts, each with a stack and its runner, and the hub between them.
pub struct Network<'d, const N: usize> {
    /// Runs all of it.
    pub executor: Executor<'d>,
    /// The hosts, at 10.0.0.1 and on.
    pub hosts: [Host<'d>; N],
    /// Pulls cables and counts frames. Port `n` is that of host `n`.
    pub control: Control<'d, NoopRawMutex>,
}

/// The port of a host.
pub type HubPort<'d> = Port<'d, NoopRawMutex, VirtualClock>;

/// The memory of a network of `N` hosts, for those who want it back.
pub struct Memory<'d, const N: usize> {
    link: Box<cygnet_link::Network<'d, NoopRawMutex, N, FRAMES, FRAME_LEN>>,
    stacks: Box<[Resources<'d, SLOTS>; N]>,
}

/// How a host of a network is set up.
#[derive(Clone)]
pub struct Setup {
    /// The configuration of the stack.
    pub config: Config,
    /// The port of the hub.
    pub port: PortConfig,
}

/// A stack with its runner.
pub struct Host<'d> {
    /// The stack itself.
    pub stack: Stack<'d>,
    /// The host's address.
    pub address: Ipv4Addr,
    runner: Spawned<'d, Infallible>,
}

impl Setup {
    /// The host with the number `n`, from 0: a fixed address, announced and used at once.
    pub fn new(n: usize) -> Self {
        let cidr = Ipv4Cidr::new(address(n), 24);
        Self {
            config: Config::ipv4_static(StaticConfigV4::new(cidr)),
            port: PortConfig::ethernet([2, 0, 0, 0, 0, n as u8 + 1]),
        }
    }

    /// As [`Self::new`], on a link that carries bare IP packets: nobody asks for hardware addresses.
    pub fn tunnel(n: usize) -> Self {
        Self {
            port: PortConfig::ip(),
            ..Self::new(n)
        }
    }

    /// What happens to the frames that the host sends.
    #[must_use]
    pub fn impaired(mut self, impairments: Impairments) -> Self {
        self.port = self.port.impairments(impairments);
        self
    }
}

impl<const N: usize> Memory<'_, N> {
    /// Memory, not yet in use.
    pub fn new() -> Self {
        Self {
            link: Box::default(),
            stacks: Box::new([const { Resources::new() }; N]),
        }
    }
}

impl<const N: usize> Default for Memory<'_, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Network<'static, N> {
    /// Hosts with fixed addresses on a perfect hub.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Setup::new)
    }

    /// Hosts that are each set up as `setup` says for their number.
    pub fn with(seed: u64, setup: impl Fn(usize) -> Setup) -> Self {
        Self::in_memory(leak(Memory::new()), seed, setup)
    }
}

impl<'d, const N: usize> Network<'d, N> {
    /// As [`Self::with`], in memory that is free again afterwards.
    pub fn in_memory(
        memory: &'d mut Memory<'d, N>,
        seed: u64,
        setup: impl Fn(usize) -> Setup,
    ) -> Self {
        Self::on_drivers(memory, Executor::new(seed), setup, |_, port| port)
    }

    /// As [`Self::in_memory`], on an executor that is there already, and with `driver` around the ports:
    /// it is given the number of a host and its port.
    pub fn on_drivers<D: Driver + 'd>(
        memory: &'d mut Memory<'d, N>,
        executor: Executor<'d>,
        setup: impl Fn(usize) -> Setup,
        mut driver: impl FnMut(usize, HubPort<'d>) -> D,
    ) -> Self {
        let setups: [Setup; N] = std::array::from_fn(setup);
        let ports = setups.each_ref().map(|setup| setup.port);
        let ports = memory.link.split(executor.clock(), ports);
        let control = ports[0].control();
        let mut numbered = memory.stacks.iter_mut().zip(setups).enumerate();
        let hosts = ports.map(|port| {
            let (n, (resources, setup)) = numbered.next().expect("as many as ports");
            let parts = Parts {
                n,
                seed: (executor.seed().wrapping_mul(N as u64)).wrapping_add(n as u64),
                config: setup.config,
            };
            Host::start(&executor, parts, resources, driver(n, port))
        });
        Self {
            executor,
            hosts,
            control,
        }
    }
}

/// What makes a host beside its memory and its link.
pub(crate) struct Parts {
    pub(crate) n: usize,
    pub(crate) seed: u64,
    pub(crate) config: Config,
}

impl<'d> Host<'d> {
    /// Host number `n`, its runner running.
    pub(crate) fn start(
        executor: &Executor<'d>,
        parts: Parts,
        resources: &'d mut Resources<'d, SLOTS>,
        driver: impl Driver + 'd,
    ) -> Self {
        let Parts { n, seed, config } = parts;
        let (stack, mut runner) =
            cygnet::new_with_clock(driver, config, resources, seed, executor.clock());
        Self {
            stack,
            address: address(n),
            runner: executor.spawn(async move { runner.run().await }),
        }
    }

    /// A port of this host.
    pub fn at(&self, port: u16) -> IpEndpoint {
        IpEndpoint::from((self.address, port))
    }

    /// How often the runner was polled.
    pub fn runner_polls(&self) -> u64 {
        self.runner.polls()
    }

    /// A TCP socket with buffers of `BUFFER` bytes.
    pub fn tcp(&self) -> TcpSocket<'d> {
        self.tcp_with(BUFFER, BUFFER)
    }

    /// A TCP socket with buffers of these sizes.
    pub fn tcp_with(&self, receive: usize, send: usize) -> TcpSocket<'d> {
        TcpSocket::new(self.stack, vec![0; receive], vec![0; send]).expect("a free slot")
    }

    /// A pool of `N` pairs of buffers of `BUFFER` bytes.
    pub fn pool<const N: usize>(&self) -> BufferPool<'d> {
        let pool = leak(TcpPool::<N, BUFFER, BUFFER>::new());
        self.stack.add_pool(pool).expect("room for a pool")
    }

    /// A listener with a pool of its own of `N` pairs.
    pub fn listen<const N: usize>(&self, port: u16) -> TcpListener<'d> {
        TcpListener::bind(self.stack, port, self.pool::<N>()).expect("a free port")
    }

    /// A UDP socket that is not bound, with room for four datagrams in each direction.
    pub fn udp(&self) -> UdpSocket<'d> {
        let meta = || vec![UdpPacketMetadata::EMPTY; DATAGRAMS];
        let bytes = || vec![0; DATAGRAMS * FRAME_LEN];
        UdpSocket::new(self.stack, meta(), bytes(), meta(), bytes()).expect("a free slot")
    }

    /// A UDP socket that is bound to a port.
    pub fn udp_at(&self, port: u16) -> UdpSocket<'d> {
        let mut socket = self.udp();
        socket.bind(port).expect("a free port");
        socket
    }

    /// An ICMP socket that is not bound, with room for four messages in each direction.
    pub fn icmp(&self) -> IcmpSocket<'d> {
        let meta = || vec![IcmpPacketMetadata::EMPTY; DATAGRAMS];
        let bytes = || vec![0; DATAGRAMS * FRAME_LEN];
        IcmpSocket::new(self.stack, meta(), bytes(), meta(), bytes()).expect("a free slot")
    }

    /// A raw socket that is not bound, with room for four packets in each direction.
    pub fn raw(&self) -> RawSocket<'d> {
        let meta = || vec![RawPacketMetadata::EMPTY; DATAGRAMS];
        let bytes = || vec![0; DATAGRAMS * FRAME_LEN];
        RawSocket::new(self.stack, meta(), bytes(), meta(), bytes()).expect("a free slot")
    }
}

/// The address of host `n`, from 0.
fn address(n: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, n as u8 + 1)
}

fn leak<'a, T>(value: T) -> &'a mut T {
    Box::leak(Box::new(value))
}

/// The sockets of one host.
pub const SLOTS: usize = 16;

/// The size of a TCP buffer.
const BUFFER: usize = 4096;

/// The datagrams that a queue holds.
const DATAGRAMS: usize = 4;

/// The frames in flight on a network.
pub const FRAMES: usize = 96;

/// The size of a frame.
const FRAME_LEN: usize = 1514;
