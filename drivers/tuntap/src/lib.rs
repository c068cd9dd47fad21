//! Linux tap and tun devices, and packet sockets, as drivers of the cygnet stack.
//!
//! A tap device is an Ethernet interface whose wire ends in a file descriptor, a tun device the same
//! for bare IP packets. [`Device`] is such a descriptor; [`TunTap`] is the driver that moves its
//! frames, one system call each, inside a tokio runtime with I/O enabled:
//!
//! ```no_run
//! # fn main() -> Result<(), cygnet_tuntap::OpenError> {
//! use cygnet_tuntap::{Mode, TunTap};
//!
//! let driver = TunTap::open("tap0", Mode::Tap)?;
//! # Ok(())
//! # }
//! ```
//!
//! [`PacketSocket`] is the driver on an interface that is there already, such as `eth0`: it moves the frames that
//! pass it.
//!
//! The interface's addresses, MTU and state belong to the kernel's side and are set with `ip` or
//! with the crate `cygnet-host`.
#![cfg(target_os = "linux")]
#![deny(unsafe_code)]

mod device;
mod driver;
mod error;
#[expect(unsafe_code)]
mod interface;
mod packet;
mod port;
mod readiness;
mod sides;
mod watch;

pub use device::{Device, Mode};
pub use driver::TunTap;
pub use error::OpenError;
pub use packet::{PacketOptions, PacketSocket, PacketSocketError};
pub use port::Port;
pub use sides::{Rx, Stats, Tx};
