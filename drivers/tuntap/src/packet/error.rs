//! Why a packet socket could not be opened, and what to do about it, in one line each.

use core::fmt;
use std::error::Error;
use std::io;

use rustix::io::Errno;

/// Why a packet socket could not be opened. The message is one line and says what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum PacketSocketError {
    /// There is no interface of that name in this network namespace.
    NoSuchInterface {
        /// The name asked for.
        name: String,
    },
    /// This user may not see what passes an interface.
    NotPermitted {
        /// The name asked for.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Its frames are neither those of Ethernet nor bare IP packets.
    UnsupportedMedium {
        /// The interface's name.
        name: String,
        /// What they are, as the kernel numbers them: `ARPHRD_*`.
        kind: u16,
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

impl PacketSocketError {
    /// Names what went wrong with the interface `name`.
    pub(super) fn from_os(action: &'static str, name: &str, source: io::Error) -> Self {
        let name = name.to_owned();
        match Errno::from_io_error(&source) {
            Some(Errno::NODEV | Errno::NXIO) => Self::NoSuchInterface { name },
            Some(Errno::PERM | Errno::ACCESS) => Self::NotPermitted { name, source },
            _ => Self::Os {
                action,
                name,
                source,
            },
        }
    }
}

impl fmt::Display for PacketSocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchInterface { name } => {
                write!(
                    f,
                    "there is no interface {name}; `ip link` lists those there are"
                )
            }
            Self::NotPermitted { name, .. } => write!(
                f,
                "cannot listen on {name}: not permitted; run as root, \
                 or give the program the right with `sudo setcap cap_net_raw+ep PROGRAM`"
            ),
            Self::UnsupportedMedium { name, kind } => write!(
                f,
                "cannot listen on {name}: its frames are of kind {kind}, neither Ethernet nor IP; \
                 choose another interface"
            ),
            Self::Os {
                action,
                name,
                source,
            } => write!(f, "cannot {action} {name}: {source}"),
        }
    }
}

impl Error for PacketSocketError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoSuchInterface { .. } | Self::UnsupportedMedium { .. } => None,
            Self::NotPermitted { source, .. } | Self::Os { source, .. } => Some(source),
        }
    }
}
