//! Writes the table of requirements, and tries the mutations that belong to it.

use std::collections::HashMap;
use std::fs;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use cygnet_requirements::{Outcome, README, Requirements, Row, Workshop, markdown, workspace};

#[derive(Parser)]
#[command(about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write the table.
    Table,
    /// List what is wrong.
    Check,
    /// Break the stack once for each requirement, in a copy, and expect its test to fail.
    Mutate {
        /// Requirements ("RFC 9293 MUST-5") or whole RFCs ("RFC 9293"); all if there are none.
        only: Vec<String>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = Requirements::read(&workspace()).and_then(|requirements| match arguments.command {
        Command::Table => write_table(&requirements),
        Command::Check => check(&requirements),
        Command::Mutate { only } => mutate(&requirements, &only),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn write_table(requirements: &Requirements) -> Result<(), String> {
    fs::write(workspace().join(README), markdown(requirements)).map_err(|error| error.to_string())
}

fn check(requirements: &Requirements) -> Result<(), String> {
    let problems = requirements.problems();
    if problems.is_empty() {
        return Ok(());
    }
    Err(problems.join("\n"))
}

fn mutate(requirements: &Requirements, only: &[String]) -> Result<(), String> {
    check(requirements)?;
    let unknown = |name: &&String| !requirements.rows().any(|row| is_called(&row, name));
    if let Some(name) = only.iter().find(unknown) {
        return Err(format!(
            "no requirement and no RFC is called {name:?}: see {README}"
        ));
    }
    let explain = |error: std::io::Error| error.to_string();
    let workshop = Workshop::set_up(&workspace()).map_err(explain)?;
    let selected = |row: &Row<'_>| only.is_empty() || only.iter().any(|name| is_called(row, name));
    // Sentences that say the same are broken by the same, and noticed by the same.
    let mut known = HashMap::new();
    let mut counts = [0; 3];
    let rows: Vec<_> = requirements.rows().filter(selected).collect();
    if !workshop.is_sound(&rows).map_err(explain)? {
        return Err("tests fail already, with nothing broken".into());
    }
    for row in rows {
        let Some(mutation) = &row.entry.mutation else {
            continue;
        };
        let tests: Vec<_> = row.tests.iter().map(ToString::to_string).collect();
        let key = (
            mutation.file.clone(),
            mutation.from.clone(),
            mutation.to.clone(),
            tests,
        );
        let outcome = match known.get(&key) {
            Some(outcome) => Clone::clone(outcome),
            None => {
                let outcome = workshop.attempt(&row, mutation).map_err(explain)?;
                known.insert(key, outcome.clone());
                outcome
            }
        };
        let (index, word) = match &outcome {
            Outcome::Noticed => (0, "noticed".to_string()),
            Outcome::Survived => (1, "SURVIVED".to_string()),
            Outcome::DoesNotBuild(why) => (2, format!("DOES NOT BUILD\n{why}")),
        };
        counts[index] += 1;
        println!("{}: {word}", row.id());
    }
    let [noticed, survived, broken] = counts;
    println!("{noticed} noticed, {survived} survived, {broken} did not build");
    if survived + broken > 0 {
        return Err("some mutations were not noticed".into());
    }
    Ok(())
}

/// Whether `name` is that of a requirement, or of the RFC that it is in.
fn is_called(row: &Row<'_>, name: &str) -> bool {
    let id = row.id().to_string();
    (id.strip_prefix(name)).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}
