//! Why a device could not be opened, and what to do about it, in one line each.

use core::fmt;
use std::error::Error;
use std::io;

use rustix::io::Errno;

use crate::Mode;

/// Why a tap or tun device could not be opened. The message is one line and says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenError {
    /// The name has more than 15 bytes or a character that interface names do not have.
    InvalidName {
        /// The name asked for.
        name: String,
    },
    /// There is no `/dev/net/tun`, or the kernel has no driver behind it.
    NoDeviceNode {
        /// What the system said.
        source: io::Error,
    },
    /// This user may not open `/dev/net/tun`.
    DeviceNodeDenied {
        /// The name asked for.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// This user may not create the interface, or it was created for somebody else.
    NotPermitted {
        /// The name asked for.
        name: String,
        /// The mode asked for.
        mode: Mode,
        /// What the system said.
        source: io::Error,
    },
    /// Another process, or another descriptor of this one, has the interface.
    Busy {
        /// The name asked for.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// There is an interface of that name, but of another kind.
    OtherKind {
        /// The name asked for.
        name: String,
        /// The mode asked for.
        mode: Mode,
        /// What the system said.
        source: io::Error,
    },
    /// The descriptor handed over is not attached to a tap or tun interface.
    NotAttached {
        /// What the system said.
        source: io::Error,
    },
    /// The descriptor handed over puts a virtio-net header before each frame.
    HeaderedFrames {
        /// The interface's name.
        name: String,
    },
    /// Anything else the operating system refused.
    Os {
        /// What was tried, as it follows "cannot".
        action: &'static str,
        /// The interface's name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    /// Names the failure of opening `/dev/net/tun` and attaching the descriptor to an interface.
    /// The first step fails for lack of file permissions (EACCES), the second for lack of
    /// `CAP_NET_ADMIN` (EPERM).
    pub(crate) fn from_open(name: &str, mode: Mode, source: io::Error) -> Self {
        let name = name.to_owned();
        match Errno::from_io_error(&source) {
            Some(Errno::NOENT | Errno::NODEV | Errno::NXIO) => Self::NoDeviceNode { source },
            Some(Errno::ACCESS) => Self::DeviceNodeDenied { name, source },
            Some(Errno::PERM) => Self::NotPermitted { name, mode, source },
            Some(Errno::BUSY) => Self::Busy { name, source },
            Some(Errno::INVAL) => Self::OtherKind { name, mode, source },
            _ => Self::Os {
                action: "open the device",
                name,
                source,
            },
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidName { name } => write!(
                f,
                "{name:?} is not an interface name; use up to 15 letters and digits, such as tap0"
            ),
            Self::NoDeviceNode { .. } => write!(
                f,
                "cannot open /dev/net/tun: there is none; load it with `modprobe tun`, \
                 or pass it to the container with `--device /dev/net/tun`"
            ),
            Self::DeviceNodeDenied { .. } => write!(
                f,
                "cannot open /dev/net/tun: permission denied; run as root, \
                 or open it to all users with `sudo chmod 666 /dev/net/tun`"
            ),
            Self::NotPermitted { name, mode, .. } => write!(
                f,
                "cannot attach to {name}: not permitted; run as root, or create it for yourself \
                 with `sudo ip tuntap add name {name} mode {} user $USER`",
                mode.as_str()
            ),
            Self::Busy { name, .. } => write!(
                f,
                "cannot attach to {name}: it is in use; stop the program that has it, \
                 or choose another name"
            ),
            Self::OtherKind { name, mode, .. } => write!(
                f,
                "cannot attach to {name}: it is not a {} device with one queue; \
                 choose another name, or remove it with `sudo ip link delete {name}`",
                mode.as_str()
            ),
            Self::NotAttached { source } => write!(
                f,
                "the descriptor is not an attached tap or tun device ({source}); \
                 open /dev/net/tun and issue TUNSETIFF before handing it over"
            ),
            Self::HeaderedFrames { name } => write!(
                f,
                "the descriptor of {name} puts virtio-net headers before its frames; \
                 attach it without IFF_VNET_HDR"
            ),
            Self::Os {
                action,
                name,
                source,
            } => write!(f, "cannot {action} {name}: {source}"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InvalidName { .. } | Self::HeaderedFrames { .. } => None,
            Self::NoDeviceNode { source }
            | Self::DeviceNodeDenied { source, .. }
            | Self::NotPermitted { source, .. }
            | Self::Busy { source, .. }
            | Self::OtherKind { source, .. }
            | Self::NotAttached { source }
            | Self::Os { source, .. } => Some(source),
        }
    }
}
