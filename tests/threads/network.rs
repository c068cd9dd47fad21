//! Two stacks on a virtual link whose handles may move between threads, in real time.

use std::net::Ipv4Addr;

use cygnet::{BufferPool, TcpPool};
use cygnet::{Clock, Config, IpEndpoint, Ipv4Cidr, Resources, Runner, Stack, StaticConfigV4};
use cygnet_link::{Link, Port, PortConfig};
use embassy_sync::blocking_mutex::raw::RawMutex;

/// A runner of one of the hosts.
pub(crate) type HostRunner<M, C> = Runner<'static, Port<'static, M, &'static C>, M, &'static C>;

/// A stack, its runner and the pool of its sockets.
pub(crate) struct Host<M: RawMutex + 'static, C: Clock + 'static> {
    pub(crate) stack: Stack<'static, M>,
    pub(crate) pool: BufferPool<'static>,
    pub(crate) runner: HostRunner<M, C>,
}

/// The server's address, with a port.
pub(crate) fn server_at(port: u16) -> IpEndpoint {
    (Ipv4Addr::new(10, 0, 0, 2), port).into()
}

/// A client and a server.
pub(crate) fn hosts<M: RawMutex + 'static, C: Clock + 'static>(clock: C) -> [Host<M, C>; 2] {
    let clock: &'static C = leak(clock);
    let macs = [1, 2].map(|n| PortConfig::ethernet([2, 0, 0, 0, 0, n]));
    let mut number = 0;
    leak(Link::<M, 128, 1514>::new())
        .split(clock, macs)
        .map(|port| {
            number += 1;
            let address = Ipv4Cidr::new(Ipv4Addr::new(10, 0, 0, number), 24);
            let config = Config::ipv4_static(StaticConfigV4::new(address));
            let resources = leak(Resources::<32, M>::new());
            let seed = u64::from(number);
            let (stack, runner) = cygnet::new_with_clock(port, config, resources, seed, clock);
            let pool = stack.add_pool(leak(TcpPool::<16, 8192, 8192>::new()));
            Host {
                stack,
                pool: pool.expect("room for a pool"),
                runner,
            }
        })
}

fn leak<T>(value: T) -> &'static mut T {
    Box::leak(Box::new(value))
}
