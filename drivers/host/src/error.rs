//! What can go wrong on the host, each in one line that says what to do.

use core::fmt;
use std::error::Error;
use std::io;

use cygnet_tuntap::OpenError;

/// Something that the host does not have or does not allow. The message is one line and says what
/// to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum HostError {
    /// A tap or tun device could not be opened.
    Open(OpenError),
    /// There is no interface of that name in the namespace.
    NoSuchInterface {
        /// The name asked for.
        name: String,
    },
    /// The kernel refused to change an interface.
    Interface {
        /// What was tried, as it follows "cannot".
        action: String,
        /// The interface's name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The process may not make or enter a network namespace.
    Namespace {
        /// What the system said.
        source: io::Error,
    },
    /// The process may not make a user namespace.
    UserNamespace {
        /// What the system said.
        source: io::Error,
    },
    /// The process has more than one thread, and a sandbox must hold all of them.
    Threads {
        /// How many it has.
        count: usize,
    },
    /// A program could not be started.
    Program {
        /// Its name.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system is out of something that nearly always is there: threads, descriptors, `/proc`.
    System {
        /// What was tried, as it follows "cannot".
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl HostError {
    /// For `map_err`: the failure of `action`.
    pub(crate) fn system(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { action, source }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(error @ OpenError::NotPermitted { .. }) => {
                write!(f, "{error}, or use --sandbox")
            }
            Self::Open(error) => error.fmt(f),
            Self::NoSuchInterface { name } => write!(
                f,
                "there is no interface {name}; use --sandbox, or create it \
                 with `sudo ip tuntap add name {name} mode tap user $USER`"
            ),
            Self::Interface {
                action,
                name,
                source,
            } => {
                write!(f, "cannot {action} {name}: {source}")?;
                match source.kind() {
                    io::ErrorKind::PermissionDenied => {
                        f.write_str("; run as root, or use --sandbox")
                    }
                    io::ErrorKind::AlreadyExists => {
                        f.write_str("; remove the old one, or choose another")
                    }
                    _ => Ok(()),
                }
            }
            Self::Namespace { source } => write!(
                f,
                "cannot use a network namespace: {source}; run as root, \
                 or under `unshare --user --map-root-user --net`"
            ),
            Self::UserNamespace { source } => write!(
                f,
                "cannot make a user namespace: {source}; run as root, or allow them with \
                 `sudo sysctl user.max_user_namespaces=10000` and, where AppArmor restricts them, \
                 `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
            ),
            Self::Threads { count } => write!(
                f,
                "cannot enter a sandbox with {count} threads; \
                 enter it first thing in main, before a runtime starts"
            ),
            Self::Program { name, source } if source.kind() == io::ErrorKind::NotFound => {
                let package = debian_package(name);
                write!(
                    f,
                    "cannot run {name}: not found; install it, on Debian with `sudo apt-get install {package}`"
                )
            }
            Self::Program { name, source } => write!(f, "cannot run {name}: {source}"),
            Self::System { action, source } => write!(f, "cannot {action}: {source}"),
        }
    }
}

impl Error for HostError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoSuchInterface { .. } | Self::Threads { .. } => None,
            Self::Open(error) => Some(error),
            Self::Interface { source, .. }
            | Self::Namespace { source }
            | Self::UserNamespace { source }
            | Self::Program { source, .. }
            | Self::System { source, .. } => Some(source),
        }
    }
}

impl From<OpenError> for HostError {
    fn from(error: OpenError) -> Self {
        Self::Open(error)
    }
}

/// The package of a program, where it has another name.
fn debian_package(program: &str) -> &str {
    match program {
        "ping" => "iputils-ping",
        "ip" | "ss" | "tc" | "bridge" => "iproute2",
        "dnsmasq" => "dnsmasq-base",
        "nginx" => "nginx-light",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_one_line() {
        let source = || io::Error::from(io::ErrorKind::PermissionDenied);
        let name = || "tap0".to_owned();
        let errors = [
            HostError::Open(OpenError::InvalidName { name: name() }),
            HostError::NoSuchInterface { name: name() },
            HostError::Interface {
                action: "set up".into(),
                name: name(),
                source: source(),
            },
            HostError::Namespace { source: source() },
            HostError::UserNamespace { source: source() },
            HostError::Threads { count: 2 },
            HostError::Program {
                name: "ping".into(),
                source: io::ErrorKind::NotFound.into(),
            },
            HostError::system("start a thread")(source()),
        ];
        for error in errors {
            let line = error.to_string();
            assert!(!line.contains('\n') && !line.contains("  "), "{line:?}");
        }
    }

    #[test]
    fn a_missing_program_names_its_package() {
        let error = HostError::Program {
            name: "ping".into(),
            source: io::ErrorKind::NotFound.into(),
        };
        assert!(error.to_string().contains("apt-get install iputils-ping"));
    }
}
