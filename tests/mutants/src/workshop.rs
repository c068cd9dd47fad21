//! A copy of the workspace with every mutant in it, built once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cygnet_requirements::{copy_workspace, write_if_changed};
use serde::Deserialize;

use crate::list::Mutant;
use crate::weave::{number_on, weave};

pub(crate) struct Workshop {
    original: PathBuf,
    /// Where the workspace is copied to.
    root: PathBuf,
    target: PathBuf,
    /// Those of the stack, if not the default ones.
    features: Option<String>,
    /// Whether what is built runs so often that it pays to optimise it.
    optimised: bool,
}

/// What has been built.
pub(crate) struct Build {
    /// By name of the target.
    pub(crate) suites: BTreeMap<String, PathBuf>,
    /// The mutants that do not compile.
    pub(crate) unviable: BTreeSet<u16>,
    /// The mutants that are in no build with a switch.
    pub(crate) left_out: BTreeSet<u16>,
}

impl Workshop {
    /// Copies the workspace at `from` as it stands, but for what the mutants change.
    pub(crate) fn set_up(
        from: &Path,
        mutants: &[Mutant],
        features: Option<&str>,
        optimised: bool,
    ) -> Result<Self, String> {
        let base = base(from);
        let workshop = Self {
            original: from.to_path_buf(),
            root: base.join("workspace"),
            target: base.join("target"),
            features: features.map(str::to_owned),
            optimised,
        };
        let changed: BTreeSet<_> = mutants.iter().map(|mutant| mutant.file.as_str()).collect();
        let change = |name: &str, text: Vec<u8>| match name {
            "stack/Cargo.toml" => {
                let text = String::from_utf8_lossy(&text);
                Some(text.replacen(DEPENDENCIES, WITH_SWITCH, 1).into_bytes())
            }
            _ if changed.contains(name) => None,
            _ => Some(text),
        };
        copy_workspace(from, &workshop.root, change).map_err(explain)?;
        workshop.add_switch().map_err(explain)?;
        Ok(workshop)
    }

    /// A file for whoever wants one.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.target.join("reached")
    }

    /// The crate that says which mutant is alive.
    fn add_switch(&self) -> std::io::Result<()> {
        let switch = self.root.join("mutant_switch");
        write_if_changed(&switch.join("Cargo.toml"), SWITCH_MANIFEST.as_bytes())?;
        write_if_changed(&switch.join("src/lib.rs"), include_bytes!("switch/lib.rs"))
    }

    /// Weaves the mutants in, leaves out what the compiler does not take, and builds these suites of the tests.
    pub(crate) fn build(&self, mutants: &[Mutant], suites: &[String]) -> Result<Build, String> {
        let known = self.target.join("unviable");
        let sources = self.sources(mutants)?;
        let mut unviable = recall(&known, &sources);
        loop {
            let left_out = self.weave(mutants, &sources, &mut unviable)?;
            let refused = self.check()?;
            if refused.is_empty() {
                remember(&known, &sources, &unviable).map_err(explain)?;
                let suites = self.build_suites(suites)?;
                return Ok(Build {
                    suites,
                    unviable,
                    left_out,
                });
            }
            eprintln!("{} do not compile", refused.len());
            unviable.extend(refused);
        }
    }

    /// What is in the files that mutants change.
    fn sources<'a>(&self, mutants: &'a [Mutant]) -> Result<BTreeMap<&'a str, String>, String> {
        let files: BTreeSet<_> = mutants.iter().map(|mutant| mutant.file.as_str()).collect();
        let read = |file| fs::read_to_string(self.original.join(file)).map(|text| (file, text));
        let sources: Result<_, _> = files.into_iter().map(read).collect();
        sources.map_err(explain)
    }

    /// Writes the files with all mutants in them that are not unviable. Returns those that cannot be woven in.
    fn weave(
        &self,
        mutants: &[Mutant],
        sources: &BTreeMap<&str, String>,
        unviable: &mut BTreeSet<u16>,
    ) -> Result<BTreeSet<u16>, String> {
        let mut left_out = BTreeSet::new();
        for (&file, source) in sources {
            let here: Vec<_> = (0..)
                .zip(mutants)
                .filter(|(number, mutant)| mutant.file == file && !unviable.contains(number))
                .collect();
            let woven = weave(source, &here)?;
            left_out.extend(woven.left_out);
            unviable.extend(woven.unviable);
            let text = [LENIENT, &woven.text].concat();
            write_if_changed(&self.root.join(file), text.as_bytes()).map_err(explain)?;
        }
        Ok(left_out)
    }

    /// The mutants that the compiler complains about.
    fn check(&self) -> Result<BTreeSet<u16>, String> {
        let messages = self.cargo("check", &self.select())?;
        let mut refused = BTreeSet::new();
        let mut others = String::new();
        for message in messages
            .iter()
            .filter_map(|message| message.message.as_ref())
        {
            if message.level != "error" || message.spans.is_empty() {
                continue;
            }
            let before = refused.len();
            for span in message.spans.iter().filter(|span| span.is_primary) {
                let path = self.root.join(&span.file_name);
                let text = fs::read_to_string(path).map_err(explain)?;
                let lines = text.lines().skip(span.line_start - 1);
                let lines = lines.take(span.line_end + 1 - span.line_start);
                refused.extend(lines.filter_map(number_on));
            }
            if refused.len() == before {
                others.push_str(message.rendered.as_deref().unwrap_or_default());
            }
        }
        if refused.is_empty() && !others.is_empty() {
            return Err(others);
        }
        Ok(refused)
    }

    fn build_suites(&self, suites: &[String]) -> Result<BTreeMap<String, PathBuf>, String> {
        let mut select = self.select();
        select.push("--no-run");
        for suite in suites {
            select.extend(["--test", suite]);
        }
        let messages = self.cargo("test", &select)?;
        let (mut built, mut errors) = (BTreeMap::new(), String::new());
        for message in messages {
            if let Some(diagnostic) = message.message.filter(|message| message.level == "error") {
                errors.push_str(diagnostic.rendered.as_deref().unwrap_or_default());
            }
            if let (Some(target), Some(path)) = (message.target, message.executable)
                && (target.name == "cygnet" || suites.contains(&target.name))
            {
                built.insert(target.name, path);
            }
        }
        if built.len() == suites.len() + 1 {
            Ok(built)
        } else {
            Err(format!(
                "the tests do not build with the mutants in\n{errors}"
            ))
        }
    }

    /// What to build.
    fn select(&self) -> Vec<&str> {
        let mut select = vec!["-p", "cygnet", "--lib"];
        match &self.features {
            None => select.extend(["-p", "cygnet-tests"]),
            Some(features) => select.extend(["--no-default-features", "--features", features]),
        }
        select
    }

    fn cargo(&self, command: &str, select: &[&str]) -> Result<Vec<Message>, String> {
        let output = Command::new(env!("CARGO"))
            .arg(command)
            .args(["--quiet", "--offline", "--message-format", "json"])
            .args(OPTIMISED.iter().filter(|_| self.optimised))
            .args(select)
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("RUSTC_BOOTSTRAP", "mutant_switch")
            .envs(PROFILE)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(explain)?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect())
    }
}

