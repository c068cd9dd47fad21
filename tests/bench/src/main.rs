//! Measures cygnet beside its peers: the same work, over the same link, in turns, in one run.
//!
//! `cargo run --release -p cygnet-bench [-- --csv] [--only SCENARIO] [--stack NAME] [--quick]`
//!
//! With `--work COUNT` nothing is timed: a profiler such as callgrind counts the instructions of so
//! much work, the same every time.
//!
//! Each stack runs two hosts in one thread, joined by the link of `link.rs`. What they have to do is
//! in `workload.rs`, how it is timed in `measure.rs`, and how each stack does it in `stacks/`.
#![forbid(unsafe_code)]

mod executor;
mod link;
mod measure;
mod stacks;
mod workload;

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use clap::Parser;
use cygnet_bench::report::{self, Row};

use crate::measure::Effort;
use crate::stacks::Contender;
use crate::workload::Workload;

/// Measures cygnet beside its peers.
#[derive(Parser)]
struct Args {
    /// Print rows of `scenario,idle_sockets,stack,value,unit` instead of a table.
    #[arg(long)]
    csv: bool,
    /// Only the scenario of this name or, if there is none, those whose names start with it.
    #[arg(long, value_name = "SCENARIO")]
    only: Option<String>,
    /// Only this stack.
    #[arg(long, value_name = "NAME")]
    stack: Option<String>,
    /// Only with so many idle sockets.
    #[arg(long, value_name = "COUNT")]
    sockets: Option<usize>,
    /// Short measurements with few sockets, to see that everything works.
    #[arg(long)]
    quick: bool,
    /// How long each turn of a measurement takes at least, in milliseconds.
    #[arg(long, value_name = "MS")]
    millis: Option<u64>,
    /// Do so much of each workload, in what it counts, and measure nothing: for a profiler.
    #[arg(long, value_name = "COUNT")]
    work: Option<u64>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // Some stacks keep the sockets of a host in an array, and build it on the stack.
    let thread = thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(move || run(&args))
        .expect("the system gives a thread");
    thread.join().unwrap_or(ExitCode::FAILURE)
}

fn run(args: &Args) -> ExitCode {
    let (mut effort, mut counts): (_, &[usize]) = match args.quick {
        true => (Effort::QUICK, &[0, 100]),
        false => (Effort::FULL, &[0, 100, 1_000, 10_000]),
    };
    if let Some(count) = &args.sockets {
        counts = std::slice::from_ref(count);
    }
    if let Some(millis) = args.millis {
        effort.budget = Duration::from_millis(millis);
    }
    let mut contenders = stacks::all();
    if let Some(stack) = &args.stack {
        let names: Vec<_> = contenders
            .iter()
            .map(|contender| contender.name())
            .collect();
        contenders.retain(|contender| contender.name() == stack);
        if contenders.is_empty() {
            eprintln!("no such stack; there are {}", names.join(", "));
            return ExitCode::FAILURE;
        }
    }

    let names = names(counts);
    let wanted = |scenario: &str| match &args.only {
        Some(only) if names.contains(&only.as_str()) => scenario == only,
        Some(only) => scenario.starts_with(only.as_str()),
        None => true,
    };
    if let Some(count) = args.work {
        return match work(&contenders, wanted, counts, count) {
            0 => no_scenario(&names),
            _ => ExitCode::SUCCESS,
        };
    }

    let mut rows = Vec::new();
    for workload in workload::all(counts) {
        if wanted(workload.scenario()) {
            rows.extend(measure_all(&contenders, workload, effort));
        }
    }
    if wanted(SOCKET_BYTES) {
        rows.extend(contenders.iter().map(|contender| Row {
            scenario: SOCKET_BYTES,
            idle_sockets: 0,
            stack: contender.name(),
            value: contender.socket_bytes() as f64,
            unit: "B",
        }));
    }

    if rows.is_empty() {
        return no_scenario(&names);
    }
    print!(
        "{}",
        if args.csv {
            report::csv(&rows)
        } else {
            report::table(&rows)
        }
    );
    ExitCode::SUCCESS
}

/// What can be measured.
fn names(counts: &[usize]) -> Vec<&'static str> {
    let mut names: Vec<_> = workload::all(counts)
        .iter()
        .map(Workload::scenario)
        .collect();
    names.push(SOCKET_BYTES);
    names.dedup();
    names
}

fn no_scenario(names: &[&str]) -> ExitCode {
    eprintln!("no such scenario; there are {}", names.join(", "));
    ExitCode::FAILURE
}

/// Does `count` of each wanted workload on every stack. How many workloads that were.
fn work(
    contenders: &[Box<dyn Contender>],
    wanted: impl Fn(&str) -> bool,
    counts: &[usize],
    count: u64,
) -> usize {
    let mut workloads = workload::all(counts);
    workloads.retain(|workload| wanted(workload.scenario()));
    for workload in &workloads {
        for contender in contenders {
            let mut run = contender.prepare(*workload);
            while run.turn() < count {}
        }
    }
    workloads.len()
}

/// One workload on every stack, in turns.
fn measure_all(contenders: &[Box<dyn Contender>], workload: Workload, effort: Effort) -> Vec<Row> {
    let scenario = workload.scenario();
    let idle_sockets = workload.idle_sockets();
    let mut runs: Vec<_> = (contenders.iter())
        .map(|contender| {
            eprintln!(
                "{scenario}, {idle_sockets} sockets: {} sets up",
                contender.name()
            );
            contender.prepare(workload)
        })
        .collect();
    eprintln!("{scenario}, {idle_sockets} sockets: measuring");
    let rates = measure::in_turns(&mut runs, effort);
    (contenders.iter().zip(rates))
        .map(|(contender, rate)| Row {
            scenario,
            idle_sockets,
            stack: contender.name(),
            value: workload.value(rate),
            unit: workload.unit(),
        })
        .collect()
}

const SOCKET_BYTES: &str = "socket-bytes";
