//! Network namespaces, one per thread: a test gets a network that nobody else sees.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::thread;

use nix::sched::{CloneFlags, setns, unshare};

use crate::{HostError, Interface};

/// A network namespace of the kernel: its own interfaces, addresses, routes and sockets.
///
/// A namespace belongs to a thread. Threads and child processes started inside are inside too;
/// sockets and devices stay where they were opened. The namespace ends, and its devices with it,
/// when neither a `NetNs` nor a thread, process or socket is left.
#[derive(Debug)]
pub struct NetNs {
    file: File,
}

impl NetNs {
    /// Makes a namespace with nothing in it but the loopback interface, which is up. The calling
    /// thread stays where it is.
    ///
    /// # Errors
    ///
    /// The process may not: it needs `CAP_SYS_ADMIN`.
    pub fn new() -> Result<Self, HostError> {
        on_new_thread(|| {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| HostError::Namespace {
                source: errno.into(),
            })?;
            Interface::named("lo").up()?;
            Self::current()
        })?
    }

    /// The calling thread's namespace.
    ///
    /// # Errors
    ///
    /// There is no `/proc`.
    pub fn current() -> Result<Self, HostError> {
        let file = File::open("/proc/thread-self/ns/net")
            .map_err(HostError::system("open /proc/thread-self/ns/net"))?;
        Ok(Self { file })
    }

    /// Moves the calling thread into this namespace for good. Its other threads stay where they are.
    ///
    /// # Errors
    ///
    /// The process may not: it needs `CAP_SYS_ADMIN`.
    pub fn enter(&self) -> Result<(), HostError> {
        setns(&self.file, CloneFlags::CLONE_NEWNET).map_err(|errno| HostError::Namespace {
            source: errno.into(),
        })
    }

    /// Runs `f` inside, on a thread of its own, and returns its result. A panic in `f` goes on in
    /// the caller.
    ///
    /// # Errors
    ///
    /// Those of [`enter`](Self::enter); then `f` was not run.
    pub fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> Result<T, HostError> {
        on_new_thread(|| {
            self.enter()?;
            Ok(f())
        })?
    }
}

impl AsFd for NetNs {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl AsRawFd for NetNs {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

/// Runs `f` inside a fresh namespace, on a thread of its own, and returns its result. A panic in `f`
/// goes on in the caller.
///
/// ```no_run
/// # fn main() -> Result<(), cygnet_host::HostError> {
/// use std::process::Command;
///
/// let links = cygnet_host::in_namespace(|_| {
///     cygnet_host::process::output(Command::new("ip").arg("link"))
/// })??;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Those of [`NetNs::new`]; then `f` was not run.
pub fn in_namespace<T: Send>(f: impl FnOnce(&NetNs) -> T + Send) -> Result<T, HostError> {
    let namespace = NetNs::new()?;
    namespace.run(|| f(&namespace))
}

/// Runs `f` on a new thread named like this one, so that a panic's message names the test.
fn on_new_thread<T: Send>(f: impl FnOnce() -> T + Send) -> Result<T, HostError> {
    let name = thread::current().name().unwrap_or("netns").to_owned();
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name(name)
            .spawn_scoped(scope, f)
            .map_err(HostError::system("start a thread"))?;
        match thread.join() {
            Ok(result) => Ok(result),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
