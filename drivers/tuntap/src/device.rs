//! An open tap or tun device: the descriptor before anybody moves frames through it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use tun_tap::Iface;

use crate::OpenError;
use crate::interface;

/// What the frames of a device are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Ethernet frames.
    Tap,
    /// Bare IPv4 and IPv6 packets.
    Tun,
}

impl Mode {
    /// As `ip tuntap` and `ip link` write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tap => "tap",
            Self::Tun => "tun",
        }
    }
}

/// An open, non-blocking tap or tun device whose frames carry no header of the kernel's own.
///
/// It needs no async runtime, so a device can be opened first, perhaps with more privileges, and be
/// given to a [`TunTap`](crate::TunTap) later. Unless the interface was made persistent, it
/// disappears when its device is dropped. Child processes do not inherit it.
#[derive(Debug)]
pub struct Device {
    fd: OwnedFd,
    name: String,
    mode: Mode,
}

impl Device {
    /// Opens the interface `name` in the calling thread's network namespace, and creates it when it
    /// does not exist.
    ///
    /// An empty name lets the kernel choose, and `%d` in it stands for the first free number.
    /// A created interface is down and has no addresses.
    ///
    /// # Errors
    ///
    /// Each says in one line what to do about it: the name is no interface name, `/dev/net/tun` is
    /// missing or closed to this user, the interface is in use, of another kind, or not this user's.
    pub fn open(name: &str, mode: Mode) -> Result<Self, OpenError> {
        if !interface::may_be_name(name) {
            return Err(OpenError::InvalidName { name: name.into() });
        }
        let kind = match mode {
            Mode::Tap => tun_tap::Mode::Tap,
            Mode::Tun => tun_tap::Mode::Tun,
        };
        let iface = Iface::without_packet_info(name, kind)
            .map_err(|error| OpenError::from_open(name, mode, error))?;
        let name = iface.name().to_owned();
        #[expect(unsafe_code)]
        // SAFETY: `into_raw_fd` hands over an open descriptor that nothing else owns from here on.
        let fd = unsafe { OwnedFd::from_raw_fd(iface.into_raw_fd()) };
        Self::non_blocking(fd, name, mode)
    }

    /// Takes over a descriptor that some other code opened and attached to an interface.
    ///
    /// It must have been attached with `IFF_NO_PI`. The kernel does not tell, and without that flag
    /// each frame would begin with four bytes that are none of it.
    ///
    /// # Errors
    ///
    /// The descriptor is not an attached tap or tun device, or was attached with `IFF_VNET_HDR`.
    pub fn from_fd(fd: OwnedFd) -> Result<Self, OpenError> {
        let attached = interface::attached(fd.as_fd()).map_err(|errno| {
            let source = errno.into();
            OpenError::NotAttached { source }
        })?;
        if attached.vnet_headers {
            return Err(OpenError::HeaderedFrames {
                name: attached.name,
            });
        }
        let mode = if attached.tap { Mode::Tap } else { Mode::Tun };
        Self::non_blocking(fd, attached.name, mode)
    }

    fn non_blocking(fd: OwnedFd, name: String, mode: Mode) -> Result<Self, OpenError> {
        match rustix::io::ioctl_fionbio(&fd, true) {
            Ok(()) => Ok(Self { fd, name, mode }),
            Err(errno) => Err(OpenError::Os {
                action: "make the device non-blocking",
                name,
                source: io::Error::from(errno),
            }),
        }
    }

    /// The interface's name, as it was when the device was opened.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the frames are.
    pub fn mode(&self) -> Mode {
        self.mode
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl AsRawFd for Device {
    fn as_raw_fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }
}

impl From<Device> for OwnedFd {
    fn from(device: Device) -> Self {
        device.fd
    }
}
