//! Two network namespaces of the kernel and a wire between them that delays, loses, reorders and doubles:
//! how TCP fares on it, the kernel's with itself, and cygnet's with the kernel's, both ways.
//!
//! ```sh
//! cargo run --release --example wire
//! cargo run --release --example wire -- --loss 5 --congestion cubic
//! cargo run --release --example wire -- --server 'iperf3 -s -1' -- iperf3 -c 10.9.0.2 -R
//! ```
//!
//! Without a command it measures: every pair of stacks gets the same wire, with the same seed, one after the
//! other, so that the ratios mean something even where the figures do not travel. With one, it runs that in
//! the first namespace (10.9.0.1) and `--server` in the second (10.9.0.2). Needs Linux with `/dev/net/tun`.
//!
//! Copies that the wire makes speed Reno and CUBIC up: Linux counts each as the report of a needless retransmission
//! ("do dumb counting" in `tcp_check_dsack`), as cygnet does, and takes back a quarter of its cuts of the window. What
//! the wire holds back and a retransmission overtakes the receiver discards for its timestamp, so that more is sent
//! again than was lost, the more the faster. With `--duplicate 0` and `--reorder 0` there is neither.

mod ends;
mod line;
mod measure;

use std::process::{Command, ExitCode};

use clap::{Parser, ValueEnum};
use cygnet::{CongestionControl, Duration};
use cygnet_examples::host::exit_code;
use cygnet_examples::{Error, arguments, exit, units};
use cygnet_host::{NetNs, Sandbox, SandboxConfig, process};
use cygnet_link::Probability;

use ends::Side;
use measure::{Case, Measured, Tcp};

/// A bad wire between two network namespaces, and TCP across it
#[derive(Parser)]
pub(crate) struct Args {
    /// How long a packet takes one way, on average
    #[arg(long, value_name = "TIME", default_value = "20ms", help_heading = "Wire",
          value_parser = units::time)]
    pub(crate) delay: Duration,

    /// How much less or more, at random and without overtaking
    #[arg(long, value_name = "TIME", default_value = "5ms", help_heading = "Wire",
          value_parser = units::time)]
    pub(crate) jitter: Duration,

    /// Packets that are lost
    #[arg(long, value_name = "PERCENT", default_value = "1", help_heading = "Wire",
          value_parser = units::chance)]
    pub(crate) loss: Probability,

    /// Packets that are held back until others have overtaken them
    #[arg(long, value_name = "PERCENT", default_value = "5", help_heading = "Wire",
          value_parser = units::chance)]
    pub(crate) reorder: Probability,

    /// For how long they are held back
    #[arg(long, value_name = "TIME", default_value = "5ms", help_heading = "Wire",
          value_parser = units::time)]
    pub(crate) hold: Duration,

    /// Packets that arrive twice
    #[arg(long, value_name = "PERCENT", default_value = "1", help_heading = "Wire",
          value_parser = units::chance)]
    pub(crate) duplicate: Probability,

    /// Bits per second, or with K, M, G; 0 for any number
    #[arg(long, value_name = "RATE", default_value = "100M", help_heading = "Wire",
          value_parser = units::bit_rate)]
    pub(crate) rate: u64,

    /// Packets that may wait for the rate; more are dropped
    #[arg(
        long,
        value_name = "PACKETS",
        default_value_t = 1000,
        help_heading = "Wire"
    )]
    pub(crate) queue: usize,

    /// Where the wire's random numbers start
    #[arg(long, default_value_t = 1, help_heading = "Wire")]
    pub(crate) seed: u64,

    /// The send and the receive buffer of each connection, in both stacks
    #[arg(long, value_name = "SIZE", default_value = "4M", value_parser = units::buffer_size)]
    pub(crate) buffer: usize,

    /// The congestion control of both stacks
    #[arg(long, value_enum, default_value_t = Congestion::Reno)]
    pub(crate) congestion: Congestion,

    /// Numbers of connections at a time to measure with
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,8",
          value_parser = clap::value_parser!(u8).range(1..=ends::SOCKETS as i64))]
    flows: Vec<u8>,

    /// How long each measurement takes
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = units::time)]
    pub(crate) time: Duration,

    /// How often each is made, with another seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    rounds: u64,

    /// Print what the kernel's sending side counted, and what cygnet did
    #[arg(long)]
    pub(crate) counters: bool,

    /// What runs in the second namespace, for a shell, beside the command
    #[arg(long, value_name = "COMMAND", requires = "command")]
    server: Option<String>,

    /// What runs in the first namespace, with its arguments
    #[arg(last = true)]
    command: Vec<String>,
}

