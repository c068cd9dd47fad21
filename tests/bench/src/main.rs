//! Measures cygnet beside its peers: the same work, over the same link, in turns, in one run.
//!
//! `cargo run --release -p cygnet-bench [-- --csv] [--only SCENARIO] [--stack NAME] [--quick]`
//!
//! With `--work COUNT` nothing is timed: a profiler such as callgrind counts the instructions of so
//! much work, the same every time.
//!
//! Each stack runs two hosts in one thread, joined by the link of `link.rs`. What they have to do is
//! in `workload.rs`, how it is timed in `measure.rs`, and how each stack does it in `stacks/`. Each workload is
//! measured in a process of its own: what an earlier one leaves behind, timers of a stack that is gone or memory in
//! pieces, is not to slow down the next.
#![forbid(unsafe_code)]

mod executor;
mod link;
mod measure;
mod stacks;
mod workload;

use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;
use std::{env, io};

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
    let mut workloads = workload::all(counts);
    workloads.retain(|workload| wanted(workload.scenario()));
    if let Some(count) = args.work {
        work(&contenders, &workloads, count);
        return match workloads.is_empty() {
            true => no_scenario(&names),
            false => ExitCode::SUCCESS,
        };
    }

    let mut rows = Vec::new();
    for &workload in &workloads {
        let rates = match workloads.len() {
            1 => measure(&contenders, workload, effort),
            _ => match measure_apart(args, workload) {
                Ok(rates) => rates,
                Err(error) => {
                    eprintln!("error: {}: {error}", workload.scenario());
                    return ExitCode::FAILURE;
                }
            },
        };
        rows.extend(contenders.iter().zip(rates).map(|(contender, value)| Row {
            scenario: workload.scenario(),
            idle_sockets: workload.idle_sockets(),
            stack: contender.name(),
            value,
            unit: workload.unit(),
        }));
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

/// Does `count` of each workload on every stack.
fn work(contenders: &[Box<dyn Contender>], workloads: &[Workload], count: u64) {
    for workload in workloads {
        for contender in contenders {
            let mut run = contender.prepare(*workload);
            while run.turn() < count {}
        }
    }
}

/// What every stack reaches at one workload, in turns.
fn measure(contenders: &[Box<dyn Contender>], workload: Workload, effort: Effort) -> Vec<f64> {
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
    rates.into_iter().map(|rate| workload.value(rate)).collect()
}

/// The same, in a process of its own.
fn measure_apart(args: &Args, workload: Workload) -> io::Result<Vec<f64>> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("--csv").args(["--only", workload.scenario()]);
    command.args(["--sockets", &workload.idle_sockets().to_string()]);
    if args.quick {
        command.arg("--quick");
    }
    if let Some(stack) = &args.stack {
        command.args(["--stack", stack]);
    }
    if let Some(millis) = args.millis {
        command.args(["--millis", &millis.to_string()]);
    }
    let output = command.stderr(Stdio::inherit()).output()?;
    let rows = String::from_utf8_lossy(&output.stdout);
    let values = report::values(&rows).filter(|_| output.status.success());
    values.ok_or_else(|| io::Error::other(format!("measured apart: {}", output.status)))
}

const SOCKET_BYTES: &str = "socket-bytes";
