//! What the RFCs ask of TCP, sentence by sentence, and how cygnet is held to it.
//!
//! ```text
//!   rfcNNNN.toml   one entry for each MUST and SHOULD      table.rs
//!   // Requirement: RFC 9293 MUST-5    above a test        marks.rs
//!          both together, checked                          check.rs
//!          as a table for people: README.md                report.rs
//!          each entry's mutation, applied in a copy        mutate.rs
//! ```
//!
//! An entry is held by tests, which the marks name, or it is an exception and says why. A test proves
//! nothing unless it can fail: each entry that has tests also has a mutation, a small fault in the
//! stack's code that makes one of them fail.

mod check;
mod marks;
mod mutate;
mod report;
mod table;

use std::path::{Path, PathBuf};

pub use check::{Requirements, Row};
pub use marks::{Mark, Target, Test};
pub use mutate::{Outcome, Workshop, copy_workspace, write_if_changed};
pub use report::{README, markdown};
pub use table::{Document, Entry, Level, Mutation, RequirementId};

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .nth(2)
        .expect("the crate lies two levels below the root")
        .to_path_buf()
}
