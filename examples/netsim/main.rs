//! How fast TCP is on bad paths: cygnet's congestion controllers on two simulated networks, beside what
//! the incumbent reaches there and what is possible at all.
//!
//! ```sh
//! cargo run --release --example netsim                       # everything: tables and a plot
//! cargo run --release --example netsim -- --csv              # the same as rows
//! cargo run --release --example netsim -- --buffer 8K --loss 5 --controller none
//! cargo run --release --example netsim -- --flows 64 --controller cubic --kernel
//! ```
//!
//! | scenario | file | what it is |
//! | --- | --- | --- |
//! | `path` | `path.rs` | one transfer over a path that loses packets at random, in both directions |
//! | `bottleneck` | `bottleneck.rs` | several transfers through one narrow link with a short queue |
//!
//! | `kernel` | `kernel.rs` | the bottleneck with the kernel's TCP at its ends, where `--kernel` asks for it |
//!
//! All but the last runs in virtual time: the same seed gives the same figures on every machine.

mod bottleneck;
mod cell;
mod flow;
mod ideal;
mod incumbent;
mod kernel;
mod path;
mod plot;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use clap::Parser;
use cygnet::{CongestionControl, Duration};
use cygnet_examples::units;
use cygnet_examples::{Error, arguments, exit};
use cygnet_host::{Sandbox, SandboxConfig};
use cygnet_link::Probability;

use crate::cell::{CONTROLLERS, Cell, Measured, Scenario};

/// TCP on two simulated networks: one that loses packets, and one with a narrow link that many share
#[derive(Parser)]
struct Args {
    /// Print rows instead of tables: scenario,controller,buffer,loss,flows,bytes_per_second,fairness,drop_rate
    #[arg(long)]
    csv: bool,

    /// The round-trip time of the lossy path; us, ms or s
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = units::time)]
    rtt: Duration,

    /// Where all random numbers start: the same seed, the same packets
    #[arg(long, default_value_t = 1)]
    seed: u64,

    /// Only this much loss on the lossy path, in percent, in each direction by itself
    #[arg(long, value_name = "PERCENT", value_parser = units::chance)]
    loss: Option<Probability>,

    /// Only these send and receive buffers on the lossy path
    #[arg(long, value_name = "SIZE", value_parser = units::buffer_size)]
    buffer: Option<usize>,

    /// Only this congestion controller
    #[arg(long, value_name = "NAME", value_parser = CONTROLLERS.map(|c| c.0))]
    controller: Option<String>,

    /// Only so many flows, through the bottleneck
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=200))]
    flows: Option<u16>,

    /// Beside each figure of the bottleneck, what the TCP of this machine's Linux has there, in real time
    #[arg(long)]
    kernel: bool,

    /// Where the plot of the lossy path goes, when all of it is measured
    #[arg(long, value_name = "FILE", default_value = "target/netsim.svg")]
    plot: PathBuf,
}

fn main() -> ExitCode {
    exit(run(&arguments()))
}

fn run(args: &Args) -> Result<ExitCode, Error> {
    // For the right to make namespaces, where one is not root. The device in it is not used.
    let _sandbox = match args.kernel {
        true => Some(Sandbox::enter(&SandboxConfig::default())?),
        false => None,
    };
    let measured = measure(&args.cells())?;
    if args.csv {
        print!("{}", report::csv(&measured));
        return Ok(ExitCode::SUCCESS);
    }
    print!("{}", report::tables(&measured));
    if args.loss.is_none() && args.buffer.is_none() && args.flows.is_none() {
        let path = args.plot.display();
        plot::write(&args.plot, &measured).map_err(|error| {
            format!("cannot write {path}: {error}; choose another file for --plot")
        })?;
        println!("plot: {path}");
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// What is to be measured.
    fn cells(&self) -> Vec<Cell> {
        let losses = self.loss.map_or(cell::LOSSES.to_vec(), |loss| vec![loss]);
        let buffers = self.buffer.map_or(cell::BUFFERS.to_vec(), |len| vec![len]);
        let flows = self
            .flows
            .map_or(cell::FLOWS.to_vec(), |flows| vec![flows.into()]);
        let wants_path = self.flows.is_none();
        let wants_bottleneck = self.loss.is_none() && self.buffer.is_none();
        let mut cells = Vec::new();
        for (name, controller) in CONTROLLERS {
            if self.controller.as_ref().is_some_and(|only| only != name) {
                continue;
            }
            let cell = |scenario| Cell {
                controller,
                scenario,
                rtt: self.rtt,
                seed: self.seed,
            };
            if wants_path {
                for &buffer in &buffers {
                    let path = |&loss| cell(Scenario::Path { buffer, loss });
                    cells.extend(losses.iter().map(path));
                }
            }
            if wants_bottleneck {
                let bottleneck = |&flows| cell(Scenario::Bottleneck { flows });
                cells.extend(flows.iter().map(bottleneck));
                if self.kernel && controller != CongestionControl::None {
                    let kernel = |&flows| cell(Scenario::Kernel { flows });
                    cells.extend(flows.iter().map(kernel));
                }
            }
        }
        cells
    }
}

/// Measures all cells: those in virtual time first, as many at a time as the machine has processors; then
/// those in real time, one after the other.
fn measure(cells: &[Cell]) -> Result<Vec<Measured>, Error> {
    let in_real_time = |cell: &Cell| matches!(cell.scenario, Scenario::Kernel { .. });
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let mut measured = Vec::new();
    for (real, threads) in [(false, processors), (true, 1)] {
        let cells = cells.iter().enumerate();
        let todo = cells.filter(|(_, cell)| in_real_time(cell) == real);
        measured.extend(measure_on(threads, todo)?);
    }
    measured.sort_by_key(|(index, _)| *index);
    Ok(measured.into_iter().map(|(_, measured)| measured).collect())
}

fn measure_on<'a>(
    threads: usize,
    todo: impl Iterator<Item = (usize, &'a Cell)> + Send,
) -> Result<Vec<(usize, Measured)>, Error> {
    let todo = Mutex::new(todo);
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = todo.lock().ok().and_then(|mut todo| todo.next());
            let Some((index, cell)) = next else { return };
            let measured = cell.measure().map_err(|error| error.to_string());
            if let Ok(mut done) = done.lock() {
                done.push(measured.map(|measured| (index, measured)));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            // A network is built on the stack before it moves to the heap.
            let thread = thread::Builder::new().stack_size(64 << 20);
            thread.spawn_scoped(scope, work)?;
        }
        Ok::<_, std::io::Error>(())
    })?;
    let done = done.into_inner().map_err(|_| "a simulation panicked")?;
    let done: Result<Vec<_>, String> = done.into_iter().collect();
    Ok(done?)
}
