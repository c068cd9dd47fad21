//! The tables and the marks together, and what must be true of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::{Document, Entry, Mark, RequirementId, Test, workspace};

/// Everything that is known about requirements.
#[derive(Clone, Debug)]
pub struct Requirements {
    /// The RFCs.
    pub documents: Vec<Document>,
    tests: BTreeMap<RequirementId, Vec<Test>>,
}

/// A requirement and the tests that hold it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The RFC.
    pub rfc: u16,
    /// The requirement.
    pub entry: &'a Entry,
    /// The tests.
    pub tests: &'a [Test],
}

impl Requirements {
    /// Reads the tables and finds the marks.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, or a mark that makes no sense.
    pub fn read(root: &Path) -> Result<Self, String> {
        let documents = Document::read_all(&root.join("tests/requirements"))?;
        let mut tests: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for mark in Mark::find_all(root)? {
            for id in mark.requirements {
                tests.entry(id).or_default().push(mark.test.clone());
            }
        }
        Ok(Self { documents, tests })
    }

    /// All requirements in their order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.documents.iter().flat_map(|document| {
            document.entries.iter().map(|entry| {
                let id = RequirementId {
                    rfc: document.rfc,
                    id: entry.id.clone(),
                };
                Row {
                    rfc: document.rfc,
                    entry,
                    tests: self.tests.get(&id).map_or(&[], Vec::as_slice),
                }
            })
        })
    }

    /// Everything that is wrong.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut known = BTreeSet::new();
        for row in self.rows() {
            let id = row.id();
            if let Some(problem) = row.problem() {
                problems.push(format!("{id}: {problem}"));
            }
            if !known.insert(id.clone()) {
                problems.push(format!("{id}: is there twice"));
            }
        }
        for (id, tests) in &self.tests {
            if !known.contains(id) {
                problems.push(format!("{id}: marked at {} and in no table", tests[0]));
            }
        }
        problems
    }
}

impl Row<'_> {
    /// Its name.
    pub fn id(&self) -> RequirementId {
        RequirementId {
            rfc: self.rfc,
            id: self.entry.id.clone(),
        }
    }

    fn problem(&self) -> Option<String> {
        match (&self.entry.exception, &self.entry.mutation) {
            (None, _) if self.tests.is_empty() => {
                Some("no test is marked with it, and it is no exception".into())
            }
            (Some(_), _) if !self.tests.is_empty() => {
                Some(format!("an exception, and yet {} holds it", self.tests[0]))
            }
            (Some(_), Some(_)) => Some("an exception that a mutation breaks".into()),
            (Some(_), None) => None,
            (None, None) => Some("no mutation breaks it".into()),
            (None, Some(mutation)) => {
                let path = workspace().join(&mutation.file);
                let Ok(text) = fs::read_to_string(path) else {
                    return Some(format!("there is no {}", mutation.file));
                };
                match text.matches(&mutation.from).count() {
                    1 => None,
                    count => Some(format!(
                        "what its mutation replaces occurs {count} times in {}: {}",
                        mutation.file, mutation.from
                    )),
                }
            }
        }
    }
}