/// A copy of the workspace at `from` in which cargo-mutants finds the modules that take the place of others: it follows a
/// `#[path]`, but none that depends on features.
pub(crate) fn with_substitutes(from: &Path) -> Result<PathBuf, String> {
    let to = base(from).join("substitutes");
    let change = |name: &str, text: Vec<u8>| match String::from_utf8(text) {
        Ok(text) if name.ends_with(".rs") => Some(unconditional(&text).into_bytes()),
        Ok(text) => Some(text.into_bytes()),
        Err(error) => Some(error.into_bytes()),
    };
    copy_workspace(from, &to, change).map_err(explain)?;
    Ok(to)
}

/// The source with `#[path = "few.rs"]` for each `#[cfg_attr(not(feature = "many"), path = "few.rs")]`.
fn unconditional(source: &str) -> String {
    let mut pieces = source.split(CONDITIONAL);
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let substitute = piece
            .split_once(")]")
            .and_then(|(attribute, rest)| Some((attribute.split_once("path = ")?.1, rest)));
        match substitute {
            Some((path, rest)) => text.extend(["#[path = ", path.trim_end(), "]", rest]),
            None => text.extend([CONDITIONAL, piece]),
        }
    }
    text
}

/// Where the copies are.
fn base(workspace: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace.join("target"), |dir| workspace.join(dir))
        .join("mutants-woven")
}

/// What cargo and the compiler say.
#[derive(Deserialize)]
struct Message {
    message: Option<Diagnostic>,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
    spans: Vec<DiagnosticSpan>,
}

#[derive(Deserialize)]
struct DiagnosticSpan {
    file_name: String,
    line_start: usize,
    line_end: usize,
    is_primary: bool,
}

/// What did not compile last time, if the mutants are still the same.
fn recall(path: &Path, sources: &BTreeMap<&str, String>) -> BTreeSet<u16> {
    let known = fs::read_to_string(path).unwrap_or_default();
    match serde_json::from_str::<(BTreeMap<&str, String>, BTreeSet<u16>)>(&known) {
        Ok((of, unviable)) if of == *sources => unviable,
        _ => BTreeSet::new(),
    }
}

fn remember(
    path: &Path,
    sources: &BTreeMap<&str, String>,
    unviable: &BTreeSet<u16>,
) -> Result<(), std::io::Error> {
    write_if_changed(
        path,
        serde_json::to_string(&(sources, unviable))?.as_bytes(),
    )
}

fn explain(error: std::io::Error) -> String {
    error.to_string()
}

const CONDITIONAL: &str = "#[cfg_attr(";
const SWITCH_MANIFEST: &str = "[package]\nname = \"mutant_switch\"\nedition = \"2024\"\n";
const DEPENDENCIES: &str = "[dependencies]\n";
const WITH_SWITCH: &str = "[dependencies]\nmutant_switch.path = \"../mutant_switch\"\n";

/// What the compiler sees to fail always is for the tests to notice.
const LENIENT: &str = "#![allow(warnings, arithmetic_overflow, unconditional_panic)]";

/// For suites, which are built once and run thousands of times: what runs most is optimised. A mutant that overflows is noticed, as ever.
const OPTIMISED: [&str; 6] = [
    "--config=profile.dev.package.cygnet.opt-level=1",
    "--config=profile.dev.package.cygnet-link.opt-level=1",
    "--config=profile.dev.package.cygnet-tests.opt-level=1",
    "--config=profile.dev.package.mutant_switch.opt-level=2",
    "--config=profile.dev.package.siphasher.opt-level=2",
    "--config=profile.dev.package.zerocopy.opt-level=2",
];
const PROFILE: [(&str, &str); 2] = [
    ("CARGO_PROFILE_DEV_DEBUG", "0"),
    ("CARGO_PROFILE_TEST_DEBUG", "0"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_the_place_of_a_module_is_there_without_a_condition() {
        let source = r#"
#[cfg_attr(not(feature = "many"), path = "few.rs")]
mod many;
#[cfg_attr(
    not(any(feature = "a", feature = "b")),
    path = "neither/one.rs"
)]
mod one;
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct S;
"#;
        let expected = r#"
#[path = "few.rs"]
mod many;
#[path = "neither/one.rs"]
mod one;
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct S;
"#;
        assert_eq!(unconditional(source), expected);
    }
}
