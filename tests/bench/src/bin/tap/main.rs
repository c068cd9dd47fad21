//! Measures cygnet and smoltcp, each on its own driver, against the kernel across a tap device.
//!
//! `cargo run --release -p cygnet-bench --bin tap [-- reader|writer] [--size BYTES] [--csv]`
//!
//! It needs Linux and no privileges: the process moves into a network namespace of its own. What the
//! kernel's side does and how it is timed is in `kernel.rs`, each stack in a file of its own.
#![forbid(unsafe_code)]

mod cygnet;
mod kernel;
mod smoltcp;

use std::error;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use cygnet_bench::median;
use cygnet_bench::report::{self, Row};
use cygnet_host::{Sandbox, SandboxConfig};

/// Measures cygnet beside smoltcp on a tap device.
#[derive(Parser)]
struct Args {
    /// What the kernel's side does; without it, one after the other.
    direction: Option<Direction>,
    /// How much to move each time, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 30)]
    size: u64,
    /// How often each stack gets its turn; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Only this stack.
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// Print rows of `scenario,idle_sockets,stack,value,unit` instead of a table.
    #[arg(long)]
    csv: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Direction {
    /// The kernel reads what the stack sends.
    Reader,
    /// The kernel writes what the stack receives.
    Writer,
}

impl Direction {
    const ALL: [Self; 2] = [Self::Reader, Self::Writer];

    fn scenario(self) -> &'static str {
        match self {
            Self::Reader => "tap-reader",
            Self::Writer => "tap-writer",
        }
    }
}

/// What to move, and which way.
#[derive(Clone, Copy)]
struct Transfer {
    direction: Direction,
    size: u64,
}

/// A stack under measurement.
struct Contender {
    name: &'static str,
    /// Its address. The kernel remembers how well it got along with each address, so no stack is to
    /// inherit what it learned of another.
    address: Ipv4Addr,
    /// Accepts one connection on [`PORT`] and moves the data until the kernel's side is done.
    serve: fn(&Contender, OwnedFd, Transfer, kernel::Done) -> Result<(), Error>,
}

impl Contender {
    /// The hardware address.
    fn mac(&self) -> [u8; 6] {
        let [_, _, _, last] = self.address.octets();
        [2, 0, 0, 0, 0, last]
    }

    /// Moves the data once. In Gbit/s.
    fn measure(&self, device: impl AsFd, transfer: Transfer) -> Result<f64, Error> {
        let device = device.as_fd().try_clone_to_owned()?;
        let (side, done) = kernel::start(self.address, transfer);
        (self.serve)(self, device, transfer, done)?;
        let took = side.join().map_err(|_| "the kernel's side panicked")??;
        Ok(transfer.size as f64 * 8.0 / 1e9 / took.as_secs_f64())
    }
}

const CONTENDERS: [Contender; 2] = [
    Contender {
        name: "cygnet",
        address: Ipv4Addr::new(192, 168, 69, 1),
        serve: cygnet::serve,
    },
    Contender {
        name: "smoltcp",
        address: Ipv4Addr::new(192, 168, 69, 2),
        serve: smoltcp::serve,
    },
];

/// Where the stacks listen.
const PORT: u16 = 1234;
/// The stacks' receive and transmit buffers, in bytes.
const BUFFER: usize = 65536;
/// The network of the tap device.
const PREFIX_LEN: u8 = 24;

type Error = Box<dyn error::Error + Send + Sync>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(rows) => {
            print!("{rows}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<String, Error> {
    let wanted = |contender: &&Contender| match &args.stack {
        Some(stack) => contender.name == stack,
        None => true,
    };
    let contenders: Vec<_> = CONTENDERS.iter().filter(wanted).collect();
    if contenders.is_empty() {
        let names = CONTENDERS.map(|contender| contender.name);
        return Err(format!("no such stack; there are {}", names.join(", ")).into());
    }
    let device = Sandbox::enter(&SandboxConfig::default())?.into_device();
    let mut rows = Vec::new();
    for direction in Direction::ALL {
        if args.direction.is_none_or(|only| only == direction) {
            let transfer = Transfer {
                direction,
                size: args.size,
            };
            rows.extend(measure_all(&contenders, &device, transfer, args.rounds)?);
        }
    }
    Ok(match args.csv {
        true => report::csv(&rows),
        false => report::table(&rows),
    })
}

/// One transfer with every stack, in turns: what else the machine does falls on all alike.
fn measure_all(
    contenders: &[&Contender],
    device: impl AsFd,
    transfer: Transfer,
    rounds: u32,
) -> Result<Vec<Row>, Error> {
    let scenario = transfer.direction.scenario();
    let mut rates = vec![Vec::new(); contenders.len()];
    for round in 1..=rounds {
        for (contender, rates) in contenders.iter().zip(&mut rates) {
            let rate = contender
                .measure(device.as_fd(), transfer)
                .map_err(|error| format!("{scenario}, {}: {error}", contender.name))?;
            eprintln!(
                "{scenario}, round {round}: {} {rate:.3} Gbit/s",
                contender.name
            );
            rates.push(rate);
        }
    }
    let row = |(contender, rates): (&&Contender, _)| Row {
        scenario,
        idle_sockets: 0,
        stack: contender.name,
        value: median(rates),
        unit: "Gbit/s",
    };
    Ok(contenders.iter().zip(rates).map(row).collect())
}
