//! A small `tcpdump`: prints what passes an interface, a line a packet.
//!
//! ```sh
//! cargo build --release --example tcpdump
//! sudo target/release/examples/tcpdump eth0
//! cargo run --release --example tcpdump -- --sandbox tap0 -- ping -c1 192.168.69.1
//! ```
//!
//! In a sandbox the host at the other end of the interface, 192.168.69.1 and fdaa::1, is cygnet.

use std::ffi::OsString;
use std::future::poll_fn;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use clap::Parser;
use cygnet::Driver;
use cygnet_driver::{Medium, RxToken};
use cygnet_examples::device::DeviceOptions;
use cygnet_examples::middleware::{CaptureOptions, DriverUser, Middleware};
use cygnet_examples::session::serve_command;
use cygnet_examples::{Error, arguments, exit, host};
use cygnet_host::TokioClock;
use cygnet_middleware::{FaultConfig, FrameSummary};
use cygnet_tuntap::{PacketOptions, PacketSocket};
use futures_util::future::{FutureExt, LocalBoxFuture, pending};

/// Prints the packets that pass an interface
///
/// It needs the right to listen: run it as root, or with --sandbox.
#[derive(Parser)]
struct Args {
    /// The interface
    interface: String,

    /// End after so many packets [default: never]
    #[arg(short, long, value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Print what is addressed to others, too, if it comes by
    #[arg(short, long)]
    promiscuous: bool,

    /// Print headers and bytes as well
    #[arg(short, long)]
    verbose: bool,

    /// Write every packet to this file, for Wireshark or tcpdump
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,

    /// Listen in a network namespace of its own, with a tap interface of that name in it, until a program in there
    /// is over: needs no privileges and leaves the host's network alone
    #[arg(long)]
    sandbox: bool,

    /// The program to run in the sandbox, with its arguments [default: a shell]
    #[arg(last = true, value_name = "COMMAND", requires = "sandbox")]
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    let args = arguments::<Args>();
    exit(match args.sandbox {
        true => in_sandbox(&args),
        false => outside(&args),
    })
}

fn outside(args: &Args) -> Result<ExitCode, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async { listen(args, pending().boxed_local())?.await })
}

fn in_sandbox(args: &Args) -> Result<ExitCode, Error> {
    let interface = match args.interface.as_str() {
        // It is there already.
        "lo" => "tap0",
        other => other,
    };
    let options = DeviceOptions::sandboxed(interface, args.command.clone());
    host::run(&options, host::SERVER, async |_| {
        listen(args, serve_command(&options).boxed_local())?.await
    })
}

/// What is being waited for, and how it ended.
type Ending<'a> = LocalBoxFuture<'a, Result<ExitCode, Error>>;

/// Opens the interface. What comes of it prints packets until `program` is over.
fn listen<'a>(args: &'a Args, program: Ending<'a>) -> Result<Ending<'a>, Error> {
    let options = PacketOptions {
        promiscuous: args.promiscuous,
        outgoing: true,
    };
    let driver = PacketSocket::open(&args.interface, options)?;
    let clock: &'static TokioClock = Box::leak(Box::new(TokioClock::new()));
    let middleware = Middleware {
        capture: &CaptureOptions {
            pcap: args.pcap.clone(),
            verbose: 0,
        },
        faults: FaultConfig::default(),
        seed: 0,
        clock,
        epoch: host::epoch(clock),
    };
    middleware.wrap(driver, Listener { args, program })
}

/// Listens with whatever driver there is in the end.
struct Listener<'a> {
    args: &'a Args,
    program: Ending<'a>,
}

impl<'a> DriverUser for Listener<'a> {
    type Output = Ending<'a>;

    fn with<D: Driver + 'static>(self, driver: D) -> Ending<'a> {
        let mut dump = Dump {
            medium: driver.capabilities().medium,
            driver,
            verbose: self.args.verbose,
            left: self.args.count,
        };
        let listening = async move {
            let ended = tokio::select! {
                // Packets before the end of the program that they are of.
                biased;
                printed = poll_fn(|cx| dump.poll(cx)) => Err(printed),
                ended = self.program => Ok(ended?),
            };
            let (printed, code) = match ended {
                Err(printed) => (printed, ExitCode::SUCCESS),
                Ok(code) => match dump.poll(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(printed) => (printed, code),
                    Poll::Pending => return Ok(code),
                },
            };
            match printed {
                // Nobody reads on, as behind `| head`.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
                _ => Ok(code),
            }
        };
        listening.boxed_local()
    }
}

/// The packets of a driver, as lines.
struct Dump<D> {
    driver: D,
    medium: Medium,
    verbose: bool,
    /// How many to print, if not all.
    left: Option<u64>,
}

impl<D: Driver> Dump<D> {
    /// Prints what there is. Ready when enough was printed, or no more can be.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        for _ in 0..BURST {
            let Some((rx, _)) = self.driver.receive(cx) else {
                return Poll::Pending;
            };
            let (medium, verbose) = (self.medium, self.verbose);
            rx.consume(|frame| print(&FrameSummary::new(medium, frame), verbose))?;
            self.left = self.left.map(|left| left - 1);
            if self.left == Some(0) {
                return Poll::Ready(Ok(()));
            }
        }
        // Others get a turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn print(packet: &FrameSummary<'_>, verbose: bool) -> io::Result<()> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let (time, micros) = since.map_or((0, 0), |at| (at.as_secs(), at.subsec_micros()));
    let (hour, minute, second) = (time / 3_600 % 24, time / 60 % 60, time % 60);
    let mut out = io::stdout().lock();
    write!(out, "{hour:02}:{minute:02}:{second:02}.{micros:06} ")?;
    match verbose {
        true => writeln!(out, "{packet:#}"),
        false => writeln!(out, "{packet}"),
    }
}

/// Packets that are printed before others get a turn.
const BURST: usize = 256;
