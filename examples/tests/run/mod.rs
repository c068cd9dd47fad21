//! Runs examples, which `cargo test` has built beside the tests.

use std::path::PathBuf;
use std::process::{Command, Output};

pub(crate) fn run(example: &str, arguments: &[&str]) -> Output {
    let path = path_of(example);
    let result = Command::new(&path).args(arguments).output();
    result.unwrap_or_else(|error| {
        panic!(
            "cannot run {}: {error}; use `cargo build --examples`",
            path.display()
        )
    })
}

/// Examples lie beside the directory of the tests.
pub(crate) fn path_of(example: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("a test is in target/PROFILE/deps");
    let name = format!("{example}{}", std::env::consts::EXE_SUFFIX);
    profile.join("examples").join(name)
}
