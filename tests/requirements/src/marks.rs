//! The marks above tests that say which requirements they hold:
//!
//! ```text
//! // Requirement: RFC 9293 MUST-5, MUST-6; RFC 5681 3.2a
//! ```
//!
//! A mark belongs to the function below it: a `#[test]`, or a story that a `stories!` list makes tests
//! of.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::RequirementId;

/// A mark and the test that it stands above.
#[derive(Clone, Debug)]
pub struct Mark {
    /// What the test holds.
    pub requirements: Vec<RequirementId>,
    /// The test.
    pub test: Test,
}

/// A test, as cargo finds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Test {
    /// Where it is compiled in.
    pub target: Target,
    /// Its path in there; that of a story is also that of its tests on each implementation.
    pub path: String,
    /// The file it is in, from the root of the workspace on.
    pub file: String,
    /// Its line there.
    pub line: usize,
}

/// What `cargo test` is told to build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The unit tests of the stack.
    Stack,
    /// One of the suites in `tests/`.
    Suite(String),
}

impl Mark {
    /// All marks in the stack's sources and in the suites.
    ///
    /// # Errors
    ///
    /// A mark that cannot be read, or that stands above no test.
    pub fn find_all(root: &Path) -> Result<Vec<Self>, String> {
        let mut marks = Vec::new();
        for directory in ["stack/src", "tests"] {
            visit(root, Path::new(directory), &mut marks)?;
        }
        Ok(marks)
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Stack => write!(f, "cygnet {}", self.path),
            Target::Suite(suite) => write!(f, "{suite} {}", self.path),
        }
    }
}

fn visit(root: &Path, directory: &Path, marks: &mut Vec<Mark>) -> Result<(), String> {
    let explain = |error: std::io::Error| format!("{}: {error}", directory.display());
    let entries = fs::read_dir(root.join(directory)).map_err(explain)?;
    let mut names: Vec<_> = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()
        .map_err(explain)?;
    names.sort();
    for name in names {
        let path = directory.join(&name);
        // This crate's own sources speak about marks.
        if path == Path::new("tests/requirements") {
            continue;
        }
        if root.join(&path).is_dir() {
            visit(root, &path, marks)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(root.join(&path)).map_err(explain)?;
            let file = path.to_string_lossy().replace('\\', "/");
            find_in(&file, &text, marks)?;
        }
    }
    Ok(())
}

fn find_in(file: &str, text: &str, marks: &mut Vec<Mark>) -> Result<(), String> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut pending = Vec::new();
    let mut is_test = false;
    for (index, line) in lines.iter().enumerate() {
        let at = || format!("{file}:{}", index + 1);
        if let Some(list) = line.strip_prefix("// Requirement: ") {
            pending.extend(parse_list(list).map_err(|why| format!("{}: {why}", at()))?);
        } else if *line == "#[test]" {
            is_test = true;
        } else if let Some(name) = function_name(line) {
            if !pending.is_empty() {
                if !is_test && !is_story(&lines, name) {
                    return Err(format!("{}: {name} is marked and no test", at()));
                }
                marks.push(Mark {
                    requirements: std::mem::take(&mut pending),
                    test: test(file, name, index + 1)?,
                });
            }
            is_test = false;
        } else if !(line.is_empty() || line.starts_with("//") || line.starts_with("#[")) {
            if !pending.is_empty() {
                return Err(format!("{}: a mark stands above something else", at()));
            }
            is_test = false;
        }
    }
    Ok(())
}

/// `RFC 9293 MUST-5, MUST-6; RFC 5681 3.2a`
fn parse_list(list: &str) -> Result<Vec<RequirementId>, String> {
    let mut rfc = None;
    let mut found = Vec::new();
    for item in list.trim_end_matches('.').split([',', ';']) {
        let mut id = item.trim();
        if let Some(rest) = id.strip_prefix("RFC ") {
            let (number, rest) = rest.split_once(' ').ok_or("an RFC and no requirement")?;
            rfc = Some(number.parse().map_err(|_| "a number of no RFC")?);
            id = rest.trim();
        }
        found.push(RequirementId {
            rfc: rfc.ok_or("a requirement of no RFC")?,
            id: id.to_string(),
        });
    }
    Ok(found)
}

fn function_name(line: &str) -> Option<&str> {
    let rest = ["fn ", "pub fn ", "pub(crate) fn "]
        .iter()
        .find_map(|start| line.strip_prefix(start))?;
    rest.split(['(', '<']).next()
}

/// Whether the name stands by itself in a list of the file, as in `stories!`.
fn is_story(lines: &[&str], name: &str) -> bool {
    lines
        .iter()
        .any(|line| line.trim_end_matches([',', ';']) == name)
}

fn test(file: &str, name: &str, line: usize) -> Result<Test, String> {
    let found = |target, modules: Vec<&str>| Test {
        target,
        path: modules
            .into_iter()
            .chain([name])
            .collect::<Vec<_>>()
            .join("::"),
        file: file.to_string(),
        line,
    };
    let stem = file.trim_end_matches(".rs");
    if let Some(inner) = stem.strip_prefix("stack/src/") {
        let mut modules: Vec<_> = inner.split('/').filter(|m| *m != "mod").collect();
        // Unit tests are in `mod tests`, within the file or as one.
        if modules.iter().all(|module| *module != "tests") {
            modules.push("tests");
        }
        return Ok(found(Target::Stack, modules));
    }
    let inner = stem.strip_prefix("tests/").ok_or("a test in no suite")?;
    let mut modules: Vec<_> = inner.split('/').collect();
    let suite = modules.remove(0).to_string();
    modules.retain(|module| *module != "main");
    Ok(found(Target::Suite(suite), modules))
}
