//! Boots the firmware examples in QEMU and talks to them. `examples/firmware/test` and
//! `examples/firmware/report` build the firmware and call this.
//!
//! - `check FOLDER` runs real conversations and prints a line for each: first as an Ethernet peer with
//!   cygnet at this end too, then with the Linux kernel, in a network namespace of its own.
//! - `measure FIRMWARE` prints what transfers cost a firmware, in instructions.
//!
//! The wire is a Unix datagram socket, on which each datagram is a frame. The kernel's frames go through a tap
//! device that this program holds the other end of, so it can lose some of them on purpose.

mod check;
mod emulator;
mod kernel;
mod measure;
mod peer;
mod relay;
mod services;
mod wire;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// What goes wrong is told to a person, in a line or two.
type Error = Box<dyn std::error::Error>;

/// Boots firmware in QEMU and talks to it
#[derive(Parser)]
enum Args {
    /// Runs conversations with the firmware in a folder and prints a line for each
    Check { folder: PathBuf },
    /// Prints what a firmware spends on receiving and on sending: bytes, instructions, deepest stack
    Measure { firmware: PathBuf },
    /// Prints how long a firmware that times the stack's lock has held it at most, in instructions
    MeasureLock { firmware: PathBuf },
    /// Prints what a transfer costs that a firmware makes by itself
    MeasureLoopback { firmware: PathBuf },
}

fn main() -> ExitCode {
    let result = match Args::parse() {
        Args::Check { folder } => check::run(&folder),
        Args::Measure { firmware } => measure::run(&firmware),
        Args::MeasureLock { firmware } => measure::run_lock(&firmware),
        Args::MeasureLoopback { firmware } => measure::run_loopback(&firmware),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a future, with tasks beside it that need not be `Send`.
fn block_on<R>(future: impl Future<Output = R>) -> Result<R, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(tokio::task::LocalSet::new().block_on(&runtime, future))
}
