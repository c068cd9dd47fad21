//! What is at an end of the wire: a tap device in a namespace of the kernel's, or cygnet.

use std::net::Ipv4Addr;

use cygnet::{Clock, Config, Driver, Ipv4Cidr, Resources, Stack, StaticConfigV4};
use cygnet_examples::{Error, kernel};
use cygnet_host::{Interface, NetNs};
use cygnet_tuntap::{Device, Mode, TunTap};
use tokio::runtime::Handle;
use tokio::task::spawn_local;

use crate::Args;

/// Who is at an end.
#[derive(Clone, Copy)]
pub(crate) enum Side<'a> {
    /// The kernel, in that namespace.
    Kernel(&'a NetNs),
    /// A stack in this process.
    Cygnet,
}

/// The sockets that a stack has, one for each connection.
pub(crate) const SOCKETS: usize = 64;

/// The address at end `n`.
pub(crate) fn address(n: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 9, 0, n as u8 + 1)
}

/// The driver of a tap in a namespace that is set up for end `n`.
pub(crate) fn tap(namespace: &NetNs, n: usize, args: &Args) -> Result<TunTap, Error> {
    let runtime = Handle::current();
    let open = || {
        let _runtime = runtime.enter();
        set_up(n, args).map_err(|error| error.to_string())
    };
    Ok(namespace.run(open)??)
}

fn set_up(n: usize, args: &Args) -> Result<TunTap, Error> {
    kernel::set_buffers(args.buffer)?;
    let device = Device::open("wire0", Mode::Tap)?;
    Interface::named(device.name())
        .add_address(address(n), 24)?
        .up()?;
    Ok(TunTap::new(device)?)
}

/// A stack at end `n`.
pub(crate) fn stack<D: Driver + 'static, C: Clock + 'static>(
    n: usize,
    port: D,
    clock: C,
) -> Stack<'static> {
    let resources = Box::leak(Box::new(Resources::<SOCKETS>::new()));
    let config = Config::ipv4_static(StaticConfigV4::new(Ipv4Cidr::new(address(n), 24)));
    let (stack, mut runner) = cygnet::new_with_clock(port, config, resources, [5; 32], clock);
    spawn_local(async move { runner.run().await });
    stack
}
