//! The tests, one by one: which mutants each of them reaches, and whether it notices one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A test, and what it costs.
pub(crate) struct Test {
    program: PathBuf,
    name: String,
    duration: Duration,
}

/// All tests, and which mutants they reach.
#[derive(Default)]
pub(crate) struct Suite {
    tests: Vec<Test>,
    by_mutant: BTreeMap<u16, Vec<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A test failed, as it should.
    Noticed,
    Survived,
    /// None failed of those that there was time for.
    Doubtful,
    /// No test reaches it.
    NotReached,
}

impl Suite {
    /// Runs every test of this program once, with no mutant alive.
    pub(crate) fn add(&mut self, program: &Path, scratch: &Path) -> Result<(), String> {
        let list = Command::new(program)
            .args(["--list", "--format", "terse"])
            .output()
            .map_err(|error| error.to_string())?;
        for line in String::from_utf8_lossy(&list.stdout).lines() {
            let Some(name) = line.strip_suffix(": test") else {
                continue;
            };
            // The kernel is not mutated.
            if name.split("::").any(|part| part == "linux") {
                continue;
            }
            let _ = fs::remove_file(scratch);
            let started = Instant::now();
            let mut command = command(program, &[name]);
            command.env("CYGNET_MUTANTS_REACHED", scratch);
            if !passes(command)? {
                return Err(format!("{name} fails already, with nothing broken"));
            }
            let index = self.tests.len();
            self.tests.push(Test {
                program: program.to_path_buf(),
                name: name.into(),
                duration: started.elapsed(),
            });
            let reached = fs::read_to_string(scratch).unwrap_or_default();
            let reached: BTreeSet<u16> = reached.lines().flat_map(str::parse).collect();
            for number in reached {
                self.by_mutant.entry(number).or_default().push(index);
            }
        }
        Ok(())
    }

    /// How many tests there are.
    pub(crate) fn len(&self) -> usize {
        self.tests.len()
    }

    /// Runs the tests that reach this mutant until one fails, or until they took too long: those beside the code
    /// first, then the cheapest.
    pub(crate) fn attempt(
        &self,
        number: u16,
        file: &str,
        patience: Duration,
    ) -> Result<Outcome, String> {
        let Some(indices) = self.by_mutant.get(&number) else {
            return Ok(Outcome::NotReached);
        };
        let module = module_of(file);
        let mut tests: Vec<_> = indices.iter().map(|&index| &self.tests[index]).collect();
        tests.sort_by_key(|test| (!test.name.starts_with(&module), test.duration));
        let mut cost = Duration::ZERO;
        let affordable = tests.iter().take_while(|test| {
            cost += test.duration;
            cost <= patience
        });
        let affordable = affordable.count().max(1);
        let mut rest = &tests[..affordable];
        let mut share = FIRST_SHARE;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(share.min(rest.len()));
            if self.notices(number, now)? {
                return Ok(Outcome::Noticed);
            }
            rest = later;
            share *= 4;
        }
        let all = affordable == tests.len();
        Ok(if all {
            Outcome::Survived
        } else {
            Outcome::Doubtful
        })
    }

    fn notices(&self, number: u16, tests: &[&Test]) -> Result<bool, String> {
        let mut by_program = BTreeMap::<&Path, Vec<&str>>::new();
        for test in tests {
            by_program
                .entry(&test.program)
                .or_default()
                .push(&test.name);
        }
        for (program, names) in by_program {
            let mut command = command(program, &names);
            command.env("CYGNET_MUTANT", number.to_string());
            if !passes(command)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// "tcp::rtt::" for stack/src/tcp/rtt.rs.
fn module_of(file: &str) -> String {
    let path = file.split_once("src/").map_or(file, |(_, path)| path);
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    path.replace('/', "::") + "::"
}

fn command(program: &Path, names: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command
        // One that takes all the memory there is has been noticed, too.
        .args(["-c", "ulimit -v 4000000; exec \"$@\"", "sh"])
        .arg(program)
        .args(["--exact", "--test-threads", "1"])
        .args(names)
        .env("INSTA_UPDATE", "no")
        .env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Whether all tests pass, each in time. It does not wait for those after one that failed.
fn passes(mut command: Command) -> Result<bool, String> {
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let progress = AtomicBool::new(false);
    let failed = AtomicBool::new(false);
    let output = BufReader::new(child.stdout.take().expect("it is piped"));
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for line in output.lines().map_while(Result::ok) {
                progress.store(true, Ordering::Relaxed);
                if line.ends_with("... FAILED") {
                    failed.store(true, Ordering::Relaxed);
                    return;
                }
            }
        });
        let mut deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                break Some(status);
            }
            if progress.swap(false, Ordering::Relaxed) {
                deadline = Instant::now() + PATIENCE;
            }
            if failed.load(Ordering::Relaxed) || Instant::now() > deadline {
                end(&mut child)?;
                break None;
            }
            thread::sleep(POLL);
        };
        reader.join().expect("it only reads");
        Ok(status.is_some_and(|status| status.success()))
    })
}

fn end(child: &mut Child) -> Result<(), String> {
    child.kill().map_err(|error| error.to_string())?;
    child.wait().map_err(|error| error.to_string())?;
    Ok(())
}

/// The slowest test takes some seconds where the machine is busy.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(3);
const FIRST_SHARE: usize = 8;
