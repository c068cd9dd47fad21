//! Breaks the stack, one requirement at a time, and expects the requirement's tests to notice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Mutation, Row, Target};

/// A copy of the workspace in which things may be broken.
#[derive(Debug)]
pub struct Workshop {
    root: PathBuf,
    target: PathBuf,
}

/// What a mutation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A test failed, as it should.
    Noticed,
    /// The tests passed all the same: they prove nothing.
    Survived,
    /// It does not compile, so nobody knows.
    DoesNotBuild(String),
}

impl Workshop {
    /// Copies the workspace at `from`, as it stands.
    ///
    /// # Errors
    ///
    /// A file cannot be copied, or git is missing.
    pub fn set_up(from: &Path) -> io::Result<Self> {
        let base = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| from.join("target"), |dir| from.join(dir))
            .join("requirements");
        let workshop = Self {
            root: base.join("workspace"),
            target: base.join("target"),
        };
        copy_workspace(from, &workshop.root, |_, text| Some(text))?;
        Ok(workshop)
    }

    /// Applies a row's mutation, runs its tests, and takes the mutation back.
    ///
    /// # Errors
    ///
    /// A file cannot be written, or cargo not be run.
    pub fn attempt(&self, row: &Row<'_>, mutation: &Mutation) -> io::Result<Outcome> {
        let path = self.root.join(&mutation.file);
        let original = fs::read_to_string(&path)?;
        fs::write(&path, original.replacen(&mutation.from, &mutation.to, 1))?;
        let outcome = self.run_tests(row);
        fs::write(&path, original)?;
        outcome
    }

    /// Whether all tests of these rows pass while nothing is broken.
    ///
    /// # Errors
    ///
    /// Cargo cannot be run.
    pub fn is_sound(&self, rows: &[Row<'_>]) -> io::Result<bool> {
        let mut by_target: BTreeMap<&Target, BTreeSet<&str>> = BTreeMap::new();
        for test in rows.iter().flat_map(|row| row.tests) {
            by_target
                .entry(&test.target)
                .or_default()
                .insert(&test.path);
        }
        for (target, paths) in by_target {
            let paths: Vec<_> = paths.into_iter().collect();
            if self.run(target, &paths)? != Outcome::Survived {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Stops at the first failure, unit tests first: they build fastest.
    fn run_tests(&self, row: &Row<'_>) -> io::Result<Outcome> {
        let mut by_target: BTreeMap<&Target, Vec<&str>> = BTreeMap::new();
        for test in row.tests {
            by_target.entry(&test.target).or_default().push(&test.path);
        }
        for (target, paths) in by_target {
            let outcome = self.run(target, &paths)?;
            if outcome != Outcome::Survived {
                return Ok(outcome);
            }
        }
        Ok(Outcome::Survived)
    }

    fn run(&self, target: &Target, paths: &[&str]) -> io::Result<Outcome> {
        let select: &[&str] = match target {
            Target::Stack => &["-p", "cygnet", "--lib"],
            Target::Suite(suite) => &["-p", "cygnet-tests", "--test", suite],
        };
        let built = self.cargo(select).arg("--no-run").output()?;
        if !built.status.success() {
            let text = String::from_utf8_lossy(&built.stderr).into_owned();
            return Ok(Outcome::DoesNotBuild(text));
        }
        let log = File::create(self.root.join("target-log"))?;
        let mut tests = self.cargo(select);
        tests.arg("--").args(paths);
        // The kernel is not mutated.
        tests.args(["--skip", "::linux"]);
        let mut child = tests.stdout(log.try_clone()?).stderr(log).spawn()?;
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if Instant::now() > deadline {
                child.kill()?;
                child.wait()?;
                break None;
            }
            thread::sleep(Duration::from_millis(20));
        };
        // A test that hangs has noticed something, too.
        let passed = status.is_some_and(|status| status.success());
        Ok(if passed {
            Outcome::Survived
        } else {
            Outcome::Noticed
        })
    }

    fn cargo(&self, select: &[&str]) -> Command {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .arg("test")
            .args(["--quiet", "--locked"])
            .args(select)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            // Nobody debugs a mutant.
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_TEST_DEBUG", "0")
            .env_remove("CYGNET_BLESS")
            .stdin(Stdio::null());
        cargo
    }
}

/// Copies the workspace at `from` as it stands, without what git ignores. `change` is given each file's name and what
/// is in it, and says what is to be in the copy; `None` leaves the copy alone.
///
/// # Errors
///
/// A file cannot be copied, or git is missing.
pub fn copy_workspace(
    from: &Path,
    to: &Path,
    change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>,
) -> io::Result<()> {
    let list = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(from)
        .output()?;
    let list = String::from_utf8_lossy(&list.stdout);
    // What is deleted, and git does not know yet, is none of them.
    let names: BTreeSet<_> = list
        .lines()
        .filter(|name| from.join(name).is_file())
        .collect();
    for folder in names
        .iter()
        .filter_map(|name| name.split_once('/'))
        .map(|(folder, _)| folder)
        .collect::<BTreeSet<_>>()
    {
        remove_others(to, Path::new(folder), &names)?;
    }
    for name in names {
        let source = from.join(name);
        if let Some(wanted) = change(name, fs::read(source)?) {
            write_if_changed(&to.join(name), &wanted)?;
        }
    }
    Ok(())
}

/// Removes what an earlier copy left in `folder` that has gone or moved since.
fn remove_others(to: &Path, folder: &Path, names: &BTreeSet<&str>) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(to.join(folder)) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        let name = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            remove_others(to, &name, names)?;
        } else if !name.to_str().is_some_and(|name| names.contains(name)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Leaves alone what is the same, so that cargo does not build it again.
///
/// # Errors
///
/// The file cannot be written.
pub fn write_if_changed(to: &Path, wanted: &[u8]) -> io::Result<()> {
    if fs::read(to).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(to, wanted)
}

/// The slowest test takes some seconds.
const PATIENCE: Duration = Duration::from_secs(90);
