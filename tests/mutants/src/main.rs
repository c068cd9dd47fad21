//! What `cargo mutants` would do, with all mutants in one build.
//!
//! ```text
//!   cargo mutants --list             what to change                       list.rs
//!   each change behind a question    in a copy of the source              weave.rs
//!   one build                        without what does not compile        workshop.rs
//!   each test alone, nothing alive   which mutants does it reach?
//!   each mutant, those tests         until one of them fails              suite.rs
//! ```
//!
//! A mutant costs a fraction of a second, where cargo-mutants builds the stack and its tests for each. Mutants of
//! constants cannot be asked about and are left to it.

mod list;
mod suite;
mod weave;
mod workshop;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use clap::Parser;
use cygnet_requirements::workspace;
use list::Mutant;
use suite::{Outcome, Suite};
use workshop::{Build, Workshop};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    /// Files of the stack, as cargo-mutants takes them: "stack/src/tcp/rtt.rs", "stack/src/tcp/**/*.rs".
    #[arg(required = true)]
    files: Vec<String>,
    /// The suites that have to notice, beside the library's own tests; "" for none.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "conformance,transitions,attacks,handles"
    )]
    suites: Vec<String>,
    /// Features to build the stack with, in place of the default ones: for modules that are there without others. The
    /// suites want what is left out, so only the library's own tests have to notice then.
    #[arg(long, conflicts_with = "suites")]
    features: Option<String>,
    /// Of these files' mutants, try those with this in their names, in this order; all if there are none.
    #[arg(long)]
    only: Vec<String>,
    /// How many seconds of tests a mutant may cost, as they take when all is well.
    #[arg(long, default_value_t = 1_000.0)]
    patience: f64,
    /// How many mutants are tried at a time.
    #[arg(long, short, default_value_t = 1)]
    jobs: usize,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    let features = arguments.features.as_deref();
    let mutants = match features {
        None => list::mutants(&workspace(), &arguments.files)?,
        Some(_) => list::mutants(&workshop::with_substitutes(&workspace())?, &arguments.files)?,
    };
    eprintln!("{} mutants", mutants.len());
    let named = |suite: &&String| !suite.is_empty() && features.is_none();
    let suites: Vec<_> = arguments.suites.iter().filter(named).cloned().collect();
    // The library's own tests are done sooner than optimised.
    let workshop = Workshop::set_up(&workspace(), &mutants, features, !suites.is_empty())?;
    let build = workshop.build(&mutants, &suites)?;
    let mut suite = Suite::default();
    for program in build.suites.values() {
        suite.add(program, &workshop.scratch())?;
    }
    eprintln!("{} tests", suite.len());
    let chosen = choose(&mutants, &arguments.only);
    let counts = attempt_all(arguments, &chosen, &build, &suite)?;
    for (file, count) in counts {
        let Count {
            mutants,
            noticed,
            unviable,
            left_out,
        } = count;
        let alive = mutants - noticed - unviable - left_out;
        println!("| `{file}` | {mutants} | {noticed} | {unviable} | {left_out} | {alive} |");
    }
    Ok(())
}

#[derive(Default)]
struct Count {
    mutants: usize,
    noticed: usize,
    unviable: usize,
    left_out: usize,
}

fn choose<'a>(mutants: &'a [Mutant], only: &[String]) -> Vec<(u16, &'a Mutant)> {
    let numbered = || (0..).zip(mutants);
    if only.is_empty() {
        return numbered().collect();
    }
    let named = |part| numbered().filter(move |(_, mutant)| mutant.name.contains(part));
    only.iter().flat_map(|part| named(part.as_str())).collect()
}

fn attempt_all<'a>(
    arguments: &Arguments,
    mutants: &[(u16, &'a Mutant)],
    build: &Build,
    suite: &Suite,
) -> Result<BTreeMap<&'a str, Count>, String> {
    let patience = Duration::from_secs_f64(arguments.patience);
    let counts = Mutex::new(BTreeMap::<&str, Count>::new());
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), String> {
        loop {
            let Some(&(number, mutant)) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) else {
                return Ok(());
            };
            let left_out = build.left_out.contains(&number);
            let unviable = build.unviable.contains(&number);
            let outcome = if left_out || unviable {
                None
            } else {
                Some(suite.attempt(number, &mutant.file, patience)?)
            };
            match outcome {
                None if left_out => println!("left out: {}", mutant.name),
                Some(Outcome::Survived) => println!("survived: {}", mutant.name),
                Some(Outcome::Doubtful) => println!("survived so far: {}", mutant.name),
                Some(Outcome::NotReached) => println!("not reached: {}", mutant.name),
                _ => {}
            }
            let mut counts = counts.lock().map_err(|error| error.to_string())?;
            let count = counts.entry(&mutant.file).or_default();
            count.mutants += 1;
            count.noticed += usize::from(outcome == Some(Outcome::Noticed));
            count.unviable += usize::from(unviable);
            count.left_out += usize::from(left_out);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..arguments.jobs).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_string())?)
    })?;
    counts.into_inner().map_err(|error| error.to_string())
}
