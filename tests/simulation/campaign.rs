//! Thousands of simulated worlds, on all cores: see `main.rs`, which lives through a few of the same.
//!
//! ```sh
//! cargo run --release -p cygnet-tests --bin campaign -- --seeds 10000
//! ```
//!
//! It fails if any world does or does not end, and if no world went one of the ways through the stack that it counts. For
//! a world that failed it prints the command that runs it again, and leaves behind what its users did and
//! what its hosts saw on the wire.

mod actors;
mod conversation;
mod dice;
mod plan;
mod run;
mod totals;
mod user;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;

use run::simulate;
use totals::Totals;

/// Simulates worlds by seed.
#[derive(Parser)]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Runs this one only, and leaves its trace and captures.
    #[arg(long)]
    seed: Option<u64>,
    /// How many worlds to simulate at a time; by default as many as there are cores.
    #[arg(long)]
    threads: Option<usize>,
    /// Where traces and captures go.
    #[arg(long, default_value = "target/campaign")]
    output: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        print!("{}", simulate(seed, Some(&directory(&arguments, seed))));
        return ExitCode::SUCCESS;
    }
    let started = Instant::now();
    thread::spawn(|| RUNNING.watch());
    let (totals, failed) = run_all(&arguments);
    print!("{totals}");
    println!("{:34} {:>12.1} s", "time", started.elapsed().as_secs_f64());
    for seed in &failed {
        leave_traces(&arguments, *seed);
    }
    // A handful of worlds need not see everything.
    let missing = match arguments.seeds {
        ENOUGH.. => totals.missing(),
        _ => Vec::new(),
    };
    for way in &missing {
        println!("never taken: {way}");
    }
    match failed.is_empty() && missing.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Runs all seeds. What they counted, and which failed.
fn run_all(arguments: &Arguments) -> (Totals, Vec<u64>) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicU64::new(arguments.first);
    let end = arguments.first + arguments.seeds;
    let work = || {
        let (mut totals, mut failed) = (Totals::default(), Vec::new());
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return (totals, failed);
            }
            match RUNNING.simulate(seed) {
                Ok(world) => totals += world,
                Err(_) => failed.push(seed),
            }
        }
    };
    thread::scope(|scope| {
        let threads = arguments.threads.unwrap_or(cores);
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let (mut totals, mut failed) = (Totals::default(), Vec::new());
        for thread in threads {
            let (more, worse) = thread.join().expect("worlds that fail are caught");
            totals += more;
            failed.extend(worse);
        }
        failed.sort_unstable();
        (totals, failed)
    })
}

/// The worlds that are being simulated, by seed, and since when.
struct Running(Mutex<BTreeMap<u64, Instant>>);

static RUNNING: Running = Running(Mutex::new(BTreeMap::new()));

impl Running {
    fn simulate(&self, seed: u64) -> thread::Result<Totals> {
        self.worlds().insert(seed, Instant::now());
        let result = catch_unwind(|| simulate(seed, None));
        self.worlds().remove(&seed);
        result
    }

    /// Ends the process when a world does not come to its end: where something goes round in circles, its thread cannot
    /// be stopped.
    fn watch(&self) {
        loop {
            thread::sleep(Duration::from_secs(1));
            let endless = |(_, since): &(&u64, &Instant)| since.elapsed() > LONGEST;
            if let Some((seed, _)) = self.worlds().iter().find(endless) {
                println!("seed {seed} does not end");
                println!("  again: {AGAIN} {seed}");
                std::process::exit(1);
            }
        }
    }

    fn worlds(&self) -> MutexGuard<'_, BTreeMap<u64, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lives through a world that failed once more, and takes notes.
fn leave_traces(arguments: &Arguments, seed: u64) {
    let directory = directory(arguments, seed);
    let again = catch_unwind(|| simulate(seed, Some(&directory)));
    println!(
        "seed {seed} failed; trace and captures: {}",
        directory.display()
    );
    println!("  again: {AGAIN} {seed}");
    if again.is_ok() {
        println!("  it did not fail again, which is a fault of the simulation");
    }
}

fn directory(arguments: &Arguments, seed: u64) -> PathBuf {
    let directory = Path::new(&arguments.output).join(format!("seed-{seed}"));
    std::fs::create_dir_all(&directory).expect("a directory for traces");
    directory
}

/// So many seeds go all ways.
const ENOUGH: u64 = 1_000;

/// A world takes a fraction of a second.
const LONGEST: Duration = Duration::from_secs(60);

const AGAIN: &str = "cargo run --release -p cygnet-tests --bin campaign -- --seed";
