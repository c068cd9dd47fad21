//! The driver: moves frames between a device and the stack, one system call each.

use core::task::{Context, Poll};
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use cygnet_driver::{Capabilities, Driver, HardwareAddress, LinkState, Medium, RxToken, TxToken};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

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
            rx: RxSide::new(max_frame_len),
            tx: TxSide::new(max_frame_len),
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
        Stats {
            received: self.rx.received,
            receive_oversized: self.rx.oversized,
            receive_errors: self.rx.errors,
            sent: self.tx.sent,
            send_dropped: self.tx.dropped,
            send_errors: self.tx.errors,
        }
    }

    /// Why a frame was refused last, or else why a read failed last.
    pub fn last_error(&self) -> Option<io::Error> {
        self.tx
            .last_error
            .or(self.rx.last_error)
            .map(io::Error::from)
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
        if !self.rx.poll_frame(&self.io, cx) {
            return None;
        }
        let room = self.tx.poll_room(&self.io, cx);
        let fd = self.io.get_ref();
        let tx = &mut self.tx;
        Some((Rx(&mut self.rx), room.then_some(Tx { side: tx, fd })))
    }

    fn transmit(&mut self, cx: &mut Context<'_>) -> Option<Tx<'_>> {
        let room = self.tx.poll_room(&self.io, cx);
        room.then_some(Tx {
            side: &mut self.tx,
            fd: self.io.get_ref(),
        })
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

/// What became of the frames of a [`TunTap`] since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Frames read from the device.
    pub received: u64,
    /// Frames longer than the driver's maximum, and so discarded: the interface's MTU was raised
    /// after the driver had read it, or a VLAN sits on top of it.
    pub receive_oversized: u64,
    /// Reads that failed; see [`TunTap::last_error`].
    pub receive_errors: u64,
    /// Frames that the kernel took.
    pub sent: u64,
    /// Frames dropped because the interface was down or its queue was full.
    pub send_dropped: u64,
    /// Frames that the kernel refused, or longer than the driver's maximum; see
    /// [`TunTap::last_error`].
    pub send_errors: u64,
}

/// A received frame, waiting in the driver until it is consumed.
#[derive(Debug)]
pub struct Rx<'a>(&'a mut RxSide);

impl RxToken for Rx<'_> {
    fn consume<R>(self, f: impl FnOnce(&mut [u8]) -> R) -> R {
        let len = self.0.waiting.take().unwrap_or(0);
        f(self.0.buffer.get_mut(..len).unwrap_or(&mut []))
    }
}

/// Room for one frame.
#[derive(Debug)]
pub struct Tx<'a> {
    side: &'a mut TxSide,
    fd: &'a OwnedFd,
}

impl TxToken for Tx<'_> {
    fn consume<R>(self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        if self.side.buffer.len() < len {
            self.side.buffer.resize(len, 0);
        }
        let frame = &mut self.side.buffer[..len];
        let result = f(frame);
        self.side.send(self.fd, len);
        result
    }
}

/// The receiving half: one buffer and at most one frame in it.
#[derive(Debug)]
struct RxSide {
    /// One byte longer than the longest frame, so that a longer one is told from one that fits.
    buffer: Box<[u8]>,
    /// The length of the frame in the buffer that nobody has consumed yet.
    waiting: Option<usize>,
    /// The last read failed.
    failing: bool,
    received: u64,
    oversized: u64,
    errors: u64,
    last_error: Option<Errno>,
}

impl RxSide {
    fn new(max_frame_len: usize) -> Self {
        Self {
            buffer: vec![0; max_frame_len.saturating_add(1)].into(),
            waiting: None,
            failing: false,
            received: 0,
            oversized: 0,
            errors: 0,
            last_error: None,
        }
    }

    /// Whether a frame is waiting; if none is, the waker is registered.
    fn poll_frame(&mut self, io: &AsyncFd<OwnedFd>, cx: &mut Context<'_>) -> bool {
        if self.waiting.is_some() {
            return true;
        }
        match readiness::poll_read(io, &mut self.buffer, cx) {
            Poll::Pending => false,
            Poll::Ready(Ok(len)) if len < self.buffer.len() => {
                self.received += 1;
                self.failing = false;
                self.waiting = Some(len);
                true
            }
            Poll::Ready(Ok(_)) => {
                self.oversized += 1;
                cx.waker().wake_by_ref();
                false
            }
            Poll::Ready(Err(error)) => {
                self.errors += 1;
                self.last_error = Errno::from_io_error(&error);
                // A read fails when the interface is gone, which the link state tells. One more
                // look, lest a passing error costs a wake-up, but no second one in a row.
                if !self.failing {
                    cx.waker().wake_by_ref();
                }
                self.failing = true;
                false
            }
        }
    }
}

/// The sending half: one buffer, which a token's user fills and the kernel empties at once.
#[derive(Debug)]
struct TxSide {
    buffer: Vec<u8>,
    max_frame_len: usize,
    /// The last write found no room, or the interface down.
    blocked: bool,
    sent: u64,
    dropped: u64,
    errors: u64,
    last_error: Option<Errno>,
}

impl TxSide {
    fn new(max_frame_len: usize) -> Self {
        Self {
            buffer: vec![0; max_frame_len],
            max_frame_len,
            blocked: false,
            sent: 0,
            dropped: 0,
            errors: 0,
            last_error: None,
        }
    }

    /// Whether a frame can be written; if none can, the waker is registered.
    ///
    /// A device has room until a write says otherwise, so the usual case costs nothing.
    fn poll_room(&mut self, io: &AsyncFd<OwnedFd>, cx: &mut Context<'_>) -> bool {
        if self.blocked && readiness::poll_writable(io, cx).is_ready() {
            self.blocked = false;
        }
        !self.blocked
    }

    /// Writes the first `len` bytes of the buffer as one frame; a frame that finds no room is lost.
    fn send(&mut self, fd: &OwnedFd, len: usize) {
        if len > self.max_frame_len {
            self.errors += 1;
            self.last_error = Some(Errno::MSGSIZE);
            return;
        }
        match rustix::io::write(fd, &self.buffer[..len]) {
            Ok(_) => self.sent += 1,
            // EIO is what an interface that is down answers.
            Err(Errno::AGAIN | Errno::IO) => {
                self.dropped += 1;
                self.blocked = true;
            }
            Err(errno) => {
                self.errors += 1;
                self.last_error = Some(errno);
            }
        }
    }
}
