//! What the cygnet stack needs when it runs on a host.
//!
//! - [`HostMutex`] guards one stack whose handles are shared between threads.
//! - [`TokioClock`] gives a runner its time in a tokio runtime.
//! - On Linux, network namespaces: [`Sandbox`] moves the whole process into one with a device in it,
//!   so that a program can talk to the kernel's stack without privileges and without touching the
//!   host's network; [`NetNs`] gives each test a network of its own; [`Interface`] sets up what is
//!   inside, and [`process`] runs the programs to talk to.
//!
//! Every [`HostError`] is one line that says what to do about it.
#![deny(unsafe_code)]

mod clock;
mod mutex;

#[cfg(target_os = "linux")]
mod error;
#[cfg(target_os = "linux")]
mod interface;
#[cfg(target_os = "linux")]
mod netns;
#[cfg(target_os = "linux")]
pub mod process;
#[cfg(target_os = "linux")]
mod sandbox;
#[cfg(target_os = "linux")]
mod testing;

pub use clock::TokioClock;
pub use mutex::HostMutex;

#[cfg(target_os = "linux")]
pub use {
    error::HostError,
    interface::Interface,
    netns::{NetNs, in_namespace},
    sandbox::{Sandbox, SandboxConfig},
    testing::{SKIP_VARIABLE, linux_test},
};
