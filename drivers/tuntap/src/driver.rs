//! The driver: moves frames between a device and the stack, one system call each.

use core::task::Context;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use cygnet_driver::{Capabilities, Driver, HardwareAddress, LinkState, Medium};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use crate::sides::{Rx, RxSide, Stats, Tx, TxSide, last_error};
use crate::watch::LinkWatch;
use crate::{Device, Mode, OpenError, interface, readiness};

/// A [`Driver`] on a tap or tun device.
///
/// It belongs to the tokio runtime it was made in, whichever task or thread of it polls the driver.
#[derive(Debug)]
pub struct TunTap {
    io: AsyncFd<OwnedFd>,
    rx: RxSide,
    tx: TxSide,
    watch: LinkWatch,
    link: LinkState,
    name: String,
    capabilities: Capabilities,
    hardware_address: HardwareAddress,
}

impl TunTap {
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
        let mut driver = Self {
            io,
            rx: RxSide::new(0, max_frame_len),
            tx: TxSide::new(0, max_frame_len),
            watch,
            link: LinkState::Down,
            name,
            capabilities: Capabilities::new(medium, max_frame_len),
            hardware_address,
        };
        driver.link = driver.read_link_state();
        Ok(driver)
    }

    /// The same driver with another hardware address. A tun device has none and keeps none.
    #[must_use]
    pub fn with_hardware_address(mut self, address: [u8; 6]) -> Self {
        if let HardwareAddress::Ethernet(own) = &mut self.hardware_address {
            *own = address;
        }
        self
    }

    /// The interface's name, as it was when the device was opened.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What became of the frames so far.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.rx, &self.tx)
    }

    /// Why a frame was refused last, or else why a read failed last.
    pub fn last_error(&self) -> Option<io::Error> {
        last_error(&self.rx, &self.tx)
    }

    fn read_link_state(&self) -> LinkState {
        // By way of the descriptor, since the interface may have been renamed.
        let running = interface::attached(self.io.get_ref().as_fd())
            .and_then(|attached| interface::is_running(self.watch.as_fd(), &attached.name));
        match running {
            Ok(true) => LinkState::Up,
            Ok(false) | Err(_) => LinkState::Down,
        }
    }
}

impl Driver for TunTap {
    type RxToken<'a> = Rx<'a>;
    type TxToken<'a> = Tx<'a>;

    fn receive(&mut self, cx: &mut Context<'_>) -> Option<(Rx<'_>, Option<Tx<'_>>)> {
        let rx = self.rx.poll_frame(&self.io, cx)?;
        Some((rx, self.tx.poll_room(&self.io, cx)))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Tx<'_>> {
        self.tx.poll_room(&self.io, cx)
    }

    fn link_state(&mut self, cx: &mut Context<'_>) -> LinkState {
        if self.watch.poll_changed(cx) {
            self.link = self.read_link_state();
        }
        self.link
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        self.hardware_address
    }
}