/// What both stacks know how to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Congestion {
    /// NewReno (RFC 5681)
    Reno,
    /// CUBIC (RFC 9438)
    Cubic,
    /// BBR
    Bbr,
}

impl Congestion {
    /// Its name in the kernel.
    pub(crate) fn kernel(self) -> &'static str {
        match self {
            Self::Reno => "reno",
            Self::Cubic => "cubic",
            Self::Bbr => "bbr",
        }
    }

    pub(crate) fn cygnet(self) -> CongestionControl {
        match self {
            Self::Reno => CongestionControl::NewReno,
            Self::Cubic => CongestionControl::Cubic,
            Self::Bbr => CongestionControl::Bbr,
        }
    }
}

fn main() -> ExitCode {
    exit(run(&arguments()))
}

fn run(args: &Args) -> Result<ExitCode, Error> {
    // For the right to make namespaces, where one is not root. The device in it is not used.
    let _sandbox = Sandbox::enter(&SandboxConfig::default())?;
    // A wire's memory passes over the stack on its way to the heap.
    std::thread::scope(|scope| {
        let work = || in_sandbox(args).map_err(|error| error.to_string());
        let thread = std::thread::Builder::new()
            .stack_size(128 << 20)
            .spawn_scoped(scope, work)?;
        match thread.join() {
            Ok(result) => Ok(result?),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn in_sandbox(args: &Args) -> Result<ExitCode, Error> {
    if args.command.is_empty() {
        compare(args)?;
        return Ok(ExitCode::SUCCESS);
    }
    let [near, far] = [NetNs::new()?, NetNs::new()?];
    line::between(
        args,
        args.seed,
        [Side::Kernel(&near), Side::Kernel(&far)],
        async |_| {
            // Ends at the latest when the client has, or could not be started.
            let _server = match &args.server {
                Some(server) => {
                    Some(far.run(|| process::spawn(Command::new("sh").arg("-c").arg(server)))??)
                }
                None => None,
            };
            // A server needs a moment to listen.
            tokio::time::sleep(core::time::Duration::from_millis(200)).await;
            let mut command = Command::new(&args.command[0]);
            command.args(&args.command[1..]);
            let mut client = near.run(|| process::spawn(&mut command))??;
            let status = loop {
                if let Some(status) = client.child().try_wait()? {
                    break status;
                }
                tokio::time::sleep(core::time::Duration::from_millis(10)).await;
            };
            Ok(exit_code(status))
        },
    )
}

/// Measures every pair of stacks and prints the table.
fn compare(args: &Args) -> Result<(), Error> {
    println!(
        "{} ± {}, loss {}, reordering {} by {}, duplication {}, {}, queue of {}; {}, buffers of {} KiB",
        millis(args.delay),
        millis(args.jitter),
        percent(args.loss),
        percent(args.reorder),
        millis(args.hold),
        percent(args.duplicate),
        bit_rate(args.rate),
        args.queue,
        args.congestion.kernel(),
        args.buffer >> 10,
    );
    println!(
        "\n{:>5}  {:<18} {:>12} {:>7} {:>10} {:>9} {:>9}",
        "flows", "from → to", "Mbit/s", "ratio", "segments", "again", "timeouts"
    );
    for &flows in &args.flows {
        let flows = flows.into();
        let mut baseline = None;
        for (from, to) in [
            (Tcp::Kernel, Tcp::Kernel),
            (Tcp::Cygnet, Tcp::Kernel),
            (Tcp::Kernel, Tcp::Cygnet),
        ] {
            let mut sum = Measured::default();
            for round in 0..args.rounds.max(1) {
                let case = Case { from, to, flows };
                sum += measure::measure(args, args.seed.wrapping_add(round), &case)?;
            }
            let rate = sum.megabits();
            let baseline = *baseline.get_or_insert(rate);
            let ratio = match baseline {
                0.0 => "-".to_owned(),
                _ => format!("{:.0}%", 100.0 * rate / baseline),
            };
            println!(
                "{flows:>5}  {:<18} {rate:>12.3} {ratio:>7} {:>10} {:>9} {:>9}",
                format!("{} → {}", from.name(), to.name()),
                sum.segments,
                sum.retransmits,
                sum.timeouts,
            );
        }
    }
    Ok(())
}

fn millis(span: Duration) -> String {
    format!("{} ms", span.as_micros() as f64 / 1e3)
}

fn bit_rate(rate: u64) -> String {
    match rate {
        0 => "any rate".to_owned(),
        rate => units::BitRate::new(rate, 8.0).to_string(),
    }
}

fn percent(chance: Probability) -> String {
    format!("{} %", f64::from(chance.as_ppm()) / 1e4)
}
