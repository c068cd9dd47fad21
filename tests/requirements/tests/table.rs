//! The table of requirements cannot rot: every requirement has a test or a reason, every mutation still
//! applies, and the table for people is what the others say.

use std::fs;

use cygnet_requirements::{README, Requirements, markdown, workspace};

fn requirements() -> Requirements {
    Requirements::read(&workspace()).unwrap_or_else(|problem| panic!("{problem}"))
}

#[test]
fn every_requirement_is_held_by_a_test_or_says_why_not() {
    let problems = requirements().problems();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_table_for_people_is_up_to_date() {
    let wanted = markdown(&requirements());
    let path = workspace().join(README);
    if std::env::var_os("CYGNET_BLESS").is_some() {
        fs::write(&path, &wanted).expect("the table can be written");
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == wanted,
        "{README} is out of date; write it with `cargo run -p cygnet-requirements -- table`"
    );
}
