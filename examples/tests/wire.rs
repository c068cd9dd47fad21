//! What `wire` says where there is nothing to measure with, or to run.
//!
//! `cargo test` builds the examples first; with `--test wire` alone they must have been built.
#![cfg(target_os = "linux")]

mod run;

use cygnet_host::SKIP_VARIABLE;
use run::run;

/// What it prints, and what it complains of; `None`, loudly, where there can be no sandbox and that was said to be all
/// right.
fn says(arguments: &[&str]) -> Option<[String; 2]> {
    if std::env::var_os(SKIP_VARIABLE).is_some() {
        eprintln!("SKIPPED: {SKIP_VARIABLE} is set");
        return None;
    }
    let output = run("wire", arguments);
    Some([output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()))
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let Some([_, complaint]) = says(&["--", "no-such-program"]) else {
        return;
    };
    let line = complaint.trim_end();
    assert!(
        line.starts_with("error: cannot run no-such-program: not found; "),
        "{line}"
    );
    assert!(!line.contains('\n'), "{line}");
}

#[test]
fn a_wire_that_carries_nothing_has_no_ratio() {
    let arguments = "--loss 100 --flows 1 --time 100ms --rate 0 --buffer 1G";
    let arguments: Vec<_> = arguments.split(' ').collect();
    let Some([table, complaint]) = says(&arguments) else {
        return;
    };
    assert_eq!(complaint, "");
    assert!(table.contains(", any rate, "), "{table}");
    let row = "    1  cygnet → Linux            0.000       - ";
    assert!(table.contains(row), "{table}");
}

#[test]
fn more_connections_than_a_stack_has_sockets_are_refused_at_once() {
    let Some([table, complaint]) = says(&["--flows", "65", "--time", "0"]) else {
        return;
    };
    assert_eq!(table, "");
    assert!(complaint.contains("65 is not in 1..=64"), "{complaint}");
}
