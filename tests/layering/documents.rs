//! What the documents point at is there: the places that they link to, and the tests that hold what the
//! README says is there.

use std::fs;
use std::path::Path;

use crate::source::workspace;

const DOCUMENTS: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "examples/firmware/README.md",
    "examples/firmware/from-embassy-net.md",
];

#[test]
fn links_lead_somewhere() {
    let mut followed = 0;
    for document in DOCUMENTS {
        let path = workspace().join(document);
        let folder = path.parent().expect("a file is in a folder");
        let text = read(&path);
        for target in targets(&text) {
            assert!(
                folder.join(target).exists(),
                "{document} links to {target}, which is not there"
            );
            followed += 1;
        }
    }
    assert!(followed > 5, "the links are written another way now");
}

#[test]
fn each_row_of_what_is_there_names_its_tests() {
    let text = read(&workspace().join("README.md"));
    let rows: Vec<_> = text
        .lines()
        .skip_while(|line| *line != "## What is there, and what is not")
        .skip_while(|line| !line.starts_with("| ---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert!(rows.len() > 10, "the table has moved");
    for row in rows {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let &[subject, _there, tests, _not_yet] = cells.as_slice() else {
            panic!("not a row of four cells: {row}");
        };
        let mut named = tests.split('`').skip(1).step_by(2).peekable();
        assert!(named.peek().is_some(), "{subject}: no tests");
        for path in named {
            assert!(
                has_tests(&workspace().join(path)),
                "{subject}: no tests in {path}"
            );
        }
    }
}

/// The targets of a document's links to files here.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let links = text.split("](").skip(1);
    links
        .filter_map(|rest| rest.split([')', '#']).next())
        .filter(|target| !target.is_empty() && !target.contains("://"))
}

/// Whether a file has tests in it, or one of those in a folder.
fn has_tests(path: &Path) -> bool {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder that can be read");
        return entries.flatten().any(|entry| has_tests(&entry.path()));
    }
    let makers = ["#[test]", "#[tokio::test", "stories! {"];
    fs::read_to_string(path).is_ok_and(|text| makers.iter().any(|maker| text.contains(maker)))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
