//! A sandbox: the whole process in a network namespace of its own, with one device in it, so that a
//! program meets the kernel's stack without privileges and without touching the host's network.
//! See user_namespaces(7) and network_namespaces(7).

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cygnet_tuntap::{Device, Mode};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use crate::{HostError, Interface};

/// What is in a sandbox besides the loopback interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxConfig {
    /// The device's name.
    pub name: String,
    /// The device's kind.
    pub mode: Mode,
    /// The device's MTU in bytes; `None` leaves it at the kernel's 1500.
    pub mtu: Option<u32>,
    /// The addresses of the kernel's end, with the length in bits of their networks' prefixes.
    pub addresses: Vec<(IpAddr, u8)>,
}

impl Default for SandboxConfig {
    /// `tap0` with 192.168.69.100/24, fdaa::100/64 and fe80::100/64.
    fn default() -> Self {
        Self {
            name: "tap0".into(),
            mode: Mode::Tap,
            mtu: None,
            addresses: vec![
                (Ipv4Addr::new(192, 168, 69, 100).into(), 24),
                (Ipv6Addr::new(0xfdaa, 0, 0, 0, 0, 0, 0, 0x100).into(), 64),
                (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x100).into(), 64),
            ],
        }
    }
}

impl SandboxConfig {
    /// The default with `tun0` in place of `tap0`.
    pub fn tun() -> Self {
        Self {
            name: "tun0".into(),
            mode: Mode::Tun,
            ..Self::default()
        }
    }
}

/// The sandbox that the process is in, with the far end of its device.
///
/// There is no way back out. Programs that the process starts, see [`process`](crate::process), are
/// inside as well, and may set up their network as root does.
#[derive(Debug)]
pub struct Sandbox {
    device: Device,
}

impl Sandbox {
    /// Moves the process into a fresh network namespace, and creates the device in it. A process
    /// that is not root gets a user namespace of its own too, in which it appears as root.
    ///
    /// Call it first thing in `main`: every thread must come after it.
    ///
    /// # Errors
    ///
    /// The process has threads, namespaces are not allowed, or the device cannot be made. The
    /// process may be left in a namespace without a device, so the best answer is to end it.
    pub fn enter(config: &SandboxConfig) -> Result<Self, HostError> {
        refuse_threads()?;
        leave_namespaces()?;
        Interface::named("lo").up()?;
        let device = Device::open(&config.name, config.mode)?;
        let interface = Interface::named(device.name());
        if let Some(mtu) = config.mtu {
            interface.set_mtu(mtu)?;
        }
        for &(address, prefix_len) in &config.addresses {
            interface.add_address(address, prefix_len)?;
        }
        interface.up()?;
        Ok(Self { device })
    }

    /// The kernel's end of the device.
    pub fn interface(&self) -> Interface {
        Interface::named(self.device.name())
    }

    /// The device, for [`TunTap::new`](cygnet_tuntap::TunTap::new). The interface lives as long as
    /// it does.
    pub fn into_device(self) -> Device {
        self.device
    }
}

/// A thread that is there already would stay outside.
fn refuse_threads() -> Result<(), HostError> {
    let threads = fs::read_dir("/proc/self/task")
        .map_err(HostError::system("list the process's threads in /proc"))?;
    match threads.count() {
        1 => Ok(()),
        count => Err(HostError::Threads { count }),
    }
}

/// Moves the process into a network namespace, and into a user namespace if it takes one.
fn leave_namespaces() -> Result<(), HostError> {
    // Before the process appears as nobody.
    let (uid, gid) = (geteuid(), getegid());
    if uid.is_root() {
        match unshare(CloneFlags::CLONE_NEWNET) {
            // Root of a container without the capability to do it.
            Err(Errno::EPERM) => {}
            Err(errno) => {
                let source = errno.into();
                return Err(HostError::Namespace { source });
            }
            Ok(()) => return Ok(()),
        }
    }
    let refused = |source| HostError::UserNamespace { source };
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
        .map_err(|errno| refused(io::Error::from(errno)))?;
    // An unprivileged process may map its group only after it gave up setgroups(2).
    fs::write("/proc/self/setgroups", "deny").map_err(refused)?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1")).map_err(refused)?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1")).map_err(refused)
}
