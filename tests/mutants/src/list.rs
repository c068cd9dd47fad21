//! The mutants, as cargo-mutants lists them.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// A change to the stack that a test should notice.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Mutant {
    /// "stack/src/tcp/rtt.rs:33:9: replace ...".
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) genre: Genre,
    pub(crate) span: Span,
    /// What takes the place of the span.
    pub(crate) replacement: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Span {
    pub(crate) start: Place,
    pub(crate) end: Place,
}

/// Both count from one, columns in characters.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Asks cargo-mutants for the mutants of the files that match.
pub(crate) fn mutants(workspace: &Path, files: &[String]) -> Result<Vec<Mutant>, String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["mutants", "--list", "--json", "--colors", "never"]);
    for file in files {
        cargo.args(["--file", file]);
    }
    let output = cargo
        .current_dir(workspace)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        if complaint.contains("no such command") {
            return Err(
                "cargo-mutants lists the mutants: cargo install --locked cargo-mutants".into(),
            );
        }
        return Err(complaint.into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
