//! The driver on a tap or tun device.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use cygnet_driver::{Capabilities, HardwareAddress, LinkState, Medium};
use rustix::io::Errno;
use tokio::io::Interest;

use crate::port::{Interface, Port};
use crate::sides::{RxSide, TxSide};
use crate::watch::LinkWatch;
use crate::{Device, Mode, OpenError, interface, readiness};

/// A [driver](cygnet_driver::Driver) on a tap or tun device.
///
/// It belongs to the tokio runtime it was made in, whichever task or thread of it polls the driver.
pub type TunTap = Port<Attachment>;

/// The kernel's end of a tap or tun device.
#[derive(Debug)]
pub struct Attachment {
    name: String,
}

impl Port<Attachment> {
    /// The hardware address of this end of a tap: locally administered, and not the address of the
    /// kernel's end.
    pub const DEFAULT_HARDWARE_ADDRESS: [u8; 6] = [0x02, 0, 0, 0, 0, 0x01];

    /// Opens the interface `name`, as [`Device::open`] does, and makes a driver of it.
    ///
    /// # Errors
    ///
    /// Those of [`Device::open`] and [`TunTap::new`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O enabled.
    pub fn open(name: &str, mode: Mode) -> Result<Self, OpenError> {
        Self::new(Device::open(name, mode)?)
    }

    /// Takes over an attached descriptor, as [`Device::from_fd`] does, and makes a driver of it.
    ///
    /// # Errors
    ///
    /// Those of [`Device::from_fd`] and [`TunTap::new`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O enabled.
    pub fn from_fd(fd: OwnedFd) -> Result<Self, OpenError> {
        Self::new(Device::from_fd(fd)?)
    }

    /// Makes a driver of an open device, with the MTU that its interface has now.
    ///
    /// # Errors
    ///
    /// The interface is not in the calling thread's network namespace, or the operating system
    /// refuses to watch it.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with I/O enabled.
    pub fn new(device: Device) -> Result<Self, OpenError> {
        let name = device.name().to_owned();
        let failed = |action| {
            let name = name.clone();
            move |source: io::Error| OpenError::Os {
                action,
                name,
                source,
            }
        };
        let watch = LinkWatch::new().map_err(failed("watch the state of"))?;
        let mtu = interface::mtu(watch.as_fd(), &name)
            .map_err(|errno| failed("read the MTU of")(errno.into()))?;
        let medium = match device.mode() {
            Mode::Tap => Medium::Ethernet,
            Mode::Tun => Medium::Ip,
        };
        let hardware_address = match device.mode() {
            Mode::Tap => HardwareAddress::Ethernet(Self::DEFAULT_HARDWARE_ADDRESS),
            Mode::Tun => HardwareAddress::Ip,
        };
        let max_frame_len = mtu.saturating_add(medium.header_len());
        let io = readiness::register(device.into(), Interest::READABLE | Interest::WRITABLE)
            .map_err(failed("poll"))?;
        let driver = Self {
            io,
            rx: RxSide::new(0, max_frame_len),
            tx: TxSide::new(0, max_frame_len),
            watch,
            link: LinkState::Down,
            capabilities: Capabilities::new(medium, max_frame_len),
            hardware_address,
            interface: Attachment { name },
        };
        Ok(driver.with_link_state())
    }

    /// The interface's name, as it was when the device was opened.
    pub fn name(&self) -> &str {
        &self.interface.name
    }
}

impl Interface for Attachment {
    fn present_name(&self, io: BorrowedFd<'_>, _: BorrowedFd<'_>) -> Result<String, Errno> {
        Ok(interface::attached(io)?.name)
    }
}
