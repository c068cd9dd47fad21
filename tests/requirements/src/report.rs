//! The table for people.

use std::fmt::Write as _;

use crate::{Requirements, Row, Target, Test};

/// Where the table is kept.
pub const README: &str = "tests/requirements/README.md";

/// The table as Markdown.
pub fn markdown(requirements: &Requirements) -> String {
    let mut text = String::from(INTRODUCTION);
    text.push_str(
        "\n| RFC | requirements | held by tests | exceptions |\n| --- | --- | --- | --- |\n",
    );
    for document in &requirements.documents {
        let rows = || requirements.rows().filter(|row| row.rfc == document.rfc);
        let held = rows().filter(|row| !row.tests.is_empty()).count();
        let exceptions = rows().filter(|row| row.entry.exception.is_some()).count();
        let _ = writeln!(
            text,
            "| [{rfc}](https://www.rfc-editor.org/rfc/rfc{rfc}) {} | {} | {held} | {exceptions} |",
            document.title,
            document.entries.len(),
            rfc = document.rfc,
        );
    }
    for document in &requirements.documents {
        let _ = writeln!(text, "\n## RFC {}: {}\n", document.rfc, document.title);
        text.push_str("| | | requirement | held by |\n| --- | --- | --- | --- |\n");
        for row in requirements.rows().filter(|row| row.rfc == document.rfc) {
            write_row(&mut text, &row);
        }
    }
    text
}

fn write_row(text: &mut String, row: &Row<'_>) {
    let entry = row.entry;
    let name = match &entry.section {
        Some(section) => format!("{} ({section})", entry.id),
        None => entry.id.clone(),
    };
    let held = match &entry.exception {
        Some(reason) => format!("*exception:* {}", one_line(reason)),
        None => row.tests.iter().map(link).collect::<Vec<_>>().join("<br>"),
    };
    let sentence = one_line(&entry.text);
    let _ = writeln!(text, "| {name} | {} | {sentence} | {held} |", entry.level);
}

fn link(test: &Test) -> String {
    let name = match &test.target {
        Target::Stack => &test.path,
        Target::Suite(suite) => &format!("{suite}::{}", test.path),
    };
    // Without the line, which any change above would move.
    format!("[`{name}`](../../{})", test.file)
}

fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}

const INTRODUCTION: &str = "\
# Requirements

What the RFCs ask of TCP, and the tests that hold cygnet to it. This table is made from the `rfc*.toml` beside it and
from the `// Requirement:` marks above tests; do not edit it.

| command | what it does |
| --- | --- |
| `cargo test -p cygnet-requirements` | checks that each requirement has a test or is an exception with its reason, and that this table is up to date |
| `cargo run -p cygnet-requirements -- table` | writes this table |
| `cargo run -p cygnet-requirements -- mutate` | breaks the stack once for each requirement, in a copy, and expects its test to fail; names of requirements or RFCs select some |
";
